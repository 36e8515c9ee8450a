"""Our fast versions of Gopher's rules, compared with Curator's scores."""

import random

import pytest
from nemo_curator.stages.text.filters.heuristic.repetition.repetition import (
    RepeatingDuplicateNGramsFilter,
    RepeatingTopNGramsFilter,
)

from nemo_sdg.curate.filters.wording.repetition import _duplicate_share, _loop, _Runs, _top_share


def made(seed: int) -> list[str]:
    """Words of a small vocabulary; three words stand there more often than any others in a row."""
    draw = random.Random(seed)
    words = draw.choices(["stone", "river", "a", "light", "of", "green", "moves", "slow"], k=draw.randrange(5, 60))
    return words + ["north", "wind", "blows", "cold"] * draw.randrange(4, 9)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("size", [3, 4])
def test_the_most_frequent_ngram_takes_the_share_that_curator_says(seed: int, size: int) -> None:
    words = made(seed)
    words += words[-4 : size - 4 or None]  # one more of the first of them: no two are as frequent
    joined = " ".join(words)
    assert _top_share(_Runs(words), joined, size) == RepeatingTopNGramsFilter(n=size).score_document(joined)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("size", [5, 8])
def test_repeated_ngrams_take_the_share_that_curator_says(seed: int, size: int) -> None:
    for words in (made(seed), random.Random(seed).choices([f"w{number}" for number in range(12)], k=60)):
        joined = " ".join([*words, *words[:size]])
        score = RepeatingDuplicateNGramsFilter(n=size).score_document(joined)
        assert score > 0.0
        assert _duplicate_share(joined.split(), size) / len(joined) == score


@pytest.mark.parametrize("period", [1, 3, 17, 40])
def test_a_loop_of_any_period_is_found_behind_other_words(period: int) -> None:
    before = [f"b{number}" for number in range(50)]
    words = before + [f"w{number}" for number in range(period)] * 20
    assert _loop(words, _Runs(words), 3, 16) is not None
    assert _loop(before, _Runs(before), 3, 16) is None
