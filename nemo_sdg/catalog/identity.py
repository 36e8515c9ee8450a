"""Decides when two splits are the same data: by hub path under any of its names, by configuration, by split, and for
generic builders by file.

(openai/gsm8k, main, test) is (gsm8k, main, test); (csv, None, train) is the file that its data_files give for train.
"""

import functools
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nemo_sdg.catalog.about.families import read_data
from nemo_sdg.catalog.data_files import BUILDERS, local_folder, named_files, split_files
from nemo_sdg.catalog.places import ANY_SPLIT, Mirror, hub_file, splits_behind

ANY = {None, "all"}
"""config names that mean the whole dataset, so they match every other config"""

_ADDRESS = re.compile(r"^(hf://|https?://[^/]+/)?datasets/")
"""the part of an address before the name of a dataset"""

Key = tuple[str, str | None, str]
"""canonical path, config, split; or the word `file`, None, and the file"""


class Aliases:
    """Groups of names of one dataset. A member is `path:config`, or a hub path for all configs (matched by name)."""

    def __init__(self, groups: Iterable[Iterable[str]]) -> None:
        self._parent: dict[str, str] = {}
        lowered = [[member.lower() for member in group] for group in groups]
        for group in lowered:
            if not any(":" in member for member in group):
                self._join(group)
        for group in lowered:
            if any(":" in member for member in group):
                self._join([self._node(member) for member in group])

    def _node(self, member: str) -> str:
        path, colon, config = member.partition(":")
        return f"{self.find(path)}:{config}" if colon else self.find(path)

    def _join(self, nodes: list[str]) -> None:
        roots = sorted({self.find(node) for node in nodes})
        for root in roots:
            self._parent[root] = roots[0]

    def find(self, node: str) -> str:
        while (parent := self._parent.get(node, node)) != node:
            node = parent
        return node

    def names(self, path: str, config: str | None) -> list[tuple[str, str | None]]:
        """Canonical (path, config) pairs under which a dataset is known; the first is its own path's."""
        root = self.find(_normal_path(path))
        found = [(root, None if config == "default" else config)]
        if config is not None:
            node = f"{root}:{config.lower()}"
            if node in self._parent:
                found.append((self.find(node), None))
        return found


def _normal_path(path: str) -> str:
    if path.startswith(("/", "./", "../", "~")):
        return os.path.realpath(Path(path).expanduser())
    return _ADDRESS.sub("", path.lower()).strip("/")


def split_names(expression: str) -> list[str]:
    """The splits in an expression: train and extra for `train[:90%]+extra`. A slice counts as the whole split."""
    if "[" not in expression and "+" not in expression:
        return [expression]
    return [re.sub(r"\[.*?\]", "", part).strip() for part in expression.split("+")]


def files_of(dataset: dict[str, Any], split: str) -> list[str]:
    """The data files of a split in one spelling, however the task writes them; [] if the dataset names no files."""
    files = split_files(dataset, split, folder=dataset.get("folder"))
    if not files and dataset.get("data_files"):
        return [f"{dataset['path'].lower()}/{file}" for file in named_files(dataset, split)]
    return [_one_form(file) if "://" in file else os.path.realpath(file) for file in files]


def _one_form(url: str) -> str:
    """`owner/name/file` for a file of the hub, in whichever form its address is; other addresses are unchanged."""
    hub = hub_file(url)
    return "/".join(hub) if hub else url


def last_part(path: str) -> str:
    """`*/global_mmlu_lite` for CohereLabs/Global-MMLU-Lite: a dataset keeps its last part when its owner changes."""
    return "*/" + path.rpartition("/")[2].lower().replace("-", "_")


@functools.cache
def other_names(path: str) -> list[str]:
    """Other names that a hub dataset may have in a mirror: aliases with the same last part, and that part alone. (The
    guard also counts a small version of a dataset as an alias, but it does not hold the same rows.)
    """
    last = path.rpartition("/")[2].lower()
    groups = [group for group in read_data("splits.yaml")["aliases"] if path in group]
    found = [name for group in groups for name in group if ":" not in name and name.lower().endswith(f"/{last}")]
    return [*dict.fromkeys(name for name in [*found, path.rpartition("/")[2]] if name != path)]


@dataclass(kw_only=True, slots=True)
class Use:
    """A task's use of a split: `gsm8k` evaluates on `test` as its test_split."""

    task: str
    role: str
    has_files: bool


@dataclass(kw_only=True)
class SplitIndex:
    """The tasks that evaluate on each split, under any name of the dataset."""

    aliases: Aliases
    lineage: list[dict[str, str]] = field(default_factory=list)
    """splits that are cut or translated from another split: {path, split, of, of_split, why}"""
    mirror: str | None = None
    """folder of a mirror; a file in it is known as the split that it holds"""
    _uses: dict[tuple[str, str], dict[str | None, list[Use]]] = field(default_factory=dict)
    _splits: dict[str, set[str]] = field(default_factory=dict)
    """dataset path -> its splits that some task uses"""
    _configs: dict[str, dict[str, str]] = field(default_factory=dict)
    """dataset path -> its configurations that some task uses, by their names in lower case"""

    def __post_init__(self) -> None:
        self._lineage = {(self.aliases.find(row["path"].lower()), row["split"]): row for row in self.lineage}
        self._mirror = Mirror(self.mirror) if self.mirror else None

    def keys(self, dataset: dict[str, Any], expression: str) -> list[Key]:
        """All identities of a split of a dataset, its lineage included."""
        found: list[Key] = []
        path = dataset["path"]
        for split in split_names(expression):
            files = files_of(dataset, split)
            found += [("file", None, name) for file in files for name in (file, *_linked(file))]
            if path and path not in BUILDERS:
                local = local_folder(path, dataset.get("folder"))
                config = dataset.get("data_dir") or dataset["name"]
                found += self._names(path if local is None else str(local), config, split, is_on_hub=local is None)
            found += self._keys_behind(split_files(dataset, split, folder=dataset.get("folder")), within_hub=False)
        return found

    def _hub_keys(self, dataset: dict[str, Any], expression: str) -> list[Key]:
        """The hub splits that hold the dataset's files, which are named by address or by their names in a dataset."""
        if not dataset.get("data_files") or not dataset["path"]:
            return []
        named = [file for split in split_names(expression) for file in named_files(dataset, split)]
        if dataset["path"] in BUILDERS:
            return self._keys_behind([file for file in named if "://" in file], within_hub=True)
        within = dataset.get("data_dir")
        files = [f"hf://datasets/{dataset['path']}@main/{within + '/' if within else ''}{file}" for file in named]
        return self._keys_behind(files, within_hub=True)

    def _keys_behind(self, files: Iterable[str], *, within_hub: bool) -> list[Key]:
        """Identities of the splits that files hold. A folder names the configuration if some task uses one of that
        name; otherwise the file may belong to any configuration.
        """
        found: list[Key] = []
        for file in files:
            if ("://" in file.rpartition("::")[2]) != within_hub:
                continue
            for path, folders, splits in splits_behind(file, self._mirror):
                names = {name for known, _ in self.aliases.names(path, None) for name in (known, last_part(path))}
                known_as = [self._configs.get(name, {}).get(folder.lower()) for name in names for folder in folders]
                configs: list[str | None] = [name for name in known_as if name is not None]
                for config in configs or [None]:
                    found += [key for split in splits for key in self._names(path, config, split, is_on_hub=True)]
        return list(dict.fromkeys(found))

    def _names(self, path: str, config: str | None, split: str, *, is_on_hub: bool) -> Iterator[Key]:
        names = self.aliases.names(path, config)
        yield from ((known, name, split) for known, name in names)
        if is_on_hub:
            yield last_part(path), names[0][1], split
        for known, _ in names:
            row = self._lineage.get((known, split))
            if row:
                yield from ((of, name, row["of_split"]) for of, name in self.aliases.names(row["of"], None))

    def add(self, uses: list[Use], dataset: dict[str, Any], expression: str) -> None:
        for path, config, split in self.keys(dataset, expression):
            self._uses.setdefault((path, split.lower()), {}).setdefault(config, []).extend(uses)
            self._splits.setdefault(path, set()).add(split.lower())
            if config is not None:
                self._configs.setdefault(path, {})[config.lower()] = config

    def users(self, dataset: dict[str, Any], expression: str) -> list[Use]:
        """Every use of the split, under any of its names. Where both sides name files, only the files decide."""
        of_hub = self._hub_keys(dataset, expression)
        has_files = bool(of_hub or (dataset.get("data_files") and dataset["path"] not in BUILDERS))
        found: dict[tuple[str, str], Use] = {}
        for path, config, split in [*self.keys(dataset, expression), *of_hub]:
            takes_all = split in (ANY_SPLIT, "all")  # `all` means all splits of a dataset
            for one in self._splits.get(path, set()) if takes_all else [split.lower()]:
                for other, uses in self._uses.get((path, one), {}).items():
                    if other == config or other in ANY or config in ANY:
                        for use in uses:
                            if path == "file" or takes_all or not (has_files and use.has_files):
                                found[use.task, use.role] = use
        return [found[key] for key in sorted(found)]


def _linked(file: str) -> list[str]:
    """A further name for a file that has hard links: its inode, which they share."""
    try:
        known = os.stat(file)  # noqa: PTH116 (hot)
    except (OSError, ValueError):
        return []
    return [f"inode {known.st_dev}:{known.st_ino}"] if known.st_nlink > 1 and not stat.S_ISDIR(known.st_mode) else []
