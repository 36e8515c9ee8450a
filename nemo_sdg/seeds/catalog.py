"""Every lm-eval leaf task as a catalog row with a verdict: `build_catalog`, `select`, `task_config`.

    {"task": "gsm8k", "dataset": {"path": "openai/gsm8k", "name": "main", "splits": {"training": "train", "validation": null, "test": "test",
     "fewshot": "train"}}, "kind": "numeric", "frame": "generation", "family": "math", "capability": "reasoning", "languages": ["en"],
     "license": {"id": "MIT", "commercial_use": "yes", …}, "verdict": "eligible", "reasons": [], "groups": [...]}

The facts are read once and cached (the walk over lm-eval's 14,000 files takes seconds, the cache a tenth of one); verdicts depend on the
configuration and are computed on every call.
"""

import difflib
import fnmatch
import hashlib
import importlib.metadata
import importlib.util
import logging
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.config import GuardSection, SeedsSection
from nemo_sdg.errors import ConfigError, SdgError
from nemo_sdg.records import CatalogRow, Verdict
from nemo_sdg.seeds import licenses
from nemo_sdg.seeds.facts import DATA, Families, class_facts, dataset_facts, is_text, read_data
from nemo_sdg.seeds.guard import SplitGuard
from nemo_sdg.seeds.membership import inline_evaluations, memberships
from nemo_sdg.seeds.yamltree import Entry, FunctionRef, TaskFileError, YamlTree, index_tasks
from nemo_sdg.store import write_bytes

logger = logging.getLogger(__name__)


def build_catalog(seeds: SeedsSection, guard: GuardSection, *, cache_dir: Path | None = None) -> list[CatalogRow]:
    """All leaves of lm-eval and of `seeds.include_path`, by name, each judged by rings 1 and 2 and by the licence policy.

    Raises ConfigError when a folder of include_path is missing or a declared split names no task.
    """
    facts = load_facts(tuple(seeds.include_path), cache_dir or default_cache_dir())
    declared = _declared(seeds, facts["rows"])
    judge = SplitGuard(guard, [*((row["task"], row["dataset"]) for row in facts["rows"]), *((label, dataset) for label, dataset in facts["inline"])])
    rows = []
    for fact in facts["rows"]:
        dataset = fact["dataset"]
        if fact["task"] in declared:
            split, why = declared[fact["task"]]
            dataset = {**dataset, "splits": {**dataset["splits"], "training": split}, "declared": why}
        reasons = list(fact["reasons"])
        if dataset["splits"]["training"]:
            reasons += judge.refusals(fact["task"], dataset)
            if not licenses.allowed(fact["license"], seeds.license_policy, seeds.licenses):
                reasons.append(f"license: {fact['license']['id']} is not admitted by seeds.license_policy={seeds.license_policy.value}")
        elif not reasons:
            reasons.append("no_training_split")
        fields = {key: fact[key] for key in ("task", "kind", "frame", "family", "capability", "languages", "license", "groups")}
        rows.append(CatalogRow(**fields, dataset=dataset, verdict=Verdict.refused if reasons else Verdict.eligible, reasons=reasons))
    return rows


def _declared(seeds: SeedsSection, rows: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """Task: (split, why), from the package's table and, above it, from the configuration."""
    by_name = {row["task"]: row for row in rows}
    names = list(by_name)
    found: dict[str, tuple[str, str]] = {}
    for row in read_data("splits.yaml")["declared"]:
        for name in _matching(row["task"], names):
            if by_name[name]["dataset"]["splits"]["training"] is None:
                found[name] = (row["split"], row["why"])
    for pattern, declaration in seeds.declared.items():
        matches = _matching(pattern, names)
        if not matches:
            raise ConfigError(f"seeds.declared names {pattern}, which no task matches{_near(pattern, names)}")
        for name in matches:
            found[name] = (declaration.split, declaration.reason)
    return found


def _matching(pattern: str, names: list[str]) -> list[str]:
    return fnmatch.filter(names, pattern) if any(c in pattern for c in "*?[") else [pattern] if pattern in names else []


def _near(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    return f"; did you mean {', '.join(near)}?" if near else ""


def select(catalog: list[CatalogRow], names: list[str]) -> list[CatalogRow]:
    """The rows that names, groups, tags and globs ask for, in catalog order; no names means all. Raises ConfigError for an unknown one."""
    if not names:
        return list(catalog)
    known = sorted({row.task for row in catalog} | {group for row in catalog for group in row.groups})
    wanted: set[str] = set()
    for name in names:
        matches = _matching(name, known)
        if not matches:
            raise ConfigError(f"seeds.tasks names {name}, which is no task, group or tag of lm-eval{_near(name, known)}")
        wanted.update(matches)
    return [row for row in catalog if row.task in wanted or not wanted.isdisjoint(row.groups)]


def task_config(name: str, seeds: SeedsSection) -> dict[str, Any]:
    """A leaf's YAML with its includes followed, as a plain dict; functions stay FunctionRef (folder, name). Raises ConfigError."""
    files = _files(tuple(seeds.include_path))
    if name not in files:
        raise ConfigError(f"{name} is no lm-eval task{_near(name, list(files))}")
    try:
        return YamlTree().load(files[name])
    except TaskFileError as exc:
        raise ConfigError(f"the task file of {name} cannot be used: {exc}") from exc


@lru_cache(maxsize=8)
def _files(include_path: tuple[str, ...]) -> dict[str, str]:
    root = lm_eval_tasks_folder()
    return {row["task"]: os.path.join(root, row["file"]) for row in load_facts(include_path, default_cache_dir())["rows"]}


def default_cache_dir() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nemo_sdg"


def lm_eval_tasks_folder() -> str:
    """Where lm-eval's task files lie, without importing it."""
    spec = importlib.util.find_spec("lm_eval")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError("the package lm-eval is not installed; install nemo-sdg's requirements")
    return os.path.join(list(spec.submodule_search_locations)[0], "tasks")


def load_facts(include_path: tuple[str, ...], cache_dir: Path) -> dict[str, Any]:
    """`{"rows": [...], "inline": [[label, dataset], ...]}`: all that does not depend on guard and policy; from the cache where it is whole."""
    key = _cache_key(include_path)
    path = cache_dir / f"catalog-{key}.json"
    try:
        facts = orjson.loads(path.read_bytes())
        if isinstance(facts, dict) and facts.get("key") == key and facts.get("num") == len(facts["rows"]):
            return facts
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        logger.debug("no whole catalog cache at %s", path)
    facts = {"key": key, **read_facts(include_path)}
    try:
        write_bytes(path, orjson.dumps(facts))
    except SdgError as exc:
        logger.warning("the catalog is not cached: %s", exc)
    return facts


def _cache_key(include_path: tuple[str, ...]) -> str:
    """Changes with lm-eval's version, any small file of include_path, and the code and tables that read them."""
    digest = hashlib.sha256(importlib.metadata.version("lm-eval").encode())
    for source in [*(Path(__file__).parent / f"{name}.py" for name in ("catalog", "facts", "languages", "membership", "yamltree")), DATA / "families.yaml"]:
        digest.update(source.read_bytes())
    for folder in include_path:
        if not os.path.isdir(folder):
            raise ConfigError(f"seeds.include_path names {folder}, which is no folder")
        digest.update(os.path.abspath(folder).encode())
        for parent, _, names in sorted(os.walk(folder)):
            for name in sorted(names):
                file = os.path.join(parent, name)
                if not name.endswith((".pyc", ".jsonl", ".parquet")):
                    digest.update(file.encode())
                    digest.update(Path(file).read_bytes())
    return digest.hexdigest()[:32]


def read_facts(include_path: tuple[str, ...]) -> dict[str, Any]:
    """Reads every task file. What lm-eval would pass over is passed over; in include_path, with a warning."""
    root = lm_eval_tasks_folder()
    index = index_tasks([root, *include_path])
    for file, why in index.passed_over.items():
        if not file.startswith(root + os.sep):
            logger.warning("seeds.include_path: %s is passed over: %s", file, why)
    families, groups = Families(), memberships(index)
    rows = [_fact(entry, root, families, groups.get(name, [])) for name, entry in sorted(index.entries.items()) if entry.kind == "task"]
    return {"num": len(rows), "rows": rows, "inline": inline_evaluations(index)}


def _fact(entry: Entry, root: str, families: Families, groups: list[str]) -> dict[str, Any]:
    assert entry.file is not None
    inside = entry.file.startswith(root + os.sep)
    file = os.path.relpath(entry.file, root) if inside else os.path.abspath(entry.file)
    config, reasons = entry.config, []
    python_class = config.get("class")
    dataset = dataset_facts(config)
    if isinstance(python_class, FunctionRef):
        read = class_facts(python_class)
        dataset = read or {**dataset, **{k: v for k, v in families.of_task(entry.name).items() if k in ("path", "name")}}
        if read is None:
            reasons.append(f"unreadable_class: the splits of {python_class.name} are known only when it runs")
    if not is_text(config):
        reasons.append("not_text: the question is an image or a sound")
    if config.get("output_type") == "loglikelihood_rolling":
        reasons.append("no_question: the task scores running text")
    described = families.describe(entry.name, file.partition(os.sep)[0] if inside else "", dataset, config)
    return {"task": entry.name, "file": file, "dataset": dataset, **described, "reasons": reasons, "groups": groups}
