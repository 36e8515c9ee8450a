"""Requests by which a judge finds reworded evaluation rows in the step `curated`: assumed, or measured in a pilot."""

from dataclasses import dataclass
from pathlib import Path

from nemo_sdg.config import RunConfig
from nemo_sdg.curate.decontaminate.verdicts import verdict_files
from nemo_sdg.storage import read_jsonl, read_ledger


@dataclass(kw_only=True)
class LeakRates:
    """Requests per accepted sample, and tokens per request."""

    lists: float = 1.0
    """lists of near evaluation rows"""
    pairs: float = 0.25
    """rows that are shown one by one"""
    list_prompt: float = 250.0
    """tokens of a list prompt without its rows"""
    listed_row: float = 60.0
    pair_prompt: float = 300.0
    completion: float = 30.0
    """tokens of a reply; a word or a few numbers, unless the judge reasons"""

    def requests(self, config: RunConfig, samples: float) -> tuple[float, float]:
        """(requests, prompt tokens) for a number of accepted samples; (0, 0) where no judge decides."""
        from nemo_sdg.steps.curated import judging

        if judging(config) is None:
            return 0.0, 0.0
        rows = config.curate.judged_rows
        lists, pairs = samples * self.lists * (rows > 0), samples * self.pairs
        return lists + pairs, lists * (self.list_prompt + rows * self.listed_row) + pairs * self.pair_prompt


def measured_leaks(pilot: Path, samples: int) -> LeakRates | None:
    """Requests of a pilot with `samples` accepted samples, from the stored verdicts of the judge that it has now; None
    where there are none.
    """
    folder, ledger = pilot / "curated" / "verdicts", read_ledger(pilot, "curated")
    judge = ledger.inputs.get("judge") if ledger else None
    files = verdict_files(folder, judge) or verdict_files(folder)
    rows = [row for path in files for row in read_jsonl(path)]
    if not rows or not samples:
        return None
    lists = sum("named" in row for row in rows)
    # a yes takes two requests; most noes take one
    pairs = sum(2 if row["same"] else 1 for row in rows if "same" in row)
    return LeakRates(lists=lists / samples if lists else LeakRates.lists, pairs=pairs / samples)
