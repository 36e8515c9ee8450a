r"""Text to comparable tokens: what stays the same when a question is edited lightly.

    tokens("Janet’s ducks lay SIXTEEN eggs—per day.")  ->  ["janets", "ducks", "lay", "16", "eggs", "per", "day"]
    tokens(r"$\dfrac{1}{2}x + 1,000$")                  ->  ["frac", "1", "2", "x", "+", "1000"]
    tokens("def add_all(a, b=2):")                     ->  ["def", "add", "all", "a", "b", "=", "2"]
    tokens("每天下 16 颗蛋")                             ->  ["每", "天", "下", "16", "颗", "蛋"]
    tokens("کتاب‌ها ۱۶ ریال")                             ->  ["كتاب", "ها", "16", "ريال"]

Letters and digits count, and the operators that change what a formula or a line of code means; quotes, brackets,
hyphens (a minus
is written the same way) and the rest of punctuation do not. Scripts that write no spaces between words go character by
character. Spelled English numbers become digits.
"""

import functools
import hashlib
import itertools
import re
import unicodedata
from collections.abc import Iterable, Set
from typing import Any

import numpy as np
import numpy.typing as npt
import regex

Hashes = npt.NDArray[np.uint64]

SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
TOKEN = regex.compile(
    rf"\d{{1,3}}(?:[,\u202f]\d{{3}})+(?:\.\d+)?(?!\d)"  # 1,000.5
    r"|\d+(?:\.\d+)?"
    rf"|[{SPACELESS}]\p{{M}}*"
    rf"|(?:(?![{SPACELESS}])[\p{{L}}\p{{M}}])+"
    r"|[+*/=<>^%&|~√∑∫≤≥≠×÷±∞∪∩∈→]"
)
ASCII_TOKEN = re.compile(r"[a-z]+|\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?|[+*/=<>^%&|~]")
"""TOKEN for text of ASCII alone, in a third of its time"""
LATIN_TOKEN = re.compile(r"[a-zß-öø-ɏ]+|\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?|[+*/=<>^%&|~×÷±]")
BEYOND_LATIN = re.compile("[^\x00-\u024f\u2010-\u2027\u2030-\u205e€]")
"""The same for folded text of Latin letters and the punctuation that stands among them, which has none of these"""
ASCII_APOSTROPHE = re.compile(r"['`](?<=[a-z].)(?=[a-z])")
DIGITS = "0123456789"
ASCII_SIGNS = f"{DIGITS}+*/=<>^%&|~"
"""Without one of these lowered ASCII text has no token but runs of letters"""
NO_LETTERS = {code: " " for code in range(128) if not chr(code).isalpha()}
SPACELESS_TOKEN = regex.compile(rf"[{SPACELESS}]")
APOSTROPHES = "'’ʼ`´"
APOSTROPHE = regex.compile(rf"(?<=\p{{L}})[{APOSTROPHES}](?=\p{{L}})")
LATEX_NOISE = regex.compile(
    r"\\(?:left|right|displaystyle|limits|quad|qquad|text|textbf|textit|mathrm|mathbf|mbox|boxed|begin|"
    r"end)(?![a-zA-Z])|\\[,;!: ]"
)
INVISIBLES = "\u00ad\u061c\u200b\u200e\u200f\u2060\ufeff"
INVISIBLE = re.compile(f"[{INVISIBLES}]")
"""soft hyphens, direction marks, zero widths: they stand within words"""
LATEX_SAME = regex.compile(r"\\[dt]frac(?![a-zA-Z])")
_ONE_SPELLING: dict[int, str] = {
    **{code: str(unicodedata.decimal(chr(code))) for code in range(128, 0xABFA) if chr(code).isdecimal()},
    **dict.fromkeys([*range(0x591, 0x5BE), 0x5BF, 0x5C1, 0x5C2, 0x5C4, 0x5C5, 0x5C7], ""),  # Hebrew points and accents
    **dict.fromkeys(
        [0x640, *range(0x64B, 0x660), 0x670, *range(0x6D6, 0x6DD)], ""
    ),  # Arabic lengthening and vowel signs
    **{ord(one): other for one, other in zip("یىک٫٬ёı\u0307", [*"ييك.,еi", ""], strict=True)},
}
"""One spelling of what is written in several: digits of all scripts; Arabic and Hebrew with and without their points;
kaf and yeh, for which Persian texts have Arabic letters as often as Persian ones; ё and е; the two i of Turkish, whose
capitals Python folds to the wrong one"""
_SPELLED_OTHERWISE = re.compile(f"[{''.join(map(chr, _ONE_SPELLING))}]")

UNIT_WORDS = """zero one two three four five six seven eight nine ten eleven twelve
thirteen fourteen fifteen sixteen seventeen eighteen nineteen"""
TEN_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
UNITS = {word: value for value, word in enumerate(UNIT_WORDS.split())}
TENS = {word: 10 * value for value, word in enumerate(TEN_WORDS.split(), 2)}
SCALES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
NUMBER_WORDS = UNITS.keys() | TENS.keys() | SCALES.keys()


def tokens(text: str) -> list[str]:
    """Normalised tokens of a text, in order."""
    ascii_only = text.isascii()
    if ascii_only:
        text = text.lower()
        if "'" in text or "`" in text:
            text = ASCII_APOSTROPHE.sub("", text)
    else:
        text = one_spelling(text)
        if has_any(text, INVISIBLES):
            text = INVISIBLE.sub("", text)
        if has_any(text, APOSTROPHES):
            text = APOSTROPHE.sub("", text)
    if "\\" in text:
        text = LATEX_SAME.sub(r"\\frac", LATEX_NOISE.sub(" ", text))
    found: list[str]
    if ascii_only and not has_any(text, ASCII_SIGNS):
        found = text.translate(NO_LETTERS).split()
    else:
        pattern = ASCII_TOKEN if ascii_only else LATIN_TOKEN if BEYOND_LATIN.search(text) is None else TOKEN
        found = pattern.findall(text)
        if pattern is not LATIN_TOKEN or has_any(text, DIGITS):
            found = [_number_token(token) if token[0].isdigit() else token for token in found]
    return _spelled_numbers(found) if not NUMBER_WORDS.isdisjoint(found) else found


def has_any(text: str, parts: Iterable[str]) -> bool:
    """Whether one of a few characters or strings stands in a text, in a tenth of the time of a regular expression."""
    return any(map(text.__contains__, parts))


def letters(text: str) -> str:
    """Only the letters and digits of a text, without spaces: what no change of punctuation or spacing touches."""
    return "".join(filter(str.isalnum, one_spelling(text)))


def one_spelling(text: str) -> str:
    """A text in lower case, with what is written in several ways written in one: digits, vowel signs, look-alikes."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return text.translate(_ONE_SPELLING) if _SPELLED_OTHERWISE.search(text) is not None else text


@functools.lru_cache(maxsize=1 << 17)
def is_spaceless(token: str) -> bool:
    """Whether a token is one character of a script that writes no spaces between words."""
    return SPACELESS_TOKEN.match(token) is not None


def _number_token(token: str) -> str:
    """Without thousands separators, leading zeros and empty decimals: 1,000.50 -> 1000.5."""
    whole, _, decimals = token.replace(",", "").replace("\u202f", "").partition(".")
    decimals = decimals.rstrip("0")
    whole = whole.lstrip("0") or "0"
    return f"{whole}.{decimals}" if decimals else whole


def _spelled_numbers(found: list[str]) -> list[str]:
    """Runs of English number words as one number: two hundred and five -> 205, two point five -> 2.5, 3 million ->
    3000000.
    """
    out: list[str] = []
    position = 0  # up to where the words are in `out`
    for place in [place for place, word in enumerate(found) if word in NUMBER_WORDS]:
        start = place - 1 if found[place] in SCALES else place  # digits may stand before a scale
        if start < position:
            continue
        value, after = _join_number_words(found, start)
        if after == start:
            continue
        out += found[position:start]
        position = after
        if found[position : position + 1] == ["point"]:
            decimals = list(
                itertools.takewhile(lambda word: UNITS.get(word, 10) < 10, found[position + 1 : position + 17])
            )
            if decimals:
                value = _number_token(f"{value}." + "".join(str(UNITS[word]) for word in decimals))
                position += 1 + len(decimals)
        out.append(value)
    return out + found[position:]


def _join_number_words(found: list[str], start: int) -> tuple[str, int]:
    """One token for the number words that begin at `start`, and the position after them; the same position where none
    begin. Values are read in text.numbers alone.
    """
    total, group, last, position = 0, 0, "", start
    while position < len(found):
        word = found[position]
        if (
            word == "and"
            and last in ("hundred", "scale")
            and position + 1 < len(found)
            and found[position + 1] in UNITS.keys() | TENS.keys()
        ):
            position += 1
            continue
        if word in UNITS and (last in ("", "hundred", "scale") or (last == "ten" and 1 <= UNITS[word] <= 9)):
            group, last = group + UNITS[word], "unit"
        elif word in TENS and last in ("", "hundred", "scale"):
            group, last = group + TENS[word], "ten"
        elif word == "hundred" and 0 < group < 100:
            group, last = group * 100, "hundred"
        elif word in SCALES and word != "hundred" and group:
            total, group, last = total + group * SCALES[word], 0, "scale"
        elif (
            position == start
            and word.isascii()
            and word.isdigit()
            and len(word) < 16
            and found[start + 1 : start + 2]
            and found[start + 1] in SCALES
        ):
            group, last = int(word), "unit"
        else:
            break
        position += 1
    return str(total + group), position


@functools.lru_cache(maxsize=1 << 18)
def _token_hash(token: str) -> int:
    return int.from_bytes(hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def token_hashes(words: Iterable[str]) -> Hashes:
    """One 64-bit hash a token, the same on every machine."""
    return np.fromiter(map(_token_hash, words), dtype=np.uint64)


MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def ngram_hashes(hashes: Hashes, length: int) -> Hashes:
    """Hashes of all runs of `length` tokens, in order; empty when there are fewer tokens. Runs of different length
    never share a hash space.
    """
    num = len(hashes) - length + 1
    if num <= 0:
        return np.empty(0, dtype=np.uint64)
    mixed = np.full(num, length, dtype=np.uint64)
    for offset in range(length):
        mixed = mixed * MULTIPLIER + hashes[offset : offset + num]
    mixed ^= mixed >> np.uint64(31)
    return mixed * np.uint64(0xBF58476D1CE4E5B9)


def jaccard(one: Set[Any], other: Set[Any]) -> float:
    """Similarity of two sets; 0 where both are empty."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


def sequence_hash(words: list[str], salt: int = 0) -> int:
    """One hash of a whole token sequence."""
    data = "\x1f".join(words).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8, salt=salt.to_bytes(2, "little")).digest(), "little")
