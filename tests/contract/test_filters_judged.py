"""The bench of filters and judge together: its prompts tell no label, and its replies are read as the pipeline reads
them.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "bench"))
import filters_judged as bench

from nemo_sdg.storage import read_jsonl, write_jsonl

GOOD = {
    "origin": "similar",
    "seed_ids": [],
    "task": "t",
    "family": "f",
    "capability": "reasoning",
    "kind": "numeric",
    "frame": "generation",
    "language": "en",
    "question": "A shelf holds 6 rows of 7 jars. How many jars does it hold?",
    "passage": None,
    "choices": None,
    "tests": None,
    "answer": {"text": "42", "label": None, "aliases": []},
    "context": "The number of things in equal rows is the number of rows times the number of things in each row.",
    "reasoning": "There are 6 rows, and each of them has 7 jars. The product 6 times 7 is 42. The shelf holds 42 jars.",
}
FAULT = "planted fault"


def samples(num: int) -> list[tuple[str, dict[str, Any]]]:
    """Good ones and, in every second place, bad ones."""
    return [
        ("read", {**GOOD, "sample_id": f"labelled{number}", "cat": "math", **({"want": FAULT} if number % 2 else {})})
        for number in range(num)
    ]


def reply(criteria: tuple[str, ...], **changed: int) -> str:
    return "## Review\nNothing.\n\n## Scores\n" + "\n".join(f"{name}: {changed.get(name, 5)} - so" for name in criteria)


def replies(prompts: dict[str, Any], **changed: int) -> dict[str, str]:
    return {
        prompts["question"]["key"]: reply(bench.QUESTION_CRITERIA, **changed),
        prompts["answer"]["key"]: reply(bench.ANSWER_CRITERIA, **changed),
    }


@pytest.fixture(scope="module")
def asked() -> list[Any]:
    found: list[Any] = bench.judge_samples(samples(40), {})
    return found


def test_batches_hold_every_prompt_once_and_no_label(asked: list[Any], tmp_path: Path) -> None:
    bench.ask(tmp_path, asked)
    texts = [path.read_text() for path in sorted(tmp_path.iterdir())]
    rows = [[json.loads(line) for line in text.splitlines()] for text in texts]
    of_key = {row["key"]: number for number, batch in enumerate(rows) for row in batch}
    assert len(of_key) == sum(map(len, rows)) == 80
    assert max(map(len, rows)) - min(map(len, rows)) <= 2
    assert all(row.keys() == {"key", "system", "user"} for batch in rows for row in batch)
    assert all(word not in text for text in texts for word in ("labelled", FAULT, "math"))
    assert all(of_key[one.prompts["question"]["key"]] != of_key[one.prompts["answer"]["key"]] for one in asked)


def test_judge_sees_question_first_and_solution_then(asked: list[Any]) -> None:
    question, answer = (asked[0].prompts[name]["user"] for name in ("question", "answer"))
    assert GOOD["question"] in question
    assert GOOD["reasoning"] not in question
    assert GOOD["context"] not in question
    assert all(GOOD[name] in answer for name in ("question", "context", "reasoning"))
    assert asked[0].missing == 2
    assert asked[0].kept("judge")


@pytest.mark.parametrize(
    ("changed", "rejected"),
    [
        ({}, []),
        ({"stands_alone": 3, "answer_right": 3, "difficulty": 1}, []),
        ({"not_given_away": 2}, ["not_given_away"]),
        ({"one_right_answer": 1, "reasoning_valid": 2, "context_true": 1},
         ["one_right_answer", "context_true", "reasoning_valid"]),
    ],
)  # fmt: skip
def test_scores_below_the_thresholds_reject(asked: list[Any], changed: dict[str, int], rejected: list[str]) -> None:
    [judged] = bench.judge_samples(samples(1), replies(asked[0].prompts, **changed))
    assert (judged.rejected, judged.missing, judged.unread) == (rejected, 0, 0)
    assert judged.kept("filters")
    assert judged.kept("judge") == judged.kept("filters_and_judge") == (not rejected)


def test_unreadable_and_missing_replies_are_counted_and_reject_nothing(asked: list[Any]) -> None:
    known = {asked[0].prompts["question"]["key"]: "I cannot score this."}
    [judged] = bench.judge_samples(samples(1), known)
    assert (judged.rejected, judged.missing, judged.unread) == ([], 1, 1)


def test_prompts_are_the_first_requests(asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Not those that the pipeline sends after a reply that it cannot read."""
    monkeypatch.setattr("nemo_sdg.generate.grading.TRIES", 1)
    [judged] = bench.judge_samples(samples(1), {})
    assert judged.prompts == asked[0].prompts


def test_solution_without_context_is_not_shown_to_the_judge() -> None:
    name, sample = samples(1)[0]
    [judged] = bench.judge_samples([(name, {**sample, "context": None})], {})
    assert list(judged.prompts) == ["question"]


def test_figures_leave_out_samples_without_replies(asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    """Of two good and two bad samples with replies, the judge rejects one good and one bad."""
    known = {}
    for place, changed in enumerate(({}, {}, {"answer_right": 1}, {"answer_right": 1})):
        known.update(replies(asked[place].prompts, **changed))
    bench.report("read", bench.judge_samples(samples(6), known), parts=False)
    figures = {row["name"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert (figures["missing_replies_read"]["value"], figures["missing_replies_read"]["samples"]) == (4, 2)
    for label, by, value in (
        ("kept_good", "filters", 1.0),
        ("kept_good", "judge", 0.5),
        ("kept_good", "filters_and_judge", 0.5),
        ("caught_bad", "filters", 0.0),
        ("caught_bad", "filters_and_judge", 0.5),
    ):
        figure = figures[f"{label}_read_by_{by}"]
        assert (figure["value"], figure["samples"]) == (value, 2), figure
    assert figures["judge_drops_bad_read"]["criteria"] == {"answer_right": 1}


def test_recorded_replies_are_those_to_prompts_of_the_samples(
    asked: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "REPLIES", tmp_path / "stored.jsonl")
    key = asked[0].prompts["question"]["key"]
    write_jsonl(tmp_path / "replies-01.jsonl", [{"key": key, "reply": "a"}, {"key": "other", "reply": "b"}])
    bench.record(tmp_path, asked)
    write_jsonl(tmp_path / "replies-01.jsonl", [{"key": asked[1].prompts["answer"]["key"], "reply": "c"}])
    bench.record(tmp_path, asked)
    about, *rows = read_jsonl(tmp_path / "stored.jsonl")
    assert about == {"about": bench.ABOUT}
    assert sorted(row["reply"] for row in rows) == ["a", "c"]
