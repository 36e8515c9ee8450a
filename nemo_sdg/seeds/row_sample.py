"""The rows of a source that are looked at, spread over the split, and what each question makes of them."""

import hashlib
import heapq
from collections.abc import Callable, Iterator
from typing import Any

from nemo_sdg.seeds.fields.reading import Unrenderable
from nemo_sdg.seeds.prompts.documents import BATCH
from nemo_sdg.seeds.questions import Question
from nemo_sdg.seeds.sources.rows import Damaged, Row, Rows
from nemo_sdg.seeds.sources.splits import Source

PerQuestion = list[tuple[Question, "list[Row] | Unrenderable"]]


def _sampled(source: Source, rows: Rows) -> Iterator[tuple[int, Row | Damaged]]:
    """All rows, or those of the quota; memory is that of the quota, not of the split."""
    if source.quota is None:
        yield from rows
        return
    total = rows.count()
    if total is None:
        kept: list[tuple[int, int, Any]] = []
        total = 0
        rank = _ranks(source)
        for number, row in rows:
            total += 1
            entry = (-int.from_bytes(rank(number)), number, row)
            if len(kept) < source.quota:
                heapq.heappush(kept, entry)
            else:
                heapq.heappushpop(kept, entry)
        yield from sorted(((number, row) for _, number, row in kept), key=lambda item: item[0])
    elif source.quota >= total:
        yield from rows
    else:
        chosen = set(heapq.nsmallest(source.quota, range(total), key=_ranks(source)))
        yield from rows.only(chosen.__contains__)
    if total > source.quota:
        source.not_sampled = {source.tasks[0]: total - source.quota}


def _ranks(source: Source) -> Callable[[int], bytes]:
    """The hash of a row's number within its split, for a million of them: 0.8 s."""
    split = source.split
    begun = hashlib.blake2b(
        f"{split.path}\x00{split.name}\x00{split.split}\x00{split.data_files}\x00".encode(), digest_size=8
    )

    def rank(number: int) -> bytes:
        whole = begun.copy()
        whole.update(b"%d" % number)
        return whole.digest()

    return rank


def documents_of_source(
    source: Source, questions: list[Question], rows: Rows
) -> Iterator[tuple[int, Row | Damaged, PerQuestion]]:
    """Each row with its documents under each question. Damaged rows pass through."""
    if any(question.renderer.needs_whole_split for question in questions):
        yield from _documents_of_whole_split(source, questions, rows)
        return
    sampled = _sampled(source, rows)
    if all(question.renderer.processor is None for question in questions):
        for number, row in sampled:
            yield number, row, [] if isinstance(row, Damaged) else [(question, [row]) for question in questions]
        return
    while batch := [item for _, item in zip(range(BATCH), sampled, strict=False)]:
        yield from _documents_of(questions, batch)


def _documents_of(
    questions: list[Question], batch: list[tuple[int, Row | Damaged]]
) -> Iterator[tuple[int, Row | Damaged, PerQuestion]]:
    whole = [(number, row) for number, row in batch if not isinstance(row, Damaged)]
    found = [
        {number: documents for number, _, documents in question.renderer.documents(whole)} for question in questions
    ]
    for number, row in batch:
        documents = (
            []
            if isinstance(row, Damaged)
            else [(question, by_row[number]) for question, by_row in zip(questions, found, strict=True)]
        )
        yield number, row, documents


def _documents_of_whole_split(
    source: Source, questions: list[Question], rows: Rows
) -> Iterator[tuple[int, Row | Damaged, PerQuestion]]:
    """process_docs sees every row; a limit then takes from the rows that it leaves in."""
    every = list(_documents_of(questions, list(rows)))
    if source.quota is None or source.quota >= len(every):
        yield from every
        return
    present = [item for item in every if isinstance(item[1], Damaged) or any(documents for _, documents in item[2])]
    rank = _ranks(source)
    chosen = heapq.nsmallest(source.quota, present, key=lambda item: rank(item[0]))
    yield from sorted(chosen, key=lambda item: item[0])
    source.not_sampled = {source.tasks[0]: len(every) - len(chosen)}
