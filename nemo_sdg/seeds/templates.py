"""lm-eval's rendering of a row, with its results byte for byte, but each template compiled once instead of once a row.

    task = TaskTemplates("sciq", config)
    task.text(row)     "…\\nQuestion: What gas do plants take in?\\nAnswer:"      doc_to_text
    task.choices(row)  ["oxygen", "carbon dioxide"]                             doc_to_choice
    task.target(row)   1                                                        doc_to_target

The rules are those of lm_eval.api.task.ConfigurableTask (0.4.13) and of lm_eval.utils.apply_template.
"""

import ast
import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

import jinja2
import jinja2.runtime

from nemo_sdg.errors import DataError
from nemo_sdg.seeds.functions import resolve_function

Row = dict[str, Any]

_COLUMN = re.compile(r"\w+(?: \w+)?")


def names_column(template: str) -> bool:
    """Whether a template is one or two plain words, and so a column's name.

    lm-eval looks it up among the columns of the whole dataset, and takes it for a literal text where it is none; a
    single row that lacks
    the column must not turn its name into an answer.
    """
    return _COLUMN.fullmatch(template) is not None


def _regex_replace(string: str, pattern: str, repl: str, count: int = 0) -> str:
    return re.sub(pattern, repl, string, count=count)


environment = jinja2.Environment(
    loader=jinja2.BaseLoader(), undefined=jinja2.StrictUndefined, keep_trailing_newline=True
)
environment.filters["regex_replace"] = _regex_replace


@functools.lru_cache(maxsize=4096)
def compile_template(source: str) -> Callable[[Row], str]:
    """Renders like lm_eval.utils.apply_template(source, row). Raises DataError when the template does not parse."""
    try:
        template = environment.from_string(source)
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


def literal(text: str) -> Any:
    """ast.literal_eval; the result of a choice template is a Python list written out."""
    return ast.literal_eval(text)


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
        self.process_docs: Callable[..., Any] | None = self._resolved("process_docs")
        if self.process_docs is not None and not callable(self.process_docs):
            raise DataError(
                f"task {task}: process_docs is {self.process_docs!r}, not a function; write !function module.name"
            )

    def _resolved(self, key: str) -> Any:
        value = self.config.get(key)
        folder, name = getattr(value, "folder", None), getattr(value, "name", None)
        if folder is None or name is None:
            return value
        try:
            return resolve_function(folder, name)
        except DataError as exc:
            raise DataError(f"task {self.task}, {key}: {exc}") from exc

    def text(self, row: Row) -> str | int:
        """The prompt; an int where the contexts are the choices (winogrande)."""
        value = self.doc_to_text
        if isinstance(value, str):
            if value in row or names_column(value):
                return row[value]  # type: ignore[no-any-return]
            text = compile_template(value)(row)
            return int(text) if self.doc_to_choice is not None and text.isdigit() else text
        if isinstance(value, int):
            return value
        if callable(value):
            return value(row)  # type: ignore[no-any-return]
        raise DataError(
            f"task {self.task}: doc_to_text is {value!r}, which is neither a template, a column, a number "
            "nor a function"
        )

    def target(self, row: Row) -> Any:
        """The gold: a position among the choices, a text, or a list of either."""
        value = self.doc_to_target
        if isinstance(value, str):
            if value in row or names_column(value):
                return row[value]
            text = compile_template(value)(row)
            if self.doc_to_choice is not None and text.isdigit():
                return literal(text)
            if len(text) >= 2 and text[0] == "[" and text[-1] == "]":
                try:
                    return literal(text)
                except (SyntaxError, ValueError):
                    return text
            return text
        if isinstance(value, int | list):
            return value
        if callable(value):
            return value(row)
        raise DataError(
            f"task {self.task}: doc_to_target is {value!r}, which is neither a template, a column, a "
            "number, a list nor a function"
        )

    def choices(self, row: Row) -> list[Any] | None:
        """The options, or None where the task has none."""
        value = self.doc_to_choice
        if value is None:
            return None
        if isinstance(value, str):
            return row[value] if value in row or names_column(value) else literal(compile_template(value)(row))  # type: ignore[no-any-return]
        if isinstance(value, list):
            return value
        if isinstance(value, dict):
            return list(value.values())
        if callable(value):
            return value(row)  # type: ignore[no-any-return]
        raise DataError(
            f"task {self.task}: doc_to_choice is {value!r}, which is neither a template, a column, a list "
            "nor a function"
        )
