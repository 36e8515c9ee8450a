"""The judge's verdicts on pairs of a sample and an evaluation row. The judge is a function of the test."""

import asyncio
import json

import pytest

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.decontaminate.find import build_index, open_index
from nemo_sdg.curate.decontaminate.judged import JudgedPair, Verdicts, as_text, judge, read_verdict

PAIR = JudgedPair(
    sample={"question": "Add up 2 and 3.", "answer": {"text": "5", "aliases": []}},
    row={"question": "What is 2 + 3?", "answer": "5", "choices": ["4", "5"], "passage": "Sums."},
)


def asked(pairs, reply, verdicts):
    prompts = []

    async def ask(prompt):
        prompts.append(prompt)
        return reply(prompt)

    return asyncio.run(judge(pairs, ask, verdicts)), prompts


def test_a_pair_is_one_question_only_where_the_judge_says_so_both_ways(tmp_path):
    found, prompts = asked([PAIR], lambda prompt: "Yes.", Verdicts(tmp_path / "a", model="m"))
    assert found == [True]
    assert len(prompts) == 2
    first, second = (prompt.index("Add up 2 and 3.") < prompt.index("What is 2 + 3?") for prompt in prompts)
    assert first
    assert not second
    one_way = lambda prompt: "yes" if prompt.index("Add up") < prompt.index("What is") else "No"  # noqa: E731
    assert asked([PAIR], one_way, Verdicts(tmp_path / "b", model="m"))[0] == [False]


def test_the_first_no_ends_the_asking(tmp_path):
    found, prompts = asked([PAIR], lambda prompt: "no", Verdicts(tmp_path, model="m"))
    assert (found, len(prompts)) == ([False], 1)


def test_verdicts_are_paid_for_once_whoever_asks_again(tmp_path):
    asked([PAIR], lambda prompt: "yes", Verdicts(tmp_path, model="m"))
    found, prompts = asked([PAIR], lambda prompt: "no", Verdicts(tmp_path, model="m"))
    assert (found, prompts) == ([True], [])
    found, prompts = asked([PAIR], lambda prompt: "no", Verdicts(tmp_path, model="another"))
    assert (found, len(prompts)) == ([False], 1)
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
    assert as_text(PAIR.row) == "Sums.\nWhat is 2 + 3?\n- 4\n- 5\nAnswer: 5"


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


def test_the_judge_decides_what_is_a_rewording(index_path):
    shown = []

    def says(verdict):
        def decide(pairs):
            shown.extend(pairs)
            return [verdict and pair.row["question"] == ROW["question"] for pair in pairs]

        return decide

    found = open_index(index_path, says(True)).find(REWORDED)
    assert (found.reason, found.detail) == ("evaluation_judged", "toy test row 0 (toy)")
    assert any(pair.row["question"] == ROW["question"] for pair in shown)
    assert open_index(index_path, says(False)).find(REWORDED) is None


def test_where_the_judge_does_not_say_the_chance_decides(index_path):
    silent = open_index(index_path, lambda pairs: [None] * len(pairs)).find(REWORDED)
    alone = open_index(index_path).find(REWORDED)
    assert (silent is None) == (alone is None)
    assert silent is None or silent.reason == "evaluation_paraphrase"


def test_a_copy_is_found_without_the_judge(index_path):
    def never(pairs):
        assert not pairs
        return []

    assert open_index(index_path, never).find({"question": ROW["question"]}).reason == "evaluation_exact"


@pytest.mark.parametrize("field", ["context", "reasoning", "trace"])
def test_a_question_quoted_in_context_reasoning_or_trace_is_a_leak(index_path, field):
    innocent = {
        "question": "What do touch and temperature have to do with each other?",
        "answer": {"text": "the skin feels the flow of heat", "aliases": []},
        field: f"This recalls a known item: {ROW['question']} It asks about conduction.",
    }
    found = open_index(index_path, lambda pairs: [False] * len(pairs)).find(innocent)
    assert found is not None
    assert found.detail == "toy test row 0 (toy)"
