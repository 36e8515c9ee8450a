"""Questions and answers, and when an answer counts as verified."""

import enum
from dataclasses import dataclass, field

from nemo_sdg.errors import require


class Sandbox(enum.Enum):
    auto = "auto"
    strict = "strict"


class Style(enum.Enum):
    auto = "auto"
    """compact for the embedded model, full for every other engine"""
    compact = "compact"
    """few words, worked examples, replies in JSON: for models below about 3B parameters"""
    full = "full"
    """rules, examples of the task, replies in plain sections: for strong models"""


class PerSeed(enum.Enum):
    origins = "origins"
    """the number in origins.similar"""
    auto = "auto"
    """up to 35 per seed for a task with few seeds, fewer for a task with many, at least origins.similar"""


@dataclass(kw_only=True)
class OriginShare:
    """The number of samples of each origin per seed."""

    similar: int = 3
    """new questions for each seed"""
    seed: float = 1.0
    """share of the seeds whose own question becomes a sample too, 0 to 1; chosen by the seed's id"""

    def __post_init__(self) -> None:
        require(self.similar >= 0, f"generate.origins.similar must be >= 0, got {self.similar}")
        require(0.0 <= self.seed <= 1.0, f"generate.origins.seed must be in [0, 1], got {self.seed}")


@dataclass(kw_only=True)
class GenerateSection:
    """Questions and answers."""

    origins: OriginShare = field(default_factory=OriginShare)
    origins_by_family: dict[str, OriginShare] = field(default_factory=dict)
    """other numbers for single families, by the family's name"""
    per_seed: PerSeed = PerSeed.origins
    """how the number of new questions per seed is set"""
    stop_after_copies: int = 3
    """style full: number of consecutive attempts that are copies, after which a seed gets no more questions"""
    questions_per_request: int = 1
    """style full: number of new questions per request"""
    style: Style = Style.auto
    """style of the prompts"""
    votes: int = 8
    """maximum number of independent solutions of a question; voting stops early when the majority is decided"""
    guided: bool = True
    """origin seed: if no blind solution reaches the gold answer, request one with the gold answer in the prompt"""
    further_solutions: int = 0
    """maximum number of further solutions of a question whose answer is decided, if the filters would drop it with each
    right solution so far; they do not count as votes; not for code
    """
    few_shot: int = 2
    """number of examples in a writer's prompt, made from other seeds of the task"""
    prompts_dir: str | None = None
    """folder of your own templates; each replaces the shipped template of the same name"""
    temperature_question: float | None = None
    """temperature of the writer; null: 0.9 in style compact; not sent in style full, so the model's default applies"""
    temperature_answer: float | None = None
    """temperature of the solvers; null: 0.7 in style compact; not sent in style full"""
    top_p: float | None = None
    """top_p of writer and solvers; null: 0.95 in style compact; not sent in style full"""
    max_tokens_question: int | None = None
    """maximum tokens of a writer's reply, thinking included; null: 512 in style compact, 12288 in style full"""
    max_tokens_answer: int | None = None
    """maximum tokens of a solver's reply, thinking included; null: 2048 in style compact, 24576 in style full"""
    student_attempts: int = 4
    """with roles.student: number of the student's attempts per question; its pass rate measures the difficulty"""
    min_question_score: int = 3
    """with roles.judge: a question is dropped if any of its scores, 1 to 5, is lower"""
    answers_graded: int = 2
    """with roles.judge: maximum number of solutions of a question that are judged, best first"""

    def __post_init__(self) -> None:
        require(self.votes >= 1, f"generate.votes must be >= 1, got {self.votes}")
        for name in ("few_shot", "further_solutions"):
            require(getattr(self, name) >= 0, f"generate.{name} must be >= 0, got {getattr(self, name)}")
        for name in ("questions_per_request", "stop_after_copies", "student_attempts", "answers_graded"):
            require(getattr(self, name) >= 1, f"generate.{name} must be >= 1, got {getattr(self, name)}")
        require(
            1 <= self.min_question_score <= 5,
            f"generate.min_question_score must be in [1, 5], got {self.min_question_score}",
        )
        for name in ("max_tokens_question", "max_tokens_answer"):
            given = getattr(self, name)
            require(given is None or given >= 16, f"generate.{name} must be >= 16 tokens, got {given}")
        for name in ("temperature_question", "temperature_answer"):
            given = getattr(self, name)
            require(given is None or 0.0 <= given <= 2.0, f"generate.{name} must be in [0, 2], got {given}")
        require(self.top_p is None or 0.0 < self.top_p <= 1.0, f"generate.top_p must be in (0, 1], got {self.top_p}")


@dataclass(kw_only=True)
class VerifySection:
    """When an answer counts as verified."""

    min_agreement: float = 0.6
    """minimum share of the planned votes for the winning answer; a vote without an answer counts against it"""
    max_agreement: float = 1.0
    """maximum share of the planned votes for the winning answer; below 1, questions on which all votes agree are
    dropped
    """
    judge_agreement: bool = True
    """with roles.judge: the judge groups answers with the same meaning: answers in sentences always, short answers and
    expressions if the rules find no majority or no blind solution with the gold answer; false = only words and rules
    """
    free_text_similarity: float = 1.0
    """minimum word F1 of two sentences that agree, if no judge has compared them; 1 = the same words in the same order,
    which misses rewordings and is never wrong; lower values are often wrong
    """
    min_judge_score: int = 3
    """with roles.judge: a sample is dropped if the judge's score of its solution, 1 to 5, is lower"""
    pass_rate: list[float] = field(default_factory=list)
    """with roles.student: [lowest, highest] share of the student's attempts that reach the answer; empty = any"""
    sandbox: Sandbox = Sandbox.auto
    """how generated code is confined: strict = only in namespaces (bubblewrap, unshare); auto = with limits, seccomp
    and Landlock if namespaces do not work
    """
    trace_max_tokens: int = 16384
    """maximum length of a trace that is kept with a sample, in estimated tokens; a sample with a longer trace is kept
    without the trace
    """
    code_timeout: float = 5.0
    """maximum CPU seconds of a program in the sandbox"""
    code_memory_mb: int = 512
    """maximum memory of a program in the sandbox, in MB"""

    def __post_init__(self) -> None:
        require(0.0 < self.min_agreement <= 1.0, f"verify.min_agreement must be in (0, 1], got {self.min_agreement}")
        require(
            self.min_agreement <= self.max_agreement <= 1.0,
            f"verify.max_agreement must be in [min_agreement, 1], got {self.max_agreement}",
        )
        require(
            0.0 < self.free_text_similarity <= 1.0,
            f"verify.free_text_similarity must be in (0, 1], got {self.free_text_similarity}",
        )
        require(1 <= self.min_judge_score <= 5, f"verify.min_judge_score must be in [1, 5], got {self.min_judge_score}")
        require(
            not self.pass_rate or (len(self.pass_rate) == 2 and 0.0 <= self.pass_rate[0] <= self.pass_rate[1] <= 1.0),
            f"verify.pass_rate must be [lowest, highest] in [0, 1], got {self.pass_rate}",
        )
        require(self.code_timeout > 0, f"verify.code_timeout must be > 0 seconds, got {self.code_timeout}")
