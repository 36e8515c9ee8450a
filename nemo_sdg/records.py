"""The records that flow from left to right, as dataclasses; JSONL on disk.

A seed row, as it stands in seeds/shard-00000.jsonl (shortened):

    {"seed_id": "5c0e…", "task": "sciq", "tasks": ["sciq"], "family": "science", "capability": "knowledge",
     "kind": "multiple_choice", "frame": "selection", "language": "en",
     "dataset": {"path": "allenai/sciq", "name": null, "split": "train", "revision": "local", "row": 17},
     "license": "CC-BY-NC-3.0", "question": "What gas do plants take in?", "passage": null,
     "choices": ["oxygen", "carbon dioxide"], "answer": {"text": "carbon dioxide", "label": "B", "aliases": []}, …}

Rooms meet here and only here: they take and give these records, and never import each other.
"""

import dataclasses
import enum
import hashlib
import typing
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson

from nemo_sdg.errors import DataError

Record = TypeVar("Record")


class Kind(enum.StrEnum):
    """The form of an answer, and with it the way that it is asked for, voted on and checked."""

    multiple_choice = "multiple_choice"
    numeric = "numeric"
    short_text = "short_text"
    free_text = "free_text"
    code = "code"


class Frame(enum.StrEnum):
    """What the task asks one to do; a sample keeps its seed's frame."""

    selection = "selection"
    """pick one of the options written for this question"""
    classification = "classification"
    """pick a label of a set that the task fixes (yes/no, entailment/neutral/contradiction)"""
    generation = "generation"
    explanation = "explanation"


class Origin(enum.StrEnum):
    """Where a sample's question comes from."""

    similar = "similar"
    """a new question, written by a model after one or several seeds"""
    seed = "seed"
    """the training row's own question, its gold answer enriched with reasoning and context"""


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
    """other texts that are as right (nq_open, triviaqa)"""


@dataclass(kw_only=True, slots=True)
class DatasetRow:
    """Where a row stands: hub path, config name, split, revision (a commit, or `local` for mirrors and files), row
    number from 0.
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
    """the first, by name, of `tasks`"""
    tasks: list[str]
    """every lm-eval leaf that shares the row"""
    family: str
    capability: str
    kind: str
    frame: str
    language: str
    """ISO 639-1 where there is one, else 639-3"""
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
    """the rationale that the row itself carries; never shown as generated"""
    target_format: str | None = None
    """how the task writes its answer when it is not plain text, such as `#### 42`"""


@dataclass(kw_only=True, slots=True)
class Axes:
    """Where a written question stands on the dimensions that spread the questions of one seed."""

    relation: str
    """to the seed: parallel, other_subtopic, harder, applied_case, inverse, several_steps, misconception"""
    difficulty: int
    """1 (a beginner's) to 5 (an expert's), as asked for"""
    setting: str
    form: str
    """plain, cloze, assertion, table, dialogue; options_N where there are N options to write"""


@dataclass(kw_only=True, slots=True)
class ModelUse:
    """One model in one role, and how it was asked."""

    engine: str
    model: str
    license: str = "unknown"
    """SPDX id of the model"""
    prompt: str | None = None
    """name of the template"""
    prompt_hash: str | None = None
    sampling: dict[str, Any] = field(default_factory=dict)
    """what was sent: temperature, top_p, max_tokens and whatever else the role sets"""


@dataclass(kw_only=True, slots=True)
class Generator:
    """The models that made a sample."""

    model: str | None = None
    """of the kept solution; before the step `verified`, of the first solver or the writer"""
    writer: ModelUse | None = None
    """of the question; none for origin seed"""
    solvers: list[ModelUse] = field(default_factory=list)
    kept: int | None = None
    """index in `solvers` of the one that wrote the kept solution"""
    judge: ModelUse | None = None
    student: ModelUse | None = None


@dataclass(kw_only=True, slots=True)
class Judgement:
    """What a judge says of a question or of an answer."""

    score: float | None
    """1 to 5, the lowest of `scores`; none where the judge gave no readable one"""
    scores: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    error: str | None = None


@dataclass(kw_only=True, slots=True)
class Grade:
    question: Judgement | None = None
    answer: Judgement | None = None
    """of the kept solution"""
    student_pass_rate: float | None = None
    """share of the student's attempts that reach the answer, 0 to 1"""


@dataclass(kw_only=True, slots=True)
class Vote:
    """One solution of a question; the thinking before it stands beside the shard."""

    index: int
    guidance: str
    """blind | guided: whether it was written with the gold answer in sight"""
    context: str = ""
    reasoning: str = ""
    answer: str | None = None
    """its text; none where it could not be read, and then `error` says why"""
    label: str | None = None
    """of the option, in the order of the sample's `choices`"""
    order: list[int] | None = None
    """of the options as this vote saw them: indices of the sample's `choices`"""
    error: str | None = None
    detail: str | None = None
    finish_reason: str | None = None
    solver: int = 0
    """index in the generator's `solvers`"""
    judge: Judgement | None = None

    @property
    def text(self) -> str:
        """The answer of a vote that has one."""
        assert self.answer is not None
        return self.answer


@dataclass(kw_only=True, slots=True)
class VoteCounts:
    planned: int
    n: int | None = None
    """blind votes cast; it and what follows are known from the step `verified` on"""
    agree: int | None = None
    tally: dict[str, int] = field(default_factory=dict)
    """answer text: votes"""


@dataclass(kw_only=True, slots=True)
class Verification:
    method: str
    verdict: str
    detail: str | None = None


@dataclass(kw_only=True, slots=True)
class SampleLicense:
    seeds: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    """licences of the models whose text the sample holds"""
    effective: str | None = None
    """SPDX ids that bind, joined by ` AND `; from the step `verified` on"""


@dataclass(kw_only=True, slots=True)
class Usage:
    """Tokens over all requests of a sample."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(kw_only=True, slots=True)
class Sample:
    """One question with its answer, reasoning and context; the later steps fill the later fields."""

    sample_id: str
    origin: str
    seed_ids: list[str]
    task: str
    family: str
    capability: str
    kind: str
    frame: str
    language: str
    question: str
    passage: str | None = None
    choices: list[str] | None = None
    answer: Answer | None = None
    """similar: the majority's, from the step `verified` on; seed: the gold"""
    tests: list[str] | None = None
    context: str = ""
    """knowledge that helps to answer, without the answer itself"""
    reasoning: str = ""
    trace: str | None = None
    """the kept solution's thinking, cleaned for training"""
    reference_reasoning: str | None = None
    guidance: str | None = None
    """blind | guided: whether the kept solution was written with the gold answer in sight"""
    axes: Axes | None = None
    """of a written question, where its prompt was given any"""
    solutions: list[Vote] | None = None
    votes: VoteCounts | None = None
    difficulty: float | None = None
    """1 - share of the (blind) votes that agree with the answer"""
    grade: Grade | None = None
    verification: Verification | None = None
    generator: Generator | None = None
    usage: Usage | None = None
    license: SampleLicense | None = None

    @property
    def gold(self) -> Answer:
        """The answer of a sample that has one."""
        assert self.answer is not None
        return self.answer


@dataclass(kw_only=True, slots=True)
class Drop:
    """A record that was rejected, kept aside with its reason (dropped/shard-00000.jsonl)."""

    task: str
    id: str
    """seed_id, sample_id, or the id of the attempt where no record came to be"""
    step: str
    reason: str
    """one of a step's fixed words, snake_case: it is counted"""
    detail: str | None = None
    record: dict[str, Any] | None = None


@dataclass(kw_only=True, slots=True)
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
    """`word: evidence`; the words are counted"""
    groups: list[str] = field(default_factory=list)
    """lm-eval's groups and tags that contain the task, any of which selects it"""


@dataclass(kw_only=True, slots=True)
class EvaluationRow:
    """One row of an evaluation split, rendered like a seed; what guard and decontamination compare with, never a
    seed.
    """

    task: str
    dataset: DatasetRow
    kind: str
    question: str
    passage: str | None = None
    choices: list[str] | None = None
    answer: str | None = None
    """the gold's text"""
    texts: list[str] = field(default_factory=list)
    """every string and number of the row as it stands in its columns, in order"""


def to_dict(record: Any) -> dict[str, Any]:
    """A record as plain dicts and lists, its fields in their order. Plain values are not copied."""
    return {name: _plain(getattr(record, name)) for name in record.__slots__}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_dict(value)
    return [_plain(item) for item in value] if isinstance(value, list) else value


_NESTED: dict[type, dict[str, type]] = {}


def _nested(cls: type) -> dict[str, type]:
    """The fields of a record that hold records, or lists of them, and of which class."""
    if cls not in _NESTED:
        _NESTED[cls] = {
            name: part
            for name, hint in typing.get_type_hints(cls).items()
            for part in _parts(hint)
            if isinstance(part, type) and dataclasses.is_dataclass(part)
        }
    return _NESTED[cls]


def _parts(hint: Any) -> list[Any]:
    return [hint, *(part for inner in typing.get_args(hint) for part in _parts(inner))]


def from_dict(cls: type[Record], data: dict[str, Any], *, where: str | None = None) -> Record:
    """The inverse of `to_dict`. Raises DataError when a field is missing or unknown."""
    where = where or f"a {cls.__name__} record"
    fields = dict(data)
    for name, inner in _nested(cls).items():
        value = fields.get(name)
        if isinstance(value, dict):
            fields[name] = from_dict(inner, value, where=f"{name} of {where}")
        elif isinstance(value, list):
            fields[name] = [from_dict(inner, item, where=f"{name} of {where}") for item in value]
    try:
        return cls(**fields)
    except TypeError as exc:
        raise DataError(f"{where} does not fit the schema of {cls.__name__}: {exc}") from exc


def seed_from_dict(data: dict[str, Any]) -> Seed:
    """Raises DataError when a field is missing or unknown."""
    return from_dict(Seed, data)


def sample_from_dict(data: dict[str, Any]) -> Sample:
    """Raises DataError when a field is missing or unknown."""
    return from_dict(Sample, data)


def evaluation_row_from_dict(data: dict[str, Any]) -> EvaluationRow:
    """Raises DataError when a field is missing or unknown."""
    return from_dict(EvaluationRow, data)


def json_line(record: Any) -> bytes:
    """One JSONL line of a record or a dict, newline included; the bytes depend on nothing but the record."""
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
