"""The answer inside a sentence that restates its question, found by aligning the sentence with the question's words.

framed("The 1992 Games were held in the city of Barcelona.", "Which city held the 1992 Games?", "en")  ->  "Barcelona"
framed("La capitale du Canada est Ottawa.", "Quelle est la capitale du Canada ?", "fr")                ->  "Ottawa"
framed("Italy lost the match.", "Who won the match?", "en")                                            ->  "Italy lost"

What is left is what the question has not said: nothing is taken off but words of the question, in any of their forms,
articles, copulas, prepositions of place and of the agent. A sentence that denies gives nothing.
"""

import functools
import re

from nemo_sdg.text.forms.aligning import (
    KOREAN_ENDING,
    asked_words,
    frame_of,
    is_among,
    is_said,
    offered_words,
    said_nouns,
    tokens_of,
    tokens_restate,
)
from nemo_sdg.text.forms.roles import other_case, other_particle, roles_changed, turned_round
from nemo_sdg.text.numbers import is_hedged

MAX_LENGTH = 300
"""characters of a sentence that is looked at"""
_DENIES = re.compile(
    r"\b(?:not|no|never|neither|nor|isn't|aren't|wasn't|weren't|didn't|doesn't|cannot|nicht|kein\w*|nie|weder|pas|ni|"
    r"jamais|aucune?|nunca|ningun[oa]?|não|nem|non|né|mai|niet|geen|nooit|inte|aldrig|ikke|nie|ne|není|nebyl\w*|ei|eivät|"
    r"не|нет|ни|ні|değil|yok|ليس|ليست|لا|لم|नहीं|tidak|bukan|không)\b"
    r"|n['’]t\b|[不没沒非未無]|ない|ません|아니|않",
    re.IGNORECASE,
)
_REJECTED = re.compile(
    r"\s*[,，;]\s*(?:(?:and|und|et|y|e|en|och|og|i|а|и)\s+)?"
    r"(?:not|nicht|non|pas|no|não|niet|inte|ikke|nie|не|而不是|"
    r"rather than|and not)\s+[^,，.;]{1,40}[.]?$",
    re.IGNORECASE,
)
"""what a sentence says that the answer is not: `…, not London`"""
_BEFORE = "$€£¥₹₩-−+±"
_BEHIND = re.compile(r"\s?[%‰€£¥₹₩₽₺]|\s?\$(?!\w)|[+#!°]")
_OPERATORS = re.compile(r"[\^=+*<>\\]")


@functools.lru_cache(maxsize=1 << 13)
def framed(text: str, question: str, language: str) -> str | None:
    """What is left of a sentence without the words of the question and of its frame; None where nothing is left,
    nothing was there to take off, or the sentence denies.
    """
    if not question or len(text) > MAX_LENGTH:
        return None
    text = _REJECTED.sub("", text)
    tokens = tokens_of(text)
    asked, frame = asked_words(question), frame_of(language)
    outer = [not is_said(token.word, asked, frame, language) for token in tokens]
    outer = [
        is_outer or (place > 0 and token.end - token.start == 1 and "A" <= text[token.start] <= "Z")
        for place, (is_outer, token) in enumerate(zip(outer, tokens, strict=True))
    ]
    if not any(outer) or not tokens_restate(tokens, asked, language):
        return None
    first, last = outer.index(True), len(outer) - 1 - outer[::-1].index(True)
    start, end = tokens[first].start, tokens[last].end
    while start > 0 and text[start - 1] in _BEFORE:
        start -= 1
    while (sign := _BEHIND.match(text, end)) is not None:
        end = sign.end()
    around = text[:start] + " | " + text[end:]
    if _OPERATORS.search(around) or _is_bounded(text[:start], text[start:end], text[end:]):
        return None
    if roles_changed([token.word for token in tokens], question, language):
        return None
    if language[:2] == "hi" and other_case(text[end:], question):
        return None
    if first and turned_round([token.word for token in tokens[:first]], question, language):
        return None
    taken = tokens[:first] + tokens[last + 1 :]
    if not any(text[token.start].lower() == text[token.start] for token in taken):
        return None  # George H. W. Bush, of whom the question has said Bush
    few = len(taken) < 2 and not any(token.word in frame for token in taken)
    if few and not re.match(r"[-\d$€£¥₹]", text[start:]):
        return None  # sodium chloride, where a chloride is asked for
    if re.search(r"[^\s(\[\"'«“„「『（:：。，,、\u3040-\u9fff]$", text[:start]) or re.match(
        r"[-/^*=_\w]|[.,:]\d", text[end:]
    ):
        return None  # a-2; 0,1
    if (first, last) == (0, len(tokens) - 1):
        return None
    if _DENIES.search(around):  # the question may deny too: the planet that has no moon is Venus
        shared = sum(token.word in asked for token in taken)
        if not _DENIES.search(question) or shared < 4:
            return None
    if language[:2] == "ko":
        end -= len(text[start:end]) - len(KOREAN_ENDING.sub("", text[start:end]))
    if text[end : end + 1] in (")", "）") and "(" in text[start:end].replace("（", "("):
        end += 1
    return text[start:end]


def framed_name(text: str, question: str, language: str) -> str | None:
    """What is left of a sentence, with the words of the question that belong to a name: the Second World War."""
    said = framed(text, question, language)
    if said is None or not text.isascii():
        return said
    start = text.index(said)
    before, behind = _NAME_BEFORE.search(text[:start]), _NAME_BEHIND.match(text[start + len(said) :])
    return (before[0] if before is not None else "") + said + (behind[0] if behind is not None else "")


_NAME_BEFORE = re.compile(r"(?:(?<=\s)[A-Z][\w'-]*\s)+$")
_NAME_BEHIND = re.compile(r"(?:\s[A-Z][\w'-]*)+")


@functools.lru_cache(maxsize=1 << 13)
def frame_words(text: str, question: str, language: str) -> tuple[str, ...]:
    """The words of the question that stand around what a sentence says, in their order. Two sentences that say the same
    of other things (male catheters are longer, female catheters are longer) differ in them.
    """
    said = framed(text, question, language)
    if said is None:
        return ()
    start = text.index(said)
    own = frame_of(language)
    return tuple(
        token.word for token in tokens_of(text[:start] + " " + text[start + len(said) :]) if token.word not in own
    )


def holds(short: str, long: str, question: str, language: str) -> bool:
    """Whether a sentence, normalised, says of the short answer what was asked: it holds its words, and no others but
    those of the question and of its frame. An alternative that the question offers is another answer.
    """
    words, tokens = short.split(), long.split()
    tokens = _without_rival(tokens, question, language)
    if not 0 < len(words) < len(tokens) or not question or not set(words) <= set(tokens) or _DENIES.search(long):
        return False
    asked, frame = asked_words(question), frame_of(language)
    offered = offered_words(question, language)
    if all(is_said(word, asked, frame, language) for word in words) and not set(words) & offered:
        return False
    for place in range(len(tokens) - len(words) + 1):
        if tokens[place : place + len(words)] != words:
            continue
        rest = tokens[:place] + tokens[place + len(words) :]
        if _is_bounded(" ".join(tokens[:place]), short, " ".join(tokens[place + len(words) :])):
            continue
        if roles_changed(tokens, question, language):
            continue
        if language[:2] == "hi" and other_case(" ".join(tokens[place + len(words) :]), question):
            continue
        if place and turned_round(tokens[:place], question, language):
            continue
        if set(rest) & offered and set(words) & offered:
            continue
        if not any(word in said_nouns() or is_among(word, asked, language) for word in rest) or len(tokens[-1]) < 2:
            continue
        around = sum(word in frame for word in rest) > sum(word in said_nouns() for word in rest)
        if not (around or len(rest) > 1 or set(words) & offered):
            continue  # Eiffel, of the tower that was asked for, is not the Eiffel Tower
        if all(is_said(word, asked, frame, language) for word in rest):
            return True
    return False


_JOINED = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_JOINED_FRAME = frozenset("这那是为的了在于由此一条个位名叫作做成它他她所以因案答，。、：「」《》“”这為條個說法 ")
_JOINED_CONTRAST = re.compile("から|まで|より|以外|以上|以下|未満|だけ|前|後|后|除|而|但|反|曾|被|败|敗|输|負")


def holds_joined(short: str, long: str, question: str) -> bool:
    """`holds` for Chinese and Japanese, character by character: 这是一条正面评论。 says 正面."""
    short, long = short.strip(" 。."), long.strip(" 。.")
    if (
        not question
        or not 0 < len(short) < len(long) <= MAX_LENGTH
        or long.count(short) != 1
        or not _JOINED.search(long)
    ):
        return False
    start = long.index(short)
    rest = long[:start] + long[start + len(short) :]
    if _DENIES.search(rest) or any(found[0] not in question for found in _JOINED_CONTRAST.finditer(rest)):
        return False
    if re.search(r"[0-9A-Za-z]$", long[:start]) and re.match(r"[0-9A-Za-z]", short):
        return False
    if question.startswith("谁") and start and not re.search("[是被由叫为]", rest):
        return False  # 项羽打败了刘邦 does not say who beat 项羽
    if other_particle(short, long, question):
        return False
    if short in question and not _JOINED_OR.search(question):
        return False
    return all(char in _JOINED_FRAME or char in question or "\u3041" <= char <= "\u309f" for char in rest)


_JOINED_OR = re.compile("还是|還是|或|それとも|または|か、")


def _is_bounded(before: str, said: str, behind: str) -> bool:
    """Whether the words beside a number make something else of it: more than 30, 30 or less."""
    beside = [*before.split()[-2:], "|", *behind.split()[:2]]
    return any(map(str.isdigit, said)) and is_hedged(" ".join(beside))


_RIVAL = frozenset(
    "than als que чем ніж än enn end niż než dan against gegen contre contra contro против проти over".split()  # noqa: SIM905
)


def _without_rival(words: list[str], question: str, language: str) -> list[str]:
    """`lead is heavier than iron` without the other one of the two that the question offers."""
    offered, frame = offered_words(question, language), frame_of(language)
    for place, word in enumerate(words):
        rest = words[place + 1 :]
        if word in _RIVAL and place and rest and set(rest) & offered and all(w in offered or w in frame for w in rest):
            return words[:place]
    return words


def frame_alone(text: str, question: str, language: str) -> bool:
    """Whether a text, of words alone, has no word but those of the question and of a frame, and denies nothing."""
    asked, frame = asked_words(question), frame_of(language)
    return not _DENIES.search(text) and all(is_said(token.word, asked, frame, language) for token in tokens_of(text))


def restates(text: str, question: str, language: str) -> bool:
    """Whether a word of the question, or of what sentences call their answer, is in a text."""
    return tokens_restate(tokens_of(text), asked_words(question), language)


def without_rejected(text: str) -> str:
    """`Paris, not London` without what is rejected."""
    return _REJECTED.sub("", text)


def denies(text: str) -> bool:
    return _DENIES.search(text) is not None
