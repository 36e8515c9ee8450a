"""Filter of sums that are wrong: `12 * 7 = 74`."""

import itertools
import re
from fractions import Fraction

from nemo_sdg.curate.filters.phrases import STEM, word_list
from nemo_sdg.curate.filters.solution.numbers.sums import Side, plain, sides_of
from nemo_sdg.curate.filters.view import Finding, View, excerpt
from nemo_sdg.records import Kind
from nemo_sdg.text.numbers.spelled import scale_at
from nemo_sdg.text.numbers.units import is_measure, read_unit

SLIP = re.compile(
    r"wrong|mistake|slip|error|incorrect|not (?!a |an |the )|falsch|fehler|faux|erreur|(?:está|estaba) mal|"
    r"falso|contradict|widerspr|contradi|contradd|противореч|ошиб|错|誤|間違|틀|矛盾|모순",
    re.IGNORECASE,
)
OTHER_RULES = re.compile(
    r"\bmod(?:ulo|ular)?\b|\bbase\b|binary|octal|hexadecimal|remainder|o'clock|clock|boolean|matrix|matri[xc]|operation|"
    r"define|puzzle|pattern|sequence|cipher|roman|if .{0,12}=|riddle|digits?",
    re.IGNORECASE,
)
"""Of questions under which the signs may mean something else"""
MODULAR = re.compile(r"≡|\\equiv|mod\b|mod\s?\d", re.IGNORECASE)
EQUALS = re.compile(r"[=＝]\s*[\\$({]*\s*[-−]?[\\$({]*\s*\d|[=＝]\s*\\")


def wrong_arithmetic(view: View) -> Finding | None:
    """Two sides of an equality in the reasoning that are sums of plain numbers and have other values, beyond what the
    decimals that they are written with allow.

    A slip that is called one is fine, and so are questions about other bases, clocks, code or remainders, or with such
    an equality of their own.
    """
    if view.kind == Kind.code or EQUALS.search(view.reasoning) is None or view.is_technical:
        return None
    wrong = _wrong_equality(view.reasoning, view.language)
    if wrong is None or ("=" in view.question and _wrong_equality(view.question, view.language) is not None):
        return None
    if OTHER_RULES.search(view.question) or SLIP.search(view.reasoning) or MODULAR.search(view.reasoning):
        return None
    return "wrong_arithmetic", excerpt(wrong)


def _wrong_equality(text: str, language: str) -> str | None:
    written = plain(text)
    for chain in sides_of(written, language):
        for place, (left, right) in enumerate(itertools.pairwise(chain)):
            if left is None or right is None or not (left.operators or right.operators):
                continue
            if (
                _in_one_unit(left, right, language)
                and _differ(left, right)
                and not any(right.begins_with(value, language) for value in left.values)
                and not (place and any(left.ends_with(value, language) for value in right.values))
            ):
                return written[left.start : right.end]
    return None


def _differ(left: Side, right: Side) -> bool:
    return all(_are_apart(left, right, one, other) for one, other in itertools.product(left.values, right.values))


def _are_apart(left: Side, right: Side, one: Fraction, other: Fraction) -> bool:
    difference = abs(one - other)
    if difference == 0 or _is_cyclic(left, right, difference) or _is_converted(left, right, one, other):
        return False
    if left.exact and right.exact:
        return difference * 200 > abs(one) or other % 10 != 0
    allowed = left.error + right.error
    if not right.operators:  # a result that is rounded, or cut off behind a division
        step = right.error or Fraction(1, 2)
        if left.error == 0 and (one / (2 * step)).denominator == 1:
            return difference * 200 > abs(one)  # nothing to round
        allowed = left.error + (1 + bool(DIVISIONS & set(left.operators))) * step
    return difference > allowed and difference * 200 > abs(one)


DIVISIONS = frozenset("/:÷")


def _is_converted(left: Side, right: Side, one: Fraction, other: Fraction) -> bool:
    """Whether a result is told in another unit: `1 / 2 = 50 cents`, `0.75 · 100 = 75 %`, `60 / 100 h = 36 min`."""
    if one == 0 or other == 0:
        return False
    factor = max(abs(one / other), abs(other / one))
    return factor == 100 or (any(left.units + right.units) and factor in (7, 12, 24, 60, 1000, 3600))


def _is_cyclic(left: Side, right: Side, difference: Fraction) -> bool:
    """Whether a sum may go round a clock, a week or a circle."""
    if not set(left.operators) <= set("+-") or right.operators or difference not in (7, 12, 24, 60, 360):
        return False
    return 0 <= right.values[0] <= difference


def _in_one_unit(left: Side, right: Side, language: str) -> bool:
    """Whether two sides are of plain numbers, of counted things, or of quantities that are all written in one unit."""
    units = left.units + right.units
    words = [word for word in units if word]
    if not left.operators and words and not any(right.units):
        return False  # what a quantity stands for: `20 pens = 20 · 3`
    measured, counted = set(), set()
    for word in words:
        if word in ("°", "°C", "°F"):
            measured.add(word)
            continue
        unit = read_unit(word)
        if unit is None or scale_at(word, 0, language) is not None or word.lower() in word_list("dozens"):
            return False
        if is_measure(unit) and unit.dimensions:
            measured.add(word)
        elif len(word) == 1 and word.isascii():
            return False
        else:
            counted.add(word[:STEM].lower())
    if any(len(word) == 1 and word.isascii() for word in measured) and len(set(units)) > 1:
        return False  # a variable, perhaps
    if set(left.operators + right.operators) <= {"*"}:
        return len(measured) < 2
    return len(measured) + len(counted) < 2
