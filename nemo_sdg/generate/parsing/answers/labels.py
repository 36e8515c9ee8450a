"""The label that a text names in place of an option's words, in the letters of any script.

named_label("therefore option (B)")   ->  {1}
named_label("la respuesta es la B")   ->  {1}     positions count from 0
named_label("ב")                      ->  {1}
named_label("В")                      ->  {1, 2}  Cyrillic: the third letter, or it stands for a Latin B
named_label("vitamin C")              ->  set()
"""

import functools
import re

from nemo_sdg.generate.parsing.answers.leads import (
    ADJECTIVES,
    ADVERBS,
    ARTICLES,
    BE,
    CHOOSES,
    COPULAS,
    NOUNS,
    OPTION_NOUNS,
    OPTION_WORDS,
    SO,
)
from nemo_sdg.generate.parsing.answers.leads import AFTER as LATER
from nemo_sdg.records import LABELS
from nemo_sdg.text.numbers.spelled import numbered, words_table

ALPHABETS = (
    LABELS, "АБВГДЕЖ", "ΑΒΓΔΕΖ", "אבגדהוז", "أبجدهو", "ابجدهو", "कखगघङच", "কখগঘঙচ", "กขคงจฉ", "アイウエオカ",
    "가나다라마바", "甲乙丙丁戊己", "①②③④⑤⑥⑦⑧⑨⑩",
)  # fmt: skip
"""how languages name options in their order"""
RARE_ALPHABETS = ("イロハニホヘ", "αβγδεζ", "абвгдеж", "أبتثجح", "ㄱㄴㄷㄹㅁㅂ")
"""further ones, which count only before the text of the option"""
LOOKALIKES = {"А": "A", "В": "B", "С": "C", "Е": "E", "Н": "H", "Α": "A", "Β": "B", "Ε": "E", "Ζ": "Z"}
"""Cyrillic and Greek capitals that may stand for the Latin letter of the same shape"""
LETTER = f"[{''.join(ALPHABETS)}]"
STATES = (
    rf"(?:(?:{SO})[\s,，、:]*)?(?:(?:{ARTICLES})\s+|l['’])?(?:(?:{ADJECTIVES}|only)\s+)*"
    rf"(?:{OPTION_WORDS}|{NOUNS}|one|choix|keuze|elección|scelta|escolha|wahl|выбор)\s*(?:(?:{ADJECTIVES}|{LATER})\s*)*"
    rf"(?:{BE}|\s*[—–:：])\s*"
)
"""`the right one is`, before an article, a word for option and a label"""
BRACKETED = rf"[(\[{{<【「*]{{0,3}}\s*(?P<label>(?-i:{LETTER}))\s*['’׳]?[)\]}}>】」*]{{0,3}}(?!\w*\d)"
BEFORE = (
    rf"(?:(?:{SO})[\s,，、:]*)?(?:(?:{CHOOSES})\s*)?(?:(?:{ADVERBS}),?\s+)*"
    rf"(?:(?!(?-i:[A-Z])\s)(?:{ARTICLES})\s+|l['’])?"
    rf"(?:(?:{ADJECTIVES})\s+)*(?:(?:{OPTION_WORDS}|{NOUNS})\w{{0,3}}\s*[:：]?\s*)?"
)
AFTER = rf"(?:\s*(?:{OPTION_WORDS}|şıkkı)\w{{0,4}})?"
END = rf"\s*(?:{COPULAS})?\s*[.。।!]?\s*"
RIGHT = rf"(?:{ADJECTIVES}|only|true|richtig|korrekt|juist|correcto|верен|верно|верный|正确|正確|正しい|صحيح|सही)"
NAMED = re.compile(rf"(?:{STATES})?{BEFORE}{BRACKETED}{AFTER}{END}", re.IGNORECASE)
IS_RIGHT = re.compile(
    rf"{BEFORE}{BRACKETED}{AFTER}(?:{BE}|\s+must be|\s+has to be|が|가)?\s*(?:(?:{ARTICLES})\s+|l['’])?"
    rf"(?:(?:{RIGHT}的?\s*)+(?:{OPTION_WORDS}|{NOUNS}|one|答案)?|(?:{NOUNS}|正解|答え|정답|答案)){END}",
    re.IGNORECASE,
)
"""`B is right`, `B ist die richtige Antwort`"""
ONLY = re.compile(
    rf"{BEFORE}(?:only\s+{BRACKETED}\s+(?:fits|matches|works|remains|qualifies|holds|is left)|"
    rf"{BRACKETED.replace('label', 'other')}\s+(?:it is|is the only (?:one|option|choice)\s+that\s+"
    rf"(?:fits|matches|works|holds))){END}",
    re.IGNORECASE,
)
"""`only B fits`"""
NUMBERED = re.compile(
    rf"(?:(?:{ARTICLES})\s+)?(?:{OPTION_WORDS})\s*(?:#|no\.?|number)?\s*\(?(?P<number>[1-9]\d?)\)?{END}", re.IGNORECASE
)
OPTION = rf"(?:{OPTION_NOUNS}|antwortmöglichkeit|vaihtoehto|seçenek|şık|विकल्प|one)"
ORDINAL = re.compile(
    rf"(?:{STATES}|(?:{SO})[\s,:]*)?(?:(?:{ARTICLES})\s+)?(?P<word>\w+)\s+{OPTION}{END}|"
    rf"(?:(?:{ARTICLES})\s+)?(?:(?:{ADJECTIVES})\s+)*{OPTION}{BE}\s*(?:{ARTICLES})\s+(?P<last>\w+){END}",
    re.IGNORECASE,
)
"""`the second option`, `the right one is the fourth`"""
COUNTED = re.compile(
    r"第\s*(?P<count>[一二三四五六七八九十])\s*(?:个|個|番目の?)?\s*(?:选项|選項|選択肢)(?:が正解)?(?:です)?[。.]?"
)
CONCLUSION = re.compile(rf"(?:^|[,;:—–.]\s*)(?P<said>(?:{SO})(?!\w)[\s,，、:]*(?P<rest>\S.*))$", re.IGNORECASE)
LAST_SENTENCE = re.compile(r"(?<=[.!?。！？।])\s+|(?<=[。！？])")


def positions(label: str) -> set[int]:
    """The positions of options, from 0, that one letter may name."""
    found = {alphabet.index(label) for alphabet in (*ALPHABETS, *RARE_ALPHABETS) if label in alphabet}
    if label in LOOKALIKES:
        found.add(LABELS.index(LOOKALIKES[label]))
    return found


def named_label(text: str) -> set[int]:
    """The positions that a text may mean which is only a label, perhaps with `option` or `is the right answer`."""
    text = text.strip()
    if found := NAMED.fullmatch(text) or IS_RIGHT.fullmatch(text):
        return positions(found["label"])
    if found := ONLY.fullmatch(text):
        return positions(found["label"] or found["other"])
    if found := NUMBERED.fullmatch(text):
        return {int(found["number"]) - 1}
    if found := ORDINAL.fullmatch(text):
        place = ordinal_place(found["word"] or found["last"])
        return set() if place is None else {place - 1}
    if found := COUNTED.fullmatch(text):
        return {"一二三四五六七八九十".index(found["count"])}
    return set()


def ordinal_place(word: str) -> int | None:
    """The number, from 1, that an ordinal in words says in any language."""
    return _ordinals().get(word.casefold())


@functools.cache
def _ordinals() -> dict[str, int]:
    """Ordinals from the first to the tenth in all languages that have them in words."""
    words = "first|1st second|2nd third|3rd fourth|4th fifth|5th sixth|6th seventh|7th eighth|8th ninth|9th tenth|10th"
    found = {
        word: place
        for table in words_table().values()
        for word, place in numbered(table.get("ordinals", ""), 1).items()
    }
    return {word: int(place) for word, place in (found | numbered(words, 1)).items() if place <= len(LABELS)}


def concluded(line: str) -> list[str]:
    """What a line may conclude with: its last sentence, and what follows `so` or `hence` there."""
    last = LAST_SENTENCE.split(line.strip().strip("*_"))
    sentence = next((part for part in reversed(last) if part.strip()), "")
    found = CONCLUSION.search(sentence)
    return [sentence] if found is None else [sentence, found["said"], found["rest"]]


def visible(text: str) -> str:
    """The text without marks of direction and of width zero, which stand around letters and are not seen."""
    return text if text.isascii() else INVISIBLE.sub("", text)


INVISIBLE = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
