"""Numbers in words, by language: `two hundred and five`, `fünfundzwanzig`, `quatre-vingt-dix-sept`, `三百二十`.

    read_words("twenty-five thousand people", 0, "en")  ->  (Fraction(25000), 20)
    scale_at(" Billionen", 0, "de")                     ->  (10**12, 10)

A language's words are its small numbers (added up) and its scales (multiplied). What is written as one word is cut
at its parts. Words of English are read in every language, since models mix them in; the language's own come first.
"""

import functools
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from nemo_sdg.text.numbers.cjk import CJK_SCALE, KILO, read_cjk
from nemo_sdg.text.numbers.scale_first import SCALE_FIRST, read_scale_first
from nemo_sdg.text.numbers.sums import Sum
from nemo_sdg.text.tables import read_table


@functools.lru_cache(maxsize=1024)
def base_language(language: str) -> str:
    """`pt-BR` -> `pt`; both ways to write Norwegian are `no`"""
    base = re.split(r"[-_]", language.casefold(), maxsplit=1)[0]
    return "no" if base in ("nb", "nn") else base


def numbered(words: str, start: int = 0, step: int = 1) -> dict[str, int]:
    return {
        word: start + step * place for place, spellings in enumerate(words.split()) for word in spellings.split("|")
    }


@functools.cache
def words_table() -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = read_table(Path(__file__).with_name("spelled.yaml"), typed=True)
    return table


_COMPOUND = frozenset(("de", "nl", "it", "sv", "da", "no", "hu", "fi", "ko", "th"))
"""Languages that write a number as one word"""
_DOZENS = frozenset(
    ("dozen", "dutzend", "docena", "docenas", "douzaine", "dúzia", "dúzias", "dozzina", "dozzine", "dozijn", "lusin")
)
TEENS = {"ar": "عشرة?", "id": "belas"}
"""the second word of a number from 11 to 19"""
ONES_OF_TEENS: dict[str, dict[str, int]] = {
    "ar": dict.fromkeys(("أحد", "احد", "إحدى"), 1) | dict.fromkeys(("اثنا", "اثني", "اثنتا", "اثنتي"), 2),
    "id": {},
}
"""words for ones that stand before it alone"""
VOWEL_SIGNS = (
    "\u0300-\u036f\u0591-\u05c7\u064b-\u0652\u0900-\u0903\u093a-\u094d"
    "\u0981-\u0983\u09bc-\u09cd\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
)
"""Marks that are part of a word in scripts whose vowels stand above and below; `re` does not count them as letters"""
_WORD = re.compile(rf"[^\W\d_](?:[^\W\d_]|[{VOWEL_SIGNS}])*(?:['’][^\W\d_]+)?")
_SPACE = re.compile(r"[\s-]*")
_POINT = re.compile(r"\s+point((?:[\s-]+[a-z]+)+)", re.IGNORECASE)
_NEXT_WORD = re.compile(r"[\s-]+([a-z]+)", re.IGNORECASE)
_GAP = re.compile(r"(?:[\s\u00ad]+|-)")
LONGEST_WORD = 80
"""letters of a number that is written as one word"""


@dataclass(frozen=True, slots=True)
class _Words:
    small: dict[str, int]
    scales: dict[str, int]
    parts: dict[str, int]
    glue: frozenset[str]
    pieces: tuple[str, ...]


@functools.cache
def _words(language: str) -> _Words:
    row = words_table().get(language, {})
    small = numbered(row.get("small", "")) | numbered(row.get("hundreds", ""), 100, 100)
    for key, words in row.items():
        if key.startswith("tens"):
            small |= numbered(words, int(key.removeprefix("tens_from_")) if "_" in key else 20, 10)
    scales = {word: 10**power for power, words in row.get("scales", {}).items() for word in words.split()}
    glue = frozenset(row.get("glue", "").split())
    pieces = tuple(sorted({*small, *scales, *(glue if language in _COMPOUND else ())}, key=len, reverse=True))
    return _Words(small, scales, numbered(row.get("parts", ""), 2), glue, pieces)


def _cut(word: str, language: str) -> list[str] | None:
    """The parts of a number that is written as one word: fünfundzwanzig -> fünf und zwanzig."""
    words = _words(language)
    if word in words.small or word in words.scales:
        return [word]
    if language not in _COMPOUND or len(word) > LONGEST_WORD:
        return None

    @functools.cache
    def rest_of(start: int) -> tuple[str, ...] | None:
        if start == len(word):
            return ()
        for piece in words.pieces:
            if word.startswith(piece, start) and (rest := rest_of(start + len(piece))) is not None:
                return (piece, *rest)
        return None

    found = rest_of(0)
    return list(found) if found and any(piece in words.small or piece in words.scales for piece in found) else None


def read_words(text: str, start: int, language: str) -> tuple[Fraction, int] | None:
    """(value, end) of the number in words that begins at `start`, as far as it goes; None where none does.

    A scale alone (`thousand`) is none, except where the language writes it so for one (`mille`, `tausend`).
    """
    found = read_cjk(text, start)
    if found is not None:
        return found
    best: tuple[Fraction, int] | None = None
    for tongue in dict.fromkeys((base_language(language), "en")):
        one = read_spaced(text, start, "no" if tongue in ("nb", "nn") else tongue)
        if one is not None and (best is None or one[1] > best[1]):
            best = one
    return best


def may_begin(word: str, language: str) -> bool:
    """Whether a number, or a word for a part, can begin with this word."""
    lower, plainly = word.casefold(), word.casefold().replace("’", "'")
    for tongue in dict.fromkeys((base_language(language), "en")):
        if lower in _words(tongue).parts or lower in ONES_OF_TEENS.get(tongue, ()):
            return True
        tongue = "no" if tongue in ("nb", "nn") else tongue
        if _words(tongue).small and _cut(plainly, tongue) is not None:
            return True
    return _cut(plainly.removesuffix("s"), "en") is not None


def word_at(text: str, start: int) -> str | None:
    """The word that begins there; of one that is too long for a number its first LONGEST_WORD + 1 letters, since a text
    in Thai may have no spaces.
    """
    found = _WORD.match(text, start, start + LONGEST_WORD + 1)
    return None if found is None else found[0]


@functools.cache
def _teens(language: str) -> tuple[re.Pattern[str], dict[str, int]]:
    ones = {word: value for word, value in _words(language).small.items() if 0 < value < 10} | ONES_OF_TEENS[language]
    words = "|".join(sorted(ones, key=len, reverse=True))
    return re.compile(rf"(و?)({words})\s+(?:{TEENS[language]})(?!\w)", re.IGNORECASE), ones


def teen_at(text: str, start: int, language: str, first: bool) -> tuple[int, int] | None:
    """(value, end) of a number from 11 to 19 that is written as two words: ثلاثة عشر, lima belas."""
    if language not in TEENS:
        return None
    pattern, ones = _teens(language)
    found = pattern.match(text, start)
    if found is None or (found[1] and first):
        return None
    return 10 + ones[found[2].casefold()], found.end()


def read_spaced(text: str, start: int, language: str) -> tuple[Fraction, int] | None:
    words = _words(language)
    if not words.small:
        return None
    if language in SCALE_FIRST:
        return read_scale_first(text, start, words.small, words.scales, words.glue)
    total = Sum(language)
    position, end, first, after_glue = start, start, True, False
    while (word := _WORD.match(text, position)) is not None:
        lower = word[0].casefold().replace("’", "'")
        if (teen := teen_at(text, word.start(), language, first)) is not None:
            if not total.add(teen[0]):
                break
            end, first, after_glue = teen[1], False, False
            if (gap := _GAP.match(text, end)) is None:
                break
            position = gap.end()
            continue
        if language in ("ar", "he") and lower[:1] in "וو" and not first and lower[1:] in words.small:
            lower = lower[1:]
        if lower in words.glue and not first and not after_glue:
            after_glue = True
        else:
            parts = _cut(lower, language) or (_cut(lower.removesuffix("s"), language) if language == "en" else None)
            if parts is None or (first and language == "en" and lower in words.scales):
                break
            before = (total.total, total.group, total.room, total.any, total.last_scale)
            if not all(
                total.scale(words.scales[part]) if part in words.scales and not (part in words.small and not total.any)
                else part in words.glue or total.add(words.small[part])
                for part in parts
            ):  # fmt: skip
                total.total, total.group, total.room, total.any, total.last_scale = before
                break
            end, first, after_glue = word.end(), False, False
        gap = _GAP.match(text, word.end())
        if gap is None:
            break
        position = gap.end()
    if first:
        return None
    value = Fraction(total.total + total.group)
    if language == "en" and (point := _POINT.match(text, end)):
        digits = ""
        stop = point.start(1)
        for word in _NEXT_WORD.finditer(text, point.start(1), point.end(1)):
            digit = words.small.get(word[1].casefold(), 10)
            if digit > 9 or word.start() != stop:
                break
            digits, stop = digits + str(digit), word.end()
        if digits:
            return value + Fraction(int(digits), 10 ** len(digits)), stop
    return value, end


@functools.cache
def _scale_table(language: str) -> dict[str, int]:
    own = {word: factor for word, factor in _words(language).scales.items() if factor > 10}
    return _words("en").scales | own | dict.fromkeys(_DOZENS, 12)


def scale_at(text: str, start: int, language: str) -> tuple[int, int] | None:
    """(factor, end) of a scale word behind a number in digits: million, dozen, Mrd., 万, k; or None."""
    space = _SPACE.match(text, start)
    position = space.end() if space is not None else start
    if text[position : position + 1] in CJK_SCALE and not KILO.match(text, position):
        return CJK_SCALE[text[position]], position + 1
    word = _WORD.match(text, position)
    if word is None:
        return None
    lower, table = word[0].casefold(), _scale_table(base_language(language))
    for candidate in (lower, lower.removesuffix("s"), lower.removesuffix("es")):
        if candidate in table:
            return table[candidate], word.end() + (text[word.end() : word.end() + 1] == "." and len(lower) < 4)
    if position == start and word[0] in ("k", "K", "M", "B", "bn", "T"):
        return {"k": 10**3, "K": 10**3, "M": 10**6, "B": 10**9, "bn": 10**9, "T": 10**12}[word[0]], word.end()
    return None


def part_at(text: str, start: int, language: str) -> tuple[int, int] | None:
    """(divisor, end) of a word for a part: half, thirds, quarter; None where none stands there."""
    position = _SPACE.match(text, start).end()  # type: ignore[union-attr]
    word = _WORD.match(text, position)
    if word is None:
        return None
    for tongue in dict.fromkeys((base_language(language), "en")):
        if (divisor := _words(tongue).parts.get(word[0].casefold())) is not None:
            return divisor, word.end()
    return None


def names_scale(text: str, factor: int, language: str) -> bool:
    """Whether a text, mostly a question, has a word for this scale: How many dozen eggs?"""
    table = _scale_table(base_language(language))
    words = {word[0].casefold() for word in _WORD.finditer(text)}
    if any(
        scale == factor and re.search(rf"(?:多少|几|単位|单位|何|몇){char}", text) for char, scale in CJK_SCALE.items()
    ):
        return True
    return any(
        table.get(candidate) == factor
        for word in words
        for candidate in (word, word.removesuffix("s"), word.removesuffix("es"))
    )
