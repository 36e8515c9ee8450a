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


NO_PROGRAM = ("json", "text", "output", "bash", "sh", "console", "plaintext")
"""languages of blocks that stand beside a program"""
MOST_PARTS = 200
"""paragraphs of a text in which a program is looked for"""
MOST_PARAGRAPHS = 6
"""paragraphs of prose around a program, and one more"""
LONGEST_LEAD = 120
SHOWS_USE = re.compile(
    r"(?:^|\n)[ \t*_#>-]*(?:(?:for |here is an? |an? )?(?:example|sample)\b|(?:example |sample )?usage\b|how to use|"
    r"(?:example |sample |expected )?(?:output|input|call|run|result)s?\b|try it|"
    r"verwendung|beispiel|ausgabe|aufruf|exemple|utilisation|sortie|appel|ejemplo|uso|salida|esempio|utilizzo|exemplo|saída|"
    r"voorbeeld|gebruik|exempel|przykład|użycie|пример|использование|вывод|приклад|örnek|kullanım|contoh|ví dụ|"
    r"使用|用法|示例|例|输出|使い方|出力|사용|예시|출력)[^\n]{0,80}\n\s*$",
    re.IGNORECASE,
)
"""a line above a block that shows how a program is used, or what it prints"""
NAME = re.compile(
    r"^(?:(?:export|default|public|private|protected|internal|static|async|pub|inline|final|abstract|override|local|"
    r"unsafe|suspend)\s+)*(?:(?:function\*?|fn|func|fun|def|class|struct|sub|proc|procedure|defn|defun|module|interface|"
    r"trait|enum)\s+(?:\([^()\n]{1,60}\)\s*)?(?P<name>[A-Za-z_]\w*)|(?:const|let|var|val)\s+(?P<value>\w+)\s*=\s*"
    r"(?:async\s*)?(?:function\b|(?:\([^()\n]{0,200}\)|\w+)\s*=>)|(?!(?:if|for|while|switch|else|return|do|catch)\b)"
    r"[A-Za-z_][\w:<>,*& \[\]]{0,80}?[\s*&](?P<typed>[A-Za-z_]\w*)\s*\([^(){};\n]{0,200}\)\s*(?:const\s*)?\{)",
    re.MULTILINE,
)
"""a definition at the beginning of a line, in languages other than Python"""


def program_of(text: str) -> str:
    """The program in a text: the text itself if it is Python, else the definitions in its fenced blocks, with the last
    version of a function that is defined twice.
    """
    text = text.strip("\n")
    every = list(FENCE.finditer(text))
    fences = [found for found in every if found["language"].lower() not in NO_PROGRAM] or every
    own = [
        found for found in fences if not SHOWS_USE.search(text[max(0, found.start() - LONGEST_LEAD) : found.start()])
    ]
    blocks = [found["body"].strip("\n") for found in own or fences]
    if not blocks or parse_program(text) is not None:
        return text.strip() if blocks else _without_prose(text)
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


def _without_prose(text: str) -> str:
    """A text without the paragraphs before and behind a program in Python that stands in it without a fence."""
    parts = text.split("\n\n")
    if not 1 < len(parts) < MOST_PARTS or parse_program(text) is not None:
        return text
    for dropped in range(1, min(len(parts), MOST_PARAGRAPHS)):
        for first in range(dropped + 1):
            program = "\n\n".join(parts[first : len(parts) - dropped + first])
            if defined_in_python(program):
                return program
    return text


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
    """Names of the functions and classes that a program defines at its top level."""
    if parse_program(program) is not None:
        return defined_in_python(program)
    return {name for found in NAME.finditer(program) if (name := found["name"] or found["value"] or found["typed"])}


def defined_in_python(program: str) -> set[str]:
    """The same; none if the program is not Python."""
    tree = parse_program(program)
    if tree is None:
        return set()
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    assigned = [node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda)]
    return names | {target.id for node in assigned for target in node.targets if isinstance(target, ast.Name)}


def called(tests: list[str]) -> list[str]:
    """The calls in tests without the expected results, which a solver must not see."""
    return [ast.unparse(calls[0]) for test in tests if (calls := asserted_calls(test))]
