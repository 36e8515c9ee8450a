"""Programs in texts: parsed, never run.

asserted_calls("assert f(1) == 2")     -> the syntax tree of f(1)
same_program("x=1", "x = 1")           -> True
is_other_program("SELECT 1 FROM t;")   -> True
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


_OTHER = re.compile(
    r"\A\s*(?:--[^\n]*\n\s*)*(?:(?:select|delete)\b.+?\bfrom|insert\s+into|update\b.+?\bset|with\b.+?\bas\s*\(|"
    r"(?:create|alter|drop)\s+(?:or\s+replace\s+)?(?:temp\w*\s+|unique\s+)?(?:table|view|index|function|trigger))\b"
    r"|\A\s*(?:<!doctype\b|<[a-z][\w-]*(?:\s[^<>]*)?>.*>\s*\Z|<\?|#!\s*/)"
    r"|^[^\S\n]*(?:#include\b|package [\w.]+;?$|using [\w.:]+ ?\w*;|(?:pub )?fn \w+|func \w+|function\b[^\n:]*\(|"
    r"(?:public|private|protected|static|export|struct|enum|interface|impl)\b[^\n]*[{;]$|"
    r"(?:const|let|var)\s+(?:mut\s+)?[\w{\[][^\n]*=|[a-z]\w*\s+::\s|[\w.]+ <- |end\s*\Z)",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_BLOCK_LINE = re.compile(r"[;{}][^\S\n]*(?://.*)?$", re.MULTILINE)
_PYTHON = re.compile(
    r"^[^\S\n]*(?:(?:async )?def \w+ ?\(|class \w+(?:\([^)]*\))?:|import [\w.]+(?: as \w+)?$|from [\w.]+ import |@\w+$)"
    r"|\blambda\b[^\n]*:|^[^\S\n]*(?:if|elif|for|while|with)\b[^\n{]*:$|^(?:\w+, ?)*\w+ = [^\n;{]*[^\n;{\s]$",
    re.MULTILINE,
)
_ENDED = re.compile(r"^[ \t]*end[ \t]*\Z", re.MULTILINE)
_COMMENT = re.compile(r"\s*(?:--|//|#|/?\*|%|;)")
_BEGINS_TO_SAY = re.compile(r"\s*(?:[^\W\d_]+(?:,? [\w'’-]+){2}|[^\x00-\x7f]{4})")
_SIGNS = frozenset("(){}=<>;$@/\\|")


def looks_like_python(text: str) -> bool:
    """Whether a text is meant as Python, valid or not: it defines, imports or loops as Python does."""
    return _PYTHON.search(text) is not None and not _ENDED.search(text.rstrip())


def is_other_program(text: str) -> bool:
    """Whether a text is a program, a query or markup in another language than Python."""
    if looks_like_python(text) or is_prose(text):
        return False
    lines = [line for line in text.split("\n") if line.strip()]
    return _OTHER.search(text) is not None or 2 * len(_BLOCK_LINE.findall(text)) > len(lines) > 0


def is_prose(text: str) -> bool:
    """Whether a text begins with a sentence, or half of it are sentences; comments are none."""
    lines = [line for line in text.split("\n") if line.strip() and not _COMMENT.match(line)]
    said = [
        line.rstrip().endswith((*".:!?。！？।：",))
        and _SIGNS.isdisjoint(line)
        and _BEGINS_TO_SAY.match(line) is not None
        for line in lines
    ]
    return bool(said) and (said[0] or 2 * sum(said) >= len(said))


_NO_CODE = re.compile(r"\\.|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|(?://|--|#)[^\n]*")


def lacks_bracket(program: str) -> bool:
    """Whether a program in braces has a bracket without its other one, with what is quoted and without."""
    if "{" not in program or ";" not in program or not is_other_program(program):
        return False
    texts = (program, _NO_CODE.sub(" ", program))
    return any(all(text.count(one) != text.count(other) for text in texts) for one, other in ("()", "[]", "{}"))
