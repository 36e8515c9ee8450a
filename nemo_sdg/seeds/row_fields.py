"""What a dataset row says, read off as fields: the common form of the generic rules and of the field table."""

import re
from dataclasses import dataclass, field
from typing import Any

from nemo_sdg.records import LABELS

_NUMBER = re.compile(r"[-−+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:/\d+)?")
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
    target: Any = None
    """what the row gives for the gold; told where that is none of the choices"""
    answer: str | None = None
    """the gold's text; with choices, filled from them"""
    aliases: list[str] = field(default_factory=list)
    tests: list[str] | None = None
    reasoning: str | None = None
    target_format: str | None = None
    fixed_gold: bool = False
    """the gold stands at the same position in every row"""


def bare_labels(choices: list[str]) -> bool:
    """Whether all choices are letters in sequence (A B C D, (a) (b)) and so no texts."""
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
    """Where the gold stands: a number, a text among the choices, a text among their labels, or a written-out letter or
    number.
    """
    if isinstance(target, bool):
        return int(target) if int(target) < len(choices) else None
    if isinstance(target, int):
        return target if 0 <= target < len(choices) else None
    if isinstance(target, float) and target.is_integer():
        return position(int(target), choices)
    if not isinstance(target, str):
        return None
    for options in (choices, labels or []):
        if target in options:
            return options.index(target)
    stripped = target.strip()
    for options in (choices, labels or []):
        found = [index for index, option in enumerate(options) if option.strip() == stripped]
        if found:
            return found[0]
    match = _LABEL.fullmatch(stripped)
    if match is None:
        return None
    if match[1].isdigit():
        return position(int(match[1]), choices)
    index = LABELS.index(match[1].upper())
    return index if index < len(choices) else None


def final_number(text: str) -> str | None:
    """The last number of a text as it is written there, without a full stop or comma that ends the sentence."""
    found = _NUMBER.findall(text)
    return found[-1].rstrip(".,") if found else None


def boxed(text: str) -> str | None:
    r"""What stands in the last \boxed{…} (or \fbox{…}, or `\boxed 5`) of a LaTeX text, braces balanced."""
    start = max(text.rfind(r"\boxed"), text.rfind(r"\fbox"))
    if start < 0:
        return None
    rest = text[start:].partition("box")[2].removeprefix("ed")
    if not rest.startswith("{"):
        return rest.lstrip().partition("$")[0].strip() or None
    depth = 0
    for index, char in enumerate(rest):
        depth += (char == "{") - (char == "}")
        if depth == 0:
            return rest[1:index]
    return None


def text_of(value: Any) -> str:
    """A column's value as text; null is no text. Raises TypeError for what is no text (a list, a mapping, bytes)."""
    if not isinstance(value, str | int | float | None):
        raise TypeError(f"a text is expected where the row holds a {type(value).__name__}: {str(value)[:60]}")
    return value if isinstance(value, str) else "" if value is None else str(value)
