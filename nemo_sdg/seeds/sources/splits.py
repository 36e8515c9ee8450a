"""Decides which dataset splits are read for seeds and for evaluation rows and how many rows of each, and opens them.

Splits are grouped by what they are, not by who names them: tasks that share a split share a source.
"""

import functools
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nemo_sdg.catalog.data_files import BUILDERS, local_folder, named_files, training_dataset
from nemo_sdg.catalog.walk import task_config, task_files
from nemo_sdg.config import SeedsSection
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.records import CatalogRow, DatasetRow, Verdict
from nemo_sdg.records.lines import UnseenSplit
from nemo_sdg.seeds.prompts.functions import resolve_function
from nemo_sdg.seeds.sources.limits import Demand, share_limits
from nemo_sdg.seeds.sources.lock import locked_revision
from nemo_sdg.seeds.sources.rows import Rows, Split, fixed, located, mirrored, missing_files, open_rows, uses_hub


@dataclass(kw_only=True)
class Source:
    """One split of one dataset, with the leaf tasks that share its rows, the plainest name first."""

    split: Split
    leaves: list[CatalogRow]
    quota: int | None = None
    """rows to take; None = all"""
    not_sampled: dict[str, int] = field(default_factory=dict)
    """rows beyond the quota, under the source's first task; filled when the source has been rendered to its end"""

    @property
    def tasks(self) -> list[str]:
        return [leaf.task for leaf in self.leaves]

    def place(self, rows: Rows, number: int) -> DatasetRow:
        """Where a row stands. For the generic builders the files are the dataset; of a function that makes rows, the
        part of its place that is no machine's.
        """
        path = ",".join(self.split.data_files) or self.split.path
        if path.startswith("function:"):
            path = f"function:{'/'.join(path.split('/')[-2:])}"
        return DatasetRow(path=path, name=self.split.name, split=self.split.split, revision=rows.revision, row=number)

    def describe(self) -> UnseenSplit:
        return {
            "task": self.tasks[0],
            "tasks": self.tasks,
            "dataset": ",".join(self.split.data_files) or self.split.path,
            "name": self.split.name,
            "split": self.split.split,
        }


@dataclass(kw_only=True)
class EvaluationSource(Source):
    """One split that some task evaluates or validates on."""

    unreadable: list[str] = field(default_factory=list)
    """rows that could not be read, each with why; filled when the source has been rendered to its end"""


@dataclass(kw_only=True)
class EvaluationSources:
    reachable: list[EvaluationSource]
    unreachable: list[UnseenSplit]


def plan_sources(catalog: list[CatalogRow], seeds: SeedsSection) -> list[Source]:
    """The training splits of the eligible tasks, in the order of their identity, each with its share of the limits.

    Raises ConfigError when seeds.mirror is not a folder.
    """
    if seeds.mirror is not None and not Path(seeds.mirror).is_dir():
        raise ConfigError(
            f"seeds.mirror={seeds.mirror} is not a folder; name the folder that holds <dataset_path>/<name "
            "or default>/<split>.jsonl"
        )
    eligible = [row for row in catalog if row.verdict == Verdict.eligible]
    sources = [
        Source(split=split, leaves=leaves)
        for split, leaves in _group(((row, row.dataset["splits"].get("training"), True) for row in eligible), seeds)
    ]
    if seeds.limit_per_task is not None or seeds.limit_per_family is not None:
        demands = [
            Demand(tasks=source.tasks, family=source.leaves[0].family, rows=functools.partial(_count, source, seeds))
            for source in sources
        ]
        for source, quota in zip(sources, share_limits(demands, eligible, seeds), strict=True):
            source.quota = quota
    return sources


def evaluation_sources(catalog: list[CatalogRow], seeds: SeedsSection) -> EvaluationSources:
    """Every split that a task of the catalog, eligible or refused, evaluates or validates on, each once."""
    wanted = ((row, row.dataset["splits"].get(role), False) for row in catalog for role in ("test", "validation"))
    found = EvaluationSources(reachable=[], unreachable=[])
    own = own_tasks(seeds)
    for split, leaves in _group(wanted, seeds):
        source = EvaluationSource(split=split, leaves=leaves)
        why = _missing(source, seeds, own)
        if why is None:
            found.reachable.append(source)
        else:
            found.unreachable.append({**source.describe(), "why": why})
    return found


def _group(wanted: Iterable[tuple[CatalogRow, Any, bool]], seeds: SeedsSection) -> list[tuple[Split, list[CatalogRow]]]:
    """Leaves by the split that they name, splits in the order of their identity, the plainest leaf first. With each
    split's name stands whether it is read for seeds.
    """
    groups: dict[Split, dict[str, CatalogRow]] = {}
    files = task_files(seeds)
    for row, name, is_training in wanted:
        if name and row.dataset.get("path"):
            dataset = training_dataset(row.dataset) if is_training else row.dataset
            groups.setdefault(_split(row.task, files[row.task], dataset, name, seeds), {})[row.task] = row
    ordered = sorted(
        groups.items(),
        key=lambda item: (item[0].path, item[0].name or "", item[0].split, item[0].data_files, repr(item[0].options)),
    )
    return [(split, [leaves[task] for task in sorted(leaves, key=plainest_first)]) for split, leaves in ordered]


def plainest_first(task: str) -> tuple[int, str]:
    """Of tasks on the same rows, the first stands for them: `wic` rather than `super_glue-wic-t5-prompt`."""
    return len(task), task


def _split(task: str, file: str, dataset: dict[str, Any], name: str, seeds: SeedsSection) -> Split:
    path = dataset["path"]
    folder = os.path.dirname(file)  # noqa: PTH120 (hot)
    named = dataset.get("data_files") or dataset.get("data_dir") or path.startswith("function:")
    if not named and local_folder(path, folder) is None:
        return Split(path=path, name=dataset.get("name"), split=name)
    config = task_config(task, seeds)
    options = {
        key: value
        for key, value in (config.get("dataset_kwargs") or {}).items()
        if key not in ("data_files", "trust_remote_code", "name")
    }
    found = Split(
        path=path,
        name=dataset.get("name"),
        split=name,
        data_files=tuple(named_files(dataset, name)),
        folder=folder,
        options=tuple((key, fixed(value)) for key, value in sorted(options.items())),
    )
    return located(found)


def _missing(source: Source, seeds: SeedsSection, own: frozenset[str] | None = None) -> str | None:
    """Why a source cannot be had, where that is known without opening it. `own` is what own_tasks gives."""
    split = source.split
    if uses_hub(seeds) or _makes_own_rows(source, seeds, own):
        return None
    if split.path in BUILDERS or split.located or local_folder(split.path, split.folder):
        return missing_files(split, seeds)
    if seeds.mirror is None:
        return "seeds.hub=false and no seeds.mirror"
    return f"not in the mirror {seeds.mirror}" if not mirrored(split, seeds.mirror) else None


def open_source(source: Source, seeds: SeedsSection) -> Rows:
    return open_rows(
        source.split,
        seeds,
        task=source.tasks[0],
        revision=locked_revision(source.split, seeds.lock),
        custom=_custom_dataset(source, seeds),
    )


def _custom_dataset(source: Source, seeds: SeedsSection) -> Callable[[], Any] | None:
    """The function that makes the task's rows, where it has one, with its arguments bound as lm-eval binds them.

    Raises DataError where the function is lm-eval's and the network is ruled out: such functions download.
    """
    task = source.tasks[0]
    config = task_config(task, seeds)
    reference = config.get("custom_dataset")
    if reference is None:
        return None
    if not _makes_own_rows(source, seeds) and not uses_hub(seeds):
        raise DataError(
            f"task {task} makes its rows by a function (custom_dataset) that may use the network; set "
            "seeds.hub=true to allow it"
        )
    return functools.partial(
        resolve_function(reference.folder, reference.name),
        **(config.get("metadata") or {}),
        **(config.get("dataset_kwargs") or {}),
    )


def _makes_own_rows(source: Source, seeds: SeedsSection, own: frozenset[str] | None = None) -> bool:
    """Whether the rows come from a function of the user's (custom_dataset in a file of include_path), and so need no
    mirror.
    """
    task = source.tasks[0]
    if not seeds.include_path or task not in (own_tasks(seeds, [task]) if own is None else own):
        return False
    return task_config(task, seeds).get("custom_dataset") is not None


def own_tasks(seeds: SeedsSection, tasks: Iterable[str] | None = None) -> frozenset[str]:
    """Those of the tasks, or of all, whose files lie in include_path, wherever links lead.

    The place of each folder is asked for once: lm-eval has 14,000 files in some hundred folders.
    """
    if not seeds.include_path:
        return frozenset()
    folders = [Path(path).resolve() for path in seeds.include_path]
    inside: dict[str, bool] = {}
    found, files = [], task_files(seeds)
    for task in files if tasks is None else tasks:
        file = files[task]
        parent = file.rpartition("/")[0]
        if parent not in inside:
            inside[parent] = any(map(Path(parent).resolve().is_relative_to, folders))
        if not inside[parent] and not os.path.islink(file):  # noqa: PTH114 (hot)
            continue
        if any(map(Path(file).resolve().is_relative_to, folders)):
            found.append(task)
    return frozenset(found)


def _count(source: Source, seeds: SeedsSection) -> int | None:
    """Rows of a source, none where its mirror lacks it (told when it is rendered); None where it is not known without
    reading.
    """
    if _missing(source, seeds) is not None:
        return 0
    try:
        return open_source(source, seeds).count()
    except DataError:
        return None
