"""Texts whose sentences say one thing again and again in other words."""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Set

from nemo_sdg.curate.filters.phrases import STEM, content_of
from nemo_sdg.curate.filters.view import View, sentences
from nemo_sdg.text.normalize import has_any, jaccard

SAME_SENTENCE, MIN_SAME = 0.7, 4
"""Jaccard similarity of the content words of two sentences that say one thing, and how many of them are too many"""


def reworded(view: View, text: str) -> int:
    """How many sentences of five content words or more, without a number, hold nearly the same words as one of them;
    0 where fewer than MIN_SAME do.
    """
    found = sentences(text)
    if len(found) < MIN_SAME or has_any(text, "\n|") or not _may_repeat(found):
        return 0
    told = [content_of(view, one) for one in found if not any(map(str.isdigit, one))]
    told = [words for words in told if len(words) >= 5]
    if len(told) < MIN_SAME:
        return 0
    worth = _worth(told)
    most = 0
    for words in told:
        if sum(map(worth.__getitem__, words)) >= (MIN_SAME - 1) * SAME_SENTENCE * len(words):
            most = max(most, sum(jaccard(words, other) >= SAME_SENTENCE for other in told))
    return most if most >= MIN_SAME else 0


def says_one_thing(view: View, text: str) -> bool:
    """Whether MIN_SAME sentences or more, without a number, all hold the same four content words, and those are two
    fifths of their words.
    """
    found = sentences(text)
    if len(found) < MIN_SAME or any(map(str.isdigit, text)) or "\n" in text:
        return False
    told = [content_of(view, one) for one in found]
    core = frozenset.intersection(*told)
    return len(core) >= 4 and 5 * len(core) * len(told) >= 2 * sum(map(len, told))


def _worth(found: Iterable[Set[str]]) -> dict[str, int]:
    """With how many of MIN_SAME - 1 other sentences a word may be shared. A sentence shares no more words with as many,
    taken together, than the sum over its words.
    """
    times = Counter(itertools.chain.from_iterable(found))
    return {word: min(num - 1, MIN_SAME - 1) for word, num in times.items()}


def _may_repeat(found: list[str]) -> bool:
    """Whether some sentence can be near MIN_SAME - 1 others: a first look by beginnings of words as they are written,
    with a lower bound, for a tenth of the time. Texts without spaces are not judged.
    """
    stems = [{word[:STEM] for word in one.split() if len(word) > 3} for one in found]
    if sum(map(len, stems)) < 3 * len(found):
        return True
    bits = {stem: 1 << place for place, stem in enumerate(dict.fromkeys(itertools.chain.from_iterable(stems)))}
    sets = [sum(map(bits.__getitem__, one)) for one in stems]
    once = twice = thrice = oftener = 0  # in how many sentences a word stands, at least
    for one in sets:
        oftener |= thrice & one
        thrice |= twice & one
        twice |= once & one
        once |= one
    for one, words in zip(sets, stems, strict=True):
        size = len(words)
        shared = (one & twice).bit_count() + (one & thrice).bit_count() + (one & oftener).bit_count()
        if size < 4 or shared < (MIN_SAME - 1) * ROUGHLY_SAME * size:
            continue
        enough = math.ceil(ROUGHLY_SAME * size)
        if len([1 for other in sets if (one & other).bit_count() >= enough]) >= MIN_SAME:
            return True
    return False


ROUGHLY_SAME = 0.5
"""Below SAME_SENTENCE, since words as they are written differ by the marks behind them"""
