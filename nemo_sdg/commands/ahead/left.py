"""What is left of a run that has begun: the requests of the steps that are not finished, and what `--redo` overwrites.
The counts are those of the refusal without `--redo` (pipeline/plan.py).
"""

from collections.abc import Iterator
from pathlib import Path

from nemo_sdg.config import RunConfig
from nemo_sdg.errors import SdgError
from nemo_sdg.execution.context import Context
from nemo_sdg.execution.progress import Progress
from nemo_sdg.pipeline.order import configured_steps, step_module
from nemo_sdg.pipeline.plan import Plan, describe_cost

SHOWN = 8
"""changes of a step that are named; the others are counted"""


def finished(plan: Plan, run_dir: Path) -> list[str]:
    """The steps of the plan whose results are those of this configuration."""
    from nemo_sdg.storage import usable_ledger

    ledgers = {name: usable_ledger(run_dir, name) for name in plan.wanted}
    return [
        name for name, ledger in ledgers.items() if ledger is not None and ledger.identity == plan.wanted[name].identity
    ]


def costs_left(plan: Plan, config: RunConfig, run_dir: Path) -> dict[str, str]:
    """Step that asks engines and is not finished -> the requests that it still sends, in words."""
    context = Context(config=config, run_dir=run_dir, steps=configured_steps(config), progress=Progress(None))
    done = finished(plan, run_dir)
    told = {}
    for name in plan.wanted:
        if name in done or not hasattr(step_module(name), "flow_maker"):
            continue
        previous = context.steps[context.steps.index(name) - 1]
        to_do = previous in plan.wanted and previous not in done and previous not in plan.redone
        if not context.before(name).shards():
            told[name] = f"not counted before {previous} is finished"
            continue
        try:
            told[name] = describe_cost(context, plan, name)
        except (SdgError, OSError) as exc:
            told[name] = f"not known: {exc}"
        else:
            told[name] += f", and those for what {previous} still makes" if to_do else ""
    return told


def left(plan: Plan, config: RunConfig, run_dir: Path, costs: dict[str, str]) -> Iterator[str]:
    """The lines about requests that are still to be sent. `costs` is from costs_left."""
    from nemo_sdg.steps.curated import judging

    told = [f"{name}: {cost}" for name, cost in costs.items()]
    if judging(config) and "curated" in plan.wanted and "curated" not in finished(plan, run_dir):
        told.append("curated: what the judge has not yet decided of samples that may reword evaluation rows")
    told = told or ["no request: each of these steps that asks a model is finished"]
    for number, line in enumerate(told):
        yield f"{'' if number else 'still asked':<12}{line}"


def overwritten(plan: Plan, costs: dict[str, str]) -> Iterator[str]:
    """What `--redo` would overwrite, why, and what it costs."""
    yield "with --redo these results are overwritten; without it the run stops:"
    for name, changes in plan.redone.items():
        more = [f"and {len(changes) - SHOWN} more changes"] if len(changes) > SHOWN else []
        why = "; ".join([*changes[:SHOWN], *more]) or "the step before it"
        yield f"  {name}: {why}{f' ({costs[name]})' if name in costs else ''}"
