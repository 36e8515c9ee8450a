"""From the catalog to seeds: which dataset splits are read, how many rows of each, and what each row becomes.

    for source in plan_sources(catalog, seeds):            one per dataset split, whatever the number of tasks on it
        for record in render_source(source, seeds, 0):     Seed or Drop, in row order
        source.not_sampled                                 {task: rows beyond the limits}

A row that several tasks share is one seed that names them all. The rows of a limited sample are those whose hashed
position is lowest,
so that they are spread over the split and a larger limit keeps what a smaller one chose.
"""

import dataclasses
import hashlib
import heapq
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from nemo_sdg.catalog.walk import task_config
from nemo_sdg.config import SeedsSection
from nemo_sdg.errors import DataError
from nemo_sdg.records import CatalogRow, DatasetRow, Drop, EvaluationRow, Seed, content_id
from nemo_sdg.seeds.render import BATCH, Documents, Renderer, to_evaluation_row, to_seed
from nemo_sdg.seeds.row_fields import Unrenderable
from nemo_sdg.seeds.sources.lock import lock_entry, verify
from nemo_sdg.seeds.sources.rows import Damaged, Row, Rows
from nemo_sdg.seeds.sources.splits import (
    EvaluationSource,
    EvaluationSources,
    Source,
    evaluation_sources,
    open_source,
    plainest_first,
    plan_sources,
)

__all__ = [
    "EvaluationSource",
    "EvaluationSources",
    "Source",
    "evaluation_sources",
    "lock",
    "plan_sources",
    "render_evaluation",
    "render_source",
]

STEP = "seeds"
HEAD = 20
"""rows that must not all lack the same columns, else the task does not fit the data"""


def render_source(source: Source, seeds: SeedsSection, run_seed: int) -> Iterator[Seed | Drop]:
    """Seeds and drops of a source in row order.

    Raises DataError in one line when the source cannot be read, or when its first rows all lack a column that the task
    reads.
    """
    renderers = _renderers(source, seeds)
    rows = open_source(source, seeds)
    if seeds.lock is not None:
        verify(rows, source.split, seeds.lock, task=source.tasks[0])
    source.not_sampled = {}
    records = _records(source, renderers, rows, run_seed)
    head = list(itertools.islice(records, HEAD))
    if head and all(isinstance(record, Drop) and record.reason == "missing_column" for record in head):
        columns = ", ".join(sorted(head[0].record["columns"])) if isinstance(head[0], Drop) and head[0].record else ""
        raise DataError(
            f"task {source.tasks[0]}: {source.split} lacks a column that the task reads ({getattr(head[0], 'detail', None)}); "
            f"it has {columns}; mend the task file or the data"
        )
    yield from head
    yield from records


def _records(
    source: Source, renderers: list[tuple[Renderer, list[str]]], rows: Rows, run_seed: int
) -> Iterator[Seed | Drop]:
    for number, row, per_group in _documents(renderers, _sampled(source, rows)):
        dataset = _dataset_row(source, rows, number)
        yield from _seeds_of_row(source, dataset, row, per_group, run_seed)


def _dataset_row(source: Source, rows: Rows, number: int) -> DatasetRow:
    """For the generic builders the files are the dataset; of a function that makes rows, the part of its place that is
    no machine's.
    """
    split = source.split
    path = ",".join(split.data_files) or split.path
    if path.startswith("function:"):
        path = f"function:{'/'.join(path.split('/')[-2:])}"
    return DatasetRow(path=path, name=split.name, split=split.split, revision=rows.revision, row=number)


def lock(sources: list[Source], seeds: SeedsSection) -> tuple[list[dict[str, Any]], list[str]]:
    """Entries for lock.write_lock, and one line for each source that cannot be read. Reads every row."""
    entries, problems = [], []
    for source in sources:
        try:
            entries.append(lock_entry(source.split, open_source(source, dataclasses.replace(seeds, lock=None))))
        except DataError as exc:
            problems.append(str(exc))
    return entries, problems


def render_evaluation(source: EvaluationSource, seeds: SeedsSection) -> Iterator[EvaluationRow]:
    """The rows of an evaluation split. A row that its task's rules do not render is given as the texts that stand in
    it: it must not be missed.

    Raises DataError in one line when the split cannot be read.
    """
    renderer: Renderer | None = None
    for leaf in source.leaves:
        try:
            renderer = Renderer(leaf, task_config(leaf.task, seeds))
            break
        except (
            DataError
        ):  # this leaf's functions cannot be had: the next one's may, else the rows are given as their texts
            continue
    rows = open_source(source, seeds)
    leaf = renderer.leaf if renderer else source.leaves[0]
    plain = ((number, row) for number, row in rows if not isinstance(row, Damaged))
    documents: Iterable[Documents] = (
        renderer.documents(plain) if renderer else ((number, row, [row]) for number, row in plain)
    )
    for number, row, found in documents:
        dataset = _dataset_row(source, rows, number)
        if isinstance(found, Unrenderable) or not found or renderer is None:
            yield _as_texts(row, leaf, dataset)
            continue
        for document in found:
            try:
                yield to_evaluation_row(renderer.read(document), leaf, dataset)
            except Unrenderable:
                yield _as_texts(row, leaf, dataset)


def _as_texts(row: Row, leaf: CatalogRow, dataset: DatasetRow) -> EvaluationRow:
    question = "\n".join(dict.fromkeys(_texts(row)))
    return EvaluationRow(task=leaf.task, dataset=dataset, kind=leaf.kind, question=question)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _renderers(source: Source, seeds: SeedsSection) -> list[tuple[Renderer, list[str]]]:
    """One renderer for each process_docs on the split, with the tasks that have it; the first that has documents of a
    row renders it.

    Tasks of lm-eval's type multiple_choice come first: a chat or t5 wording of the same rows shows its options as text.
    """
    groups: list[tuple[Renderer, list[str]]] = []
    failures = []
    configs = {leaf.task: task_config(leaf.task, seeds) for leaf in source.leaves}
    for leaf in sorted(
        source.leaves,
        key=lambda leaf: (configs[leaf.task].get("output_type") != "multiple_choice", plainest_first(leaf.task)),
    ):
        try:
            renderer = Renderer(leaf, configs[leaf.task])
        except DataError as exc:
            failures.append(exc)
            continue
        for known, tasks in groups:
            if known.process_docs is renderer.process_docs:
                tasks.append(leaf.task)
                break
        else:
            groups.append((renderer, [leaf.task]))
    if not groups:
        raise failures[0]
    return groups


def _sampled(source: Source, rows: Rows) -> Iterator[tuple[int, Row | Damaged]]:
    """All rows, or those of the quota; memory is that of the quota, not of the split."""
    if source.quota is None:
        yield from rows
        return
    total = rows.count()
    if total is None:
        kept: list[tuple[int, int, Any]] = []
        total = 0
        for number, row in rows:
            total += 1
            entry = (-_rank(source, number), number, row)
            if len(kept) < source.quota:
                heapq.heappush(kept, entry)
            else:
                heapq.heappushpop(kept, entry)
        yield from sorted(((number, row) for _, number, row in kept), key=lambda item: item[0])
    elif source.quota >= total:
        yield from rows
    else:
        chosen = {
            number
            for _, number in heapq.nsmallest(source.quota, ((_rank(source, number), number) for number in range(total)))
        }
        yield from rows.only(chosen.__contains__)
    if total > source.quota:
        source.not_sampled = {source.tasks[0]: total - source.quota}


def _rank(source: Source, number: int) -> int:
    key = f"{source.split.path}\x00{source.split.name}\x00{source.split.split}\x00{source.split.data_files}\x00{number}"
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest())


PerGroup = list[tuple[Renderer, list[str], "list[Row] | Unrenderable"]]


def _documents(
    renderers: list[tuple[Renderer, list[str]]], rows: Iterator[tuple[int, Row | Damaged]]
) -> Iterator[tuple[int, Row | Damaged, PerGroup]]:
    """Each row with its documents under each renderer. Damaged rows pass through."""
    if len(renderers) == 1 and renderers[0][0].process_docs is None:
        ((renderer, tasks),) = renderers
        for number, row in rows:
            yield number, row, [] if isinstance(row, Damaged) else [(renderer, tasks, [row])]
        return
    batch: list[tuple[int, Row | Damaged]] = []
    while True:
        batch = [item for _, item in zip(range(BATCH), rows, strict=False)]
        if not batch:
            return
        whole = [(number, row) for number, row in batch if not isinstance(row, Damaged)]
        found = [{number: documents for number, _, documents in renderer.documents(whole)} for renderer, _ in renderers]
        for number, row in batch:
            groups = (
                []
                if isinstance(row, Damaged)
                else [
                    (renderer, tasks, by_row[number])
                    for (renderer, tasks), by_row in zip(renderers, found, strict=True)
                ]
            )
            yield number, row, groups


def _seeds_of_row(
    source: Source, dataset: DatasetRow, row: Row | Damaged, per_group: PerGroup, run_seed: int
) -> Iterator[Seed | Drop]:
    if isinstance(row, Damaged):
        yield _drop(source, dataset, "damaged_line", row.detail, None)
        return
    tasks = sorted((task for _, names, documents in per_group if documents for task in names), key=plainest_first)
    failure = Unrenderable("left_out_by_task", "process_docs leaves the row out")
    for renderer, _, documents in per_group:
        if isinstance(documents, Unrenderable):
            failure = documents
            continue
        made: list[Seed | Drop] = []
        for ordinal, document in enumerate(documents):
            try:
                made.append(
                    to_seed(renderer.read(document), renderer.leaf, tasks, dataset, ordinal=ordinal, run_seed=run_seed)
                )
            except Unrenderable as exc:
                failure = exc
                made.append(_drop(source, dataset, exc.reason, exc.detail, row, ordinal))
        if any(isinstance(record, Seed) for record in made):
            yield from made
            return
    yield _drop(source, dataset, failure.reason, failure.detail, row)


def _drop(
    source: Source, dataset: DatasetRow, reason: str, detail: str | None, row: Row | None, ordinal: int = 0
) -> Drop:
    identity = content_id(dataset.path, dataset.name, dataset.split, dataset.row, ordinal)
    return Drop(
        task=source.tasks[0],
        id=identity,
        step=STEP,
        reason=reason,
        detail=detail,
        record=None if row is None else {"row": dataset.row, "columns": _plain(row)},
    )


def _plain(row: Row) -> Any:
    """A row as it can stand in JSON: images, decimals and the like are named, not shown."""
    try:
        return orjson.loads(
            orjson.dumps(row, default=lambda value: f"<{type(value).__name__}>", option=orjson.OPT_NON_STR_KEYS)
        )
    except TypeError as exc:
        return f"<{exc}>"
