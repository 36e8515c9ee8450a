"""Mixture, training text, packing, and the blend."""

import enum
from dataclasses import dataclass, field

from nemo_sdg.errors import require

BANDS = ("easy", "medium", "hard")
"""of difficulty"""
VARIANTS = ("context", "no_context", "answer_only", "trace")
"""renderings of a sample: see export/documents.py"""


class Form(enum.Enum):
    single = "single"
    """one sample per document"""
    siblings = "siblings"
    """all samples of one seed in one document, up to max_document_tokens"""


class Budget(enum.Enum):
    tokens = "tokens"
    """all variants train on the same number of tokens, so the shorter ones are repeated"""
    samples = "samples"
    """all variants show each sample equally often"""


@dataclass(kw_only=True)
class MixtureSection:
    """Weights of the families."""

    alpha: float = 0.7
    """exponent of the sampling: share ~ tokens ** alpha; 1 = in proportion to tokens, 0 = all families equal"""
    family_cap: float = 0.4
    """largest share of one family"""
    family_caps: dict[str, float] = field(default_factory=dict)
    """largest shares of single families, by the family's name"""
    task_cap: float = 0.5
    """largest share of one task within its family's tokens"""
    family_floor: float = 0.01
    """smallest share of a family that has samples"""
    max_epochs: float = 8.0
    """maximum number of epochs of a family or task in the training, in any variant; it takes precedence over caps and
    floors
    """
    difficulty: dict[str, float] = field(default_factory=dict)
    """how often a sample of a difficulty band (easy, medium, hard) is drawn, relative to other bands of its task, such
    as {easy: 0.5, hard: 2}; default 1; needs export.difficulty_bands
    """
    train_tokens: int | None = None
    """length of the continued pretraining, in tokens of the whole blend; null = one pass over the longest variant"""
    synthetic_share: float = 1.0
    """share of this corpus in the whole blend"""

    def __post_init__(self) -> None:
        require(0.0 <= self.alpha <= 1.0, f"mixture.alpha must be in [0, 1], got {self.alpha}")
        for name, cap in {
            "family_cap": self.family_cap,
            "task_cap": self.task_cap,
            **{f"family_caps.{k}": v for k, v in self.family_caps.items()},
        }.items():
            require(0.0 < cap <= 1.0, f"mixture.{name} must be in (0, 1], got {cap}")
        require(0.0 <= self.family_floor < 1.0, f"mixture.family_floor must be in [0, 1), got {self.family_floor}")
        require(
            set(self.difficulty) <= set(BANDS) and all(weight > 0 for weight in self.difficulty.values()),
            f"mixture.difficulty must give weights > 0 to some of {', '.join(BANDS)}, got {dict(self.difficulty)}",
        )
        require(
            0.0 < self.max_epochs < float("inf"),
            f"mixture.max_epochs must be > 0 and finite, got {self.max_epochs}; a large number lifts the limit",
        )
        require(
            self.train_tokens is None or self.train_tokens >= 1,
            f"mixture.train_tokens must be >= 1, got {self.train_tokens}; leave it out for one pass",
        )
        require(
            0.0 < self.synthetic_share <= 1.0, f"mixture.synthetic_share must be in (0, 1], got {self.synthetic_share}"
        )


@dataclass(kw_only=True)
class ExportSection:
    """Training text and packing."""

    tokenizer: str | None = None
    """tokenizer of the trained model: a folder or hub id; null = that of the embedded model"""
    variants: list[str] = field(default_factory=lambda: ["context", "no_context"])
    """corpora to write: context = knowledge, reasoning, answer; no_context = without knowledge; answer_only = without
    knowledge and reasoning; trace = as no_context, with the model's thinking before the reasoning
    """
    form: Form = Form.single
    """content of one document"""
    difficulty_bands: bool = False
    """whether easy samples (at least 3 of 4 attempts of the student, or else of the votes, reach the answer), hard ones
    (at most 1 of 4) and all others are packed separately, for mixture.difficulty
    """
    bos: bool = False
    """whether each document begins with the tokenizer's beginning-of-sequence id, for models trained with it"""
    shard_tokens: int = 100_000_000
    """approximate number of tokens in a packed shard"""
    max_document_tokens: int = 8192
    """longer documents are left out and counted as overlong; no document is cut"""
    valid_share: float = 0.01
    """share of the seeds whose samples form the split `valid`"""
    budget: Budget = Budget.samples
    """quantity that is equal in the trainings of the variants"""

    def __post_init__(self) -> None:
        require(
            bool(self.variants) and set(self.variants) <= set(VARIANTS),
            f"export.variants must be some of {', '.join(VARIANTS)}, got {self.variants}",
        )
        require(len(set(self.variants)) == len(self.variants), f"export.variants must be unique, got {self.variants}")
        require(0.0 <= self.valid_share < 1.0, f"export.valid_share must be in [0, 1), got {self.valid_share}")
        require(self.shard_tokens >= 1, f"export.shard_tokens must be >= 1, got {self.shard_tokens}")
        require(
            self.max_document_tokens >= 16, f"export.max_document_tokens must be >= 16, got {self.max_document_tokens}"
        )


@dataclass(kw_only=True)
class BlendSource:
    """One of your datasets in the blend. Give either `prefix` or `blend`."""

    prefix: str | None = None
    """path of a Megatron dataset, without .bin and .idx"""
    blend: str | None = None
    """a blend.json; its prefixes share the weight"""
    weight: float
    """share among the entries of blend.base"""

    def __post_init__(self) -> None:
        require((self.prefix is None) != (self.blend is None), "blend.base entries need either prefix or blend")
        require(0.0 < self.weight < float("inf"), f"blend.base weight must be > 0 and finite, got {self.weight}")


@dataclass(kw_only=True)
class BlendSection:
    """The other datasets of the training."""

    base: list[BlendSource] = field(default_factory=list)
    """your datasets; their share of the blend is 1 - mixture.synthetic_share"""
