"""Health of the corpus: what the seeds, the samples before curation and those after it look like, per task and per
family.

    {"families": {"science": {"seeds": {…}, "before": {…}, "after": {
        "samples": 912, "origins": {"seed": 310, "similar": 602},
        "positions": {"shares": {"A": 0.34, "B": 0.33, "C": 0.33}, "evenness": 1.0},
        "longest_option_is_right": {"share": 0.41, "expected": 0.33},
        "near_seed": {"share": 0.02, "mean": 0.18},
        "diversity": {"distinct_trigrams": 0.93, "nearest_neighbour": 0.21, …}, …}}},
     "tasks": {…}, "notes": [{"group": "task qs_science", "about": "longest_option_is_right", "detail": "…"}]}

So a bias of the seeds (gold always last) or of the generator (the right option is the longest one, half the questions
begin alike) is seen before it is trained on. Counts and lengths are over all records; what compares texts is measured
on up to 128 records of each group, chosen by the hash of their ids, so that memory does not grow with the corpus and
the same records give the same figures.
"""

import hashlib
import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from nemo_sdg.curate.filters.wording.languages import identify_language, prose
from nemo_sdg.curate.health_notes import NEAR, missed_by_judge, notes
from nemo_sdg.records import LABELS, Frame, Kind, Origin
from nemo_sdg.records.health import LENGTHS, Balance, Differences, Figures, Health, Lengths
from nemo_sdg.storage import read_jsonl
from nemo_sdg.text.figures import character_grams, distinct_share, nearest_other, percentile
from nemo_sdg.text.normalize import jaccard, tokens

NUM_COMPARED = 128
"""records of a group whose texts are compared with each other: 8,128 pairs"""
MAX_LENGTH = 8192
"""characters; longer texts count as this long, so that a length histogram stays small"""
MAX_LABELS = 24
STAGES = ("seeds", "before", "after")


def measure_health(
    *,
    seeds: Iterable[Path],
    before: Iterable[Path],
    after: Iterable[Path],
    not_judged: Mapping[str, str] = MappingProxyType({}),
) -> Health:
    """Streams seed shards and sample shards (verified, curated) and returns the plain dict shown above. `not_judged`:
    ids of samples of which a reply of the judge could not be read, with the reason. Raises DataError for a damaged
    line.
    """
    groups: dict[str, dict[str, dict[str, Group]]] = {"families": {}, "tasks": {}}
    missed = Counter[str]()
    for stage, files in (("before", before), ("after", after)):
        for path in files:
            for record in read_jsonl(path):
                _add(groups, stage, record)
                if stage == "after" and not_judged and record["sample_id"] in not_judged:
                    missed[not_judged[record["sample_id"]]] += 1
    wanted = {seed_id for group in _all(groups) for row in group.compared.rows() for seed_id in row.seed_ids}
    texts_of_seeds: dict[str, str] = {}
    for path in seeds:
        for record in read_jsonl(path):
            _add(groups, "seeds", record)
            if record["seed_id"] in wanted:
                texts_of_seeds[record["seed_id"]] = record["question"][:MAX_LENGTH]
    families, tasks = (
        {
            name: {stage: stages[stage].summary(texts_of_seeds) for stage in STAGES if stage in stages}
            for name, stages in sorted(groups[kind].items())
        }
        for kind in ("families", "tasks")
    )
    found = list(missed_by_judge(missed))
    found += [note for name, stages in families.items() for note in notes(f"family {name}", stages)]
    found += [note for name, stages in tasks.items() for note in notes(f"task {name}", stages)]
    return Health(families=families, tasks=tasks, notes=found)


def _add(groups: dict[str, dict[str, dict[str, "Group"]]], stage: str, record: Mapping[str, Any]) -> None:
    for kind, name in (("families", record["family"]), ("tasks", record["task"])):
        groups[kind].setdefault(name, {}).setdefault(stage, Group()).add(record)


def _all(groups: dict[str, dict[str, dict[str, "Group"]]]) -> "Iterable[Group]":
    return (group for named in groups.values() for stages in named.values() for group in stages.values())


@dataclass(kw_only=True, slots=True)
class Excerpt:
    """What is compared of a record."""

    question: str
    """its first MAX_LENGTH characters"""
    language: str
    kind: str
    seed_ids: list[str]
    """of a new question; [] for a seed and its own question"""
    shingles: frozenset[str]


class Smallest:
    """The excerpts of the records with the smallest hashes of their ids: the same choice whatever the order."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._heap: list[tuple[int, str, int, Excerpt]] = []
        self._num = 0

    def add(self, identifier: str, make: Callable[[], Excerpt]) -> None:
        rank = -int.from_bytes(hashlib.blake2b(identifier.encode(), digest_size=8).digest(), "big")
        self._num += 1
        if len(self._heap) < self.size:
            heapq.heappush(self._heap, (rank, identifier, self._num, make()))
        elif rank > self._heap[0][0]:
            heapq.heapreplace(self._heap, (rank, identifier, self._num, make()))

    def rows(self) -> list[Excerpt]:
        return [item[-1] for item in sorted(self._heap, key=lambda item: item[:3])]


@dataclass(kw_only=True)
class Group:
    """The counts of the records of one task or family at one stage."""

    num: int = 0
    origins: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    guidance: Counter[str] = field(default_factory=Counter)
    positions: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    label_expected: float = 0.0
    num_choices: int = 0
    expected: float = 0.0
    """sum of 1 / options: how often a blind guess would be right"""
    longest_right: float = 0.0
    lengths: dict[str, Counter[int]] = field(default_factory=lambda: {name: Counter() for name in LENGTHS})
    difficulty: Counter[int] = field(default_factory=Counter)
    """tenths"""
    difficulty_sum: float = 0.0
    num_voted: int = 0
    agreement_sum: float = 0.0
    compared: Smallest = field(default_factory=lambda: Smallest(NUM_COMPARED))

    def add(self, record: Mapping[str, Any]) -> None:
        answer = (record.get("answer") or {}).get("text") or ""
        self.num += 1
        self.origins[record.get("origin") or "seed"] += 1
        self.kinds[record["kind"]] += 1
        self.languages[record["language"]] += 1
        if record.get("guidance"):
            self.guidance[record["guidance"]] += 1
        texts = {**record, "answer": answer}
        for name in LENGTHS:
            if texts.get(name):
                self.lengths[name][min(len(texts[name]), MAX_LENGTH)] += 1
        if record.get("difficulty") is not None:
            self.difficulty[min(9, int(10 * record["difficulty"]))] += 1
            self.difficulty_sum += record["difficulty"]
        if (votes := record.get("votes")) and votes["n"]:
            self.num_voted += 1
            self.agreement_sum += votes["agree"] / votes["n"]
        if record["kind"] == Kind.multiple_choice and answer in (record.get("choices") or []):
            self._add_choice(record["frame"], record["choices"], answer)
        identifier = record.get("sample_id") or record["seed_id"]
        self.compared.add(identifier, lambda: _excerpt(record))

    def _add_choice(self, frame: str, choices: list[str], answer: str) -> None:
        if frame == Frame.classification:
            if answer in self.labels or len(self.labels) < MAX_LABELS:
                self.labels[answer] += 1
                self.label_expected += 1 / len(choices)
            return
        self.positions[LABELS[min(choices.index(answer), len(LABELS) - 1)]] += 1
        self.num_choices += 1
        self.expected += 1 / len(choices)
        longest = max(map(len, choices))
        if len(answer) == longest:
            self.longest_right += 1 / sum(len(choice) == longest for choice in choices)

    def summary(self, texts_of_seeds: dict[str, str]) -> Figures:
        """The group's figures as plain data; what does not apply to it is left out."""
        rows = self.compared.rows()
        out: Figures = {
            "samples": self.num,
            "kinds": _plain(self.kinds),
            "origins": _plain(self.origins),
            "languages": _plain(self.languages),
            "identified_languages": _plain(Counter(filter(None, (_identified(row) for row in rows)))),
            "characters": {name: _quantiles(histogram) for name, histogram in self.lengths.items() if histogram},
            "diversity": _diversity(rows),
        }
        if self.positions:
            out["positions"] = _balance(self.positions, self.expected)
            out["longest_option_is_right"] = {
                "share": _round(self.longest_right / self.num_choices),
                "expected": _round(self.expected / self.num_choices),
                "of": self.num_choices,
            }
        if self.labels:
            out["labels"] = _balance(self.labels, self.label_expected)
        if self.guidance:
            out["guidance"] = _plain(self.guidance)
        if self.num_voted:
            out["agreement"] = _round(self.agreement_sum / self.num_voted)
        if self.difficulty:
            counted = self.difficulty.total()
            tenths = [_round(self.difficulty[tenth] / counted) for tenth in range(10)]
            out["difficulty"] = {"mean": _round(self.difficulty_sum / counted), "tenths": tenths}
        near = [
            max(jaccard(row.shingles, character_grams(texts_of_seeds[seed])) for seed in seeds)
            for row in rows
            if (seeds := [seed for seed in row.seed_ids if seed in texts_of_seeds])
        ]
        if near:
            out["near_seed"] = {
                "share": _round(sum(value >= NEAR for value in near) / len(near)),
                "mean": _round(sum(near) / len(near)),
                "of": len(near),
            }
        return out


def _excerpt(record: Mapping[str, Any]) -> Excerpt:
    question = record["question"][:MAX_LENGTH]
    return Excerpt(
        question=question,
        language=record["language"],
        kind=record["kind"],
        seed_ids=record["seed_ids"] if record.get("origin") == Origin.similar else [],
        shingles=character_grams(question),
    )


def _identified(row: Excerpt) -> str | None:
    """The language of a question by identification, where it is long enough for that."""
    words = prose(row.question)
    if row.kind == Kind.code or len(words) < 24:
        return None
    found, confidence = identify_language(words)
    return found if confidence >= 0.5 else None


def _diversity(rows: list[Excerpt]) -> Differences:
    words = [tokens(row.question) for row in rows]
    out: Differences = {"of": len(rows)}
    if (share := distinct_share(words, 1)) is not None:
        out["distinct_words"] = _round(share)
    if (share := distinct_share(words, 3)) is not None:
        out["distinct_trigrams"] = _round(share)
    openings = Counter(" ".join(text[:2]) for text in words if text)
    if openings:
        opening, num = min(openings.items(), key=lambda item: (-item[1], item[0]))
        out["commonest_opening"] = {"words": opening, "share": _round(num / len(rows))}
    if len(rows) > 1:
        out["nearest_neighbour"] = _round(nearest_other([row.shingles for row in rows]))
    return out


def _balance(counts: Counter[str], expected: float) -> Balance:
    """Shares, and evenness: entropy over its largest value, 1 = all equally often; expected: the share of a blind
    guess.
    """
    total = counts.total()
    shares = {name: num / total for name, num in sorted(counts.items())}
    entropy = -sum(share * math.log(share) for share in shares.values())
    return {
        "shares": {name: _round(share) for name, share in shares.items()},
        "evenness": _round(entropy / math.log(len(shares))) if len(shares) > 1 else 0.0,
        "expected": _round(expected / total),
        "of": total,
    }


def _quantiles(histogram: Counter[int]) -> Lengths:
    mean = sum(size * num for size, num in histogram.items()) / histogram.total()
    p10, p50, p90 = (percentile(histogram, share) for share in (0.1, 0.5, 0.9))
    return Lengths(mean=_round(mean), p10=p10, p50=p50, p90=p90)


def _plain(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _round(value: float) -> float:
    return round(value, 4)
