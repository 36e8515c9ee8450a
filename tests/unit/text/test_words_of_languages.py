"""Number words, months and days of languages that write them in ways of their own."""

import re

import pytest

from nemo_sdg.text.answers import same_answer
from nemo_sdg.text.dates import Date, read_date
from nemo_sdg.text.numbers import find_numbers, read_number, scale_first, spelled


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("kumi na moja", "sw", 11),
        ("mia moja na hamsini", "sw", 150),
        ("mia tatu", "sw", 300),
        ("elfu moja", "sw", 1000),
        ("elfu kumi na tano", "sw", 15_000),
        ("elfu moja na hamsini", "sw", 1050),
        ("elfu mbili mia tatu na tano", "sw", 2305),
        ("elfu mia mbili", "sw", 200_000),
        ("milioni tatu", "sw", 3_000_000),
        ("ثلاثة عشر", "ar", 13),
        ("أحد عشر", "ar", 11),
        ("مئة وثلاثة عشر", "ar", 113),
        ("خمسة عشر ألف", "ar", 15_000),
        ("عشرة", "ar", 10),
        ("lima belas", "id", 15),
        ("seratus dua belas", "id", 112),
        ("tujuh belas ribu", "id", 17_000),
        ("สองร้อยห้าสิบ", "th", 250),
        ("ยี่สิบเอ็ด", "th", 21),
        ("ร้อยเอ็ด", "th", 101),
        ("สามหมื่นสองพัน", "th", 32_000),
        ("สองพันล้าน", "th", 2_000_000_000),
    ],
)
def test_a_number_in_words_is_read_whole(text: str, language: str, value: int) -> None:
    number = read_number(text, language)
    assert number is not None
    assert number.value == value
    assert same_answer(text, str(value), kind="numeric", language=language)
    assert not same_answer(text, str(value + 1), kind="numeric", language=language)


@pytest.mark.parametrize(
    ("text", "language"), [("สองคนเดิน", "th"), ("أحد", "ar"), ("belas", "id"), ("elfu mia mbili na hamsini", "sw")]
)
def test_what_is_no_number_or_not_clear_is_not_read(text: str, language: str) -> None:
    assert read_number(text, language) is None


@pytest.mark.parametrize(
    ("text", "language", "date"),
    [
        ("Ijumaa, 5 Machi 2020", "sw", Date(2020, 3, 5)),
        ("tarehe 5 Machi 2020", "sw", Date(2020, 3, 5)),
        ("วันเสาร์ที่ 6 มกราคม พ.ศ. 2567", "th", Date(2024, 1, 6)),
        ("6 ม.ค. 2567", "th", Date(2024, 1, 6)),
        ("6 มกราคม ค.ศ. 2024", "th", Date(2024, 1, 6)),
        ("๖ มกราคม ๒๕๖๗", "th", Date(2024, 1, 6)),
        ("6 كانون الأول 1987", "ar", Date(1987, 12, 6)),
        ("6 تشرين الثاني 1987", "ar", Date(1987, 11, 6)),
        ("14 جويلية 1962", "ar", Date(1962, 7, 14)),
        ("ngày 5 tháng Mười năm 1954", "vi", Date(1954, 10, 5)),
        ("tháng Mười Hai năm 1954", "vi", Date(1954, 12, 0)),
        ("5 tháng năm 1954", "vi", Date(1954, 5, 5)),
        ("tháng 12/1954", "vi", Date(1954, 12, 0)),
        ("январь 1987", "ru", Date(1987, 1, 0)),
        ("в среду", "ru", None),
    ],
)
def test_a_date_is_read(text: str, language: str, date: Date | None) -> None:
    assert read_date(text, language) == date


def test_another_day_of_the_week_is_another_date() -> None:
    first, second = "วันเสาร์ที่ 6 มกราคม 2567", "วันอาทิตย์ที่ 6 มกราคม 2567"
    assert same_answer(first, "6 มกราคม 2567", kind="short_text", language="th")
    assert not same_answer(first, second, kind="short_text", language="th")
    assert not same_answer("5 Machi 2020", "5 Mei 2020", kind="short_text", language="sw")


@pytest.mark.parametrize(
    ("one", "other", "different", "language"),
    [
        ("周一", "星期一", "星期二", "zh"),
        ("礼拜天", "星期日", "周六", "zh"),
        ("月曜", "月曜日", "火曜日", "ja"),
        ("월", "월요일", "화요일", "ko"),
        ("จันทร์", "วันจันทร์", "วันอังคาร", "th"),
        ("ม.ค.", "มกราคม", "กุมภาพันธ์", "th"),
        ("พ.ศ. 2567", "ค.ศ. 2024", "ค.ศ. 2023", "th"),
        ("تموز", "يوليو", "يونيو", "ar"),
        ("كانون الثاني", "يناير", "ديسمبر", "ar"),
        ("الأربعاء", "أربعاء", "الخميس", "ar"),
        ("segunda", "segunda-feira", "terça-feira", "pt"),
        ("среда", "среду", "пятницу", "ru"),
    ],
)
def test_two_names_of_one_day_or_month_are_the_same(one: str, other: str, different: str, language: str) -> None:
    assert same_answer(one, other, kind="short_text", language=language)
    assert same_answer(other, one, kind="short_text", language=language)
    assert not same_answer(one, different, kind="short_text", language=language)


def test_of_a_loop_of_number_words_each_number_is_read_from_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []

    class Words:
        @staticmethod
        def match(text: str, place: int) -> re.Match[str] | None:
            looked.append(place)
            return word.match(text, place)

    word = scale_first._WORD
    monkeypatch.setattr(scale_first, "_WORD", Words)
    assert find_numbers("elfu mbili na " * 300, "sw")[0].number.value == 2000
    assert 300 < len(looked) < 300 * 100


def test_of_a_thai_text_without_spaces_little_is_looked_at_for_each_number() -> None:
    text = "สิบ" * 500
    assert len(spelled.word_at(text, 0) or "") == spelled.LONGEST_WORD + 1
    assert spelled.word_at("สองร้อยห้าสิบ คน", 0) == "สองร้อยห้าสิบ"
