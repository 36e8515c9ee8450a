"""Other spellings of the same short answer: abbreviations, acronyms, American and British, yes and no.

unify("Mt. Everest")                    ->  "mount everest"
is_acronym("USA", "United States of America")  ->  True
same_polarity("yes", "true")           ->  True
"""

import functools
import re
import unicodedata

from nemo_sdg.text.forms.lexicon import lexicon, listed
from nemo_sdg.text.normalize import has_any

_ABBREVIATIONS: dict[str, str] = lexicon()["abbreviations"]
_AD_FIRST = re.compile(r"^ad (\d+)$")
_CENTURY = re.compile(
    r"(?<=\d(?:st|nd|rd|th) )c(?:ent)?(?=$| )|(?<=\w(?:th|st|rd|nd) )cent(?=$| )|(?<=[ivx] )cent(?=$| )|"
    r"(?<=[ivx][ivx] )c(?=$| )"
)
"""c. and cent. stand for a century behind an ordinal only: c is a letter, a cent is money"""
_SIGNS = {"♭": " flat", "♯": " sharp", "&": " and "}
_GREEK = {
    char: unicodedata.name(char).rpartition(" ")[2].lower().replace("lamda", "lambda")
    for char in "αβγδεζηθικλμνξοπρσςτυφχψω"
}
_BRITISH = [
    (re.compile(r"(?<=[a-z]{2})our(?=$|s$|ed$|ing$|able$|ful$|less$|ite$|al$)"), "or"),
    (re.compile(r"(?<=[a-z]{3})is(?=e$|ed$|es$|ing$|ation$|ations$)"), "iz"),
    (re.compile(r"ys(?=e$|ed$|es$|ing$)"), "yz"),
    (re.compile(r"(?<=[a-z]{2}[bct])(?<!^timb)re(?=$|s$)"), "er"),
    (
        re.compile(
            r"^(?!(?:re|un|over|out|under|mis)[^aeiouv]{1,2}[aeiou]ll)"
            r"([a-z]*[aeiouy][^aeiouy]+[aeiou]|(?:re)?fue|[a-z]*ia|due|(?:un)?equa|grue)ll(?=ed$|ing$|ers?$)"
        ),
        r"\1l",
    ),
    (re.compile(r"(?<=[a-z])ogue(?=$|s$)"), "og"),
    (re.compile(r"aluminium"), "aluminum"),
    (re.compile(r"^grey"), "gray"),
    (re.compile(r"sulph"), "sulf"),
    (re.compile(r"^foet(?=us|al)"), "fet"),
    (re.compile(r"rrhoea"), "rrhea"),
    (re.compile(r"paed(?=i|o)"), "ped"),
    (re.compile(r"caec"), "cec"),
    (re.compile(r"noeuv"), "neuv"),
    (re.compile(r"(?<=[fpt]en)ce(?=$|s$)"), "se"),
    (re.compile(r"ae(?=[mnst])|oe(?=[dms])(?![ds]$)"), "e"),
]
_YES, _NO = listed("yes"), listed("no")
_SMALL_WORDS = listed("small_words")
ASKS_ORDER = re.compile(
    r"\border\b|\bsequence\b|\brank|\bsort|\barrange\b|\b(?:as|des)cending|\bin (?:in|"
    r"de)creasing\b|chronological|alphabetical|"
    r"\b(?:first|next|last) (?:\w+ ){1,2}(?:terms|numbers|multiples|primes|integers|digits|powers|"
    r"squares|values|"
    r"letters|steps)\b|\b(?:out|in)wards?\b|clockwise|\bone (?:after|by) (?:the other|"
    r"one)\b|"
    r"\bfrom (?:the )?(?:\w+est|(?:most|least) \w+|least|most|high|low|left|right|top|bottom|first|start|north|"
    r"south|east|"
    r"west)\b.{0,20}?\bto\b|"
    r"reihenfolge|\bordne|\bsortier|(?:auf|ab)steigend|größe nach|\bvom \w+sten\b|nacheinander|\bvon (?:klein|groß)\b|"
    r"orden\b|\bordena(?:r|d|ndo)?\b|(?:de)?creciente|\bde (?:menor|mayor) a\b|(?:de)?crescente|"
    r"\bdo (?:menor|maior) (?:para|ao)\b|"
    r"ordre\b|\b(?:range|classe)[rz]? (?:les|ces|par)\b|(?:dé)?croissant|\bdu plus \w+ au plus\b|"
    r"\bordina(?:re)?\b|\bdal più \w+ al più\b|"
    r"volgorde|\brangschik|(?:op|af)lopend|rækkefølge|rekkefølge|ordning\b|stigande|stigende|faldende|fallande|synkende|"
    r"поряд|расположи|упорядоч|возраст(?:ани|ающ)|убыва|зростан|спадан|\bot \w+ do\b|kolejnoś|uporządkuj|rosnąc|"
    r"malejąc|pořadí|seřa|"
    r"\bsıra(?:l|y|sıyla)|küçükten|büyükten|ترتيب|رتب|تصاعدي|تنازلي|क्रम|sắp xếp|thứ tự|\burut|"
    r"顺序|順|排列|排序|升序|降序|依次|从[小大高低早晚左右]|從[小大高低早晚左右]|並べ|古い方から|新しい方から|순서|오름차순|내림차순|나열",
    re.IGNORECASE,
)
"""Questions whose answer is a list in a certain order"""
_ALEFS = "اأإآٱ"
_ALEF = re.compile(f"[{_ALEFS}]")
_NASAL = re.compile("ङ्(?=[कखगघ])|ञ्(?=[चछजझ])|ण्(?=[टठडढ])|न्(?=[तथदध])|म्(?=[पफबभ])")
"""the nasal of the consonant that follows, which Hindi also writes as a point: हिन्दी, हिंदी"""
_COMPASS = re.compile(r"(?<=\d)\s?(?:°|degrees?\b)\s?(n|s|e|w)(?:(?<=n)orth|(?<=s)outh|(?<=e)ast|(?<=w)est)?\b")
_DEGREE = re.compile(
    r"(?<!\S)(ph|b|m|d|ed|ll) (?=(?:sc|phil|ed)(?!\S)|(?<=ph )d(?!\S)|(?<=ed )d(?!\S)|(?<=ll )[bm](?!\S))"
)
"""an academic degree: Ph.D., M.Sc."""
_TA_MARBUTA = re.compile(r"\bال\w{4,}ه\b")
"""A word with the Arabic article has no possessive ending: its last letter is a ta marbuta written without its dots"""
_MARKS = re.compile("[\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0640]")


@functools.cache
def _simplified() -> dict[int, str]:
    pairs = "".join(str(lexicon()["traditional"]).split())
    return dict(zip(map(ord, pairs[::2]), pairs[1::2], strict=True))


def simplified(text: str) -> str:
    """Chinese in simplified characters."""
    return text.translate(_simplified())


@functools.lru_cache(maxsize=1 << 13)
def unify(text: str) -> str:
    """A normalised text with abbreviations written out, Greek letters named, American spelling, vowel points away,
    one sign for what Hindi says through the nose.
    """
    text = _NASAL.sub("ं", _MARKS.sub("", text).replace("ё", "е").replace("ँ", "ं"))
    text = _COMPASS.sub(r"°\1", text)
    for sign, name in _SIGNS.items():
        text = text.replace(sign, name)
    if not re.search("[α-ω]{2}", text):
        text = re.sub("[α-ω]", lambda found: _GREEK.get(found[0], found[0]), text)
    text = re.sub(r"_\{?(\w+)\}?", r"\1", text)
    if has_any(text, _ALEFS):
        text = _TA_MARBUTA.sub(lambda found: found[0][:-1] + "ة", _ALEF.sub("ا", text))
    text = _AD_FIRST.sub(r"\1 ad", _CENTURY.sub("century", text))
    text = _DEGREE.sub(r"\1", text)
    words = text.split()
    alone = len(words) < 2
    written_out = " ".join(
        word if alone and len(word) < 2 else _ABBREVIATIONS.get(word.strip("."), word).replace("_", " ")
        for word in words
    )
    return " ".join(american(word) for word in written_out.split())


def american(word: str) -> str:
    """A word of lower case in American spelling."""
    if not word.isascii() or len(word) < 4:
        return word
    for pattern, spelling in _BRITISH:
        word = pattern.sub(spelling, word)
    return word


def same_polarity(left: str, right: str) -> bool | None:
    """Whether two texts are both a yes or both a no; None where one of them is neither."""
    sides = [True if text in _YES else False if text in _NO else None for text in (left, right)]
    return None if None in sides else sides[0] == sides[1]


_IRREGULAR = dict(pair.split("=") for pair in str(lexicon()["irregular_plurals"]).split())


_PROTOCOLS = frozenset(["http", "ftp", "smtp", "imap", "ldap", "pop", "nntp"])
"""An s behind them makes another protocol"""
_CAPITAL_S = re.compile(r"[A-Z]{2}S\W*$")


def is_acronym_in_s(text: str) -> bool:
    """Whether a text ends in an acronym whose last letter is an S, and no plural: AIDS, GPS, but not DVDs."""
    return _CAPITAL_S.search(text) is not None


def same_in_number(left: str, right: str) -> bool:
    """Whether two normalised English texts differ by the plural of their last word alone."""
    ones, others = left.split(), right.split()
    if not ones or len(ones) != len(others) or ones[:-1] != others[:-1]:
        return False
    one, other = sorted((ones[-1], others[-1]), key=len)
    if one in _PROTOCOLS:
        return False
    if _IRREGULAR.get(one) == other or _IRREGULAR.get(other) == one:
        return True
    if not (one.isascii() and one.isalpha() and len(one) > 2) or one.endswith(("s", "u", "i")):
        return other == one + "es" and one.endswith(("ss", "us"))
    return other in (
        one + "s",
        one + "es" * one.endswith(("x", "ch", "sh", "z", "o")),
        one[:-1] + "ies" * one.endswith("y"),
    )


_OPPOSITES = [frozenset(pair.split("=")) for pair in str(lexicon()["opposites"]).split()]


_RANKS = listed("ranks")


def says_opposite(text: str, question: str) -> bool:
    """Whether a text has a word whose opposite the question has, and not itself: a maximum, where a minimum is."""
    said, asked = (frozenset(re.findall(r"[^\W\d_]+", side.casefold())) for side in (text, question))
    if _RANKS & said and _RANKS & asked and not _RANKS & said & asked:
        return True
    return any(pair & said and pair & asked and not pair & said & asked for pair in _OPPOSITES)


def is_polar(text: str) -> bool:
    """Whether a normalised text is a yes or a no."""
    return text in _YES or text in _NO


def is_acronym(short: str, long: str) -> bool:
    """Whether a text as written consists of the initials of the other one's words."""
    letters = re.sub(r"[.\s]", "", short)
    if not 2 <= len(letters) <= 7 or not letters.isupper() or " " not in long.strip():
        return False
    words = re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", long))
    initials = "".join(word[0].upper() for word in words if word.casefold() not in _SMALL_WORDS)
    return letters in (initials, "".join(word[0].upper() for word in words))


def hyphens_part(a: str, b: str) -> bool:
    """Whether the texts are the same but for a hyphen between letters: e-mail and email, not `no where`, nor
    re-sign and resign.
    """
    if _TELLING_HYPHEN.findall(a.casefold()) != _TELLING_HYPHEN.findall(b.casefold()):
        return False
    joined = [re.sub(r"(?<=[^\W\d_])-(?=\w)|(?<=\d)-(?=[^\W\d_])", "", side).casefold().strip(" .") for side in (a, b)]
    return joined[0] == joined[1]


_TELLING_HYPHEN = re.compile(
    r"\bre-(?=(?:sign|cover|form|sent|sort|collect|creat|lay|press|serve|dress|mark|fuse|treat|lease|present|prove)"
    r"(?:e?s|e?d|ing|e|ation|ion)?\b)|\bun-(?=ioni[sz]ed\b)|\bco-op\b"
)
"""A hyphen that makes another word: re-cover, re-form"""


def is_name(text: str) -> bool:
    """Two words or more, all with a capital but for particles: marks are left out of names of all languages."""
    words = re.findall(r"[^\W\d_]+", text)
    return len(words) > 1 and sum(word[0].isupper() for word in words) > len(words) / 2 and words[0][0].isupper()


_UNMARKED = str.maketrans(
    {"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ħ": "h", "ı": "i", "þ": "th"}
    | {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE"}
)
"""Letters whose mark Unicode does not take apart"""


def unmarked(text: str) -> str:
    """Latin letters without their marks: Łódź as Lodz."""
    if text.isascii():
        return text
    return "".join(
        char for char in unicodedata.normalize("NFD", text.translate(_UNMARKED)) if not "\u0300" <= char <= "\u036f"
    )
