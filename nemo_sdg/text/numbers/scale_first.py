"""Numbers in words where a scale stands before what it counts, as in Swahili: `elfu mbili mia tatu na tano` is 2305.

A number is parts of falling size: a scale with what it counts (one thing, where nothing stands there), tens, ones.
Thousands and more count a number below 100 (elfu ishirini na tano: 25,000) or full hundreds (elfu mia mbili: 200,000).
"""

import re
from fractions import Fraction

SCALE_FIRST = frozenset(("sw",))
_WORD = re.compile(r"[a-z]+", re.IGNORECASE)
_GAP = re.compile(r"[\s-]+|,\s+")
MOST_WORDS = 40
"""of one number; a text may be a loop of thousands"""

Words = list[tuple[str, int]]
"""each with the place where it ends"""


def read_scale_first(
    text: str, start: int, small: dict[str, int], scales: dict[str, int], glue: frozenset[str]
) -> tuple[Fraction, int] | None:
    """(value, end) of the number that begins at `start`, as far as it goes; None where none does."""
    words, position = Words(), start
    while len(words) < MOST_WORDS and (word := _WORD.match(text, position)) is not None:
        lower = word[0].casefold()
        if lower not in small and lower not in scales and (lower not in glue or not words):
            break
        words.append((lower, word.end()))
        if (gap := _GAP.match(text, word.end())) is None:
            break
        position = gap.end()
    total, room, place, end = 0, max(scales.values(), default=1) * 1000, 0, start
    while place < len(words):
        at = place + (words[place][0] in glue)
        if at == len(words):
            break
        value, after = _part(words, at, small, scales, glue)
        if value is None or not value < room or (total and not value):
            break
        factor = scales.get(words[at][0])
        total, place, end = total + value, after, words[after - 1][1]
        room = factor if factor is not None else 0
    return (Fraction(total), end) if end > start else None


def _part(
    words: Words, at: int, small: dict[str, int], scales: dict[str, int], glue: frozenset[str]
) -> tuple[int | None, int]:
    """(value, index after it) of the part that begins at a word."""
    factor = scales.get(words[at][0])
    if factor is None:
        return _below_hundred(words, at, small, glue)
    if factor == 100:
        digit = small.get(words[at + 1][0], 0) if at + 1 < len(words) else 0
        return (100 * digit, at + 2) if 0 < digit < 10 else (100, at + 1)
    if at + 1 < len(words) and scales.get(words[at + 1][0]) == 100:
        hundreds, after = _part(words, at + 1, small, scales, glue)
        return (factor * (hundreds or 1), after) if after == len(words) else (None, at)  # else it is not clear
    counted, after = _below_hundred(words, at + 1, small, glue)
    return (factor * counted, after) if counted else (factor, at + 1)


def _below_hundred(words: Words, at: int, small: dict[str, int], glue: frozenset[str]) -> tuple[int | None, int]:
    value = small.get(words[at][0]) if at < len(words) else None
    if value is None:
        return None, at
    if value >= 10 and at + 2 < len(words) and words[at + 1][0] in glue and 0 < small.get(words[at + 2][0], 0) < 10:
        return value + small[words[at + 2][0]], at + 3
    return value, at + 1
