"""The features by which a closer look tells a rewording from another question of the same pattern."""

from typing import Any

import numpy as np

from nemo_sdg.curate.decontaminate import by_sense, closer
from nemo_sdg.curate.decontaminate.by_words import Profile, answer_terms, terms
from nemo_sdg.curate.decontaminate.questions import read_item
from nemo_sdg.curate.embed import Vectors

DIRECTIONS = {"green": 0.0, "verdant": 0.2, "blue": 1.2, "azure": 1.4, "red": 2.8}
VECTORS: dict[str, Vectors] = {
    text: np.array([np.cos(angle), np.sin(angle)], dtype=np.float32) for text, angle in DIRECTIONS.items()
}
"""stand in for those of an embedder: alike by the angle between them"""


def profile(record: dict[str, Any]) -> Profile:
    """As if every term were unheard of among the evaluation rows."""
    item = read_item(record)
    return Profile(
        item=item,
        question=dict.fromkeys(terms(item.question), 1.0),
        answers=dict.fromkeys(answer_terms(item), 1.0),
        answer_words={},
        passage=set(),
    )


def looked_at(sample: dict[str, Any], row: dict[str, Any], *, leads: float = 0.1) -> tuple[dict[str, float], float]:
    """The features of a pair, and its chance."""
    one, other = profile(sample), profile(row)
    found = by_sense.witnesses(one, other, stands_out=0.3, leads=leads, answer=None)
    features = closer.witnesses(one, other, closer.told(sample, one), closer.told(row, other), found, VECTORS)
    return dict(zip(closer.WEIGHTS, features, strict=True)), closer.score(features)


def asked(question: str = "What colour?", answer: str = "green", *choices: str) -> dict[str, Any]:
    return {"question": question, "answer": answer, "choices": list(choices) or None}


def test_questions_of_one_pattern_share_their_words_and_rewordings_do_not() -> None:
    row = asked("What is the sum of the odd numbers below nine?", "green")
    pattern, pattern_chance = looked_at(asked("What is the sum of the even numbers below nine?", "verdant"), row)
    reworded, chance = looked_at(
        asked("Every second integer from one upward is added, stopping at seven.", "verdant"), row
    )
    assert pattern["words_shared"] > 0.7 > 0.2 > reworded["words_shared"]
    assert chance > pattern_chance
    assert looked_at(row, row)[0]["words_shared"] == 1.0


def test_programs_are_told_apart_by_words_that_embeddings_do_not_see() -> None:
    program = asked("Add the even numbers.", "def add(n):\n    return n")
    assert looked_at(program, program)[0]["both_code"] == 1.0
    assert looked_at(program, asked())[0]["both_code"] == 0.0


def test_an_answer_is_compared_with_the_other_options_of_the_other_question() -> None:
    row = asked("What colour?", "green", "green", "blue", "red")
    right = looked_at(asked("Which hue?", "verdant"), row)[0]
    wrong = looked_at(asked("Which hue?", "azure"), row)[0]
    assert right["answer_ahead"] > 0.3
    assert wrong["answer_ahead"] < -0.3
    assert looked_at(asked("Which hue?", "verdant"), asked())[0]["answer_ahead"] == 0.0, "nothing to compare with"
    assert right["other_options"] == 0.0, "one side has no options"


def test_options_beside_the_answer_are_paired_by_sense_and_some_may_be_left_out() -> None:
    row = asked("What colour?", "green", "green", "blue", "red")
    reworded = looked_at(asked("Which hue?", "verdant", "verdant", "azure", "red"), row)[0]
    fewer = looked_at(asked("Which hue?", "verdant", "verdant", "red"), row)[0]
    other = looked_at(asked("Which hue?", "verdant", "verdant", "green"), row)[0]
    assert reworded["other_options"] > 0.6
    assert fewer["other_options"] == 1.0 - closer.LEAST_ALIKE
    assert other["other_options"] < 0.2


def test_options_that_differ_in_their_sign_alone_are_two() -> None:
    row = asked("x?", "-5", "-5", "5")
    assert closer.texts(closer.told(row, profile(row)), closer.told(row, profile(row))) == {"-5", "5"}
    vectors = {"-5": VECTORS["green"], "5": VECTORS["red"]}
    one = profile(row)
    told = closer.told(row, one)
    found = by_sense.witnesses(one, one, stands_out=0.3, leads=0.1, answer=None)
    features = dict(zip(closer.WEIGHTS, closer.witnesses(one, one, told, told, found, vectors), strict=True))
    assert features["answer_ahead"] == closer.MOST_AHEAD


def test_a_question_without_an_answer_or_options_needs_no_further_embedding() -> None:
    bare = {"question": "What colour?"}
    assert closer.texts(closer.told(bare, profile(bare)), closer.told(asked(), profile(asked()))) == set()
    assert looked_at(bare, asked())[0]["answer_alike"] == 0.0


def test_signs_of_the_weights_are_what_they_stand_for() -> None:
    assert min(closer.RISING.values()) >= 0.0 >= max(closer.FALLING.values())


def test_of_scripts_without_spaces_more_has_to_agree() -> None:
    assert looked_at(asked("冷えたものを温めるのに使うものは？"), asked())[0]["without_spaces"] == 1.0
    assert looked_at(asked(), asked())[0]["without_spaces"] == 0.0
    assert closer.WEIGHTS["without_spaces"] < 0.0
