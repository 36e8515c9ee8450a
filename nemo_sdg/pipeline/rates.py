"""What a run will ask for and give, before it starts: seeds are counted, yields and lengths measured or assumed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nemo_sdg.config import OriginShare, Role, RunConfig
from nemo_sdg.errors import DataError
from nemo_sdg.records import Verdict
from nemo_sdg.storage import read_json, read_jsonl


@dataclass(kw_only=True)
class Rates:
    """Tokens that requests cost, and how many of them end as samples."""

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
    from nemo_sdg.generate.prompting import Prompts

    least = max(1.0, round(config.generate.votes * config.verify.min_agreement))
    votes = (2 * least + config.generate.votes) / 3
    rates = Rates(source="assumed", votes={"similar": votes, "seed": votes}, accepted={"similar": 0.5, "seed": 0.8})
    writer, solver = (Prompts(config, config.engines(role)[0]) for role in (Role.writer, Role.solver))
    rates.question_completion = min(rates.question_completion, writer.max_tokens("question") / 2)
    rates.vote_completion = min(rates.vote_completion, solver.max_tokens("answer") / 2)
    return rates


def measured(pilot: Path, variant: str) -> Rates:
    """Rates of a finished run. Raises DataError when it is not one."""
    if not (pilot / "manifest.json").is_file():
        raise DataError(f"--pilot {pilot} is not a finished run: it has no manifest.json")
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
    from nemo_sdg.catalog.selection import select
    from nemo_sdg.catalog.walk import build_catalog
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


def attempts(config: RunConfig, seeds: dict[str, int]) -> dict[str, dict[str, float]]:
    """Questions asked for, by family and origin."""
    found = {}
    for family, num in seeds.items():
        share: OriginShare = config.generate.origins_by_family.get(family, config.generate.origins)
        found[family] = {"similar": num * share.similar, "seed": num * share.seed}
    return found


def accepted_samples(config: RunConfig, rates: Rates, seeds: dict[str, int]) -> dict[str, float]:
    """Samples that come out curated, by family."""
    return {
        family: row["similar"] * rates.question_yield * rates.accepted["similar"] + row["seed"] * rates.accepted["seed"]
        for family, row in attempts(config, seeds).items()
    }


def make_forecast(
    config: RunConfig, rates: Rates, seeds: dict[str, int], *, tokens_per_s: float, price: float | None
) -> dict[str, Any]:
    """The forecast as plain data. GPU-hours count completion tokens at the throughput of a mix of prompt and
    completion, as published.
    """
    asked = attempts(config, seeds).values()
    similar, own = (sum(row[origin] for row in asked) for origin in ("similar", "seed"))
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
