"""Filter of answers given away by the context, which brings knowledge and not the answer."""

import itertools
import re
from fractions import Fraction

from nemo_sdg.curate.filters.phrases import STEM, content_of, content_words, phrases
from nemo_sdg.curate.filters.solution.conclusion import announcements, is_marker
from nemo_sdg.curate.filters.solution.hints import hint_in_context
from nemo_sdg.curate.filters.view import Finding, View, contains, excerpt, sentences
from nemo_sdg.records import Kind
from nemo_sdg.text.normalize import is_spaceless
from nemo_sdg.text.numbers import FoundNumber, Number, find_numbers, numbers_equal, read_number

SEPARATOR = re.compile(r"[,;、，；،·]")
LISTED = 5
"""items of a list of which one is the answer, and none is given away"""
LABEL = re.compile(r"\W{0,4}(?:option |choice )?([A-J])(?:[).:,*\]]|\s*$|\.?\s*$)")


def context_gives_answer(view: View, *, min_coverage: float = 0.5) -> Finding | None:
    """The context announces the answer, states it in a sentence that holds `min_coverage` of what is asked, or works
    the numbers of the question out to it. It may name the answer among other knowledge.
    """
    if not view.context or view.kind in (Kind.free_text, Kind.code):
        return None
    if (hint := hint_in_context(view)) is not None:
        return "context_gives_answer", hint
    gold = view.tokens(view.answer)
    for match in announcements(view, view.context):
        said = view.tokens(view.context[match.end() : match.end() + 2 * len(view.answer) + 40])[: len(gold) + 2]
        if view.is_classification and _says_what_labels_mean(view, match.start()):
            continue
        if contains(said, gold) or LABEL.match(view.context[match.end() :].strip()):
            return "context_gives_answer", excerpt(view.context, match.start())
    if view.is_classification:
        return _label_concluded(view, gold)
    if read_number(view.answer, view.language) is not None and not view.is_choice:
        return _number_worked_out(view)
    return _named(view) or _stated(view, min_coverage) or _paraphrased(view) or _alone_named(view)


def _says_what_labels_mean(view: View, place: int) -> bool:
    """Whether the sentence at `place` of the context names other labels too (`"yes" means …, and "no" means …`)."""
    before, end = view.context[:place], 0
    for sentence in sentences(view.context):
        end = view.context.find(sentence, end) + len(sentence)
        if end > len(before):
            said = view.tokens(sentence)
            return any(contains(said, view.tokens(choice)) for choice in view.choices if choice != view.answer)
    return False


def _named(view: View) -> Finding | None:
    """The context holds the very answer of a question without options, which neither question nor passage name."""
    if view.is_choice or view.kind != Kind.short_text:
        return None
    told, asked = view.tokens(view.context), view.tokens(view.asked)
    for words in map(view.tokens, view.accepted):
        letters = sum(map(len, words)) * (2 if words and is_spaceless(words[0]) else 1)
        if letters >= 4 and contains(told, words) and not contains(asked, words) and not _only_listed(view, words):
            return "context_gives_answer", excerpt(" ".join(words))
    return None


def _only_listed(view: View, words: list[str]) -> bool:
    """Whether the context names an answer only among its like, in lists of LISTED items or more: all days of the week,
    the planets.
    """
    for sentence in sentences(view.context):
        if contains(view.tokens(sentence), words):
            items = [item for item in map(view.tokens, SEPARATOR.split(sentence)) if item]
            like = [item for item in items if len(item) <= len(words) + 1]
            if len(like) < LISTED or not any(contains(item, words) for item in like):
                return False
    return True


def _alone_named(view: View) -> Finding | None:
    """The context names the right one of three options or more and no other, and speaks of what is asked: two words of
    the question or all stand in it, one beside the answer.
    """
    gold, told = view.tokens(view.answer), view.tokens(view.context)
    letters = sum(map(len, gold)) * (2 if gold and is_spaceless(gold[0]) else 1)
    if len(view.choices) < 3 or letters < 3 or not any(map(str.isalpha, view.answer)) or not contains(told, gold):
        return None
    asked = view.tokens(view.question) + view.tokens(view.passage)
    if contains(asked, gold) or any(contains(told, view.tokens(one)) for one in view.choices if one != view.answer):
        return None
    core = content_words(asked, frozenset(gold))
    if len(core & content_of(view, view.context)) < min(2, len(core)) or not core:
        return None
    for sentence in sentences(view.context):
        said = view.tokens(sentence)
        if contains(said, gold) and core & content_of(view, sentence):
            return "context_gives_answer", excerpt(sentence)
    return None


def _label_concluded(view: View, gold: list[str]) -> Finding | None:
    """A sentence of the context concludes (`so …`) in the label that is right, and names no other one. A yes or a no is
    its last word: in `so there is no proof` it is none. A label before the conclusion is explained.
    """
    polar = view.folded(view.answer).strip(" .") in {*phrases("yes", view.language), *phrases("no", view.language)}
    others, markers = [view.tokens(choice) for choice in view.choices if choice != view.answer], _conclusions(view)
    for sentence in sentences(view.context):
        if (place := _conclusion_at(sentence, markers)) is None:
            continue
        said = view.tokens(sentence[place:])
        if contains(said[-len(gold) :] if polar else said, gold) and not any(
            contains(view.tokens(sentence), other) for other in others
        ):
            return "context_gives_answer", excerpt(sentence)
    return None


def _conclusion_at(sentence: str, markers: list[str]) -> int | None:
    """Where the first of the markers stands in a sentence."""
    lowered = sentence.lower()
    places = ((lowered.find(marker), marker) for marker in markers)
    return min((start for start, marker in places if start >= 0 and is_marker(lowered, start, marker)), default=None)


def _conclusions(view: View) -> list[str]:
    """The markers of a conclusion that stand somewhere in the context."""
    lowered = view.context.lower()
    return [marker for marker in phrases("conclusion", view.language) if marker in lowered]


def _number_worked_out(view: View) -> Finding | None:
    gold = read_number(view.answer, view.language)
    assert gold is not None
    asked = {found.number.value for found in find_numbers(f"{view.question} {view.passage}", view.language)}
    if gold.value in asked:
        return None
    between = _first_steps(asked) - asked if gold.value > CHANCE else set()
    core, markers = content_of(view, (sentences(view.question) or [""])[-1]), _conclusions(view)

    def is_gold(number: Number) -> bool:
        return numbers_equal(gold, number, question=view.question, language=view.language)

    sums_up = SUM.search(view.context) is not None
    for sentence in sentences(view.context):
        found = [one for one in find_numbers(sentence, view.language) if not _is_of_formula(sentence, one)]
        numbers = [one.number for one in found]
        concluded = _conclusion_at(sentence, markers) if markers else None
        concerns = len(core) > 1 and len(core & content_of(view, sentence)) >= 0.5 * len(core)
        concerns = concerns or (sums_up and SUM.search(sentence) is not None)
        further = _with_halves(view, sentence) if gold.value.denominator > 1 else []
        further += _spelled(view, sentence) if concerns or concluded is not None else []
        if not any(map(is_gold, numbers + further)):
            continue
        ends = further + [one.number for one in found if concluded is not None and one.start > concluded]
        worked_out = concluded is not None and any(map(is_gold, ends))
        told = {number.value for number in numbers} - {gold.value}
        if concerns or worked_out or told & asked or told & between or _is_particular(gold):
            return "context_gives_answer", excerpt(sentence)
    return None


def _first_steps(asked: set[Fraction]) -> set[Fraction]:
    """What two of the numbers of a question give: a sentence that holds one of these and the answer calculates."""
    pairs = itertools.permutations(sorted(asked)[:MOST_ASKED], 2)
    steps = {step for one, two in pairs for step in (one + two, one - two, one * two, one / two if two else one)}
    return {step for step in steps if step > CHANCE}


MOST_ASKED, CHANCE = 6, 12
"""Numbers of a question that are combined; values up to which one stands there by chance"""


def _is_of_formula(sentence: str, found: FoundNumber) -> bool:
    """Whether a number multiplies or bounds a variable: `3n − 6`, `n ≥ 3`."""
    before = sentence[max(0, found.start - 6) : found.start]
    return VARIABLE.match(sentence, found.end) is not None or BOUNDED.search(before) is not None


VARIABLE = re.compile(r"[a-zA-Z](?![^\W_])(?<![mgslhJKNWVATC])")
"""Behind a number, and no unit"""
BOUNDED = re.compile(r"(?<![^\W_])[a-zA-Z]\s?[<>≤≥]\s?$")


def _is_particular(gold: Number) -> bool:
    """Whether a value is of three digits or more and hardly met by chance: no power of ten, no days, degrees, bytes."""
    digits = str(gold.value.numerator if gold.value.denominator == 1 else gold.value.limit_denominator(10**6).numerator)
    significant = digits.strip("-").rstrip("0")
    return len(significant) >= 3 and gold.value not in COMMON_VALUES


COMMON_VALUES = frozenset([365, 366, 128, 256, 512, 1024, 273, 314, 144, 212, 225, 135, 101325])
HALF = re.compile(
    r"^\W{0,2}(?:[^\W\d_]+ )?(?:and a half|et demie?|y medi[oa]|e mezz[oa]|e mei[oa]|en een half|с половиной|"
    r"з половиною|i pół|"
    r"a půl|buçuk|ونصف|rưỡi|setengah|och en halv|og en halv|na nusu|半|반)",
    re.IGNORECASE,
)


def _with_halves(view: View, sentence: str) -> list[Number]:
    """Numbers of a sentence behind which a half is said (`seventeen euros and a half`), with it."""
    return [
        Number(found.number.value + Fraction(1, 2), found.number.unit, found.number.percent)
        for found in find_numbers(sentence, view.language)
        if found.number.value.denominator == 1 and HALF.match(sentence[found.end :])
    ]


SUM = re.compile(
    r"\b(?:in sum|in total|altogether|adds? up to|insgesamt|zusammen|au total|en tout|"
    r"en total|in totale|no total|ao todo|in totaal|łącznie|razem|celkem|всего|итого|усього|разом|toplam|tổng cộng|"
    r"totalt|sammanlagt|i alt|yhteensä|συνολικά|összesen|în total)\b|总共|一共|共计|总计|合起来|合計|全部で|모두|합계",
    re.IGNORECASE,
)
"""Of a sentence that works something out"""
SPELLED = re.compile(r"[^\W\d_]{3,}(?:-[^\W\d_]+)*")


def _spelled(view: View, sentence: str) -> list[Number]:
    """Numbers of a sentence that are written as one word (`twenty-seven`), from 13 on: smaller ones count anything."""
    read = (read_number(word, view.language) for word in SPELLED.findall(sentence))
    return [number for number in read if number is not None and number.value > 12 and not number.unit.dimensions]


def _stated(view: View, min_coverage: float) -> Finding | None:
    gold = view.tokens(view.answer)
    core = content_words(view.tokens((sentences(view.question) or [""])[-1]), frozenset(gold))
    if len(core) < 2:
        return None
    accepted = [view.tokens(text) for text in view.accepted if sum(map(len, view.tokens(text))) > 1]
    for sentence in sentences(view.context):
        said = view.tokens(sentence)
        if not any(contains(said, words) or _inflected(said, words) for words in accepted):
            continue
        if len(core & content_of(view, sentence)) >= min_coverage * len(core):
            return "context_gives_answer", excerpt(sentence)
    return None


def _paraphrased(view: View, *, min_share: float = 0.6) -> Finding | None:
    """A sentence about what is asked that holds most of the words which the right option alone has (`a striker cannot
    be dismissed, save for gross misconduct` for `No, save for gross misconduct`).
    """
    if len(view.choices) < 3:
        return None
    asked = content_of(view, view.question)
    others = [content_of(view, choice) for choice in view.choices if choice != view.answer]
    own = content_of(view, view.answer) - asked.union(*others)
    if len(own) < 2:
        return None
    for sentence in sentences(view.context):
        said = content_of(view, sentence)
        if len(own & said) < max(2, min_share * len(own)) or len(said & asked) < 2:
            continue
        if all(2 * len((other - asked) & said) < len(other - asked) or not other - asked for other in others):
            return "context_gives_answer", excerpt(sentence)
    return None


def _inflected(said: list[str], words: list[str]) -> bool:
    """Whether each of the words stands in the sentence, with another ending perhaps."""
    if any(len(word) < STEM or is_spaceless(word) for word in words):
        return False
    stems = {word[:STEM] for word in said}
    return all(word[:STEM] in stems for word in words)
