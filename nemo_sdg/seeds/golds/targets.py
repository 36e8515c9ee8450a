"""Reads a row's target as an answer: a whole number or expression, or texts with their aliases.

read_number("3 + 4 = 7\\n#### 7", "en")    NumericGold(answer="7", reasoning="3 + 4 = 7", target_format="#### 7")
read_number("-$5.50", "en")                 NumericGold(answer="-$5.50")
read_number("Of 12 he ate 3.", "en")        raises Unrenderable("ambiguous_gold")
"""

import re
from dataclasses import dataclass
from typing import Any

from nemo_sdg.seeds.fields.reading import Unrenderable, text_of, trimmed
from nemo_sdg.text.boxes import find_boxes, last_box
from nemo_sdg.text.mathematics import is_expression
from nemo_sdg.text.numbers import find_numbers
from nemo_sdg.text.numbers import read_number as parse_number

_MAX_EXPRESSION = 200
_MARKS = re.compile(r"[\d∞π√∅½¼¾⅓⅔]|\\(?:infty|pi|emptyset)")
_WORD = re.compile(r"[^\W\d_]{3,}")
_COMMANDS = re.compile(r"\\(?:begin|end)\{\w+\*?\}|\\(?:text\w*|math\w*|mbox)\s*\{[^{}]*\}|\\[A-Za-z]+")
_LABEL = re.compile(r"\A\(?[a-hA-H]\)\s+(?=\S)")
_SENTENCES = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])\s*|\n")
_MARKUP = re.compile(r"</?[A-Za-z][A-Za-z0-9]*\s*/?>|<[A-Za-z]+\s[^<>]*=\s*[\"'][^<>]*>|&(?:[A-Za-z]{2,8}|#\d{2,5});")
_SAYS_ANSWER = re.compile(
    r"\b(?:answer|result|solution|antwort|ergebnis|respuesta|resultado|resposta|réponse|résultat|risposta|risultato|jibu|jawaban)\b"
    r"|ответ|答案|答え|答|답|الجواب|الإجابة|उत्तर|উত্তর|సమాధానం|คำตอบ",
    re.IGNORECASE,
)
_YES_WORDS = """yes true sí si sim ja oui da да evet ken はい 是 对 예 네 نعم हाँ হ্যাঁ ndiyo ya tak igen ano vrai wahr
richtig verdadero verdadeiro vero cert cierto"""
_NO_WORDS = """no false não nao nein nej nee non nu нет hayır いいえ 否 不是 错 아니오 아니요 لا नहीं না hapana tidak
nie nem ne faux falsch falso fals"""
_AFFIRMATIVE, _NEGATIVE = frozenset(_YES_WORDS.split()), frozenset(_NO_WORDS.split())
_UNANSWERED = frozenset(["unanswerable", "no answer", "not given", "unknown", "none"])


@dataclass(kw_only=True, slots=True)
class NumericGold:
    answer: str
    reasoning: str | None = None
    """the rationale that the target gives besides the number"""
    target_format: str | None = None
    """how the target writes the number: `#### 7`, `\\boxed{7}`"""


def read_number(text: str, language: str) -> NumericGold | None:
    """The number or expression of a numeric target: what stands after `####`, in its boxes, or the target as a whole;
    else the one number of a sentence, or of the sentence that says what the answer is. None where there is no number.

    Raises Unrenderable where several numbers could be meant.
    """
    if "####" in text:
        rationale, _, tail = text.rpartition("####")
        marked = trimmed(trimmed(tail).split("\n")[0])
        form = f"#### {marked}"
        return NumericGold(answer=marked, reasoning=rationale.rstrip() or None, target_format=form) if marked else None
    in_box = boxed(text)
    if in_box is not None:
        form = f"\\boxed{{{in_box}}}"
        return NumericGold(answer=in_box, reasoning=text if text.strip() != form else None, target_format=form)
    whole = _without_full_stop(_LABEL.sub("", text.strip()))
    if is_number_or_expression(whole, language):
        return NumericGold(answer=whole)
    found = _numbers(text, language)
    if not found:
        return None
    sentence = text if len(text.split()) > 7 or "\n" in text.strip() else None
    if len(found) == 1:
        return NumericGold(answer=found[0], reasoning=sentence)
    last = [part for part in _SENTENCES.split(text.strip()) if part.strip()][-1]
    found = _numbers(last, language)
    if _SAYS_ANSWER.search(last) and len(found) == 1:
        return NumericGold(answer=found[0], reasoning=sentence)
    raise Unrenderable("ambiguous_gold", f"several numbers could be the answer: {' '.join(text.split())[:80]!r}")


def is_number_or_expression(text: str, language: str) -> bool:
    """Whether a text is one number, with its sign, currency or unit, or one expression: a fraction, a time, a ratio, a
    range, a tuple.
    """
    if not text or len(text) > _MAX_EXPRESSION or "\n" in text or _MARKUP.search(text) is not None:
        return False
    if parse_number(text, language) is not None or is_expression(text):
        return True
    return _MARKS.search(text) is not None and _WORD.search(_COMMANDS.sub(" ", text)) is None


def _without_full_stop(text: str) -> str:
    return text[:-1].rstrip() if text.endswith((".", "。")) and not text.endswith("..") else text


def _numbers(text: str, language: str) -> list[str]:
    """The numbers of a running text as they are written there."""
    return [text[found.start : found.end] for found in find_numbers(text, language)]


def boxed(text: str) -> str | None:
    r"""What stands in the last `\boxed{…}` of a LaTeX text; in all of them, joined by a comma, where the last sentence
    with a box holds several that differ.
    """
    last: str | None = last_box(text)
    if last is None:
        return None
    boxes = find_boxes(text)
    together = [boxes[-1]]
    for box in reversed(boxes[:-1]):
        between = text[box.end : together[0].start]
        if "\n\n" in between or re.search(r"[.!?](?:\s|\$)", between) or len(between) > _MAX_EXPRESSION:
            break
        together.insert(0, box)
    contents = list(dict.fromkeys(box.content.strip() for box in together))
    return last if len(contents) == 1 else ", ".join(contents)


def texts_of(target: Any) -> list[str]:
    """The answers that a target gives, each once, without empty ones."""
    items = target if isinstance(target, list | tuple) else [target]
    return list(dict.fromkeys(text for item in items if (text := trimmed(text_of(item)))))


def without_contradictions(answers: list[str]) -> list[str]:
    """Without aliases that say the opposite of the first answer: `no` beside `yes`, `unanswerable` beside an answer."""
    first = _stance(answers[0])
    return [answers[0], *(alias for alias in answers[1:] if not _contradict(first, _stance(alias)))]


def _contradict(one: str | None, other: str | None) -> bool:
    if "unanswered" in (one, other):
        return one != other
    return one is not None and other is not None and one != other


def _stance(answer: str) -> str | None:
    plain = answer.strip(" .!").casefold()
    if plain in _AFFIRMATIVE:
        return "affirmative"
    if plain in _NEGATIVE:
        return "negative"
    return "unanswered" if plain in _UNANSWERED else None
