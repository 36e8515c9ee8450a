"""The records that the report shows one by one: kept samples, and examples of drops for every reason.

Each is a plain dict of short keys and strings. Texts over MAX_TEXT characters are cut and end with a remark. Their
content is untrusted: the page puts it into text nodes only.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from nemo_sdg.export.documents import render_texts
from nemo_sdg.export.report.counts import Run, is_contamination, refusal, shards
from nemo_sdg.export.report.rows import Place, Unreadable, fetch, find_by_id, read_records

MAX_TEXT = 4000
MAX_ITEM = 500
MAX_ITEMS = 16
"""maximum number of votes, options or tests of one record"""
ASKING = {"questions", "answers", "verified", "curated", "packed"}
"""steps whose records need an engine"""
EVALUATION_ROW = [
    re.compile(r"^(?P<task>\S+) (?P<split>\S+) row (?P<row>\d+) \("),
    re.compile(r"of (?P<task>\S+) \(.*, (?P<split>[^,]+), row (?P<row>\d+)\)$"),
]
"""forms in which `curated` and `seeds` name the row that a record repeats: `gsm8k test row 0 (openai/gsm8k main)`,
`question of sciq (allenai/sciq, default, test, row 3)`
"""

Calls = dict[str, list[dict[str, Any]]]
"""record id -> its requests: {name, prompt [[role, text], …], output, finish, tokens}"""
FindCalls = Callable[[list[tuple[str, dict[str, Any]]], dict[str, dict[str, Any]]], Calls]
"""returns prompts and raw outputs of (shard, sample before verification, or dropped attempt), given the seeds by id
"""
SHOWN_VARIANTS = ("context", "no_context")


def cut(value: Any, limit: int = MAX_TEXT) -> str:
    """The value as text of at most `limit` characters and a remark; '' for None."""
    text = "" if value is None else str(value)
    return text if len(text) <= limit else f"{text[:limit]} … [{len(text) - limit:,} more characters]"


def cut_all(values: Any) -> list[str]:
    if not isinstance(values, list):
        return []
    return [cut(value, MAX_ITEM) for value in values[:MAX_ITEMS]] + (
        [f"… [{len(values) - MAX_ITEMS} more]"] if len(values) > MAX_ITEMS else []
    )


def collect_records(run_dir: Path, run: Run, find_calls: FindCalls | None) -> list[dict[str, Any]]:
    """The picked samples and drops as the page shows them, samples first."""
    unreadable = run.unreadable
    places: list[tuple[Place, str, str]] = [(place, run.samples_step, "") for place in run.picked_samples]
    for (step, reason), found in run.picked_drops.items():
        places += [(place, step, reason) for place in found]
    by_place = dict(fetch([place for place, _, _ in places], unreadable))
    raw = [(step, reason, by_place[place]) for place, step, reason in places if place in by_place]
    names = [place[0].stem for place, _, _ in places if place in by_place]
    seeds = find_by_id(
        shards(run_dir, "seeds"), "seed_id", {seed_id for row in raw for seed_id in seed_ids(row[2])}, unreadable
    )
    solved = _solved(run_dir, raw, unreadable)
    asked = [
        (shard, {"id": row[2].get("id"), **solved.get(sample_id(row[2]), body(row[2]))})
        for shard, row in zip(names, raw, strict=True)
        if row[0] in ASKING
    ]
    calls = find_calls(asked, seeds) if find_calls else {}
    evaluation = _evaluation_rows(run_dir, [row[2] for row in raw if is_contamination(row[1])], unreadable)
    return [_show(step, reason, record, seeds, solved, calls, evaluation) for step, reason, record in raw]


def body(record: dict[str, Any]) -> dict[str, Any]:
    """The sample or seed of a drop, or the sample itself."""
    inner = record.get("record") if "reason" in record else record
    return inner if isinstance(inner, dict) else {}


def sample_id(record: dict[str, Any]) -> str:
    return str(body(record).get("sample_id") or "")


def seed_ids(record: dict[str, Any]) -> list[str]:
    inner = body(record)
    found = inner.get("seed_ids") or [inner.get("seed_id")]
    return [str(seed_id) for seed_id in found if seed_id][:3]


def _solved(
    run_dir: Path, raw: list[tuple[str, str, dict[str, Any]]], unreadable: Unreadable
) -> dict[str, dict[str, Any]]:
    """The samples with all their solutions, since later steps keep only the chosen one."""
    wanted = {sample_id(record) for _, _, record in raw if sample_id(record) and not body(record).get("solutions")}
    found = find_by_id(shards(run_dir, "answers"), "sample_id", wanted, unreadable) if wanted else {}
    return found | {sample_id(record): body(record) for _, _, record in raw if body(record).get("solutions")}


def evaluation_key(detail: Any) -> tuple[str, str, int] | None:
    """(task, split, row) of the evaluation row that a drop names."""
    for pattern in EVALUATION_ROW:
        found = pattern.search(str(detail or ""))
        if found:
            return found["task"], found["split"], int(found["row"])
    return None


def _evaluation_rows(
    run_dir: Path, drops: Iterable[dict[str, Any]], unreadable: Unreadable
) -> dict[tuple[str, str, int], dict[str, Any]]:
    wanted = {key for drop in drops if (key := evaluation_key(drop.get("detail")))}
    found: dict[tuple[str, str, int], dict[str, Any]] = {}
    for path in sorted((run_dir / "seeds" / "evaluation").glob("*.jsonl")) if wanted else []:
        for _, row in read_records([path], unreadable):
            dataset = row.get("dataset") or {}
            key = (str(row.get("task")), str(dataset.get("split")), int(dataset.get("row") or 0))
            if not any(task == key[0] and split == key[1] for task, split, _ in wanted):
                break  # a file holds one split of one dataset
            if key in wanted:
                found[key] = row
    return found


def _show(
    step: str,
    reason: str,
    record: dict[str, Any],
    seeds: dict[str, dict[str, Any]],
    solved: dict[str, dict[str, Any]],
    calls: Calls,
    evaluation: dict[tuple[str, str, int], dict[str, Any]],
) -> dict[str, Any]:
    inner = body(record)
    own_seeds = [seeds[seed_id] for seed_id in seed_ids(record) if seed_id in seeds]
    first: dict[str, Any] = inner if inner.get("kind") else own_seeds[0] if own_seeds else inner
    shown: dict[str, Any] = {
        "id": cut(record.get("id") or inner.get("sample_id") or record.get("task"), 64),
        "step": step,
        "reason": refusal(record) if step == "catalog" and reason else reason,
        "detail": cut(
            "; ".join(map(str, record.get("reasons") or [])) if step == "catalog" else record.get("detail"), 1000
        ),
        "task": cut(record.get("task") or inner.get("task"), 200),
        **{name: cut(first.get(name) or record.get(name), 100) for name in ("family", "kind", "frame", "language")},
        "origin": cut(inner.get("origin"), 100),
        "seeds": [_seed(seed) for seed in own_seeds],
    }
    if inner.get("sample_id"):
        shown |= _sample(inner, solved.get(sample_id(record), inner), calls.get(sample_id(record), []))
    elif "text" in inner:  # an attempt that never became a sample
        shown["calls"] = calls.get(str(record.get("id")), []) or [
            {
                "name": f"attempt {inner.get('attempt')}",
                "prompt": [],
                "output": cut(inner.get("text")),
                "finish": cut(inner.get("finish_reason"), 20),
            }
        ]
    elif inner.get("question"):  # a seed row
        shown["seeds"] = [_seed(inner)]
    elif inner:
        shown["raw"] = cut(inner)
    key = evaluation_key(record.get("detail")) if is_contamination(reason) else None
    if key in evaluation:
        row = evaluation[key]
        shown["evaluation"] = {
            "row": f"{key[0]}, split {key[1]}, row {key[2]}",
            **_content(row),
            "answer": cut(row.get("answer")),
        }
    return shown


def _content(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "question": cut(row.get("question")),
        "passage": cut(row.get("passage")),
        "choices": cut_all(row.get("choices")),
    }


def _answer(row: dict[str, Any]) -> str:
    answer = row.get("answer")
    return cut(answer.get("text") if isinstance(answer, dict) else answer)


def _seed(seed: dict[str, Any]) -> dict[str, Any]:
    dataset = seed.get("dataset") or {}
    place = " ".join(str(dataset[name]) for name in ("path", "name", "split") if dataset.get(name))
    return {
        "id": cut(seed.get("seed_id"), 64),
        "row": cut(f"{place}, row {dataset.get('row')}, revision {dataset.get('revision')}", 300),
        "license": cut(seed.get("license"), 100),
        **_content(seed),
        "answer": _answer(seed),
        "reasoning": cut(seed.get("reference_reasoning")),
        "tests": cut_all(seed.get("tests")),
    }


def _sample(sample: dict[str, Any], solved: dict[str, Any], calls: list[dict[str, Any]]) -> dict[str, Any]:
    votes = sample.get("votes") or {}
    tally: dict[str, Any] = votes["tally"] if isinstance(votes.get("tally"), dict) else {}
    verification = sample.get("verification") or {}
    shown = {
        "sample": {**_content(sample), "answer": _answer(sample), "tests": cut_all(sample.get("tests"))}
        | {name: cut(sample.get(name)) for name in ("context", "reasoning")},
        "license": cut((sample.get("license") or {}).get("effective"), 100),
        "model": cut((sample.get("generator") or {}).get("model"), 200),
        "guidance": cut(sample.get("guidance"), 20),
        "difficulty": sample.get("difficulty"),
        "agree": [votes.get("agree"), votes.get("n"), votes.get("planned")],
        "tally": [[cut(answer, 200), num] for answer, num in list(tally.items())[:MAX_ITEMS]],
        "verdict": [cut(verification.get(name), 300) for name in ("verdict", "method", "detail")],
        "votes": [
            {
                name: cut(solution.get(name), 1500)
                for name in ("index", "guidance", "answer", "label", "error", "detail", "context", "reasoning")
            }
            for solution in (solved.get("solutions") or [])[:MAX_ITEMS]
        ],
        "calls": calls,
    }
    if sample.get("answer"):
        shown["texts"] = _texts(sample)
    return shown


def _texts(sample: dict[str, Any]) -> dict[str, list[str]]:
    """variant -> [text before the context, the context, text after it]; one item if it has no context."""
    short = {
        **sample,
        **{name: cut(sample.get(name)) for name in ("question", "context", "reasoning")},
        "passage": cut(sample.get("passage")) or None,
    }
    answer = sample["answer"] if isinstance(sample["answer"], dict) else {"text": sample["answer"]}
    short["answer"] = {**answer, "text": cut(answer.get("text"))}
    try:
        rendered = dict(zip(SHOWN_VARIANTS, render_texts(short, SHOWN_VARIANTS), strict=True))
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        return {"not rendered": [f"{type(exc).__name__}: {exc}"]}  # a damaged record: the report shows the error
    context = short["context"].strip()
    before, found, after = rendered["context"].partition(context) if context else (rendered["context"], "", "")
    return {"context": [before, found, after], "no_context": [rendered["no_context"]]}
