"""Runs steps of a configuration with the engine of scale_texts.py and prints one JSON line per step. scale.py and
many_workers.py start it. CPU seconds are those of this process and its child processes.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import psutil
import scale_texts


def cpu_seconds() -> float:
    total = 0.0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        try:
            used = process.cpu_times()
        except psutil.Error:
            continue
        total += used.user + used.system + used.children_user + used.children_system
    return total


def measured(name: str, function: Any, *arguments: Any, **more: Any) -> Any:
    begin, cpu = time.monotonic(), cpu_seconds()
    try:
        return function(*arguments, **more)
    finally:
        row = {"step": name, "begin": begin, "end": time.monotonic(), "cpu": cpu_seconds() - cpu}
        print(json.dumps(row), flush=True)


def main() -> None:
    import nemo_sdg.execution.stages  # noqa: F401  imports do not count for a step
    import nemo_sdg.generate.roles as roles
    from nemo_sdg.config import load_config
    from nemo_sdg.pipeline import finish, run

    roles.open_engine = scale_texts.DealtEngine
    run_step, finish_run = run.run_step, finish.finish
    run.run_step = lambda context, name, *rest: measured(name, run_step, context, name, *rest)
    finish.finish = lambda context: measured("finish", finish_run, context)
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("--until")
    parser.add_argument("--only")
    parser.add_argument("--worker", default="0/1", help="INDEX/NUMBER")
    options = parser.parse_args()
    index, num = map(int, options.worker.split("/"))
    config = load_config(options.config)
    measured("whole", run.run, config, until=options.until, only=options.only, worker=(index, num))


if __name__ == "__main__":
    main()
