"""Recall and false positives of decontamination, on planted rows and on honest training rows.

    python scripts/bench/decontaminate.py [--quick] [--hub FOLDER] [--fit] [--fit-closer]

Planted rows are evaluation rows of the hub mirror, unchanged; lightly edited (with one edit each, and with all edits);
reworded by rule; and the hand-written sets of data/paraphrases.jsonl: a question, the same question in other words (its
options kept, reworded or left out), and a different question on the same topic. One half of these sets and of the
rewordings was used to fit the weights (`--fit` and `--fit-closer` print them again); only the other half is reported.
All of data/paraphrases_fitted.jsonl was used for fitting, and none of data/paraphrases_b.jsonl (`…_written_b…`, found
among its own rows and those of the first file). Honest rows are training rows of the same tasks, without those whose
question is in an evaluation row word by word.

Prints one JSON object per line: name, value, unit, and the number of rows.
"""

import argparse
import hashlib
import json
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import hub_rows
import numpy as np
import peer_methods
import rewording

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.decontaminate import by_sense, by_words, closer
from nemo_sdg.curate.decontaminate.evaluation_index import describe
from nemo_sdg.curate.decontaminate.find import SUSPICIOUS, Index, build_index, open_index
from nemo_sdg.curate.decontaminate.questions import read_item
from nemo_sdg.curate.decontaminate.rewordings import NEIGHBOURS, BySense
from nemo_sdg.records import DatasetRow, EvaluationRow, to_dict
from nemo_sdg.storage import read_jsonl, write_jsonl

Row = dict[str, Any]
HUB = Path(os.environ.get("NEMO_SDG_TEST_HUB", Path(__file__).parents[3] / "shared" / "hub"))
PAIRS = Path(__file__).parent / "data" / "paraphrases.jsonl"
FITTED_PAIRS = Path(__file__).parent / "data" / "paraphrases_fitted.jsonl"
UNSEEN_PAIRS = Path(__file__).parent / "data" / "paraphrases_b.jsonl"
REPEATS = Path(__file__).parent / "data" / "true_repeats.txt"
"""digests, one per line, of pairs of a training row and an evaluation row that a person found to ask the same in other
words
"""
QUICK_TASKS = [
    "gsm8k",
    "arc_challenge",
    "sciq",
    "commonsense_qa",
    "openbookqa",
    "mbpp",
    "hendrycks_math_algebra",
    "winogrande",
]
ENGLISH = [
    *QUICK_TASKS,
    "arc_easy",
    "medqa_4options",
    "headqa_en",
    "copa",
    "piqa",
    "logiqa",
    "mmlu_college_biology",
    "boolq",
]
SIZES = {
    "quick": {"tasks": QUICK_TASKS, "evaluation": 100, "honest": 120, "planted": 12, "reworded": 60},
    "fit": {"tasks": list(hub_rows.TASKS), "evaluation": 10**9, "honest": 400, "planted": 0, "reworded": 80},
    "fit-closer": {"tasks": list(hub_rows.TASKS), "evaluation": 120, "honest": 240, "planted": 0, "reworded": 12},
    "full": {"tasks": list(hub_rows.TASKS), "evaluation": 10**9, "honest": 1200, "planted": 40, "reworded": 80},
}
FITTED, HELD_OUT = 0, 1


def as_sample(row: Row, **changed: Any) -> Row:
    """An evaluation row as a sample of a corpus."""
    fields = {name: row.get(name) for name in ("question", "passage", "choices", "answer")} | changed
    return fields | {"answer": {"text": fields["answer"], "aliases": []} if fields["answer"] else None}


def others_than(pairs: list[Row], path: Path) -> list[Row]:
    """The sets of a file whose question is not among `pairs`."""
    known = {_plain(pair["question"]) for pair in pairs}
    return [pair for pair in read_jsonl(path) if _plain(pair["question"]) not in known]


def as_evaluation(pairs: list[Row]) -> list[Row]:
    """Questions of hand-written sets as rows of the evaluation task `written`, numbered by their place."""
    return [
        to_dict(
            EvaluationRow(
                task="written",
                dataset=DatasetRow(
                    path="data/paraphrases.jsonl", name=None, split="line", revision="local", row=number
                ),
                **{name: pair[name] for name in ("kind", "question", "passage", "choices", "answer")},
            )
        )
        for number, pair in enumerate(pairs)
    ]


def pick(rows: list[Row], num: int, purpose: str) -> list[Row]:
    return random.Random(purpose).sample(rows, min(num, len(rows)))


def half_of(row: Row) -> int:
    """FITTED or HELD_OUT, by the question's content, unless the whole file is for fitting."""
    return FITTED if row.get("fitted") else hashlib.blake2b(row["question"].encode()).digest()[0] & 1


class Bench:
    """The sets, all drawn with fixed seeds."""

    def __init__(self, hub: Path, size: str) -> None:
        sizes: dict[str, Any] = SIZES[size]
        self.tasks: list[str] = sizes["tasks"]
        self.rows = {
            name: pick([to_dict(row) for row in hub_rows.evaluation_rows(hub, name)], sizes["evaluation"], f"ev {name}")
            for name in self.tasks
        }
        self.pairs = list(read_jsonl(PAIRS))
        if size == "fit-closer":
            self.pairs += [{**pair, "fitted": True} for pair in others_than(self.pairs, FITTED_PAIRS)]
        self.evaluation = [row for rows in self.rows.values() for row in rows] + as_evaluation(self.pairs)
        known = {_plain(row["question"]) for row in self.evaluation}
        drawn = [
            row
            for name in self.tasks
            for row in pick(hub_rows.training_rows(hub, name), sizes["honest"], f"hon {name}")
        ]
        self.honest = [row for row in drawn if _plain(row["question"]) not in known]
        self.planted = [
            row for name in self.tasks for row in pick(self.rows[name], sizes["planted"], f"planted {name}")
        ]
        self.reworded = [row for name in ENGLISH if name in self.rows for row in self.rows[name][: sizes["reworded"]]]

    def edited(self) -> list[Row]:
        rows = []
        for number, row in enumerate(self.planted):
            names = list(rewording.EDITS)
            rng = random.Random(f"bench:edit {number}")
            rows += [as_sample(rewording.edit(row, rng, chosen)) for chosen in [[names[number % len(names)]], names]]
        return rows

    def rewordings(self, half: int) -> list[tuple[Row, Row]]:
        """(row, its rewording) of one half."""
        rows = [row for row in self.reworded if half_of(row) == half]
        return [(row, as_sample(rewording.reword(row, random.Random(row["question"])))) for row in rows]

    def paraphrases(self, half: int) -> list[tuple[Row, Row]]:
        """(row, a hand-written paraphrase of it) of one half."""
        return [
            (pair, as_sample(pair, **changed))
            for pair in self.pairs
            if half_of(pair) == half
            for changed in pair["paraphrases"]
        ]

    def neighbours(self, half: int) -> list[Row]:
        return [as_sample(pair, **pair["neighbour"]) for pair in self.pairs if half_of(pair) == half]

    def others(self, half: int) -> list[Row]:
        """Honest training rows of one half."""
        return [row for row in self.honest if half_of(row) == half]


FORMS = ("options_kept", "options_reworded", "options_left_out", "no_options")


def form_of(row: Row, sample: Row) -> str:
    """How a hand-written paraphrase treats the options: one of FORMS."""
    if not row["choices"]:
        return "no_options"
    if not sample["choices"]:
        return "options_left_out"
    return "options_kept" if set(row["choices"]) == set(sample["choices"]) else "options_reworded"


def digest(question: str, row: Row) -> str:
    return hashlib.blake2b(f"{question}\0{row['question']}".encode(), digest_size=8).hexdigest()


def true_repeat(question: str, row: Row, known: frozenset[str]) -> bool:
    """Whether a person found that a training row and an evaluation row ask the same."""
    return digest(question, row) in known


def read_repeats() -> frozenset[str]:
    return frozenset(line.split()[0] for line in REPEATS.read_text().splitlines() if line and line[0] != "#")


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def plain_ngrams(text: str, length: int = 13) -> set[tuple[str, ...]]:
    """n-grams for the usual rule: any common 13-gram is a hit."""
    words = _plain(text).split()
    return {tuple(words[begin : begin + length]) for begin in range(len(words) - length + 1)}


def show(name: str, value: float, unit: str, **more: Any) -> None:
    print(json.dumps({"name": name, "value": round(value, 4), "unit": unit, **more}), flush=True)


def share_found(index: Index, samples: Iterable[Row]) -> tuple[float, int]:
    findings = index.find_batch(list(samples))
    return sum(finding is not None for finding in findings) / len(findings), len(findings)


def measure(bench: Bench, folder: Path) -> None:
    write_jsonl(folder / "evaluation.jsonl", bench.evaluation)
    indexes = {}
    for with_embedder in (False, True):
        began = time.perf_counter()
        build_index(
            [folder / "evaluation.jsonl"], folder / f"index-{with_embedder}", CurateSection(paraphrase=with_embedder)
        )
        show(
            "build_rows_per_s" if with_embedder else "build_rows_per_s_lexical",
            len(bench.evaluation) / (time.perf_counter() - began),
            "rows/s",
            rows=len(bench.evaluation),
        )
        indexes[with_embedder] = open_index(folder / f"index-{with_embedder}")
    index, lexical = indexes[True], indexes[False]
    written, reworded = bench.paraphrases(HELD_OUT), bench.rewordings(HELD_OUT)
    both = [sample for _, sample in written + reworded]
    sets = {"recall_verbatim": [as_sample(row) for row in bench.planted], "recall_edited": bench.edited()}
    for form in FORMS:
        sets[f"recall_written_{form}"] = [sample for row, sample in written if form_of(row, sample) == form]
    sets["false_positive_rate_neighbours"] = bench.neighbours(HELD_OUT)
    for name, samples in sets.items():
        share, num = share_found(index, samples)
        show(name, share, "share", rows=num, tasks=len(bench.tasks) + 1)
    found = [finding is not None for finding in index.find_batch(both)]
    for name, part in (("", found), ("_written", found[: len(written)]), ("_reworded", found[len(written) :])):
        show(f"recall_paraphrase{name}", sum(part) / len(part), "share", rows=len(part), tasks=len(bench.tasks) + 1)
    show("recall_paraphrase_lexical", share_found(lexical, both)[0], "share", rows=len(both))
    honest = bench.others(HELD_OUT)
    honest_rates(bench, honest, index, lexical)
    measure_unseen(bench, folder)
    compare(bench, index)
    grams = {gram for row in bench.evaluation for gram in plain_ngrams(row["question"])}
    for name, samples in (("verbatim", bench.planted), ("paraphrase", both)):
        hits = sum(not grams.isdisjoint(plain_ngrams(sample["question"])) for sample in samples)
        show(f"recall_13gram_{name}", hits / len(samples), "share", rows=len(samples))
    hits = sum(not grams.isdisjoint(plain_ngrams(row["question"])) for row in honest)
    show("false_positive_rate_13gram", hits / len(honest), "share", rows=len(honest))


def measure_unseen(bench: Bench, folder: Path) -> None:
    """Recall and neighbours of the sets that no weight was fitted to."""
    pairs = others_than(bench.pairs, UNSEEN_PAIRS)
    write_jsonl(folder / "unseen.jsonl", as_evaluation(bench.pairs + pairs))
    build_index([folder / "unseen.jsonl"], folder / "index-unseen", CurateSection())
    index = open_index(folder / "index-unseen")
    written = [(pair, as_sample(pair, **changed)) for pair in pairs for changed in pair["paraphrases"]]
    sets = {f"_{form}": [sample for row, sample in written if form_of(row, sample) == form] for form in FORMS}
    for form, samples in {**sets, "": [sample for _, sample in written]}.items():
        share, num = share_found(index, samples)
        show(f"recall_written_b{form}", share, "share", rows=num)
    share, num = share_found(index, [as_sample(pair, **pair["neighbour"]) for pair in pairs])
    show("false_positive_rate_neighbours_b", share, "share", rows=num)


FALSE_ALARMS = 0.005
"""rate of false positives for which each method's threshold is chosen, on the half that is not reported"""


def compare(bench: Bench, index: Index) -> None:
    """Compares four methods on the same rewordings and honest rows, each at the threshold with FALSE_ALARMS on the
    fitted half; the 13-gram rule has no threshold. `suspicious` are the samples that a judge is asked about: their
    recall is the upper bound of a judge's recall.
    """
    methods = {
        "13gram": peer_methods.NgramRule(bench.evaluation),
        "field_ngrams": peer_methods.FieldNgrams(bench.evaluation),
        "embedding": peer_methods.Embedding(index),
        "ours": peer_methods.Ours(index),
    }
    fitted, honest = bench.others(FITTED), bench.others(HELD_OUT)
    neighbours, written = bench.neighbours(HELD_OUT), bench.paraphrases(HELD_OUT)
    reworded = [sample for _, sample in bench.rewordings(HELD_OUT)]
    for name, method in methods.items():
        scores = np.sort(method.scores(fitted))
        threshold = max(float(scores[-1 - int(FALSE_ALARMS * len(scores))]) + 1e-9, 1e-9)
        found = method.scores([sample for _, sample in written]) >= threshold
        more: dict[str, Any] = {"threshold": round(threshold, 4)}
        for form in FORMS:
            here = np.array([form_of(row, sample) == form for row, sample in written])
            show(f"compared_{name}_written_{form}", float(found[here].mean()), "share", rows=int(here.sum()), **more)
        show(f"compared_{name}_written", float(found.mean()), "share", rows=len(found), **more)
        for kind, samples in (("reworded", reworded), ("false_alarms", honest), ("neighbours", neighbours)):
            hits = method.scores(samples) >= threshold
            show(f"compared_{name}_{kind}", float(hits.mean()), "share", rows=len(hits), **more)
    suspects = peer_methods.Suspects(index)
    for kind, samples in (("written", [sample for _, sample in written]), ("reworded", reworded), ("honest", honest)):
        hits = suspects.scores(samples) >= SUSPICIOUS
        show(f"suspicious_{kind}", float(hits.mean()), "share", rows=len(hits), threshold=SUSPICIOUS)


def honest_rates(bench: Bench, honest: list[Row], index: Index, lexical: Index) -> None:
    named, repeats = {describe(row): row for row in bench.evaluation}, read_repeats()
    for suffix, one in (("", index), ("_lexical", lexical)):
        began = time.perf_counter()
        findings = [
            finding for begin in range(0, len(honest), 256) for finding in one.find_batch(honest[begin : begin + 256])
        ]
        elapsed = time.perf_counter() - began
        hits = [(row, finding) for row, finding in zip(honest, findings, strict=True) if finding]
        detectors = {
            name: sum(finding.detector == name for _, finding in hits) for name in ("exact", "ngram", "paraphrase")
        }
        show(f"false_positive_rate{suffix}", len(hits) / len(honest), "share", rows=len(honest), **detectors)
        wrong = [
            (row, finding) for row, finding in hits if not true_repeat(row["question"], named[finding.detail], repeats)
        ]
        show(
            f"false_positive_rate_read{suffix}",
            len(wrong) / len(honest),
            "share",
            rows=len(honest),
            true_repeats=len(hits) - len(wrong),
        )
        show(f"rows_per_s{suffix}", len(honest) / elapsed, "rows/s")
        for row, finding in hits if os.environ.get("SHOW_HITS") else []:
            other = named[finding.detail]
            print(f"{digest(row['question'], other)} {finding.detector} {finding.detail}", file=sys.stderr)
            print(
                (
                    f"    {row['question'][:300]!r} ({str(row['answer']['text'])[:60]})\n    "
                    f"{other['question'][:300]!r} ({str(other['answer'])[:60]})"
                ),
                file=sys.stderr,
            )


FIT_WEIGHTS = {"written": 2, "reworded": 1, "neighbour": 2, "honest": 1}
"""hand-written rows are few and varied, rewordings and honest rows are many and similar"""
FIT_WEIGHTS_WORDS = {"written": 8, "reworded": 1, "neighbour": 4, "honest": 20}
"""without an embedder, rows of one task can be distinguished only by words and answers"""
FIT_WEIGHTS_CLOSER = {"written": 40, "reworded": 30, "neighbour": 3, "honest": 80}
"""a good sample that is dropped is worse than a leak that is kept; hand-written neighbours are rare in a corpus"""
CLOSER_MARGIN = 0.75
"""taken off the constant. In five folds of the fitted half, 0.0032 of honest rows and 0.64 of hand-written rewordings
are then found at the default threshold, without it 0.0042 and 0.69; by by_sense.py 0.0034 and 0.55
"""
LEAST_RECALL = 0.25
"""minimum share of a row's words in a paraphrase that is used to fit the weights of words"""
PENALTY = 1e-4
"""penalty on the squares of the weights, with features scaled to a deviation of 1"""


def drawn(bench: Bench, index: Index, half: int) -> list[tuple[str, int, Row]]:
    """(group, number of the row that the sample repeats or -1, sample)."""
    stored = {
        (row["task"], row["dataset"]["split"], row["dataset"]["row"]): number
        for number, row in enumerate(map(index.rows.row, range(index.rows.num_rows)))
    }
    planted = [
        ("written", stored["written", "line", bench.pairs.index(row)], sample)
        for row, sample in bench.paraphrases(half)
    ]
    planted += [
        ("reworded", stored[row["task"], row["dataset"]["split"], row["dataset"]["row"]], sample)
        for row, sample in bench.rewordings(half)
    ]
    others = [("neighbour", -1, sample) for sample in bench.neighbours(half)] + [
        ("honest", -1, sample) for sample in bench.others(half)
    ]
    return planted + [example for example in others if index.copies.find(read_item(example[2])) is None]


def examples_by_sense(
    bench: Bench, index: Index, half: int, *, closer_look: bool = False
) -> Iterator[tuple[str, bool, list[float]]]:
    """(group, whether the sample repeats the row, features of by_sense.py or of closer.py) of the pairs that the
    detector compares: planted samples with their row, others with any row.
    """
    every, repeats = drawn(bench, index, half), read_repeats()
    assert isinstance(index.rewordings, BySense)
    look = index.rewordings.looked_at_closer if closer_look else index.rewordings.looked_at
    for begin in range(0, len(every), 256):
        some = every[begin : begin + 256]
        profiles = [index.rows.profile(read_item(sample)) for _, _, sample in some]
        for pair, found in look([sample for _, _, sample in some], profiles):
            group, known, sample = some[pair.place]
            if (known < 0 or pair.row == known) and not (
                group == "honest" and true_repeat(sample["question"], index.rows.row(pair.row), repeats)
            ):
                yield group, known >= 0, found


def examples_by_words(bench: Bench, index: Index, half: int) -> Iterator[tuple[str, bool, list[float]]]:
    """The same with the features of by_words.py, without paraphrases that have too few of their row's words."""
    recall, repeats = list(by_words.WEIGHTS).index("recall"), read_repeats()
    for group, known, sample in drawn(bench, index, half):
        profile = index.rows.profile(read_item(sample))
        for row in [known] if known >= 0 else index.rows.sharing_words(profile, NEIGHBOURS):
            found = by_words.witnesses(profile, index.rows.row_profile(row))
            if (known < 0 or found[recall] >= LEAST_RECALL) and not (
                group == "honest" and true_repeat(sample["question"], index.rows.row(row), repeats)
            ):
                yield group, known >= 0, found


def fit(bench: Bench, folder: Path) -> None:
    """Prints the weights for nemo_sdg/curate/decontaminate/by_words.py and by_sense.py."""
    write_jsonl(folder / "evaluation.jsonl", bench.evaluation)
    build_index([folder / "evaluation.jsonl"], folder / "index", CurateSection(paraphrase=True))
    index = open_index(folder / "index")
    words, sense = list(examples_by_words(bench, index, FITTED)), list(examples_by_sense(bench, index, FITTED))
    # Many questions share a passage. The detector requires a common passage, but it is no sign of the same question.
    bounds: list[tuple[float | None, float | None]] = [
        (None, 0) if name == "passage" else (None, None) for name in by_words.WEIGHTS
    ]
    show_weights("by_words.py", list(by_words.WEIGHTS), fitted(words, FIT_WEIGHTS_WORDS, bounds))
    show_weights("by_sense.py", list(by_sense.WEIGHTS), fitted(sense, FIT_WEIGHTS, signs(by_sense)))


def fit_closer(bench: Bench, folder: Path) -> None:
    """Prints the weights for nemo_sdg/curate/decontaminate/closer.py; by_sense.py chooses the pairs, so its weights
    come first.
    """
    write_jsonl(folder / "evaluation.jsonl", bench.evaluation)
    build_index([folder / "evaluation.jsonl"], folder / "index", CurateSection(paraphrase=True))
    seen = list(examples_by_sense(bench, open_index(folder / "index"), FITTED, closer_look=True))
    constant, *weights = fitted(seen, FIT_WEIGHTS_CLOSER, signs(closer))
    show_weights("closer.py", list(closer.WEIGHTS), [constant - CLOSER_MARGIN, *weights])


def signs(module: Any) -> list[tuple[float | None, float | None]]:
    """Bounds of a module's weights, in their order."""
    return [
        (0, None) if name in module.RISING else (None, 0) if name in module.FALLING else (None, None)
        for name in module.WEIGHTS
    ]


def fitted(
    seen: list[tuple[str, bool, list[float]]],
    group_weights: dict[str, int],
    bounds: list[tuple[float | None, float | None]],
) -> list[float]:
    """Constant and weights of a logistic regression, each weight within its bounds."""
    from scipy.optimize import minimize

    found = np.array([witnesses for _, _, witnesses in seen])
    mean, deviation = found.mean(axis=0), found.std(axis=0) + 1e-9
    scaled, sign = (found - mean) / deviation, np.where([known for _, known, _ in seen], 1.0, -1.0)
    share = np.array([group_weights[group] for group, _, _ in seen], dtype=float)
    share /= share.sum()

    def loss(weights: Any) -> tuple[float, Any]:
        margin = sign * (scaled @ weights[1:] + weights[0])
        slope = -sign * share / (1.0 + np.exp(np.clip(margin, -500, 500)))
        gradient = np.concatenate([[slope.sum()], scaled.T @ slope + 2 * PENALTY * weights[1:]])
        return float(share @ np.logaddexp(0, -margin) + PENALTY * (weights[1:] ** 2).sum()), gradient

    best = minimize(
        loss,
        np.zeros(1 + found.shape[1]),
        jac=True,
        bounds=[(None, None), *bounds],
        method="L-BFGS-B",
        options={"maxiter": 5000},
    ).x
    raw = best[1:] / deviation
    return [float(best[0] - raw @ mean), *map(float, raw)]


def show_weights(file: str, names: list[str], weights: list[float]) -> None:
    rounded = [round(weight, 2) for weight in weights]
    print(json.dumps({"file": file, **dict(zip(["constant", *names], rounded, strict=True))}), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rows: under 50 s on 2 cores")
    parser.add_argument("--fit", action="store_true", help="fit the weights of the paraphrase detector instead")
    parser.add_argument("--fit-closer", action="store_true", help="fit the weights of the closer look instead")
    parser.add_argument("--hub", type=Path, default=HUB)
    arguments = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if not arguments.hub.is_dir():
        sys.exit(f"no mirror with real task data at {arguments.hub}; name one by --hub or NEMO_SDG_TEST_HUB")
    with tempfile.TemporaryDirectory() as scratch:
        size = (
            "fit" if arguments.fit else "fit-closer" if arguments.fit_closer else "quick" if arguments.quick else "full"
        )
        run = {"fit": fit, "fit-closer": fit_closer}.get(size, measure)
        run(Bench(arguments.hub, size), Path(scratch))
