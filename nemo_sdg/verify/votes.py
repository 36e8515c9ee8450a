"""Turns votes into a verdict: which answer the majority gives, whether it counts, and which solution is kept.

The rule for origin `similar`. n votes are planned. The agreement of an answer is the number of its votes divided by n;
a vote without a readable answer counts for no answer. An answer is verified when no other has as many votes and its
agreement lies in [min_agreement, max_agreement]. Voting stops early only when the votes not yet cast cannot change the
verdict, so stopping early gives the same verdict as all votes (a property test checks this). `agree` and `tally` then
count the votes cast. That is so by the rules: a judge who sorts short answers later finds a majority only among the
votes that were cast.

The rule for origin `seed`. The answer is the gold one. A blind solution that reaches it is kept, else one written with
the gold in sight whose reasoning arrives at it; none: dropped. The share of blind votes that miss the gold is the
question's difficulty.

Kinds differ in when two answers are one: options by their text, numbers by value, short texts after normalisation,
programs by what they return in the sandbox, answers in sentences by a judge who has compared them (`Vote.sense`), else
by their words. Short texts and expressions that differ by the rules are one where a judge says so (comparison).
"""

import math
from collections import Counter
from dataclasses import dataclass

from nemo_sdg.config import VerifySection
from nemo_sdg.records import LABELS, Answer, Drop, Kind, Origin, Sample, Vote, VoteCounts
from nemo_sdg.text.answers import group_answers, is_settled
from nemo_sdg.text.sentences import similarity
from nemo_sdg.verify import programs as code
from nemo_sdg.verify.comparison import Compare, comparison, is_gold, senses_of
from nemo_sdg.verify.kept import Passes, drop, rejected, take
from nemo_sdg.verify.solutions import best_first, keepable, names_answer

METHODS = {
    Kind.multiple_choice: "majority_of_option_texts",
    Kind.numeric: "majority_of_values",
    Kind.short_text: "majority_of_normalized_texts",
    Kind.free_text: "word_overlap_consensus",
    Kind.code: "majority_of_program_results",
}
GOLD_METHODS = {
    Kind.multiple_choice: "gold_option",
    Kind.numeric: "gold_value",
    Kind.short_text: "gold_text_or_alias",
    Kind.free_text: "word_overlap_with_gold",
    Kind.code: "gold_tests_in_sandbox",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How the votes of a question stand."""

    missing: int
    """further votes that could decide at the earliest; 0 when the verdict is decided or all votes are cast"""
    reaches_gold: bool
    """origin seed: one of them surely gives the gold answer; a program is never surely right before it has run"""


def decided(solutions: list[Vote], num_planned: int, sample: Sample, *, config: VerifySection) -> Standing:
    """What the answering flow asks while votes come in; cheap enough for an event loop, nothing is run and nobody is
    waited for.
    """
    reached = sample.origin == Origin.seed and sample.kind != Kind.code
    if reached:
        same = comparison(sample, config, surely=True)
        reached = any(is_gold(s.answer, sample, same) for s in solutions if s.answer is not None)
    return Standing(missing=_missing(solutions, num_planned, sample, config), reaches_gold=reached)


def _missing(solutions: list[Vote], num_planned: int, sample: Sample, config: VerifySection) -> int:
    remaining = num_planned - len(solutions)
    if remaining <= 0:
        return 0
    if sample.kind in (Kind.code, Kind.free_text):
        return remaining
    needed, allowed = bounds(config, num_planned)
    answers = [solution.answer for solution in solutions if solution.answer is not None]
    compare, unsure = comparison(sample, config, surely=True), False

    def same(a: str, b: str) -> bool:
        nonlocal unsure
        verdict = compare(a, b)
        unsure = unsure or verdict is None
        return verdict is True

    groups = group_answers(answers, same)
    counts = [len(group) for group in groups]
    settled = bool(groups) and is_settled([answers[place] for place in groups[0]], language=sample.language)
    ranked = sorted(counts, reverse=True) or [0]
    best, valid = ranked[0], sum(ranked)
    # Where two classes may turn out to be one, the others together are the rival, and all together the best that can
    # be.
    rival = valid - best if unsure else (ranked[1] if len(ranked) > 1 else 0)
    highest = (valid if unsure else best) + remaining
    if settled and best >= needed and best > rival + remaining and highest <= allowed:
        return 0
    if highest < needed or best > allowed:
        return 0
    return min(remaining, max(1, needed - best))


def planned(sample: Sample) -> int:
    """Votes that were planned for a sample, as the answering step noted it."""
    return sample.votes.planned if sample.votes else len(sample.solutions or [])


def blind_of(sample: Sample) -> tuple[list[Vote], list[Vote]]:
    """(votes cast, further solutions), all blind. Further ones were requested when the answer was decided: they explain
    it and do not count as votes.
    """
    blind = [solution for solution in sample.solutions or [] if solution.guidance == "blind"]
    num = planned(sample)
    return [vote for vote in blind if vote.index < num], [vote for vote in blind if vote.index >= num]


def bounds(config: VerifySection, num_planned: int) -> tuple[int, int]:
    """Fewest and most votes that a verified answer may have."""
    return max(1, math.ceil(config.min_agreement * num_planned - 1e-9)), math.floor(
        config.max_agreement * num_planned + 1e-9
    )


def classes_of(votes: list[Vote], sample: Sample, same: Compare) -> list[list[Vote]]:
    """Votes grouped by answer, the largest group first, then the one that came first. Votes without an answer are in
    none.
    """
    votes = [vote for vote in votes if vote.answer is not None]
    if sample.kind == Kind.free_text and not senses_of(sample):
        return _consensus(votes, sample, same)
    groups = group_answers([vote.text for vote in votes], same)
    return sorted(
        ([votes[place] for place in group] for group in groups), key=lambda group: (-len(group), group[0].index)
    )


def _consensus(votes: list[Vote], sample: Sample, same: Compare) -> list[list[Vote]]:
    """The vote that shares most words with the others, with those that say the same as it; the rest stands alone."""
    if not votes:
        return []
    texts = [vote.text for vote in votes]
    shared = {(a, b): similarity(a, b, language=sample.language) for a in set(texts) for b in set(texts)}
    centre = max(sorted(set(texts)), key=lambda text: sum(shared[text, other] for other in texts))
    near = [vote for vote in votes if same(vote.text, centre)]
    return [near, *([vote] for vote in votes if all(vote is not other for other in near))]


def verify_sample(
    sample: Sample, config: VerifySection, *, passes: Passes | None = None, surely: bool = False
) -> Sample | Drop:
    """The sample with answer, context, reasoning, votes, difficulty and verification, or a Drop. Of several right
    solutions one is taken whose sample `passes`, where there is one. With `surely`, answers that only math-verify could
    find equal count as different.

    Reasons: no_valid_vote, no_majority, agreement_above_max, gold_not_reached, reasoning_misses_gold, tests_failed,
    no_tests, incomplete_solution, letters_contradict, judge_rejected, pass_rate_outside. Runs programs in the sandbox
    for kind code; raises MissingDependencyError where there is none.
    """
    solutions: list[Vote] = sample.solutions or []
    if all(solution.answer is None for solution in solutions):
        return drop(sample, "no_valid_vote", None)
    same = comparison(sample, config, surely=surely)
    if sample.origin == Origin.seed:
        return _verify_gold(sample, same, config, passes)
    return _verify_majority(sample, same, config, passes)


def _verify_gold(sample: Sample, same: Compare, config: VerifySection, passes: Passes | None) -> Sample | Drop:
    cast, further = blind_of(sample)
    blind = cast + further
    guided = [solution for solution in sample.solutions or [] if solution.guidance == "guided"]
    if sample.kind == Kind.code:
        tests = sample.tests or []
        if not tests:
            return drop(sample, "no_tests", None)
        outcomes = code.outcomes([s.answer for s in [*blind, *guided]], tests, config)
        passed = {id(s): outcome == "passed" for s, outcome in zip([*blind, *guided], outcomes, strict=True)}
    else:
        passed = {id(s): s.answer is not None and is_gold(s.answer, sample, same) for s in [*blind, *guided]}
    tally = (
        Counter(outcome for s, outcome in zip(cast, outcomes[: len(cast)], strict=True) if s.answer is not None)
        if sample.kind == Kind.code
        else _tally(classes_of(cast, sample, same))
    )
    votes = VoteCounts(planned=planned(sample), n=len(cast), agree=sum(passed[id(s)] for s in cast), tally=dict(tally))
    right = [solution for solution in blind if passed[id(solution)]]
    given = [solution for solution in guided if passed[id(solution)]]
    shows = given
    if sample.kind in (Kind.multiple_choice, Kind.numeric, Kind.short_text):
        # The answer was given: what counts is that the reasoning arrives at it.
        shows = [solution for solution in given if names_answer(solution.reasoning, sample.gold.text, sample)]
    tiers = keepable(right, sample, config) + keepable(shows, sample, config)
    if tiers:
        method = "judged_sense_of_gold" if senses_of(sample) else GOLD_METHODS[Kind(sample.kind)]
        ranked = best_first(tiers, sample)
        return take(ranked, sample, votes, lambda _: sample.gold, method, config, passes=passes)
    if given and not shows:
        return drop(sample, "reasoning_misses_gold", _shown(tally))
    if given or (right and not guided):
        return rejected(sample, given or right)
    return drop(sample, "tests_failed" if sample.kind == Kind.code else "gold_not_reached", _shown(tally))


def _tally(groups: list[list[Vote]]) -> dict[str, int]:
    """Votes by answer text; of each group the text that was written most often, the first of them."""
    return {_most_written(group): len(group) for group in groups}


def _most_written(group: list[Vote]) -> str:
    counts = Counter(vote.text for vote in group)
    return str(max(counts, key=lambda answer: counts[answer]))


def _verify_majority(sample: Sample, same: Compare, config: VerifySection, passes: Passes | None) -> Sample | Drop:
    blind, further = blind_of(sample)
    by_vote: dict[int, list[str]] = {}
    if sample.kind == Kind.code:
        calls, results = code.results_of([vote.answer for vote in blind], sample.tests or [], config)
        by_result: dict[tuple[str, ...], list[Vote]] = {}
        for vote, result in zip(blind, results, strict=True):
            if result is not None:
                by_result.setdefault(tuple(key for key, _ in result), []).append(vote)
                by_vote[id(vote)] = [
                    f"assert {call} == {literal}" for call, (_, literal) in zip(calls, result, strict=True)
                ]
        groups = sorted(by_result.values(), key=lambda group: (-len(group), group[0].index))
        tally = {f"results_{LABELS[i % 26]}": len(group) for i, group in enumerate(groups)}
    else:
        groups = classes_of(blind, sample, same)
        tally = _tally(groups)
    if not groups:
        return drop(sample, "tests_failed" if sample.kind == Kind.code else "no_valid_vote", None)
    needed, allowed = bounds(config, planned(sample))
    best = groups[0]
    if len(best) < needed or (len(groups) > 1 and len(groups[1]) == len(best)):
        return drop(sample, "no_majority", f"{len(best)} of {planned(sample)}, {needed} needed: {_shown(tally)}")
    if len(best) > allowed:
        return drop(sample, "agreement_above_max", f"{len(best)} of {planned(sample)}")
    right = best + [vote for vote in further if vote.answer is not None and same(vote.text, best[0].text)]
    tiers = keepable(right, sample, config)
    if not tiers:
        return rejected(sample, right)
    tests = {vote.text: by_vote[id(vote)] for tier in tiers for vote in tier} if sample.kind == Kind.code else None
    return take(
        best_first(tiers, sample),
        sample,
        VoteCounts(planned=planned(sample), n=len(blind), agree=len(best), tally=tally),
        lambda vote: Answer(text=vote.text, label=LABELS[sample.choices.index(vote.text)] if sample.choices else None),
        "judged_consensus" if senses_of(sample) else METHODS[Kind(sample.kind)],
        config,
        tests_of=None if tests is None else lambda vote: tests[vote.text],
        passes=passes,
    )


def _shown(tally: dict[str, int]) -> str:
    return ", ".join(f"{answer[:40]}: {num}" for answer, num in list(tally.items())[:6])
