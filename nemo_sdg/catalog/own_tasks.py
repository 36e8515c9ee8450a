"""The index of lm-eval's own 14,000 task files as plain JSON. It changes only with the package, and reading the files
takes 2 s.

    pack_entries(index.entries, root) -> [{"name": "gsm8k", "kind": "task", "file": "gsm8k/gsm8k.yaml"}, ...]

The configuration of a task is not in it: its file is read when something asks for it.
"""

import os
from typing import Any

import orjson

from nemo_sdg.catalog.task_files import Entry, FileConfig, FunctionRef, YamlTree

FUNCTION = "!function"


def pack_entries(entries: dict[str, Entry], root: str) -> list[dict[str, Any]]:
    """The entries of an index of `root`, in order."""
    return [_pack(entry, root) for entry in entries.values()]


def _pack(entry: Entry, root: str) -> dict[str, Any]:
    row: dict[str, Any] = {"name": entry.name, "kind": entry.kind}
    if entry.file is not None:
        row["file"] = os.path.relpath(entry.file, root)
    if entry.kind == "tag":
        row["members"] = entry.members
    if entry.kind == "group" and _survives(config := dict(entry.config)):
        row["config"] = _packed(config)
    return row


def unpack_entries(rows: list[dict[str, Any]], root: str) -> dict[str, Entry]:
    """The inverse of `pack_entries`, name -> entry."""
    tree = YamlTree()
    return {row["name"]: _unpack(row, root, tree) for row in rows}


def _unpack(row: dict[str, Any], root: str, tree: YamlTree) -> Entry:
    name, kind = row["name"], row["kind"]
    if kind == "tag":
        return Entry(name=name, kind=kind, members=row["members"])
    file = os.path.join(root, row["file"])
    config = _unpacked(row["config"]) if "config" in row else FileConfig(file, tree)
    members = config.get("task") if kind == "group" else None
    return Entry(name=name, kind=kind, file=file, config=config, members=members if isinstance(members, list) else [])


def _survives(config: dict[str, Any]) -> bool:
    """Whether a configuration is the same after it was JSON: one with a date or a number as a key is not."""
    try:
        return bool(_unpacked(orjson.loads(orjson.dumps(_packed(config)))) == config)
    except (TypeError, ValueError):
        return False


def _packed(value: Any) -> Any:
    if isinstance(value, FunctionRef):
        return {FUNCTION: [value.folder, value.name]}
    if isinstance(value, dict):
        return {key: _packed(item) for key, item in value.items()}
    return [_packed(item) for item in value] if isinstance(value, list) else value


def _unpacked(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {FUNCTION}:
            return FunctionRef(*value[FUNCTION])
        return {key: _unpacked(item) for key, item in value.items()}
    return [_unpacked(item) for item in value] if isinstance(value, list) else value
