"""curated/health.json: figures of the samples before and after curation, beside those of their seeds.

The step `curated` writes it; the report and the summary of a run read it.
"""

from typing import TypedDict

LENGTHS = ("question", "context", "reasoning", "answer")
"""texts of a sample whose characters are counted"""


class Balance(TypedDict, total=False):
    """How evenly the right answers are spread over positions or labels."""

    shares: dict[str, float]
    evenness: float
    """entropy over its largest value: 1 = all equally often"""
    expected: float
    """share of a blind guess"""
    of: int


class Share(TypedDict, total=False):
    share: float
    expected: float
    of: int


class Near(TypedDict):
    """New questions near a seed of theirs."""

    share: float
    mean: float
    """similarity to the nearest seed"""
    of: int


class Difficulty(TypedDict):
    mean: float
    tenths: list[float]
    """share of the samples in each tenth from 0 to 1"""


class Opening(TypedDict):
    words: str
    share: float


class Differences(TypedDict, total=False):
    """How much the questions of a group differ among themselves."""

    of: int
    distinct_words: float
    distinct_trigrams: float
    commonest_opening: Opening
    nearest_neighbour: float


class Lengths(TypedDict, total=False):
    """Characters: mean and quantiles."""

    mean: float
    p10: int
    p50: int
    p90: int


class Figures(TypedDict, total=False):
    """One group at one stage; what does not apply to it is left out."""

    samples: int
    kinds: dict[str, int]
    origins: dict[str, int]
    languages: dict[str, int]
    identified_languages: dict[str, int]
    positions: Balance
    longest_option_is_right: Share
    labels: Balance
    guidance: dict[str, int]
    agreement: float
    """mean share of the votes that give the kept answer"""
    difficulty: Difficulty
    characters: dict[str, Lengths]
    """of the texts in LENGTHS"""
    diversity: Differences
    near_seed: Near


Stages = dict[str, Figures]
"""seeds, before (verified), after (curated)"""


class Note(TypedDict):
    group: str
    about: str
    detail: str


class Health(TypedDict, total=False):
    """The file; a run without it has none of its fields."""

    families: dict[str, Stages]
    tasks: dict[str, Stages]
    notes: list[Note]
