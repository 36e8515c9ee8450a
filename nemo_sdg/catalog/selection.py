"""Selects tasks by names, groups, tags and globs, and selects the tasks whose evaluation rows the guard compares."""

import difflib
import fnmatch
import re
from bisect import bisect_left, bisect_right

from nemo_sdg.catalog.about.families import read_data
from nemo_sdg.catalog.data_files import BUILDERS
from nemo_sdg.catalog.identity import Aliases, last_part
from nemo_sdg.catalog.task_files import OVERRIDDEN
from nemo_sdg.config import GuardSection
from nemo_sdg.errors import ConfigError
from nemo_sdg.records import CatalogRow, Verdict

POOL_TAG = "knowledge_pool"
"""tag of the task files in catalog/pools"""


def select(catalog: list[CatalogRow], names: list[str]) -> list[CatalogRow]:
    """The rows of these names, groups, tags and globs, in catalog order. No names means all tasks of lm-eval and of the
    user; the pools are selected only by name or tag. Raises ConfigError for an unknown name.
    """
    if not names:
        return [row for row in catalog if POOL_TAG not in row.groups]
    wanted = named(catalog, names, "seeds.tasks")
    return [row for row in catalog if row.task in wanted or not wanted.isdisjoint(row.groups)]


def eligible(catalog: list[CatalogRow], names: list[str]) -> list[CatalogRow]:
    """Those of `select` that may give seeds."""
    return [row for row in select(catalog, names) if row.verdict == Verdict.eligible]


def compared(catalog: list[CatalogRow], chosen: list[CatalogRow], guard: GuardSection) -> list[CatalogRow]:
    """The tasks whose evaluation rows the seeds of the chosen tasks are compared with: guard.against and guard.require.

    Raises ConfigError for an unknown name.
    """
    if "all" in guard.against:
        return catalog
    table = read_data("splits.yaml")
    aliases = Aliases([*table["aliases"], *guard.aliases])
    words = set(guard.against) & {"own", "families", "reported"}
    families = {row.family for row in chosen} if "families" in words else set()
    datasets = {name for row in chosen for name in _dataset_names(row, aliases)} if "own" in words else set()
    names = [name for name in guard.against if name not in words]
    wanted = named(catalog, names, "guard.against") | named(catalog, guard.require, "guard.require")
    if "reported" in words:
        wanted |= named(catalog, table["reported"], "reported in catalog/splits.yaml")
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
    """Names of a task's dataset; no names for data files, which only the task names."""
    path = row.dataset["path"]
    if not path or path in BUILDERS:
        return set()
    return {known for known, _ in aliases.names(path, row.dataset.get("name"))} | {last_part(path)}


def named(catalog: list[CatalogRow], names: list[str], field: str) -> set[str]:
    """The tasks, groups and tags that match names and globs. Raises ConfigError with `field` for an unknown name."""
    known = sorted({row.task for row in catalog} | {group for row in catalog for group in row.groups}) if names else []
    found: set[str] = set()
    for name in names:
        matches = matching(name, known)
        if not matches:
            raise ConfigError(f"{field} names {name}, which is not a task, group or tag of lm-eval{near(name, known)}")
        found.update(matches)
    return found


def matching(pattern: str, names: list[str]) -> list[str]:
    """The names that match a name or glob; `names` is sorted."""
    fixed = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    start, end = bisect_left(names, fixed), bisect_right(names, fixed + chr(0x10FFFF))
    if fixed == pattern:
        return [pattern] if pattern in names[start : start + 1] else []
    return fnmatch.filter(names[start:end], pattern)


def near(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    return f"; did you mean {', '.join(near)}?" if near else ""
