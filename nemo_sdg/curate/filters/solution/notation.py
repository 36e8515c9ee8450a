"""How a reasoning writes its result: the same terms with other signs, the same number with another unit, an expression
that the program has with another operator.
"""

import ast
import re

from nemo_sdg.curate.filters.view import View
from nemo_sdg.text.programs import parse_expression, parse_program

SIGNS = "-+*/^<>=≤≥≠()[]"
SPELLINGS = (
    (re.compile(r"\\(?:leqslant|leq|le)(?![a-zA-Z])|<=|=<"), "≤"),
    (re.compile(r"\\(?:geqslant|geq|ge)(?![a-zA-Z])|>=|=>"), "≥"),
    (re.compile(r"\\(?:neq|ne)(?![a-zA-Z])|!="), "≠"),
    (re.compile(r"\\lt(?![a-zA-Z])"), "<"),
    (re.compile(r"\\gt(?![a-zA-Z])"), ">"),
    (re.compile(r"\\(?:cdot|times)(?![a-zA-Z])|[×·∙⋅]"), "*"),
    (re.compile(r"\\(?:left|right|,|;|!| )|[$\s{}*`]|\\\(|\\\)"), ""),
    (re.compile(r"[−–]"), "-"),
)
RELATION = re.compile(r"[<>≤≥≠]")
TERM = re.compile(rf"[^{re.escape(SIGNS)}]+")


def plain_formula(text: str) -> str:
    """A formula without spaces, dollars and the sign of multiplication, each relation in one spelling."""
    for pattern, sign in SPELLINGS:
        text = pattern.sub(sign, text)
    return text.casefold()


def has_other_signs(view: View, statement: str) -> str | None:
    """The part of a statement that has the terms of the answer in their order with other signs between them (`x > -4`
    for `x < -4`, `[2, 5)` for `(2, 5]`), where the answer itself does not stand there.
    """
    for text in view.accepted:
        if plain_formula(text).rstrip(".。") in plain_formula(statement):
            return None
    gold = plain_formula(view.answer).rstrip(".。")
    if not RELATION.search(gold) and not (gold[:1] in "([" and gold[-1:] in ")]" and "," in gold):
        return None
    terms = TERM.findall(gold)
    if len("".join(terms)) < 2 or len(terms) > 12:
        return None
    sign = f"[{re.escape(SIGNS)}]"
    between = rf"{sign}+".join(re.escape(term) for term in terms)
    opened, closed = rf"{sign}+" if gold[0] in SIGNS else "", rf"{sign}+" if gold[-1] in SIGNS else ""
    match = re.search(rf"(?<![a-z0-9]){opened}{between}{closed}(?![a-z0-9])", plain_formula(statement))
    return str(match.group()) if match else None


DIGITS = re.compile(r"\d+")


def other_digits(view: View, statement: str) -> str | None:
    """The part of a statement that has the words of the answer with other numbers between them (`18 August 1945` for
    `17 August 1945`, `Article 9` for `Article 8`), where the answer itself does not stand there.
    """
    if not DIGITS.search(statement) or any(text in statement for text in view.accepted):
        return None
    folded, found = view.folded(statement), None
    for text in view.accepted:
        words = view.folded(text).strip(" .")
        if not DIGITS.search(words) or sum(map(str.isalpha, words)) < 3:
            continue
        pattern = DIGITS.sub(r"\\d+", re.escape(words))
        match = re.search(rf"(?<![\d\w.,]){pattern}(?![\d\w]|[.,]\d)", folded)
        if match is None:
            continue
        if match.group() == words:
            return None
        found = match.group()
    return found


INLINE = re.compile(r"`([^`\n]{5,120})`")


def other_operator(view: View) -> str | None:
    """A snippet that the last sentences of a reasoning hold in backticks and that the program has with another
    comparison (`len(w) < n` for `len(w) >= n`), where no snippet of the reasoning is the program's own.
    """
    snippets: list[str] = INLINE.findall(" ".join(view.reasoning_sentences[-2:]))
    program = _expressions(view.answer) if snippets else []
    exact = {ast.dump(node) for node in program}
    blind = {_without_operators(node) for node in program}
    for snippet in snippets:
        node = parse_expression(snippet.strip().removeprefix("return "))
        if node is None or not any(isinstance(part, ast.Compare) for part in ast.walk(node)) or ast.dump(node) in exact:
            continue
        if _without_operators(node) in blind:
            return snippet
    return None


def _expressions(code: str) -> list[ast.expr]:
    tree = parse_program(code)
    return [node for node in ast.walk(tree) if isinstance(node, ast.expr)] if tree else []


def _without_operators(node: ast.expr) -> str:
    return re.sub(r"(?:Lt|LtE|Gt|GtE|Eq|NotEq)\(\)", "Compared()", ast.dump(node))
