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
from nemo_sdg.text.numbers import Number, find_numbers, is_hedged, numbers_equal, read_number, sole_number
from nemo_sdg.text.numbers.units import CURRENCY, is_measure, read_unit

_AGAIN = re.compile(
    r",?\s+(?:which (?:is|equals|means)|that is|i\.\s?e\.|or(?: about)?|in other words|oftewel|ofwel|dus|das "
    r"(?:sind|heißt)|d\.\s?h\.|"
    r"also|oder|soit|ou|c['’]est-à-dire|o sea|es decir|cioè|ovvero|ossia|ou seja|то есть|т\.\s?е\.|czyli|yani|alltså|"
    r"altså|यानी|أي|tức là|yaitu)\s+|\s*[,，、]\s*(?:即|つまり|즉|也就是)\s*|\s*[=≈]\s*|"
    r"\s*[(（](?=[^()（）]*[)）]\s*[.。]?$)"
)
_CONCLUSION = re.compile(
    r"[,;.]\s+(?:and\s+)?(?:so|thus|hence|therefore|also|daher|somit|folglich|donc|ainsi|por (?:lo )?tanto|"
    r"así que|portanto|"
    r"logo|quindi|dunque|dus|därför|alltså|derfor|altså|więc|zatem|поэтому|значит|следовательно|отже|yani|jadi|vậy)\s+"
    r"|[,，。]\s*(?:所以|因此|よって|したがって|따라서)\s*",
    re.IGNORECASE,
)
MAX_LENGTH = 200


def same_quantity(a: str, b: str, *, question: str = "", language: str = "en") -> bool:
    """Whether two answers surely give one number. False also where one of them gives none that can be made out."""
    ones = said(a, language, question)
    others = said(b, language, question) if ones else []
    if ones and others and _tell_apart(a, b, language, question):
        return False
    return any(numbers_equal(one, other, question=question, language=language) for one in ones for other in others)


_WORD, _LETTER = re.compile(r"[^\W\d_]{2,}"), re.compile(r"[^\W\d_]")


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
    if len(text) > MAX_LENGTH or forms.says_opposite(text, question):
        return []
    if forms.says_no(question) and not forms.says_no(text) and len(text.split()) > 3:
        return []  # 12 people were injured, where it is asked how many were not
    if (conclusion := _CONCLUSION.search(text)) is not None and conclusion.end() < len(text):
        tail = text[conclusion.end() :]
        stated = forms.framed(tail, question, language) or tail
        if (number := read_number(stated.rstrip(".。"), language)) is not None:
            return [number]
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
    if (number := sole(text, language)) is None:
        stated = None if is_hedged(text) or not _LETTER.search(text) else forms.framed(text, question, language)
        rest = text.replace(stated or "", "", 1)
        apart = set(re.findall(r"\d+", rest)) <= set(re.findall(r"\d+", question)) and not re.search(r"/|-\s*$", rest)
        return read_number(stated, language) if stated is not None and apart else None
    return _without_asked_rate(number, question) if number.unit.dimensions else number


def sole(text: str, language: str) -> Number | None:
    """The only number of a sentence, with the unit of measure or the currency that stands beside it."""
    text = _JOINED_UNIT.sub(" ", text)
    if _FUNCTION.search(text):
        return None  # sin(30°)
    if (number := sole_number(text, language)) is None or _AND_HALF.search(text):
        return None
    (found,) = find_numbers(plain(text), language)
    before, behind = plain(text)[: found.start], plain(text)[found.end :].strip()
    if (currency := _CURRENCY_BEFORE.search(before)) is not None:
        unit = read_unit(re.sub(r"[\s.]", "", currency[1]))
        return number if unit is None else replace(number, unit=unit)
    words = behind.split()
    for written in [*(" ".join(words[:num]) for num in (4, 3, 2, 1) if len(words) >= num), *_joined_units(behind)]:
        unit = read_unit(written.strip(".,;!?。।"))
        if unit is not None and unit.dimensions and is_measure(unit):
            return replace(number, unit=unit)
    return number


_FUNCTION = re.compile(r"(?<![A-Za-z])(?:sin|cos|tan|cot|sec|csc|log|ln|exp|sqrt)(?:\s?\(|\s+\d)")
_AND_HALF = re.compile(
    r"\b(?:e mezz[ao]|y medi[ao]|et demie?|e mei[ao]|halb\w*|anderthalb|med en halv)\b", re.IGNORECASE
)
_JOINED_UNIT = re.compile(r"(?<=\d)(?=[A-Za-z°%]+[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])")
_CURRENCY_BEFORE = re.compile(rf"(?<![^\W\d_])({CURRENCY.pattern})\s*[-+]?$", re.IGNORECASE)
_WRITTEN_UNIT = re.compile(r"[A-Za-z°%µΩ/²³]+(?=[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])")


def _joined_units(behind: str) -> list[str]:
    """The beginnings of a text without spaces that may be a unit: 12kmです, 35元。"""
    if (latin := _WRITTEN_UNIT.match(behind)) is not None:
        return [latin[0]]
    return [behind[:num] for num in range(min(len(behind), 8), 0, -1)] if behind[:1] > "\u3000" else []


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


_ASKS_SHARE = re.compile(
    r"probab|\bchances?\b|\blikel|\bodds\b|\bfraction\b|\bproportion|\bshare\b|wahrscheinlich|\bbruchteil|\banteil|fracción|fração|"
    r"frazione|вероятн|概率|確率|확률",
    re.IGNORECASE,
)
_SHARE = re.compile(r"(\w[\w-]*) (?:in|out of|of|von|sur|de|su|из|z) (?:every )?(\w[\w-]*)")


def as_share(text: str, question: str, language: str) -> str:
    """`1 in 6` and `one out of six` as 1/6, where a probability or a fraction is asked for."""
    if not _ASKS_SHARE.search(question):
        return text
    found = _SHARE.fullmatch(text.strip(" ."))
    sides = [None, None] if found is None else [read_number(found[1], language), read_number(found[2], language)]
    part, whole = sides
    if part is None or whole is None or not 0 < part.value < whole.value or whole.value.denominator > 1:
        return text
    return f"{part.value}/{whole.value}" if part.value.denominator == 1 else text
