"""How guard.py offers evaluation rows as training rows: FORMATS of files, EDITS of a text, OWN tasks of a user's."""

import copy
import gzip
import io
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from nemo_sdg.records import EvaluationRow
from nemo_sdg.seeds.content.texts import mark, words

Row = dict[str, Any]
MIN_WORDS = 5
"""minimum words of a text that is edited: in a shorter text, another word makes another question"""


def as_lines(rows: list[Row]) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def as_csv(rows: list[Row]) -> bytes:
    import csv

    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(column for row in rows for column in row)))
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {name: orjson.dumps(item).decode() if isinstance(item, dict | list) else item for name, item in row.items()}
        )
    return out.getvalue().encode()


def as_parquet(rows: list[Row]) -> bytes:
    import pyarrow
    import pyarrow.parquet

    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), out)
    return out.getvalue()


def reordered(rows: list[Row]) -> bytes:
    return as_lines([dict(reversed(list(row.items()))) | {"source": "own"} for row in reversed(rows)])


FORMATS: dict[str, tuple[str, str, Callable[[list[Row]], bytes]]] = {
    "verbatim": ("rows.jsonl", "json", as_lines),
    "json_array": ("rows.json", "json", orjson.dumps),
    "gz": ("rows.jsonl.gz", "json", lambda rows: gzip.compress(as_lines(rows))),
    "bom": ("rows.jsonl", "json", lambda rows: b"\xef\xbb\xbf" + as_lines(rows)),
    "csv": ("rows.csv", "csv", as_csv),
    "parquet": ("rows.parquet", "parquet", as_parquet),
    "field_order": ("rows.jsonl", "json", reordered),
}


def edited_rows(
    rows: dict[int, Row], evaluated: list[EvaluationRow], edit: Callable[..., str | None], name: str
) -> Iterator[Row]:
    """The rows (number -> row), each with the longest text of its question edited; those without such a text are left
    out.
    """
    asked: dict[int, set[str]] = {}
    for seen in evaluated:
        asked.setdefault(seen.dataset.row, set()).update(plain(text) for text in (seen.question, seen.passage or ""))
    vocabulary = [
        word
        for row in list(rows.values())[:200]
        for text in texts(row)
        for word in text.split()
        if word.isalpha() and not any(mark(part) & 1 for part in words(word))
    ] or ["word"]
    for number, row in rows.items():
        inside = [text for text in texts(row) if any(plain(text) in whole for whole in asked.get(number, ()))]
        longest = max(inside, key=len, default="")
        rng = random.Random(f"{name}:{number}")
        changed = edit(longest, rng, vocabulary) if len(pieces(longest)) >= MIN_WORDS else None
        if changed is not None:
            yield replaced(copy.deepcopy(row), longest, changed)


def plain(text: str) -> str:
    return f" {' '.join(words(text))} "


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


def replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {name: replaced(item, old, new) for name, item in value.items()}
    if isinstance(value, list):
        return [replaced(item, old, new) for item in value]
    return new if value == old else value


def pieces(text: str) -> list[str]:
    """A text's words with the spaces after them; characters for a script without spaces."""
    return re.findall(
        r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]\s*|[^\s\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+\s*|\s+",
        text,
    )


def dropped(text: str, rng: random.Random, vocabulary: list[str]) -> str:
    found = pieces(text)
    del found[rng.randrange(len(found))]
    return "".join(found)


def added(text: str, rng: random.Random, vocabulary: list[str]) -> str:
    found = pieces(text)
    found.insert(rng.randrange(len(found) + 1), f" {rng.choice(vocabulary)} ")
    return "".join(found)


def changed(text: str, rng: random.Random, vocabulary: list[str]) -> str:
    found = pieces(text)
    found[rng.randrange(len(found))] = f"{rng.choice(vocabulary)} "
    return "".join(found)


def respelled(text: str, rng: random.Random, vocabulary: list[str]) -> str | None:
    if "\\" not in text and "$" not in text:
        return None
    text = re.sub(r"\\frac(?![a-z])", r"\\dfrac", text)
    text = re.sub(r"(?<=\d)(?=[a-z](?![a-z]))", " ", text).replace("+", " + ").replace("=", " = ")
    return text.replace("(", "\\left(").replace(")", "\\right)") if text.count("$") >= 2 else text


EDITS: dict[str, Callable[..., str | None]] = {
    "word_dropped": dropped,
    "word_added": added,
    "word_changed": changed,
    "prefix": lambda text, rng, _: f"{rng.choice(['Problem:', 'Question:', 'Solve the following.'])} {text}",
    "suffix": lambda text, rng, _: f"{text} {rng.choice(['Explain your answer.', 'Answer:', 'Think step by step.'])}",
    "latex": respelled,
}


def own_task(has_choices: bool) -> dict[str, Any]:
    config: dict[str, Any] = {
        "dataset_path": "json",
        "doc_to_text": "{{passage}}\n\nQuestion: {{question}}\nAnswer:",
        "doc_to_target": "label" if has_choices else "answer",
        "output_type": "multiple_choice" if has_choices else "generate_until",
    }
    return config | ({"doc_to_choice": "choices"} if has_choices else {})


def own_row(row: EvaluationRow, **changes: Any) -> Row | None:
    if row.answer is None:
        return None
    made = {"question": row.question, "passage": row.passage or "", "answer": row.answer}
    if row.choices and row.answer in row.choices:
        made |= {"choices": row.choices, "label": row.choices.index(row.answer)}
    return made | changes


def permuted(row: EvaluationRow, rng: random.Random) -> Row | None:
    if not row.choices or row.answer not in row.choices:
        return None
    choices = rng.sample(row.choices, len(row.choices))
    return own_row(row, choices=choices, label=choices.index(row.answer))


def one_option_changed(row: EvaluationRow, rng: random.Random) -> Row | None:
    if not row.choices or len(row.choices) < 3 or row.answer not in row.choices:
        return None
    wrong = rng.choice([choice for choice in row.choices if choice != row.answer] or [row.choices[0]])
    choices = ["something else entirely" if choice == wrong else choice for choice in row.choices]
    return own_row(row, choices=choices, label=choices.index(row.answer)) if row.answer in choices else None


def text_as_passage(row: EvaluationRow, rng: random.Random) -> Row | None:
    text = "\n".join(part for part in (row.passage, row.question) if part)
    return own_row(row, passage=text, question="What is the answer to the text above?")


OWN: dict[str, Callable[[EvaluationRow, random.Random], Row | None]] = {
    "own_columns": lambda row, rng: own_row(row),
    "options_permuted": permuted,
    "option_changed": one_option_changed,
    "text_as_passage": text_as_passage,
}
