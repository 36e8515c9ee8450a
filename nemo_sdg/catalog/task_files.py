"""Reads lm-eval's task files by its rules but without its imports: no metric module, no `datasets`. Each file is parsed
once.

    index_tasks([tasks_folder, include_path...]) -> Index     every leaf, group and tag, as `TaskManager` lists them
    YamlTree().load(path) -> dict                             one file merged with its includes

The rules (lm_eval/tasks/_index.py and _yaml_loader.py of 0.4.13): all `*.yaml` of a folder tree are read in path order.
A file with `class` or `task` is a leaf; a file with `group` and no `class` is a group. If two files have one name, the
first in path order wins within a folder tree, and the later folder wins between them. A file's keys win over those of
its includes, and later includes win over earlier ones. A file is skipped if it would be included twice, is not a
mapping, or names neither a task nor a group.
"""

import functools
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

OVERRIDDEN = "lm_eval::"
"""prefix of a built-in task's name when a user's task has the same name"""
IGNORED_FOLDERS = {"__pycache__", ".ipynb_checkpoints"}

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class FunctionRef:
    """An unresolved `!function utils.process_docs`: the folder of its YAML file, and the name after the tag."""

    folder: str
    name: str

    @property
    def path(self) -> str:
        """The form in which lm-eval writes it when it does not resolve functions."""
        return str(Path(self.folder) / self.name)


class _Loader(_Base):  # type: ignore[misc]
    folder = ""

    def build(self, node: Any) -> Any:
        """The value of a node, equal to that of the safe constructor; twice as fast for the mappings, lists and strings
        of task files.
        """
        if node.tag == "tag:yaml.org,2002:str":
            return node.value
        if node.tag == "tag:yaml.org,2002:map" and isinstance(node, yaml.MappingNode):
            if any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
                self.flatten_mapping(node)
            return {self.build(key): self.build(value) for key, value in node.value}
        if node.tag == "tag:yaml.org,2002:seq" and isinstance(node, yaml.SequenceNode):
            return [self.build(item) for item in node.value]
        return self.construct_object(node, deep=True)


_Loader.add_constructor("!function", lambda loader, node: FunctionRef(loader.folder, loader.construct_scalar(node)))


class TaskFileError(ValueError):
    """A YAML file that lm-eval would skip; the message says why."""


class YamlTree:
    """Parses each file once, however many tasks include it. Results of `load` share nested values and are read only."""

    def __init__(self) -> None:
        self._parsed: dict[str, dict[str, Any]] = {}
        self._folders: dict[str, str] = {}

    @property
    def files(self) -> list[str]:
        """Every file that has been read."""
        return list(self._parsed)

    def load(self, path: str | Path) -> dict[str, Any]:
        """The file's mapping merged with its includes; the file's own keys win. Functions are left as FunctionRef.

        Raises TaskFileError when the file or an include cannot be read or parsed, is not a mapping, or is included
        twice.
        """
        path = str(path)
        return self._load(self._real_path(str(Path(path).expanduser()) if path.startswith("~") else path), set())

    def files_of(self, path: str | Path) -> list[str]:
        """The file and every file that it includes. Raises TaskFileError as `load` does."""
        seen: set[str] = set()
        self._load(self._real_path(str(path)), seen)
        return sorted(seen)

    def _real_path(self, path: str) -> str:
        """os.path.realpath, with the folders' part remembered: thousands of files share a few hundred folders."""
        folder, _, name = path.rpartition("/")
        try:
            is_link = stat.S_ISLNK(os.lstat(path).st_mode)
        except OSError:
            is_link = True
        if is_link or not folder or name in ("", ".", ".."):
            return os.path.realpath(path)
        real = self._folders.get(folder)
        if real is None:
            real = self._folders[folder] = os.path.realpath(folder)
        return f"{real}/{name}"

    def _load(self, path: str, seen: set[str]) -> dict[str, Any]:
        if path in seen:
            raise TaskFileError(f"{path} is included twice")
        seen.add(path)
        config = self._parse(path)
        if "include" not in config:
            return dict(config)
        merged: dict[str, Any] = {}
        includes = config["include"]
        for include in includes if isinstance(includes, list) else [includes]:
            if not isinstance(include, str):
                raise TaskFileError(f"{path} includes {include!r}, which is not a path")
            below = self._load(
                self._real_path(include if include.startswith("/") else f"{path.rpartition('/')[0]}/{include}"), seen
            )
            below.pop("task_list", None)
            merged.update(below)
        merged.update(config)
        del merged["include"]
        return merged

    def _parse(self, path: str) -> dict[str, Any]:
        config = self._parsed.get(path)
        if config is None:
            try:
                with open(path, "rb") as handle:
                    loader = _Loader(handle.read())
                loader.folder = path.rpartition("/")[0]
                try:
                    node = loader.get_single_node()
                    config = None if node is None else loader.build(node)
                finally:
                    loader.dispose()
            except (OSError, yaml.YAMLError, ValueError, TypeError, RecursionError) as exc:
                raise TaskFileError(" ".join(f"{path} cannot be read: {exc}".split())) from exc
            if not isinstance(config, dict):
                raise TaskFileError(f"{path} is not a YAML mapping")
            self._parsed[path] = config
        return config


class FileConfig(Mapping[str, Any]):
    """The configuration in a task file, which is read when it is first asked for."""

    def __init__(self, file: str, tree: YamlTree) -> None:
        self._file, self._tree = file, tree

    @functools.cached_property
    def _read(self) -> dict[str, Any]:
        return self._tree.load(self._file)

    def __getitem__(self, key: str) -> Any:
        return self._read[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)


@dataclass(kw_only=True, slots=True)
class Entry:
    """A name of the index. `members` of a tag are task names. `members` of a group are the items of its `task:` (names,
    or mappings with overrides).
    """

    name: str
    kind: str
    """task, group or tag"""
    file: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    members: list[Any] = field(default_factory=list)


@dataclass(kw_only=True, slots=True)
class Index:
    entries: dict[str, Entry]
    overridden: dict[str, Entry] = field(default_factory=dict)
    """`lm_eval::gsm8k`: leaves whose name a later folder uses; their evaluation splits stay evaluation data"""
    files: list[str] = field(default_factory=list)
    """every file that was read, with includes"""
    passed_over: dict[str, str] = field(default_factory=dict)
    """skipped file -> why; files that hold no task are left out"""


def yaml_files(folder: str | Path) -> list[str]:
    """Paths of all `*.yaml` in a folder tree, in the order in which lm-eval reads them."""
    found = []
    root = str(folder)
    if IGNORED_FOLDERS.intersection(Path(root).parts):
        return []
    for parent, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in IGNORED_FOLDERS]
        found += [os.path.join(parent, name) for name in files if name.endswith(".yaml")]
    return sorted(found)


def index_tasks(folders: Iterable[str | Path], known: dict[str, Entry] | None = None) -> Index:
    """Reads every task file in the folder trees; tasks of later folders replace earlier ones of the same name. `known`
    are the entries of an earlier folder, which is not read again.
    """
    tree = YamlTree()
    index = Index(entries=dict(known or {}))
    for folder in folders:
        entries: dict[str, Entry] = {}
        for file in yaml_files(folder):
            try:
                _register(tree.load(file), file, entries)
            except TaskFileError as exc:
                index.passed_over[file] = str(exc)
        for name in entries.keys() & index.entries.keys():
            if index.entries[name].kind == "task":
                index.overridden.setdefault(f"{OVERRIDDEN}{name}", index.entries[name])
        index.entries.update(entries)
    index.files = sorted(tree.files)
    return index


def _register(config: dict[str, Any], file: str, entries: dict[str, Entry]) -> None:
    is_group = "group" in config and "class" not in config
    if not is_group and "task" not in config:
        return
    name = config["group"] if is_group else config["task"]
    if not isinstance(name, str):
        raise TaskFileError(f"{file} names its {'group' if is_group else 'task'} {name!r}, which is not a string")
    if name in entries:
        raise TaskFileError(f"{file} repeats the name {name} of {entries[name].file or 'a tag'}")
    if is_group:
        members = config.get("task")
        entries[name] = Entry(
            name=name, kind="group", file=file, config=config, members=members if isinstance(members, list) else []
        )
        return
    entries[name] = Entry(name=name, kind="task", file=file, config=config)
    tags = config.get("tag")
    for tag in tags if isinstance(tags, list) else [tags] if tags else []:
        entries.setdefault(tag, Entry(name=tag, kind="tag")).members.append(name)


def dataset_facts(config: dict[str, Any]) -> dict[str, Any]:
    """`{path, name, data_files?, data_dir?, splits}` of a task's configuration; a split without a name is None."""
    kwargs = config.get("dataset_kwargs")
    kwargs = kwargs if isinstance(kwargs, dict) else {}
    path, name = config.get("dataset_path") or None, config.get("dataset_name")
    loader = config.get("custom_dataset")
    if path is None and loader is not None:
        path = kwargs.get("dataset_repo") or f"function:{loader.path if isinstance(loader, FunctionRef) else loader}"
    if name is None:
        name = kwargs.get("dataset_name") or kwargs.get("name")
    facts: dict[str, Any] = {"path": path, "name": None if name is None else str(name)}
    for key in ("data_files", "data_dir"):
        if kwargs.get(key):
            facts[key] = plain(kwargs[key])
    facts["splits"] = {
        split: _split_name(config.get(f"{split}_split")) for split in ("training", "validation", "test", "fewshot")
    }
    return facts


_TEMPLATES = ("doc_to_text", "doc_to_choice", "doc_to_target", "process_docs")


def templates_key(config: dict[str, Any]) -> str:
    """A hash of a task's templates and functions: equal for tasks that render their rows in the same way."""
    written = json.dumps([plain(config.get(key)) for key in _TEMPLATES], sort_keys=True)
    return hashlib.blake2b(written.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def plain(value: Any) -> Any:
    """The value with functions as strings, ready for JSON."""
    if isinstance(value, FunctionRef):
        return value.path
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def _split_name(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
