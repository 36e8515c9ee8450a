"""`nemo-sdg forecast CONFIG`: requests, tokens, GPU-hours and accepted tokens, before a launch.

What is counted: seeds, from the data itself, after limits. What is measured: yields, votes cast and tokens a request,
from a pilot run
(`--pilot RUN`). Without a pilot they are assumed, and every line says so.
"""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nemo_sdg.config import OriginShare, Role, RunConfig
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.records import Verdict
from nemo_sdg.storage import read_json, read_jsonl

PUBLISHED_TOKENS_PER_S = {
    "Llama-3.1-8B": {"H100": 15220, "H200": 17744},
    "Llama-3.3-70B": {"H100": 2209, "H200": 2587},
    "gpt-oss-20b": {"H100": 11557, "H200": 13858},
    "gpt-oss-120b": {"H100": 4685, "H200": 6868},
    "Qwen3-235B-A22B": {"H100": 1932, "H200": 3288},
}
"""Output tokens/s per GPU, FP8, 1000 in / 1000 out, as NVIDIA publishes for TensorRT-LLM 1.2."""
STAND_IN = "Qwen3-235B-A22B"
"""the model that prices a run whose own has no published figure"""
PROBE_SECONDS = 20.0
PROBE_SEEDS = 16


@dataclass(kw_only=True)
class Rates:
    """What a request costs and how often it is worth it."""

    source: str
    """assumed | the pilot run's folder"""
    question_prompt: float = 450.0
    question_completion: float = 110.0
    """tokens of one question request"""
    vote_prompt: float = 350.0
    vote_completion: float = 450.0
    """tokens of one vote"""
    votes: dict[str, float]
    """votes cast per sample, by origin"""
    question_yield: float = 0.9
    """attempts of origin similar that give a question"""
    accepted: dict[str, float]
    """questions that come out curated, by origin"""
    tokens_per_sample: float = 350.0
    """packed tokens of the first variant"""


def assumed(config: RunConfig) -> Rates:
    """Without a pilot: votes stop early for two thirds of the questions; half the new questions and most gold ones
    survive; outputs fill
    at most half of what they may."""
    least = max(1.0, round(config.generate.votes * config.verify.min_agreement))
    votes = (2 * least + config.generate.votes) / 3
    rates = Rates(source="assumed", votes={"similar": votes, "seed": votes}, accepted={"similar": 0.5, "seed": 0.8})
    rates.question_completion = min(rates.question_completion, config.generate.max_tokens_question / 2)
    rates.vote_completion = min(rates.vote_completion, config.generate.max_tokens_answer / 2)
    return rates


def measured(pilot: Path, variant: str) -> Rates:
    """Rates of a finished run. Raises DataError when it is not one."""
    if not (pilot / "manifest.json").is_file():
        raise DataError(f"--pilot {pilot} is no finished run: it has no manifest.json")
    asked: dict[str, list[float]] = {"similar": [], "seed": []}
    totals = {"question_prompt": 0.0, "question_completion": 0.0, "vote_prompt": 0.0, "vote_completion": 0.0}
    num_attempts = num_questions = num_votes = 0
    question_usage: dict[str, dict[str, int]] = {}
    for path in sorted((pilot / "questions").glob("shard-*.jsonl")):
        for sample in read_jsonl(path):
            asked[sample["origin"]].append(0.0)
            question_usage[sample["sample_id"]] = sample["usage"]
            if sample["origin"] == "similar":
                num_questions += 1
                totals["question_prompt"] += sample["usage"]["prompt_tokens"]
                totals["question_completion"] += sample["usage"]["completion_tokens"]
        num_attempts += sum(
            row["in"] for row in read_json(pilot / "questions" / "receipts" / f"{path.stem}.json")["counts"].values()
        )
    cast: dict[str, list[int]] = {"similar": [], "seed": []}
    for path in sorted((pilot / "answers").glob("shard-*.jsonl")):
        for sample in read_jsonl(path):
            cast[sample["origin"]].append(len(sample["solutions"]))
            before = question_usage[sample["sample_id"]]
            num_votes += len(sample["solutions"])
            totals["vote_prompt"] += sample["usage"]["prompt_tokens"] - before["prompt_tokens"]
            totals["vote_completion"] += sample["usage"]["completion_tokens"] - before["completion_tokens"]
        for drop in read_jsonl(path.parent / "dropped" / path.name):
            cast[drop["record"]["origin"]].append(len(drop["record"]["solutions"]))
    curated = {"similar": 0, "seed": 0}
    for path in sorted((pilot / "curated").glob("shard-*.jsonl")):
        for sample in read_jsonl(path):
            curated[sample["origin"]] += 1
    if not num_votes:
        raise DataError(f"--pilot {pilot} holds no answers to measure")
    num_packed = num_tokens = 0
    for path in sorted((pilot / "packed" / "receipts").glob("*.json")):
        sizes = read_json(path)["variants"].get(variant, {"documents": 0, "tokens": 0})
        num_packed, num_tokens = num_packed + sizes["documents"], num_tokens + sizes["tokens"]
    num_similar_attempts = num_attempts - len(asked["seed"])
    return Rates(
        source=str(pilot),
        question_prompt=totals["question_prompt"] / max(num_questions, 1),
        question_completion=totals["question_completion"] / max(num_questions, 1),
        vote_prompt=totals["vote_prompt"] / num_votes,
        vote_completion=totals["vote_completion"] / num_votes,
        votes={origin: sum(nums) / max(len(nums), 1) for origin, nums in cast.items()},
        question_yield=num_questions / max(num_similar_attempts, 1),
        accepted={origin: curated[origin] / max(len(asked[origin]), 1) for origin in asked},
        tokens_per_sample=num_tokens / max(num_packed, 1),
    )


def count_seeds(config: RunConfig) -> tuple[dict[str, int], list[str]]:
    """Seeds per family after limits, and the tasks whose rows cannot be counted without reading them."""
    from nemo_sdg.catalog.walk import build_catalog, select
    from nemo_sdg.seeds.sources.splits import open_source, plan_sources

    rows = [
        row
        for row in select(build_catalog(config.seeds, config.guard), config.seeds.tasks)
        if row.verdict == Verdict.eligible
    ]
    seeds: dict[str, int] = {}
    unknown = []
    for source in plan_sources(rows, config.seeds):
        try:
            num = open_source(source, config.seeds).count()
        except DataError:
            num = None
        if source.quota is not None:
            num = source.quota if num is None else min(num, source.quota)
        if num is None:
            unknown.append(source.tasks[0])
        else:
            family = source.leaves[0].family
            seeds[family] = seeds.get(family, 0) + num
    return dict(sorted(seeds.items())), unknown


def make_forecast(
    config: RunConfig, rates: Rates, seeds: dict[str, int], *, tokens_per_s: float, price: float | None
) -> dict[str, Any]:
    """The forecast as plain data. GPU-hours count completion tokens at the throughput of a mix of prompt and
    completion, as published.
    """
    similar = own = 0.0
    for family, num in seeds.items():
        share: OriginShare = config.generate.origins_by_family.get(family, config.generate.origins)
        similar += num * share.similar
        own += num * share.seed
    questions = {"similar": similar * rates.question_yield, "seed": own}
    votes = sum(questions[origin] * rates.votes[origin] for origin in questions)
    accepted = sum(questions[origin] * rates.accepted[origin] for origin in questions)
    completion = similar * rates.question_completion + votes * rates.vote_completion
    prompt = similar * rates.question_prompt + votes * rates.vote_prompt
    hours = completion / tokens_per_s / 3600
    return {
        "rates": rates.source,
        "seeds": sum(seeds.values()),
        "questions": {
            "requests": round(similar),
            "prompt_tokens": round(similar * rates.question_prompt),
            "completion_tokens": round(similar * rates.question_completion),
        },
        "answers": {
            "requests": round(votes),
            "prompt_tokens": round(votes * rates.vote_prompt),
            "completion_tokens": round(votes * rates.vote_completion),
        },
        "requests": round(similar + votes),
        "prompt_tokens": round(prompt),
        "completion_tokens": round(completion),
        "tokens_per_s_per_gpu": tokens_per_s,
        "gpu_hours": round(hours, 3),
        "accepted_samples": round(accepted),
        "accepted_tokens": round(accepted * rates.tokens_per_sample),
        "cost": None if price is None else round(hours * price, 2),
        "cost_per_million_accepted_tokens": None
        if price is None or not accepted
        else round(1e6 * hours * price / (accepted * rates.tokens_per_sample), 4),
    }


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


def probe(config: RunConfig, *, seconds: float = PROBE_SECONDS) -> Throughput:
    """Votes on the questions of a few seeds, `engine.max_in_flight` of them under way for some seconds, on the
    configured engine.
    """
    import asyncio
    import itertools
    import time

    from nemo_sdg.commands.preview import first_seeds
    from nemo_sdg.generate.answers import Answers
    from nemo_sdg.generate.questions import own_question
    from nemo_sdg.generate.roles import open_roles
    from nemo_sdg.records import ModelUse, seed_from_dict
    from nemo_sdg.verify.votes import decided

    seeds, _ = first_seeds(config, None, PROBE_SEEDS)
    engines = open_roles(config, Role.solver)
    nobody = ModelUse(engine="", model="")
    answers = Answers(config, nobody, functools.partial(decided, config=config.verify))
    samples = [own_question(seed_from_dict(seed), nobody) for seed in seeds]
    requests = (answers.request(sample, "solve", index)[0] for index in itertools.count() for sample in samples)

    async def work() -> tuple[int, float]:
        await engines.start()
        tokens, begin = 0, time.monotonic()

        async def ask() -> None:
            nonlocal tokens
            while time.monotonic() - begin < seconds:
                tokens += (await engines.ask(next(requests))).completion_tokens

        try:
            await asyncio.gather(*(ask() for _ in range(config.engines(Role.solver)[0].max_in_flight)))
            return tokens, time.monotonic() - begin
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
    """Counts the seeds and prints the forecast; returns it. `measure` runs a short probe on the configured engine."""
    from rich.console import Console
    from rich.table import Table

    rates = measured(pilot, config.export.variants[0]) if pilot else assumed(config)
    speed = probe(config) if measure else throughput(config, model=model, gpu=gpu, tokens_per_s=tokens_per_s)
    seeds, unknown = count_seeds(config)
    result = {
        **make_forecast(config, rates, seeds, tokens_per_s=speed.tokens_per_s, price=price),
        "tokens_per_s_source": speed.source,
        "seeds_by_family": seeds,
        "tasks_not_counted": unknown,
    }
    table = Table(
        title=(
            "forecast, rates "
            f"{'measured in ' + rates.source if pilot else 'assumed: run a pilot and give it with --pilot'}"
        ),
        title_justify="left",
        show_header=False,
    )
    table.add_column("what")
    table.add_column("how much", justify="right")
    table.add_row("seeds", f"{result['seeds']:,}")
    for step in ("questions", "answers"):
        for name, num in result[step].items():
            table.add_row(f"{step}: {name.replace('_', ' ')}", f"{num:,}")
    for name in ("gpu_hours", "accepted_samples", "accepted_tokens", "cost", "cost_per_million_accepted_tokens"):
        if result[name] is not None:
            table.add_row(name.replace("_", " "), f"{result[name]:,}")
    console = Console(soft_wrap=True)
    console.print(table)
    console.print(f"at {speed.tokens_per_s:,.0f} output tokens/s per GPU ({speed.source})", highlight=False)
    if unknown:
        console.print(
            (
                "not counted, since their rows are not known without reading them: "
                f"{', '.join(unknown[:8])}{' and more' if len(unknown) > 8 else ''}"
            ),
            highlight=False,
        )
    return result
