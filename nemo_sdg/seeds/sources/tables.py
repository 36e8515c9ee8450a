"""Reads CSV and TSV files without changing what is written in their cells.

    rows = open_table([Path("train.csv")], "task sciq")

`datasets` reads them through pandas, which makes 7 of `007`, 2.5 of `2.50` and nothing of the answers `NA`, `None` and
`null`. Here a column holds numbers only where each number, written out again, is the cell, and truth values where all
cells are True or False; else it holds its cells as they stand. An empty cell is null, and so is `NA` among numbers.
A blank around a column's name is no part of it, nor one around the column's cells: `question, answer` names `answer`.
"""

import contextlib
import csv
import functools
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.errors import DataError
from nemo_sdg.seeds.sources.formats import LOCAL, Damaged, Row, Rows, open_bytes, readable, why

OPTIONS = frozenset({"sep", "delimiter"})
"""dataset_kwargs that are read here; with others, a file is left to the builder of `datasets`"""
_INTEGER = re.compile(r"-?(?:[1-9]\d*|0)")
_FLOAT = re.compile(r"-?\d+\.\d+")
_NOTHING = frozenset({"NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "<NA>", "#N/A"})
"""what stands in place of a number"""
_TRUTH = {"True": True, "False": False, "true": True, "false": False, "TRUE": True, "FALSE": False}
_MAX_CELL = 1 << 30

Read = Callable[[str], Any]


def open_table(files: list[Path], who: str, *, delimiter: str = ",") -> Rows:
    """The rows of a split's files, numbered through. The types of its columns are found in a first pass over all of
    them. Raises DataError in one line, beginning with `who`, when a file cannot be read or its columns are not told
    apart.
    """

    def look() -> tuple[dict[str, Read], int]:
        known = []
        for file in files:
            with readable(file, who):
                known.append((str(file), file.stat().st_mtime_ns, file.stat().st_size))
        return _column_readers(tuple(known), who, delimiter)

    def iterate(wanted: Callable[[int], bool] | None) -> Iterator[tuple[int, Row | Damaged]]:
        readers, _ = look()
        number = 0
        for file in files:
            with _cells(file, who, delimiter) as (header, lines):
                read = [readers[name] for name in header]
                for cells in lines:
                    if wanted is None or wanted(number):
                        yield number, _row(header, read, cells)
                    number += 1

    return Rows(LOCAL, iterate, lambda: look()[1])


def _row(header: list[str], read: list[Read], cells: list[str]) -> Row | Damaged:
    if len(cells) > len(header):
        return Damaged(f"{len(cells)} cells in {len(header)} columns", orjson.dumps(cells))
    cells = cells + [""] * (len(header) - len(cells))
    return {name: reader(cell) for name, reader, cell in zip(header, read, cells, strict=True)}


@contextlib.contextmanager
def _cells(file: Path, who: str, delimiter: str) -> Iterator[tuple[list[str], Iterator[list[str]]]]:
    csv.field_size_limit(_MAX_CELL)
    try:
        with readable(file, who), open_bytes(file) as handle:
            lines = csv.reader(io.TextIOWrapper(handle, encoding="utf-8-sig", newline=""), delimiter=delimiter)
            header = next(lines, None)
            if not header:
                raise DataError(f"{who}: {file} has no rows; fetch it again or leave the task out")
            names = [name.strip() or f"Unnamed: {place}" for place, name in enumerate(header)]
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise DataError(f"{who}: {file} has two columns named {twice!r}; rename one of them")
            padded = [place for place, name in enumerate(header) if name != name.strip()]
            yield names, (_stripped(cells, padded) for cells in lines if cells)
    except (UnicodeDecodeError, csv.Error) as exc:
        raise DataError(
            f"{who}: {file} cannot be read as csv ({why(exc)}); write it in UTF-8, with one line a row"
        ) from exc


def _stripped(cells: list[str], places: list[int]) -> list[str]:
    for place in places:
        cells[place : place + 1] = [cell.strip() for cell in cells[place : place + 1]]
    return cells


@functools.lru_cache(maxsize=256)
def _column_readers(files: tuple[tuple[str, int, int], ...], who: str, delimiter: str) -> tuple[dict[str, Read], int]:
    """How each column's cells are read, and the number of rows. `files`: path, time of the last change, bytes."""
    num_rows = 0
    possible: dict[str, dict[str, None]] = {}
    with_values: set[str] = set()
    for file in [Path(path) for path, _, _ in files]:
        with _cells(file, who, delimiter) as (header, lines):
            columns = [possible.setdefault(name, dict.fromkeys(_IS)) for name in header]
            before = num_rows
            for cells in lines:
                num_rows += 1
                for name, kinds, cell in zip(header, columns, cells, strict=False):
                    if kinds and cell and cell not in _NOTHING:
                        with_values.add(name)
                        for kind in [kind for kind in kinds if not _IS[kind](cell)]:
                            del kinds[kind]
        if num_rows == before:
            raise DataError(f"{who}: {file} has no rows; fetch it again or leave the task out")
    chosen = {name: next(iter(kinds), "text") if name in with_values else "text" for name, kinds in possible.items()}
    return {name: _READ[kind] for name, kind in chosen.items()}, num_rows


def _is_float(cell: str) -> bool:
    return (_FLOAT.fullmatch(cell) is not None and repr(float(cell)) == cell) or _INTEGER.fullmatch(cell) is not None


_IS: dict[str, Callable[[str], bool]] = {
    "integer": lambda cell: _INTEGER.fullmatch(cell) is not None,
    "float": _is_float,
    "truth": _TRUTH.__contains__,
}


def _number(convert: Read, cell: str) -> Any:
    return None if cell == "" or cell in _NOTHING else convert(cell)


_READ: dict[str, Read] = {
    "integer": functools.partial(_number, int),
    "float": functools.partial(_number, float),
    "truth": functools.partial(_number, _TRUTH.__getitem__),
    "text": lambda cell: cell or None,
}
