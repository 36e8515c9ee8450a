"""The rows that a run starts from (seeds, tasks of the catalog, evaluation rows), and the records that it drops."""

import enum
import hashlib
from dataclasses import dataclass, field
from typing import Any

import orjson


class Kind(enum.StrEnum):
    """The form of an answer. It decides how answers are requested, voted on and verified."""

    multiple_choice = "multiple_choice"
    numeric = "numeric"
    short_text = "short_text"
    free_text = "free_text"
    code = "code"


class Frame(enum.StrEnum):
    """What the task asks for. A sample has the frame of its seed."""

    selection = "selection"
    """choose one of the options written for this question"""
    classification = "classification"
    """choose a label from a fixed set of the task (yes/no, entailment/neutral/contradiction)"""
    generation = "generation"
    explanation = "explanation"


class Origin(enum.StrEnum):
    """Where a sample's question comes from."""

    similar = "similar"
    """a new question that a model wrote from one or several seeds"""
    seed = "seed"
    """the question of the training row; reasoning and context are added to its gold answer"""


class Verdict(enum.StrEnum):
    eligible = "eligible"
    refused = "refused"


LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def content_id(*parts: object) -> str:
    """32 hex digits of BLAKE2b over the JSON of the parts: the same content gives the same id on every machine."""
    return hashlib.blake2b(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


@dataclass(kw_only=True, slots=True)
class Answer:
    text: str
    """the answer itself, never a bare label"""
    label: str | None = None
    """A, B, … in the order of `choices`, for multiple choice"""
    aliases: list[str] = field(default_factory=list)
    """other correct texts (nq_open, triviaqa)"""


@dataclass(kw_only=True, slots=True)
class DatasetRow:
    """Where a row comes from: hub path, configuration, split, revision (a commit, or `local` for mirrors and files),
    and row number from 0.
    """

    path: str
    name: str | None
    split: str
    revision: str
    row: int


@dataclass(kw_only=True, slots=True)
class Seed:
    """One normalised row of a training split."""

    seed_id: str
    task: str
    """the alphabetically first of `tasks`"""
    tasks: list[str]
    """every lm-eval leaf that has this row"""
    family: str
    capability: str
    kind: str
    frame: str
    language: str
    """ISO 639-1 code, or 639-3 if there is none"""
    dataset: DatasetRow
    license: str
    """SPDX id, LicenseRef-…, or `unknown`"""
    question: str
    passage: str | None = None
    choices: list[str] | None = None
    answer: Answer
    tests: list[str] | None = None
    """for kind code: Python assert statements"""
    reference_reasoning: str | None = None
    """rationale from the row; it is never presented as generated text"""
    target_format: str | None = None
    """form in which the task writes the answer, if it is not plain text, such as `#### 42`"""


@dataclass(kw_only=True, slots=True)
class Drop:
    """A rejected record with its reason (dropped/shard-00000.jsonl)."""

    task: str
    id: str
    """seed_id, sample_id, or the id of an attempt that did not give a record"""
    step: str
    reason: str
    """one of the step's fixed words, in snake_case; drops are counted by it"""
    detail: str | None = None
    record: dict[str, Any] | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class CatalogRow:
    """One lm-eval leaf task with its verdict (catalog/tasks.jsonl)."""

    task: str
    dataset: dict[str, Any]
    """path, name, data_files?, splits {training, validation, test, fewshot}"""
    kind: str
    frame: str
    family: str
    capability: str
    languages: list[str]
    license: dict[str, Any]
    """id, commercial_use, share_alike, source, confidence"""
    verdict: str
    reasons: list[str] = field(default_factory=list)
    """each `word: evidence`; refusals are counted by word"""
    groups: list[str] = field(default_factory=list)
    """groups and tags of lm-eval that contain the task; each of them can select it"""


@dataclass(kw_only=True, slots=True)
class EvaluationRow:
    """One row of an evaluation split, rendered like a seed. Guard and decontamination compare samples with it; it is
    never a seed.
    """

    task: str
    dataset: DatasetRow
    kind: str
    question: str
    passage: str | None = None
    choices: list[str] | None = None
    answer: str | None = None
    """text of the gold answer"""
    texts: list[str] = field(default_factory=list)
    """every string and number in the columns of the row, unchanged and in order"""
