"""Makes an lm-eval task from a user's rows: writes the task file for `seeds.files` and `nemo-sdg init --from`.

    seeds:
      files:
        my_quiz: {data: quiz.csv, question: stem, answer: key, choices: [a, b, c, d], labels: letter}

The file is written into the user's cache folder, into a folder named by its content. It is read like the files of
`seeds.include_path`, so the same guard applies.
"""

import functools
from pathlib import Path
from typing import Any

import yaml

from nemo_sdg.catalog.data_files import FORMATS
from nemo_sdg.config import FileSeeds, Labels, SeedsSection
from nemo_sdg.errors import ConfigError
from nemo_sdg.records import content_id
from nemo_sdg.storage import write_bytes

LETTERS = "ABCDEFGHIJ"
BUILDER_OF = {"jsonl": "json", "json": "json", "parquet": "parquet", "csv": "csv"}


def task_of(name: str, rows: FileSeeds) -> dict[str, Any]:
    """The task file as plain data. Raises ConfigError if a column's name cannot stand in a template, and if a test file
    is given beside a dataset, or a test split beside a file: their rows would not be kept out of the seeds.
    """
    if rows.test is not None and is_file(rows.test) != is_file(rows.data):
        beside, wanted = ("a file", "a file") if is_file(rows.data) else ("a dataset", "one of its splits")
        raise ConfigError(f"seeds.files.{name}: beside {beside}, test must be {wanted}, got {rows.test!r}")
    for column in filter(None, [rows.question, rows.answer, rows.passage, *rows.choices]):
        if not all(map(str.isidentifier, column.split("."))):
            raise ConfigError(
                f"seeds.files.{name}: the column {column!r} cannot be named in a template; rename it with letters, "
                "digits and underscores"
            )
    passage = f"{{{{{rows.passage}}}}}\n" if rows.passage else ""
    task: dict[str, Any] = {
        "task": name,
        **source_of(rows),
        "training_split": rows.split,
        "output_type": "multiple_choice" if rows.choices else "generate_until",
        "doc_to_text": f"{passage}Question: {{{{{rows.question}}}}}\nAnswer:",
    }
    if rows.test is not None:
        task["test_split"] = "test" if is_file(rows.data) else rows.test
    if rows.choices:
        options = rows.choices[0] if len(rows.choices) == 1 else f"[{', '.join(rows.choices)}]"
        letters = LETTERS[: len(rows.choices)] if len(rows.choices) > 1 else LETTERS
        target = {
            Labels.text: _place_of_text(options, rows.answer, is_column=len(rows.choices) == 1),
            Labels.letter: f"({list(letters)}).index({_first_word(rows.answer)})",
            Labels.from_0: _whole_number(rows.answer, -1),
            Labels.from_1: f"({_whole_number(rows.answer, 0)}) - 1",
        }[rows.labels]
        task |= {"doc_to_choice": f"{{{{{options}}}}}", "doc_to_target": f"{{{{{target}}}}}"}
    else:
        task["doc_to_target"] = f"{{{{{rows.answer}}}}}"
    kind = rows.kind or ("multiple_choice" if rows.choices else "short_text")
    own: dict[str, Any] = {
        "family": rows.family,
        "capability": rows.capability,
        "kind": kind,
        "frame": "selection" if rows.choices else "generation",
        "language": rows.language,
        "license": rows.license,
    }
    task["metadata"] = {"version": 1.0, "nemo_sdg": own}
    return task


def _place_of_text(options: str, answer: str, *, is_column: bool) -> str:
    """A template for the place of the option that the answer writes, whatever blanks stand around either. A column that
    holds its list as text (`['x', 'y']`) gives the answer itself; a number in it could be taken for a place.
    """
    place = f"({options} | map('string') | map('trim') | list).index({answer} | string | trim)"
    if is_column:
        place = f"{place} if {options} is not string else {answer} if not ({answer} | string).isdigit() else none"
    return f"none if {answer} is none else {place}"


def _whole_number(answer: str, other: int) -> str:
    """A template for a whole number; `other` for what is none: no value, a text, a half."""
    return f"({answer} | int({other})) if ({answer} | float({other})) == ({answer} | int({other})) else {other}"


def _first_word(column: str) -> str:
    """A template for the letter of an answer: `B` for `b`, `(B)` and `B. carbon dioxide`. `CO2` stays `CO2`, which is
    not the label of any option.
    """
    marks = "".join(f" | replace('{mark}', ' ')" for mark in "()[].:")
    return f"({column} | string | upper{marks}).split()[0]"


def is_file(data: str) -> bool:
    """Whether `data` names files, and not a dataset of the hub or a folder."""
    return "://" in data or data.endswith(tuple(f".{ending}" for ending in FORMATS))


def source_of(rows: FileSeeds) -> dict[str, Any]:
    """The keys of a task file that name the data."""
    if rows.data.endswith((".tsv", ".tsv.gz")):
        raise ConfigError(
            f"seeds.files: {rows.data} is a TSV file, which is not read here; save it as CSV, or use "
            f"nemo-sdg init FOLDER --from {rows.data}"
        )
    if not is_file(rows.data):
        # A task file can name a folder in the working directory only with ./
        path = f"./{rows.data}" if rows.data[:1] not in "/.~" and Path(rows.data).is_dir() else rows.data
        return {"dataset_path": path, **({"dataset_name": rows.name} if rows.name else {})}
    ending = next(end for end in (*FORMATS, "") if rows.data.endswith(f".{end}")).partition(".")[0]
    files = {rows.split: rows.data, **({"test": rows.test} if rows.test else {})}
    return {"dataset_path": BUILDER_OF.get(ending, "json"), "dataset_kwargs": {"data_files": files}}


def include_folders(seeds: SeedsSection, cache: Path) -> list[str]:
    """seeds.include_path, and the folder of the task files that are written for seeds.files."""
    own = folder_of(tuple(sorted((name, yaml_of(name, rows)) for name, rows in seeds.files.items())), cache)
    return [*seeds.include_path, *([own] if own else [])]


def yaml_of(name: str, rows: FileSeeds) -> str:
    return yaml.safe_dump(task_of(name, rows), sort_keys=False, allow_unicode=True, width=110)


@functools.lru_cache(maxsize=16)
def folder_of(files: tuple[tuple[str, str], ...], cache: Path) -> str | None:
    """The folder of these task files, which are written if they do not exist yet; None if there are no files."""
    if not files:
        return None
    folder = cache / "seeds_files" / content_id(*files)
    for name, text in files:
        path = folder / f"{name}.yaml"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_bytes(path, text.encode())
    return str(folder)
