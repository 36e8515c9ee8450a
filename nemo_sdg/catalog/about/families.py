"""Finds the family, capability, kind of answer, frame, languages and licence of a leaf: in families.yaml, else in its
own YAML.
"""

import ast
import fnmatch
import re
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from nemo_sdg.catalog.about.languages import languages_of
from nemo_sdg.catalog.about.metadata import problems
from nemo_sdg.catalog.data_files import BUILDERS
from nemo_sdg.catalog.task_files import FunctionRef
from nemo_sdg.records import Frame, Kind

DATA = Path(__file__).parents[1]
UNKNOWN_LICENSE = {
    "id": "unknown",
    "commercial_use": "unknown",
    "share_alike": "unknown",
    "source": None,
    "confidence": "unknown",
}

_RATED_METRICS = {
    "bleu",
    "rouge",
    "rouge1",
    "rouge2",
    "rougeL",
    "rougeLsum",
    "chrf",
    "ter",
    "bertscore",
    "bleurt",
    "sari",
    "wer",
    "comet",
    "meteor",
}


def read_data(name: str) -> dict[str, Any]:
    """One of the package's tables, by its file name."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    table: dict[str, Any] = yaml.load((DATA / name).read_bytes(), Loader=loader)
    return table


class Families:
    """families.yaml, joined to leaves by dataset path and name, by task name, and by folder."""

    def __init__(self) -> None:
        table = read_data("families.yaml")
        self._sources: dict[str, str] = table["sources"]
        self._datasets: dict[tuple[str, str | None], dict[str, Any]] = {}
        for row in table["datasets"]:
            self._datasets[row["path"], row.get("name")] = row
        self._exact = {row["task"]: row for row in table["tasks"] if "*" not in row["task"]}
        self._globs = [row for row in table["tasks"] if "*" in row["task"]]
        self._folders = {
            folder: (family, rows["capability"])
            for family, rows in table["folders"].items()
            for folder in rows["folders"]
        }
        self._languages = {folder: language for language, folders in table["languages"].items() for folder in folders}

    @cached_property
    def names(self) -> set[str]:
        """Every family of the table."""
        rows = [*self._datasets.values(), *self._exact.values(), *self._globs]
        return {row["family"] for row in rows if "family" in row} | {family for family, _ in self._folders.values()}

    def of_task(self, task: str) -> dict[str, Any]:
        """The table's row for this leaf, if there is one."""
        row = self._exact.get(task)
        if row is None:
            row = next((row for row in self._globs if fnmatch.fnmatchcase(task, row["task"])), {})
        return row

    def of_dataset(self, path: str | None, name: str | None) -> dict[str, Any]:
        return self._datasets.get((path or "", name)) or self._datasets.get((path or "", None)) or {}

    def describe(self, task: str, folder: str, dataset: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
        """Kind, frame, family, capability, languages and licence of a leaf. `folder` is its first folder in lm-eval's
        tasks, or ''.
        """
        own = self.of_task(task)
        row = {
            **self.of_dataset(_hub_path(dataset), dataset["name"]),
            **{key: value for key, value in own.items() if key not in ("task", "path", "name")},
        }
        row |= said_by_task(config)
        kind = row.get("kind") or kind_of(config)
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
        found = {
            "id": row["license"],
            "commercial_use": row["commercial_use"],
            "share_alike": row["share_alike"],
            "source": source,
            "confidence": row["confidence"],
        }
        return {**found, "note": row["note"]} if "note" in row else found


def own_metadata(config: dict[str, Any]) -> Any:
    """The value of `metadata: nemo_sdg:` in a task file, of any type."""
    metadata = config.get("metadata")
    return metadata.get("nemo_sdg") if isinstance(metadata, dict) else None


def said_by_task(config: dict[str, Any]) -> dict[str, Any]:
    """The section `metadata: nemo_sdg:` of a user's task file, in the form of a row of the table; {} if it is absent
    or wrong.

    Commercial use is `unknown` unless the section states it (`commercial_use: yes`); the licence is not interpreted.
    """
    written = own_metadata(config)
    if not isinstance(written, dict) or problems(written):
        return {}
    said = dict(written)
    if "language" in said:
        said["languages"] = [said.pop("language")]
    if "license" in said:
        said = {"commercial_use": "unknown", "share_alike": "unknown", "source": None, "confidence": "declared", **said}
        said |= {key: {True: "yes", False: "no"}.get(said[key], said[key]) for key in ("commercial_use", "share_alike")}
    return said


def _hub_path(dataset: dict[str, Any]) -> str | None:
    """The hub dataset; for a generic builder, the dataset that its data_files point to."""
    if dataset["path"] in BUILDERS:
        match = re.search(r"hf://datasets/([^/@'\"]+/[^/@'\"]+)", str(dataset.get("data_files")))
        return match[1] if match else None
    path: str | None = dataset["path"]
    return path


def kind_of(config: dict[str, Any]) -> str:
    """The kind of answer that the YAML implies by its output type, metrics and filters."""
    output_type = config.get("output_type") or "generate_until"
    if output_type == "multiple_choice":
        return Kind.multiple_choice
    if output_type == "loglikelihood":
        return Kind.short_text
    metrics = {_metric_name(metric) for metric in config.get("metric_list") or [] if isinstance(metric, dict)}
    if any(name.startswith(("pass@", "pass_at", "code_eval")) for name in metrics):
        return Kind.code
    if (
        metrics & _RATED_METRICS
        or any(name.startswith(("rouge", "bleu", "bert")) for name in metrics)
        or output_type == "loglikelihood_rolling"
    ):
        return Kind.free_text
    if re.search(r"\\d|\[0-9|\[-0-9", str(config.get("filter_list") or "")) and "A-" not in str(
        config.get("filter_list")
    ):
        return Kind.numeric
    return Kind.short_text if metrics else Kind.free_text


def _metric_name(metric: dict[str, Any]) -> str:
    name = metric.get("metric")
    return name.name.rpartition(".")[2] if isinstance(name, FunctionRef) else str(name)


def frame_of(config: dict[str, Any], kind: str) -> str:
    """The frame. A fixed list of words as options makes a classification; bare labels or options from the row make a
    selection.
    """
    if kind != Kind.multiple_choice:
        return Frame.generation
    choices = config.get("doc_to_choice")
    if isinstance(choices, str):
        choices = _literal(choices)
    if isinstance(choices, dict):
        choices = list(choices.values())
    if not isinstance(choices, list) or not choices:
        return Frame.selection
    words = [str(choice).strip(" ().:") for choice in choices]
    return (
        Frame.selection
        if any("{{" in word for word in words) or all(len(word) == 1 for word in words)
        else Frame.classification
    )


@cache
def _literal(template: str) -> Any:
    """The list that a template such as `{{["no", "yes"]}}` spells out; None if the template reads the row's columns."""
    text = template.strip()
    if text.startswith("{{") and text.endswith("}}"):
        text = text[2:-2].strip()
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
