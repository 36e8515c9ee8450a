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
    """rules, items of the task, replies in plain sections: for strong models"""


class PerSeed(enum.Enum):
    origins = "origins"
    """the number in origins.similar"""
    auto = "auto"
    """up to 35 for a task with few seeds, fewer for a task with many, never fewer than origins.similar"""


@dataclass(kw_only=True)
class OriginShare:
    """How many samples of each origin a seed gives."""

    similar: int = 3
    """new questions for each seed"""
    seed: float = 1.0
    """share of the seeds whose own question becomes a sample too, 0 to 1; the seed's id decides which"""

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
    """how many new questions each seed gives"""
    stop_after_copies: int = 3
    """style full: after so many attempts in a row that were copies, no more questions are asked for a seed"""
    questions_per_request: int = 1
    """style full: new questions that one request asks for"""
    style: Style = Style.auto
    """style of the prompts"""
    votes: int = 8
    """most independent solutions of a question; voting stops early when the majority is decided"""
    guided: bool = True
    """origin seed: when no blind solution reaches the gold answer, ask for one that is shown the gold answer"""
    few_shot: int = 2
    """seeds of the same task that a prompt shows before the seed to write after"""
    prompts_dir: str | None = None
    """folder of your own templates; each replaces the shipped template of the same name"""
    temperature_question: float | None = None
    """temperature of the writer; null: 0.9 in style compact; not sent in style full, so the model's default holds"""
    temperature_answer: float | None = None
    """temperature of the solvers; null: 0.7 in style compact; not sent in style full"""
    top_p: float | None = None
    """null: 0.95 in style compact; not sent in style full"""
    max_tokens_question: int | None = None
    """most tokens of a writer's reply, thinking included; null: 512 in style compact, 12288 in style full"""
    max_tokens_answer: int | None = None
    """most tokens of a solver's reply, thinking included; null: 2048 in style compact, 24576 in style full"""
    student_attempts: int = 4
    """with roles.student: how often the student tries each question; its pass rate measures the difficulty"""
    min_question_score: int = 3
    """with roles.judge: a question is dropped when any of its scores, 1 to 5, is lower"""
    answers_graded: int = 2
    """with roles.judge: most solutions of a question that are judged, the best first"""

    def __post_init__(self) -> None:
        require(self.votes >= 1, f"generate.votes must be >= 1, got {self.votes}")
        require(self.few_shot >= 0, f"generate.few_shot must be >= 0, got {self.few_shot}")
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
    """smallest share of the planned votes that the winning answer must have; a vote without an answer counts against
    it
    """
    max_agreement: float = 1.0
    """largest share of the planned votes that the winning answer may have; below 1 it drops questions that every vote
    answers alike
    """
    free_text_similarity: float = 0.3
    """word F1 from which two answers in sentences agree; two random answers to different questions have 0.05 to 0.15"""
    min_judge_score: int = 3
    """with roles.judge: a sample is dropped when the judge scores its solution lower, 1 to 5"""
    pass_rate: list[float] = field(default_factory=list)
    """with roles.student: [lowest, highest] share of the student's attempts that reach the answer; empty = any"""
    sandbox: Sandbox = Sandbox.auto
    """how generated code is confined: strict = in namespaces (bubblewrap, unshare) or not at all; auto = by limits,
    seccomp and Landlock where namespaces do not work
    """
    trace_max_tokens: int = 16384
    """longest trace that is kept with a sample, in estimated tokens; a longer trace is left out, the sample stays"""
    code_timeout: float = 5.0
    """CPU seconds that a program may take in the sandbox"""
    code_memory_mb: int = 512
    """memory that a program may take in the sandbox, in MB"""

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
