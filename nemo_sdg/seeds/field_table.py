"""The field table (data/fields.yaml): for datasets whose own columns say it better than lm-eval's prompt, where each
field stands.

    - dataset: [openai/gsm8k, gsm8k]
      question: question
      answer: answer | after('####')
      reasoning: answer | before('####')

Each field is a Jinja expression over the row and keeps its type: a list stays a list. Named by dataset, one reading
serves all tasks
that share the row.
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
from nemo_sdg.seeds.row_fields import Reading, boxed, final_number, position, text_of
from nemo_sdg.seeds.templates import Row, context_maker

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
    "why",
}

_environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
_environment.filters.update(
    after=lambda text, mark: text.rpartition(mark)[2].strip() if mark in text else None,
    before=lambda text, mark: text.rpartition(mark)[0].rstrip(),
    boxed=boxed,
    final_number=final_number,
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


@functools.cache
def table() -> list[Entry]:
    """Raises DataError when the table has an unknown key or misses one."""
    entries = []
    for item in yaml.safe_load(
        (importlib.resources.files("nemo_sdg.seeds") / "fields.yaml").read_text(encoding="utf-8")
    ):
        unknown = item.keys() - _KEYS
        if unknown or "question" not in item or not ("answer" in item or {"choices", "gold"} <= item.keys()):
            raise DataError(
                f"fields.yaml: {item.get('dataset')} needs question, and answer or choices with gold; "
                f"unknown keys: {sorted(unknown)}"
            )
        fields = {
            key: str(value)
            for key, value in item.items()
            if key not in ("dataset", "tasks", "fixed_gold", "raw", "why")
        }
        entries.append(
            Entry(
                datasets=item.get("dataset", ["*"]),
                tasks=item.get("tasks", ["*"]),
                fields=fields,
                fixed_gold=item.get("fixed_gold", False),
                raw=item.get("raw", True),
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


@functools.lru_cache(maxsize=1024)
def compile_field(source: str) -> Callable[[Row], Any]:
    """The value of an expression over a row. KeyError or jinja2.UndefinedError where a column is missing."""
    column = _column(source)
    if column is not None:
        return column
    evaluate = compile_fields({"result": source})
    return lambda row: evaluate(row)["result"]


def compile_fields(sources: dict[str, str]) -> Callable[[Row], dict[str, Any]]:
    """The values of several expressions; those that are more than a column share one template, since its context costs
    as much as they do.
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

    def __call__(self, row: Row) -> Reading:
        values = self._read(row)
        reading = Reading(question=text_of(values["question"]), fixed_gold=self.entry.fixed_gold)
        for key in self._texts:
            setattr(reading, key, text_of(values[key]) or None)
        if values.get("tests"):
            reading.tests = list(values["tests"])
        if self._has_choices:
            choices = reading.choices = [text_of(choice) for choice in values["choices"]]
            labels = [text_of(label) for label in values["labels"]] if "labels" in values else None
            target = reading.target = values["gold"]
            found = [
                gold
                for item in (target if isinstance(target, list) else [target])
                if (gold := position(item, choices, labels)) is not None
            ]
            if found:
                reading.gold = found[0]
                reading.aliases = [choices[gold] for gold in found[1:]]
            return reading
        answer = values["answer"]
        answers = [
            text
            for text in dict.fromkeys(text_of(item) for item in (answer if isinstance(answer, list) else [answer]))
            if text.strip()
        ]
        if answers:
            reading.answer, reading.aliases = answers[0], answers[1:]
        return reading
