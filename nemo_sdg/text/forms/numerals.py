"""Numerals among words: `the eighth of the two` in digits, Roman numerals beside Arabic ones.

in_digits("twenty-first century", "en")             ->  "21th century"
same_numerals("world war ii", "world war 2", "en")  ->  True
"""

import functools
import re

from nemo_sdg.text.forms.lexicon import listed
from nemo_sdg.text.numbers.scan import scan_words

_HINDI_ORDINAL = re.compile(r"(?<=\S)(?:वीं|वाँ|वां|वें)(?!\S)")
_WORK = re.compile(
    r"\b((?:(?:piano|violin|cello|string) )?(?:symphony|sinfonie|concerto|sonata|quartet)) (?:no|nr|number) (\d+)\b"
)
"""a piece of music by its number: Symphony No. 9 is the Ninth Symphony"""
_ROMAN = re.compile(r"m{0,3}(?:cm|cd|d?c{0,3})(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})")


@functools.lru_cache(maxsize=1 << 14)
def in_digits(text: str, language: str) -> str:
    """Number words as digits, ordinals as 21st."""
    text = _HINDI_ORDINAL.sub(r" \g<0>", text)
    out, position = [], 0
    for word in re.finditer(r"[^\W\d_]+", text):
        if word.start() < position:
            continue
        scanned = scan_words(text, word.start(), language)
        if scanned is not None and scanned[0].value.denominator == 1:
            out += [text[position : word.start()], f"{scanned[0].value}{'th' * scanned[0].ordinal}"]
            position = scanned[1]
    text = "".join([*out, text[position:]])
    text = re.sub(r"(?<=\d)(?:st|nd|rd|th|er|ère|ème|e|º|ª)\b", "th", text)
    return _WORK.sub(r"\2th \1", text)


def same_numerals(left: str, right: str, language: str) -> bool:
    """Word by word, where Roman numerals equal the number or the ordinal: world war ii, world war 2."""
    ones, others = in_digits(left, language).split(), in_digits(right, language).split()
    if len(ones) != len(others) or len(ones) < 2:
        return False
    first = dict(enumerate(ones))
    return all(
        one == other
        or _same_numeral(one, other, first.get(place - 1))
        or _same_numeral(other, one, first.get(place - 1))
        for place, (one, other) in enumerate(zip(ones, others, strict=True))
    )


_COUNTED = listed("counted")


def _same_numeral(roman: str, number: str, before: str | None) -> bool:
    """X is a number where an ordinal stands opposite or a word before it is counted; Malcolm X is no tenth."""
    value = _roman(roman)
    if value is None or value != _plain(number):
        return False
    return roman != "x" or number.endswith("th") or before in _COUNTED


def _plain(word: str) -> int | str:
    digits = word.removesuffix("th")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 5 else word


def _roman(word: str) -> int | None:
    word = re.sub(r"(?<=[ivx])(?:e|er|ème|º|ª|th)$", "", word)
    if not word or not _ROMAN.fullmatch(word) or word in ("l", "c", "d", "m") or set("cdm") & set(word):
        return None
    values = [{"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}[char] for char in word]
    return sum(-value if value < max(values[place:]) else value for place, value in enumerate(values))
