"""The guard's laws proven again, without the guard: from lm-eval's YAML files as text and the evaluation rows as raw
values.

The way is another on purpose. YAML files that speak of a seed's dataset are found by searching the text, with the files
that include them, and loaded by lm-eval's own loader; hub names count as one when their last parts are equal, whatever
the
alias table says; evaluation rows are compared as the strings that stand in them: as the mirror has them, and as the
run's own
seeds/evaluation/ has them (which is all there is when rows came from the hub).
"""

import contextlib
import functools
import hashlib
import os
import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.errors import Violation
from nemo_sdg.storage import finished_shards, read_jsonl

GENERIC_BUILDERS = {"json", "csv", "parquet", "text", "arrow"}
MIN_LETTERS, MIN_WORDS = 40, 10
"""a shorter question is shared by honest rows: letters and digits for seeds, words as well for samples, which are new
texts
"""
MAX_ROWS = 2
"""a question that stands in more evaluation rows than these is a phrase"""

_NO_LETTER = re.compile(r"[\W_]+")
_SYLLABLE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]")


def check_guard(run_dir: Path) -> str:
    """Raises Violation when a seed stands in a split that lm-eval evaluates on, or a seed or sample repeats an
    evaluation row.
    """
    import yaml

    section = yaml.safe_load((run_dir / "config.yaml").read_text())["seeds"]
    used: dict[tuple[str, str, str], str] = {}
    for shard in finished_shards(run_dir, "seeds"):
        for seed in read_jsonl(run_dir / "seeds" / f"{shard}.jsonl"):
            dataset = seed["dataset"]
            used.setdefault((dataset["path"], dataset["name"] or "default", dataset["split"]), seed["task"])
    datasets = {last_part(path) for path, _, _ in used} | (
        GENERIC_BUILDERS if any(is_file(path) for path, _, _ in used) else set()
    )
    evaluated = evaluated_splits(datasets | mirrored_datasets(section["mirror"]), section["include_path"])
    offence = next(offences(used, evaluated), None)
    if offence:
        raise Violation(offence)
    rows = functools.partial(evaluation_rows, run_dir, evaluated, section["mirror"])
    num, num_rows, repeated = repeated_rows(lambda: long_questions(run_dir), rows)
    if repeated:
        raise Violation(repeated[0])
    return f"{len(used)} dataset splits, {num:,} questions against {num_rows:,} evaluation rows"


def offences(used: dict[tuple[str, str, str], str], evaluated: dict[tuple[str, str, str], str]) -> Iterator[str]:
    """Dataset splits of seeds on which some task evaluates."""
    files_of_tasks = {file: task for (_, name, file), task in evaluated.items() if name == "file"}
    for (path, name, split), task in sorted(used.items()):
        offender = evaluated.get((last_part(path), name, split))
        if last_part(path) in GENERIC_BUILDERS or (
            "/" in path and Path(path).suffix in (".json", ".jsonl", ".csv", ".parquet")
        ):
            offender = files_of_tasks.get(Path(path).as_posix())
        if offender:
            yield f"task {task} took seeds from {path}/{name}/{split}, on which {offender} evaluates"


def long_questions(run_dir: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Seeds and curated samples whose question is long enough to be one row's own, each with the shard it stands in."""

    for step, min_words in (("seeds", 0), ("curated", MIN_WORDS)):
        for shard in finished_shards(run_dir, step):
            for record in read_jsonl(run_dir / step / f"{shard}.jsonl"):
                if num_letters(record["question"]) >= MIN_LETTERS and len(record["question"].split()) >= min_words:
                    yield f"{step}/{shard}", record


def repeated_rows(
    records: Callable[[], Iterable[tuple[str, dict[str, Any]]]], rows: Callable[[], Iterable[set[str]]]
) -> tuple[int, int, list[str]]:
    """Records and rows counted, and what is wrong. Memory: 8 bytes for each long string of an evaluation row."""
    import numpy as np

    hashes, num_rows, num = array("Q"), 0, 0
    for strings in rows():
        num_rows += 1
        hashes.extend(hash_of(string) for string in strings if num_letters(string) >= MIN_LETTERS)
    known = np.unique(np.frombuffer(hashes, dtype=np.uint64))
    suspects: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for place, record in records():
        num += 1
        question = squeeze(record["question"])
        position = int(np.searchsorted(known, np.uint64(hash_of(question))))
        if position < len(known) and int(known[position]) == hash_of(question):
            suspects.setdefault(question, []).append((place, record))
    if not suspects:
        return num, num_rows, []
    holding: dict[str, set[frozenset[str]]] = {}
    for strings in rows():
        for question in strings & suspects.keys():
            holding.setdefault(question, set()).add(frozenset(strings))
    repeated = [
        f"{place}: {record['task']} holds a row of an evaluation split: {record['question'][:120]!r}"
        for question, found in holding.items()
        for place, record in suspects[question]
        if len(found) <= MAX_ROWS
        and any(not record["passage"] or squeeze(record["passage"]) in strings for strings in found)
    ]
    return num, num_rows, repeated


def hash_of(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def num_letters(text: str) -> int:
    """Letters and digits; an ideograph, kana or Hangul syllable says as much as three."""
    return len(_NO_LETTER.sub("", text)) + 2 * len(_SYLLABLE.findall(text))


def mirrored_datasets(mirror: str | None) -> set[str]:
    """Last parts of the datasets that a mirror holds: MIRROR/<dataset path>/<name>/<split>.jsonl."""
    return {file.parts[-3].casefold() for file in mirror_files(mirror)}


def mirror_files(mirror: str | None) -> list[Path]:
    folders = os.walk(mirror, followlinks=True) if mirror else []
    return sorted(
        Path(parent, name) for parent, _, names in folders for name in names if name.endswith((".jsonl", ".parquet"))
    )


def is_file(path: str) -> bool:
    """Whether a seed's dataset is data files of a task's own, rather than a name on the hub."""
    return Path(path.split(",")[0]).suffix in (".json", ".jsonl", ".csv", ".tsv", ".parquet", ".txt")


def last_part(path: str) -> str:
    return path.rsplit("/", 1)[-1].casefold()


def squeeze(text: Any) -> str:
    return " ".join(str(text).casefold().split())


def evaluated_splits(datasets: set[str], include_path: list[str]) -> dict[tuple[str, str, str], str]:
    """(dataset's last part, config, split or data file) -> a task that evaluates on it, for the datasets asked for."""
    import importlib.util

    from lm_eval.tasks._yaml_loader import load_yaml

    spec = importlib.util.find_spec("lm_eval")
    assert spec is not None
    assert spec.submodule_search_locations
    files: dict[Path, str] = {}
    for folder in [Path(spec.submodule_search_locations[0]) / "tasks", *map(Path, include_path)]:
        for parent, _, names in os.walk(folder.resolve()):
            for path in (Path(parent, name) for name in names if name.endswith((".yaml", ".yml")) or "." not in name):
                files[path] = path.read_text(errors="replace")
    pattern = re.compile(
        r"^\s*-?\s*dataset_path:\s*[\"']?(?:\S*/)?("
        + "|".join(re.escape(name) for name in sorted(datasets))
        + r")[\"']?\s*(?:#.*)?$",
        re.M | re.I,
    )
    found = {path for path, text in files.items() if pattern.search(text)}
    while True:
        bases = {path.name for path in found}
        more = {
            path
            for path, text in files.items()
            if path not in found
            and any(Path(m.strip("\"' ")).name in bases for m in re.findall(r"^\s*-?\s*include:\s*(\S+)", text, re.M))
        }
        if not more:
            break
        found |= more
    evaluated: dict[tuple[str, str, str], str] = {}
    for path in sorted(found):
        whole = load_yaml(path, resolve_func=False)
        for config in [whole, *(part for part in whole.get("task") or [] if isinstance(part, dict))]:
            merged = {**whole, **config}
            if merged.get("dataset_path") and last_part(str(merged["dataset_path"])) in datasets:
                for key in keys(merged):
                    evaluated.setdefault(
                        key, str(merged.get("task") if isinstance(merged.get("task"), str) else path.stem)
                    )
    return evaluated


def keys(config: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The splits that a task's scores come from: test, and validation where it is named."""
    dataset, name = last_part(config["dataset_path"]), str(config.get("dataset_name") or "default")
    for field in ("test_split", "validation_split"):
        split = config.get(field)
        if not split:
            continue
        yield dataset, name, re.sub(r"\[.*\]$", "", str(split))
        if dataset in GENERIC_BUILDERS:
            data_files = (config.get("dataset_kwargs") or {}).get("data_files") or {}
            named = data_files.get(split, []) if isinstance(data_files, dict) else data_files
            for file in [named] if isinstance(named, str) else named:
                yield dataset, "file", Path(file).as_posix()


def evaluation_rows(
    run_dir: Path, evaluated: dict[tuple[str, str, str], str], mirror: str | None
) -> Iterator[set[str]]:
    """The strings of each evaluation row, squeezed: raw rows of the mirror and of data files, then the run's rendered
    ones.
    """
    files = [Path(split) for _, name, split in evaluated if name == "file"]
    files += [
        file for file in mirror_files(mirror) if (file.parts[-3].casefold(), file.parts[-2], file.stem) in evaluated
    ]
    files += sorted((run_dir / "seeds" / "evaluation").glob("*.jsonl"))
    for file in files:
        if file.is_file():
            yield from ({squeeze(value) for value in leaves(row)} for row in read_rows(file))


def read_rows(file: Path) -> Iterator[Any]:
    """Rows of a .jsonl or .parquet file; a line that is no JSON object is passed over, as it gives no evaluation row
    either.
    """
    if file.suffix == ".parquet":
        import pyarrow.parquet

        for batch in pyarrow.parquet.ParquetFile(file).iter_batches(1000):
            yield from batch.to_pylist()
    elif file.suffix in (".jsonl", ".json"):
        with open(file, "rb") as handle:
            for line in handle:
                with contextlib.suppress(orjson.JSONDecodeError):
                    yield orjson.loads(line)


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif value is not None:
        yield value
