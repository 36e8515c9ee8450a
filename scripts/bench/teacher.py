"""Results from replies of strong models to the prompts of style full: parsed, kept, gold reached, words, diversity.

    .venv/bin/python scripts/bench/teacher.py [--quick] [--hub MIRROR] [--keep FOLDER]

60 seeds of the hub mirror and of the project's tasks, of all kinds and frames and in six languages, go through the
pipeline with engine.kind=batch: questions, screened, answers, graded, verified, curated. data/teacher/replies.jsonl has
recorded replies of a large language model to these prompts. No writer of a reply saw another vote on the same question,
or the parser. The form (thinking or none, in tags or in a field, style of headings, decoration of the answer) was drawn
at random for each request. A reply is found by the hash of its request: after a change of a template or a seed it
counts as missing_replies and must be recorded again. The results of the same seeds in style compact, with one question
and one vote each, have the suffix _compact. data/teacher/pairs.jsonl has blind judgements of pairs of samples. --quick
is the same.

parsed             replies from which a question, a solution or scores could be read
kept               samples that every step kept, of the attempts; dropped_<step>_<reason> counts the others
contradictions     kept samples whose reasoning ends in another option or number than their answer
gold_reached       seeds' own questions whose blind votes reach the gold
context_words, reasoning_words   medians over kept samples in languages that write spaces
distinct_2, vendi  for the questions of seeds for which both styles gave one: distinct pairs of words divided by all
                   pairs (Li et al., 2016), and the Vendi score of their embeddings (Friedman and Dieng, 2023)
tokens_per_kept    tokens of all replies over kept samples; a token is estimated as 4 characters, or 1.5 of Han and kana
"""

import argparse
import itertools
import json
import os
import re
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
NOT_UNREAD = {"copy_of_seed", "copy_of_example", "copy_of_sibling", "composite_choice", "duplicate_choices"}
"""reasons for drops of written questions that could be read"""
SPACELESS = ("zh", "ja")

import numpy as np  # noqa: E402
from teacher_replay import DATA, Json, Replayed, replay  # noqa: E402

from nemo_sdg import same_answer  # noqa: E402
from nemo_sdg.curate.embed import Embedder  # noqa: E402
from nemo_sdg.storage import read_jsonl  # noqa: E402
from nemo_sdg.text.normalize import tokens  # noqa: E402


def show(name: str, value: float, unit: str, **more: Any) -> None:
    print(json.dumps({"name": name, "value": value, "unit": unit, **more}, ensure_ascii=False), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="the same")
    parser.add_argument("--hub", type=Path, help="mirror of the hub's rows")
    parser.add_argument("--keep", type=Path, help="leave the runs in this folder, to look at them")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the recorded replies")
    options = parser.parse_args()
    hub = options.hub or Path(os.environ.get("NEMO_SDG_TEST_HUB") or ROOT.parent / "shared" / "hub")
    if not hub.is_dir():
        sys.exit(f"no rows to measure on: {hub} is missing; set NEMO_SDG_TEST_HUB to a mirror of the hub")
    data, hub = options.data.absolute(), hub.absolute()
    os.chdir(ROOT)
    recorded = {row["custom_id"]: row for row in read_jsonl(data / "replies.jsonl")}
    with tempfile.TemporaryDirectory() as folder:
        base = (options.keep or Path(folder)).absolute()
        full = replay("full", base, hub, recorded)
        compact = replay("compact", base, hub, recorded, seeds_of=full.run)
        report(full, "")
        report(compact, "_compact")
        diversity(full, compact)
    preference(data / "pairs.jsonl")


# figures


def report(replayed: Replayed, suffix: str) -> None:
    samples, drops = replayed.shards("curated"), list(replayed.drops())
    written, answered = replayed.shards("questions"), replayed.shards("graded") or replayed.shards("answers")
    lost = [drop for drop in drops if drop["step"] == "questions"]
    own = [row for row in written if row["origin"] == "seed"]
    attempts = len(written) + len(lost)

    show(f"replies{suffix}", len(replayed.asked) - len(replayed.missing), "replies")
    show(f"missing_replies{suffix}", len(replayed.missing), "requests", of=len(replayed.asked))

    cut = [drop["record"] for drop in drops if drop["step"] in ("screened", "answers")]
    asked_votes = [vote for row in [*answered, *cut] for vote in row.get("solutions") or []]
    judged = [row["grade"]["question"] for row in [*answered, *cut] if (row.get("grade") or {}).get("question")]
    judged += [vote["judge"] for vote in asked_votes if vote.get("judge")]
    errors = Counter(f"question: {drop['reason']}" for drop in lost if drop["reason"] not in NOT_UNREAD)
    errors += Counter(
        f"solution: {vote['error']}" for vote in asked_votes if vote.get("error") not in (None, "question_flawed")
    )
    errors += Counter(f"judgement: {row['error']}" for row in judged if row.get("score") is None)
    total = attempts - len(own) + len(asked_votes) + len(judged)
    show(f"parsed{suffix}", share(total - errors.total(), total), "share", of=total, unread=dict(errors))

    show(f"kept{suffix}", share(len(samples), attempts), "share", of=attempts)
    for (step, reason), num in Counter((drop["step"], drop["reason"]) for drop in drops).most_common():
        show(f"dropped_{step}_{reason}{suffix}", num, "records")
    wrong = [row for row in samples if contradicts(row)]
    show(
        f"contradictions{suffix}",
        len(wrong),
        "samples",
        of=len(samples),
        samples=[
            f"{row['sample_id'][:12]} {row['task']}: {last_sentence(row)[:160]} | {answer_of(row)}" for row in wrong
        ],
    )
    if own:
        missed = {drop["id"] for drop in drops if drop["reason"] == "gold_not_reached"}
        missed |= {row["sample_id"] for row in replayed.shards("verified") if row.get("guidance") == "guided"}
        never = {drop["id"] for drop in drops if drop["step"] in ("answers", "screened")}
        reached = sum(row["sample_id"] not in missed | never for row in own)
        show(f"gold_reached{suffix}", share(reached, len(own)), "share", of=len(own))
    spaced = [row for row in samples if row["language"] not in SPACELESS]
    for name in ("context", "reasoning"):
        words = [len(str(row[name]).split()) for row in spaced]
        show(f"{name}_words{suffix}", statistics.median(words) if words else 0, "words", of=len(words))
    spent = sum(replayed.asked.values())
    show(f"tokens_per_kept{suffix}", round(spent / max(1, len(samples)), 1), "tokens", of=spent)


def share(part: int, whole: int) -> float:
    return round(part / max(1, whole), 4)


def answer_of(row: Json) -> str:
    return str(row["answer"]["text"])


def last_sentence(row: Json) -> str:
    parts = [part for part in re.split(r"(?<=[.!?。！？])\s*(?=\S)|\n", str(row["reasoning"]).strip()) if part.strip()]
    return parts[-1] if parts else ""


def contradicts(row: Json) -> bool:
    """Whether the last sentence of a reasoning names another option than the answer, or only other numbers. This check
    is coarser than the filter's, so its findings must be read.
    """
    last, answer = last_sentence(row).casefold(), answer_of(row)
    if row["kind"] == "multiple_choice":
        others = [choice.casefold() for choice in row["choices"] if choice != answer]
        return answer.casefold() not in last and any(
            re.search(rf"(?<!\w){re.escape(other)}(?!\w)", last) for other in others
        )
    if row["kind"] == "numeric":
        numbers = re.findall(r"-?\d[\d.,]*(?:\s?\\?%)?", last.replace("{,}", ","))
        same = (
            same_answer(number.rstrip(".,"), answer, kind="numeric", language=row["language"]) for number in numbers
        )
        return bool(numbers) and not any(same)
    return False


def diversity(full: Replayed, compact: Replayed) -> None:
    """Diversity of the questions that both styles wrote from the same seeds, before any filter."""
    of_style = [
        {row["seed_ids"][0]: row for row in replayed.shards("questions") if row["origin"] == "similar"}
        for replayed in (full, compact)
    ]
    shared = sorted(of_style[0].keys() & of_style[1].keys())
    for rows, suffix in zip(of_style, ("", "_compact"), strict=True):
        texts = [question_text(rows[seed]) for seed in shared]
        show(f"distinct_2{suffix}", round(distinct_2(texts), 4), "share", of=len(texts))
        show(f"vendi{suffix}", round(vendi(texts), 2), "questions", of=len(texts))


def question_text(row: Json) -> str:
    return "\n".join(
        [row["question"], *(row.get("choices") or [])]
        if row["frame"] != "classification"
        else [row.get("passage") or "", row["question"]]
    )


def distinct_2(texts: list[str]) -> float:
    words = [tokens(text) for text in texts]
    pairs = [pair for text in words for pair in itertools.pairwise(text)]
    return len(set(pairs)) / max(1, len(pairs))


def vendi(texts: list[str]) -> float:
    """The exponential of the entropy of the eigenvalues of the cosine matrix divided by its size."""
    if not texts:
        return 0.0
    vectors = Embedder(None).encode(texts).astype(np.float64)
    values = np.linalg.eigvalsh(vectors @ vectors.T / len(texts))
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))


def preference(path: Path) -> None:
    """Shows the preferences in rows {"pair", "full": "A" | "B", "choice": "A" | "B" | "tie"}; a tie does not count for
    style full.
    """
    rows = list(read_jsonl(path)) if path.is_file() else []
    preferred = sum(row["choice"] == row["full"] for row in rows)
    ties = sum(row["choice"] == "tie" for row in rows)
    pairs = len({row["pair"] for row in rows})
    show("blind_preference", share(preferred, len(rows)), "share", of=len(rows), pairs=pairs, ties=ties)


if __name__ == "__main__":
    main()
