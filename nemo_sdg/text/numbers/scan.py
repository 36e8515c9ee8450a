r"""Reads one number at a place of a folded text: digits, fractions, powers, words, with scale and percent sign.

scan_number("2 1/2 cups", 0, "en")    ->  (Number(value=Fraction(5, 2)), 5)
scan_words("half a million", 0, "en") ->  (Number(value=Fraction(500000), scale=1000000), 14)
"""

import functools
import re
import unicodedata
from dataclasses import dataclass, replace
from fractions import Fraction

from nemo_sdg.text.numbers.digits import read_digits, scan_digits
from nemo_sdg.text.numbers.ordinals import ordinal_word
from nemo_sdg.text.numbers.spelled import may_begin, part_at, read_words, scale_at, word_at
from nemo_sdg.text.numbers.units import NO_UNIT, Unit

MAX_EXPONENT = 4000
AND_A_HALF = re.compile(
    r"\s+(?:and\s+(?:an?\s+|one\s+)?|und\s+(?:ein\s+)?|y\s+|et\s+(?:un\s+)?|e\s+)(?=[^\W\d_])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as an answer gives it."""

    value: Fraction
    """the value with its scale; 60 for 60%"""
    unit: Unit = NO_UNIT
    percent: bool = False
    scale: int = 1
    """what a word like dozen or million has multiplied the value by"""
    places: int = 0
    """decimal places as written"""
    ordinal: bool = False
    """1st, twenty-first"""


_SUPER = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_EXPONENT = re.compile(
    rf"\s?(?:\^|\*\*)\s?(?:\{{\s*([-+]?\d+)\s*\}}|\(\s*([-+]?\d+)\s*\)|([-+]?\d+))(?![\d^!])|([⁻⁺]?[{_SUPER}]+)"
)
_TIMES_TEN = re.compile(r"\s*(?:[x×*·⋅]|\\times|\\cdot)\s*(?=10\s?(?:\^|\*\*|[⁻⁺⁰¹²³⁴-⁹]))", re.IGNORECASE)
_E_NOTATION = re.compile(r"[eE]([-+]?\d{1,4})(?![\w.])")
_FRACTION = re.compile(
    r"\\[dtc]?frac\s*(?:\{\s*([-+]?\s*\d[\d.,]*)\s*\}|(\d))\s*(?:\{\s*([-+]?\s*\d[\d.,]*)\s*\}|(\d))"
)
_MIXED = re.compile(r"(?:\s+|\s+and\s+)(\d+)\s*/\s*(\d+)(?![\d/]|[.,]\d)")
_SLASH = re.compile(r"\s*/\s*(?=\d)")
_PERCENT = re.compile(
    r"\s*\\?%|[\s-]*(?:percent(?:age points?)?|per cent|pct\.?|prozent(?:punkte)?|procent|por ?cien(?:to)?|por cento|"
    r"pour ?cents?|per ?cento|v\. ?H\.?|процент\w*|відсот\w*|asilimia|yüzde|パーセント|퍼센트|프로|प्रतिशत|फीसदी|শতাংশ|"
    r"phần trăm|persen|százalék|prosenttia?|prosent|på hundra|(?:في المئة|في المائة|بالمئة|بالمائة)|אחוזים|"
    r"אחוז|τοις εκατό)"
    r"(?![^\W\d_])",
    re.IGNORECASE,
)
FULL_ORDINAL = re.compile(r"(?:st|nd|rd|th)(?![^\W\d_])", re.IGNORECASE)
_TENS = "twent thirt fort fift sixt sevent eight ninet"
_ORDINAL_WORDS = {
    word: value
    for value, word in enumerate(
        re.findall(
            r"\w+",
            "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
            "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth",
        )
    )
} | {f"{stem}ieth": 10 * value for value, stem in enumerate(_TENS.split(), 2)}
_TENS_WORDS = {f"{stem}y": 10 * value for value, stem in enumerate(_TENS.split(), 2)}
_CJK_PARTS = re.compile(r"([二三四五六七八九十百千万两]+)分之([一二两三四五六七八九十百千万零点\d.]+)")
_ORDINAL_PHRASE = re.compile(
    rf"(?:({'|'.join(_TENS_WORDS)})[\s-]+)?({'|'.join(sorted(_ORDINAL_WORDS, key=len, reverse=True))})(?![^\W\d_])",
    re.IGNORECASE,
)

_SPACE, _PER_MILLE, _DIGIT_NEXT = re.compile(r"\s*"), re.compile(r"\s*‰"), re.compile(r"\s?(?=\d)")
_ONE_AND_A_HALF = re.compile(r"anderthalb|eineinhalb", re.IGNORECASE)
_ARTICLE = re.compile(r"(?:an?|one)\s+", re.IGNORECASE)
_OF_A = re.compile(r"\s+(?:of\s+)?an?(?=\s)", re.IGNORECASE)
_BEGINNINGS = (*_TENS_WORDS, *_ORDINAL_WORDS, "anderthalb", "eineinhalb")


def _power(base: Fraction, exponent: str) -> Fraction | None:
    """None where the power is too large to write out."""
    number = int(exponent.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")))
    size = max(abs(base.numerator), base.denominator).bit_length()
    if abs(number) * size > 4 * MAX_EXPONENT or (number < 0 and not base):
        return None
    return base**number


def scan_number(text: str, start: int, language: str) -> tuple[Number, int] | None:
    """(number, end) of the unsigned number in digits that begins at `start` of a folded text, percent sign included."""
    fraction = _FRACTION.match(text, start)
    if fraction is not None:
        value = _ratio(fraction, language)
        return None if value is None else _with_measure(Number(value), text, fraction.end(), language)
    if text[start : start + 1] in "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞" and start < len(text):
        return _with_measure(Number(_vulgar(text[start])), text, start + 1, language)
    read = scan_digits(text, start, language)
    if read is None:
        return None
    value, places, end = read
    if places == 0 and (mixed := _mixed(text, end, language)) is not None:
        return _with_measure(Number(value + mixed[0]), text, mixed[1], language)
    if (slash := _SLASH.match(text, end)) is not None and (below := scan_digits(text, slash.end(), language)):
        denominator, after = below[0], below[2]
        if (power := _EXPONENT.match(text, after)) is not None:
            raised = _power(denominator, next(group for group in power.groups() if group))
            if raised is None:
                return None
            denominator, after = raised, power.end()
        if text[after : after + 1] in ("/", "!"):
            return Number(value, places=places), end
        return _with_measure(Number(value / denominator), text, after, language) if denominator else None
    if (power := _EXPONENT.match(text, end)) is not None:
        raised = _power(value, next(group for group in power.groups() if group))
        return None if raised is None else _with_measure(Number(raised), text, power.end(), language)
    if (small := _E_NOTATION.match(text, end)) is not None:
        return _with_measure(Number(value * Fraction(10) ** int(small[1])), text, small.end(), language)
    if (times := _TIMES_TEN.match(text, end)) is not None and (tenth := _EXPONENT.match(text, times.end() + 2)):
        raised = _power(Fraction(10), next(group for group in tenth.groups() if group))
        return None if raised is None else _with_measure(Number(value * raised), text, tenth.end(), language)
    return _with_measure(Number(value, places=places), text, end, language)


def _ratio(fraction: re.Match[str], language: str) -> Fraction | None:
    sides = []
    for side in (fraction[1] or fraction[2], fraction[3] or fraction[4]):
        digits = side.replace(" ", "")
        read = read_digits(digits.lstrip("+-"), language)
        if read is None:
            return None
        sides.append(-read[0] if digits.startswith("-") else read[0])
    return sides[0] / sides[1] if sides[1] else None


def _vulgar(char: str) -> Fraction:
    return Fraction(unicodedata.normalize("NFKC", char).replace("\u2044", "/"))


def _mixed(text: str, end: int, language: str) -> tuple[Fraction, int] | None:
    """The part behind the whole of a mixed number: ` 1/2`, `½`, `\\frac12`."""
    space = _SPACE.match(text, end)
    after = space.end() if space is not None else end
    if text[after : after + 1] in "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞" and after < len(text):
        return _vulgar(text[after]), after + 1
    if (fraction := _FRACTION.match(text, after)) is not None:
        value = _ratio(fraction, language)
        return (value, fraction.end()) if value is not None and 0 < value < 1 else None
    plainly = _MIXED.match(text, end)
    if plainly is None or not 0 < int(plainly[1]) < int(plainly[2]):
        return None
    return Fraction(int(plainly[1]), int(plainly[2])), plainly.end()


def _with_measure(number: Number, text: str, end: int, language: str) -> tuple[Number, int]:
    """Scale words and percent sign behind the digits."""
    scale = 1
    while (factor := scale_at(text, end, language)) is not None:
        scale, end = scale * factor[0], factor[1]
        more = read_trailing_cjk(text, end, factor[0], language)
        if more is not None:
            return replace(number, value=number.value * scale + more[0], scale=scale), more[1]
    if (per := _PER_MILLE.match(text, end)) is not None:
        return replace(number, value=number.value / 1000), per.end()
    percent = _PERCENT.match(text, end)
    if scale == 1 and percent is None:
        return number, end
    return (
        replace(number, value=number.value * scale, scale=scale, percent=percent is not None),
        percent.end() if percent is not None else end,
    )


def read_trailing_cjk(text: str, end: int, scale: int, language: str) -> tuple[Fraction, int] | None:
    """The smaller number after a CJK scale: the 5000 of 3万5000."""
    if scale < 1000 or not _DIGIT_NEXT.match(text, end):
        return None
    gap = end + (text[end : end + 1] == " ")
    rest = scan_number(text, gap, language)
    return (rest[0].value, rest[1]) if rest is not None and rest[0].value < scale else None


def scan_words(text: str, start: int, language: str) -> tuple[Number, int] | None:
    """(number, end) of a number in words: two thirds, half a million, one and a half, twenty-first."""
    word = word_at(text, start)
    return None if word is not None and not worth_reading(word, language) else _scan_words(text, start, language)


@functools.lru_cache(maxsize=1 << 16)
def worth_reading(word: str, language: str) -> bool:
    """Whether anything can be found where a text goes on with this word: most words of a reasoning begin no number."""
    lower = word.casefold()
    if ordinal_word(word, language) is not None:
        return True
    if lower in ("a", "an", "one") or lower.startswith(_BEGINNINGS) or any(char > "\u2e7f" for char in word):
        return True
    return may_begin(word, language)


@functools.lru_cache(maxsize=1 << 16)
def is_scale(word: str, language: str) -> bool:
    return scale_at(word, 0, language) is not None


@functools.lru_cache(maxsize=1 << 16)
def is_ordinal(word: str, language: str) -> bool:
    """Whether a text that goes on with this word begins with an ordinal of one word: third, dritte."""
    found = _ORDINAL_PHRASE.fullmatch(word)
    return found[1] is None if found is not None else language[:2] != "en" and ordinal_word(word, language) is not None


def _scan_words(text: str, start: int, language: str) -> tuple[Number, int] | None:
    if (ordinal := _scan_ordinal(text, start, language)) is not None:
        return ordinal
    if (parts := _CJK_PARTS.match(text, start)) is not None:
        whole, share = read_words(parts[1], 0, "zh"), read_words(parts[2], 0, "zh") or scan_digits(parts[2], 0, "zh")
        if whole is None or share is None or not whole[0]:
            return None
        percent = whole[0] == 100
        return Number(share[0] if percent else share[0] / whole[0], percent=percent), parts.end()
    if language[:2] == "de" and (half := _ONE_AND_A_HALF.match(text, start)) is not None:
        return _with_measure(Number(Fraction(3, 2)), text, half.end(), language)
    article = _ARTICLE.match(text, start)
    after = article.end() if article is not None else start
    part = part_at(text, after, language)
    if part is not None and (article is not None or part[0] == 2 or language[:2] in ("ar", "he")):
        of = _OF_A.match(text, part[1])
        return _with_measure(Number(Fraction(1, part[0])), text, of.end() if of is not None else part[1], language)
    if article is not None and article[0].casefold().strip() != "one" and scale_at(text, after, language) is not None:
        return _with_measure(Number(Fraction(1)), text, after, language)
    read = read_words(text, start, language)
    if read is None:
        return None
    value, end = read
    if (part := part_at(text, end, language)) is not None and part[0] > 2 and value.denominator == 1 and end > start:
        return _with_measure(Number(value / part[0]), text, part[1], language)
    half = AND_A_HALF.match(text, end)
    if half is not None and (part := part_at(text, half.end(), language)) is not None:
        return _with_measure(Number(value + Fraction(1, part[0])), text, part[1], language)
    return _with_measure(Number(value), text, end, language)


def _scan_ordinal(text: str, start: int, language: str) -> tuple[Number, int] | None:
    if text.startswith("第", start):
        read = read_words(text, start + 1, "zh") or scan_digits(text, start + 1, "zh")
        return None if read is None else (Number(read[0], ordinal=True), read[-1])
    words = _ORDINAL_PHRASE.match(text, start)
    if words is None:
        word = word_at(text, start)
        value = None if word is None or language[:2] == "en" else ordinal_word(word, language)
        return None if word is None or value is None else (Number(Fraction(value), ordinal=True), start + len(word))
    value = _TENS_WORDS.get((words[1] or "").casefold(), 0) + _ORDINAL_WORDS[words[2].casefold()]
    return Number(Fraction(value), ordinal=True), words.end()
