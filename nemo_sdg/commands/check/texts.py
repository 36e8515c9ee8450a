"""How `check` compares texts: by their letters, by their words, and by hashes of what is left of them."""

import hashlib
import re
from typing import Any

MIN_LETTERS = 40
"""letters and digits of a question; shorter ones are also found in unrelated rows, so they are not compared"""

_NO_LETTER = re.compile(r"[\W_]+")
_SYLLABLE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]")
_NO_ASCII_LETTER = bytes(code for code in range(128) if not chr(code).isalnum())
WORD = re.compile(r"\w+")


def is_long(question: str, min_words: int) -> bool:
    """Whether a question has so many letters and words that an equal row is the row that it came from."""
    return num_letters(question) >= MIN_LETTERS and (not min_words or len(question.split()) >= min_words)


def num_letters(text: str) -> int:
    """Letters and digits; an ideograph, kana or Hangul syllable says as much as three."""
    if text.isascii():
        return len(text.encode().translate(None, _NO_ASCII_LETTER))
    return len(_NO_LETTER.sub("", text)) + 2 * len(_SYLLABLE.findall(text))


def squeeze(text: Any) -> str:
    return " ".join(str(text).casefold().split())


def hash_of(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def words_of(text: Any) -> set[str]:
    return set(WORD.findall(str(text).casefold()))


def phrase(text: str) -> str:
    """The words of a text in order, without what stands between them, so that one text can be sought in another."""
    return f" {' '.join(WORD.findall(text.casefold()))} "
