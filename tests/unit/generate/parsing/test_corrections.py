"""Answers that their writer takes back, and options that a clause names: what a careful reader takes, or a drop."""

import pytest

import nemo_sdg

OPTIONS = ["red", "green", "blue", "grey"]
REPLY = "CONTEXT\nFacts.\n\nREASONING\nA thought.\n\nANSWER\n"


def read(answer: str, kind: str = "multiple_choice", reply: str = REPLY) -> str:
    """The answer, or the reason why there is none."""
    options = OPTIONS if kind == "multiple_choice" else None
    found = nemo_sdg.read_solution(reply + answer, kind=kind, options=options)
    return found["answer"] if isinstance(found, dict) else found[0]


@pytest.mark.parametrize(
    ("answer", "meant"),
    [
        ("A) red\n\nWait, that is wrong. It must be green.", "green"),
        ("A) red\n\nCorrection: that should read **C) blue**.", "blue"),
        ("A) green\n\nHold on, I mislabeled. The correct choice is green: B.", "green"),
        ("A) red\n\nOops, I meant C.", "blue"),
        ("A) red\n\nActually, B.", "green"),
        ("A) red\n\nKorrektur: Es ist B) green.", "green"),
        ("A) red\n\nAttends, je me suis trompé : la bonne réponse est (C) blue.", "blue"),
        ("A. red\n\nПодождите, я ошибся. Правильный ответ — B) green.", "green"),
        ("A\n\n更正：应为 B。", "green"),
        ("A) red\n\n訂正：正解は C です。", "blue"),
        ("A) red\n\n잠깐, 정답은 B입니다.", "green"),
        ("A) red\n\nWait, let me double-check: red has the longest wave. Yes, A.", "red"),
        ("A) red\n\nActually, red light was studied by Newton.", "red"),
        ("A) red\n\nSorry for the length!", "red"),
        ("A) red\n\nHold on. Not red but blue.", "contradictory_answers"),
        ("A) red\n\nWait, that is wrong.", "contradictory_answers"),
        ("A) red\n\nWait, is green possible? No, it is shorter. So A stays.", "contradictory_answers"),
    ],
)
def test_a_corrected_option_is_the_corrected_one_or_none(answer: str, meant: str) -> None:
    assert read(answer) == meant


def test_a_correction_behind_tags_and_json_counts() -> None:
    after = "\n\nWait, I mixed up the letters: the answer is B."
    tagged = "<context>c</context><reasoning>r</reasoning><answer>A</answer>"
    assert read(tagged + after, reply="") == "green"
    assert read('{"context": "c", "reasoning": "r", "answer": "A"}' + after, reply="") == "green"
    assert read(tagged + "\n\nHope this helps!", reply="") == "red"


@pytest.mark.parametrize(
    ("kind", "answer", "meant"),
    [
        ("numeric", "42\n\nWait, I made an arithmetic slip: 6*8 = 48. So the answer is 48.", "48"),
        ("numeric", "42\n\nCorrection: 48", "48"),
        ("numeric", "12\n\nMoment, ich habe mich verrechnet. Die Antwort ist 14.", "14"),
        ("numeric", "12\n\n更正：14", "14"),
        ("numeric", "12\n\nПоправка: 14", "14"),
        ("numeric", "42\n\nWait, let me check: 6*7 = 42.", "42"),
        ("numeric", "42\n\nCheck: 6*7 = 42. Correct.", "42"),
        ("numeric", "5 N\n\nMoment of inertia is 3.", "5 N"),
        ("numeric", "$x = 3$\n\nWait, x = -3 also works.", "contradictory_answers"),
        ("numeric", "42 cm\n\nHold on. The radius is 4, so it should be 48 cm.", "contradictory_answers"),
        ("short_text", "Sydney\n\nOops, Canberra.", "Canberra"),
        ("short_text", "Sydney\n\nSorry, that's wrong. The capital is Canberra.", "contradictory_answers"),
        ("short_text", "Hi. Sorry, I'm late.", "Hi. Sorry, I'm late."),
    ],
)
def test_a_corrected_value_is_the_corrected_one_or_none(kind: str, answer: str, meant: str) -> None:
    assert read(answer, kind) == meant


def test_an_option_of_a_dialogue_is_no_correction() -> None:
    options = ["Hello. Sorry, I am late.", "Hello. Wait, here it is.", "Hello."]
    for place, option in enumerate(options):
        found = nemo_sdg.read_solution(f"{REPLY}{'ABC'[place]}) {option}", kind="multiple_choice", options=options)
        assert isinstance(found, dict)
        assert found["answer"] == option


@pytest.mark.parametrize(
    ("answer", "meant"),
    [
        ("red → option A", "red"),
        ("red (option A)", "red"),
        ("red, that is, option A", "red"),
        ("rot, also Option A", "red"),
        ("≈ 650 nm, i.e. option (A)", "red"),
        ("650 nm ⇒ (A)", "red"),
        ("about 650 nm; therefore A", "red"),
        ("red: A", "red"),
        ("the right one is the fourth.", "grey"),
        ("Both the first and second options are short; the right one is the fourth.", "grey"),
        ("la segunda opción", "green"),
        ("第二个选项", "green"),
        ("red → option B", "answer_not_an_option"),
        ("≈ red, i.e. option (C)", "answer_not_an_option"),
        ("A or B → C", "answer_not_an_option"),
        ("vitamins X, C", "answer_not_an_option"),
        ("the fourth", "answer_not_an_option"),
        ("2", "answer_not_an_option"),
    ],
)
def test_a_label_behind_other_words_counts_where_it_agrees(answer: str, meant: str) -> None:
    assert read(answer) == meant


def test_a_bare_number_is_an_option_where_the_reasoning_calls_it_so() -> None:
    reply = "CONTEXT\nBases.\n\nREASONING\n101 is 5. {}\n\nANSWER\n2"
    options = ["6", "5", "7", "4"]

    def answer(said: str) -> object:
        found = nemo_sdg.read_solution(reply.format(said), kind="multiple_choice", options=options)
        return found["answer"] if isinstance(found, dict) else found[0]

    assert answer("The value 5 is listed as option 2.") == "5"
    assert answer("The value 5 is listed.") == "answer_not_an_option"
