"""The fields of a dataset row: the common result of the generic rules and of the field table."""

import datetime
import decimal
import re
from dataclasses import dataclass, field
from typing import Any

from nemo_sdg.records import LABELS

_LABEL = re.compile(r"\s*[(\[]?([A-Za-z]|\d{1,2})[)\].:]?\s*")


class Unrenderable(Exception):
    """A row that gives no seed: `reason` is counted, `detail` is kept beside the row."""

    def __init__(self, reason: str, detail: str | None = None) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


@dataclass(kw_only=True, slots=True)
class Reading:
    question: str
    passage: str | None = None
    choices: list[str] | None = None
    gold: int | None = None
    """position among the choices"""
    gold_number: int | None = None
    """the number that the row gives for the gold's position, where it gives one: over a split, numbers from 1 to n are
    told from positions from 0 to n - 1
    """
    target: Any = None
    """what the row gives for the gold; shown where that is none of the choices"""
    answer: str | None = None
    """the gold's text; with choices, filled from them"""
    aliases: list[str] = field(default_factory=list)
    tests: list[str] | None = None
    reasoning: str | None = None
    target_format: str | None = None
    fixed_gold: bool = False
    """the gold stands at the same position in every row"""


def bare_labels(choices: list[str]) -> bool:
    """Whether all choices are letters in sequence (A B C D, (a) (b)) and so not texts."""
    return len(choices) > 1 and _labels(choices) == list(LABELS[: len(choices)])


def numbered_labels(choices: list[str]) -> bool:
    """Whether all choices are numbers in sequence from 0 or 1: labels where the row has texts for them, else the
    options themselves.
    """
    num = len(choices)
    return num > 1 and _labels(choices) in ([str(n) for n in range(num)], [str(n + 1) for n in range(num)])


def _labels(choices: list[str]) -> list[str]:
    labels = []
    for choice in choices:
        match = _LABEL.fullmatch(choice)
        if match is None:
            break
        labels.append(match[1].upper())
    return labels


def position(target: Any, choices: list[str], labels: list[str] | None = None) -> int | None:
    """Where the gold stands: a text among the labels, a text among the choices, a number, or a written-out letter or
    number. A label wins over an option that is written like it: of `B. O` and `C. B`, the gold `B` means the first.
    """
    if isinstance(target, bool):
        named = [index for index, choice in enumerate(choices) if choice.strip().casefold() == str(target).casefold()]
        return named[0] if named else _within(int(target), choices)
    if isinstance(target, int):
        return _within(target, choices)
    if isinstance(target, float) and target.is_integer():
        return _within(int(target), choices)
    if not isinstance(target, str):
        return None
    stripped = target.strip()
    for options in (labels or [], choices):
        found = [index for index, option in enumerate(options) if option.strip() == stripped]
        if found:
            return found[0]
    match = _LABEL.fullmatch(stripped)
    if match is None:
        return None
    if match[1].isdigit():
        return _within(int(match[1]), choices)
    return _within(LABELS.index(match[1].upper()), choices)


def position_number(target: Any, choices: list[str], labels: list[str] | None = None) -> int | None:
    """The number by which `position` finds the gold, or would find it if there were as many options; None where it goes
    by a label or a text.
    """
    if isinstance(target, bool):
        return None
    if isinstance(target, int):
        return target
    if isinstance(target, float) and target.is_integer():
        return int(target)
    if not isinstance(target, str):
        return None
    stripped = target.strip()
    if any(option.strip() == stripped for option in [*(labels or []), *choices]):
        return None
    match = _LABEL.fullmatch(stripped)
    return int(match[1]) if match is not None and match[1].isdigit() else None


def _within(index: int, choices: list[str]) -> int | None:
    return index if 0 <= index < len(choices) else None


def text_of(value: Any) -> str:
    """A column's value as text, "" for null. Raises TypeError for other values (a list, a mapping, bytes)."""
    if isinstance(value, decimal.Decimal | datetime.date | datetime.time):
        return str(value)
    if not isinstance(value, str | int | float | None):
        raise TypeError(f"a text is expected where the row holds a {type(value).__name__}: {str(value)[:60]}")
    return value if isinstance(value, str) else "" if value is None else str(value)
