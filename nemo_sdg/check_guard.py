"""The guard's laws proven again, without the guard: from lm-eval's YAML files as text and the evaluation rows as raw values.

The way is another on purpose. YAML files that speak of a seed's dataset are found by searching the text, with the files
that include them, and loaded by lm-eval's own loader; hub names count as one when their last parts are equal, whatever the
alias table says; evaluation rows are compared as the strings that stand in them, not as rendered.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nemo_sdg.store import read_jsonl

GENERIC_BUILDERS = {"json", "csv", "parquet", "text", "arrow"}
MIN_WORDS = 6
"""shorter questions are shared by honest rows"""


def check_guard(run_dir: Path) -> str:
    """Raises check.Violation when a seed stands in a split that lm-eval evaluates on, or a seed or sample repeats an evaluation row."""
    import yaml

    from nemo_sdg.check import Violation, shards_of

    section = yaml.safe_load((run_dir / "config.yaml").read_text())["seeds"]
    shards = shards_of(run_dir, "seeds")
    used: dict[tuple[str, str, str], str] = {}
    for shard in shards:
        for seed in read_jsonl(run_dir / "seeds" / f"{shard}.jsonl"):
            dataset = seed["dataset"]
            used.setdefault((dataset["path"], dataset["name"] or "default", dataset["split"]), seed["task"])
    datasets = {last_part(path) for path, _, _ in used} | (GENERIC_BUILDERS if any(is_file(path) for path, _, _ in used) else set())
    evaluated = evaluated_splits(datasets, section["include_path"])
    files_of_tasks = {file: task for (_, name, file), task in evaluated.items() if name == "file"}
    for (path, name, split), task in sorted(used.items()):
        offender = evaluated.get((last_part(path), name, split))
        if last_part(path) in GENERIC_BUILDERS or ("/" in path and Path(path).suffix in (".json", ".jsonl", ".csv", ".parquet")):
            offender = files_of_tasks.get(Path(path).as_posix())
        if offender:
            raise Violation(f"task {task} took seeds from {path}/{name}/{split}, on which {offender} evaluates")
    rows = evaluation_strings(evaluated, section["mirror"])
    num = 0
    for step in ("seeds", "curated"):
        for shard in shards_of(run_dir, step):
            for record in read_jsonl(run_dir / step / f"{shard}.jsonl"):
                question = squeeze(record["question"])
                num += 1
                for strings in rows.get(question, ()) if len(question.split()) >= MIN_WORDS else ():
                    if squeeze((record["answer"] or {"text": ""})["text"]) in strings:
                        raise Violation(f"{step}/{shard}: {record['task']} holds a row of an evaluation split: {record['question'][:120]!r}")
    return f"{len(used)} dataset splits, {num:,} questions against {len(rows):,} evaluation strings"


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
        for path in folder.rglob("*"):
            if path.suffix in (".yaml", ".yml") or path.name.endswith("_yaml"):
                files[path.resolve()] = path.read_text(errors="replace")
    pattern = re.compile(
        r"^\s*-?\s*dataset_path:\s*[\"']?(?:\S*/)?(" + "|".join(re.escape(name) for name in sorted(datasets)) + r")[\"']?\s*(?:#.*)?$", re.M | re.I
    )
    found = {path for path, text in files.items() if pattern.search(text)}
    while True:
        names = {path.name for path in found}
        more = {
            path
            for path, text in files.items()
            if path not in found and any(Path(m.strip("\"' ")).name in names for m in re.findall(r"^\s*-?\s*include:\s*(\S+)", text, re.M))
        }
        if not more:
            break
        found |= more
    evaluated: dict[tuple[str, str, str], str] = {}
    for path in sorted(found):
        whole = load_yaml(path, resolve_func=False)
        for config in [whole, *(part for part in whole.get("task", []) if isinstance(part, dict))]:
            merged = {**whole, **config}
            if merged.get("dataset_path") and last_part(str(merged["dataset_path"])) in datasets:
                for key in keys(merged):
                    evaluated.setdefault(key, str(merged.get("task") if isinstance(merged.get("task"), str) else path.stem))
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


def evaluation_strings(evaluated: dict[tuple[str, str, str], str], mirror: str | None) -> dict[str, list[set[str]]]:
    """Every string of an evaluation row, squeezed -> the sets of all strings of the rows that it stands in."""
    strings: dict[str, list[set[str]]] = {}
    for path in evaluation_paths(evaluated, mirror):
        for row in read_jsonl(path):
            values = {squeeze(value) for value in leaves(row)}
            for value in values:
                if len(value.split()) >= MIN_WORDS:
                    strings.setdefault(value, []).append(values)
    return strings


def evaluation_paths(evaluated: dict[tuple[str, str, str], str], mirror: str | None) -> Iterable[Path]:
    for dataset, name, split in sorted(evaluated):
        if name == "file":
            if Path(split).suffix in (".jsonl", ".json") and Path(split).is_file():
                yield Path(split)
        elif mirror:
            yield from sorted(path for path in Path(mirror).glob(f"**/{name}/{split}.jsonl") if path.parts[-3].casefold() == dataset)


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif value is not None:
        yield value
