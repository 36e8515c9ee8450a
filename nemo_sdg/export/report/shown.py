"""What the page shows of a record: texts of bounded length, and the ten samples that are to be read first.

A record of the page is JSON there, so that its fields are plain values. Its texts are untrusted: the page puts them
into text nodes only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nemo_sdg.export.report.rows import Line, in_turn

MAX_TEXT = 4000
MAX_ITEM = 500
MAX_ITEMS = 16
"""maximum number of votes, options or tests of one record"""
NUM_READ = 10


def cut(value: Any, limit: int = MAX_TEXT) -> str:
    """The value as text of at most `limit` characters and a remark; '' for None."""
    text = "" if value is None else str(value)
    return text if len(text) <= limit else f"{text[:limit]} … [{len(text) - limit:,} more characters]"


def cut_all(values: Any) -> list[str]:
    if not isinstance(values, list):
        return []
    return [cut(value, MAX_ITEM) for value in values[:MAX_ITEMS]] + (
        [f"… [{len(values) - MAX_ITEMS} more]"] if len(values) > MAX_ITEMS else []
    )


@dataclass(kw_only=True, slots=True)
class Content:
    """What a sample, a seed or an evaluation row asks and says."""

    question: str
    passage: str = ""
    choices: list[str] = field(default_factory=list)
    answer: str = ""
    context: str = ""
    reasoning: str = ""
    tests: list[str] = field(default_factory=list)
    id: str = ""
    row: str = ""
    """of a seed or an evaluation row: where it stands in its dataset"""
    license: str = ""
    """of a seed"""


def content_of(line: Line, *, reasoning: str = "reasoning", most: int = MAX_TEXT) -> Content:
    """The content of a line; `reasoning` names the field of that, and `most` bounds all texts but the question."""
    answer = line.get("answer")
    return Content(
        question=cut(line.get("question")),
        passage=cut(line.get("passage"), most),
        choices=cut_all(line.get("choices")),
        answer=cut(answer.get("text") if isinstance(answer, dict) else answer, most),
        context=cut(line.get("context"), most),
        reasoning=cut(line.get(reasoning), most),
        tests=cut_all(line.get("tests")),
    )


@dataclass(kw_only=True, slots=True)
class Call:
    """A request and its completion."""

    name: str
    prompt: list[list[str]] = field(default_factory=list)
    """[role, text] of each message; none where it is that of the call before"""
    output: str
    finish: str
    tokens: list[int] | None = None
    """of the prompt, and of the completion"""


@dataclass(kw_only=True, slots=True)
class Shown:
    """A record of the page: a sample, or a drop with its reason."""

    id: str
    step: str
    reason: str = ""
    """why it was dropped; empty for a sample that was kept"""
    detail: str = ""
    task: str
    family: str = ""
    kind: str = ""
    frame: str = ""
    language: str = ""
    origin: str = ""
    seeds: list[Content] = field(default_factory=list)
    sample: Content | None = None
    evaluation: Content | None = None
    """the evaluation row that it repeats"""
    license: str = ""
    model: str = ""
    guidance: str = ""
    difficulty: float | None = None
    agree: list[int | None] = field(default_factory=list)
    """votes that give the answer, votes cast, votes planned"""
    tally: list[tuple[str, int]] = field(default_factory=list)
    """answer, votes"""
    verdict: list[str] = field(default_factory=list)
    """verdict, method and detail of the verification"""
    votes: list[dict[str, str]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    texts: dict[str, list[str]] | None = None
    """variant -> [text before the context, the context, text after it]; one item if it has no context"""
    raw: str = ""
    """what was dropped, where it is neither sample nor seed"""


def votes_in_words(agree: Sequence[int | None], guidance: str | None) -> str:
    """`3 of 4 votes`, with a remark if the kept solution is a guided one. `agree`: votes that agree, votes cast."""
    agreed, cast = agree[:2] if agree else (None, None)
    guided = guidance == "guided"
    if agreed is None or not cast:
        return "written with the gold in sight" if guided else ""
    told = f"{agreed} of {cast} votes"
    return f"{told}, then written with the gold in sight" if guided else told


def first_samples(records: Sequence[Shown], num: int = NUM_READ) -> list[Shown]:
    """The samples that are to be read first: families in turn, within each its tasks in turn, ordered by the hashes of
    their ids, so that the choice is the same on every machine. New questions come before the seeds' own of a task.
    """
    groups: dict[str, dict[str, list[Shown]]] = {}
    for record in records:
        if not record.reason and record.sample:
            groups.setdefault(record.family, {}).setdefault(record.task, []).append(record)
    queues = []
    for _, tasks in sorted(groups.items()):
        ordered = [sorted(found, key=lambda record: record.origin == "seed") for _, found in sorted(tasks.items())]
        queues.append(in_turn(ordered))
    return in_turn(queues)[:num]
