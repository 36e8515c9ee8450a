"""Functions that a task file names (`doc_to_text: !function utils.doc_to_text`), without the rest of their module.

Importing such a module whole runs its metrics: `evaluate.load("code_eval")` wants the network, others import what is
not installed. Only the top-level statements that a function depends on are run, so record renders although its scorer's
import is gone.
"""

import __future__

import ast
import functools
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nemo_sdg.errors import DataError, one_line


def resolve_function(folder: str, name: str) -> Callable[..., Any]:
    """The function `module.function` as seen from a task file's folder: beside the file first, then as an installed
    module.

    Raises DataError in one line when there is none or when a statement that it needs fails.
    """
    module, _, function = name.rpartition(".")
    if not module:
        raise DataError(f"!function {name} in {folder} names no module; write module.function")
    file = Path(folder) / f"{module.replace('.', '/')}.py"
    if file.is_file():
        return _from_file(str(file.resolve()), function)
    try:
        imported = __import__(module, fromlist=[function])
        found: Callable[..., Any] = getattr(imported, function)
    except (Exception, SystemExit) as exc:  # whatever a foreign module raises while it is imported
        raise DataError(f"!function {name} in {folder} cannot be imported: {one_line(exc)}") from exc
    return found


def plain(value: Any) -> Any:
    """What a task's function gives, with numpy's numbers and arrays as Python's own, and sets, which have no order that
    repeats, as sorted lists.
    """
    if isinstance(value, set | frozenset):
        return sorted(value, key=lambda item: (str(type(item)), str(item)))
    return value.tolist() if type(value).__module__ == "numpy" else value


@functools.lru_cache(maxsize=512)
def _from_file(file: str, function: str) -> Callable[..., Any]:
    try:
        tree = ast.parse(Path(file).read_text(encoding="utf-8"), filename=file)
    except (OSError, SyntaxError, ValueError) as exc:
        raise DataError(f"!function {function}: {file} cannot be read: {one_line(exc)}") from exc
    module = types.ModuleType(_module_name(file))
    module.__file__ = file
    module.__package__ = module.__name__.rpartition(".")[0]
    for statement in _needed(tree, function):
        code = compile(
            ast.Module([statement], []), file, "exec", flags=__future__.annotations.compiler_flag, dont_inherit=True
        )
        try:
            exec(code, module.__dict__)
        except (Exception, SystemExit) as exc:  # a task's own code may raise anything
            raise DataError(f"!function {function}: line {statement.lineno} of {file} fails: {one_line(exc)}") from exc
    found = module.__dict__.get(function)
    if not callable(found):
        raise DataError(f"!function {function}: {file} has no such function")
    result: Callable[..., Any] = found
    return result


def _module_name(file: str) -> str:
    """The dotted name below the first package root on sys.path, so that relative imports work; else the file's stem."""
    for root in sys.path:
        if root and file.startswith(root.rstrip("/") + "/"):
            relative = file[len(root.rstrip("/")) + 1 :].removesuffix(".py").replace("/", ".")
            if all(part.isidentifier() for part in relative.split(".")):
                return relative
    return Path(file).stem


def _needed(tree: ast.Module, function: str) -> list[ast.stmt]:
    """The top-level statements that bind `function` or, transitively, a name that one of these statements reads."""
    binds = [(_bound(statement), statement) for statement in tree.body]
    wanted, chosen, queue = {function}, set(), [function]
    while queue:
        name = queue.pop()
        for index, (bound, statement) in enumerate(binds):
            if index not in chosen and (name in bound or "*" in bound):
                chosen.add(index)
                new = _read(statement) - wanted
                wanted |= new
                queue += sorted(new)
    return [binds[index][1] for index in sorted(chosen)]


def _bound(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    names = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name.split(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            names.add(node.func.value.id)
    return names


def _read(statement: ast.stmt) -> set[str]:
    """Names that a statement reads; annotations are left out, as they are not evaluated."""
    names, queue = set(), [statement]
    nodes: list[ast.AST] = list(queue)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            names.add(node.id)
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns"):
                continue
            nodes += [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, ast.AST)]
    return names
