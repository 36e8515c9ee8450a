"""Rows of training sets outside lm-eval, made ready for the task files of catalog/pools by their process_docs.

Programs that read their input and print their output become a function, `solve(data)`, so that their tests can be run:

    n = int(input())          def solve(data: str) -> str:
    print(n + 1)                  lines = iter(data.splitlines())
                                  out = io.StringIO()
                                  n = int(next(lines))
                                  print(n + 1, file=out)
                                  return out.getvalue()
"""

import ast
import json
from typing import Any

MAX_EVIDENCE = 2000
"""characters of the paragraphs that are shown for a question of TriviaQA"""
MAX_TESTS = 8
MAX_TEST_CHARACTERS = 2000
"""of one test's input and output; larger ones are for timing"""
PYTHON3 = 3
"""CodeContests' number for the language"""
_ASK = (
    "\n\nWrite a Python function `solve(data: str) -> str` that takes the whole input as one text and returns the "
    "whole output as one text."
)
_OUTSIDE = {"sys", "os", "exit", "quit", "open", "exec", "eval", "__name__", "threading", "fileinput", "globals"}


def fever(dataset: Any) -> Any:
    """Each claim once; those that were neither supported nor refuted need evidence that the rows do not hold."""
    seen: set[int] = set()
    kept = []
    for number, (identity, label) in enumerate(zip(dataset["id"], dataset["label"], strict=True)):
        if label in ("SUPPORTS", "REFUTES") and identity not in seen:
            seen.add(identity)
            kept.append(number)
    return dataset.select(kept)


def trivia_qa(dataset: Any) -> Any:
    """Questions whose evidence pages name the answer, with the paragraphs that do."""
    return dataset.map(_with_evidence, remove_columns=["entity_pages"]).filter(_has_evidence)


def _with_evidence(row: dict[str, Any]) -> dict[str, Any]:
    names = [name.casefold() for name in [row["answer"]["value"], *row["answer"]["aliases"]] if len(name) > 2]
    shown: list[str] = []
    for page in row["entity_pages"]["wiki_context"]:
        for paragraph in page.split("\n"):
            text = paragraph.strip()
            if any(name in text.casefold() for name in names) and sum(map(len, shown)) + len(text) <= MAX_EVIDENCE:
                shown.append(text)
    return {"evidence": "\n".join(shown)}


def _has_evidence(row: dict[str, Any]) -> bool:
    return bool(row["evidence"])


def code_contests(dataset: Any) -> Any:
    """Problems with a Python 3 solution that can be written as a function."""
    return dataset.map(_contest).filter(_has_tests)


def _contest(row: dict[str, Any]) -> dict[str, Any]:
    tests = [
        pair
        for kind in ("public_tests", "private_tests")
        for pair in zip(row[kind]["input"], row[kind]["output"], strict=True)
    ]
    solutions = row["solutions"]
    programs = [
        program
        for language, program in zip(solutions["language"], solutions["solution"], strict=True)
        if language == PYTHON3
    ]
    return _as_function(row["description"], programs, tests)


def apps(dataset: Any) -> Any:
    """Problems with tests, as a call of the function that they name or as `solve(data)`."""
    return dataset.map(_app).filter(_has_tests)


def _app(row: dict[str, Any]) -> dict[str, Any]:
    try:
        cases, programs = json.loads(row["input_output"]), json.loads(row["solutions"])
        pairs = list(zip(cases["inputs"], cases["outputs"], strict=True))
    except (ValueError, KeyError, TypeError):
        return {"problem": row["question"], "code": "", "test_list": []}
    name = cases.get("fn_name")
    if name is None:
        texts = [(_text(given), _text(wanted)) for given, wanted in pairs]
        return _as_function(row["question"], programs, texts)
    code = next((program for program in programs if _defines(program, name)), "")
    tests = [
        f"assert {name}({', '.join(map(repr, given))}) == {(wanted[0] if _wraps(wanted) else wanted)!r}"
        for given, wanted in pairs
        if isinstance(given, list)
    ]
    starter = f"\n\n{row['starter_code'].strip()}" if row.get("starter_code") else ""
    return {"problem": row["question"] + starter, "code": code, "test_list": _short(tests) if code else []}


def _wraps(wanted: Any) -> bool:
    return isinstance(wanted, list) and len(wanted) == 1


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "\n".join(map(str, value))


def _has_tests(row: dict[str, Any]) -> bool:
    return bool(row["test_list"]) and bool(row["code"])


def _short(tests: list[str]) -> list[str]:
    return [test for test in tests if len(test) <= MAX_TEST_CHARACTERS][:MAX_TESTS]


def _defines(program: str, name: str) -> bool:
    """Whether a program has this function at its top level: methods of a class cannot be called so."""
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body)


def _as_function(problem: str, programs: list[str], tests: list[tuple[str, str]]) -> dict[str, Any]:
    code = next((found for program in programs if (found := as_function(program)) is not None), "")
    asserts = [f"assert solve({given!r}).split() == {wanted!r}.split()" for given, wanted in tests]
    return {"problem": problem.strip() + _ASK, "code": code, "test_list": _short(asserts) if code else []}


def as_function(program: str) -> str | None:
    """A program that reads by input() and writes by print() as the function `solve`; None where it does more."""
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError):
        return None
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    body = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    modules = {alias.name.split(".")[0] for node in imports for alias in node.names} | {
        (node.module or "").split(".")[0] for node in imports if isinstance(node, ast.ImportFrom)
    }
    rebinds = any(isinstance(node, ast.Global | ast.Nonlocal) for node in ast.walk(tree))
    if not body or rebinds or (names | modules) & _OUTSIDE or names & {"lines", "out", "data", "solve"}:
        return None
    if "input" not in names or "print" not in names:
        return None
    lines = [ast.unparse(node) for node in map(_Streams().visit, body)]
    inner = "\n".join(f"    {line}" for text in lines for line in text.split("\n"))
    head = "\n".join(["import io", *(ast.unparse(node) for node in imports)])
    start = "    lines = iter(data.splitlines())\n    out = io.StringIO()"
    return f"{head}\n\n\ndef solve(data: str) -> str:\n{start}\n{inner}\n    return out.getvalue()\n"


class _Streams(ast.NodeTransformer):
    """input() takes the next line, print() writes into `out`."""

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id == "input" and isinstance(node.ctx, ast.Load):  # map(int, iter(input, ''))
            return ast.parse("lambda *prompt: next(lines)", mode="eval").body
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id == "input":
            return ast.parse("next(lines)", mode="eval").body
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "print":
            node.keywords = [
                *(keyword for keyword in node.keywords if keyword.arg not in ("file", "flush")),
                ast.keyword(arg="file", value=ast.Name("out", ast.Load())),
            ]
        return node
