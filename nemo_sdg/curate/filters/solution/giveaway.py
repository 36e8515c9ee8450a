"""Filters of answers given away: by the question itself, or by the context, which brings knowledge and not the
answer.
"""

import re

from nemo_sdg.curate.filters.phrases import STEM, content_words, find_phrases, phrases
from nemo_sdg.curate.filters.solution.conclusion import announcements, is_marker
from nemo_sdg.curate.filters.view import Finding, View, contains, excerpt, sentences
from nemo_sdg.records import Kind
from nemo_sdg.text.normalize import is_spaceless
from nemo_sdg.text.numbers import Number, find_numbers, numbers_equal, read_number


def answer_in_question(view: View, *, min_words: int = 4, min_coverage: float = 0.6) -> Finding | None:
    """The question announces its answer (`… Answer: Paris`), states it in a sentence before it asks for it, or says at
    length the one option that is right and none of the others.

    A passage may hold the answer, and so may a question that names all its options, or one about a proposed answer
    (classification).
    """
    question, answer = view.question, view.answer
    gold = view.tokens(answer)
    if not gold or view.kind in (Kind.code, Kind.free_text) or view.is_classification:
        return None
    if view.kind == Kind.numeric:
        min_coverage = max(min_coverage, 0.8)  # the same number may stand there for something else
    for match in announcements(view, question):
        if view.tokens(question[match.end() : match.end() + 2 * len(answer) + 20])[: len(gold)] == gold:
            return "answer_in_question", excerpt(question, match.start())
    if _appended(view, gold):
        return "answer_in_question", excerpt(question)
    others = [view.tokens(choice) for choice in view.choices if choice != answer]
    *before, last = sentences(question) or [""]
    if 0 < len(before) < 3:
        asked = content_words(view.tokens(last), frozenset(gold))
        for sentence in before:
            said = view.tokens(sentence)
            if (
                contains(said, gold)
                and not contains(view.tokens(last), gold)
                and not any(contains(said, other) for other in others)
                and (len(asked) > 1 or (asked and _right_behind(said, gold, asked)))
                and len(asked & content_words(said)) >= min_coverage * len(asked)
            ):
                return "answer_in_question", excerpt(sentence)
    if view.is_choice and _presupposed(view, gold, others):
        return "answer_in_question", excerpt(question)
    if not view.is_choice or len(gold) < min_words:
        return None
    words = view.tokens(question)
    if contains(words, gold) and not any(contains(words, other) for other in others):
        return "answer_in_question", excerpt(answer)
    return None


def _right_behind(said: list[str], gold: list[str], asked: set[str]) -> bool:
    """Whether a sentence begins with the answer and says the one word that is asked for right behind it (`Lake Baikal,
    which is the deepest, … Which lake is the deepest?`).
    """
    return said[: len(gold)] == gold and bool(asked & content_words(said[len(gold) : len(gold) + 5]))


def _appended(view: View, gold: list[str]) -> bool:
    """Whether the question says its answer right behind a `namely`."""
    folded = view.folded(view.question)
    for start, phrase in find_phrases(
        folded, phrases("namely", view.language, others=False), view.words(view.question)
    ):
        if contains(view.tokens(folded[start + len(phrase) :])[: len(gold) + 2], gold):
            return True
    return False


def _presupposed(view: View, gold: list[str], others: list[list[str]]) -> bool:
    """Whether the question says beforehand what it asks for (`knowing that the whale is a mammal, …`) and names no
    other option.
    """
    if sum(map(len, gold)) < 3 or read_number(view.answer, view.language) is not None:
        return False
    folded = view.folded(view.question)
    found = find_phrases(folded, phrases("presupposing", view.language), view.words(view.question))
    if not found:
        return False
    said = view.tokens(folded[found[0][0] :].split(",")[0] if "," in folded[found[0][0] :] else folded[found[0][0] :])
    return (contains(said, gold) or _same_stems(said, gold)) and not any(
        contains(view.tokens(view.question), other) for other in others
    )


def _same_stems(said: list[str], gold: list[str]) -> bool:
    return all(len(word) >= STEM for word in gold) and {word[:STEM] for word in gold} <= {word[:STEM] for word in said}


LABEL = re.compile(r"\W{0,4}(?:option |choice )?([A-J])(?:[).:,*\]]|\s*$|\.?\s*$)")


def context_gives_answer(view: View, *, min_coverage: float = 0.5) -> Finding | None:
    """The context announces the answer, states it in a sentence that holds `min_coverage` of what is asked, or works
    the numbers of the question out to it. It may name the answer among other knowledge.
    """
    if not view.context or view.kind in (Kind.free_text, Kind.code):
        return None
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
    return _named(view) or _stated(view, min_coverage) or _paraphrased(view)


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
        if letters >= 4 and contains(told, words) and not contains(asked, words):
            return "context_gives_answer", excerpt(" ".join(words))
    return None


def _label_concluded(view: View, gold: list[str]) -> Finding | None:
    """A sentence of the context concludes (`so …`) in the label that is right, and names no other one."""
    others = [view.tokens(choice) for choice in view.choices if choice != view.answer]
    for sentence in sentences(view.context):
        lowered = sentence.lower()
        concludes = any(
            (start := lowered.find(marker)) >= 0 and is_marker(lowered, start, marker)
            for marker in phrases("conclusion", view.language)
        )
        said = view.tokens(sentence)
        if concludes and contains(said, gold) and not any(contains(said, other) for other in others):
            return "context_gives_answer", excerpt(sentence)
    return None


def _number_worked_out(view: View) -> Finding | None:
    gold = read_number(view.answer, view.language)
    assert gold is not None
    asked = {found.number.value for found in find_numbers(f"{view.question} {view.passage}", view.language)}
    if gold.value in asked:
        return None
    core = content_words(view.tokens((sentences(view.question) or [""])[-1]))
    for sentence in sentences(view.context):
        numbers = [found.number for found in find_numbers(sentence, view.language)]
        told = content_words(view.tokens(sentence))
        concerns = len(core) > 1 and len(core & told) >= 0.5 * len(core)
        concerns = concerns or SUM.search(sentence) is not None
        numbers += _spelled(view, sentence) if concerns else []
        if not any(numbers_equal(gold, number, question=view.question, language=view.language) for number in numbers):
            continue
        if concerns or {number.value for number in numbers} & asked:
            return "context_gives_answer", excerpt(sentence)
    return None


SUM = re.compile(
    r"\b(?:in sum|in total|altogether|adds? up to|insgesamt|zusammen|au total|en tout|"
    r"en total|in totale|no total|ao todo|in totaal|łącznie|razem|celkem|всего|итого|усього|разом|toplam|tổng cộng|"
    r"totalt|sammanlagt|i alt|yhteensä|συνολικά|összesen|în total)\b|总共|一共|共计|合計|全部で|모두|합계",
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
        if len(core & content_words(said)) >= min_coverage * len(core):
            return "context_gives_answer", excerpt(sentence)
    return None


def _paraphrased(view: View, *, min_share: float = 0.6) -> Finding | None:
    """A sentence about what is asked that holds most of the words which the right option alone has (`a striker cannot
    be dismissed, save for gross misconduct` for `No, save for gross misconduct`).
    """
    if len(view.choices) < 3:
        return None
    asked = content_words(view.tokens(view.question))
    others = [content_words(view.tokens(choice)) for choice in view.choices if choice != view.answer]
    own = content_words(view.tokens(view.answer)) - asked.union(*others)
    if len(own) < 2:
        return None
    for sentence in sentences(view.context):
        said = content_words(view.tokens(sentence))
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
