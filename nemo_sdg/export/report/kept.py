"""Counts over the samples of the last step that has samples."""

from collections import Counter
from dataclasses import dataclass, field

from nemo_sdg.export.report.rows import Line
from nemo_sdg.records import Origin


@dataclass(kw_only=True)
class Voted:
    """Counts of votes over the samples of one origin."""

    num: int = 0
    shares: float = 0.0
    """sum of the shares of the blind votes that give the answer"""
    unanimous: int = 0
    single: int = 0
    """number of samples with one vote"""
    guided: int = 0
    """number of samples whose kept solution was written with the gold answer in sight"""


@dataclass(kw_only=True)
class Kept:
    """Counters over the samples of the last step."""

    num: int = 0
    licenses: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    origins: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    agreement: dict[str, Counter[int]] = field(default_factory=dict)
    """origin -> percent of the votes that give the answer, in steps of ten -> samples"""
    voted: dict[str, Voted] = field(default_factory=dict)
    """`seed`, or `similar` for all new questions -> counts"""
    grades: dict[str, list[float]] = field(default_factory=dict)
    """question or answer -> [sum of the judge's scores, number of graded samples]"""

    def add(self, sample: Line) -> None:
        self.num += 1
        origin = str(sample.get("origin"))
        self.origins[origin] += 1
        self.languages[str(sample.get("language"))] += 1
        self.licenses[str((sample.get("license") or {}).get("effective") or "unknown")] += 1
        self.models[str((sample.get("generator") or {}).get("model") or "unknown")] += 1
        share = agreement(sample)
        if share is not None:
            self.agreement.setdefault(origin, Counter())[10 * round(10 * share)] += 1
            voted = self.voted.setdefault("seed" if origin == Origin.seed else "similar", Voted())
            voted.num += 1
            voted.shares += share
            voted.unanimous += share == 1.0
            voted.single += sample["votes"]["n"] == 1
            voted.guided += sample.get("guidance") == "guided"
        for what, judgement in (sample.get("grade") or {}).items():
            score = judgement.get("score") if isinstance(judgement, dict) else None
            if isinstance(score, int | float):
                sums = self.grades.setdefault(what, [0.0, 0.0])
                sums[0] += score
                sums[1] += 1


def agreement(sample: Line) -> float | None:
    """Share of the votes that give the sample's answer."""
    votes = sample.get("votes") or {}
    return votes["agree"] / votes["n"] if votes.get("n") and votes.get("agree") is not None else None
