"""The evaluation splits that a run was compared with, and those that it could not see: one total everywhere."""

import contextlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from nemo_sdg.errors import DataError
from nemo_sdg.records.lines import UnseenSplit
from nemo_sdg.storage import read_json, read_jsonl


@dataclass(kw_only=True)
class SeenSplit:
    dataset: str
    """path, and configuration in brackets"""
    split: str
    rows: int


@dataclass(kw_only=True)
class EvaluationSplits:
    seen: list[SeenSplit]
    unseen: list[UnseenSplit]

    @property
    def rows(self) -> int:
        return sum(split.rows for split in self.seen)

    def own(self, datasets: set[str]) -> list[str]:
        """Unseen splits of some data sets, those of the seeds; `path (config), split`."""
        last = {_last(name) for name in datasets}
        own = {
            (_name(str(row.get("dataset")), row.get("name")), str(row.get("split")))
            for row in self.unseen
            if _last(str(row.get("dataset"))) in last
        }
        return [f"{name}, {split}" for name, split in sorted(own)]


def evaluation_splits(run_dir: Path) -> EvaluationSplits | None:
    """None where the run has not looked at any yet."""
    folder = run_dir / "seeds" / "evaluation"
    if not folder.is_dir():
        return None
    unseen: list[UnseenSplit] = []
    with contextlib.suppress(DataError):  # the list is written last
        unseen = [cast(UnseenSplit, row) for row in read_json(folder / "unreachable.json") if isinstance(row, dict)]
    seen: Counter[tuple[str, str]] = Counter()
    for path in sorted(folder.glob("*.jsonl")):
        for row in read_jsonl(path):
            place = row["dataset"]
            seen[_name(place["path"], place["name"]), place["split"]] += 1
    found = [SeenSplit(dataset=dataset, split=split, rows=num) for (dataset, split), num in sorted(seen.items())]
    return EvaluationSplits(seen=found, unseen=unseen)


def _name(dataset: str, configuration: str | None) -> str:
    return f"{dataset} ({configuration})" if configuration else dataset


def _last(path: str) -> str:
    """Of a data set's name: another owner may have mirrored it."""
    return path.rpartition("/")[2].lower()
