"""Filter of sums that are wrong: `12 * 7 = 74`."""

import ast
import operator
import re
from collections.abc import Callable
from fractions import Fraction

from nemo_sdg.curate.filters.view import Finding, View, excerpt
from nemo_sdg.records import Kind
from nemo_sdg.text.numbers.digits import read_digits

EQUATION = re.compile(  # a whole sum: nothing is computed before or after it
    r"(?:^|(?<=[.;:,(。，：；] )|(?<=[(。，：；])|"
    r"(?<=[^\W\d_]{2} ))(?<!and )(?<!of )(?<!plus )(?<!times )(?<!minus )(?<!und )"
    r"(\(?\d[\d.,]*(?:\s?[-+−–*×·/÷]\s?\(?\d[\d.,]*\)?){1,5})\s?=\s?([-−]?\d[\d.,]*)"
    r"(?!\s?[-+−–*×·/÷^%°:(\\!]|[\w.,]*\d|\s*(?:R|r|rem|mod|Rest|reste|resto|base)\b|\s\d|_)",
    re.MULTILINE,
)
OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
SIGNS = str.maketrans({"−": "-", "–": "-", "×": "*", "·": "*", "÷": "/"})
SLIP = re.compile(
    r"wrong|mistake|slip|error|incorrect|not |falsch|fehler|faux|erreur|mal|falso|ошиб|错|誤|間違|틀", re.IGNORECASE
)


def wrong_arithmetic(view: View) -> Finding | None:
    """A sum of plain numbers in the reasoning whose result is another one, in the decimals that it is written with.

    A slip that is called one is fine, and so are questions about other bases, clocks, code or remainders.
    """
    if view.kind == Kind.code or "=" not in view.reasoning or "\\" in view.reasoning or view.is_technical:
        return None
    if OTHER_RULES.search(view.question) or SLIP.search(view.reasoning):
        return None
    for match in EQUATION.finditer(view.reasoning):
        right = _number(match.group(2).rstrip(".,"), view.language)
        left = _value(match.group(1).rstrip(".,"), view.language)
        if left is None or right is None:
            continue
        value, places = right
        if "/" in match.group(1) and left - value < 1 and left > value:  # the whole part of a division
            continue
        if abs(left - value) > Fraction(6, 10 * 10**places) and abs(left - value) * 200 > abs(left):
            return "wrong_arithmetic", excerpt(match.group())
    return None


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
