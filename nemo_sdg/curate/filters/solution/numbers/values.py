"""Whether a number of a text is the gold value: rounded, scaled, with its sign."""

import re
from fractions import Fraction

from nemo_sdg.curate.filters.view import View
from nemo_sdg.text.numbers import FoundNumber, Number, find_numbers, numbers_equal


def equal(view: View, gold: Number, other: Number) -> bool:
    if numbers_equal(gold, other, question=view.question, language=view.language):
        return True
    # a rounded result, and a percentage or a scale that the question or the answer leaves out
    near = abs(gold.value) / 1000
    return other.value != 0 and (abs(other.value - gold.value) <= near or other.value * _scale(other) == gold.value)


def _scale(number: Number) -> Fraction:
    return Fraction(1, number.scale) if number.scale not in (0, 1) else Fraction(1)


SIGN = re.compile(
    r"[-−–]\s?[\d.$€£\\(]|minus|negativ|below|under|loss|lose|lost|debt|owe|deficit|decreas|fall|fell|drop|down|less|opposite|"
    r"verlust|schuld|unter|sinkt|fäll|moins|négati|perte|baisse|menos|pérdida|baja|meno|perdita|prejuízo|min\b|strat|"
    r"ujemn|záporn|минус|отрицат|ниже|мінус|від'ємн|eksi|negatif|سالب|ऋण|负|負|マイナス|음수|영하|âm|minus",
    re.IGNORECASE,
)


def arrives(view: View, gold: Number, text: str) -> bool:
    """Whether the gold value is among the numbers of the text, with its sign."""
    for written in map(str.strip, view.accepted):
        if written and not written[0].isdigit() and re.search(rf"{re.escape(written)}(?!\d|[.,]\d)", text):
            return True
        if re.search(rf"(?<![\d.,]){re.escape(written)}(?![\d]|[.,]\d)", text):
            return True
    found = find_numbers(text, view.language)
    if any(equal(view, gold, one.number) for one in found):
        return True
    # a positive gold value may stand after a dash; a negative one may be put in words, or in an expression
    return any(is_opposite(view, gold, one, text) for one in found)


def _negated(found: FoundNumber) -> Number:
    number = found.number
    return Number(-number.value, number.unit, number.percent)


def has_magnitude(view: View, gold: Number, text: str) -> bool:
    return any(equal(view, gold, _negated(found)) for found in find_numbers(text, view.language))


def is_below(view: View, gold: Number, found: FoundNumber) -> bool:
    """Whether a number is the gold value but for its sign."""
    return equal(view, gold, _negated(found)) and not equal(view, gold, found.number)


def is_opposite(view: View, gold: Number, found: FoundNumber, text: str) -> bool:
    """Whether a number is the gold value but for its sign, which stands in words or is a dash."""
    return equal(view, gold, _negated(found)) and (gold.value > 0 or SIGN.search(text) is not None)
