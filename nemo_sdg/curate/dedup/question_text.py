"""What makes a question a question: stem and sorted choices on one side, the passage on the other, and the numbers in
both.

    {"question": "Which of the following is a gas at 20 °C?", "choices": ["iron", "argon"], "passage": None}
    ->  main "is a gas at 20 °c\nargon\niron", passage "", numbers "20"

Case, sentence punctuation, spacing, the order of the options and stock phrases do not count. Symbols and brackets stay,
because in mathematics and code they are the content. Works on any script: characters are kept, not words.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from nemo_sdg.errors import DataError

# Stock phrases of English question writing; what a task's own template repeats is learnt from its seeds
# (phases.learn_templates).
_BEGINNING = re.compile(r"(?:question|problem|q)(?: \d+)? ")
_BEGINNINGS = ("question ", "problem ", "q ")
_OF_THESE = re.compile(r" of (?:the (?:following|options)|these)\b(?: (?:statements?|options?|answers?|choices?)\b)?")
_CHOOSE = re.compile(
    r"\b(?:choose|select|pick) the (?:best|correct|right|most appropriate) (?:answer|option|choice|one)\b"
)

# Sentence punctuation only: brackets, operators, `!` (factorial) and `\u2212` stay.
_ASCII_TABLE = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ" + b'.,;:?"`\0', b"abcdefghijklmnopqrstuvwxyz" + b" " * 8)
_ONLY_NUMBERS = bytes(code if chr(code) in "0123456789.," else 32 for code in range(256))
_PUNCTUATION = re.compile('[.,;:?"`\0¡¿«»·、。〃،؛؟۔।॥\u2010-\u2027\u2030-\u203e\u3008-\u3011\u3014-\u301f]+')

_DIGITS = re.compile(r"\d[\d.,]*")
# 一 and `one` are left out: they are articles and pronouns as often as numbers.
_CJK_NUMERALS = re.compile(r"[二三四五六七八九十百千万亿兩两]+")
_VALUES = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
    "twelve": 12,
    "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
    "twenty": 20, "thirty": 30,
    "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100,
    "thousand": 1000, "million": 10**6,
}  # fmt: skip
_DIGITS_OF = {word: str(value) for word, value in _VALUES.items()}
_NUMBER_WORDS = frozenset(_VALUES)
_WORDS_IN_TEXT = re.compile(r"\b(?:" + "|".join(_VALUES) + r")\b")


@dataclass(slots=True)
class QuestionText:
    """The normalised parts that are compared."""

    main: str
    """stem, then the choices in sorted order, one a line"""
    passage: str
    numbers: str
    """the numbers of stem and passage in the order of reading, joined by blanks; empty when numbers do not
    distinguish
    """


def _strip_punctuation(text: str) -> str:
    if text.isascii():
        return text.encode().translate(_ASCII_TABLE, b"'").decode()
    return _PUNCTUATION.sub(" ", unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("\u2019", ""))


def _without_phrases(line: str) -> str:
    if " of the" in line:
        line = _OF_THESE.sub("", line)
    if "ose the " in line or "ect the " in line or "ick the " in line:
        line = _CHOOSE.sub("", line)
    if line.startswith(_BEGINNINGS):
        line = _BEGINNING.sub("", line, count=1)
    return line


def read_text(text: str, *, with_numbers: bool = True) -> tuple[str, list[str]]:
    """(one line in lower case without sentence punctuation and stock phrases, the numbers in the order of reading).

    Numbers are written one way: `1,000`, `1000` and `thousand` are the same, `3-5` is 3 and 5, `-5` is -5.
    """
    words = _strip_punctuation(text).split()
    spelt = not _NUMBER_WORDS.isdisjoint(words)
    line = " ".join([_DIGITS_OF.get(word, word) for word in words] if spelt else words)
    return _without_phrases(line).strip() or line, _number_tokens(text, spelt) if with_numbers else []


def read_choices(choices: list[Any]) -> list[str]:
    """The options one by one, in sorted order."""
    texts = [str(choice) for choice in choices]
    lines = _strip_punctuation("\n".join(texts)).split("\n")
    if len(lines) != len(texts):
        lines = [_strip_punctuation(text) for text in texts]
    return sorted([" ".join([_DIGITS_OF.get(word, word) for word in line.split()]) for line in lines])


def _number_tokens(text: str, spelt: bool) -> list[str]:
    """Tokens of the numbers, to be compared and hashed; values are read in text.numbers alone."""
    ascii_only = text.isascii()
    if ascii_only and not spelt and "-" not in text:
        pieces = text.encode().translate(_ONLY_NUMBERS).decode().split()
        return [_number_token(piece) for part in pieces for piece in _DIGITS.findall(part)]
    if not ascii_only:
        text = unicodedata.normalize("NFKC", text).replace("\u2212", "-")
    if spelt:
        text = _WORDS_IN_TEXT.sub(lambda match: _DIGITS_OF[match.group()], text.lower())
    found = []
    for match in _DIGITS.finditer(text):
        start = match.start()
        signed = (
            start > 0
            and text[start - 1] == "-"
            and (start == 1 or not (text[start - 2].isalnum() or text[start - 2] in ")]"))
        )
        found.append(("-" if signed else "") + _number_token(match.group()))
    return found if ascii_only else found + _CJK_NUMERALS.findall(text)


def _number_token(number: str) -> str:
    number = number.rstrip(".,")
    return re.sub(r",(?=\d{3}(?!\d))", "", number) if "," in number else number


def question_text(record: dict[str, Any], *, numbers_distinguish: bool) -> QuestionText:
    """The compared parts of a seed, a sample, or a row of a corpus that has `text` in place of `question`.

    With `numbers_distinguish` two questions with different numbers in stem or passage are different questions, however
    alike they are otherwise: in arithmetic, physics or dates the numbers are what is asked. Without, every number reads
    as 0. Numbers of the options do not count here: the same stem with another set of distractors is the same question
    when the rest agrees.

    Raises DataError when there is no text to compare.
    """
    question = record.get("question") or record.get("text")
    if not isinstance(question, str) or not question.strip():
        raise DataError("the record has neither a `question` nor a `text` to compare")
    passage = record.get("passage") or ""
    choices = record.get("choices")
    main, numbers = read_text(question, with_numbers=numbers_distinguish)
    if choices:
        main = "\n".join([main, *read_choices(choices)])
    passage_line, passage_numbers = read_text(passage, with_numbers=numbers_distinguish) if passage else ("", [])
    if numbers_distinguish:
        return QuestionText(main, passage_line, " ".join(numbers + passage_numbers))
    return QuestionText(_DIGITS.sub("0", main), _DIGITS.sub("0", passage_line), "")
