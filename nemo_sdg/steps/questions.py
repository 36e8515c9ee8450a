"""Step 3: new questions written after each seed, and, by config, the seeds' own questions as samples of origin
`seed`.
"""

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from nemo_sdg.config import Role, RunConfig
from nemo_sdg.execution.context import Context
from nemo_sdg.generate.requests import Flow
from nemo_sdg.records import Seed, seed_from_dict
from nemo_sdg.steps.generation import generate
from nemo_sdg.storage import StepDir

if TYPE_CHECKING:
    from nemo_sdg.generate.roles import RoleEngines


def run(context: Context) -> None:
    seeds = context.step_dir("seeds")
    generate(
        context,
        "questions",
        seeds,
        functools.partial(make_flow, context.config, few_shot_seeds(seeds, context.config.generate.few_shot)),
        Role.writer,
    )


def make_flow(config: RunConfig, few_shot: dict[str, list[Seed]], engines: "RoleEngines") -> Flow:
    from nemo_sdg.generate import questions

    return questions.make_flow(config, engines.model_use(Role.writer), few_shot)


def few_shot_seeds(seeds: StepDir, num: int) -> dict[str, list[Seed]]:
    """The few-shot heads of a run's tasks."""
    return smallest(seeds.records(), num)


def smallest(seeds: Iterable[dict[str, Any]], num: int) -> dict[str, list[Seed]]:
    """The `num` + 2 seeds of each task with the smallest ids.

    A worked example leads from one seed to the next, so `num` of them take one seed more, and one more still stands in
    for a seed that
    would be in its own head.
    """
    heads: dict[str, list[dict[str, Any]]] = {}
    for record in seeds:
        head = heads.setdefault(record["task"], [])
        head.append(record)
        if len(head) > num + 2:
            head.sort(key=lambda seed: seed["seed_id"])
            head.pop()
    return {
        task: [seed_from_dict(seed) for seed in sorted(head, key=lambda seed: seed["seed_id"])]
        for task, head in sorted(heads.items())
    }
