"""What the filters share: a sample's texts by name, short excerpts for drop details, numbers as values."""

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

Finding = tuple[str, str | None]
"""reason, detail"""

EXCERPT = 80


def excerpt(text: str, start: int = 0, end: int | None = None) -> str:
    """A place in a text, with a little of what stands before it, on one line and at most 80 characters long."""
    end = min(len(text), start + EXCERPT) if end is None else end
    start = max(0, min(start, end - 1) - 10) if start else 0
    return " ".join(text[start : max(end, start + 1)][:EXCERPT].split())


def texts(sample: dict[str, Any], *names: str) -> Iterator[tuple[str, str]]:
    """(name, text) of the named fields that are there and not empty; `answer` gives its text, `choices` and `tests`
    their items.
    """
    for name in names:
        value = sample.get(name)
        if name == "answer":
            value = (value or {}).get("text")
        if isinstance(value, list):
            for item in value:
                if item:
                    yield name, item
        elif value:
            yield name, value


def answer_text(sample: dict[str, Any]) -> str:
    return (sample.get("answer") or {}).get("text") or ""


NUMBER = re.compile(r"(?<![\w.,])[-−–]?\s?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s?/\s?\d+)?(?![\d])")
SPACED_THOUSANDS = re.compile(r"(?<=\d)[ \u00a0\u202f](?=\d{3}(?!\d))")
FRACTION = re.compile(r"([-−]?)\s*\\[dt]?frac\s*\{?\s*(\d+)\s*\}?\s*\{?\s*(\d+)\s*\}?")
DECORATION = re.compile(
    r"\\(?:text|mathrm|mbox)\s*\{[^{}]*\}|\\[,;! ]|\\(?:left|right|circ|degree)(?![a-zA-Z])|[$€£¥%°{}^\s]|\\"
)


def number_value(text: str) -> Fraction | None:
    """The value of a text that is a number and nothing else (`1,200`, `$3.50`, `-1/2`, `\\frac{1}{2}`, `70\\%`),
    otherwise None.
    """
    plain = FRACTION.sub(r"\1\2/\3", text.strip().rstrip("."))
    plain = DECORATION.sub("", plain).replace("−", "-").replace("–", "-").replace(",", "")
    return _fraction(plain)


def numbers_in(text: str) -> list[Fraction]:
    """Values of all numbers in a text, in order; a percent sign does not change a value, `3 / 4` counts as 3/4, 3 and
    4.
    """
    text = FRACTION.sub(r"\1\2/\3", text.replace("{,}", ",").replace("\\!", ""))
    text = SPACED_THOUSANDS.sub("", text)
    found: list[Fraction] = []
    for match in NUMBER.finditer(text):
        token = re.sub(r"[\s,]", "", match.group()).replace("−", "-").replace("–", "-")
        unsigned = token.lstrip("-")
        for part in dict.fromkeys((token, unsigned, *unsigned.split("/"))):
            value = _fraction(part)
            if value is not None:
                found.append(value)
    return found


def _fraction(plain: str) -> Fraction | None:
    if not re.fullmatch(r"-?\d{1,30}(\.\d{1,30})?(/\d{1,30})?", plain):
        return None
    numerator, _, denominator = plain.partition("/")
    return None if denominator and int(denominator) == 0 else Fraction(numerator) / int(denominator or 1)
