"""Describes what it would cost to redo a generation step."""

from nemo_sdg.execution.context import Context
from nemo_sdg.pipeline.order import step_module
from nemo_sdg.pipeline.plan import Plan
from nemo_sdg.steps.replay import Cost, count_requests


def describe_cost(context: Context, plan: Plan, name: str) -> str:
    """`at least 23 new requests, 104 answered from the journal`; '' for a step without an engine."""
    if not hasattr(step_module(name), "flow_maker"):
        return ""
    position = context.steps.index(name)
    redone_before = [step for step in context.steps[:position] if step in plan.redone]
    if any(not hasattr(step_module(step), "flow_maker") for step in redone_before):
        return "requests for new records, the rest answered from the journal"
    cost = cost_of(context, name)
    for step in redone_before:  # new questions need new answers
        earlier = cost_of(context, step)
        new = round(cost.known * earlier.asked / max(1, earlier.asked + earlier.known))
        cost = Cost(known=cost.known - new, asked=cost.asked + new)
    if not cost.asked:
        return "no new request"
    return f"at least {cost.asked:,} new requests, {cost.known:,} answered from the journal"


def cost_of(context: Context, name: str) -> Cost:
    module = step_module(name)
    return count_requests(context, name, module.flow_maker(context), module.ROLES)
