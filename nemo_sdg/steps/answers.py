"""The step `answers`: each question is solved several times independently, with context, reasoning and answer."""

import functools
from typing import TYPE_CHECKING

from nemo_sdg.config import Role, RunConfig
from nemo_sdg.execution.context import Context
from nemo_sdg.generate.requests import Flow
from nemo_sdg.records import Sample
from nemo_sdg.steps.generation import MakeFlow, generate, generation_inputs
from nemo_sdg.storage import ContentHashes, Inputs

if TYPE_CHECKING:
    from nemo_sdg.generate.answers import Unexplained
    from nemo_sdg.generate.roles import RoleEngines


SHAPES = [
    "run.seed",
    "generate.votes",
    "generate.guided",
    "generate.further_solutions",
    "generate.style",
    "generate.temperature_answer",
    "generate.top_p",
    "generate.max_tokens_answer",
    "verify.min_agreement",
    "verify.max_agreement",
    "verify.free_text_similarity",
]
"""fields of `verify` that decide when there are enough votes"""
READS = ["generate.prompts_dir"]
ROLES = [Role.solver]


def inputs(config: RunConfig, hashes: ContentHashes) -> Inputs:
    return generation_inputs(config, hashes, ["solve", "guided"], ROLES)


def run(context: Context) -> list[str]:
    config = context.config
    least = max(1.0, round(config.generate.votes * config.verify.min_agreement))
    votes = (least + config.generate.votes) / 2
    return generate(context, "answers", flow_maker(context), *ROLES, moving="votes", per_record=votes)


def flow_maker(context: Context) -> MakeFlow:
    return functools.partial(make_flow, context.config)


def make_flow(config: RunConfig, engines: "RoleEngines") -> Flow:
    from nemo_sdg.generate import answers
    from nemo_sdg.verify import votes

    decided = functools.partial(votes.decided, config=config.verify)
    return answers.make_flow(config, engines, decided, unexplained_by(config))


def unexplained_by(config: RunConfig) -> "Unexplained | None":
    """The check whether a question needs a further solution; None where none are wanted, since filters take 2 to 6 ms
    a question, and a vote 0.7 ms of this process.
    """
    from nemo_sdg.steps.verified import make_check, make_question_check
    from nemo_sdg.verify import candidates

    if not config.generate.further_solutions:
        return None
    passes, question_passes = make_check(), make_question_check()

    def settled(made: Sample) -> bool:
        """Whether the filters keep a sample, or would drop it with any other solution too."""
        return passes(made) or not question_passes(made)

    return functools.partial(candidates.unexplained, config=config.verify, passes=settled)
