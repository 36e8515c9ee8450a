"""The places of a running text at which a number may begin."""

import functools
import re

from nemo_sdg.text.normalize import NO_LETTERS
from nemo_sdg.text.numbers.scan import is_ordinal, is_scale, worth_reading
from nemo_sdg.text.numbers.spelled import VOWEL_SIGNS

START = re.compile(
    r"(?<![\w.^_/\\])(?<!\^\{)(?<!_\{)(?:\d|\.(?=\d))|(?<=[^\W\d_a-zA-Z])\d|(?<=/)\d|[¼½¾⅐-⅞]"
    r"|\\[dtc]?frac(?![A-Za-z])|(?<![^\W\u2e80-\u9fff\uac00-\ud7af])(?<![\\'])(?P<word>[^\W\d_\u2e80-\u9fff\uac00-\ud7af]+|[二三四五六七八九十百千万两]+(?=分之)|[〇零一二两三四五六七八九十百千万萬亿億영일이삼사오육칠팔구십백천만억]{2,})"
)
"""The one digit or the whole word with which a number may begin, in any folded text"""
_BEYOND_PLAIN = re.compile(rf"[\\¼½¾⅐-⅞\u2e80-\u9fff\uac00-\ud7af{VOWEL_SIGNS}]")
_DIGIT = re.compile(
    r"[0-9.](?:(?<![\w.^_/].)(?<!\^\{.)(?<!_\{.)(?:(?<=[0-9])|(?=[0-9]))|(?<=/[0-9])|(?<=[^\W\d_a-zA-Z][0-9]))"
)
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_ARTICLE = re.compile(r"[aA](?<![\w'].)n?(?=[\s-]+([^\W\d_]+))")
_ARTICLES = frozenset(("a", "an", "A", "An"))
"""words that begin a number only where another word of one, or of a scale, follows"""


def is_plain(text: str) -> bool:
    """Whether a folded text has no commands, and no scripts whose words are not runs of letters."""
    return "\\" not in text if text.isascii() else _BEYOND_PLAIN.search(text) is None


def starts(text: str, language: str) -> list[tuple[int, int, bool]]:
    """(start, end, whether it is a word) of the places of a plain text at which a number may begin, in order. They are
    those of START without the words that cannot belong to a number, which are most.
    """
    found = [(*digit.span(), False) for digit in _DIGIT.finditer(text)]
    ascii_only = text.isascii() and "'" not in text
    words = set(text.translate(NO_LETTERS).split() if ascii_only else _WORD.findall(text))
    words = {word.partition("'")[0] for word in words - _ARTICLES if belongs_to_number(word, language)}
    if words:
        found += [(*article.span(), True) for article in _ARTICLE.finditer(text) if article[1] in words]
    for word in words:
        if is_ordinal(word, language) and f"{word}'" not in text:
            continue  # it is read alone, which is no number that is found
        start = text.find(word)
        while start >= 0:
            end, before = start + len(word), text[start - 1 : start]
            if not (before.isalnum() or before in ("_", "'") or _is_letter(text[end : end + 1])):
                found.append((start, end, True))
            start = text.find(word, end)
    return sorted(found)


@functools.lru_cache(maxsize=1 << 16)
def belongs_to_number(word: str, language: str) -> bool:
    """Whether a number in words may have this one."""
    return worth_reading(word, language) or is_scale(word, language)


def _is_letter(char: str) -> bool:
    return char.isalnum() and not char.isdecimal()
