"""Makes the verified sample of a question whose answer is decided: chooses the solution, and lays out the options.

Of the solutions with the right answer the best is taken that passes the checks which every sample has to pass later
(`passes`): a sample is not lost because one of several good votes names the answer in its context. Where none passes,
its context is shortened: the first sentences of one that was cut off, or that says the answer in its last sentence, are
knowledge still. Where that does not help either, the best is kept as it is, and what is wrong with it is said later.
"""

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator

from nemo_sdg.config import VerifySection
from nemo_sdg.records import Answer, Drop, Grade, Sample, Verification, Vote, VoteCounts, drop_sample, to_dict
from nemo_sdg.text.sentences import split_sentences
from nemo_sdg.verify.solutions import adds_knowledge, contradicts_letters, laid_out

STEP = "verified"
Passes = Callable[[Sample], bool]
SHORTEST_CONTEXT = 60
"""characters that a shortened context has at least"""
MAX_SHORTENED = 3
"""sentences that are taken off at most"""
ENDS = re.compile(r"[.!?。！？।؟][\"'”’»)\]」』）]*$")
ABBREVIATED = re.compile(
    r"(?:^|[\s(])(?:[^\W\d_]|[^\W\d_]{1,3}\.[^\W\d_]{1,3}|etc|approx|Dr|Prof|Mr|Mrs|Ms|"
    r"St|Mt|Gen|Gov|Sen|Rev|Capt|Col|Lt|Figs?|Eqs?|cf|resp|vs|Nr|ca|bzw|usw)\.$"
)
MARKER = re.compile(r"[(\[]?(?:\d{1,3}|[A-Za-z]|[ivx]{1,4})[.)\]]+")
"""what stands before an item of a list, and is no sentence"""


def take(
    ranked: Iterable[Vote],
    sample: Sample,
    votes: VoteCounts,
    answer_of: Callable[[Vote], Answer],
    method: str,
    config: VerifySection,
    *,
    tests_of: Callable[[Vote], list[str]] | None = None,
    passes: Passes | None = None,
) -> Sample | Drop:
    """The sample with the first of `ranked`, which are right and ordered best first, that makes a sample that passes;
    the first that makes a sample at all where none does; else the drop of the first.
    """
    tried: list[Vote] = []
    first: Sample | Drop | None = None
    for vote in ranked:
        tried.append(vote)
        result = _made(sample, vote, votes, answer_of, method, config, tests_of)
        if not isinstance(result, Drop) and (passes is None or passes(result)):
            return result
        first = result if first is None or (isinstance(first, Drop) and not isinstance(result, Drop)) else first
    assert first is not None, "there is a right solution"
    for vote in tried if passes is not None else []:
        for context, num in shortened(vote.context, sample):
            shorter = dataclasses.replace(vote, context=context)
            result = _made(sample, shorter, votes, answer_of, method, config, tests_of)
            if not isinstance(result, Drop) and passes is not None and passes(result):
                assert result.verification is not None
                result.verification.detail = f"{result.verification.detail}, first {num} sentences of its context"
                return result
    return first


def shortened(context: str, sample: Sample) -> Iterator[tuple[str, int]]:
    """(context, number of its sentences) of the beginnings of a context, longest first: whole sentences that still
    bring knowledge.
    """
    found = split_sentences(context)
    for num in range(len(found) - 1, max(0, len(found) - 1 - MAX_SHORTENED), -1):
        beginning = context[: found[num - 1].end].rstrip()
        if (
            len(beginning) >= SHORTEST_CONTEXT
            and ENDS.search(beginning)
            and not ABBREVIATED.search(beginning)
            and not MARKER.fullmatch(found[num - 1].text)
            and adds_knowledge(beginning, sample)
        ):
            yield beginning, num


def _made(
    sample: Sample,
    kept: Vote,
    votes: VoteCounts,
    answer_of: Callable[[Vote], Answer],
    method: str,
    config: VerifySection,
    tests_of: Callable[[Vote], list[str]] | None,
) -> Sample | Drop:
    if not kept.reasoning.strip() or not kept.context.strip():
        return drop(sample, "incomplete_solution", "no reasoning" if not kept.reasoning.strip() else "no context")
    rate = sample.grade.student_pass_rate if sample.grade else None
    if config.pass_rate and rate is not None and not config.pass_rate[0] <= rate <= config.pass_rate[1]:
        return drop(sample, "pass_rate_outside", f"{rate:.2f} is not in {config.pass_rate}")
    if contradicts_letters(kept, sample):
        return drop(sample, "letters_contradict", kept.reasoning[-200:])
    verified = dataclasses.replace(sample)
    verified.choices, verified.answer = laid_out(sample, kept, answer_of(kept))
    if tests_of is not None:
        verified.tests = tests_of(kept)
    verified.context, verified.reasoning, verified.guidance = kept.context, kept.reasoning, kept.guidance
    verified.solutions = None
    verified.votes = votes
    verified.difficulty = round(1.0 - (votes.agree or 0) / votes.n, 6) if votes.n else None
    if rate is not None:
        verified.difficulty = round(1.0 - rate, 6)
    if kept.judge is not None:
        verified.grade = dataclasses.replace(sample.grade or Grade(), answer=kept.judge)
    verified.verification = Verification(
        method=method + ("+judge" if kept.judge is not None else ""),
        verdict="verified",
        detail=f"solution {kept.guidance}{kept.index}",
    )
    if sample.generator is not None:
        solvers = sample.generator.solvers
        verified.generator = dataclasses.replace(
            sample.generator, kept=kept.solver, model=solvers[kept.solver].model if solvers else None
        )
    return verified


def rejected(sample: Sample, right: list[Vote]) -> Drop:
    """A sample whose right solutions the judge accepts none of, with what he says of the best."""
    judged = [vote.judge for vote in right if vote.judge is not None]
    worst = min(judged[0].scores, key=lambda name: judged[0].scores[name], default="") if judged else ""
    detail = f"{worst} {judged[0].scores[worst]:.0f}: {judged[0].reasons.get(worst, '')}" if worst else None
    return drop(sample, "judge_rejected", detail)


def drop(sample: Sample, reason: str, detail: str | None) -> Drop:
    return drop_sample(to_dict(sample), STEP, reason, detail)
