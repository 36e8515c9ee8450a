"""Equality of two answers to a question: `comparison`, by the rules of the kind, then by the judge's groups."""

import functools
import operator
from collections.abc import Callable

from nemo_sdg.config import VerifySection
from nemo_sdg.records import Kind, Origin, Sample
from nemo_sdg.text.answers import same_answer, surely_same
from nemo_sdg.text.numbers import is_numeral

Compare = Callable[[str, str], bool | None]


def comparison(sample: Sample, config: VerifySection, *, surely: bool = False) -> Compare:
    """The equality of two answers to a sample's question; with `surely` nothing is started for it, and None says that
    only math-verify can tell. A vote names an option by its very text, and two options may differ by case alone.
    """
    if sample.kind == Kind.multiple_choice:
        return operator.eq
    same = functools.partial(
        surely_same if surely else same_answer,
        kind=sample.kind,
        question=sample.question,
        language=sample.language,
        family=sample.family,
        similarity=config.free_text_similarity,
    )
    senses = senses_of(sample)
    if not senses:
        return same
    if sample.kind == Kind.free_text:
        return functools.partial(_same_sense, senses, same)
    return functools.partial(_same_or_sense, senses, same, sample.language)


def senses_of(sample: Sample) -> dict[str, int]:
    """Answer -> number of the group in which a judge has put it; 0 is the gold's. Empty where none has
    compared them.
    """
    senses = {
        vote.text: vote.sense for vote in sample.solutions or [] if vote.answer is not None and vote.sense is not None
    }
    return senses | ({sample.gold.text: 0} if senses and sample.origin == Origin.seed else {})


def _same_sense(senses: dict[str, int], by_words: Compare, a: str, b: str) -> bool | None:
    """By the judge if it has compared both, else by their words: an alias of the gold answer, one of many answers."""
    return senses[a] == senses[b] if a in senses and b in senses else by_words(a, b)


def _same_or_sense(senses: dict[str, int], by_rules: Compare, language: str, a: str, b: str) -> bool | None:
    """By the rules, and by the judge where they do not hold the answers for one, never for two numbers in digits."""
    verdict = by_rules(a, b)
    if verdict or a not in senses or senses[a] != senses.get(b):
        return verdict
    return verdict if is_numeral(a, language) and is_numeral(b, language) else True


def is_gold(answer: str, sample: Sample, same: Compare) -> bool:
    """Whether an answer (not a program) is the sample's gold one or an alias of it."""
    return any(same(answer, gold) for gold in (sample.gold.text, *sample.gold.aliases))
