"""Looks at a sample's solutions before it is verified, without running code: which could be kept, and how often a
student reaches the same answer.
"""

import dataclasses

from nemo_sdg.config import VerifySection
from nemo_sdg.records import Drop, Kind, Origin, Sample, Vote
from nemo_sdg.verify.comparison import comparison, is_gold, senses_of
from nemo_sdg.verify.kept import Passes
from nemo_sdg.verify.solutions import best_first
from nemo_sdg.verify.votes import blind_of, bounds, classes_of, planned, verify_sample


def candidates(sample: Sample, config: VerifySection) -> list[Vote]:
    """The solutions that could be kept, the best first, as far as one can say without running anything: those that
    reach the gold, or those of the majority where there is one. Of programs, all.
    """
    complete = [vote for vote in _right(sample, config) if vote.reasoning.strip() and vote.context.strip()]
    return list(best_first([complete], sample))


def undecided(sample: Sample, config: VerifySection) -> bool:
    """Whether no answer has a majority, or no blind solution gives the gold one, whatever is written with it. A
    majority that is too large is one. Never of programs.
    """
    if sample.kind == Kind.code:
        return False
    right = _right(sample, dataclasses.replace(config, max_agreement=1.0))
    return not any(vote.guidance == "blind" for vote in right)


def _right(sample: Sample, config: VerifySection) -> list[Vote]:
    solutions = [vote for vote in sample.solutions or [] if vote.answer is not None]
    if sample.kind == Kind.code:
        return solutions
    same = comparison(sample, config)
    if sample.origin == Origin.seed:
        right = [vote for vote in solutions if is_gold(vote.text, sample, same)]
        return [vote for vote in right if vote.guidance == "blind"] or right
    cast, further = blind_of(sample)
    groups = classes_of(cast, sample, same)
    needed, allowed = bounds(config, planned(sample))
    decided_ = groups and needed <= len(groups[0]) <= allowed
    tied = len(groups) > 1 and len(groups[1]) == len(groups[0])
    found = groups[0] if decided_ and not tied else []
    return found + [vote for vote in further if found and vote.answer is not None and same(vote.text, found[0].text)]


UNEXPLAINED = {"reasoning_misses_gold", "incomplete_solution", "letters_contradict"}
"""reasons of verify_sample for which the answer is right and its explanation is not"""


def unexplained(sample: Sample, config: VerifySection, passes: Passes) -> bool:
    """Whether the answer is decided, but no right solution makes a sample that `passes`. Never for programs: which of
    them are right is not known before they have run.
    """
    passed = sample.kind == Kind.code

    def note(made: Sample) -> bool:
        nonlocal passed
        passed = passes(made)
        return passed

    result = None if passed else verify_sample(sample, config, passes=note, surely=True)
    return result.reason in UNEXPLAINED if isinstance(result, Drop) else not passed


def pass_rate(sample: Sample, attempts: list[Vote], config: VerifySection) -> float | None:
    """The share of a student's attempts that reach the sample's answer: the gold, or that of the majority. A judge who
    has compared the attempts with it (`Vote.sense`) is believed. Where he has sorted the solutions, an attempt may be
    the same as any of those with the right answer, in whose words he said so.
    """
    same = comparison(sample, config)
    best = candidates(sample, config) if sample.origin != Origin.seed else []
    if not attempts or (sample.origin != Origin.seed and not best):
        return None
    written = [best[0].text] if best else [sample.gold.text, *sample.gold.aliases]
    if sample.kind != Kind.code and senses_of(sample):
        written += dict.fromkeys(vote.text for vote in _right(sample, config))

    def passed(vote: Vote) -> bool:
        if vote.answer is None or vote.sense is not None:
            return vote.sense == 0
        return any(same(vote.text, text) for text in written)

    return round(sum(map(passed, attempts)) / len(attempts), 6)
