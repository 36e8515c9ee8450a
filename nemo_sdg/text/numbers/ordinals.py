"""Ordinals in words, by language: dritte, troisième, третий.

ordinal_word("neunzehntes", "de")  ->  19
"""

import functools
import re

from nemo_sdg.text.numbers.spelled import base_language, numbered, read_spaced, words_table

_ORDINAL_ENDING = {
    "de": re.compile(r"s?te[rnms]?$"), "nl": re.compile(r"(?:ste|de)$"), "fr": re.compile(r"i?èmes?$"),
}  # fmt: skip


@functools.lru_cache(maxsize=1 << 14)
def ordinal_word(word: str, language: str) -> int | None:
    """The number that a word orders by: third, dritte, troisième, третий; English ones are read by `scan`."""
    language = base_language(language)
    language = "no" if language in ("nb", "nn") else language
    table = numbered(words_table().get(language, {}).get("ordinals", ""), 1)
    lower = word.casefold()
    if lower in table:
        return table[lower]
    ending = _ORDINAL_ENDING.get(language)
    found = ending.search(lower) if ending is not None else None
    if found is None or found.start() < 3 or len(lower) > 40:
        return None
    stem = lower[: found.start()]
    stems = [stem, stem + "e", stem[:-1], stem[:-1] + "f"] if language == "fr" else [stem]
    for each in stems:
        read = read_spaced(each, 0, language)
        if read is not None and read[1] == len(each) and read[0].denominator == 1:
            return int(read[0])
    return None
