"""Records and their JSON."""

import dataclasses
from typing import Any

import orjson
import pytest

from nemo_sdg.errors import DataError
from nemo_sdg.records import (
    Answer,
    Axes,
    Generator,
    Grade,
    Judgement,
    ModelUse,
    Sample,
    SampleLicense,
    Usage,
    Verification,
    Vote,
    VoteCounts,
    json_line,
    lines,
    sample_from_dict,
    seed_from_dict,
    to_dict,
    visible,
    visible_json,
)

FULL = Sample(
    sample_id="s",
    origin="similar",
    seed_ids=["a"],
    task="t",
    family="f",
    capability="c",
    kind="multiple_choice",
    frame="selection",
    language="en",
    question="Q?",
    choices=["x", "y"],
    answer=Answer(text="x", label="A", aliases=["ex"]),
    axes=Axes(relation="inverse", difficulty=4, setting="a laboratory", form="plain"),
    solutions=[Vote(index=0, guidance="blind", answer="x", order=[1, 0], judge=Judgement(score=4.0))],
    votes=VoteCounts(planned=4, n=3, agree=3, tally={"x": 3}),
    grade=Grade(question=Judgement(score=5.0, scores={"clear": 5.0}), student_pass_rate=0.25),
    verification=Verification(method="m", verdict="verified"),
    generator=Generator(
        model="b",
        writer=ModelUse(engine="openai", model="a", sampling={"temperature": 0.9}),
        solvers=[ModelUse(engine="openai", model="b"), ModelUse(engine="openai", model="c")],
        kept=1,
    ),
    usage=Usage(prompt_tokens=3, completion_tokens=4),
    license=SampleLicense(seeds=["MIT"], models=["MIT", "Apache-2.0"]),
)


def test_a_sample_comes_back_from_its_line_as_it_was() -> None:
    assert sample_from_dict(orjson.loads(json_line(FULL))) == FULL
    assert sample_from_dict(to_dict(FULL)) == FULL


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"colour": "red"}, "colour"),
        ({"solutions": [{"index": 0, "guidance": "blind", "colour": "red"}]}, "solutions of a Sample"),
        ({"generator": {"writer": {"engine": "openai"}}}, "writer of generator of a Sample"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(change: dict[str, Any], named: str) -> None:
    with pytest.raises(DataError, match=named):
        sample_from_dict({**to_dict(FULL), **change})


def test_a_seed_without_its_dataset_does_not_fit() -> None:
    with pytest.raises(DataError, match="dataset"):
        seed_from_dict({"seed_id": "s", "question": "Q?"})


def test_what_steers_a_terminal_is_told_by_its_number() -> None:
    assert visible("a\u202eb\x07\x1b[2J\x9b\n\tü") == "a[U+202E]b[U+0007][U+001B][2J[U+009B]\n\tü"


def test_json_says_the_same_without_such_characters() -> None:
    said = {"text": "a\u202eb\x7f\x9b\U000e0041ü\n\t"}
    shown = visible_json(orjson.dumps(said).decode())
    assert orjson.loads(shown) == said
    assert not set("\u202e\x7f\x9b\U000e0041") & set(shown)
    assert "ü" in shown


@pytest.mark.parametrize(
    ("line", "record"),
    [
        (lines.SampleLine, Sample),
        (lines.AnswerLine, Answer),
        (lines.GeneratorLine, Generator),
        (lines.ModelLine, ModelUse),
        (lines.LicenseLine, SampleLicense),
    ],
)
def test_lines_have_fields_of_their_records(line: type, record: type) -> None:
    assert set(line.__annotations__) <= {field.name for field in dataclasses.fields(record)}
