"""`nemo-sdg forecast CONFIG`: requests, tokens, GPU-hours and accepted tokens, before a launch.

What is counted: rows, from the data itself, after limits. What is measured: the share of them that become seeds,
yields, votes cast and tokens a request, from a pilot run (`--pilot RUN`). Without a pilot they are assumed, and every
line says so.
"""

import asyncio
import functools
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nemo_sdg.config import Role, RunConfig
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.execution.progress import COLUMNS
from nemo_sdg.generate.requests import Ask, Request
from nemo_sdg.pipeline.forecast import count_seeds, make_forecast
from nemo_sdg.pipeline.rates import Rates, assumed, measured

if TYPE_CHECKING:
    from rich.table import Table

PUBLISHED_TOKENS_PER_S = {
    "Llama-3.1-8B": {"H100": 15220, "H200": 17744},
    "Llama-3.3-70B": {"H100": 2209, "H200": 2587},
    "gpt-oss-20b": {"H100": 11557, "H200": 13858},
    "gpt-oss-120b": {"H100": 4685, "H200": 6868},
    "Qwen3-235B-A22B": {"H100": 1932, "H200": 3288},
}
"""Output tokens/s per GPU, FP8, 1000 in / 1000 out, as NVIDIA publishes for TensorRT-LLM 1.2."""
STAND_IN = "Qwen3-235B-A22B"
"""model whose throughput is used when none is published for the configured model"""
PROBE_SECONDS = 20.0
PROBE_SEEDS = 16
__all__ = ["Rates", "assumed", "count_seeds", "forecast", "make_forecast", "measured", "probe", "throughput"]


@dataclass(kw_only=True, frozen=True)
class Throughput:
    """Output tokens/s of one GPU, and where the figure is from."""

    tokens_per_s: float
    source: str


def throughput(config: RunConfig, *, model: str | None, gpu: str, tokens_per_s: float | None) -> Throughput:
    """As given, or as published for `model` or for the configured one. Raises ConfigError where there is no figure."""
    if tokens_per_s is not None:
        if tokens_per_s <= 0:
            raise ConfigError(f"--tokens-per-s must be > 0, got {tokens_per_s}")
        return Throughput(tokens_per_s=tokens_per_s, source="given")
    configured = config.engine.model or "the embedded model"
    # Names carry the maker and a date: Qwen/Qwen3-235B-A22B-Instruct-2507.
    names = (
        [name for name in PUBLISHED_TOKENS_PER_S if name.lower() in configured.lower()] if model is None else [model]
    )
    wanted = names[0] if names else STAND_IN
    try:
        figure = float(PUBLISHED_TOKENS_PER_S[wanted][gpu])
    except KeyError as exc:
        known = ", ".join(f"{name} on {'|'.join(gpus)}" for name, gpus in PUBLISHED_TOKENS_PER_S.items())
        raise ConfigError(
            f"no published throughput for {wanted} on {gpu} (known: {known}); give --tokens-per-s, or "
            "--probe to measure it"
        ) from exc
    not_this = (
        ""
        if names
        else f", since none is published for {configured}: give --model, --tokens-per-s, or --probe to measure it"
    )
    return Throughput(tokens_per_s=figure, source=f"published for {wanted} on {gpu}{not_this}")


def num_gpus(config: RunConfig) -> int:
    """GPUs of one engine; a server's are not known and count as one."""
    from nemo_sdg.steps.generation import num_gpus as held

    return held([config.engine]) or 1


async def count_tokens(ask: Ask, requests: Iterator[Request], width: int, seconds: float) -> tuple[int, float]:
    """Output tokens of the requests that `width` at a time ask within some seconds, and the seconds it took."""
    tokens, begin = 0, time.monotonic()

    async def work() -> None:
        nonlocal tokens
        while time.monotonic() - begin < seconds:
            completion = await ask(next(requests))
            tokens += completion.completion_tokens  # not in one line: others add to it while this one waits

    await asyncio.gather(*(work() for _ in range(width)))
    return tokens, time.monotonic() - begin


def probe(config: RunConfig) -> Throughput:
    """Votes on the questions of a few seeds, `engine.max_in_flight` of them under way for some seconds, on the
    configured engine.
    """
    import itertools

    from nemo_sdg.commands.ahead.preview import first_seeds
    from nemo_sdg.generate.answers import Answers
    from nemo_sdg.generate.questions import own_question
    from nemo_sdg.generate.roles import open_roles
    from nemo_sdg.records import seed_from_dict
    from nemo_sdg.verify.votes import decided

    seeds, _ = first_seeds(config, None, PROBE_SEEDS)
    engines = open_roles(config, Role.solver)
    answers = Answers(config, engines, functools.partial(decided, config=config.verify))
    samples = [own_question(seed_from_dict(seed)) for seed in seeds]
    requests = (answers.request(sample, "solve", index)[0] for index in itertools.count() for sample in samples)

    async def work() -> tuple[int, float]:
        await engines.start()
        try:
            return await count_tokens(
                engines.ask, requests, config.engines(Role.solver)[0].max_in_flight, PROBE_SECONDS
            )
        finally:
            await engines.close()

    tokens, took = asyncio.run(work())
    model = engines.engines[0].model
    if not tokens:
        raise DataError(f"--probe: {model} wrote nothing in {took:.0f} seconds; look at it with `nemo-sdg preview`")
    per_gpu = tokens / took / num_gpus(config)
    return Throughput(
        tokens_per_s=round(per_gpu, 1),
        source=f"measured: {model} wrote {tokens:,} tokens in {took:.0f} s on {num_gpus(config)} GPU(s)",
    )


def forecast(
    config: RunConfig,
    *,
    pilot: Path | None,
    model: str | None,
    gpu: str,
    tokens_per_s: float | None,
    price: float | None,
    measure: bool = False,
) -> dict[str, Any]:
    """Counts the seeds, prints the forecast and returns it. `measure` runs a short probe on the configured engine."""
    from rich.console import Console
    from rich.table import Table

    rates = measured(pilot, config) if pilot else assumed(config)
    speed = probe(config) if measure else throughput(config, model=model, gpu=gpu, tokens_per_s=tokens_per_s)
    seeds, unknown, in_sentences = count_seeds(config)
    result = {
        **make_forecast(config, rates, seeds, in_sentences, tokens_per_s=speed.tokens_per_s, price=price),
        "tokens_per_s_source": speed.source,
        "seeds_by_family": {family: sum(tasks.values()) for family, tasks in rates.seeds.kept(seeds).items()},
        "tasks_not_counted": unknown,
    }
    console = Console(width=None if sys.stdout.isatty() else COLUMNS)
    known = f"measured in {rates.source}" if pilot else "assumed: run a pilot and give it with --pilot"
    console.print(f"forecast, rates {known}", highlight=False)
    console.print(roles_table(result))
    table = Table(show_header=False)
    table.add_column("what")
    table.add_column("how much", justify="right")
    for name in ("seeds", "gpu_hours", "accepted_samples", "accepted_tokens"):
        table.add_row(name.replace("_", " "), f"{result[name]:,}")
    for name in ("cost", "cost_per_million_accepted_tokens"):
        if result[name] is not None:
            table.add_row(name.replace("_", " "), f"{result[name]:,} {result['currency']}")
    console.print(table)
    console.print(f"at {speed.tokens_per_s:,.0f} output tokens/s per GPU ({speed.source})", highlight=False)
    if result["rows_dropped"]:
        rows = f"{result['rows_dropped']:,} rows become no seed, by the shares of each task in the pilot"
        console.print(f"{rows}: they stand in an evaluation split, or no question can be made of them", highlight=False)
    for note in rates.notes:
        console.print(note, highlight=False)
    if unknown:
        console.print(
            (
                "not counted, since their rows are not known without reading them: "
                f"{', '.join(unknown[:8])}{' and more' if len(unknown) > 8 else ''}"
            ),
            highlight=False,
        )
    return result


def roles_table(result: dict[str, Any]) -> "Table":
    """Requests, tokens and cost of each role."""
    from rich.table import Table

    table = Table()
    for name in ("role", "model", "requests", "prompt tokens", "output tokens", f"cost ({result['currency']})"):
        table.add_column(name, justify="left" if name in ("role", "model") else "right")
    for row in result["roles"]:
        cost = "" if row["cost"] is None else f"{row['cost']:,.2f}"
        numbers = (f"{row[name]:,}" for name in ("requests", "prompt_tokens", "completion_tokens"))
        table.add_row(row["role"], row["model"], *numbers, cost)
    return table
