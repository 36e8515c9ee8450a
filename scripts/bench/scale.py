"""The cost of each step from seeds to blend at several sizes, and which cost grows faster than the data.

    python scripts/bench/scale.py [--quick | --full] [--samples N ...] [--folder DIR] [--beside CHECKOUT]

A size is a number of questions: a quarter of them are seeds of eight tasks (five kinds of answer, seven families, three
languages), three are written for each seed, and each gets up to four votes of 150 words of context and 300 of
reasoning. Replies are made in process (scale_texts.py) and go through the real scheduler and journal. The cost of a
model is not included, and stages with an embedder are off. The steps run in one process with the workers that they
start, like one command; report, check, trace, status and a run that finds everything done are separate commands,
measured with their start.

--quick runs 2,000, the default 10,000 and 100,000, --full also 1,000,000. --beside runs the package of another checkout
at the same sizes, and prints its CPU seconds divided by ours. Prints one JSON object per line. Memory is the largest
sum over all processes, with shared pages counted once; <step>_growth_exponent is log(CPU seconds) / log(records)
between the two largest sizes.
"""

import argparse
import functools
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import psutil
import yaml

ROOT = Path(__file__).resolve().parents[2]
QUICK, SIZES, LARGEST = [2_000], [10_000, 100_000], 1_000_000
SIMILAR, VOTES = 3, 4
EVERY = 0.2
"""seconds between two measurements of the memory"""
Row = dict[str, Any]
Tell = Callable[[str, Row], None]


def show(name: str, value: float | None, unit: str, **more: Any) -> None:
    print(json.dumps({"name": name, "value": value, "unit": unit, **more}), flush=True)


class Memory(threading.Thread):
    """The proportional set size of a process and its child processes over time."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.process, self.seen, self.ended = psutil.Process(pid), list[tuple[float, int]](), threading.Event()
        self.start()

    def run(self) -> None:
        while not self.ended.wait(EVERY):
            total = 0
            try:
                for process in [self.process, *self.process.children(recursive=True)]:
                    total += pss(process.pid)
            except psutil.Error:
                return
            self.seen.append((time.monotonic(), total))

    def peak(self, begin: float, end: float) -> int:
        return max((size for when, size in self.seen if begin <= when <= end + EVERY), default=0)


def pss(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def environment(code: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(code), "HF_HUB_OFFLINE": "1"}


def write_config(folder: Path, num: int, **run: Any) -> Path:
    from scale_texts import write_tasks

    tasks = write_tasks(folder / "tasks", num // (SIMILAR + 1))
    settings = {
        "run": {"dir": str(folder / "run"), **run},
        "seeds": {"hub": False, "include_path": [str(folder / "tasks")], "tasks": tasks},
        "guard": {"cache": str(folder / "evaluation")},
        "engine": {
            "kind": "openai", "model": "dealt", "model_license": "Apache-2.0", "base_urls": ["http://dealt.invalid/v1"],
            "max_in_flight": 512,
        },
        "generate": {"origins": {"similar": SIMILAR, "seed": 1.0}, "votes": VOTES},
        "curate": {"paraphrase": False, "filters": {"context_off_topic": False}},
    }  # fmt: skip
    path = folder / "scale.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def run_steps(config: Path, code: Path, tell: Tell) -> dict[str, Row]:
    """Each step's `seconds`, `cpu`, `rss`, `records` and `bytes`, given to `tell` when the step is done. Raises
    CalledProcessError if the run fails.
    """
    command = [sys.executable, str(Path(__file__).with_name("scale_child.py")), str(config)]
    with open(config.with_name("run.log"), "wb") as log:
        process = subprocess.Popen(command, cwd=code, env=environment(code), stdout=subprocess.PIPE, stderr=log)
        memory, rows = Memory(process.pid), dict[str, Row]()
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(b'{"step"'):
                told = json.loads(line)
                step, folder = told["step"], config.with_name("run") / told["step"]
                rows[step] = {
                    "seconds": told["end"] - told["begin"], "cpu": told["cpu"],
                    "rss": memory.peak(told["begin"], told["end"]),
                    "records": num_records(folder), "bytes": sizes(folder),
                }  # fmt: skip
                tell(step, rows[step])
        memory.ended.set()
        if process.wait():
            sys.stderr.write(config.with_name("run.log").read_text()[-3000:])
            raise subprocess.CalledProcessError(process.returncode, command)
    return rows


def run_command(arguments: list[str], code: Path) -> Row:
    """Seconds, CPU seconds and memory of a command, from its start to its end."""
    begin, before = time.monotonic(), os.times()
    process = subprocess.Popen(
        [sys.executable, "-m", "nemo_sdg", *arguments], cwd=code, env=environment(code),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    memory = Memory(process.pid)
    output, _ = process.communicate()
    end, after = time.monotonic(), os.times()
    memory.ended.set()
    if process.returncode:
        sys.stderr.write(output.decode()[-3000:])
        raise subprocess.CalledProcessError(process.returncode, arguments)
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"seconds": end - begin, "cpu": cpu, "rss": memory.peak(begin, end)}


def measure(folder: Path, num: int, code: Path, tell: Tell) -> dict[str, Row]:
    """All steps, then the commands."""
    folder.mkdir(parents=True)
    config = write_config(folder, num)
    rows, run_dir = run_steps(config, code, tell), folder / "run"
    prefix = sorted((run_dir / "packed").rglob("*.docs.parquet"))[0].relative_to(run_dir)
    for name, arguments in {
        "resumed": ["run", str(config)],
        "check": ["check", str(run_dir)],
        "status": ["launch", "--status", str(run_dir)],
        "trace": ["trace", str(run_dir), str(prefix), "0"],
        "report": ["report", str(run_dir)],
    }.items():
        rows[name] = run_command(arguments, code)
        tell(name, rows[name])
    return rows


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
    total = sum(sum(row["bytes"].values()) for row in rows.values() if "bytes" in row)
    show(f"bytes_per_sample_{num}", round(total / samples), "bytes", samples=samples)
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
    parser.add_argument("--folder", type=Path, help="where the runs are made and stay")
    parser.add_argument("--beside", type=Path, help="another checkout, run at the same sizes")
    options = parser.parse_args()
    wanted = options.samples or (QUICK if options.quick else [*SIZES, *([LARGEST] if options.full else [])])
    done: dict[int, dict[str, Row]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder: Path = (options.folder or Path(scratch)).resolve()
        for num in wanted:
            other = {}
            if options.beside is not None:
                other = measure(folder / f"beside-{num}", num, options.beside.resolve(), lambda step, row: None)
            done[num] = measure(folder / f"scale-{num}", num, ROOT, functools.partial(tell_step, num))
            tell_whole(num, done[num], other)
    if len(wanted) > 1:
        small, large = sorted(wanted)[-2:]
        for step in done[large]:
            value = exponent(done[small][step], done[large][step], (small, large))
            show(f"{step}_growth_exponent", round(value, 3), "", sizes=[small, large])


if __name__ == "__main__":
    main()
