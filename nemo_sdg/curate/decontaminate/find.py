"""Finds evaluation rows in the corpus: exactly, by n-grams (copies.py), and reworded (rewordings.py, judged.py).

build_index([Path("evaluation/gsm8k.jsonl")], Path("index"), config)     once
index = open_index(Path("index"))
index.find({"question": "Janet's ducks lay sixteen eggs per day. …", "answer": {"text": "18"}})
Finding(detector="exact", reason="evaluation_exact", detail="gsm8k test row 0 (openai/gsm8k main)")
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.decontaminate.copies import Copies
from nemo_sdg.curate.decontaminate.evaluation_index import StoredIndex, build_index, describe
from nemo_sdg.curate.decontaminate.evaluation_rows import EvaluationRows
from nemo_sdg.curate.decontaminate.judged import Said, Shown
from nemo_sdg.curate.decontaminate.questions import read_item
from nemo_sdg.curate.decontaminate.rewordings import BySense, ByWords, Suspects
from nemo_sdg.curate.embed import Embedder

__all__ = ["Finding", "Index", "build_index", "open_index"]

AT_ONCE = 256
"""samples that are embedded and compared together"""


Judge = Callable[[list[Shown]], list[Said]]
"""for each sample which of its rows ask the same"""
JUDGED_ROWS = 4
"""likely rows of a sample that the judge is shown one by one, at most"""
SUSPICIOUS = 0.05
"""chance of being a rewording from which a row is likely"""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Which evaluation row a sample repeats, and which detector says so."""

    detector: str
    """exact | ngram | paraphrase (by its chance) | judged (a judge said so)"""
    reason: str
    """evaluation_exact | evaluation_ngram | evaluation_paraphrase | evaluation_judged"""
    detail: str
    """task, split and row of the evaluation row"""


def open_index(out: Path, judge: Judge | None = None, *, judged_rows: int = CurateSection.judged_rows) -> "Index":
    """Opens the index that was built last under `out`. With a judge, what may be a rewording is decided by it; it is
    shown likely rows, and of every sample the `judged_rows` nearest ones. Raises DataError when there is no index or a
    file of it is damaged.
    """
    return Index(StoredIndex(out), judge, judged_rows=judged_rows)


class Index:
    """Opening it costs milliseconds, and workers on one machine share its pages."""

    def __init__(self, stored: StoredIndex, judge: Judge | None = None, *, judged_rows: int = 0) -> None:
        self.judge = judge
        self.judged_rows = judged_rows
        self.rows = EvaluationRows(stored)
        self.copies = Copies(self.rows)
        self.rewordings: ByWords | BySense = ByWords(self.rows, stored.paraphrase_threshold)
        if stored.vectors is not None:
            self.rewordings = BySense(
                self.rows, stored.paraphrase_threshold, Embedder(stored.meta["embedder"]), stored.vectors
            )

    def find(self, sample: dict[str, Any]) -> Finding | None:
        """The evaluation row that a sample repeats, or None; takes seeds and plain {"question": …} dicts as well."""
        return self.find_batch([sample])[0]

    def find_batch(self, samples: list[dict[str, Any]]) -> list[Finding | None]:
        """As find, for many samples at once: the embedder is several times as fast on batches."""
        return [
            finding
            for begin in range(0, len(samples), AT_ONCE)
            for finding in self._find_some(samples[begin : begin + AT_ONCE])
        ]

    def _find_some(self, samples: list[dict[str, Any]]) -> list[Finding | None]:
        if not self.rows.num_rows:
            return [None] * len(samples)
        items = [read_item(sample) for sample in samples]
        found = [self.copies.find(item) for item in items]
        undecided = [number for number, copy in enumerate(found) if copy is None and items[number].question]
        asked = [samples[number] for number in undecided], [items[number] for number in undecided]
        if self.judge is not None and isinstance(self.rewordings, BySense):
            reworded = self._judged(asked[0], self.rewordings.suspects(*asked, num_near=self.judged_rows))
        else:
            reworded = [None if row is None else ("paraphrase", row) for row in self.rewordings.find(*asked)]
        for number, verdict in zip(undecided, reworded, strict=True):
            found[number] = verdict
        return [None if one is None else self._finding(*one) for one in found]

    def _judged(self, samples: list[dict[str, Any]], suspects: list[Suspects]) -> list[tuple[str, int] | None]:
        """What the judge says of each sample's rows; where it says neither yes nor no, their chance decides."""
        assert self.judge is not None
        threshold = self.rewordings.threshold
        likely = [[one for one in found.likely[:JUDGED_ROWS] if one[0] >= SUSPICIOUS] for found in suspects]
        rows = [
            list(dict.fromkeys([*(row for _, row in some), *found.near]))
            for some, found in zip(likely, suspects, strict=True)
        ]
        read = {row: self.rows.row(row) for some in rows for row in some}
        shown = [
            Shown(
                sample=sample,
                likely=[read[row] for row in some[: len(chances)]],
                near=[read[row] for row in some[len(chances) :]],
            )
            for sample, some, chances in zip(samples, rows, likely, strict=True)
        ]
        asked = [place for place, one in enumerate(shown) if one.likely or one.near]
        found: list[tuple[str, int] | None] = [None] * len(samples)
        for place, said in zip(asked, self.judge([shown[place] for place in asked]), strict=True):
            chances = dict(enumerate(chance for chance, _ in likely[place]))
            for number, same in sorted(said.items()):
                if same or (same is None and chances.get(number, 0.0) >= threshold):
                    found[place] = ("judged" if same else "paraphrase"), rows[place][number]
                    break
        return found

    def _finding(self, detector: str, number: int) -> Finding:
        return Finding(detector=detector, reason=f"evaluation_{detector}", detail=describe(self.rows.row(number)))
