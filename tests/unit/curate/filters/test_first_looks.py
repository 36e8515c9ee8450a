"""First looks that spare a filter its full one never say no where the full one finds something."""

import random
import re

import pytest
from ftfy.badness import BADNESS_RE
from hypothesis import given, settings
from hypothesis import strategies as st

from nemo_sdg.curate.filters import slots
from nemo_sdg.curate.filters.question import material
from nemo_sdg.curate.filters.solution.numbers import sums
from nemo_sdg.curate.filters.view import contains, fold
from nemo_sdg.curate.filters.wording import characters, repetition

WORDS = st.lists(st.sampled_from("ab cd ef gh a. 1 The the".split()), min_size=4, max_size=60)  # noqa: SIM905


SLOT_PIECES = (
    *("[insert", "<your", "<placeholder", "placeholder ", "for the context", "text", "]", ">", " ", "the ", "final "),
    *("answer", "question", " goes", " here", "(to be ", "completed", "(à compléter)", "(待补充)", "lorem ", "ipsum"),
    *("TODO:", "TBD", "XXX", "YY", "X", "Y", "XY", "is ", "kg", "(a", " completar", ")"),
)


@given(st.lists(st.sampled_from(SLOT_PIECES), min_size=1, max_size=6).map("".join))
@settings(max_examples=400)
def test_a_placeholder_is_never_passed_over(text: str) -> None:
    assert slots.PLACEHOLDER.search(text) is None or slots._may_hold_placeholder(text, fold(text))


def test_ftfy_finds_no_character_bad_that_stands_alone() -> None:
    ranges = [*range(0x80, 0x3100), *range(0xA000, 0xA100), *range(0xF900, 0x10100)]
    text = "b ".join(f"a {chr(code)} b. {chr(code)}c" for code in ranges if not 0xD800 <= code < 0xE000)
    kept = [part for part in text.split("b ") if not characters.MAY_BE_BAD.search(part)]
    assert len(kept) > 10_000
    assert not any(map(BADNESS_RE.search, kept))


@given(WORDS)
@settings(max_examples=200)
def test_duplicates_are_at_most_what_the_first_look_says(words: list[str]) -> None:
    runs = repetition._Runs(words)
    for size in repetition.DUPLICATE_SIZES:
        assert repetition._duplicate_share(words, size) <= repetition._most_duplicates(words, runs.again, size)
    for period in range(1, repetition.MAX_PERIOD + 1):
        run = longest = 0
        for word, earlier in zip(words[period:], words, strict=False):
            run = run + 1 if word == earlier else 0
            longest = max(longest, run)
        assert longest <= runs.num_near + repetition.NGRAM - 1


@given(WORDS, st.integers(1, 40), st.integers(1, 8))
@settings(max_examples=80)
def test_a_loop_is_found_where_words_are_compared_one_by_one(words: list[str], period: int, times: int) -> None:
    words = [word.replace("1", "one") for word in [*words, *words[:period] * times]]  # terms of formulas may come again
    runs = repetition._Runs(words)
    looped = False
    for size in range(1, min(repetition.MAX_PERIOD, len(words) // 4) + 1):
        run, enough = 0, max(3 * size, (16 - size) // 2)
        for word, earlier in zip(words[size:], words, strict=False):
            run = run + 1 if word == earlier else 0
            looped = looped or run >= enough
    assert (repetition._loop(words, runs, 3, 16) is not None) is looped


def test_sums_of_a_line_are_those_of_its_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(3)
    pieces = [
        "We add. ",
        "3 + 4 = 7. ",
        "so 2 * 3 = 6, ",
        "is it 5? ",
        "x = 2 ",
        "= 9 ",
        "1.5 - 1 = 0.5! ",
        "12 ",
        "km. ",
    ]
    texts = ["".join(draw.choices(pieces, k=6)) for _ in range(200)]
    by_sentences = [sums.sides_of(text, "en") for text in texts]
    monkeypatch.setattr(sums, "SENTENCE_END", re.compile("(?!)"))
    assert [sums.sides_of(text, "en") for text in texts] == by_sentences


SIGNS = ("²", "⁻¹", "**", "__", "x", "х", " ", "  ", "\n", "-", "•", "*", "(", ")", "3", "a", "=")


@given(st.lists(st.sampled_from(SIGNS), max_size=10).map("".join))
@settings(max_examples=150)
def test_no_sign_is_left_that_a_plain_text_writes_otherwise(text: str) -> None:
    wanted = text
    for _, pattern, written in sums.PLAIN:
        wanted = pattern.sub(written, wanted)
    assert sums.plain(text) == wanted


@given(st.lists(st.sampled_from("a the bridge of".split()), max_size=14), st.integers(0, 13), st.integers(0, 4))  # noqa: SIM905
@settings(max_examples=100)
def test_words_in_one_run_are_found_wherever_they_stand(whole: list[str], start: int, size: int) -> None:
    part = whole[start : start + size]
    assert contains(whole, part) is bool(part)
    other = [*part, "the"]
    stands = any(whole[place : place + len(other)] == other for place in range(len(whole)))
    assert contains(whole, other) is stands


def test_patterns_that_begin_with_an_edge_do_in_all_alternatives() -> None:
    marks = dict(zip(material.EDGES, "¦¤", strict=True))
    for name, by_language in material._patterns().items():
        for language, patterns in by_language.items():
            for pattern in [*patterns, *material._pointing(name, language)]:
                bare = pattern
                for edge, mark in marks.items():
                    bare = bare.replace(edge, mark)
                bare = re.sub(r"\\.|\[[^\]]*\]", "", bare)
                while (shorter := re.sub(r"\([^()]*\)", "", bare)) != bare:
                    bare = shorter
                if bare[:1] in marks.values():
                    assert all(part[:1] == bare[0] for part in bare.split("|")), pattern
