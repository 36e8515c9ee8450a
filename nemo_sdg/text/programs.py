"""Python in texts: parsed, never run.

asserted_calls("assert f(1) == 2")     -> the syntax tree of f(1)
"""

import ast


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
