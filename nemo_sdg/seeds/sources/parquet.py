"""Reads parquet files one batch of rows at a time."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nemo_sdg.errors import DataError
from nemo_sdg.seeds.sources.formats import LOCAL, Damaged, Row, Rows, why

_BATCH = 1000


def parquet_rows(file: Path, who: str) -> Rows:
    """The rows of one file, as JSON would give them. `who` begins each message."""
    import pyarrow
    import pyarrow.parquet

    def iterate(wanted: Callable[[int], bool] | None) -> Iterator[tuple[int, Row | Damaged]]:
        number = 0
        try:
            opened = pyarrow.parquet.ParquetFile(file)
            converted = _converters(opened.schema_arrow)
            for group in range(opened.num_row_groups):
                num = opened.metadata.row_group(group).num_rows
                if wanted is not None and not any(map(wanted, range(number, number + num))):
                    number += num
                    continue
                for batch in opened.iter_batches(batch_size=_BATCH, row_groups=[group]):
                    indices = [i for i in range(batch.num_rows) if wanted is None or wanted(number + i)]
                    if indices:
                        chosen = batch.take(pyarrow.array(indices, pyarrow.int64())) if wanted is not None else batch
                        rows = [_as_in_json(row, converted) for row in chosen.to_pylist()]
                        yield from zip((number + i for i in indices), rows, strict=True)
                    number += batch.num_rows
        except (pyarrow.ArrowException, OSError) as exc:
            raise DataError(f"{who}: {file} cannot be read ({why(exc)}); copy the file again") from exc

    try:
        opened = pyarrow.parquet.ParquetFile(file)
        count, names = opened.metadata.num_rows, opened.schema_arrow.names
    except (pyarrow.ArrowException, OSError) as exc:
        raise DataError(f"{who}: {file} is not a whole parquet file ({why(exc)}); copy the file again") from exc
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{who}: {file} has two columns named {twice!r}; rename one of them")
    if count == 0:
        raise DataError(f"{who}: {file} has no rows; fetch it again or leave the task out")
    return Rows(LOCAL, iterate, lambda: count)


def _converters(schema: Any) -> dict[str, Callable[[Any], Any]]:
    """For the columns whose values are another thing in Python than in JSON: single-precision numbers, whose 0.1 is
    0.10000000149011612 there, mappings, which are lists of pairs, and texts that were written without their type.
    """
    import numpy as np
    import pyarrow.types as types

    single = {2: np.float16, 4: np.float32}
    found: dict[str, Callable[[Any], Any]] = {}
    for column in schema:
        if types.is_float16(column.type) or types.is_float32(column.type):
            number = single[column.type.bit_width // 8]
            found[column.name] = functools.partial(lambda number, value: float(str(number(value))), number)
        elif types.is_map(column.type):
            found[column.name] = dict
        elif types.is_binary(column.type) or types.is_large_binary(column.type):
            found[column.name] = _text_if_it_is_one
    return found


def _text_if_it_is_one(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:  # an image or the like
        return value


def _as_in_json(row: Row, converted: dict[str, Callable[[Any], Any]]) -> Row:
    for name, convert in converted.items():
        if row[name] is not None:
            row[name] = convert(row[name])
    return row
