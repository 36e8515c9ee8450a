"""The step `graded`: a judge grades the solutions that could be kept, and a student tries each question. The student's
pass rate measures how easy the question is. The step is skipped if neither a judge nor a student is configured.
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
    "generate.answers_graded",
    "generate.student_attempts",
    "generate.temperature_answer",
    "generate.top_p",
    "generate.max_tokens_answer",
    "verify.min_agreement",
    "verify.max_agreement",
    "verify.free_text_similarity",
    "verify.judge_agreement",
    "verify.min_judge_score",
]
"""fields of `verify` that decide which solutions could be kept"""
READS = ["generate.prompts_dir"]
ROLES = [Role.judge, Role.student]


def configured(config: RunConfig) -> list[Role]:
    """The roles of this step that the configuration names."""
    return [role for role in ROLES if config.roles.of(role)]


def skipped(config: RunConfig) -> str | None:
    if configured(config):
        return None
    return "neither roles.judge nor roles.student is configured: answers are not graded"


def inputs(config: RunConfig, hashes: ContentHashes) -> Inputs:
    return generation_inputs(config, hashes, ["judge/answer", "judge/agreement", "student"], configured(config))


def run(context: Context) -> list[str]:
    return generate(
        context,
        "graded",
        flow_maker(context),
        *configured(context.config),
        moving="grades and attempts",
        per_record=2.0,
    )


def flow_maker(context: Context) -> MakeFlow:
    return functools.partial(make_flow, context.config)


def make_flow(config: RunConfig, engines: "RoleEngines") -> Flow:
    from nemo_sdg.generate import grading
    from nemo_sdg.verify import candidates

    return grading.make_grading(
        config,
        engines,
        functools.partial(candidates.candidates, config=config.verify),
        functools.partial(candidates.undecided, config=config.verify),
        functools.partial(candidates.pass_rate, config=config.verify),
    )
