"""What a record carries from one step to the next, as hashes. They hold within one process, in which all steps of a
shard are read; nobody can aim at them.
"""

import random
from typing import Any

import orjson

from nemo_sdg.records import content_id

SAME = (
    "sample_id",
    "origin",
    "seed_ids",
    "task",
    "family",
    "capability",
    "kind",
    "frame",
    "language",
    "question",
    "passage",
    "reference_reasoning",
    "axes",
)
"""fields that no step after `questions` writes; so are parts of others, see `asked`"""
VOTE = ("guidance", "index", "context", "reasoning", "answer", "label", "order", "error", "detail", "solver")
"""fields of a solution that `graded` leaves as they are"""
OPENING = 60
"""characters of a context that `verified` keeps at least, where it takes off its last sentences"""
MOST_QUESTIONS = 1000
"""of one row"""


def own(record: dict[str, Any]) -> int:
    """What a seed asks, and its gold; its own question as a sample has the same."""
    values = [record["question"], record["passage"], sorted(record["choices"] or []), record["answer"]["text"]]
    return hash(orjson.dumps([*values, record["answer"]["aliases"], record["tests"], record["reference_reasoning"]]))


def asked(sample: dict[str, Any]) -> int:
    """What is asked, by whom, after which seed: the same from `questions` on. Options may change their order."""
    values = [sample.get(name) for name in SAME]
    values.append(sorted(sample.get("choices") or []))
    values.append((sample.get("license") or {}).get("seeds"))
    values.append((sample.get("generator") or {}).get("writer"))
    if sample.get("origin") == "seed":  # of others, votes give the answer, and what programs return the tests
        values.append(own(sample))
    return hash(orjson.dumps(values))


def sample_id(sample: dict[str, Any]) -> str:
    """The id that follows from what a sample asks, after which seed."""
    choices = sorted(sample["choices"]) if sample["choices"] else None
    return content_id(sample["origin"], sample["seed_ids"][0], sample["question"], sample["passage"], choices)


def has_its_id(seed: dict[str, Any], run_seed: int) -> bool:
    """Whether a seed's id follows from its row, question, options and answer. Options may stand in an order that was
    drawn with the id; of a row with several questions, the id counts them.
    """
    dataset, choices = seed["dataset"], seed["choices"]
    orders = [choices]
    if choices:
        places = list(range(len(choices)))
        random.Random(f"{run_seed}:{seed['seed_id']}:choices").shuffle(places)
        orders.append([option for _, option in sorted(zip(places, choices, strict=True))])
    row = [dataset[name] for name in ("path", "name", "split", "row")]
    said = seed["question"], seed["passage"]
    return any(
        content_id(*row, ordinal, *said, options, seed["answer"]["text"]) == seed["seed_id"]
        for ordinal in range(MOST_QUESTIONS)
        for options in orders
    )


def whole(record: dict[str, Any]) -> int:
    """All of a sample: the same from `verified` on."""
    return hash(orjson.dumps(record))


def told(sample: dict[str, Any]) -> int:
    """What the solutions say: the same in `answers` and `graded`."""
    return hash(orjson.dumps([[vote.get(name) for name in VOTE] for vote in sample["solutions"] or []]))


def solutions_of(sample: dict[str, Any]) -> list[int]:
    """For each solution what a verified sample has of it: with its whole context, and with the opening alone."""
    found: list[int] = []
    for vote in sample["solutions"] or []:
        name, answer = f"{vote['guidance']}{vote['index']}", vote["answer"]
        found += _kept(sample, name, answer, vote["context"], vote["reasoning"])
    return found


def solution_of(sample: dict[str, Any]) -> int:
    """What a verified sample has of the solution that it names."""
    detail = sample["verification"]["detail"]
    name, shortened, _ = detail.removeprefix("solution ").partition(", ")
    answer = (sample["answer"] or {}).get("text")
    return _kept(sample, name, answer, sample["context"], sample["reasoning"])[bool(shortened)]


def _kept(sample: dict[str, Any], name: str, answer: str | None, context: str, reasoning: str) -> tuple[int, int]:
    given = None if sample["origin"] == "seed" else answer  # the gold is the seed's, in whatever words votes say it
    head = (sample["sample_id"], name, given, reasoning)
    return hash((*head, context)), hash((*head, context[:OPENING], "shortened"))
