r"""Digits with their separators, by language: `1.234,5`, `12,34,567`, `1'000.50`, `3{,}5`, `1 234,56`.

read_digits("1.234", "de")  ->  (Fraction(1234), 0)
read_digits("1.234", "en")  ->  (Fraction(617, 500), 3)
read_digits("4,6,14", "en") ->  None
"""

import re
from fractions import Fraction

from nemo_sdg.text.numbers.spelled import base_language

_DECIMAL_COMMA = frozenset(
    re.findall(
        r"\w+",
        "af az be bg bs ca cs da de el es et eu fi fo fr gl hr hu hy id is it ka "
        "kk ky lb lt lv mk nb nl nn no pl pt ro ru sk sl sq sr sv tr uk uz vi",
    )
)
_DECIMAL_POINT_REGIONS = re.compile(
    r"(?:de|it|fr)[-_](?:ch|li)|es[-_](?:mx|us|pr|gt|hn|ni|pa|pe|sv|do|419)", re.IGNORECASE
)
_RUN = re.compile(r"\d+(?:(?:[.,'_]|\{[.,]\}|\\[,!;: ]|\\thinspace | (?=\d{3}(?!\d)))\d+)*|\.\d+")
_SEPARATOR = re.compile(r"\{[.,]\}|[^\d]+")


def decimal_comma(language: str) -> bool:
    """Whether a language writes decimals with a comma (CLDR); `de` does, `de-CH` does not."""
    return base_language(language) in _DECIMAL_COMMA and not _DECIMAL_POINT_REGIONS.match(language)


def read_digits(run: str, language: str) -> tuple[Fraction, int] | None:
    """(value, decimal places) of digits with their separators; None for what is a list, a version or an address.

    Where comma and point both stand, the last one is the decimal sign; a lone one is read by the language.
    """
    parts = _SEPARATOR.split(run)
    signs = [_sign(found[0]) for found in _SEPARATOR.finditer(run)]
    if run.startswith("."):
        return Fraction(int(parts[1]), 10 ** len(parts[1])), len(parts[1])
    if not signs:
        return Fraction(int(run)), 0
    point = _decimal_sign(parts, signs, language)
    if point is None:
        return None
    whole, decimals = parts[: point + 1], parts[point + 1 :]
    if (
        len(set(signs[:point])) > 1
        or (point < len(signs) and signs[point] in signs[:point])
        or any(sign != " " for sign in signs[point + 1 :])
    ):
        return None
    if len(whole) > 1 and not _grouped(whole, indian=signs[0] == ","):
        return None
    if any(len(group) != 3 for group in decimals[:-1]):
        return None
    tail = "".join(decimals)
    return Fraction(int("".join(whole) + tail), 10 ** len(tail)), len(tail)


def _sign(separator: str) -> str:
    if separator in (".", ","):
        return separator
    return "{" + separator[1] if separator[0] == "{" else " "


def _grouped(whole: list[str], *, indian: bool) -> bool:
    """1,234,567 and 12,34,567; not 12,34 and not 0,123."""
    first, *middle, last = whole
    if len(last) != 3 or not 1 <= len(first) <= 3 or first.startswith("0"):
        return False
    return all(len(group) == 3 for group in middle) or (
        indian and len(first) <= 2 and all(len(group) == 2 for group in middle)
    )


def _decimal_sign(parts: list[str], signs: list[str], language: str) -> int | None:
    """Which separator is the decimal sign: its index, len(signs) where there is none, None where it cannot be read."""
    # A comma in braces is LaTeX's way to write one without a space after it; never a list.
    braced = any(sign.startswith("{") for sign in signs)
    signs[:] = [sign[-1] for sign in signs]
    marks = [index for index, sign in enumerate(signs) if sign in ".,"]
    kinds = {signs[index] for index in marks}
    if not marks:
        return len(signs)
    if len(kinds) == 2 or " " in signs[: marks[-1]]:
        return marks[-1]
    if len(marks) > 1:
        return len(signs)
    (mark,) = marks
    if decimal_comma(language) and signs[mark] == ",":
        return mark
    looks_grouped = len(parts) == 2 and _grouped(parts, indian=False)
    if signs[mark] == ",":
        return len(signs) if looks_grouped else mark if braced else None
    return len(signs) if looks_grouped and decimal_comma(language) else mark


def scan_digits(text: str, start: int, language: str) -> tuple[Fraction, int, int] | None:
    """(value, places, end) of the longest readable run of digits and separators."""
    run = _RUN.match(text, start)
    if run is None:
        return None
    read = read_digits(run[0], language)
    if read is not None:
        return *read, run.end()
    lead = re.compile(r"\d+(?:\.\d+(?![.,]?\d))?").match(text, start)
    assert lead is not None
    return *(read_digits(lead[0], "en") or (Fraction(0), 0)), lead.end()
