"""Tests and calls, compiled and run by the tester, and the canonical text of a result."""

import ast
import builtins
import collections
import math
from collections.abc import Callable
from typing import Any

from nemo_sdg.verify.inside.codec import Ended, Unsupported

BUILTINS = dict(vars(builtins))
MODULES = ("math", "sys", "re", "collections", "itertools", "random", "datetime", "string", "functools")
"""Modules that a test may name without importing them, where a right program has no need for them"""
MAPPINGS = (dict, collections.Counter, collections.OrderedDict, collections.defaultdict)
MAX_LITERAL = 20_000
"""Characters of a result: it becomes a test of the sample, which a reader should still be able to read"""


def prepare(test: str) -> Any:
    """(compiled test, names that it uses), or None if it is not Python."""
    try:
        tree = ast.parse(test.strip())
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        return compile(tree, "test", "exec"), used
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def prepare_call(call: str) -> Any:
    try:
        tree = ast.parse(call.strip(), mode="eval")
        return compile(tree, "call", "eval"), {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class Scope:
    """What tests find under their names: the program's, and what tests before have set."""

    def __init__(self, remotes: dict[str, Any], ask: Callable[..., Any]) -> None:
        self.remotes, self.ask = remotes, ask
        self.set_up: dict[str, Any] = {}

    def names(self, used: set[str]) -> dict[str, Any]:
        """A program may define `sum` where that is the function under test, and not where the test only uses it."""
        own = {name for name in used if name in self.remotes}
        if any(name not in BUILTINS for name in own):
            own = {name for name in own if name not in BUILTINS}
        modules = {name: __import__(name) for name in used if name in MODULES and name not in self.set_up}
        found = {name: self.ask("value", self.remotes[name]) for name in own if name not in modules}
        return {**modules, **found, **self.set_up, "__builtins__": BUILTINS, "__name__": "test"}


def verdict(test: Any, scope: Scope) -> str:
    """passed, failed or unsupported; names that a test sets are there for the tests after it."""
    if test is None:
        return "failed"
    compiled, used = test
    try:
        names = scope.names(used)
        before = dict(names)
        exec(compiled, names)
    except (Ended, KeyboardInterrupt):
        raise
    except Unsupported:
        return "unsupported"
    except BaseException:
        return "failed"
    scope.set_up.update({n: value for n, value in names.items() if n not in before or before[n] is not value})
    return "passed"


def outcome(call: Any, scope: Scope) -> list[str] | None:
    """(canonical text, literal) of a call that gives the same plain value twice."""
    if call is None:
        return None
    compiled, used = call
    try:
        first, second = (eval(compiled, scope.names(used)) for _ in range(2))
        shown = canonical(first)
        written = literal(first)
        return [shown, written] if shown == canonical(second) and len(written) <= MAX_LITERAL else None
    except Ended:
        raise
    except BaseException:
        return None


def canonical(value: Any) -> str:
    """One text for equal values: floats to 9 digits and 2.0 as 2, sets and dicts in order; raises TypeError for what
    is no literal.
    """
    kind = type(value)
    if kind is float and math.isfinite(value):
        value = float(f"{value:.9g}")
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if kind is bool:
        return str(int(value))
    if kind in (int, complex, str, bytes, type(None)):
        return repr(value)
    if kind in (list, tuple):
        return f"{kind.__name__}({', '.join(map(canonical, value))})"
    if kind in (set, frozenset):
        return f"set({', '.join(sorted(map(canonical, value)))})"
    if kind in MAPPINGS:
        return f"dict({', '.join(sorted(f'{canonical(key)}: {canonical(item)}' for key, item in value.items()))})"
    raise TypeError(kind)


def literal(value: Any) -> str:
    """Python source of a value that `canonical` takes."""
    kind = type(value)
    if kind in (set, frozenset):
        return "{" + ", ".join(sorted(map(literal, value))) + "}" if value else "set()"
    if kind is list:
        return f"[{', '.join(map(literal, value))}]"
    if kind is tuple:
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if kind in MAPPINGS:
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    return repr(value)
