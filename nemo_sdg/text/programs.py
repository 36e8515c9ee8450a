"""Programs in texts: parsed, never run.

asserted_calls("assert f(1) == 2")     -> the syntax tree of f(1)
same_program("x=1", "x = 1")           -> True
"""

import ast
import re


def parse_program(text: str) -> ast.Module | None:
    """The syntax tree of a program; None if the text is not Python, or nested too deeply to be parsed."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def parse_expression(text: str) -> ast.expr | None:
    """The syntax tree of one expression; None if the text is something else."""
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def asserted_calls(test: str) -> list[ast.Call]:
    """The calls in `assert call == result`, `assert result == call`, `assert call` and `assert not call`, in order."""
    found: list[ast.Call] = []
    tree = parse_program(test.strip())
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Assert):
            asked = node.test
            if isinstance(asked, ast.UnaryOp) and isinstance(asked.op, ast.Not):
                asked = asked.operand
            sides = [asked.left, *asked.comparators] if isinstance(asked, ast.Compare) else [asked]
            found += [side for side in sides if isinstance(side, ast.Call)]
    return found


_FENCED = re.compile(r"```[\w+#-]*[ \t]*\n(.*?)\n?```|`([^`]+)`", re.DOTALL)
_SQL = re.compile(r"\s*(?:select|insert|update|delete|create|alter|with)\s", re.IGNORECASE)
_QUOTED = re.compile(r"('[^']*'|\"[^\"]*\"|`[^`]*`)")


def same_program(a: str, b: str) -> bool:
    """Whether two programs, with or without a fence, are the same: in Python by their syntax trees, in SQL but for case
    and layout, in others by their lines, whose depth counts where no braces do.
    """
    a, b = (
        side if (fenced := _FENCED.fullmatch(side.strip())) is None else fenced[1] or fenced[2] or "" for side in (a, b)
    )
    if (tree := _syntax(a)) is not None:
        return tree == _syntax(b)
    if _SQL.match(a) and _SQL.match(b):
        return _query(a) == _query(b)
    if "{" in a and "{" in b:
        return _in_braces(a) == _in_braces(b)
    return _indented(a) == _indented(b)


def _in_braces(program: str) -> list[str]:
    """The lines without layout; a brace that opens a block stands in the line before."""
    lines = [line for line in (" ".join(line.split()) for line in program.split("\n")) if line]
    return "\n".join(lines).replace("\n{", " {").split("\n")


def _indented(program: str) -> list[tuple[int, str]]:
    """The lines, each with the number of blocks that it stands in, however wide their indentation."""
    found, widths = list[tuple[int, str]](), list[int]()
    for line in program.expandtabs().split("\n"):
        if bare := line.strip():
            width = len(line) - len(line.lstrip())
            while widths and widths[-1] >= width:
                widths.pop()
            widths.append(width)
            found.append((len(widths), bare))
    return found


def _query(text: str) -> list[str]:
    """A query in small letters without layout; what is quoted is kept."""
    parts = _QUOTED.split(text.strip().rstrip("; \n"))
    return [
        part if place % 2 else re.sub(r"\s*([(),;=<>+*/])\s*", r"\1", " ".join(part.casefold().split()))
        for place, part in enumerate(parts)
    ]


def _syntax(program: str) -> str | None:
    """The syntax tree of a program without docstrings; None if it is not Python."""
    tree = parse_program(program)
    if tree is None:
        return None
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and len(body) > 1 and isinstance(body[0], ast.Expr):
            first = body[0].value
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                del body[0]
    return ast.dump(tree)
