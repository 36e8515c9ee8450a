"""Every lm-eval leaf task as a catalog row with a verdict: `build_catalog`, `task_config`.

    {"task": "gsm8k", "dataset": {"path": "openai/gsm8k", "name": "main",
      "splits": {"training": "train", "validation": null, "test": "test", "fewshot": "train"}},
     "kind": "numeric", "frame": "generation", "family": "math", "capability": "reasoning", "languages": ["en"],
     "license": {"id": "MIT", "commercial_use": "yes", …}, "verdict": "eligible", "reasons": [], "groups": [...]}

Facts are read once and cached: reading lm-eval's 14,000 files takes seconds, reading the cache takes a tenth of a
second. Verdicts depend on the configuration and are not cached in the file.
"""

import hashlib
import importlib.util
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from nemo_sdg.catalog.about import licenses
from nemo_sdg.catalog.cached import hash_of_files, read_cached
from nemo_sdg.catalog.data_files import training_dataset
from nemo_sdg.catalog.guard import SplitGuard
from nemo_sdg.catalog.identity import files_of
from nemo_sdg.catalog.own_rows import include_folders
from nemo_sdg.catalog.selection import matching, named, near
from nemo_sdg.config import DeclaredSplit, GuardSection, SeedsSection
from nemo_sdg.errors import ConfigError
from nemo_sdg.records import CatalogRow, Verdict

logger = logging.getLogger(__name__)


def build_catalog(seeds: SeedsSection, guard: GuardSection) -> list[CatalogRow]:
    """All leaves of lm-eval and of `seeds.include_path`, by name, each judged by rings 1 and 2 and by the licence
    policy. The steps of a run call this several times: the last result is returned again if none of its inputs has
    changed.

    The rows are those of all callers: read only. Raises ConfigError when a folder of include_path is missing, or
    seeds.declared or guard.require names no task.
    """
    folders = _folders(seeds)
    asked = repr((_cache_key(folders), seeds, guard, default_cache_dir(), Path.cwd()))
    known = _last.get(asked)
    if known is None or known.outside_hash != hash_of_files(known.outside) or known.files != _files_of(known.own):
        facts = load_facts(folders)
        own = [row["dataset"] for row in facts["rows"] if Path(row["file"]).is_absolute()]
        own += [dataset for _, dataset in facts["inline"]]
        files = _files_of(own)
        rows = _judged(seeds, guard, facts)
        known = _Judged(rows=rows, outside=facts["outside"], outside_hash=facts["outside_hash"], own=own, files=files)
        _last.clear()
        _last[asked] = known
    return list(known.rows)


@dataclass(kw_only=True)
class _Judged:
    rows: list[CatalogRow]
    outside: list[str]
    """files outside all task folders that task files include"""
    outside_hash: str
    own: list[dict[str, Any]]
    """datasets of tasks outside lm-eval, whose files may appear or disappear"""
    files: list[list[str]]
    """the data files of `own`"""


_last: dict[str, _Judged] = {}
"""arguments -> result of the last call; holds one entry at most"""


def _files_of(datasets: list[dict[str, Any]]) -> list[list[str]]:
    """The data files of all splits of these datasets that exist now."""
    return [
        files_of(dataset, split)
        for dataset in datasets
        for split in dataset["splits"].values()
        if split and dataset["path"]
    ]


def _judged(seeds: SeedsSection, guard: GuardSection, facts: dict[str, Any]) -> list[CatalogRow]:
    declared = _declared(seeds, facts)
    judge = SplitGuard(
        guard,
        [*((row["task"], row["dataset"]) for row in facts["rows"]), *facts["inline"]],
        facts["splits"],
        mirror=seeds.mirror,
    )
    for line in facts["warnings"]:
        logger.warning("%s", line)
    rows = []
    for fact in facts["rows"]:
        task, dataset, license = fact["task"], fact["dataset"], facts["licenses"][fact["license"]]
        if task in declared:
            said = declared[task]
            dataset = {**dataset, "splits": {**dataset["splits"], "training": said.split}, "declared": said.reason}
            if said.name is not None:
                dataset["training_name"] = said.name
        reasons = list(fact["reasons"])
        if dataset["splits"]["training"]:
            reasons += judge.refusals(task, training_dataset(dataset))
            if not licenses.allowed(license, seeds.license_policy, seeds.licenses):
                reasons.append(
                    f"license: {license['id']} is not admitted by seeds.license_policy={seeds.license_policy.value}"
                )
        elif not reasons:
            reasons.append("no_training_split")
        rows.append(
            CatalogRow(
                task=task,
                dataset={key: value for key, value in dataset.items() if key != "folder"},
                kind=fact["kind"],
                frame=fact["frame"],
                family=fact["family"],
                capability=fact["capability"],
                languages=fact["languages"],
                license=license,
                verdict=Verdict.refused if reasons else Verdict.eligible,
                reasons=reasons,
                groups=fact["groups"],
            )
        )
    named(rows, guard.require, "guard.require")
    return rows


def _declared(seeds: SeedsSection, facts: dict[str, Any]) -> dict[str, DeclaredSplit]:
    """Task -> its declared split, from the package's table and from the configuration. The configuration wins."""
    names = [row["task"] for row in facts["rows"]]
    silent = [row["task"] for row in facts["rows"] if row["dataset"]["splits"]["training"] is None]
    found: dict[str, DeclaredSplit] = {}
    for row in facts["splits"]["declared"]:
        said = DeclaredSplit(split=row["split"], reason=row["why"], name=row.get("name"))
        found.update(dict.fromkeys(matching(row["task"], silent), said))
    for pattern, declaration in seeds.declared.items():
        matches = matching(pattern, names)
        if not matches:
            raise ConfigError(f"seeds.declared names {pattern}, which no task matches{near(pattern, names)}")
        found.update(dict.fromkeys(matches, declaration))
    return found


def task_config(name: str, seeds: SeedsSection) -> dict[str, Any]:
    """A leaf's YAML merged with its includes, as a plain dict; functions stay task_files.FunctionRef (folder, name).
    Raises ConfigError.
    """
    from nemo_sdg.catalog.task_files import TaskFileError, YamlTree

    try:
        return YamlTree().load(task_file(name, seeds))
    except TaskFileError as exc:
        raise ConfigError(f"the task file of {name} cannot be used: {exc}") from exc


def task_file(name: str, seeds: SeedsSection) -> Path:
    """The YAML file of a leaf. Raises ConfigError for an unknown one."""
    files = task_files(seeds)
    if name not in files:
        raise ConfigError(f"{name} is not an lm-eval task{near(name, list(files))}")
    return Path(files[name])


def task_files(seeds: SeedsSection) -> Mapping[str, str]:
    """Leaf -> path of its YAML file. For many leaves: `task_file` looks the folders up each time."""
    return _files(_folders(seeds))


def _folders(seeds: SeedsSection) -> tuple[str, ...]:
    """The folders of include_path as absolute paths, so that a change of the working directory does not matter."""
    return tuple(str(Path(folder).expanduser().absolute()) for folder in include_folders(seeds, default_cache_dir()))


@lru_cache(maxsize=8)
def _files(include_path: tuple[str, ...]) -> dict[str, str]:
    root = lm_eval_tasks_folder()
    return {row["task"]: os.path.join(root, row["file"]) for row in load_facts(include_path)["rows"]}


def built_in_like(config: dict[str, Any], seeds: SeedsSection) -> tuple[str, str | None, str] | None:
    """Dataset path, config name and task of a built-in task with the same templates; None if there is no such task."""
    from nemo_sdg.catalog.task_files import templates_key

    return _built_in_templates(_folders(seeds)).get(templates_key(config))


@lru_cache(maxsize=8)
def _built_in_templates(include_path: tuple[str, ...]) -> dict[str, tuple[str, str | None, str]]:
    found: dict[str, tuple[str, str | None, str]] = {}
    for row in load_facts(include_path)["rows"]:
        if not Path(row["file"]).is_absolute() and row["dataset"]["path"]:
            found.setdefault(row["templates"], (row["dataset"]["path"], row["dataset"]["name"], row["task"]))
    return found


def default_cache_dir() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nemo_sdg"


def lm_eval_tasks_folder() -> str:
    """The folder of lm-eval's task files, found without importing lm-eval."""
    spec = importlib.util.find_spec("lm_eval")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError("the package lm-eval is not installed; install nemo-sdg's requirements")
    return os.path.join(next(iter(spec.submodule_search_locations)), "tasks")


def load_facts(include_path: tuple[str, ...]) -> dict[str, Any]:
    """The result of task_facts.read_facts, from the cache if the cached one is complete and current. A change of
    include_path reads only its own folders anew: what lm-eval's files say is cached apart.
    """

    def read() -> dict[str, Any]:
        from nemo_sdg.catalog import task_facts

        root = lm_eval_tasks_folder()
        # its failure is told once, for the catalog
        own = read_cached(default_cache_dir(), "own", _code_key(), lambda: task_facts.read_own(root), told=False)
        return task_facts.read_facts(root, include_path, own)

    return read_cached(default_cache_dir(), "catalog", _cache_key(include_path), read)


def _cache_key(include_path: tuple[str, ...]) -> str:
    """Changes with the contents of every task file, and with the code and tables that read them."""
    digest = hashlib.sha256(_code_key().encode())
    for folder in include_path:
        if not Path(folder).is_dir():
            raise ConfigError(f"seeds.include_path names {folder}, which is not a folder")
        digest.update(_tree_hash.__wrapped__(folder).encode())
    return digest.hexdigest()[:32]


def _code_key() -> str:
    """The part of `_cache_key` that does not depend on include_path."""
    digest = hashlib.sha256(_tree_hash(lm_eval_tasks_folder()).encode())
    here = Path(__file__).parent
    code = [
        here / name for name in ("task_facts.py", "membership.py", "task_files.py", "own_tasks.py", "data_files.py")
    ]
    for source in sorted([*code, *here.glob("about/*.py"), *here.glob("**/*.yaml")]):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:32]


@cache
def _tree_hash(folder: str) -> str:
    """A hash over the task files of a folder tree and their code: 0.4 s for lm-eval's 14,000, once per process."""
    digest = hashlib.sha256(str(Path(folder).absolute()).encode())
    for parent, folders, files in os.walk(folder, followlinks=True):
        folders.sort()
        for name in sorted(files):
            if name.endswith((".yaml", ".yml", ".py")) or "." not in name:
                path = os.path.join(parent, name)
                digest.update(path.encode())
                with open(path, "rb") as handle:
                    digest.update(hashlib.blake2b(handle.read()).digest())
    return digest.hexdigest()
