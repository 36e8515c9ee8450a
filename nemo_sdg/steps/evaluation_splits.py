"""Renders the evaluation splits for the guard and decontamination.

seeds/evaluation/split-00000.jsonl     one file for each split
seeds/evaluation/unreachable.json      splits that could not be read, each with `why`
"""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nemo_sdg.config import RunConfig
from nemo_sdg.errors import DataError
from nemo_sdg.execution.context import Context
from nemo_sdg.records import EvaluationRow
from nemo_sdg.records.lines import UnseenSplit
from nemo_sdg.steps import catalog
from nemo_sdg.steps.seed_inputs import EVALUATION, source_name
from nemo_sdg.storage import Counts, StepDir, read_json, read_jsonl, write_json, write_jsonl

UNREACHABLE = "unreachable.json"
NOT_TRIED = "was not tried"
"""reason of the splits that are not tried after the hub could not be reached"""
MAX_LINES = 10
"""maximum number of unreadable splits that are listed; the others are counted"""


def evaluation_files(context: Context) -> list[Path]:
    """The rendered evaluation splits of the run."""
    evaluation = context.step_dir("seeds", EVALUATION)
    return [evaluation.shard_path(shard) for shard in evaluation.shards()]


def unreachable_splits(context: Context) -> list[UnseenSplit]:
    """Evaluation splits that could not be read: task, dataset, split, why."""
    rows: list[UnseenSplit] = read_json(context.step_dir("seeds", EVALUATION).path / UNREACHABLE)
    return rows


def todo(target: StepDir, prefix: str, sources: list[Any]) -> list[str]:
    """Names of the sources, by their index in the list, that are not on disk yet. Files that an earlier start wrote for
    other sources are removed.
    """
    wanted = {f"{prefix}-{number:05d}": identity(source) for number, source in enumerate(sources)}
    for name in target.shards():
        receipt = target.receipt(name) or {}
        if receipt.get("source") != wanted.get(name) or "why" in receipt:
            target.receipt_path(name).unlink()
            target.shard_path(name).unlink(missing_ok=True)
    return [name for name in wanted if target.problem(name, inputs=[]) is not None]


def identity(source: Any) -> dict[str, Any]:
    """The entry of a source in its receipt: with other data in the mirror, another start may number the sources
    differently or give them other quotas.
    """
    return {**source.describe(), "quota": source.quota}


def number_of(name: str) -> int:
    return int(name.rpartition("-")[2])


def render_evaluation_splits(context: Context, evaluation: StepDir) -> list[dict[str, Any]]:
    """Renders the evaluation splits of guard.against in a Curator stage, and writes the list of unreachable splits.
    Returns those that exist and could not be read.
    """
    from nemo_sdg.catalog.guard import require_reachable
    from nemo_sdg.catalog.selection import compared
    from nemo_sdg.catalog.walk import build_catalog
    from nemo_sdg.execution.stages import UnitStage
    from nemo_sdg.seeds.sources.splits import evaluation_sources

    config = context.config
    rows = build_catalog(config.seeds, config.guard)
    sources = evaluation_sources(compared(rows, catalog.load(context), config.guard), config.seeds)
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
    lines, unread, num_not_tried = [], [], 0
    for name in evaluation.shards():
        receipt, source = evaluation.receipt(name) or {}, sources.reachable[number_of(name)]
        why = receipt.get("why")
        if receipt.get("unreadable"):
            lines.append(f"evaluation rows not read: {receipt['unreadable']}")
            unreachable.append({**source.describe(), "why": receipt["unreadable"]})
        if why is not None:
            if NOT_TRIED in why:
                num_not_tried += 1
            else:
                lines.append(f"evaluation split not read: {why}")
            unread.append({"source": source_name(EVALUATION, source), "why": why})
            unreachable.append({**source.describe(), "why": why})
            evaluation.receipt_path(name).unlink()
            evaluation.shard_path(name).unlink()
    if num_not_tried:
        lines.append(f"{num_not_tried} further evaluation splits were not tried: the hub cannot be reached")
    tell(context, lines, f"see {evaluation.relative(evaluation.path / UNREACHABLE)}")
    require_reachable(config.guard, tasks_of(unreachable), rows)
    evaluation.path.mkdir(parents=True, exist_ok=True)
    write_json(evaluation.path / UNREACHABLE, unreachable)
    return unread


def require_named(config: RunConfig) -> None:
    """Raises ConfigError where an evaluation split of `guard.require` cannot be had, before anything is read."""
    from nemo_sdg.catalog.guard import require_reachable
    from nemo_sdg.catalog.selection import compared, eligible
    from nemo_sdg.catalog.walk import build_catalog
    from nemo_sdg.seeds.sources.splits import evaluation_sources

    if config.guard.require:
        rows = build_catalog(config.seeds, config.guard)
        chosen = eligible(rows, config.seeds.wanted)
        found = evaluation_sources(compared(rows, chosen, config.guard), config.seeds)
        require_reachable(config.guard, tasks_of(found.unreachable), rows)


def tasks_of(splits: list[UnseenSplit]) -> list[str]:
    return [task for split in splits for task in split["tasks"]]


def make_evaluation_renderer(config: RunConfig, sources: list[Any], evaluation: StepDir) -> Callable[[list[str]], None]:
    """The function that renders one evaluation split. If a split cannot be read, its receipt says why."""
    from nemo_sdg.seeds.evaluation_rows.cache import EvaluationCache
    from nemo_sdg.seeds.evaluation_rows.render import render_evaluation

    cache = EvaluationCache(config.guard)

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
            key = cache.key(source, config.seeds)
            known = None if key is None else cache.get(key)
            if known is not None:
                facts = write_jsonl(path, read_jsonl(known.path))
                source.unreadable = known.unreadable
                for task, num in known.rows.items():
                    counts.keep(task, num)
            else:
                facts = write_jsonl(path, counted())
                if key is not None:
                    cache.put(key, source, path, {task: row["kept"] for task, row in counts.as_dict().items()})
            if source.unreadable:
                extra["unreadable"] = unreadable(source)
        except DataError as exc:
            counts, extra["why"] = Counts(), str(exc)
            facts = write_jsonl(path, [])
        evaluation.write_receipt(name, {evaluation.relative(path): facts}, counts.as_dict(), extra=extra)

    return render


def unreadable(source: Any) -> str:
    """`task x: 2 rows of a.jsonl, split test cannot be read (row 3: …)`."""
    num = len(source.unreadable)
    return (
        f"task {source.tasks[0]}: {num} row{'s' if num > 1 else ''} of {source.split} cannot be read "
        f"({source.unreadable[0]}); correct the file"
    )


def tell(context: Context, lines: list[str], where: str) -> None:
    for line in lines[:MAX_LINES]:
        context.progress.line(line)
    if len(lines) > MAX_LINES:
        context.progress.line(f"and {len(lines) - MAX_LINES} more such splits, {where}")
