"""Languages within one text: a clause of another script, or a sentence that is surely in another language."""

import re

from nemo_sdg.curate.filters.view import View, is_quoted, sentences

SCRIPTS = {
    "ru uk bg be sr mk kk ky mn tg": r"[\u0400-\u04ff]",
    "zh ja yue wuu": r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]",
    "ko": r"[\uac00-\ud7af]",
    "ar fa ur ps ckb ug": r"[\u0620-\u06ff]",
    "he yi": r"[\u05d0-\u05ea]",
    "el": r"[\u0370-\u03ff\u1f00-\u1fff]",
    "hi mr ne sa": r"[\u0904-\u0963\u0966-\u097f]",
    "bn as": r"[\u0980-\u09ff]",
    "th lo": r"[\u0e00-\u0e7f]",
    "ta": r"[\u0b80-\u0bff]",
}
"""Languages by their script; all others write Latin letters"""
RUNS = {
    name: re.compile(
        rf"{script}{{2,}}" if name.startswith("zh") else rf"{script}{{2,}}[\u0300-\u036f]*(?:[\s,;'’-]+{script}+)+"
    )
    for name, script in SCRIPTS.items()
}
ANY_FOREIGN = re.compile(r"[\u0370-\u1fff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
LATIN_CLAUSE = re.compile(r"(?:[A-Za-zÀ-ž][a-zß-ž]+[ ,'’]+){3,}[a-zß-ž]{2,}")
FOREIGN_LETTERS = {
    "ru": re.compile(r"[іїєґў]"),
    "uk": re.compile(r"[ыэёъў]"),
    "be": re.compile(r"[иїєщъґ]"),
    "bg": re.compile(r"[ыэёіїєґ]"),
    "cs": re.compile(r"[ľĺŕôä]"),
    "sk": re.compile(r"[ěřů]"),
    "sv": re.compile(r"[æø]"),
    "da": re.compile(r"[ä]"),
    "no": re.compile(r"[ä]"),
    "es": re.compile(r"[ãõçêôà]"),
    "pt": re.compile(r"[ñ¿¡]"),
    "fa": re.compile(r"[ةإ]|^أ"),
    "ar": re.compile(r"[پچژگ]"),
}
"""Letters of a language's nearest relatives that it does not write itself: words alone hardly tell them apart"""
FOREIGN_WORDS = 4
"""In how many words of a text, and in which part of all, there must be such letters"""


def is_of_relative(language: str, text: str) -> bool:
    """Whether a text is written with letters that only a near relative of its language has."""
    letters = FOREIGN_LETTERS.get(language)
    if letters is None:
        return False
    lowered = text.lower()
    if language != "fa" and letters.search(lowered) is None:
        return False
    words = lowered.split()
    num = sum(1 for word in words if letters.search(word))
    return num >= FOREIGN_WORDS and num * 8 >= len(words)


ENCLOSED = re.compile(r"\([^()]*\)|（[^（）]*）|\[[^\[\]]*\]")


def foreign_clause(view: View, text: str) -> str | None:
    """A clause of another script than the language's: two words or more in a row, an ideograph counting as a word.
    What stands in brackets, in quotation marks, in the question or in an answer is spoken of.
    """
    own = next((name for name in SCRIPTS if view.language in name.split()), None)
    if own is None and (text.isascii() or not ANY_FOREIGN.search(text)):
        return None
    text = ENCLOSED.sub(" ", text)
    for name, pattern in RUNS.items():
        if name == own or (own is not None and own.startswith("ko") and name.startswith("zh")):
            continue
        for match in pattern.finditer(text):
            if _is_said(view, text, match):
                return match.group()
    if own is not None:
        for match in LATIN_CLAUSE.finditer(text):
            if _is_said(view, text, match):
                return match.group()
    return None


def _is_said(view: View, text: str, match: re.Match[str]) -> bool:
    said = match.group().strip()
    if is_quoted(text, match.start() + 1) or said in view.asked or any(said in answer for answer in view.accepted):
        return False
    words = [word for word in re.split(r"[\s,;'’]+", said) if len(word) > 1]
    asked = view.folded(view.asked) + view.folded(" ".join(view.accepted))
    return not words or sum(word.lower() in asked for word in words) < len(words) / 2


def long_sentences(text: str) -> list[str]:
    """The sentences of a text that has several."""
    found = sentences(text)
    return found if len(found) > 1 else []
