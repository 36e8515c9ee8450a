"""A sample and what a run learns of it: how it was asked for, its votes, grades, verification and licence."""

from dataclasses import dataclass, field
from typing import Any

from nemo_sdg.records.rows import Answer


@dataclass(kw_only=True, slots=True)
class Axes:
    """The axes drawn for a written question. They spread the questions of one seed."""

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
    """model of the kept solution; before the step `verified`, the first solver or the writer"""
    writer: ModelUse | None = None
    """who wrote the question; none for origin seed"""
    solvers: list[ModelUse] = field(default_factory=list)
    kept: int | None = None
    """index in `solvers` of the one that wrote the kept solution"""
    judge: ModelUse | None = None
    student: ModelUse | None = None


@dataclass(kw_only=True, slots=True)
class Judgement:
    """A judge's grade of a question or of an answer."""

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
    """One solution of a question. Its trace is in a file beside the shard."""

    index: int
    guidance: str
    """blind | guided: whether it was written with the gold answer in sight"""
    context: str = ""
    reasoning: str = ""
    answer: str | None = None
    """text of the answer; none where it could not be read: `error` then says why"""
    label: str | None = None
    """label of the option, in the order of the sample's `choices`"""
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
    """One question with its answer, reasoning and context. Later steps fill the later fields."""

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
