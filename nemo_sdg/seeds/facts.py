"""What is known of one leaf without judging it: dataset, splits, kind, frame, family, languages, licence.

From its YAML (or, for a Python task, from the source of its class), and from data/families.yaml where the YAML is silent.
"""

import ast
import fnmatch
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from nemo_sdg.records import Frame, Kind
from nemo_sdg.seeds.languages import languages_of
from nemo_sdg.seeds.yamltree import FunctionRef

DATA = Path(__file__).parent / "data"
UNKNOWN_LICENSE = {"id": "unknown", "commercial_use": "unknown", "share_alike": "unknown", "source": None, "confidence": "unknown"}
BUILDERS = frozenset({"csv", "json", "parquet", "text", "arrow", "webdataset", "xml", "pandas", "sql"})
"""generic builders of `datasets`: the path names a file format, the identity is in data_files"""

_SPLITS = ("training", "validation", "test", "fewshot")
_RATED_METRICS = {"bleu", "rouge", "rouge1", "rouge2", "rougeL", "rougeLsum", "chrf", "ter", "bertscore", "bleurt", "sari", "wer", "comet", "meteor"}


def read_data(name: str) -> dict[str, Any]:
    """One of the package's own tables."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with open(DATA / name, "rb") as handle:
        table: dict[str, Any] = yaml.load(handle, Loader=loader)  # noqa: S506
    return table


def dataset_facts(config: dict[str, Any]) -> dict[str, Any]:
    """`{path, name, data_files?, splits}` of a task's configuration; a split that it does not name is None."""
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
    facts["splits"] = {split: _split_name(config.get(f"{split}_split")) for split in _SPLITS}
    return facts


def plain(value: Any) -> Any:
    """The value with functions as strings, so that it can stand in JSON."""
    if isinstance(value, FunctionRef):
        return value.path
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def _split_name(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def class_facts(function: FunctionRef) -> dict[str, Any] | None:
    """Dataset and splits of a Python task, read off its class without importing it; None where the class does not say.

    Understands class attributes DATASET_PATH and DATASET_NAME, `has_*_docs` that return a constant, and `*_docs` that read
    `self.dataset["split"]`, in the class and in its bases of the same file.
    """
    module, _, name = function.name.rpartition(".")
    classes = _classes(str(Path(function.folder) / f"{module.replace('.', '/')}.py"))
    found: dict[str, Any] = {}
    for node in _bases(name, classes):
        for item in node.body:
            if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name) and isinstance(item.value, ast.Constant):
                found.setdefault(item.targets[0].id, item.value.value)
            elif isinstance(item, ast.FunctionDef) and item.name.endswith("_docs"):
                found.setdefault(item.name, item)
    if not found.get("DATASET_PATH"):
        return None
    splits: dict[str, str | None] = dict.fromkeys(_SPLITS)
    for split in _SPLITS[:3]:
        has = found.get(f"has_{split}_docs")
        answer = next((n.value.value for n in ast.walk(has) if isinstance(n, ast.Return) and isinstance(n.value, ast.Constant)), None) if has else None
        if answer:
            docs = found.get(f"{split}_docs")
            splits[split] = next((str(n.slice.value) for n in ast.walk(docs) if isinstance(n, ast.Subscript) and _is_own_dataset(n)), None) if docs else None
        if answer and splits[split] is None or has is None:
            return None
    return {"path": found["DATASET_PATH"], "name": found.get("DATASET_NAME"), "splits": splits}


def _is_own_dataset(node: ast.Subscript) -> bool:
    value = node.value
    return isinstance(value, ast.Attribute) and value.attr == "dataset" and isinstance(node.slice, ast.Constant)


@cache
def _classes(file: str) -> dict[str, ast.ClassDef]:
    try:
        tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return {}
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _bases(name: str, classes: dict[str, ast.ClassDef]) -> Iterator[ast.ClassDef]:
    node = classes.get(name)
    if node is not None:
        yield node
        for base in node.bases:
            if isinstance(base, ast.Name):
                yield from _bases(base.id, classes)


class Families:
    """data/families.yaml, joined to leaves by dataset path and name, by task name, and by folder."""

    def __init__(self) -> None:
        table = read_data("families.yaml")
        self._sources: dict[str, str] = table["sources"]
        self._datasets: dict[tuple[str, str | None], dict[str, Any]] = {}
        for row in table["datasets"]:
            self._datasets[row["path"], row.get("name")] = row
        self._exact = {row["task"]: row for row in table["tasks"] if "*" not in row["task"]}
        self._globs = [row for row in table["tasks"] if "*" in row["task"]]
        self._folders = {folder: (family, rows["capability"]) for family, rows in table["folders"].items() for folder in rows["folders"]}
        self._languages = {folder: language for language, folders in table["languages"].items() for folder in folders}

    def of_task(self, task: str) -> dict[str, Any]:
        """What the table says of this one leaf, if anything."""
        row = self._exact.get(task)
        if row is None:
            row = next((row for row in self._globs if fnmatch.fnmatchcase(task, row["task"])), {})
        return row

    def of_dataset(self, path: str | None, name: str | None) -> dict[str, Any]:
        return self._datasets.get((path or "", name)) or self._datasets.get((path or "", None)) or {}

    def describe(self, task: str, folder: str, dataset: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
        """Kind, frame, family, capability, languages and licence of a leaf. `folder` is the first below lm-eval's tasks, or ''."""
        row = {**self.of_dataset(_hub_path(dataset), dataset["name"]), **{k: v for k, v in self.of_task(task).items() if k not in ("task", "path", "name")}}
        own_kind = kind_of(config)
        kind = row.get("kind", own_kind)
        if kind == Kind.multiple_choice and own_kind != Kind.multiple_choice and "kind" not in self.of_task(task):
            kind = own_kind
        frame = row.get("frame") or frame_of(config, kind)
        family, capability = self._folders.get(folder, ("unknown", "unknown"))
        default = self._languages.get(folder)
        return {
            "kind": kind,
            "frame": frame,
            "family": row.get("family", family),
            "capability": row.get("capability", capability),
            "languages": languages_of(task, dataset["name"], row.get("languages") or ([default] if default else [])),
            "license": self.license(row),
        }

    def license(self, row: dict[str, Any]) -> dict[str, Any]:
        if "license" not in row:
            return dict(UNKNOWN_LICENSE)
        source = row.get("source")
        short, _, rest = (source or "").partition(":")
        if short in self._sources:
            source = self._sources[short].format(rest)
        found = {"id": row["license"], "commercial_use": row["commercial_use"], "share_alike": row["share_alike"], "source": source, "confidence": row["confidence"]}
        return {**found, "note": row["note"]} if "note" in row else found


def _hub_path(dataset: dict[str, Any]) -> str | None:
    """The hub dataset; for a generic builder, the one that its data_files point into."""
    if dataset["path"] in BUILDERS:
        match = re.search(r"hf://datasets/([^/@'\"]+/[^/@'\"]+)", str(dataset.get("data_files")))
        return match[1] if match else None
    path: str | None = dataset["path"]
    return path


def kind_of(config: dict[str, Any]) -> str:
    """The kind of answer as far as the YAML tells: its output type, metrics and filters."""
    output_type = config.get("output_type") or "generate_until"
    if output_type == "multiple_choice":
        return Kind.multiple_choice
    if output_type == "loglikelihood":
        return Kind.short_text
    metrics = {_metric_name(metric) for metric in config.get("metric_list") or [] if isinstance(metric, dict)}
    if any("pass" in name and "k" in name or "code_eval" in name or name.startswith("pass_at") for name in metrics):
        return Kind.code
    if metrics & _RATED_METRICS or any(name.startswith(("rouge", "bleu", "bert")) for name in metrics) or output_type == "loglikelihood_rolling":
        return Kind.free_text
    if re.search(r"\\d|\[0-9|\[-0-9", str(config.get("filter_list") or "")) and "A-" not in str(config.get("filter_list")):
        return Kind.numeric
    return Kind.short_text if metrics else Kind.free_text


def _metric_name(metric: dict[str, Any]) -> str:
    name = metric.get("metric")
    return name.name.rpartition(".")[2] if isinstance(name, FunctionRef) else str(name)


def frame_of(config: dict[str, Any], kind: str) -> str:
    """Options that are a fixed list of words make a classification; bare labels and anything from the row, a selection."""
    if kind != Kind.multiple_choice:
        return Frame.generation
    choices = config.get("doc_to_choice")
    if isinstance(choices, str):
        text = choices.strip()
        if text.startswith("{{") and text.endswith("}}"):
            text = text[2:-2].strip()
        try:
            choices = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return Frame.selection
    if isinstance(choices, dict):
        choices = list(choices.values())
    if not isinstance(choices, list) or not choices:
        return Frame.selection
    words = [str(choice).strip(" ().:") for choice in choices]
    return Frame.selection if any("{{" in word for word in words) or all(len(word) == 1 for word in words) else Frame.classification


def is_text(config: dict[str, Any]) -> bool:
    """False for tasks whose question is an image or a sound."""
    return not (config.get("doc_to_image") or config.get("doc_to_audio"))
