"""Plain numbers as people and models write them: 1,234.50 and 1.234,5, $18, 50%, 1 1/2, eighteen, 1.5 million, 12
apples.

parse_number("$1,234.50") -> Number(value=Fraction(2469, 2), unit="dollar", percent=False, scale=1, places=2)
parse_number("x + 1")     -> None
"""

import functools
import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

DECIMAL_COMMA = frozenset(
    ("de", "es", "fr", "it", "pt", "nl", "sv", "da", "nb", "no", "fi", "pl", "cs", "sk", "sl", "hr", "ro", "hu", "tr", "id", "ru", "uk", "bg", "el", "sr", "ca", "gl", "eu", "vi")
)  # fmt: skip
CURRENCIES = {
    "rs": "rupee",
    "inr": "rupee",
    "$": "dollar",
    "€": "euro",
    "£": "pound",
    "¥": "yen",
    "₹": "rupee",
    "usd": "dollar",
    "eur": "euro",
    "gbp": "pound",
    "us$": "dollar",
}
UNITS = {
    "km": "kilometer", "kilometre": "kilometer", "m": "meter", "metre": "meter", "cm": "centimeter", "centimetre": "centimeter", "mm": "millimeter",
    "millimetre": "millimeter", "kg": "kilogram", "g": "gram", "mg": "milligram", "l": "liter", "litre": "liter", "ml": "milliliter", "h": "hour",
    "hr": "hour", "min": "minute", "s": "second", "sec": "second", "ft": "foot", "feet": "foot", "in": "inch", "inches": "inch", "lb": "pound",
    "lbs": "pound", "oz": "ounce", "mph": "mile per hour", "km/h": "kilometer per hour", "kmh": "kilometer per hour", "°": "degree", "deg": "degree",
    "°c": "celsius", "°f": "fahrenheit", "people": "person", "children": "child",
}  # fmt: skip
CONVERSIONS: dict[str, tuple[str, Fraction | int]] = {
    "kilometer": ("meter", 1000), "meter": ("meter", 1), "centimeter": ("meter", Fraction(1, 100)), "millimeter": ("meter", Fraction(1, 1000)),
    "kilogram": ("gram", 1000), "gram": ("gram", 1), "milligram": ("gram", Fraction(1, 1000)), "liter": ("liter", 1), "milliliter": ("liter", Fraction(1, 1000)),
    "second": ("second", 1), "minute": ("second", 60), "hour": ("second", 3600), "day": ("second", 86400), "week": ("second", 604800),
    "inch": ("inch", 1), "foot": ("inch", 12), "yard": ("inch", 36), "ounce": ("ounce", 1), "cent": ("dollar", Fraction(1, 100)), "dollar": ("dollar", 1),
}  # fmt: skip
"""Unit to measure and factor: 90 minutes are 1.5 hours"""
PERCENT_WORDS = re.compile(
    r"percent|per cent|%|prozent|por ciento|pour cent|procent|per cento|百分|パーセント|процент|asilimia", re.IGNORECASE
)
SCALES = {
    "hundred": 100, "thousand": 1000, "k": 1000, "million": 10**6, "mio": 10**6, "billion": 10**9, "bn": 10**9, "trillion": 10**12, "dozen": 12, "lakh": 10**5,
    "crore": 10**7, "tausend": 1000, "millionen": 10**6, "milliarde": 10**9, "milliarden": 10**9, "mil": 1000, "mille": 1000, "millón": 10**6, "millone": 10**6,
    "milliard": 10**9, "百": 100, "千": 1000, "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8,
}  # fmt: skip
SCALE_WORDS = re.compile(
    rf"\b(?:{'|'.join(word for word in SCALES if word.isascii() and len(word) > 1)})(?:s|es)?\b|[百千万萬亿億]",
    re.IGNORECASE,
)
ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
SMALL = {word: value for value, word in enumerate(ONES)} | {word: 10 * value for value, word in enumerate(TENS, 2)}
PARTS = {
    "half": 2,
    "halves": 2,
    "third": 3,
    "quarter": 4,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "ninth": 9,
    "tenth": 10,
}
VULGAR = re.compile(r"(?<=\d)\s*(?=[¼-¾⅐-⅞])")
RAISED = re.compile(r"[⁰¹²³⁴-⁹]+")

PLAIN = re.compile(r"-?\d{1,18}(?:\.\d{1,12})?", re.ASCII)
NUMBER = re.compile(
    r"""^(?P<sign>[-+]?)(?P<currency>(?:us\s?\$|[$€£¥₹])|(?:usd|eur|gbp|inr|rs\.?)(?=\s|\d))?\s*(?P<sign2>[-+]?)
        (?:(?P<whole>\d+)\s+(?P<mixed_num>\d+)\s*/\s*(?P<mixed_den>\d+)
          |(?P<num>[\d.,'\s]*\d|\.\d+)(?:\s*/\s*(?P<den>\d[\d.,]*))?(?:\s*(?:e|(?:[x×*·]|\\times|\\cdot)\s*10\s*\^)\s*\{?(?P<exp>[-+]?\d{1,3})\}?)?)
        \s*(?P<unit>[^\d\s].*)?$""",
    re.VERBOSE | re.IGNORECASE,
)
MARKS = re.compile(r"\\[A-Za-z]|[\^{}√π∞≤≥\[\]]")
FRACTION = re.compile(r"\\[dt]?frac\s*(?:\{\s*([-+]?\d+)\s*\}|(\d))\s*(?:\{\s*(\d+)\s*\}|(\d))")
UNIT = re.compile(r"(?:[^\W\d_]|[°%$€£¥₹(])(?:[^\W\d_]|[°%$€£¥₹().,'’/ -]|\^\{?[23]\}?)*")
NO_UNIT = re.compile(
    (
        r"\b(?:and|or|to|of|times|by|minus|plus|than|half|squared|cubed|factorial|divided|multiplied|not|und|"
        r"oder|y|o|et|ou)\b|和|或"
    ),
    re.IGNORECASE,
)
"""Words that make more of what stands before them than a number with a unit"""
SOLE = re.compile(
    r"(?<![\w.,:^/\\-])(?:[$€£¥₹]\s?)?[-+]?\d+(?:[.,'\s]?\d+)*(?:\s?/\s?\d+)?\s?%?(?![\w:^/!‰*=]|[.,:]\d)"
)
HEDGE = re.compile(
    (
        r"\b(?:not|no|never|less|fewer|greater|least|most|under|over|below|above|between|half|twice|double|"
        r"triple|times|almost|nearly|or|either|minus|negative|unknown|cannot|"
        r"more than|mehr als|más de|plus de|nicht|kein\w*|mindestens|höchstens|weniger|oder|menos|pas|moins|ou|"
        r"al menos)\b|n't\b|不|没|至少|超过|以上|以下|以内|或|ない|半|または"
    ),
    re.IGNORECASE,
)
"""Words beside a sentence's only number that make something else of it"""


@dataclass(frozen=True, slots=True)
class Number:
    """A plain number: exact value, the unit as one word ('' for none), and whether a percent sign stood there."""

    value: Fraction
    unit: str = ""
    percent: bool = False
    scale: int = 1
    """what a word like dozen or million has multiplied the value by"""
    places: int = 0
    """decimal places as written"""


def simplify(text: str) -> str:
    """A mathematical answer without the dress that means nothing: width, dollars around it, \\left, thin spaces,
    \\text.
    """
    if not text.isascii():
        text = RAISED.sub(lambda found: "^{" + unicodedata.normalize("NFKC", found[0]) + "}", VULGAR.sub(" ", text))
        text = unicodedata.normalize("NFKC", text).replace("−", "-").replace("–", "-").replace("\u2044", "/")
        text = (
            text.replace("∞", "\\infty ")
            .replace("π", "\\pi ")
            .replace("×", "\\times ")
            .replace("·", "\\cdot ")
            .replace("√", "\\sqrt ")
        )
    text = text.strip()
    if "\\" in text:
        text = re.sub(r"\\(?:left|right|displaystyle|,|;|!|:|quad|qquad)(?![A-Za-z])", "", text)
        text = re.sub(r"\\(?:text\w*|math(?:rm|bf|sf)|mbox)\s*\{([^{}]*)\}", r" \1 ", text)
        text = re.sub(r"\\[dt]frac", r"\\frac", text)
        text = (
            text.replace("\\%", "%")
            .replace("\\$", "$")
            .replace("^{\\circ}", "°")
            .replace("^\\circ", "°")
            .replace("\\circ", "°")
        )
    text = text.replace("{,}", ",").strip().strip("*").strip()
    while (
        inner := re.fullmatch(
            r"\s*(?:\$\$?([^$]+)\$\$?|\\\((.+)\\\)|\\\[(.+)\\\]|\\f?box(?:ed)?\s*\{(.*)\})\s*\.?", text, re.DOTALL
        )
    ) is not None:
        text = next(group for group in inner.groups() if group is not None)
    text = re.sub(r"^\$(-?[\d.,]+)\$ ", r"\1 ", text)
    return re.sub(r"\s+", " ", text).strip().rstrip(".。").strip()


def _digits(text: str, language: str) -> Fraction | None:
    """A run of digits with its separators. `1.234,5` and `1,234.5` are read by what stands last; a lone separator by
    the language.
    """
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
            if separator in text and not re.fullmatch(
                rf"\d{{1,3}}(?:[{separator}]\d{{2,3}})*[{separator}]\d{{3}}(?:\D.*)?", text
            ):
                return None
            text = text.replace(separator, "")
    return Fraction(text.replace(",", ".")) if text not in ("", ".") else None


def _unit(text: str) -> str:
    text = re.sub(r"([^\W\d_]+)\s*\^\{?2\}?", r"square \1", re.sub(r"([^\W\d_]+)\s*\^\{?3\}?", r"cubic \1", text))
    words = [UNITS.get(word, CURRENCIES.get(word, word)) for word in re.sub(r"[().,]", " ", text.casefold()).split()]
    return " ".join(
        UNITS.get(single, single)
        for word in words
        for single in [word.removesuffix("s") if len(word) > 3 and not word.endswith("ss") else word]
    )


def in_digits(text: str) -> str:
    """English number words at the start of a text as digits: `twenty-five thousand people` -> `25000 people`, `two
    thirds` -> `2/3`.
    """
    words = re.split(r"(?<=[A-Za-z])-(?=[A-Za-z])|\s+", text)
    total, current, used = 0, 0, 0
    for position, raw in enumerate(words):
        word = raw.casefold().rstrip(",")
        if word in SMALL:
            if used and current % 10 and SMALL[word] < 10:
                break  # `two three`
            current += SMALL[word]
        elif word == "hundred" and used:
            current *= 100
        elif word in ("thousand", "million", "billion") and used:
            total, current = total + current * SCALES[word], 0
        elif (
            word == "and"
            and used
            and position + 1 < len(words)
            and words[position + 1].casefold() in SMALL
            and words[position - 1].casefold() in (*SCALES,)
        ):
            continue
        else:
            break
        used = position + 1
    rest = words[used:]
    first = rest[0].casefold().rstrip(",") if rest else ""
    if first in ("a", "an") and not used and len(rest) > 1 and rest[1].casefold() in PARTS:
        return " ".join([f"1/{PARTS[rest[1].casefold()]}", *rest[2:]])
    part = PARTS.get(first) or (PARTS.get(first.removesuffix("s")) if first.endswith("s") else None)
    if part is not None and (used or first == "half"):
        return " ".join([f"{total + current if used else 1}/{part}", *rest[1:]])
    return " ".join([str(total + current), *rest]) if used else text


@functools.lru_cache(maxsize=1 << 16)
def parse_number(text: str, language: str = "en") -> Number | None:
    """A plain number with an optional currency, percent sign, scale or unit of at most four words; None for anything
    else.
    """
    if PLAIN.fullmatch(text) and not (language in DECIMAL_COMMA and "." in text):
        whole, _, decimals = text.partition(".")
        return Number(Fraction(int(whole + decimals), 10 ** len(decimals)), places=len(decimals))
    if len(text) > 120:
        return None
    text = simplify(text)
    if not text.isascii():
        text = "".join(str(unicodedata.digit(c)) if unicodedata.category(c) == "Nd" else c for c in text)
    text = FRACTION.sub(lambda found: f" {found[1] or found[2]}/{found[3] or found[4]}", text).strip()
    text = re.sub(r"^(?:\(?[a-z](?:\s*,\s*[a-z])*\)?\s*)?=\s*", "", text)
    text = re.sub(
        r"^(?:about|approximately|approx\.?|around|roughly|exactly|only|just|a total of|≈|~|\\approx)\s*(?=\S)",
        "",
        text,
        flags=re.IGNORECASE,
    )
    text = re.sub(r"^(?:minus|negative)\s+(?=[\w.$])", "-", text, flags=re.IGNORECASE)
    if language == "en" and text[:2].lstrip("-").isalpha():
        text = "-" * text.startswith("-") + in_digits(text.removeprefix("-"))
    found = NUMBER.match(text)
    if found is None:
        return None
    places = 0
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
        if (
            not found["den"]
            and not found["exp"]
            and (point := re.search(r"[.,](\d+)$", found["num"]))
            and numerator.denominator != 1
        ):
            places = len(point[1])
    if (found["sign"] == "-") != (found["sign2"] == "-"):
        value = -value
    measure = _measure((found["unit"] or "").strip())
    if measure is None:
        return None
    scale, percent, unit = measure
    if found["currency"]:
        unit = CURRENCIES[re.sub(r"[\s.]", "", found["currency"].casefold())]
    return Number(value * scale, unit, percent, scale, places)


def _measure(text: str) -> tuple[int, bool, str] | None:
    """Scale, percent and unit out of what stands behind a number; None where it makes something else of it."""
    if not text:
        return 1, False, ""
    percent = re.match(r"%|percent\b|per cent\b|prozent\b|por ciento\b|pour cent\b", text, re.IGNORECASE)
    if percent:
        text = text[percent.end() :].strip()
    scale = 1
    while (word := re.match(r"-?([^\W\d_]+)\.?(?:\s+|$)", text)) and (
        factor := SCALES.get(word[1].casefold()) or SCALES.get(word[1].casefold().removesuffix("s"))
    ):
        scale, text = scale * factor, text[word.end() :]
    if text[:1] in SCALES and not text[:1].isascii():
        scale, text = scale * SCALES[text[0]], text[1:].strip()
    text = re.sub(r"^\(([^()]*)\)$", r"\1", text).rstrip("!") if not text.startswith("!") else text
    if text and (
        not UNIT.fullmatch(text)
        or NO_UNIT.search(text)
        or len(text.split()) > 4
        or (re.match(r"[A-Za-z]$", text) and text.casefold() not in UNITS)
    ):
        return None
    if text.casefold() in SMALL or text.casefold() in PARTS:
        text = ""
    return scale, bool(percent), _unit(text)


@functools.lru_cache(maxsize=1 << 14)
def sole_number(text: str, language: str = "en") -> Number | None:
    """The only number of a sentence, `There are 18 apples left.`; None where a word such as `not` or `at least` makes
    more of it.
    """
    text = simplify(text)
    if len(text) > 200 or MARKS.search(text) or HEDGE.search(text):
        return None
    found = list(SOLE.finditer(text))
    if len(found) != 1 or re.search(r"\d", text[: found[0].start()] + text[found[0].end() :]):
        return None
    following = re.match(r"\s*[^\W\d_]+", text[found[0].end() :])
    scaled = following is not None and (
        following[0].strip().casefold() in SCALES or following[0].strip().casefold().removesuffix("s") in SCALES
    )
    number = parse_number(found[0].group().strip() + (following[0] if scaled and following else ""), language)
    return None if number is None else Number(number.value, "", number.percent, number.scale, number.places)
