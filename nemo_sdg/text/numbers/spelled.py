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

from nemo_sdg.text.numbers.cjk import CJK_SCALE, read_cjk
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


_COMPOUND = frozenset(("de", "nl", "it", "sv", "da", "no", "hu", "fi", "ko"))
"""Languages that write a number as one word"""
_ONES_FIRST = frozenset(("de", "nl", "da", "ar"))
_DOZENS = frozenset(
    ("dozen", "dutzend", "docena", "docenas", "douzaine", "dúzia", "dúzias", "dozzina", "dozzine", "dozijn", "lusin")
)
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
    if language not in _COMPOUND or len(word) > 80:
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


class _Sum:
    """Adds number words up; refuses what is not a number, such as `two three` or `thousand thousand`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.total, self.group, self.room, self.any = 0, 0, 1000, False
        self.last_scale: int | None = None

    def add(self, value: int) -> bool:
        """A small number fits in the room that the one before it has left: 20 leaves 10, 200 leaves 100."""
        french = self.language == "fr"
        if french and value in (20, 1) and self.group % 100 == 4 and value == 20:
            self.group += 76  # quatre-vingts
            self.room = 20
        elif value < self.room and (value or not self.any):
            self.group += value
            twenty_steps = french and self.group % 100 in (60, 80)
            self.room = 20 if twenty_steps else 100 if value >= 100 else 10 if value >= 20 else 0
            if french and value == 10:
                self.room = 10  # dix-sept, soixante-dix-huit
            if 0 < value < 10 and self.language in _ONES_FIRST and self.group % 100 < 10:
                self.room = -1
        elif (self.room == -1 and value % 10 == 0 and 20 <= value < 100) or (
            self.language in ("tr", "vi", "id", "sw") and value < 10 and self.group % 100 == 10 and value
        ):
            self.group, self.room = self.group + value, 0
        else:
            return False
        self.any = True
        return True

    def scale(self, factor: int) -> bool:
        if factor == 10:
            if not 0 < self.group % 100 < 10:
                return False
            self.group, self.room = self.group + 9 * (self.group % 100), 10
        elif factor == 100:
            if self.group > 99 or (self.any and self.group == 0):
                return False
            self.group, self.room = (self.group or 1) * 100, 100
        else:
            if self.last_scale is not None and factor >= self.last_scale:
                return False
            if self.any and self.group == 0:
                return False
            self.total += (self.group or 1) * factor
            self.group, self.room, self.last_scale = 0, min(1000, factor), factor
        self.any = True
        return True


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
        if lower in _words(tongue).parts:
            return True
        tongue = "no" if tongue in ("nb", "nn") else tongue
        if _words(tongue).small and _cut(plainly, tongue) is not None:
            return True
    return _cut(plainly.removesuffix("s"), "en") is not None


def word_at(text: str, start: int) -> str | None:
    """The word that begins there."""
    found = _WORD.match(text, start)
    return None if found is None else found[0]


def read_spaced(text: str, start: int, language: str) -> tuple[Fraction, int] | None:
    words = _words(language)
    if not words.small:
        return None
    total = _Sum(language)
    position, end, first, after_glue = start, start, True, False
    while (word := _WORD.match(text, position)) is not None:
        lower = word[0].casefold().replace("’", "'")
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
    if text[position : position + 1] in CJK_SCALE:
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
