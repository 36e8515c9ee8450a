"""Filters of programs: they parse, define what the question asks for, and their tests call it. Nothing is run."""

import ast
import builtins
import re
import warnings

from nemo_sdg.curate.filters.view import Finding, View, excerpt
from nemo_sdg.records import Kind

ASKED = re.compile(
    r"`(?:def |class )?([A-Za-z_]\w*)\([^`\n]*\)`|\b(?:function|def|method|funktion|fonction|"
    r"función)\s+([A-Za-z_]\w*)\("
)


PROGRAMS = r"sql|javascript|typescript|java|c\+\+|rust|php|ruby|bash|haskell"
MARKUP = r"html|css|latex"
OTHER_LANGUAGE = re.compile(
    rf"\bin (?:plain |pure |modern )?(?:{PROGRAMS}|golang)(?!\w)"
    rf"|\b(?:page|form|list|table|link|button|document|formula|rule) in (?:{MARKUP})\b"
    rf"|\b(?:write|give|create) (?:(?:the|an?|some|valid) )?(?:{PROGRAMS}|{MARKUP}) (?:for|of|with|to|that|which|query|"
    r"statement|page|rule|document|code|program|function|script|command|macro|class|method|table|list|form|snippet|"
    r"selector)\b",
    re.IGNORECASE,
)
"""Such a language is written in; `a function that parses a JSON string` has it as its subject"""


def _is_other_language(view: View) -> bool:
    """Whether a question without tests asks for another language of programs or markup, and Python nowhere."""
    if view.sample.get("tests") or "python" in view.folded(view.question):
        return False
    return OTHER_LANGUAGE.search(view.question) is not None


def code_parses(view: View) -> Finding | None:
    """For kind code: the program and every test are valid Python."""
    if view.kind != Kind.code or _is_other_language(view):
        return None
    for name, text in view.texts("answer", "tests"):
        tree = _parse(text)
        if isinstance(tree, str):
            return "code_does_not_parse", f"{name}: {tree}"
    return None


def code_tests(view: View) -> Finding | None:
    """For kind code: the function that the question names is there, and the tests call what the program defines."""
    if view.kind != Kind.code or _is_other_language(view):
        return None
    program = _parse(view.answer)
    if isinstance(program, str):
        return None
    defined = {
        node.name
        for node in ast.walk(program)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    } | {node.id for node in ast.walk(program) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    stub = next((node.name for node in program.body if isinstance(node, ast.FunctionDef) and _is_stub(node)), None)
    if stub is not None and len(program.body) == 1:
        return "code_is_a_stub", stub
    if not defined:
        return "code_defines_nothing", excerpt(view.answer)
    match = ASKED.search(view.question)
    asked = (match.group(1) or match.group(2)) if match else None
    if asked is not None and asked not in defined and not hasattr(builtins, asked):
        return "function_not_defined", asked
    tests = [text for _, text in view.texts("tests")]
    if tests and not any(defined & _called(text) for text in tests):
        return "tests_do_not_test", excerpt(tests[0])
    if tests and all(map(_cannot_fail, tests)):
        return "tests_cannot_fail", excerpt(tests[0])
    return None


def _is_stub(function: ast.FunctionDef) -> bool:
    """Whether a function holds nothing but a docstring, `pass`, `...` or a NotImplementedError."""
    return all(
        isinstance(node, ast.Pass)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.Raise) and "NotImplemented" in ast.dump(node))
        for node in function.body
    )


def _called(code: str) -> set[str]:
    """Names that are called in the code, be it as `f(…)` or as `f.method(…)`."""
    tree = _parse(code)
    if isinstance(tree, str):
        return set()
    functions = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {name.id for function in functions for name in ast.walk(function) if isinstance(name, ast.Name)}


ANY_ERROR = frozenset(["Exception", "BaseException", "AssertionError"])


def _cannot_fail(code: str) -> bool:
    """Whether all of a test stands in `try` blocks that swallow a failed assertion, or in assertions of a constant."""
    tree = _parse(code)
    return not isinstance(tree, str) and all(_swallows(node) or _is_true(node) for node in tree.body)


def _swallows(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Try) or node.orelse or node.finalbody:
        return False
    caught = [handler for handler in node.handlers if handler.type is None or ANY_ERROR & _names(handler.type)]
    return bool(caught) and all(isinstance(part, ast.Pass | ast.Continue) for part in caught[0].body)


def _names(node: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _is_true(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assert) and isinstance(node.test, ast.Constant) and bool(node.test.value)


def _parse(code: str) -> ast.Module | str:
    """The syntax tree, or what is wrong with the code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(code)
        except SyntaxError as exc:
            return f"{exc.msg} (line {exc.lineno})"
        except (ValueError, RecursionError, MemoryError) as exc:
            return str(exc) or type(exc).__name__
