"""Options that an answer names in two ways which agree, or by the beginning of their words."""

import pytest

import nemo_sdg
from nemo_sdg.generate.parsing.answers.agreements import option_agreed, option_begun

PLACES = ["大阪府", "香川県", "東京都", "沖縄県"]
BLOOD = ["A", "B", "AB", "O"]
CANTOS = ["33", "99", "100", "34"]
GASES = ["Oxygen", "Hydrogen", "Nitrogen", "Chlorine"]


def chosen(answer: str, options: list[str], **more: str) -> str:
    text = f"CONTEXT\nA fact.\n\nREASONING\nA reason.\n\nANSWER\n{answer}"
    found = nemo_sdg.read_solution(text, kind="multiple_choice", options=options, **more)  # type: ignore[arg-type]
    return found["answer"] if isinstance(found, dict) else found[0]


@pytest.mark.parametrize(
    "label", ["イ\u3000", "ロ\u3000", "ロ．", "나 ", "ب ", "Б ", "б) ", "β ", "β. ", "乙\u3000", "②\u3000", "ㄴ "]
)
def test_a_label_of_another_script_stands_before_its_option(label: str) -> None:
    assert chosen(f"{label}香川県", PLACES) == "香川県"


def test_a_label_of_another_script_before_another_option_names_none() -> None:
    assert chosen("エ\u3000香川県", PLACES) == "answer_not_an_option"


@pytest.mark.parametrize(
    ("answer", "options", "option"),
    [
        ("Type O", BLOOD, "O"),
        ("Blood group AB", BLOOD, "AB"),
        ("Not type O", BLOOD, None),
        ("Anything but O", BLOOD, None),
        ("Types A and O", BLOOD, None),
        ("Any group or O", BLOOD, None),
        ("La risposta corretta è la terza: 100 canti.", CANTOS, "100"),
        ("The third: 100 cantos", CANTOS, "100"),
        ("The second: 100 cantos", CANTOS, None),
        ("The third: not 100 cantos", CANTOS, None),
        ("The third: 99 or 100 cantos", CANTOS, None),
        ("Option 2 (the value 3)", ["2", "3", "6", "9"], "3"),
        ("Option 2 (the value 6)", ["2", "3", "6", "9"], None),
        ("Option 2 (less than 3)", ["2", "3", "6", "9"], None),
    ],
)
def test_a_place_and_words_that_agree_name_an_option(answer: str, options: list[str], option: str | None) -> None:
    assert chosen(answer, options) == (option or "answer_not_an_option")


def test_long_answers_are_not_looked_at() -> None:
    assert option_agreed("type " * 100_000 + "O", BLOOD) is None


@pytest.mark.parametrize(
    ("answer", "option"),
    [
        ("B. Hydrog", "Hydrogen"),
        ("**B) hydro", "Hydrogen"),
        ("A. Hydrog", None),
        ("B. Hydrogen and Chl", None),
        ("B", None),
        ("B. H", None),
        ("Z. Hydrog", None),
    ],
)
def test_a_reply_that_was_cut_within_its_option_names_it(answer: str, option: str | None) -> None:
    assert option_begun(answer.strip("*"), GASES) == option
    assert chosen(answer, GASES, finish_reason="length") == (option or "cut_at_max_tokens")


def test_an_earlier_answer_contradicts_the_one_that_was_cut() -> None:
    text = "Answer: A. Oxygen\n\nReasoning: It burns.\n\nAnswer: B. Hydrog"
    found = nemo_sdg.read_solution(text, kind="multiple_choice", options=GASES, finish_reason="length")
    assert isinstance(found, tuple)
    assert found[0] == "contradictory_answers"
