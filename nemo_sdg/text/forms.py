"""Other forms of the same short answer: abbreviations, acronyms, titles, initials, spellings, names turned round.

unify("Mt. Everest")                    ->  "mount everest"
is_acronym("USA", "United States of America")  ->  True
same_person("Austen, Jane", "Jane Austen")     ->  True
"""

import re
import unicodedata

_ABBREVIATIONS = dict(
    pair.split("=")
    for pair in [
        "mt=mount",
        "dr=doctor",
        "st=saint",
        "mr=mister",
        "prof=professor",
        "vs=versus",
        "v=versus",
        "sr=senior",
        "jr=junior",
        "gen=general",
        "sen=senator",
        "gov=governor",
        "dept=department",
        "univ=university",
        "approx=approximately",
        "bce=bc",
        "ce=ad",
        "pres=president",
        "wwi=world_war_i",
        "wwii=world_war_ii",
        "ww1=world_war_1",
        "ww2=world_war_2",
    ]
)
_SIGNS = {"♭": " flat", "♯": " sharp", "&": " and "}
_GREEK = {
    char: unicodedata.name(char).rpartition(" ")[2].lower().replace("lamda", "lambda")
    for char in "αβγδεζηθικλμνξοπρσςτυφχψω"
}
_BRITISH = [
    (re.compile(r"(?<=[a-z]{2})our(?=$|s$|ed$|ing$|able$|ful$|less$|ite$|al$)"), "or"),
    (re.compile(r"(?<=[a-z]{3})is(?=e$|ed$|es$|ing$|ation$|ations$)"), "iz"),
    (re.compile(r"ys(?=e$|ed$|es$|ing$)"), "yz"),
    (re.compile(r"(?<=[a-z]{2}[bct])re(?=$|s$)"), "er"),
    (re.compile(r"ll(?=ed$|ing$|er$|ers$)"), "l"),
    (re.compile(r"(?<=[a-z])ogue(?=$|s$)"), "og"),
    (re.compile(r"aluminium"), "aluminum"),
    (re.compile(r"^grey"), "gray"),
    (re.compile(r"sulph"), "sulf"),
    (re.compile(r"(?<=[fpt]en)ce(?=$|s$)"), "se"),
    (re.compile(r"ae(?=[mnst])|oe(?=[dms])"), "e"),
]
_YES, _NO = (
    frozenset(
        [
            "yes",
            "true",
            "ja",
            "oui",
            "vrai",
            "sí",
            "si",
            "verdadero",
            "sim",
            "vero",
            "da",
            "да",
            "是",
            "はい",
            "예",
            "evet",
        ]
    ),
    frozenset(["no", "false", "nein", "non", "faux", "falso", "não", "нет", "否", "いいえ", "아니오", "hayır"]),
)
_TITLES = frozenset(
    [
        "king",
        "queen",
        "president",
        "emperor",
        "sir",
        "lord",
        "lady",
        "saint",
        "pope",
        "doctor",
        "professor",
        "mister",
        "mrs",
        "ms",
        "captain",
        "general",
        "the",
        "der",
        "die",
        "le",
        "la",
        "il",
        "to",
        "to.",
    ]
)
_SMALL_WORDS = frozenset(
    [
        "of",
        "the",
        "and",
        "for",
        "de",
        "des",
        "du",
        "la",
        "le",
        "les",
        "et",
        "der",
        "die",
        "das",
        "und",
        "von",
        "del",
        "y",
        "di",
        "e",
        "da",
        "do",
    ]
)
ASKS_ORDER = re.compile(
    r"\border\b|\bsequence\b|\brank|\bfirst \w+ terms|\bsort|reihenfolge|orden\b|ordre\b|顺序|順", re.IGNORECASE
)
"""Questions whose answer is a list in a certain order"""
_MARKS = re.compile("[\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0640]")
_PARTICLES = frozenset(["von", "van", "de", "da", "di", "der", "den", "la", "le", "du", "v"])


def unify(text: str) -> str:
    """A normalised text with abbreviations written out, Greek letters named, American spelling, vowel points away."""
    text = _MARKS.sub("", text).replace("ё", "е")
    for sign, name in _SIGNS.items():
        text = text.replace(sign, name)
    if not re.search("[α-ω]{2}", text):
        text = re.sub("[α-ω]", lambda found: _GREEK.get(found[0], found[0]), text)
    text = re.sub(r"_\{?(\w+)\}?", r"\1", text)
    written_out = " ".join(_ABBREVIATIONS.get(word.strip("."), word).replace("_", " ") for word in text.split())
    return " ".join(_american(word) for word in written_out.split())


def _american(word: str) -> str:
    if not word.isascii() or len(word) < 5:
        return word
    for pattern, spelling in _BRITISH:
        word = pattern.sub(spelling, word)
    return word


def same_polarity(left: str, right: str) -> bool | None:
    """Whether two texts are both a yes or both a no; None where one of them is neither."""
    sides = [True if text in _YES else False if text in _NO else None for text in (left, right)]
    return None if None in sides else sides[0] == sides[1]


def is_acronym(short: str, long: str) -> bool:
    """Whether a text as written consists of the initials of the other one's words."""
    letters = re.sub(r"[.\s]", "", short)
    if not 2 <= len(letters) <= 7 or not letters.isupper() or " " not in long.strip():
        return False
    words = re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", long))
    initials = "".join(word[0].upper() for word in words if word.casefold() not in _SMALL_WORDS)
    return letters in (initials, "".join(word[0].upper() for word in words))


def without_aside(text: str) -> str:
    """The text without what stands in round brackets at its end: `carbon dioxide (CO2)`, `Mount Everest (8,849 m)`."""
    return re.sub(r"\s+\([^()]*\)\s*\.?$", "", text)


def without_title(text: str) -> str:
    """A normalised text without titles before it."""
    words = text.split()
    while len(words) > 1 and words[0] in _TITLES:
        words = words[1:]
    return " ".join(words)


def turned_round(text: str) -> str:
    """`Austen, Jane` as `Jane Austen`; other texts as they are."""
    name = re.fullmatch(r"\s*([^\W\d_][\w'’-]+)\s*,\s*([^\W\d_][\w'’. -]*?)\s*", text)
    return f"{name[2]} {name[1]}" if name is not None and name[1][0].isupper() and name[2][0].isupper() else text


def same_person(a: str, b: str) -> bool:
    """Whether two names agree where initials stand for given names: A. Einstein, Albert Einstein."""
    ones, others = (re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", turned_round(text)) for text in (a, b))
    if (
        re.search(r"\d", a + b)
        or not any(len(word) == 1 for word in (*ones, *others))
        or any(word[0].islower() and word not in _PARTICLES for word in (*ones, *others))
    ):
        return False
    if len(ones) > 1 and len(others) > 1 and len(ones[-1]) == 1 and len(ones[0]) > 1:
        ones = [*ones[1:], ones[0]]
    if len(others) > 1 and len(ones) > 1 and len(others[-1]) == 1 and len(others[0]) > 1:
        others = [*others[1:], others[0]]
    if len(ones) != len(others) or len(ones) < 2 or len(ones[-1]) == 1:
        return False
    return (
        all(
            one.casefold() == other.casefold()
            or (min(len(one), len(other)) == 1 and one[0].casefold() == other[0].casefold())
            for one, other in zip(ones, others, strict=True)
        )
        and ones[-1].casefold() == others[-1].casefold()
    )
