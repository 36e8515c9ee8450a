"""Numbers, percentages, sums of money, scale words and dates as Babel writes them by CLDR in 27 locales, read back.

Short forms of one letter (15L for lakh, 2 t for tusind) are left out: they are units of measure as well.
"""

import datetime
import random
from collections.abc import Iterator
from fractions import Fraction

import pytest

from nemo_sdg.text.answers import same_answer
from nemo_sdg.text.dates import read_date, weekday
from nemo_sdg.text.numbers import read_number

dates = pytest.importorskip("babel.dates")
numbers = pytest.importorskip("babel.numbers")

LOCALES = (
    "en en_IN de de_CH fr es es_MX it pt_BR nl sv da nb pl cs ru uk tr zh ja ko hi ar_EG id vi sw th".split()  # noqa: SIM905
)


def values(locale: str) -> Iterator[int | float]:
    rng = random.Random(locale)
    for _ in range(12):
        yield rng.randrange(-(10**9), 10**9)
        yield round(rng.uniform(-(10**6), 10**6), rng.randrange(1, 4))
        yield rng.randrange(1000)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_number_is_read_as_it_was_meant_and_another_one_differs(locale: str) -> None:
    language = locale.replace("_", "-")
    wrongly = []
    for value in values(locale):
        text = numbers.format_decimal(value, locale=locale, decimal_quantization=False)
        number = read_number(text, language)
        if number is None or number.value != Fraction(str(value)):
            wrongly.append((text, value))
        other = numbers.format_decimal(value + 1, locale=locale, decimal_quantization=False)
        if same_answer(text, other, kind="numeric", language=language):
            wrongly.append((text, other))
    assert wrongly == []


# Babel leaves a zero of CLDR's pattern behind Swahili's scales: `elfu 20` for 2,000
@pytest.mark.parametrize("locale", [locale for locale in LOCALES if locale != "sw"])
def test_percent_money_and_scales_are_read(locale: str) -> None:
    language = locale.replace("_", "-")
    wrongly: list[str] = []
    for value in values(locale):
        text = numbers.format_percent(value % 1000 / 100, locale=locale, decimal_quantization=False)
        number = read_number(text, language)
        wrongly += [text] if number is None or not number.percent else []
        for currency in ("EUR", "USD", "JPY", "GBP", "INR"):
            text = numbers.format_currency(abs(value), currency, locale=locale)
            number = read_number(text, language)
            wrongly += [text] if number is None or not number.unit.dimensions else []
    for scaled in (2000, 120000, 1500000, 25 * 10**6, 3 * 10**9, 10**12):
        text = numbers.format_compact_decimal(scaled, locale=locale, format_type="long", fraction_digits=2)
        number = read_number(text, language)
        wrongly += [text] if number is None or number.value != scaled else []
    assert wrongly == []


@pytest.mark.parametrize("locale", LOCALES)
def test_a_date_is_read_in_each_form(locale: str) -> None:
    rng, wrongly = random.Random(locale), []
    for _ in range(12):
        day = datetime.date(1000 + rng.randrange(1100), rng.randrange(1, 13), rng.randrange(1, 29))
        for form in ("long", "medium", "full"):
            text = dates.format_date(day, form, locale=locale)
            read = read_date(text, locale.replace("_", "-"))
            if read is None or (read.year, read.month, read.day) != (day.year, day.month, day.day):
                wrongly.append((text, read))
    assert wrongly == []


NAMES = "en de fr es it pt nl pl ru ar ar_LB ar_MA ar_DZ hi sw tr th id sv da nb cs uk".split()  # noqa: SIM905


@pytest.mark.parametrize("locale", NAMES)
def test_names_of_months_and_days_are_known_beside_a_date_in_both_forms(locale: str) -> None:
    """As they stand in a date and alone: января and январь."""
    language, wrongly = locale.replace("_", "-"), []
    for context in ("format", "stand-alone"):
        for month, name in dates.get_month_names("wide", context, locale).items():
            read = read_date(f"{name} 1987", language)
            if read is None or (read.year, read.month) != (1987, month):
                wrongly.append((name, read))
        for name in dates.get_day_names("wide", context, locale).values():
            text = dates.format_date(datetime.date(1987, 3, 5), "long", locale=locale)
            for whole in (f"{name} {text}", f"{name}, {text}"):
                if read_date(whole, language) != read_date(text, language) or weekday(whole) != name.casefold().replace(
                    "ʼ", "'"
                ):
                    wrongly.append((whole, weekday(whole)))
    assert wrongly == []
