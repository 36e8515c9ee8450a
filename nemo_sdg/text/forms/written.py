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
        r"\b(?:what(?:['’]s| is| was)|give|enter|state|write) (?:(?!of\b|for\b|in\b|to\b)[\w'’]+ ){0,3}"
        r"(?:(?:code|postcode|pin|password|passcode|isbn|barcode|(?:phone|telephone|serial|plate) number)\b"
        r"(?: number)?(?! [a-z]+(?: [a-z]+)*[?.])|(?:zip|postal) code)|"
        r"\bpostleitzahl|\bplz\b|code postal|código postal|codice postale|почтовый индекс|kod pocztowy|"
        r"邮编|邮政编码|郵便番号|우편번호|"
        r"\bwhat(?:['’]s| is) the (?:\w+ )?code (?:of|for|to)\b|\bwhich (?:\w+ )?(?:code|pin|password|passcode)\b",
        re.IGNORECASE,
    ),
    "version": re.compile(
        r"\b(?:which|what) (?:\w+ ){0,2}version\b|\bwhat(?:['’]s| is) the (?:\w+ ){0,2}version\b|"
        r"\bwelche\w* (?:\S+-)?version\b|"
        r"\bquelle version\b|\bqué versión\b|\bque versão\b|\bquale versione\b|\bкак\w+ верси|哪个版本|"
        r"什么版本|어느 버전",
        re.IGNORECASE,
    ),
    "spelling": re.compile(
        r"\bspell(?:ed|ing|s|t)?\b(?! out)|\bspelt\b|apostroph|\bpunctuation\b|\bhyphenat|"
        r"\b(?:fill in|choose|write|use|insert|pick) (?:\w+ ){0,2}contraction\b|\bcontracted form|"
        r"\bcontraction (?:of|for) (?:the words? )?(?:[\"'“‘`*]|(?:do|does|did|is|are|was|were|"
        r"will|would|have|has|had|can|could|"
        r"should|i|you|he|she|it|we|they|who|let|there|that)\b)|"
        r"\b(?:british|american) (?:english|spelling)|\bhomophone|\bplural (?:form )?of\b|\bsingular (?:form )?of\b|"
        r"\bpast (?:tense|participle) of\b|\b(?:in)?definite article|\bwhich article (?:goes|fits|"
        r"belongs|comes|stands)\b|"
        r"fill in the (?:\w+ )?(?:article|verb|pronoun|"
        r"preposition)|buchstabier|rechtschreib|\bwie wird\b.{0,60}\bgeschrieben\b|"
        r"\bschreibt man\b|orthograph|ortograf|"
        r"s['’]écrit|se escribe|\bsi scrive\b|"
        r"se escreve|пишется|правопис|\bjak se píše\b|nasıl yazıl[ıi]",
        re.IGNORECASE,
    ),
    "abbreviation": re.compile(
        r"\babbreviat|\bacronym|\binitialism|\bwhat (?:do|does|did)\b.{0,60}\bstand for\b|"
        r"\bshort(?:ened)? (?:form of|for)\b|\bfull (?:form|name) of\b|"
        r"\babkürzung|\bwofür steh(?:t|en)\b|abgekürzt|abréviation|\bsigle\b|abreviatura|abreviação|\bsiglas?\b|"
        r"abbreviazione|"
        r"afkorting|förkortning|forkortelse|\bskrót|сокращ|расшифр|аббревиатур|kısaltma|缩写|縮写|略称|略语|全称|全稱|약자|줄임말",
        re.IGNORECASE,
    ),
    "words": re.compile(
        r"\b(?:write|written|express(?:ed)?|give)\b.{0,60}?\b(?:in (?:words|word form|letters|figures|"
        r"digits|numerals)|as (?:a )?(?:words?|numerals?|digits))\b(?! and\b)|"
        r"\bin (?:words|figures|digits|numerals)\s*[?.]?\s*$|\bspell(?:ed)? out\b|"
        r"\bwritten out\b|\b(?:roman|arabic) numerals?\b|\bin worten\b(?! und\b)|ausgeschrieben|\bin ziffern\b|"
        r"en toutes lettres|\bécri\w*.{0,60}?\ben (?:lettres|chiffres)\b|"
        r"\bescrib\w*.{0,60}?\ben (?:palabras|letras|cifras)\b|"
        r"por extenso|em algarismos|\bscriv\w*.{0,60}?\bin (?:lettere|cifre)\b|"
        r"römische\w* (?:zahl|ziffer)|chiffres romains|n[úu]mer(?:os|ales|i) roman|algarismos romanos|numero romano|"
        r"прописью|\b(?:за|на)пи[сш]\w*.{0,60}?\b(?:словами|цифрами)\b|римск\w+ (?:цифр|числ)|"
        r"漢数字|中文数字|大写数字|罗马数字|ローマ数字",
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
        if "identifier" in asked and _other_zeros(a, b):
            return True
        if "version" in asked and _other_version(a, b):
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
        if "abbreviation" in asked:
            ones, others = (_letters(side, question, language) for side in (a, b))
            if not _share(ones, others) and any(_shortens(x, y) for x in ones for y in others):
                return True
    return _both_offered(a, b, question)


def _share(ones: frozenset[str], others: frozenset[str]) -> bool:
    return not ones.isdisjoint(others)


_RUN = re.compile(r"\d+(?:[.\-\s]?\d+)*")


def _runs(a: str, b: str) -> tuple[str, str] | None:
    """The run of digits of each answer, without hyphens and spaces; None where one has none or several."""
    runs = [_RUN.findall(fold(side)) for side in (a, b)]
    if any(len(run) != 1 for run in runs):
        return None
    one, other = (re.sub(r"[-\s]", "", run[0]) for run in runs)
    return one, other


def _other_zeros(a: str, b: str) -> bool:
    """Whether the two runs of digits differ in the zeros before them: 007 and 7."""
    runs = _runs(a, b)
    return runs is not None and runs[0] != runs[1] and any(re.match(r"0\d", run) for run in runs)


def _other_version(a: str, b: str) -> bool:
    """Whether the two runs of digits are versions, and not the same one: 3.10 and 3.1."""
    runs = _runs(a, b)
    return runs is not None and runs[0] != runs[1] and all(re.fullmatch(r"\d+(?:\.\d+)+", run) for run in runs)


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


_IS = re.compile(r"(.{3,80}?)\s+(?:is|ist|est|es|è|é)\s+(.+)")


def _undressed(text: str, question: str, language: str) -> set[str]:
    """An answer without the words around it, as it is written."""
    found = {form for form, taken in variants(text).items() if taken <= _ONLY_DRESS}
    if (said := framing.framed(text, question, language)) is not None:
        found.add(said)
    said_of = _IS.fullmatch(text.strip())
    if said_of is not None:
        asked = set(re.findall(r"[^\W_]+", question.casefold()))
        if asked.issuperset(re.findall(r"[^\W_]+", said_of[1].casefold())):
            found.add(said_of[2])
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


def _shortens(one: str, other: str) -> bool:
    """Whether the letters of one text stand for those of the other one: they begin it and follow in their order."""
    short, long = sorted((one, other), key=len)
    if not short or short[0] != long[0] or len(short) * 3 > len(long) * 2:
        return False
    left = iter(long)
    return all(letter in left for letter in short)


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
