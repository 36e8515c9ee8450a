"""Equality of numeric and mathematical answers: 1,000 = 1000 = 1e3, 0.5 = 1/2 = \\frac{1}{2}, $18 = 18 dollars = 18.00.

Two ways: plain numbers are read into exact fractions here (about 5 µs); everything else goes to math-verify (Hugging Face), in a child
process that is killed at a time limit, since sympy can run for ever on what a model writes.

What is not equal: 60% and 60, unless the question asks for a percentage (then 60%, 60 and 60 percent are one, and 0.6 is another);
5 km and 5 m; 1.5 and 2; 3.14 and 22/7. A bare number equals the same number with a unit: the question has named the unit.
"""

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

from nemo_sdg.verify.worker import math_verify_equal

DECIMAL_COMMA = frozenset(
    ("de", "es", "fr", "it", "pt", "nl", "sv", "da", "nb", "no", "fi", "pl", "cs", "sk", "sl", "hr", "ro", "hu", "tr", "id", "ru", "uk", "bg", "el", "sr", "ca", "gl", "eu", "vi")
)  # fmt: skip
CURRENCIES = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen", "₹": "rupee", "usd": "dollar", "eur": "euro", "gbp": "pound", "us$": "dollar"}
UNITS = {
    "km": "kilometer", "kilometre": "kilometer", "m": "meter", "metre": "meter", "cm": "centimeter", "centimetre": "centimeter", "mm": "millimeter",
    "millimetre": "millimeter", "kg": "kilogram", "g": "gram", "mg": "milligram", "l": "liter", "litre": "liter", "ml": "milliliter", "h": "hour",
    "hr": "hour", "min": "minute", "s": "second", "sec": "second", "ft": "foot", "feet": "foot", "in": "inch", "inches": "inch", "lb": "pound",
    "lbs": "pound", "oz": "ounce", "mph": "mile per hour", "km/h": "kilometer per hour", "kmh": "kilometer per hour", "°": "degree", "deg": "degree",
    "°c": "celsius", "°f": "fahrenheit", "people": "person", "children": "child",
}  # fmt: skip
PERCENT_WORDS = re.compile(r"percent|per cent|%|prozent|por ciento|pour cent|procent|per cento|百分|パーセント|процент", re.IGNORECASE)
NUMBER_WORDS = {
    word: str(value) for value, word in enumerate(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"))
}

NUMBER = re.compile(
    r"""^(?P<sign>[-+]?)(?P<currency>us\$|[$€£¥₹])?\s*(?P<sign2>[-+]?)
        (?:(?P<whole>\d+)\s+(?P<mixed_num>\d+)\s*/\s*(?P<mixed_den>\d+)
          |(?P<num>[\d.,'\s]*\d|\.\d+)(?:\s*/\s*(?P<den>\d[\d.,]*))?(?:\s*(?:e|[x×*·]\s*10\s*\^)\s*\{?(?P<exp>[-+]?\d{1,3})\}?)?)
        \s*(?P<unit>[^\d\s].*)?$""",
    re.VERBOSE | re.IGNORECASE,
)
MARKS = re.compile(r"\\[A-Za-z]|[\^{}√π∞≤≥\[\]]")
FRACTION = re.compile(r"\\[dt]?frac\s*(?:\{\s*([-+]?\d+)\s*\}|(\d))\s*(?:\{\s*(\d+)\s*\}|(\d))")


@dataclass(frozen=True, slots=True)
class Number:
    """A plain number: exact value, the unit as one word ('' for none), and whether a percent sign stood there."""

    value: Fraction
    unit: str
    percent: bool


def simplify(text: str) -> str:
    """A mathematical answer without the dress that means nothing: width, dollars around it, \\left, thin spaces, \\text."""
    text = unicodedata.normalize("NFKC", text).replace("−", "-").replace("–", "-").replace("\u2044", "/").strip()
    text = re.sub(r"\\(?:left|right|displaystyle|,|;|!|:|quad|qquad)(?![A-Za-z])", "", text)
    text = re.sub(r"\\(?:text|mathrm|mbox|textbf|mathbf)\s*\{([^{}]*)\}", r" \1 ", text)
    text = re.sub(r"\\[dt]frac", r"\\frac", text)
    text = text.replace("\\%", "%").replace("\\$", "$").replace("^{\\circ}", "°").replace("^\\circ", "°").replace("\\circ", "°").replace("{,}", ",")
    while (inner := re.fullmatch(r"\s*(?:\$\$?([^$]+)\$\$?|\\\((.+)\\\)|\\\[(.+)\\\]|\\boxed\s*\{(.*)\})\s*\.?", text, re.DOTALL)) is not None:
        text = next(group for group in inner.groups() if group is not None)
    return re.sub(r"\s+", " ", text).strip().rstrip(".。").strip()


def is_expression(text: str) -> bool:
    """Whether a short text is mathematics rather than words: LaTeX, brackets or symbols, and no word of three letters beside them."""
    if not MARKS.search(text):
        return False
    bare = re.sub(r"\\(?:text|mathrm|mbox|textbf)\s*\{[^{}]*\}|\\[A-Za-z]+", " ", text)
    return not re.search(r"[^\W\d_]{3,}", bare)


def _digits(text: str, language: str) -> Fraction | None:
    """A run of digits with its separators. `1.234,5` and `1,234.5` are read by what stands last; a lone separator by the language."""
    text = re.sub(r"(?<=\d)[\s'](?=\d{3}(?!\d))", "", text)
    if not re.fullmatch(r"\d*(?:[.,]?\d+)*", text):
        return None
    comma, point = text.count(","), text.count(".")
    if comma and point:
        decimal = "," if text.rindex(",") > text.rindex(".") else "."
        if text.count(decimal) > 1:
            return None
    elif comma + point > 1:
        decimal = ""
    elif comma:
        decimal = "," if language in DECIMAL_COMMA else ""
    else:
        decimal = "" if point and language in DECIMAL_COMMA and re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", text) else "."
    for separator in ",.":
        if separator != decimal:
            if separator in text and not re.fullmatch(rf"\d{{1,3}}(?:[{separator}]\d{{2,3}})*[{separator}]\d{{3}}(?:\D.*)?", text):
                return None
            text = text.replace(separator, "")
    return Fraction(text.replace(",", ".")) if text not in ("", ".") else None


def _unit(text: str) -> str:
    words = [UNITS.get(word, CURRENCIES.get(word, word)) for word in re.sub(r"[().]", " ", text.casefold()).split()]
    return " ".join(UNITS.get(single, single) for word in words for single in [word.removesuffix("s") if len(word) > 3 and not word.endswith("ss") else word])


def parse_number(text: str, *, language: str = "en") -> Number | None:
    """A plain number with an optional currency, percent sign or unit of at most four words; None for anything else."""
    if len(text) > 120:
        return None
    text = simplify(text)
    text = "".join(str(unicodedata.digit(c)) if unicodedata.category(c) == "Nd" else c for c in text)
    text = FRACTION.sub(lambda found: f" {found[1] or found[2]}/{found[3] or found[4]}", text).strip()
    text = re.sub(r"^(?:x|y|n|[a-z])\s*=\s*", "", text)
    first, _, rest = text.partition(" ")
    if first.casefold() in NUMBER_WORDS and language == "en":
        text = f"{NUMBER_WORDS[first.casefold()]} {rest}"
    found = NUMBER.match(text)
    if found is None:
        return None
    if found["whole"] is not None:
        if int(found["mixed_den"]) == 0:
            return None
        value = int(found["whole"]) + Fraction(int(found["mixed_num"]), int(found["mixed_den"]))
    else:
        numerator = _digits(found["num"], language)
        denominator = _digits(found["den"], language) if found["den"] else Fraction(1)
        if numerator is None or not denominator:
            return None
        value = numerator / denominator * Fraction(10) ** int(found["exp"] or 0)
    if (found["sign"] == "-") != (found["sign2"] == "-"):
        value = -value
    unit = (found["unit"] or "").strip()
    percent = bool(re.match(r"%|percent\b|per cent\b", unit, re.IGNORECASE))
    if percent:
        unit = re.sub(r"^(?:%|percent|per cent)\s*", "", unit, flags=re.IGNORECASE)
    if re.search(r"[=\\^_{}<>√π+*/]|\d", unit.casefold().replace("km/h", "")) or (re.match(r"[a-z]$", unit) and unit not in UNITS) or len(unit.split()) > 4:
        return None
    unit = _unit(unit)
    if found["currency"]:
        unit = CURRENCIES[found["currency"].casefold()]
    return Number(value, unit, percent)


def numbers_equal(a: Number, b: Number, *, question: str = "") -> bool:
    """Exact equality; a unit or percent sign may be left out on one side where the question has named it."""
    if a.unit and b.unit and a.unit != b.unit:
        return False
    if a.percent != b.percent:
        if PERCENT_WORDS.search(question):
            return a.value == b.value
        return (a.value / 100 if a.percent else a.value) == (b.value / 100 if b.percent else b.value)
    return a.value == b.value


def surely_equal(a: str, b: str, *, question: str = "", language: str = "en") -> bool | None:
    """Equality without math-verify: True, False, or None where only math-verify can tell."""
    left, right = parse_number(a, language=language), parse_number(b, language=language)
    if left is not None and right is not None:
        return numbers_equal(left, right, question=question)
    if (plain := _tight(a)) and plain == _tight(b):
        return True
    return None


def _tight(text: str) -> str:
    """Without the spaces that part nothing: `2 3` keeps its own."""
    return re.sub(r"(?<!\w)\s+|\s+(?!\w)", "", simplify(text))


def equal(a: str, b: str, *, question: str = "", language: str = "en") -> bool:
    """Whether two answers are the same mathematical object."""
    sure = surely_equal(a, b, question=question, language=language)
    return math_verify_equal(a, b) if sure is None else sure
