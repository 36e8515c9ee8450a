"""A dataset row becomes a seed, an evaluation row, or a drop with its reason.

renderer = Renderer(catalog_row, config)
for number, row, documents in renderer.documents(rows): ...    process_docs applied batch by batch; each row keeps its number
    reading = renderer.read(document)                          question, passage, choices, gold, ...
    seed = to_seed(reading, ...)
"""

import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jinja2

from nemo_sdg.errors import DataError
from nemo_sdg.records import LABELS, Answer, CatalogRow, DatasetRow, EvaluationRow, Kind, Seed, content_id
from nemo_sdg.seeds.field_table import FieldReader, find_entry
from nemo_sdg.seeds.row_fields import Reading, Unrenderable, bare_labels
from nemo_sdg.seeds.row_rules import GenericReader
from nemo_sdg.seeds.templates import Row, TaskTemplates

BATCH = 500
"""rows that process_docs sees at a time, so that memory does not grow with the split"""
_NUMBER_COLUMN = "nemo_sdg_row_number"

Documents = tuple[int, Row, "list[Row] | Unrenderable"]


class Renderer:
    """How the rows of one leaf task are read. Raises DataError in one line when its functions or templates cannot be
    had.
    """

    def __init__(self, leaf: CatalogRow, config: Mapping[str, Any]) -> None:
        self.leaf = leaf
        entry = find_entry(leaf.dataset["path"], leaf.dataset["name"], leaf.task)
        if entry is not None and entry.raw:
            self.process_docs = None
            self._reader: FieldReader | GenericReader = FieldReader(entry)
            return
        if "class" in config:
            raise DataError(
                f"task {leaf.task} is a Python class, which renders its rows by code of its own; name its "
                "columns in data/fields.yaml"
            )
        templates = TaskTemplates(leaf.task, config)
        self.process_docs = templates.process_docs
        self._reader = FieldReader(entry) if entry is not None else GenericReader(templates, leaf.kind, leaf.frame)

    def read(self, document: Row) -> Reading:
        """Raises Unrenderable with the reason that is counted."""
        try:
            reading = self._reader(document)
        except Unrenderable:
            raise
        except (KeyError, jinja2.UndefinedError) as exc:
            raise Unrenderable("missing_column", _one_line(exc)) from exc
        except (
            Exception
        ) as exc:  # a task's own function, or a template over a value of another type, may raise anything
            raise Unrenderable("unreadable_row", _one_line(exc)) from exc
        if not reading.question.strip():
            raise Unrenderable("empty_question")
        return reading

    def documents(self, rows: Iterable[tuple[int, Row]]) -> Iterator[Documents]:
        """(row number, row, documents) in order: [] where process_docs leaves the row out, several where it unfolds
        it.
        """
        if self.process_docs is None:
            for number, row in rows:
                yield number, row, [row]
            return
        batch: list[tuple[int, Row]] = []
        for item in rows:
            batch.append(item)
            if len(batch) == BATCH:
                yield from self._processed(batch)
                batch = []
        yield from self._processed(batch)

    def _processed(self, batch: list[tuple[int, Row]]) -> Iterator[Documents]:
        if not batch:
            return
        try:
            documents = self._process([{**row, _NUMBER_COLUMN: number} for number, row in batch])
        except (
            Exception
        ):  # anything from the task's own code or Arrow's types; row by row, below, each failure is told and counted
            documents = [{}]
        if all(_NUMBER_COLUMN in document for document in documents):
            found: dict[int, list[Row]] = {number: [] for number, _ in batch}
            for document in documents:
                found[document.pop(_NUMBER_COLUMN)].append(document)
            yield from ((number, row, found[number]) for number, row in batch)
            return
        for number, row in batch:
            try:
                yield number, row, self._process([row])
            except Exception as exc:  # a task's own code may raise anything
                yield number, row, Unrenderable("process_docs_failed", _one_line(exc))

    def _process(self, rows: list[Row]) -> list[Row]:
        """process_docs as lm-eval calls it, on a small `datasets.Dataset`."""
        import datasets

        assert self.process_docs is not None
        columns = dict.fromkeys(key for row in rows for key in row)
        dataset = datasets.Dataset.from_dict({column: [row.get(column) for row in rows] for column in columns})
        were_disabled = datasets.utils.are_progress_bars_disabled()
        datasets.disable_progress_bars()
        try:
            return [dict(document) for document in self.process_docs(dataset)]
        finally:
            if not were_disabled:
                datasets.enable_progress_bars()


def to_seed(
    reading: Reading, leaf: CatalogRow, tasks: list[str], dataset: DatasetRow, *, ordinal: int, run_seed: int
) -> Seed:
    """`ordinal` tells the documents of one row apart. Raises Unrenderable when the row has no gold, or choices that
    are none.
    """
    choices, answer, label = reading.choices, reading.answer, None
    if leaf.kind == Kind.multiple_choice:
        answer = _check_choices(choices, reading)
    else:
        if answer is None and choices is not None and reading.gold is not None:
            answer = choices[reading.gold]
        choices = None
        if answer is None or not answer.strip():
            raise Unrenderable("no_gold")
    seed_id = content_id(
        dataset.path,
        dataset.name,
        dataset.split,
        dataset.row,
        ordinal,
        reading.question,
        reading.passage,
        choices,
        answer,
    )
    if choices is not None and reading.gold is not None:
        gold = reading.gold
        if reading.fixed_gold:
            order = list(range(len(choices)))
            random.Random(f"{run_seed}:{seed_id}:choices").shuffle(order)
            choices, gold = [choices[index] for index in order], order.index(gold)
        label = LABELS[gold]
    return Seed(
        seed_id=seed_id,
        task=tasks[0],
        tasks=tasks,
        family=leaf.family,
        capability=leaf.capability,
        kind=leaf.kind,
        frame=leaf.frame,
        language=_language(leaf),
        dataset=dataset,
        license=leaf.license.get("id") or "unknown",
        question=reading.question,
        passage=reading.passage,
        choices=choices,
        answer=Answer(text=answer, label=label, aliases=[alias for alias in reading.aliases if alias != answer]),
        tests=reading.tests,
        reference_reasoning=reading.reasoning,
        target_format=reading.target_format,
    )


def _check_choices(choices: list[str] | None, reading: Reading) -> str:
    """The gold's text. Raises Unrenderable where choices and gold make no question."""
    if choices is None or len(choices) < 2:
        raise Unrenderable("no_choices")
    if bare_labels(choices):
        raise Unrenderable("bare_labels", "the choices are labels without texts")
    if reading.gold is None:
        raise Unrenderable("no_gold", f"{str(reading.target)[:60]!r} is none of the {len(choices)} options")
    if len(choices) > len(LABELS):
        raise Unrenderable("too_many_choices", f"{len(choices)} choices")
    if not all(choice.strip() for choice in choices):
        raise Unrenderable("empty_choice")
    return choices[reading.gold]


def to_evaluation_row(reading: Reading, leaf: CatalogRow, dataset: DatasetRow) -> EvaluationRow:
    answer = reading.answer
    if answer is None and reading.choices is not None and reading.gold is not None:
        answer = reading.choices[reading.gold]
    return EvaluationRow(
        task=leaf.task,
        dataset=dataset,
        kind=leaf.kind,
        question=reading.question,
        passage=reading.passage,
        choices=reading.choices,
        answer=answer,
    )


def _language(leaf: CatalogRow) -> str:
    """The task's one language; of several, the one that its dataset's name or its own name ends with."""
    if len(leaf.languages) == 1:
        return leaf.languages[0]
    parts = [
        part
        for text in (str(leaf.dataset.get("name") or ""), leaf.task)
        for part in reversed(text.replace("-", "_").split("_"))
    ]
    return next((part for part in parts if part in leaf.languages), leaf.languages[0] if leaf.languages else "und")


def _one_line(exc: BaseException) -> str:
    return f"{type(exc).__name__}: {' '.join(str(exc).split())}"[:200]
