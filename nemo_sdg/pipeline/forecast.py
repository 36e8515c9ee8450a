"""Estimates a run before it starts: seeds are counted, yields and lengths are measured or assumed."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from nemo_sdg.config import EngineSection, OriginShare, Role, RunConfig, Style
from nemo_sdg.errors import DataError
from nemo_sdg.generate.agreement import ORDERS
from nemo_sdg.pipeline.rates import Rates
from nemo_sdg.records import Kind

Seeds = dict[str, dict[str, int]]
"""family -> task -> seeds after limits"""


def count_seeds(config: RunConfig) -> tuple[Seeds, list[str], set[str]]:
    """Seeds by family and task after limits, the tasks whose rows cannot be counted without reading them, and those
    whose answers are sentences.
    """
    from nemo_sdg.catalog.selection import eligible
    from nemo_sdg.catalog.walk import build_catalog
    from nemo_sdg.seeds.sources.splits import open_source, plan_sources

    rows = eligible(build_catalog(config.seeds, config.guard), config.seeds.wanted)
    seeds: Seeds = {}
    unknown, in_sentences = [], set()
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
            tasks = seeds.setdefault(source.leaves[0].family, {})
            tasks[source.tasks[0]] = tasks.get(source.tasks[0], 0) + num
            if source.leaves[0].kind == Kind.free_text:
                in_sentences.add(source.tasks[0])
    return {family: dict(sorted(seeds[family].items())) for family in sorted(seeds)}, unknown, in_sentences


def num_seeds(seeds: Seeds) -> int:
    return sum(sum(tasks.values()) for tasks in seeds.values())


def attempts(config: RunConfig, seeds: Seeds) -> dict[str, dict[str, float]]:
    """Questions to write, by family and origin; with generate.per_seed=auto, small tasks get more per seed."""
    from nemo_sdg.generate.planned import planned_attempts

    found = {}
    for family, tasks in seeds.items():
        share: OriginShare = config.generate.origins_by_family.get(family, config.generate.origins)
        similar = sum(num * planned_attempts(config.generate, family, num) for num in tasks.values())
        found[family] = {"similar": float(similar), "seed": sum(tasks.values()) * share.seed}
    return found


def accepted_samples(config: RunConfig, rates: Rates, seeds: Seeds) -> dict[str, float]:
    """Samples that pass the step `curated`, by family."""
    return {
        family: row["similar"] * rates.question_yield * rates.accepted["similar"] + row["seed"] * rates.accepted["seed"]
        for family, row in attempts(config, seeds).items()
    }


@dataclass(kw_only=True)
class Asked:
    """The requests to one engine in a role."""

    role: str
    model: str
    requests: float
    prompt: float
    completion: float
    section: EngineSection

    def plain(self) -> dict[str, Any]:
        return {
            "role": self.role,
            "model": self.model,
            "requests": round(self.requests),
            "prompt_tokens": round(self.prompt),
            "completion_tokens": round(self.completion),
            "cost": None if (cost := self.cost()) is None else round(cost, 2),
        }

    def cost(self) -> float | None:
        """Cost by engine.price_input and engine.price_output; None if these are not set."""
        price_in, price_out = self.section.price_input, self.section.price_output
        if price_in is None or price_out is None:
            return None
        return (self.prompt * price_in + self.completion * price_out) / 1e6


def graded_questions(config: RunConfig, rates: Rates, seeds: Seeds) -> float:
    """Questions that come to the step `graded`."""
    rows = attempts(config, seeds).values()
    screened = rates.screened if config.roles.judge is not None else 1.0
    return sum(row["similar"] * rates.question_yield * screened + row["seed"] for row in rows)


def comparisons(config: RunConfig, rates: Rates, seeds: Seeds, in_sentences: Collection[str]) -> float:
    """Requests in which the judge compares answers: those in sentences, of the solvers and of the student, and short
    ones without a majority.
    """
    if config.roles.judge is None or not config.verify.judge_agreement:
        return 0.0
    told = {family: {task: num for task, num in seeds[family].items() if task in in_sentences} for family in seeds}
    tried = rates.student if config.roles.student is not None else 0.0
    long = graded_questions(config, rates, told)
    short = graded_questions(config, rates, seeds) - long
    return long * (rates.comparisons + tried * ORDERS) + short * rates.settled


def asked_by_role(config: RunConfig, rates: Rates, seeds: Seeds, in_sentences: Collection[str] = ()) -> list[Asked]:
    """The requests of the writer, each solver, the judge and the student, if they are configured."""
    from nemo_sdg.generate.prompting import style_of

    rows = attempts(config, seeds).values()
    similar, own = (sum(row[origin] for row in rows) for origin in ("similar", "seed"))
    writer = config.engines(Role.writer)[0]
    each = config.generate.questions_per_request if style_of(config, writer) is Style.full else 1
    written = similar * rates.question_yield
    questions = graded_questions(config, rates, seeds)
    passed = questions - own
    votes = passed * rates.votes["similar"] + own * rates.votes["seed"]

    def made(role: str, section: EngineSection, requests: float, prompt: float, completion: float) -> Asked:
        model = section.model or "the embedded model"
        return Asked(role=role, model=model, requests=requests, prompt=prompt, completion=completion, section=section)

    prompt, completion = similar / each * rates.question_prompt, similar * rates.question_completion
    found = [made("writer", writer, similar / each, prompt, completion)]
    solvers = config.engines(Role.solver)
    for section in solvers:  # they get the votes in turn
        share = votes / len(solvers)
        found.append(made("solver", section, share, share * rates.vote_prompt, share * rates.vote_completion))
    if config.roles.judge is not None:
        screened, graded = written + own, questions * rates.graded
        compared = comparisons(config, rates, seeds, in_sentences)
        prompt = screened * rates.judge_prompt + graded * rates.grade_prompt + compared * rates.comparison_prompt
        completion = (
            screened * rates.judge_completion + graded * rates.grade_completion + compared * rates.comparison_completion
        )
        decided, decided_prompt = rates.leaks.requests(config, sum(accepted_samples(config, rates, seeds).values()))
        prompt, completion = prompt + decided_prompt, completion + decided * rates.leaks.completion
        num = screened + graded + compared + decided
        found.append(made("judge", config.engines(Role.judge)[0], num, prompt, completion))
    if config.roles.student is not None:
        num = questions * rates.student * config.generate.student_attempts
        section = config.engines(Role.student)[0]
        found.append(made("student", section, num, num * rates.student_prompt, num * rates.student_completion))
    return found


def make_forecast(
    config: RunConfig,
    rates: Rates,
    seeds: Seeds,
    in_sentences: Collection[str] = (),
    *,
    tokens_per_s: float,
    price: float | None,
) -> dict[str, Any]:
    """The forecast as plain data. `seeds` counts rows, of which as many become seeds as in the pilot, if there is one;
    `in_sentences` are the tasks whose answers a judge compares. GPU-hours are completion
    tokens divided by `tokens_per_s`, the published throughput for a mix of prompt and completion. The cost is GPU-hours
    * `price`; without `price`, it follows from the prices of the engines.
    """
    rows, seeds = seeds, rates.seeds.kept(seeds)
    roles = asked_by_role(config, rates, seeds, in_sentences)
    accepted = sum(accepted_samples(config, rates, seeds).values())
    completion = sum(row.completion for row in roles)
    hours = completion / tokens_per_s / 3600
    costs = [row.cost() for row in roles]
    cost = hours * price if price is not None else None
    if cost is None and all(one is not None for one in costs):
        cost = sum(one for one in costs if one is not None)
    tokens = accepted * rates.tokens_per_sample

    def total(role: str) -> dict[str, int]:
        chosen = [row for row in roles if row.role == role]
        return {
            "requests": round(sum(row.requests for row in chosen)),
            "prompt_tokens": round(sum(row.prompt for row in chosen)),
            "completion_tokens": round(sum(row.completion for row in chosen)),
        }

    return {
        "rates": rates.source,
        "notes": rates.notes,
        "seeds": num_seeds(seeds),
        "rows_dropped": num_seeds(rows) - num_seeds(seeds),
        "questions": total("writer"),
        "answers": total("solver"),
        "roles": [row.plain() for row in roles],
        "requests": round(sum(row.requests for row in roles)),
        "prompt_tokens": round(sum(row.prompt for row in roles)),
        "completion_tokens": round(completion),
        "tokens_per_s_per_gpu": tokens_per_s,
        "gpu_hours": round(hours, 3),
        "accepted_samples": round(accepted),
        "accepted_tokens": round(tokens),
        "cost": None if cost is None else round(cost, 2),
        "currency": config.run.currency,
        "cost_per_million_accepted_tokens": None if cost is None or not tokens else round(1e6 * cost / tokens, 4),
    }
