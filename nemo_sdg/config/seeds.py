"""The training splits that give seeds, and the guard that keeps evaluation rows out of the seeds."""

import enum
import re
from dataclasses import dataclass, field

from nemo_sdg.errors import require


class LicensePolicy(enum.Enum):
    any = "any"
    commercial = "commercial"
    listed = "listed"


@dataclass(kw_only=True)
class DeclaredSplit:
    """A training split that a task's YAML does not name, although its dataset has one (mbpp, legalbench, …)."""

    split: str
    """name of the split, such as train"""
    reason: str
    """why it is training data; shown in the catalog"""
    name: str | None = None
    """configuration (dataset_name) of the dataset that has the split; null = that of the task"""


class Labels(enum.Enum):
    text = "text"
    letter = "letter"
    from_0 = 0
    from_1 = 1

    @classmethod
    def _missing_(cls, value: object) -> "Labels | None":
        """The numbers as text, as a run's record may hold them."""
        return {"0": cls.from_0, "1": cls.from_1}.get(str(value))


@dataclass(kw_only=True)
class FileSeeds:
    """Rows of a file or of a hub dataset that are seeds without a task file, and the meaning of their columns."""

    data: str
    """file (jsonl, json, csv or parquet; a glob for several), folder, or hub dataset such as allenai/sciq"""
    question: str = "question"
    """column of the question; column.field for a field in a column"""
    answer: str = "answer"
    """column of the right answer"""
    choices: list[str] = field(default_factory=list)
    """column with the list of options, or one column per option; empty = the question has no options"""
    labels: Labels = Labels.text
    """how `answer` names an option: by its text, by a letter from A, or by a number from 0 or from 1"""
    passage: str | None = None
    """column of the text that the question refers to"""
    split: str = "train"
    """for a hub dataset: the split that gives seeds"""
    name: str | None = None
    """for a hub dataset: its configuration"""
    test: str | None = None
    """file (if `data` is a file) or split of the dataset whose rows are kept out of the seeds and samples"""
    kind: str | None = None
    """numeric, short_text, free_text, code or multiple_choice; null = multiple_choice with choices, else short_text"""
    family: str = "factual"
    """family of the task"""
    capability: str = "knowledge"
    """knowledge or reasoning"""
    language: str = "en"
    """ISO 639 code"""
    license: str = "unknown"
    """SPDX id of the rows' licence"""


@dataclass(kw_only=True)
class SeedsSection:
    """The training splits that give seeds, and the sources of their rows."""

    tasks: list[str] = field(default_factory=list)
    """lm-eval names: tasks, groups, tags or globs (`legalbench_*`); empty = all eligible tasks"""
    include_path: list[str] = field(default_factory=list)
    """folders with your own lm-eval YAMLs"""
    files: dict[str, FileSeeds] = field(default_factory=dict)
    """task name: rows of a file or dataset that are seeds without an lm-eval task; they are added to `tasks`, or used
    alone if `tasks` is empty
    """
    declared: dict[str, DeclaredSplit] = field(default_factory=dict)
    """task name or glob: a split that is training data although the task file does not name it, and the reason. The
    guard checks it like the others
    """
    mirror: str | None = None
    """folder with copies of datasets: MIRROR/<dataset_path>/<dataset_name or default>/<split>.{jsonl,parquet}; when
    it is set, the network is used only if `hub` is true
    """
    hub: bool | None = None
    """whether to read from the Hugging Face hub; null = only when no mirror is set"""
    lock: str | None = None
    """file written by `nemo-sdg lock`; the run refuses data that differs from it"""
    limit_per_task: int | None = None
    """maximum rows of each entry of `tasks`; a group, tag or glob spreads them over its tasks. The rest is counted as
    not_sampled
    """
    limit_per_family: int | None = None
    """maximum rows of a family, spread over its tasks; the rest is counted as not_sampled"""
    license_policy: LicensePolicy = LicensePolicy.any
    """datasets that may give seeds: any = all, commercial = datasets whose licence is known to allow commercial use,
    listed = datasets whose licence is in `licenses`
    """
    licenses: list[str] = field(default_factory=list)
    """SPDX ids that license_policy=listed admits"""
    trust_remote_code: list[str] = field(default_factory=list)
    """dataset paths whose loading script may run on this machine"""
    strict: bool = False
    """whether the run stops if a training split cannot be read or gives no seed; otherwise it prints a line"""

    @property
    def wanted(self) -> list[str]:
        """Names of the selected tasks; empty = all eligible tasks."""
        return [*self.tasks, *(name for name in self.files if name not in self.tasks)]

    def __post_init__(self) -> None:
        for name in self.files:
            require(
                re.fullmatch(r"[A-Za-z0-9][\w.-]*", name) is not None,
                f"seeds.files: a task's name is letters, digits, _ . and -, got {name!r}",
            )
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
    """ring 1: a split that the task itself evaluates on, or whose name contains test, validation, dev or eval"""
    identity: bool = True
    """ring 2: a (dataset, config, split) that any lm-eval task evaluates on, under any name of the dataset"""
    content: bool = True
    """ring 3: rows that are in an evaluation split that can be read"""
    against: list[str] = field(default_factory=lambda: ["own", "families", "reported"])
    """evaluation rows that ring 3 and decontamination compare with: own (of the seeds' datasets), families (of tasks in
    the seeds' families), reported (of the commonly reported benchmarks in catalog/splits.yaml), all, or names, groups
    and globs of tasks
    """
    cache: str | None = None
    """folder of rendered evaluation rows, shared by all runs; null = in the user's cache folder"""
    aliases: list[list[str]] = field(default_factory=list)
    """further groups of dataset paths that hold the same data"""
    require: list[str] = field(default_factory=list)
    """tasks whose evaluation splits must be readable; otherwise the run stops"""
