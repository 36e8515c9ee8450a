"""Whether a sentence asks for something to be done, told by its structure: verbs are an open class and not listed."""

import functools
import re
from pathlib import Path
from typing import Any

import yaml

WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
OPENING = re.compile(r"\W*([^\W\d_]+(?:[-'’][^\W\d_]+)*)\s*(.*)", re.DOTALL)
MATERIAL = re.compile(r"[\d\"'“„«‘「『$\\(\[|<`−-]")
"""What begins a number, a quotation or a formula"""


@functools.cache
def _words() -> dict[str, Any]:
    """imperative.yaml, with sets of words."""
    with open(Path(__file__).with_name("imperative.yaml"), encoding="utf-8") as lines:
        loaded = yaml.load(lines, Loader=yaml.BaseLoader)
    objects = {language: frozenset(words.split()) for language, words in loaded["objects"].items()}
    return {"objects": objects, "statements": frozenset(loaded["statements"].split())}


FIRST_ENDING = {
    "ru": re.compile(r"(?:[ийь]те|[ий]тесь|ьтесь)$"),
    "uk": re.compile(r"(?:[їі]ть|[йь]те|іться|йтеся)$"),
    "be": re.compile(r"(?:[йь]це|[іы]це)$"),
    "pl": re.compile(r"(?:[auije]j|cie|ź|sz)$"),
    "cs": re.compile(r"(?:[ejuě]j|te|uj)$"),
    "sk": re.compile(r"(?:[aeu]j|te)$"),
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
    if language in LAST_ENDING and (words := WORD_AND_SIGNS.findall(sentence.lower())):
        return LAST_ENDING[language].search(words[-1]) is not None
    if language in FIRST_ENDING and len(first) > 4 and FIRST_ENDING[language].search(first):
        return True
    objects = _words()["objects"].get(language)
    if objects is None or first in _words()["statements"] or not rest:
        return False
    if language == "en" and first.endswith("ly") and not first.endswith(("pply", "eply", "iply", "mply")):
        return False
    if MATERIAL.match(rest):
        return rest[0] not in "-−'" or MATERIAL.match(rest[1:]) is not None
    following = WORD.match(rest.lower())
    return following is not None and re.split("['’]", following.group())[0] in objects


WORD_AND_SIGNS = re.compile(r"[\w\u0900-\u0dff]+")
