"""Precision and recall of answer equality on rewritings that were written by hand without knowledge of the code.

data/rewritings.jsonl has questions of every kind with a gold answer, equal rewritings of it, and wrong answers that
look similar. Half of the rows were read while the rules were written (`seen`), the other half was not; the figures of
the unseen half are to be reported. Programs are compared by the row's tests. data/answer_pairs.jsonl has pairs of
answers to one question; those of the half `read` were read while the rules were written, the half `unseen` was not.
Answers to questions with options are not among them: they are read as letters before they are compared.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from nemo_sdg.config import VerifySection
from nemo_sdg.text.answers import same_answer
from nemo_sdg.verify import programs

DATA = Path(__file__).with_name("data") / "rewritings.jsonl"
PAIRS = Path(__file__).with_name("data") / "answer_pairs.jsonl"
KINDS = {"expression": "numeric", "classification": "short_text", "code_output": "short_text"}
"""Kinds of the pairs that are read as another one"""


def figures() -> Iterator[tuple[str, float, dict[str, int]]]:
    """(name, share, counts): blind_precision_<kind> and blind_recall_<kind>, for the unseen and the seen half."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for line in DATA.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for right, answers in ((True, row["rewritings"]), (False, row["wrong"])):
            for answer in answers:
                accepted = is_accepted(row, answer)
                counts[row["half"], row["kind"], f"{'right' if right else 'wrong'}_{accepted}"] += 1
    for half in ("unseen", "seen"):
        suffix = "" if half == "unseen" else "_seen"
        for kind in dict.fromkeys(key[1] for key in counts):
            hit, missed, false = (counts[half, kind, name] for name in ("right_True", "right_False", "wrong_True"))
            more = {"right": hit + missed, "accepted": hit + false, "accepted_right": hit}
            yield f"blind_precision_{kind}{suffix}", hit / (hit + false) if hit + false else 1.0, more
            yield f"blind_recall_{kind}{suffix}", hit / max(hit + missed, 1), more


def pair_figures() -> Iterator[tuple[str, float, dict[str, int]]]:
    """(name, share, counts): pairs_precision_<kind> and pairs_recall_<kind> of both halves, and of the answers in
    sentences as a reader has judged them.
    """
    counts: Counter[tuple[str, str, bool, bool]] = Counter()
    for line in PAIRS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        accepted = same_answer(
            row["a"],
            row["b"],
            kind=KINDS.get(row["kind"], row["kind"]),
            question=row["question"],
            language=row["language"],
            family="math" if row["kind"] == "expression" else "",
        )
        counts[row["half"], row["kind"], row["equal"], accepted] += 1
        if "judged" in row:
            counts[row["half"], row["kind"] + "_judged", row["equal"], row["judged"]] += 1
    for half in ("unseen", "read"):
        suffix = "" if half == "unseen" else "_read"
        for kind in dict.fromkeys(key[1] for key in counts if key[0] == half):
            hit, missed, false = (counts[half, kind, *way] for way in ((True, True), (True, False), (False, True)))
            more = {"equal": hit + missed, "unequal": false + counts[half, kind, False, False], "accepted": hit + false}
            yield f"pairs_precision_{kind}{suffix}", hit / (hit + false) if hit + false else 1.0, more
            yield f"pairs_recall_{kind}{suffix}", hit / max(hit + missed, 1), more


def is_accepted(row: dict[str, str], answer: str) -> bool:
    if row["kind"] == "code":
        return programs.outcomes([answer], [row["tests"]], VerifySection(code_timeout=5.0)) == ["passed"]
    return same_answer(row["gold"], answer, kind=row["kind"], question=row["question"], language=row["language"])
