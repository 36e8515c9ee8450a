"""How `check` compares texts: by their letters, by their words, and by hashes of what is left of them."""

import hashlib
import re
import unicodedata
from typing import Any

MIN_LETTERS = 40
"""letters and digits of a question that is known alone; shorter ones are also found in unrelated rows"""
FEW_LETTERS = 12
"""letters and digits of a question that is known with its passage or options"""

_NO_LETTER = re.compile(r"[\W_]+")
_SYLLABLE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]")
_NO_ASCII_LETTER = bytes(code for code in range(128) if not chr(code).isalnum())
_MARKS = str.maketrans(dict.fromkeys("\"'`´“”„‟‘’‚«»‹›;!?¿¡…。！？，、；：「」『』", " "))
_UNSEEN = dict.fromkeys((173, *range(8203, 8208), *range(8234, 8239), 8288, 65279))
_UNSEEN |= {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code) not in "！？，；："} | {0x3000: 0x20}
"""soft hyphens, and what sets joints and directions; wide forms of ASCII"""
WORD = re.compile(r"\w+")


def is_long(question: str, min_words: int) -> bool:
    """Whether a question has so many letters and words that an equal row is the row that it came from."""
    return num_letters(question) >= MIN_LETTERS and (not min_words or len(question.split()) >= min_words)


def is_compared(record: dict[str, Any], min_words: int) -> bool:
    """Whether a question is long enough to be known, alone or, a shorter one, with its passage or options."""
    question = record["question"]
    return is_long(question, min_words) or (
        num_letters(question) >= FEW_LETTERS
        and (len(record.get("choices") or ()) > 1 or is_passage(record.get("passage")))
    )


def is_row(record: dict[str, Any], strings: frozenset[str], min_words: int) -> bool:
    """Whether a question that stands in a row is that row's: its passage stands there too. With a short question, the
    passage is long, or all options stand there.
    """
    passage, options = record.get("passage"), record.get("choices") or []
    if passage and squeeze(passage) not in strings:
        return False
    same_options = len(options) > 1 and all(squeeze(option) in strings for option in options)
    return is_long(record["question"], min_words) or is_passage(passage) or same_options


def is_passage(text: str | None) -> bool:
    return bool(text) and num_letters(str(text)) >= MIN_LETTERS


def num_letters(text: str) -> int:
    """Letters and digits; an ideograph, kana or Hangul syllable says as much as three."""
    if text.isascii():
        return len(text.encode().translate(None, _NO_ASCII_LETTER))
    return len(_NO_LETTER.sub("", text)) + 2 * len(_SYLLABLE.findall(text))


def squeeze(text: Any) -> str:
    """A text without the marks and blanks that may differ in another copy of it: case, quotation marks, signs of a
    sentence's end, widths of letters, characters that nobody sees. Signs of mathematics stay, and so do points and
    commas within numbers and words.

    >>> squeeze("  «Is 2.5 < x − 1»,  he asked?")
    'is 2.5 < x − 1 he asked'
    """
    said = str(text)
    if not said.isascii():
        said = unicodedata.normalize("NFC", said.translate(_UNSEEN))
    said = " ".join(said.casefold().translate(_MARKS).split()) + " "
    return said.replace(", ", " ").replace(": ", " ").replace(". ", " ").rstrip()


def hash_of(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def hash_of_bytes(data: bytes | memoryview) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def words_of(text: Any) -> set[str]:
    return set(WORD.findall(str(text).casefold()))


def phrase(text: str) -> str:
    """The words of a text in order, without what stands between them, so that one text can be sought in another."""
    return f" {' '.join(WORD.findall(text.casefold()))} "
