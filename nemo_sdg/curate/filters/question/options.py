"""Filters of options: each says something else, and `all of the above` is true of all."""

import re
import unicodedata
from typing import Any

from nemo_sdg.curate.filters.phrases import content_of
from nemo_sdg.curate.filters.view import Finding, View, contains, excerpt, sentences
from nemo_sdg.text.numbers import Number, find_numbers, read_number

EDGE = re.compile(r"^[\s\"'“”«».,;:!?()\[\]。、，؛؟]+|[\s\"'“”«».,;:!?()\[\]。、，؛؟]+$")
ABOUT_WRITING = re.compile(
    r"\b(?:capitali[sz]|capital letter|in capitals|upper ?case|lower ?case|spell|punctuat|grammar|written|writing|"
    r"write\b|correctly|apostrophe|comma|"
    r"(?<!wie )groß|klein|(?:ge)?schr(?:ei|ie)b|komma|majuscul|minuscul|écri|orthograph|mayúscul|minúscul|escri|"
    r"ortogra|maiuscol|minuscol|scri[vt]|hoofdletter|schrijf|wielk|małą|pis[aoz]|velk|malý|malé|píš|пиш|букв|запис|"
    r"büyük harf|küçük harf|yazıl)|كتاب|يكتب|लिख|写|書|대문자|소문자|쓰|\bviết|\btulis|\bskriv",
    re.IGNORECASE,
)
"""Of questions about letters and marks"""
ABOUT_SIGNS = re.compile(r"\b(?:notation|symbol|abbreviat|genotype|allele)", re.IGNORECASE)
"""Of questions about signs: their options are hardly longer than SIGN"""
SIGN = 4
ABOUT_VALUES = re.compile(
    r"\b(?:simplest|lowest terms|simplif|reduced? |forms?\b|decimal|percent|round(?:ed)? |significant|express|"
    r"equivalent|convert|improper|mixed number|digits?\b)",
    re.IGNORECASE,
)
"""Of questions about the form of a number: equal ones may be offered"""
AROUND_SIGNS = re.compile(r"\s*([=+\-−*/×·^<>≤≥,()$])\s*")


def options_distinct(view: View) -> Finding | None:
    """Two options that are the same but for case, width, spacing or a mark at the end, that are the same number in
    other signs or units (`6` and `six`, `3/6` and `4/8`, `5 m/s` and `18 km/h`), or of which one is a range inside the
    other.

    A question about how something is written may offer such; so may one of code, or one where several options differ
    so.
    """
    if not view.is_choice or len(view.choices) < 3:
        return None
    groups: dict[str, list[str]] = {}
    for choice in view.choices:
        groups.setdefault(_plain(choice), []).append(choice)
    alike = [group for key, group in groups.items() if len(group) > 1 and key]
    pair = alike[0] if len(alike) == 1 and len(alike[0]) == 2 else None
    has_digits = any(map(str.isdigit, "".join(view.choices)))
    if (pair is None and not has_digits) or ABOUT_WRITING.search(view.question):
        return None
    if ABOUT_SIGNS.search(view.question) and (pair is None or len(pair[0]) <= SIGN or has_digits):
        return None
    if pair is not None and not view.is_technical and not _differ_in_sense(*pair):
        return "choices_not_distinct", excerpt(" | ".join(pair))
    if not has_digits or ABOUT_VALUES.search(view.question):
        return None
    by_unit = ABOUT_UNITS.search(view.question) is None
    shares = PROBABILITY.search(view.question) is not None
    nested = _nested_ranges(view)
    if nested is not None:
        return "choices_not_distinct", excerpt(" | ".join(nested))
    read = [(choice, read_number(choice, view.language)) for choice in view.choices]
    for place, (choice, number) in enumerate(read):
        for other, same in read[place + 1 :]:
            if (
                number is not None
                and same is not None
                and (_quantity(number, by_unit) == _quantity(same, by_unit) or (shares and _one_share(number, same)))
                and _plain(choice) != _plain(other)
                and not (view.is_technical and (_has_digit(choice) == _has_digit(other)))
            ):
                return "choices_not_distinct", excerpt(f"{choice} | {other}")
    return None


ABOUT_UNITS = re.compile(
    r"\bequal|same as|\bunits?\b|einheit|unité|unidad|unità|unidade|eenheid|enhet|единиц|单位|単位", re.IGNORECASE
)
BETWEEN = re.compile(
    r"^\W*(?:about |around )?(?:between|zwischen|entre|tra|fra|tussen|mellan|mellem|mellom|między|mezi|между|між|"
    r"από|بين|antara|giữa)\b",
    re.IGNORECASE,
)


def _nested_ranges(view: View) -> tuple[str, str] | None:
    """Two options of which one is a part of the other: `between 8 and 12 minutes`, `between 9 and 11 minutes`."""
    ranges = [
        (choice, [found.number.value for found in find_numbers(choice, view.language)])
        for choice in view.choices
        if BETWEEN.match(choice)
    ]
    for place, (choice, ends) in enumerate(ranges):
        for other, others in ranges[place + 1 :]:
            if len(ends) != 2 or len(others) != 2:
                continue
            (low, high), (first, last) = ends, others
            if (low <= first and last <= high) or (first <= low and high <= last):
                return choice, other
    return None


def _quantity(number: Number, by_unit: bool) -> tuple[Any, ...]:
    """What makes two numbers one; with `by_unit` the value counts in the base unit."""
    if by_unit:
        return number.value * number.unit.factor, number.unit.dimensions, number.percent
    return number.value, number.unit, number.percent


def _one_share(number: Number, other: Number) -> bool:
    """Whether one of two numbers is a percentage and the other one the share that it is (`50 %`, `1/2`)."""
    if number.percent == other.percent or number.unit.dimensions or other.unit.dimensions:
        return False
    percentage, share = (number, other) if number.percent else (other, number)
    return percentage.value == 100 * share.value


PROBABILITY = re.compile(
    r"\bprobab|\blikelihood|wahrscheinlich|prawdopodob|pravděpodob|pravdepodob|вероятн|ймовірн|имовірн|olasılı|احتمال|प्रायिकता|"
    r"概率|機率|确率|確率|확률|\bpeluang|xác suất|sannolik|sandsynlig|todennäköis|\bkans\b|πιθανότητ|valószínűség|"
    r"uwezekano|הסתברות",
    re.IGNORECASE,
)
"""Of questions whose answers are shares, as fractions or in percent"""


def _has_digit(choice: str) -> bool:
    return any(map(str.isdigit, choice))


def _plain(choice: str) -> str:
    if choice.isalpha() and choice.isascii():
        return choice.lower()
    return " ".join(EDGE.sub("", _close(choice)).casefold().split())


def _close(text: str) -> str:
    """A text without the spaces around its signs."""
    return AROUND_SIGNS.sub(r"\1", unicodedata.normalize("NFKC", text))


def _differ_in_sense(one: str, other: str) -> bool:
    """Whether case or a mark makes another thing of so short a text: `AA` and `Aa`, `mW` and `MW`, `5!` and `5`,
    `(2` and `[2`.
    """
    letters = [letter for letter in one if letter.isalpha()]
    one, other = _close(one), _close(other)
    short = (len(letters) < 4 and one.casefold() != other.casefold()) or (len(letters) < 3 and one != other)
    marks = set(EDGE.findall(one)) ^ set(EDGE.findall(other))
    mathematical = any(mark.strip() in ("!", "(", ")", "[", "]") for mark in marks)
    return (short and one.strip(" .") != other.strip(" .")) or (mathematical and not letters)


ALL_ABOVE = re.compile(
    r"^\W*(?:all|both|each|every one) of (?:the )?(?:above|these|them|those|options|answers|"
    r"choices)|^\W*all (?:the )?(?:above|"
    r"options|answers)|alle (?:genannten|oben|antworten)|todas? (?:las anteriores|as anteriores)|"
    r"tutte le (?:precedenti|risposte)|"
    r"toutes (?:ces réponses|les réponses)|以上(?:都|皆|全)|上記(?:の)?すべて|모두|все (?:вышеперечисленное|"
    r"перечисленное)",
    re.IGNORECASE,
)
DENIED = re.compile(
    r"(?:\b(?:is|are|was|were|does|do|did|can|has|have)(?: not|n't)(?: one| true| correct| right)?|"
    r"\b(?:is|are) (?:false|wrong|incorrect|untrue))\W*$",
    re.IGNORECASE,
)
SHUT_OUT = re.compile(
    r"\b(?:(?:does|do|did)(?: not|n't) (?:belong|count|qualify)(?: here| there| to (?:it|them|these))?|"
    r"(?:is|are)(?: not|n't) (?:one|part) of (?:them|these|those)|gehör(?:t|en) nicht (?:dazu|hierher)|"
    r"n'en (?:fait|font) pas partie|no pertenecen? a (?:ell[ao]s|est[ao]s)|non ne (?:fa|fanno) parte|"
    r"não (?:faz|fazem) parte|hoor(?:t|en) er niet bij|nie należ[yą] do nich|nepatří (?:sem|mezi ně)|"
    r"сюда не относ[ия]т?ся|не належ[иа]т[ьи] сюди)"
    r"(?=[,;.:!]|\s*$)",
    re.IGNORECASE,
)
"""What is said of an option that is none of those asked for"""
CLAUSE = re.compile(r"[,;:.!?]|\b(?:but|and|while|whereas|although)\b", re.IGNORECASE)


def all_of_the_above(view: View) -> Finding | None:
    """The answer is `all of the above`, and the reasoning says of one option that it is not."""
    if not view.is_choice or not ALL_ABOVE.search(view.answer):
        return None
    others = [choice for choice in view.choices if choice != view.answer]
    for sentence in sentences(view.reasoning):
        for clause in CLAUSE.split(sentence):
            if DENIED.search(clause) and any(contains(view.tokens(clause), view.tokens(other)) for other in others):
                return "reasoning_contradicts_answer", f"{excerpt(clause.strip())} (answer: {excerpt(view.answer)})"
        if SHUT_OUT.search(sentence) and any(contains(view.tokens(sentence), view.tokens(one)) for one in others):
            return "reasoning_contradicts_answer", f"{excerpt(sentence)} (answer: {excerpt(view.answer)})"
    last = view.reasoning_sentences[-1] if view.reasoning else ""
    if _are_set_apart(view, last, others):
        return "reasoning_contradicts_answer", f"{excerpt(last)} (answer: {excerpt(view.answer)})"
    return None


CONTRAST = re.compile(
    r"\b(?:whereas|while|unlike|während|hingegen|dagegen|tandis que|alors que|mientras que|en cambio|mentre|invece|"
    r"enquanto|ao passo que|terwijl|daarentegen|podczas gdy|natomiast|zatímco|kdežto|тогда как|в то время как|тоді як|"
    r"oysa|بينما|जबकि|trong khi|sedangkan|sementara|medan|mens|ενώ|kun taas|míg|în timp ce)\b|而(?!且)|一方|반면",
    re.IGNORECASE,
)


def _are_set_apart(view: View, sentence: str, options: list[str]) -> bool:
    """Whether a sentence sets some of the options against all the others (`B is warm, whereas A and C are cold`), and
    does not say what is asked of both (`A conducts heat well, while B and C conduct it better`).
    """
    parts = CONTRAST.split(sentence)
    if len(parts) != 2:
        return False
    named = [content_of(view, option) for option in options]
    own = [words - frozenset().union(*(other for other in named if other is not words)) for words in named]
    sides = [{place for place, words in enumerate(own) if words & content_of(view, part)} for part in parts]
    asked = content_of(view, view.question).difference(*named)
    of_both = asked.intersection(*(content_of(view, part) for part in parts))
    apart = bool(sides[0] and sides[1]) and not sides[0] & sides[1] and len(sides[0] | sides[1]) == len(options)
    return apart and not of_both
