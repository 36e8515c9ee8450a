"""Whether two numbers are the same answer to a question: by value, unit, percent sign and the rounding it asks for.

numbers_equal(read_number("5 km"), read_number("5000 m"))                           ->  True
numbers_equal(read_number("68 °F"), read_number("20 °C"))                           ->  True
numbers_equal(read_number("60%"), read_number("60"), question="What percentage?")   ->  True
"""

import functools
import re
from fractions import Fraction

from nemo_sdg.text.numbers.scan import Number
from nemo_sdg.text.numbers.spelled import names_scale
from nemo_sdg.text.numbers.units import Unit, is_measure, read_unit, same_dimensions

_ASK_PERCENT = re.compile(
    r"percent|per cent|%|prozent|por ?ciento|porcentaje|pour ?cent|porcentag|procent|per ?cento|por cento|百分|"
    r"パーセント|процент|asilimia|"
    r"퍼센트|प्रतिशत",
    re.IGNORECASE,
)
_TEMPERATURES = {
    "kelvin": (Fraction(1), Fraction(0)),
    "celsius": (Fraction(1), Fraction(27315, 100)),
    "fahrenheit": (Fraction(5, 9), Fraction(45967, 180)),
}
"""Scale of a temperature: (factor, zero) in kelvin"""
_POUND = Fraction(45359237, 100000)
"""grams; a pound is a currency too, so that it is a base unit of its own"""


def numbers_equal(a: Number, b: Number, *, question: str = "", language: str = "en") -> bool:
    """Whether two numbers are the same answer to a question.

    A unit, percent sign or scale may be left out on one side where the question has named it; 60% is 0.6, and where a
    percentage is asked for it is 60, and no bare number below 1. Decimals of six places or more equal what they are a
    rounding of.
    """
    left, right = a.value, b.value
    asks_percent = _ASK_PERCENT.search(question) is not None
    if asks_percent and a.percent != b.percent and 0 < abs((b if a.percent else a).value) < 1:
        return False  # a bare 0.5 may be 50% or 0.5%
    if a.percent != b.percent and not asks_percent:
        left, right = left / 100 if a.percent else left, right / 100 if b.percent else right
    if a.unit.dimensions and b.unit.dimensions:
        if not same_dimensions(a.unit, b.unit, question):
            return _same_across(a, b)
        if a.unit.factor != b.unit.factor:
            return left * a.unit.factor == right * b.unit.factor or _rounded_across(a, b)
    elif a.unit.dimensions or b.unit.dimensions:
        named, wanted = a.unit if a.unit.dimensions else b.unit, asked_unit(question)
        if wanted is not None and wanted.dimensions == named.dimensions and wanted.factor != named.factor:
            share = named.factor / wanted.factor
            left, right = (left * share, right) if a.unit.dimensions else (left, right * share)
    if a.scale != b.scale and 1 in (a.scale, b.scale) and names_scale(question, a.scale * b.scale, language):
        left, right = left / a.scale, right / b.scale
    if (digits := asked_places(question)) is not None and digits in (a.places, b.places) and a.places != b.places:
        return abs(left - right) * 2 <= Fraction(1, 10**digits)
    return left == right or _rounded(left, a.places, right) or _rounded(right, b.places, left)


_ASKED_UNIT = re.compile(
    r"how many ([^\W\d_]+(?: per [^\W\d_]+)?)|\bin ([^\W\d_]+(?:[/·^][\w/·^]+| per [^\W\d_]+)?)(?=[,.?)]|$)",
    re.IGNORECASE,
)
_ASKED_PLACES = re.compile(
    r"\b(one|two|three|four|five|[1-5])\s+(?:decimal(?: places?| digits?)?|d\.p\.)", re.IGNORECASE
)
_PLACES = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}


@functools.lru_cache(maxsize=1 << 12)
def asked_unit(question: str) -> Unit | None:
    """The unit of measure that a question asks for: `How many seconds …`, `… in km/h?`; None where it names none."""
    for found in _ASKED_UNIT.finditer(question):
        unit = read_unit(found[1] or found[2])
        if unit is not None and unit.dimensions and is_measure(unit):
            return unit
    return None


@functools.lru_cache(maxsize=1 << 12)
def asked_places(question: str) -> int | None:
    """To how many decimal places a question wants its answer rounded."""
    found = _ASKED_PLACES.search(question)
    return None if found is None else _PLACES.get(found[1].casefold()) or int(found[1])


def _rounded(decimal: Fraction, places: int, exact: Fraction) -> bool:
    """Whether a decimal of six places or more, four digits of them at least, is the other value rounded, or told from
    it by a float's noise.
    """
    if places < 6 or abs(decimal) * 10**places < 1000:
        return False
    difference = abs(decimal - exact)
    return difference * 2 <= Fraction(1, 10**places) or (places > 12 and difference <= abs(exact) / 10**12)


def _same_across(a: Number, b: Number) -> bool:
    """Whether two numbers in units of different scales are equal: degrees of temperature, pounds and grams."""
    if len(a.unit.dimensions) != 1 or len(b.unit.dimensions) != 1:
        return False
    (one, power), (other, other_power) = a.unit.dimensions[0], b.unit.dimensions[0]
    if power != 1 or other_power != 1:
        return False
    if one in _TEMPERATURES and other in _TEMPERATURES:
        (factor, zero), (other_factor, other_zero) = _TEMPERATURES[one], _TEMPERATURES[other]
        return a.value * a.unit.factor * factor + zero == b.value * b.unit.factor * other_factor + other_zero
    if {one, other} in ({"pound", "gram"}, {"pound_of_weight", "gram"}):
        left, right = (
            Number(each.value, Unit(each.unit.factor * (1 if base == "gram" else _POUND), ()), places=each.places)
            for each, base in ((a, one), (b, other))
        )
        return left.value * left.unit.factor == right.value * right.unit.factor or _rounded_across(left, right)
    return False


def _rounded_across(a: Number, b: Number) -> bool:
    """Whether one of two numbers, in three digits at least, is the other one rounded, where one unit is no round
    multiple of the other: 5 miles and 8.05 km, not 0.33 h and 20 min.
    """
    share = a.unit.factor / b.unit.factor
    for side in (share.numerator, share.denominator):
        for prime in (2, 3, 5):
            while side % prime == 0:
                side //= prime
        if side != 1:
            break
    else:
        return False
    for rounded, exact in ((a, b), (b, a)):
        meant = exact.value * exact.unit.factor / rounded.unit.factor
        digits = abs(rounded.value) * 10**rounded.places
        if digits >= 100 and abs(meant - rounded.value) * 2 <= Fraction(1, 10**rounded.places):
            return True
    return False
