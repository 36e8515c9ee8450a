import re
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nemo_sdg.text.numbers import find_numbers, read_number, scan, spelled


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("1.234,5", "de", "1234.5"),
        ("3,5", "de", "3.5"),
        ("1 234,56", "fr", "1234.56"),
        ("1\u202f234,56", "fr", "1234.56"),
        ("1\u00a0000", "ru", "1000"),
        ("1'000.50", "de-CH", "1000.5"),
        ("1’000", "en", "1000"),
        ("1,25,000", "en", "125000"),
        ("12,34,567.8", "hi", "1234567.8"),
        ("1.5", "es-MX", "1.5"),
        ("1,000", "es-MX", "1000"),
        ("१२", "hi", "12"),
        ("٣٫٥", "ar", "3.5"),
        ("１２．５", "ja", "12.5"),
        ("3{,}5", "de", "3.5"),
        ("1{,}234.5", "en", "1234.5"),
        (r"1\,234", "en", "1234"),
        ("2.5 million", "en", "2500000"),
        ("2,5 Millionen", "de", "2500000"),
        ("1 Billion", "de", "1000000000000"),
        ("1 billion", "en", "1000000000"),
        ("3 Mrd. Euro", "de", "3000000000"),
        ("5 crore", "en", "50000000"),
        ("1.5M", "en", "1500000"),
        ("3万", "zh", "30000"),
        ("1.2亿", "zh", "120000000"),
        ("3万5000", "ja", "35000"),
        ("三百二十", "zh", "320"),
        ("二〇二四", "zh", "2024"),
        ("三分之二", "zh", "2/3"),
        ("삼백이십", "ko", "320"),
        ("2 1/2", "en", "2.5"),
        ("2½", "en", "2.5"),
        (r"2\frac{1}{2}", "en", "2.5"),
        (r"\dfrac12", "en", "0.5"),
        ("10^3", "en", "1000"),
        ("2³", "en", "8"),
        ("10⁻³", "en", "0.001"),
        ("3.5 × 10^4", "en", "35000"),
        (r"6 \times 10^{-2}", "en", "0.06"),
        ("3e8", "en", "300000000"),
        ("5!", "en", "120"),
        ("one hundred and five", "en", "105"),
        ("twenty-five thousand", "en", "25000"),
        ("half a million", "en", "500000"),
        ("one and a half", "en", "1.5"),
        ("three quarters", "en", "0.75"),
        ("fünfundzwanzig", "de", "25"),
        ("eintausendzweihundertvierunddreißig", "de", "1234"),
        ("quatre-vingt-dix-sept", "fr", "97"),
        ("soixante et onze", "fr", "71"),
        ("deux cents", "fr", "200"),
        ("mil doscientos treinta y cinco", "es", "1235"),
        ("cento e vinte", "pt", "120"),
        ("ventuno", "it", "21"),
        ("vijfentwintig", "nl", "25"),
        ("tjugofem", "sv", "25"),
        ("двадцать пять", "ru", "25"),
        ("dwadzieścia pięć", "pl", "25"),
        ("dua puluh lima", "id", "25"),
        ("yirmi beş", "tr", "25"),
        ("ishirini na tano", "sw", "25"),
    ],
)
def test_a_number_is_read_in_its_language(text: str, language: str, value: str) -> None:
    number = read_number(text, language)
    assert number is not None
    assert number.value == Fraction(value)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("4,6,14,15", "en"),
        ("3,5", "en"),
        ("1,23", "en"),
        ("192.168.0.1", "en"),
        ("1:2", "en"),
        ("18 or 19", "en"),
        ("5x", "en"),
        ("x + 1", "en"),
        ("2 three", "en"),
        ("two three", "en"),
        ("thousand thousand", "en"),
        ("1/0", "en"),
        ("2024-01-05", "en"),
        ("twenty eleven", "en"),
        ("三四十", "zh"),
        ("", "en"),
    ],
)
def test_what_is_more_or_less_than_a_number_is_none(text: str, language: str) -> None:
    assert read_number(text, language) is None


def found(text: str, language: str = "en") -> list[str]:
    return [str(number.number.value) for number in find_numbers(text, language)]


def test_numbers_of_a_running_text_are_found_by_language() -> None:
    assert found("So 3,5 Liter in 10^3 Flaschen, also 1.234,5 und 2 1/2.", "de") == ["7/2", "1000", "2469/2", "5/2"]
    assert found("She has 4,6,14,15 and -3.") == ["4", "6", "14", "15", "-3"]
    assert found("x^2 - 5 = -6, H2O in K_5, 1,25,000 of 2.5 million") == ["5", "-6", "125000", "2500000"]
    assert found("7-3, 1939–1945 and 5 - 2") == ["7", "3", "1939", "1945", "5", "2"]
    assert found(r"$\frac{1}{2} + 3/4 = \$5$, 50\%, the 21st, twenty-five men") == ["1/2", "3/4", "5", "50", "21", "25"]
    assert found("共有三十二人，占25%，其中三分之一和3万，一个", "zh") == ["32", "25", "1/3", "30000"]
    assert found("one of them gave up for a second") == []


@pytest.mark.parametrize("text", ["1.234,5 Liter", "x = −3,5", "etwa fünfundzwanzig", "\\frac{1}{2}", "１２"])
def test_a_found_number_says_where_it_stands(text: str) -> None:
    (number,) = find_numbers(text, "de")
    alone = read_number(text[number.start : number.end], "de")
    assert alone is not None
    assert alone.value == number.number.value


@settings(deadline=None)
@given(st.text(max_size=80), st.sampled_from(["en", "de", "zh", "fr", "ar", "xx"]))
def test_any_text_is_searched_without_error_and_spans_lie_in_it(text: str, language: str) -> None:
    last = 0
    for number in find_numbers(text, language):
        assert last <= number.start < number.end <= len(text)
        last = number.end


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "nb", "tr", "ar", "hi", "zh", "ja", "pt-BR"])
def test_no_word_that_begins_a_number_is_passed_over(language: str) -> None:
    """Most words of a text are not looked at further: none of those may be a number's first."""
    words = [
        *re.findall(r"[^\W\d_]+", str(spelled.words_table())),
        *scan._ORDINAL_WORDS, *scan._TENS_WORDS, *spelled._DOZENS,
        "anderthalb", "eineinhalbmal", "a", "An", "one", "One's", "Twenty", "Thousands", "zweihundert", "ventidue",
        "三分", "river",
    ]  # fmt: skip
    found = 0
    for text in (f"{word}{rest}" for word in dict.fromkeys(words) for rest in ("", " half", "-first of", " million")):
        expected = scan._scan_words(text, 0, language)
        assert scan.scan_words(text, 0, language) == expected, text
        found += expected is not None
    assert found > 100
