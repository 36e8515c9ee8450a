"""The parts of the step seeds: one file per dataset split, written in parallel, and joined to shards at the end.

part-00003.jsonl      seeds of one source
part-00003.keys       their questions, as 64-bit keys
"""

import contextlib
import functools
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.config import RunConfig
from nemo_sdg.errors import DataError
from nemo_sdg.execution.context import Context
from nemo_sdg.records import Drop, Seed, json_line, seed_from_dict
from nemo_sdg.steps.evaluation_splits import identity, number_of
from nemo_sdg.storage import SHARD_FORMAT, Counts, StepDir, file_facts, read_jsonl, write_jsonl


def make_renderer(
    config: RunConfig, sources: list[Any], parts: StepDir, evaluation: list[Path]
) -> Callable[[list[str]], None]:
    """The function that renders one part; made once per worker."""
    from nemo_sdg.seeds.build import render_source
    from nemo_sdg.seeds.duplicates import REASON, Duplicates
    from nemo_sdg.seeds.golds.conflicts import ConflictingGolds, Conflicts
    from nemo_sdg.seeds.sources.lock import DiffersFromLock

    guard = content_guard(config, evaluation, parts) if config.guard.content else None

    def render(names: list[str]) -> None:
        (name,) = names
        source = sources[number_of(name)]
        counts, drops, extra = Counts(), DropSpool(), dict[str, Any](source=identity(source))
        golds, rows = ConflictingGolds(), Duplicates()

        def kept() -> Iterator[Seed]:
            for record in render_source(source, config.seeds, config.run.seed, guard, rows):
                if isinstance(record, Drop):
                    counts.drop(record.task, record.reason)
                    drops.add(record)
                else:
                    counts.keep(record.task)
                    golds.add(record)
                    yield record

        def without(conflicting: Conflicts) -> Iterator[Seed]:
            for record in read_jsonl(path):
                seed = seed_from_dict(record)
                row, why = rows.first_row(seed), conflicting.why(seed)
                if why is not None:
                    drop = conflict(record, why)
                elif row is not None:
                    drop = refuse(record, REASON, f"row {row} is the same")
                else:
                    yield seed
                    continue
                counts.keep(seed.task, -1)
                counts.drop(seed.task, drop.reason)
                drops.add(drop)

        path = parts.shard_path(name)
        keys_path(parts, name).unlink(missing_ok=True)
        try:
            facts = {parts.relative(path): write_jsonl(path, kept())}
            conflicting = golds.find(lambda: map(seed_from_dict, read_jsonl(path)))
            if rows.close() or conflicting:
                facts = {parts.relative(path): write_jsonl(path, without(conflicting))}
        except DataError as exc:
            extra |= {"why": str(exc), "differs": isinstance(exc, DiffersFromLock)}
            counts, drops = Counts(), DropSpool()
            facts = {parts.relative(path): write_jsonl(path, [])}
            golds = ConflictingGolds()
        golds.save(keys_path(parts, name))
        for task, num in sorted(source.not_sampled.items()):
            counts.not_sampled(task, num)
        facts[parts.relative(parts.dropped_path(name))] = write_jsonl(parts.dropped_path(name), drops)
        parts.write_receipt(name, facts, counts.as_dict(), extra=extra)

    return render


def content_guard(config: RunConfig, evaluation: list[Path], parts: StepDir) -> Any:
    """Opens the index of the evaluation rows in the cache that runs share, or in the run's folder if that cache cannot
    be written.
    """
    from nemo_sdg.seeds.content.guard import ContentGuard
    from nemo_sdg.seeds.evaluation_rows.cache import EvaluationCache
    from nemo_sdg.seeds.evaluation_rows.stored_index import stored_index

    try:
        return ContentGuard.open(stored_index(evaluation, EvaluationCache(config.guard).folder))
    except OSError:
        return ContentGuard.open(stored_index(evaluation, parts.path))


class DropSpool:
    """Drops in an unnamed temporary file, so that they do not take memory."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115

    def add(self, drop: Drop) -> None:
        self._file.write(json_line(drop))

    def __iter__(self) -> Iterator[Drop]:
        self._file.seek(0)
        for line in self._file:
            yield Drop(**orjson.loads(line))


def keys_path(parts: StepDir, name: str) -> Path:
    return parts.path / f"{name}.keys"


def conflict(record: dict[str, Any], why: str) -> Drop:
    """The drop of a seed whose question has a different answer in another row."""
    return refuse(record, "conflicting_gold", why)


def refuse(record: dict[str, Any], reason: str, why: str) -> Drop:
    return Drop(task=record["task"], id=record["seed_id"], step="seeds", reason=reason, detail=why, record=record)


def conflicts_across_parts(parts: StepDir) -> dict[str, str]:
    """Id of each seed that another split of its dataset contradicts -> an explanation."""
    from nemo_sdg.seeds.golds.conflicts import SplitQuestions, conflicts_across

    splits = []
    for part in parts.shards():
        source, keys = (parts.receipt(part) or {})["source"], keys_path(parts, part)
        read = functools.partial(_seeds_of, parts.shard_path(part))
        splits.append(SplitQuestions(dataset=source["dataset"], keys=keys, seeds=read))
    return conflicts_across(splits)


def _seeds_of(path: Path) -> Iterator[Seed]:
    return map(seed_from_dict, read_jsonl(path))


def gather(context: Context, target: StepDir, parts: StepDir, catalog_path: Path, beside: Iterable[Path]) -> None:
    """Joins the parts, in order, to shards of equal size. A part's drops go to the shard of its first rows. Seeds of
    two splits of one dataset with the same question and different answers are dropped. The last receipt names the
    files `beside` the shards.
    """
    conflicting = conflicts_across_parts(parts)
    size = context.config.run.shard_size
    shutil.rmtree(target.path / "receipts", ignore_errors=True)
    number = 0
    with contextlib.ExitStack() as stack:
        shard = stack.enter_context(target.open_shard(SHARD_FORMAT.format(number), inputs=[catalog_path]))
        for part in parts.shards():
            for drop in read_jsonl(parts.dropped_path(part)):
                shard.drop(Drop(**drop))
            for task, row in (parts.receipt(part) or {"counts": {}})["counts"].items():
                if row["not_sampled"]:
                    shard.counts.not_sampled(task, row["not_sampled"])
            for record in read_jsonl(parts.shard_path(part)):
                if shard.kept.rows == size:
                    stack.close()
                    number += 1
                    shard = stack.enter_context(target.open_shard(SHARD_FORMAT.format(number), inputs=[catalog_path]))
                why = conflicting.get(record["seed_id"])
                if why is None:
                    shard.keep(record["task"], record)
                else:
                    shard.drop(conflict(record, why))
        shard.extra = {"num_shards": number + 1}
        shard.beside = {target.relative(path): file_facts(path) for path in beside}
