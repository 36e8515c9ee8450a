"""The memory of the step seeds while it drops nearly all of a task's rows, and its time for a few rows of a large task.

    python scripts/bench/dropped_rows.py [--rows N] [--quick]

One task of 1,000,000 rows (--quick: 50,000) is rendered by `nemo-sdg run --until seeds` in a fresh folder. Of 100 rows,
2 make a seed; the others are dropped for seven different reasons, since their gold, an option or the question is
missing, two options are the same, the line is damaged, or other rows give the same question other answers. Memory is
the proportional set size of all processes, sampled five times a second. The second run takes 25 of the same rows.

Prints one JSON object per line: rss_growth_bytes (the peak while the last fifth of the rows was read, less that of the
second fifth; a list of all drops would add hundreds of megabytes), max_rss_bytes_dropped, cpu_seconds_dropped,
dropped_share, num_reasons, cpu_seconds_limit_25, max_rss_bytes_limit_25.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import orjson
import yaml
from scale import ROOT, show
from scale_costs import Memory, environment

ROWS, QUICK_ROWS, LIMIT = 1_000_000, 50_000, 25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS:,} rows")
    arguments = parser.parse_args()
    num = QUICK_ROWS if arguments.quick else arguments.rows
    with tempfile.TemporaryDirectory() as folder:
        write_task(Path(folder) / "tasks", num)
        seconds, memory = run_seeds(Path(folder), "whole", {})
        kept, reasons = counts(Path(folder) / "whole")
        dropped = sum(reasons.values())
        assert kept + dropped == num, f"{kept} kept and {dropped} dropped of {num} rows"
        sizes = [size for _, size in memory.seen]
        show("rss_growth_bytes", max(fifth(sizes, 4)) - max(fifth(sizes, 1)), "bytes", rows=num)
        show("max_rss_bytes_dropped", max(sizes), "bytes", rows=num)
        show("cpu_seconds_dropped", round(seconds, 1), "s", rows=num)
        show("dropped_share", round(dropped / num, 4), "share", rows=num, **dict(sorted(reasons.items())))
        show("num_reasons", len(reasons), "reasons")
        seconds, memory = run_seeds(Path(folder), "limited", {"limit_per_task": LIMIT})
        show("cpu_seconds_limit_25", round(seconds, 1), "s", rows=num)
        show("max_rss_bytes_limit_25", max(size for _, size in memory.seen), "bytes", rows=num)


def fifth(sizes: list[int], number: int) -> list[int]:
    """One of five equal parts of the samples, counted from 0."""
    return sizes[len(sizes) * number // 5 : max(len(sizes) * (number + 1) // 5, len(sizes) * number // 5 + 1)]


def write_task(folder: Path, num: int) -> None:
    folder.mkdir()
    with open(folder / "rows.jsonl", "wb") as out:
        out.writelines(line(number) for number in range(num))
    task = {
        "task": "mostly_dropped",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"train": "rows.jsonl"}},
        "training_split": "train",
        "output_type": "multiple_choice",
        "doc_to_text": "Question: {{question}}\nAnswer:",
        "doc_to_choice": "choices",
        "doc_to_target": "answer",
        "metadata": {"nemo_sdg": {"family": "science", "capability": "knowledge", "language": "en", "license": "MIT"}},
    }
    (folder / "task.yaml").write_text(yaml.safe_dump(task))


def line(number: int) -> bytes:
    row: dict[str, Any] = {
        "question": f"Which of these substances stands at place {number} of the list in the museum of the town?",
        "choices": [f"tin {number}", f"oak {number}", f"silk {number}", f"wax {number}"],
        "answer": number % 4,
    }
    kind = number % 100
    if kind < 2:
        pass
    elif kind < 30:
        row["answer"] = None
    elif kind < 50:
        row["choices"][1] = row["choices"][0]
    elif kind < 65:
        row["choices"][3] = " "
    elif kind < 75:
        row["question"] = ""
    elif kind < 85:
        return b'{"question": "Which", "choices": ["tin", "oak"\n'
    elif kind < 93:
        row["choices"] = [row["choices"][0]]
    else:
        row["question"] = f"Which of these substances is kept in room {number // 100 % 997} of the museum?"
        row["choices"], row["answer"] = ["tin", "oak", "silk", "wax"], kind % 4
    return orjson.dumps(row) + b"\n"


def run_seeds(folder: Path, name: str, seeds: dict[str, Any]) -> tuple[float, Memory]:
    """CPU seconds of a run until the step seeds, and its memory. Exits if the run fails."""
    config = folder / f"{name}.yaml"
    whole = {
        "run": {"dir": str(folder / name), "workers": 1},
        "seeds": {"hub": False, "include_path": [str(folder / "tasks")], "tasks": ["mostly_dropped"], **seeds},
        "guard": {"cache": str(folder / "evaluation")},
        "engine": {"kind": "llama", "model_license": "Apache-2.0"},
    }
    config.write_text(yaml.safe_dump(whole))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "nemo_sdg", "run", str(config), "--until", "seeds"]
    with open(folder / f"{name}.log", "wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment(ROOT), stdout=log, stderr=log)
        memory = Memory(process.pid)
        code = process.wait()
    memory.ended.set()
    if code:
        sys.exit(f"the run ended with {code}: {(folder / f'{name}.log').read_text()[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, memory


def counts(run: Path) -> tuple[int, dict[str, int]]:
    """Seeds, and drops by reason, as the lines of the run's files."""
    kept = sum(1 for file in sorted((run / "seeds").glob("shard-*.jsonl")) for _ in file.open("rb"))
    reasons: dict[str, int] = {}
    for file in sorted((run / "seeds" / "dropped").glob("*.jsonl")):
        with open(file, "rb") as lines:
            for drop in map(orjson.loads, lines):
                reasons[drop["reason"]] = reasons.get(drop["reason"], 0) + 1
    return kept, reasons


if __name__ == "__main__":
    main()
