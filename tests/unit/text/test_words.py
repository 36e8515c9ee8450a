import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nemo_sdg.text import sentences, short_answers
from nemo_sdg.text import words as text

SAME = [
    ("The Eiffel Tower.", "eiffel tower", "en"),
    ("1,000", "1000", "en"),
    ("ten", "10", "en"),
    ("１０", "10", "ja"),
    ("Beyoncé", "Beyonce", "en"),
    ("São Paulo, Brazil", "sao paulo brazil", "en"),
    ("“Hamlet”", "Hamlet", "en"),
    ("rock-and-roll", "rock and roll", "en"),
    ("der Rhein", "Rhein", "de"),
    ("STRASSE", "Straße", "de"),
    ("l'Afrique", "Afrique", "fr"),
    ("東京。", "東京", "zh"),
    ("東京 タワー", "東京タワー", "ja"),
    ("ﾀﾜｰ", "タワー", "ja"),
    ("é", "e\u0301", "fr"),
    ("the", "The", "en"),
]
DIFFERENT = [
    ("C++", "C", "en"),
    ("C#", "C", "en"),
    ("-5", "5", "en"),
    ("50%", "50", "en"),
    ("$5", "€5", "en"),
    ("año", "ánó", "es"),
    ("is", "was", "en"),
    ("New York", "York", "en"),
    ("1914-1918", "1916-1920", "en"),
    ("Paris", "", "en"),
    ("?", "!", "en"),
    ("काल", "कल", "hi"),
]


@pytest.mark.parametrize(("a", "b", "language"), SAME)
def test_equal_is_recognised_both_ways(a: str, b: str, language: str) -> None:
    assert short_answers.equal(a, b, language=language)
    assert short_answers.equal(b, a, language=language)


@pytest.mark.parametrize(("a", "b", "language"), DIFFERENT)
def test_different_stays_different_both_ways(a: str, b: str, language: str) -> None:
    assert not short_answers.equal(a, b, language=language)
    assert not short_answers.equal(b, a, language=language)


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(["en", "de", "fr", "zh", "xx"]))
def test_equality_is_symmetric_and_normalisation_settles(a: str, b: str, language: str) -> None:
    assert short_answers.equal(a, b, language=language) == short_answers.equal(b, a, language=language)
    assert short_answers.equal(a, a, language=language)
    once = text.normalize(a, language)
    assert text.normalize(once, language) == once


@settings(deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_similarity_is_a_share_and_one_for_the_same_words(a: str, b: str) -> None:
    assert 0.0 <= sentences.similarity(a, b) == sentences.similarity(b, a) <= 1.0


def test_similarity_counts_shared_words() -> None:
    assert sentences.similarity("Light travels faster than sound.", "Sound is slower than light") == pytest.approx(
        2 * 3 / 10
    )
    assert sentences.similarity("光は音より速い", "音より光が速い") > 0.8
    assert sentences.similarity("light", "stone") == 0.0


@settings(deadline=None)
@given(
    st.text(alphabet=st.characters(max_codepoint=127), max_size=40)
    | st.lists(st.sampled_from(["a", "B", "1", "-", ".", ",", "'", " ", "_", "`", "$"])).map("".join)
)
def test_ascii_takes_a_shorter_way_to_the_same_end(written: str) -> None:
    for language in ("en", "fr"):
        assert (
            text._punctuation_away_ascii(written.lower(), language).split()
            == text._punctuation_away(written.lower(), language).split()
        )


def punctuation_away_by_characters(written: str, language: str) -> str:
    """What `normalize` does with punctuation, said character by character."""
    out = []
    for place, char in enumerate(written):
        after, before = written[place + 1 : place + 2], written[place - 1 : place] if place else " "
        minus = char == "-" and (
            (after.isdigit() and not before.isalpha())
            or ((before.isalnum() or before in ")+-") and not after.isalnum())
        )
        inside = char in ".,/" and before.isdigit() and after.isdigit()
        factorial = char == "!" and (after.isalnum() or after == "(") and not before.isalnum()
        letter = char.isalnum() or text.unicodedata.category(char)[0] in "MS"
        if char in "+#%$€£&@°^" or letter or minus or inside or factorial:
            out.append(char)
        elif char in "'’`" and before.isalnum() and after.isalnum():
            out.append(" " if language in ("fr", "it", "ca") else "")
        else:
            out.append(" ")
    return "".join(out)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="aZé5٣ßक्ा_-–.,/!'’`()+#€°^\n\t « ", max_size=24), st.sampled_from(["en", "fr", "de"]))
def test_punctuation_is_judged_by_what_stands_beside_it(written: str, language: str) -> None:
    assert text._punctuation_away(written, language) == punctuation_away_by_characters(written, language)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("x_2 and v_{10}", "x2 and v10"),
        ("the U.S.A. of 1914 - 1918", "usa of 1914-1918"),
        ("Ca^{2+} or O^-", "ca2+ or o-"),
        ("blood group A Rh-negative", "blood group a-"),
        ("O negative", "o-"),
        ("from 3 to 5 days", "from 3-5 days"),
        ("An apple & a pear", "apple and pear"),
        ("well-known, isn't it?", "well known isnt it"),
    ],
)
def test_each_mark_is_seen_where_it_stands(written: str, normal: str) -> None:
    assert text.normalize(written, "en") == normal
