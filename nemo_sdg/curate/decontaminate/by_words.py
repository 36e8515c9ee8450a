"""Finds reworded questions by their words: the words, numbers and answers that two questions share, weighted by how
rare they are among the evaluation rows.

    terms(tokens("How many rolls does the baker bake on 14 trays?"))  ->  {"rol", "bak", "#14", "tray"}

A common topic is not a leak: two questions count as one only when several witnesses agree (words, numbers, answer,
options). Each witness is a number from 0 to 1, and `score` is a logistic regression over them. It was fitted by
`scripts/bench/decontaminate.py --fit` on one half of the hand-written pairs (those that keep some words), on rewordings
made by rules, and on honest training rows. It is used alone where there is no embedder; by_sense.py finds more.
"""

import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import regex

from nemo_sdg.curate.decontaminate.questions import LABEL_SET, Agreement, Item, agree
from nemo_sdg.text.normalize import is_spaceless, jaccard

FUNCTION_WORDS = """
a about after all also altogether am an and another answer any are as at be been before being best between both but by
called can correct could did do does done down during each either every example few find following for from function
get give given had has have having he her here him his how i if in into is it its just kind known likely many may me
might more most mostly much must my name neither no nor not of off on only onto or other our out over per question re
return s same shall she should so some such t term than that the their them then there these they this those to total
type under up use used using very was we were what when where which who whom whose why will with without would write
yes you your
"""
STOPWORDS = frozenset(FUNCTION_WORDS.split())
SUFFIX = regex.compile(
    r"(?<=\p{L}{3})(?:ations?|ating|ates?|ated|ions?|ings?|edly|ed|ies|ied|es|ers?|ors?|ly|ments?|ness|al|"
    r"ally|ous|ity|e|y|s)$"
)
ENOUGH_OF_ANSWER, ENOUGH_OF_OPTIONS = 8, 8
"""words beyond the first from which a shared answer, or shared options together, cannot be more of a witness"""
ALIKE_PASSAGES = 0.6
"""Jaccard similarity of their words from which two passages are one"""
SAME = {
    "kilomet": "km",
    "kilometr": "km",
    "litr": "lit",
    "gram": "g",
    "twic": "#2",
    "doubl": "#2",
    "dozen": "#12",
    "tripl": "#3",
    "thric": "#3",
    "metr": "met",
}


@functools.lru_cache(maxsize=1 << 17)
def stem(word: str) -> str:
    """The word without its English ending, at most its first seven letters: enough to bring evaporation and evaporates
    together.
    """
    cut = SUFFIX.sub("", SUFFIX.sub("", word))[:7]
    return SAME.get(cut, cut)


def terms(words: Iterable[str]) -> set[str]:
    """Stems of the words that carry content, numbers as #n, and pairs of characters where a script has no spaces."""
    found: set[str] = set()
    previous = ""
    for word in words:
        if word[0].isdigit():
            found.add(f"#{word}")
        elif is_spaceless(word):
            if previous:
                found.add(previous + word)
            previous = word
            continue
        elif word not in STOPWORDS and word[0].isalpha():
            found.add(stem(word))
        previous = ""
    return found


def answer_terms(item: Item) -> set[str]:
    """The answers and the options of a question, each as one term; mere labels are left out."""
    answers = {"=" + " ".join(answer) for answer in item.answers - LABEL_SET}
    return answers | {"~" + " ".join(choice) for choice in item.choices - LABEL_SET}


@dataclass(kw_only=True, slots=True)
class Profile:
    """A question with the rarity of its terms: 1 for a term that no evaluation row has, towards 0 for one that all
    have.
    """

    item: Item
    question: dict[str, float]
    answers: dict[str, float]
    """rarity of answer_terms"""
    answer_words: dict[str, float]
    passage: set[str]


def _sum(rarity: dict[str, float], chosen: Iterable[str]) -> float:
    return math.fsum(rarity[term] for term in chosen)


def _further_words(answer: tuple[str, ...]) -> int:
    """Words of an answer beyond the first; a sign is none."""
    return len(answer) - 1 - (answer[0] == "-")


def shared_length(one: Item, other: Item) -> float:
    """Length of the longest answer that two questions share, beyond its first word; 1 from ENOUGH_OF_ANSWER words
    on.
    """
    shared = (one.answers & other.answers) - LABEL_SET
    return min(max(map(_further_words, shared), default=0), ENOUGH_OF_ANSWER) / ENOUGH_OF_ANSWER


def shared_passage(one: Profile, other: Profile) -> float:
    """Jaccard similarity of the words of two passages; 0 where there is none."""
    return jaccard(one.passage, other.passage)


CONSTANT = -6.03
WEIGHTS = {
    "recall": 3.98,
    "precision": -0.45,
    "numbers": 3.3,
    "numbers_lost": -1.05,
    "numbers_new": -0.84,
    "numbers_clash": -1.03,
    "answer": -1.51,
    "answer_rarity": 2.25,
    "answer_differs": -2.09,
    "answer_unknown": -0.36,
    "answer_in_question": -2.16,
    "answer_is_number": 1.24,
    "words_and_answer": 3.04,
    "options": -1.82,
    "passage": 0.0,
    "answer_length": 3.61,
    "options_length": 2.09,
    "options_and_answer": 3.67,
}
"""of the witnesses, as fitted"""


def witnesses(sample: Profile, row: Profile) -> list[float]:
    """Features of a sample and an evaluation row that it may reword, in the order of WEIGHTS."""
    shared = _sum(row.question, sample.question.keys() & row.question.keys())
    recall = shared / (_sum(row.question, row.question) or 1.0)
    precision = shared / (_sum(sample.question, sample.question) or 1.0)
    numbers = {term for term in row.question if term[0] == "#"}
    own_numbers = {term for term in sample.question if term[0] == "#"}
    lost, new = numbers - own_numbers, own_numbers - numbers
    answers = sample.item.answers & row.item.answers
    shared_terms = sample.answers.keys() & row.answers.keys()
    both = sample.answer_words.keys() & row.answer_words.keys()
    either = _sum(sample.answer_words | row.answer_words, sample.answer_words.keys() | row.answer_words.keys())
    likeness = 1.0 if answers - LABEL_SET else (_sum(row.answer_words, both) / either if either else 0.0)
    agreement = agree(sample.item, row.item)
    choices = (sample.item.choices & row.item.choices) - LABEL_SET
    most_choices = max(1, len(sample.item.choices), len(row.item.choices))
    in_both_questions = set(sample.item.question) & set(row.item.question)
    found = {
        "recall": recall,
        "precision": precision,
        "numbers": min(len(numbers & own_numbers), 4) / 4,
        "numbers_lost": min(len(lost), 4) / 4,
        "numbers_new": min(len(new), 4) / 4,
        "numbers_clash": float(bool(lost) and bool(new)),
        "answer": likeness,
        "answer_rarity": max((row.answers[term] for term in shared_terms if term[0] == "="), default=0.0),
        "answer_differs": float(likeness < 0.3 and agreement is Agreement.different),
        "answer_unknown": float(agreement is Agreement.unknown),
        "answer_in_question": float(bool(answers) and {word for one in answers for word in one} <= in_both_questions),
        "answer_is_number": float(
            bool(answers - LABEL_SET) and all(len(answer) == 1 and answer[0][0].isdigit() for answer in answers)
        ),
        "words_and_answer": likeness * 2 * recall * precision / (recall + precision) if shared else 0.0,
        "options": min(_sum(row.answers, {term for term in shared_terms if term[0] == "~"}), 3.0) / 3.0,
        "passage": shared_passage(sample, row),
        "answer_length": shared_length(sample.item, row.item),
        "options_length": min(sum(map(_further_words, choices)), ENOUGH_OF_OPTIONS) / ENOUGH_OF_OPTIONS,
        "options_and_answer": len(choices) / most_choices * likeness,
    }
    return [found[name] for name in WEIGHTS]


def score(found: list[float]) -> float:
    """The chance, as fitted, that these witnesses stand for one question in other words."""
    return logistic(CONSTANT, WEIGHTS, found)


def logistic(constant: float, weights: Mapping[str, float], found: list[float]) -> float:
    """Probability of a repeat. `found`: the features, one for each weight, in their order."""
    total = math.fsum(weight * witness for weight, witness in zip(weights.values(), found, strict=True))
    return 1.0 / (1.0 + math.exp(-constant - total))
