"""The cost of each step from seeds to blend at several sizes, and which cost grows faster than the data.

    python scripts/bench/scale.py [--quick | --full] [--samples N ...] [--short] [--folder DIR] [--beside CHECKOUT]

A size is a number of questions: a quarter of them are seeds of eight tasks (five kinds of answer, seven families, three
languages), three are written for each seed, and each gets up to four votes of 150 words of context and 300 of
reasoning. Replies are made in process (scale_texts.py) and go through the real scheduler and journal. The cost of a
model is not included: stages with an embedder are off, and the report lets no model read texts. The steps run like one
command, with run.workers=2: each takes as many processes as the run would start. Report, check, trace, status and a run
that finds everything done are separate commands, measured with their start.

--quick runs 2,000, the default 10,000 and 100,000, --full also 1,000,000, which takes 40 GB of disk. --short asks for
three votes of 35 and 60 words: a fifth of the bytes and less than half of the time, for what depends on the number of
records alone. --beside runs the package of another checkout at the same sizes, and prints its CPU seconds divided by
ours.

Prints one JSON object per line; the run's own progress goes to standard error. Memory is the largest sum over all
processes, with shared pages counted once; <step>_growth_exponent is log(CPU seconds) / log(records) between the two
largest sizes. Runs are made in DIR (runs/scale) and stay there, each with the costs of its finished steps: the same
command goes on where it was stopped, the step that was stopped from its beginning. A change of the code starts afresh.
"""

import argparse
import functools
import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import yaml
from scale_costs import Memory, adopt_orphans, environment, reap, run_command

ROOT = Path(__file__).resolve().parents[2]
QUICK, SIZES, LARGEST = [2_000], [10_000, 100_000], 1_000_000
SIMILAR, VOTES, VOTES_SHORT = 3, 4, 3
STEPS = ["catalog", "seeds", "questions", "answers", "verified", "curated", "packed", "blend"]
SHARDS, LARGEST_SHARD = 8, 2000
"""shards of a small size, so that two processes share them, and seeds in a shard of a large one: the default"""
Row = dict[str, Any]
Tell = Callable[[str, Row], None]


def show(name: str, value: float | None, unit: str, **more: Any) -> None:
    print(json.dumps({"name": name, "value": value, "unit": unit, **more}), flush=True)


def write_config(folder: Path, num: int, *, votes: int = VOTES, **run: Any) -> Path:
    from scale_texts import write_tasks

    tasks = write_tasks(folder / "tasks", num // (SIMILAR + 1))
    settings = {
        "run": {"dir": str(folder / "run"), "measure": False, **run},
        "seeds": {"hub": False, "include_path": [str(folder / "tasks")], "tasks": tasks},
        "guard": {"cache": str(folder / "evaluation")},
        "engine": {
            "kind": "openai", "model": "dealt", "model_license": "Apache-2.0", "base_urls": ["http://dealt.invalid/v1"],
            "max_in_flight": 512,
        },
        "generate": {"origins": {"similar": SIMILAR, "seed": 1.0}, "votes": votes},
        "curate": {"paraphrase": False, "filters": {"context_off_topic": False}},
    }  # fmt: skip
    path = folder / "scale.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def run_steps(config: Path, code: Path, tell: Tell) -> None:
    """Runs the steps, and gives each one's `seconds`, `cpu`, `rss`, `records` and `bytes` to `tell` when it is done.
    Raises CalledProcessError if the run fails.
    """
    adopt_orphans()
    command = [sys.executable, str(Path(__file__).with_name("scale_child.py")), str(config)]
    process = subprocess.Popen(command, cwd=code, env=environment(code), stdout=subprocess.PIPE)
    memory = Memory(process.pid)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(b'{"step"'):
            told = json.loads(line)
            step, folder = told["step"], config.with_name("run") / told["step"]
            row = {
                "seconds": told["end"] - told["begin"], "cpu": told["cpu"],
                "rss": memory.peak(told["begin"], told["end"]),
                "records": num_records(folder), "bytes": sizes(folder),
            }  # fmt: skip
            tell(step, row)
    memory.ended.set()
    if process.wait():
        raise subprocess.CalledProcessError(process.returncode, command)
    reap(0)  # worker processes end after the run, and are not the next command's


def measure(folder: Path, num: int, code: Path, tell: Tell, *, votes: int = VOTES) -> dict[str, Row]:
    """The costs of all steps, then of the commands. They are kept in costs.json as they come, and those of an earlier
    call with the same code are given again.
    """
    costs, run_dir, config = folder / "costs.json", folder / "run", folder / "scale.yaml"
    identity, rows = identity_of(code), dict[str, Row]()
    if costs.is_file() and (known := json.loads(costs.read_bytes()))["code"] == identity:
        rows = known["rows"]
        for name, row in rows.items():
            tell(name, row)
    elif folder.exists():
        shutil.rmtree(folder)

    def keep(name: str, row: Row) -> None:
        if name not in rows:
            rows[name] = row
            costs.write_text(json.dumps({"code": identity, "rows": rows}))
            tell(name, row)

    if "whole" not in rows:
        if not config.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(folder / "tasks", ignore_errors=True)
            write_config(
                folder, num, votes=votes, shard_size=max(1, min(LARGEST_SHARD, num // (SIMILAR + 1) // SHARDS))
            )
        for step in STEPS:
            if step not in rows:  # it was stopped: all of it is measured
                shutil.rmtree(run_dir / step, ignore_errors=True)
        run_steps(config, code, lambda name, row: keep(name, row) if name != "whole" else None)
        steps = [rows[name] for name in (*STEPS, "finish")]
        total = {name: sum(row[name] for row in steps) for name in ("seconds", "cpu")}
        keep("whole", {**total, "rss": max(row["rss"] for row in steps)})
    prefix = sorted((run_dir / "packed").rglob("*.docs.parquet"))[0].relative_to(run_dir)
    for name, arguments in {
        "resumed": ["run", str(config)],
        "check": ["check", str(run_dir)],
        "status": ["launch", "--status", str(run_dir)],
        "trace": ["trace", str(run_dir), str(prefix), "0"],
        "report": ["report", str(run_dir), "--no-measure"],
    }.items():
        if name not in rows:
            keep(name, run_command(arguments, code))
    return rows


def identity_of(code: Path) -> str:
    """Identity of the code that is measured, and of this bench."""
    digest = hashlib.sha256()
    files = [
        *(code / "nemo_sdg").rglob("*.py"),
        *(code / "nemo_sdg").rglob("*.yaml"),
        *Path(__file__).parent.glob("scale*"),
    ]
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def num_records(folder: Path) -> int:
    """Number of input records of a step, from its receipts."""
    total = 0
    for path in (folder / "receipts").glob("*.json"):
        total += sum(row["in"] for row in orjson.loads(path.read_bytes())["counts"].values())
    return total


def sizes(folder: Path) -> dict[str, int]:
    """Bytes in a step's folder: of its files, and of each folder in it."""
    found: dict[str, int] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            parts = path.relative_to(folder).parts
            part = parts[0] if len(parts) > 1 else "records"
            found[part] = found.get(part, 0) + path.stat().st_size
    return found


def tell_step(num: int, step: str, row: Row) -> None:
    """Prints the cost of a step or command at a size. Without records, the cost is divided by the size."""
    records = row.get("records") or num
    if row.get("records"):
        facts = {"records": records, "seconds": round(row["seconds"], 2)}
        show(f"{step}_records_per_s_{num}", round(records / row["seconds"], 1), "records/s", **facts)
    else:
        show(f"{step}_seconds_{num}", round(row["seconds"], 2), "s")
    show(f"{step}_cpu_s_per_record_{num}", float(f"{row['cpu'] / records:.3g}"), "s", cpu_seconds=round(row["cpu"], 2))
    show(f"{step}_max_rss_bytes_{num}", row["rss"], "bytes")
    if row.get("bytes"):
        show(f"{step}_bytes_{num}", sum(row["bytes"].values()), "bytes", **row["bytes"])


def tell_whole(num: int, rows: dict[str, Row], beside: dict[str, Row]) -> None:
    samples = rows["answers"]["records"]
    parts = {f"{step}_{part}": size for step in rows for part, size in rows[step].get("bytes", {}).items()}
    total = sum(parts.values())
    large = {name: round(size / samples) for name, size in parts.items() if size > total / 100}
    show(f"bytes_per_sample_{num}", round(total / samples), "bytes", samples=samples, **large)
    seconds = rows["whole"]["seconds"] + sum(rows[name]["seconds"] for name in ("resumed", "check", "status", "trace"))
    show(f"all_minutes_{num}", round((seconds + rows["report"]["seconds"]) / 60, 1), "min")
    for step, other in beside.items():
        mine = rows[step]["cpu"]
        facts = {"cpu_seconds": round(mine, 2), "beside_cpu_seconds": round(other["cpu"], 2)}
        show(f"{step}_ratio_{num}", round(other["cpu"] / max(mine, 0.01), 2), "x", **facts)


def exponent(small: Row, large: Row, nums: tuple[int, int]) -> float:
    return math.log(max(large["cpu"], 0.01) / max(small["cpu"], 0.01)) / math.log(nums[1] / nums[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="2,000 questions")
    parser.add_argument("--full", action="store_true", help="1,000,000 too")
    parser.add_argument("--samples", type=int, nargs="+", help="these sizes instead")
    parser.add_argument("--short", action="store_true", help="texts of a fifth of the length, three votes")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "scale", help="where the runs are made and stay")
    parser.add_argument("--beside", type=Path, help="another checkout, run at the same sizes")
    options = parser.parse_args()
    wanted = options.samples or (QUICK if options.quick else [*SIZES, *([LARGEST] if options.full else [])])
    name, votes = ("short", VOTES_SHORT) if options.short else ("scale", VOTES)
    if options.short:
        os.environ["SCALE_SHORT"] = "1"
    done: dict[int, dict[str, Row]] = {}
    folder: Path = options.folder.resolve()
    for num in wanted:
        other = {}
        if options.beside is not None:
            place, code = folder / f"{name}-{num}-beside", options.beside.resolve()
            other = measure(place, num, code, lambda step, row: None, votes=votes)
        done[num] = measure(folder / f"{name}-{num}", num, ROOT, functools.partial(tell_step, num), votes=votes)
        tell_whole(num, done[num], other)
    if len(wanted) > 1:
        small, large = sorted(wanted)[-2:]
        growth = {step: exponent(done[small][step], done[large][step], (small, large)) for step in done[large]}
        for step, value in growth.items():
            show(f"{step}_growth_exponent", round(value, 3), "", sizes=[small, large])
        steepest = max(growth, key=lambda step: growth[step])
        show("largest_growth_exponent", round(growth[steepest], 3), "", step=steepest)
        show("largest_max_rss_bytes", max(row["rss"] for row in done[large].values()), "bytes", questions=large)
    print(f"the runs stay in {folder}", file=sys.stderr)


if __name__ == "__main__":
    main()
