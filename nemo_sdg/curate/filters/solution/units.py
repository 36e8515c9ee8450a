"""Units of answers: the one that the reasoning ends in, and the one that the question asks for."""

import functools
import re
from pathlib import Path

from nemo_sdg.curate.filters.phrases import phrases
from nemo_sdg.curate.filters.view import WHOLE_WORD, Finding, View, excerpt, sentences
from nemo_sdg.records import Kind
from nemo_sdg.text.normalize import has_any
from nemo_sdg.text.numbers import Number, Unit, find_numbers, read_number
from nemo_sdg.text.numbers.units import read_unit, same_dimensions
from nemo_sdg.text.tables import read_table

ASKED_UNIT = re.compile(r"\b(?:in|en|em|v|w|в|у)\s+([^\s?.,;]+(?: per \w+)?)(?=\s*[?.,;]|\s*$)|\bhow many ([^\s?.,;]+)")
WITH_UNIT = re.compile(
    r"\b(?:with|give|state|include|including|name|mention) (?:\w+ ){0,4}units?\b"
    r"|\b(?:mit|samt|inklusive|inkl\.) (?:\w+ )?einheit"
    r"|\b(?:avec|précise[rz]?|indique[rz]?|donne[rz]?|sans oublier) (?:\w+ ){0,2}(?:l'|son |d')?unités?\b"
    r"|\b(?:con|indica\w*|incluy\w+) (?:\w+ ){0,2}unidad(?:es)?\b|\b(?:con|indica\w*) (?:\w+ |l'){0,2}unità\b"
    r"|\b(?:com|indique|inclua) (?:\w+ ){0,2}unidades?\b|\bmet (?:de )?eenheid|\bmed enhet|\bz jednostką|\bs jednotkou"
    r"|с единиц|вместе с единиц|з одиниц|birimiyle|birimini"
    r"|带单位|写出单位|注明单位|单位も|単位も|単位を付け|단위를|dengan satuan|kèm đơn vị",
    re.IGNORECASE,
)
"""A question that wants its answer with the unit"""
UNIT_PARTS = ("unit", "unidad", "einheit", "enheid", "enhet", "jednost", "jednotkou", "birim", "satuan")
"""Without one of these a text of ASCII does not match"""


def unit_missing(view: View) -> Finding | None:
    """The question asks for a unit, and the answer is a bare number."""
    if view.kind in (Kind.code, Kind.free_text) or view.is_choice:
        return None
    folded = view.folded(view.question)
    if folded.isascii() and not has_any(folded, UNIT_PARTS):
        return None
    if not WITH_UNIT.search(view.question):
        return None
    if any(map(str.isalpha, view.answer)) or any(sign in view.answer for sign in "%‰°€$£¥₹"):
        return None
    return "answer_lacks_unit", excerpt(view.answer)


def unit_differs(view: View, gold: Number, text: str) -> bool:
    """Whether the number of the text that agrees with the answer carries another unit: of another size than the one
    that the answer has or the question asks for, or of another quantity than the answer's own.
    """
    asked = [
        number.unit
        for match in ASKED_UNIT.finditer(view.question)
        for word in match.groups()
        if word and (number := read_number(f"1 {word}", view.language)) is not None and number.unit.dimensions
    ]
    unit = gold.unit if gold.unit.dimensions else asked[-1] if asked else None
    if unit is None:
        return False
    found = find_numbers(text, view.language)
    ends = [one for one in found if one.number.value == gold.value]
    if not ends:
        return False
    written = _unit_behind(text, ends[-1].end)
    number = read_number(f"1 {written}", view.language) if written else None
    if number is None or not number.unit.dimensions:
        return False
    if gold.unit.dimensions and number.unit.dimensions == unit.dimensions:
        if ends[-1] is not found[-1] or FACTOR.search(text[: ends[-1].start]):
            return False
        others = (read_number(f"1 {_unit_behind(text, one.end)}", view.language) for one in ends)
        return all(other is None or other.unit != gold.unit for other in others)
    if written in view.question:
        return False
    if number.unit.dimensions != unit.dimensions:
        return bool(gold.unit.dimensions) and ends[-1] is found[-1] and not written[0].isdigit()
    return number.unit.factor != unit.factor


FACTOR = re.compile(r"[×·⋅*+−–/÷-]\s*$")
"""Before a number that is a part of a sum"""


def _unit_behind(text: str, place: int) -> str:
    """The word behind a number that ends at `place`."""
    rest = text[place:]
    if "$" in text and text.count("$") % 2 == 0:
        rest = rest.replace("$", "", 1) if rest.lstrip().startswith("$") else rest  # the end of a formula
    after = re.match(r"\s?[^\s.,;!?()]+", rest)
    return after.group().strip() if after else ""


@functools.cache
def _quantities() -> list[tuple[Unit, re.Pattern[str]]]:
    """(unit, names of what it measures) of quantities.yaml."""
    loaded: dict[str, dict[str, str]] = read_table(Path(__file__).with_name("quantities.yaml"))
    found = []
    for symbol, names in loaded.items():
        unit = read_unit(symbol)
        assert unit is not None
        pattern = rf"(?<![\w-])(?:{names['latin']})(?![\w-])|{names['other']}"
        found.append((unit, re.compile(pattern, re.IGNORECASE)))
    return found


@functools.cache
def _physical() -> frozenset[str]:
    return frozenset(base for unit, _ in _quantities() for base, _ in unit.dimensions)


TIME = (("second", 1),)
OF_ANOTHER = re.compile(
    r"\bper\b|\bpro\b|\bpar\b|\bpor\b|ratio|rate|factor|times|unit|einheit|density|dichte|tension|angular|rotation|"
    r"specific|spezifisch|activation|kinetic theory|reading|reaction|time|wavelength|orbit|each|light|"
    r"how many|wie viele|combien de|cuánt[oa]s|quant[ie]\b|quant[oa]s\b|hoeveel|ile\b|сколько|скільки|\bkaç|"
    r"berapa (?:banyak|lama)|"
    r"bao nhiêu",
    re.IGNORECASE,
)
"""Of questions that join the quantity with another one, or count"""


def _asked_quantity(view: View, asked: str) -> Unit | None:
    """The unit of the one quantity that a sentence names, or of the first one behind a word that asks (`what is the
    density of a block whose volume is …`); of two that begin at one place the longer (`masse volumique` is no mass).
    """
    found = [
        (match.start(), -len(match.group()), unit)
        for unit, pattern in _quantities()
        if (match := pattern.search(asked)) is not None
    ]
    if not found:
        return None
    found.sort(key=lambda one: one[:2])
    num_places = len({start for start, _, _ in found})
    first = (WHOLE_WORD.findall(view.folded(asked)) or [""])[0]
    if num_places > 1 and first not in phrases("interrogative", view.language, others=False):
        return None
    return found[0][2]


def wrong_quantity(view: View) -> Finding | None:
    """The answer's unit measures another quantity than the one that is asked for: an area in metres, an energy in
    kilowatts.

    Only the last sentence that asks counts.
    """
    if view.kind in (Kind.code, Kind.free_text) or not any(map(str.isdigit, view.answer)):
        return None
    number = read_number(view.answer, view.language)
    if number is None or not number.unit.dimensions or number.unit.dimensions == TIME:
        return None
    said = sentences(view.question)
    asked = next((one for one in reversed(said) if one.rstrip().endswith(("?", "？", "؟"))), (said or [""])[-1])
    if not all(base in _physical() for base, _ in number.unit.dimensions) or OF_ANOTHER.search(asked):
        return None
    unit = _asked_quantity(view, asked)
    if unit is None or same_dimensions(unit, number.unit):
        return None
    return "answer_of_other_quantity", excerpt(view.answer)
