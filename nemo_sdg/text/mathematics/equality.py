r"""Equality of mathematical answers: numbers, sets, lists, tuples, intervals, sequences, ranges, ratios, expressions.

    equal("x = 2 or x = -2", r"\{-2, 2\}")       ->  True
    equal("(1, 2)", "(2, 1)")                    ->  False   (brackets order; a bare list is a set of solutions)
    equal("1, 2, 3, ...", "1, 3, 2, ...")        ->  False   (an ellipsis makes a sequence)
    equal(r"\frac{\sqrt{3}}{2}", r"\sqrt{3}/2")  ->  True    (math-verify, in a child process)

A text is read into a tree whose leaves are numbers or expressions. Trees are compared part by part; two expressions go
to math-verify (Hugging Face), in a child process that is killed at a time limit, since sympy can run for ever on what a
model writes.
"""

import dataclasses
import functools
import re
from collections.abc import Callable

from nemo_sdg.text import forms
from nemo_sdg.text.dates import read_date, read_time
from nemo_sdg.text.latex import MARKS, plain
from nemo_sdg.text.mathematics import notation, quantities, statements
from nemo_sdg.text.mathematics.expressions import math_verify_equal
from nemo_sdg.text.mathematics.structure import Answer, read_answer
from nemo_sdg.text.numbers import numbers_equal
from nemo_sdg.text.numbers.units import NO_UNIT


def is_expression(text: str) -> bool:
    """Whether a short text is mathematics rather than words: LaTeX, brackets or symbols, and no word of three letters
    beside them.
    """
    if not MARKS.search(text):
        return False
    bare = re.sub(r"\\(?:text|mathrm|mbox|textbf)\s*\{[^{}]*\}|\\[A-Za-z]+", " ", text)
    return not re.search(r"[^\W\d_]{3,}", bare)


_ASKS_BASE = re.compile(r"\bbase\b|binary|octal|hexadecimal|binär|dual|binaire|binario|进制|進数", re.IGNORECASE)
_ASKS_RATIO = re.compile(r"\bratio\b|verhältnis|\brazón\b|\brapport\b|\bproportion", re.IGNORECASE)
_RATIO = re.compile(r"\d+(?:\.\d+)?\s*(?::|/|\bto\b|\bzu\b)\s*\d+(?:\.\d+)?")
_RATIO_WORD = re.compile(r"\s*(?:/|\bto\b|\bzu\b)\s*")
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
    if "based" in (a.shape, b.shape):
        return compare(a, b)
    if {a.shape, b.shape} == {"ratio", "range"}:
        ranged = a if a.shape == "range" else b
        if not re.search(r"\bto\b|\bzu\b|\bà\b", ranged.text):
            return False
        return _proportional(a, b) or False
    if a.shape == b.shape == "ratio" and len(a.parts) == len(b.parts) and _proportional(a, b):
        return True
    if len(a.parts) != len(b.parts) or not a.parts:
        return a.shape == b.shape and len(a.parts) == len(b.parts)
    if a.shape != b.shape:
        # Square brackets write lists and tuples too, where an interval could not stand.
        lists = {a.shape, b.shape} <= {"()", "[]", "sequence", "set"} and {a.shape, b.shape} & {"[]"}
        if not (lists and len(a.parts) > 2) and {a.shape, b.shape} not in ({"column", "()"}, {"column", "[]"}):
            return False
    if a.shape == b.shape == "set":
        return _matched(list(a.parts), list(b.parts), compare)
    verdicts = [_same(one, other, compare) for one, other in zip(a.parts, b.parts, strict=True)]
    return False if False in verdicts else None if None in verdicts else True


def _matched(left: list[Answer], right: list[Answer], compare: Compare) -> bool | None:
    """Whether the members of two sets can be paired off."""
    verdicts = [[_same(one, other, compare) for other in right] for one in left]
    if _paired_off(verdicts, (True,)):
        return True
    return None if _paired_off(verdicts, (True, None)) else False


def _paired_off(verdicts: list[list[bool | None]], allowed: tuple[bool | None, ...]) -> bool:
    """Whether each row can have a column of its own with an allowed verdict (augmenting paths)."""
    taken: dict[int, int] = {}

    def find(row: int, seen: set[int]) -> bool:
        for column, verdict in enumerate(verdicts[row]):
            if verdict in allowed and column not in seen:
                seen.add(column)
                if column not in taken or find(taken[column], seen):
                    taken[column] = row
                    return True
        return False

    return all(find(row, set()) for row in range(len(verdicts)))


def _proportional(a: Answer, b: Answer) -> bool:
    """2:3 and 4:6, of numbers alone."""
    left, right = ([part.number.value for part in side.parts if part.number is not None] for side in (a, b))
    if len(left) != len(a.parts) or len(right) != len(b.parts) or len(left) != len(right) or 0 in (*left, *right):
        return False
    return all(one * right[0] == other * left[0] for one, other in zip(left, right, strict=True))


def surely_equal(a: str, b: str, *, question: str = "", language: str = "en") -> bool | None:
    """Equality without math-verify: True, False, or None where only math-verify can tell."""
    a, b = (quantities.as_share(side, question, language) for side in (a, b))
    if a.strip() == b.strip() or (tight(a) and tight(a) == tight(b)):
        return True
    if _power_of_unknown(a, b, question) or _power_of_unknown(b, a, question):
        return False
    for read in (functools.partial(read_date, language=language), read_time):
        moments = read(a), read(b)
        if moments[0] is not None and moments[1] is not None:
            return moments[0] == moments[1]
    if quantities.same_quantity(a, b, question=question, language=language):
        return True
    return _each(a, b, question, language, lambda x, y: _surely_leaf(x, y, question, language))


def _of_another(text: str, question: str) -> bool:
    """Whether a sentence speaks of the opposite of what is asked: a maximum, those who were hurt."""
    bare = forms.says_no(question) and not forms.says_no(text) and len(text.split()) > 3
    return bare or forms.says_opposite(text, question)


_POWER = re.compile(r"-?\d*\s?(?P<unknown>[a-z])\^\{?\d+\}?")


def _power_of_unknown(a: str, b: str, question: str) -> bool:
    """Whether one answer is a power of an unknown of the question and the other a number: 3s^2 is no area."""
    power = _POWER.fullmatch(plain(a))
    if power is None or not re.fullmatch(r"-?[\d.,/]+", plain(b)):
        return False
    return re.search(rf"(?<![A-Za-z\\]){power['unknown']}(?:\^|\s*[=+)]|\$)", question) is not None


def _each(a: str, b: str, question: str, language: str, compare: Compare) -> bool | None:
    """Equality of all that the answers state: what is said twice must be the same each time."""
    ones, others = (statements.readings(_stripped(side), question, language) for side in (a, b))
    verdicts = [_same(*_trees(one, other, question, language), compare) for one in ones for other in others]
    return False if False in verdicts else None if None in verdicts else True


_SENTENCE = re.compile(r"[^\W\d_]{4,}")


def _stripped(text: str) -> str:
    """Mathematics that is set off in words around it, or follows a label."""
    if len(text) > 300 or not _SENTENCE.search(text):
        return text
    for form, taken in forms.variants(text).items():
        if taken and taken <= {"emphasis", "label", "lead"} and not _SENTENCE.search(re.sub(r"\\[A-Za-z]+", "", form)):
            return form
    return text


def _trees(a: str, b: str, question: str, language: str) -> tuple[Answer, Answer]:
    """The trees of two answers, as the question wants them read: `5 to 2` as a ratio, a list in its order."""
    if _ASKS_RATIO.search(question):
        a, b = (_RATIO_WORD.sub(":", side) if _RATIO.fullmatch(plain(side)) else side for side in (a, b))
    trees = _unwrapped(read_answer(a, language), b, question), _unwrapped(read_answer(b, language), a, question)
    if forms.ASKS_ORDER.search(question):
        trees = tuple(
            dataclasses.replace(tree, shape="sequence") if tree.shape == "set" and "{" not in tree.text else tree
            for tree in trees
        )  # type: ignore[assignment]
    return trees


_ASKS_SOLUTION = re.compile(
    r"\bsolv|\bsolution|\broots?\b|\bzeros?\b|\bequation|\blös|nullstelle|gleichung|résou|équation|racine|resuelv|resolv|"
    r"ecuaci|raí[cz]|equaç|equazion|risolv|radic|oplos|vergelijking|ekvation|ligning|rozwiąż|równani|řeš|rovnic|реши|уравнени|"
    r"розв|рівнян|denklem|çöz|解|方程|方程式|방정식|معادلة|हल|समीकरण|phương trình|persamaan",
    re.IGNORECASE,
)
_NAMES_UNKNOWN = re.compile(r"\s*\$?[a-z]\s*=(?!=)")


def _unwrapped(tree: Answer, other: str, question: str) -> Answer:
    """A set of one solution as the solution, where solutions are asked for or the other answer names the unknown."""
    alone = tree.shape == "set" and len(tree.parts) == 1 and tree.parts[0].shape in ("number", "expression")
    return tree.parts[0] if alone and (_ASKS_SOLUTION.search(question) or _NAMES_UNKNOWN.match(other)) else tree


def _surely_leaf(a: Answer, b: Answer, question: str, language: str) -> bool | None:
    if "based" in (a.shape, b.shape):
        if a.number is None or b.number is None:
            return False
        alike = a.shape != b.shape and _ASKS_BASE.search(question) and a.text.upper() == b.text.upper()
        return bool(alike) or a.number.value == b.number.value
    if a.number is not None and b.number is not None:
        return numbers_equal(a.number, b.number, question=question, language=language)
    a, b = _with_letters(a, b), _with_letters(b, a)
    products = [notation.product(side.written or side.text) for side in (a, b)]
    if products[0] is not None and products[0] == products[1]:
        return True
    if a.unit.dimensions and b.unit.dimensions and a.unit != b.unit:
        if a.unit.dimensions != b.unit.dimensions or tight(a.text) == tight(b.text):
            return False
    elif tight(a.text) and tight(a.text) == tight(b.text):
        return True
    if a.number is not None or b.number is not None:
        other, number = (b, a.number) if a.number is not None else (a, b.number)
        assert number is not None
        if other.shape not in ("expression", "equation"):
            return False
        if (sole := quantities.sole(other.text, language)) is not None and not _of_another(other.text, question):
            return numbers_equal(number, sole, question=question, language=language)
    if any(_AMBIGUOUS.search(_COMMAND.sub(" ", side.text)) for side in (a, b)):
        return False
    return None


_COMMAND = re.compile(r"\\(?!pm|text|to(?![A-Za-z]))[A-Za-z]+")
_AMBIGUOUS = re.compile(
    r"‰|;|\\pm|±|\\to(?![A-Za-z])|→|\d\s*\+$|\b(?:or|and|not|between|least|most|than|about|unknown|no|none)\b|[^\W\d_]{4}\s+[^\W\d_]{2}|"
    r"[^\W\d_a-zA-Z\u0370-\u03ff\u2100-\u214f]|\d\s*,\s\d|\\text\s*\{\s*(?:or|and)|\d\s*:\s*\d",
    re.IGNORECASE,
)
"""What makes a text no expression: words, two answers, a range. math-verify would read some number out of it. Words
are told by their last four letters: a search for more would begin anew at each letter of a long one.
"""


@functools.lru_cache(maxsize=1 << 14)
def tight(text: str) -> str:
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
        if verdict is not None:
            return verdict
        texts = statements.functions(_in_one_unit(one, other)), statements.functions(_in_one_unit(other, one))
        return math_verify_equal(*_in_one_measure(*texts))

    return bool(_each(a, b, question, language, leaf))


_LETTER_BEHIND = re.compile(r"(?<=[\w)}])(?<!\\to)[\s~]\(?[^\W\d_]\)?$")


def _with_letters(side: Answer, other: Answer) -> Answer:
    """An expression with the letter behind it, which may be an unknown where the other one names no unit."""
    if not side.unit.dimensions or other.unit.dimensions or not _LETTER_BEHIND.search(side.written):
        return side
    return dataclasses.replace(side, text=side.written, unit=NO_UNIT)


def _in_one_unit(side: Answer, other: Answer) -> str:
    r"""An expression in the unit of the other one: 200\sqrt{2} of centimetres as 2\sqrt{2} of metres. math-verify takes
    a letter at the end for a unit, which among unknowns is one of them: \pi r^2 h.
    """
    side, other = _with_letters(side, other), _with_letters(other, side)
    text = side.text
    if (letter := _LETTER_BEHIND.search(text)) is not None and notation.has_unknowns(text[: letter.start()]):
        text = text[: letter.start()] + r" \cdot" + text[letter.start() :]
    if side.unit.dimensions and side.unit.dimensions == other.unit.dimensions:
        share = side.unit.factor / other.unit.factor
        return rf"\frac{{{share.numerator}}}{{{share.denominator}}} \cdot ({text})" if share > 1 else text
    return text


_IN_RADIANS = re.compile(r"\\pi(?![A-Za-z])|\\(?:sin|cos|tan|cot|sec|csc)(?![A-Za-z])|\brad")


def _in_one_measure(a: str, b: str) -> tuple[str, str]:
    """Degrees as multiples of pi where one side has pi or a trigonometric function."""
    a, b = (
        re.sub(r"(?<=\d)\s*(?:degrees?|deg|grad|degrés?|grados?|gradi|graus?|graden|grader|градусов)\b", "°", side)
        for side in (a, b)
    )
    if "°" in a + b and _IN_RADIANS.search(a + b):
        a, b = (re.sub(r"\s*\brad(?:ians?)?\b", "", notation.in_radians(side)) for side in (a, b))
    return a, b
