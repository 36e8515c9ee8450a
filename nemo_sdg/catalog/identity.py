"""When are two splits the same data? By hub path under any of its names, by config, by split, and for generic builders
by file.

(openai/gsm8k, main, test) is (gsm8k, main, test); (csv, None, train) is the file that its data_files give for train.
"""

import glob
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BUILDERS = frozenset({"csv", "json", "parquet", "text", "arrow", "webdataset", "xml", "pandas", "sql"})
"""generic builders of `datasets`: the path names a file format, the identity is in data_files"""

ANY = {None, "all"}
"""config names that stand for the whole dataset and so meet every other"""

Key = tuple[str, str | None, str]
"""canonical path, config, split; or the word `file`, None, and the file"""


class Aliases:
    """Groups of names of one dataset. A member is a hub path (all its configs, config for config) or `path:config`."""

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
    return os.path.realpath(Path(path).expanduser()) if path.startswith(("/", "./", "../", "~")) else path.lower()


def split_names(expression: str) -> list[str]:
    """`train[:90%]+extra` names the splits train and extra: a slice of a split counts as the whole."""
    if "[" not in expression and "+" not in expression:
        return [expression]
    return [re.sub(r"\[.*?\]", "", part).strip() for part in expression.split("+")]


def files_of(dataset: dict[str, Any], split: str) -> list[str]:
    """The data files behind a split, in one form however they are written; [] where the dataset names none."""
    files = dataset.get("data_files")
    if not files:
        return []
    if isinstance(files, dict):
        chosen = (
            files[split]
            if split in files
            else [file for listed in files.values() for file in (listed if isinstance(listed, list) else [listed])]
        )
    else:
        chosen = files
    found: list[str] = []
    for file in chosen if isinstance(chosen, list) else [chosen]:
        found += _normal_files(str(file), dataset["path"])
    return found


def _normal_files(file: str, path: str | None) -> list[str]:
    hub = re.match(r"hf://datasets/([^/]+/[^/@]+)(?:@[^/]+)?/(.+)$", file) or re.match(
        r"https?://huggingface\.co/datasets/([^/]+/[^/]+)/(?:resolve|raw|blob)/[^/]+/([^?]+)", file
    )
    if hub:
        return [f"{hub[1].lower()}/{hub[2]}"]
    if "://" in file:
        return [file]
    if path is not None and path not in BUILDERS:
        return [f"{_normal_path(path)}/{file}"]
    if glob.has_magic(file) and not Path(file).exists():
        matches = sorted(glob.glob(file, recursive=True))
        return [os.path.realpath(match) for match in matches] or [file]
    return [os.path.realpath(file)]


@dataclass(kw_only=True, slots=True)
class Use:
    """A task's use of a split: `gsm8k` evaluates on `test` as its test_split."""

    task: str
    role: str
    has_files: bool


@dataclass(kw_only=True)
class SplitIndex:
    """Who evaluates on what, found again under any name of the dataset."""

    aliases: Aliases
    lineage: list[dict[str, str]] = field(default_factory=list)
    """splits that are cut or translated from another: {path, split, of, of_split, why}"""
    _uses: dict[tuple[str, str], dict[str | None, list[Use]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lineage = {(self.aliases.find(row["path"].lower()), row["split"]): row for row in self.lineage}

    def keys(self, dataset: dict[str, Any], expression: str) -> list[Key]:
        """All identities of a split of a dataset, its lineage included."""
        found: list[Key] = []
        for split in split_names(expression):
            found += [("file", None, file) for file in files_of(dataset, split)]
            if dataset["path"] and dataset["path"] not in BUILDERS:
                names = self.aliases.names(dataset["path"], dataset.get("data_dir") or dataset["name"])
                found += [(path, config, split) for path, config in names]
                for path, _ in names:
                    row = self._lineage.get((path, split))
                    if row:
                        found += [(of, config, row["of_split"]) for of, config in self.aliases.names(row["of"], None)]
        return found

    def add(self, uses: list[Use], dataset: dict[str, Any], expression: str) -> None:
        for path, config, split in self.keys(dataset, expression):
            self._uses.setdefault((path, split), {}).setdefault(config, []).extend(uses)

    def users(self, dataset: dict[str, Any], expression: str) -> list[Use]:
        """Every use of the split, under any of its names. Where both sides name files, only the files decide."""
        has_files = bool(dataset.get("data_files"))
        found: dict[tuple[str, str], Use] = {}
        for path, config, split in self.keys(dataset, expression):
            for other, uses in self._uses.get((path, split), {}).items():
                if other == config or other in ANY or config in ANY:
                    for use in uses:
                        if path == "file" or not (has_files and use.has_files):
                            found[use.task, use.role] = use
        return [found[key] for key in sorted(found)]
