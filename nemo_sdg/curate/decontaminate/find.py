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
"""samples that are embedded and compared together; a judge decides of all that it is given together"""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """A sample of which the judge decides."""

    sample: dict[str, Any]
    rows: list[int]
    """numbers of the evaluation rows that it is shown: likely ones, then near ones"""
    chances: list[float]
    """of the likely rows, to be the same question"""

    def shown(self, read: dict[int, dict[str, Any]]) -> Shown:
        texts = [read[row] for row in self.rows]
        return Shown(sample=self.sample, likely=texts[: len(self.chances)], near=texts[len(self.chances) :])


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
        """As find, for many samples at once: the embedder is several times as fast on batches, and a judge's requests
        are all sent together.
        """
        found: list[tuple[str, int] | None] = [None] * len(samples)
        asked: dict[int, _Asked] = {}
        for begin in range(0, len(samples) if self.rows.num_rows else 0, AT_ONCE):
            some = samples[begin : begin + AT_ONCE]
            items = [read_item(sample) for sample in some]
            found[begin : begin + AT_ONCE] = [self.copies.find(item) for item in items]
            rest = [n for n, item in enumerate(items) if found[begin + n] is None and item.question]
            left = [some[number] for number in rest], [items[number] for number in rest]
            places = [begin + number for number in rest]
            if self.judge is not None and isinstance(self.rewordings, BySense):
                suspects = self.rewordings.suspects(*left, num_near=self.judged_rows)
                asked |= {place: self._ask(samples[place], of) for place, of in zip(places, suspects, strict=True)}
            else:
                for place, row in zip(places, self.rewordings.find(*left), strict=True):
                    found[place] = None if row is None else ("paraphrase", row)
        for place, verdict in self._judged(asked).items():
            found[place] = verdict
        return [None if one is None else self._finding(*one) for one in found]

    def _ask(self, sample: dict[str, Any], suspects: Suspects) -> "_Asked":
        likely = [one for one in suspects.likely[:JUDGED_ROWS] if one[0] >= SUSPICIOUS]
        rows = list(dict.fromkeys([*(row for _, row in likely), *suspects.near]))
        return _Asked(sample=sample, rows=rows, chances=[chance for chance, _ in likely])

    def _judged(self, asked: dict[int, "_Asked"]) -> dict[int, tuple[str, int]]:
        """What the judge says of each sample's rows; where it says neither yes nor no, their chance decides."""
        asked = {place: one for place, one in asked.items() if one.rows}
        if self.judge is None or not asked:
            return {}
        read = {row: self.rows.row(row) for row in {row for one in asked.values() for row in one.rows}}
        found: dict[int, tuple[str, int]] = {}
        for (place, one), said in zip(
            asked.items(), self.judge([one.shown(read) for one in asked.values()]), strict=True
        ):
            chances = dict(enumerate(one.chances))
            for number, same in sorted(said.items()):
                if same or (same is None and chances.get(number, 0.0) >= self.rewordings.threshold):
                    found[place] = ("judged" if same else "paraphrase"), one.rows[number]
                    break
        return found

    def _finding(self, detector: str, number: int) -> Finding:
        return Finding(detector=detector, reason=f"evaluation_{detector}", detail=describe(self.rows.row(number)))
