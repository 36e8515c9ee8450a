r"""Equality of mathematical answers: numbers, sets, lists, tuples, intervals, sequences, ranges, ratios, expressions.

    equal("x = 2 or x = -2", r"\{-2, 2\}")       ->  True
    equal("(1, 2)", "(2, 1)")                    ->  False   (brackets order; a bare list is a set of solutions)
    equal("1, 2, 3, ...", "1, 3, 2, ...")        ->  False   (an ellipsis makes a sequence)
    equal(r"\frac{\sqrt{3}}{2}", r"\sqrt{3}/2")  ->  True    (math-verify, in a child process)

A text is read into a tree whose leaves are numbers or expressions. Trees are compared part by part; two expressions go
to math-verify (Hugging Face), in a child process that is killed at a time limit, since sympy can run for ever on what a
model writes.
"""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass

from nemo_sdg.text.dates import read_date, read_time
from nemo_sdg.text.expressions import math_verify_equal
from nemo_sdg.text.latex import plain
from nemo_sdg.text.numbers import Number, numbers_equal, read_number, sole_number

MARKS = re.compile(r"\\[A-Za-z]|[\^{}√π∞≤≥\[\]]")


def is_expression(text: str) -> bool:
    """Whether a short text is mathematics rather than words: LaTeX, brackets or symbols, and no word of three letters
    beside them.
    """
    if not MARKS.search(text):
        return False
    bare = re.sub(r"\\(?:text|mathrm|mbox|textbf)\s*\{[^{}]*\}|\\[A-Za-z]+", " ", text)
    return not re.search(r"[^\W\d_]{3,}", bare)


@dataclass(frozen=True, slots=True)
class Answer:
    """A mathematical answer as a tree."""

    shape: str
    """number, expression, set, sequence, range, ratio, plus_minus, equation, or the brackets of a tuple: () [) (] []"""
    text: str
    number: Number | None = None
    parts: tuple["Answer", ...] = ()


_LIST_WORD = re.compile(
    r",?\s+(?:and|or|und|oder|y|o|et|ou|e)\s+|\s*;\s*|,?\s*\\(?:text|mbox)?\{?\s*(?:or|and)\s*\}?\s*"
)
_ELLIPSIS = re.compile(r"\\[ldc]?dots[a-z]?|…|\.\.\.|\\ldots")
_RANGE = re.compile(
    r"(?:from\s+|between\s+)?(.+?)\s*(?:-{1,3}|\bto\b|\bthrough\b|\bbis\b|\bhasta\b|\bà\b|~)\s*(.+)", re.IGNORECASE
)
_RELATION = re.compile(r"\\(?:leq?|geq?|neq?|lt|gt|in|approx|equiv|to|cup|cap|setminus|mid)(?![A-Za-z])|[<>≤≥≠∈]")
_PLUS_MINUS = re.compile(r"\\pm\s*|\+\s*/\s*-\s*|\+-\s*")
_EMPTY = re.compile(r"\\(?:emptyset|varnothing)|\\\{\s*\\\}|\{\s*\}|∅", re.IGNORECASE)
_PAIRS = {"(": ")", "[": "]", "{": "}"}


@functools.lru_cache(maxsize=1 << 14)
def read_answer(text: str, language: str = "en") -> Answer:
    """The tree of an answer."""
    return _read(plain(text), language, 0)


def _read(text: str, language: str, depth: int) -> Answer:
    text = text.strip()
    number = read_number(text, language)
    if number is not None or depth > 4 or len(text) > 600:
        return Answer("expression" if number is None else "number", text, number)
    if _EMPTY.fullmatch(text):
        return Answer("set", text)
    if (inner := _bracketed(text)) is not None:
        kind, content = inner
        parts = _split(content, language)
        if kind == "{}":
            if _RELATION.search(content) or "|" in content:
                return Answer("expression", text)
            return _collection("set", text, parts, language, depth)
        if len(parts) > 1:
            return _collection(kind, text, parts, language, depth)
        return Answer("expression", text)
    parts = _split(text, language)
    if len(parts) > 1 and all(parts):
        return _collection("set", text, _without_repeated_name(parts), language, depth)
    sides = re.split(r"(?<![<>!\\=])=(?!=)", text)
    if len(sides) > 1 and not _RELATION.search(text):
        return _equation(text, [side.strip() for side in sides], language, depth)
    if (sign := _PLUS_MINUS.match(text)) is not None:
        return Answer("plus_minus", text, parts=(_read(text[sign.end() :], language, depth + 1),))
    if re.fullmatch(r"[^:]+(?::[^:]+)+", text):
        members = tuple(_read(part, language, depth + 1) for part in text.split(":"))
        if all(member.shape in ("number", "expression") for member in members):
            return Answer("ratio", text, parts=members)
    if (ends := _RANGE.fullmatch(text)) is not None:
        low, high = _read(ends[1], language, depth + 1), _read(ends[2], language, depth + 1)
        if low.number is not None and high.number is not None and (low.number.value < high.number.value):
            return Answer("range", text, parts=(low, high))
    return Answer("expression", text)


def _collection(shape: str, text: str, parts: list[str], language: str, depth: int) -> Answer:
    if shape == "set" and any(_ELLIPSIS.search(part) for part in parts):
        shape = "sequence"
    return Answer(shape, text, parts=tuple(_read(part, language, depth + 1) for part in parts))


def _equation(text: str, sides: list[str], language: str, depth: int) -> Answer:
    """`x = 5` and `(x, y) = (1, 2)` are their right side; an equation of two expressions stays one."""
    if re.fullmatch(
        r"\(?\s*[A-Za-z](?:_\{?\w+\}?)?(?:\s*,\s*[A-Za-z](?:_\{?\w+\}?)?)*\s*\)?|[A-Za-z]\s*\(\s*[A-Za-z]\s*\)",
        sides[0],
    ):
        right = _read(sides[-1], language, depth + 1)
        if right.shape != "expression" or len(sides) == 2:
            return (
                Answer(right.shape, text, right.number, right.parts)
                if right.shape != "expression"
                else Answer("equation", text, parts=(right,))
            )
    last = _read(sides[-1], language, depth + 1)
    if last.number is not None and not re.search(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", "", "".join(sides[:-1]))):
        return last  # 4 + 14 = 18
    return Answer("equation", text)


def _bracketed(text: str) -> tuple[str, str] | None:
    """(brackets, content) where one pair holds the whole text; [1, 2) is a pair too."""
    opening = 2 if text.startswith("\\{") else 1
    if text[opening - 1 : opening] not in _PAIRS or not text or text[-1] not in ")]}":
        return None
    depth = 0
    for position, char in enumerate(text):
        depth += (char in "([{") - (char in ")]}")
        if depth == 0 and opening <= position + 1 < len(text):
            return None
    if depth:
        return None
    content = text[opening : -2 if text.endswith("\\}") else -1].strip()
    brackets = text[opening - 1] + text[-1]
    return None if ("{" in brackets) != ("}" in brackets) else (brackets, content)


def _split(text: str, language: str) -> list[str]:
    """The members of a list: parted by commas, semicolons, `and`, `or`, outside of brackets. One member: no list."""
    if re.search(r"\\begin", text):
        return [text]
    hidden, depth = [], 0
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        hidden.append(char if depth == 0 else "\x00")
    flat = "".join(hidden)
    cuts = [(found.start(), found.end()) for found in _LIST_WORD.finditer(flat)]
    cuts += [(found.start(), found.end()) for found in re.finditer(r"\s*,\s*", flat) if _parts(flat, found, language)]
    members, position = [], 0
    for start, end in sorted(cuts):
        if start >= position:
            members.append(text[position:start].strip())
            position = end
    return [*members, text[position:].strip()]


def _parts(flat: str, comma: re.Match[str], language: str) -> bool:
    """Whether a comma parts members; between digits without a space it may belong to a number."""
    if comma[0] != "," or not (flat[: comma.start()][-1:].isdigit() and flat[comma.end() :][:1].isdigit()):
        return True
    run = re.search(r"[\d.,]*$", flat[: comma.start()])
    after = re.match(r"[\d.,]*", flat[comma.end() :])
    assert run is not None
    assert after is not None
    return read_number(run[0] + "," + after[0], language) is None


def _without_repeated_name(parts: list[str]) -> list[str]:
    """x = 2, x = -2 and x = 2, -2 -> 2, -2; x = 2, y = 3 stays."""
    names = [re.match(r"([A-Za-z](?:_\{?\w+\}?)?)\s*=(?!=)\s*", part) for part in parts]
    first = names[0]
    if first is None or any(name is not None and name[1] != first[1] for name in names):
        return parts
    return [part[name.end() :] if name is not None else part for part, name in zip(parts, names, strict=True)]


Compare = Callable[[Answer, Answer], bool | None]


def _same(a: Answer, b: Answer, compare: Compare) -> bool | None:
    """Equality of two trees by their leaves: True, False, or None where `compare` cannot tell."""
    if a.shape == b.shape == "equation" or "expression" in (a.shape, b.shape) or a.shape == b.shape == "number":
        if a.shape == b.shape == "equation" and a.parts and b.parts:
            return _same(a.parts[0], b.parts[0], compare)
        return compare(a, b)
    if "equation" in (a.shape, b.shape):
        equation, other = (a, b) if a.shape == "equation" else (b, a)
        return _same(equation.parts[0], other, compare) if equation.parts else compare(a, b)
    if a.shape == "plus_minus" or b.shape == "plus_minus":
        if a.shape == b.shape:
            return _same(a.parts[0], b.parts[0], compare)
        sign, other = (a, b) if a.shape == "plus_minus" else (b, a)
        return compare(sign, other) if other.shape == "set" and len(other.parts) == 2 else False
    if len(a.parts) != len(b.parts) or not a.parts:
        return a.shape == b.shape and len(a.parts) == len(b.parts)
    if a.shape != b.shape:
        # Square brackets write lists and tuples too, where an interval could not stand.
        lists = {a.shape, b.shape} <= {"()", "[]", "sequence", "set"} and {a.shape, b.shape} & {"[]"}
        if not (lists and len(a.parts) > 2):
            return False
    if a.shape == b.shape == "set":
        return _matched(list(a.parts), list(b.parts), compare)
    verdicts = [_same(one, other, compare) for one, other in zip(a.parts, b.parts, strict=True)]
    return False if False in verdicts else None if None in verdicts else True


def _matched(left: list[Answer], right: list[Answer], compare: Compare) -> bool | None:
    """Whether the members of two sets can be paired off."""
    unsure = False
    for one in left:
        verdicts = [_same(one, other, compare) for other in right]
        if True in verdicts:
            del right[verdicts.index(True)]
        elif None in verdicts:
            unsure = True
        else:
            return False
    return None if unsure else True


def surely_equal(a: str, b: str, *, question: str = "", language: str = "en") -> bool | None:
    """Equality without math-verify: True, False, or None where only math-verify can tell."""
    if a.strip() == b.strip() or ((tight := _tight(a)) and tight == _tight(b)):
        return True
    for read in (functools.partial(read_date, language=language), read_time):
        moments = read(a), read(b)
        if moments[0] is not None and moments[1] is not None:
            return moments[0] == moments[1]
    return _same(
        read_answer(a, language), read_answer(b, language), lambda x, y: _surely_leaf(x, y, question, language)
    )


def _surely_leaf(a: Answer, b: Answer, question: str, language: str) -> bool | None:
    if a.number is not None and b.number is not None:
        return numbers_equal(a.number, b.number, question=question, language=language)
    if (tight := _tight(a.text)) and tight == _tight(b.text):
        return True
    if a.number is not None or b.number is not None:
        other, number = (b, a.number) if a.number is not None else (a, b.number)
        assert number is not None
        if other.shape not in ("expression", "equation"):
            return False
        if (sole := sole_number(other.text, language)) is not None:
            return numbers_equal(number, sole, question=question, language=language)
    if any(_AMBIGUOUS.search(side.text) for side in (a, b)):
        return False
    return None


_AMBIGUOUS = re.compile(
    r"‰|;|\\pm|±|\b(?:or|and|not|between|least|most|than|about|unknown|no|none)\b|[^\W\d_]{4,}\s+[^\W\d_]{2,}|"
    r"\d\s*,\s\d|\\text\s*\{\s*(?:or|and)|\d\s*:\s*\d",
    re.IGNORECASE,
)
"""What makes a text no expression: words, two answers, a range. math-verify would read some number out of it."""


@functools.lru_cache(maxsize=1 << 14)
def _tight(text: str) -> str:
    """Without the spaces that part nothing: `2 3` keeps its own."""
    text = re.sub(r"([\^_])\{(\w)\}", r"\1\2", plain(text))
    return re.sub(r"(?<!\w)\s+|\s+(?!\w)", "", text)


def equal(a: str, b: str, *, question: str = "", language: str = "en") -> bool:
    """Whether two answers are the same mathematical object."""
    sure = surely_equal(a, b, question=question, language=language)
    if sure is not None:
        return sure

    def leaf(one: Answer, other: Answer) -> bool:
        verdict = _surely_leaf(one, other, question, language)
        return math_verify_equal(one.text, other.text) if verdict is None else verdict

    return bool(_same(read_answer(a, language), read_answer(b, language), leaf))
