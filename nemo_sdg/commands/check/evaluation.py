"""Checks the guard's laws without the guard: from lm-eval's YAML files as text and from raw evaluation rows.

The method differs from the guard's on purpose. YAML files that name a seed's dataset are found by searching their text,
together with the files that include them, and are loaded by lm-eval's own loader. Two hub names count as one when their
last parts are equal, whatever the alias table says. Rows are compared by the strings in them. Only one function is
shared with the reader: the one that finds files (catalog/data_files.py), so that both mean the same files.
"""

import functools
import hashlib
import os
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from nemo_sdg.catalog.data_files import BUILDERS
from nemo_sdg.catalog.own_rows import include_folders
from nemo_sdg.catalog.walk import default_cache_dir
from nemo_sdg.commands.check.evaluated import (
    Evaluated,
    Key,
    evaluated_splits,
    is_file,
    last_part,
    mirror_files,
    mirrored,
    mirrored_datasets,
)
from nemo_sdg.commands.check.findings import CheckedRun, Verdict
from nemo_sdg.config import FileSeeds, Labels, SeedsSection
from nemo_sdg.errors import DataError
from nemo_sdg.storage import read_json, read_jsonl

MIN_LETTERS, MIN_WORDS = 40, 10
"""shorter questions are also found in unrelated rows, so they are not compared: a number of letters and digits, and for
samples, which are new texts, also of words
"""
MAX_ROWS = 2
"""a question that stands in more evaluation rows than these is a phrase"""
OWN_WORDS = 0.5
"""share of a seed's words that must stand in the row that it names; templates add some"""

_NO_LETTER = re.compile(r"[\W_]+")
_WORD = re.compile(r"\w+")
_SYLLABLE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]")


def no_seed_is_evaluated_on(run: CheckedRun, verdict: Verdict) -> None:
    """No seed comes from a split, or a file, that any task evaluates on."""
    used = used_splits(run)
    evaluated = evaluated_splits(last_parts(used), include_path(run))
    verdict.violations += offences(used, evaluated)
    for place, task in training_files(run).items():
        if (offender := evaluated.files.get(place)) is not None:
            verdict.violations.append(f"task {task} took seeds from {place}, on which {offender} evaluates")
    verdict.detail = f"{len(used)} dataset splits, {len(evaluated.splits) + len(evaluated.files)} evaluated ones"


def no_evaluation_row_is_repeated(run: CheckedRun, verdict: Verdict) -> None:
    """No seed and no curated sample is a row of an evaluation split that can be read."""
    mirror = run.config["seeds"]["mirror"]
    used = used_splits(run)
    evaluated = evaluated_splits(last_parts(used) | mirrored_datasets(mirror), include_path(run))
    files = evaluation_files(evaluated, mirror)
    broken: dict[str, str] = {}
    rows = functools.partial(evaluation_rows, run, files, broken)
    num, num_rows, repeated = repeated_rows(lambda: long_questions(run), rows)
    verdict.violations += repeated
    verdict.unseen += [f"the evaluation rows of {file}: {why}" for file, why in sorted(broken.items())]
    unreachable = read_json(run.dir / "seeds" / "evaluation" / "unreachable.json")
    own, tasks = last_parts(used) - BUILDERS, set(used.values())
    for split in unreachable:
        name = f"{split['dataset']} ({split['name'] or 'default'}), split {split['split']}"
        if last_part(str(split["dataset"])) in own or not tasks.isdisjoint(split["tasks"]):
            verdict.unseen.append(f"the evaluation rows of {name}: {split['why']}")
    if unreachable and not num_rows:
        verdict.unseen.append(f"nothing was compared: none of {len(unreachable):,} evaluation splits is readable here")
    elif num_rows and not num:
        verdict.unseen.append(f"nothing was compared: all questions have fewer than {MIN_LETTERS} letters")
    verdict.detail = (
        f"{num:,} questions against {num_rows:,} evaluation rows; {len(unreachable):,} splits of other datasets are "
        "not readable here"
    )


def seeds_are_their_rows(run: CheckedRun, verdict: Verdict) -> None:
    """Each seed is what stands in the row of the training split that it names."""
    files = {
        (name.split("/")[1], name.split("/")[2]): place
        for name, place in run.ledgers["seeds"].places.items()
        if name.startswith("training/") and name.count("/") == 3
    }
    wanted: dict[str, dict[int, list[tuple[str, str, str]]]] = {}
    said_by_all: dict[str, set[str]] = {}
    unseen: Counter[str] = Counter()
    num = 0
    for shard in run.shards("seeds"):
        for seed in run.kept("seeds", shard):
            dataset, words = seed["dataset"], set(_WORD.findall(str(seed["question"]).casefold()))
            said_by_all[seed["task"]] = said_by_all.get(seed["task"], words) & words
            known = [(task, dataset["split"]) for task in seed["tasks"] if (task, dataset["split"]) in files]
            if known:
                entry = seed["task"], seed["seed_id"], seed["question"]
                wanted.setdefault(files[known[0]], {}).setdefault(dataset["row"], []).append(entry)
                num += 1
            else:
                unseen[f"{dataset['path']}, split {dataset['split']}"] += 1
    for place, by_row in sorted(wanted.items()):
        try:
            found = {row: _words(value) for row, value in raw_rows(Path(place)) if row in by_row}
        except DataError as exc:
            verdict.unseen.append(str(exc))
            continue
        for row, seeds in sorted(by_row.items()):
            for task, seed_id, question in seeds:
                words = set(_WORD.findall(question.casefold())) - said_by_all[task]  # a task's template is in no row
                if len(words & found.get(row, set())) < OWN_WORDS * len(words):
                    verdict.violations.append(
                        f"seed {seed_id} of {task} is not row {row} of {place}: {question[:80]!r}"
                    )
    verdict.unseen += [
        f"{num} seeds of {name}: the rows are not on this machine" for name, num in sorted(unseen.items())
    ]
    verdict.detail = f"{num:,} seeds found in their rows"


def used_splits(run: CheckedRun) -> dict[Key, str]:
    """(dataset as a seed names it, config, split) -> a task with such seeds."""
    used: dict[Key, str] = {}
    for shard in run.shards("seeds"):
        for seed in run.kept("seeds", shard):
            dataset = seed["dataset"]
            used.setdefault((dataset["path"], dataset["name"] or "default", dataset["split"]), seed["task"])
    return used


def last_parts(used: Iterable[Key]) -> set[str]:
    """Datasets to search for; those that are files may be read by any builder."""
    used = list(used)
    return {last_part(path) for path, _, _ in used} | (BUILDERS if any(is_file(path) for path, _, _ in used) else set())


def include_path(run: CheckedRun) -> list[str]:
    """Folders of task files: those of seeds.include_path, and what seeds.files stands for."""
    said = run.config["seeds"]
    files = {
        name: FileSeeds(**{**rows, "labels": Labels(str(rows["labels"]))})
        for name, rows in said.get("files", {}).items()
    }
    return include_folders(SeedsSection(include_path=list(said["include_path"]), files=files), default_cache_dir())


def training_files(run: CheckedRun) -> dict[str, str]:
    """Real path of each training file -> its task, by the ledger of seeds."""
    return {
        os.path.realpath(place): name.split("/")[1]
        for name, place in run.ledgers["seeds"].places.items()
        if name.startswith("training/")
    }


def offences(used: dict[Key, str], evaluated: Evaluated) -> list[str]:
    """Dataset splits of seeds on which some task evaluates."""
    found = []
    for (path, name, split), task in sorted(used.items()):
        offender = evaluated.splits.get((last_part(path), name, split))
        if is_file(path):
            files = [os.path.realpath(file) for file in path.split(",")]
            offender = next((evaluated.files[file] for file in files if file in evaluated.files), None)
        if offender:
            found.append(f"task {task} took seeds from {path}/{name}/{split}, on which {offender} evaluates")
    return found


def long_questions(run: CheckedRun) -> Iterator[tuple[str, dict[str, Any]]]:
    """Seeds and curated samples whose question is long enough to be one row's own, each with its shard."""
    for step, min_words in (("seeds", 0), ("curated", MIN_WORDS)):
        for shard in run.shards(step):
            for record in run.kept(step, shard):
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


def squeeze(text: Any) -> str:
    return " ".join(str(text).casefold().split())


def evaluation_files(evaluated: Evaluated, mirror: str | None) -> list[str]:
    """Data files of evaluation rows that should be there: those that tasks name, and those of the mirror."""
    files = [file for file in evaluated.files if "://" not in file and os.path.lexists(file)]
    for file in mirror_files(mirror):
        if mirror and mirrored(file, mirror) in evaluated.splits:
            files.append(file)
    return files


def evaluation_rows(run: CheckedRun, files: list[str], broken: dict[str, str]) -> Iterator[set[str]]:
    """The strings of each evaluation row, squeezed: raw rows of files, then the run's rendered ones. A file that
    cannot be read goes into `broken` with the reason.
    """
    for file in files:
        try:
            for _, row in raw_rows(Path(file), broken):
                yield {squeeze(value) for value in leaves(row)}
        except DataError as exc:
            broken[file] = str(exc)
    for path in sorted((run.dir / "seeds" / "evaluation").glob("*.jsonl")):
        for rendered in read_jsonl(path):
            yield {squeeze(value) for value in leaves(rendered)}


def raw_rows(file: Path, broken: dict[str, str] | None = None) -> Iterator[tuple[int, Any]]:
    """Rows of a file as they stand there. Raises DataError where it cannot be read; damaged lines are counted in
    `broken`.
    """
    import csv

    from nemo_sdg.seeds.sources.formats import Damaged, open_file, reads

    if reads(file.name):
        num_damaged = 0
        for number, row in open_file(file, "check"):
            if isinstance(row, Damaged):
                num_damaged += 1
                if broken is not None:
                    broken[str(file)] = f"{num_damaged} lines are damaged"
            else:
                yield number, row
    elif file.suffix in (".csv", ".tsv"):
        try:
            with open(file, newline="", encoding="utf-8-sig") as handle:
                yield from enumerate(csv.DictReader(handle, delimiter="\t" if file.suffix == ".tsv" else ","))
        except (OSError, UnicodeDecodeError, csv.Error) as exc:
            raise DataError(f"{file} cannot be read ({exc})") from exc
    else:
        raise DataError(f"{file} is of a format that check does not read")


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif value is not None:
        yield value


def _words(row: Any) -> set[str]:
    return {word for value in leaves(row) for word in _WORD.findall(str(value).casefold())}
