"""What speaks for two questions being one: each witness by itself."""

from typing import Any

import numpy as np

from nemo_sdg.curate.items import read_item
from nemo_sdg.curate.paraphrase import NUM_LEXICAL, WEIGHTS, WEIGHTS_LEXICAL, WITNESSES, Profile, answer_terms, score, terms, witnesses


def profile(question: str, answer: str, choices: list[str] | None = None) -> Profile:
    """As if every term were unheard of among the evaluation rows."""
    item = read_item({"question": question, "answer": answer, "choices": choices})
    words = terms(word for answer in item.answers for word in answer)
    return Profile(
        item=item, question=dict.fromkeys(terms(item.question), 1.0), answers=dict.fromkeys(answer_terms(item), 1.0),
        answer_words=dict.fromkeys(words, 1.0), passage=set(),
    )  # fmt: skip


def found(one: Profile, other: Profile) -> dict[str, Any]:
    return dict(zip(WITNESSES, witnesses(one, other, (0.8, 0.3)), strict=True))


def test_there_is_a_weight_for_every_witness() -> None:
    assert len(WEIGHTS) == 1 + len(WITNESSES)
    assert len(WEIGHTS_LEXICAL) == 1 + NUM_LEXICAL
    one = profile("What do bees make?", "honey")
    assert len(witnesses(one, one, None)) == NUM_LEXICAL


def test_a_long_answer_that_two_questions_share_says_more_than_a_short_one() -> None:
    code = "def double(number): return number + number"
    long = found(profile("Write a doubling function.", code), profile("Return twice what is given.", code))
    short = found(profile("What do bees make?", "honey"), profile("What is sweet?", "honey"))
    assert (short["answer"], short["answer_length"]) == (1.0, 0.0)
    assert long["answer_length"] > 0.5
    assert found(profile("How cold was it?", "-5"), profile("What is 2 minus 7?", "-5"))["answer_length"] == 0.0, "a sign is no word"


def test_options_count_by_their_words_and_with_the_answer() -> None:
    states = ["solid", "liquid", "gas"]
    phrases = ["the Earth turns on its axis", "the Moon circles the Earth", "the Sun moves around"]
    closed = found(profile("What is ice?", "solid", states), profile("What is steam?", "gas", states))
    open_ended = found(profile("Why is there night?", phrases[0], phrases), profile("What brings the night?", phrases[0], phrases[::-1]))
    assert (closed["options_length"], closed["options_and_answer"]) == (0.0, 0.0)
    assert (open_ended["options_length"], open_ended["options_and_answer"]) == (1.0, 1.0)


def test_what_nothing_speaks_for_has_no_chance_and_a_copy_is_certain() -> None:
    one = profile("How many eggs do 12 hens lay in 7 days?", "84 eggs in all", ["84 eggs in all", "19 eggs in all"])
    other = profile("Who painted the ceiling of the chapel?", "Michelangelo")
    assert score(witnesses(one, other, (0.0, -0.1))) < 0.001
    assert score(witnesses(one, one, (1.0, 0.5))) > 0.99
    assert np.isclose(score(witnesses(one, one, None)), 1.0, atol=0.01)
