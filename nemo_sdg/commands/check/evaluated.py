"""Finds the splits that lm-eval and the folders of include_path evaluate on, in the text of their YAML files."""

import functools
import importlib.util
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nemo_sdg.catalog.data_files import BUILDERS, split_files
from nemo_sdg.catalog.task_files import dataset_facts
from nemo_sdg.catalog.walk import lm_eval_tasks_folder
from nemo_sdg.errors import one_line

_DATASET = re.compile(r"^\s*-?\s*dataset_path:\s*(\S+)", re.M)
_INCLUDE = re.compile(r"^\s*-?\s*include:\s*(\S+)", re.M)
_ENDINGS = (".json", ".jsonl", ".csv", ".tsv", ".parquet", ".txt", ".gz", ".bz2", ".xz", ".zst")

Key = tuple[str, str, str]
"""dataset's last part, config, split"""


@dataclass(kw_only=True)
class Evaluated:
    """What lm-eval and the folders of include_path evaluate on, as far as it concerns some datasets."""

    splits: dict[Key, str] = field(default_factory=dict)
    """hub split -> a task that evaluates on it"""
    files: dict[str, str] = field(default_factory=dict)
    """real path of a data file -> a task that evaluates on it"""
    unread: dict[str, str] = field(default_factory=dict)
    """a file of include_path that lm-eval cannot load -> why"""


def is_file(path: str) -> bool:
    """Whether a seed's dataset is data files of a task's own, rather than a name on the hub."""
    return path.split(",")[0].endswith(_ENDINGS) or path.startswith(("/", "./", "../", "~"))


def last_part(path: str) -> str:
    return path.rsplit("/", 1)[-1].casefold()


def mirror_files(mirror: str | None) -> list[str]:
    return sorted(
        os.path.join(parent, name)
        for parent, _, names in (os.walk(mirror, followlinks=True) if mirror else [])
        for name in names
        if name.endswith(_ENDINGS)
    )


def mirrored_datasets(mirror: str | None) -> set[str]:
    """Last parts of the datasets that a mirror holds."""
    return {mirrored(file, mirror)[0] for file in mirror_files(mirror)} if mirror else set()


def mirrored(file: str, mirror: str) -> Key:
    """What a file of a mirror holds, by its path: <dataset>/<config>/<split>.jsonl, <dataset>/data/<split>-00000-of-…,
    <dataset>/<config>/<split>/0000.parquet. Links are not followed: the path in the mirror is what names the data.
    """
    *folders, name = Path(file).relative_to(mirror).parts
    folders = [folder for folder in folders if folder != "data"]
    split = re.sub(r"-\d+-of-\d+.*", "", name.partition(".")[0])
    if re.fullmatch(r"\d+", split) and len(folders) > 1:
        split = folders.pop()
    config = folders.pop() if len(folders) > 1 else "default"
    return last_part(folders[-1]) if folders else "", config, split


@dataclass(frozen=True, slots=True)
class TaskFile:
    """What the text of a task file says, before it is loaded."""

    datasets: frozenset[str]
    """last parts of its dataset_path"""
    includes: tuple[str, ...]
    """names of the files that it includes"""


@functools.cache
def _task_files(folder: str) -> dict[str, TaskFile]:
    """Every file below a folder that may describe a task, by its path."""
    found = {}
    for parent, _, names in os.walk(folder, followlinks=True):
        for name in names:
            if name.endswith((".yaml", ".yml")) or "." not in name:
                path = os.path.join(parent, name)
                with open(path, "rb") as file:  # as text, 14,000 files take half as long again
                    text = file.read().decode(errors="replace").replace("\r", "\n")
                datasets = _DATASET.findall(text) if "dataset_path:" in text else []
                includes = _INCLUDE.findall(text) if "include:" in text else []
                found[path] = TaskFile(
                    frozenset(last_part(one.strip("\"'")) for one in datasets),
                    tuple(one.strip("\"'").rpartition("/")[2] for one in includes),
                )
    return found


@functools.cache
def _loader() -> Callable[..., dict[str, Any]]:
    """lm-eval's own loader of task files, from its file: importing lm-eval would take seconds."""
    path = Path(lm_eval_tasks_folder(), "_yaml_loader.py")
    spec = importlib.util.spec_from_file_location("lm_eval_yaml_loader", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    load_yaml: Callable[..., dict[str, Any]] = module.load_yaml
    return load_yaml


@functools.cache
def _load(path: str) -> dict[str, Any]:
    return _loader()(Path(path), resolve_func=False)


def evaluated_splits(datasets: set[str], include_path: list[str]) -> Evaluated:
    """What is evaluated on, of the datasets asked for, by the YAML files."""
    files = dict(_task_files(os.path.realpath(lm_eval_tasks_folder())))
    own: set[str] = set()
    for folder in include_path:
        more_files = _task_files.__wrapped__(os.path.realpath(folder))
        own |= more_files.keys()
        files |= more_files
    found = {path for path, file in files.items() if not file.datasets.isdisjoint(datasets)}
    while True:
        bases = {path.rpartition("/")[2] for path in found}
        more = {path for path, file in files.items() if path not in found and not bases.isdisjoint(file.includes)}
        if not more:
            break
        found |= more
    evaluated = Evaluated()
    for path in sorted(found):
        try:
            whole = _load.__wrapped__(path) if path in own else _load(path)
        except Exception as exc:  # whatever lm-eval's loader raises over a file of the user's
            if path not in own:
                raise
            evaluated.unread[path] = one_line(exc)
            continue
        for config in [whole, *(part for part in whole.get("task") or [] if isinstance(part, dict))]:
            _add(evaluated, {**whole, **config}, datasets, Path(path))
    return evaluated


def _add(evaluated: Evaluated, config: dict[str, Any], datasets: set[str], path: Path) -> None:
    """The splits that a task's scores come from: test, and validation where it is named."""
    if not config.get("dataset_path") or last_part(str(config["dataset_path"])) not in datasets:
        return
    task = str(config.get("task") if isinstance(config.get("task"), str) else path.stem)
    facts = dataset_facts(config)
    for role in ("test_split", "validation_split"):
        split = config.get(role)
        if not isinstance(split, str) or not split:
            continue
        plain = re.sub(r"\[.*\]$", "", split)
        key = last_part(str(config["dataset_path"])), str(facts["name"] or "default"), plain
        if key[0] not in BUILDERS:
            evaluated.splits.setdefault(key, task)
        for file in split_files(facts, plain, folder=str(path.parent)):
            evaluated.files.setdefault(os.path.realpath(file), task)
