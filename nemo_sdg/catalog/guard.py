"""Three rings that keep evaluation rows out of the seeds.

1. By name: a training split that the task itself evaluates or validates on, or whose name (or file name) says test,
validation, dev, eval.
2. By identity: a (dataset, config, split) that any task evaluates on, under any name of the dataset.
3. By content, row by row: ContentGuard in seeds/content/guard.py.

A refusal is a reason word, a colon, and the evidence: `evaluated_elsewhere: train is the test_split of aime24`.
"""

import fnmatch
import re
from collections.abc import Iterable, Iterator
from typing import Any

from nemo_sdg.catalog.identity import Aliases, SplitIndex, Use, files_of, split_names
from nemo_sdg.config import GuardSection
from nemo_sdg.errors import UnreachableError, few
from nemo_sdg.records import CatalogRow

_EVALUATION_WORD = re.compile(
    r"(test|testmini|testset|testing|dev|devtest|devset|val|valid|validation|validating|eval|evaluation|"
    r"heldout|holdout)"
)

_NUMBERED = re.compile(r"((part|shard|chunk)[-_])?\d+([-_]of[-_]\d+)?")
EVALUATION_ROLES = ("validation", "test")


def evaluation_word(name: str) -> str | None:
    """The word in a split's or file's name that marks it as evaluation data, as in `dev_r3`, `testmini` and
    `validation_matched`, but not in `latest`; None if there is no such word.
    """
    return next((word for word in re.split(r"[^a-z]+", name.lower()) if _EVALUATION_WORD.fullmatch(word)), None)


class SplitGuard:
    """Rings 1 and 2 over all tasks of a catalog.

    `evaluations` lists every task with its dataset facts (`{path, name, data_files?, folder?, splits}`). The validation
    and test splits of these tasks are evaluation data. `table` is splits.yaml: aliases, lineage, evaluated, never,
    without_gold. A data file in the folder `mirror` counts as the hub split that it holds.
    """

    def __init__(
        self,
        guard: GuardSection,
        evaluations: Iterable[tuple[str, dict[str, Any]]],
        table: dict[str, Any],
        *,
        mirror: str | None = None,
    ) -> None:
        self._guard = guard
        self._never = {row["path"].lower(): row["why"] for row in table["never"]}
        self._without_gold = {row["path"].lower(): row["why"] for row in table.get("without_gold", [])}
        self._index = SplitIndex(
            aliases=Aliases([*table["aliases"], *guard.aliases]), lineage=table["lineage"], mirror=mirror
        )
        for dataset, split, uses in _grouped(evaluations):
            self._index.add(uses, dataset, split)
        for row in table["evaluated"]:
            self._index.add(
                [Use(task=row["task"], role="test_split", has_files=False)],
                {"path": row["path"], "name": row.get("name")},
                row["split"],
            )

    def refusals(self, task: str, dataset: dict[str, Any]) -> list[str]:
        """Why the training split of a task cannot give seeds; [] when it can."""
        training = dataset["splits"]["training"]
        assert training, f"{task} has no training split to judge"
        found = []
        if dataset["path"] and dataset["path"].lower() in self._never:
            found.append(f"restricted: {self._never[dataset['path'].lower()]}")
        if dataset["path"] and dataset["path"].lower() in self._without_gold:
            found.append(f"no_gold: {self._without_gold[dataset['path'].lower()]}")
        users = self._index.users(dataset, training)
        own = [use.role for use in users if use.task == task]
        if self._guard.name:
            if own:
                found.append(f"own_evaluation_split: {training} is also the task's {' and '.join(own)}")
            files = [file for split in split_names(training) for file in files_of(dataset, split)]
            for name in [*split_names(training), *map(_telling_name, files)]:
                word = evaluation_word(name)
                if word and "train" not in re.split(r"[^a-z]+", name.lower()):
                    found.append(f"split_name: {name} says {word}")
        if self._guard.identity:
            others = [use for use in users if use.task != task or not self._guard.name]
            if others:
                more = f" and {len(others) - 1} more" if len(others) > 1 else ""
                found.append(
                    f"evaluated_elsewhere: {training} of {dataset['path']} is the {others[0].role} of "
                    f"{others[0].task}{more}"
                )
        return found


def _telling_name(file: str) -> str:
    """A file's name; with its folder if the name is only a number: `test/0000.parquet`."""
    folder, _, name = file.rpartition("/")
    return f"{folder.rpartition('/')[2]}/{name}" if _NUMBERED.fullmatch(name.partition(".")[0]) else name


def _grouped(evaluations: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[tuple[dict[str, Any], str, list[Use]]]:
    """Each evaluated dataset split once, with the tasks that use it. Datasets with other data files are kept apart."""
    groups: dict[tuple[Any, ...], tuple[dict[str, Any], str, list[Use]]] = {}
    for task, dataset in evaluations:
        files = "data_files" in dataset
        for role in EVALUATION_ROLES:
            split = dataset["splits"].get(role)
            if split and dataset["path"]:
                own = (task, dataset.get("folder")) if files or dataset.get("folder") else None
                key = (dataset["path"], dataset["name"], dataset.get("data_dir"), split, own)
                groups.setdefault(key, (dataset, split, []))[2].append(
                    Use(task=task, role=f"{role}_split", has_files=files)
                )
    yield from groups.values()


def require_reachable(guard: GuardSection, unreachable: Iterable[str], catalog: Iterable[CatalogRow] = ()) -> None:
    """Raises UnreachableError when an evaluation split of a task that `guard.require` asks for could not be reached.

    `unreachable` lists the tasks with such a split; `catalog` says which tasks the groups and tags in `guard.require`
    mean.
    """
    required = {row.task for row in catalog if not set(guard.require).isdisjoint(row.groups)}
    missing = sorted(
        {
            task
            for task in unreachable
            if task in required or any(fnmatch.fnmatchcase(task, name) for name in guard.require)
        }
    )
    if missing:
        raise UnreachableError(
            f"guard.require asks for the evaluation splits of {few(missing, 5)}, which cannot be reached; "
            "put them into seeds.mirror, allow seeds.hub, or remove them from guard.require"
        )
