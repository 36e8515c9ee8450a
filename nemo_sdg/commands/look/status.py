"""`nemo-sdg launch --status RUN`: shards done, yield, rate and ETA of each step, from the receipts on disk, and what
Slurm says of the jobs.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nemo_sdg.errors import DataError, SdgError
from nemo_sdg.execution.progress import COLUMNS, WRITES_FILES, describe_engine, format_seconds, last_rows
from nemo_sdg.pipeline.order import BY_SHARD, STEPS
from nemo_sdg.records import visible
from nemo_sdg.records.lines import Counted
from nemo_sdg.storage import (
    different_versions,
    finished_shards,
    merge_counts,
    ranked,
    read_ledger,
    read_shaped,
    total_dropped,
    total_kept,
)

MAX_FAILED = 3
"""failed tasks of a job that are shown; the others are counted"""


def step_status(run_dir: Path, step: str) -> dict[str, Any]:
    """Shards done and expected, records kept and dropped, shards per hour since the step's first receipt, seconds
    left.
    """
    paths = sorted((run_dir / step / "receipts").glob("*.json"))
    before = expected_shards(run_dir, step)
    counts = merge_counts(read_shaped(path, Counted)["counts"] for path in paths)
    dropped = total_dropped(counts)
    times = sorted(path.stat().st_mtime for path in paths)
    seconds = times[-1] - times[0] if len(times) > 1 else 0.0
    per_hour = 3600 * (len(times) - 1) / seconds if seconds else None
    left = None if before is None else before - len(paths)
    return {
        "step": step,
        "shards": len(paths),
        "expected": before,
        "kept": total_kept(counts),
        "dropped": dict(ranked(dropped)),
        "shards_per_hour": None if per_hour is None else round(per_hour, 1),
        "eta_s": None if not left or per_hour is None else round(3600 * left / per_hour),
    }


def expected_shards(run_dir: Path, step: str) -> int | None:
    """Shards of the step before, which the ledger of a finished one names; None for steps that cut their own."""
    if step not in BY_SHARD:
        return None
    steps = STEPS[: STEPS.index(step)]
    previous = next(name for name in reversed(steps) if (run_dir / name).is_dir() or name == "seeds")
    ledger = read_ledger(run_dir, previous)
    return len(finished_shards(run_dir, previous) if ledger is None else ledger.shards)


def print_status(run_dir: Path, steps: list[str]) -> None:
    """Prints a table with a row for each step, and under Slurm the state of each job. Raises DataError if `run_dir` is
    not a run.
    """
    from rich.console import Console
    from rich.table import Table

    if not (run_dir / "config.yaml").is_file() and not (run_dir / "slurm").is_dir():
        raise DataError(f"{run_dir} is not a run directory: it has neither config.yaml nor slurm/")
    console = Console(soft_wrap=True, markup=False, width=None if sys.stdout.isatty() else COLUMNS)
    table = Table(
        title=f"{run_dir} ({'finished' if (run_dir / 'manifest.json').is_file() else 'not finished'})",
        title_justify="left",
    )
    for name in ("step", "shards", "kept", "dropped", "yield", "shards/h", "ETA", "most dropped for"):
        table.add_column(name, justify="left" if name in ("step", "most dropped for") else "right")
    for step in steps:
        row = step_status(run_dir, step)
        num_dropped = sum(row["dropped"].values())
        table.add_row(
            step,
            f"{row['shards']}/{row['expected']}" if row["expected"] is not None else str(row["shards"]),
            f"{row['kept']:,}",
            f"{num_dropped:,}",
            f"{row['kept'] / (row['kept'] + num_dropped):.0%}" if row["kept"] + num_dropped else "",
            "" if row["shards_per_hour"] is None else f"{row['shards_per_hour']:,}",
            "" if row["eta_s"] is None else format_seconds(row["eta_s"]),
            visible(", ".join(f"{reason} {num:,}" for reason, num in list(row["dropped"].items())[:3])),
        )
    console.print(table)
    if versions := different_versions(run_dir, steps):
        console.print(visible(versions), highlight=False)
    for step in steps:
        for row in last_rows(run_dir / "progress.jsonl", step):
            if row.get("phase") == WRITES_FILES:
                if row["done"] < (row["total"] or 0):
                    console.print(f"{step}: waits for files of replies in {run_dir / step / 'batch'}", highlight=False)
                continue
            if engine := describe_engine(row):
                worker = f" worker {row['worker']}" if "worker" in row else ""
                place = f"at {row['done']:,}/{row['total'] or 0:,} {row['unit']}"
                if row.get("ended"):
                    state = "ended" if row["done"] >= (row["total"] or 0) else f"ended {place}"
                else:
                    state = f"{place}, {row['per_s']:.1f}/s"
                console.print(visible(f"{step}{worker}: {state}, {', '.join(engine)}"), highlight=False)
    from nemo_sdg.cluster.jobs import FOLDER
    from nemo_sdg.cluster.queue import JOBS

    for folder in (run_dir / FOLDER, run_dir / "ablation" / FOLDER):
        if (folder / JOBS).is_file():
            for line in job_lines(folder):
                console.print(line, highlight=False)


def job_lines(folder: Path) -> Iterator[str]:
    """A line for each job of a launch, and below it how its tasks failed: the last line of their logs."""
    from nemo_sdg.cluster.logs import failed_tasks
    from nemo_sdg.cluster.queue import UNKNOWN, Queued, job_states, slurm_jobs

    jobs, problem = slurm_jobs(folder), UNKNOWN
    states: dict[str, Queued] | None = None
    try:
        states = job_states(jobs)
    except SdgError as exc:
        problem = f"unknown: {exc}"
    blamed = ""
    for name, job_id in jobs.items():
        state = states[name] if states is not None else None
        yield f"{name:<10} job {job_id}: {problem if state is None else state}"
        if state is not None and state.is_held:
            yield f"           held: `scontrol release {job_id}` lets it go on"
        failed = [end for end in failed_tasks(folder, name, job_id) if not (state and state.is_open and end.is_routine)]
        for end in failed[:MAX_FAILED]:
            yield f"           {end}"
        if len(failed) > MAX_FAILED:
            yield f"           and {len(failed) - MAX_FAILED} more tasks"
        if state is not None and not state.is_open and (failed or state.has_failed):
            blamed = blamed or name
    if blamed:
        yield (
            f"{blamed} did not succeed, and the jobs after it left the queue: correct the cause, then submit the same "
            "command again; finished shards stay"
        )
