"""Finds the groups and tags of each leaf, and the evaluation data that only the files of groups name.

A group lists names, or mappings that override a task's configuration for that group, or whole tasks and groups written
inside it. Tasks inside a group and overridden tasks are not leaves of the index, but the splits that they evaluate on
are evaluation data too.
"""

import os
from typing import Any

from nemo_sdg.catalog.task_files import Entry, Index, TaskFileError, YamlTree, dataset_facts

_STRUCTURE = {"group", "group_alias", "task", "aggregate_metric_list", "metadata", "include"}
_DATASET_KEYS = {
    "dataset_path",
    "dataset_name",
    "dataset_kwargs",
    "custom_dataset",
    "training_split",
    "validation_split",
    "test_split",
}


def memberships(index: Index) -> dict[str, list[str]]:
    """Leaf -> the groups and tags that contain it, directly or through other groups, sorted."""
    found: dict[str, set[str]] = {}
    for name, entry in index.entries.items():
        if entry.kind != "task":
            for task in _leaves(entry.members, index, {name}):
                found.setdefault(task, set()).add(name)
    return {task: sorted(groups) for task, groups in found.items()}


def _leaves(members: list[Any], index: Index, seen: set[str]) -> set[str]:
    tasks: set[str] = set()
    for member in members:
        own = member if isinstance(member, dict) else {"task": member}
        name = own.get("group") or own.get("task")
        entry = index.entries.get(name) if isinstance(name, str) else None
        if entry is None:
            tasks |= _leaves(own["task"], index, seen) if isinstance(own.get("task"), list) else set()
        elif entry.kind == "task":
            tasks.add(entry.name)
        elif entry.name not in seen:
            tasks |= _leaves(entry.members, index, seen | {entry.name})
    return tasks


def inline_evaluations(index: Index) -> list[tuple[str, dict[str, Any]]]:
    """`group::task` and dataset facts of every member whose dataset or splits differ from those of a leaf's file."""
    found: dict[str, dict[str, Any]] = {}
    tree = YamlTree()
    for name, entry in sorted(index.entries.items()):
        if entry.kind == "group":
            overrides = {key: value for key, value in entry.config.items() if key not in _STRUCTURE}
            _collect(entry.members, name, (entry.file or "").rpartition("/")[0], overrides, index, tree, found)
    return sorted(found.items())


def _collect(
    members: list[Any],
    group: str,
    folder: str,
    above: dict[str, Any],
    index: Index,
    tree: YamlTree,
    found: dict[str, dict[str, Any]],
) -> None:
    for number, member in enumerate(members):
        own = member if isinstance(member, dict) else {"task": member}
        if isinstance(own.get("task"), list):
            inner = {**above, **{key: value for key, value in own.items() if key not in _STRUCTURE}}
            _collect(own["task"], f"{group}::{own.get('group', number)}", folder, inner, index, tree, found)
            continue
        entry = index.entries.get(own.get("group") or own.get("task") or "")
        changes = {**above, **own}
        if entry is not None and _DATASET_KEYS.isdisjoint(changes):
            continue
        for leaf in _bases(entry, index):
            config = {**_included(changes, folder, tree), **(leaf.config if leaf else {}), **changes}
            if config.get("dataset_path"):
                facts = dataset_facts(config)
                if "data_files" in facts:
                    facts["folder"] = folder
                found[f"{group}::{leaf.name if leaf else own.get('task', number)}"] = facts


def _bases(entry: Entry | None, index: Index) -> list[Entry | None]:
    """The leaf tasks whose files a group member is based on; None stands for a member that is defined inline."""
    if entry is None or entry.kind == "task":
        return [entry]
    return [index.entries[name] for name in sorted(_leaves(entry.members, index, {entry.name}))]


def _included(config: dict[str, Any], folder: str, tree: YamlTree) -> dict[str, Any]:
    if not isinstance(config.get("include"), str):
        return {}
    try:
        return tree.load(os.path.join(folder, config["include"]))
    except TaskFileError:
        return {}
