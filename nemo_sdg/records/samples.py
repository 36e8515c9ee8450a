"""A sample with its models, axes, votes, grades, verification and licence."""

from dataclasses import dataclass, field
from typing import Any

from nemo_sdg.records.rows import Answer


@dataclass(kw_only=True, slots=True)
class Axes:
    """The axes drawn for a written question. They make the questions of one seed differ."""

    relation: str
    """relation to the seed: parallel, other_subtopic, harder, applied_case, inverse, several_steps, misconception"""
    difficulty: int
    """requested difficulty, 1 (for beginners) to 5 (for experts)"""
    setting: str
    form: str
    """plain, cloze, assertion, table, dialogue; options_N if N options are to be written"""


@dataclass(kw_only=True, slots=True)
class ModelUse:
    """One model in one role, with its prompt template and sampling."""

    engine: str
    model: str
    license: str = "unknown"
    """SPDX id of the model"""
    prompt: str | None = None
    """name of the template"""
    prompt_hash: str | None = None
    sampling: dict[str, Any] = field(default_factory=dict)
    """sampling parameters that were sent: temperature, top_p, max_tokens and others that the role sets"""


@dataclass(kw_only=True, slots=True)
class Generator:
    """The models that made a sample."""

    model: str | None = None
    """model of the kept solution; before the step `verified`, the first solver or the writer"""
    writer: ModelUse | None = None
    """model that wrote the question; None for origin seed"""
    solvers: list[ModelUse] = field(default_factory=list)
    kept: int | None = None
    """index in `solvers` of the model that wrote the kept solution"""
    judge: ModelUse | None = None
    student: ModelUse | None = None


@dataclass(kw_only=True, slots=True)
class Judgement:
    """A judge's grade of a question or of an answer."""

    score: float | None
    """1 to 5, the lowest of `scores`; None if the judge gave no readable score"""
    scores: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    error: str | None = None


@dataclass(kw_only=True, slots=True)
class Grade:
    question: Judgement | None = None
    answer: Judgement | None = None
    """grade of the kept solution"""
    student_pass_rate: float | None = None
    """share of the student's attempts that reach the answer, from 0 to 1"""


@dataclass(kw_only=True, slots=True)
class Vote:
    """One solution of a question. Its trace is stored in a file beside the shard."""

    index: int
    guidance: str
    """blind | guided: guided if the solver was given the gold answer"""
    context: str = ""
    reasoning: str = ""
    answer: str | None = None
    """text of the answer; None if it could not be read: `error` then says why"""
    label: str | None = None
    """label of the option, in the order of the sample's `choices`"""
    order: list[int] | None = None
    """order in which this vote was shown the options, as indices of the sample's `choices`"""
    error: str | None = None
    detail: str | None = None
    finish_reason: str | None = None
    solver: int = 0
    """index in the generator's `solvers`"""
    judge: Judgement | None = None
    sense: int | None = None
    """free_text, with a judge: number of the group of answers that say the same; 0 is the gold's"""

    @property
    def text(self) -> str:
        """The answer of a vote that has an answer."""
        assert self.answer is not None
        return self.answer


@dataclass(kw_only=True, slots=True)
class VoteCounts:
    planned: int
    n: int | None = None
    """number of blind votes; set from the step `verified` on, like the next fields"""
    agree: int | None = None
    tally: dict[str, int] = field(default_factory=dict)
    """answer text -> number of votes"""


@dataclass(kw_only=True, slots=True)
class Verification:
    method: str
    verdict: str
    detail: str | None = None
    passed: bool = False
    """whether the sample passed the shipped filters when its solution was chosen; see curate/passed.py"""


@dataclass(kw_only=True, slots=True)
class SampleLicense:
    seeds: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    """licences of the models whose text the sample holds"""
    effective: str | None = None
    """SPDX ids that apply to the sample, joined by ` AND `; set from the step `verified` on"""


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
    """origin similar: the majority's answer, set from the step `verified` on; origin seed: the gold answer"""
    tests: list[str] | None = None
    context: str = ""
    """knowledge that helps to answer, without the answer"""
    reasoning: str = ""
    trace: str | None = None
    """thinking of the kept solution, cleaned for training"""
    reference_reasoning: str | None = None
    guidance: str | None = None
    """blind | guided: guided if the solver of the kept solution was given the gold answer"""
    axes: Axes | None = None
    """axes of a written question; None if its prompt had none"""
    solutions: list[Vote] | None = None
    votes: VoteCounts | None = None
    difficulty: float | None = None
    """1 - the student's pass rate; without a student, 1 - share of the blind votes that agree with the answer"""
    grade: Grade | None = None
    verification: Verification | None = None
    generator: Generator | None = None
    usage: Usage | None = None
    license: SampleLicense | None = None

    @property
    def gold(self) -> Answer:
        """The answer of a sample that has an answer."""
        assert self.answer is not None
        return self.answer
