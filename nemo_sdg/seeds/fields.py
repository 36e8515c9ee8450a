"""The field table (data/fields.yaml): for datasets whose own columns say it better than lm-eval's prompt, where each field stands.

    - dataset: [openai/gsm8k, gsm8k]
      question: question
      answer: answer | after('####')
      reasoning: answer | before('####')

Each field is a Jinja expression over the row and keeps its type: a list stays a list. Named by dataset, one reading serves all tasks
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
from nemo_sdg.seeds.reading import Reading, Unrenderable, boxed, final_number, position, text_of
from nemo_sdg.seeds.templates import Row

_COLUMN = re.compile(r"[^\W\d]\w*(?:\['[^']+'\])*")
_KEYS = {"dataset", "tasks", "question", "passage", "choices", "gold", "labels", "answer", "reasoning", "tests", "target_format", "fixed_gold", "raw", "why"}

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
    for item in yaml.safe_load((importlib.resources.files("nemo_sdg.seeds") / "data" / "fields.yaml").read_text(encoding="utf-8")):
        unknown = item.keys() - _KEYS
        if unknown or "question" not in item or not ("dataset" in item or "tasks" in item):
            raise DataError(f"fields.yaml: {item.get('dataset')} needs question and dataset or tasks, and has unknown keys {sorted(unknown)}")
        fields = {key: str(value) for key, value in item.items() if key not in ("dataset", "tasks", "fixed_gold", "raw", "why")}
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
    if _COLUMN.fullmatch(source):
        column, *keys = [source.partition("[")[0], *re.findall(r"\['([^']+)'\]", source)]
        if not keys:
            return lambda row: row[column]
        if len(keys) == 1:
            key = keys[0]
            return lambda row: row[column][key]
    template = _environment.from_string("{% set result = " + source + " %}")
    consume, new_context = template.root_render_func, template.new_context

    def evaluate(row: Row) -> Any:
        context = new_context(row)
        for _ in consume(context):
            pass
        value = context.vars["result"]
        if isinstance(value, jinja2.Undefined):
            value._fail_with_undefined_error()
        return value

    return evaluate


class FieldReader:
    """Reads rows by one entry of the table."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self._fields = {key: compile_field(source) for key, source in entry.fields.items()}
        self._question = self._fields["question"]
        self._others = [(key, self._fields[key]) for key in ("passage", "reasoning", "tests", "target_format") if key in self._fields]

    def __call__(self, row: Row) -> Reading:
        fields = self._fields
        reading = Reading(question=text_of(self._question(row)))
        for key, read in self._others:
            value = read(row)
            if value:
                setattr(reading, key, list(value) if key == "tests" else text_of(value))
        if "choices" in fields:
            reading.choices = [text_of(choice) for choice in fields["choices"](row)]
            reading.fixed_gold = self.entry.fixed_gold
            target = fields["gold"](row)
            labels = [text_of(label) for label in fields["labels"](row)] if "labels" in fields else None
            golds = [position(item, reading.choices, labels) for item in (target if isinstance(target, list) else [target])]
            found = [gold for gold in golds if gold is not None]
            if found:
                reading.gold = found[0]
                reading.aliases = [reading.choices[gold] for gold in found[1:]]
        elif "answer" in fields:
            value = fields["answer"](row)
            texts = list(dict.fromkeys(text_of(item) for item in (value if isinstance(value, list) else [value])))
            texts = [text for text in texts if text.strip()]
            if texts:
                reading.answer, reading.aliases = texts[0], texts[1:]
        else:
            raise Unrenderable("no_gold", "the field table names neither choices nor answer")
        return reading
