"""Finds programs in a reply, and the calls in tests. Text is parsed; nothing is run.

program_of("Here it is:\\n```python\\ndef f(): …\\n```\\nDone.")     -> "def f(): …"
called(["assert f(1) == 2"])                                      -> ["f(1)"]
"""

import ast
import re

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
    return "\n\n\n".join(kept) if kept else blocks[-1]


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
