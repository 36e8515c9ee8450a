"""Reads a row through lm-eval's own rendering of it, by rules that hold for any task."""

import re
from collections.abc import Callable
from typing import Any

from nemo_sdg.records import LABELS, Kind
from nemo_sdg.seeds.content.texts import leaves
from nemo_sdg.seeds.fields.asking import Asking
from nemo_sdg.seeds.fields.cloze import cloze
from nemo_sdg.seeds.fields.media import shown_media
from nemo_sdg.seeds.fields.options import (
    inline_block,
    labelled_text,
    labels_beside,
    labels_in_disorder,
    listed_block,
    option_texts,
    remove_options,
    without_labels,
)
from nemo_sdg.seeds.fields.reading import (
    Reading,
    Unrenderable,
    bare_labels,
    latin_labels,
    numbered_labels,
    plain_label,
    position,
    position_number,
    text_of,
    trimmed,
)
from nemo_sdg.seeds.golds.targets import read_number, texts_of, without_contradictions
from nemo_sdg.seeds.prompts.holes import single_expression, with_holes
from nemo_sdg.seeds.prompts.parts import (
    TEST_COLUMNS,
    is_whole_prompt,
    split_prompt,
    split_template,
    without_cues,
    without_label,
    writes_labels,
)
from nemo_sdg.seeds.prompts.refusals import BRACED, refuse_unreadable
from nemo_sdg.seeds.prompts.shown import choice_column, part_reader
from nemo_sdg.seeds.prompts.templates import Row, TaskTemplates, names_column, text_reader
from nemo_sdg.text.mathematics import equal


class GenericReader:
    """Reads the rows of one task through its templates. `closed_set` are the answers of a task that only its rows
    name.

    Raises DataError in one line where the task's templates cannot give a question.
    """

    def __init__(
        self, templates: TaskTemplates, kind: str, frame: str, language: str = "en", closed_set: list[str] | None = None
    ) -> None:
        self.templates, self.kind, self.language = templates, kind, language
        self.closed_set = closed_set
        self.has_choices = templates.doc_to_choice is not None or kind == Kind.multiple_choice
        self.fixed_gold = isinstance(templates.doc_to_target, int) and not isinstance(templates.doc_to_choice, list)
        prompt = templates.doc_to_text
        self._no_prompt = isinstance(prompt, str) and not prompt.strip()
        self._is_template = isinstance(prompt, str) and not prompt.strip().isdigit() and not names_column(prompt)
        self._is_one_column = self._is_template and single_expression(prompt) is not None
        self._labels_are_fixed = isinstance(templates.doc_to_choice, list | dict)
        refuse_unreadable(templates)
        has_labels = closed_set is not None or isinstance(templates.doc_to_choice, list | dict)
        self._asking = Asking(templates, kind, frame, language, has_labels=has_labels)
        self._option_texts: list[Callable[[Row], str]] = []
        self._parts: tuple[Callable[[Row], str] | None, Callable[[Row], str]] | None = None
        self._braced: set[str] = set()
        if self._is_template and not writes_labels(prompt):
            self._braced = set(BRACED.findall(with_holes(prompt)[0]))
            parts = split_template(
                prompt,
                has_choices=self.has_choices,
                is_code=kind == Kind.code,
                keep_cue=self._asking.keeps_cue(),
                choice_column=choice_column(templates.doc_to_choice),
            )
            if parts.passage is not None:
                self._asking.says_it_beside()
            self._option_texts = [text_reader(option) for option in parts.options]
            fixed = isinstance(templates.doc_to_choice, list | dict | None)
            question = part_reader(parts.question, needs_row=fixed and parts.passage is None)
            self._parts = (part_reader(parts.passage, needs_row=True) if parts.passage else None, question)

    def __call__(self, row: Row) -> Reading:
        if any(name in row for name in self._braced):
            name = next(name for name in sorted(self._braced) if name in row)
            raise Unrenderable("unrendered_template", f"doc_to_text writes {{{name}}} where Jinja wants {{{{{name}}}}}")
        choices = list(self.closed_set) if self.closed_set else self.templates.choices(row)
        target = self.templates.target(row)
        passage, question, is_prompt = self._passage_and_question(row)
        passage, question = self._asking.complete(passage, question, row, is_prompt=is_prompt)
        reading = Reading(question=question, passage=passage or None, fixed_gold=self.fixed_gold)
        if self.has_choices or self.closed_set:
            self._read_choices(reading, row, choices, target)
        if reading.choices is None:
            self._read_answer(reading, row, [text_of(choice) for choice in choices] if choices else None, target)
        return reading

    def _passage_and_question(self, row: Row) -> tuple[str | None, str, bool]:
        """Passage, question, and whether the row's text was a prompt with labels of its own."""
        prompt = self.templates.doc_to_text
        if isinstance(prompt, str) and (prompt in row or names_column(prompt)):
            shown = text_of(row[prompt])
            return (*split_prompt(shown), True) if is_whole_prompt(shown) else (None, shown, False)
        if self._parts is None:
            text = self.templates.text(row)
            if isinstance(text, str) and (media := shown_media(text)) is not None:
                raise Unrenderable("media", f"the prompt shows {media!r}")
            return (None, "", False) if isinstance(text, int) else (*self._asking.split(text, row), False)
        passage, question = self._parts
        shown = question(row)
        if passage is None and self._is_one_column and is_whole_prompt(shown):
            return (*split_prompt(shown), True)
        return without_label(passage(row)) if passage else None, shown, False

    def _read_choices(self, reading: Reading, row: Row, choices: list[Any] | None, target: Any) -> None:
        prompt = self.templates.text(row)
        texts = None if choices is None else [text_of(choice) for choice in choices]
        if isinstance(prompt, int):
            if texts is None:
                raise Unrenderable("no_choices", "doc_to_text gives a number, but there is no doc_to_choice")
            if not isinstance(target, str) or target.strip() in map(str.strip, texts):
                raise Unrenderable("digits_as_prompt", f"the prompt is {prompt}, which lm-eval takes for a position")
            # The contexts are the choices (winogrande): doc_to_target is what follows them, doc_to_text the position
            # of the right one.
            ending = target.strip()
            texts, target = [f"{text.rstrip()} {ending}".rstrip() for text in texts], prompt
        labels = None if texts is None else self.templates.choice_labels(row) or labels_beside(row, texts)
        are_labels = texts is not None and self._are_labels(texts, row)
        if texts is None or are_labels or _are_numbers_of(row, texts, prompt):
            found = self._texts_behind(row, texts, prompt if isinstance(prompt, str) else "", reading)
            if found is not None:
                labels, texts = texts or list(LABELS[: len(found)]), found
            elif texts is None or latin_labels(texts) or (bare_labels(texts) and self._labels_are_fixed):
                if self.kind == Kind.multiple_choice:
                    raise Unrenderable("no_choices", "no option texts in the row's columns or in the prompt")
                return
        elif isinstance(prompt, int) or self._no_prompt:
            reading.question, texts = cloze(texts)
        elif choices is not None and labels is None:
            self._refuse_two_senses(row, target, choices, prompt if isinstance(prompt, str) else "")
        written = texts = [trimmed(text) for text in texts]
        removed = remove_options(reading.question, texts)
        labelled = without_labels(texts)
        if labelled is None and isinstance(target, str) and (mixed := labels_in_disorder(texts)) is not None:
            labelled = mixed if plain_label(trimmed(target)) in mixed[1] else None
        if labelled is not None:
            texts, labels = labelled[0], labels or labelled[1]
            removed = remove_options(removed, texts)
        if removed != reading.question:
            reading.question = without_cues(removed).strip()
        reading.target = target
        if not self.fixed_gold and not isinstance(target, list):
            reading.gold_number = position_number(target, texts, labels)
        golds = [_position(item, texts, labels, written) for item in (target if isinstance(target, list) else [target])]
        found_golds = [gold for gold in golds if gold is not None]
        if found_golds:
            reading.gold = found_golds[0]
            reading.aliases = [texts[gold] for gold in found_golds[1:]]
            reading.answer = texts[found_golds[0]]
        if self.kind == Kind.multiple_choice:
            reading.choices = texts

    def _are_labels(self, texts: list[str], row: Row) -> bool:
        """Whether the options are labels of texts that stand elsewhere. Numbers and letters of other scripts are that
        only where the task writes them itself: where a row gives them, they are what may be answered.
        """
        if self._labels_are_fixed:
            return bare_labels(texts) or numbered_labels(texts)
        return latin_labels(texts) or (bare_labels(texts) and not {*texts} <= {leaf.strip() for leaf in leaves(row)})

    def _texts_behind(self, row: Row, labels: list[str] | None, prompt: str, reading: Reading) -> list[str] | None:
        """The texts of options that are labels: as the template lists them, from the row's columns, or, for letters,
        from the lines at the prompt's end.
        """
        num = len(labels) if labels else None
        listed = [read(row) for read in self._option_texts]
        if len(listed) >= 2 and num in (None, len(listed)):
            return listed
        found = option_texts(row, num)
        if found is not None or (self._is_template and labels is not None and not bare_labels(labels)):
            return found
        block = listed_block(prompt)
        if len(block) >= 2 and num in (None, len(block)):
            return [text for _, text in block]
        inline = None
        if labels:
            inline = inline_block(reading.question, labels if bare_labels(labels) else list(LABELS[: len(labels)]))
        if inline is None:
            return None
        reading.question = without_cues(inline[0])
        return inline[1]

    def _refuse_two_senses(self, row: Row, target: Any, choices: list[Any], prompt: str) -> None:
        """A number may mean the option that is written so, or the option at that place, and a letter likewise where the
        prompt shows letters. Where these differ and nothing says which is meant, there is no gold.
        """
        if self.closed_set or isinstance(self.templates.doc_to_choice, list | dict) or isinstance(target, bool):
            return
        place, written = target, self.templates.target_value(row)
        shows_letters = bool(self._option_texts) or [text for _, text in listed_block(prompt)] == choices
        if isinstance(target, str) and shows_letters and re.fullmatch("[A-Z]", target.strip()):
            place, written = LABELS.index(target.strip()), target.strip()
        if written is None or not isinstance(place, int) or place >= len(choices):
            return
        same = [index for index, choice in enumerate(choices) if type(choice) is type(written) and choice == written]
        if same and same[0] != place:
            raise Unrenderable(
                "ambiguous_gold", f"{written} is one option by its text ({same[0] + 1}) and another by its place"
            )

    def _read_answer(self, reading: Reading, row: Row, texts: list[str] | None, target: Any) -> None:
        if reading.answer is not None:
            return
        if isinstance(target, int) and not isinstance(target, bool) and texts is not None:
            if bare_labels(texts):
                raise Unrenderable("bare_labels", "the answers are labels without texts")
            target = texts[target] if 0 <= target < len(texts) else None
        if self.kind == Kind.code:
            items = [
                text for item in (target if isinstance(target, list) else [target]) if (text := text_of(item)).strip()
            ]
            reading.answer = items[0] if items else None
            reading.tests = next(
                (tests for tests in (_tests(row.get(column)) for column in TEST_COLUMNS) if tests), None
            )
            return
        items = texts_of(target)
        if not items:
            return
        if self.kind == Kind.numeric:
            self._read_number(reading, items)
        else:
            reading.answer, *reading.aliases = without_contradictions(items)

    def _read_number(self, reading: Reading, items: list[str]) -> None:
        golds = [gold for item in items if (gold := read_number(item, self.language)) is not None]
        if not golds:
            return
        if any(not equal(golds[0].answer, gold.answer, language=self.language) for gold in golds[1:]):
            raise Unrenderable("ambiguous_gold", f"the target gives several numbers: {', '.join(items)[:80]}")
        reading.answer, reading.reasoning = golds[0].answer, golds[0].reasoning
        reading.target_format = golds[0].target_format


def _are_numbers_of(row: Row, texts: list[str], prompt: Any) -> bool:
    """Whether the options are the numbers under which the prompt's last lines list the texts of the row's options."""
    if not numbered_labels(texts) or not isinstance(prompt, str):
        return False
    block = listed_block(prompt)
    listed = [text for _, text in block]
    return [label for label, _ in block] == [text.strip() for text in texts] and listed == option_texts(row, len(texts))


def _position(target: Any, texts: list[str], labels: list[str] | None, written: list[str]) -> int | None:
    """As `position`, or the option that is written so with its label before it: `B. zinc`, in the options or in the
    target alone.
    """
    found = position(target, texts, labels)
    if found is None and isinstance(target, str):
        if trimmed(target) in written:
            return written.index(trimmed(target))
        return labelled_text(target, texts)
    return found


def _tests(value: Any) -> list[str] | None:
    if isinstance(value, str) and value.strip():
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else None
