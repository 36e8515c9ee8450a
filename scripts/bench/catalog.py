"""The catalog of all lm-eval tasks compared with lm-eval's index: `python scripts/bench/catalog.py [--quick]`.

`cold` and `cached` are whole processes of `nemo-sdg tasks --json`, with an empty cache folder and then with a full one.
lm-eval's time is `TaskManager()` and then `load_yaml` of every leaf, in a separate process. --quick loads every fourth
leaf and multiplies by four.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LM_EVAL = """
import sys, time
start = time.perf_counter()
from lm_eval.tasks import TaskManager
from lm_eval.tasks._yaml_loader import load_yaml
manager = TaskManager()
indexed = time.perf_counter()
step = int(sys.argv[1])
for name in manager.all_subtasks[::step]:
    load_yaml(manager.task_index[name].yaml_path, resolve_func=False)
print(indexed - start + (time.perf_counter() - indexed) * step)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as cache:
        cold, num = seconds_of_tasks(cache)
        cached = min(seconds_of_tasks(cache)[0] for _ in range(3))
    step = 4 if quick else 1
    lm_eval = float(
        subprocess.run(
            [sys.executable, "-c", LM_EVAL, str(step)], check=True, capture_output=True, text=True
        ).stdout.split()[-1]
    )
    emit("seconds_cold", cold, "s", num_tasks=num)
    emit("seconds_cached", cached, "s", num_tasks=num)
    emit("seconds_lm_eval", lm_eval, "s", loads_every=step)
    emit("ratio_to_lm_eval", cold / lm_eval, "share of lm-eval's time")


def seconds_of_tasks(cache: str) -> tuple[float, int]:
    """Wall time of one `nemo-sdg tasks --json`, and the number of tasks that it printed."""
    command = [str(Path(sys.executable).parent / "nemo-sdg"), "tasks", "--json"]
    start = time.perf_counter()
    output = subprocess.run(
        command, check=True, capture_output=True, env={**os.environ, "XDG_CACHE_HOME": cache}
    ).stdout
    return time.perf_counter() - start, output.count(b"\n")


def emit(name: str, value: float, unit: str, **more: object) -> None:
    print(json.dumps({"name": name, "value": round(value, 4), "unit": unit, **more}), flush=True)


if __name__ == "__main__":
    main()
