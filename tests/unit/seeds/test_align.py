"""Whether a text is found in another one: the bound that spares a word-by-word comparison changes no finding."""

import random
from difflib import SequenceMatcher

import numpy as np
import pytest

from nemo_sdg.seeds.content.align import Found, Stream, _changes, _num_in_order, _together


def length_of_common(first: list[int], second: list[int]) -> int:
    """By the textbook's table."""
    row = [0] * (len(second) + 1)
    for word in first:
        before = 0
        for at, other in enumerate(second):
            before, row[at + 1] = row[at + 1], before + 1 if word == other else max(row[at + 1], row[at])
    return row[-1]


def found_word_by_word(part: list[int], stream: list[int]) -> Found:
    matcher = SequenceMatcher(None, part, stream, autojunk=False)
    blocks = _together([(block.a, block.b, block.size) for block in matcher.get_matching_blocks() if block.size])
    return _changes(blocks, part, stream) if blocks else Found.no


def edited(draw: random.Random, num_words: int) -> tuple[list[int], list[int]]:
    """A text of words and numbers, and a part of it with some words changed, left out or put in."""
    stream = [4 * draw.randrange(num_words) + draw.choice([0, 0, 0, 1, 2]) for _ in range(draw.randrange(12, 60))]
    part = stream[draw.randrange(6) :][: draw.randrange(6, 50)]
    for _ in range(draw.randrange(8)):
        at, word = draw.randrange(len(part)), 4 * draw.randrange(num_words)
        part[at : at + draw.choice([0, 1])] = draw.choice([[word], []])
    return part, stream


@pytest.mark.parametrize("num_words", [3, 20, 60])
def test_bound_spares_only_texts_that_would_not_be_found(num_words: int) -> None:
    draw, seen = random.Random(num_words), set()
    for _ in range(200):
        part, stream = edited(draw, num_words)
        assert _num_in_order(part, stream) == length_of_common(part, stream)
        text = Stream(np.array(stream, dtype=np.uint32))
        found = text.find(np.array(part, dtype=np.uint32))
        if found >= Found.inside or len(part) < 4 or text.share(np.array(part, dtype=np.uint32)) < 0.6:
            continue
        assert found == found_word_by_word(part, stream)
        seen.add(found)
    assert seen == {Found.no, Found.changed, Found.gaps}
