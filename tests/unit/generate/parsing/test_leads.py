"""Phrases that introduce an answer: the fast search finds what the expression finds."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nemo_sdg.generate.parsing.answers.leads import (
    ADJECTIVES,
    ADVERBS,
    AFTER,
    ARTICLES,
    NOUNS,
    OPTION_NOUNS,
    SAID_START,
    SO,
    find_leads,
)

PHRASES = f"{SO}|{ARTICLES}|{ADJECTIVES}|{NOUNS}|{OPTION_NOUNS}|{AFTER}|{ADVERBS}"
OTHERS = """is was must est ist は 是 为 應為 은 : ： 答案 答え 答 正解 选 選択肢 정답 正确 最终 的 应该 故 本题 选择
A (B) 42 Straße carbon . , 。 ， * _ ( l' l’ if it another ſo İ ς"""
WORDS = re.sub(r"\(\?:|\)\??", "", PHRASES).split("|") + OTHERS.split()
TEXTS = st.lists(
    st.tuples(st.sampled_from(WORDS), st.sampled_from([" ", " ", "", "  ", "\n", ", ", ". "])).map("".join), max_size=25
).map("".join)


def spans(text: str, begin: int, end: int) -> list[tuple[int, int]]:
    return [match.span() for match in SAID_START.finditer(text, begin, end)]


@given(text=TEXTS, form=st.sampled_from([str, str.upper, str.title]))
def test_the_fast_search_finds_what_the_expression_finds(text, form):
    text = form(text)
    begin = text.rfind("\n") + 1
    assert [match.span() for match in find_leads(text, 0, len(text))] == spans(text, 0, len(text))
    assert [match.span() for match in find_leads(text, begin, len(text))] == spans(text, begin, len(text))


@pytest.mark.parametrize(
    "text",
    [
        "So, the " + "final correct " * 20 + "answer is 42.",
        "We therefore see that, as said, the right choice is (B), and the answer: C",
        "SoThe answer is 4, sothe answer is 5",
        "YANIT: 4",
        "所以正确答案是A。故选B",
    ],
)
def test_long_and_odd_leads(text):
    assert spans(text, 0, len(text))
    assert [match.span() for match in find_leads(text, 0, len(text))] == spans(text, 0, len(text))
