"""Step 2: rows of the eligible training splits, rendered by lm-eval's own rules.

    catalog/tasks.jsonl > seeds/evaluation/  every reachable evaluation split, rendered: what guard and decontamination
    compare with
                        > seeds/parts/       one file a dataset split, written in parallel, removed at the end
                        > seeds/shard-*.jsonl

Ring 3 of the guard drops rows that stand in an evaluation split.
"""

import dataclasses
import functools
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.config import RunConfig
from nemo_sdg.errors import DataError
from nemo_sdg.execution.context import Context
from nemo_sdg.records import Drop, EvaluationRow, Seed, evaluation_row_from_dict, json_line, seed_from_dict
from nemo_sdg.steps import catalog
from nemo_sdg.storage import SHARD_FORMAT, Counts, StepDir, read_json, read_jsonl, write_json, write_jsonl

EVALUATION = "evaluation"
UNREACHABLE = "unreachable.json"
UNREADABLE = "unreadable_source"
MAX_LINES = 10
"""of splits that could not be read; the others are counted"""


def run(context: Context) -> None:
    target, evaluation, parts = (
        context.step_dir("seeds"),
        context.step_dir("seeds", EVALUATION),
        context.step_dir("seeds", "parts"),
    )
    catalog_path = context.step_dir("catalog").path / "tasks.jsonl"
    if is_done(context, target, evaluation, catalog_path):
        return
    from nemo_sdg.seeds.build import plan_sources

    sources = plan_sources(catalog.load(context), context.config.seeds)
    render_evaluation_splits(context, evaluation)
    render_training_splits(context, sources, parts, evaluation)
    tell_unusable(context, parts)
    gather(context, target, parts, catalog_path)
    shutil.rmtree(parts.path)


def is_done(context: Context, target: StepDir, evaluation: StepDir, catalog_path: Path) -> bool:
    """All shards that the last receipt speaks of are whole."""
    shards = target.shards()
    last = target.receipt(shards[-1]) if shards else None
    if last is None or last.get("num_shards") != len(shards) or not (evaluation.path / UNREACHABLE).is_file():
        return False
    inputs = {shard: [catalog_path] for shard in shards}
    return not context.unfinished(target, inputs) and not any(
        evaluation.problem(shard) for shard in evaluation.shards()
    )


def evaluation_files(context: Context) -> list[Path]:
    """The rendered evaluation splits of the run."""
    evaluation = context.step_dir("seeds", EVALUATION)
    return [evaluation.shard_path(shard) for shard in evaluation.shards()]


def unreachable_splits(context: Context) -> list[dict[str, Any]]:
    """Evaluation splits that could not be read: task, dataset, split, why."""
    rows: list[dict[str, Any]] = read_json(context.step_dir("seeds", EVALUATION).path / UNREACHABLE)
    return rows


def todo(target: StepDir, prefix: str, sources: list[Any]) -> list[str]:
    """Names of the sources, by their place in the list, that are not on disk yet; what an earlier start left of other
    sources is taken away.
    """
    wanted = {f"{prefix}-{number:05d}": identity(source) for number, source in enumerate(sources)}
    for name in target.shards():
        receipt = target.receipt(name) or {}
        if receipt.get("source") != wanted.get(name) or "why" in receipt:
            target.receipt_path(name).unlink()
            target.shard_path(name).unlink(missing_ok=True)
    return [name for name in wanted if target.problem(name, inputs=[]) is not None]


def identity(source: Any) -> dict[str, Any]:
    """What a receipt says of the source: another start, with other data in the mirror, may number or share them out
    otherwise.
    """
    return {**source.describe(), "quota": source.quota}


def number_of(name: str) -> int:
    return int(name.rpartition("-")[2])


def render_evaluation_splits(context: Context, evaluation: StepDir) -> None:
    """Renders what any task of lm-eval evaluates on, as a Curator stage, and lists what could not be reached."""
    from nemo_sdg.catalog.guard import require_reachable
    from nemo_sdg.catalog.walk import build_catalog
    from nemo_sdg.execution.stages import UnitStage
    from nemo_sdg.seeds.build import evaluation_sources

    config = context.config
    rows = build_catalog(config.seeds, config.guard)
    sources = evaluation_sources(rows, config.seeds)
    unreachable = [*sources.unreachable]
    require_reachable(config.guard, tasks_of(unreachable), rows)
    units = [[name] for name in todo(evaluation, "split", sources.reachable)]
    make = functools.partial(make_evaluation_renderer, config, sources.reachable, evaluation)
    context.run_stages(
        "evaluation splits",
        [UnitStage("evaluation", make)],
        units,
        target=evaluation,
        total=len(sources.reachable),
        unit="splits",
    )
    lines = []
    for name in evaluation.shards():
        why = (evaluation.receipt(name) or {}).get("why")
        if why is not None:
            lines.append(f"evaluation split not read: {why}")
            unreachable.append({**sources.reachable[number_of(name)].describe(), "why": why})
            evaluation.receipt_path(name).unlink()
            evaluation.shard_path(name).unlink()
    tell(context, lines, f"see {evaluation.relative(evaluation.path / UNREACHABLE)}")
    require_reachable(config.guard, tasks_of(unreachable), rows)
    evaluation.path.mkdir(parents=True, exist_ok=True)
    write_json(evaluation.path / UNREACHABLE, unreachable)


def tasks_of(splits: list[dict[str, Any]]) -> list[str]:
    return [task for split in splits for task in split["tasks"]]


def make_evaluation_renderer(config: RunConfig, sources: list[Any], evaluation: StepDir) -> Callable[[list[str]], None]:
    """The function that renders one evaluation split. The receipt of one that cannot be read says why."""
    from nemo_sdg.seeds.build import render_evaluation

    def render(names: list[str]) -> None:
        (name,) = names
        source = sources[number_of(name)]
        counts, extra = Counts(), dict[str, Any](source=identity(source))

        def counted() -> Iterator[EvaluationRow]:
            for row in render_evaluation(source, config.seeds):
                counts.keep(row.task)
                yield row

        path = evaluation.shard_path(name)
        try:
            facts = write_jsonl(path, counted())
        except DataError as exc:
            counts, extra["why"] = Counts(), str(exc)
            facts = write_jsonl(path, [])
        evaluation.write_receipt(name, {evaluation.relative(path): facts}, counts.as_dict(), extra=extra)

    return render


def render_training_splits(context: Context, sources: list[Any], parts: StepDir, evaluation: StepDir) -> None:
    """Renders each dataset split into a part of its own, as a Curator stage. A split that could not be read is tried
    again.
    """
    from nemo_sdg.execution.stages import UnitStage

    units = [[name] for name in todo(parts, "part", sources)]
    make = functools.partial(
        make_renderer, context.config, sources, parts, [evaluation.shard_path(s) for s in evaluation.shards()]
    )
    context.run_stages(
        "seeds", [UnitStage("render", make)], units, target=parts, total=len(sources), unit="dataset splits"
    )


def make_renderer(
    config: RunConfig, sources: list[Any], parts: StepDir, evaluation: list[Path]
) -> Callable[[list[str]], None]:
    """The function that renders one part; built once per worker, since it holds the hashes of all evaluation rows."""
    from nemo_sdg.seeds.build import render_source
    from nemo_sdg.seeds.conflicts import ConflictingGolds
    from nemo_sdg.seeds.content import ContentGuard
    from nemo_sdg.seeds.sources.lock import DiffersFromLock

    guard = (
        ContentGuard(evaluation_row_from_dict(record) for path in evaluation for record in read_jsonl(path))
        if config.guard.content
        else None
    )

    def render(names: list[str]) -> None:
        (name,) = names
        source = sources[number_of(name)]
        counts, drops, extra = Counts(), DropSpool(), dict[str, Any](source=identity(source))
        golds = ConflictingGolds()

        def kept() -> Iterator[Seed]:
            for record in render_source(source, config.seeds, config.run.seed):
                leak = guard.match(record) if guard is not None and isinstance(record, Seed) else None
                if isinstance(record, Seed) and leak is not None:
                    record = Drop(
                        task=record.task,
                        id=record.seed_id,
                        step="seeds",
                        reason="in_evaluation_split",
                        detail=leak,
                        record=dataclasses.asdict(record),
                    )
                if isinstance(record, Drop):
                    counts.drop(record.task, record.reason)
                    drops.add(record)
                else:
                    counts.keep(record.task)
                    golds.add(record)
                    yield record

        def without(conflicting: dict[str, str]) -> Iterator[Seed]:
            for record in read_jsonl(path):
                seed = seed_from_dict(record)
                if seed.seed_id not in conflicting:
                    yield seed
                    continue
                counts.keep(seed.task, -1)
                counts.drop(seed.task, "conflicting_gold")
                drops.add(
                    Drop(
                        task=seed.task,
                        id=seed.seed_id,
                        step="seeds",
                        reason="conflicting_gold",
                        detail=conflicting[seed.seed_id],
                        record=record,
                    )
                )

        path = parts.shard_path(name)
        try:
            facts = {parts.relative(path): write_jsonl(path, kept())}
            conflicting = golds.find(lambda: map(seed_from_dict, read_jsonl(path)))
            if conflicting:
                facts = {parts.relative(path): write_jsonl(path, without(conflicting))}
        except DataError as exc:
            extra |= {"why": str(exc), "differs": isinstance(exc, DiffersFromLock)}
            counts, drops = Counts(), DropSpool()
            drops.add(Drop(task=source.tasks[0], id=name, step="seeds", reason=UNREADABLE, detail=str(exc)))
            counts.drop(source.tasks[0], UNREADABLE)
            facts = {parts.relative(path): write_jsonl(path, [])}
        for task, num in sorted(source.not_sampled.items()):
            counts.not_sampled(task, num)
        facts[parts.relative(parts.dropped_path(name))] = write_jsonl(parts.dropped_path(name), drops)
        parts.write_receipt(name, facts, counts.as_dict(), extra=extra)

    return render


class DropSpool:
    """Drops in a file that has no name: memory does not grow with them."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115

    def add(self, drop: Drop) -> None:
        self._file.write(json_line(drop))

    def __iter__(self) -> Iterator[Drop]:
        self._file.seek(0)
        for line in self._file:
            yield Drop(**orjson.loads(line))


def tell_unusable(context: Context, parts: StepDir) -> None:
    """One line for each dataset split that could not be read, or of which no row made a seed.

    Raises DataError when data differ from seeds.lock, or when there is no seed at all.
    """
    receipts = [receipt for receipt in map(parts.receipt, parts.shards()) if receipt]
    differing = [receipt["why"] for receipt in receipts if receipt.get("differs")]
    if differing:
        more = f"; and {len(differing) - 1} further dataset splits differ" if len(differing) > 1 else ""
        raise DataError(f"seeds.lock: {differing[0]}{more}")
    lines = [line for receipt in receipts if (line := unusable(receipt, parts)) is not None]
    if not any(row["kept"] for receipt in receipts for row in receipt["counts"].values()):
        more = f"; and so with {len(lines) - 1} other dataset splits" if len(lines) > 1 else ""
        raise DataError(f"there is no seed: {lines[0] if lines else 'all rows were dropped, see seeds/dropped'}{more}")
    tell(context, lines, "see seeds/dropped/")


def tell(context: Context, lines: list[str], where: str) -> None:
    for line in lines[:MAX_LINES]:
        context.progress.line(line)
    if len(lines) > MAX_LINES:
        context.progress.line(f"and so with {len(lines) - MAX_LINES} further splits, {where}")


def unusable(receipt: dict[str, Any], parts: StepDir) -> str | None:
    """Why a part has no seeds, with the first of its drops as an example; None where it has some."""
    if "why" in receipt:
        return f"not read: {receipt['why']}"
    if any(row["kept"] for row in receipt["counts"].values()):
        return None
    first = next(iter(read_jsonl(parts.dropped_path(receipt["shard"]))), None)
    if first is None:
        return None
    source, reasons = receipt["source"], Counter[str]()
    for row in receipt["counts"].values():
        reasons.update(row["dropped"])
    counted = ", ".join(f"{reason} {num}" for reason, num in reasons.most_common())
    return (
        f"no seeds: task {source['task']}: no row of {source['dataset']} ({source['name'] or 'default'}), split {source['split']} makes one ({counted}); "
        f"the first says: {first['detail'] or first['reason']}; mend the data or the task file"
    )


def gather(context: Context, target: StepDir, parts: StepDir, catalog_path: Path) -> None:
    """Puts the parts, in order, into shards of equal size. A part's drops stand in the shard that holds its first
    rows.
    """
    size = context.config.run.shard_size
    shutil.rmtree(target.path / "receipts", ignore_errors=True)
    number, kept, dropped, counts = 0, list[dict[str, Any]](), DropSpool(), Counts()

    def flush(num_shards: int | None) -> None:
        nonlocal number, kept, dropped, counts
        extra = {} if num_shards is None else {"num_shards": num_shards}
        target.write_shard(SHARD_FORMAT.format(number), kept, dropped, counts, inputs=[catalog_path], extra=extra)
        number, kept, dropped, counts = number + 1, [], DropSpool(), Counts()

    for part in parts.shards():
        for drop in read_jsonl(parts.dropped_path(part)):
            dropped.add(Drop(**drop))
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
