r"""Mathematical answers as trees: sets, lists, tuples, intervals, inequalities, sequences, ranges, ratios, matrices.

read_answer("x = 2 or x = -2")   ->  a set of two numbers
read_answer("-2 < x \\leq 4")    ->  the interval (-2, 4]
read_answer("x^2 + 1")           ->  one expression
"""

import functools
import re
from dataclasses import dataclass
from fractions import Fraction

from nemo_sdg.text.latex import ROW, plain
from nemo_sdg.text.mathematics import notation
from nemo_sdg.text.numbers import Number, Unit, read_number
from nemo_sdg.text.numbers.units import NO_UNIT


@dataclass(frozen=True, slots=True)
class Answer:
    """A mathematical answer as a tree."""

    shape: str
    """number, expression, set, sequence, range, ratio, plus_minus, equation, remainder, column, based (digits of
    another base), or the brackets of a tuple: () [) (] []
    """
    text: str
    number: Number | None = None
    parts: tuple["Answer", ...] = ()
    unit: Unit = NO_UNIT
    """of an expression"""
    written: str = ""
    """an expression with its unit"""


_LIST_WORD = re.compile(
    r",?(?<![=+\-*/^<>])\s+(?:and|or|und|oder|y|o|et|ou|e)\s+(?![=+*/^<>]|-\s|\\[lgn]eq?(?![a-z]))|\s*;\s*|,?\s*\\(?:text|mbox)?\{?\s*(?:or|and)\s*\}?\s*"
)
_OWN_LIST_WORDS = {
    language: re.compile(rf",?(?<![=+\-*/^<>])\s*(?:{words})\s*(?![=+*/^<>]|-\s)")
    for language, words in {
        "nl": r"\b(?:of|en)\b", "sv": r"\b(?:eller|och)\b", "da": r"\b(?:eller|og)\b", "no": r"\b(?:eller|og)\b",
        "ru": r"\b(?:или|и)\b", "uk": r"\b(?:або|і|та)\b", "pl": r"\b(?:lub|albo|i|oraz)\b", "cs": r"\b(?:nebo|a)\b",
        "tr": r"\b(?:veya|ya da|ve)\b", "ar": r"\b(?:أو|و)\s", "hi": r"(?:या|और)\s", "zh": "或者?|和|与|、",
        "ja": "または|と|、|あるいは",
        "ko": "또는|와|과|혹은", "vi": r"\b(?:hoặc|và)\b", "id": r"\b(?:atau|dan)\b",
    }.items()
}  # fmt: skip
_ELLIPSIS = re.compile(r"\\[ldc]?dots[a-z]?|…|\.\.\.|\\ldots")
_RANGE = re.compile(
    r"(?:from\s+|between\s+)?(.+?)\s*(?:-{1,3}|\bto\b|\bthrough\b|\bbis\b|\bhasta\b|\bà\b|~)\s*(.+)", re.IGNORECASE
)
_RELATION = re.compile(r"\\(?:leq?|geq?|neq?|lt|gt|in|approx|equiv|to|cup|cap|setminus|mid)(?![A-Za-z])|[<>≤≥≠∈]")
_PLUS_MINUS = re.compile(r"\\pm(?![A-Za-z])\s*|\+\s*/\s*-\s*|^\+-\s*")
_MINUS_PLUS = re.compile(r"\\mp(?![A-Za-z])\s*|∓\s*")
_EMPTY = re.compile(r"\\(?:emptyset|varnothing)|\\\{\s*\\\}|\{\s*\}|∅", re.IGNORECASE)
_MATRIX = re.compile(
    r"\\begin\{[bpBvV]?(?:matrix|array)\}(?:\{[lcr|]*\})?(.*)\\end\{[bpBvV]?(?:matrix|array)\}", re.DOTALL
)
_SAME_NAMES = {
    **dict.fromkeys(
        ("all real numbers", "all reals", "the real numbers", "(-\\infty, \\infty)", "(-\\infty,\\infty)", "\\reals"),
        "\\mathbb{R}",
    ),
    **dict.fromkeys(
        ("no solution", "no solutions", "no real solution", "no real solutions", "none", "empty set", "the empty set"),
        "\\emptyset",
    ),
    **dict.fromkeys(("infinity", "inf"), "\\infty"),
    **dict.fromkeys(("does not exist", "dne"), "undefined"),
}
_PAIRS = {"(": ")", "[": "]", "{": "}"}


@functools.lru_cache(maxsize=1 << 14)
def read_answer(text: str, language: str = "en") -> Answer:
    """The tree of an answer."""
    return _read(notation.unify(plain(text)), language, 0)


def _read(text: str, language: str, depth: int) -> Answer:
    text = text.strip()
    text = _SAME_NAMES.get(text.casefold(), text)
    number = read_number(text, language)
    if number is not None or depth > 4 or len(text) > 600:
        return Answer("expression" if number is None else "number", text, number)
    if (division := notation.read_remainder(text)) is not None:
        return _collection("remainder", text, list(division), language, depth)
    if (based := notation.read_based(text)) is not None:
        return Answer("based", based[0], Number(Fraction(int(*based))))
    if _EMPTY.fullmatch(text):
        return Answer("set", text)
    if (inner := _bracketed(text)) is not None:
        kind, content = inner
        parts = _split(content, language)
        if kind == "{}":
            if _RELATION.search(content) or "|" in content:
                return _interval(text, language, depth) or Answer("expression", text)
            return _collection("set", text, parts, language, depth)
        if len(parts) > 1:
            return _collection(kind, text, parts, language, depth)
        return Answer("expression", text)
    if len(pieces := re.split(r"\\cup(?![A-Za-z])", text)) > 1:
        return _collection("set", text, pieces, language, depth)
    parts = _split(text, language)
    if len(parts) > 1 and all(parts):
        return _listed(text, parts, language, depth)
    sides = re.split(r"(?<![<>!\\=])=(?!=)", text)
    if len(sides) > 1 and not _RELATION.search(text):
        return _equation(text, [side.strip() for side in sides], language, depth)
    if (both := _plus_minus(text, language, depth)) is not None:
        return both
    if (matrix := _MATRIX.fullmatch(text)) is not None:
        rows = [row.split("&") for row in matrix[1].split(ROW) if row.strip()]
        cells = [tuple(_read(cell, language, depth + 1) for cell in row) for row in rows]
        if len(cells) > 1 and all(len(row) == 1 for row in cells):
            return Answer("column", text, parts=tuple(row[0] for row in cells))
        return Answer("[]", text, parts=tuple(Answer("[]", "", parts=row) for row in cells))
    if (interval := _interval(text, language, depth)) is not None:
        return interval
    if re.fullmatch(r"[^:]+(?::[^:]+)+", text):
        members = tuple(_read(part, language, depth + 1) for part in text.split(":"))
        if all(member.shape in ("number", "expression") for member in members):
            return Answer("ratio", text, parts=members)
    if (ends := _RANGE.fullmatch(text)) is not None:
        low, high = _read(ends[1], language, depth + 1), _read(ends[2], language, depth + 1)
        if low.number is not None and high.number is not None and (low.number.value < high.number.value):
            return Answer("range", text, parts=(low, high))
    bare, unit = notation.split_unit(text)
    return Answer("expression", bare, unit=unit, written=text)


def _plus_minus(text: str, language: str, depth: int) -> Answer | None:
    r"""Both signs are a set of two: \pm 3, 1 \pm \sqrt{2}; None where a text has no \pm."""
    if not _PLUS_MINUS.search(text):
        return None
    signed = [
        _read(
            _MINUS_PLUS.sub(other, _PLUS_MINUS.sub(sign, text)).strip().removeprefix("+").strip(), language, depth + 1
        )
        for sign, other in (("+ ", "- "), ("- ", "+ "))
    ]
    one, other = signed
    if one.text == other.text or (one.number is not None and not one.number.value and one.number == other.number):
        return Answer("plus_minus", text, parts=(one,))
    return Answer("set", text, parts=(one, other))


_BELOW, _ABOVE = r"<|\\leq?(?![A-Za-z])|\\lt(?![A-Za-z])", r">|\\geq?(?![A-Za-z])|\\gt(?![A-Za-z])"
_NAME = r"[^\W\d_](?:_\{?\w+\}?)?"
_CHAIN = re.compile(rf"(?P<low>[^<>=]+?)\s*(?P<one>{_BELOW})\s*{_NAME}\s*(?P<other>{_BELOW})\s*(?P<high>[^<>=]+)")
_BOUND = re.compile(rf"{_NAME}\s*(?P<sign>{_BELOW}|{_ABOVE})\s*(?P<end>[^<>=]+)")
_MEMBER = re.compile(rf"{_NAME}\s*\\in(?![A-Za-z])\s*(?P<set>.+)")
_SET_OF = re.compile(
    rf"\\?\{{\s*{_NAME}(?:\s*\\in\s*\\mathbb\s*\{{?R\}}?)?\s*(?::|\||\\mid)\s*(?P<condition>.+?)\\?\}}"
)


def _interval(text: str, language: str, depth: int) -> Answer | None:
    """Inequalities as intervals: -2 < x < 4, x > 3, x in (1, 2), {x : x < 1}, x > -2 and x < 4."""
    if (named := _SET_OF.fullmatch(text) or _MEMBER.fullmatch(text)) is not None:
        return _read(next(iter(named.groupdict().values())), language, depth + 1)
    infinite = Answer("expression", r"\infty")
    if (chain := _CHAIN.fullmatch(text)) is not None:
        ends = (_read(chain["low"], language, depth + 1), _read(chain["high"], language, depth + 1))
        return Answer(_open(chain["one"], "([") + _open(chain["other"], ")]"), text, parts=ends)
    if (bound := _BOUND.fullmatch(text)) is not None:
        end = _read(bound["end"], language, depth + 1)
        if end.number is None:
            return None
        if re.fullmatch(_BELOW, bound["sign"]):
            negative = Answer("expression", r"-\infty")
            return Answer("(" + _open(bound["sign"], ")]"), text, parts=(negative, end))
        return Answer(_open(bound["sign"], "([") + ")", text, parts=(end, infinite))
    return None


def _open(sign: str, brackets: str) -> str:
    return brackets[0] if re.fullmatch(r"[<>]|\\[lg]t", sign) else brackets[1]


def _meet(parts: tuple[Answer, ...], text: str) -> Answer | None:
    """x > -2 and x < 4: the interval between."""
    if len(parts) != 2 or any(len(part.parts) != 2 for part in parts):
        return None
    above = [part for part in parts if part.parts[1].text == r"\infty"]
    below = [part for part in parts if part.parts[0].text == r"-\infty"]
    if len(above) != 1 or len(below) != 1:
        return None
    return Answer(above[0].shape[0] + below[0].shape[1], text, parts=(above[0].parts[0], below[0].parts[1]))


def _collection(shape: str, text: str, parts: list[str], language: str, depth: int) -> Answer:
    if shape == "set" and any(_ELLIPSIS.search(part) for part in parts):
        shape = "sequence"
    return Answer(shape, text, parts=tuple(_read(part, language, depth + 1) for part in parts))


def _listed(text: str, parts: list[str], language: str, depth: int) -> Answer:
    """A bare list: solutions in any order; values of several unknowns are a tuple in the order of their names."""
    bare = _without_repeated_name(parts)
    names = [re.match(rf"({_NAME})\s*=\s*", part) for part in bare]
    if all(names) and len({name[1] for name in names if name}) == len(names):
        ordered = sorted(zip(names, bare, strict=True), key=lambda pair: pair[0][1] if pair[0] else "")
        return _collection("()", text, [part[name.end() :] for name, part in ordered if name], language, depth)
    members = _collection("set", text, bare, language, depth)
    joined = re.search(r"\b(?:and|und|y|et)\b|,", text) is not None
    return (_meet(members.parts, text) if joined else None) or members


def _equation(text: str, sides: list[str], language: str, depth: int) -> Answer:
    """`x = 5` and `(x, y) = (1, 2)` are their right side; an equation of two expressions stays one."""
    if len(sides) > 2 and all(re.fullmatch(_NAME, side) for side in sides[:-1]):
        last = _read(sides[-1], language, depth + 1)  # x = y = 1
        return Answer("()", text, parts=(last,) * (len(sides) - 1))
    if re.fullmatch(
        r"\(?\s*[A-Za-z](?:_\{?\w+\}?)?(?:\s*,\s*[A-Za-z](?:_\{?\w+\}?)?)*\s*\)?|[A-Za-z](?:'|\^\{-1\}|\^-1|\\prime|\^\\prime)*"
        r"\s*(?:\(\s*[A-Za-z]\s*\))?|d[A-Za-z]\s*/\s*d[A-Za-z]|\\frac\{d[A-Za-z]\}\{d[A-Za-z]\}",
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
    if (own := _OWN_LIST_WORDS.get(language[:2])) is not None:
        cuts += [(found.start(), found.end()) for found in own.finditer(flat)]
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
    before, after = flat[: comma.start()], flat[comma.end() :]
    run = before[len(before.rstrip(_RUN)) :] + "," + after[: len(after) - len(after.lstrip(_RUN))]
    return read_number(run, language) is None


_RUN = "0123456789.,"


def _without_repeated_name(parts: list[str]) -> list[str]:
    """x = 2, x = -2 and x = 2, -2 -> 2, -2; x = 2, y = 3 stays."""
    names = [re.match(r"([^\W\d_])(?:_\{?\w+\}?)?\s*=(?!=)\s*", part) for part in parts]
    first = names[0]
    if first is None or any(name is not None and name[1] != first[1] for name in names):
        return parts
    return [part[name.end() :] if name is not None else part for part, name in zip(parts, names, strict=True)]
