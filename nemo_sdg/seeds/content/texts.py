r"""The strings of a row as comparable words, whatever its columns are called.

leaves({"q": "What is it?", "choices": {"text": ["a", "b"]}, "meta": '["x", "y"]'})   -> What is it?, a, b, x, y
words(r"Find $\dfrac12 x$")                                                          -> find frac 1 2 x
"""

import ast
import functools
import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from nemo_sdg.text.normalize import Hashes, is_spaceless, ngram_hashes, token_hashes, tokens

Ids = npt.NDArray[np.uint32]
GRAM = 3
"""words in an n-gram by which candidates are found"""
_MAX_LITERAL = 100_000
"""characters from which a string is not tried as a written-out list"""
_FRACTION = re.compile(r"\\[dtc]?frac\s*(\d)\s*(\d)")
_COMMANDS = {"times": "×", "div": "÷", "cdot": "*", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "neq": "≠", "ne": "≠"}
_COMMAND = re.compile(r"\\(" + "|".join(_COMMANDS) + r")(?![a-zA-Z])")
_TEXT_COMMAND = re.compile(
    r"\\(?:cfrac|operatorname|textrm|textsf|mathit|hspace|vspace|big|Big|bigl|bigr|dots|ldots)\b"
)


def strings(value: Any) -> Iterator[str]:
    """Every string within a value, in order."""
    return (leaf for leaf in _scalars(value) if isinstance(leaf, str))


def leaves(value: Any) -> Iterator[str]:
    """Every string and number within a value, in order; lists and mappings that are written out as text are read."""
    for leaf in _scalars(value):
        inner = _literal(leaf) if isinstance(leaf, str) else None
        if inner is not None:
            yield from leaves(inner)
        elif isinstance(leaf, (str, int, float)):
            yield str(leaf)


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _scalars(item)
    else:
        yield value


def _literal(text: str) -> Any:
    stripped = text.strip()
    if stripped[:1] + stripped[-1:] not in ("[]", "{}") or len(text) > _MAX_LITERAL:
        return None
    try:
        found = orjson.loads(stripped)
    except orjson.JSONDecodeError:
        try:
            found = ast.literal_eval(stripped)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            return None
    return found if isinstance(found, (list, dict)) else None


def words(text: str) -> list[str]:
    """Normalised tokens, the same for every way of writing the same LaTeX."""
    if "\\" in text:
        text = _FRACTION.sub(r"\\frac{\1}{\2}", text).replace("\\cfrac", "\\frac")
        text = _COMMAND.sub(lambda found: f" {_COMMANDS[found[1]]} ", text)
        text = _TEXT_COMMAND.sub(" ", text)
    return tokens(text)


def weight(found: Sequence[str]) -> int:
    """Letters and digits of a text; an ideograph, kana, Hangul or letter of an unspaced script counts as three."""
    return sum(3 if is_spaceless(word) else len(word) for word in found)


def key(*parts: str) -> int:
    """A 64-bit key of a sequence of texts."""
    data = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")


@functools.lru_cache(maxsize=1 << 16)
def mark(word: str) -> int:
    """3 for an operator, 1 for a number or a variable: another formula makes another question; 2 for a character of a
    script without spaces, 0 for other words.
    """
    if is_spaceless(word):
        return 2
    if word[0].isalpha():
        return int(len(word) == 1 and word.isascii() and word not in "ai")
    return 1 if word[0].isdigit() else 3


class Text:
    """One string of a row: its words, and what they are found by."""

    __slots__ = ("_key", "hashes", "ids", "words")

    def __init__(self, found: Sequence[str]) -> None:
        self.words = found
        self.hashes: Hashes = token_hashes(found)
        marks = np.fromiter(map(mark, found), dtype=np.uint32, count=len(found))
        self.ids: Ids = ((self.hashes >> np.uint64(34)).astype(np.uint32) << np.uint32(2)) | marks
        """30 bits of a hash, and the word's mark"""
        self._key: int | None = None

    @classmethod
    def joined(cls, texts: Sequence["Text"]) -> "Text":
        """Several strings as one."""
        whole = cls.__new__(cls)
        whole.words = [word for text in texts for word in text.words]
        whole.hashes = np.concatenate([text.hashes for text in texts]) if texts else np.empty(0, dtype=np.uint64)
        whole.ids = np.concatenate([text.ids for text in texts]) if texts else np.empty(0, dtype=np.uint32)
        whole._key = None
        return whole

    def __len__(self) -> int:
        return len(self.words)

    @property
    def key(self) -> int:
        if self._key is None:
            self._key = key(*self.words)
        return self._key

    def grams(self) -> Hashes:
        return ngram_hashes(self.hashes, GRAM)

    def shortened(self) -> list[int]:
        """The keys of the text with one word left out: two that share one differ by a word."""
        return [key(*self.words[:at], *self.words[at + 1 :]) for at in range(len(self.words))]
