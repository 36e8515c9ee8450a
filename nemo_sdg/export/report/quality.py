"""Compares the new questions of a run with their seeds, on a selection of the samples that the page shows.

    {"fluency": {"of": 32, "rule": 2.0, "rows": [{"what": "question", "family": "math", "loss": 7.4, "over": 3.1,
                 "text": "…"}, …], "shares": {"question": 0.9, "solution": 0.1}, "medians": {"math": 4.3}},
     "diversity": {"of": 128, "distinct_2": [0.81, 0.86], "nearest": [0.2, 0.17], "vendi": [61.0, 70.2]},
     "repeated": 0.0, "unfinished": [0.01, 0.0], "missing": {"fluency": "…why it was not measured"}}

Pairs are (new questions, seeds). The same number of each is compared, since the figures depend on the number of texts.
"""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nemo_sdg.export.report.first import first_samples
from nemo_sdg.text.normalize import character_grams, distinct_share, nearest_other, ngrams, tokens

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


@dataclass(kw_only=True)
class Models:
    """The models for the measures; None for a model that is not installed, with the reason."""

    losses: Losses | None = None
    vendi: Vendi | None = None
    missing: dict[str, str]


def measure(records: Sequence[dict[str, Any]], models: Models) -> dict[str, Any]:
    """The dict shown above, from the records of collect_records."""
    kept = first_samples(records, len(records))
    new = [record for record in kept if record["origin"] != "seed"]
    seeds = list({seed["id"]: (record["family"], seed) for record in kept for seed in record["seeds"]}.values())
    out: dict[str, Any] = {"missing": dict(models.missing)}
    if models.losses is not None and (found := fluency(new, kept, seeds, models.losses)):
        out["fluency"] = found
    asked = distinct(record["sample"]["question"] for record in new)
    known = distinct(seed["question"] for _, seed in seeds)
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
    solutions = [record["sample"]["reasoning"] for record in kept if record["kind"] != "code"]
    texts = [text for text in [*(record["sample"]["question"] for record in new), *solutions] if text]
    if texts:
        out["repeated"] = round(statistics.fmean(repeats_itself(text) for text in texts), 4)
        both = solutions, [seed["question"] for _, seed in seeds]
        out["unfinished"] = [round(statistics.fmean([0.0, *map(unfinished, part)]), 4) for part in both]
    return out


def distinct(texts: Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]


def fluency(
    new: Sequence[dict[str, Any]],
    kept: Sequence[dict[str, Any]],
    seeds: Sequence[tuple[str, dict[str, Any]]],
    losses: Losses,
) -> dict[str, Any]:
    """Losses of new questions and of solutions, and their distance to the median of the family's seeds; {} if no text
    has seeds of its family.
    """
    rows = [("question", record["family"], record["sample"]["question"]) for record in new[:NUM_READ]]
    rows += [
        ("solution", record["family"], text)
        for record in kept[:NUM_READ]
        if record["kind"] != "code"
        and (text := f"{record['sample']['context']} {record['sample']['reasoning']}".strip())
    ]
    wanted = {family for _, family, _ in rows}
    known = [("seed", family, seed["question"]) for family, seed in seeds if family in wanted][:NUM_READ]
    if not known:
        return {}
    found = [
        {"what": what, "family": family, "loss": round(loss, 3), "text": text[:300]}
        for (what, family, text), loss in zip([*rows, *known], losses([row[2] for row in [*rows, *known]]), strict=True)
    ]
    medians = {
        family: statistics.median([row["loss"] for row in found if row["what"] == "seed" and row["family"] == family])
        for family in sorted({family for _, family, _ in known})
    }
    overall = statistics.median([row["loss"] for row in found if row["what"] == "seed"])
    for row in found:
        row["over"] = round(row["loss"] - medians.get(row["family"], overall), 3)
    shares = {
        what: round(statistics.fmean(over > SALAD for over in part), 4)
        for what in ("question", "solution", "seed")
        if (part := [row["over"] for row in found if row["what"] == what])
    }
    return {"of": NUM_READ, "rule": SALAD, "rows": found, "shares": shares, "medians": medians}


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
