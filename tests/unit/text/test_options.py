"""Options that refer to the position of other options are recognised."""

import pytest

from nemo_sdg.text.options import speak_of_place, speaks_of_letters


@pytest.mark.parametrize(
    "option",
    [
        "both A and B",
        "both 1 and 2",
        "Only II and III",
        "I and III",
        "1 and 3 only",
        "(a) and (b)",
        "A, B, and C",
        "Neither A nor B",
        "only A",
        "Option B",
        "D and E are correct",
        "all of the above",
        "None of the above.",
        "none of these",
        "any of these",
        "All the previous answers are correct.",
        "None of the other answers",
        "Todas las anteriores",
        "Nenhuma das alternativas",
        "Alle oben genannten",
        "Toutes les réponses ci-dessus",
        "以上皆是",
        "위의 모두",
        "جميع ما سبق",
        "أ و ب",
        "لا شيء مما ذكر",
        "همه موارد",
        "هیچ‌کدام",
        "گزینه‌های الف و ب",
        "כל התשובות נכונות",
        "א ו-ב",
        "उपरोक्त सभी",
        "इनमें से कोई नहीं",
        "ถูกทุกข้อ",
        "ข้อ ก และ ข",
        "Όλα τα παραπάνω",
        "α και β",
        "Верны оба варианта",
        "А и Б",
        "A和B都对",
        "甲和乙",
        "上記のすべて",
        "Tất cả các đáp án trên",
        "Cả A và B",
        "Yukarıdakilerin hepsi",
        "A ve C",
        "Zote hapo juu",
        "each of these",
        "E and J",
        "the one in option B",
        "toutes ces options",
        "Keine von den genannten",
        "以上の全て",
        "None of these answers is correct",
        "all of these are true",
    ],
)
def test_references_to_other_options(option: str) -> None:
    assert speak_of_place(["tin", "zinc", option])


@pytest.mark.parametrize(
    "option",
    [
        "blood type AB",
        "Vitamin A and iron",
        "A good idea",
        "a and b are equal",
        "the above-ground part of a plant",
        "both sides of the river",
        "one of the best",
        "all mammals",
        "A or a Bb cross",
        "1 and 3",
        "كل يوم",
        "أحمد وبدر",
        "همه روز",
        "כל בוקר",
        "ทุกวัน",
        "όλα τα ζώα",
        "все реки",
        "Аня и Боря",
        "甲和乙的父亲",
        "tất cả động vật",
        "Ali ve Can",
        "elma ve armut",
        "none",
        "all those who came",
        "fewer than in any previous year",
        "most of these towns have a wall",
        "18岁以上",
        "all of these are towns with a wall",
    ],
)
def test_options_that_only_look_so(option: str) -> None:
    assert not speak_of_place(["tin", "zinc", option])


@pytest.mark.parametrize(
    "text",
    [
        "so option C is right",
        "A is too heavy.",
        "We compare A and B.",
        "The answer is (c).",
        "Das ist b) falsch",
        "**D** fits",
        "选项C正确",
        "therefore D",
        "Option a: too small",
    ],
)
def test_letters_that_may_name_options_are_seen(text: str) -> None:
    assert speaks_of_letters(text, 4)


@pytest.mark.parametrize(
    "text",
    ["A whale is no fish.", "I think so.", "An option a firm has", "T-shirts, U.S. law and C++", "Jane E. Smith", "E"],
)
def test_articles_initials_and_letters_of_no_option_are_none(text: str) -> None:
    assert not speaks_of_letters(text, 4)


def test_without_options_there_are_no_letters_of_options() -> None:
    assert not speaks_of_letters("so option C is right", 0)
