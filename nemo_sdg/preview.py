"""`nemo-sdg preview`: a few seeds on their whole way, with every prompt, raw output and verdict; nothing is written."""

import asyncio
from typing import Any

from nemo_sdg.config import RunConfig
from nemo_sdg.errors import ConfigError
from nemo_sdg.generate.requests import Ask, Completion, Outcome, Request
from nemo_sdg.records import Drop, Seed, to_dict


def preview(config: RunConfig, *, task: str | None, num: int) -> None:
    """Shows `num` seeds of the configuration's tasks, or of `task` alone."""
    from rich.console import Console
    from rich.rule import Rule

    console = Console(soft_wrap=True)
    seeds = first_seeds(config, task, num)
    if not seeds:
        raise ConfigError(f"no seed to preview for task={task or config.seeds.tasks}")
    for title, body in asyncio.run(walk(config, seeds)):
        console.print(Rule(title, align="left"))
        console.print(body, markup=False, highlight=False)


def first_seeds(config: RunConfig, task: str | None, num: int) -> list[dict[str, Any]]:
    """The first seeds of each eligible task in turn, `num` in all."""
    from nemo_sdg.seeds.build import plan_sources, render_source
    from nemo_sdg.seeds.catalog import build_catalog, select

    rows = select(build_catalog(config.seeds, config.guard), [task] if task else config.seeds.tasks)
    eligible = [row for row in rows if row.verdict == "eligible"]
    if not eligible:
        raise ConfigError(f"no eligible task among {[row.task for row in rows][:5]}: {rows[0].reasons if rows else 'none'}")
    found: list[list[dict[str, Any]]] = []
    for source in plan_sources(eligible, config.seeds)[: num if task is None else 1]:
        seeds = []
        for record in render_source(source, config.seeds, config.run.seed):
            if isinstance(record, Seed):
                seeds.append(to_dict(record))
            if len(seeds) == num + config.generate.few_shot:
                break
        found.append(seeds)
    in_turn = [seeds[position] for position in range(num) for seeds in found if position < len(seeds)]
    return in_turn[:num]


async def walk(config: RunConfig, seeds: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Questions, answers and verdicts of the seeds, as (title, text)."""
    from nemo_sdg.generate.engines.base import open_engine
    from nemo_sdg.steps import answers, questions, verified

    engine = open_engine(config.engine)
    await engine.start()
    shown: list[tuple[str, str]] = []

    async def ask(request: Request) -> Completion:
        completion: Completion = await engine.complete(request)
        prompt = request.prompt if request.prompt is not None else "\n".join(f"[{m['role']}] {m['content']}" for m in request.messages or [])
        shown.append(("prompt", prompt))
        shown.append((f"output ({completion.finish_reason}, {completion.completion_tokens} tokens)", completion.text or completion.detail or ""))
        return completion

    try:
        facts = {"engine": engine.name, "model": engine.model, "model_license": config.engine.model_license}
        few_shot: dict[str, list[dict[str, Any]]] = {}
        for seed in seeds:
            few_shot.setdefault(seed["task"], []).append(seed)
        ask_question, ask_answer, verify = questions.make_flow(config, few_shot, facts), answers.make_flow(config, facts), verified.make_verifier(config)
        for seed in seeds:
            shown.append((f"seed {seed['seed_id']} of {seed['task']}", f"{seed['question']}\n-> {seed['answer']}"))
            await show_samples(ask_question, ask_answer, verify, seed, ask, shown)
    finally:
        await engine.close()
    return shown


async def show_samples(ask_question: Any, ask_answer: Any, verify: Any, seed: dict[str, Any], ask: Ask, shown: list[tuple[str, str]]) -> None:
    asked: Outcome = await ask_question(seed, ask)
    for sample in asked.kept:
        answered: Outcome = await ask_answer(to_dict(sample), ask)
        for answer in answered.kept:
            result = verify(to_dict(answer))
            if isinstance(result, Drop):
                shown.append((f"dropped: {result.reason}", result.detail or ""))
            else:
                shown.append((f"verified ({result.origin}, {result.votes})", f"{result.question}\n-> {result.answer.text if result.answer else ''}"))
        shown.extend((f"dropped: {drop.reason}", drop.detail or "") for drop in answered.dropped)
    shown.extend((f"dropped: {drop.reason}", drop.detail or "") for drop in asked.dropped)
