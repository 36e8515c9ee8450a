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
    full = "full"


class PerSeed(enum.Enum):
    origins = "origins"
    """as many as origins.similar says"""
    auto = "auto"
    """up to 35 for the seeds of a small task, fewer the more seeds a task has, never fewer than origins.similar"""


@dataclass(kw_only=True)
class OriginShare:
    """How many samples of each origin a seed gives."""

    similar: int = 3
    """new questions written after a seed"""
    seed: float = 1.0
    """share of seeds whose own question goes on as a sample, 0 to 1; which ones is decided by the seed's id"""

    def __post_init__(self) -> None:
        require(self.similar >= 0, f"generate.origins.similar must be >= 0, got {self.similar}")
        require(0.0 <= self.seed <= 1.0, f"generate.origins.seed must be in [0, 1], got {self.seed}")


@dataclass(kw_only=True)
class GenerateSection:
    """Questions and answers."""

    origins: OriginShare = field(default_factory=OriginShare)
    origins_by_family: dict[str, OriginShare] = field(default_factory=dict)
    per_seed: PerSeed = PerSeed.origins
    """how many new questions are written after a seed"""
    stop_after_copies: int = 3
    """style full: attempts in a row that were not new, after which a seed is not asked for more"""
    questions_per_request: int = 1
    """style full: new questions that one request asks for"""
    style: Style = Style.auto
    """of the prompts"""
    votes: int = 8
    """independent solutions of a question, at most; they stop early when the majority is decided"""
    guided: bool = True
    """origin seed: when no blind solution reaches the gold, write one with the gold in sight"""
    few_shot: int = 2
    """seeds of the same task shown before the one to write after"""
    prompts_dir: str | None = None
    """folder whose templates take the place of the shipped ones, file by file"""
    temperature_question: float | None = None
    """null: 0.9 in style compact; not sent in style full, so that the model's own default holds"""
    temperature_answer: float | None = None
    """null: 0.7 in style compact; not sent in style full"""
    top_p: float | None = None
    """null: 0.95 in style compact; not sent in style full"""
    max_tokens_question: int | None = None
    """thinking included; null: 512 in style compact, 12288 in style full"""
    max_tokens_answer: int | None = None
    """thinking included; null: 2048 in style compact, 24576 in style full"""
    student_attempts: int = 4
    """where roles.student is configured: solutions of the student, from which the difficulty of a question follows"""
    min_question_score: int = 3
    """where roles.judge is configured: lowest score, of 5, that a question may have in what it is judged by"""
    answers_graded: int = 2
    """where roles.judge is configured: solutions of a question that are judged at most, the best first"""

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
    """share of the planned votes that the winning answer must have; a vote without an answer counts against it"""
    max_agreement: float = 1.0
    """largest share of the planned votes: below 1 it leaves out questions that every vote answers alike"""
    free_text_similarity: float = 0.3
    """word F1 from which two answers in sentences count as agreeing; two random answers to different questions have
    0.05 to 0.15
    """
    min_judge_score: int = 3
    """lowest score, of 5, that a judge may give to the kept solution, where roles.judge is configured"""
    pass_rate: list[float] = field(default_factory=list)
    """[lowest, highest] share of the student's attempts that reach the answer; empty = all are kept. Needs
    roles.student
    """
    sandbox: Sandbox = Sandbox.auto
    """strict: generated code runs in namespaces (bubblewrap, unshare) or not at all; auto: limits, seccomp and
    Landlock where there are none
    """
    trace_max_tokens: int = 16384
    """of the thinking that is kept with a sample, estimated; a longer trace is left out, the sample stays"""
    code_timeout: float = 5.0
    """seconds of CPU a program may take in the sandbox"""
    code_memory_mb: int = 512

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
