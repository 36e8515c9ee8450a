"""Units of measure and currencies: `km/h`, `m^2`, `square meters`, `US$`, `apples`.

read_unit("kilometers per hour")  ->  Unit(factor=Fraction(5, 18), dimensions=(("meter", 1), ("second", -1)))
read_unit("apples")               ->  Unit(factor=1, dimensions=(("apple", 1),))
read_unit("and then")             ->  None
"""

import functools
import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from nemo_sdg.text.numbers.spelled import VOWEL_SIGNS
from nemo_sdg.text.tables import read_table

Dimensions = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as a factor and powers of base units, sorted by name. A counted noun is a base unit of its own."""

    factor: Fraction
    dimensions: Dimensions


NO_UNIT = Unit(Fraction(1), ())

_PREFIXES = dict(zip("kMGTcmµμunphdfa", (3, 6, 9, 12, -2, -3, -6, -6, -6, -9, -12, 2, -1, -15, -18), strict=True))
_PREFIX_WORDS = {
    "kilo": 3, "mega": 6, "giga": 9, "tera": 12, "centi": -2, "milli": -3, "micro": -6, "nano": -9, "pico": -12,
    "hecto": 2, "deci": -1, "deca": 1,
}  # fmt: skip


def _table() -> dict[str, Any]:
    table: dict[str, Any] = read_table(Path(__file__).with_name("units.yaml"), typed=True)
    return table


@functools.cache
def _symbols() -> dict[str, str]:
    """Symbols that take prefixes, and their base units; case counts."""
    return dict(_table()["symbols"])


@functools.cache
def _prefixed_words() -> dict[str, str]:
    return {word: base for base, words in _table()["prefixed"].items() for word in words}


@functools.cache
def _plain_words() -> dict[str, tuple[str, Fraction]]:
    """Units and currencies by word. A pound is a weight and a currency: the question says which."""
    return {
        str(word): (base, Fraction(factor))
        for kind in ("words", "currencies")
        for base, rows in _table()[kind].items()
        for factor, words in rows.items()
        for word in words
    }


@functools.cache
def _derived() -> dict[str, tuple[Fraction, dict[str, int]]]:
    """Units of measure that are made of others: a newton is 1000 gram meter per second squared."""
    return {base: (Fraction(factor), parts) for base, (factor, parts) in _table()["derived"].items()}


CURRENCY = re.compile(
    r"(?:us|hk|ca|nz|r|a|c)?\s?\$|(?:jp|cn)¥|[€£¥₹₩₽₺₪₦₱฿₫]|(?:usd|eur|gbp|inr|rs\.?|chf|jpy|cny|rmb|brl|cad|aud|krw|ksh|php|pln|sek)(?=\s|\d)",
    re.IGNORECASE,
)
"""A currency that stands before its number"""
_PHRASES = [
    (re.compile(r"(?:°|º|\bdeg(?:ree)?s?\.?)\s*(?:celsius|centigrade|c)(?![^\W\d_])", re.IGNORECASE), "celsius"),
    (re.compile(r"(?:°|º|\bdeg(?:ree)?s?\.?)\s*(?:fahrenheit|f)(?![^\W\d_])", re.IGNORECASE), "fahrenheit"),
    (re.compile(r"[℃]"), "celsius"),
    (re.compile(r"[℉]"), "fahrenheit"),
    (re.compile(r"\bgrad(?:os)? (?=celsius)|\bdegrés (?=celsius)", re.IGNORECASE), ""),
    (
        re.compile(
            r"\bnautical miles?\b|\bmil(?:la|ha)s? (?:náuticas?|marinas?)\b|"
            r"\bmigli[oa] (?:nautic\w+|marin\w+)\b|\bморск\w+ мил\w*|\bzeemijl(?:en)?\b",
            re.IGNORECASE,
        ),
        "nmi",
    ),
    (re.compile(r"\bmph\b|\bmiles? an hour\b", re.IGNORECASE), "mi/h"),
    (re.compile(r"\b(?:kmh|kph|km/hr)\b", re.IGNORECASE), "km/h"),
    (re.compile(r"\bmps\b"), "m/s"),
    (re.compile(r"\blbs\b", re.IGNORECASE), "lb"),
    (re.compile(r"\btürk lirası\b", re.IGNORECASE), "lira"),
    (re.compile(r"\bkgs\b", re.IGNORECASE), "kg"),
    (re.compile(r"\bmm\s?Hg\b"), "mmHg"),
    (re.compile(r"\b((?:kilo|mega)?watt|newton|pound|ampere|volt)-(hour|met(?:er|re)|foot|second)(?=s?\b)"), r"\1 \2"),
    (re.compile(r"\bhrs\b", re.IGNORECASE), "h"),
    (re.compile(r"\bsecs\b", re.IGNORECASE), "s"),
    (re.compile(r"\b(?:pro stunde|por hora|par heure|per hour|an hour|all'ora)\b", re.IGNORECASE), "/h"),
    (
        re.compile(
            r"\b(?:all['’]|al|alla|par|por|im|om|pr\.?|i)\s?(anno|an|año|ano|jahr|år|mes|mois|mese|monat|mês|semana|settimana|"
            r"woche|día|dia|jour|giorno|tag|jaar|maand|rok|год|месяц)\b",
            re.IGNORECASE,
        ),
        r"/\1",
    ),
    (re.compile(r"\s+в\s+(?=час|минут|секунд|сут|год)|\s+на\s+(?=годину|секунду)", re.IGNORECASE), "/"),
    (re.compile(r"\b(?:per|pro)\b", re.IGNORECASE), "/"),
    (re.compile(r"\b(?:kvadrat|quadrat)(?=[^\W\d_]*met)", re.IGNORECASE), "square "),
    (re.compile(r"\b[kc]ubi[kc](?=[^\W\d_]*met)", re.IGNORECASE), "cubic "),
    (re.compile(r"\b(?:square|sq\.?|quadrat|cuadrados?)[\s-]+([^\W\d_]+)", re.IGNORECASE), r"\1^2"),
    (re.compile(r"\b(?:cubic|cu\.)[\s-]+([^\W\d_]+)", re.IGNORECASE), r"\1^3"),
    (re.compile(r"([^\W\d_]+)\s+(?:squared|carrés?|cuadrados?|quadrados?|quadrati?)\b", re.IGNORECASE), r"\1^2"),
    (re.compile(r"([^\W\d_]+)\s+(?:cubed|cubes?|cúbicos?)\b", re.IGNORECASE), r"\1^3"),
    (re.compile(r"平方([^\W\d_]+)"), r"\1^2"),
    (re.compile(r"立方([^\W\d_]+)"), r"\1^3"),
]  # fmt: skip
_TERM = re.compile(
    rf"([a-zA-Z]{{1,2}}\$|[^\W\d_](?:[^\W\d_]|[{VOWEL_SIGNS}])*(?:[-'’][^\W\d_]+)*\.?|[$€£¥₹₩₽₺₪₦₱฿₫¢°%Ω])\s*"
    r"(?:\^\s*\{?\s*([-+]?\d)\s*\}?)?"
)
_NOT_A_UNIT = re.compile(
    r"\b(?:and|or|to|of the|times|by|minus|plus|than|half|factorial|divided|multiplied|not|und|oder|y|et|ou|if|when|"
    r"because|which|that|is|are|was|were)\b|和|或",
    re.IGNORECASE,
)
"""Words that make more of what stands before them than a number with a unit"""
_UNKNOWN_RAISED = re.compile(r"[a-ln-zA-Z]\s*\^\s*\{?\s*-?\d\s*\}?")
"""s^2, x^3: an unknown; of the units of one letter only a meter has a square of its own"""
MAX_WORDS = 4
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")


@functools.lru_cache(maxsize=1 << 14)
def read_unit(text: str) -> Unit | None:
    """The unit that a text names; None where it is none: operators, unknowns of one letter, sentences."""
    text = re.sub(r"[⁻⁺]?[⁰¹²³⁴-⁹]+", lambda found: "^" + found[0].translate(_SUPERSCRIPTS), text)
    text = re.sub(r"^\((.*)\)$", r"\1", text.strip()).strip()
    text = text.rstrip("!").strip() if not text.startswith("!") else text
    if not text:
        return NO_UNIT
    if _NOT_A_UNIT.search(text) or len(text) > 60 or _UNKNOWN_RAISED.fullmatch(text):
        return None
    text = unicodedata.normalize("NFC", text).replace("\\cdot", "·").replace("\\times", "·")
    for phrase, canonical in _PHRASES:
        text = phrase.sub(canonical, text)
    powers: dict[str, int] = {}
    factor = Fraction(1)
    nouns: list[str] = []
    sign, position, num_words = 1, 0, 0
    while position < len(text):
        if (joint := re.compile(r"\s*[·⋅*×]\s*|\s*/\s*|[\s,()]+|-(?=[^\W\d_])").match(text, position)) is not None:
            sign = -1 if "/" in joint[0] else sign
            position = joint.end()
            continue
        term = _TERM.match(text, position)
        if term is None:
            return None
        num_words += 1
        position = term.end()
        word, exponent = term[1].rstrip(".") or term[1], int(term[2] or 1) * sign
        known = _known(word)
        if known is None:
            if len(word) == 1 and word.isascii():
                return None
            nouns.append(_singular(word.casefold()))
            if sign < 0 or exponent != 1:
                powers[nouns.pop()] = exponent
            continue
        base, one = known
        made, parts = _derived().get(base, (Fraction(1), {base: 1} if base else {}))
        factor *= (one * made) ** exponent
        for part, power in parts.items():
            powers[part] = powers.get(part, 0) + power * exponent
    powers.pop("unit", None)
    nouns = [noun for noun in nouns if noun != "unit"]
    if num_words > MAX_WORDS:
        return None
    if nouns:
        noun = " ".join(nouns)
        powers[noun] = powers.get(noun, 0) + 1
    return Unit(factor, tuple(sorted((base, power) for base, power in powers.items() if power)))


@functools.lru_cache(maxsize=1 << 12)
def _known(word: str) -> tuple[str, Fraction] | None:
    """Base unit and factor of one word."""
    symbols = _symbols()
    if word in symbols:
        return symbols[word], Fraction(1)
    lower = word.casefold()
    if (parted := lower.partition("-"))[0] in _PREFIX_WORDS:
        lower = parted[0] + parted[2]  # kilo-ohm
    for ending in ("", "s", "es", "n", "en"):
        candidate = lower.removesuffix(ending)
        if candidate in _plain_words() and (candidate == lower or len(candidate) > 2):
            return _volume(*_plain_words()[candidate])
        if candidate in _prefixed_words():
            return _prefixed_words()[candidate], Fraction(1)
        for prefix, power in _PREFIX_WORDS.items():
            if candidate.startswith(prefix) and candidate[len(prefix) :] in _prefixed_words():
                return _prefixed_words()[candidate[len(prefix) :]], Fraction(10) ** power
    for symbol in (word, lower):
        if len(symbol) > 1 and symbol != "us" and symbol[0] in _PREFIXES and symbol[1:] in symbols:
            return symbols[symbol[1:]], Fraction(10) ** _PREFIXES[symbol[0]]
    return (symbols[lower], Fraction(1)) if lower in symbols else None


def _volume(base: str, factor: Fraction) -> tuple[str, Fraction]:
    return ("liter", factor / 1000) if base == "milliliter" else (base, factor)


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3 else word


def is_measure(unit: Unit) -> bool:
    """Whether a unit is one of measure or money, and not a counted noun."""
    return all(base in _bases() for base, _ in unit.dimensions)


@functools.cache
def _bases() -> frozenset[str]:
    named = {*_symbols().values(), *_prefixed_words().values(), *(base for base, _ in _plain_words().values())}
    return frozenset(named | {part for _, parts in _derived().values() for part in parts})


def same_dimensions(one: Unit, other: Unit, question: str = "") -> bool:
    """Whether two units measure the same; `red apples` and `apples` do. A bare $ stands for the dollar of a country
    that the question speaks of, and for that of the United States.
    """
    if one.dimensions == other.dimensions:
        return True
    if len(one.dimensions) != len(other.dimensions):
        return False
    if all(
        power == other_power and (base == second or _may_be(base, second, question) or _may_be(second, base, question))
        for (base, power), (second, other_power) in zip(_sorted(one), _sorted(other), strict=True)
    ):
        return True
    if len(one.dimensions) != 1:
        return False
    (first, power), (second, other_power) = one.dimensions[0], other.dimensions[0]
    shorter, longer = sorted((first.split(), second.split()), key=len)
    return power == other_power and len(longer) > 1 and longer[-len(shorter) :] == shorter


def _sorted(unit: Unit) -> list[tuple[str, int]]:
    """The powers of a unit in an order that does not depend on the name of an ambiguous base."""
    return sorted(unit.dimensions, key=lambda pair: (pair[1], pair[0] in _AMBIGUOUS_BASES, pair[0]))


_SIGNS_OF = {
    "dollar": {
        "us_dollar": "",
        "australian_dollar": r"austral|\bAUD\b|A\$|sydney|melbourne",
        "canadian_dollar": r"canad|\bCAD\b|C\$|toronto|montreal|vancouver",
        "hong_kong_dollar": r"hong ?kong|\bHKD\b|HK\$",
    },
    "yen_or_yuan": {"yen": "", "yuan": ""},
    "pound": {"pound_of_weight": "", "sterling": ""},
}
"""A sign that several units share, those that it may stand for, and what a question says where it does"""
_AMBIGUOUS_BASES = frozenset([*_SIGNS_OF, *(base for bases in _SIGNS_OF.values() for base in bases)])


def _may_be(sign: str, base: str, question: str) -> bool:
    where = _SIGNS_OF.get(sign, {}).get(base)
    return where is not None and re.search(where, question, re.IGNORECASE) is not None
