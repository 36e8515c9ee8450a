"""Types of blend/mixture.json, which explains the weights of a blend."""

from typing import Any, NotRequired, TypedDict


class WeightedShard(TypedDict):
    weight: float
    prefix: str


class BaseRow(WeightedShard):
    """One of the user's own datasets."""

    tokens: int
    epochs: NotRequired[dict[str, float]]
    """arm -> epochs of the train split"""


class Arm(TypedDict):
    """One training of an ablation."""

    blend: str
    total_tokens: int
    synthetic_tokens: int
    base_tokens: int


class VariantRow(TypedDict):
    train: list[WeightedShard]
    valid: list[WeightedShard]
    tokens: dict[str, int]
    """family -> tokens of both splits"""
    nemo_validates_on: str
    train_tokens: int
    trained_tokens: int
    epochs: float
    synthetic_share: float
    total_tokens: int
    families: dict[str, Any]


class MixtureFile(TypedDict):
    budget: str
    reference: str
    synthetic_share: float
    families: dict[str, float]
    """share of each family in the reference"""
    base: dict[str, list[BaseRow]]
    arms: dict[str, Arm]
    variants: dict[str, VariantRow]
    explanation: dict[str, Any]
    """the plan of the reference, see Mixture"""
