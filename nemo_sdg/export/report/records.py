"""The records that the report shows one by one: kept samples, and examples of drops for every reason."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from nemo_sdg.export.documents import render_texts
from nemo_sdg.export.report.counts import Run, is_contamination, refusal, shards
from nemo_sdg.export.report.rows import Line, Place, Unreadable, fetch, find_by_id, read_records
from nemo_sdg.export.report.shown import MAX_ITEMS, Call, Content, Shown, content_of, cut

ASKING = {"questions", "answers", "verified", "curated", "packed"}
"""steps whose records need an engine"""
EVALUATION_ROW = [
    re.compile(r"^(?P<task>\S+) (?P<split>\S+) row (?P<row>\d+) \("),
    re.compile(r"of (?P<task>\S+) \(.*, (?P<split>[^,]+), row (?P<row>\d+)\)$"),
]
"""forms in which `curated` and `seeds` name the row that a record repeats: `gsm8k test row 0 (openai/gsm8k main)`,
`question of sciq (allenai/sciq, default, test, row 3)`
"""
RowKey = tuple[str, str, int]
"""task, split and number of an evaluation row"""
Calls = dict[str, list[Call]]
"""record id -> its requests"""
FindCalls = Callable[[list[tuple[str, Line]], dict[str, Line]], Calls]
"""returns prompts and raw outputs of (shard, sample before verification, or dropped attempt), given the seeds by id
"""
SHOWN_VARIANTS = ("context", "no_context")


def collect_records(run_dir: Path, run: Run, find_calls: FindCalls | None) -> list[Shown]:
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


def body(record: Line) -> Line:
    """The sample or seed of a drop, or the sample itself."""
    inner = record.get("record") if "reason" in record else record
    return inner if isinstance(inner, dict) else {}


def sample_id(record: Line) -> str:
    return str(body(record).get("sample_id") or "")


def seed_ids(record: Line) -> list[str]:
    inner = body(record)
    found = inner.get("seed_ids") or [inner.get("seed_id")]
    return [str(seed_id) for seed_id in found if seed_id][:3]


def _solved(run_dir: Path, raw: list[tuple[str, str, Line]], unreadable: Unreadable) -> dict[str, Line]:
    """The samples with all their solutions, since later steps keep only the chosen one."""
    wanted = {sample_id(record) for _, _, record in raw if sample_id(record) and not body(record).get("solutions")}
    found = find_by_id(shards(run_dir, "answers"), "sample_id", wanted, unreadable) if wanted else {}
    return found | {sample_id(record): body(record) for _, _, record in raw if body(record).get("solutions")}


def evaluation_key(detail: Any) -> RowKey | None:
    """The evaluation row that a drop names."""
    for pattern in EVALUATION_ROW:
        found = pattern.search(str(detail or ""))
        if found:
            return found["task"], found["split"], int(found["row"])
    return None


def _evaluation_rows(run_dir: Path, drops: Iterable[Line], unreadable: Unreadable) -> dict[RowKey, Line]:
    wanted = {key for drop in drops if (key := evaluation_key(drop.get("detail")))}
    found: dict[RowKey, Line] = {}
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
    record: Line,
    seeds: dict[str, Line],
    solved: dict[str, Line],
    calls: Calls,
    evaluation: dict[RowKey, Line],
) -> Shown:
    inner = body(record)
    own_seeds = [seeds[seed_id] for seed_id in seed_ids(record) if seed_id in seeds]
    first = inner if inner.get("kind") else own_seeds[0] if own_seeds else inner
    is_task = step == "catalog"
    shown = Shown(
        id=cut(record.get("id") or inner.get("sample_id") or record.get("task"), 64),
        step=step,
        reason=refusal(record) if is_task and reason else reason,
        detail=cut("; ".join(map(str, record.get("reasons") or [])) if is_task else record.get("detail"), 1000),
        task=cut(record.get("task") or inner.get("task"), 200),
        origin=cut(inner.get("origin"), 100),
        seeds=[_seed(seed) for seed in own_seeds],
    )
    for name in ("family", "kind", "frame", "language"):
        setattr(shown, name, cut(first.get(name) or record.get(name), 100))
    if inner.get("sample_id"):
        _add_sample(shown, inner, solved.get(sample_id(record), inner))
        shown.calls = calls.get(sample_id(record), [])
    elif "text" in inner:  # an attempt that never became a sample
        name, output = f"attempt {inner.get('attempt')}", cut(inner.get("text"))
        alone = Call(name=name, output=output, finish=cut(inner.get("finish_reason"), 20))
        shown.calls = calls.get(str(record.get("id")), []) or [alone]
    elif inner.get("question"):  # a seed row
        shown.seeds = [_seed(inner)]
    elif inner:
        shown.raw = cut(inner)
    key = evaluation_key(record.get("detail")) if is_contamination(reason) else None
    if key in evaluation:
        shown.evaluation = content_of(evaluation[key])
        shown.evaluation.row = f"{key[0]}, split {key[1]}, row {key[2]}"
    return shown


def _seed(seed: Line) -> Content:
    dataset = seed.get("dataset") or {}
    place = " ".join(str(dataset[name]) for name in ("path", "name", "split") if dataset.get(name))
    content = content_of(seed, reasoning="reference_reasoning")
    content.id = cut(seed.get("seed_id"), 64)
    content.row = cut(f"{place}, row {dataset.get('row')}, revision {dataset.get('revision')}", 300)
    content.license = cut(seed.get("license"), 100)
    return content


def _add_sample(shown: Shown, sample: Line, solved: Line) -> None:
    votes, verification = sample.get("votes") or {}, sample.get("verification") or {}
    tally: Line = votes["tally"] if isinstance(votes.get("tally"), dict) else {}
    shown.sample = content_of(sample)
    shown.license = cut((sample.get("license") or {}).get("effective"), 100)
    shown.model = cut((sample.get("generator") or {}).get("model"), 200)
    shown.guidance = cut(sample.get("guidance"), 20)
    shown.difficulty = sample.get("difficulty")
    shown.agree = [votes.get("agree"), votes.get("n"), votes.get("planned")]
    shown.tally = [(cut(answer, 200), num) for answer, num in list(tally.items())[:MAX_ITEMS]]
    shown.verdict = [cut(verification.get(name), 300) for name in ("verdict", "method", "detail")]
    shown.votes = [
        {
            name: cut(solution.get(name), 1500)
            for name in ("index", "guidance", "answer", "label", "error", "detail", "context", "reasoning")
        }
        for solution in (solved.get("solutions") or [])[:MAX_ITEMS]
    ]
    if sample.get("answer"):
        shown.texts = _texts(sample)


def _texts(sample: Line) -> dict[str, list[str]]:
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
