"""Which answers in sentences say the same: a judge sorts them into groups, in both orders.

    sample.solutions[0].sense, sample.solutions[1].sense     1, 1      (they say the same)
    sample.solutions[2].sense                                0         (what the gold answer says)

Words cannot tell a rewording from the same sentence with one thing changed. Two answers are held for one only where the
judge puts them into one group whichever order it reads them in; a reply that cannot be read tells nothing, and the
answers are then compared by their words.
"""

import re
from collections.abc import Awaitable, Callable

from nemo_sdg.generate.parsing.cleaning import clean, without_marks
from nemo_sdg.records import Origin, Sample

LINE = re.compile(
    r"^[\s>*\-•]*(?:answer\s*)?#?(\d{1,3})\s*[*_`]*\s*[:=.)-]\s*[*_`]*\s*(?:group\s*)?\(?([A-Za-z])\)?[\s*_`.]*$"
)
MAX_ANSWERS = 16
"""different answers of a question that a judge is shown; of more, the first"""

Sort = Callable[[list[str], str], Awaitable[str]]
"""Answers and the tag of the request -> the judge's reply."""


async def mark_senses(sample: Sample, sort: Sort) -> bool:
    """Sets `sense` of all solutions with an answer; False, and none set, where the judge's replies cannot be read."""
    solutions = [vote for vote in sample.solutions or [] if vote.answer is not None]
    gold = [sample.gold.text] if sample.origin == Origin.seed else []
    texts = list(dict.fromkeys([*gold, *(vote.text for vote in solutions)]))[:MAX_ANSWERS]
    if len(texts) < 2:
        return False
    groups = read_groups(await sort(texts, "agreement"), len(texts))
    turned = read_groups(await sort(texts[::-1], "agreement.turned"), len(texts)) if groups is not None else None
    if groups is None or turned is None:
        return False
    numbers: dict[tuple[str, str], int] = {}
    senses: dict[str, int] = {}
    for text, one, other in zip(texts, groups, turned[::-1], strict=True):
        senses[text] = numbers.setdefault((one, other), len(numbers) + (not gold))
    for vote in solutions:
        vote.sense = senses.get(vote.text)
    return True


def read_groups(text: str, num: int) -> list[str] | None:
    """The group of each of `num` answers, in order; None where one has none. The last line about an answer counts."""
    found: dict[int, str] = {}
    for line in without_marks(clean(text)).splitlines():
        if (match := LINE.match(line)) is not None:
            found[int(match[1])] = match[2].upper()
    return [found[number] for number in range(1, num + 1)] if all(n in found for n in range(1, num + 1)) else None
