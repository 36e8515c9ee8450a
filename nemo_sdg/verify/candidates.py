"""Looks at a sample's solutions before it is verified, without running code: which could be kept, and how often a
student reaches the same answer.
"""

from nemo_sdg.config import VerifySection
from nemo_sdg.records import Drop, Kind, Origin, Sample, Vote
from nemo_sdg.verify.comparison import comparison, is_gold
from nemo_sdg.verify.kept import Passes
from nemo_sdg.verify.solutions import rank
from nemo_sdg.verify.votes import blind_of, bounds, classes_of, planned, verify_sample


def candidates(sample: Sample, config: VerifySection) -> list[Vote]:
    """The solutions that could be kept, the best first, as far as one can say without running anything: those that
    reach the gold, or those of the majority where there is one. Of programs, all.
    """
    solutions = [vote for vote in sample.solutions or [] if vote.answer is not None]
    if sample.kind == Kind.code:
        found = solutions
    elif sample.origin == Origin.seed:
        same = comparison(sample, config)
        right = [vote for vote in solutions if is_gold(vote.text, sample, same)]
        found = [vote for vote in right if vote.guidance == "blind"] or right
    else:
        (cast, further), same = blind_of(sample), comparison(sample, config)
        groups = classes_of(cast, sample, same)
        needed, allowed = bounds(config, planned(sample))
        decided_ = groups and needed <= len(groups[0]) <= allowed
        tied = len(groups) > 1 and len(groups[1]) == len(groups[0])
        found = groups[0] if decided_ and not tied else []
        found += [vote for vote in further if found and vote.answer is not None and same(vote.text, found[0].text)]
    complete = [vote for vote in found if vote.reasoning.strip() and vote.context.strip()]
    return sorted(complete, key=lambda vote: rank(vote, sample))


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
    has compared the attempts with it (`Vote.sense`) is believed.
    """
    same = comparison(sample, config)
    best = candidates(sample, config) if sample.origin != Origin.seed else []
    if not attempts or (sample.origin != Origin.seed and not best):
        return None

    def passed(vote: Vote) -> bool:
        if vote.answer is None or vote.sense is not None:
            return vote.sense == 0
        return bool(same(vote.text, best[0].text)) if best else is_gold(vote.text, sample, same)

    return round(sum(map(passed, attempts)) / len(attempts), 6)
