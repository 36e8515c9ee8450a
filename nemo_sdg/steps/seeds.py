"""Step 2: rows of the eligible training splits, rendered by lm-eval's own rules.

    catalog/tasks.jsonl > seeds/evaluation/  every reachable evaluation split, rendered: what guard and decontamination compare with
                        > seeds/parts/       one file a dataset split, written in parallel, removed at the end
                        > seeds/shard-*.jsonl

Ring 3 of the guard drops rows that stand in an evaluation split.
"""

import dataclasses
import functools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nemo_sdg.config import RunConfig
from nemo_sdg.context import Context
from nemo_sdg.errors import DataError
from nemo_sdg.records import CatalogRow, Drop, Seed, evaluation_row_from_dict
from nemo_sdg.steps import catalog
from nemo_sdg.store import SHARD_FORMAT, Counts, StepDir, read_json, read_jsonl, write_json, write_jsonl

EVALUATION = "evaluation"
UNREACHABLE = "unreachable.json"


def run(context: Context) -> None:
    target, evaluation, parts = context.step_dir("seeds"), context.step_dir("seeds", EVALUATION), context.step_dir("seeds", "parts")
    catalog_path = context.step_dir("catalog").path / "tasks.jsonl"
    if is_done(context, target, evaluation, catalog_path):
        return
    render_evaluation_splits(context, evaluation)
    render_training_splits(context, parts, evaluation)
    gather(context, target, parts, catalog_path)
    shutil.rmtree(parts.path)


def is_done(context: Context, target: StepDir, evaluation: StepDir, catalog_path: Path) -> bool:
    """All shards that the last receipt speaks of are whole."""
    shards = target.shards()
    last = target.receipt(shards[-1]) if shards else None
    if last is None or last.get("num_shards") != len(shards) or not (evaluation.path / UNREACHABLE).is_file():
        return False
    inputs = {shard: [catalog_path] for shard in shards}
    return not context.unfinished(target, inputs) and not any(evaluation.problem(shard) for shard in evaluation.shards())


def evaluation_files(context: Context) -> list[Path]:
    """The rendered evaluation splits of the run."""
    evaluation = context.step_dir("seeds", EVALUATION)
    return [evaluation.shard_path(shard) for shard in evaluation.shards()]


def unreachable_splits(context: Context) -> list[dict[str, Any]]:
    """Evaluation splits that could not be read: task, dataset, split, why."""
    rows: list[dict[str, Any]] = read_json(context.step_dir("seeds", EVALUATION).path / UNREACHABLE)
    return rows


def render_evaluation_splits(context: Context, evaluation: StepDir) -> None:
    """Renders every evaluation split of every lm-eval task that can be reached; lists the others."""
    from nemo_sdg.seeds.build import evaluation_sources
    from nemo_sdg.seeds.catalog import build_catalog
    from nemo_sdg.seeds.guard import require_reachable

    config = context.config
    catalog_rows = build_catalog(config.seeds, config.guard)
    sources = evaluation_sources(catalog_rows, config.seeds)
    shutil.rmtree(evaluation.path, ignore_errors=True)
    unreachable = [*sources.unreachable]
    with context.progress.step("evaluation splits", len(sources.reachable), "splits") as state:
        for number, source in enumerate(sources.reachable):
            shard, counts = f"split-{number:05d}", Counts()
            try:
                facts = write_jsonl(evaluation.shard_path(shard), counted(source, config, counts))
            except DataError as exc:
                unreachable.append({**source.describe(), "why": str(exc)})
            else:
                evaluation.write_receipt(shard, {evaluation.relative(evaluation.shard_path(shard)): facts}, counts.as_dict())
            state.advance()
    require_reachable(config.guard, [task for split in unreachable for task in split["tasks"]], catalog_rows)
    evaluation.path.mkdir(parents=True, exist_ok=True)
    write_json(evaluation.path / UNREACHABLE, unreachable)


def counted(source: Any, config: RunConfig, counts: Counts) -> Iterator[Any]:
    from nemo_sdg.seeds.build import render_evaluation

    for row in render_evaluation(source, config.seeds):
        counts.keep(row.task)
        yield row


def render_training_splits(context: Context, parts: StepDir, evaluation: StepDir) -> None:
    """Renders each dataset split into a part of its own, as a Curator stage."""
    from nemo_sdg.seeds.build import plan_sources
    from nemo_sdg.stages import UnitStage

    rows = catalog.load(context)
    num_sources = len(plan_sources(rows, context.config.seeds))
    todo = [name for name in part_names(num_sources) if parts.problem(name, inputs=[]) is not None]
    make = functools.partial(make_renderer, context.config, rows, parts, [evaluation.shard_path(s) for s in evaluation.shards()])
    context.run_stages("seeds", [UnitStage("render", make)], [[name] for name in todo], target=parts, total=num_sources, unit="dataset splits")


def part_names(num: int) -> list[str]:
    return [f"part-{number:05d}" for number in range(num)]


def make_renderer(config: RunConfig, rows: list[CatalogRow], parts: StepDir, evaluation: list[Path]) -> Callable[[list[str]], None]:
    """The function that renders one part; built once per worker, since it holds the hashes of all evaluation rows."""
    from nemo_sdg.seeds.build import plan_sources, render_source
    from nemo_sdg.seeds.guard import ContentGuard

    sources = plan_sources(rows, config.seeds)
    guard = ContentGuard(evaluation_row_from_dict(record) for path in evaluation for record in read_jsonl(path)) if config.guard.content else None

    def render(names: list[str]) -> None:
        (name,) = names
        source = sources[int(name.removeprefix("part-"))]
        counts, drops = Counts(), list[Drop]()

        def kept() -> Iterator[Seed]:
            for record in render_source(source, config.seeds, config.run.seed):
                leak = guard.match(record) if guard is not None and isinstance(record, Seed) else None
                if isinstance(record, Seed) and leak is not None:
                    record = Drop(
                        task=record.task, id=record.seed_id, step="seeds", reason="in_evaluation_split", detail=leak, record=dataclasses.asdict(record)
                    )
                if isinstance(record, Drop):
                    counts.drop(record.task, record.reason)
                    drops.append(record)
                else:
                    counts.keep(record.task)
                    yield record

        try:
            facts = {parts.relative(parts.shard_path(name)): write_jsonl(parts.shard_path(name), kept())}
        except DataError as exc:
            counts, drops = Counts(), [Drop(task=source.tasks[0], id=name, step="seeds", reason="unreadable_source", detail=str(exc))]
            counts.drop(source.tasks[0], "unreadable_source")
            facts = {parts.relative(parts.shard_path(name)): write_jsonl(parts.shard_path(name), [])}
        for task, num in sorted(source.not_sampled.items()):
            counts.not_sampled(task, num)
        facts[parts.relative(parts.dropped_path(name))] = write_jsonl(parts.dropped_path(name), drops)
        parts.write_receipt(name, facts, counts.as_dict())

    return render


def gather(context: Context, target: StepDir, parts: StepDir, catalog_path: Path) -> None:
    """Puts the parts, in order, into shards of equal size. A part's drops stand in the shard that holds its first rows."""
    size = context.config.run.shard_size
    shutil.rmtree(target.path / "receipts", ignore_errors=True)
    number, kept, dropped, counts = 0, list[dict[str, Any]](), list[dict[str, Any]](), Counts()

    def flush(num_shards: int | None) -> None:
        nonlocal number, kept, dropped, counts
        extra = {} if num_shards is None else {"num_shards": num_shards}
        target.write_shard(SHARD_FORMAT.format(number), kept, (Drop(**drop) for drop in dropped), counts, inputs=[catalog_path], extra=extra)
        number, kept, dropped, counts = number + 1, [], [], Counts()

    for part in parts.shards():
        for drop in read_jsonl(parts.dropped_path(part)):
            dropped.append(drop)
            counts.drop(drop["task"], drop["reason"])
        receipt = parts.receipt(part)
        for task, row in (receipt or {"counts": {}})["counts"].items():
            if row["not_sampled"]:
                counts.not_sampled(task, row["not_sampled"])
        for record in read_jsonl(parts.shard_path(part)):
            if len(kept) == size:
                flush(None)
            kept.append(record)
            counts.keep(record["task"])
    flush(number + 1)
