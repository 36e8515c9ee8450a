"""Statistics of many texts: diversity, similarity, lengths."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any

from nemo_sdg.text.normalize import tokens


def ngrams(words: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    """All runs of `size` words, in order."""
    return zip(*(words[start:] for start in range(size)), strict=False)


def distinct_share(texts: Iterable[Sequence[str]], size: int) -> float | None:
    """Distinct n-grams of `size` words over all of them (Li et al. 2016); None where there is none."""
    grams = Counter(gram for words in texts for gram in ngrams(words, size))
    return len(grams) / grams.total() if grams else None


def character_grams(text: str) -> frozenset[str]:
    """Character 5-grams of the normalised words."""
    plain = " ".join(tokens(text))
    return frozenset(plain[start : start + 5] for start in range(max(1, len(plain) - 4)))


def nearest_other(sets: Sequence[Set[Any]]) -> float:
    """Mean over the sets of the similarity (Jaccard) to the nearest other one, 0 to 1.

    Each set is one number with a bit for each of its elements: shared bits are counted six times as fast as shared
    elements.
    """
    places: dict[Any, int] = {}
    bits = [_bits_of(elements, places) for elements in sets]
    best = [0.0] * len(sets)
    for one in range(len(sets)):
        for other in range(one + 1, len(sets)):
            if shared := (bits[one] & bits[other]).bit_count():
                value = shared / (len(sets[one]) + len(sets[other]) - shared)
                best[one], best[other] = max(best[one], value), max(best[other], value)
    return sum(best) / len(best)


def _bits_of(elements: Set[Any], places: dict[Any, int]) -> int:
    """The set as a number; `places` gives each element its bit, and takes up new ones."""
    found = [places.setdefault(element, len(places)) for element in elements]
    data = bytearray(len(places) // 8 + 1)
    for place in found:
        data[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(data, "little")


def percentile(lengths: Counter[int], share: float) -> int:
    """The smallest length that `share` of the counted ones do not exceed. `lengths` is not empty."""
    wanted, seen = share * lengths.total(), 0
    for length in sorted(lengths):
        seen += lengths[length]
        if seen >= wanted:
            break
    return length
