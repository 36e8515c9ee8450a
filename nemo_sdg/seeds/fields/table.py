"""The field table (fields.yaml): for datasets whose own columns say it better than lm-eval's prompt, where each
field stands.

    - dataset: [openai/gsm8k, gsm8k]
      question: question
      answer: answer | after('####')
      reasoning: answer | before('####')

Each field is a Jinja expression over the row and keeps its type: a list stays a list. Named by dataset, one reading
serves all tasks that share the row.
"""

import fnmatch
import functools
import importlib.resources
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jinja2
import yaml

from nemo_sdg.errors import DataError
from nemo_sdg.seeds.fields.options import read_list, without_labels
from nemo_sdg.seeds.fields.reading import Reading, Unrenderable, position, position_number, text_of, trimmed
from nemo_sdg.seeds.golds.targets import boxed, texts_of, without_contradictions
from nemo_sdg.seeds.prompts.templates import Row, context_maker

_COLUMN = re.compile(r"[^\W\d]\w*(?:\['[^']+'\])?")
_CONSTANTS = {"none", "None", "true", "True", "false", "False"}
_KEYS = {
    "dataset",
    "tasks",
    "question",
    "passage",
    "choices",
    "gold",
    "labels",
    "answer",
    "reasoning",
    "tests",
    "target_format",
    "fixed_gold",
    "raw",
    "closed_set",
    "by_templates",
    "why",
}

_environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
_environment.filters.update(
    after=lambda text, mark: text.rpartition(mark)[2].strip() if mark in text else None,
    before=lambda text, mark: text.rpartition(mark)[0].rstrip(),
    boxed=boxed,
    mark_word=lambda text, index, span: _mark_word(text, index, span),
    find=lambda text, pattern: [match.strip() for match in re.findall(pattern, text)],
    drop_prefix=lambda text, pattern: re.sub(rf"\A(?:{pattern})", "", text),
)


@dataclass(kw_only=True, slots=True)
class Entry:
    datasets: list[str]
    tasks: list[str]
    fields: dict[str, str]
    fixed_gold: bool
    raw: bool
    """read the dataset's own row, without the task's process_docs"""
    closed_set: list[str] | None = None
    """the answers among which the task chooses, where neither its prompt nor its rows list them; question and gold are
    then read by the generic rules
    """
    why: str | None = None
    """why the reading departs from the task file"""
    by_templates: bool = False
    """any task with the templates of one of these tasks is read so, whatever file its rows come from"""


@functools.cache
def table() -> list[Entry]:
    """Raises DataError when the table has an unknown key or misses one."""
    entries = []
    for item in yaml.safe_load(
        (importlib.resources.files("nemo_sdg.seeds.fields") / "fields.yaml").read_text(encoding="utf-8")
    ):
        unknown = item.keys() - _KEYS
        is_reading = "question" in item and ("answer" in item or {"choices", "gold"} <= item.keys())
        if unknown or is_reading == ("closed_set" in item):
            raise DataError(
                f"fields.yaml: {item.get('dataset')} needs question, and answer or choices with gold; or closed_set; "
                f"unknown keys: {sorted(unknown)}"
            )
        fields = {
            key: str(value)
            for key, value in item.items()
            if key not in ("dataset", "tasks", "fixed_gold", "raw", "closed_set", "by_templates", "why")
        }
        entries.append(
            Entry(
                datasets=item.get("dataset", ["*"]),
                tasks=item.get("tasks", ["*"]),
                fields=fields,
                fixed_gold=item.get("fixed_gold", False),
                raw=item.get("raw", "closed_set" not in item),
                closed_set=item.get("closed_set"),
                why=item.get("why"),
                by_templates=item.get("by_templates", False),
            )
        )
    return entries


def find_entry(path: str | None, name: str | None, task: str) -> Entry | None:
    """The first entry that fits. A dataset is written `path` or `path:name`, with wildcards."""
    keys = (path or "", f"{path}:{name}")
    for entry in table():
        if any(fnmatch.fnmatchcase(key, pattern) for key in keys for pattern in entry.datasets) and any(
            fnmatch.fnmatchcase(task, pattern) for pattern in entry.tasks
        ):
            return entry
    return None


def compile_fields(sources: dict[str, str]) -> Callable[[Row], dict[str, Any]]:
    """The values of several expressions over a row; those that are more than a column share one template, since its
    context costs as much as they do. KeyError or jinja2.UndefinedError where a column is missing.
    """
    columns = [(key, column) for key, source in sources.items() if (column := _column(source)) is not None]
    known = {key for key, _ in columns}
    others = {f"_field_{key}": (key, source) for key, source in sources.items() if key not in known}
    if not others:
        return lambda row: {key: read(row) for key, read in columns}
    template = _environment.from_string(
        "".join(f"{{% set {name} = {source} %}}" for name, (_, source) in others.items())
    )
    root, context_of = template.root_render_func, context_maker(template)
    names = [(name, key) for name, (key, _) in others.items()]

    def evaluate(row: Row) -> dict[str, Any]:
        values = {key: read(row) for key, read in columns}
        context = context_of(row)
        for _ in root(context):
            pass
        for name, key in names:
            value = context.vars[name]
            if isinstance(value, jinja2.Undefined):
                value._fail_with_undefined_error()
            values[key] = value
        return values

    return evaluate


def _column(source: str) -> Callable[[Row], Any] | None:
    """Plain access for `column` and `column['key']`."""
    if not _COLUMN.fullmatch(source) or source in _CONSTANTS:
        return None
    column, _, key = source.partition("['")
    if not key:
        return lambda row: row[column]
    key = key.removesuffix("']")
    return lambda row: row[column][key]


class FieldReader:
    """Reads rows by one entry of the table."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self._read = compile_fields(entry.fields)
        self._texts = [key for key in ("passage", "reasoning", "target_format") if key in entry.fields]
        self._has_choices = "choices" in entry.fields
        self._strips = "tests" not in entry.fields

    def __call__(self, row: Row) -> Reading:
        values = self._read(row)
        reading = Reading(question=text_of(values["question"]), fixed_gold=self.entry.fixed_gold)
        for key in self._texts:
            setattr(reading, key, text_of(values[key]) or None)
        if values.get("tests"):
            reading.tests = list(values["tests"])
        if self._has_choices:
            self._read_choices(reading, values)
            return reading
        answers = texts_of(values["answer"]) if self._strips else _as_written(values["answer"])
        if answers:
            reading.answer, *reading.aliases = without_contradictions(answers)
        return reading

    def _read_choices(self, reading: Reading, values: dict[str, Any]) -> None:
        found = values["choices"]
        if isinstance(found, str):
            found = read_list(found)
        if not isinstance(found, list | tuple):
            raise Unrenderable("no_choices", f"the options are {str(values['choices'])[:60]!r}, not a list")
        choices = [trimmed(text_of(choice)) for choice in found]
        labels = [text_of(label) for label in values["labels"]] if "labels" in values else None
        labelled = without_labels(choices)
        if labelled is not None:
            choices, labels = labelled[0], labels or labelled[1]
        target = reading.target = values["gold"]
        reading.choices = choices
        if not self.entry.fixed_gold and not isinstance(target, list):
            reading.gold_number = position_number(target, choices, labels)
        golds = [position(item, choices, labels) for item in (target if isinstance(target, list) else [target])]
        places = [gold for gold in golds if gold is not None]
        if places:
            reading.gold = places[0]
            reading.aliases = [choices[gold] for gold in places[1:]]


def _as_written(answer: Any) -> list[str]:
    """Answers with their own white space, which code needs."""
    items = answer if isinstance(answer, list) else [answer]
    return [text for text in dict.fromkeys(text_of(item) for item in items) if text.strip()]


def _mark_word(text: str, index: int, span: str) -> str:
    """A text with the span that begins at its word `index` between asterisks, as lm-eval shows the pronoun of a
    Winograd schema. Raises ValueError where another word stands there.
    """
    words = list(re.finditer(r"\S+", text))
    start = words[index].start() if index < len(words) else len(text)
    if text[start : start + len(span)].casefold() != span.casefold():
        start = text.find(span, max(0, start - 2), start + len(span) + 2)
        if start < 0:
            raise ValueError(f"the word {index} of the text is not {span!r}")
    return f"{text[:start]}*{text[start : start + len(span)]}*{text[start + len(span) :]}"
