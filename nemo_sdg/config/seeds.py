"""Which training splits are seeds, and the guard that keeps evaluation rows out of them."""

import enum
from dataclasses import dataclass, field

from nemo_sdg.errors import require


class LicensePolicy(enum.Enum):
    any = "any"
    commercial = "commercial"
    listed = "listed"


@dataclass(kw_only=True)
class DeclaredSplit:
    """A training split that a task's YAML does not name although its dataset has one (mbpp, legalbench, …)."""

    split: str
    reason: str


@dataclass(kw_only=True)
class SeedsSection:
    """Which training splits are seeds, and from where their rows come."""

    tasks: list[str] = field(default_factory=list)
    """lm-eval names: leaves, groups, tags or globs (`legalbench_*`); empty = everything eligible"""
    include_path: list[str] = field(default_factory=list)
    """folders with lm-eval YAMLs of one's own"""
    declared: dict[str, DeclaredSplit] = field(default_factory=dict)
    """task (or glob): its training split and why; the guard judges it like the others"""
    mirror: str | None = None
    """folder MIRROR/<dataset_path>/<dataset_name or default>/<split>.{jsonl,parquet}; set means no network unless
    `hub`
    """
    hub: bool | None = None
    """read from the Hugging Face hub; null = only when no mirror is set"""
    lock: str | None = None
    """seeds.lock.yaml: a run refuses data that differs from it"""
    limit_per_task: int | None = None
    """rows of a task, spread over its subtasks; the rest is counted as not_sampled"""
    limit_per_family: int | None = None
    license_policy: LicensePolicy = LicensePolicy.any
    """commercial: only licences known to allow it; listed: only those in `licenses`"""
    licenses: list[str] = field(default_factory=list)
    """SPDX ids admitted by license_policy=listed"""
    trust_remote_code: list[str] = field(default_factory=list)
    """dataset paths whose loading script may run; none by default"""

    def __post_init__(self) -> None:
        for name in ("limit_per_task", "limit_per_family"):
            value = getattr(self, name)
            require(value is None or value >= 1, f"seeds.{name} must be >= 1 or null, got {value}")
        require(
            (self.license_policy is LicensePolicy.listed) == bool(self.licenses),
            "seeds.licenses and seeds.license_policy=listed go together: set both or neither",
        )


@dataclass(kw_only=True)
class GuardSection:
    """The three rings that keep evaluation rows out of the seeds."""

    name: bool = True
    """ring 1: a split that the task itself evaluates on, or whose name says test, validation, dev, eval"""
    identity: bool = True
    """ring 2: a (dataset, config, split) that any lm-eval task evaluates on, under any name of the dataset"""
    content: bool = True
    """ring 3: rows that stand in a reachable evaluation split"""
    against: list[str] = field(default_factory=lambda: ["own", "families", "reported"])
    """whose evaluation rows ring 3 and decontamination compare with: own (the seeds' data sets), families (tasks of the
    seeds' families), reported (benchmarks that people report, see catalog/splits.yaml), all, or names, groups and globs
    of tasks
    """
    cache: str | None = None
    """folder of rendered evaluation rows that all runs share; null = in the user's cache folder"""
    aliases: list[list[str]] = field(default_factory=list)
    """further groups of dataset paths that are the same data"""
    require: list[str] = field(default_factory=list)
    """tasks whose evaluation splits must be reachable, else the run stops"""
