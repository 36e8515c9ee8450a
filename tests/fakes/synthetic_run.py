"""The files of a run without a run: shards, drops, receipts and journals of every step, as in a finished run of any
size, made from random phrases.

No engine wrote the texts, and documents are not packed. The files are realistic in size and content, not in quality.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import yaml

from nemo_sdg.config import RunConfig, shaping
from nemo_sdg.records import Answer, Drop, Generator, ModelUse, Sample, SampleLicense, content_id, to_dict
from nemo_sdg.storage import Counts, StepDir, write_bytes, write_json, write_jsonl

WORDS = [
    "the", "water", "plants", "river", "stone", "light", "energy", "moves", "through", "small",
    "number", "of", "every", "city", "between", "music", "letters", "answer", "because", "warm",
    "slow", "metal", "seven", "twelve",
]  # fmt: skip
FAMILIES = {
    "science": "multiple_choice",
    "math": "numeric",
    "factual": "short_text",
    "code": "code",
    "explanation": "free_text",
}
NUM_TASKS = 12
"""tasks of a family"""
SIMILAR = 3
"""questions a seed"""
VOTES = 4
SHARD = 2_000
"""seeds a shard"""
LOSSES = {
    "questions": {"schema": 0.02, "copy_of_seed": 0.02, "duplicate_choices": 0.01},
    "verified": {"no_majority": 0.1, "tests_failed": 0.02},
    "curated": {"context_gives_answer": 0.05, "too_short": 0.02, "near_duplicate": 0.03, "evaluation_exact": 0.001},
}
"""share of the records that a step drops for each reason"""


class Texts:
    """Deals sentences, and now and then one of `special`."""

    def __init__(self, draw: random.Random, special: list[str]) -> None:
        self.draw, self.special = draw, special
        self.pool = [" ".join(draw.choices(WORDS, k=draw.randrange(8, 40))) for _ in range(2_000)]

    def __call__(self) -> str:
        if self.special and self.draw.random() < 0.5:
            return self.draw.choice(self.special)
        return self.draw.choice(self.pool)


def write_run(folder: Path, num_seeds: int, *, special: list[str] | None = None) -> Path:
    """Writes RUN with `num_seeds` seeds; returns it. The same arguments give the same files."""
    text = Texts(random.Random(0), special or [])
    folder.mkdir(parents=True)
    write_bytes(folder / "config.yaml", yaml.safe_dump(shaping(RunConfig()), sort_keys=False).encode())
    tasks = [(f"{family}_{number:02d}", family) for number in range(NUM_TASKS) for family in FAMILIES]
    catalog = StepDir(run_dir=folder, step="catalog", fingerprint="synthetic")
    counts = Counts()
    for task, _ in tasks:
        counts.keep(task)
    counts.drop("refused_task", "ring1_evaluated_split")
    refused = [{"task": "refused_task", "family": "science", "reasons": ["ring1_evaluated_split: test"]}]
    outputs = {"catalog/refused.jsonl": write_jsonl(catalog.path / "refused.jsonl", refused)}
    outputs["catalog/tasks.jsonl"] = write_jsonl(
        catalog.path / "tasks.jsonl", [{"task": task, "family": family} for task, family in tasks]
    )
    catalog.write_receipt("catalog", outputs, counts.as_dict())
    evaluation = {
        "task": "science_00",
        "dataset": {"path": "made/evaluation", "name": None, "split": "test", "row": 3},
        "question": text(),
        "answer": text(),
    }
    write_jsonl(folder / "seeds" / "evaluation" / "split-00000.jsonl", [evaluation])
    write_json(
        folder / "seeds" / "evaluation" / "unreachable.json",
        [{"dataset": "made/unseen", "name": None, "split": "test", "why": "not there"}],
    )
    for number in range(-(-num_seeds // SHARD)):
        write_shard(
            folder, f"shard-{number:05d}", range(number * SHARD, min(num_seeds, (number + 1) * SHARD)), tasks, text
        )
    write_jsonl(folder / "progress.jsonl", progress_rows(num_seeds))
    return folder


def write_shard(folder: Path, shard: str, numbers: range, tasks: list[tuple[str, str]], text: Texts) -> None:
    steps = {
        name: StepDir(run_dir=folder, step=name, fingerprint="synthetic")
        for name in ("seeds", "questions", "answers", "verified", "curated", "packed")
    }
    seeds = [make_seed(number, *tasks[number % len(tasks)], text) for number in numbers]
    write_step(steps["seeds"], shard, seeds, [])
    questions, drops = [], []
    for seed in seeds:
        for attempt in range(SIMILAR):
            reason = lost("questions", text.draw)
            if reason:
                record = {"seed_id": seed["seed_id"], "attempt": attempt, "text": text(), "finish_reason": "stop"}
                identifier = content_id("attempt", seed["seed_id"], attempt)
                drops.append(
                    Drop(
                        task=seed["task"],
                        id=identifier,
                        step="questions",
                        reason=reason,
                        detail=text()[:80],
                        record=record,
                    )
                )
            else:
                questions.append(make_sample(seed, attempt, text))
    write_step(steps["questions"], shard, questions, drops)
    write_journal(folder / "questions" / "journal" / f"{shard}.0000.jsonl", len(seeds) * SIMILAR, text)
    answers = [
        {**sample, "solutions": [make_solution(index, text) for index in range(VOTES)], "votes": {"planned": VOTES}}
        for sample in questions
    ]
    write_step(steps["answers"], shard, answers, [])
    write_journal(folder / "answers" / "journal" / f"{shard}.0000.jsonl", len(answers) * VOTES, text)
    verified, drops = divide("verified", answers, text)
    verified = [finish(sample, text) for sample in verified]
    write_step(steps["verified"], shard, verified, drops)
    curated, drops = divide("curated", verified, text)
    write_step(steps["curated"], shard, curated, drops)
    write_step(steps["packed"], shard, [], [], kept=curated)


def make_seed(number: int, task: str, family: str, text: Texts) -> dict[str, Any]:
    choices = [text()[:60] for _ in range(4)] if FAMILIES[family] == "multiple_choice" else None
    return {
        "seed_id": content_id("seed", number),
        "task": task,
        "tasks": [task],
        "family": family,
        "capability": "knowledge",
        "kind": FAMILIES[family],
        "frame": "selection",
        "language": "en",
        "dataset": {"path": f"made/{task}", "name": None, "split": "train", "revision": "local", "row": number},
        "license": "CC-BY-4.0",
        "question": text(),
        "passage": None,
        "choices": choices,
        "answer": {"text": choices[0] if choices else text()[:60], "label": None, "aliases": []},
        "tests": None,
        "reference_reasoning": None,
        "target_format": None,
    }


def make_sample(seed: dict[str, Any], attempt: int, text: Texts) -> dict[str, Any]:
    same = {name: seed[name] for name in ("task", "family", "capability", "kind", "frame", "language")}
    identifier = content_id("sample", seed["seed_id"], attempt)
    choices = [text()[:60] for _ in range(4)] if seed["choices"] else None
    sample = Sample(
        sample_id=identifier, origin="similar", seed_ids=[seed["seed_id"]], **same, question=text(), choices=choices
    )
    writer = ModelUse(engine="made", model="made", license="Apache-2.0", prompt="similar", prompt_hash="0")
    sample.generator = Generator(model="made", writer=writer)
    sample.license = SampleLicense(seeds=[seed["license"]], models=["Apache-2.0"])
    return to_dict(sample)


def make_solution(index: int, text: Texts) -> dict[str, Any]:
    return {
        "index": index,
        "guidance": "blind",
        "context": text(),
        "reasoning": text(),
        "answer": text()[:60],
        "label": None,
        "order": None,
        "error": None,
        "detail": None,
    }


def finish(sample: dict[str, Any], text: Texts) -> dict[str, Any]:
    """A verified sample: the majority's answer, one solution's context and reasoning, the others gone."""
    first = sample["solutions"][0]
    agree = text.draw.randrange(2, VOTES + 1)
    answer = to_dict(Answer(text=sample["choices"][0] if sample["choices"] else first["answer"]))
    return {
        **sample,
        "answer": answer,
        "context": first["context"],
        "reasoning": first["reasoning"],
        "solutions": None,
        "guidance": "blind",
        "votes": {"n": VOTES, "planned": VOTES, "agree": agree, "tally": {answer["text"]: agree}},
        "difficulty": 1 - agree / VOTES,
        "verification": {"method": "majority_text", "verdict": "verified", "detail": None},
        "license": {**sample["license"], "effective": "CC-BY-4.0"},
    }


def lost(step: str, draw: random.Random) -> str | None:
    value = draw.random()
    for reason, share in LOSSES[step].items():
        value -= share
        if value < 0:
            return reason
    return None


def divide(step: str, samples: list[dict[str, Any]], text: Texts) -> tuple[list[dict[str, Any]], list[Drop]]:
    kept, drops = [], []
    for sample in samples:
        reason = lost(step, text.draw)
        if reason is None:
            kept.append(sample)
        else:
            detail = "science_00 test row 3 (made/evaluation)" if reason.startswith("evaluation") else text()[:80]
            drops.append(
                Drop(
                    task=sample["task"], id=sample["sample_id"], step=step, reason=reason, detail=detail, record=sample
                )
            )
    return kept, drops


def write_step(
    step: StepDir,
    shard: str,
    records: list[dict[str, Any]],
    drops: list[Drop],
    *,
    kept: list[dict[str, Any]] | None = None,
) -> None:
    counts = Counts()
    for record in records if kept is None else kept:
        counts.keep(record["task"])
    for drop in drops:
        counts.drop(drop.task, drop.reason)
    if kept is None:
        step.write_shard(shard, records, drops, counts)
    else:
        step.write_receipt(shard, {}, counts.as_dict())


def write_journal(path: Path, num: int, text: Texts) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        for number in range(num):
            answer = orjson.dumps({"context": text(), "reasoning": text(), "answer": text()[:60]}).decode()
            yield {
                "key": content_id(path.name, number),
                "text": answer,
                "finish_reason": "stop",
                "prompt_tokens": 400,
                "completion_tokens": 90,
                "detail": None,
            }

    write_jsonl(path, rows())


def progress_rows(num_seeds: int) -> Iterator[dict[str, Any]]:
    clock = 1_700_000_000.0
    for step in ("questions", "answers"):
        for tick in range(1, 41):
            facts = {
                "completion_tokens": 9_000 * tick,
                "saturation": 0.96,
                "retries": tick // 10,
                "replayed": 0,
                "requests": 100 * tick,
                "in_flight": 128,
            }
            yield {
                "time": clock + 10 * tick,
                "step": step,
                "done": num_seeds * tick // 40,
                "total": num_seeds,
                "unit": "records",
                "seconds": 10.0 * tick,
                **facts,
            }
        clock += 500.0
