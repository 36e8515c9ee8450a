"""Reads a row through lm-eval's own rendering of it, by rules that hold for any task."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from nemo_sdg.records import Frame, Kind
from nemo_sdg.seeds.field_table import compile_field
from nemo_sdg.seeds.prompt_parts import (
    CHOICE_COLUMNS,
    TEST_COLUMNS,
    asks_something,
    listed_options,
    remove_options,
    single_expression,
    split_prompt,
    split_template,
    writes_labels,
)
from nemo_sdg.seeds.row_fields import (
    Reading,
    Unrenderable,
    bare_labels,
    boxed,
    final_number,
    numbered_labels,
    position,
    text_of,
)
from nemo_sdg.seeds.templates import Row, TaskTemplates, compile_template, names_column

_NUMBERED = re.compile(r"([A-Za-z_]*?)[_ ]?([0-9]|[a-jA-J])")


class GenericReader:
    """Reads the rows of one task through its templates."""

    def __init__(self, templates: TaskTemplates, kind: str, frame: str) -> None:
        self.templates = templates
        self.kind = kind
        self._instruction: Callable[[Row], str] | None = None
        self._parts: tuple[Callable[[Row], str] | None, Callable[[Row], str]] | None = None
        self.has_choices = templates.doc_to_choice is not None or kind == Kind.multiple_choice
        self.fixed_gold = isinstance(templates.doc_to_target, int) and not isinstance(templates.doc_to_choice, list)
        prompt, description = templates.doc_to_text, templates.config.get("description")
        self._no_prompt = isinstance(prompt, str) and not prompt.strip()
        is_template = isinstance(prompt, str) and not prompt.strip().isdigit()
        # Where the row is only a text, what is asked of it stands in the task's description, or in the words after it.
        is_text = (frame == Frame.classification or kind == Kind.free_text) and not (
            is_template and (not prompt.strip() or asks_something(prompt))
        )
        if is_text and isinstance(description, str) and description.strip():
            self._instruction = _reader(description.strip())
        if is_template and not writes_labels(prompt):
            keep_cue = is_text and self._instruction is None
            passage, question = split_template(
                prompt, has_choices=self.has_choices, is_code=kind == Kind.code, keep_cue=keep_cue
            )
            if passage is not None:
                self._instruction = None
            self._parts = (_reader(passage) if passage else None, _reader(question))

    def __call__(self, row: Row) -> Reading:
        choices = self.templates.choices(row)
        texts = [text_of(choice) for choice in choices] if choices is not None else None
        target = self.templates.target(row)
        passage, question = self._passage_and_question(row)
        if self._instruction is not None:
            # The prompt only shows the text; what is asked of it stands in the task's description.
            passage, question = question, self._instruction(row)
        reading = Reading(question=question, passage=passage or None, fixed_gold=self.fixed_gold)
        if self.has_choices:
            self._read_choices(reading, row, texts, target)
        if reading.choices is None:
            self._read_answer(reading, row, texts, target)
        return reading

    def _passage_and_question(self, row: Row) -> tuple[str | None, str]:
        prompt = self.templates.doc_to_text
        if self._parts is None:
            text = self.templates.text(row)
            return (None, "") if isinstance(text, int) else split_prompt(text)
        if prompt in row or names_column(prompt):
            return None, text_of(row[prompt])
        passage, question = self._parts
        return passage(row) if passage else None, question(row)

    def _read_choices(self, reading: Reading, row: Row, texts: list[str] | None, target: Any) -> None:
        prompt = self.templates.text(row)
        if isinstance(prompt, int):
            if texts is None:
                raise Unrenderable("no_choices", "doc_to_text gives a number, but there is no doc_to_choice")
            # The contexts are the choices (winogrande): doc_to_target is what follows them, doc_to_text the position
            # of the right one.
            ending = text_of(target).strip()
            texts, target = [f"{text.rstrip()} {ending}".rstrip() for text in texts], prompt
        labels = None
        if texts is None or bare_labels(texts) or numbered_labels(texts):
            found = option_texts(row, len(texts) if texts else None, prompt if isinstance(prompt, str) else "")
            if found is not None:
                labels, texts = texts, found
            elif texts is None or bare_labels(texts):
                if self.kind == Kind.multiple_choice:
                    raise Unrenderable("no_choices", "no option texts in the row's columns or in the prompt")
                return
        elif isinstance(prompt, int) or self._no_prompt:
            reading.question, texts = cloze(texts)
        if all(text[:1].isspace() for text in texts):
            texts = [text.lstrip() for text in texts]
        reading.question = remove_options(reading.question, texts)
        reading.target = target
        golds = [position(item, texts, labels) for item in (target if isinstance(target, list) else [target])]
        found_golds = [gold for gold in golds if gold is not None]
        if found_golds:
            reading.gold = found_golds[0]
            reading.aliases = [texts[gold] for gold in found_golds[1:]]
            reading.answer = texts[found_golds[0]]
        if self.kind == Kind.multiple_choice:
            reading.choices = texts

    def _read_answer(self, reading: Reading, row: Row, texts: list[str] | None, target: Any) -> None:
        if reading.answer is not None:
            return
        if isinstance(target, int) and not isinstance(target, bool) and texts is not None:
            target = texts[target] if 0 <= target < len(texts) else None
        items = [text_of(item) for item in (target if isinstance(target, list) else [target])]
        items = [item for item in items if item.strip()]
        if not items:
            return
        if self.kind == Kind.numeric:
            reading.answer, reading.reasoning, reading.target_format = numeric_answer(items[0])
        elif self.kind == Kind.code:
            reading.answer = items[0]
            reading.tests = next(
                (tests for tests in (_tests(row.get(column)) for column in TEST_COLUMNS) if tests), None
            )
        else:
            unique = list(dict.fromkeys(item.strip() for item in items))
            reading.answer, reading.aliases = unique[0], unique[1:]


def _reader(template: str) -> Callable[[Row], str]:
    """A template that is one expression keeps a column's text as it is, and null is empty instead of `None`."""
    expression = single_expression(template)
    if expression is None:
        return compile_template(template)
    read = compile_field(expression)
    return lambda row: text_of(read(row))


def numeric_answer(text: str) -> tuple[str | None, str | None, str | None]:
    """(number, rationale, how the target writes it): after `####`, within \\boxed{}, the target itself, or its last
    number.

    >>> numeric_answer("3 + 4 = 7\\n#### 7")
    ('7', '3 + 4 = 7', '#### 7')
    """
    if "####" in text:
        rationale, _, tail = text.rpartition("####")
        return tail.strip() or None, rationale.rstrip() or None, f"#### {tail.strip()}"
    inner = boxed(text)
    if inner is not None:
        form = f"\\boxed{{{inner}}}"
        return inner, text if text.strip() != form else None, form
    number = final_number(text)
    if number is None:
        return None, None, None
    is_rationale = len(text.split()) > 7 or "\n" in text.strip()
    return number, text if is_rationale else None, None


def cloze(contexts: list[str]) -> tuple[str, list[str]]:
    """Contexts as choices: what they share is the question with a blank, what differs are the options.

    >>> cloze(["It rains, right? Yes, it is wet.", "It rains, right? No, it is wet."])
    ('It rains, right? _, it is wet.', ['Yes', 'No'])
    """
    if len(set(contexts)) < 2:
        return "", contexts
    start = len(_common_prefix(contexts))
    while start and not (contexts[0][start - 1].isspace() or contexts[0][start - 1] in "\"'«„“(¿¡"):
        start -= 1
    tails = [context[start:][::-1] for context in contexts]
    end = len(_common_prefix(tails))
    while end and (tails[0][end - 1].isalnum() or any(len(tail) <= end for tail in tails)):
        end -= 1
    options = [context[start : len(context) - end] for context in contexts]
    return f"{contexts[0][:start]}_{contexts[0][len(contexts[0]) - end :]}", options


def _common_prefix(texts: list[str]) -> str:
    low, high = min(texts), max(texts)
    return next((low[:index] for index, char in enumerate(low) if char != high[index]), low)


def option_texts(row: Mapping[str, Any], num: int | None, prompt: str) -> list[str] | None:
    """The texts behind option labels: from a list column, from numbered columns (option1, opa, ending0), or from the
    prompt's own lines.
    """
    fitting = (
        found
        for found in _candidates(row, prompt)
        if len(found) >= 2 and num in (None, len(found)) and not bare_labels(found) and not numbered_labels(found)
    )
    return next(fitting, None)


def _candidates(row: Mapping[str, Any], prompt: str) -> list[list[str]]:
    found = []
    for column in sorted(row):
        if not column.lower().startswith(CHOICE_COLUMNS):
            continue
        value = row[column]
        if isinstance(value, Mapping):
            value = value["text"] if "text" in value else list(value.values())
        if isinstance(value, list):
            found.append([_item_text(item) for item in value])
    families: dict[str, dict[str, str]] = {}
    for column, value in row.items():
        match = _NUMBERED.fullmatch(column)
        if match and isinstance(value, str):
            families.setdefault(match[1].lower(), {})[match[2].lower()] = value
    found += [[family[key] for key in sorted(family)] for _, family in sorted(families.items())]
    listed = listed_options(prompt)
    names = [label for label, _ in listed]
    if bare_labels(names) or numbered_labels(names):
        found.append([text for _, text in listed])
    return found


def _item_text(item: Any) -> str:
    if isinstance(item, Mapping):
        return next((value for value in item.values() if isinstance(value, str)), "")
    return text_of(item)


def _tests(value: Any) -> list[str] | None:
    if isinstance(value, str) and value.strip():
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else None
