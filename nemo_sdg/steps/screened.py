"""The step `screened`: a judge grades questions before the solvers answer them. A question with a flaw is dropped, and
the drop names the criterion that it fails. The step is skipped if no judge is configured.
"""

import functools
from typing import TYPE_CHECKING

from nemo_sdg.config import Role, RunConfig
from nemo_sdg.execution.context import Context
from nemo_sdg.generate.requests import Flow
from nemo_sdg.steps.generation import MakeFlow, generate, generation_inputs
from nemo_sdg.storage import ContentHashes, Inputs

if TYPE_CHECKING:
    from nemo_sdg.generate.roles import RoleEngines

SHAPES = [
    "run.seed",
    "generate.min_question_score",
    "generate.temperature_answer",
    "generate.top_p",
    "generate.max_tokens_answer",
]
READS = ["generate.prompts_dir"]
ROLES = [Role.judge]


def skipped(config: RunConfig) -> str | None:
    return None if config.roles.judge is not None else "roles.judge is not configured: questions are not graded"


def inputs(config: RunConfig, hashes: ContentHashes) -> Inputs:
    return generation_inputs(config, hashes, ["judge/question"], ROLES)


def run(context: Context) -> list[str]:
    return generate(context, "screened", flow_maker(context), *ROLES, moving="grades")


def flow_maker(context: Context) -> MakeFlow:
    return functools.partial(make_flow, context.config)


def make_flow(config: RunConfig, engines: "RoleEngines") -> Flow:
    from nemo_sdg.generate import grading

    return grading.make_screening(config, engines)
