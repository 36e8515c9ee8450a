r"""Other notations of the same mathematics, written in one.

unify(r"]0, 1]")               ->  "(0, 1]"
unify(r"3 + (-2)i")            ->  "3 - 2i"
unify(r"C(5, 2)")              ->  r"\binom{5}{2}"
split_unit(r"9\pi \text{ cm}") ->  (r"9\pi", Unit(1/100, (("meter", 1),)))
read_remainder("12 R 3")       ->  ("12", "3")
read_based("1101_2")           ->  ("1101", 2)
"""

import re

from nemo_sdg.text.latex import plain
from nemo_sdg.text.numbers import Unit
from nemo_sdg.text.numbers.units import NO_UNIT, is_measure, read_unit

_OPEN_INTERVAL = re.compile(r"([\[\]])([^\[\](){}]*[,;][^\[\](){}]*)([\[\]])")
_BETWEEN = re.compile(
    r"(?:pH\s+)?(?:between|zwischen|entre|tra|fra|tussen|mellan|mellem|mellom|между|pomiędzy|między)\s+(.+?)\s+"
    r"(?:and|und|y|et|e|en|och|og|и|a|i)\s+(.+)",
    re.IGNORECASE,
)
_ANGLES = re.compile(r"\\langle(?![A-Za-z])|⟨|〈"), re.compile(r"\\rangle(?![A-Za-z])|⟩|〉")
_CHOOSE = re.compile(
    r"(?<![A-Za-z\\])C\s*\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)"
    r"|\{?\}?\^\s*\{?(\d{1,3})\}?\s*C\s*_\s*\{?(\d{1,3})\}?|(?<![\w^])(\d{1,3})C(\d{1,3})(?!\w)"
)
_ADDED_NEGATIVE = re.compile(r"([+-])\s*\(\s*([+-])\s*([\w.\\]+)\s*\)")
_REMAINDER = re.compile(
    r"([+-]?\d+)\s*,?\s*(?:r\.?|rem\.?|(?:with\s+)?(?:a\s+)?remainder(?:\s+of)?|rest|reste|resto|остаток|ост\.?|余り?|あまり|나머지)"
    r"\s*(\d+)",
    re.IGNORECASE,
)
_BASED = re.compile(r"\(?([0-9A-Fa-f]{1,64})\)?_\s*\{?\s*\(?(\d{1,2})\)?\s*\}?")
_UNIT_BEHIND = re.compile(
    r"(?P<text>.*?[\w})!])\s*(?:~|\s)\s*\(?(?P<unit>(?:(?:square|cubic|sq\.?|cu\.?)\s+)?[^\W\d_]{1,14}\.?"
    r"(?:\s*(?:/|per\s|·)\s*[^\W\d_]{1,14})?(?:\s?\^\s?\{?-?\d\}?)?(?:\s+(?:squared|cubed))?)\)?"
)
_UNITS = re.compile(r"(?:(?:square|cubic|sq\.?|cu\.?)\s+)?units?(?:\s?\^\s?\{?\d\}?)?", re.IGNORECASE)
_MATHEMATICS = re.compile(
    r"\b(?:sqrt|pi|ln|log)\b|\d(?:pi|sqrt)\b|\\(?:pi|sqrt|frac|binom|log|ln|cdot|times)(?![A-Za-z])|\^|\d\s*[+\-*/]\s*\d"
)
_NAMED = re.compile(
    r"\\[A-Za-z]+|(?<![A-Za-z])(?:sqrt|pi|ln|log|exp|(?:arc)?(?:sin|cos|tan)h?|cot|sec|csc|e)(?![A-Za-z])"
)
_FUNCTION_LAST = re.compile(r"(?:ln|log|exp|sin|cos|tan|cot|sec|csc|sinh|cosh|tanh)\s*(?:[\^_]\s*\{?-?\w+\}?\s*)*$")
_UNKNOWN = re.compile(r"[A-Za-z]")
_VALUE = re.compile(r"(?:[\d})]|\\pi|\be)\s*$")
"""A letter behind a value without unknowns is a unit: 2\\sqrt{5} m; not so in \\pi r h"""
_DEGREES = re.compile(r"(\d+(?:\.\d+)?)\s*°")


def unify(text: str) -> str:
    """A plain text (`latex.plain`) with open intervals in round brackets, angle brackets as round ones, binomials as
    LaTeX, and without brackets around an added negative.
    """
    if (interval := _OPEN_INTERVAL.fullmatch(text)) is not None and (interval[1] == "]" or interval[3] == "["):
        return f"{'[' if interval[1] == '[' else '('}{interval[2]}{']' if interval[3] == ']' else ')'}"
    if (between := _BETWEEN.fullmatch(text)) is not None:
        return f"{between[1]} - {between[2]}"
    text = _ANGLES[1].sub(")", _ANGLES[0].sub("(", text))
    text = _CHOOSE.sub(_binomial, text)
    return _ADDED_NEGATIVE.sub(lambda found: ("+ " if found[1] == found[2] else "- ") + found[3], text)


def _binomial(found: re.Match[str]) -> str:
    of, chosen = (group for group in found.groups() if group is not None)
    return f"\\binom{{{of}}}{{{chosen}}}"


def split_unit(text: str) -> tuple[str, Unit]:
    """An expression and the unit of measure that stands behind it; the text as it is where none does."""
    found = _UNIT_BEHIND.fullmatch(text)
    if found is None or not _MATHEMATICS.search(found["text"]):
        return text, NO_UNIT
    if _UNITS.fullmatch(found["unit"]):
        return found["text"], NO_UNIT
    unit = read_unit(found["unit"])
    if unit is None or not unit.dimensions or not is_measure(unit):
        return text, NO_UNIT
    if len(found["unit"]) < 2 and (has_unknowns(found["text"]) or not _VALUE.search(found["text"])):
        return text, NO_UNIT
    return found["text"], unit


def has_unknowns(text: str) -> bool:
    """Whether an expression has letters beside those of functions and constants, and ends in no function."""
    if _FUNCTION_LAST.search(text):
        return False
    return _UNKNOWN.search(_NAMED.sub(" ", text)) is not None


_PRODUCT = re.compile(
    r"(?:\\[dt]?frac\{\d+\}\{\d+\}|\\sqrt\{\d+\}|-?\d+(?!\d)|\\[A-Za-z]+(?![A-Za-z])|[A-Za-z](?![A-Za-z]{3})|"
    r"\^(?:\{\d+\}|\d+(?!\d))|\s)+"
)


def product(text: str) -> str | None:
    """A product of powers of unknowns without the spaces that part no digits, a^2h; None for other expressions."""
    if len(text) > 100 or not _PRODUCT.fullmatch(text) or not has_unknowns(text):
        return None
    return re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", re.sub(r"\^\{(\d)\}", r"^\1", text))


def read_remainder(text: str) -> tuple[str, str] | None:
    """Quotient and remainder of a division: `12 R 3`, `12 remainder 3`."""
    found = _REMAINDER.fullmatch(text)
    return None if found is None else (found[1], found[2])


def read_based(text: str) -> tuple[str, int] | None:
    """Digits and base of a number with its base as an index; None where the digits are none of that base."""
    found = _BASED.fullmatch(text)
    if found is None or not 2 <= int(found[2]) <= 16:
        return None
    base = int(found[2])
    return (found[1].lstrip("0").upper() or "0", base) if all(int(digit, 16) < base for digit in found[1]) else None


_BRACKETED = re.compile(r"[\[\](][^\[\](){}]*[,;][^\[\](){}]*[\[\])]")


def is_bracketed(text: str) -> bool:
    """Whether a text is an interval or a tuple without words: [1, 2), (3, 7), ]0; 1[. Words of two letters are units
    and the like beside numbers alone.
    """
    if len(text) > 200 or _BRACKETED.fullmatch(bare := plain(text)) is None:
        return False
    least = 3 if re.search(r"\d", bare) else 2
    return not re.search(rf"(?<![\\A-Za-z])[^\W\d_]{{{least},}}", bare)


_EQUATION = re.compile(r"[\w\s.+*/()−-]+=[\w\s.+*/()−-]+")


def are_equations(a: str, b: str) -> bool:
    """Whether two texts are equations of the same unknowns, two or more of one letter each: y = 2x + 1."""
    if len(a) > 100 or len(b) > 100 or not (_EQUATION.fullmatch(a) and _EQUATION.fullmatch(b)):
        return False
    ones, others = (re.findall(r"[^\W\d_]+", side) for side in (a, b))
    return len(set(ones)) > 1 and set(ones) == set(others) and all(len(one) == 1 for one in ones)


def in_radians(text: str) -> str:
    """Degrees as multiples of pi, for trigonometry and for answers in radians."""
    return _DEGREES.sub(r"(\1\\cdot\\pi/180)", text)
