"""Whether a sentence asks for something to be done, told by its structure: verbs are an open class and not listed."""

import functools
import re
from pathlib import Path
from typing import Any

from nemo_sdg.text.tables import read_table

WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
OPENING = re.compile(r"\W*([^\W\d_]+(?:[-'’][^\W\d_]+)*)\s*(.*)", re.DOTALL)
MATERIAL = re.compile(r"[\d\"'“„«‘「『$\\(\[|<`−-]")
"""What begins a number, a quotation or a formula"""


@functools.cache
def _words() -> dict[str, Any]:
    """imperative.yaml, with sets of words."""
    loaded = read_table(Path(__file__).with_name("imperative.yaml"))
    objects = {language: frozenset(words.split()) for language, words in loaded["objects"].items()}
    return {"objects": objects, "statements": frozenset(loaded["statements"].split())}


FIRST_ENDING = {
    "ru": re.compile(r"(?:[ийь]те|[ийь]тесь|[уаеи]й|[бвдмнртс]ь|[вдзлмнрстжш]и)$"),
    "uk": re.compile(r"(?:[їіь]ть|[йь]те|[іь]ться|йтеся|[уаеі]й|[бвдмнртс]ь|[вдзлмнрстжш]и)$"),
    "be": re.compile(r"(?:[йь]це|[іы]це)$"),
    "pl": re.compile(r"(?:[aeiuy]j|cie|śl|[ćńźżśz]|[oe]l)$"),
    "cs": re.compile(r"(?:[ejuěi]j|te|uj|[ťďňřšž]|[^aeiouyáéíóúý]ni)$"),
    "sk": re.compile(r"(?:[aeu]j|te|[ťďňšž]|[^aeiouyáéíóúý]ni)$"),
    "fr": re.compile(r"(?<!ch)(?<!\bn)ez$"),
    "id": re.compile(r"(?:lah|kan)(?<!bahkan)(?<!bukan)$"),
    "ms": re.compile(r"(?:lah|kan)(?<!bahkan)(?<!bukan)$"),
}
"""Endings of an imperative that begins a sentence"""
LAST_ENDING = {
    "tr": re.compile(r"(?:[ıiuü]n|[ıiuü]n[ıiuü]z)$"),
    "az": re.compile(r"(?:[ıiuü]n)$"),
    "hi": re.compile(r"(?:ि[एय]े?|इ[एय]े?|ाएँ|ाएं|ें|ो)$"),
    "ja": re.compile(r"(?:せよ|なさい|ください|下さい)$"),
    "ko": re.compile(r"(?:시오|세요|하라|해라)$"),
}
"""Endings of an imperative that ends one"""


def asks_for_something(sentence: str, language: str) -> bool:
    """Whether a sentence is an imperative: its first word is no word of the closed classes and an object follows
    (`Decode the word`), or its verb has such an ending (`Поставьте`, `yazınız`).
    """
    match = OPENING.match(sentence)
    if match is None:
        return False
    first, rest = match.group(1).lower(), match.group(2)
    if POLITE.match(first):
        return True
    if language == "ar":  # a verb before its object, be it one of a statement
        return not first.startswith("ال") and ARABIC_OBJECT.match(rest) is not None
    if language in LAST_ENDING and (words := WORD_AND_SIGNS.findall(sentence.lower())):
        return LAST_ENDING[language].search(words[-1]) is not None
    if language in FIRST_ENDING and len(first) > 4 and FIRST_ENDING[language].search(first):
        return True
    if language == "en" and (after := AFTER_OPENING.match(sentence)) is not None:
        return after.group(1) not in _words()["statements"]
    objects = _words()["objects"].get(language)
    if objects is None or first in _words()["statements"] or not rest:
        return False
    if language == "en" and first.endswith("ly") and not first.endswith(("pply", "eply", "iply", "mply")):
        return False
    if CAPITALS.match(rest):
        return True
    if MATERIAL.match(rest):
        return rest[0] not in "-−'" or MATERIAL.match(rest[1:]) is not None
    following = WORD.match(rest.lower())
    if language == "vi" and (words := WORD.findall(rest.lower())[:2]):
        return not objects.isdisjoint(words)
    return following is not None and re.split("['’]", following.group())[0] in objects


WORD_AND_SIGNS = re.compile(r"[\w\u0900-\u0963\u0966-\u0dff]+")
POLITE = re.compile(
    r"(?:please|kindly|bitte|prière|veuillez|proszę|prosím|пожалуйста|lütfen|mohon|tolong|tafadhali|kérem)\Z"
)
ARABIC_OBJECT = re.compile(r"ال|[\d\"«“(]")
CAPITALS = re.compile(r"[A-Z]{2,}\d*(?![\w.])")
AFTER_OPENING = re.compile(r"\W*(?:In|Using|With|Without|From|Given|By|For|On|To)\b[^.?!;]*?, ([a-z]+)\b")
"""`In one sentence, contrast …`: what follows may be a verb, and then something is asked for"""
