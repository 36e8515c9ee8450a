"""What makes a question a question: stem and sorted choices on one side, the passage on the other, and the numbers in both.

    {"question": "Which of the following is a gas at 20 °C?", "choices": ["iron", "argon"], "passage": None}
    ->  main "is a gas at 20 °c\nargon\niron", passage "", numbers "20"

Case, sentence punctuation, spacing, the order of the options and stock phrases do not count. Symbols and brackets stay, because in
mathematics and code they are the content. Works on any script: characters are kept, not words.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from nemo_sdg.errors import DataError

# Stock phrases of English question writing; what a task's own template repeats is learnt from its seeds (see templates in dedup_phases).
_PHRASES = re.compile(
    r"^\s*(?:question|problem|q)\s*\d*\s*[:.]\s"
    r"|\b(?:which|what)\s+(?:one\s+)?of\s+(?:the\s+following|these|the\s+options)(?:\s+(?:statements?|options?|answers?|choices?))?"
    r"|\b(?:choose|select|pick)\s+the\s+(?:best|correct|right|most\s+appropriate)\s+(?:answer|option|choice|one)"
    r"|\bof\s+the\s+following(?:\s+(?:statements?|options?|answers?|choices?))?"
)
_PUNCTUATION = "".join(chr(code) for code in [*range(0x2010, 0x2028), *range(0x2030, 0x203F), *range(0x3008, 0x3012), *range(0x3014, 0x3020)])
_PUNCTUATION = '.,;:?"`¡¿«»·、。〃،؛؟۔।॥…' + _PUNCTUATION
_SENTENCE_PUNCTUATION = re.compile(f"[{re.escape(_PUNCTUATION)}]+|(?<=\\w)'(?=\\w)|'")
_ASCII_PUNCTUATION = str.maketrans(dict.fromkeys('.,;:?"`', " ") | {"'": ""})

_NUMBER = re.compile(r"(?:(?<![\w)\]])-)?\d+(?:[.,]\d+)*")
# 一 and `one` are left out: they are articles and pronouns as often as numbers.
_CJK_NUMERALS = re.compile(r"[二三四五六七八九十百千万亿兩两]+")
_NUMBER_WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
    "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30,
    "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100, "thousand": 1000, "million": 10**6,
}  # fmt: skip
_WORDS_IN_TEXT = re.compile(r"\b(?:" + "|".join(_NUMBER_WORDS) + r")\b")


@dataclass(slots=True)
class QuestionText:
    """The normalised parts that are compared."""

    main: str
    """stem, then the choices in sorted order, one a line"""
    passage: str
    numbers: str
    """the numbers of stem and passage in the order of reading, joined by blanks; empty when numbers do not distinguish"""


def normalise(text: str) -> str:
    """One line in lower case without sentence punctuation; number words up to ninety become digits."""
    if text.isascii():
        text = text.lower()
        cleaned = _PHRASES.sub(" ", text).translate(_ASCII_PUNCTUATION)
    else:
        text = unicodedata.normalize("NFKC", text).casefold()
        cleaned = _SENTENCE_PUNCTUATION.sub(lambda match: "" if match.group() == "'" else " ", _PHRASES.sub(" ", text))
    words = cleaned.split()
    if not words:
        words = text.split()
    if not _NUMBER_WORDS.keys().isdisjoint(words):
        words = [str(_NUMBER_WORDS.get(word, word)) for word in words]
    return " ".join(words).replace("\0", " ")


def find_numbers(text: str) -> list[str]:
    """Numbers in the order of reading, written one way: `1,000` and `1000` and `thousand` are the same."""
    text = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).replace("\u2212", "-").casefold()
    if not _NUMBER_WORDS.keys().isdisjoint(re.findall(r"[a-z]+", text)):
        text = _WORDS_IN_TEXT.sub(lambda match: str(_NUMBER_WORDS[match.group()]), text)
    found = [re.sub(r",(?=\d{3}(?!\d))", "", number) for number in _NUMBER.findall(text)]
    return found if text.isascii() else found + _CJK_NUMERALS.findall(text)


def question_text(record: dict[str, Any], *, numbers_distinguish: bool) -> QuestionText:
    """The compared parts of a seed, a sample, or a row of a corpus that has `text` in place of `question`.

    With `numbers_distinguish` two questions with different numbers in stem or passage are different questions, however alike they are
    otherwise: in arithmetic, physics or dates the numbers are what is asked. Without, every number reads as 0.
    Numbers of the options do not count here: the same stem with another set of distractors is the same question when the rest agrees.
    Raises DataError when there is no text to compare.
    """
    question = record.get("question") or record.get("text")
    if not isinstance(question, str) or not question.strip():
        raise DataError("the record has neither a `question` nor a `text` to compare")
    passage = record.get("passage") or ""
    choices = record.get("choices") or []
    main = normalise(question)
    if choices:
        main = "\n".join([main, *sorted(normalise(str(choice)) for choice in choices)])
    passage_text = normalise(passage) if passage else ""
    if numbers_distinguish:
        numbers = " ".join(find_numbers(question) + (find_numbers(passage) if passage else []))
        return QuestionText(main, passage_text, numbers)
    return QuestionText(_NUMBER.sub("0", main), _NUMBER.sub("0", passage_text), "")
