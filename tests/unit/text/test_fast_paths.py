"""Fast ways for ASCII and for plain texts find what the general ones find."""

import re

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from nemo_sdg.curate.filters import view
from nemo_sdg.curate.filters.wording import languages
from nemo_sdg.text import latex, words
from nemo_sdg.text.figures import nearest_other
from nemo_sdg.text.latex import fold
from nemo_sdg.text.normalize import (
    ASCII_SIGNS,
    ASCII_TOKEN,
    BEYOND_LATIN,
    LATIN_TOKEN,
    NO_LETTERS,
    TOKEN,
    has_any,
    jaccard,
    one_spelling,
    tokens,
)
from nemo_sdg.text.numbers import find_numbers, places, reader
from nemo_sdg.text.sentences import END, split_at_ends

PIECES = [
    *" .,-/!?'\"()*:;[]_{}\n\t^$%+=~`",
    *[
        "two",
        "a",
        "A",
        "half",
        "million",
        "one's",
        "twenty",
        "third",
        "k",
        "x",
        "and",
        "3.5",
        "1,000",
        "/2",
        "10^3",
        "H2O",
    ],
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(st.characters(codec="ascii"), max_size=3), max_size=14).map("".join)


@given(TEXTS)
@settings(max_examples=300)
def test_sentences_of_ascii_are_split_as_all_texts_are(text: str) -> None:
    assert split_at_ends(text) == END.split(text)


@given(TEXTS)
@settings(max_examples=300)
def test_words_of_ascii_are_those_of_the_general_expressions(text: str) -> None:
    lowered = text.lower()
    assert view.words_of(lowered) == set(view.WORD.findall(lowered))
    if not has_any(lowered, ASCII_SIGNS):
        assert lowered.translate(NO_LETTERS).split() == ASCII_TOKEN.findall(lowered)


LETTERS = "éßñłДоأن三한कि½²"
ANY_TEXT = st.lists(
    st.sampled_from(
        [
            *PIECES,
            *LETTERS,
            "zwei",
            "fünf",
            "μια",
            "два",
            "’",
            "„",
            "“",
            "…",
            "。",
            "！",
            "？",
            "؟",
            "।",
            "」",
            "۱۶",
            "×",
        ]
    )
    | st.text(st.characters(max_codepoint=0x2FF), max_size=3),
    max_size=14,
).map("".join)


@given(TEXTS | ANY_TEXT, st.sampled_from(["en", "de", "fr", "ru", "el", "sw"]))
@example("é5, a dozen, the second's two, twenty-first", "fr")
@example("A two, AN eighth, fünf; ersten zwei", "de")
@settings(max_examples=250)
def test_numbers_of_plain_texts_are_found_as_in_all_texts(text: str, language: str) -> None:
    text = fold(text)
    assume(places.is_plain(text))
    assert list(reader._find_in_plain(text, language)) == list(reader._find(text, language))


@given(ANY_TEXT)
@example('对？」好！\n是。” "Ja!" No." c؟ d। e')
@settings(max_examples=150)
def test_sentences_of_all_scripts_are_split_by_their_marks(text: str) -> None:
    assert split_at_ends(text) == END.split(text)


@given(ANY_TEXT)
@settings(max_examples=150)
def test_tokens_of_latin_texts_are_those_of_all_texts(text: str) -> None:
    spelled = one_spelling(text)
    if BEYOND_LATIN.search(spelled) is None:
        assert LATIN_TOKEN.findall(spelled) == TOKEN.findall(spelled)


@given(ANY_TEXT)
@settings(max_examples=100)
def test_a_text_is_folded_character_by_character(text: str) -> None:
    assert fold(text) == "".join(map(latex._folded, text)) or text.isascii()


@given(ANY_TEXT)
@settings(max_examples=100)
def test_symbols_stand_between_the_words_of_all_scripts(text: str) -> None:
    assert languages.SYMBOL_RUN.sub(" ", text).split() == text.translate(languages.SYMBOLS).split()


def test_an_article_begins_a_number_where_a_scale_follows() -> None:
    assert [found.number.value for found in find_numbers("a dozen eggs, an hour and a half, a day")] == [12, 0.5]


PUNCTUATION = re.compile(
    r"(?<![0-9])[.,]|[.,](?![0-9])|-(?=[a-z])|(?<=[a-z])-(?=[0-9])|(?<![a-z0-9)+-])-(?![a-z0-9])"
    r"|(?<![0-9])/|/(?![0-9])|!(?![a-z0-9(])|(?<=[a-z0-9])!|[\x00-\x1f\x7f\"'()*:;?\[\\\]_{}]+"
)
"""What goes away, one case after the other"""


@given(TEXTS | ANY_TEXT, st.sampled_from(["en", "de", "fr", "zh"]))
@settings(max_examples=150)
def test_distinct_words_are_the_normalised_ones(text: str, language: str) -> None:
    assert words.distinct_words(text, language) == set(words.normalized_words(text, language))


@given(TEXTS)
@settings(max_examples=150)
def test_where_no_mark_is_kept_all_of_them_go_away(text: str) -> None:
    text = text.lower().replace("'", "")
    assert words._punctuation_away_ascii(text, "en").split() == words._PUNCTUATION.sub(" ", text).split()


@given(TEXTS)
@settings(max_examples=300)
def test_punctuation_goes_away_in_each_case(text: str) -> None:
    text = text.lower()
    assert words._PUNCTUATION.sub(" ", text) == PUNCTUATION.sub(" ", text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a hundred", ["a", "hundred"]),
        ("two hundred and five eggs", ["205", "eggs"]),
        ("3 million eggs, two point five", ["3000000", "eggs", "2.5"]),
        ("one two three", ["1", "2", "3"]),
        ("hundred thousand and 7 hundred million", ["hundred", "thousand", "and", "700000000"]),
    ],
)
def test_runs_of_number_words_are_one_number(text: str, found: list[str]) -> None:
    assert tokens(text) == found


@given(st.lists(st.frozensets(st.sampled_from("abcdefghijklmnopq")), min_size=1, max_size=8))
def test_the_nearest_other_set_is_that_by_jaccard(sets: list[frozenset[str]]) -> None:
    def nearest(one: int) -> float:
        return max((jaccard(sets[one], other) for place, other in enumerate(sets) if place != one), default=0.0)

    assert nearest_other(sets) == sum(map(nearest, range(len(sets)))) / len(sets)
