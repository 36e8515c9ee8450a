r"""The one reader of numbers, by language: in digits of any script, in words, as fractions, powers and percentages.

    read_number("1.234,5", "de").value            ->  Fraction(2469, 2)
    read_number("2 1/2 cups", "en")               ->  Number(value=Fraction(5, 2), unit=Unit(1, (("cup", 1),)), …)
    read_number("x + 1", "en")                    ->  None
    find_numbers("3,5 Liter in 10^3 Flaschen", "de")  ->  [FoundNumber(Number(Fraction(7, 2)), 0, 3), …]

`read_number` takes a whole answer: anything that it cannot account for makes it None. `find_numbers` takes a running
text and gives each number in it with its span.
"""

import functools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from nemo_sdg.text.latex import MARKS, fold, plain
from nemo_sdg.text.numbers.cjk import KILO
from nemo_sdg.text.numbers.places import START, is_plain, starts
from nemo_sdg.text.numbers.scan import AND_A_HALF, FULL_ORDINAL, Number, scan_number, scan_words
from nemo_sdg.text.numbers.spelled import part_at
from nemo_sdg.text.numbers.units import CURRENCY, NO_UNIT, read_unit

__all__ = ["FoundNumber", "Number", "find_numbers", "read_number", "sole_number"]

_LITERAL = re.compile(r"[-+]?0(?:x[0-9a-f]+|b[01]+|o[0-7]+)", re.IGNORECASE)
_REPEATING = re.compile(r"(\d*)[.,](\d*)\\(?:overline|dot|bar)\s*\{?(\d+)\}?")
_GOES_ON = re.compile(r"(\d{0,20})[.,](\d{0,12}?)(\d{1,6}?)\3{1,40}(?:\.{3}|…|\\[ld]?dots|\\ldots)")
_FEET = re.compile(r"(\d+)\s*['′]\s*(\d+)\s*(?:\"|″|''|”)$")
_ARC = re.compile(
    r"(\d+)\s*(?:°|º|\bdeg(?:rees?)?\b)\s*(\d{1,2}(?:\.\d+)?)\s*(?:['′’]|\bmin(?:utes?)?\b)"
    r"(?:\s*(\d{1,2}(?:\.\d+)?)\s*(?:\"|″|''|′′|”|\bsec(?:onds?)?\b))?$"
)
_APOSTROPHES = "'’"
_HALF_LAST = re.compile(
    r"(un['’]|\S+\s+)([^\W\d_]+)\s+((?:e|y|et|and a)\s+(?:mezz[ao]|medi[ao]|demie?|mei[ao]|half))", re.IGNORECASE
)
"""due ore e mezza, two hours and a half"""
_HEAD = re.compile(rf"%?(?P<sign>[-+]?)\s*(?P<currency>{CURRENCY.pattern})?\s*(?P<sign2>[-+]?)\s*", re.IGNORECASE)
_ABOUT = re.compile(
    r"(?:about|approximately|approx\.?|around|roughly|exactly|only|just|a total of|circa|ca\.|etwa|ungefähr|rund|"
    r"environ|aproximadamente|unos|cerca de|circa|≈|~|\\approx|\\sim|约|約|大约)\s*(?=\S)",
    re.IGNORECASE,
)
_SIGN_WORD = re.compile(
    r"(?:minus|negative|moins|menos|meno|минус|мінус|eksi|سالب|ناقص|ऋण|माइनस)\s+(?=[^\W_]|[.$\\])|(?:负|負|マイナス|마이너스)\s*",
    re.IGNORECASE,
)
_PERCENT_FIRST = re.compile(r"(?:yüzde|百分之|asilimia)\s*(?=[\d.,]+$|[^\W\d_]+(?:\s[^\W\d_]+)?$)", re.IGNORECASE)
_ROMANCE_ORDINAL = re.compile(r"(?:er|ère|re|i?ème|e|\.?[oaºª])(?![^\W\d_])")
_NAMED = re.compile(
    r"(?:\(?(?:\\[A-Za-z]+|[^\W\d_])(?:_\{?\\?\w+\}?)?\)?\s*)?(?:=|≈|\\approx(?![A-Za-z]))\s*|pH\s*(?:of\s+|=\s*|:\s*)?(?=\d)"
)


@dataclass(frozen=True, slots=True)
class FoundNumber:
    """A number of a running text and where it stands: text[start:end], without its unit."""

    number: Number
    start: int
    end: int


def read_number(text: str, language: str = "en") -> Number | None:
    """The number that a whole answer is, with its unit, currency or percent sign; None for anything else.

    `about`, `x =` and a sentence's full stop are not part of it. Hours and minutes, feet and inches are one number.
    """
    return _read_number(text, language) if len(text) <= 160 else None


def is_numeral(text: str, language: str = "en") -> bool:
    """Whether an answer is a number in digits, signs and symbols, without a word or a unit of letters."""
    return not any(char.isalpha() for char in text) and read_number(text, language) is not None


@functools.lru_cache(maxsize=1 << 16)
def _read_number(text: str, language: str) -> Number | None:
    text = plain(text)
    for dress in (_NAMED, _ABOUT):
        if (found := dress.match(text)) is not None:
            text = text[found.end() :]
    return _read_quantity(text.strip(), language)


_PERIOD = re.compile(r"(\d*)[.,](\d*)\((\d{1,6})\)")


def _in_brackets(text: str, language: str) -> re.Match[str] | None:
    """A decimal with its period in brackets, 0.1(6); in English 1.6(2) gives its uncertainty."""
    found = _PERIOD.fullmatch(text) if text.endswith(")") else None
    return found if found is not None and (not found[2] or language[:2] != "en") else None


def _read_quantity(text: str, language: str) -> Number | None:
    if _LITERAL.fullmatch(text):
        return Number(Fraction(int(text.replace(" ", ""), 0)))
    if (
        repeating := _REPEATING.fullmatch(text) or _in_brackets(text, language) or _GOES_ON.fullmatch(text)
    ) is not None:
        whole, fixed, again = repeating[1] or "0", repeating[2], repeating[3]
        tail = Fraction(int(again), (10 ** len(again) - 1) * 10 ** len(fixed))
        return Number(int(whole) + Fraction(int(fixed or 0), 10 ** len(fixed)) + tail)
    text = _HALF_LAST.sub(lambda found: f"{found[1].strip().rstrip(_APOSTROPHES)} {found[3]} {found[2]}", text)
    text = _ARC.sub(
        lambda arc: f"{arc[1]} degrees {arc[2]} arcminutes" + (f" {arc[3]} arcseconds" if arc[3] else ""), text
    )
    text = _FEET.sub(r"\1 ft \2 in", text)
    negative = False
    if (word := _SIGN_WORD.match(text)) is not None:
        negative, text = True, text[word.end() :]
    text = _PERCENT_FIRST.sub("%", text)
    percent_first = text.startswith("%")
    head = _HEAD.match(text)
    assert head is not None
    currency = head["currency"]
    negative ^= (head["sign"] == "-") != (head["sign2"] == "-")
    scanned = scan_number(text, head.end(), language)
    if scanned is None and currency is None:
        scanned = scan_words(text, head.end(), language)
    if scanned is None:
        return None
    number, end = scanned
    number = replace(number, percent=number.percent or percent_first)
    rest = text[end:].strip()
    if text[end : end + 1] == "!" and number.value.denominator == 1 and 0 <= number.value <= 300 and not rest[1:]:
        number, rest = replace(number, value=Fraction(math.factorial(int(number.value)))), ""
    if (half := AND_A_HALF.match(text, end)) is not None and (part := part_at(text, half.end(), language)) is not None:
        number, rest = replace(number, value=number.value + Fraction(1, part[0])), text[part[1] :].strip()
    ordinal = FULL_ORDINAL.match(text, end) or (
        _ROMANCE_ORDINAL.match(text, end)
        if language[:2] in ("fr", "es", "pt", "it", "ca") and number.value < 32
        else None
    )
    if ordinal is not None and text[end - 1].isdigit():
        number, rest = replace(number, ordinal=True), text[ordinal.end() :].strip()
    if re.match(r"[-+*^=<>:;,_|\\]|/(?!\s*[^\W\d])", rest):
        return None
    number = replace(number, value=-number.value) if negative else number
    if any(char.isdigit() for char in re.sub(r"\^\s*\{?\s*-?\d\}?", "", rest)):
        return _read_compound(number, rest, language) if currency is None else None
    if re.fullmatch(r"\(.*\)", rest) and (again := scan_words(rest, 1, language)) is not None:
        return number if again[0].value == number.value and again[1] == len(rest) - 1 else None
    unit = read_unit(rest)
    if unit is None or (rest and scan_words(rest, 0, language) is not None):
        return None
    if currency is not None:
        unit = read_unit(re.sub(r"[\s.]", "", currency)) or unit
    return replace(number, unit=unit)


def _read_compound(number: Number, rest: str, language: str) -> Number | None:
    """2 h 30 min, 5 ft 6 in: numbers with units of one measure, added up."""
    named = re.match(r"([^\d]+?)[\s,]*(?:\band\s+)?(?=\d)", rest)
    unit = read_unit(named[1]) if named is not None else None
    other = _read_quantity(rest[named.end() :], language) if named is not None else None
    if unit is None or other is None or len(unit.dimensions) != 1 or unit.dimensions != other.unit.dimensions:
        return None
    if unit.factor <= other.unit.factor:
        return None
    value = number.value * unit.factor / other.unit.factor
    return replace(other, value=value + other.value if number.value >= 0 else value - other.value)


def find_numbers(text: str, language: str = "en") -> list[FoundNumber]:
    """All numbers of a running text, in order, in digits or in words; a lone `one`, `a` or `second` is never found.

    A minus sign counts where no operand stands before it. Digits that are part of a name or an index (H2O, K_5,
    x^2) are not found. The numbers of a date are found one by one.
    """
    text = fold(text)
    return list((_find_in_plain if is_plain(text) else _find)(text, language))


def _find_in_plain(text: str, language: str) -> Iterator[FoundNumber]:
    """What _find finds in a plain text."""
    position = 0
    for start, end, spelled in starts(text, language):
        if start >= position:
            number, position = _read_at(text, start, end, language, spelled=spelled)
            if number is not None:
                yield number


def _find(text: str, language: str) -> Iterator[FoundNumber]:
    position = 0
    while (start := START.search(text, position)) is not None:
        begin, end = start.span()
        number, position = _read_at(text, begin, end, language, spelled=start["word"] is not None)
        if number is not None:
            yield number


def _read_at(text: str, begin: int, position: int, language: str, *, spelled: bool) -> tuple[FoundNumber | None, int]:
    """The number that begins at `begin`, where START ends at `position`, and from where on the next one is looked
    for.
    """
    if spelled:
        read = scan_words(text, begin, language)
        short = read is not None and read[1] < position and not KILO.match(text, read[1])
        if read is None or short or _is_pronoun(text[begin : read[1]], read[0]):
            return None, position
        return FoundNumber(read[0], begin, read[1]), read[1]
    scanned = scan_number(text, begin, language)
    if scanned is None:
        return None, max(position, _DIGITS.match(text, begin).end())  # type: ignore[union-attr]
    number, end = scanned
    if (ordinal := FULL_ORDINAL.match(text, end)) is not None and text[end - 1].isdigit():
        number, end = replace(number, ordinal=True), ordinal.end()
    if _SIGN_BEFORE.search(text[max(0, begin - 6) : begin]) is not None:
        number = replace(number, value=-number.value)
        begin = text.rindex("-", 0, begin)
    return FoundNumber(number, begin, end), max(position, end)


_DIGITS = re.compile(r"[\d.,]*")
_SIGN_BEFORE = re.compile(r"(?:^|[^\w)\]}\s\-]|(?<![\w)\]}])\s|(?<=[^\W\d_]{2})\s|[=(,:]\s)-\s?(?:\$|€|£)?$")


def _is_pronoun(written: str, number: Number) -> bool:
    """Whether a number word stands alone that has other senses too: one, un, eine, second, third."""
    return (
        number.ordinal
        or (number.value in (1, Fraction(1, 2)) and not number.percent and " " not in written.strip())
        or len(written) < 2
    )


_HEDGE = re.compile(
    r"\b(?:not|no|never|less|fewer|greater|least|most|under|over|below|above|between|half|twice|double|"
    r"triple|times|almost|nearly|or|either|minus|negative|unknown|cannot|"
    r"more than|mehr als|más de|plus de|up to|bis zu|jusqu['’]à|hasta|fino a|au (?:moins|plus)|almeno|"
    r"al (?:massimo|minimo|máximo)|"
    r"mais de|pelo menos|no máximo|como máximo|por lo menos|più di|meno di|meer dan|minder dan|minstens|hoogstens|"
    r"mer än|mindre än|"
    r"minst|högst|mere end|mindst|højst|więcej niż|mniej niż|co najmniej|co najwyżej|"
    r"(?:более|менее|больше|меньше|свыше|минимум|максимум|більше|менше)(?: чем| ніж)? (?=\d)|"
    r"en az|en fazla|ít nhất|nhiều nhất|nicht|kein\w*|mindestens|höchstens|weniger|oder|"
    r"menos|pas|moins|ou|"
    r"al menos)\b|n't\b|\d\s?\+(?!\s?\d)|\bдо\s+\d|不|没|至少|至多|最多|超过|超過|未満|未满|이상|이하|미만|초과|"
    r"최(?:소|대)한?\s?(?=\d)|以上|以下|以内|或|ない|半|または",
    re.IGNORECASE,
)
"""Words beside a sentence's only number that make something else of it"""


def is_hedged(text: str) -> bool:
    """Whether words beside a number make something else of it: more than 1, not 42, half of 6."""
    return _HEDGE.search(text) is not None


@functools.lru_cache(maxsize=1 << 14)
def sole_number(text: str, language: str = "en") -> Number | None:
    """The only number of a sentence, `There are 18 apples left.`; None where a word such as `not` or `at least` makes
    more of it. Its unit is left out.
    """
    text = plain(text)
    if len(text) > 200 or MARKS.search(text) or _HEDGE.search(text) or not re.search(r"[^\W\d_]{2}", text):
        return None
    found = find_numbers(text, language)
    if len(found) != 1 or re.search(r"\d", text[: found[0].start] + text[found[0].end :]):
        return None
    before, after = text[: found[0].start], text[found[0].end :]
    if re.search(r"[\w:^/.,-]$", before) and not re.search(r"[^\W\d_a-zA-Z]$", before):
        return None
    if re.match(r"[\w:^/!‰*=]|\.\w|\s*[=*/^]", after) and not re.match(r"[^\W\d_a-zA-Z]", after):
        return None
    return replace(found[0].number, unit=NO_UNIT)
