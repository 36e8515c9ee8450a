"""The fields of a dataset row: the common result of the generic rules and of the field table."""

import dataclasses
import datetime
import decimal
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from nemo_sdg.records import LABELS

SCRIPTS = (
    "АБВГДЕЖЗИК",
    "ΑΒΓΔΕΖΗΘΙΚ",
    "אבגדהוזחטי",
    "أبجدهوزحطي",
    "ابجدهوزحطي",
    "가나다라마바사아자차",
    "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊ",
    "甲乙丙丁戊己庚辛壬癸",
    "アイウエオカキクケコ",
    "कखगघङचछजझञ",
    "কখগঘঙচছজঝঞ",
    "กขคงจฉชซฌญ",
    "①②③④⑤⑥⑦⑧⑨⑩",
)
"""letters and signs that label options, each in its order"""
_LETTERS = "".join(SCRIPTS)
SCRIPT_LETTERS = "".join(dict.fromkeys(_LETTERS + _LETTERS.lower()))
SCRIPT_LABEL = rf"الف|[{SCRIPT_LETTERS}]ـ?"
"""one of them as it stands before an option; Persian spells its first letter out"""
_LABEL = re.compile(rf"\s*[(\[（【]?([A-Za-z]|\d{{1,2}}|{SCRIPT_LABEL})[)\].:）】．：、。]?\s*")
_WHOLE = re.compile(r"(\d{1,2})\.0")
"""a number of a column of floats, as text"""
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_LOOKALIKE = str.maketrans("АВЕКМНОРСТХΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEKMHOPCTXABEZHIKMNOPTYX")
"""Cyrillic and Greek letters that look like Latin ones"""
INVISIBLE = "\u00ad\u061c\u200b\u200c\u200e\u200f\u2060\ufeff"
"""soft hyphen, direction marks, zero widths and byte order mark: at either end of a text they say nothing"""
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""control characters of ASCII but tab and ends of lines: remains of a damaged file"""
_BREAKS_AT_LINE_END = re.compile("(?<![^\r\n])[\x0b\x0c]+|[\x0b\x0c]+(?![^\r\n])")
_BREAKS = re.compile("[\x0b\x0c]+")
_EATEN_COMMAND = re.compile(
    "\x0c(?:rac|orall|lat|rown|box)(?![a-z])|\x0b(?:ec|ert|dots|ee|dash|ar(?:phi|epsilon|theta|rho|sigma))(?![a-z])"
)
"""a command of LaTeX whose backslash and first letter were read as an escape: `\\frac` as a form feed and `rac`"""


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

    def without_page_breaks(self) -> "Reading":
        """The same with form feeds and vertical tabs as the white space that they are."""
        return dataclasses.replace(
            self,
            question=without_page_breaks(self.question),
            passage=None if self.passage is None else without_page_breaks(self.passage),
            choices=None if self.choices is None else [without_page_breaks(choice) for choice in self.choices],
            answer=None if self.answer is None else without_page_breaks(self.answer),
            aliases=[without_page_breaks(alias) for alias in self.aliases],
            reasoning=None if self.reasoning is None else without_page_breaks(self.reasoning),
        )


def without_page_breaks(text: str) -> str:
    """A text without form feeds and vertical tabs, which text of PDF files has: beside an end of a line they say
    nothing, elsewhere a space stands for them. One that is the rest of a damaged command of LaTeX stays.
    """
    if ("\x0c" not in text and "\x0b" not in text) or _EATEN_COMMAND.search(text):
        return text
    return _BREAKS.sub(" ", _BREAKS_AT_LINE_END.sub("", text))


def trimmed(text: str) -> str:
    """Without white space and invisible characters at both ends."""
    bare = text.strip()
    while bare and (bare[0] in INVISIBLE or bare[-1] in INVISIBLE):
        bare = bare.strip(INVISIBLE).strip()
    return bare


def bare_labels(choices: list[str]) -> bool:
    """Whether all choices are letters in sequence (A B C D, (a) (b), А Б В) and so not texts."""
    num, labels = len(choices), plain_labels(choices)
    return num > 1 and any(labels == list(script[:num]) for script in (LABELS, *SCRIPTS))


def latin_labels(choices: list[str]) -> bool:
    """As `bare_labels`, for A B C D alone: in other scripts, what a row gives as options may be meant as they stand
    (甲 and 乙 are persons of a story).
    """
    return len(choices) > 1 and plain_labels(choices) == list(LABELS[: len(choices)])


def numbered_labels(choices: list[str]) -> bool:
    """Whether all choices are numbers in sequence from 0 or 1: labels where the row has texts for them, else the
    options themselves.
    """
    num = len(choices)
    return num > 1 and plain_labels(choices) in ([str(n) for n in range(num)], [str(n + 1) for n in range(num)])


def plain_labels(choices: list[str]) -> list[str]:
    """Of choices that are labels alone (`(A)`, `B.`), as in `plain_label`; up to the first that is none."""
    labels = []
    for choice in choices:
        match = _LABEL.fullmatch(choice)
        if match is None:
            break
        labels.append(plain_label(match[1]))
    return labels


def plain_label(label: str) -> str:
    """A label as it stands in SCRIPTS, or as a number in ASCII."""
    if label.isdecimal():
        return str(int(label))
    return "ا" if label == "الف" else label.rstrip("ـ").upper()


def position(target: Any, choices: list[str], labels: list[str] | None = None) -> int | None:
    """Where the gold stands: a text among the labels, a text among the choices, a number, or a written-out letter or
    number. A label wins over an option that is written like it: of `B. O` and `C. B`, the gold `B` means the first.
    """
    if isinstance(target, bool):
        named = [index for index, choice in enumerate(choices) if trimmed(choice).casefold() == str(target).casefold()]
        return named[0] if named else _within(int(target), choices)
    if isinstance(target, int):
        return _within(target, choices)
    if isinstance(target, float) and target.is_integer():
        return _within(int(target), choices)
    if not isinstance(target, str):
        return None
    stripped = trimmed(target)
    for options in (labels or [], choices):
        found = [index for index, option in enumerate(options) if trimmed(option) == stripped]
        if found:
            return found[0]
    if labels and plain_label(stripped) in labels:
        return labels.index(plain_label(stripped))
    match = _LABEL.fullmatch(_narrow(stripped))
    if match is None:
        same = [index for index, choice in enumerate(choices) if _folded(choice) == _folded(stripped)]
        if len(same) == 1:
            return same[0]
        if not same:
            same = [index for index, choice in enumerate(choices) if _bare(choice) == _bare(stripped) != ""]
            if len(same) == 1:
                return same[0]
        if labels and len(stripped) == 1 and stripped.isalpha():
            return _place_of_letter(stripped.upper(), choices, labels)
        whole = _WHOLE.fullmatch(stripped)
        return None if whole is None or same else _within(int(whole[1]), choices)
    if match[1].isdecimal():
        return _within(int(match[1]), choices)
    return _place_of_letter(plain_label(match[1]), choices, labels or [])


def _place_of_letter(letter: str, choices: list[str], labels: list[str]) -> int | None:
    """The option that a letter means: the one with this label, or with one that looks like it, or the letter's place in
    its alphabet. None where these differ: of `А) Б) В)`, a Latin `B` may mean the second or the third.
    """
    plain = [plain_label(trimmed(label)) for label in labels]
    places = {_within(script.index(letter), choices) for script in (LABELS, *SCRIPTS) if letter in script}
    if letter not in plain:
        looks = letter.translate(_LOOKALIKE)
        places |= {place for place, label in enumerate(plain) if label.translate(_LOOKALIKE) == looks}
    else:
        places = {_within(plain.index(letter), choices)}
    return places.pop() if len(places) == 1 else None


def _narrow(text: str) -> str:
    """A text with full-width letters and digits as plain ones."""
    return text if text.isascii() else text.translate(_WIDE)


def _bare(text: str) -> str:
    """Without the stop at the end of a sentence."""
    return _folded(text).rstrip(" .。।۔؟?!！")


def _folded(text: str) -> str:
    """A text as it is compared: its letters composed, no wide ones, and no capitals."""
    return _narrow(unicodedata.normalize("NFC", trimmed(text))).casefold()


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
    stripped = trimmed(target)
    if any(trimmed(option) == stripped for option in [*(labels or []), *choices]) or (
        labels and plain_label(stripped) in labels
    ):
        return None
    match = _LABEL.fullmatch(_narrow(stripped)) or _WHOLE.fullmatch(stripped)
    return int(match[1]) if match is not None and match[1].isdecimal() else None


def _within(index: int, choices: list[str]) -> int | None:
    return index if 0 <= index < len(choices) else None


def text_of(value: Any) -> str:
    """A column's value as text, "" for null and for NaN, as which pandas writes null. Raises TypeError for other values
    (a list, a mapping, bytes).
    """
    if isinstance(value, decimal.Decimal | datetime.date | datetime.time):
        return str(value)
    if not isinstance(value, str | int | float | None):
        raise TypeError(f"a text is expected where the row holds a {type(value).__name__}: {str(value)[:60]}")
    return value if isinstance(value, str) else "" if value is None or value != value else str(value)
