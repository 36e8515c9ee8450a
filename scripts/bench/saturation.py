"""How busy the run keeps the embedded engine: tokens/s of `nemo-sdg run --only answers`, over the same requests sent
straight at it.

The straight loop is the smallest that can: one call after another into llama.cpp, in as many threads as it has slots,
nothing kept. Both load the model in their time, and both write the same number of tokens: the requests are caught from
the flow, replayed from the run's journal.

With --busy the same requests are sent straight once more while another process keeps one core busy: how many times as
long they take.

`learned_limits_gain` is for servers: the time of 10,000 replies in full over that with engine.output_limit=learned, on
a simulated server that reserves memory for max_tokens (tests/fakes/reserving_server.py: five tasks whose median replies
have 200 to 3,200 tokens, one reply in a hundred without an end, max_tokens 24,576), and on one that reserves nothing.

    {"name": "learned_limits_gain", "value": 1.7, "unit": "x", "hours_in_full": 3.4, "hours": 2.0, ...}
    {"name": "learned_limits_gain_unreserved", "value": 0.9, "unit": "x", ...}
    {"name": "saturation", "value": 0.98, "unit": "ratio", "run_tokens_per_s": 79.1, "straight_tokens_per_s": 80.7, ...}
    {"name": "slowdown_with_a_busy_core", "value": 1.9, "unit": "x", ...}
"""

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from nemo_sdg.config import Role, RunConfig, load_config
from nemo_sdg.config.engine import OutputLimit
from nemo_sdg.generate.engines.llama import LlamaEngine, compact_json_grammar
from nemo_sdg.generate.requests import Completion, Outcome, Request
from nemo_sdg.generate.roles import open_roles
from nemo_sdg.generate.scheduling.journal import Journal
from nemo_sdg.generate.scheduling.scheduler import run_flows
from nemo_sdg.generate.scheduling.work import FlowProgress, ShardWork
from nemo_sdg.steps.answers import make_flow
from nemo_sdg.storage import read_jsonl, stored_files

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "fakes")]
CONFIG = ROOT / "configs" / "quickstart.yaml"


def overrides(run_dir: Path, *, quick: bool) -> list[str]:
    """A run whose questions are the seeds' own, so that only the answers need the engine."""
    return [
        f"run.dir={run_dir}",
        f"seeds.limit_per_task={13 if quick else 52}",
        "generate.origins.similar=0",
        "generate.origins.seed=1.0",
        "generate.guided=false",
        "generate.votes=1",
        f"generate.max_tokens_answer={64 if quick else 160}",
    ]


def nemo_sdg(*arguments: str) -> float:
    """Runs the command; returns the CPU seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run(
        [str(Path(sys.executable).parent / "nemo-sdg"), "run", str(CONFIG), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise SystemExit(result.stderr.strip().splitlines()[-1])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def step_seconds(run_dir: Path, step: str) -> float:
    """What the run says that a step took, model load included."""
    rows = [row for row in read_jsonl(run_dir / "progress.jsonl") if row["step"] == step and row.get("ended")]
    return float(rows[-1]["seconds"])


def caught_requests(config: RunConfig, run_dir: Path) -> tuple[list[Request], int]:
    """The requests of a finished step, in the order of its records, and the tokens that they gave; the journal answers
    every one.
    """
    engines = open_roles(config, Role.solver)
    flow = make_flow(config, engines)
    caught: list[Request] = []
    tokens = 0

    async def catching(record: dict[str, Any], ask: Any) -> Outcome:
        async def catch(request: Request) -> Completion:
            nonlocal tokens
            completion: Completion = await ask(request)
            caught.append(engines.prepare(request))
            tokens += completion.completion_tokens
            return completion

        return await flow(record, catch)

    shards = stored_files(run_dir / "questions", "shard-*.jsonl")
    progress = FlowProgress()
    work = (ShardWork(shard=path.stem, records=read_jsonl(path)) for path in shards)
    run_flows(work, catching, engines, Journal(run_dir / "answers" / "journal"), lambda shard, outcomes: None, progress)
    assert progress.requests_done == 0, "the run's journal holds every completion"
    return caught, tokens


def send_straight(config: RunConfig, requests: list[Request]) -> tuple[float, float, int]:
    """Seconds, CPU seconds and tokens of the smallest loop."""
    start, cpu = time.perf_counter(), time.process_time()
    engine = LlamaEngine(config.engine)
    server = engine._load()

    def send(request: Request) -> int:
        body = {
            "messages": request.messages,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "max_tokens": request.max_tokens,
            "seed": request.seed,
            "stop": request.stop,
            "grammar": compact_json_grammar(request.schema or {}),
        }
        return int(server.handle_chat_completions(body)["usage"]["completion_tokens"])

    with ThreadPoolExecutor(engine.num_slots) as threads:
        tokens = sum(threads.map(send, requests))
    return time.perf_counter() - start, time.process_time() - cpu, tokens


def show_learned_limits() -> None:
    from reserving_server import simulate

    for suffix, memory, most in (("", 400_000, 2048), ("_unreserved", float("inf"), 256)):
        full, learned = (
            simulate(limit, memory=memory, most=most, num=10_000, max_in_flight=512)
            for limit in (OutputLimit.full, OutputLimit.learned)
        )
        facts = {
            "hours_in_full": full.seconds / 3600,
            "hours": learned.seconds / 3600,
            "mean_limit": learned.counts.learned_tokens / learned.counts.limited,
            "sent_again": learned.counts.sent_again / learned.counts.limited,
            "tokens_made": learned.tokens / full.tokens,
        }
        show(f"learned_limits_gain{suffix}", full.seconds / learned.seconds, "x", facts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under 50 seconds")
    parser.add_argument("--busy", action="store_true", help="once more beside a process that keeps one core busy")
    options = parser.parse_args()
    show_learned_limits()
    with tempfile.TemporaryDirectory(prefix="bench-saturation-") as folder:
        run_dir = Path(folder) / "run"
        arguments = overrides(run_dir, quick=options.quick)
        config = load_config(CONFIG, arguments)
        nemo_sdg(*arguments, "--until", "questions")
        run_cpu = nemo_sdg(*arguments, "--only", "answers")
        run_seconds = step_seconds(run_dir, "answers")
        requests, run_tokens = caught_requests(config, run_dir)
        straight_seconds, straight_cpu, straight_tokens = send_straight(config, requests)
        if options.busy:
            with busy_core():
                busy_seconds, _, busy_tokens = send_straight(config, requests)
            slowdown = busy_seconds / busy_tokens * straight_tokens / straight_seconds
            facts = {"quiet_tokens_per_s": straight_tokens / straight_seconds, "cores": os.cpu_count() or 1}
            show("slowdown_with_a_busy_core", slowdown, "x", facts)
    run_rate, straight_rate = run_tokens / run_seconds, straight_tokens / straight_seconds
    facts = {
        "run_tokens_per_s": run_rate,
        "straight_tokens_per_s": straight_rate,
        "requests": len(requests),
        "run_tokens": run_tokens,
        "straight_tokens": straight_tokens,
        "run_cpu_s": run_cpu,
        "straight_cpu_s": straight_cpu,
    }
    show("saturation", run_rate / straight_rate, "ratio", facts)


def show(name: str, value: float, unit: str, facts: dict[str, float]) -> None:
    rounded = {key: round(fact, 3) for key, fact in facts.items()}
    print(json.dumps({"name": name, "value": round(value, 3), "unit": unit, **rounded}), flush=True)


@contextlib.contextmanager
def busy_core() -> Iterator[None]:
    """A process that never sleeps."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
