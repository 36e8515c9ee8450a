"""The judge's verdicts on pairs of a sample and an evaluation row; the judge is a function of the test. What it is
shown of an index is in tests/contract/test_judge_of_an_index.py, with the real embedder.
"""

import asyncio
import json

import pytest

from nemo_sdg.curate.decontaminate.judged import Reply, Shown, as_text, judge, read_named, read_verdict
from nemo_sdg.curate.decontaminate.verdicts import Verdicts, unread

ROW_SUM = {"question": "What is 2 + 3?", "answer": "5", "choices": ["4", "5"], "passage": "Sums."}
SAMPLE = {"question": "Add up 2 and 3.", "answer": {"text": "5", "aliases": []}}
LIKELY = Shown(sample=SAMPLE, likely=[ROW_SUM], near=[])
OTHERS = [{"question": f"What is {number} + 3?", "answer": str(number + 3)} for number in (7, 8)]


def asked(shown, reply, verdicts):
    prompts = []

    async def ask(prompt):
        prompts.append(prompt)
        said = reply(prompt)
        return said if isinstance(said, Reply) else Reply(text=said)

    return asyncio.run(judge([shown], ask, verdicts))[0], prompts


def test_a_pair_is_one_question_only_where_the_judge_says_so_both_ways(tmp_path):
    found, prompts = asked(LIKELY, lambda prompt: "Yes.", Verdicts(tmp_path / "a", model="m"))
    assert found == {0: True}
    assert len(prompts) == 2
    first, second = (prompt.index("Add up 2 and 3.") < prompt.index("What is 2 + 3?") for prompt in prompts)
    assert first
    assert not second
    one_way = lambda prompt: "yes" if prompt.index("Add up") < prompt.index("What is") else "No"  # noqa: E731
    assert asked(LIKELY, one_way, Verdicts(tmp_path / "b", model="m"))[0] == {0: False}


def test_the_first_no_ends_the_asking(tmp_path):
    found, prompts = asked(LIKELY, lambda prompt: "no", Verdicts(tmp_path, model="m"))
    assert (found, len(prompts)) == ({0: False}, 1)


def test_near_rows_are_shown_in_one_list_and_the_named_one_by_one(tmp_path):
    shown = Shown(sample=SAMPLE, likely=[OTHERS[0]], near=[OTHERS[1], ROW_SUM])

    def reply(prompt):
        if "List:" in prompt:
            return "2"
        return "yes" if ROW_SUM["question"] in prompt else "no"

    found, prompts = asked(shown, reply, Verdicts(tmp_path, model="m"))
    assert found == {0: False, 2: True}
    assert [("List:" in prompt) for prompt in prompts] == [False, True, False, False]
    assert "[1]\nWhat is 8 + 3?" in prompts[1]
    assert OTHERS[0]["question"] not in prompts[1]
    again, prompts = asked(shown, lambda prompt: "none", Verdicts(tmp_path, model="m"))
    assert (again, prompts) == (found, [])


def test_a_list_that_names_a_row_is_not_enough(tmp_path):
    shown = Shown(sample=SAMPLE, likely=[], near=[OTHERS[0], OTHERS[1]])
    found, prompts = asked(shown, lambda prompt: "1, 2" if "List:" in prompt else "no", Verdicts(tmp_path, model="m"))
    assert (found, len(prompts)) == ({0: False, 1: False}, 3)


def test_a_long_passage_does_not_hide_a_listed_question():
    shown = Shown(sample=SAMPLE, likely=[], near=[ROW_SUM | {"passage": "Sums. " * 2000}])
    assert "\nWhat is 2 + 3?\n- 4\n- 5\nAnswer: 5" in shown.list_prompt()
    assert len(shown.list_prompt()) < 2000


def test_no_list_is_asked_about_where_a_likely_row_is_the_same(tmp_path):
    shown = Shown(sample=SAMPLE, likely=[ROW_SUM], near=OTHERS)
    found, prompts = asked(shown, lambda prompt: "yes", Verdicts(tmp_path, model="m"))
    assert (found, len(prompts)) == ({0: True}, 2)


@pytest.mark.parametrize(
    ("reply", "places"),
    [
        ("2", [1]),
        ("1, 3", [0, 2]),
        ("[3]", [2]),
        ("Rows 1 and 2 share the topic.\n\nnone", []),
        ("I compared all 3.\nNumber 3 is the same.", [2]),
        ("None of the 3 is the same.", []),
        ("No. 2", [1]),
        ("0", []),
        ("3\n\nNone of the others are the same.", [2]),
        ("1, 3 (no others)", [0, 2]),
        ("2 and 3, no more", [1, 2]),
        ("Question 2 is the same.\n\n(It asks for the number of moles.)", [1]),
        ("1\n3", [0, 2]),
        ("1-3", [0, 1, 2]),
        ("None of the questions 1-3.", []),
        ("12", None),
        ("They differ.", None),
        ("", None),
    ],
)
def test_reading_what_a_list_names(reply, places):
    assert read_named(reply, 3) == places


LISTED = Shown(sample=SAMPLE | {"sample_id": "s1"}, likely=[], near=[OTHERS[0], ROW_SUM])


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Reply(text="", finish_reason="length"), "length"),
        (Reply(text="1, 2", finish_reason="refused"), "refused"),
        (Reply(text="They are alike."), "unclear"),
    ],
)
def test_a_list_whose_reply_cannot_be_read_is_told_and_asked_again(tmp_path, fault, why):
    assert asked(LISTED, lambda prompt: fault, Verdicts(tmp_path, model="m"))[0] == {}
    assert unread(tmp_path, "m") == {"s1": why}
    assert unread(tmp_path, "another judge") == {}
    right = lambda prompt: "2" if "List:" in prompt else "yes"  # noqa: E731
    assert asked(LISTED, right, Verdicts(tmp_path, model="m"))[0] == {1: True}
    assert unread(tmp_path, "m") == {}


def test_a_pair_whose_reply_cannot_be_read_is_told_and_asked_again(tmp_path):
    cut = Reply(text="Yes, at first sight", finish_reason="length")
    assert asked(LIKELY, lambda prompt: cut, Verdicts(tmp_path, model="m"))[0] == {0: None}
    assert list(unread(tmp_path, "m").values()) == ["length"]
    assert asked(LIKELY, lambda prompt: "yes", Verdicts(tmp_path, model="m"))[0] == {0: True}
    assert unread(tmp_path, "m") == {}


def test_verdicts_are_paid_for_once_whoever_asks_again(tmp_path):
    asked(LIKELY, lambda prompt: "yes", Verdicts(tmp_path, model="m"))
    found, prompts = asked(LIKELY, lambda prompt: "no", Verdicts(tmp_path, model="m"))
    assert (found, prompts) == ({0: True}, [])
    found, prompts = asked(LIKELY, lambda prompt: "no", Verdicts(tmp_path, model="another"))
    assert (found, len(prompts)) == ({0: False}, 1)
    assert len([json.loads(line) for path in tmp_path.iterdir() for line in path.read_text().splitlines()]) == 2


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("Yes", True),
        ("**no**", False),
        ("They look alike, yes, but the numbers differ. no", False),
        ("I cannot tell.", None),
        ("", None),
        ("nobody knows", None),
    ],
)
def test_reading_a_verdict(reply, verdict):
    assert read_verdict(reply) is verdict


def test_the_judge_reads_passage_options_and_answer():
    assert as_text(ROW_SUM) == "Sums.\nWhat is 2 + 3?\n- 4\n- 5\nAnswer: 5"
