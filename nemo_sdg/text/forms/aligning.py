"""The words of a sentence beside those of its question: in what forms a word is one of the question's, which words only
frame an answer, which alternatives a question offers.
"""

import functools
import re
from dataclasses import dataclass

from nemo_sdg.text.forms.lexicon import lexicon, listed
from nemo_sdg.text.numbers.spelled import VOWEL_SIGNS, base_language

_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{VOWEL_SIGNS}])*")
_OR = frozenset(
    "or oder ou o of eller lub czy или чи або veya yoksa या atau hay hoặc أو أم tai nebo".split()  # noqa: SIM905  words
)
_ASKING = frozenset(["mı", "mi", "mu", "mü"])
"""Turkish: olumlu mu olumsuz mu?"""
KOREAN_ENDING = re.compile(
    "(?<=[가-힣])(?:은|는|이|가|을|를|의|에서|에|으로|로|와|과|(?:이었|였)?(?:습니다|습니까|다)|입니다|이다|인가요|입니까|이에요|예요)$"
)
_ARABIC = re.compile("^(?:و|ب|ل|ف)?(?:ال)(?=[\u0621-\u064a]{3,})")
_GERMANIC = re.compile(r"^ge(?=[a-zäöü]{4,})")


@dataclass(frozen=True, slots=True)
class Token:
    word: str
    start: int
    end: int


def words(text: str) -> list[str]:
    """The words of a text in lower case, without Korean particles and the Arabic article."""
    return [token.word for token in tokens_of(text)]


def tokens_restate(tokens: list[Token], asked: frozenset[str], language: str) -> bool:
    """Whether a word of the question, or of what sentences call their answer, is in the sentence."""
    said = said_nouns()
    return any(token.word in said or is_among(token.word, asked, language) for token in tokens)


def tokens_of(text: str) -> list[Token]:
    return [Token(_base(found[0]), found.start(), found.end()) for found in _WORD.finditer(text)]


def _base(word: str) -> str:
    word = word.casefold().replace("ё", "е")
    word = KOREAN_ENDING.sub("", word) if len(word) > 1 else word
    return _ARABIC.sub("", word)


@functools.lru_cache(maxsize=1 << 12)
def asked_words(question: str) -> frozenset[str]:
    return frozenset(token.word for token in tokens_of(question))


@functools.lru_cache(maxsize=1 << 12)
def offered_words(question: str, language: str) -> frozenset[str]:
    """The alternatives between which a question lets choose: `Italy or Spain`."""
    words, frame = [token.word for token in tokens_of(question)], frame_of(language)
    found: set[str] = set()
    for place, word in enumerate(words):
        if word in _OR:
            found |= set([each for each in words[:place] if each not in frame][-1:])
            found |= set([each for each in words[place + 1 :] if each not in frame][:1])
        elif word in _ASKING and place and sum(each in _ASKING for each in words) > 1:
            found.add(words[place - 1])
    return frozenset(found)


@functools.cache
def frame_of(language: str) -> frozenset[str]:
    tongue = base_language(language)
    tongue = "no" if tongue in ("nb", "nn") else tongue
    return frozenset(str(lexicon()["frame"].get(tongue, "")).split()) | said_nouns()


@functools.cache
def said_nouns() -> frozenset[str]:
    return listed("said")


@functools.cache
def _verbs() -> dict[str, frozenset[int]]:
    table: dict[str, set[int]] = {}
    for number, forms in enumerate(lexicon()["verbs"]):
        for form in str(forms).split():
            table.setdefault(form, set()).add(number)
    return {form: frozenset(numbers) for form, numbers in table.items()}


def is_said(word: str, asked: frozenset[str], frame: frozenset[str], language: str) -> bool:
    return word in frame or is_among(word, asked, language)


@functools.lru_cache(maxsize=1 << 15)
def is_among(word: str, asked: frozenset[str], language: str) -> bool:
    """Whether a word is one of the question's, in another form perhaps: komponierte, komponiert; wrote, written."""
    if word in asked:
        return True
    shortest = 3 if language[:2] in ("ar", "he") else 4
    if len(word) > 3 and word[-1] == "s" and word[:-1] in asked:
        return True
    if len(word) == 3 and word + "s" in asked:
        return True
    verb = _verbs().get(word, frozenset())
    if verb and any(verb & _verbs().get(other, frozenset()) for other in asked):
        return True
    if len(word) < shortest or any(map(str.isdigit, word)):
        return False
    stem = _GERMANIC.sub("", word) if language[:2] in ("de", "nl") else word
    for other in asked:
        bare = _GERMANIC.sub("", other) if language[:2] in ("de", "nl") else other
        if len(bare) < shortest or any(map(str.isdigit, bare)):
            continue
        shared = _shared(stem, bare)
        ending = _ENDINGS.get(language[:2], 5)
        left, right = len(stem) - shared, len(bare) - shared
        if (
            shared >= 4
            and max(left, right) <= ending
            and (shared >= 5 or left + right <= 4 + (language[:2] in _ROMANCE))
        ):
            return True
        if shared == 3 == min(len(stem), len(bare)) and max(len(stem), len(bare)) < 6:
            return True
    return False


_ROMANCE = ("es", "pt", "it", "fr", "ca")
_ENDINGS = {"en": 3, "de": 4, "nl": 4, "sv": 4, "da": 4, "no": 4, "nb": 4}
"""characters in which two forms of one word may end differently; 5 in other languages"""


def _shared(one: str, other: str) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
