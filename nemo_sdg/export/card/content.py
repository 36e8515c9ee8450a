"""What the dataset card says, by the names that card.md.jinja uses."""

from dataclasses import dataclass
from typing import Any

from nemo_sdg.export.packing.packed_files import TextRow
from nemo_sdg.export.splits import EvaluationSplits


@dataclass(kw_only=True)
class VariantSizes:
    name: str
    words: str
    documents: int
    tokens: int
    train_tokens: int
    epochs: float


@dataclass(kw_only=True)
class ModelRow:
    model: str
    engine: str
    model_license: str
    samples: int


@dataclass(kw_only=True)
class SourceRow:
    """A split that seeds come from."""

    path: str
    name: str
    split: str
    revision: str
    license: str
    seeds: int


@dataclass(kw_only=True)
class StepRow:
    step: str
    num_in: int
    kept: int
    reasons: str


@dataclass(kw_only=True)
class TaskRow:
    task: str
    seeds: int
    packed: int


@dataclass(kw_only=True)
class FamilyRow:
    family: str
    share: float | None
    """None for a family that has no document to train on"""
    tokens: list[int]
    """of each variant"""


@dataclass(kw_only=True)
class Unreachable:
    """Evaluation splits that could not be read."""

    splits: int
    num_datasets: int
    datasets: list[str]
    more: int
    """datasets that are not named"""


@dataclass(kw_only=True)
class Card:
    title: str
    version: str
    fingerprint: str
    documents: int
    variants: list[VariantSizes]
    splits: list[str]
    tokenizer: str
    origins: list[tuple[str, int]]
    origin_words: dict[str, str]
    kinds: list[tuple[str, int]]
    languages: list[str]
    sample: TextRow | None
    columns: dict[str, str]
    new: int
    own: int
    own_files: bool
    config: dict[str, Any]
    config_yaml: str
    models: list[ModelRow]
    sources: list[SourceRow]
    licenses: list[tuple[str, int]]
    has_unknown_license: bool
    steps: list[StepRow]
    not_sampled: int
    tasks: list[TaskRow]
    families: list[FamilyRow]
    budget: str
    budget_words: str
    synthetic_share: float
    evaluation: EvaluationSplits
    unreachable: Unreachable
    limits: list[str]
    packages: list[tuple[str, str]]
