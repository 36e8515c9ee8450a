"""Every lm-eval leaf task as a catalog row with a verdict: `build_catalog`, `select`, `task_config`.

    {"task": "gsm8k", "dataset": {"path": "openai/gsm8k", "name": "main", "splits": {"training": "train", "validation": null, "test": "test",
     "fewshot": "train"}}, "kind": "numeric", "frame": "generation", "family": "math", "capability": "reasoning", "languages": ["en"],
     "license": {"id": "MIT", "commercial_use": "yes", …}, "verdict": "eligible", "reasons": [], "groups": [...]}

The facts are read once and cached (the walk over lm-eval's 14,000 files takes seconds, the cache a tenth of one);
verdicts depend on the
configuration and are computed on every call.
"""

import difflib
import fnmatch
import hashlib
import importlib.util
import logging
import os
import re
from bisect import bisect_left, bisect_right
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.catalog import licenses
from nemo_sdg.catalog.data_files import BUILDERS, training_dataset
from nemo_sdg.catalog.families import read_data
from nemo_sdg.catalog.guard import SplitGuard
from nemo_sdg.catalog.identity import Aliases, last_part
from nemo_sdg.catalog.task_files import OVERRIDDEN
from nemo_sdg.config import DeclaredSplit, GuardSection, SeedsSection
from nemo_sdg.errors import ConfigError, SdgError
from nemo_sdg.records import CatalogRow, Verdict
from nemo_sdg.storage import write_bytes

logger = logging.getLogger(__name__)

POOL_TAG = "knowledge_pool"
"""of the task files in catalog/pools"""


def build_catalog(seeds: SeedsSection, guard: GuardSection, *, cache_dir: Path | None = None) -> list[CatalogRow]:
    """All leaves of lm-eval and of `seeds.include_path`, by name, each judged by rings 1 and 2 and by the licence
    policy.

    Rows share their nested values: read only. Raises ConfigError when a folder of include_path is missing, or
    seeds.declared or guard.require names no task.
    """
    facts = load_facts(_folders(seeds), cache_dir or default_cache_dir())
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
    _known(rows, guard.require, "guard.require")
    return rows


def _declared(seeds: SeedsSection, facts: dict[str, Any]) -> dict[str, DeclaredSplit]:
    """What is declared of each task, from the package's table and, above it, from the configuration."""
    names = [row["task"] for row in facts["rows"]]
    silent = [row["task"] for row in facts["rows"] if row["dataset"]["splits"]["training"] is None]
    found: dict[str, DeclaredSplit] = {}
    for row in facts["splits"]["declared"]:
        said = DeclaredSplit(split=row["split"], reason=row["why"], name=row.get("name"))
        found.update(dict.fromkeys(_matching(row["task"], silent), said))
    for pattern, declaration in seeds.declared.items():
        matches = _matching(pattern, names)
        if not matches:
            raise ConfigError(f"seeds.declared names {pattern}, which no task matches{_near(pattern, names)}")
        found.update(dict.fromkeys(matches, declaration))
    return found


def _matching(pattern: str, names: list[str]) -> list[str]:
    """The names that a name or glob means; `names` is sorted."""
    fixed = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    start, end = bisect_left(names, fixed), bisect_right(names, fixed + chr(0x10FFFF))
    return (
        fnmatch.filter(names[start:end], pattern)
        if fixed != pattern
        else names[start : start + 1]
        if pattern in names[start : start + 1]
        else []
    )


def _near(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    return f"; did you mean {', '.join(near)}?" if near else ""


def select(catalog: list[CatalogRow], names: list[str]) -> list[CatalogRow]:
    """The rows that names, groups, tags and globs ask for, in catalog order; no names means all of lm-eval's and of
    one's own, without the pools, which are asked for by their tag. Raises ConfigError for an unknown name.
    """
    if not names:
        return [row for row in catalog if POOL_TAG not in row.groups]
    wanted = _known(catalog, names, "seeds.tasks")
    return [row for row in catalog if row.task in wanted or not wanted.isdisjoint(row.groups)]


def compared(catalog: list[CatalogRow], chosen: list[CatalogRow], guard: GuardSection) -> list[CatalogRow]:
    """The tasks whose evaluation rows the seeds of the chosen tasks are compared with: guard.against and guard.require.

    Raises ConfigError for a name that no task has.
    """
    if "all" in guard.against:
        return catalog
    table = read_data("splits.yaml")
    aliases = Aliases([*table["aliases"], *guard.aliases])
    words = set(guard.against) & {"own", "families", "reported"}
    families = {row.family for row in chosen} if "families" in words else set()
    datasets = {name for row in chosen for name in _dataset_names(row, aliases)} if "own" in words else set()
    names = [name for name in guard.against if name not in words]
    wanted = _known(catalog, names, "guard.against") | _known(catalog, guard.require, "guard.require")
    if "reported" in words:
        wanted |= _known(catalog, table["reported"], "reported in catalog/splits.yaml")
    own = {row.task for row in chosen} if "own" in words else set()
    return [
        row
        for row in catalog
        if row.task in wanted
        or row.task.removeprefix(OVERRIDDEN) in own
        or row.family in families
        or not wanted.isdisjoint(row.groups)
        or not datasets.isdisjoint(_dataset_names(row, aliases))
    ]


def _dataset_names(row: CatalogRow, aliases: Aliases) -> set[str]:
    """Names under which a task's data set is known; none for files, which are known by the task alone."""
    path = row.dataset["path"]
    if not path or path in BUILDERS:
        return set()
    return {known for known, _ in aliases.names(path, row.dataset.get("name"))} | {last_part(path)}


def _known(catalog: list[CatalogRow], names: list[str], field: str) -> set[str]:
    """The tasks, groups and tags that names and globs mean; `field` of the configuration holds them."""
    known = sorted({row.task for row in catalog} | {group for row in catalog for group in row.groups}) if names else []
    found: set[str] = set()
    for name in names:
        matches = _matching(name, known)
        if not matches:
            raise ConfigError(f"{field} names {name}, which is no task, group or tag of lm-eval{_near(name, known)}")
        found.update(matches)
    return found


def task_config(name: str, seeds: SeedsSection) -> dict[str, Any]:
    """A leaf's YAML with its includes followed, as a plain dict; functions stay yamltree.FunctionRef (folder, name).
    Raises ConfigError.
    """
    from nemo_sdg.catalog.task_files import TaskFileError, YamlTree

    try:
        return YamlTree().load(task_file(name, seeds))
    except TaskFileError as exc:
        raise ConfigError(f"the task file of {name} cannot be used: {exc}") from exc


def task_file(name: str, seeds: SeedsSection) -> Path:
    """The YAML file of a leaf. Raises ConfigError for an unknown one."""
    files = _files(_folders(seeds))
    if name not in files:
        raise ConfigError(f"{name} is no lm-eval task{_near(name, list(files))}")
    return Path(files[name])


def _folders(seeds: SeedsSection) -> tuple[str, ...]:
    """The folders of include_path, whatever the working directory will be."""
    return tuple(os.path.abspath(Path(folder).expanduser()) for folder in seeds.include_path)


@lru_cache(maxsize=8)
def _files(include_path: tuple[str, ...]) -> dict[str, str]:
    root = lm_eval_tasks_folder()
    return {
        row["task"]: os.path.join(root, row["file"]) for row in load_facts(include_path, default_cache_dir())["rows"]
    }


def built_in_like(config: dict[str, Any], seeds: SeedsSection) -> tuple[str, str | None, str] | None:
    """Dataset path, config name and task of the built-in task that renders its rows by the same templates, if any."""
    from nemo_sdg.catalog.task_files import templates_key

    return _built_in_templates(_folders(seeds)).get(templates_key(config))


@lru_cache(maxsize=8)
def _built_in_templates(include_path: tuple[str, ...]) -> dict[str, tuple[str, str | None, str]]:
    found: dict[str, tuple[str, str | None, str]] = {}
    for row in load_facts(include_path, default_cache_dir())["rows"]:
        if not Path(row["file"]).is_absolute() and row["dataset"]["path"]:
            found.setdefault(row["templates"], (row["dataset"]["path"], row["dataset"]["name"], row["task"]))
    return found


def default_cache_dir() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nemo_sdg"


def lm_eval_tasks_folder() -> str:
    """Where lm-eval's task files lie, without importing it."""
    spec = importlib.util.find_spec("lm_eval")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError("the package lm-eval is not installed; install nemo-sdg's requirements")
    return os.path.join(next(iter(spec.submodule_search_locations)), "tasks")


def load_facts(include_path: tuple[str, ...], cache_dir: Path) -> dict[str, Any]:
    """What facts.read_facts gives; from the cache where that is whole."""
    key = _cache_key(include_path)
    path = cache_dir / f"catalog-{key}.json"
    try:
        facts = orjson.loads(path.read_bytes())
        if isinstance(facts, dict) and facts.get("key") == key:
            if facts["outside_hash"] == _hash_of_files(facts["outside"]):
                return facts
            raise FileNotFoundError("an included file has changed")
        logger.warning("%s is damaged and is made anew", path)
    except FileNotFoundError:
        logger.debug("the catalog at %s is made anew", path)
    except (OSError, orjson.JSONDecodeError) as exc:
        logger.warning("%s is damaged and is made anew (%s)", path, exc)
    from nemo_sdg.catalog.task_facts import read_facts

    read = read_facts(lm_eval_tasks_folder(), include_path)
    data = orjson.dumps({**read, "key": key, "outside_hash": _hash_of_files(read["outside"])})
    try:
        write_bytes(path, data)
    except SdgError as exc:
        logger.warning("the catalog is not cached: %s", exc)
    found: dict[str, Any] = orjson.loads(data)
    return found


def _cache_key(include_path: tuple[str, ...]) -> str:
    """Changes with the contents of every task file, and with the code and tables that read them."""
    digest = hashlib.sha256(_tree_hash(lm_eval_tasks_folder()).encode())
    here = Path(__file__).parent
    names = ("task_facts", "families", "languages", "membership", "metadata", "task_files", "data_files")
    for source in sorted([*(here / f"{name}.py" for name in names), *here.glob("**/*.yaml")]):
        digest.update(source.read_bytes())
    for folder in include_path:
        if not Path(folder).is_dir():
            raise ConfigError(f"seeds.include_path names {folder}, which is not a folder")
        digest.update(_tree_hash.__wrapped__(folder).encode())
    return digest.hexdigest()[:32]


@cache
def _tree_hash(folder: str) -> str:
    """A hash over the task files below a folder and their code: 0.4 s for lm-eval's 14,000, once a process."""
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


def _hash_of_files(files: list[str]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.encode())
        if Path(file).is_file():
            digest.update(Path(file).read_bytes())
    return digest.hexdigest()
