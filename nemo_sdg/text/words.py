"""Equality of short answers in words: SQuAD's normalisation, extended to other languages.

Equal: `The Eiffel Tower.` and `eiffel tower`; `１０` and `ten`; `first` and `1st`; `World War II` and `World War 2`;
`São Paulo, Brazil` and `sao paulo brazil`; `4 July 1776` and `July 4, 1776`; `e-mail` and `email`.
Not equal: `C++` and `C`; `-5` and `5`; `A-` and `A`; `3/4` and `3-4`; in German `schön` and `schon`, since the mark
belongs to a letter of that language.
"""

import functools
import itertools
import re
import unicodedata

from nemo_sdg.text import forms
from nemo_sdg.text.forms.numerals import in_digits, same_numerals
from nemo_sdg.text.latex import plain
from nemo_sdg.text.normalize import DIGITS, has_any
from nemo_sdg.text.numbers.spelled import base_language

_ARTICLES = {
    "en": "a an the", "de": "der die das den dem des ein eine einen einem einer",
    "es": "el la los las un una unos unas",
    "fr": "le la les un une des l", "it": "il lo la i gli le un uno una l", "pt": "o a os as um uma",
    "nl": "de het een",
    "ca": "el la els les un una l", "sv": "en ett", "da": "en et", "no": "en et ei",
}  # fmt: skip
_AND = {
    "en": "and", "de": "und", "fr": "et", "es": "y", "it": "e", "pt": "e", "nl": "en", "sv": "och", "da": "og",
    "no": "og",
}  # fmt: skip
_OWN_LETTERS = {
    "en": "", "de": "äöü", "nl": "", "sv": "åäö", "da": "æøå", "no": "æøå", "fi": "åäö", "es": "áéíóúüñ",
    "fr": "àâçéèêëîïôùûü", "it": "àèéìòù", "pt": "áâãàçéêíóôõú", "sw": "", "id": "",
}  # fmt: skip
"""Letters with marks that a language counts among its own. In other languages every mark counts."""
_SPELLED_OUT = {"de": ("ä ae", "ö oe", "ü ue"), "da": ("æ ae", "ø oe", "å aa"), "no": ("æ ae", "ø oe", "å aa")}
_ACRONYM = re.compile(r"\b(?:[^\W\d_]\.\s?){2,}")
_INITIALS = re.compile(r"\b([^\W\d_]) (?=[^\W\d_]\b)")
STRESS = "\u0301"
_STRESSED = frozenset(("ru", "uk", "be", "bg"))
_LISTED_LETTERS = re.compile(r"\b[^\W\d_]\s?[,;]\s?[^\W\d_]\b")
"""x, y is no product"""
_HAS_ACRONYM = re.compile(r"\.\s?[^\W\d_]\.")
"""Without such a place a text has no acronym; found in a tenth of the time"""
_APOSTROPHE = re.compile(r"'(?<=[a-z0-9]')(?=[a-z0-9])")
_NEVER_KEPT = r"\x00-\x1f\x7f\"'()*:;?\[\\\]_{}"
_PUNCTUATION = re.compile(
    rf"[.,/!{_NEVER_KEPT}-](?:(?<=[.,/])(?:(?<![0-9].)|(?![0-9]))|(?<=[{_NEVER_KEPT}])[{_NEVER_KEPT}]*"
    r"|(?<=-)(?:(?=[a-z])|(?<=[a-z]-)(?=[0-9])|(?<![a-z0-9)+-]-)(?![a-z0-9]))|(?<=!)(?:(?![a-z0-9(])|(?<=[a-z0-9]!)))"
)
"""It begins with one class of characters, so that `re` skips all others: five times as fast as by alternatives"""
_BETWEEN_DIGITS = re.compile(r"[.,/](?<=[0-9].)(?=[0-9])")
"""Without such a place, a hyphen or an exclamation mark all punctuation of ASCII goes away. How many spaces it leaves
counts beside a sign in words.
"""
_SIGNS = {ord(char): " " for char in map(chr, range(128)) if _PUNCTUATION.match(char)}
_OTHER = re.compile(r"[^\w +#%$€£&@°^]|_")
"""What is no letter, digit, space, nor one of the marks that carry meaning: C++, C#, 5%, R&D"""
_SUBSCRIPT = re.compile(r"(?<=[A-Za-z)])_\{?(\d+)\}?")
_RAISED_OR_ORDINAL = re.compile(r"[ºªᵉʳˢⁿ⁺⁻⁰¹²³⁴-⁹]")
_RAISED = re.compile(r"[⁺⁻]?[⁰¹²³⁴-⁹]+[⁺⁻]?|[⁺⁻]")
_CHARGE = re.compile(r"\^\{?(\d*[+-])\}?|\^\{?([+-])(?!\d)\}?")
_ORDINAL_SIGN = re.compile(r"(?<=\d)\.?\s?[ºª](?![\s]?[CFK°])|(?<=\d)(?:ᵉʳ|ᵉ|ʳᵈ|ˢᵗ|ᵗʰ|ⁿᵈ)")
_SPAN = re.compile(r"(\d)\s*-\s*(?=\d)")
_RANGE = re.compile(r"(\d)\s*(?:-|\bto\b|\bbis\b|\bà\b|\ba\b|\bal\b|\btot\b|\btill\b)\s*(?=\d)")
_ELIDING = ("fr", "it", "ca")
_KEYBOARDS = {"ar": str.maketrans("یک", "يك"), **dict.fromkeys(("fa", "ur", "ps"), str.maketrans("يىك", "ییک"))}
"""Letters of the Arabic script that are typed for those of another language that look the same"""


def normalize(text: str, language: str = "en") -> str:
    """Lower case, width and composition folded, punctuation and articles away, spaces single."""
    return " ".join(normalized_words(text, language))


def normalized_words(text: str, language: str = "en") -> list[str]:
    words, articles = _split(text, base_language(language)), _articles(base_language(language))
    if _are_labels(words):
        return words
    # An article at the end is none: vitamin a, l'un.
    return [*itertools.filterfalse(articles.__contains__, words[:-1]), *words[-1:]]


def distinct_words(text: str, language: str = "en") -> frozenset[str]:
    """The words of the normalised text, each once."""
    words = _split(text, base_language(language))
    found = set(words)
    if not _are_labels(words):
        found -= _articles(base_language(language))
        found.update(words[-1:])
    return frozenset(found)


def _are_labels(words: list[str]) -> bool:
    """Whether a text is a list of labels, none of which is an article: b, a, c"""
    return len(words) > 1 and all(len(word) == 1 for word in words)


def _split(text: str, language: str) -> list[str]:
    """The words of the normalised text, articles among them."""
    if language in ("tr", "az"):
        text = text.replace("İ", "i").replace("I", "ı")
    if language == "zh" and not text.isascii():
        text = forms.simplified(text)
    if "\\" in text:
        text = plain(text)
    if "_" in text:  # an expression is asked only where it could find something: whole reasonings go through here
        text = _SUBSCRIPT.sub(r"\1", text)
    if text.isascii():
        text = text.lower()
        if "-" in text:
            text = _SPAN.sub(r"\1-", text)
        if _HAS_ACRONYM.search(text) is not None:
            text = _ACRONYM.sub(_without_dots, text)
        if "^" in text:
            text = _CHARGE.sub(lambda found: found[1] or found[2], text)
        text = _punctuation_away_ascii(text, language)
    else:
        if _RAISED_OR_ORDINAL.search(text) is not None:
            text = _RAISED.sub(lambda found: "^" + found[0], _ORDINAL_SIGN.sub("th", text))
        text = unicodedata.normalize("NFKC", text).casefold()
        if language in _KEYBOARDS:
            text = text.translate(_KEYBOARDS[language])
        text = text.replace("−", "-").replace("–", "-")
        if "-" in text:
            text = _SPAN.sub(r"\1-", text)
        text = unicodedata.normalize("NFKC", text)
        if _HAS_ACRONYM.search(text) is not None:
            text = _ACRONYM.sub(_without_dots, text)
        if "^" in text:
            text = _CHARGE.sub(lambda found: found[1] or found[2], text)
        text = _punctuation_away(text, language)
    if "negative" in text or "positive" in text:
        text = _negative_sign(text)
    text = text.replace("&", f" {_AND.get(language, '&')} ")
    if not text.isascii() or has_any(text, DIGITS):
        text = _RANGE.sub(r"\1-", text)
    return text.split()


def _negative_sign(text: str) -> str:
    """O negative, O Rh-negative and A positive as O- and A+."""
    return re.sub(
        r"\b(ab|[abo]) ?(?:rh)?[ -]?(?:d )?(negative|positive)\b",
        lambda f: f[1] + ("-" if f[2][0] == "n" else "+"),
        text,
    )


def _without_dots(found: re.Match[str]) -> str:
    return found[0].replace(".", "").replace(" ", "") + (" " if found[0].endswith(" ") else "")


@functools.cache
def _articles(language: str) -> frozenset[str]:
    return frozenset(_ARTICLES.get(language, "").split())


def _punctuation_away(text: str, language: str) -> str:
    apostrophe = " " if language in _ELIDING else ""

    def kept(found: re.Match[str]) -> str:
        char, position = found[0], found.start()
        following = text[position + 1 : position + 2]
        if char in ".,;:?" and following in ("", " "):
            return " "
        before = text[position - 1 : position] if position else " "
        if unicodedata.category(char)[0] in "MS":
            return char
        if char == "-" and (
            (following.isdigit() and not before.isalpha())
            or ((before.isalnum() or before in ")+-") and not following.isalnum())
        ):
            return char
        if (char in ".,/" and before.isdigit() and following.isdigit()) or (
            char == "!" and (following.isalnum() or following == "(") and not before.isalnum()
        ):
            return char
        if char in "'’`" and before.isalnum() and following.isalnum():
            return apostrophe
        return " "

    return _OTHER.sub(kept, text)


def _punctuation_away_ascii(text: str, language: str) -> str:
    """The same, ten times as fast: whole reasonings go through here."""
    if "'" in text:
        text = _APOSTROPHE.sub(" " if language in _ELIDING else "", text)
    if has_any(text, ("-", "!", "negative", "positive")) or (
        has_any(text, DIGITS) and _BETWEEN_DIGITS.search(text) is not None
    ):
        return _PUNCTUATION.sub(" ", text)
    return text.translate(_SIGNS)


def _without_foreign_marks(text: str, language: str) -> str:
    """Latin letters without marks that the language does not count among its own letters; other scripts as they are."""
    own = _OWN_LETTERS.get(language)
    if own is None or text.isascii():
        return text
    composed = unicodedata.normalize("NFC", text)
    return "".join(char if char in own else forms.unmarked(char) for char in composed)


def _spelled_out(text: str, language: str) -> str:
    for pair in _SPELLED_OUT.get(language, ()):
        letter, digraph = pair.split()
        text = text.replace(letter, digraph)
    return text


def same_words(a: str, b: str, language: str) -> bool:
    tongue = base_language(language)
    if tongue in _STRESSED and (STRESS in a) != (STRESS in b):  # Плато́н; where both are stressed, it tells them apart
        a, b = (side.replace(STRESS, "") for side in (a, b))
    left, right = (_without_foreign_marks(normalize(text, language), tongue) for text in (a, b))
    if left == right or _spelled_out(left, tongue) == _spelled_out(right, tongue):
        return bool(left)
    if (polarity := forms.same_polarity(left, right)) is not None:
        return polarity
    if forms.is_acronym(a, b) or forms.is_acronym(b, a) or forms.same_person(a, b):
        return True
    left, right = forms.unify(left), forms.unify(right)
    if left == right or forms.without_title(left) == forms.without_title(right) or forms.same_known_name(left, right):
        return bool(left)
    if left.replace(" ", "") == right.replace(" ", "") and (not left.isascii() or forms.hyphens_part(a, b)):
        return True
    listed = [_LISTED_LETTERS.search(side) is not None for side in (a, b)]
    if listed[0] == listed[1] and _INITIALS.sub(r"\1", left) == _INITIALS.sub(r"\1", right):
        return True
    if tongue == "en" and not (a.isascii() and b.isascii()) and _romanised(a) == _romanised(b):
        return True
    named = tongue not in ("de", "vi") and forms.is_name(a) and forms.is_name(b)
    if named and forms.unmarked(left) == forms.unmarked(right):
        return True
    ones, others = in_digits(left, language), in_digits(right, language)
    if ones == others or same_numerals(left, right, language):
        return True
    dotted = tongue in _DOTTED and re.search(r"\d\.", a + " " + b) is not None
    return dotted and re.sub(r"(?<=\d)th\b", "", ones) == re.sub(r"(?<=\d)th\b", "", others)


_ROMANISED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})


def _romanised(text: str) -> str:
    """With the umlauts of foreign names written out: Schroedinger."""
    composed = unicodedata.normalize("NFC", " ".join(text.casefold().split()))
    return forms.unmarked(composed.translate(_ROMANISED)).strip(" .")


_DOTTED = frozenset(re.findall(r"\w+", "de da no nb nn cs sk pl hu fi tr hr sl sr is et lv"))
"""Languages that write an ordinal as a number with a dot"""


@functools.lru_cache(maxsize=1 << 13)
def plain_words(text: str, language: str) -> str:
    """A normalised text without marks that the language does not count among its letters."""
    return _without_foreign_marks(normalize(text, language), base_language(language))
