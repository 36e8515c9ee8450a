"""`nemo-sdg diff A B`: two runs side by side on the terminal: settings, yields per step and task, lengths.

generate.votes                4 -> 8
curated                     812 ->     934   +15.0%
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nemo_sdg.config import recorded_settings
from nemo_sdg.export.report.against import names_of
from nemo_sdg.records.lines import Counted
from nemo_sdg.storage import changed_fields, finished_shards, merge_counts, read_jsonl, read_shaped, require_run

STEPS = ("seeds", "questions", "screened", "answers", "graded", "verified", "curated")


def diff(one: Path, other: Path) -> Iterator[str]:
    """The lines that the command prints. Raises DataError where a folder is not a run directory."""
    for run in (one, other):
        require_run(run)
    yield from heading(*names_of(one, other))
    configs = [recorded_settings(run) for run in (one, other)]
    changed = changed_fields(configs[0], configs[1])
    yield "settings: " + ("the same" if not changed else "")
    yield from (f"  {line}" for line in changed)
    yield "records kept"
    counts = [{step: kept(run, step) for step in STEPS} for run in (one, other)]
    for step in STEPS:
        yield from compared(step, *(sum(part[step].values()) for part in counts))
    yield "curated, by task"
    for task in sorted(counts[0]["curated"].keys() | counts[1]["curated"].keys()):
        yield from compared(task, *(part["curated"].get(task, 0) for part in counts))
    yield "words of a curated sample, mean"
    lengths = [mean_words(run) for run in (one, other)]
    for name in ("question", "context", "reasoning"):
        yield from compared(name, *(part.get(name, 0.0) for part in lengths))


def heading(one: str, other: str) -> list[str]:
    """The names of the two over their columns, or, where they are too long for that, in a line each."""
    if max(len(one), len(other)) <= 24:
        return [f"{'':<26}{one:>12} -> {other}"]
    return [f"before: {one}", f"after:  {other}"]


def compared(name: str, before: float, after: float) -> Iterator[str]:
    """One line, or none where both are 0."""
    if before or after:
        change = f"{100 * (after - before) / before:+.1f}%" if before else "new"
        texts = [f"{value:,.1f}" if isinstance(value, float) else f"{value:,}" for value in (before, after)]
        yield f"  {name[:30]:<24}{texts[0]:>12} -> {texts[1]:>10}   {change}"


def kept(run: Path, step: str) -> dict[str, int]:
    """Records that a step kept, per task, by its receipts."""
    receipts = [read_shaped(run / step / "receipts" / f"{shard}.json", Counted) for shard in finished_shards(run, step)]
    return {task: row["kept"] for task, row in merge_counts(receipt["counts"] for receipt in receipts).items()}


def mean_words(run: Path) -> dict[str, float]:
    """Mean number of words of each text of the curated samples."""
    sums: dict[str, int] = {}
    num = 0
    for shard in finished_shards(run, "curated"):
        for record in read_jsonl(run / "curated" / f"{shard}.jsonl"):
            num += 1
            for name in ("question", "context", "reasoning"):
                sums[name] = sums.get(name, 0) + len(_text(record, name).split())
    return {name: total / num for name, total in sums.items()} if num else {}


def _text(record: dict[str, Any], name: str) -> str:
    return str(record.get(name) or "")
