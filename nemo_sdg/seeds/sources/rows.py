"""Rows of a dataset split, streamed: from a mirror, from files that a task names, or from the Hugging Face hub.

    rows = open_rows(Split(path="allenai/sciq", name=None, split="train"), seeds, task="sciq")
    for number, row in rows: ...        row is a dict, or Damaged where a line cannot be read

The mirror is MIRROR/<dataset_path>/<dataset_name or default>/<split>.{jsonl,parquet}, or laid out as on the hub. With a
mirror set, the network is not touched unless seeds.hub is true. Whatever goes wrong is a DataError in one line that
names the task, what is wrong, and what to do.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nemo_sdg.catalog.data_files import BUILDERS, local_folder, mirror_files, split_files
from nemo_sdg.catalog.identity import other_names
from nemo_sdg.config import SeedsSection
from nemo_sdg.errors import DataError
from nemo_sdg.seeds.sources.formats import LOCAL, Damaged, Row, Rows, chained, iterate_rows, open_file, reads, why
from nemo_sdg.seeds.sources.tables import OPTIONS, open_table

__all__ = [
    "LOCAL",
    "Damaged",
    "Row",
    "Rows",
    "Split",
    "fixed",
    "local_files",
    "located",
    "mirrored",
    "missing_files",
    "open_rows",
    "uses_hub",
]


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
    """further dataset_kwargs, such as `field` or `data_dir`; as `fixed` keeps them"""

    def keywords(self) -> dict[str, Any]:
        """The further dataset_kwargs as `datasets` takes them."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in self.options}

    def __str__(self) -> str:
        where = (
            ", ".join(self.data_files)
            if self.data_files
            else self.path
            if self.name is None
            else f"{self.path} ({self.name})"
        )
        return f"{where}, split {self.split}"


def fixed(value: Any) -> Any:
    """A value of dataset_kwargs that can be compared and hashed: lists (`column_names: [q, a]`) as tuples."""
    if isinstance(value, list):
        return tuple(map(fixed, value))
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def uses_hub(seeds: SeedsSection) -> bool:
    return seeds.mirror is None if seeds.hub is None else seeds.hub


def mirrored(split: Split, mirror: str) -> list[Path]:
    """The files of a hub dataset's split in a mirror, under any of the dataset's names; [] where it has none."""
    named = [Path(mirror, split.path, file) for file in split.data_files]
    if named and all(file.is_file() for file in named):
        return named
    return mirror_files(split.path, split.name, split.split, mirror, other_names(split.path))


def local_files(split: Split, seeds: SeedsSection) -> list[str]:
    """The files on this machine that a split is read from; [] where it comes from the network or from a function."""
    split = split if split.located else located(split)
    if split.located or seeds.mirror is None or split.path in BUILDERS:
        return [file for file in split.located if "://" not in file]
    return [str(file) for file in mirrored(split, seeds.mirror)]


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
    split = split if split.located else located(split)
    if split.path in BUILDERS or split.located or local_folder(split.path, split.folder):
        return _file_rows(split, seeds, task)
    if seeds.mirror is not None:
        files = mirrored(split, seeds.mirror)
        if files:
            return _file_rows(replace(split, located=tuple(map(str, files)), options=()), seeds, task)
        if not uses_hub(seeds):
            wanted = Path(seeds.mirror) / split.path / (split.name or "default") / f"{split.split}.jsonl"
            raise DataError(
                f"task {task}: {wanted} (or .parquet) is missing; put the split there, or set "
                "seeds.hub=true to read it from the hub"
            )
    if not uses_hub(seeds):
        why_none = f"task {task}: no source for {split}: seeds.hub=false and no seeds.mirror; set one of them"
        here = f", or write ./{split.path} for the folder of that name" if Path(split.path).is_dir() else ""
        raise DataError(why_none + here)
    from nemo_sdg.seeds.sources.hub import hub_rows

    return hub_rows(split, seeds, task, revision)


def located(split: Split) -> Split:
    """The split with its files looked up, where it names files or a local folder."""
    dataset = {"path": split.path, "name": split.name, "data_dir": dict(split.options).get("data_dir")}
    if split.data_files:
        dataset["data_files"] = {split.split: list(split.data_files)}
    return replace(split, located=tuple(split_files(dataset, split.split, folder=split.folder)))


def _file_rows(split: Split, seeds: SeedsSection, task: str) -> Rows:
    files = split.located
    missing = missing_files(split, seeds)
    if missing is not None:
        raise DataError(f"task {task}: {missing}")
    builder = split.path
    if split.path not in BUILDERS:
        builder = "json" if reads(files[0]) else Path(files[0]).name.removesuffix(".gz").rpartition(".")[2]
    options = {
        key: value for key, value in split.keywords().items() if key not in ("data_dir", "revision", "streaming")
    }
    if builder in ("csv", "tsv") and options.keys() <= OPTIONS and "://" not in files[0]:
        delimiter = options.get("sep") or options.get("delimiter") or ("\t" if builder == "tsv" else ",")
        if len(delimiter) == 1:
            return open_table([Path(file) for file in files], f"task {task}", delimiter=delimiter)
    if builder in ("json", "parquet") and not options and all(map(reads, files)) and "://" not in files[0]:
        return chained([open_file(Path(file), f"task {task}") for file in files])
    from nemo_sdg.seeds.sources.hub import builder_rows

    return builder_rows(builder, list(files), options, task)


def missing_files(split: Split, seeds: SeedsSection) -> str | None:
    """The reason why the files of a split cannot be read, where it is known without opening them."""
    if not split.located:
        return (
            f"dataset_kwargs.data_files names no file for split {split.split}, and data_dir no folder with such a file "
            f"({split.split}.jsonl); add it in the task file"
            if split.path in BUILDERS
            else f"{split.path} is a folder without a file for split {split.split} (such as {split.split}.jsonl); "
            "put it there or correct dataset_path"
        )
    for file in split.located:
        if "://" in file and not uses_hub(seeds):
            return (
                f"{file} is on the network, which seeds.mirror/seeds.hub rule out; set seeds.hub=true or put the "
                "file on disk"
            )
        if "://" not in file and not Path(file).is_file():
            written = next((name for name in split.data_files if file.endswith(name.lstrip("./"))), file)
            return (
                f"data file {written} of split {split.split} is missing; data_files are relative to the task file or "
                "to the working directory"
            )
    return None


def _custom_rows(split: Split, custom: Callable[[], Any], task: str) -> Rows:
    try:
        rows = custom()[split.split]
    except Exception as exc:  # a task's own code may raise anything
        raise DataError(
            f"task {task}: custom_dataset gives no split {split.split} ({why(exc)}); correct the "
            "function in the task's folder"
        ) from exc
    return Rows(LOCAL, functools.partial(iterate_rows, rows), lambda: len(rows) if hasattr(rows, "__len__") else None)
