"""The answer inside a sentence that restates its question, found by aligning the sentence with the question's words.

framed("The 1992 Games were held in the city of Barcelona.", "Which city held the 1992 Games?", "en")  ->  "Barcelona"
framed("La capitale du Canada est Ottawa.", "Quelle est la capitale du Canada ?", "fr")                ->  "Ottawa"
framed("Italy lost the match.", "Who won the match?", "en")                                            ->  "Italy lost"

What is left is what the question has not said: nothing is taken off but words of the question, in any of their forms,
articles, copulas, prepositions of place and of the agent. A sentence that denies gives nothing.
"""

import functools
import re
from dataclasses import dataclass

from nemo_sdg.text.forms.lexicon import lexicon
from nemo_sdg.text.numbers import is_hedged
from nemo_sdg.text.numbers.spelled import VOWEL_SIGNS, base_language

MAX_LENGTH = 300
"""characters of a sentence that is looked at"""
_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{VOWEL_SIGNS}])*")
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
_OR = frozenset(
    "or oder ou o of eller lub czy или чи або veya yoksa या atau hay hoặc أو أم tai nebo".split()  # noqa: SIM905  words
)
_ASKING = frozenset(["mı", "mi", "mu", "mü"])
"""Turkish: olumlu mu olumsuz mu?"""
_SUBJECT_FIRST = {
    "en": (
        r"(?:who|what|which \S+)\b"
        r"(?!.*\b(?:do|does|did|will|can|could|should|would|is|was|are|were|be|been)\b)",
        "is was are were be been being by",
    ),
    "fr": (r"(?:qui|quel(?:le)?s? \S+)\b(?!.*(?:est-ce|-(?:il|elle|t-)))", "est était sont étaient fut furent été par"),
    "vi": (r"ai\b", "là bởi do"),
    "id": (r"siapa\b", "adalah ialah oleh"),
}
"""Languages in which a subject that is asked for stands first: its question, and the words that may stand before it"""
_BEFORE = "$€£¥₹₩-−+±"
_BEHIND = re.compile(r"\s?[%‰€£¥₹₩₽₺]|\s?\$(?!\w)|[+#!°]")
_OPERATORS = re.compile(r"[\^=+*<>\\]")
_KOREAN = re.compile(
    "(?<=[가-힣])(?:은|는|이|가|을|를|의|에서|에|으로|로|와|과|(?:이었|였)?(?:습니다|습니까|다)|입니다|이다|인가요|입니까|이에요|예요)$"
)
_ARABIC = re.compile("^(?:و|ب|ل|ف)?(?:ال)(?=[\u0621-\u064a]{3,})")
_GERMANIC = re.compile(r"^ge(?=[a-zäöü]{4,})")


@dataclass(frozen=True, slots=True)
class _Token:
    word: str
    start: int
    end: int


def framed(text: str, question: str, language: str) -> str | None:
    """What is left of a sentence without the words of the question and of its frame; None where nothing is left,
    nothing was there to take off, or the sentence denies.
    """
    if not question or len(text) > MAX_LENGTH:
        return None
    text = _REJECTED.sub("", text)
    tokens = _tokens(text)
    asked, frame = _asked(question, language), _frame(language)
    outer = [not _is_said(token.word, asked, frame, language) for token in tokens]
    outer = [
        is_outer or (place > 0 and token.end - token.start == 1 and "A" <= text[token.start] <= "Z")
        for place, (is_outer, token) in enumerate(zip(outer, tokens, strict=True))
    ]
    if not any(outer) or not _restates(tokens, asked, language):
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
    if first and turned_round([token.word for token in tokens[:first]], question, language):
        return None
    if not any(text[token.start].lower() == text[token.start] for token in tokens[:first] + tokens[last + 1 :]):
        return None  # George H. W. Bush, of whom the question has said Bush
    if (first, last) == (0, len(tokens) - 1):
        return None
    if _DENIES.search(around):  # the question may deny too: the planet that has no moon is Venus
        shared = sum(token.word in asked for token in tokens[:first] + tokens[last + 1 :])
        if not _DENIES.search(question) or shared < 4:
            return None
    if language[:2] == "ko":
        end -= len(text[start:end]) - len(_KOREAN.sub("", text[start:end]))
    if text[end : end + 1] in (")", "）") and "(" in text[start:end].replace("（", "("):
        end += 1
    return text[start:end]


def holds(short: str, long: str, question: str, language: str) -> bool:
    """Whether a sentence, normalised, says of the short answer what was asked: it holds its words, and no others but
    those of the question and of its frame. An alternative that the question offers is another answer.
    """
    words, tokens = short.split(), long.split()
    tokens = _without_rival(tokens, question, language)
    if not 0 < len(words) < len(tokens) or not question or _DENIES.search(long):
        return False
    asked, frame = _asked(question, language), _frame(language)
    offered = _offered(question, language)
    if all(_is_said(word, asked, frame, language) for word in words) and not set(words) & offered:
        return False
    for place in range(len(tokens) - len(words) + 1):
        if tokens[place : place + len(words)] != words:
            continue
        rest = tokens[:place] + tokens[place + len(words) :]
        if _is_bounded(" ".join(tokens[:place]), short, " ".join(tokens[place + len(words) :])):
            continue
        if place and turned_round(tokens[:place], question, language):
            continue
        if set(rest) & offered and set(words) & offered:
            continue
        if not any(word in _said_nouns() or _among(word, asked, language) for word in rest) or len(tokens[-1]) < 2:
            continue
        around = sum(word in frame for word in rest) > sum(word in _said_nouns() for word in rest)
        if not (around or len(rest) > 1 or place == 1 or set(words) & offered):
            continue  # Eiffel, of the tower that was asked for, is not the Eiffel Tower
        if all(_is_said(word, asked, frame, language) for word in rest):
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
    if short in question and not _JOINED_OR.search(question):
        return False
    return all(char in _JOINED_FRAME or char in question or "\u3041" <= char <= "\u309f" for char in rest)


_JOINED_OR = re.compile("还是|還是|或|それとも|または|か、")


def _is_bounded(before: str, said: str, behind: str) -> bool:
    """Whether the words beside a number make something else of it: more than 30, 30 or less."""
    beside = [*before.split()[-2:], "|", *behind.split()[:2]]
    return any(map(str.isdigit, said)) and is_hedged(" ".join(beside))


def turned_round(before: list[str], question: str, language: str) -> bool:
    """Whether what stands last was done to: `Churchill succeeded Attlee` does not say who succeeded Churchill."""
    asks, allowed = _SUBJECT_FIRST.get(base_language(language), ("", ""))
    if not asks or re.match(asks, question.strip(" ¿«\"'").casefold(), re.DOTALL) is None:
        return False
    return set(allowed.split()).isdisjoint(before)


_RIVAL = frozenset(
    "than als que чем ніж än enn end niż než dan against gegen contre contra contro против проти over".split()  # noqa: SIM905
)


def _without_rival(words: list[str], question: str, language: str) -> list[str]:
    """`lead is heavier than iron` without the other one of the two that the question offers."""
    offered, frame = _offered(question, language), _frame(language)
    for place, word in enumerate(words):
        rest = words[place + 1 :]
        if word in _RIVAL and place and rest and set(rest) & offered and all(w in offered or w in frame for w in rest):
            return words[:place]
    return words


def frame_alone(text: str, question: str, language: str) -> bool:
    """Whether a text, of words alone, has no word but those of the question and of a frame, and denies nothing."""
    asked, frame = _asked(question, language), _frame(language)
    return not _DENIES.search(text) and all(_is_said(token.word, asked, frame, language) for token in _tokens(text))


def words(text: str) -> list[str]:
    """The words of a text in lower case, without Korean particles and the Arabic article."""
    return [token.word for token in _tokens(text)]


def restates(text: str, question: str, language: str) -> bool:
    """Whether a word of the question, or of what sentences call their answer, is in a text."""
    return _restates(_tokens(text), _asked(question, language), language)


def without_rejected(text: str) -> str:
    """`Paris, not London` without what is rejected."""
    return _REJECTED.sub("", text)


def denies(text: str) -> bool:
    return _DENIES.search(text) is not None


def _restates(tokens: list[_Token], asked: frozenset[str], language: str) -> bool:
    """Whether a word of the question, or of what sentences call their answer, is in the sentence."""
    said = _said_nouns()
    return any(token.word in said or _among(token.word, asked, language) for token in tokens)


def _tokens(text: str) -> list[_Token]:
    return [_Token(_base(found[0]), found.start(), found.end()) for found in _WORD.finditer(text)]


def _base(word: str) -> str:
    word = word.casefold().replace("ё", "е")
    word = _KOREAN.sub("", word) if len(word) > 1 else word
    return _ARABIC.sub("", word)


@functools.lru_cache(maxsize=1 << 12)
def _asked(question: str, language: str) -> frozenset[str]:
    return frozenset(token.word for token in _tokens(question))


@functools.lru_cache(maxsize=1 << 12)
def _offered(question: str, language: str) -> frozenset[str]:
    """The alternatives between which a question lets choose: `Italy or Spain`."""
    words, frame = [token.word for token in _tokens(question)], _frame(language)
    found: set[str] = set()
    for place, word in enumerate(words):
        if word in _OR:
            found |= set([each for each in words[:place] if each not in frame][-1:])
            found |= set([each for each in words[place + 1 :] if each not in frame][:1])
        elif word in _ASKING and place and sum(each in _ASKING for each in words) > 1:
            found.add(words[place - 1])
    return frozenset(found)


@functools.cache
def _frame(language: str) -> frozenset[str]:
    tongue = base_language(language)
    tongue = "no" if tongue in ("nb", "nn") else tongue
    return frozenset(str(lexicon()["frame"].get(tongue, "")).split()) | _said_nouns()


@functools.cache
def _said_nouns() -> frozenset[str]:
    return frozenset(str(lexicon()["said"]).split())


@functools.cache
def _verbs() -> dict[str, frozenset[int]]:
    table: dict[str, set[int]] = {}
    for number, forms in enumerate(lexicon()["verbs"]):
        for form in str(forms).split():
            table.setdefault(form, set()).add(number)
    return {form: frozenset(numbers) for form, numbers in table.items()}


def _is_said(word: str, asked: frozenset[str], frame: frozenset[str], language: str) -> bool:
    return word in frame or _among(word, asked, language)


@functools.lru_cache(maxsize=1 << 15)
def _among(word: str, asked: frozenset[str], language: str) -> bool:
    """Whether a word is one of the question's, in another form perhaps: komponierte, komponiert; wrote, written."""
    if word in asked:
        return True
    shortest = 3 if language[:2] in ("ar", "he") else 4
    if len(word) > 3 and word[-1] == "s" and word[:-1] in asked:
        return True
    if len(word) == 3 and word + "s" in asked:
        return True
    if len(word) < shortest or any(map(str.isdigit, word)):
        return False
    verb = _verbs().get(word, frozenset())
    stem = _GERMANIC.sub("", word) if language[:2] in ("de", "nl") else word
    for other in asked:
        if verb & _verbs().get(other, frozenset()):
            return True
        bare = _GERMANIC.sub("", other) if language[:2] in ("de", "nl") else other
        if len(bare) < shortest or any(map(str.isdigit, bare)):
            continue
        shared = _shared(stem, bare)
        if shared >= 4 and len(stem) - shared <= _ENDING and len(bare) - shared <= _ENDING:
            return shared >= 5 or (len(stem) - shared) + (len(bare) - shared) <= 4
        if shared == 3 == min(len(stem), len(bare)) and max(len(stem), len(bare)) < 6:
            return True
    return False


_ENDING = 5
"""characters in which two forms of one word may end differently"""


def _shared(one: str, other: str) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
