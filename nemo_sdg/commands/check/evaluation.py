"""Checks the guard's laws without the guard: from lm-eval's YAML files as text and from raw evaluation rows.

The method differs from the guard's on purpose. YAML files that name a seed's dataset are found by searching their text,
together with the files that include them, and are loaded by lm-eval's own loader. Two hub names count as one when their
last parts are equal, whatever the alias table says. Rows are compared by the strings in them. Only one function is
shared with the reader: the one that finds files (catalog/data_files.py), so that both mean the same files.
"""

import functools
import os
from array import array
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
from nemo_sdg.commands.check.findings import UNREACHABLE, CheckedRun, Verdict
from nemo_sdg.commands.check.rows import leaves, raw_rows
from nemo_sdg.commands.check.shards import Shard
from nemo_sdg.commands.check.takers import MIN_WORDS, Questions, Seeds
from nemo_sdg.commands.check.texts import (
    FEW_LETTERS,
    MIN_LETTERS,
    hash_of,
    is_compared,
    is_long,
    is_row,
    num_letters,
    squeeze,
)
from nemo_sdg.config import FileSeeds, Labels, SeedsSection
from nemo_sdg.errors import DataError
from nemo_sdg.storage import read_jsonl

MAX_ROWS = 2
"""a question that stands in more evaluation rows than these is a phrase"""


def no_seed_is_evaluated_on(run: CheckedRun, verdict: Verdict) -> None:
    """No seed comes from a split, or a file, that any task evaluates on."""
    used = used_splits(run)
    evaluated = evaluated_splits(last_parts(used), include_path(run))
    verdict.violations += offences(used, evaluated)
    for place, task in training_files(run).items():
        if (offender := evaluated.files.get(place)) is not None:
            verdict.violations.append(f"task {task} took seeds from {place}, on which {offender} evaluates")
    verdict.unseen += [f"the task file {path}: {why}" for path, why in sorted(evaluated.unread.items())]
    verdict.detail = f"{len(used)} dataset splits, {len(evaluated.splits) + len(evaluated.files)} evaluated ones"


def no_evaluation_row_is_repeated(run: CheckedRun, verdict: Verdict) -> None:
    """No seed and no curated sample is a row of an evaluation split that can be read."""
    mirror = run.config["seeds"]["mirror"]
    used = used_splits(run)
    evaluated = evaluated_splits(last_parts(used) | mirrored_datasets(mirror), include_path(run))
    files = evaluation_files(evaluated, mirror)
    broken: dict[str, str] = {}
    rows = functools.partial(evaluation_rows, run, files, broken)
    num, num_rows, repeated = repeated_rows(run, rows)
    verdict.violations += repeated
    for name, place in run.ledgers["seeds"].places.items() if "seeds" in run.ledgers else ():
        if name.startswith("evaluation/") and not Path(place).exists():
            broken.setdefault(place, "the file is no longer there")
    verdict.unseen += [f"the evaluation rows of {file}: {why}" for file, why in sorted(broken.items())]
    unreachable = run.unreachable_splits()
    if UNREACHABLE not in run.outputs and not (run.dir / "manifest.json").is_file():
        verdict.unseen.append(f"which evaluation splits could not be read: no receipt names {UNREACHABLE}")
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


def used_splits(run: CheckedRun) -> dict[Key, str]:
    """(dataset as a seed names it, config, split) -> a task with such seeds."""
    used: dict[Key, str] = {}
    for _, splits in run.each_shard(splits_of):
        used = splits | used
    return used


def splits_of(shard: Shard) -> dict[Key, str]:
    """The splits that the seeds of a shard come from, each with the first task that names it."""
    used: dict[Key, str] = {}
    for seed in shard.of("seeds", Seeds).records if "seeds" in shard else ():
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


def questions_of(shard: Shard) -> dict[str, Any]:
    """Hashes of the questions to compare among a shard's seeds and curated samples."""
    import numpy as np

    return {step: np.array(shard.of(step, Questions).hashes, dtype=np.uint64) for step in MIN_WORDS if step in shard}


def repeated_rows(run: CheckedRun, rows: Callable[[], Iterable[set[str]]]) -> tuple[int, int, list[str]]:
    """Records and rows counted, and what is wrong. Memory: 8 bytes for each string of an evaluation row, but the
    shortest. Only shards with a question whose hash is that of such a string are read again; then texts are compared.
    """
    import numpy as np

    hashes, num_rows, num = array("Q"), 0, 0
    for strings in rows():
        num_rows += 1
        hashes.extend(hash_of(string) for string in strings if num_letters(string) >= FEW_LETTERS)
    known = np.unique(np.frombuffer(hashes, dtype=np.uint64))
    suspects: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    places: dict[str, list[str]] = {step: [] for step in MIN_WORDS}
    for shard, questions in run.each_shard(questions_of):
        for step, found in questions.items():
            num += len(found)
            if np.isin(found, known).any():
                places[step].append(shard)
    of_rows = set(known.tolist()) if any(places.values()) else set()
    for step, shards in places.items():
        for shard in shards:
            for record in run.kept(step, shard):
                question = squeeze(record["question"])
                if is_compared(record, MIN_WORDS[step]) and hash_of(question) in of_rows:
                    suspects.setdefault(question, []).append((step, shard, record))
    if not suspects:
        return num, num_rows, []
    holding: dict[str, set[frozenset[str]]] = {}
    for strings in rows():
        for question in strings & suspects.keys():
            holding.setdefault(question, set()).add(frozenset(strings))
    repeated = [
        f"{step}/{shard}: {record['task']} holds a row of an evaluation split: {record['question'][:120]!r}"
        for question, found in holding.items()
        for step, shard, record in suspects[question]
        if len(found) <= MAX_ROWS or not is_long(record["question"], MIN_WORDS[step])
        if any(is_row(record, strings, MIN_WORDS[step]) for strings in found)
    ]
    return num, num_rows, repeated


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
