"""Counts for the report over a whole run, finished or not, in one pass over each kind of file. Memory grows with the
number of groups, not of records.
"""

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nemo_sdg.errors import DataError
from nemo_sdg.export.report.kept import Kept
from nemo_sdg.export.report.rows import (
    Line,
    Picker,
    Place,
    Unreadable,
    in_turn,
    lines_of,
    read_drops,
    read_records,
    spread,
)
from nemo_sdg.records.lines import Counted, PackedReceipt, StepCounts
from nemo_sdg.storage import merge_counts, read_shaped, require_run, stored_files, total_dropped
from nemo_sdg.text.figures import percentile

STEPS = ["catalog", "seeds", "questions", "screened", "answers", "graded", "verified", "curated", "packed"]
WITH_ROLES = {"screened", "graded"}
"""steps that run only if their roles are configured"""
UNITS = {
    "catalog": "tasks",
    "seeds": "rows",
    "questions": "attempts",
    "screened": "samples",
    "answers": "samples",
    "graded": "samples",
    "verified": "samples",
    "curated": "samples",
    "packed": "samples",
}
NUM_EXAMPLES = 20
"""number of drops that are shown for each step and reason"""
NUM_CONTAMINATED = 100
"""the same for reasons that name an evaluation row"""
NUM_SAMPLES = 400
COMPLETION = re.compile(rb'"finish_reason":"(\w+)","prompt_tokens":(\d+),"completion_tokens":(\d+)')


def read_json_or(path: Path, default: Any, shape: Any = Any) -> Any:
    """The content of a JSON file, or `default` if the run does not have it yet, or something of another shape."""
    try:
        return read_shaped(path, shape)
    except DataError:
        return default


def shards(run_dir: Path, step: str) -> list[Path]:
    return stored_files(run_dir / step, "shard-*.jsonl")


def step_counts(run_dir: Path, step: str) -> StepCounts:
    """The receipts' counts of a step."""
    receipts = (
        read_json_or(path, None, Counted)
        for path in sorted((run_dir / step / "receipts").glob("*.json"))
        if not path.name.startswith(".")
    )
    return merge_counts(receipt["counts"] for receipt in receipts if receipt is not None)


def families_of_tasks(run_dir: Path, unreadable: Unreadable) -> dict[str, str]:
    paths = [run_dir / "catalog" / "tasks.jsonl", run_dir / "catalog" / "refused.jsonl"]
    return {str(row.get("task")): str(row.get("family")) for _, row in read_records(paths, unreadable)}


@dataclass(kw_only=True)
class Run:
    """The data of the figures, and the places of the records on the page."""

    counts: dict[str, StepCounts]
    """step -> task -> counts"""
    families: dict[str, str]
    """task -> family"""
    samples_step: str
    """the last step with samples: curated in a finished run"""
    picked_samples: list[Place] = field(default_factory=list)
    """tasks in turn, so that every start of the list shows all tasks"""
    picked_drops: dict[tuple[str, str], list[Place]] = field(default_factory=dict)
    """(step, reason) -> places"""
    kept: Kept
    sources: Counter[tuple[str, str, str, str, str]] = field(default_factory=Counter)
    """dataset path, name, split, revision, licence -> seeds"""
    requests: dict[str, dict[str, int]] = field(default_factory=dict)
    unreadable: Unreadable


def last_step(run_dir: Path) -> str:
    """The last step with samples: curated in a finished run."""
    steps = ("curated", "verified", "answers", "questions")
    return next((step for step in steps if shards(run_dir, step)), "questions")


def count_run(run_dir: Path) -> Run:
    """Reads the whole run once. Raises DataError when the folder is not a run."""
    require_run(run_dir)
    unreadable = Unreadable()
    counts = {step: step_counts(run_dir, step) for step in STEPS}
    run = Run(
        counts=counts,
        families=families_of_tasks(run_dir, unreadable),
        samples_step=last_step(run_dir),
        kept=Kept(),
        unreadable=unreadable,
    )
    _pick_samples(run_dir, run)
    _pick_drops(run_dir, run)
    for _, seed in read_records(shards(run_dir, "seeds"), unreadable):
        dataset = seed.get("dataset") or {}
        run.sources[
            str(dataset.get("path")),
            str(dataset.get("name") or ""),
            str(dataset.get("split")),
            str(dataset.get("revision")),
            str(seed.get("license")),
        ] += 1
    run.requests = {
        step: count_requests(run_dir / step / "journal") for step in ("questions", "screened", "answers", "graded")
    }
    return run


def _pick_samples(run_dir: Path, run: Run) -> None:
    paths = shards(run_dir, run.samples_step)
    picker = Picker(spread({task: row["kept"] for task, row in run.counts[run.samples_step].items()}, NUM_SAMPLES))
    for place, sample in read_records(paths, run.unreadable):
        run.kept.add(sample)
        picker.offer(str(sample.get("task")), str(sample.get("sample_id")), place)
    run.picked_samples = in_turn(picker.places().values())


def _pick_drops(run_dir: Path, run: Run) -> None:
    """Picks examples of every reason, spread over its tasks."""
    for step in STEPS:
        per_reason: dict[str, dict[str, int]] = {}
        for task, row in run.counts[step].items():
            for reason, num in row["dropped"].items():
                per_reason.setdefault(reason, {})[task] = num
        quotas = {
            (reason, task): num
            for reason, tasks in per_reason.items()
            for task, num in spread(tasks, num_examples(reason)).items()
        }
        picker = Picker(quotas)
        if step == "catalog":
            for place, refused in read_records([run_dir / step / "refused.jsonl"], run.unreadable):
                picker.offer((refusal(refused), str(refused.get("task"))), str(refused.get("task")), place)
        else:
            for place, task, identifier, reason in read_drops(stored_files(run_dir / step / "dropped"), run.unreadable):
                picker.offer((reason, task), identifier, place)
        found: dict[str, list[list[Place]]] = {}
        for (reason, _), places in picker.places().items():
            found.setdefault(reason, []).append(places)
        run.picked_drops |= {(step, reason): in_turn(places) for reason, places in sorted(found.items())}


def num_examples(reason: str) -> int:
    return NUM_CONTAMINATED if is_contamination(reason) else NUM_EXAMPLES


def is_contamination(reason: str) -> bool:
    """Whether a reason (of the steps seeds and curated) names the evaluation row that a record repeats."""
    return reason.startswith("evaluation_") or reason == "in_evaluation_split"


def contaminated(run: Run, step: str) -> Counter[str]:
    """Reason -> drops of a step that repeat an evaluation row."""
    dropped = total_dropped(run.counts[step])
    return Counter({reason: num for reason, num in dropped.items() if is_contamination(reason)})


def refusal(row: Line) -> str:
    """The word by which a refused task is counted: that of its first reason."""
    reasons = row.get("reasons") or ["refused"]
    return str(reasons[0]).split(":")[0].strip()


def count_requests(journal: Path) -> dict[str, int]:
    """Number of completions, their tokens, and how they ended, from the journals of a step. `p95_tokens` is the number
    of output tokens within which 95% of the completions end that were not cut.
    """
    total: Counter[str] = Counter()
    lengths: Counter[int] = Counter()
    for path in stored_files(journal):
        for _, line in lines_of(path):
            found = COMPLETION.search(line)
            if found is not None:
                total["requests"] += 1
                total["prompt_tokens"] += int(found[2])
                total["completion_tokens"] += int(found[3])
                total[found[1].decode()] += 1
                if found[1] == b"stop":
                    lengths[int(found[3])] += 1
    if lengths:
        total["p95_tokens"] = percentile(lengths, 0.95)
    return dict(total)


def funnel_rows(run: Run) -> list[list[Any]]:
    """[family, task or null, step, in, kept, {reason: num}, not sampled]; the tasks of a family that give no seed are
    one row.
    """
    seeded = {task for step in STEPS[1:] for task in run.counts[step]}
    rows: list[list[Any]] = []
    for step in STEPS:
        rest: dict[str, list[StepCounts]] = {}
        for task, row in run.counts[step].items():
            family = run.families.get(task, "unknown")
            if task in seeded:
                rows.append([family, task, step, row["in"], row["kept"], row["dropped"], row["not_sampled"]])
            else:
                rest.setdefault(family, []).append({"": row})
        for family, parts in sorted(rest.items()):
            total = merge_counts(parts)[""]
            rows.append([family, None, step, total["in"], total["kept"], total["dropped"], total["not_sampled"]])
    return rows


def token_histograms(run_dir: Path) -> dict[str, Counter[int]]:
    """variant -> {bin: documents}; bin b holds documents of 2**(b/2) to 2**((b+1)/2) tokens."""
    import pyarrow.parquet as pq

    found: dict[str, Counter[int]] = {}
    for path in sorted((run_dir / "packed").glob("*/*/*/*.docs.parquet")):
        bins = found.setdefault(path.relative_to(run_dir / "packed").parts[0], Counter())
        table = pq.ParquetFile(path).read(columns=["document", "num_tokens"])
        lengths = dict(zip(table["document"].to_pylist(), table["num_tokens"].to_pylist(), strict=True))
        for num_tokens, count in Counter(lengths.values()).items():
            bins[int(2 * math.log2(max(num_tokens, 1)))] += count
    return found


def packed_tokens(run_dir: Path) -> dict[str, dict[str, list[int]]]:
    """variant -> family -> [documents, tokens]"""
    totals: dict[str, dict[str, list[int]]] = {}
    for path in sorted((run_dir / "packed" / "receipts").glob("*.json")):
        receipt = read_json_or(path, {}, PackedReceipt)
        for variant, sizes in receipt.get("variants", {}).items():
            row = totals.setdefault(variant, {}).setdefault(receipt["family"], [0, 0])
            row[0] += sizes["documents"]
            row[1] += sizes["tokens"]
    return totals
