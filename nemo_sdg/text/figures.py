"""Statistics of many texts: diversity, similarity, lengths."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any

from nemo_sdg.text.normalize import jaccard, tokens


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
    """Mean over the sets of the similarity to the nearest other one, 0 to 1."""
    best = [0.0] * len(sets)
    for one in range(len(sets)):
        for other in range(one + 1, len(sets)):
            value = jaccard(sets[one], sets[other])
            best[one], best[other] = max(best[one], value), max(best[other], value)
    return sum(best) / len(best)


def percentile(lengths: Counter[int], share: float) -> int:
    """The smallest length that `share` of the counted ones do not exceed. `lengths` is not empty."""
    wanted, seen = share * lengths.total(), 0
    for length in sorted(lengths):
        seen += lengths[length]
        if seen >= wanted:
            break
    return length
