"""Completions per second of one process with a fake server: 200 ms latency, 500 requests in flight, journal with fsync.

Ours is the whole step `answers`: prompts are rendered, requests scheduled, completions synced to the journal, parsed
and counted. The `openai` package gets the same rendered requests in a simple loop and parses nothing: by default
(httpx), and with aiohttp. `limiter_used` is the share of a limiter's rate that we use when it refuses what is over it
(a bucket of one second's requests); with faults, a tenth of the requests first gets a 429, 500 or 503.

    {"name": "completions_with_traces_per_s", "value": 700.2, "unit": "1/s", "trace_tokens": 4000, "max_rss_bytes": …}
    {"name": "completions_per_s", "value": 1900.3, "unit": "1/s", "cpu_ms": 0.41, ...}
    {"name": "limiter_used", "value": 0.99, "unit": "ratio", "limit_per_s": 100, "sent_per_accepted": 1.08, ...}
    {"name": "seconds_with_faults", "value": 6.2, "unit": "s", "records": 2000, "sent_per_accepted": 1.09, ...}
    {"name": "ratio_to_async_openai", "value": 44.1, "unit": "x", ...}
    {"name": "ratio_to_async_openai_aiohttp", "value": 4.0, "unit": "x", ...}
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nemo_sdg.config import EngineKind, EngineSection, GenerateSection, Role, RunConfig, SamplingSection, Style
from nemo_sdg.generate.requests import Completion, Request
from nemo_sdg.generate.roles import open_roles
from nemo_sdg.generate.scheduling.journal import Journal
from nemo_sdg.generate.scheduling.scheduler import run_flows
from nemo_sdg.generate.scheduling.work import FlowProgress, ShardWork
from nemo_sdg.records import Sample, to_dict
from nemo_sdg.steps.answers import make_flow
from nemo_sdg.steps.traces import write_traces

ROOT = Path(__file__).resolve().parent.parent.parent
VOTES = 3
THINKING = 4_000
"""tokens per trace"""
SHARD = 500


FAULTS = ("--faults", "429_plain,500,503", "--share", "0.1")


@contextlib.contextmanager
def fake_server(latency: float, *options: str, thinking: int = 0) -> Iterator[str]:
    """A server in a separate process."""
    script = ROOT / "tests" / "fakes" / "openai_server.py"
    process = subprocess.Popen(
        [
            sys.executable,
            str(script),
            "--latency",
            str(latency),
            "--thinking",
            str(thinking),
            "--dialect",
            "vllm",
            *options,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait()


def records() -> Iterator[dict[str, Any]]:
    """An endless series of multiple-choice questions."""
    things = ["a lamp", "an oven", "a refrigerator", "a kettle", "a window", "a blanket", "a ladder", "a bucket"]
    for number in itertools.count():
        choices = [things[(number + 3 * step) % len(things)] for step in range(4)]
        sample = Sample(
            sample_id=f"{number:032x}",
            origin="similar",
            seed_ids=[f"{number:032x}"],
            task="bench",
            family="commonsense",
            capability="knowledge",
            kind="multiple_choice",
            frame="selection",
            language="en",
            question=(
                f"In house number {number} the milk is to stay cold for {number % 9 + 2} days. What do people "
                "put it into?"
            ),
            choices=choices,
        )
        yield to_dict(sample)


def settings(url: str, in_flight: int, *, thinking: int = 0, votes: int = VOTES) -> RunConfig:
    engine = EngineSection(
        kind=EngineKind.openai,
        model="fake",
        base_urls=[url],
        max_in_flight=in_flight,
        sampling=SamplingSection(max_tokens=256 + thinking),
    )
    return RunConfig(engine=engine, generate=GenerateSection(votes=votes, max_tokens_answer=256, style=Style.compact))


def measure_ours(
    url: str, in_flight: int, num_records: int, *, thinking: int = 0, votes: int = VOTES
) -> dict[str, Any]:
    config = settings(url, in_flight, thinking=thinking, votes=votes)
    engines = open_roles(config, Role.solver)
    flow = make_flow(config, engines)
    source = records()
    shards = [
        ShardWork(shard=f"shard-{s:05d}", records=itertools.islice(source, SHARD)) for s in range(num_records // SHARD)
    ]
    progress = FlowProgress()
    kept = 0

    def take(shard: str, outcomes: list[Any]) -> None:
        nonlocal kept
        kept += sum(len(outcome.kept) for outcome in outcomes)

    with tempfile.TemporaryDirectory(prefix="bench-client-") as folder:
        start, cpu = time.perf_counter(), time.process_time()
        run_flows(
            shards,
            flow,
            engines,
            Journal(Path(folder) / "journal"),
            take,
            progress,
            on_traces=lambda shard, traces: write_traces(Path(folder) / f"{shard}.jsonl", traces) and None,
        )
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    assert progress.records_done == len(shards) * SHARD, "every record is done"
    done = progress.requests_done
    return {
        "rate": done / seconds,
        "cpu_ms": 1e3 * cpu / done,
        "completions": done,
        "seconds": seconds,
        "samples": kept,
        "saturation": progress.saturation,
    }


def stats(url: str) -> dict[str, Any]:
    """What the server counted."""
    with urllib.request.urlopen(url.removesuffix("/v1") + "/stats") as reply:
        found: dict[str, Any] = json.load(reply)
    return found


def measure_refusals(latency: float, in_flight: int, limit: int) -> None:
    """Shows what we do with a limiter, and with faults at random."""
    with fake_server(latency, "--limit", str(limit)) as url:
        measure_ours(url, in_flight, 500)
        seen = stats(url)
    used = (seen["completions"] - limit) / (limit * seen["seconds"])
    sent = seen["requests"] / seen["completions"]
    show("limiter_used", used, "ratio", limit_per_s=limit, sent_per_accepted=sent, completions=seen["completions"])
    with fake_server(latency, *FAULTS) as url:
        measure_ours(url, in_flight, 2_000, votes=1)
        seen = stats(url)
    sent = seen["requests"] / seen["completions"]
    show("seconds_with_faults", seen["seconds"], "s", records=seen["completions"], sent_per_accepted=sent)


def rendered(url: str, in_flight: int, num: int) -> list[Request]:
    """The requests that our flow makes, caught before they are sent."""
    config = settings(url, in_flight)
    engines = open_roles(config, Role.solver)
    flow = make_flow(config, engines)
    caught: list[Request] = []

    async def catch(request: Request) -> Completion:
        caught.append(engines.prepare(request))
        return Completion(text="", finish_reason="stop")

    async def collect() -> None:
        source = records()
        while len(caught) < num:
            await flow(next(source), catch)

    asyncio.run(collect())
    return caught


async def measure_openai(
    url: str, in_flight: int, requests: list[Request], seconds: float, http_client: Any
) -> dict[str, Any]:
    """AsyncOpenAI with always `in_flight` requests, for some seconds; completions within these seconds count."""
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=url, api_key="none", max_retries=0, http_client=http_client)
    source = itertools.cycle(requests)
    done = 0

    async def worker() -> None:
        nonlocal done
        while True:
            request = next(source)
            await client.chat.completions.create(
                model="fake",
                messages=request.messages,  # type: ignore[arg-type]
                temperature=request.temperature,
                top_p=request.top_p,
                max_tokens=request.max_tokens,
                seed=request.seed,
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": "output", "schema": request.schema, "strict": True},
                },  # type: ignore[typeddict-item]
            )
            done += 1

    start, cpu = time.perf_counter(), time.process_time()
    workers = [asyncio.create_task(worker()) for _ in range(in_flight)]
    while time.perf_counter() - start < seconds or not done:
        finished, _ = await asyncio.wait(workers, timeout=1.0, return_when=asyncio.FIRST_EXCEPTION)
        for task in finished:
            task.result()
    elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
    for task in workers:
        task.cancel()
    await asyncio.wait(workers, timeout=10)  # a pool of many cancelled requests may never end
    await asyncio.wait([asyncio.create_task(client.close())], timeout=10)
    return {"rate": done / elapsed, "cpu_ms": 1e3 * cpu / max(done, 1), "completions": done, "seconds": elapsed}


def peer(url: str, in_flight: int, requests: list[Request], seconds: float, *, on_aiohttp: bool) -> dict[str, Any]:
    import httpx

    async def work() -> dict[str, Any]:
        limits = httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
        if on_aiohttp:
            from openai import DefaultAioHttpClient

            return await measure_openai(
                url, in_flight, requests, seconds, DefaultAioHttpClient(limits=limits, timeout=600)
            )
        return await measure_openai(url, in_flight, requests, seconds, httpx.AsyncClient(limits=limits, timeout=600))

    return asyncio.run(work())


def show(name: str, value: float | None, unit: str, **facts: Any) -> None:
    rounded = {key: round(fact, 4) if isinstance(fact, float) else fact for key, fact in facts.items()}
    row = {"name": name, "value": None if value is None else round(value, 3), "unit": unit, **rounded}
    print(json.dumps(row), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under 50 seconds")
    parser.add_argument("--in-flight", type=int, default=500)
    parser.add_argument("--latency", type=float, default=0.2, help="seconds")
    options = parser.parse_args()
    num_records, seconds = (5_000, 8.0) if options.quick else (20_000, 25.0)
    with fake_server(options.latency, thinking=THINKING) as url:
        # first, so that the peak of memory is its own
        thought = measure_ours(url, options.in_flight, num_records // 4, thinking=THINKING)
        show(
            "completions_with_traces_per_s",
            thought["rate"],
            "1/s",
            **{key: fact for key, fact in thought.items() if key != "rate"},
            trace_tokens=THINKING,
            max_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        )
    with fake_server(options.latency) as url:
        ours = measure_ours(url, options.in_flight, num_records)
        facts = {key: fact for key, fact in ours.items() if key != "rate"}
        show("completions_per_s", ours["rate"], "1/s", **facts, in_flight=options.in_flight, latency_s=options.latency)
        measure_refusals(options.latency, options.in_flight, limit=100)
        requests = rendered(url, options.in_flight, 2_000)
        plain = peer(url, options.in_flight, requests, seconds, on_aiohttp=False)
        facts = {"peer_per_s": plain["rate"], "peer_cpu_ms": plain["cpu_ms"]}
        show("ratio_to_async_openai", ours["rate"] / plain["rate"], "x", **facts)
        try:
            aio = peer(url, options.in_flight, requests, seconds, on_aiohttp=True)
        except RuntimeError as exc:
            show("ratio_to_async_openai_aiohttp", None, "x", absent=f"{exc} (pip install httpx-aiohttp)")
        else:
            facts = {"peer_per_s": aio["rate"], "peer_cpu_ms": aio["cpu_ms"]}
            show("ratio_to_async_openai_aiohttp", ours["rate"] / aio["rate"], "x", **facts)


if __name__ == "__main__":
    main()
