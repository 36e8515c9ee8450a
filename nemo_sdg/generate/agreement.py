"""A judge groups answers with the same meaning. It reads them in both orders.

    sample.solutions[0].sense, sample.solutions[1].sense     1, 1      (they say the same)
    sample.solutions[2].sense                                0         (what the gold answer says)

Rules cannot tell a rewording from a sentence with one detail changed, so the judge groups all answers in sentences.
Short answers and expressions are compared by rules; the judge groups them only if the rules find no majority, or no
blind solution with the gold answer. Two answers are equal only if the judge puts them into one group in both orders. An
unreadable reply is ignored: the answers are then compared by rules. A student's attempts in sentences are grouped with
the right answer in the same way.
"""

import itertools
import re
from collections.abc import Awaitable, Callable

from nemo_sdg.generate.parsing.cleaning import clean, without_marks
from nemo_sdg.records import Kind, Origin, Sample, Vote
from nemo_sdg.text.numbers import is_numeral

LINE = re.compile(
    r"^[\s>*\-•]*(?:answer\s*)?#?(\d{1,3})\s*[*_`]*\s*[:=.)-]\s*[*_`]*\s*(?:group\s*)?\(?([A-Za-z])\)?[\s*_`.]*$"
)
ORDERS = 2
"""in which a judge reads the answers, each in a request of its own"""
MAX_ANSWERS = 16
"""different answers of a question that a judge is shown; of more, the first"""

Sort = Callable[[list[str], str], Awaitable[str]]
"""Answers and the tag of the request -> the judge's reply."""


async def mark_senses(sample: Sample, sort: Sort) -> bool:
    """Sets `sense` of all solutions with an answer; False, and none set, where the judge's replies cannot be read."""
    solutions = [vote for vote in sample.solutions or [] if vote.answer is not None]
    return await _mark(solutions, gold_of(sample), sort, "agreement")


async def mark_attempts(attempts: list[Vote], right: list[str], sort: Sort) -> bool:
    """Sets `sense` of a student's attempts with an answer: 0 is what one of the right answers says."""
    return await _mark([vote for vote in attempts if vote.answer is not None], right, sort, "agreement.student")


def may_agree(sample: Sample) -> bool:
    """Whether answers that differ by the rules may have the same meaning: short texts and expressions, unless all are
    numbers in digits.
    """
    if sample.kind not in (Kind.short_text, Kind.numeric):
        return False
    texts = compared(sample.solutions or [], gold_of(sample))
    return len(texts) > 1 and not all(is_numeral(text, sample.language) for text in texts)


def gold_of(sample: Sample) -> list[str]:
    """The gold answer of a training row and its aliases; none for a new question."""
    return [sample.gold.text, *sample.gold.aliases] if sample.origin == Origin.seed else []


def compared(votes: list[Vote], right: list[str]) -> list[str]:
    """The different answers that a judge is shown; nothing is asked with fewer than two."""
    texts = (vote.text for vote in votes if vote.answer is not None)
    return list(dict.fromkeys([*right[:1], *texts, *right[1:]]))[:MAX_ANSWERS]


async def _mark(votes: list[Vote], right: list[str], sort: Sort, tag: str) -> bool:
    texts = compared(votes, right)
    if len(texts) < 2:
        return False
    groups = read_groups(await sort(texts, tag), len(texts))
    turned = read_groups(await sort(texts[::-1], f"{tag}.turned"), len(texts)) if groups is not None else None
    if groups is None or turned is None:
        return False
    pairs = dict(zip(texts, zip(groups, turned[::-1], strict=True), strict=True))
    numbers = {pairs[text]: 0 for text in right if text in pairs}
    later = itertools.count(1)
    senses = {
        text: numbers[pair] if pair in numbers else numbers.setdefault(pair, next(later))
        for text, pair in pairs.items()
    }
    for vote in votes:
        vote.sense = senses.get(vote.text)
    return True


def read_groups(text: str, num: int) -> list[str] | None:
    """The group of each of `num` answers, in order; None where one has none. The last line about an answer counts."""
    found: dict[int, str] = {}
    for line in without_marks(clean(text)).splitlines():
        if (match := LINE.match(line)) is not None:
            found[int(match[1])] = match[2].upper()
    return [found[number] for number in range(1, num + 1)] if all(n in found for n in range(1, num + 1)) else None
