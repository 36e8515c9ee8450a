"""A dataset row becomes a seed, an evaluation row, or a drop with its reason.

renderer = Renderer(catalog_row, config)
for number, row, documents in renderer.documents(rows): ...    process_docs applied; each row keeps its number
    reading = renderer.read(document)                          question, passage, choices, gold, ...
    seed = to_seed(reading, ...)
"""

import contextlib
import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jinja2
import jinja2.meta

from nemo_sdg.errors import DataError, one_line
from nemo_sdg.records import LABELS, Answer, CatalogRow, DatasetRow, EvaluationRow, Kind, Seed, content_id
from nemo_sdg.seeds.fields.generic import GenericReader
from nemo_sdg.seeds.fields.media import shows_media
from nemo_sdg.seeds.fields.reading import CONTROL, Reading, Unrenderable, latin_labels
from nemo_sdg.seeds.fields.table import Entry, FieldReader, find_entry
from nemo_sdg.seeds.prompts.documents import Documents, Processor, draws_random, seeded
from nemo_sdg.seeds.prompts.holes import environment, single_expression
from nemo_sdg.seeds.prompts.templates import Row, TaskTemplates, names_column
from nemo_sdg.text.options import speak_of_place

_NOTHING = ("", "None", "nan", "NaN")
"""questions that ask nothing: a task's function that puts null or NaN into its text writes `None` or `nan`"""


class Renderer:
    """How the rows of one leaf task are read. Raises DataError in one line when its functions or templates cannot be
    had.

    `like` is a built-in task (dataset path, name, task) with the same templates: where the field table reads that one
    better than lm-eval does, it reads this one too, whatever file the rows come from.
    """

    def __init__(
        self,
        leaf: CatalogRow,
        config: Mapping[str, Any],
        *,
        run_seed: int = 0,
        like: tuple[str, str | None, str] | None = None,
    ) -> None:
        self.leaf = leaf
        self._run_seed = run_seed
        self._fallback: GenericReader | None = None
        self._draws_random = False
        self.processor: Processor | None = None
        entry = find_entry(leaf.dataset["path"], leaf.dataset["name"], leaf.task)
        by_templates = entry is None and like is not None and (entry := find_entry(*like)) is not None
        if by_templates and entry is not None and not entry.by_templates:
            entry, by_templates = None, False
        self._reader: FieldReader | GenericReader
        if entry is not None and entry.raw and not by_templates:
            self._reader = FieldReader(entry)
            self.asks = _signature(leaf, config, entry)
            return
        if "class" in config:
            raise DataError(
                f"task {leaf.task} is a Python class, which renders its rows by code of its own; name its "
                "columns in seeds/fields/fields.yaml"
            )
        templates = TaskTemplates(leaf.task, config)
        if templates.process_docs is not None and not (entry is not None and entry.raw):
            self.processor = Processor(templates.process_docs, f"{run_seed}:{leaf.task}")
        generic = None
        if entry is None or entry.closed_set is not None or by_templates:
            closed = entry.closed_set if entry is not None else None
            generic = GenericReader(templates, leaf.kind, leaf.frame, language_of(leaf), closed)
            functions = (templates.doc_to_text, templates.doc_to_choice, templates.doc_to_target)
            self._draws_random = any(map(draws_random, functions))
        if entry is None or entry.closed_set is not None:
            assert generic is not None
            self._reader = generic
        else:
            self._reader, self._fallback = FieldReader(entry), generic
        self.asks = _signature(leaf, config, entry)

    @property
    def needs_whole_split(self) -> bool:
        return self.processor is not None and not self.processor.is_row_wise

    def read(self, document: Row, key: str = "") -> Reading:
        """`key` names the row, for the random numbers of the task's functions. Raises Unrenderable with the reason that
        is counted.
        """
        try:
            with seeded(f"{self._run_seed}:{key}:task_functions") if self._draws_random else contextlib.nullcontext():
                reading = self._read(document)
        except Unrenderable:
            raise
        except (KeyError, jinja2.UndefinedError) as exc:
            raise Unrenderable("missing_column", one_line(exc)) from exc
        except (Exception, SystemExit) as exc:  # a task's own function, or a template over a value of another type
            raise Unrenderable("unreadable_row", one_line(exc)) from exc
        if reading.question.strip() in _NOTHING:
            raise Unrenderable("empty_question")
        if reading.gold is not None and reading.choices is not None and reading.gold >= len(reading.choices):
            reading.gold = None  # the row has more labels than options
        return reading

    def _read(self, document: Row) -> Reading:
        if self._fallback is None:
            return self._reader(document)
        try:
            reading = self._reader(document)
            if reading.gold is not None or reading.answer is not None:
                return reading
        except (KeyError, ValueError, TypeError, AttributeError, jinja2.UndefinedError):
            pass  # these rows have other columns than the built-in task's: read them by the generic rules
        return self._fallback(document)

    def documents(self, rows: Iterable[tuple[int, Row]]) -> Iterator[Documents]:
        """(row number, row, documents) in order: [] where process_docs leaves the row out, several where it unfolds
        it.
        """
        if self.processor is None:
            return ((number, row, [row]) for number, row in rows)
        return self.processor.documents(rows)


def _signature(leaf: CatalogRow, config: Mapping[str, Any], entry: Entry | None) -> tuple[Any, ...]:
    """What tells two questions about one row apart from one question in two wordings: wordings read the same columns
    for the prompt and take the same target.
    """
    if entry is not None and entry.closed_set is None:
        return leaf.kind, id(entry), None if entry.raw else repr(config.get("process_docs"))
    choices = config.get("doc_to_choice")
    target = config.get("doc_to_target")
    expression = single_expression(target) if isinstance(target, str) and not names_column(target) else target
    return (
        leaf.kind,
        repr(config.get("process_docs")),
        _columns(config.get("doc_to_text")),
        len(choices) if isinstance(choices, list | dict) else _columns(choices),
        repr(expression or target),
    )


def _columns(template: Any) -> Any:
    if not isinstance(template, str) or names_column(template):
        return repr(template)
    try:
        return tuple(sorted(jinja2.meta.find_undeclared_variables(environment.parse(template)))) or template
    except jinja2.TemplateSyntaxError:
        return template


def to_seed(
    reading: Reading,
    leaf: CatalogRow,
    tasks: list[str],
    dataset: DatasetRow,
    *,
    ordinal: int,
    run_seed: int,
    row: Row | None = None,
) -> Seed:
    """`ordinal` tells the documents of one row apart; `row` is looked through for images and sounds. Raises
    Unrenderable when the row has no gold, or choices that are none.
    """
    reading = reading.without_page_breaks()
    choices, answer, label = reading.choices, reading.answer, None
    media = shows_media(reading, row)
    if media is not None:
        raise Unrenderable("media", media)
    if leaf.kind == Kind.multiple_choice:
        answer = _check_choices(choices, reading)
    else:
        if answer is None and choices is not None and reading.gold is not None:
            answer = choices[reading.gold]
        choices = None
        if answer is None or not answer.strip():
            raise Unrenderable("no_gold")
    _refuse_control_characters(
        {"question": reading.question, "passage": reading.passage or "", "answer": "\n".join(choices or [answer])}
    )
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
        if reading.fixed_gold and not speak_of_place(choices):
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
        language=language_of(leaf),
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


def _refuse_control_characters(texts: dict[str, str]) -> None:
    """What no sample may hold is not asked of a model first. White space is fine."""
    for name, text in texts.items():
        found = None if text.isascii() and text.isprintable() else CONTROL.search(text)
        if found is not None:
            raise Unrenderable("control_characters", f"{name}: U+{ord(found[0]):04X} at {found.start()}")
        if "\ufffd" in text and name != "passage":
            raise Unrenderable("mojibake", f"{name}: U+FFFD stands for a lost character at {text.index(chr(0xFFFD))}")


def _check_choices(choices: list[str] | None, reading: Reading) -> str:
    """The gold's text. Raises Unrenderable where choices and gold make no question."""
    if choices is None or len(choices) < 2:
        raise Unrenderable("no_choices")
    if latin_labels(choices):
        raise Unrenderable("bare_labels", "the choices are labels without texts")
    others = [alias for alias in reading.aliases if alias in choices and alias != reading.answer]
    if others:
        raise Unrenderable("several_golds", f"{[reading.answer, *others]} are right, and a seed has one right option")
    if reading.gold is None:
        raise Unrenderable("no_gold", f"{str(reading.target)[:60]!r} is none of the {len(choices)} options")
    if len(choices) > len(LABELS):
        raise Unrenderable("too_many_choices", f"{len(choices)} choices")
    if not all(choice.strip() for choice in choices):
        raise Unrenderable("empty_choice", f"option {1 + [c.strip() for c in choices].index('')} is empty")
    if len({" ".join(choice.split()) for choice in choices}) < len(choices):
        raise Unrenderable("duplicate_choices", "two options are the same")
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


def language_of(leaf: CatalogRow) -> str:
    """The task's one language; of several, the one that its dataset's name or its own name ends with."""
    if len(leaf.languages) == 1:
        return leaf.languages[0]
    parts = [
        part
        for text in (str(leaf.dataset.get("name") or ""), leaf.task)
        for part in reversed(text.replace("-", "_").split("_"))
    ]
    return next((part for part in parts if part in leaf.languages), leaf.languages[0] if leaf.languages else "und")
