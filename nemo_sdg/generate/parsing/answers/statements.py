r"""Which lines of an answer are the answer: the first one, or all values of a list.

statement_of("- $x = 2$\n- $x = -3$", "numeric")            ->  "$x = 2$, $x = -3$"
statement_of("84\n\nSo 7 boxes hold 84 eggs.", "numeric")   ->  "84"
statement_of("```\n1\n2\n```\nThe loop runs twice.", "short_text")  ->  "1\n2"
"""

import itertools
import re

from nemo_sdg.generate.parsing.answers.programs import FENCE
from nemo_sdg.records import Kind
from nemo_sdg.text.answers import surely_same

DISPLAY = re.compile(r"^[ \t]*(?:\$\$(?:(?!\$\$).)+\$\$|\\\[(?:(?!\\\]).)+\\\])", re.DOTALL | re.MULTILINE)
"""mathematics on lines of its own"""
ITEM = re.compile(
    r"(?P<indent>[ \t]*)(?:(?P<bullet>[-*+•‣▪·–])[ \t]+|"
    r"\(?(?P<number>\d{1,2}|[a-zA-Z]|[ivx]{1,4})[.)）、](?:[ \t]+|(?=[^\W\d]))|"
    r"(?P<circled>[①-⑳])[ \t]*)(?P<text>\S.*)"
)
FIRST_NUMBERS = ("1", "a", "A", "i", "①")
ASSIGNS = re.compile(r"[$\\(\[{*\s]*[A-Za-zα-ω](?:_?\{?\w{1,3}\}?)?'?(?:\([^()=]{1,8}\))?\s*=[^=]*")
"""`x = 2`, `x_1 = 2`, `f(0) = 2`"""
SENTENCE = re.compile(r"[.!?…](?:\s|[*_\"”)]*$)|[:：。！？]|[=≈≡]")
"""what a value of a list does not have, and an explanation has"""
START = re.compile(r"[$\\{*_`\"'“”«„「+−-]{0,4}[\w∞]|\\[(\[]|\([-+−]?\w{1,3},")
"""how a value begins: not with a bracket around a remark, a dash, an arrow or a tick"""
HAS_NUMBER = re.compile(r"\d|\\[A-Za-z]|[∞π√]")
OPERATOR = re.compile(r"(?<=[\w})])\s*(?:[+×·*÷−-]|\\(?:times|cdot|div|pm)\b)")
LONGEST_VALUE = 6
"""maximum number of words of the first of several values on lines without bullets"""
MOST_VALUES = 20
"""more values are compared by their text alone; more lines without bullets are a loop, and no list"""
BEGINS_WITH_NUMBER = re.compile(
    r"[$\\(\[{*_`+−-]{0,4}\s*(?:\d|[∞π√]|[A-Za-z](?![A-Za-z]))|\\(?!text|mbox|mathrm)[A-Za-z]"
)
"""a number, one letter or a command of mathematics"""


def statement_of(answer: str, kind: str) -> str:
    """The first line of an answer, with the next line if it ends in a colon; of several values on lines or in bullets
    all, joined by a comma; the content of a fence. Lines of a displayed formula stay together.
    """
    answer = DISPLAY.sub(lambda found: " ".join(found[0].split()), answer)
    lines = [line.rstrip() for line in answer.split("\n") if line.strip()]
    if len(lines) > 1 and lines[0].endswith((":", "：")):
        lines = lines[1:]
        answer = answer[answer.index(lines[0]) :]
    if fenced := FENCE.match(answer.lstrip("\n")):
        body = fenced["body"].strip("\n").rstrip()
        lines = [line for line in body.split("\n") if line.strip()]
        return joined(_values(body, kind), kind) if kind == Kind.numeric and lines else body
    if not lines:
        return ""
    values = _items(lines) or _values(answer, kind)
    return joined(values, kind)


def joined(values: list[str], kind: str) -> str:
    """One value, or several that differ with commas between them."""
    if len(values) > MOST_VALUES:
        return ", ".join(dict.fromkeys(value.rstrip(",;") for value in values))
    kept: list[str] = []
    for value in [value.rstrip(",;") for value in values] if len(values) > 1 else values:
        if not any(_same(value, other, kind) for other in kept):
            kept.append(value)
    return ", ".join(kept)


def _same(one: str, two: str, kind: str) -> bool:
    if kind == Kind.numeric:
        return one == two or surely_same(one, two, kind=kind) is True
    return one.casefold() == two.casefold()


def _items(lines: list[str]) -> list[str]:
    """The items of a list with bullets or numbers, without those of inner lists; none if the lines are no list."""
    found = [ITEM.match(line) for line in lines]
    first = found[0]
    if first is None:
        return []
    if first["bullet"] is None and (len(lines) == 1 or (first["number"] or first["circled"]) not in FIRST_NUMBERS):
        return []  # `2. Weltkrieg`
    items: list[str] = []
    for item in found:
        if item is not None and len(item["indent"]) > len(first["indent"]):
            continue
        if item is None or (item["bullet"] is None) != (first["bullet"] is None):
            break
        text = item["text"].strip()
        if items and _explains(text) and not _explains(items[0]):
            break
        items.append(text)
    if len(items) == 1 and (first["bullet"] is None or (first["bullet"] in "-–" and items[0][:1].isdigit())):
        return []  # `1. FC Köln`, `- 5`
    if first["number"] == "A" and found[1] is not None and found[1]["number"] != "B":
        return []  # `A. Lincoln`
    return [item.removesuffix(".") if not _explains(item) else item for item in items]


def _explains(text: str) -> bool:
    """Whether a line is a sentence and not a value."""
    return len(text.split()) > LONGEST_VALUE and text.rstrip("*_ ").endswith((".", "!", "?", "。"))


def _values(text: str, kind: str) -> list[str]:
    """The first line, and the lines after it that are values of the same form, without an explanation after them.
    Only assignments may have empty lines between them.
    """
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    first = lines[0]
    assigned = ASSIGNS.fullmatch(first) is not None
    if assigned:
        alike = list(itertools.takewhile(ASSIGNS.fullmatch, lines[1:]))
    elif _is_value(first, LONGEST_VALUE):
        block = itertools.takewhile(str.strip, text.strip("\n").split("\n")[1:])
        alike = list(itertools.takewhile(lambda line: _alike(line, first, kind), map(str.strip, block)))
    else:
        alike = []
    return [first, *alike] if len(alike) < MOST_VALUES else [first]


def _is_value(line: str, most: int) -> bool:
    """Whether a line has at most `most` words and nothing that a sentence, a remark or a calculation has."""
    return len(line.split()) <= most and SENTENCE.search(line) is None and START.match(line) is not None


def _alike(line: str, first: str, kind: str) -> bool:
    """Whether a line is a value as the first one is: a comma ends the first one, or both have as many words and both
    begin with a number or are in small letters; in mathematics both are calculations or both not.
    """
    words = len(first.split())
    if not _is_value(line, 2 * words + 1) or (kind == Kind.numeric and _form(line) != _form(first)):
        return False
    if first.endswith((",", ";")):
        return True
    numbers = [BEGINS_WITH_NUMBER.match(one) is not None for one in (line, first)]
    same = all(numbers) or (not any(numbers) and line.islower() and first.islower())
    return same and len(line.split()) == words


def _form(line: str) -> tuple[bool, bool]:
    return HAS_NUMBER.search(line) is not None, OPERATOR.search(line) is not None
