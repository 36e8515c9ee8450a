"""Numbers as CLDR 44 formats them in 20 locales (decimal and group signs, grouping, digits, minus), read back."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nemo_sdg.text.numbers import find_numbers, read_number

LATIN, ARABIC, PERSIAN, DEVANAGARI, BENGALI = "0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "০১২৩৪৫৬৭৮৯"
# locale: decimal sign, group sign, digits per group above the first three, digits, minus sign
LOCALES = {
    "en": (".", ",", 3, LATIN, "-"),
    "en-IN": (".", ",", 2, LATIN, "-"),
    "de": (",", ".", 3, LATIN, "-"),
    "de-CH": (".", "’", 3, LATIN, "-"),
    "fr": (",", "\u202f", 3, LATIN, "-"),
    "es": (",", ".", 3, LATIN, "-"),
    "es-MX": (".", ",", 3, LATIN, "-"),
    "it": (",", ".", 3, LATIN, "-"),
    "pt-BR": (",", ".", 3, LATIN, "-"),
    "ru": (",", "\u00a0", 3, LATIN, "-"),
    "pl": (",", "\u00a0", 3, LATIN, "-"),
    "sv": (",", "\u00a0", 3, LATIN, "\u2212"),
    "tr": (",", ".", 3, LATIN, "-"),
    "zh": (".", ",", 3, LATIN, "-"),
    "ja": (".", ",", 3, LATIN, "-"),
    "ko": (".", ",", 3, LATIN, "-"),
    "hi": (".", ",", 2, DEVANAGARI, "-"),
    "bn": (".", ",", 2, BENGALI, "-"),
    "ar-EG": ("٫", "٬", 3, ARABIC, "\u061c-"),
    "fa": ("٫", "٬", 3, PERSIAN, "\u200e\u2212"),
}


def written(value: int, decimals: str, locale: str) -> str:
    decimal, group, size, digits, minus = LOCALES[locale]
    whole = str(abs(value))
    groups = [whole[-3:]]
    whole = whole[:-3]
    while whole:
        groups.insert(0, whole[-size:])
        whole = whole[:-size]
    text = group.join(groups) + (decimal + decimals if decimals else "")
    return minus * (value < 0) + text.translate(str.maketrans(LATIN, digits))


def meant(value: int, decimals: str) -> Fraction:
    part = Fraction(int(decimals), 10 ** len(decimals)) if decimals else Fraction(0)
    return value - part if value < 0 else value + part


@settings(deadline=None, max_examples=60)
@given(st.integers(-(10**12), 10**12), st.from_regex(r"\A(?:[0-9]{1,6})?\Z"))
@pytest.mark.parametrize("locale", LOCALES)
def test_a_number_of_a_locale_is_read_as_it_was_meant(locale: str, value: int, decimals: str) -> None:
    text = written(value, decimals, locale)
    number = read_number(text, locale)
    assert number is not None, text
    assert number.value == meant(value, decimals), text


@settings(deadline=None, max_examples=30)
@given(st.integers(-(10**9), 10**9), st.from_regex(r"\A(?:[0-9]{1,4})?\Z"))
@pytest.mark.parametrize("locale", LOCALES)
def test_it_is_found_in_a_running_text(locale: str, value: int, decimals: str) -> None:
    text = f"x = {written(value, decimals, locale)} ; "
    assert [found.number.value for found in find_numbers(text, locale)] == [meant(value, decimals)], text
