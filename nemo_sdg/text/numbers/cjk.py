"""Chinese, Japanese and Sino-Korean numerals: 三百二十, 二〇二四, 삼백이십.

read_cjk("三百二十人", 0)  ->  (Fraction(320), 4)
"""

import re
from fractions import Fraction

CJK_DIGITS = {
    char: value
    for value, chars in enumerate(
        ("〇零", "一壹", "二两兩贰", "三叁参", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
    )
    for char in chars
}
CJK_TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
CJK_SCALES = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8, "兆": 10**12}
KOREAN = {char: value for value, char in enumerate("영일이삼사오육칠팔구")} | {"공": 0}
KOREAN_TENS = {"십": 10, "백": 100, "천": 1000}
KOREAN_SCALES = {"만": 10**4, "억": 10**8, "조": 10**12}
CJK_SCALE = {**CJK_TENS, **CJK_SCALES, **KOREAN_TENS, **KOREAN_SCALES}
KILO = re.compile("千[米克]")
"""A kilometre or a kilogram"""
CJK_NUMERAL = re.compile(f"[{''.join((*CJK_DIGITS, *CJK_TENS, *CJK_SCALES))}]+")
KOREAN_NUMERAL = re.compile(f"[{''.join((*KOREAN, *KOREAN_TENS, *KOREAN_SCALES))}]+")


def read_cjk(text: str, start: int) -> tuple[Fraction, int] | None:
    for pattern, digits, tens, scales in (
        (CJK_NUMERAL, CJK_DIGITS, CJK_TENS, CJK_SCALES),
        (KOREAN_NUMERAL, KOREAN, KOREAN_TENS, KOREAN_SCALES),
    ):
        run = pattern.match(text, start)
        if run is None:
            continue
        value, end = cjk_value(run[0], digits, tens, scales), run.end()
        if value is None and len(run[0]) > 1 and KILO.match(text, end - 1):  # 三百六十千米 counts kilometres
            value, end = cjk_value(run[0][:-1], digits, tens, scales), end - 1
        return (Fraction(value), end) if value is not None else None
    return None


def cjk_value(run: str, digits: dict[str, int], tens: dict[str, int], scales: dict[str, int]) -> int | None:
    """三百二十 -> 320, 二〇二四 -> 2024; None for what is not a number, such as 三四十."""
    if run[0] in scales:
        return None
    if all(char in digits for char in run):
        return int("".join(str(digits[char]) for char in run))
    total = section = 0
    digit: int | None = None
    below = below_scale = 10**16
    for char in run:
        if char in digits:
            if digit:
                return None
            digit = digits[char]
        elif char in tens:
            if tens[char] >= below:
                return None
            section, digit, below = section + (1 if digit is None else digit) * tens[char], None, tens[char]
        else:
            if scales[char] >= below_scale:
                return None
            total, section, digit = total + (section + (digit or 0)) * scales[char], 0, None
            below, below_scale = 10**16, scales[char]
    return total + section + (digit or 0)
