"""Step 4: each question solved several times independently, with context, reasoning and a final answer."""

import functools
from typing import Any

from nemo_sdg.config import RunConfig
from nemo_sdg.execution.context import Context
from nemo_sdg.generate.requests import Flow
from nemo_sdg.steps.generation import generate, model_use


def run(context: Context) -> None:
    generate(context, "answers", context.step_dir("questions"), functools.partial(make_flow, context.config))


def make_flow(config: RunConfig, engine_facts: dict[str, Any]) -> Flow:
    from nemo_sdg.generate import answers
    from nemo_sdg.verify import votes

    return answers.make_flow(config, model_use(engine_facts), functools.partial(votes.decided, config=config.verify))
