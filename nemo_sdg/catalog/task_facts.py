"""Reads the facts of every leaf: dataset, splits, kind, frame, family, languages, licence, groups. It gives no verdict.

Facts come from the YAML, or from the source of its class for a Python task; the package's tables add what is missing
there. Reading lm-eval's 14,000 files takes seconds, so walk.py caches the result of `read_facts`.
"""

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from nemo_sdg.catalog.about import metadata
from nemo_sdg.catalog.about.families import Families, own_metadata, read_data
from nemo_sdg.catalog.data_files import BUILDERS, local_folder
from nemo_sdg.catalog.membership import inline_evaluations, memberships
from nemo_sdg.catalog.own_tasks import pack_entries, unpack_entries
from nemo_sdg.catalog.task_files import Entry, FunctionRef, Index, dataset_facts, index_tasks, templates_key

POOLS = str(Path(__file__).parent / "pools")
"""task files for public training sets that lm-eval has no task for"""
_READ_SPLITS = ("training", "validation", "test")


def class_facts(function: FunctionRef) -> dict[str, Any] | None:
    """Dataset and splits of a Python task, read from the source of its class without an import; None if the source does
    not show them. Understands class attributes DATASET_PATH and DATASET_NAME, `has_*_docs` that return a constant, and
    `*_docs` that read `self.dataset["split"]`, in the class and in its base classes in the same file.
    """
    module, _, name = function.name.rpartition(".")
    classes = _classes(str(Path(function.folder) / f"{module.replace('.', '/')}.py"))
    found: dict[str, Any] = {}
    for node in _with_bases(name, classes):
        for item in node.body:
            if (
                isinstance(item, ast.Assign)
                and isinstance(item.targets[0], ast.Name)
                and isinstance(item.value, ast.Constant)
            ):
                found.setdefault(item.targets[0].id, item.value.value)
            elif isinstance(item, ast.FunctionDef) and item.name.endswith("_docs"):
                found.setdefault(item.name, item)
    if not found.get("DATASET_PATH"):
        return None
    splits: dict[str, str | None] = dict.fromkeys((*_READ_SPLITS, "fewshot"))
    for split in _READ_SPLITS:
        has = found.get(f"has_{split}_docs")
        if has is None:
            return None
        has_split = _constant_returned(has)
        if has_split and f"{split}_docs" in found:
            splits[split] = next(_own_splits(found[f"{split}_docs"]), None)
        if has_split and splits[split] is None:
            return None
    return {"path": found["DATASET_PATH"], "name": found.get("DATASET_NAME"), "splits": splits}


def _constant_returned(function: ast.FunctionDef) -> Any:
    """The constant that a function returns; None if it returns none."""
    returns = (node.value for node in ast.walk(function) if isinstance(node, ast.Return))
    return next((value.value for value in returns if isinstance(value, ast.Constant)), None)


def _own_splits(function: ast.FunctionDef) -> Iterator[str]:
    """`train` of every `self.dataset["train"]` in a function."""
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Attribute)
            and node.value.attr == "dataset"
            and isinstance(node.slice, ast.Constant)
        ):
            yield str(node.slice.value)


@cache
def _classes(file: str) -> dict[str, ast.ClassDef]:
    try:
        tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return {}
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _with_bases(name: str, classes: dict[str, ast.ClassDef]) -> Iterator[ast.ClassDef]:
    node = classes.get(name)
    if node is not None:
        yield node
        for base in node.bases:
            if isinstance(base, ast.Name):
                yield from _with_bases(base.id, classes)


def is_text(config: dict[str, Any]) -> bool:
    """False for tasks whose question is an image or a sound."""
    return not (config.get("doc_to_image") or config.get("doc_to_audio"))


def read_own(root: str) -> dict[str, Any]:
    """What lm-eval's own task files say, as plain JSON: `{"entries": [...], "rows": [{task, file, dataset, ...,
    license: its number}], "licenses": [...], "outside": files that they include from elsewhere}`.
    """
    index = index_tasks([root])
    families, licenses = Families(), list[dict[str, Any]]()
    rows = [
        _numbered(_fact(entry, root, families, []), licenses)
        for entry in index.entries.values()
        if entry.kind == "task"
    ]
    top = os.path.realpath(root) + os.sep
    return {
        "entries": pack_entries(index.entries, root),
        "rows": rows,
        "licenses": licenses,
        "outside": [file for file in index.files if not file.startswith(top)],
    }


def read_facts(root: str, include_path: tuple[str, ...], own: dict[str, Any] | None = None) -> dict[str, Any]:
    """The facts of all tasks in `root` (lm-eval's folder) and in the folders of include_path, without verdicts, as
    plain JSON:

    `{"rows": [{task, file, dataset, kind, …, license: its number}], "licenses": [...], "inline": [[label, dataset]],
    "splits": the table of splits.yaml, "warnings": [...], "outside": files of no folder that task files include}`.
    Files that lm-eval would skip are skipped, with a warning if they are in include_path. A built-in task with the name
    of a task in include_path is listed as `lm_eval::<name>` and refused; its evaluation splits stay evaluation data.
    `own` is what `read_own` gives for `root`.
    """
    own = read_own(root) if own is None else own
    known, facts = unpack_entries(own["entries"], root), {row["task"]: row for row in own["rows"]}
    index = index_tasks([POOLS, *include_path], known)
    families, groups = Families(), memberships(index)
    licenses: list[dict[str, Any]] = []
    rows = []
    leaves = [(name, entry) for name, entry in index.entries.items() if entry.kind == "task"]
    for name, entry in sorted([*leaves, *index.overridden.items()]):
        if known.get(entry.name) is entry:
            fact = facts[entry.name]
            row = {**fact, "license": own["licenses"][fact["license"]], "groups": groups.get(name, [])}
        else:
            row = _fact(entry, root, families, groups.get(name, []))
        if name in index.overridden:
            taker = index.entries[entry.name]
            row |= {"task": name, "reasons": [*row["reasons"], f"overridden: {taker.file or 'a tag'} takes its name"]}
        rows.append(_numbered(row, licenses))
    tops = tuple(os.path.realpath(top) + os.sep for top in (root, *include_path))
    return {
        "rows": rows,
        "licenses": licenses,
        "inline": inline_evaluations(index),
        "splits": read_data("splits.yaml"),
        "warnings": _warnings(index, root, include_path),
        "outside": sorted({file for file in [*own["outside"], *index.files] if not file.startswith(tops)}),
    }


def _numbered(row: dict[str, Any], licenses: list[dict[str, Any]]) -> dict[str, Any]:
    """The row with the number of its licence in `licenses`, which takes up new ones."""
    if row["license"] not in licenses:
        licenses.append(row["license"])
    return {**row, "license": licenses.index(row["license"])}


def _warnings(index: Index, root: str, include_path: tuple[str, ...]) -> list[str]:
    """One line for each file of include_path that looks like a task file but does not give a task that can be used."""
    found = [
        f"seeds.include_path: {file} is passed over: {why}"
        for file, why in index.passed_over.items()
        if not file.startswith(root + os.sep)
    ]
    for _, entry in sorted(index.entries.items()):
        if not entry.file or entry.file.startswith(root + os.sep):
            continue
        choices = entry.config.get("doc_to_choice")
        if isinstance(choices, list):
            found += [
                f"seeds.include_path: {entry.file}: doc_to_choice holds yes, no, true or false without quotes, "
                f"which is shown as {choice}; write it in quotes"
                for choice in choices
                if isinstance(choice, bool)
            ][:1]
    found += [
        f"seeds.include_path: {entry.file}: the task {member['task']} is written within the group "
        f"{entry.name}; write it to a separate file, so that its rows can be seeds"
        for _, entry in sorted(index.entries.items())
        if entry.kind == "group" and entry.file and not entry.file.startswith(root + os.sep)
        for member in entry.members
        if isinstance(member, dict) and isinstance(member.get("task"), str) and member["task"] not in index.entries
    ]
    return found + [
        f"seeds.include_path: {file} is passed over: lm-eval reads only files that end in .yaml"
        for folder in include_path
        for file in sorted(map(str, Path(folder).rglob("*.yml")))
    ]


def _fact(entry: Entry, root: str, families: Families, groups: list[str]) -> dict[str, Any]:
    assert entry.file is not None
    inside = entry.file.startswith(root + os.sep)
    file = entry.file[len(root) + 1 :] if inside else os.path.realpath(entry.file)
    config, reasons = dict(entry.config), []
    python_class = config.get("class")
    dataset = dataset_facts(config)
    if isinstance(python_class, FunctionRef):
        read = class_facts(python_class)
        dataset = read or {
            **dataset,
            **{k: v for k, v in families.of_task(entry.name).items() if k in ("path", "name")},
        }
        if read is None:
            reasons.append(f"unreadable_class: the splits of {python_class.name} are known only when it runs")
    if not is_text(config):
        reasons.append("not_text: the question is an image or a sound")
    if config.get("output_type") == "loglikelihood_rolling":
        reasons.append("no_question: the task scores running text")
    folder = str(Path(entry.file if inside else file).parent)
    names_files = "data_files" in dataset or ("data_dir" in dataset and dataset["path"] in BUILDERS)
    if dataset["path"] and (names_files or local_folder(dataset["path"], folder)):
        dataset["folder"] = folder
    reasons += [f"{metadata.REASON}: {problem}" for problem in metadata.problems(own_metadata(config), families.names)]
    described = families.describe(entry.name, file.partition(os.sep)[0] if inside else "", dataset, config)
    return {
        "task": entry.name,
        "file": file,
        "templates": templates_key(config),
        "dataset": dataset,
        **described,
        "reasons": reasons,
        "groups": groups,
    }
