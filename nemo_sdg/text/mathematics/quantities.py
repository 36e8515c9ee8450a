"""Numbers of answers that are no bare number: with words around them, or said twice in other units.

said("उत्तर: **3**", "hi")                                              ->  [3]
said("De toren is 11.230 cm hoog, oftewel 112,3 meter.", "nl")          ->  [11230 cm, 112.3 m]
said("It has 3 sides and 4 corners", "en")                              ->  []   (two numbers that differ)
same_quantity("%80", "Yüzde seksen (4/5)", language="tr")               ->  True
"""

import functools
import re
from dataclasses import replace

from nemo_sdg.text import forms
from nemo_sdg.text.latex import plain
from nemo_sdg.text.numbers import Number, find_numbers, numbers_equal, read_number, sole_number
from nemo_sdg.text.numbers.units import is_measure, read_unit

_AGAIN = re.compile(
    r",?\s+(?:which (?:is|equals|means)|that is|i\.\s?e\.|or(?: about)?|in other words|oftewel|ofwel|dus|das "
    r"(?:sind|heißt)|d\.\s?h\.|"
    r"also|oder|soit|ou|c['’]est-à-dire|o sea|es decir|cioè|ovvero|ossia|ou seja|то есть|т\.\s?е\.|czyli|yani|alltså|"
    r"altså|यानी|أي|tức là|yaitu)\s+|\s*[,，、]\s*(?:即|つまり|즉|也就是)\s*|\s*[=≈]\s*|"
    r"\s*[(（](?=[^()（）]*[)）]\s*[.。]?$)"
)
MAX_LENGTH = 200


def same_quantity(a: str, b: str, *, question: str = "", language: str = "en") -> bool:
    """Whether two answers surely give one number. False also where one of them gives none that can be made out."""
    ones = said(a, language, question)
    others = said(b, language, question) if ones else []
    if ones and others and _tell_apart(a, b, language, question):
        return False
    return any(numbers_equal(one, other, question=question, language=language) for one in ones for other in others)


_WORD = re.compile(r"[^\W\d_]{2,}")


def _tell_apart(a: str, b: str, language: str, question: str) -> bool:
    """Whether both answers have words of their own beside the number that the question has not: it rose by 7%, it fell
    by 7%.
    """
    if any(read_number(text, language) is not None for text in (a, b)):
        return False
    asked = {word[:4] for word in _WORD.findall(question.casefold())}
    ones, others = ({word for word in _WORD.findall(text.casefold()) if word[:4] not in asked} for text in (a, b))
    return bool(ones - others) and bool(others - ones)


@functools.lru_cache(maxsize=1 << 14)
def said(text: str, language: str = "en", question: str = "") -> list[Number]:
    """The number that an answer gives, once for each time it says it; none where it gives none, or several "
    "that differ."""
    if len(text) > MAX_LENGTH:
        return []
    for form, taken in forms.variants(text).items():
        if not taken & {"aside", "turned", "country"} and (number := _number(form, language, question)) is not None:
            return [number]
    for form, taken in forms.variants(text).items():
        if taken & {"aside", "turned", "country", "tail"}:
            continue
        parts = [part.strip(" .)）。*") for part in _AGAIN.split(plain(form)) if part.strip(" .)）。*")]
        if not 1 < len(parts) < 4:
            continue
        numbers = [_number(part, language, question) for part in parts]
        found = [number for number in numbers if number is not None]
        if len(found) == len(parts) and all(
            numbers_equal(found[0], other, question=question, language=language)
            or _value_of(found[0]) == _value_of(other)
            for other in found[1:]
        ):
            return found
    return []


def _value_of(number: Number) -> object:
    """4/5 says the same as 80% beside it."""
    return number.value / 100 if number.percent else number.value


def _number(text: str, language: str, question: str) -> Number | None:
    """The number of one statement, with its unit where that is one of measure."""
    read = read_number(text, language) or read_number(forms.bare(text), language)
    if read is not None:
        return _without_asked_rate(read, question)
    if (sole := sole_number(text, language)) is None:
        return None
    (found,) = find_numbers(plain(text), language)
    behind = plain(text)[found.end :].strip().split()
    for num in (2, 1):
        unit = read_unit(" ".join(behind[:num]).strip(".,;")) if len(behind) >= num else None
        if unit is not None and unit.dimensions and is_measure(unit):
            return _without_asked_rate(replace(sole, unit=unit), question)
    return sole


def _without_asked_rate(number: Number, question: str) -> Number:
    """Money a year as money, where the question has named the time."""
    times = [(base, power) for base, power in number.unit.dimensions if base in ("month", "second") and power == -1]
    if not times or len(number.unit.dimensions) > 2 or not _TIME.search(question):
        return number
    kept = tuple(pair for pair in number.unit.dimensions if pair not in times)
    if any(base in ("meter", "gram") for base, _ in kept):
        return number
    return replace(number, unit=replace(number.unit, dimensions=kept, factor=number.unit.factor.__class__(1)))


_TIME = re.compile(
    r"\b(?:year|annual|month|week|day|hour|jahr|jähr|monat|woche|tag|stunde|an(?:s|née|nuel)?|mois|jour|año|anual|mes|día|ano|"
    r"mês|dia|anno|annu|mese|giorno|jaar|maand|år|год|ежегодн|месяц|rok|yıl)|年|月|日|년|월",
    re.IGNORECASE,
)
