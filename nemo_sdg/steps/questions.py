"""The step `questions`: the writer writes new questions for each seed. Questions of the seeds become samples of origin
`seed`, as configured.
"""

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from nemo_sdg.config import Role, RunConfig
from nemo_sdg.execution.context import Context
from nemo_sdg.generate.requests import Flow
from nemo_sdg.records import Seed, seed_from_dict
from nemo_sdg.steps.generation import MakeFlow, generate, generation_inputs
from nemo_sdg.storage import ContentHashes, Inputs, StepDir

if TYPE_CHECKING:
    from nemo_sdg.generate.roles import RoleEngines


SHAPES = [
    "run.seed",
    "generate.origins",
    "generate.origins_by_family",
    "generate.per_seed",
    "generate.stop_after_copies",
    "generate.questions_per_request",
    "generate.style",
    "generate.few_shot",
    "generate.temperature_question",
    "generate.top_p",
    "generate.max_tokens_question",
]
READS = ["generate.prompts_dir"]
ROLES = [Role.writer]


def inputs(config: RunConfig, hashes: ContentHashes) -> Inputs:
    return generation_inputs(config, hashes, ["similar"], ROLES)


def run(context: Context) -> list[str]:
    written = context.config.generate.origins.similar
    return generate(context, "questions", flow_maker(context), *ROLES, per_record=max(1.0, float(written)))


def flow_maker(context: Context) -> MakeFlow:
    return functools.partial(make_run_flow, context.config, context.step_dir("seeds"))


def make_run_flow(config: RunConfig, seeds: StepDir, engines: "RoleEngines") -> Flow:
    """The flow. It reads all seeds for the few-shot examples, so only workers with unfinished shards call this."""
    num_seeds = {task: row["kept"] for task, row in seeds.counts().items()}
    return make_flow(config, smallest(seeds.records(), config.generate.few_shot), num_seeds, engines)


def make_flow(
    config: RunConfig, few_shot: dict[str, list[Seed]], num_seeds: dict[str, int], engines: "RoleEngines"
) -> Flow:
    from nemo_sdg.generate import questions

    return questions.make_flow(config, engines, few_shot, num_seeds)


def smallest(seeds: Iterable[dict[str, Any]], num: int) -> dict[str, list[Seed]]:
    """Task -> seeds for its few-shot examples: the `num` + 2 with the smallest ids.

    A worked example leads from one seed to the next, so `num` examples need `num` + 1 seeds. One more replaces a seed
    that would be among its own examples.
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
