"""The features that show that two questions are the same, each tested alone."""

from typing import Any

import numpy as np
import pytest

from nemo_sdg.curate.decontaminate import by_sense as sense
from nemo_sdg.curate.decontaminate.by_words import WEIGHTS, Profile, answer_terms, score, terms, witnesses
from nemo_sdg.curate.decontaminate.questions import read_item
from nemo_sdg.curate.embed import Embedder, Vectors


def profile(question: str, answer: str, choices: list[str] | None = None) -> Profile:
    """As if every term were unheard of among the evaluation rows."""
    item = read_item({"question": question, "answer": answer, "choices": choices})
    words = terms(word for answer in item.answers for word in answer)
    return Profile(
        item=item, question=dict.fromkeys(terms(item.question), 1.0), answers=dict.fromkeys(answer_terms(item), 1.0),
        answer_words=dict.fromkeys(words, 1.0), passage=set(),
    )  # fmt: skip


def found(one: Profile, other: Profile) -> dict[str, Any]:
    return dict(zip(WEIGHTS, witnesses(one, other), strict=True))


def by_sense(
    one: Profile, other: Profile, *, stands_out: float = 0.3, leads: float = 0.1, answer: float | None = None
) -> dict[str, Any]:
    return dict(
        zip(sense.WEIGHTS, sense.witnesses(one, other, stands_out=stands_out, leads=leads, answer=answer), strict=True)
    )


def test_there_is_a_weight_for_every_witness() -> None:
    one = profile("What do bees make?", "honey")
    assert len(WEIGHTS) == len(witnesses(one, one))
    assert len(sense.WEIGHTS) == len(by_sense(one, one))


def test_no_likeness_speaks_against_a_repeat_and_no_difference_for_one() -> None:
    assert all(weight >= 0 for weight in sense.RISING.values())
    assert all(weight <= 0 for weight in sense.FALLING.values())


def test_a_long_answer_that_two_questions_share_says_more_than_a_short_one() -> None:
    code = "def double(number): return number + number"
    long = found(profile("Write a doubling function.", code), profile("Return twice what is given.", code))
    short = found(profile("What do bees make?", "honey"), profile("What is sweet?", "honey"))
    assert (short["answer"], short["answer_length"]) == (1.0, 0.0)
    assert long["answer_length"] > 0.5
    assert found(profile("How cold was it?", "-5"), profile("What is 2 minus 7?", "-5"))["answer_length"] == 0.0, (
        "a sign is no word"
    )


def test_options_count_by_their_words_and_with_the_answer() -> None:
    states = ["solid", "liquid", "gas"]
    phrases = ["the Earth turns on its axis", "the Moon circles the Earth", "the Sun moves around"]
    closed = found(profile("What is ice?", "solid", states), profile("What is steam?", "gas", states))
    open_ended = found(
        profile("Why is there night?", phrases[0], phrases),
        profile("What brings the night?", phrases[0], phrases[::-1]),
    )
    assert (closed["options_length"], closed["options_and_answer"]) == (0.0, 0.0)
    assert (open_ended["options_length"], open_ended["options_and_answer"]) == (1.0, 1.0)


def test_answers_are_alike_by_words_or_by_sense_but_not_with_other_numbers() -> None:
    one, other = (
        profile("Why do leaves look green?", "they hold chlorophyll"),
        profile("What colours a leaf?", "chlorophyll"),
    )
    assert by_sense(one, other, answer=0.9)["answer"] == sense.ALIKE
    assert by_sense(one, other, answer=0.1)["answer"] == 0.0
    assert by_sense(one, one)["answer"] == 1.0
    assert by_sense(one, other)["answer_unknown"] == 1.0
    five, six = profile("How many eggs are left?", "5 eggs"), profile("How many eggs remain?", "6 eggs")
    for this, that in (
        (five, six),
        (profile("x?", "-5"), profile("y?", "5")),
        (profile("x?", "1/2"), profile("y?", "2/1")),
    ):
        clash = by_sense(this, that, answer=0.9)
        assert (clash["answer"], clash["answer_number_differs"]) == (0.0, 1.0)
    dated = Profile(
        item=read_item({"question": "When?", "answer": {"text": "in 1969", "aliases": ["on July 20, 1969"]}}),
        question={},
        answers={},
        answer_words={},
        passage=set(),
    )
    assert by_sense(dated, profile("When was it?", "the year 1969"), answer=0.9)["answer_number_differs"] == 0.0


def test_labels_agree_through_any_alias() -> None:
    def labelled(answer: Any) -> Profile:
        item = read_item({"question": "Is it so?", "answer": answer})
        return Profile(item=item, question={}, answers={}, answer_words={}, passage=set())

    assert by_sense(labelled({"text": "true", "aliases": ["yes"]}), labelled("yes"))["label_differs"] == 0.0
    assert by_sense(labelled("no"), labelled("yes"))["label_differs"] == 1.0


def test_numbers_match_as_often_as_they_stand_there() -> None:
    one, other = profile("Of 3 boxes with 3 pens and 4 caps", "13"), profile("3 boxes, 4 caps", "13")
    found = by_sense(one, other)
    assert found["numbers_shared"] == 2 / 3 * 2 / sense.SHARED_NUMBERS
    assert found["numbers_clash"] == (1 - 2 / 3) * 3 / sense.MANY_NUMBERS
    assert by_sense(profile("Which day is it?", "Monday"), other)["numbers_clash"] == 0.0


def test_labels_and_code_are_not_compared_as_answers() -> None:
    def text(answer: Any) -> str | None:
        record = {"question": "Is it so?", "answer": {"text": answer}}
        return sense.answer_text(record, read_item(record))

    assert (text("yes"), text("def double(n): return 2 * n"), text("a\nb")) == (None, None, None)
    assert text("two dozen eggs\n") == "two dozen eggs"
    assert (text(17), text(" "), text(None)) == ("17", None, None)
    row = {"question": "What floats?", "choices": ["wood", "iron"], "answer": "wood"}
    assert (
        sense.whole_text(row)
        == "What floats? iron wood wood"
        == sense.whole_text({**row, "choices": ["iron", "wood"], "answer": {"text": "wood"}})
    )


def test_what_nothing_speaks_for_has_no_chance_and_a_copy_is_certain() -> None:
    one = profile("How many eggs do 12 hens lay in 7 days?", "84 eggs in all", ["84 eggs in all", "19 eggs in all"])
    other = profile("Who painted the ceiling of the chapel?", "Michelangelo")
    assert score(witnesses(one, other)) < 0.001
    assert np.isclose(score(witnesses(one, one)), 1.0, atol=0.01)
    assert sense.score(list(by_sense(one, other, stands_out=0.0, leads=-0.2, answer=0.1).values())) < 0.01
    assert sense.score(list(by_sense(one, one, stands_out=0.6, leads=0.5).values())) > 0.99
    assert not sense.worth_a_look(one, other, 0.05)
    assert sense.worth_a_look(one, one, 0.0)


def test_a_text_that_comes_again_is_embedded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    embedded: list[str] = []

    def encode(self: Embedder, texts: list[str]) -> Vectors:
        embedded.extend(texts)
        return np.array([[len(text), 0.0] for text in texts], dtype=np.float32)

    monkeypatch.setattr(Embedder, "encode", encode)
    monkeypatch.setattr("nemo_sdg.curate.embed.REMEMBERED", 2)
    embedder = Embedder(None)
    assert {text: vector[0] for text, vector in embedder.vectors_of(["a", "bb", "a"]).items()} == {"a": 1.0, "bb": 2.0}
    assert list(embedder.vectors_of(["ccc", "a"])) == ["a", "ccc"]
    assert embedded == ["a", "bb", "ccc"]
    embedder.vectors_of(["bb", "dddd", "eeeee"])
    assert embedded == ["a", "bb", "ccc", "bb", "dddd", "eeeee"], "the oldest is forgotten"
    assert embedder.vectors_of([]) == {}
