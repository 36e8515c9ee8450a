"""Finds reworded questions by their sense: compares sentence embeddings, answers and numbers of a sample and of an
evaluation row.

A careful rewording shares few words with its row. But question, options and answer, read together, are closer to the
row than to other questions about the topic, and the answer means the same. Each witness is a number from about 0 to 1,
and `score` is a logistic regression over them. The signs of its weights are fixed: a likeness never counts against a
repeat, and a difference never counts for one, whatever the rows of a fit look like. A judge is shown pairs by this
score; without a judge, closer.py decides.
`scripts/bench/decontaminate.py --fit` prints the weights.
"""

import re
from collections import Counter
from typing import Any

from nemo_sdg.curate.decontaminate.by_words import Profile, logistic, shared_length, shared_passage
from nemo_sdg.curate.decontaminate.questions import LABEL_SET, Item, told_answer

CODE = re.compile(r"\bdef \w+\s*\(|\n")
"""answers that hold code, or several lines: of a sense that sentence embeddings do not see"""
LEAST_PASSAGE = 0.15
"""Jaccard similarity of the words of two passages below which one is not the other in other words"""
SHORT_ANSWER = 5
"""words up to which two answers with numbers differ when their numbers do"""
ANSWER_UNLIKE, ANSWER_ALIKE = 0.4, 0.9
"""cosines of two answers that say nothing, and as much as one can"""
ALIKE = 0.95
"""what answers of one sense count for beside equal ones"""
LEAST_LEAD = -0.2
"""how far behind the nearest row says no more"""
MANY_NUMBERS, SHARED_NUMBERS = 8, 4
"""numbers of two questions from which more say no more: for a clash, and for a match"""

RISING = {
    "leads": 12.29,
    "answer": 0.57,
    "answer_rarity": 0.42,
    "answer_length": 5.58,
    "answer_and_stands_out": 8.25,
    "unknown_and_stands_out": 1.71,
    "numbers_shared": 4.24,
    "passage": 1.73,
}
"""weights of features that speak for a repeat: none is negative"""
FALLING = {
    "answer_number_differs": -2.86,
    "answer_is_other_option": -5.77,
    "label_differs": -2.37,
    "numbers_clash": -1.12,
}
"""weights of features that speak against a repeat: none is positive"""
CIRCUMSTANCES = {"answer_unknown": -0.77, "options_on_both": -1.01}
"""weights of features that qualify the others: any sign"""
CONSTANT = -3.05
WEIGHTS = {**RISING, **FALLING, **CIRCUMSTANCES}


def whole_text(record: dict[str, Any]) -> str:
    """A sample, seed or evaluation row as it is embedded: the question, its options in alphabetical order, and the
    answer.
    """
    question = str(record.get("question") or record.get("text") or "")
    return " ".join([question, *sorted(map(str, record.get("choices") or [])), _told(record) or ""]).strip()


def answer_text(record: dict[str, Any], item: Item) -> str | None:
    """The answer as it is embedded; None where there is none, or one that an embedding says nothing of: a mere label,
    or code.
    """
    told = _told(record)
    return told if told and not item.answers <= LABEL_SET and not CODE.search(told) else None


def _told(record: dict[str, Any]) -> str | None:
    answer = told_answer(record)
    return None if answer is None else str(answer).strip() or None


def numbers(words: list[str]) -> Counter[str]:
    return Counter(word for word in words if word[0].isdigit())


def same_answer(sample: Item, row: Item) -> bool:
    return bool((sample.answers & row.answers) - LABEL_SET)


def worth_a_look(sample: Profile, row: Profile, stands_out: float) -> bool:
    """Whether a sample and a row that is near it may be one question: if not, nothing more is asked of them."""
    if not row.item.question or (sample.passage and row.passage and shared_passage(sample, row) < LEAST_PASSAGE):
        return False
    return stands_out >= (-0.05 if same_answer(sample.item, row.item) else 0.1)


def witnesses(sample: Profile, row: Profile, *, stands_out: float, leads: float, answer: float | None) -> list[float]:
    """Features of a sample and an evaluation row that it may reword, in the order of WEIGHTS.

    Of cosines of whole texts: `stands_out`, that of the pair less the mean of the sample's further neighbours (the
    margin of Artetxe and Schwenk, 2019), and `leads`, the same less that of the nearest other row. `answer`: cosine of
    the answers, None where one is not embedded.
    """
    mine, theirs = sample.item, row.item
    same = same_answer(mine, theirs)
    known = same or answer is not None
    own, its = _numbers_of_answers(mine), _numbers_of_answers(theirs)
    number_differs = bool(own and its) and own.isdisjoint(its) and not same
    likeness = 1.0 if same else 0.0
    if answer is not None and not same and not number_differs:
        likeness = ALIKE * min(1.0, max(0.0, (answer - ANSWER_UNLIKE) / (ANSWER_ALIKE - ANSWER_UNLIKE)))
    asked, wanted = numbers(mine.question), numbers(theirs.question)
    shared, either = (asked & wanted).total(), (asked | wanted).total()
    found = {
        "leads": max(LEAST_LEAD, leads),
        "answer": likeness,
        "answer_rarity": max(
            (row.answers[term] for term in sample.answers.keys() & row.answers.keys() if term[0] == "="), default=0.0
        ),
        "answer_length": shared_length(mine, theirs),
        "answer_and_stands_out": likeness * max(0.0, stands_out),
        "unknown_and_stands_out": 0.0 if known else max(0.0, stands_out),
        "numbers_shared": shared / either * min(shared, SHARED_NUMBERS) / SHARED_NUMBERS if either else 0.0,
        "passage": shared_passage(sample, row),
        "answer_number_differs": float(number_differs),
        "answer_is_other_option": float(
            not same and bool((mine.answers & theirs.choices | theirs.answers & mine.choices) - LABEL_SET)
        ),
        "label_differs": float(
            bool(mine.answers and theirs.answers)
            and mine.answers | theirs.answers <= LABEL_SET
            and not mine.answers & theirs.answers
        ),
        "numbers_clash": (1.0 - shared / either) * min(either, MANY_NUMBERS) / MANY_NUMBERS
        if asked and wanted
        else 0.0,
        "answer_unknown": float(not known),
        "options_on_both": float(bool(theirs.choices) and bool(mine.choices)),
    }
    return [found[name] for name in WEIGHTS]


def score(found: list[float]) -> float:
    """The chance, as fitted, that these witnesses stand for one question in other words."""
    return logistic(CONSTANT, WEIGHTS, found)


def _numbers_of_answers(item: Item) -> set[tuple[str, ...]]:
    """Of each answer of a few words its numbers as they follow each other, with the sign that it begins with."""
    found = set()
    for answer in item.answers:
        ordered = tuple(word for word in answer if word[0].isdigit())
        if ordered and len(answer) <= SHORT_ANSWER:
            found.add(("-", *ordered) if answer[0] == "-" else ordered)
    return found
