"""Counts of a step: what came in, was kept, and was dropped for each reason, task by task."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any


class Counts:
    """Counts per task and reason: in = kept + dropped. Rows beyond a sampling limit are counted as not_sampled."""

    def __init__(self) -> None:
        self.tasks: dict[str, dict[str, Any]] = {}

    def _task(self, task: str) -> dict[str, Any]:
        return self.tasks.setdefault(task, {"in": 0, "kept": 0, "dropped": {}, "not_sampled": 0})

    def keep(self, task: str, num: int = 1) -> None:
        row = self._task(task)
        row["in"] += num
        row["kept"] += num

    def drop(self, task: str, reason: str, num: int = 1) -> None:
        row = self._task(task)
        row["in"] += num
        row["dropped"][reason] = row["dropped"].get(reason, 0) + num

    def not_sampled(self, task: str, num: int) -> None:
        self._task(task)["not_sampled"] += num

    def as_dict(self) -> dict[str, Any]:
        return {
            task: {**row, "dropped": dict(sorted(row["dropped"].items()))} for task, row in sorted(self.tasks.items())
        }


def merge_counts(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Adds the `counts` of several receipts, task by task."""
    total = Counts()
    for part in parts:
        for task, row in part.items():
            total.keep(task, row["kept"])
            for reason, num in row["dropped"].items():
                total.drop(task, reason, num)
            total.not_sampled(task, row["not_sampled"])
    return total.as_dict()


def total_kept(counts: Mapping[str, Any]) -> int:
    """Kept records of all tasks."""
    return sum(row["kept"] for row in counts.values())


def total_dropped(counts: Mapping[str, Any]) -> Counter[str]:
    """Reason -> dropped records of all tasks."""
    total = Counter[str]()
    for row in counts.values():
        total.update(row["dropped"])
    return total


def ranked(counted: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most frequent first, those that are as frequent by name."""
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))
