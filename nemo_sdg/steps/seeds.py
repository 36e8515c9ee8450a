"""Step 2: rows of the eligible training splits, rendered by lm-eval's rules.

    catalog/tasks.jsonl > seeds/evaluation/  every reachable evaluation split, rendered: what guard and decontamination
    compare with
                        > seeds/parts/       one file a dataset split, written in parallel, removed at the end
                        > seeds/shard-*.jsonl
                        > seeds/unread.json  sources that could not be read

The receipt of the last shard names seeds/unread.json and seeds/evaluation/unreachable.json too: with what a run could
not see taken out of them, it would seem to be compared with more than it was.

Ring 3 of the guard drops rows that are in an evaluation split.
"""

import functools
import shutil
from pathlib import Path
from typing import Any

from nemo_sdg.config import RunConfig, Verify
from nemo_sdg.errors import DataError
from nemo_sdg.execution.context import Context
from nemo_sdg.seeds.sources.rows import local_files, uses_hub
from nemo_sdg.steps import catalog
from nemo_sdg.steps.evaluation_splits import (
    UNREACHABLE,
    number_of,
    render_evaluation_splits,
    tasks_of,
    tell,
    todo,
    unreachable_splits,
)
from nemo_sdg.steps.seed_inputs import EVALUATION, inputs, readable_again, source_name
from nemo_sdg.steps.seed_parts import content_guard, gather, make_renderer
from nemo_sdg.storage import StepDir, read_json, read_jsonl, total_dropped, total_kept, write_json

UNREAD = "unread.json"

__all__ = ["SHAPES", "inputs", "readable_again", "run", "unread", "unread_of_shards"]

SHAPES = [
    "run.seed",
    "run.shard_size",
    "seeds.limit_per_task",
    "seeds.limit_per_family",
    "seeds.trust_remote_code",
    "guard.content",
    "guard.against",
]
READS = ["seeds.mirror", "seeds.hub", "seeds.lock"]


def run(context: Context) -> list[str]:
    target, evaluation, parts = (
        context.step_dir("seeds"),
        context.step_dir("seeds", EVALUATION),
        context.step_dir("seeds", "parts"),
    )
    catalog_path = context.before("seeds").path / "tasks.jsonl"
    if is_done(context, target, evaluation, catalog_path):
        require_all(context)
        shutil.rmtree(parts.path, ignore_errors=True)
        return target.shards()
    from nemo_sdg.seeds.build import plan_sources

    sources = plan_sources(catalog.load(context), context.config.seeds)
    require_hub(context.config, sources)
    unread = render_evaluation_splits(context, evaluation)
    render_training_splits(context, sources, parts, evaluation)
    tell_unusable(context, parts)
    unread += unread_sources(sources, parts)
    write_json(target.path / UNREAD, sorted(unread, key=lambda row: row["source"]))
    gather(context, target, parts, catalog_path, beside=[evaluation.path / UNREACHABLE, target.path / UNREAD])
    shutil.rmtree(parts.path)
    return target.shards()


def unread(context: Context) -> list[dict[str, str]]:
    """Sources that could not be read, with `why`: they are not drops, and the next run tries them again."""
    rows: list[dict[str, str]] = read_json(context.step_dir("seeds").path / UNREAD)
    return rows


def unread_of_shards(target: StepDir) -> list[dict[str, str]]:
    """As `unread`, for shards that are whole and have the fingerprint of `target`; else []."""
    last = last_shard(target)
    if last is None or not (target.path / UNREAD).is_file() or target.problem(last) is not None:
        return []
    rows: list[dict[str, str]] = read_json(target.path / UNREAD)
    return rows


def last_shard(target: StepDir) -> str | None:
    """The last shard, if its receipt counts the shards that are there."""
    shards = target.shards()
    receipt = target.receipt(shards[-1]) if shards else None
    return shards[-1] if receipt is not None and receipt.get("num_shards") == len(shards) else None


def unread_sources(sources: list[Any], parts: StepDir) -> list[dict[str, Any]]:
    return [
        {"source": source_name("training", sources[number_of(name)]), "why": why}
        for name in parts.shards()
        if (why := (parts.receipt(name) or {}).get("why")) is not None
    ]


def require_all(context: Context) -> None:
    """Raises ConfigError if an evaluation split of `guard.require` could not be read."""
    from nemo_sdg.catalog.guard import require_reachable
    from nemo_sdg.catalog.walk import build_catalog

    if context.config.guard.require:
        rows = build_catalog(context.config.seeds, context.config.guard)
        require_reachable(context.config.guard, tasks_of(unreachable_splits(context)), rows)


def require_hub(config: RunConfig, sources: list[Any]) -> None:
    """Raises DataError if all seeds come from the hub and it cannot be reached. Otherwise thousands of evaluation
    splits would be tried first.
    """
    from nemo_sdg.seeds.sources.hub import HubUnreachable, commit_of
    from nemo_sdg.seeds.sources.lock import locked_revision

    if not sources or not uses_hub(config.seeds) or any(local_files(source.split, config.seeds) for source in sources):
        return
    first = next((source for source in sources if not source.split.path.startswith("function:")), None)
    if first is not None and not first.split.located:
        try:
            commit_of(first.split, locked_revision(first.split, config.seeds.lock), first.tasks[0])
        except HubUnreachable as exc:
            raise DataError(f"there is no seed: {exc}") from exc
        except DataError:
            return  # only this split cannot be read; the others are tried, and each failure is reported


def is_done(context: Context, target: StepDir, evaluation: StepDir, catalog_path: Path) -> bool:
    """Whether the step is done: all shards that the last receipt counts are complete."""
    noted = (evaluation.path / UNREACHABLE).is_file() and (target.path / UNREAD).is_file()
    if last_shard(target) is None or not noted:
        return False
    inputs = {shard: [catalog_path] for shard in target.shards()}
    full = context.config.run.verify is Verify.full
    return not context.unfinished(target, inputs) and not any(
        evaluation.problem(shard, full=full) for shard in evaluation.shards()
    )


def render_training_splits(context: Context, sources: list[Any], parts: StepDir, evaluation: StepDir) -> None:
    """Renders each dataset split into one part, in a Curator stage. A split that could not be read is tried again."""
    from nemo_sdg.execution.stages import UnitStage

    units = [[name] for name in todo(parts, "part", sources)]
    files = [evaluation.shard_path(shard) for shard in evaluation.shards()]
    if units and context.config.guard.content:
        content_guard(context.config, files, parts)  # built here once, then opened by every worker
    make = functools.partial(make_renderer, context.config, sources, parts, files)
    first, total = f"reading {total_kept(evaluation.counts()):,} evaluation rows", len(sources)
    stages = [UnitStage("render", make)]
    context.run_stages("seeds", stages, units, target=parts, total=total, unit="dataset splits", first=first)


def tell_unusable(context: Context, parts: StepDir) -> None:
    """Prints one line for each dataset split that could not be read, or that gave no seed.

    Raises DataError if data differ from seeds.lock, if there is no seed at all, and under seeds.strict for any such
    split.
    """
    receipts = [receipt for receipt in map(parts.receipt, parts.shards()) if receipt]
    differing = [receipt["why"] for receipt in receipts if receipt.get("differs")]
    if differing:
        more = f"; and {len(differing) - 1} further dataset splits differ" if len(differing) > 1 else ""
        raise DataError(f"seeds.lock: {differing[0]}{more}")
    lines = [line for receipt in receipts if (line := unusable(receipt, parts)) is not None]
    more = f"; and {len(lines) - 1} more such dataset splits" if len(lines) > 1 else ""
    if not any(total_kept(receipt["counts"]) for receipt in receipts):
        raise DataError(f"there is no seed: {lines[0] if lines else 'all rows were dropped, see seeds/dropped'}{more}")
    if lines and context.config.seeds.strict:
        raise DataError(f"seeds.strict: {lines[0]}{more}")
    tell(context, lines, "see seeds/dropped/")


def unusable(receipt: dict[str, Any], parts: StepDir) -> str | None:
    """Why a part has no seeds, with its first drop as an example; None if it has seeds."""
    if "why" in receipt:
        return f"not read: {receipt['why']}"
    if total_kept(receipt["counts"]):
        return None
    first = next(iter(read_jsonl(parts.dropped_path(receipt["shard"]))), None)
    if first is None:
        return None
    source, reasons = receipt["source"], total_dropped(receipt["counts"])
    counted = ", ".join(f"{reason} {num}" for reason, num in reasons.most_common())
    row = (first.get("record") or {}).get("row")
    place = "the first" if row is None else f"row {row}"
    return (
        f"no seeds: task {source['task']}: none of the rows read of {source['dataset']} "
        f"({source['name'] or 'default'}), split {source['split']} makes a seed ({counted}); {place}: "
        f"{first['detail'] or first['reason']}; correct the data or the task file"
    )
