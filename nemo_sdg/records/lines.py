"""Types of a run's lines and receipts as JSON dicts, for code that reads millions of them and does not build records.
`samples` and `rows` explain the fields.
"""

from typing import NotRequired, TypedDict


class AnswerLine(TypedDict, total=False):
    text: str
    label: str | None
    aliases: list[str]


class ModelLine(TypedDict, total=False):
    engine: str
    model: str
    license: str


class GeneratorLine(TypedDict, total=False):
    model: str | None
    writer: ModelLine | None
    solvers: list[ModelLine]


class LicenseLine(TypedDict, total=False):
    seeds: list[str]
    models: list[str]
    effective: str | None


class SampleLine(TypedDict, total=False):
    """A sample of the steps from `verified` on."""

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
    passage: str | None
    choices: list[str] | None
    answer: AnswerLine | None
    tests: list[str] | None
    context: str
    reasoning: str
    trace: str | None
    difficulty: float | None
    generator: GeneratorLine | None
    license: LicenseLine | None


class FileFactsLine(TypedDict):
    """An output of a shard."""

    sha256: str
    bytes: int
    rows: int | None
    """None for a file that holds no records"""


TaskCounts = TypedDict("TaskCounts", {"in": int, "kept": int, "dropped": dict[str, int], "not_sampled": int})
"""what came in, was kept, and was dropped for each reason"""
StepCounts = dict[str, TaskCounts]
"""task -> its counts in a step"""


class Counted(TypedDict):
    """What is read of a receipt where records are counted."""

    counts: StepCounts


class Receipt(Counted):
    """Of a shard, see storage/shards.py."""

    step: str
    shard: str
    fingerprint: str
    made_by: NotRequired[str]
    inputs: dict[str, str]
    outputs: dict[str, FileFactsLine]


class PackedReceipt(Receipt, total=False):
    """Of a packed shard."""

    family: str
    split: str
    task: str
    band: str
    rows: str
    """identity of the choice of rows"""
    tokenizer: str
    """digest of its content"""
    variants: dict[str, dict[str, int]]
    """variant -> documents, tokens, and what the tokenizer lost"""


class UnseenSplit(TypedDict, total=False):
    """An evaluation split that could not be read, as in seeds/evaluation/unreachable.json."""

    task: str
    dataset: str
    name: str | None
    split: str
    tasks: list[str]
    why: str


class StepFacts(TypedDict):
    """A step in manifest.json."""

    identity: str
    shards: int
    counts: StepCounts


class Manifest(TypedDict):
    """manifest.json"""

    name: str
    version: str
    fingerprint: str
    """identity of the last step"""
    steps: dict[str, StepFacts]
    unread: list[dict[str, str]]
    """sources that could not be read"""
    evaluation_splits_unreachable: list[UnseenSplit]
    packages: dict[str, str | None]
    """package -> its version, None where it is not installed"""
    files: dict[str, FileFactsLine]


class ProgressRow(TypedDict):
    """A line of progress.jsonl; the figures of an engine are there only where one was asked."""

    time: float
    """seconds since 1970"""
    step: str
    worker: NotRequired[str]
    seconds: NotRequired[float]
    """since the step began in this process"""
    done: NotRequired[int]
    total: NotRequired[int | None]
    unit: NotRequired[str]
    per_s: NotRequired[float]
    ended: NotRequired[bool]
    requests: NotRequired[int]
    replayed: NotRequired[int]
    retries: NotRequired[int]
    in_flight: NotRequired[int]
    completion_tokens: NotRequired[int]
    tokens_per_s: NotRequired[float]
    saturation: NotRequired[float]
    limited: NotRequired[int]
    """where limits are learned: as in AskCounts"""
    learned_tokens: NotRequired[int]
    full_tokens: NotRequired[int]
    sent_again: NotRequired[int]
    sent_again_tokens: NotRequired[int]
