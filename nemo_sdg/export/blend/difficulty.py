"""Weighs the samples of a task by how hard they are: easy, medium and hard ones are packed apart, and drawn more often
or less.

    {"easy": 600_000, "medium": 300_000, "hard": 100_000}   tokens of a task's bands
    mixture.difficulty = {easy: 0.5, medium: 1, hard: 2}    how often a sample of a band is drawn, beside the others
    ->  {"easy": 0.625, "medium": 1.25, "hard": 2.5}        epochs, where the whole task is drawn once

The shares of families and tasks stay as they are: within a task the harder samples take the place of the easier ones.
No band repeats more than the task may (mixture.max_epochs); what it leaves goes to the others.
"""

from collections.abc import Mapping

from nemo_sdg.export.blend.family_shares import SLACK, share_between
from nemo_sdg.records.lines import SampleLine

EASY, HARD = 0.25, 0.75
"""difficulties up to which, and from which on, a sample is easy or hard: three in four who tried reach its answer, or
one in four
"""


def band_of(sample: SampleLine) -> str:
    """The band of a sample by its `difficulty`: the share of the student's attempts that miss the answer, or, where no
    student tried, that of the votes; medium where nothing was measured.
    """
    difficulty = sample.get("difficulty")
    if difficulty is None or EASY < difficulty < HARD:
        return "medium"
    return "easy" if difficulty <= EASY else "hard"


def band_epochs(
    tokens: Mapping[str, int], weights: Mapping[str, float], epochs: float, most: float
) -> dict[str, float]:
    """How often each band of a task is drawn, where the whole task is drawn `epochs` times and nothing more than
    `most`, which is at least `epochs`. A band without a weight has 1.
    """
    bands = {band: num for band, num in tokens.items() if num > 0}
    drawn = epochs * sum(bands.values())
    shares = share_between(
        {band: weights.get(band, 1.0) * num for band, num in bands.items()},
        dict.fromkeys(bands, 0.0),
        {band: max(most, epochs) * (1 + SLACK) * num / drawn for band, num in bands.items()},
    )
    return {band: shares[band] * drawn / num for band, num in bands.items()}
