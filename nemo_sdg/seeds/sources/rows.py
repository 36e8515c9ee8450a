"""Rows of a dataset split, streamed: from a mirror, from files that a task names, or from the Hugging Face hub.

    rows = open_rows(Split(path="allenai/sciq", name=None, split="train"), seeds, task="sciq")
    for number, row in rows: ...        row is a dict, or Damaged where a line cannot be read

The mirror is MIRROR/<dataset_path>/<dataset_name or default>/<split>.{jsonl,parquet}. With a mirror set, the network
is not touched
unless seeds.hub is true. Whatever goes wrong is a DataError in one line that names the task, what is wrong, and the
mend.
"""

import functools
import glob
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.config import SeedsSection
from nemo_sdg.errors import DataError

GENERIC_BUILDERS = {"json", "csv", "parquet", "text", "arrow"}
"""dataset paths that are no dataset: the identity is in `data_files`"""
LOCAL = "local"
"""revision of mirrors and files"""
_TAIL = 1 << 20
_PARQUET_BATCH = 1000

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Damaged:
    """A line that is not a JSON object."""

    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """A dataset split as a task names it."""

    path: str
    name: str | None
    split: str
    data_files: tuple[str, ...] = field(default=(), compare=False)
    """for the generic builders: files of this split, as the task file writes them"""
    folder: str | None = field(default=None, compare=False)
    """of the task file; data_files are looked for there first, then from the working directory"""
    located: tuple[str, ...] = ()
    """data_files as they are found: what tells two such splits apart"""
    options: tuple[tuple[str, Any], ...] = ()
    """further dataset_kwargs, such as `field` or `data_dir`"""

    def __str__(self) -> str:
        where = (
            ", ".join(self.data_files)
            if self.data_files
            else self.path
            if self.name is None
            else f"{self.path} ({self.name})"
        )
        return f"{where}, split {self.split}"


class Rows:
    """A split that is open: iterate for (row number, row), as often as wanted."""

    def __init__(
        self,
        revision: str,
        iterate: Callable[[Callable[[int], bool] | None], Iterator[tuple[int, Row | Damaged]]],
        count: Callable[[], int | None],
    ) -> None:
        self.revision = revision
        self._iterate = iterate
        self.count = count
        """number of rows, or None where only a full pass would tell"""

    def __iter__(self) -> Iterator[tuple[int, Row | Damaged]]:
        return self._iterate(None)

    def only(self, wanted: Callable[[int], bool]) -> Iterator[tuple[int, Row | Damaged]]:
        """The rows whose number is wanted; the others are passed over unparsed where the format allows it."""
        return self._iterate(wanted)


def uses_hub(seeds: SeedsSection) -> bool:
    return seeds.mirror is None if seeds.hub is None else seeds.hub


def mirror_file(split: Split, mirror: str) -> Path | None:
    folder = Path(mirror) / split.path / (split.name or "default")
    return next(
        (file for file in (folder / f"{split.split}.jsonl", folder / f"{split.split}.parquet") if file.is_file()), None
    )


def open_rows(
    split: Split,
    seeds: SeedsSection,
    *,
    task: str,
    revision: str | None = None,
    custom: Callable[[], Any] | None = None,
) -> Rows:
    """Opens a split. `revision` pins a hub commit; `custom` is a task's custom_dataset function with its arguments
    bound.

    Raises DataError in one line when the split cannot be opened; reading on may raise it too (parquet, hub).
    """
    if custom is not None:
        return _custom_rows(split, custom, task)
    if split.path in GENERIC_BUILDERS:
        return _file_rows(split, seeds, task)
    if seeds.mirror is not None:
        file = mirror_file(split, seeds.mirror)
        if file is not None:
            return _open_file(file, split, task)
        if not uses_hub(seeds):
            wanted = Path(seeds.mirror) / split.path / (split.name or "default") / f"{split.split}.jsonl"
            raise DataError(
                f"task {task}: {wanted} (or .parquet) is missing; put the split there, or set "
                "seeds.hub=true to read it from the hub"
            )
    if not uses_hub(seeds):
        raise DataError(f"task {task}: no source for {split}: seeds.hub=false and no seeds.mirror; set one of them")
    from nemo_sdg.seeds.sources.hub import hub_rows

    return hub_rows(split, seeds, task, revision)


def resolve_files(split: Split) -> list[str]:
    """data_files as paths that exist or URLs: beside the task file first, then from the working directory, as lm-eval
    takes them.
    """
    found = []
    for pattern in split.data_files:
        if "://" in pattern:
            found.append(pattern)
            continue
        candidates = ([os.path.join(split.folder, pattern)] if split.folder else []) + [pattern]
        hits = next(
            (hits for hits in (sorted(glob.glob(candidate, recursive=True)) for candidate in candidates) if hits), []
        )
        if not hits:
            raise FileNotFoundError(pattern)
        found += hits
    return found


def located(split: Split) -> Split:
    """The split with its data_files looked up; those that are missing stay as they are written."""
    try:
        files = resolve_files(split)
    except FileNotFoundError:
        files = list(split.data_files)
    return replace(split, located=tuple(file if "://" in file else str(Path(file).absolute()) for file in files))


def _file_rows(split: Split, seeds: SeedsSection, task: str) -> Rows:
    if not split.data_files:
        raise DataError(
            f"task {task}: dataset_kwargs.data_files names no file for split {split.split}; add it in the task file"
        )
    try:
        files = resolve_files(split)
    except FileNotFoundError as exc:
        raise DataError(
            f"task {task}: data file {exc} of split {split.split} is missing; data_files are relative to "
            "the task file or to the working directory"
        ) from exc
    if any("://" in file for file in files):
        if not uses_hub(seeds):
            raise DataError(
                f"task {task}: {files[0]} is on the network, which seeds.mirror/seeds.hub rule out; set "
                "seeds.hub=true or put the file on disk"
            )
    elif (
        split.path in ("json", "parquet")
        and not split.options
        and all(file.endswith((".json", ".jsonl", ".parquet")) for file in files)
    ):
        return _chained([_open_file(Path(file), split, task) for file in files])
    from nemo_sdg.seeds.sources.hub import builder_rows

    return builder_rows(split, files, task)


def _open_file(file: Path, split: Split, task: str) -> Rows:
    if file.suffix == ".parquet":
        return _parquet_rows(file, split, task)
    with open(file, "rb") as handle:
        head = handle.read(4096).lstrip()
    if not head:
        raise DataError(f"task {task}: {file} has no rows; fetch the split {split.split} again or leave the task out")
    if head.startswith(b"[") and file.suffix == ".json":
        return _array_rows(file, task)
    _refuse_cut_file(file, task)
    return Rows(LOCAL, functools.partial(_read_lines, file), functools.partial(_count_lines, file))


def _refuse_cut_file(file: Path, task: str) -> None:
    """A last line without line end that does not parse is a file that was cut off while it was copied."""
    with open(file, "rb") as handle:
        size = handle.seek(0, os.SEEK_END)
        handle.seek(max(0, size - _TAIL))
        tail = handle.read()
    last = tail.rpartition(b"\n")[2]
    if not last.strip() or (len(last) == len(tail) and size > _TAIL):
        return
    try:
        orjson.loads(last)
    except orjson.JSONDecodeError as exc:
        raise DataError(f"task {task}: {file} is cut off in its last line ({exc}); copy the file again") from exc


def _read_lines(file: Path, wanted: Callable[[int], bool] | None) -> Iterator[tuple[int, Row | Damaged]]:
    number = -1
    with open(file, "rb") as handle:
        for line in handle:
            if line.isspace():
                continue
            number += 1
            if wanted is not None and not wanted(number):
                continue
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError as exc:
                yield number, Damaged(f"not valid JSON: {exc}")
                continue
            yield number, row if isinstance(row, dict) else Damaged(f"not a JSON object but {type(row).__name__}")


def _count_lines(file: Path) -> int:
    with open(file, "rb") as handle:
        return sum(1 for line in handle if not line.isspace())


def _array_rows(file: Path, task: str) -> Rows:
    try:
        rows = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as exc:
        raise DataError(
            f"task {task}: {file} is not valid JSON ({exc}); write one JSON object a line, or one array of objects"
        ) from exc

    def iterate(wanted: Callable[[int], bool] | None) -> Iterator[tuple[int, Row | Damaged]]:
        for number, row in enumerate(rows):
            if wanted is None or wanted(number):
                yield number, row if isinstance(row, dict) else Damaged(f"not a JSON object but {type(row).__name__}")

    return Rows(LOCAL, iterate, lambda: len(rows))


def _parquet_rows(file: Path, split: Split, task: str) -> Rows:
    import pyarrow
    import pyarrow.parquet

    def iterate(wanted: Callable[[int], bool] | None) -> Iterator[tuple[int, Row | Damaged]]:
        number = 0
        try:
            for batch in pyarrow.parquet.ParquetFile(file).iter_batches(batch_size=_PARQUET_BATCH):
                indices = [i for i in range(batch.num_rows) if wanted is None or wanted(number + i)]
                chosen = (
                    batch if len(indices) == batch.num_rows else batch.take(pyarrow.array(indices, pyarrow.int64()))
                )
                yield from zip((number + i for i in indices), chosen.to_pylist(), strict=True)
                number += batch.num_rows
        except (pyarrow.ArrowException, OSError) as exc:
            raise DataError(f"task {task}: {file} cannot be read ({_one_line(exc)}); copy the file again") from exc

    try:
        count = pyarrow.parquet.ParquetFile(file).metadata.num_rows
    except (pyarrow.ArrowException, OSError) as exc:
        raise DataError(
            f"task {task}: {file} is not a whole parquet file ({_one_line(exc)}); copy the file again"
        ) from exc
    if count == 0:
        raise DataError(f"task {task}: {file} has no rows; fetch the split {split.split} again or leave the task out")
    return Rows(LOCAL, iterate, lambda: count)


def _chained(parts: list[Rows]) -> Rows:
    """Several files of one split, numbered through."""
    if len(parts) == 1:
        return parts[0]

    def iterate(wanted: Callable[[int], bool] | None) -> Iterator[tuple[int, Row | Damaged]]:
        offset = 0
        for part in parts:
            last = -1
            inner = (
                iter(part)
                if wanted is None
                else part.only(functools.partial(lambda start, n: wanted(start + n), offset))
            )
            for number, row in inner:
                last = number
                yield offset + number, row
            offset += (part.count() if wanted is not None else None) or last + 1

    def count() -> int | None:
        counts = [part.count() for part in parts]
        return None if None in counts else sum(n or 0 for n in counts)

    return Rows(LOCAL, iterate, count)


def _custom_rows(split: Split, custom: Callable[[], Any], task: str) -> Rows:
    try:
        rows = custom()[split.split]
    except Exception as exc:  # a task's own code may raise anything
        raise DataError(
            f"task {task}: custom_dataset gives no split {split.split} ({_one_line(exc)}); mend the "
            "function in the task's folder"
        ) from exc
    return Rows(LOCAL, functools.partial(iterate_rows, rows), lambda: len(rows) if hasattr(rows, "__len__") else None)


def iterate_rows(rows: Iterable[Row], wanted: Callable[[int], bool] | None) -> Iterator[tuple[int, Row | Damaged]]:
    for number, row in zip(itertools.count(), rows, strict=False):
        if wanted is None or wanted(number):
            yield number, dict(row)


def _one_line(exc: BaseException) -> str:
    return " ".join(f"{type(exc).__name__}: {exc}".split())[:300]
