import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nemo_sdg.text import mathematics as math
from nemo_sdg.text.mathematics import expressions as worker
from nemo_sdg.text.numbers import read_number

SAME = [
    ("1,000", "1000"),
    ("1 000", "1000"),
    ("1e3", "1000"),
    ("0.5", "1/2"),
    ("1 1/2", "1.5"),
    (".5", "0.50"),
    ("-7", "−7"),
    ("$18", "18 dollars"),
    ("$18.00", "18"),
    ("twelve", "12"),
    ("12 apples", "12"),
    ("5 km", "5 kilometers"),
    ("60%", "0.6"),
    ("60 percent", "60%"),
    ("4", "4."),
    ("１２", "12"),
    ("٤٢", "42"),
    ("x = 5", "5"),
    (r"\boxed{42}", "42"),
    (r"$\frac{1}{2}$", "0.5"),
    (r"\dfrac12", "1/2"),
    (r"\frac{\sqrt{3}}{2}", r"\dfrac{\sqrt 3}{2}"),
    (r"2\sqrt{3}", r"\sqrt{12}"),
    (r"x^2+2x+1", r"(x+1)^2"),
    (r"\left(1, 2\right)", "(1,2)"),
    (r"90^\circ", "90 degrees"),
    (r"12\text{ cm}", "12 centimeters"),
    ("3.5 × 10^4", "35000"),
    ("£5", "5 pounds"),
    ("90 minutes", "1.5 hours"),
    ("5 km", "5000 m"),
    ("250 cents", "$2.50"),
    ("½", "0.5"),
    ("1½", "1.5"),
    ("eighteen", "18"),
    ("twenty-one students", "21"),
    ("one hundred and five", "105"),
    ("two thirds", "2/3"),
    ("minus 7", "-7"),
    ("1.5 million", "1500000"),
    ("2 dozen eggs", "24"),
    ("approximately 18", "18"),
    ("There are 18 apples left.", "18"),
    ("USD 1,234.50", "1234.5"),
    ("1{,}234.5", "1234.5"),
    (r"1\,234", "1234"),
    ("12,34,567", "1234567"),
    ("6 cm²", r"6\text{ cm}^2"),
    ("18 (eighteen)", "18"),
    ("0.333333", "1/3"),
    ("0.30000000000000004", "0.3"),
    ("∞", r"\infty"),
    ("(x, y) = (1, -2)", "(1,-2)"),
    ("4 + 14 = 18", "18"),
]
DIFFERENT = [
    ("60%", "60"),
    ("1,5", "1.5"),
    ("5 km", "5 m"),
    ("$5", "€5"),
    ("5 dollars", "5 euros"),
    ("18", "-18"),
    ("1/2", "2/1"),
    ("1.5", "2"),
    ("3.14", "22/7"),
    ("10", "100"),
    ("(1,2)", "(2,1)"),
    ("[1,2)", "(1,2]"),
    (r"\sqrt{2}", "1.4"),
    (r"\frac{1}{2}", r"\frac{1}{3}"),
    ("2 3", "23"),
    ("", "0"),
    ("no solution", "0"),
    ("1/0", "0"),
    ("90 minutes", "90 hours"),
    ("5 kg", "5000 m"),
    ("18!", "18"),
    ("18 or 19", "18"),
    ("18 and a half", "18"),
    ("18 dozen", "18"),
    ("18 thousand", "18"),
    ("18‰", "18"),
    ("18:1", "18"),
    ("1:2", "1/2"),
    ("18-19", "18"),
    ("18, 21", "18"),
    ("not 18", "18"),
    ("There are at least 18 apples.", "18"),
    ("There were 20 apples and 18 are left.", "18"),
    ("less than 18", "18"),
    ("twice 18", "18"),
    ("0x18", "18"),
    ("18x", "18"),
    (r"\pm 18", "18"),
    ("2²", "22"),
    ("2 three", "23"),
    ("0.3333", "1/3"),
    ("1.000001", "1"),
    ("1234567.5", "1234568"),
    ("nicht 18", "18"),
]


@pytest.mark.parametrize(("a", "b"), SAME)
def test_equal_is_recognised_both_ways(a: str, b: str) -> None:
    assert math.equal(a, b)
    assert math.equal(b, a)


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_different_stays_different_both_ways(a: str, b: str) -> None:
    assert not math.equal(a, b)
    assert not math.equal(b, a)


def test_a_percent_sign_may_be_missing_where_the_question_asks_for_one() -> None:
    question = "What percentage of the class is absent?"
    assert math.equal("60%", "60", question=question)
    assert not math.equal("60%", "0.6", question=question)
    assert not math.equal("60%", "61", question=question)


def test_a_scale_may_be_missing_where_the_question_names_it() -> None:
    question = "How many dozen eggs does she sell?"
    assert math.equal("18 dozen", "18", question=question)
    assert math.equal("18 dozen", "18 dozen", question=question)
    assert not math.equal("18 dozen", "216", question=question)
    assert not math.equal("18 dozen", "18", question="How many eggs does she sell?")


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("1.234,5", "de", "1234.5"),
        ("1,5", "de", "1.5"),
        ("1.234", "de", "1234"),
        ("1.234", "en", "1.234"),
        ("1,234", "en", "1234"),
        ("1,234.5", "de", "1234.5"),
    ],
)
def test_separators_are_read_by_language(text: str, language: str, value: str) -> None:
    left, right = read_number(text, language), read_number(value)
    assert left is not None
    assert right is not None
    assert left.value == right.value


@settings(deadline=None)
@given(
    st.integers(-(10**12), 10**12),
    st.sampled_from(["{}", "{:,}", "{}.0", "${}", "{} apples", r"\boxed{{{}}}", "${}$", " {} ", "{}."]),
)
def test_every_way_to_write_an_integer_is_that_integer(value: int, form: str) -> None:
    assert math.surely_equal(form.format(value), str(value)) is True
    assert math.surely_equal(form.format(value), str(value + 1)) is False


@settings(deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_read_without_error_and_symmetrically(a: str, b: str) -> None:
    assert math.surely_equal(a, b) == math.surely_equal(b, a)
    assert read_number(a, "de") is None or math.surely_equal(a, a, language="de") is True


def test_what_does_not_end_is_killed_and_the_next_comparison_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "CPU_SECONDS", 0.2)
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.02)
    child = worker.Worker()
    monkeypatch.setattr(
        worker,
        "CHILD",
        (
            "import sys\nprint('{}', flush=True)\nfor line in sys.stdin:\n    while 'hang' in line: pass\n    "
            "print('{\"equal\": true}', flush=True)"
        ),
    )
    assert child.equal("hang", "x") is False
    assert child.child is None
    assert child.equal("x", "x") is True
    child.stop()


def test_a_child_that_died_between_two_comparisons_is_started_anew() -> None:
    child = worker.Worker()
    assert child.equal("x+1", "1+x") is True
    assert child.child is not None
    child.child.kill()
    child.child.wait()
    assert child.equal("x+1", "1+x") is True
    assert child.equal("x+1", "2+x") is False
    child.stop()


def test_threads_share_one_child_and_get_their_own_answers() -> None:
    answers: dict[int, bool] = {}

    def compare(i: int) -> None:
        answers[i] = (
            math.equal(rf"\sqrt{{{4 * i}}}", rf"2\sqrt{{{i}}}")
            if i % 2
            else math.equal(rf"\sqrt{{{4 * i + 1}}}", rf"2\sqrt{{{i}}}")
        )

    threads = [threading.Thread(target=compare, args=(i,)) for i in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {i: bool(i % 2) for i in range(1, 9)}
