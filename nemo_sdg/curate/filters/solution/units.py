"""Units of answers: the one that the reasoning ends in, and the one that the question asks for."""

import re

from nemo_sdg.curate.filters.view import Finding, View, excerpt
from nemo_sdg.records import Kind
from nemo_sdg.text.numbers import Number, find_numbers, read_number

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


def unit_missing(view: View) -> Finding | None:
    """The question asks for a unit, and the answer is a bare number."""
    if view.kind in (Kind.code, Kind.free_text) or view.is_choice or not WITH_UNIT.search(view.question):
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
    after = re.match(r"\s?[^\s.,;!?()]+", text[ends[-1].end :])
    written = after.group().strip() if after else ""
    number = read_number(f"1 {written}", view.language) if written else None
    if number is None or not number.unit.dimensions or written in view.question:
        return False
    if number.unit.dimensions != unit.dimensions:
        return bool(gold.unit.dimensions) and ends[-1] is found[-1] and not written[0].isdigit()
    return number.unit.factor != unit.factor
