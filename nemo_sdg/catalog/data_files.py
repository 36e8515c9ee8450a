"""Finds the files behind a dataset split. The guard, the reader and `nemo-sdg check` all use it, so they mean the same
files.

    split_files(dataset, "train", folder=folder_of_the_task_file)      files that a task names, or that lie in a local
                                                                       folder that it names
    mirror_files("allenai/sciq", None, "train", "/data/mirror")        files of a hub dataset within a mirror

`dataset` is that of a catalog row: {path, name, data_files?, data_dir?, splits}. Files that a task names are looked for
beside the task file first, then from the working directory.
"""

import glob
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

BUILDERS = frozenset({"csv", "json", "parquet", "text", "arrow", "webdataset", "xml", "pandas", "sql"})
"""generic builders of `datasets`: the path names only a file format, data_files name the data"""
FORMATS = ("jsonl", "parquet", "json", "csv", "jsonl.gz", "json.gz", "csv.gz", "jsonl.bz2", "jsonl.xz", "jsonl.zst")
"""endings of data files, in the order in which they are looked for"""
_LOCAL_SCHEMES = ("file://", "local://")
SPLIT_WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_SAID = {
    split: re.compile(rf"(?:^|[-._ 0-9/])(?:{'|'.join(words)})(?:[-._ 0-9/]|$)") for split, words in SPLIT_WORDS.items()
}
SHARD = re.compile(r"^(?P<split>.+?)-(?P<number>\d+)-of-(?P<total>\d+)(?:-[0-9a-f]+)?$")
"""the name of one of several files of a split: `train-00000-of-00002`"""


def training_dataset(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """The dataset of a catalog row, with the configuration that its training rows are read from: seeds.declared may
    name another one than the task does.
    """
    return {**dataset, "name": dataset["training_name"]} if "training_name" in dataset else dict(dataset)


def named_files(dataset: Mapping[str, Any], split: str) -> list[str]:
    """The data_files of a split as the task file writes them; files without a split's name are `train`, as in
    `datasets`.
    """
    files = dataset.get("data_files")
    if isinstance(files, Mapping):
        files = files.get(split)
    elif split != "train":
        files = None
    return [files] if isinstance(files, str) else [str(file) for file in files or []]


def split_files(dataset: Mapping[str, Any], split: str, *, folder: str | None) -> list[str]:
    """Absolute paths and URLs of a split's files, in order; [] if the dataset is neither data files nor a local
    folder. A missing file stays in the list, with the path at which it is expected.

    `folder` is that of the task file.
    """
    path = dataset.get("path")
    if not path:
        return []
    local = local_folder(path, folder)
    if dataset.get("data_files"):
        if path not in BUILDERS and local is None:
            return []
        base = str(local) if local is not None else folder
        return [file for pattern in named_files(dataset, split) for file in _matches(pattern, dataset, base)]
    if path in BUILDERS:
        within = dataset.get("data_dir")
        places = _candidates(str(within), folder) if within and "://" not in str(within) else []
        inside = next(filter(Path.is_dir, map(Path, places)), None)
        return [str(file) for file in _folder_files(inside, None, split)] if inside is not None else []
    if local is None:
        return []
    within = dataset.get("data_dir")
    return [str(file) for file in _folder_files(local / within if within else local, dataset.get("name"), split)]


def local_folder(path: str, folder: str | None) -> Path | None:
    """The folder that a dataset_path names: /x, ./x, ../x, ~/x, or one beside the task file. None for other paths."""
    if path in BUILDERS or path.startswith("function:"):
        return None
    if path.startswith(("/", "./", "../", "~")):
        candidates = _candidates(path, folder)
        return next(filter(Path.is_dir, map(Path, candidates)), Path(candidates[-1]))
    if not folder or not os.path.isdir(beside := os.path.join(folder, path)):  # noqa: PTH112 (hot)
        return None
    return Path(os.path.abspath(beside))  # noqa: PTH100


def _candidates(written: str, folder: str | None) -> list[str]:
    """Places that a path of a task file may name: beside the task file, then in the working directory.

    They are plain strings: the guard calls this for every split of lm-eval, and pathlib takes ten times as long.
    """
    path = os.path.expanduser(written)  # noqa: PTH111
    places = [os.path.join(folder, path), path] if folder else [path]
    return [os.path.abspath(place) for place in places]  # noqa: PTH100


def _matches(pattern: str, dataset: Mapping[str, Any], folder: str | None) -> list[str]:
    if pattern.startswith(_LOCAL_SCHEMES):
        pattern = pattern.partition("://")[2]
    if "://" in pattern:
        return [pattern]
    candidates = _candidates(os.path.join(dataset.get("data_dir") or "", pattern), folder)
    for candidate in candidates:
        if Path(candidate).is_file():
            return [candidate]
        if glob.has_magic(candidate):
            hits = [hit for hit in sorted(glob.glob(candidate, recursive=True)) if Path(hit).is_file()]
            if hits:
                return hits
    return [candidates[0]]


def _folder_files(root: Path, name: str | None, split: str) -> list[Path]:
    """A split's files in a folder of the user's: as `layout_files` finds them, and those that `datasets` gives the
    split too, by a word in the names of folders (`test/a.jsonl`) if any says a split, else of files (`test_2.jsonl`).
    """
    found = layout_files(root, name, split)
    if name not in (None, "default") or (found and found[0].parent != root):
        return found  # the configuration's own folder
    files = [file for file in sorted(root.rglob("*")) if file.is_file() and _is_data(file.relative_to(root))]
    folders = {file: _said_splits(file.relative_to(root).parent.as_posix()) for file in files}
    if any(folders.values()):
        named = [file for file in files if split in folders[file] and not found]
    else:
        named = [file for file in files if split in _said_splits(file.name) and file not in found]
    named = [*found, *named]
    return [file for file in named if _ending(file) == _ending(named[0])]


def _ending(file: Path) -> str | None:
    return next((ending for ending in FORMATS if file.name.endswith(f".{ending}")), None)


def _is_data(file: Path) -> bool:
    """Whether a file of a folder may hold rows; one of several shards (`-of-`) is left to `layout_files`."""
    hidden = any(part.startswith((".", "__")) for part in file.parts)
    ending = _ending(file)
    return ending is not None and not hidden and SHARD.match(file.name.removesuffix(f".{ending}")) is None


def _said_splits(name: str) -> set[str]:
    """The splits that a name stands for, by its words between marks and digits."""
    return {split for split, words in _SAID.items() if words.search(name)}


def layout_files(root: Path, name: str | None, split: str) -> list[Path]:
    """A split's files in a dataset's folder: <name or default>/<split>.<ending>, or in a layout of the hub
    (data/<split>-00000-of-00002.parquet, <name>/<split>-*, <name>/<split>/0000.parquet); [] if a shard is missing.
    """
    config = None if name in (None, "default") else str(name)
    folders = (
        [root / "default", root, root / "data"]
        if config is None
        else [root / config, root / "data" / config, root / config / "data"]
    )
    for folder in folders:
        if not folder.is_dir():
            continue
        for ending in FORMATS:
            whole = folder / f"{split}.{ending}"
            if whole.is_file():
                return [whole]
            shards = sorted(folder.glob(f"{glob.escape(split)}-*-of-*.{ending}"))
            if shards and _are_all(shards, ending):
                return shards
        inner = sorted((folder / split).glob("*.parquet")) if (folder / split).is_dir() else []
        if inner:
            return inner
    return []


def _are_all(shards: list[Path], ending: str) -> bool:
    found = [SHARD.match(file.name.removesuffix(f".{ending}")) for file in shards]
    return all(match is not None and int(match["total"]) == len(shards) for match in found)


def mirror_files(path: str, name: str | None, split: str, mirror: str, aliases: Iterable[str] = ()) -> list[Path]:
    """A split's files in a mirror, under the dataset's path or one of its other names; never outside the mirror."""
    top = Path(mirror).absolute()
    for known in (path, *aliases):
        root = Path(os.path.normpath(top / known))
        if root == top or not root.is_relative_to(top) or not root.is_dir():
            continue
        files = layout_files(root, name, split)
        if files:
            return files
    return []
