"""Questions and answers, and when an answer counts as verified."""

import enum
from dataclasses import dataclass, field

from nemo_sdg.errors import require


class Sandbox(enum.Enum):
    auto = "auto"
    strict = "strict"


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
    votes: int = 8
    """independent solutions of a question, at most; they stop early when the majority is decided"""
    guided: bool = True
    """origin seed: when no blind solution reaches the gold, write one with the gold in sight"""
    few_shot: int = 2
    """seeds of the same task shown before the one to write after"""
    prompts_dir: str | None = None
    """folder whose templates take the place of the shipped ones, file by file"""
    temperature_question: float = 0.9
    temperature_answer: float = 0.7
    top_p: float = 0.95
    max_tokens_question: int = 512
    max_tokens_answer: int = 2048
    judge: bool = False
    """a last look at free text by the model itself"""

    def __post_init__(self) -> None:
        require(self.votes >= 1, f"generate.votes must be >= 1, got {self.votes}")
        require(self.few_shot >= 0, f"generate.few_shot must be >= 0, got {self.few_shot}")
        for name in ("max_tokens_question", "max_tokens_answer"):
            require(getattr(self, name) >= 16, f"generate.{name} must be >= 16 tokens, got {getattr(self, name)}")
        for name in ("temperature_question", "temperature_answer"):
            require(0.0 <= getattr(self, name) <= 2.0, f"generate.{name} must be in [0, 2], got {getattr(self, name)}")
        require(0.0 < self.top_p <= 1.0, f"generate.top_p must be in (0, 1], got {self.top_p}")


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
    """of 5, where generate.judge is on"""
    sandbox: Sandbox = Sandbox.auto
    """strict: generated code runs in namespaces (bubblewrap, unshare) or not at all; auto: limits, seccomp and
    Landlock where there are none
    """
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
        require(self.code_timeout > 0, f"verify.code_timeout must be > 0 seconds, got {self.code_timeout}")
