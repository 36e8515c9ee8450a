"""Ring 3: what is a leak of an evaluation row, and what is only a common string."""

import pytest

from nemo_sdg.records import Answer, DatasetRow, EvaluationRow, Seed
from nemo_sdg.seeds.content import ContentGuard, normalise, weight

OPTIONS = ["a cold drink", "measure temperature", "a sunny day", "weigh flour"]


def evaluation(
    question: str,
    *,
    passage: str | None = None,
    choices: list[str] | None = None,
    answer: str | None = None,
    row: int = 0,
    task: str = "quiz",
) -> EvaluationRow:
    return EvaluationRow(
        task=task,
        dataset=DatasetRow(path="own/quiz", name=None, split="test", revision="local", row=row),
        kind="short_text",
        question=question,
        passage=passage,
        choices=choices,
        answer=answer,
    )


def seed(
    question: str,
    *,
    passage: str | None = None,
    choices: list[str] | None = None,
    answer: str = "x",
    aliases: list[str] | None = None,
) -> Seed:
    return Seed(
        seed_id="0",
        task="quiz",
        tasks=["quiz"],
        family="science",
        capability="knowledge",
        kind="short_text",
        frame="generation",
        language="en",
        dataset=DatasetRow(path="own/quiz", name=None, split="train", revision="local", row=0),
        license="MIT",
        question=question,
        passage=passage,
        choices=choices,
        answer=Answer(text=answer, aliases=aliases or []),
    )


LONG = "A farmer has 17 sheep and buys 8 more at the market; how many sheep does the farmer have?"


def test_a_copied_question_is_found_whatever_its_case_and_punctuation():
    guard = ContentGuard(
        [evaluation("Some other question that is long enough to count here", row=3), evaluation(LONG, row=4)]
    )
    assert (
        guard.match(seed("  a FARMER has 17 sheep, and buys 8 more at the market: how many sheep does the farmer have"))
        == "question of quiz (own/quiz, default, test, row 4)"
    )


@pytest.mark.parametrize("changed", [LONG.replace("17", "18"), LONG.replace("sheep", "goats"), LONG + " Explain."])
def test_a_changed_question_is_not(changed):
    assert ContentGuard([evaluation(LONG)]).match(seed(changed)) is None


def test_signs_tell_formulas_apart():
    guard = ContentGuard([evaluation("Compute the value of the expression $12 + 30 - 4$ and simplify it", answer="38")])
    assert guard.match(seed("Compute the value of the expression $12 * 30 - 4$ and simplify it")) is None
    assert guard.match(seed("Compute the value of the expression $12 + 30 + 4$ and simplify it")) is None
    assert guard.match(seed("Compute the value of the expression $12 + 30 - 4$ and simplify it")) is not None


def test_a_short_stem_is_no_leak_but_the_whole_short_row_is():
    guard = ContentGuard([evaluation("Thermometers", choices=OPTIONS, answer=OPTIONS[1])])
    assert (
        guard.match(
            seed("Thermometers", choices=["read heat", "make heat", "store heat", "cool heat"], answer="read heat")
        )
        is None
    )
    assert (
        guard.match(seed("thermometers", choices=OPTIONS[::-1], answer=OPTIONS[1]))
        == "question and options of quiz (own/quiz, default, test, row 0)"
    )


def test_a_phrase_that_many_rows_ask_is_no_leak():
    phrase = "Which of the following statements about the passage above is true?"
    rows = [
        evaluation(phrase, choices=[f"{subject} is a planet", f"{subject} is a star"], row=row)
        for row, subject in enumerate(["Mars", "Venus", "Sirius"])
    ]
    guard = ContentGuard(rows)
    assert guard.match(seed(phrase, choices=["Pluto is a planet", "Pluto is a star"])) is None
    assert (
        guard.match(seed(phrase, choices=["Venus is a star", "Venus is a planet"]))
        == "question and options of quiz (own/quiz, default, test, row 1)"
    )


def test_a_fixed_label_set_does_not_make_short_questions_leaks():
    labels = ["yes", "no"]
    rows = [
        evaluation(text, choices=labels, answer="yes", row=row)
        for row, text in enumerate(["good film", "dull film", "fine film", "The tall boy read an old book"])
    ]
    guard = ContentGuard(rows)
    assert guard.match(seed("good film", choices=labels, answer="yes")) is None
    assert guard.match(seed("The tall boy read an old book", choices=labels, answer="no")) is None
    assert (
        guard.match(seed("The tall boy read an old book", choices=labels, answer="yes"))
        == "question and answer of quiz (own/quiz, default, test, row 3)"
    )


def test_the_same_question_on_another_passage_is_no_leak():
    question = "Which team scored the first touchdown of the game that the text describes?"
    guard = ContentGuard([evaluation(question, passage="The Bears met the Lions in Chicago.", answer="Bears")])
    assert guard.match(seed(question, passage="The Colts met the Jets in Boston.", answer="Bears")) is None
    assert (
        guard.match(seed(question, passage="the bears met the lions in chicago", answer="Lions"))
        == "passage and question of quiz (own/quiz, default, test, row 0)"
    )
    assert guard.match(seed(question, answer="Bears")) is not None


def test_short_questions_without_options_need_their_answer_or_an_alias():
    guard = ContentGuard([evaluation("who wrote the song yesterday", answer="Paul McCartney")])
    assert guard.match(seed("Who wrote the song Yesterday?", answer="a songwriter")) is None
    assert (
        guard.match(seed("Who wrote the song Yesterday?", answer="McCartney", aliases=["Paul McCartney"])) is not None
    )


def test_ideographs_weigh_more_than_letters():
    assert weight(normalise("農夫が羊を十七頭飼っています。市場で")) >= 40 > weight(normalise("seventeen sheep"))
    guard = ContentGuard([evaluation("農夫は羊を17頭飼っていて、市場でさらに8頭買いました。全部で何頭ですか。")])
    assert guard.match(seed("農夫は羊を17頭飼っていて、市場でさらに8頭買いました。全部で何頭ですか")) is not None


def test_no_evaluation_rows_means_no_leaks():
    guard = ContentGuard([])
    assert guard.num_rows == 0
    assert guard.match(seed(LONG, choices=OPTIONS)) is None


def test_the_first_of_two_equal_evaluation_rows_is_named():
    guard = ContentGuard([evaluation(LONG, row=7, task="first"), evaluation(LONG, row=2, task="second")])
    assert guard.match(seed(LONG)) == "question of first (own/quiz, default, test, row 7)"
