"""Equality of answers of every kind; the shared cases are tested in tests/contract/test_equal_answers.py."""

import itertools
import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nemo_sdg
from nemo_sdg.text.answers import group_answers, is_settled, same_answer, surely_same

SAME = [
    ("Bb", " Bb. ", "multiple_choice", "en"),
    ("(B) Paris", "Paris", "multiple_choice", "en"),
    ("**C. lime**", "(C) lime", "multiple_choice", "en"),
    ("Option C", r"\boxed{C}", "multiple_choice", "en"),
    ("选项B", "（B）", "multiple_choice", "zh"),
    ("The lime.", "lime", "multiple_choice", "en"),
    ("3,5", "3.5", "numeric", "de"),
    ("2 1/2", "2.5", "numeric", "en"),
    ("1,25,000", "125000", "numeric", "en"),
    ("10^{-20}", r"\frac{1}{10^{20}}", "numeric", "en"),
    ("x = 2 or x = -2", r"\{-2, 2\}", "numeric", "en"),
    (r"\boxed{x = 5}", "5", "numeric", "en"),
    ("(1, 2)", "(1,2)", "numeric", "en"),
    ("3:30 PM", "15:30", "numeric", "en"),
    ("18-20", "18 to 20", "numeric", "en"),
    ("5 ft 6 in", "66 inches", "numeric", "en"),
    ("72 km/h", "20 m/s", "numeric", "en"),
    ("i^2", "-1", "numeric", "en"),
    (r"\pm 3", "3 or -3", "numeric", "en"),
    ("-1 < x < 3", "(-1, 3)", "numeric", "en"),
    ("x > -2 and x < 4", r"\{x : -2 < x < 4\}", "numeric", "en"),
    ("x < 0 or x > 2", r"(-\infty, 0) \cup (2, \infty)", "numeric", "en"),
    ("all real numbers", r"\mathbb{R}", "numeric", "en"),
    ("[[1, 2], [3, 4]]", r"\begin{bmatrix}1&2\\3&4\end{bmatrix}", "numeric", "en"),
    ("x = 1, y = 2", "(1, 2)", "numeric", "en"),
    (r"0.\overline{3}", "1/3", "numeric", "en"),
    ("0x1F", "31", "numeric", "en"),
    ("6'2\"", "74 inches", "numeric", "en"),
    ("%40", "40%", "numeric", "tr"),
    ("负五", "-5", "numeric", "zh"),
    ("3만 5천", "35000", "numeric", "ko"),
    ("2 लाख", "200000", "numeric", "hi"),
    ("huszonöt", "25", "numeric", "hu"),
    ("anderthalb", "1,5", "numeric", "de"),
    ("44 BCE", "44 BC", "short_text", "en"),
    ("half past seven", "7:30", "short_text", "en"),
    ("XVIIIe siècle", "18e siècle", "short_text", "fr"),
    ("UNO", "United Nations Organization", "short_text", "en"),
    ("Mt. Fuji", "Mount Fuji", "short_text", "en"),
    ("A. Einstein", "Einstein, Albert", "short_text", "en"),
    ("King Henry VIII", "Henry VIII", "short_text", "en"),
    ("water (H2O)", "water", "short_text", "en"),
    ("H_2SO_4", "H₂SO₄", "short_text", "en"),
    ("C sharp", "C♯", "short_text", "en"),
    ("TNF-α", "TNF-alpha", "short_text", "en"),
    ("colour", "color", "short_text", "en"),
    ("O negative", "O-", "short_text", "en"),
    ("ёлка", "елка", "short_text", "ru"),
    ("كِتَاب", "كتاب", "short_text", "ar"),
    ("Yes", "True", "short_text", "en"),
    ("Demand falls when the price rises.", "When the price rises, demand falls.", "free_text", "en"),
    ("It boils at 99.5 degrees, if air is thin.", "If air is thin, it boils at 99.5 degrees.", "free_text", "en"),
    ("July 4, 1776", "4 July 1776", "short_text", "en"),
    ("4. Juli 1776", "1776-07-04", "short_text", "de"),
    ("le 14 juillet 1789", "14 juillet 1789", "short_text", "fr"),
    ("1789年7月14日", "1789-07-14", "short_text", "zh"),
    ("the twenty-first century", "21st century", "short_text", "en"),
    ("Henry VIII", "Henry the Eighth", "short_text", "en"),
    ("salt and pepper", "pepper, salt", "short_text", "en"),
    ("Müller", "Mueller", "short_text", "de"),
    ("Johnson & Johnson", "Johnson and Johnson", "short_text", "en"),
    ("J. R. R. Tolkien", "JRR Tolkien", "short_text", "en"),
    ("Light travels faster than sound.", "Light travels faster than sound", "free_text", "en"),
    ("def f(x):\n    return x+1", "def f(x):\n    '''One more.'''\n    return x + 1  # one", "code", "en"),
]
DIFFERENT = [
    ("Bb", "bb", "multiple_choice", "en"),
    ("x²", "x2", "multiple_choice", "en"),
    ("3,5", "3.5", "numeric", "en"),
    ("10^{-20}", "10^{-21}", "numeric", "en"),
    ("2³", "23", "numeric", "en"),
    ("(1, 2)", "(2, 1)", "numeric", "en"),
    ("1, 2, 3, ...", "1, 3, 2, ...", "numeric", "en"),
    ("{1, 2}", "{1, 2, 2}", "numeric", "en"),
    ("[0, 1]", "(0, 1)", "numeric", "en"),
    ("18-20", "18", "numeric", "en"),
    ("3:30 AM", "3:30 PM", "numeric", "en"),
    ("36 cm^2", "36 cm", "numeric", "en"),
    ("5 mg", "5 Mg", "numeric", "en"),
    (r"\begin{bmatrix}1&2\\3&4\end{bmatrix}", r"\begin{bmatrix}1&3\\2&4\end{bmatrix}", "numeric", "en"),
    ("[-1, 3]", "-1 < x < 3", "numeric", "en"),
    ("5 लाख", "5 करोड़", "numeric", "hi"),
    ("H2SO4", "H2SO3", "short_text", "en"),
    ("CO", "Co", "short_text", "en"),
    ("A. Einstein", "A. Newton", "short_text", "en"),
    ("Lisa arrived before Tom.", "Tom arrived before Lisa.", "free_text", "en"),
    ("Prophase, metaphase, anaphase, telophase", "Telophase, anaphase, metaphase, prophase", "free_text", "en"),
    (
        "The egg hatches, the larva eats, the pupa rests.",
        "The pupa rests, the larva eats, the egg hatches.",
        "free_text",
        "en",
    ),
    ("After mixing, heat it, cool it.", "Cool it, after mixing, heat it.", "free_text", "en"),
    ("When the price rises, demand rises.", "When the price rises, demand falls.", "free_text", "en"),
    ("A-", "A", "short_text", "en"),
    ("A-", "A+", "short_text", "en"),
    ("3/4", "3-4", "short_text", "en"),
    ("schön", "schon", "short_text", "de"),
    ("papá", "papa", "short_text", "es"),
    ("first", "one", "short_text", "en"),
    ("July 4, 1776", "July 4", "short_text", "en"),
    ("Louis XIV", "Louis XVI", "short_text", "en"),
    ("no where", "nowhere", "short_text", "en"),
    ("The test is reliable.", "The test is not reliable.", "free_text", "en"),
    ("It weighs 12 grams in water.", "It weighs 15 grams in water.", "free_text", "en"),
    ("def f(x): return x + 1", "def f(x): return x + 2", "code", "en"),
]


@pytest.mark.parametrize(("a", "b", "kind", "language"), SAME)
def test_the_same_answer_is_recognised_both_ways(a: str, b: str, kind: str, language: str) -> None:
    assert same_answer(a, b, kind=kind, language=language)
    assert same_answer(b, a, kind=kind, language=language)


@pytest.mark.parametrize(("a", "b", "kind", "language"), DIFFERENT)
def test_different_answers_stay_different_both_ways(a: str, b: str, kind: str, language: str) -> None:
    assert not same_answer(a, b, kind=kind, language=language)
    assert not same_answer(b, a, kind=kind, language=language)


PAIRS = [
    json.loads(line)
    for line in Path(__file__).with_name("pairs_of_answers.jsonl").read_text(encoding="utf-8").splitlines()
]


ASKED = [
    json.loads(line)
    for line in Path(__file__).with_name("pairs_with_questions.jsonl").read_text(encoding="utf-8").splitlines()
]
READ_AS = {"expression": "numeric", "classification": "short_text", "code_output": "short_text"}


@pytest.mark.parametrize("kind", ["numeric", "expression", "short_text", "classification", "code_output"])
def test_sentences_that_restate_their_question_say_what_they_say(kind: str) -> None:
    """Answers in sentences of 22 languages beside short ones, half of them near misses: pairs_with_questions.jsonl."""
    wrongly = []
    for pair in (pair for pair in ASKED if pair["kind"] == kind):
        for a, b in ((pair["a"], pair["b"]), (pair["b"], pair["a"])):
            how = {"question": pair["question"], "language": pair["language"]}
            family = "math" if kind == "expression" else ""
            if same_answer(a, b, kind=READ_AS.get(kind, kind), family=family, **how) is not pair["equal"]:
                wrongly.append((pair["question"], a, b, pair["equal"]))
    assert wrongly == []


@pytest.mark.parametrize("kind", ["multiple_choice", "numeric", "short_text"])
def test_pairs_in_twenty_languages_are_told_apart_or_held_for_equal(kind: str) -> None:
    """Dates, ordinals, groupings, units, currencies, substances, names, notations: pairs_of_answers.jsonl."""
    wrongly = []
    for pair in (pair for pair in PAIRS if pair["kind"] == kind):
        for a, b in ((pair["a"], pair["b"]), (pair["b"], pair["a"])):
            if same_answer(a, b, kind=kind, language=pair["language"]) is not pair["equal"]:
                wrongly.append((a, b, pair["language"], pair["equal"]))
    assert wrongly == []


@pytest.mark.parametrize(
    ("a", "b", "question"),
    [
        ("True, False", "False, True", "Statement 1 | … Statement 2 | …"),
        (
            "The glass contracts when heated.",
            "The alcohol contracts when heated.",
            "What happens to alcohol in the glass?",
        ),
        (
            "Males have longer ones than females.",
            "Females have longer ones than males.",
            "Do males and females differ?",
        ),
        ("calcium fluoride", "calcium fluorine", "What is used to fluoridate water?"),
        ("-2", "a-2", "What is the inverse of a?"),
        ("0", "0,1", "Find the zeros of x^2 + 1."),
        ("more than 1", "1", "Is it more than 1, and how many more than that?"),
        (
            "The court was reformed because it was slow.",
            "The court was reformed because it was dear.",
            "Which is false?",
        ),
    ],
)
def test_options_of_one_question_are_not_the_same(a: str, b: str, question: str) -> None:
    for kind in ("short_text", "numeric") if any(map(str.isdigit, a)) else ("short_text",):
        assert same_answer(a, b, kind=kind, question=question) is False
        assert same_answer(b, a, kind=kind, question=question) is False


def test_what_the_question_says_may_be_left_out() -> None:
    def same(a: str, b: str, question: str) -> bool:
        return same_answer(a, b, kind="short_text", question=question)

    assert same("Seine", "the water Seine", "Which water flows through Paris?")
    assert same("Paris", "Paris is the capital of France.", "What is the capital of France?")
    assert same("Newton", "Isaac Newton", "Who found the law of gravitation?")
    assert not same("Eiffel", "Eiffel Tower", "Which tower stands in Paris?")
    assert not same("hydrogen", "hydrogen peroxide", "What does hydrogen peroxide become?")
    assert not same("pole", "north pole", "Is the north or the south pole colder?")


def test_the_question_says_what_an_answer_means() -> None:
    def same(a: str, b: str, question: str, kind: str = "numeric") -> bool:
        return same_answer(a, b, kind=kind, question=question) and same_answer(b, a, kind=kind, question=question)

    assert same("7200", "120 minutes", "How many seconds are there in two hours?")
    assert not same("7200", "7200 minutes", "How many seconds are there in two hours?")
    assert same("142.857", "142.86", "What is 1000/7, rounded to two decimal places?")
    assert not same("142.857", "142.86", "What is 1000/7?")
    assert same("5:2", "5 to 2", "What is the ratio of flour to sugar?")
    assert not same("7, 5, 3", "3, 5, 7", "Write the numbers in descending order.")
    assert same("C", "lime", "Which is a citrus fruit?\nA. fig\nB. plum\nC. lime\nD. pear", "multiple_choice")
    assert not same("B", "lime", "Which is a citrus fruit?\nA. fig\nB. plum\nC. lime\nD. pear", "multiple_choice")
    assert not same("abc", "ABC", "What does the program print?", "short_text")


def test_an_ordered_list_is_asked_for() -> None:
    question = "List the planets in order of size."
    assert not same_answer("Mars, Venus", "Venus, Mars", kind="short_text", question=question)
    assert same_answer("Mars, Venus", "Venus, Mars", kind="short_text", question="Which two planets are meant?")


@settings(deadline=None)
@given(
    st.text(max_size=40),
    st.text(max_size=40),
    st.sampled_from(["multiple_choice", "numeric", "short_text", "free_text", "code"]),
    st.sampled_from(["en", "de", "zh"]),
)
def test_equal_text_is_equal_and_equality_is_symmetric(a: str, b: str, kind: str, language: str) -> None:
    assert surely_same(a, a, kind=kind, language=language) is True
    there, back = (surely_same(*pair, kind=kind, language=language) for pair in ((a, b), (b, a)))
    assert there is back


def by_text(answers: list[str]) -> list[list[str]]:
    groups = group_answers(answers, lambda a, b: surely_same(a, b, kind="numeric"))
    return [[answers[place] for place in group] for group in groups]


def test_groups_hold_what_equals_each_other_whatever_the_order() -> None:
    answers = ["5", "5 km", "5 km", "5 kg", "5", "7"]
    for order in itertools.permutations(answers):
        groups = by_text(list(order))
        assert sorted(map(sorted, groups)) == [["5", "5", "5 km", "5 km"], ["5 kg"], ["7"]]
        assert len(groups[0]) == 4


def test_what_two_equally_large_groups_claim_belongs_to_neither() -> None:
    assert sorted(map(sorted, by_text(["5", "5 km", "5 kg"]))) == [["5"], ["5 kg"], ["5 km"]]


def test_groups_part_all_answers_and_members_are_equal() -> None:
    rng = random.Random(0)
    forms = ["5", "5 km", "5000 m", "5 kg", "5%", "0.05", "five", "7", "7.0", "x"]
    for _ in range(200):
        answers = rng.choices(forms, k=rng.randint(0, 9))
        groups = group_answers(answers, lambda a, b: surely_same(a, b, kind="numeric"))
        assert sorted(itertools.chain(*groups)) == list(range(len(answers)))
        for group in groups:
            for one, other in itertools.combinations(group, 2):
                assert surely_same(answers[one], answers[other], kind="numeric")


def test_what_a_later_answer_could_split_is_not_settled() -> None:
    assert is_settled(["5 km", "5000 m"])
    assert is_settled(["Paris", "paris."])
    assert not is_settled(["5", "5 km"])
    assert not is_settled(["60%", "0.6"])


def test_the_package_offers_it() -> None:
    assert nemo_sdg.same_answer("3,5", "3.5", kind="numeric", language="de")
    assert not nemo_sdg.same_answer("3,5", "3.5", kind="numeric", language="en")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (r"\mathrm{CH_4 + 2\,O_2 \to CO_2 + 2\,H_2O}", "CH4 + 2 O2 -> CO2 + 2 H2O", True),
        ("2 O2 + CH4 → 2 H2O + CO2", "CH4 + 2 O2 -> CO2 + 2 H2O", True),
        ("CH4(g) + 2 O2(g) -> CO2(g) + 2 H2O(l)", "CH4 + 2 O2 -> CO2 + 2 H2O", True),
        ("Cl- + Na+ → NaCl", "Na+ + Cl- -> NaCl", True),
        ("2 e- + Cu2+ → Cu", "Cu2+ + 2e- -> Cu", True),
        ("CO2 + 2 H2O -> CH4 + 2 O2", "CH4 + 2 O2 -> CO2 + 2 H2O", False),
        ("CH4 + O2 -> CO2 + 2 H2O", "CH4 + 2 O2 -> CO2 + 2 H2O", False),
        ("Na + Cl → NaCl", "Na+ + Cl- -> NaCl", False),
        ("H2O(l) -> H2O(g)", "H2O(g) -> H2O(l)", False),
    ],
)
def test_equations_of_reactions(one: str, other: str, same: bool) -> None:
    assert same_answer(one, other, kind="short_text") is same
    assert same_answer(other, one, kind="short_text") is same
