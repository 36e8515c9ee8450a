"""lm-eval's rendering of a row, with its results byte for byte, but each template compiled once instead of once a row.

    task = TaskTemplates("sciq", config)
    task.text(row)     "…\\nQuestion: What gas do plants take in?\\nAnswer:"      doc_to_text
    task.choices(row)  ["oxygen", "carbon dioxide"]                             doc_to_choice
    task.target(row)   1                                                        doc_to_target

The rules are those of lm_eval.api.task.ConfigurableTask (0.4.13) and of lm_eval.utils.apply_template.
"""

import ast
import functools
from collections.abc import Callable, Mapping
from typing import Any

import jinja2
import jinja2.filters
import jinja2.runtime

from nemo_sdg.errors import DataError
from nemo_sdg.seeds.fields.options import read_list
from nemo_sdg.seeds.fields.reading import Unrenderable
from nemo_sdg.seeds.prompts.functions import plain, resolve_function
from nemo_sdg.seeds.prompts.holes import environment, only_values, single_expression

Row = dict[str, Any]


def names_column(template: str) -> bool:
    """Whether a template is one or two plain words, and so a column's name.

    lm-eval looks it up among the columns of the whole dataset, and takes it for a literal text where it is none; a
    single row that lacks the column must not turn its name into an answer.
    """
    words = template.split(" ")
    return len(words) < 3 and all(word and f"_{word}".isidentifier() for word in words)


@functools.lru_cache(maxsize=4096)
def compile_template(source: str) -> Callable[[Row], str]:
    """Renders like lm_eval.utils.apply_template(source, row). Raises DataError when the template does not parse."""
    return _rendering(environment, source)


def _empty_for_null(value: Any) -> Any:
    return "" if value is None else only_values(value)


_reading_environment = environment.overlay(finalize=_empty_for_null)


@functools.lru_cache(maxsize=4096)
def compile_reading(source: str) -> Callable[[Row], str]:
    """Renders a part of a prompt for reading: null is empty, where lm-eval writes `None`."""
    return _rendering(_reading_environment, source)


@functools.lru_cache(maxsize=4096)
def compile_target(source: str) -> Callable[[Row], str]:
    """Renders a target: Unrenderable where it shows null, which lm-eval writes as the answer `None`."""
    return _rendering(_target_environment, source)


def _rendering(within: jinja2.Environment, source: str) -> Callable[[Row], str]:
    try:
        template = within.from_string(source)
    except jinja2.TemplateSyntaxError as exc:
        raise DataError(f"the template {source[:80]!r} does not parse: {exc}") from exc
    root, context, concat = template.root_render_func, context_maker(template), environment.concat
    return lambda row: concat(root(context(row)))


def context_maker(template: jinja2.Template) -> Callable[[Row], jinja2.runtime.Context]:
    """What `template.new_context(row)` gives, without its copy of a chained mapping, which costs more than most
    templates do.
    """
    shared = dict(template.environment.globals)
    new_context = template.new_context
    return lambda row: new_context({**shared, **row}, shared=True)


def _no_null(value: Any) -> Any:
    if value is None:
        raise Unrenderable("no_gold", "the target's column is null")
    return only_values(value)


def _whole_number(value: Any, default: Any = None, base: int = 10) -> Any:
    """Jinja's `int`, which makes 0 of null and of any text, and so the first option of a row without a label."""
    found = jinja2.filters.do_int(value, default, base)  # type: ignore[arg-type]
    if found is None:
        raise Unrenderable("no_gold", f"the target's column holds {str(value)[:60]!r}, not a number")
    return found


_target_environment = environment.overlay(finalize=_no_null)
_target_environment.filters = {**environment.filters, "int": _whole_number}


@functools.lru_cache(maxsize=1024)
def compile_value(expression: str, *, of_target: bool = False) -> Callable[[Row], Any]:
    """The value of an expression over a row, of its own type."""
    evaluate = (_target_environment if of_target else environment).compile_expression(
        expression, undefined_to_none=False
    )
    return lambda row: evaluate(row)


def text_reader(template: str) -> Callable[[Row], str]:
    """A template that is one expression keeps a column's text as it is, and null is empty instead of `None`."""
    expression = single_expression(template)
    if expression is None:
        rendered = compile_reading(template)
        return lambda row: rendered(row).strip()
    read, value_of = compile_reading(template), compile_value(expression)

    def text(row: Row) -> str:
        value = value_of(row)
        if isinstance(value, list | dict):
            kind, shown = type(value).__name__, str(value)[:60]
            raise Unrenderable("no_text", f"{{{{{expression}}}}} is a {kind}, shown as Python writes it: {shown}")
        return "" if value is None else value if isinstance(value, str) else read(row)

    return text


def literal(text: str) -> Any:
    """The result of a choice template, which is a Python list written out; the text itself where it is no literal."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


class TaskTemplates:
    """The templates and functions of one task. Raises DataError in one line when one of them cannot be had."""

    def __init__(self, task: str, config: Mapping[str, Any]) -> None:
        self.task = task
        self.config = config
        if config.get("use_prompt"):
            raise DataError(
                f"task {task} takes its prompt from promptsource (use_prompt), which is not supported; "
                "write doc_to_text in the task file"
            )
        self.doc_to_text = self._resolved("doc_to_text")
        self.doc_to_choice = self._resolved("doc_to_choice")
        self.doc_to_target = self._resolved("doc_to_target")
        expression = single_expression(self.doc_to_target) if isinstance(self.doc_to_target, str) else None
        self._target_value = None if expression is None else compile_value(expression, of_target=True)
        self.process_docs: Callable[..., Any] | None = self._resolved("process_docs")
        if self.process_docs is not None and not callable(self.process_docs):
            raise DataError(
                f"task {task}: process_docs is {self.process_docs!r}, not a function; write !function module.name"
            )

    def _resolved(self, key: str) -> Any:
        value = self.config.get(key)
        folder, name = getattr(value, "folder", None), getattr(value, "name", None)
        try:
            if folder is not None and name is not None:
                return resolve_function(folder, name)
            if isinstance(value, str) and not names_column(value):
                compile_template(value)
            return value
        except DataError as exc:
            raise DataError(f"task {self.task}, {key}: {exc}") from exc

    def text(self, row: Row) -> str | int:
        """The prompt; an int where the contexts are the choices (winogrande)."""
        value = self.doc_to_text
        if isinstance(value, str):
            if value in row or names_column(value):
                return row[value]  # type: ignore[no-any-return]
            text = compile_template(value)(row)
            return int(text) if self.doc_to_choice is not None and text.isdecimal() else text
        if isinstance(value, int):
            return value
        if callable(value):
            written = value(row)
            if not isinstance(written, str | int):
                raise Unrenderable("unreadable_row", f"doc_to_text gives {str(written)[:60]}, not a text")
            return written
        raise DataError(
            f"task {self.task}: doc_to_text is {value!r}, which is neither a template, a column, a number "
            "nor a function"
        )

    def target(self, row: Row) -> Any:
        """The gold: a position among the choices, a text, or a list of either.

        lm-eval takes any target in brackets for a list. Here a list is what the template's expression gives as one, so
        that the text `[1, 2, 3]` stays a text.
        """
        value = self.doc_to_target
        if isinstance(value, str):
            if value in row or names_column(value):
                return row[value]
            if self._target_value is not None:
                found = self._target_value(row)
                if isinstance(found, list | tuple):
                    return list(found)
                if isinstance(found, Mapping):
                    raise Unrenderable("no_gold", f"doc_to_target shows a mapping, not a text: {str(found)[:60]}")
            text = compile_target(value)(row)
            if self.doc_to_choice is not None and text.isdecimal():
                return int(text)
            parsed = read_list(text) if self._target_value is None else None
            return parsed if isinstance(parsed, list) else text
        if isinstance(value, int | list):
            return value
        if callable(value):
            return plain(value(row))
        raise DataError(
            f"task {self.task}: doc_to_target is {value!r}, which is neither a template, a column, a "
            "number, a list nor a function"
        )

    def target_value(self, row: Row) -> Any:
        """The target as the row writes it: the text `2` where lm-eval makes the number 2 of it."""
        value = self.doc_to_target
        if isinstance(value, str) and (value in row or names_column(value)):
            return row[value]
        if self._target_value is not None and ".index(" not in str(value):
            return self._target_value(row)
        return None

    def choices(self, row: Row) -> list[Any] | None:
        """The options, or None where the task has none. Raises Unrenderable where they are not a list."""
        value = self.doc_to_choice
        if value is None:
            return None
        if isinstance(value, list):
            return value
        found = value if isinstance(value, dict) else self._row_choices(row)
        if found is None:
            raise Unrenderable("no_choices", "the column of the options is null")
        return list(found.values()) if isinstance(found, dict) else list(found)

    def choice_labels(self, row: Row) -> list[str] | None:
        """The keys of the row's options, where it gives them as a mapping from labels to texts."""
        if not isinstance(self.doc_to_choice, str):
            return None
        found = self._row_choices(row)
        return [str(key) for key in found] if isinstance(found, dict) else None

    def _row_choices(self, row: Row) -> list[Any] | dict[str, Any]:
        value = self.doc_to_choice
        if callable(value):
            return plain(value(row))  # type: ignore[no-any-return]
        if not isinstance(value, str):
            raise DataError(
                f"task {self.task}: doc_to_choice is {value!r}, which is neither a template, a column, a list "
                "nor a function"
            )
        found = row[value] if value in row or names_column(value) else literal(compile_template(value)(row))
        if isinstance(found, str):
            parsed = read_list(found)
            if parsed is None:
                raise Unrenderable("no_choices", f"doc_to_choice gives the text {found[:60]!r}, not a list")
            found = parsed
        return found  # type: ignore[no-any-return]
