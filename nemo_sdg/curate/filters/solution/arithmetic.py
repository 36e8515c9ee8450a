"""Filter of sums that are wrong: `12 * 7 = 74`."""

import ast
import operator
import re
from collections.abc import Callable
from fractions import Fraction

from nemo_sdg.curate.filters.phrases import word_list
from nemo_sdg.curate.filters.view import Finding, View, excerpt
from nemo_sdg.records import Kind
from nemo_sdg.text.numbers.digits import read_digits
from nemo_sdg.text.numbers.spelled import scale_at
from nemo_sdg.text.numbers.units import is_measure, read_unit

LETTER = r"(?:(?![⁰-⁹²³¹½¼¾⅐-⅞])[^\W\d_])"
BEHIND_UNIT = r"(?=\s?(?:[-+−–*×·/÷=)]|[.,;:。，；!]|\s|$|[^\x00-\u02ff]))"
UNIT = rf"(?:(?:\s?[€$£¥₹]|\s?{LETTER}{{2,14}}[²³]?|\s[mgshlLWNJVA][²³]?|[^\x00-\u02ff]){BEHIND_UNIT})?"
QUANTITY = rf"\d[\d.,]*{UNIT}"
EQUATION = re.compile(  # a whole sum: nothing is computed before or after it
    r"(?:^|(?<=[.;:,(=。，：；] )|(?<=[(=。，：；])|"
    r"(?<=[^\W\d_]{2} ))(?<!and )(?<!of )(?<!plus )(?<!times )(?<!minus )(?<!und )"
    rf"(\(?{QUANTITY}(?:\s?[-+−–*×·/÷]\s?\(?{QUANTITY}\)?){{1,5}})\s?=\s?([-−]?\d[\d.,]*)({UNIT})"
    r"(?!\s?[-+−–*×·/÷^%°:(\\!]|[\w.,]*\d|\s*(?:R|r|rem|mod|Rest|reste|resto|base)\b|\s\d|_)",
    re.MULTILINE,
)
WITH_UNIT = re.compile(rf"(\d[\d.,]*)\s?([€$£¥₹]|{LETTER}+[²³]?)")
OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
SIGNS = str.maketrans({"−": "-", "–": "-", "×": "*", "·": "*", "÷": "/"})
SLIP = re.compile(
    r"wrong|mistake|slip|error|incorrect|not (?!a |an |the )|falsch|fehler|faux|erreur|(?:está|estaba) mal|"
    r"falso|ошиб|错|誤|間違|틀",
    re.IGNORECASE,
)


def wrong_arithmetic(view: View) -> Finding | None:
    """A sum of plain numbers in the reasoning whose result is another one, in the decimals that it is written with.

    A slip that is called one is fine, and so are questions about other bases, clocks, code or remainders.
    """
    if view.kind == Kind.code or EQUALS.search(view.reasoning) is None or view.is_technical:
        return None
    if OTHER_RULES.search(view.question) or SLIP.search(view.reasoning):
        return None
    for match in EQUATION.finditer(_plain(view.reasoning)):
        if not _in_one_unit(match.group(1), match.group(3), view.language):
            continue
        right = _number(match.group(2).rstrip(".,"), view.language)
        left = _value(WITH_UNIT.sub(r"\1", match.group(1)).rstrip(".,"), view.language)
        if left is None or right is None:
            continue
        value, places = right
        if "/" in match.group(1) and left - value < 1 and left > value:  # the whole part of a division
            continue
        if abs(left - value) > Fraction(6, 10 * 10**places) and abs(left - value) * 200 > abs(left):
            return "wrong_arithmetic", excerpt(match.group())
    return None


EQUALS = re.compile(r"[=＝]\s*\$?\s*[-−]?\d")
LATEX = (
    (re.compile(r"\\[td]?frac\s*\{([\d.,]+)\}\s*\{([\d.,]+)\}"), r"(\1/\2)"),
    (re.compile(r"\\(?:text|mathrm|textrm)\s*\{([^{}]*)\}"), r" \1"),
    (re.compile(r"\\times(?![a-z])"), "×"),
    (re.compile(r"\\cdot(?![a-z])"), "·"),
    (re.compile(r"\\div(?![a-z])"), "÷"),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\[,;!: ]|\$"), " "),
    (re.compile(r" {2,}"), " "),
)


def _plain(reasoning: str) -> str:
    """The reasoning with the signs of LaTeX as plain ones."""
    if "\\" in reasoning or "$" in reasoning:
        for pattern, plain in LATEX:
            reasoning = pattern.sub(plain, reasoning)
    return reasoning.replace("＝", "=")


def _in_one_unit(left: str, after: str, language: str) -> bool:
    """Whether a sum is one of plain numbers, of counted things, or of quantities that are all written in one unit."""
    words = [word for _, word in WITH_UNIT.findall(left)] + ([after.strip()] if after.strip() else [])
    measured = set()
    for word in words:
        unit = read_unit(word)
        if unit is None or scale_at(word, 0, language) is not None or word.lower() in word_list("dozens"):
            return False
        if is_measure(unit) and unit.dimensions:
            measured.add(word)
        elif len(word) == 1 and word.isascii():
            return False
    return len(measured) < 2


OTHER_RULES = re.compile(
    r"\bmod(?:ulo|ular)?\b|\bbase\b|binary|octal|hexadecimal|remainder|o'clock|clock|boolean|matrix|matri[xc]|operation|"
    r"define|puzzle|pattern|sequence|cipher|roman|if .{0,12}=|riddle|digits?",
    re.IGNORECASE,
)
"""Of questions under which the signs may mean something else"""


def _number(text: str, language: str) -> tuple[Fraction, int] | None:
    """(value, decimal places) of a number in plain digits; None where its separators could be read in two ways."""
    text = text.translate(SIGNS)
    digits = text.removeprefix("-")
    if not re.fullmatch(r"\d[\d.,]*", digits) or (language != "en" and re.fullmatch(r"\d{1,3}[.,]\d{3}", digits)):
        return None
    read = read_digits(digits, language)
    return None if read is None else (-read[0] if text.startswith("-") else read[0], read[1])


def _value(expression: str, language: str) -> Fraction | None:
    """The value of a sum in plain digits, by the usual precedence."""
    numbers: list[Fraction] = []

    def place(match: re.Match[str]) -> str:
        read = _number(match.group().rstrip(".,"), language)
        if read is None:
            raise ValueError(match.group())
        numbers.append(read[0])
        return f"n{len(numbers) - 1}"

    try:
        tree = ast.parse(re.sub(r"\d[\d.,]*", place, expression.translate(SIGNS)), mode="eval")
        return _evaluate(tree.body, numbers)
    except (ValueError, SyntaxError, ZeroDivisionError, KeyError):
        return None


def _evaluate(node: ast.expr, numbers: list[Fraction]) -> Fraction:
    if isinstance(node, ast.Name):
        return numbers[int(node.id[1:])]
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](_evaluate(node.left, numbers), _evaluate(node.right, numbers))
    raise ValueError(ast.dump(node))
