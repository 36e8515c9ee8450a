"""Sixteen workers on one run directory with a file system that is as slow as a network file system: the cost of each
file call, and whether a shard is lost.

    python scripts/bench/many_workers.py [--workers 16] [--shards 64] [--delay-ms 2] [--quick]

slow_files.c (built with cc, loaded with LD_PRELOAD) delays each call that NFS would send to its server: open, close,
stat, rename, unlink, mkdir, listing, lock, fsync. The questions are made first. Then all workers start at once on the
step `answers`, with the engine of scale.py, and then one more worker finds all shards done. The same is repeated
without delay. The shards of both must have the same bytes.

    {"name": "file_calls_per_shard", "value": 61.2, "unit": "calls", "idle_run": 12.0, ...}
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scale import SIMILAR, show, write_config
from scale_costs import environment

from nemo_sdg.storage import sha256_file, stored_files

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
STEP = "answers"


def build(folder: Path) -> Path:
    library = folder / "slow_files.so"
    command = ["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(HERE / "slow_files.c"), "-ldl"]
    subprocess.run(command, check=True)
    return library


def child(config: Path, *arguments: str, extra: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(HERE / "scale_child.py"), str(config), *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env={**environment(ROOT), **(extra or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    _, said = process.communicate()
    if process.returncode:
        raise SystemExit(said.decode()[-2000:])


def measure(folder: Path, workers: int, shards: int, size: int, extra: dict[str, str]) -> dict[str, float | str]:
    """Seconds until the last worker ends, file calls of all workers, file calls of a worker that finds all shards done,
    and a hash of all shards.
    """
    folder.mkdir()
    config = write_config(folder, shards * size * (SIMILAR + 1), shard_size=size)
    finish(child(config, "--until", "questions"))
    # calls are also counted without a delay
    extra = {**extra, "SLOW_FILES_PREFIX": str(folder / "run"), "SLOW_FILES_LOG": str(folder / "calls")}
    begin = time.monotonic()
    running = [child(config, "--only", STEP, "--worker", f"{i}/{workers}", extra=extra) for i in range(workers)]
    for process in running:
        finish(process)
    seconds = time.monotonic() - begin
    calls = read_calls(folder / "calls")
    finish(child(config, "--only", STEP, "--worker", f"0/{workers}", extra=extra))
    idle = read_calls(folder / "calls") - calls
    found = stored_files(folder / "run" / STEP, "shard-*.jsonl")
    receipts = list((folder / "run" / STEP / "receipts").glob("shard-*.json"))
    if len(receipts) != len(found):
        raise SystemExit(f"{len(found)} shards, {len(receipts)} receipts")
    digest = hashlib.sha256("".join(map(sha256_file, found)).encode()).hexdigest()
    return {"seconds": seconds, "calls": calls, "idle": idle, "shards": len(found), "bytes": digest}


def read_calls(path: Path) -> int:
    return sum(map(int, path.read_text().split()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--shards", type=int, default=64)
    parser.add_argument("--size", type=int, default=25, help="seeds a shard")
    parser.add_argument("--delay-ms", type=float, default=2.0)
    parser.add_argument("--quick", action="store_true", help="4 workers, 8 shards")
    options = parser.parse_args()
    workers, shards = (4, 8) if options.quick else (options.workers, options.shards)
    with tempfile.TemporaryDirectory(prefix="bench-workers-", dir=os.environ.get("TMPDIR")) as scratch:
        folder = Path(scratch)
        library = build(folder)
        rows = {}
        for name, wait in {"fast": 0.0, "slow": options.delay_ms}.items():
            extra = {"LD_PRELOAD": str(library), "SLOW_FILES_US": str(round(1000 * wait))}
            rows[name] = measure(folder / "run", workers, shards, options.size, extra)
            shutil.rmtree(folder / "run")  # the second run has the same paths, which seeds name
    fast, slow = rows["fast"], rows["slow"]
    done = int(slow["shards"])
    facts = {"workers": workers, "shards": done, "delay_ms": options.delay_ms}
    show("file_calls_per_shard", round(float(slow["calls"]) / done, 1), "calls", **facts)
    show("file_calls_of_a_worker_that_finds_all_done", float(slow["idle"]), "calls", **facts)
    show(
        "seconds_per_shard", round(float(slow["seconds"]) * workers / done, 3), "s",
        without_delay=round(float(fast["seconds"]) * workers / done, 3), **facts,
    )  # fmt: skip
    same = fast["bytes"] == slow["bytes"] and fast["shards"] == done
    show("lost_or_changed_shards", 0 if same else None, "shards", **facts)
    if not same:
        raise SystemExit(json.dumps({"fast": fast, "slow": slow}))


if __name__ == "__main__":
    main()
