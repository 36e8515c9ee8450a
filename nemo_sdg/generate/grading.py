"""Grades questions before they are solved and solutions before one is kept, and measures a student's pass rate.

    sample.grade.question   Judgement(score=2.0, scores={"one_right_answer": 2.0, "difficulty": 3.0, …}, reasons={…})
    vote.judge              Judgement of the solutions that could be kept, best first
    sample.grade.student_pass_rate

A question's score is the lowest of its criteria, without `difficulty`. If a judge's reply has no readable score, the
judge is asked once more; after that the sample is passed on without a grade.
"""

import asyncio
import dataclasses
import functools
import random
from collections.abc import Awaitable, Callable
from typing import Any

from nemo_sdg.config import Role, RunConfig, Style
from nemo_sdg.generate.agreement import Sort, gold_of, mark_attempts, mark_senses, may_agree
from nemo_sdg.generate.answers import Spent
from nemo_sdg.generate.options import in_order, shown_order, speaks_of_place
from nemo_sdg.generate.parsing.answers.programs import called
from nemo_sdg.generate.parsing.judgements import read_scores
from nemo_sdg.generate.parsing.replies import read_vote
from nemo_sdg.generate.parsing.solutions import WITHOUT_REPLY
from nemo_sdg.generate.prompting import Prompts, request_seed, task_variables
from nemo_sdg.generate.requests import Ask, Completion, Flow, Outcome, Request
from nemo_sdg.generate.roles import RoleEngines
from nemo_sdg.records import (
    LABELS,
    Grade,
    Judgement,
    Kind,
    Origin,
    Sample,
    Vote,
    drop_sample,
    sample_from_dict,
    to_dict,
)

QUESTION_CRITERIA = ("stands_alone", "one_right_answer", "fits_task", "not_given_away")
ANSWER_CRITERIA = ("context_true", "context_useful", "reasoning_valid", "reasoning_complete", "answer_right")
DIFFICULTY = "difficulty"
TRIES = 2
"""maximum number of requests to a judge that gives no readable score"""

Candidates = Callable[[Sample], list[Vote]]
"""returns the solutions that could be kept, best first; nemo_sdg.verify.candidates.candidates with its config"""
Undecided = Callable[[Sample], bool]
"""whether there is no majority, or no blind solution with the gold answer; candidates.undecided with its config"""
Passes = Callable[[Sample, list[Vote]], float | None]
"""returns the share of a student's solutions that reach the answer; candidates.pass_rate with its config"""


class Grading:
    """The requests to judge and student, shared by both steps."""

    def __init__(self, config: RunConfig, engines: RoleEngines) -> None:
        self.config = config
        self.engines = engines
        self.prompts: dict[Role, Prompts] = {
            role: Prompts(config, engines.section(role), style=Style.full)
            for role in (Role.judge, Role.student)
            if role in engines.players and config.roles.of(role)
        }

    def variables(self, sample: Sample, order: list[int] | None = None) -> dict[str, Any]:
        choices = sample.choices or []
        return {
            **task_variables(sample),
            "examples": (),
            "question": sample.question,
            "passage": sample.passage,
            "shown": in_order(choices, order) or choices,
            "labels": LABELS,
            "lettered": speaks_of_place(choices),
            "calls": called(sample.tests or []),
            "tests": "",
        }

    def request(self, role: Role, name: str, sample: Sample, variables: dict[str, Any], tag: str) -> Request:
        request = self.prompts[role].request(
            name,
            variables,
            schema=None,
            purpose="answer",
            seed=request_seed(self.config.run.seed, sample.sample_id, tag),
        )
        request.role, request.tag = role, tag
        return request

    async def judge(
        self, name: str, criteria: tuple[str, ...], sample: Sample, variables: dict[str, Any], tag: str, ask: Ask
    ) -> Judgement:
        """The judgement of one text, without a score if no reply could be read."""
        for attempt in range(TRIES):
            request = self.request(Role.judge, name, sample, variables, tag if attempt == 0 else f"{tag}.{attempt}")
            completion = await ask(request)
            scores, reasons = read_scores(completion.text, (*criteria, DIFFICULTY))
            if all(criterion in scores for criterion in criteria):
                return Judgement(score=min(scores[name] for name in criteria), scores=scores, reasons=reasons)
        return Judgement(score=None, error=unreadable(completion))

    def used(self, role: Role, name: str, sample: Sample) -> Any:
        request = self.request(role, name, sample, {**self.variables(sample), **NOTHING}, "used")
        return self.engines.used(request, prompt=name, prompt_hash=self.prompts[role].hash(name))


NOTHING = {"context": "", "reasoning": "", "answer": ""}


def unreadable(completion: Completion) -> str:
    if completion.finish_reason in WITHOUT_REPLY:
        return WITHOUT_REPLY[completion.finish_reason]
    return "cut_at_max_tokens" if completion.finish_reason == "length" else "no_scores"


class Screening(Grading):
    """Judges questions before they are solved."""

    async def flow(self, record: dict[str, Any], ask: Ask) -> Outcome:
        sample = sample_from_dict(record)
        spent = Spent(ask, sample.usage)
        variables = self.variables(sample)
        if sample.tests:
            variables["tests"] = "\n".join(sample.tests)
        judgement = await self.judge("judge/question", QUESTION_CRITERIA, sample, variables, "screen", spent)
        sample.usage = spent.usage
        sample.grade = dataclasses.replace(sample.grade or Grade(), question=judgement)
        if sample.generator is not None:
            sample.generator.judge = self.used(Role.judge, "judge/question", sample)
        least = self.config.generate.min_question_score
        # A question from a training split is graded, but never dropped.
        if sample.origin == Origin.similar and judgement.score is not None and judgement.score < least:
            low = [name for name in QUESTION_CRITERIA if judgement.scores[name] < least]
            detail = "; ".join(f"{name}: {judgement.reasons.get(name, '')}".rstrip(": ") for name in low)
            return Outcome(dropped=[drop_sample(to_dict(sample), "screened", low[0], detail)])
        return Outcome(kept=[sample])


class Grades(Grading):
    """Judges the solutions that could be kept, and lets a student try the question."""

    def __init__(
        self, config: RunConfig, engines: RoleEngines, candidates: Candidates, undecided: Undecided, passes: Passes
    ) -> None:
        super().__init__(config, engines)
        self.candidates, self.undecided, self.passes = candidates, undecided, passes

    async def flow(self, record: dict[str, Any], ask: Ask) -> Outcome:
        sample = sample_from_dict(record)
        spent = Spent(ask, sample.usage)
        by_judge = Role.judge in self.prompts and self.config.verify.judge_agreement
        compared = by_judge and sample.kind == Kind.free_text
        if compared:
            await self.judge_agreement(sample, spent, functools.partial(mark_senses, sample))
        candidates = self.candidates(sample)
        if by_judge and may_agree(sample) and self.undecided(sample):
            await self.judge_agreement(sample, spent, functools.partial(mark_senses, sample))
            candidates = self.candidates(sample)
        if candidates and Role.judge in self.prompts:
            await self.judge_answers(sample, candidates, spent)
        # Programs are not run beside engines, so a student's programs cannot be checked.
        if candidates and Role.student in self.prompts and sample.kind != Kind.code:
            attempts = await self.student(sample, spent)
            if compared:
                right = gold_of(sample) or [candidates[0].text]
                await self.judge_agreement(sample, spent, functools.partial(mark_attempts, attempts, right))
            # A lost request tells nothing of the student.
            rate = self.passes(sample, [vote for vote in attempts if vote.error != WITHOUT_REPLY["lost"]])
            sample.grade = dataclasses.replace(sample.grade or Grade(), student_pass_rate=rate)
            if sample.generator is not None:
                sample.generator.student = self.used(Role.student, "student/answer", sample)
        sample.usage = spent.usage
        return Outcome(kept=[sample])

    async def judge_agreement(self, sample: Sample, ask: Ask, mark: Callable[[Sort], Awaitable[bool]]) -> None:
        """Groups answers with the same meaning; one more try if the replies cannot be read."""
        for attempt in range(TRIES):

            async def sort(answers: list[str], tag: str, attempt: int = attempt) -> str:
                variables = {**self.variables(sample), "answers": answers}
                tag = tag if attempt == 0 else f"{tag}.{attempt}"
                return (await ask(self.request(Role.judge, "judge/agreement", sample, variables, tag))).text

            if await mark(sort):
                return

    async def judge_answers(self, sample: Sample, candidates: list[Vote], ask: Ask) -> None:
        """Judges the best solution first, and the next one only if it is not good enough."""
        for vote in candidates[: self.config.generate.answers_graded]:
            variables = {
                **self.variables(sample, vote.order),
                "context": vote.context,
                "reasoning": vote.reasoning,
                "answer": vote.text,
            }
            tag = f"grade.{vote.guidance}{vote.index}"
            vote.judge = await self.judge("judge/answer", ANSWER_CRITERIA, sample, variables, tag, ask)
            if vote.judge.score is None or vote.judge.score >= self.config.verify.min_judge_score:
                break
        if sample.generator is not None:
            sample.generator.judge = self.used(Role.judge, "judge/answer", sample)

    async def student(self, sample: Sample, ask: Ask) -> list[Vote]:
        """Solutions of the student, without context: its pass rate measures how easy the question is."""
        requests = []
        for index in range(self.config.generate.student_attempts):
            tag = f"student{index}"
            rng = random.Random(f"{self.config.run.seed}:{sample.sample_id}:{tag}")
            order = shown_order(sample.choices, rng) if sample.choices else None
            variables = self.variables(sample, order)
            requests.append((self.request(Role.student, "student/answer", sample, variables, tag), order))
        completions = await asyncio.gather(*(ask(request) for request, _ in requests))
        votes = []
        for index, ((_, order), completion) in enumerate(zip(requests, completions, strict=True)):
            value, error, detail = read_vote(completion, kind=sample.kind, options=in_order(sample.choices, order))
            answer = value["answer"] if value is not None else None
            votes.append(Vote(index=index, guidance="blind", answer=answer, order=order, error=error, detail=detail))
        return votes


def make_screening(config: RunConfig, engines: RoleEngines) -> Flow:
    """Sample -> sample with a graded question, or a Drop with the criterion that it fails."""
    return Screening(config, engines).flow


def make_grading(
    config: RunConfig, engines: RoleEngines, candidates: Candidates, undecided: Undecided, passes: Passes
) -> Flow:
    """Sample with solutions -> the same with judged solutions and a student's pass rate. It drops nothing."""
    return Grades(config, engines, candidates, undecided, passes).flow
