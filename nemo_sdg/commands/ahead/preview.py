"""`nemo-sdg preview`: a few seeds on their whole way, each with prompt, raw output, parsed result and verdict; nothing
is written.

    ── seed 3f0c… of sciq ─────────────
    What pulls a dropped ball …           answer: gravity
    ── question: prompt ───────────────    the first request in full
    ── question: outputs ──────────────    a row a request: raw output | what was read in it | what became of it
    ── answers to 9a41… (similar): prompt, outputs, verdict

The first rows of each task are taken, and its few-shot head is made of them; a run makes it of all its seeds.
"""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nemo_sdg.config import Role, RunConfig
from nemo_sdg.errors import ConfigError
from nemo_sdg.generate.requests import Completion, Request
from nemo_sdg.records import Drop, Origin, Sample, Seed, Vote, sample_from_dict, to_dict, visible

if TYPE_CHECKING:
    from nemo_sdg.generate.roles import RoleEngines

RAW = 900
"""characters of a raw output that are shown"""
Row = tuple[str, str, str]
"""raw output, what was read in it, what became of it"""
Part = tuple[str, str | list[Row]]
"""a title, and text or rows"""


def preview(config: RunConfig, *, task: str | None, num: int) -> None:
    """Shows `num` seeds of the configuration's tasks, or of `task` alone."""
    from rich.console import Console
    from rich.rule import Rule
    from rich.table import Table
    from rich.text import Text

    if num < 1:
        raise ConfigError(f"-n must be >= 1, got {num}")
    console = Console()
    seeds, few_shot = first_seeds(config, task, num)
    if not seeds:
        raise ConfigError(f"no seed to preview for task={task or config.seeds.tasks}")
    for title, body in asyncio.run(walk(config, seeds, few_shot)):
        console.print(Rule(Text(visible(title)), align="left"))
        if isinstance(body, str):
            console.print(Text(visible(body)), soft_wrap=True)
            continue
        table = Table("raw output", "parsed", "verdict", show_lines=True, expand=True)
        for row in body:
            table.add_row(*(Text(visible(cell)) for cell in row))
        console.print(table)


def first_seeds(config: RunConfig, task: str | None, num: int) -> tuple[list[dict[str, Any]], dict[str, list[Seed]]]:
    """The first seeds of each eligible task in turn, `num` in all, and the few-shot heads of their tasks."""
    from nemo_sdg.catalog.selection import select
    from nemo_sdg.catalog.walk import build_catalog
    from nemo_sdg.seeds.build import plan_sources, render_source
    from nemo_sdg.steps.questions import smallest

    rows = select(build_catalog(config.seeds, config.guard), [task] if task else config.seeds.wanted)
    eligible = [row for row in rows if row.verdict == "eligible"]
    if not eligible:
        raise ConfigError(
            f"no eligible task among {[row.task for row in rows][:5]}: {rows[0].reasons if rows else 'none'}"
        )
    found: list[list[dict[str, Any]]] = []
    for source in plan_sources(eligible, config.seeds)[: num if task is None else 1]:
        seeds = []
        for record in render_source(source, config.seeds, config.run.seed):
            if isinstance(record, Seed):
                seeds.append(to_dict(record))
            if len(seeds) == num + config.generate.few_shot + 2:
                break
        found.append(seeds)
    in_turn = [seeds[position] for position in range(num) for seeds in found if position < len(seeds)]
    return in_turn[:num], smallest((seed for seeds in found for seed in seeds), config.generate.few_shot)


class Recorder:
    """An Ask that goes straight to the engines and keeps what it saw, in the order of the requests."""

    def __init__(self, engines: "RoleEngines") -> None:
        self.engines = engines
        self.seen: list[tuple[Request, Completion | None]] = []

    async def __call__(self, request: Request) -> Completion:
        place = len(self.seen)
        self.seen.append((request, None))
        completion = await self.engines.ask(request)
        self.seen[place] = (request, completion)
        return completion

    def take(self) -> list[tuple[Request, Completion]]:
        seen, self.seen = self.seen, []
        return [(request, completion) for request, completion in seen if completion is not None]


async def walk(config: RunConfig, seeds: list[dict[str, Any]], few_shot: dict[str, list[Seed]]) -> list[Part]:
    """Questions, answers and verdicts of the seeds."""
    from nemo_sdg.generate.roles import open_roles
    from nemo_sdg.steps import answers, questions, verified

    engines = open_roles(config, *Role)
    ask_question, ask_answer, verify = (
        questions.make_flow(config, few_shot, {}, engines),
        answers.make_flow(config, engines),
        verified.make_verifier(config),
    )
    ask, parts = Recorder(engines), list[Part]()
    await engines.start()
    try:
        for seed in seeds:
            parts.append(
                (f"seed {seed['seed_id']} of {seed['task']}", f"{shown(seed)}\nanswer: {seed['answer']['text']}")
            )
            asked = await ask_question(seed, ask)
            new = [sample for sample in asked.kept if sample.origin == Origin.similar]
            parts += show_questions(ask.take(), new, asked.dropped)
            for sample in asked.kept:
                outcome = await ask_answer(to_dict(sample), ask)
                result = verify(to_dict(outcome.kept[0])) if outcome.kept else outcome.dropped[0]
                solutions = (
                    outcome.kept[0].solutions
                    if outcome.kept
                    else sample_from_dict(outcome.dropped[0].record or {}).solutions
                ) or []
                title = (
                    f"answers to {sample.sample_id} "
                    f"({'the seed itself' if sample.origin == Origin.seed else 'a new question'})"
                )
                parts += show_answers(title, ask.take(), solutions, result)
    finally:
        await engines.close()
    return parts


def shown(record: dict[str, Any]) -> str:
    lines = [record["passage"]] if record.get("passage") else []
    return "\n".join(
        [
            *lines,
            record["question"],
            *(f"- {choice}" for choice in record.get("choices") or []),
            *(record.get("tests") or []),
        ]
    )


def prompt_of(request: Request) -> str:
    if request.prompt is not None:
        return request.prompt
    return "\n".join(f"[{message['role']}] {message['content']}" for message in request.messages or [])


def raw_of(completion: Completion) -> str:
    text = completion.text if len(completion.text) <= RAW else f"{completion.text[:RAW]} …"
    said = f" {completion.detail}" if completion.detail else ""
    return (
        f"{text}\n({completion.finish_reason}, {completion.prompt_tokens} + {completion.completion_tokens} "
        f"tokens{said})"
    )


def show_questions(seen: list[tuple[Request, Completion]], new: list[Sample], dropped: list[Drop]) -> Iterator[Part]:
    """Attempts stand in their order among the drops, which have its number, and among the samples, which have none."""
    if not seen:
        return
    by_attempt = {(drop.record or {})["attempt"]: drop for drop in dropped}
    samples, rows = iter(new), list[Row]()
    for attempt, (_, completion) in enumerate(seen):
        drop = by_attempt.get(attempt)
        rows.append(
            (raw_of(completion), "", f"dropped: {because(drop)}")
            if drop is not None
            else (raw_of(completion), shown(to_dict(next(samples))), "a question")
        )
    yield "new questions: prompt", prompt_of(seen[0][0])
    yield "new questions: outputs", rows


def show_answers(
    title: str, seen: list[tuple[Request, Completion]], solutions: list[Vote], result: Sample | Drop
) -> Iterator[Part]:
    rows = list[Row]()
    for (_, completion), solution in zip(seen, solutions, strict=False):
        read = f"context: {solution.context}\nreasoning: {solution.reasoning}\nanswer: {solution.answer}"
        verdict = (
            solution.guidance
            if solution.answer is not None
            else f"{solution.guidance}, {solution.error} {solution.detail or ''}"
        )
        rows.append((raw_of(completion), read if solution.answer is not None else "", verdict))
    yield f"{title}: prompt", prompt_of(seen[0][0]) if seen else ""
    yield f"{title}: outputs", rows
    if isinstance(result, Drop):
        yield f"{title}: dropped", because(result)
    else:
        kept = result.verification.detail if result.verification else None
        text = result.answer.text if result.answer else ""
        cast = to_dict(result.votes) if result.votes else None
        yield (
            f"{title}: verified",
            f"answer: {text}\nvotes: {cast}, difficulty {result.difficulty}, kept: {kept}, {result.guidance}",
        )


def because(drop: Drop) -> str:
    return f"{drop.reason} {drop.detail or ''}".strip()
