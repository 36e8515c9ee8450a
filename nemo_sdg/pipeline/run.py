"""Runs the steps. Finished steps are kept, and a change redoes the steps that it affects. Nothing is overwritten
without --redo.
"""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nemo_sdg.config import RunConfig, Verify, shaping
from nemo_sdg.errors import ConfigError, DataError, SdgError, few
from nemo_sdg.execution.context import Context
from nemo_sdg.execution.processes import give_back_memory, quiet_libraries, rarely_collecting
from nemo_sdg.execution.progress import COLUMNS, Progress, fit, format_seconds
from nemo_sdg.execution.tracking import open_trackers
from nemo_sdg.pipeline.order import BY_SHARD, STEPS, configured_steps, step_module, steps_between, why_skipped
from nemo_sdg.pipeline.plan import Plan, describe_cost, known_unread, make_plan, require_finished, wanted_ledger
from nemo_sdg.pipeline.preflight import check_configuration, check_machine
from nemo_sdg.steps.evaluation_splits import require_named
from nemo_sdg.steps.generation import ask_lost_again, lost_requests, mark_redone, unmark_redone
from nemo_sdg.storage import (
    LOCK,
    WORKERS,
    ContentHashes,
    Ledger,
    UnknownFields,
    ranked,
    read_ledger,
    remove_temporaries,
    run_lock,
    total_dropped,
    total_kept,
    usable_ledger,
    with_unread,
    write_bytes,
)

HASHES = ".hashes.json"
"""file of the input files' hashes, for run.verify=size"""
MAX_CHANGES = 5
"""maximum number of changes of a step that are shown; the others are counted"""


@rarely_collecting()
def run(
    config: RunConfig,
    *,
    only: str | None = None,
    start: str | None = None,
    until: str | None = None,
    worker: tuple[int, int] = (0, 1),
    redo: bool = False,
) -> Path:
    """Runs the unfinished steps and returns the run's folder. A call after an interruption continues with the first
    unfinished shard.

    Raises SdgError if finished results would be overwritten and `redo` is false.
    """
    names = steps_between(config, only=only, start=start, until=until)
    require_sharing(names, worker)
    check_configuration(config, names if only else configured_steps(config))
    with open_run(config, worker=worker, steps=names) as context:
        tell_damaged_ledgers(context)
        require_finished(names, config, context.run_dir)
        hashes = ContentHashes(context.run_dir / HASHES, full=config.run.verify is Verify.full)
        with context.progress.step("inputs") as state:
            state.phase = "reading tasks and hashing input files"
            plan = make_plan(names, config, context.run_dir, hashes)
        context.fingerprints |= {name: ledger.fingerprint for name, ledger in plan.wanted.items()}
        if plan.redone:
            ask(context, plan, redo=redo)
        look_at_lost(context, [name for name in names if name not in plan.redone], redo=redo)
        check_machine(context, plan)
        write_config(context.run_dir, config)
        if worker[1] == 1:
            hashes.save()
        for name in names:
            run_step(context, name, plan, hashes)
            give_back_memory()
        if names[-1] == STEPS[-1]:
            from nemo_sdg.pipeline import finish as summary

            summary.finish(context)
    return context.run_dir


def require_sharing(names: list[str], worker: tuple[int, int]) -> None:
    """Raises ConfigError where several workers would all do the whole of a step, in the same files."""
    alone = [name for name in names if not hasattr(step_module(name), "flow_maker")]
    if worker[1] > 1 and alone:
        raise ConfigError(
            f"--worker shares questions, screened, answers and graded alone, got {', '.join(alone)}: name one of them "
            "with --only, and run the others without --worker"
        )


def tell_damaged_ledgers(context: Context) -> None:
    """A step whose ledger was cut off or edited is not finished: its shards are looked at, and only then the ledger is
    written again. Raises UnknownFields.
    """
    for step in context.steps:
        try:
            read_ledger(context.run_dir, step)
        except UnknownFields:
            raise
        except DataError as exc:
            context.progress.line(f"{step:<10} {exc}")


def look_ahead(config: RunConfig, *, redo: bool) -> None:
    """Raises the errors that a run of all steps would raise, before jobs are submitted. Writes nothing."""
    run_dir = Path(config.run.dir)
    check_configuration(config, configured_steps(config))
    require_named(config)
    context = Context(config=config, run_dir=run_dir, steps=configured_steps(config), progress=Progress(None))
    plan = make_plan(context.steps, config, run_dir, ContentHashes(full=False))
    if plan.redone and not redo:
        ask(context, plan, redo=False)


def ask(context: Context, plan: Plan, *, redo: bool) -> None:
    """Raises SdgError with the steps that would be redone and their cost, unless `redo` is true."""
    lines, following = [], []
    for name, changes in plan.redone.items():
        cost = describe_cost(context, plan, name)
        if changes or cost:
            lines.append(f"{name} ({'; '.join([*shown(changes), *([cost] if cost else [])])})")
        else:
            following.append(name)
    what = ", ".join(lines) + (f", then {', '.join(following)}" if following else "")
    if not redo:
        raise SdgError(
            f"{context.run_dir} holds results that would be redone: {what}; say yes with --redo, or choose another "
            "run.dir"
        )
    (context.run_dir / "manifest.json").unlink(missing_ok=True)
    context.progress.line(f"redone: {what}")
    for name in plan.redone:
        if hasattr(step_module(name), "flow_maker"):
            mark_redone(context.step_dir(name))


def look_at_lost(context: Context, names: list[str], *, redo: bool) -> None:
    """Reports the steps with lost requests; with `redo` makes their shards unfinished, so that these are sent again."""
    for name in names:
        folder = context.step_dir(name)
        lost = lost_requests(folder, context.worker) if hasattr(step_module(name), "flow_maker") else {}
        if not lost:
            continue
        what = f"{name}: {sum(lost.values()):,} requests in {len(lost):,} shards were lost to faults of the server"
        if redo:
            (context.run_dir / "manifest.json").unlink(missing_ok=True)
            ask_lost_again(folder, lost)
        context.progress.line(f"{what}, and are sent again" if redo else f"{what}; --redo sends them again")


def shown(changes: list[str]) -> list[str]:
    more = len(changes) - MAX_CHANGES
    return [*changes[:MAX_CHANGES], *([f"{more} more changes"] if more > 0 else [])]


def run_step(context: Context, name: str, plan: Plan, hashes: ContentHashes) -> None:
    """Does the unfinished part of a step, and writes its ledger when all its shards are finished."""
    begin, module = time.monotonic(), step_module(name)
    position = context.steps.index(name)
    wanted = plan.wanted[name]
    if position:
        previous = read_ledger(context.run_dir, context.steps[position - 1])
        if previous is None:
            raise SdgError(
                f"step {name} needs {context.steps[position - 1]}/, but other workers have not finished their "
                "shards; run again when they have"
            )
        if wanted.before != {previous.step: previous.identity}:  # the step before could not read all planned sources
            before = {previous.step: previous.identity}
            wanted = wanted_ledger(name, context.config, before, hashes, context.run_dir)
            context.fingerprints[name] = wanted.fingerprint
        if name in BY_SHARD:
            context.step_dir(name).keep_only(previous.shards)  # removes shards of an earlier run before they are read
    if known_unread(context.run_dir, name, wanted.fingerprint) != wanted.unread:
        (context.run_dir / "manifest.json").unlink(missing_ok=True)
        context.step_dir(name).keep_only([])  # sources that could not be read are read now
    shards = module.run(context)
    sealed = seal(context, wanted, module, shards)
    context.progress.line(step_line(context, name, time.monotonic() - begin))
    if not sealed:
        context.progress.line(f"{name:<10} other workers have not finished their shards yet")


def seal(context: Context, ledger: Ledger, module: Any, shards: list[str]) -> bool:
    """Writes the ledger of a step if all its shards are finished; returns whether they are."""
    folder = context.step_dir(ledger.step)
    lacking = [why for shard in shards if (why := folder.problem(shard, full=False)) is not None]
    if lacking and context.worker[1] > 1:
        return False
    if lacking:
        raise SdgError(f"{ledger.step} is not complete: {lacking[0]}; run the same command again")
    folder.keep_only(shards)
    ledger.unread = module.unread(context) if hasattr(module, "unread") else []
    ledger.identity = with_unread(ledger.fingerprint, ledger.unread)
    ledger.receipts, ledger.made_by = folder.receipt_hashes(), folder.made_by()
    known = usable_ledger(context.run_dir, ledger.step)
    if known is None or (known.identity, known.receipts) != (ledger.identity, ledger.receipts):
        ledger.write(context.run_dir)
    if hasattr(module, "flow_maker"):
        unmark_redone(folder)
    return True


def require_no_strangers(run_dir: Path) -> None:
    """Raises ConfigError if `run.dir` is a folder with files that no run wrote: a run could overwrite them, or treat
    them as its own.
    """
    if run_dir.exists() and not run_dir.is_dir():
        raise ConfigError(f"run.dir={run_dir} is a file; name a folder")
    if not run_dir.is_dir() or any((run_dir / step / "ledger.json").is_file() for step in STEPS):
        return
    known = {LOCK, WORKERS, "progress.jsonl", HASHES, "tensorboard", "wandb", "slurm", "report"}
    if (run_dir / LOCK).is_file():
        known |= {"config.yaml", "manifest.json", *STEPS}
    strangers = sorted(path.name for path in run_dir.iterdir() if path.name not in known)
    if strangers:
        raise ConfigError(
            f"run.dir={run_dir} holds files that no run wrote ({few(strangers, 3)}); name a new folder, or remove them"
        )


@contextlib.contextmanager
def open_run(config: RunConfig, *, worker: tuple[int, int], steps: list[str]) -> Iterator[Context]:
    """Opens or continues the run in `run.dir` and holds its lock. Raises SdgError when another process has the lock."""
    run_dir = Path(config.run.dir)
    require_no_strangers(run_dir)
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        (run_dir / LOCK).touch()
    except OSError as exc:
        raise SdgError(
            f"run.dir={run_dir} cannot be written: {exc.strerror or exc}; choose another with run.dir=..."
        ) from exc
    with run_lock(run_dir, worker, steps, notify=lambda line: print(line, file=sys.stderr)):
        if worker[1] == 1:
            remove_temporaries(run_dir)
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        quiet_libraries()
        name = f"{worker[0]}/{worker[1]}" if worker[1] > 1 else None
        trackers = open_trackers(config.run.trackers, run_dir)
        progress = Progress(run_dir / "progress.jsonl", every=config.run.progress_every, worker=name, trackers=trackers)
        try:
            for skipped in STEPS:
                if (why := why_skipped(skipped, config)) is not None:
                    progress.line(f"{skipped:<10} skipped: {why}")
            yield Context(
                config=config, run_dir=run_dir, steps=configured_steps(config), progress=progress, worker=worker
            )
        finally:
            for tracker in trackers:
                tracker.close()


def write_config(run_dir: Path, config: RunConfig) -> None:
    """Writes config.yaml, the run's current configuration. The configuration of each step is in the step's ledger."""
    import yaml

    text = yaml.safe_dump(shaping(config), sort_keys=False, allow_unicode=True).encode()
    path = run_dir / "config.yaml"
    if not path.is_file() or path.read_bytes() != text:
        write_bytes(path, text)


def step_line(context: Context, name: str, seconds: float) -> str:
    """One line for a finished step: records kept and dropped, time, most frequent reasons."""
    counts = context.step_dir(name).counts()
    dropped = total_dropped(counts)
    text = f"{name:<10} {total_kept(counts):>9,} kept {dropped.total():>8,} dropped  {format_seconds(seconds):>7}"
    return fit([text, *(f"{reason} {num:,}" for reason, num in ranked(dropped))], COLUMNS, between="  ")
