"""Questions about how something is written: they tell apart what says the same.

written_apart("its", "it's", "Choose its or it's.", "en")                         ->  True
written_apart("2", "two", "Write the number 2 in words.", "en")                   ->  True
written_apart("USA", "United States of America", "What does USA stand for?", "en") ->  True
written_apart("02134", "2134", "What is the ZIP code?", "en")                     ->  True
written_apart("2", "two", "How many are left?", "en")                             ->  False
"""

import functools
import re
import unicodedata

from nemo_sdg.text.forms import framing
from nemo_sdg.text.forms.spelling import american
from nemo_sdg.text.forms.variants import variants
from nemo_sdg.text.latex import fold

_ASKS = {
    "identifier": re.compile(
        r"\b(?:code|zip|postal|postcode|pin|password|passcode|passwort|version|serial|isbn|phone|telephone|telefon|téléphone|"
        r"teléfono|telefone|license plate|licence plate|barcode|extension|ip address|postleitzahl|plz|versión|versão|"
        r"versione|версия|версии|версию|индекс|код|código|codice|kod)\b|版本|邮编|邮政编码|郵便番号|号码|番号|电话|電話|버전|우편번호",
        re.IGNORECASE,
    ),
    "spelling": re.compile(
        r"\bspell(?:ed|ing|s|t)?\b(?! out)|\bspelt\b|\bcontraction|\bcontracted form|apostroph|\bpunctuat|\bhyphenat|"
        r"\b(?:british|american) (?:english|spelling)|\bhomophone|\bplural (?:form )?of\b|\bsingular (?:form )?of\b|"
        r"\bpast (?:tense|participle) of\b|\b(?:in)?definite article|\bwhich article\b|"
        r"fill in the (?:\w+ )?(?:article|verb|pronoun|"
        r"preposition)|buchstabier|rechtschreib|\bgeschrieben\b|orthograph|ortograf|s['’]écrit|se escribe|"
        r"\bsi scrive\b|"
        r"se escreve|пишется|правопис|\bjak se píše\b|yazıl[ıi]",
        re.IGNORECASE,
    ),
    "abbreviation": re.compile(
        r"\babbreviat|\bacronym|\binitialism|\bstands? for\b|\bshort(?:ened)? (?:form )?(?:of|for)\b|"
        r"\bfull (?:form|name) of\b|"
        r"\babkürzung|\bsteht\b.*\bfür\b|abgekürzt|abréviation|\bsigle\b|abreviatura|abreviação|\bsiglas?\b|abbreviazione|"
        r"afkorting|förkortning|forkortelse|\bskrót|сокращ|расшифр|аббревиатур|kısaltma|缩写|縮写|略称|略语|全称|全稱|약자|줄임말",
        re.IGNORECASE,
    ),
    "words": re.compile(
        r"\bin (?:words|word form|letters|figures|digits|numerals)\b|\bas (?:a )?(?:words?|numerals?|digits)\b|"
        r"\bspell(?:ed)? out\b|"
        r"\bwritten out\b|\b(?:roman|arabic) numerals?\b|\bin worten\b|ausgeschrieben|\bin ziffern\b|"
        r"en (?:toutes )?lettres|en chiffres|en palabras|en letras|en cifras|por extenso|em algarismos|in lettere|"
        r"in cifre|"
        r"römische|romains?\b|romanos?\b|romani\b|прописью|словами|цифрами|римск|漢数字|中文数字|汉字|大写|罗马数字|ローマ数字",
        re.IGNORECASE,
    ),
    "number": re.compile(
        r"\b(?:as|into?|to) an? (?:\w+ ){0,2}(?:fraction|decimal|mixed number|percentage)\b|"
        r"\bin (?:decimal|fraction(?:al)?) (?:form|notation)|"
        r"\b(?:als|in) (?:ein\w* )?(?:\w*bruch|dezimalzahl|dezimalbruch)\b|en fraction|"
        r"sous forme (?:de fraction|décimale|fractionnaire)|como (?:una |uma )?(?:fracción|fração|decimal)|"
        r"come (?:una )?frazione|in frazione|в виде (?:\w+ )?дроби|分数形式|小数形式|化为分数|化成分数|化成小数|"
        r"分数で|小数で|"
        r"분수로|소수로",
        re.IGNORECASE,
    ),
    "lowest": re.compile(
        r"\b(?:simplest|lowest|reduced) (?:form|terms)|\bsimplif|\breduce\b|\bkürze|gekürzt|vereinfach|"
        r"irréductible|simplifie|"
        r"simplifica|irreducible|semplifica|ridott|сократи|упрости|несократим|最简|約分|约分|既約|약분|기약",
        re.IGNORECASE,
    ),
}
_COUNTS = re.compile(
    r"\bhow (?:many|much|long|old|often)\b|\bwhen\b|\bwie ?viele?\b|\bcombien\b|\bcuánt|\bquant[aoie]s?\b|"
    r"\bсколько\b|多少个|几个|いくつ",
    re.IGNORECASE,
)
_LONGEST = 80
"""characters of an answer whose writing is looked at"""


@functools.lru_cache(maxsize=1 << 12)
def _asked(question: str) -> frozenset[str]:
    asked = {name for name, asks in _ASKS.items() if asks.search(question)}
    if "identifier" in asked and _COUNTS.search(question):
        asked.discard("identifier")
    return frozenset(asked)


def written_apart(a: str, b: str, question: str, language: str) -> bool:
    """Whether a question that asks for a way of writing, or offers both answers, tells two answers apart."""
    if not question or max(len(a), len(b)) > _LONGEST * 3:
        return False
    asked = _asked(question)
    if asked:
        if "identifier" in asked and _other_digits(a, b):
            return True
        if "words" in asked and _other_numerals(a, b):
            return True
        if "number" in asked and _other_notation(a, b) and any(_repeats(side, question) for side in (a, b)):
            return True
        if "lowest" in asked and _other_terms(a, b):
            return True
        if re.search(r"\d", a) and re.search(r"\d", b):
            return False  # what follows concerns words
        if "spelling" in asked and not _share(_spellings(a, question, language), _spellings(b, question, language)):
            return True
        if "abbreviation" in asked and not _share(*(_letters(side, question, language) for side in (a, b))):
            return True
    return _both_offered(a, b, question)


def _share(ones: frozenset[str], others: frozenset[str]) -> bool:
    return not ones.isdisjoint(others)


_RUN = re.compile(r"\d+(?:[.\-\s]?\d+)*")


def _other_digits(a: str, b: str) -> bool:
    """Whether each answer has one run of digits, and they differ: 007 and 7, 3.10 and 3.1."""
    runs = [_RUN.findall(fold(side)) for side in (a, b)]
    if any(len(run) != 1 for run in runs):
        return False
    one, other = (re.sub(r"[-\s]", "", run[0]) for run in runs)
    return one != other


_ROMAN = re.compile(r"[IVXLCDM]+")


def _other_numerals(a: str, b: str) -> bool:
    """Whether one answer is in digits and the other in words or in Roman numerals."""
    kinds = [
        "roman" if _ROMAN.fullmatch(side.strip(" .$")) else "digits" if re.search(r"\d", side) else "words"
        for side in (a, b)
    ]
    return kinds[0] != kinds[1]


_NOTATIONS = {
    "percent": re.compile(r"%|percent|prozent|por ?ciento|pour ?cent", re.IGNORECASE),
    "fraction": re.compile(r"\\[dt]?frac|\d\s*/\s*\d|[¼-¾⅐-⅞]"),
    "decimal": re.compile(r"\d[.,]\d"),
}


def _other_notation(a: str, b: str) -> bool:
    """Whether each answer is in one notation, and the two are a fraction, a decimal and a percentage."""
    ones, others = ({name for name, marks in _NOTATIONS.items() if marks.search(fold(side))} for side in (a, b))
    return len(ones - {"decimal"} or ones) == len(others - {"decimal"} or others) == 1 and ones.isdisjoint(others)


def _repeats(text: str, question: str) -> bool:
    """Whether an answer is the number that the question wants written otherwise."""
    number = text.strip(" .$")
    return re.search(rf"(?<![\d.,/]){re.escape(number)}(?![\d/]|[.,]\d)", question) is not None


_FRACTION = re.compile(r"\$?\s*(-?)\s*(?:\\[dt]?frac\s*\{?(\d+)\}?\s*\{?(\d+)\}?|(\d+)\s*/\s*(\d+))\s*\$?\.?")


def _other_terms(a: str, b: str) -> bool:
    """Whether both are fractions, of other numerators: 6/8 is not 3/4 in its lowest terms."""
    found = [_FRACTION.fullmatch(side.strip()) for side in (a, b)]
    terms = [tuple(group for group in each.groups() if group) for each in found if each is not None]
    return len(terms) == 2 and terms[0] != terms[1]


_ONLY_DRESS = frozenset(["emphasis", "label", "quotes", "lead", "frame", "tail", "rejected", "aside", "other name"])


def _undressed(text: str, question: str, language: str) -> set[str]:
    """An answer without the words around it, as it is written."""
    found = {form for form, taken in variants(text).items() if taken <= _ONLY_DRESS}
    if (said := framing.framed(text, question, language)) is not None:
        found.add(said)
    return found


def _spellings(text: str, question: str, language: str) -> frozenset[str]:
    plain = (unicodedata.normalize("NFC", form).replace("’", "'") for form in _undressed(text, question, language))
    stripped = {" ".join(form.casefold().split()).strip(" .。,;:!?\"'`*“”„«»") for form in plain}
    return frozenset(re.sub(r"^(?:the word|the|a|an) (?=\w)", "", form) for form in stripped) | frozenset(stripped)


def _letters(text: str, question: str, language: str) -> frozenset[str]:
    """The letters of an answer, in American spelling: an abbreviation and what it stands for differ in them."""
    return frozenset(
        "".join(american(word) for word in re.findall(r"[^\W_]+", form) if word not in ("the", "a", "an"))
        for form in _spellings(text, question, language)
    )


_OR = r"\W+(?:or|oder|ou|o|u|of|eller|tai|или|або|чи|lub|czy|nebo|veya|ya da|atau|hay|hoặc|أم|أو|या|还是|或|還是)\W+"
_ARTICLE = r"(?:(?:an?|the|der|die|das|eine?|le|la|les|une?|el|los|las|un|una|il|lo|o|os|as|um|uma|de|het|een)\s+)?"


def _both_offered(a: str, b: str, question: str) -> bool:
    """Whether a question lets choose between the two: `its or it's`."""
    one, other = (side.strip().strip("\"'`*“”.,").replace("’", "'") for side in (a, b))
    if not (0 < len(one) <= _LONGEST and 0 < len(other) <= _LONGEST) or one.casefold() == other.casefold():
        return False
    asked = question.casefold().replace("’", "'")
    if one.casefold() not in asked or other.casefold() not in asked:
        return False
    return any(
        re.search(rf"(?<!\w){re.escape(x.casefold())}{_OR}{_ARTICLE}{re.escape(y.casefold())}(?!\w)", asked) is not None
        for x, y in ((one, other), (other, one))
    )


_CONTRACTED = re.compile(r"\b(i|you|he|she|it|we|they|who)['’](ll|re|s|d|ve|m)\b", re.IGNORECASE)
_ARTICLES = {
    "de": {"der": "m", "die": "f", "das": "n"},
    "es": {"el": "m", "la": "f", "los": "m", "las": "f", "un": "m", "una": "f"},
    "fr": {"le": "m", "la": "f", "un": "m", "une": "f"},
    "it": {"il": "m", "lo": "m", "i": "m", "gli": "m", "la": "f", "le": "f", "un": "m", "uno": "m", "una": "f"},
    "pt": {"o": "m", "a": "f", "os": "m", "as": "f", "um": "m", "uma": "f"},
    "nl": {"de": "c", "het": "n"},
    "ca": {"el": "m", "la": "f", "un": "m", "una": "f"},
    "sv": {"en": "c", "ett": "n"}, "da": {"en": "c", "et": "n"}, "no": {"en": "c", "et": "n"},
}  # fmt: skip
"""Articles by gender, as they stand before a noun that is named alone"""


def other_gender(a: str, b: str, language: str) -> bool:
    """Whether two answers put articles of two genders before a noun: der See is a lake, die See is the sea."""
    genders = _ARTICLES.get(language)
    if genders is None:
        return False
    ones, others = a.casefold().split(), b.casefold().split()
    if len(ones) != 2 or len(others) != 2 or ones[1].strip(".") != others[1].strip("."):
        return False
    one, other = genders.get(ones[0]), genders.get(others[0])
    return one is not None and other is not None and one != other


def contracted_apart(a: str, b: str) -> bool:
    """Whether one answer has a contraction where the other has the word that its letters make: we'll, well."""
    for one, other in ((a, b), (b, a)):
        if "'" in one or "’" in one:
            words = set(re.findall(r"[^\W_]+(?:['’][^\W_]+)*", other.casefold()))
            if any((found[1] + found[2]).casefold() in words for found in _CONTRACTED.finditer(one)):
                return True
    return False
