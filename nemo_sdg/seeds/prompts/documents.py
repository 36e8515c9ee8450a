"""A task's own functions over rows: process_docs as lm-eval calls it, with random numbers that repeat.

lm-eval hands the whole split to process_docs. A function that only maps and filters row by row gives the same on a
part of it, and is given batches, so that memory does not grow with the split; any other (it selects rows, numbers them,
drops repeated ones) sees all rows at once.
"""

import ast
import contextlib
import functools
import inspect
import random
import textwrap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from nemo_sdg.errors import one_line
from nemo_sdg.seeds.fields.reading import Unrenderable
from nemo_sdg.seeds.prompts.templates import Row

BATCH = 500
"""rows that a row-wise process_docs sees at a time"""
_MAX_ALONE = 2000
"""rows up to which a process_docs that hides the row of its documents is tried row by row: 2 ms a row"""
_NUMBER_COLUMN = "nemo_sdg_row_number"
_ROW_WISE = {
    "map",
    "filter",
    "rename_column",
    "rename_columns",
    "remove_columns",
    "select_columns",
    "cast",
    "cast_column",
    "flatten",
}

Documents = tuple[int, Row, "list[Row] | Unrenderable"]
"""row number, row, and what process_docs makes of it: [] where it leaves the row out, several where it unfolds it"""


def is_row_wise(function: Callable[..., Any]) -> bool:
    """Whether process_docs does nothing but map and filter its rows one by one, read off its source. False where that
    cannot be seen.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return False
    node = tree.body[0]
    if not isinstance(node, ast.FunctionDef) or not node.args.args:
        return False
    datasets = {node.args.args[0].arg}
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef | ast.Import | ast.ImportFrom) or (
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        ):
            if isinstance(statement, ast.FunctionDef) and any(
                isinstance(inner, ast.Global | ast.Nonlocal) for inner in ast.walk(statement)
            ):
                return False
            continue
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            if not _is_chain(statement.value, datasets):
                return False
            datasets.add(statement.targets[0].id)
            continue
        return isinstance(statement, ast.Return) and _is_chain(statement.value, datasets)
    return False


def _is_chain(node: ast.expr | None, datasets: set[str]) -> bool:
    """`dataset.map(f).filter(g)` over one of the names, without options that give a function more than one row."""
    if isinstance(node, ast.Name):
        return node.id in datasets
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _ROW_WISE
        and not any(keyword.arg in ("with_indices", "with_rank", "batched", None) for keyword in node.keywords)
        and len(node.args) < 3
        and _is_chain(node.func.value, datasets)
    )


class Processor:
    """process_docs of one task. `seed` begins the random numbers that its functions draw."""

    def __init__(self, function: Callable[..., Any], seed: str) -> None:
        self.function = function
        self.is_row_wise = is_row_wise(function)
        self._seed = seed

    def documents(self, rows: Iterable[tuple[int, Row]]) -> Iterator[Documents]:
        """In row order. Where process_docs sees all rows, they are held in memory."""
        if not self.is_row_wise:
            yield from self._whole(list(rows))
            return
        batch: list[tuple[int, Row]] = []
        for item in rows:
            batch.append(item)
            if len(batch) == BATCH:
                yield from self._batch(batch)
                batch = []
        yield from self._batch(batch)

    def _batch(self, batch: list[tuple[int, Row]]) -> Iterator[Documents]:
        found = self._numbered(batch) if batch else {}
        if found is not None:
            yield from ((number, row, found.get(number, [])) for number, row in batch)
            return
        # A function that raises or takes the number away is called row by row: each failure is counted.
        yield from ((number, row, self._alone(row)) for number, row in batch)

    def _whole(self, rows: list[tuple[int, Row]]) -> Iterator[Documents]:
        if not rows:
            return
        found = self._numbered(rows)
        if found is not None:
            yield from ((number, row, found.get(number, [])) for number, row in rows)
            return
        whole: list[Row] | Unrenderable
        try:
            whole = self._call([row for _, row in rows])
        except (Exception, SystemExit) as exc:  # a task's own code may raise anything
            whole = Unrenderable("process_docs_failed", one_line(exc))
        if len(rows) <= _MAX_ALONE:
            alone = [(number, row, self._alone(row)) for number, row in rows]
            together = [document for _, _, documents in alone if isinstance(documents, list) for document in documents]
            if isinstance(whole, Unrenderable) or together == whole:
                yield from alone
                return
        # Which row a document is made of cannot be seen: the documents are counted in their own order.
        for place, (number, row) in enumerate(rows):
            last = place == len(rows) - 1
            yield number, row, whole if isinstance(whole, Unrenderable) else whole[place : None if last else place + 1]

    def _alone(self, row: Row) -> list[Row] | Unrenderable:
        try:
            return self._call([row])
        except (Exception, SystemExit) as exc:  # a task's own code may raise anything
            return Unrenderable("process_docs_failed", one_line(exc))

    def _numbered(self, rows: list[tuple[int, Row]]) -> dict[int, list[Row]] | None:
        """Documents by the number of their row; None where process_docs fails or gives documents without it."""
        try:
            documents = self._call([{**row, _NUMBER_COLUMN: number} for number, row in rows])
        except (Exception, SystemExit):  # it may be the added column: the caller tries without it
            return None
        if not all(isinstance(document.get(_NUMBER_COLUMN), int) for document in documents):
            return None  # a document that it wrote anew has none: beside others that keep theirs, null
        found: dict[int, list[Row]] = {}
        for document in documents:
            found.setdefault(document.pop(_NUMBER_COLUMN), []).append(document)
        return found

    def _call(self, rows: list[Row]) -> list[Row]:
        """process_docs on a `datasets.Dataset`."""
        import datasets

        columns = dict.fromkeys(key for row in rows for key in row)
        dataset = datasets.Dataset.from_dict({column: [row.get(column) for row in rows] for column in columns})
        were_disabled = datasets.utils.are_progress_bars_disabled()
        datasets.disable_progress_bars()
        try:
            with seeded(f"{self._seed}:process_docs"):
                documents = self.function(dataset)
                if documents is None or isinstance(documents, str | dict):
                    raise TypeError(f"process_docs gives a {type(documents).__name__}, not a dataset or a list of rows")
                return [dict(document) for document in documents]
        finally:
            if not were_disabled:
                datasets.enable_progress_bars()


@contextlib.contextmanager
def seeded(key: str) -> Iterator[None]:
    """Python's and numpy's own generators, which task functions draw from, begin at `key`, and are put back after."""
    import numpy as np

    state, numpy_state = random.getstate(), np.random.get_state()
    generator = random.Random(key)
    random.seed(generator.getrandbits(64))
    np.random.seed(generator.getrandbits(32))
    try:
        yield
    finally:
        random.setstate(state)
        np.random.set_state(numpy_state)


def draws_random(function: Any) -> bool:
    """Whether a task's function may draw random numbers: the file that it stands in names `random`."""
    if not callable(function):
        return False
    try:
        return "random" in _source(inspect.getfile(function))
    except (TypeError, OSError):
        return True


@functools.lru_cache(maxsize=256)
def _source(file: str) -> str:
    return Path(file).read_text(encoding="utf-8", errors="replace")
