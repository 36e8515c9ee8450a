"""Decides whether a text is found in another: word for word, or with words dropped, added or changed.

All texts are arrays of word ids (texts.Text.ids), whose two lowest bits are the word's mark (texts.mark).
"""

import enum
import itertools
from difflib import SequenceMatcher

import numpy as np

from nemo_sdg.seeds.content.texts import Ids

CHANGED = 0.12
"""of a text's words that may differ, in all; one at least"""
ONE_PLACE = 0.34
"""of a text's words that may be missing in one place: a formula is one word to whoever drops it"""
MIN_COMMON = 0.6
"""of a text's words that must be in the other one, else they are not compared word by word"""
MAX_STREAM = 20_000
"""words from which a text is only searched for exact copies"""


class Found(enum.IntEnum):
    no = 0
    changed = 1
    """with other words in the place of some"""
    gaps = 2
    """with words left out or put in"""
    inside = 3
    """word for word within a longer text"""
    whole = 4
    """it is the other text"""


class Stream:
    """A text in which others are looked for."""

    __slots__ = ("data", "distinct", "ids")

    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        self.data = ids.tobytes()
        self.distinct: Ids | None = None

    def find(self, part: Ids) -> Found:
        data = part.tobytes()
        at = self.data.find(data) if len(data) <= len(self.data) else -1
        while at >= 0:
            if at % part.itemsize == 0:
                return Found.whole if len(data) == len(self.data) else Found.inside
            at = self.data.find(data, at + 1)
        return self._find_near(part)

    @property
    def words(self) -> Ids:
        """The different ones, sorted."""
        if self.distinct is None:
            self.distinct = np.unique(self.ids)
        return self.distinct

    def share(self, part: Ids) -> float:
        """How much of a text's words stand anywhere in this one."""
        known = self.words
        at = np.minimum(np.searchsorted(known, part), len(known) - 1)
        return float(np.count_nonzero(known[at] == part) / len(part))

    def _find_near(self, part: Ids) -> Found:
        if len(part) < 4 or not MIN_COMMON * len(part) <= len(self.ids) <= MAX_STREAM or self.share(part) < MIN_COMMON:
            return Found.no
        words, stream = part.tolist(), self.ids.tolist()
        if len(words) - _num_in_order(words, stream) > max(_most(len(words)), ONE_PLACE * len(words)):
            return Found.no  # _changes would say the same of fewer words in common: this is a tenth of its cost
        matcher = SequenceMatcher(None, words, stream, autojunk=False)
        blocks = _together([(block.a, block.b, block.size) for block in matcher.get_matching_blocks() if block.size])
        return _changes(blocks, words, stream) if blocks else Found.no


def _num_in_order(part: list[int], stream: list[int]) -> int:
    """Length of the longest common subsequence: no alignment has more words in common. Each bit of `open_` is a word of
    the part (Hyyrö, 2004, "Bit-parallel LCS-length computation revisited").
    """
    places: dict[int, int] = {}
    for number, word in enumerate(part):
        places[word] = places.get(word, 0) | 1 << number
    all_ = open_ = (1 << len(part)) - 1
    for at in map(places.get, stream):
        if at is not None:
            taken = open_ & at
            open_ = (open_ + taken | open_ - taken) & all_
    return len(part) - open_.bit_count()


def _most(length: int) -> int:
    """Words of a text of this length that may differ."""
    return max(1, round(CHANGED * length))


def _together(blocks: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Without the stray words at either end that stand far from the rest."""
    while len(blocks) > 1:
        (a, b, size), (next_a, next_b, next_size) = blocks[0], blocks[1]
        if size <= next_size and size <= 2 and next_b - b - size > next_a - a - size + 2:
            blocks = blocks[1:]
            continue
        (a, b, size), (last_a, last_b, last_size) = blocks[-2], blocks[-1]
        if last_size <= size and last_size <= 2 and last_b - b - size > last_a - a - size + 2:
            blocks = blocks[:-1]
            continue
        break
    return blocks


def _changes(blocks: list[tuple[int, int, int]], part: list[int], stream: list[int]) -> Found:
    """What was done to a text of which these blocks are left; `no` where it is too much. What is missing at an end was
    changed for what stands there, if the longer text goes on.
    """
    length, matched = len(part), sum(size for _, _, size in blocks)
    head, start, _ = blocks[0]
    tail, end = blocks[-1][0] + blocks[-1][2], blocks[-1][1] + blocks[-1][2]
    places = [(0, head, max(0, start - head), start), (tail, length, end, min(end + length - tail, len(stream)))]
    for (a, b, size), (next_a, next_b, _) in itertools.pairwise(blocks):
        places.append((a + size, next_a, b + size, next_b))
    places = [place for place in places if place[1] > place[0] or place[3] > place[2]]
    if any(_is_other_mathematics(part[a:stop], stream[b:end]) for a, stop, b, end in places):
        return Found.no
    missing, added = length - matched, sum(_num_words(stream[b:end]) for _, _, b, end in places)
    most = _most(length)
    is_one_place = len(places) == 1 and missing <= ONE_PLACE * length and matched >= 6
    if added > max(2, most) or not (missing <= most or is_one_place):
        return Found.no
    return Found.changed if missing and added else Found.gaps


def _num_words(added: list[int]) -> float:
    """Two characters of a script without spaces are about a word: who puts in a word puts in several."""
    return sum(0.5 if word & 3 == 2 else 1.0 for word in added)


def _is_other_mathematics(missing: list[int], added: list[int]) -> bool:
    """Whether numbers or formulas were exchanged, or an operator was put in."""
    new = [word for word in added if word & 1]
    return bool(new) and (any(word & 1 for word in missing) or (not missing and all(word & 3 == 3 for word in added)))
