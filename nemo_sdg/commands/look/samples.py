"""`nemo-sdg sample RUN` and `nemo-sdg cat FILE`: records of a run on the terminal.

nemo-sdg sample runs/first -n 5 --task sciq          five samples, drawn evenly from what was curated
nemo-sdg sample runs/first --dropped --reason X      what was dropped, with the reason
nemo-sdg cat runs/first/answers/shard-00000          the records of one shard as JSON Lines
"""

import gzip
import random
import textwrap
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.records import visible, visible_json
from nemo_sdg.storage import SUFFIX, finished_shards, is_stored, open_content, read_jsonl, require_run, stored_files

WIDTH = 100
STEPS = ("curated", "verified", "graded", "answers", "screened", "questions", "seeds")
"""where samples are looked for, the latest step first"""


def sample(
    run: Path, *, num: int = 5, task: str | None = None, step: str | None = None, dropped: bool = False,
    reason: str | None = None, seed: int = 0,
) -> Iterator[str]:  # fmt: skip
    """The lines of `num` records, drawn at random with `seed`. Raises ConfigError where there is none, DataError where
    the folder is no run."""
    if num < 1:
        raise ConfigError(f"-n must be >= 1, got {num}")
    require_run(run)
    if step is not None and step not in STEPS:
        raise ConfigError(f"--step must be one of {', '.join(reversed(STEPS))}, got {step}")
    if reason is not None:
        dropped = True
    steps = [step] if step else [name for name in STEPS if finished_shards(run, name)]
    if not steps:
        raise ConfigError(f"{run} holds no finished shard yet; run the pipeline first")
    if dropped and step is None:
        steps = list(STEPS)
    steps = steps if dropped else steps[:1]
    picked = reservoir(records(run, steps, dropped, task, reason), num, seed)
    if not picked:
        asked = "".join(f" {name} {value}" for name, value in (("of task", task), ("with reason", reason)) if value)
        elsewhere = "" if dropped or step else "; see --dropped, or an earlier step by --step"
        raise ConfigError(f"{run} has no {'drop' if dropped else 'record'}{asked} in {', '.join(steps)}{elsewhere}")
    for number, record in enumerate(picked):
        yield from ([""] if number else [])
        yield from shown(record)


def records(
    run: Path, steps: list[str], dropped: bool, task: str | None, reason: str | None
) -> Iterator[dict[str, Any]]:
    """Records or drops of the steps that have the task and the reason asked for."""
    for name in steps:
        for shard in finished_shards(run, name):
            folder = run / name / "dropped" if dropped else run / name
            if not is_stored(folder / f"{shard}.jsonl"):
                continue
            for record in read_jsonl(folder / f"{shard}.jsonl"):
                if task in (None, record.get("task")) and reason in (None, record.get("reason")):
                    yield record


def reservoir(items: Iterator[dict[str, Any]], num: int, seed: int) -> list[dict[str, Any]]:
    """`num` items of a stream, each with the same chance, in bounded memory (algorithm R, Vitter 1985)."""
    rng, picked = random.Random(f"{seed}:sample"), list[dict[str, Any]]()
    for number, item in enumerate(items):
        if number < num:
            picked.append(item)
        elif (place := rng.randrange(number + 1)) < num:
            picked[place] = item
    return picked


def shown(record: dict[str, Any]) -> Iterator[str]:
    """A seed, a sample or a drop as lines of at most WIDTH columns."""
    drop = record if "reason" in record and "step" in record else None
    fields = (drop.get("record") or {}) if drop else record
    head = [
        str(record.get("task")),
        str(fields.get("kind", "")),
        str(fields.get("origin", "")),
        str(fields.get("language", "")),
    ]
    identity = fields.get("sample_id") or fields.get("seed_id") or record.get("id") or ""
    yield visible(f"── {' · '.join(part for part in head if part)}  {identity}")
    if drop:
        detail = f": {drop['detail']}" if drop.get("detail") else ""
        yield from wrapped("dropped", f"{drop['step']}, {drop['reason']}{detail}")
    yield from wrapped("raw output", fields.get("text"))
    yield from wrapped("passage", fields.get("passage"))
    yield from wrapped("question", fields.get("question"))
    answer = fields.get("answer")
    text = answer.get("text") if isinstance(answer, dict) else answer
    for choice in fields.get("choices") or []:
        yield from textwrap.wrap(
            visible(choice), WIDTH, initial_indent=f"    {'*' if choice == text else '-'} ", subsequent_indent=" " * 6
        )
    yield from wrapped("context", fields.get("context"))
    yield from wrapped("reasoning", fields.get("reasoning"))
    yield from wrapped("answer", text)


def wrapped(name: str, text: Any) -> Iterator[str]:
    """A field with its name before it; nothing for an empty one. Lines of the text stay lines."""
    if not text:
        return
    for number, line in enumerate(visible(text).splitlines() or [""]):
        lead = f"{name}: " if number == 0 else "    "
        yield from textwrap.wrap(line, WIDTH, initial_indent=lead, subsequent_indent="    ") or [lead.rstrip()]


def cat(path: Path, *, for_terminal: bool = False) -> Iterator[bytes]:
    """The lines of a file of a run, decompressed; `shard-00000` stands for its .jsonl files. `for_terminal`: characters
    that steer a terminal become escapes; else the bytes are those of the content.
    """
    for file in files_named(path):
        if file.suffix in (".parquet", ".bin", ".idx"):
            raise ConfigError(f"{file} is not lines of text; `nemo-sdg trace` shows packed documents")
        try:
            with gzip.open(file) if file.suffix == ".gz" else open_content(file) as handle:
                yield from map(_escaped, handle) if for_terminal else handle
        except (EOFError, gzip.BadGzipFile, zlib.error) as exc:
            raise DataError(f"{file} is cut off or damaged ({exc})") from exc


def _escaped(line: bytes) -> bytes:
    return f"{visible_json(line.decode('utf-8', 'replace').rstrip())}\n".encode()


def files_named(path: Path) -> list[Path]:
    """The files that the argument of `cat` stands for. Raises ConfigError where there is none."""
    if path.name.endswith(f".jsonl{SUFFIX}"):
        path = path.with_name(path.name.removesuffix(SUFFIX))
    if is_stored(path):
        return [path]
    lines = stored_files(path.parent, f"{path.name}.jsonl") or stored_files(path.parent, f"{path.name}.*.jsonl")
    others = (file for file in sorted(path.parent.glob(f"{path.name}.*")) if not file.name.startswith("."))
    found = lines or [file for file in others if file.is_file()][:1]
    if not found:
        raise ConfigError(f"{path} is not a file of a run; give one such as RUN/answers/shard-00000")
    return found
