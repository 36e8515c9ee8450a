"""The texts in which an evaluation row asks its question: as it is rendered, and in its columns."""

from pathlib import Path
from typing import Any

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.decontaminate.find import build_index, open_index
from nemo_sdg.curate.decontaminate.sayings import sayings
from nemo_sdg.storage import write_jsonl

FIRST, SECOND = "The minister said a long prayer for all.", "Clergymen are called ministers in some churches."
WORDS_AROUND = {
    "question": "Is the word 'minister' used in the same way in the two sentences above?",
    "passage": f"Sentence 1: {FIRST}\nSentence 2: {SECOND}",
    "choices": ["no", "yes"],
    "answer": "yes",
    "texts": ["minister", FIRST, SECOND, "1"],
}
UNRENDERED = {
    "question": "Which bird sings at night in the woods of the south?\nnightingale\nowl",
    "passage": None,
    "choices": None,
    "answer": None,
    "texts": ["Which bird sings at night in the woods of the south?", "nightingale", "owl"],
}


def placed(row: dict[str, Any], number: int) -> dict[str, Any]:
    return {**row, "task": "t", "dataset": {"path": "own/t", "name": None, "split": "test", "row": number}}


def test_the_words_around_a_rows_strings_are_left_out() -> None:
    row, own = sayings(WORDS_AROUND)
    assert row is WORDS_AROUND
    assert (own["question"], own["passage"], own["answer"]) == (f"{FIRST}\n{SECOND}", None, "yes")


def test_a_question_keeps_its_passage() -> None:
    row = {
        "question": "Question: does it rain? Answer yes or no.",
        "passage": "Text: It rains a lot here.",
        "choices": ["yes", "no"],
        "answer": "yes",
        "texts": ["does it rain", "It rains a lot here.", "yes"],
    }
    _, own = sayings(row)
    assert (own["question"], own["passage"]) == ("does it rain", "It rains a lot here.")


def test_nothing_is_added_where_the_columns_say_the_same() -> None:
    row = {"question": "Who wrote Emma?", "passage": None, "answer": "Austen", "texts": ["Who wrote Emma?", "Austen"]}
    assert list(sayings(row)) == [row]
    assert list(sayings({key: value for key, value in row.items() if key != "texts"})) != []


def test_each_long_string_of_an_unrendered_row_may_be_the_question() -> None:
    _, own = sayings(UNRENDERED)
    assert (own["question"], own["choices"]) == (UNRENDERED["texts"][0], ["nightingale", "owl"])


def test_a_sample_that_repeats_the_columns_is_found(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "rows.jsonl", [placed(WORDS_AROUND, 3), placed(UNRENDERED, 7)])
    build_index([tmp_path / "rows.jsonl"], tmp_path / "index", CurateSection(paraphrase=False))
    index = open_index(tmp_path / "index")
    copied = index.find({"question": f"{FIRST} {SECOND}", "answer": {"text": "yes", "aliases": []}})
    assert copied is not None
    assert copied.detail == "t test row 3 (own/t)"
    copied = index.find({"question": UNRENDERED["texts"][0], "answer": {"text": "the nightingale", "aliases": []}})
    assert copied is not None
    assert copied.detail == "t test row 7 (own/t)"
    other = {"question": "Which bird sings at noon in the hills?", "answer": {"text": "lark", "aliases": []}}
    assert index.find(other) is None
