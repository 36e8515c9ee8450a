"""Functions of task files are loaded without the rest of their module."""

from pathlib import Path

import pytest

from nemo_sdg.errors import DataError
from nemo_sdg.seeds.prompts.functions import resolve_function

MODULE = """
import no_such_metric_package
import math as m
from functools import partial

scorer = no_such_metric_package.load("code_eval")
TABLE = {}
for index, letter in enumerate("AB"):
    TABLE[letter] = index
TABLE.update(C=2)


def helper(row: no_such_metric_package.Row) -> "no_such_metric_package.Row":
    return m.floor(row["x"]) + TABLE["C"]


def doc_to_text(row, *, plus=0):
    return f"{helper(row) + plus}"


doc_to_target = partial(doc_to_text, plus=10)


def score(results):
    return scorer.compute(results)


def needs_what_is_gone(row):
    return no_such_metric_package.clean(row)


if True:
    def conditional(row):
        return "yes"
"""


@pytest.fixture
def folder(tmp_path: Path) -> str:
    (tmp_path / "utils.py").write_text(MODULE)
    return str(tmp_path)


def test_only_what_the_function_needs_is_run(folder: str) -> None:
    assert resolve_function(folder, "utils.doc_to_text")({"x": 3.7}) == "5"
    assert resolve_function(folder, "utils.doc_to_target")({"x": 3.7}) == "15"
    assert resolve_function(folder, "utils.conditional")({}) == "yes"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("utils.needs_what_is_gone", "line 2 of .*utils.py fails: ModuleNotFoundError"),
        ("utils.score", "fails: ModuleNotFoundError"),
        ("utils.not_there", "has no such function"),
        ("elsewhere.function", "cannot be imported"),
        ("function", "names no module"),
    ],
)
def test_failures_are_one_line(folder: str, name: str, says: str) -> None:
    with pytest.raises(DataError, match=says) as caught:
        resolve_function(folder, name)
    assert "\n" not in str(caught.value)


def test_a_module_that_does_not_parse(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def f(:\n")
    with pytest.raises(DataError, match="cannot be read: SyntaxError"):
        resolve_function(str(tmp_path), "broken.f")


def test_installed_modules_are_found_when_there_is_no_file(tmp_path: Path) -> None:
    assert resolve_function(str(tmp_path), "os.path.basename")("a/b") == "b"
