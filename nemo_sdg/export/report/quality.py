"""Compares the new questions of a run with their seeds, on a selection of the samples that the page shows.

Pairs are [new questions, seeds]. The same number of each is compared, since the figures depend on the number of texts.
"""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from nemo_sdg.export.report.shown import Content, Shown, first_samples
from nemo_sdg.text.figures import character_grams, distinct_share, nearest_other, ngrams
from nemo_sdg.text.normalize import tokens

NUM_READ = 20
"""number of new questions, solutions and seeds whose loss is measured: each takes about half a second on one core"""
NUM_COMPARED = 128
"""number of questions, and of seeds, that are compared with each other"""
SALAD = 2.0
"""nats per token above the median of the family's seeds, from which a text counts as word salad. Chosen on 70 questions
of sciq, gsm8k, commonsense_qa, winogrande and medqa: it marks none of them, 68 of 70 with shuffled words, and 66 of 70
with replaced nouns and verbs. On 112 questions of eight other tasks, two of them not English, it marks none, and 76
of 98 shuffled and 86 of 98 replaced ones (scripts/bench/fluency.py)
"""
REPEATED = 0.3
"""minimum share of repeated 4-grams in a text that counts as repeating itself"""
CLOSING = ".?!:;\"'”’»)]}…。？！：」』）>|$`_*/-"
MIN_WORDS = 8
"""minimum number of words of a text that can be unfinished or repeat itself"""

Losses = Callable[[list[str]], list[float]]
"""texts -> nats per token of each text"""
Vendi = Callable[[list[str]], float]


class LossRow(TypedDict):
    """A text that was read."""

    what: str
    """question | solution | seed"""
    family: str
    loss: float
    """nats per token"""
    over: float
    """`loss` minus the median of the family's seeds"""
    text: str


class Fluency(TypedDict):
    of: int
    rule: float
    """nats per token over the seeds, from which a text counts as word salad"""
    rows: list[LossRow]
    shares: dict[str, float]
    """what -> share of the texts that count as word salad"""
    medians: dict[str, float]
    """family -> median loss of its seeds"""


class Diversity(TypedDict):
    of: int
    distinct_2: list[float]
    nearest: list[float]
    """mean similarity to the nearest other question"""
    vendi: NotRequired[list[float]]


class Quality(TypedDict):
    """What is measured, and in report/quality.json; a figure is missing where there is nothing to measure."""

    missing: dict[str, str]
    """figure -> why it was not measured"""
    fluency: NotRequired[Fluency]
    diversity: NotRequired[Diversity]
    repeated: NotRequired[float]
    unfinished: NotRequired[list[float]]


@dataclass(kw_only=True)
class Models:
    """The models for the measures; None for a model that is not installed, with the reason."""

    losses: Losses | None = None
    vendi: Vendi | None = None
    missing: dict[str, str]


def measure(records: Sequence[Shown], models: Models) -> Quality:
    """The figures of the records of collect_records."""
    kept = first_samples(records, len(records))
    samples = [(record, record.sample) for record in kept if record.sample is not None]
    new = [(record, sample) for record, sample in samples if record.origin != "seed"]
    seeds = list({seed.id: (record.family, seed.question) for record in kept for seed in record.seeds}.values())
    out = Quality(missing=dict(models.missing))
    if models.losses is not None and (found := fluency(new, samples, seeds, models.losses)):
        out["fluency"] = found
    asked = distinct(sample.question for _, sample in new)
    known = distinct(question for _, question in seeds)
    num = min(len(asked), len(known), NUM_COMPARED)
    if num >= 2:
        pair = asked[:num], known[:num]
        out["diversity"] = {
            "of": num,
            "distinct_2": [round(distinct_share(map(tokens, texts), 2) or 0.0, 3) for texts in pair],
            "nearest": [round(nearest_other([character_grams(text) for text in texts]), 3) for texts in pair],
        }
        if models.vendi is not None:
            out["diversity"]["vendi"] = [round(models.vendi(texts), 1) for texts in pair]
    solutions = [sample.reasoning for record, sample in samples if record.kind != "code"]
    texts = [text for text in [*(sample.question for _, sample in new), *solutions] if text]
    if texts:
        out["repeated"] = round(statistics.fmean(repeats_itself(text) for text in texts), 4)
        both = solutions, [question for _, question in seeds]
        out["unfinished"] = [round(statistics.fmean([0.0, *map(unfinished, part)]), 4) for part in both]
    return out


def distinct(texts: Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]


def fluency(
    new: Sequence[tuple[Shown, Content]],
    kept: Sequence[tuple[Shown, Content]],
    seeds: Sequence[tuple[str, str]],
    losses: Losses,
) -> Fluency | None:
    """Losses of new questions and of solutions, and their distance to the median of the family's seeds; None if no text
    has seeds of its family. `seeds`: family, question.
    """
    rows = [("question", record.family, sample.question) for record, sample in new[:NUM_READ]]
    rows += [
        ("solution", record.family, text)
        for record, sample in kept[:NUM_READ]
        if record.kind != "code" and (text := f"{sample.context} {sample.reasoning}".strip())
    ]
    wanted = {family for _, family, _ in rows}
    known = [("seed", family, question) for family, question in seeds if family in wanted][:NUM_READ]
    if not known:
        return None
    read = [
        (row, round(loss, 3))
        for row, loss in zip([*rows, *known], losses([text for _, _, text in [*rows, *known]]), strict=True)
    ]
    medians = {
        family: statistics.median([loss for (what, own, _), loss in read if what == "seed" and own == family])
        for family in sorted({family for _, family, _ in known})
    }
    middle = statistics.median([loss for (what, _, _), loss in read if what == "seed"])
    found = [
        LossRow(what=what, family=family, loss=loss, text=text[:300], over=round(loss - medians.get(family, middle), 3))
        for (what, family, text), loss in read
    ]
    shares = {
        what: round(statistics.fmean(over > SALAD for over in part), 4)
        for what in ("question", "solution", "seed")
        if (part := [row["over"] for row in found if row["what"] == what])
    }
    return Fluency(of=NUM_READ, rule=SALAD, rows=found, shares=shares, medians=medians)


def vendi_score(vectors: Any) -> float:
    """exp of the entropy of the eigenvalues of the cosine matrix divided by its size (Friedman and Dieng 2023): the
    number of entirely different texts with the same diversity. `vectors`: unit vectors, one row per text.
    """
    import numpy as np

    values = np.linalg.eigvalsh(np.asarray(vectors, dtype=np.float64) @ np.asarray(vectors, dtype=np.float64).T)
    shares = values[values > 1e-12] / len(vectors)
    return math.exp(-float((shares * np.log(shares)).sum()))


def repeats_itself(text: str) -> bool:
    grams = list(ngrams(tokens(text), 4))
    return len(grams) >= MIN_WORDS and 1 - len(set(grams)) / len(grams) > REPEATED


def unfinished(text: str) -> bool:
    """Whether a text of at least MIN_WORDS ends in a word or a comma, like a text that was cut off."""
    plain = text.rstrip()
    last = plain[-1:]
    return len(plain.split()) >= MIN_WORDS and (last == "," or (last.isalpha() and last not in CLOSING))
