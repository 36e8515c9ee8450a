"""Step 4: each question solved several times independently, with context, reasoning and a final answer."""

import functools
from typing import TYPE_CHECKING

from nemo_sdg.config import Role, RunConfig
from nemo_sdg.execution.context import Context
from nemo_sdg.generate.requests import Flow
from nemo_sdg.steps.generation import generate

if TYPE_CHECKING:
    from nemo_sdg.generate.roles import RoleEngines


def run(context: Context) -> None:
    generate(
        context, "answers", context.step_dir("questions"), functools.partial(make_flow, context.config), Role.solver
    )


def make_flow(config: RunConfig, engines: "RoleEngines") -> Flow:
    from nemo_sdg.generate import answers
    from nemo_sdg.verify import votes

    return answers.make_flow(
        config, engines.model_use(Role.solver), functools.partial(votes.decided, config=config.verify)
    )
