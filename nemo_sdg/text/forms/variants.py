"""What an answer is once the words around it are taken off: emphasis, a label, an explanation, an aside.

variants("Die Ausgabe ist `4`.")                      ->  also "4"
variants("**Output:** False")                         ->  also "False"
variants("No, since 91 = 7 × 13.")                    ->  also "No"
variants("newton (N)")                                ->  also "newton", "N"
variants("東京都(Tokyo)です")                          ->  also "東京都"

Each variant comes with what was taken off: two answers that differ in their asides are not made equal by losing both.
"""

import functools
import re
from collections.abc import Callable, Iterator, Mapping

from nemo_sdg.text.forms.bare import bare
from nemo_sdg.text.forms.framing import without_rejected
from nemo_sdg.text.forms.persons import name_turned_round, without_calling, without_country, without_patronymic

MAX_LENGTH = 400
"""characters of an answer that is looked at; a longer text is no short answer"""
MAX_VARIANTS = 24
_EMPHASIS = re.compile(r"\*\*([^*\n]{1,120})\*\*|`([^`\n]{1,120})`|(?<!\w)__([^_\n]{1,120})__(?!\w)")
_NEGATION = re.compile(
    r"\b(?:not|no|never|neither|nor|isn't|aren't|wasn't|cannot|nicht|kein\w*|nie|weder|pas|ni|jamais|aucune?|nunca|"
    r"ningun[oa]?|não|nem|nunca|non|né|mai|niet|geen|inte|ikke|nie|не|нет|ни|değil|yok|ليس|لا|لم|नहीं|tidak|bukan|không)\b"
    r"|n['’]t\b|[不没沒非未無]|ない|아니|않",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^[^\W\d_](?:[^\W\d_]|[ '’\u0900-\u094d\u064b-\u0652-]){1,40}\s?(?::\s+|：\s*)(?=\S)")
_ASIDE = re.compile(r"^(?P<outer>.*\S)\s*[(（](?P<inner>[^()（）]{1,80})[)）](?P<end>[^()（）]{0,8})$", re.DOTALL)
_SHORT_FORM = re.compile(r"[A-Z][A-Za-z0-9₀-₉]{0,7}|[A-Z](?:\.[A-Z])+\.?|[^\W\d_]\d?")
_OTHER_NAME = re.compile(
    r"(?:[^\s,;:=\d]|(?<=[^\W\d_]-)\d){3,24}(?:\s[^\s,;:=\d]{2,24}){0,3}|[^\s,;:=\d]{2}(?:\s[^\s,;:=\d]{2,24}){1,3}"
    r"|[^\W\d_]{2,24}-\d{1,3}"
)
_TAIL = re.compile(
    r"(?:\s+[–—-]{1,2}\s+|[,;:]?\s+(?:because|since|weil|denn|parce que|car|puisque|porque|ya que|pois|perché|"
    r"poiché|omdat|want|"
    r"eftersom|fordi|потому что|так как|поскольку|çünkü|لأن|क्योंकि|因为|karena|vì)\s)|[,，、]\s?(?:因为|なぜなら)|;\s",
    re.IGNORECASE,
)
_CONCLUSION = re.compile(
    r"\s*(?:→|⇒|=>|\\Rightarrow|\\to(?![a-z]))\s*(?P<arrow>[^→,;]{1,60})$|[,;.]\s+(?:so|thus|"
    r"hence|therefore|and so|"
    r"also|daher|donc|dus|por lo tanto|quindi|значит|итак)?,?\s*"
    r"(?:the\s+(?:final\s+)?(?:answer|result)\s+(?:is|=)|(?:ist\s+)?die antwort(?:\s+(?:ist|lautet))?|la réponse est|"
    r"la respuesta es|a resposta é|la risposta è|het antwoord is|ответ)\s*:?\s*(?P<answer>[^,;]{1,80})$",
    re.IGNORECASE,
)
_COMPANY = re.compile(
    r"(?<=\w),?\s+(?:Inc|Incorporated|Corp|Corporation|Ltd|Limited|LLC|L\.L\.C|PLC|GmbH|S\.p\.A|N\.V)\.?$"
)
_WHEN = re.compile(r"(?<=[^\W\d_]),?\s+\(?(?:in|im|en|nel|em|в|w|år|år|i)\s+(?:the year )?\d{4}\)?\.?$")
_QUOTES = "\"'`“”„«»‹›「」『』‘’"


@functools.lru_cache(maxsize=1 << 12)
def variants(text: str) -> Mapping[str, frozenset[str]]:
    """Forms of an answer and what was taken off for each; the text itself first, without anything taken off."""
    text = text.strip()
    found: dict[str, frozenset[str]] = {text: frozenset()}
    if len(text) > MAX_LENGTH:
        return found
    waiting = [text]
    while waiting and len(found) < MAX_VARIANTS:
        current = waiting.pop(0)
        for name, changed in _steps(current):
            changed = changed.strip().strip("*").strip()
            if changed and changed not in found:
                found[changed] = found[current] | {name}
                waiting.append(changed)
    return found


def _steps(text: str) -> Iterator[tuple[str, str]]:
    if (span := _emphasised(text)) is not None:
        yield "emphasis", span
    if (label := _LABEL.match(text)) is not None:
        yield "label", text[label.end() :]
    if (aside := _ASIDE.match(text)) is not None:
        yield "aside", aside["outer"] + aside["end"]
        if _SHORT_FORM.fullmatch(aside["inner"].strip()) and not _NEGATION.search(aside["inner"]):
            yield "aside", aside["inner"]
        elif _OTHER_NAME.fullmatch(aside["inner"].strip()) and not _NEGATION.search(aside["inner"]):
            yield "other name", aside["inner"]
    if (end := _CONCLUSION.search(text)) is not None and (
        end["answer"] or _concludes(text[: end.start()], end["arrow"])
    ):
        yield "lead", end["answer"] or end["arrow"]
    if (tail := _TAIL.search(text)) is not None and len(re.findall(r"[^\W_]+|[\u3040-\u9fff]", text[tail.end() :])) > 2:
        yield "tail", text[: tail.start()]
    quoted = text.rstrip(".。")
    if len(quoted) > 2 and quoted[0] in _QUOTES and quoted[-1] in _QUOTES:
        yield "quotes", quoted[1:-1]
    changes: list[tuple[str, Callable[[str], str]]] = [
        ("lead", bare),
        ("turned", name_turned_round),
        ("country", without_country),
        ("middle", without_patronymic),
        ("calling", without_calling),
        ("rejected", without_rejected),
        ("company", lambda name: _COMPANY.sub("", name)),
        ("aside", lambda event: event if re.search(r"\d", event[:-6]) else _WHEN.sub("", event)),
    ]
    for name, change in changes:
        yield name, change(text)


def _concludes(before: str, behind: str) -> bool:
    """Whether an arrow stands before a conclusion: the value of a calculation, or what a sentence comes to. It is none
    in a limit, an implication or a reaction.
    """
    if _REACTANT.search(before):
        return False
    value = len(before.strip()) > 1 and _VALUE.fullmatch(behind.strip()) is not None
    return value or len(re.findall(r"[^\W\d_]{2,}", before)) > 2


_REACTANT = re.compile(r"\b\d*[A-Z][a-z]?(?:\d|\s*\+\s)")
_VALUE = re.compile(r"[-+$€£]?\s?\d[\d.,/]*(?:\s?%|\s\S.*)?")


def _emphasised(text: str) -> str | None:
    """The only part of a text that is set off, where nothing around it says no; a label that is set off is none."""
    spans = [next(group for group in found.groups() if group is not None) for found in _EMPHASIS.finditer(text)]
    spans = [span.strip() for span in spans if not span.strip().endswith((":", "："))]
    if len(spans) != 1:
        return None
    around = _EMPHASIS.sub(" ", text)
    return None if _NEGATION.search(around) else spans[0]


def says_no(text: str) -> bool:
    return _NEGATION.search(text) is not None
