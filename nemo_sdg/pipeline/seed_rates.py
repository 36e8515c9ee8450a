"""The share of rows that become seeds: a pilot's step `seeds` drops those in an evaluation split, and those that no
question can be made of.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from nemo_sdg.records.lines import Counted
from nemo_sdg.storage import read_shaped


@dataclass(kw_only=True)
class SeedRates:
    """Shares of the rows that become seeds; without a pilot, every row does."""

    tasks: dict[str, float] = field(default_factory=dict)
    others: float = 1.0
    """share for the tasks that the pilot did not have"""

    def kept(self, seeds: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
        """The seeds of these rows, by family and task."""
        return {
            family: {task: round(num * self.tasks.get(task, self.others)) for task, num in tasks.items()}
            for family, tasks in seeds.items()
        }


def measured_seeds(pilot: Path) -> SeedRates:
    """The shares in a finished run, by its receipts."""
    arrived, kept = Counter[str](), Counter[str]()
    for path in sorted((pilot / "seeds" / "receipts").glob("*.json")):
        for task, row in read_shaped(path, Counted)["counts"].items():
            arrived[task] += row["in"]
            kept[task] += row["kept"]
    shares = {task: kept[task] / num for task, num in arrived.items() if num}
    return SeedRates(tasks=shares, others=kept.total() / max(arrived.total(), 1) if shares else 1.0)
