"""The plan of a run, made before any work: which steps are finished, which must be redone, why, and at what cost."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nemo_sdg.config import RunConfig
from nemo_sdg.errors import SdgError, few
from nemo_sdg.execution.context import Context
from nemo_sdg.pipeline.order import BY_SHARD, configuration_of, configured_steps, step_module
from nemo_sdg.storage import (
    ContentHashes,
    Inputs,
    Ledger,
    StepDir,
    changed_fields,
    make_identity,
    read_ledger,
    usable_ledger,
    with_unread,
)

if TYPE_CHECKING:
    from nemo_sdg.steps.replay import Cost


def wanted_ledger(name: str, config: RunConfig, before: dict[str, str], hashes: ContentHashes, run_dir: Path) -> Ledger:
    """The ledger that the step would have if it were finished now."""
    module = step_module(name)
    made_from: Inputs = module.inputs(config, hashes) if hasattr(module, "inputs") else Inputs()
    configuration, version = configuration_of(name, config), getattr(module, "VERSION", 1)
    fingerprint = make_identity(name, before, version, configuration, made_from.content)
    unread = known_unread(run_dir, name, fingerprint)
    if unread:
        unread = module.readable_again(config, unread)
    return Ledger(
        step=name,
        identity=with_unread(fingerprint, unread),
        fingerprint=fingerprint,
        before=before,
        version=version,
        configuration=configuration,
        inputs=made_from.content,
        places=made_from.places,
        unread=unread,
        directory=str(Path.cwd()),
    )


def known_unread(run_dir: Path, name: str, fingerprint: str) -> list[dict[str, Any]]:
    """The sources that the step's results, if they have this fingerprint, lack: by its ledger, or, where that is
    missing or damaged, by its shards.
    """
    known, module = usable_ledger(run_dir, name), step_module(name)
    if known is not None:
        return list(known.unread) if known.fingerprint == fingerprint else []
    if not hasattr(module, "unread_of_shards"):
        return []
    found: list[dict[str, Any]] = module.unread_of_shards(StepDir(run_dir=run_dir, step=name, fingerprint=fingerprint))
    return found


@dataclass(kw_only=True)
class Plan:
    """For each step to run: the ledger that it should have, and why it must be redone."""

    wanted: dict[str, Ledger] = field(default_factory=dict)
    redone: dict[str, list[str]] = field(default_factory=dict)
    """step whose results have another identity -> what has changed; [] if only the step before it changed"""


def make_plan(names: list[str], config: RunConfig, run_dir: Path, hashes: ContentHashes) -> Plan:
    """The plan of the steps `names`. The identity of the step before them is read from the run."""
    order, plan = configured_steps(config), Plan()
    first = order.index(names[0])
    before: dict[str, str] = {}
    if first:
        previous = read_ledger(run_dir, order[first - 1])
        assert previous is not None, "the steps before must be finished"
        before = {previous.step: previous.identity}
    for name in names:
        known = usable_ledger(run_dir, name)
        wanted = wanted_ledger(name, config, before, hashes, run_dir)
        plan.wanted[name] = wanted
        if known is not None and known.identity != wanted.identity:
            plan.redone[name] = known.changes(wanted)
        elif known is None and has_other_receipts(run_dir, name, wanted):
            plan.redone[name] = ["unfinished results of another configuration or of other inputs"]
        before = {name: wanted.identity}
    return plan


def has_other_receipts(run_dir: Path, name: str, wanted: Ledger) -> bool:
    """Whether an unfinished step holds a shard that another configuration wrote."""
    folder = StepDir(run_dir=run_dir, step=name, fingerprint=wanted.fingerprint)
    first = next(iter(folder.shards()), None)
    receipt = None if first is None else folder.receipt(first)
    return receipt is not None and receipt.get("fingerprint") != wanted.fingerprint


def require_finished(names: list[str], config: RunConfig, run_dir: Path) -> None:
    """Raises SdgError if a step before `names[0]` is not finished, or was finished under another configuration."""
    order = configured_steps(config)
    before: dict[str, str] = {}
    for name in order[: order.index(names[0])]:
        ledger = read_ledger(run_dir, name)
        if ledger is None:
            raise SdgError(
                f"step {names[0]} needs {name}/, which is not finished in {run_dir}: "
                f"{what_is_missing(name, order, run_dir)}; run with --from {name}"
            )
        changed = changed_fields(ledger.configuration, configuration_of(name, config))
        if changed:
            raise SdgError(
                f"step {names[0]} needs {name}/, which was made under another configuration "
                f"({'; '.join(changed[:5])}); run with --from {name}, or with the earlier configuration"
            )
        if ledger.before != before:
            raise SdgError(
                f"step {names[0]} needs {name}/, which was made from an earlier {next(iter(ledger.before), 'run')}; "
                f"run with --from {name}"
            )
        before = {name: ledger.identity}


def what_is_missing(name: str, order: list[str], run_dir: Path) -> str:
    """Which shards an unfinished step lacks, compared with the step before it."""
    have = set(StepDir(run_dir=run_dir, step=name, fingerprint="").shards())
    position = order.index(name)
    previous = read_ledger(run_dir, order[position - 1]) if position else None
    if previous is None or name not in BY_SHARD:
        return "it has no ledger"
    missing = [shard for shard in previous.shards if shard not in have]
    if not missing:
        return "its shards exist, but its ledger is missing"
    return f"{len(missing)} of {len(previous.shards)} shards are missing ({few(missing, 5)})"


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
        cost = dataclasses.replace(cost, known=cost.known - new, asked=cost.asked + new)
    if not cost.asked:
        return "no new request"
    return f"at least {cost.asked:,} new requests, {cost.known:,} answered from the journal"


def cost_of(context: Context, name: str) -> "Cost":
    from nemo_sdg.steps.replay import count_requests

    module = step_module(name)
    return count_requests(context, name, module.flow_maker(context), module.ROLES)
