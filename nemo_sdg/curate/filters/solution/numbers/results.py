"""Where a reasoning reaches a number as its result, and whether what follows is a remark or goes on to another one."""

import functools
import re

from nemo_sdg.curate.filters.phrases import content_of, find_phrases, phrases
from nemo_sdg.curate.filters.solution.numbers.values import SIGN, equal, has_magnitude, is_below, is_opposite
from nemo_sdg.curate.filters.view import View
from nemo_sdg.text.normalize import is_spaceless
from nemo_sdg.text.numbers import FoundNumber, Number, find_numbers, read_number

EQUALITY = re.compile(r"[=＝≈≃≅→⇒⟹][^\w=]*$|\\(?:approx|to|Rightarrow|implies|simeq)\W*$")
"""Ends what stands before a result"""
OPERATOR = re.compile(
    r"^[^\w=]{0,3}(?:[^\W\d_]{1,9}[²³]?(?:/[^\W\d_]{1,9})?)?[^\w=+*×·⋅÷/−–-]{0,3}"
    r"(?:[-+−–*×·⋅÷/:x^]|\\(?:cdot|times|div)\b)[^\w=]{0,4}$"
)
"""All that stands between two numbers of one sum: the unit of the first, and a sign"""
CLAUSE = re.compile(r"[,;:،؛，；：、()（）—–]")
CHECK = re.compile(
    r"\W*(?:check|proof|indeed|verif|to verify|as a check|probe|zur probe|kontroll|comprob|vérif|prova|controll|sprawd|"
    r"zkoušk|провер|перевір|kontrol|sağlama|التحقق|للتحقق|जाँच|जांच|验算|检验|検算|確認|검산|확인|kiểm tra|"
    r"thử lại|cek|periksa|"
    r"controle|έλεγχος|tarkist|בדיקה)",
    re.IGNORECASE,
)
LABEL = re.compile(r"\W*(?:[^\W\d_]+\s?)?\d+\s?[:.)：、](?!\d)")
"""The number of a step"""
QUOTIENT = re.compile(r"([-−]?[\d.,]+)\s?/\s?([\d.,]+)")
IN_BRACKETS = re.compile(r"\W*[(（\[].*[)）\]]\W*", re.DOTALL)
CONDITIONAL = {
    "fr": re.compile(r"\w{2}r(?:ais|ait|aient|ions|iez)\b"),
    "es": re.compile(r"\w(?:ar|er|ir|[bdr]r)(?:ía|ías|ían|íamos)\b"),
    "pt": re.compile(r"\w(?:ar|er|ir)(?:ia|iam|íamos)\b"),
    "it": re.compile(r"\w{2}r(?:ei|ebbe|ebbero|emmo)\b"),
    "ca": re.compile(r"\w{2}r(?:ia|ies|ien|íem)\b"),
    "fi": re.compile(r"\w{2}isi(?:n|t|mme|tte|vat)?\b"),
    "tr": re.compile(r"\w{2}s[ae](?:ydı|ydi|k|m|n|lar|ler)?\b|\w{2}[ıiuü]rdı|\w{2}[ıiuü]rdi"),
    "ru": re.compile(r"\bбы?\b"),
    "uk": re.compile(r"\bби?\b"),
    "ja": re.compile(r"[えけげせてねべめれらなた]ば(?!な[らり])|なら(?!な)|たら|とすると|しまうと|場合"),
    "ko": re.compile(r"[가-힣](?:면|다면|더라면)(?![가-힣])"),
}
"""Forms of the verb that suppose, where a language has them"""


def is_check(sentence: str) -> bool:
    return CHECK.match(sentence) is not None


def is_reached(view: View, gold: Number) -> bool:
    """Whether some sentence has the gold value as its result, and none after it concludes another number.

    What follows a result may be a check, a comparison or a slip that others make, with any numbers of its own. It
    concludes another one where it goes on from the result (`36 / 3 = 12`), opens with a conclusion's word (`so …`), or
    ends the reasoning with a sum.
    """
    said = view.reasoning_sentences
    if _sums_up_another(view, gold, said[-1]):
        return False
    for place in range(len(said) - 1, -1, -1):
        if _results_in(view, gold, said[place]):
            return True
        if goes_on_from(view, gold, said[place]) or _concludes_another(view, gold, said[place]):
            return False
    return False


def goes_on_from(view: View, gold: Number, sentence: str) -> bool:
    """Whether a sentence has the gold value only as a part of a sum whose result is another number."""
    found = _numbers(view, sentence)
    golds = [place for place, one in enumerate(found) if equal(view, gold, one.number)]
    if not golds or golds[0] + 1 == len(found):
        return False
    result = None
    for place in range(golds[0] + 1, len(found)):
        if EQUALITY.search(_between(sentence, found, place)):
            result = place
        elif not OPERATOR.match(_between(sentence, found, place)):
            break
    if result is None or golds[-1] >= result or not _is_operand(sentence, found, golds[-1]):
        return False
    return not _is_remark(view, sentence, found[result:])


def lost_sign(view: View, gold: Number, last: str) -> bool:
    """Whether the reasoning has a positive gold value only below zero, at last behind an equality (`v = −12`), where
    the question does not ask for a size.
    """
    if gold.value <= 0 or not MINUS.search(last) or SIGN.search(FORMULA.sub(" ", view.question)):
        return False
    below = [one for one in find_numbers(last, view.language) if is_below(view, gold, one)]
    if not any(EQUALITY.search(last[: one.start]) for one in below):
        return False
    return not any(_results_in(view, gold, sentence, signed=True) for sentence in view.reasoning_sentences)


MINUS = re.compile(r"[-−–]\s?\d")
FORMULA = re.compile(r"\S*[-−–]\s?\d\S*")


def _sums_up_another(view: View, gold: Number, sentence: str) -> bool:
    """Whether a sentence ends in a sum, and its result is another number."""
    found = _numbers(view, sentence)
    results = [place for place in range(2, len(found)) if EQUALITY.search(_between(sentence, found, place))]
    if not results or not OPERATOR.match(_between(sentence, found, results[-1] - 1)):
        return False
    ends = found[results[-1] :]
    return not any(equal(view, gold, one.number) for one in ends) and not _is_remark(view, sentence, ends)


def _is_operand(sentence: str, found: list[FoundNumber], place: int) -> bool:
    """Whether a sign of a sum stands beside a number."""
    if place + 1 < len(found) and OPERATOR.match(_between(sentence, found, place + 1)):
        return True
    return place > 0 and OPERATOR.match(_between(sentence, found, place)) is not None


def _between(sentence: str, found: list[FoundNumber], place: int) -> str:
    """What stands before a number, from the one before it on, a sign of subtraction included."""
    before = sentence[found[place - 1].end if place else 0 : found[place].start]
    first = sentence[found[place].start : found[place].start + 1]
    return before + first if first in "+-−–" and not EQUALITY.search(before) else before


def _numbers(view: View, sentence: str) -> list[FoundNumber]:
    """The numbers of a sentence, the two of a quotient apart."""
    parted = []
    for one in find_numbers(sentence, view.language):
        quotient = QUOTIENT.fullmatch(sentence, one.start, one.end)
        sides = [read_number(side, view.language) for side in quotient.groups()] if quotient is not None else []
        if quotient is None or None in sides:
            parted.append(one)
            continue
        parted += [
            FoundNumber(side, *quotient.span(number)) for number, side in enumerate(sides, 1) if side is not None
        ]
    return parted


def _results_in(view: View, gold: Number, sentence: str, *, signed: bool = False) -> bool:
    """Whether the gold value stands behind an equality or as the last number of a clause; with `signed` its sign is not
    one in words.
    """
    found = _numbers(view, sentence)
    label = LABEL.match(sentence)
    for place, one in enumerate(found):
        before = _between(sentence, found, place)
        if (label is not None and one.start < label.end()) or (place and OPERATOR.match(before)):
            continue
        if not equal(view, gold, one.number) and (signed or not is_opposite(view, gold, one, sentence)):
            continue
        if place + 1 == len(found):
            return True
        after = _between(sentence, found, place + 1)
        if CLAUSE.search(after) or (EQUALITY.search(before) and not OPERATOR.match(after)):
            return True
    return False


def _concludes_another(view: View, gold: Number, sentence: str) -> bool:
    """Whether a clause that opens with a conclusion's word ends in another number, and does not speak of other things
    than the question does.
    """
    opened = _opening(view.language).search(view.folded(sentence))
    if opened is None:
        return False
    clause = view.folded(sentence)[opened.end() :]
    found = [one for one in find_numbers(clause, view.language) if any(map(str.isdigit, clause[one.start : one.end]))]
    if not found or _is_remark(view, sentence, found):
        return False
    told = {word for word in content_of(view, clause) if not word[0].isdigit()}
    return not told or bool(told & content_of(view, view.question)) or has_magnitude(view, gold, clause)


def _is_remark(view: View, sentence: str, found: list[FoundNumber]) -> bool:
    """Whether a sentence only supposes something, asks, checks, stands in brackets, or comes back to what the question
    gives.
    """
    if sentence.rstrip().endswith(("?", "？", "؟")) or is_check(sentence) or IN_BRACKETS.fullmatch(sentence):
        return True
    supposed = find_phrases(view.folded(sentence), phrases("supposing", view.language), view.words(sentence))
    forms = CONDITIONAL.get(view.language)
    if supposed or (forms is not None and forms.search(view.folded(sentence))):
        return True
    given = [one.number.value for one in find_numbers(view.question, view.language)]
    return found[-1].number.value in given


@functools.cache
def _opening(language: str) -> re.Pattern[str]:
    markers = sorted(phrases("conclusion", language), key=len, reverse=True)
    parts = "|".join(re.escape(marker) + ("" if is_spaceless(marker[-1]) else r"(?!\w)") for marker in markers)
    return re.compile(rf"(?:^|[,;:،؛，；：、—–]\s*)(?:{parts})")
