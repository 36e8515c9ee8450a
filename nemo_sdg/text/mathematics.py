"""Equality of numeric and mathematical answers: 1,000 = 1000 = 1e3, 0.5 = 1/2 = \\frac{1}{2}, $18 = 18 dollars = 18.00.

Two ways: plain numbers are read into exact fractions by `numbers` (1 to 40 µs); everything else goes to math-verify
(Hugging Face), in a
child process that is killed at a time limit, since sympy can run for ever on what a model writes.

What is not equal: 60% and 60, unless the question asks for a percentage (then 60%, 60 and 60 percent are one, and 0.6
is another);
5 km and 5 m (5 km and 5000 m are one); 1.5 and 2; 3.14 and 22/7. A bare number equals the same number with a unit: the
question has named the unit; so too with
`dozen` and `thousand`, where it has named them. Decimals equal what they are a rounding of from six places on:
0.333333 and 1/3.
"""

import functools
import re
from fractions import Fraction

from nemo_sdg.text.expressions import math_verify_equal
from nemo_sdg.text.numbers import (
    CONVERSIONS,
    MARKS,
    PERCENT_WORDS,
    SCALE_WORDS,
    Number,
    parse_number,
    simplify,
    sole_number,
)

__all__ = ["Number", "equal", "is_expression", "numbers_equal", "parse_number", "simplify", "surely_equal"]


def is_expression(text: str) -> bool:
    """Whether a short text is mathematics rather than words: LaTeX, brackets or symbols, and no word of three letters
    beside them.
    """
    if not MARKS.search(text):
        return False
    bare = re.sub(r"\\(?:text|mathrm|mbox|textbf)\s*\{[^{}]*\}|\\[A-Za-z]+", " ", text)
    return not re.search(r"[^\W\d_]{3,}", bare)


def numbers_equal(a: Number, b: Number, *, question: str = "") -> bool:
    """Equality; a unit, percent sign or scale (dozen, million) may be left out on one side where the question has
    named it.
    """
    left, right = a.value, b.value
    if a.unit and b.unit and a.unit != b.unit:
        (measure, one), (other, two) = CONVERSIONS.get(a.unit, (a.unit, 1)), CONVERSIONS.get(b.unit, (b.unit, 1))
        return measure == other and left * one == right * two
    if a.scale != b.scale and 1 in (a.scale, b.scale) and SCALE_WORDS.search(question):
        left, right = left / a.scale, right / b.scale
    if a.percent != b.percent and not PERCENT_WORDS.search(question):
        left, right = left / 100 if a.percent else left, right / 100 if b.percent else right
    return left == right or _rounded(left, a.places, right) or _rounded(right, b.places, left)


def _rounded(decimal: Fraction, places: int, exact: Fraction) -> bool:
    """Whether a decimal of six places or more, four digits of them at least, is the other value rounded, or told from
    it by a float's noise.
    """
    if places < 6 or abs(decimal) * 10**places < 1000:
        return False
    difference = abs(decimal - exact)
    return difference * 2 <= Fraction(1, 10**places) or (places > 12 and difference <= abs(exact) / 10**12)


def surely_equal(a: str, b: str, *, question: str = "", language: str = "en") -> bool | None:
    """Equality without math-verify: True, False, or None where only math-verify can tell."""
    left, right = parse_number(a, language), parse_number(b, language)
    if left is not None and right is not None:
        return numbers_equal(left, right, question=question)
    if (plain := _tight(a)) and plain == _tight(b):
        return True
    if left is not None or right is not None:
        other, number = (b, left) if left is not None else (a, right)
        if (sole := sole_number(other, language)) is not None:
            assert number is not None
            return numbers_equal(number, sole, question=question)
        if AMBIGUOUS.search(simplify(other)):
            return False
    return None


AMBIGUOUS = re.compile(
    (
        r":|!|‰|;|\\pm|±|\b(?:or|and|not|between|least|most|than|about|unknown)\b|[^\W\d_]{4,}\s+[^\W\d_]{2,}|"
        r"\d\s*(?:,\s|[-–]\s*)\d|\\text\s*\{\s*(?:or|and)"
    ),
    re.IGNORECASE,
)
"""What makes a text no plain number: ratio, factorial, two answers, a range, words. math-verify would read some number
out of it.
"""


@functools.lru_cache(maxsize=1 << 14)
def _tight(text: str) -> str:
    """Without the spaces that part nothing: `2 3` keeps its own."""
    return re.sub(r"(?<!\w)\s+|\s+(?!\w)", "", simplify(text))


def equal(a: str, b: str, *, question: str = "", language: str = "en") -> bool:
    """Whether two answers are the same mathematical object."""
    sure = surely_equal(a, b, question=question, language=language)
    return math_verify_equal(simplify(a), simplify(b)) if sure is None else sure
