"""Makes seeds from the catalog: decides which dataset splits are read and how many rows of each, and renders the rows.

    for source in plan_sources(catalog, seeds):            one per dataset split, whatever the number of tasks on it
        for record in render_source(source, seeds, 0):     Seed or Drop, in row order
        source.not_sampled                                 {task: rows beyond the limits}

A question that several tasks ask of a row is one seed that names them all; tasks that ask different things of a row
give a seed each. The rows of a limited sample are those whose hashed position is lowest, so that they are spread over
the split and a larger limit keeps what a smaller one chose.
"""

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from nemo_sdg.config import SeedsSection
from nemo_sdg.errors import DataError
from nemo_sdg.records import DatasetRow, Drop, Seed, content_id, to_dict
from nemo_sdg.seeds.content.guard import ContentGuard
from nemo_sdg.seeds.content.texts import leaves
from nemo_sdg.seeds.duplicates import Duplicates
from nemo_sdg.seeds.fields.reading import Unrenderable
from nemo_sdg.seeds.golds.numbering import GoldNumbers
from nemo_sdg.seeds.questions import STEP, Question, questions_of
from nemo_sdg.seeds.render import to_seed
from nemo_sdg.seeds.row_sample import PerQuestion, documents_of_source
from nemo_sdg.seeds.sources.lock import verify
from nemo_sdg.seeds.sources.rows import Damaged, Row, Rows
from nemo_sdg.seeds.sources.splits import Source, open_source, plainest_first, plan_sources

__all__ = ["Source", "plan_sources", "render_source"]

HEAD = 20
"""rows that must not all lack the same columns, else the task does not fit the data"""


RowRecords = list[Seed | Drop]
HeldRow = tuple[DatasetRow, Row, RowRecords]


def render_source(
    source: Source,
    seeds: SeedsSection,
    run_seed: int,
    guard: ContentGuard | None = None,
    duplicates: Duplicates | None = None,
) -> Iterator[Seed | Drop]:
    """Seeds and drops of a source in row order; what `guard` finds in an evaluation split is a drop. `duplicates` is
    given each seed.

    Raises DataError in one line when the source cannot be read, when its first rows all lack a column that the task
    reads, or when its numbers for the right option prove to begin at 1.
    """
    questions, refused = questions_of(source, seeds, run_seed)
    rows = open_source(source, seeds)
    if seeds.lock is not None:
        verify(rows, source.split, seeds.lock, task=source.tasks[0])
    source.not_sampled = {}
    yield from refused
    records = _records(
        source, seeds, questions, rows, run_seed, functools.partial(_released, source, questions, guard, duplicates)
    )
    head = list(itertools.islice(records, HEAD))
    lacking = [record for record in head if isinstance(record, Drop) and record.reason == "missing_column"]
    if lacking and len(lacking) == len(head) and not _fits_other_rows(source, seeds, questions):
        raise DataError(f"task {source.tasks[0]}: {_what_lacks(source, lacking[0])}; correct the task file or the data")
    yield from head
    yield from records


def _what_lacks(source: Source, drop: Drop) -> str:
    record = drop.record or {}
    columns = ", ".join(sorted(record.get("columns", {})))
    if drop.detail is not None and "'None' has no attribute" in drop.detail:
        return f"{source.split} has no value in a column that the task reads (row {record.get('row')}: {drop.detail})"
    return f"{source.split} lacks a column that the task reads ({drop.detail}); it has {columns}"


def _fits_other_rows(source: Source, seeds: SeedsSection, questions: list[Question]) -> bool:
    """Whether a row of the split, which a small sample may have left out, has every column that a task reads."""
    if source.quota is None:
        return False
    for question in questions:
        for number, document in _documents_beyond_sample(source, seeds, question):
            try:
                question.renderer.read(document, str(number))
            except Unrenderable as exc:
                if exc.reason == "missing_column":
                    continue
            return True
    return False


def _documents_beyond_sample(source: Source, seeds: SeedsSection, question: Question) -> Iterator[tuple[int, Row]]:
    """The documents of the first rows of a split, in whatever sample they are."""
    rows = ((number, row) for number, row in open_source(source, seeds) if not isinstance(row, Damaged))
    looked_at = rows if question.renderer.needs_whole_split else itertools.islice(rows, GoldNumbers.PROBE)
    for number, _, documents in question.renderer.documents(looked_at):
        for document in documents if isinstance(documents, list) else []:
            yield number, document


def _records(
    source: Source,
    seeds: SeedsSection,
    questions: list[Question],
    rows: Rows,
    run_seed: int,
    released: Callable[[list[HeldRow]], Iterator[Seed | Drop]],
) -> Iterator[Seed | Drop]:
    """Rows are held back until it is known whether their numbers for the right option begin at 0."""
    held: list[HeldRow] = []
    for number, row, per_question in documents_of_source(source, questions, rows):
        dataset = source.place(rows, number)
        records = _records_of_row(source, dataset, row, per_question, run_seed)
        if held or not all(question.numbers.is_settled for question in questions):
            held.append((dataset, row if isinstance(row, dict) else {}, records))
            if all(question.numbers.is_settled for question in questions):
                yield from released(held)
                held = []
        else:
            yield from released([(dataset, row if isinstance(row, dict) else {}, records)])
    for question in questions:
        if not question.numbers.is_settled:
            _look_further(source, seeds, question)
            question.numbers.settle()
    yield from released(held)
    for question in questions:
        question.numbers.refuse_late(question.tasks[0])


def _released(
    source: Source,
    questions: list[Question],
    guard: ContentGuard | None,
    duplicates: Duplicates | None,
    held: list[HeldRow],
) -> Iterator[Seed | Drop]:
    """The records, with a drop in place of each seed of a task whose numbers begin at 1, and of each that stands in an
    evaluation split.
    """
    refused = {question.tasks[0]: question.numbers.evidence for question in questions if question.numbers.begins_at_one}
    for dataset, row, records in held:
        texts = list(leaves(row)) if guard is not None or duplicates is not None else []
        for record in records:
            leak = guard.match(record, texts) if guard is not None and isinstance(record, Seed) else None
            if isinstance(record, Seed) and record.tasks[0] in refused:
                yield _drop(source, dataset, "one_based_gold", refused[record.tasks[0]], row, task=record.tasks[0])
            elif isinstance(record, Seed) and leak is not None:
                yield _leak(record, leak)
            else:
                if duplicates is not None and isinstance(record, Seed):
                    duplicates.add(record, texts)
                yield record


def _leak(seed: Seed, found: str) -> Drop:
    return Drop(
        task=seed.task, id=seed.seed_id, step=STEP, reason="in_evaluation_split", detail=found, record=to_dict(seed)
    )


def _look_further(source: Source, seeds: SeedsSection, question: Question) -> None:
    """A small sample may hold neither the first nor the last number: more of the split's rows are asked."""
    if source.quota is None or question.numbers.num_rows == 0 or question.renderer.needs_whole_split:
        return
    for number, document in _documents_beyond_sample(source, seeds, question):
        try:
            question.numbers.add(question.renderer.read(document, str(number)))
        except Unrenderable:
            continue
        if question.numbers.is_settled:
            return


def _records_of_row(
    source: Source, dataset: DatasetRow, row: Row | Damaged, per_question: PerQuestion, run_seed: int
) -> RowRecords:
    """One seed or drop for each question about a row. A row that one task leaves out and another one takes is not a
    drop; nor is a question that two tasks ask in the same words.
    """
    if isinstance(row, Damaged):
        return [_drop(source, dataset, "damaged_line", f"row {dataset.row}: {row.detail}", None)]
    made: dict[str, Seed | Drop] = {}
    for question, documents in per_question:
        if isinstance(documents, Unrenderable):
            drop = _drop(source, dataset, documents.reason, documents.detail, row, task=question.tasks[0])
            made[drop.id] = drop
            continue
        for ordinal, document in enumerate(documents):
            record = _record(source, dataset, row, question, document, ordinal, run_seed)
            known = made.get(_identity(record))
            if isinstance(known, Seed) and isinstance(record, Seed):
                known.tasks = sorted({*known.tasks, *record.tasks}, key=plainest_first)
                known.task = known.tasks[0]
            else:
                made[_identity(record)] = record
    if not made:
        tasks = min((question.tasks[0] for question, _ in per_question), key=plainest_first)
        return [_drop(source, dataset, "left_out_by_task", "process_docs leaves the row out", row, task=tasks)]
    return list(made.values())


def _identity(record: Seed | Drop) -> str:
    return record.seed_id if isinstance(record, Seed) else record.id


def _record(
    source: Source, dataset: DatasetRow, row: Row, question: Question, document: Row, ordinal: int, run_seed: int
) -> Seed | Drop:
    try:
        reading = question.renderer.read(document, _row_key(dataset))
        question.numbers.add(reading)
        return to_seed(
            reading,
            question.renderer.leaf,
            list(question.tasks),
            dataset,
            ordinal=ordinal,
            run_seed=run_seed,
            row=document,
        )
    except Unrenderable as exc:
        return _drop(source, dataset, exc.reason, exc.detail, row, ordinal, question.tasks[0])


def _row_key(dataset: DatasetRow) -> str:
    return f"{dataset.path}:{dataset.name}:{dataset.split}:{dataset.row}"


def _drop(
    source: Source,
    dataset: DatasetRow,
    reason: str,
    detail: str | None,
    row: Row | None,
    ordinal: int = 0,
    task: str | None = None,
) -> Drop:
    task = task or source.tasks[0]
    of_task = () if task == source.tasks[0] else (task,)
    return Drop(
        task=task,
        id=content_id(dataset.path, dataset.name, dataset.split, dataset.row, ordinal, *of_task),
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
