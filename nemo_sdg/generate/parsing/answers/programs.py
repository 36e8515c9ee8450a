"""Finds programs in a reply, and the calls in tests. Text is parsed; nothing is run.

program_of("Here it is:\\n```python\\ndef f(): …\\n```\\nDone.")     -> "def f(): …"
called(["assert f(1) == 2"])                                      -> ["f(1)"]
"""

import ast
import re
import symtable

from nemo_sdg.text.programs import asserted_calls, parse_program

FENCE = re.compile(
    r"^[ \t]*(?P<fence>`{3,}+|~{3,}+)[ \t]*(?P<language>[A-Za-z0-9_+-]*)[^\n`]*\n"
    r"(?P<body>.*?)(?:\n[ \t]*(?P=fence)[ \t]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)


def program_of(text: str) -> str:
    """The program in a text: the text itself if it is Python, else the definitions in its fenced blocks, with the last
    version of a function that is defined twice.
    """
    text = text.strip("\n")
    blocks = [
        found["body"].strip("\n")
        for found in FENCE.finditer(text)
        if found["language"].lower() not in ("json", "text", "output", "bash", "sh", "console", "plaintext")
    ]
    if not blocks or parse_program(text) is not None:
        return text.strip() if blocks else text
    kept: list[str] = []
    for block in blocks:
        names = defined(block)
        if not names:
            continue
        kept = [other for other in kept if not defined(other) & names]
        kept.append(block)
    if not kept:
        return blocks[-1]
    return "\n\n\n".join([*_prepared(blocks, kept), *kept])


def _prepared(blocks: list[str], kept: list[str]) -> list[str]:
    """The blocks of imports and constants that definitions use, in their order."""
    needed = set().union(*map(_global_names, kept))
    own = set().union(*map(defined, kept))
    found: list[str] = []
    for block in reversed([block for block in blocks if block not in kept]):
        tree = parse_program(block)
        plain = tree is not None and all(
            isinstance(node, ast.Import | ast.ImportFrom | ast.Assign) for node in tree.body
        )
        if tree is None or not plain or not needed & _bound_names(tree) or own & _global_names(block):
            continue
        found.insert(0, block)
        needed |= _global_names(block)
    return found


def _bound_names(tree: ast.Module) -> set[str]:
    """Names that imports and assignments give a value."""
    aliases = [node for node in ast.walk(tree) if isinstance(node, ast.alias)]
    stored = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    return {alias.asname or alias.name.split(".")[0] for alias in aliases} | {node.id for node in stored}


def _global_names(program: str) -> set[str]:
    """Names that a program reads from outside of its functions."""
    try:
        tables = [symtable.symtable(program, "program", "exec")]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found: set[str] = set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        found |= {
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_referenced() and (symbol.is_global() or table.get_type() == "module")
        }
    return found


def defined(program: str) -> set[str]:
    """Names of the functions and classes that a program defines at its top level; none if it is not Python."""
    tree = parse_program(program)
    if tree is None:
        return set()
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    assigned = [node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda)]
    return names | {target.id for node in assigned for target in node.targets if isinstance(target, ast.Name)}


def called(tests: list[str]) -> list[str]:
    """The calls in tests without the expected results, which a solver must not see."""
    return [ast.unparse(calls[0]) for test in tests if (calls := asserted_calls(test))]
