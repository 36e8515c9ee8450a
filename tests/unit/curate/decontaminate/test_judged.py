"""The judge's verdicts on pairs of a sample and an evaluation row. The judge is a function of the test."""

import asyncio
import json

import pytest

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.decontaminate.find import build_index, open_index
from nemo_sdg.curate.decontaminate.judged import Reply, Shown, as_text, judge, read_named, read_verdict
from nemo_sdg.curate.decontaminate.questions import read_item
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


ROW = {
    "question": "Why does a wooden spoon feel warmer than a metal one at room temperature?",
    "answer": "metal conducts heat away from the hand faster",
    "task": "toy",
    "dataset": {"path": "toy", "name": None, "split": "test", "row": 0},
}
PLACE = {"path": "toy", "name": None, "split": "test", "row": 1}
OTHER = ROW | {"question": "Which planet has the most moons?", "answer": "Saturn", "dataset": PLACE}
REWORDED = {
    "question": "A steel spoon seems colder to the touch than one of wood, though both lay in one kitchen. Why?",
    "answer": {"text": "steel carries warmth away from the fingers more quickly", "aliases": []},
}


@pytest.fixture(scope="module")
def index_path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("index")
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in (ROW, OTHER)))
    build_index([folder / "rows.jsonl"], folder / "index", CurateSection())
    return folder / "index"


def saying(verdict, seen):
    """A judge that says the verdict of ROW and no of all others, and notes what it is shown."""

    def decide(samples):
        seen.extend(samples)
        return [
            {place: verdict and row["question"] == ROW["question"] for place, row in enumerate(one.likely + one.near)}
            for one in samples
        ]

    return decide


def test_all_questions_of_one_row_are_listed_and_rows_that_embed_alike_in_the_order_of_their_numbers(tmp_path):
    place = {"path": "race", "name": "high", "split": "test", "row": 7}
    asked_of_row = ["How old was the captain?", "How old was the captain's ship?", "How old was the captain's dog?"]
    rows = [{"question": one, "answer": "", "task": "race", "dataset": place} for one in asked_of_row]
    copies = [rows[0] | {"dataset": place | {"row": n}, "passage": f"Story {n}."} for n in range(8, 28)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows + copies))
    build_index([tmp_path / "rows.jsonl"], tmp_path / "index", CurateSection())
    index = open_index(tmp_path / "index")
    sample = {"question": "How old was the captain of the ship?"}

    def listed(num, *others):
        samples = [sample, *others]
        numbers = index.rewordings.suspects(samples, [read_item(one) for one in samples], num_near=num)[0].near
        return [index.rows.row(number) for number in numbers]

    assert {row["question"] for row in listed(23)} == set(asked_of_row)
    some = [row for row in listed(8, {"question": "What is two times two?"}) if row["question"] == asked_of_row[0]]
    assert [row["dataset"]["row"] for row in some] == list(range(7, 7 + len(some)))
    assert len(some) >= 6


def test_the_judge_decides_what_is_a_rewording(index_path):
    seen = []
    found = open_index(index_path, saying(True, seen)).find(REWORDED)
    assert (found.reason, found.detail) == ("evaluation_judged", "toy test row 0 (toy)")
    assert [row["question"] for row in seen[0].likely] == [ROW["question"]]
    assert open_index(index_path, saying(False, [])).find(REWORDED) is None


def test_the_judge_is_shown_near_rows_that_are_not_likely(index_path):
    careful = {"question": "Touching steel and timber side by side: explain why the first feels icy.", "choices": None}
    seen = []
    found = open_index(index_path, saying(True, seen), judged_rows=3).find(careful)
    assert seen[0].likely == []
    assert [row["question"] for row in seen[0].near] == [ROW["question"]]
    assert found.reason == "evaluation_judged"
    assert open_index(index_path, saying(True, []), judged_rows=0).find(careful) is None


def test_where_the_judge_does_not_say_the_chance_decides(index_path):
    silent = open_index(index_path, lambda samples: [{0: None}] * len(samples)).find(REWORDED)
    alone = open_index(index_path).find(REWORDED)
    assert (silent is None) == (alone is None)
    assert silent is None or silent.reason == "evaluation_paraphrase"


def test_a_copy_is_found_without_the_judge(index_path):
    def never(samples):
        assert not samples
        return []

    assert open_index(index_path, never).find({"question": ROW["question"]}).reason == "evaluation_exact"


@pytest.mark.parametrize("field", ["context", "reasoning", "trace"])
def test_a_question_quoted_in_context_reasoning_or_trace_is_a_leak(index_path, field):
    innocent = {
        "question": "What do touch and temperature have to do with each other?",
        "answer": {"text": "the skin feels the flow of heat", "aliases": []},
        field: f"This recalls a known item: {ROW['question']} It asks about conduction.",
    }
    found = open_index(index_path, lambda samples: [{}] * len(samples)).find(innocent)
    assert found is not None
    assert found.detail == "toy test row 0 (toy)"
