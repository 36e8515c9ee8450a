"""Laws of the equality of answers on what nobody would write: no error, symmetric, reflexive; on forms of one value:
all equal, none equal to the next value.
"""

import functools
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nemo_sdg.text.answers import surely_same
from nemo_sdg.text.numbers import find_numbers

PIECES = [
    *"0123456789.,'/-+*^()[]{}<>=%$€ \n:;!?&|~\\_\"",
    *("\\frac", "\\boxed{", "\\sqrt", "\\text{", "\\begin{pmatrix}", "\\end{pmatrix}", "\\\\", "\\pm", "\\infty", "π"),
    *(
        "million",
        "hundred",
        " and ",
        " or ",
        "half",
        "zwei",
        "und",
        "vingt",
        "quatre",
        "百",
        "三",
        "万",
        "分之",
        "삼",
        "천",
    ),
    *("½", "²", "⁻", "₁₀", "٣", "٫", "४", "Ⅷ", "XIV", "km", "m/s", "°C", "July", "4th", "second", "of", "the", "not"),
    *("e9999", "10^", "9" * 50, "²³", "①", "\u0301", "\ud800", "\x00", "\u202e", "İ", "ŉ", "x", "to", "between"),
    *("‰", "yes", "(A)", "BC", "pm", ":30", "2024-", "-01", "**", "`", " is ", "第", "月", "年", " because ", "…"),
]
TEXTS = st.one_of(st.lists(st.sampled_from(PIECES), max_size=20).map("".join), st.text(max_size=40))
QUESTIONS = [
    "", "Is 3 more than two, or not?", "What does `print(9)` print?", "Solve x = 2.", "真的吗，还是假的？",
]  # fmt: skip
LANGUAGES = ["en", "de", "fr", "es", "zh", "ja", "ko", "ar", "hi", "ru", "tr", "nb", ""]


@settings(deadline=None, max_examples=120)
@given(
    TEXTS,
    TEXTS,
    st.sampled_from(["multiple_choice", "numeric", "short_text", "free_text", "code"]),
    st.sampled_from(LANGUAGES),
    st.sampled_from(QUESTIONS),
)
def test_any_two_texts_are_compared_alike_both_ways(a: str, b: str, kind: str, language: str, question: str) -> None:
    same = functools.partial(surely_same, kind=kind, language=language, question=question)
    assert same(a, a) is True
    assert same(a, b) is same(b, a)
    for found in find_numbers(a, language):
        assert a[found.start : found.end]


FORMS = {
    "en": "{0} | {0}. | $%s$ | \\boxed{{{0}}} | **{0}** | The answer is {0}. | {0}.0 | +{0} | x = {0} | \\text{{{0}}}",
    "de": "{0} | {0}. | **{0}** | Die Antwort ist {0}. | {0},0 | Antwort: {0} | x = {0}",
    "fr": "{0} | **{0}** | La réponse est {0}. | {0},0 | x = {0}",
    "zh": "{0} | 答案是{0} | **{0}** | {0}.0 | x = {0}",
}


@settings(deadline=None, max_examples=12)
@given(st.integers(2, 10**9))
@pytest.mark.parametrize("language", FORMS)
def test_a_number_equals_all_its_dresses_and_no_neighbour(language: str, value: int) -> None:
    forms, others = (
        [form.strip().replace("%s", "{0}").format(number) for form in FORMS[language].split("|")]
        for number in (value, value + 1)
    )
    for one, other in itertools.combinations(forms, 2):
        assert surely_same(one, other, kind="numeric", language=language) is True, (one, other)
    for one, other in itertools.product(forms, others):
        assert surely_same(one, other, kind="numeric", language=language) is not True, (one, other)


def test_forms_of_one_value_all_equal_each_other() -> None:
    for forms in (
        ["1500000", "1.5 million", "1,500,000", "1.5M", "1500k", "15 × 10^5", "1.5e6", "15 lakh", "1.5 × 10⁶"],
        ["1/4", "0.25", "25%", "a quarter", "¼", r"\frac14", "one fourth", "2/8"],
        ["90 min", "1.5 h", "1 h 30 min", "5400 s", "1 1/2 hours", "ninety minutes"],
        ["4 July 1776", "July 4, 1776", "1776-07-04", "4th of July 1776", "the 4th of July, 1776"],
    ):
        kind = "short_text" if "July" in forms[0] else "numeric"
        assert [pair for pair in itertools.combinations(forms, 2) if not surely_same(*pair, kind=kind)] == []
