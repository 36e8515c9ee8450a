"""A closer look at a sample and an evaluation row that by_sense.py finds alike: decides where there is no judge.

Sentence embeddings take questions of one pattern for one question ("the sum of even numbers", "the sum of odd
numbers"), and question writers reword more thoroughly than patterns are filled. So words that two questions share
explain a part of their nearness, and count against a repeat. Options that mean the same, and an answer that is nearer
to the row's answer than to its other options, count for one. Of Chinese, Japanese or Thai the usual embedder sees
little: there more has to agree.

`score` is a logistic regression over these witnesses and some of by_sense.py. What a judge is shown stays with
by_sense.py. `scripts/bench/decontaminate.py --fit-closer` prints the weights.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from nemo_sdg.curate.decontaminate import by_sense
from nemo_sdg.curate.decontaminate.by_words import Profile, logistic
from nemo_sdg.curate.decontaminate.questions import read_answer, told_answer
from nemo_sdg.curate.embed import Vectors
from nemo_sdg.text.normalize import is_spaceless

LEAST_CHANCE = 0.03
"""chance by by_sense.py from which a pair is looked at"""
ENOUGH_WORDS = 8
"""words of two answers from which their likeness cannot be more of a witness"""
LEAST_ALIKE = 0.3
"""cosine of options that says nothing"""
MOST_AHEAD = 0.5
"""how far an answer can be ahead of other options, or behind them"""

RISING = {
    "leads": 15.79,
    "answer_length": 7.19,
    "numbers_shared": 7.32,
    "answer_alike": 4.02,
    "answer_ahead": 2.05,
    "other_options": 5.0,
}
"""weights of features that speak for a repeat: none is negative"""
FALLING = {
    "answer_number_differs": -9.63,
    "answer_is_other_option": -6.57,
    "label_differs": -1.2,
    "numbers_clash": -3.54,
    "both_code": -4.69,
    "words_shared": -4.94,
    "without_spaces": -7.01,
}
"""weights of features that speak against a repeat: none is positive"""
CIRCUMSTANCES = {"options_on_both": -5.25, "answer_unknown": 0.14}
"""weights of features that qualify the others: any sign"""
CONSTANT = -0.57
WEIGHTS = {**RISING, **FALLING, **CIRCUMSTANCES}


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """Answer and options of a sample or an evaluation row, as they are embedded."""

    answer: str | None
    plain_answer: str | None
    """the same where a sentence embedding sees its sense: by_sense.answer_text"""
    options: list[str]


def told(record: dict[str, Any], profile: Profile) -> Told:
    answer = told_answer(record)
    return Told(
        answer=str(answer).strip() or None if answer is not None else None,
        plain_answer=by_sense.answer_text(record, profile.item),
        options=[text for text in map(str, record.get("choices") or []) if text.strip()],
    )


def texts(one: Told, other: Told) -> set[str]:
    """What has to be embedded to compare two."""
    if one.options or other.options:
        return {*one.options, *other.options, *(text for text in (one.answer, other.answer) if text)}
    return {one.plain_answer, other.plain_answer} if one.plain_answer and other.plain_answer else set()


def witnesses(
    sample: Profile, row: Profile, mine: Told, theirs: Told, found: list[float], vectors: dict[str, Vectors]
) -> list[float]:
    """Features of a sample and an evaluation row, in the order of WEIGHTS. `found`: those of by_sense.py.

    `vectors`: the unit vectors of texts().
    """
    seen = dict(zip(by_sense.WEIGHTS, found, strict=True))
    same = by_sense.same_answer(sample.item, row.item)
    ahead = [lead for pair in ((mine, theirs), (theirs, mine)) if (lead := _ahead(*pair, same, vectors)) is not None]
    features = {
        **{name: seen[name] for name in WEIGHTS.keys() & seen.keys()},
        "answer_alike": 0.0 if seen["answer_number_differs"] else _answer_alike(mine, theirs, same, vectors),
        "answer_ahead": max(-MOST_AHEAD, min(MOST_AHEAD, *ahead)) if ahead else 0.0,
        "other_options": _other_options(mine, theirs, vectors),
        "both_code": float(all(one.answer and by_sense.CODE.search(one.answer) for one in (mine, theirs))),
        "words_shared": _words_shared(sample, row),
        "without_spaces": float(any(map(is_spaceless, (*sample.item.question, *row.item.question)))),
    }
    return [features[name] for name in WEIGHTS]


def score(found: list[float]) -> float:
    """The chance, as fitted, that these witnesses stand for one question in other words."""
    return logistic(CONSTANT, WEIGHTS, found)


def _alike(one: str, other: str, vectors: dict[str, Vectors]) -> float:
    """Cosine of two texts, 1 for equal words; rounded, for its last bits depend on batch size and thread count."""
    same = one == other or (read_answer(one) == read_answer(other) != ())
    return 1.0 if same else round(float(vectors[one] @ vectors[other]), 3)


def _answer_alike(mine: Told, theirs: Told, same: bool, vectors: dict[str, Vectors]) -> float:
    """Likeness of two answers, less for short ones: of those, many rows have a similar one."""
    if not mine.plain_answer or not theirs.plain_answer:
        return 0.0
    num = min(len(mine.plain_answer.split()), len(theirs.plain_answer.split()))
    length = min(1.0, math.log(1 + num) / math.log(1 + ENOUGH_WORDS))
    return length * (1.0 if same else max(0.0, _alike(mine.plain_answer, theirs.plain_answer, vectors)))


def _others(one: Told) -> list[str]:
    """The options that are not the answer."""
    answer = None if one.answer is None else read_answer(one.answer)
    return [option for option in one.options if option != one.answer and (read_answer(option) or None) != answer]


def _ahead(one: Told, other: Told, same: bool, vectors: dict[str, Vectors]) -> float | None:
    """By how much an answer is nearer to the other question's answer than to any of its other options; None where
    there is nothing to compare.
    """
    wrong = _others(other)
    if not one.answer or not other.answer or not wrong:
        return None
    right = 1.0 if same else _alike(one.answer, other.answer, vectors)
    return right - max(_alike(one.answer, option, vectors) for option in wrong)


def _other_options(mine: Told, theirs: Told, vectors: dict[str, Vectors]) -> float:
    """Mean likeness of the options beside the answer, each with the one nearest to it on the other side; of the side
    that has fewer, for some may be left out. 0 where a side has none.
    """
    few, many = sorted((_others(mine), _others(theirs)), key=len)
    if not few:
        return 0.0
    nearest = [max(_alike(option, other, vectors) for other in many) for option in few]
    return max(0.0, float(np.mean(nearest)) - LEAST_ALIKE)


def _words_shared(sample: Profile, row: Profile) -> float:
    """Share of the words of two questions that stand in both, weighted by rarity (Dice)."""
    shared = math.fsum(weight for term, weight in sample.question.items() if term in row.question)
    either = math.fsum([*sample.question.values(), *row.question.values()])
    return 2 * shared / either if shared else 0.0
