"""Filters of programs: they parse, define what the question asks for, and their tests call it. Nothing is run."""

import ast
import builtins
import re
import warnings

from nemo_sdg.curate.filters.view import Finding, View, excerpt
from nemo_sdg.records import Kind
from nemo_sdg.text.programs import is_other_program, is_prose, lacks_bracket, looks_like_python

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
NAMED = re.compile(
    r"\b(?:sql|mysql|sqlite|postgres\w*|javascript|typescript|java|kotlin|scala|swift|rust|golang|php|ruby|perl|bash|"
    r"shell|powershell|awk|haskell|ocaml|clojure|erlang|elixir|prolog|matlab|octave|julia|lua|fortran|cobol|pascal|"
    r"assembl\w+|verilog)(?!\w)|\b(?:c\+\+|c#)|(?-i:\bGo\b|\b[CR]\b(?! *[-=<>+*/])|\bJS\b)",
    re.IGNORECASE,
)
NAMED_MARKUP = re.compile(
    r"\b(?:html|css|xml|xpath|latex|regex\w*|reg(?:ular|ulär\w*|uli[eè]re?) expressions?|expresi[oó]n regular|json|"
    r"yaml|dockerfile|makefile|graphql)(?!\w)|正则|正規表現|정규식|регулярн\w+ выражени",
    re.IGNORECASE,
)
"""What may also be the subject of a program in Python"""


def _is_other_language(view: View) -> bool:
    """Whether another language than Python is asked for: neither question nor tests nor the answer are of Python, and
    the question names another, or the answer is written in one. A function of no language is one in Python.
    """
    if "python" in view.folded(view.question):
        return False
    tests = [text for _, text in view.texts("tests")]
    if tests and not any(text.rstrip().endswith(";") or isinstance(_parse(text), str) for text in tests):
        return False
    if OTHER_LANGUAGE.search(view.question):
        return True
    if looks_like_python(view.answer):
        return False
    if NAMED.search(view.question) and (not tests or is_other_program(view.answer)):
        return True
    asked = ASKED.search(view.question)
    if asked is not None and not view.question[asked.end() :].partition("\n")[0].rstrip().endswith("{"):
        return False
    return is_other_program(view.answer) or (not tests and NAMED_MARKUP.search(view.question) is not None)


def code_parses(view: View) -> Finding | None:
    """For kind code: the program and every test are valid Python; elsewhere it is no prose and closes its brackets."""
    if view.kind != Kind.code:
        return None
    if _is_other_language(view):
        broken = is_prose(view.answer) or lacks_bracket(view.answer)
        return ("code_does_not_parse", f"answer: {excerpt(view.answer)}") if broken else None
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
