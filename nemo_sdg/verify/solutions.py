"""Chooses among several right solutions: the one whose reasoning and context are worth most to a reader."""

import dataclasses
import functools
import re
from collections.abc import Callable, Iterator

from nemo_sdg.config import VerifySection
from nemo_sdg.records import LABELS, Answer, Kind, Sample, Vote
from nemo_sdg.text import words as text
from nemo_sdg.text.latex import plain
from nemo_sdg.text.mathematics import is_expression
from nemo_sdg.text.numbers import find_numbers, read_number

ENDS_IN_LETTER = re.compile(r"\b(?:answer|option|choice) (?:is |must be )?(?:therefore )?[(*]*([A-Z])[)*]*(?![\w'’])")
LETTERED = re.compile(
    r"(?<![\w'’])(?P<closed>[A-Z])[):][ \t*_]*|"
    r"(?:^|(?<=[\n(\[*_])|(?<=[.:;][ \n])|(?<=ption )|(?<=nswer )|(?<=hoice ))(?P<dotted>[A-Z])\.[ \t*_]*"
)
"""an option's label: with a full stop, which may end a sentence, only where a label stands"""
TAIL = 160
"""Characters at the end of a reasoning in which its result is looked for"""


@functools.lru_cache(maxsize=64)
def normalized(written: str, language: str) -> str:
    """A text of a sample in the form in which it is compared: a solution's context and reasoning are asked for several
    times while solutions are ranked.
    """
    return text.normalize(written, language)


def names_answer(written: str, answer: str, sample: Sample) -> bool:
    """Whether a text holds an answer: a number by its value, words after normalisation, an option also by most of its
    words.
    """
    language = sample.language
    number = read_number(answer, language) if sample.kind == Kind.numeric else None
    if number is not None:
        return any(found.number.value == number.value for found in find_numbers(written, language))
    wanted, found = normalized(answer, language), normalized(written, language)
    if (wanted and wanted in found) or (is_expression(answer) and _squeezed(answer) in _squeezed(written)):
        return True
    parts = [word for word in wanted.split() if len(word) > 3]
    return len(parts) > 2 and sum(word in found for word in parts) >= 0.75 * len(parts)


def _squeezed(expression: str) -> str:
    return "".join(plain(expression).replace("$", "").split())


def adds_knowledge(context: str, sample: Sample) -> bool:
    """Whether a context has at least three words that question, passage and options do not have."""
    known = " ".join((sample.question, sample.passage or "", *(sample.choices or [])))
    read = _known_words(known, sample.language)
    new: set[str] = set()
    for word in normalized(context, sample.language).split():
        if word not in read:
            new.add(word)
            if len(new) == 3:
                return True
    return False


@functools.lru_cache(maxsize=16)
def _known_words(written: str, language: str) -> frozenset[str]:
    return text.distinct_words(written, language)


def laid_out(sample: Sample, kept: Vote, answer: Answer) -> tuple[list[str] | None, Answer]:
    """Options and answer in the order in which the kept solution saw them: a letter in its text names that option."""
    if not sample.choices or kept.order is None:
        return sample.choices, answer
    choices = [sample.choices[i] for i in kept.order]
    label = LABELS[choices.index(answer.text)] if answer.text in choices else None
    return choices, dataclasses.replace(answer, label=label)


def contradicts_letters(solution: Vote, sample: Sample) -> bool:
    """Whether a text gives an option another letter than it had in the order that the solution saw, or ends in the
    letter of another option than its answer.
    """
    if not sample.choices or solution.answer not in sample.choices:
        return False
    order = solution.order if solution.order is not None else range(len(sample.choices))
    letters = {sample.choices[i]: LABELS[place] for place, i in enumerate(order)}
    text = f"{solution.context}\n{solution.reasoning}"
    for named in LETTERED.finditer(text):
        label = named["closed"] or named["dotted"]
        for option, letter in letters.items():
            if letter != label and len(option) > 1 and _stands_at(option, text, named.end()):
                return True
    ends = ENDS_IN_LETTER.findall(solution.reasoning[-TAIL:])
    if not ends or ends[-1] in sample.choices:  # a vitamin, a note
        return False
    return ends[-1] in letters.values() and ends[-1] != letters[solution.answer]


def _stands_at(option: str, text: str, place: int) -> bool:
    end = place + len(option)
    return text.startswith(option, place) and not (text[end : end + 1].isalnum() or text[end : end + 1] == "_")


def _is_incomplete(solution: Vote, sample: Sample) -> bool:
    return not solution.reasoning.strip() or not solution.context.strip()


def _ends_elsewhere(solution: Vote, sample: Sample) -> bool:
    """Whether the end of a reasoning does not name the answer."""
    return not _is_long(sample) and not names_answer(solution.reasoning[-TAIL:], solution.answer or "", sample)


def _adds_nothing(solution: Vote, sample: Sample) -> bool:
    return not adds_knowledge(solution.context, sample)


def _gives_away(solution: Vote, sample: Sample) -> bool:
    """Whether a context names the answer."""
    return not _is_long(sample) and names_answer(solution.context, solution.answer or "", sample)


def _is_long(sample: Sample) -> bool:
    """Whether answers are programs or sentences, which no other text names."""
    return sample.kind in (Kind.code, Kind.free_text)


FAULTS = (_gives_away, _adds_nothing, _ends_elsewhere, _is_incomplete, contradicts_letters)
"""of solutions with the right answer, the gravest last"""


def best_first(tiers: list[list[Vote]], sample: Sample) -> Iterator[Vote]:
    """The solutions of the first tier, then those of the next, best first in each: by their gravest fault; of the same
    faults the one with the most distinct words (a loop of words earns nothing), then the lowest index.

    A fault is looked for only when the next solution is asked for: mostly the first one is kept, and those of the
    others are never looked for.
    """
    for tier in tiers:
        by_words = sorted(tier, key=lambda vote: (-_num_words(vote, sample), vote.index)) if len(tier) > 1 else tier
        ordered = iter(by_words)
        for fault in FAULTS:
            ordered = _faulty_last(ordered, fault, sample)
        yield from ordered


def _faulty_last(votes: Iterator[Vote], fault: Callable[[Vote, Sample], bool], sample: Sample) -> Iterator[Vote]:
    """The votes in their order, but those with a fault after the others."""
    faulty = []
    for vote in votes:
        if fault(vote, sample):
            faulty.append(vote)
        else:
            yield vote
    yield from faulty


def _num_words(solution: Vote, sample: Sample) -> int:
    return len(text.distinct_words(solution.reasoning, sample.language))


def keepable(right: list[Vote], sample: Sample, config: VerifySection) -> list[list[Vote]]:
    """The solutions with the right answer that may be kept: those that a judge accepts; where none was judged, all.
    None where the judge accepts none. Of programs, which are judged before they have run, those that were not judged
    are a second tier.
    """
    judged = [vote for vote in right if vote.judge is not None and vote.judge.score is not None]
    accepted = [vote for vote in judged if vote.judge is not None and (vote.judge.score or 0) >= config.min_judge_score]
    others = [vote for vote in right if vote not in judged] if not judged or sample.kind == Kind.code else []
    return [tier for tier in (accepted, others) if tier]
