"""Solves the questions with independent votes, and for origin `seed` with a guided solution if no vote reaches the
gold answer.

Votes are requested in rounds: first the minimum that could decide, then the minimum that still could, until the
majority is decided or all votes are cast. They count in index order, up to the deciding one, so the result depends on
the completions and not on their timing.

Where the answer is decided, but what is written with it would be dropped, up to generate.further_solutions solutions
are requested one by one. They do not count as votes, and only those that reach the same answer can be kept.

The votes are blind for origin `seed` too. If none of them reaches the gold answer, up to GUIDED_ATTEMPTS solutions are
requested with the gold answer in the prompt. No code is run here, since engines and untrusted programs are kept apart:
for code, one guided solution is always requested, and verification prefers a blind one that passes the tests.
"""

import asyncio
import dataclasses
import random
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from nemo_sdg.config import Role, RunConfig, Style
from nemo_sdg.generate.options import in_order, shown_order, speaks_of_place
from nemo_sdg.generate.parsing.answers.programs import called
from nemo_sdg.generate.parsing.cleaning import clean
from nemo_sdg.generate.parsing.replies import read_vote
from nemo_sdg.generate.prompting import Prompts, request_seed, task_variables, template_kind
from nemo_sdg.generate.requests import Ask, Completion, Flow, Outcome, Request
from nemo_sdg.generate.roles import RoleEngines
from nemo_sdg.generate.schemas import solution_schema
from nemo_sdg.records import (
    LABELS,
    Generator,
    Kind,
    ModelUse,
    Origin,
    Sample,
    SampleLicense,
    Usage,
    Vote,
    VoteCounts,
    drop_sample,
    sample_from_dict,
    to_dict,
)

STEP = "answers"
GUIDED_ATTEMPTS = 2
UNANSWERABLE = "unanswerable"
"""reply of a solver of style full to a question with a flaw"""
LATEX = re.compile(r"\\[A-Za-z(\[]|\^|\$[^$\d\s]|[A-Za-z)]\$")
"""finds questions whose answer may be an expression and not a plain number; `$5 and $10` does not match"""


class Standing(Protocol):
    """The state of a question's votes; nemo_sdg.verify.votes.Standing implements it."""

    @property
    def missing(self) -> int:
        """Minimum number of further votes that could decide; 0 if the verdict is decided or all votes are cast."""

    @property
    def reaches_gold(self) -> bool:
        """Origin seed: whether one of the votes surely gives the gold answer."""


Decided = Callable[[list[Vote], int, Sample], Standing]
"""(votes so far, votes planned, sample) -> Standing; it returns at once and runs no code"""
Unexplained = Callable[[Sample], bool]
"""sample with its solutions so far -> whether the answer is decided, but none of them makes a sample that is kept"""


class Answers:
    """Solves the questions of a run; `flow` handles one sample."""

    def __init__(
        self, config: RunConfig, engines: RoleEngines, decided: Decided, unexplained: Unexplained | None = None
    ) -> None:
        self.config = config
        self.engines = engines
        self.decided = decided
        self.unexplained = unexplained
        self.prompts = [
            Prompts(config, engines.section(Role.solver, number)) for number in range(engines.num(Role.solver))
        ]
        self._used: dict[tuple[str, int], ModelUse] = {}

    def order(self, sample: Sample, purpose: str) -> list[int] | None:
        """The order in which one vote is shown the options: a permutation of their indices."""
        if not sample.choices:
            return None
        return shown_order(sample.choices, random.Random(f"{self.config.run.seed}:{sample.sample_id}:{purpose}"))

    def request(self, sample: Sample, purpose: str, index: int) -> tuple[Request, list[int] | None]:
        """The request for a vote (`solve`) or for a solution from the gold answer (`guided`), and its option order."""
        tag = f"vote{index}" if purpose == "solve" else f"{purpose}{index}"
        number = self.engines.deal(Role.solver, sample.sample_id, index)
        prompts = self.prompts[number]
        order = self.order(sample, tag)
        shown = in_order(sample.choices, order)
        variables = {
            **task_variables(sample),
            "family": sample.family,
            "question": sample.question,
            "passage": sample.passage,
            "shown": shown or [],
            "labels": LABELS,
            "lettered": speaks_of_place(sample.choices or []),
            "calls": called(sample.tests or []),
        }
        if purpose == "guided":
            variables["gold"] = sample.gold.text
        schema = None
        if prompts.style is Style.compact:
            # The answer is given; verification checks whether the reasoning reaches it.
            exact = sample.kind in (Kind.multiple_choice, Kind.numeric, Kind.short_text)
            schema = solution_schema(
                sample.kind,
                choices=[sample.gold.text] if purpose == "guided" and exact else shown,
                numeric=sample.kind == Kind.numeric
                and not LATEX.search(f"{sample.question} {variables.get('gold', '')}"),
                max_tokens=prompts.max_tokens("answer"),
                like=sample.question,
            )
        request = prompts.request(
            f"{purpose}/{template_kind(sample)}",
            variables,
            schema=schema,
            purpose="answer",
            seed=request_seed(self.config.run.seed, sample.sample_id, tag),
        )
        request.role, request.number, request.tag = Role.solver, number, tag
        return request, order

    def read(
        self,
        completion: Completion,
        request: Request,
        sample: Sample,
        order: list[int] | None,
        purpose: str,
        index: int,
    ) -> Vote:
        """The vote for `solutions`. If it has no answer, error and detail say why.

        A context that is copied from a worked example is removed; the answer still counts as a vote.
        """
        shown = in_order(sample.choices, order)
        value, error, detail = read_vote(completion, kind=sample.kind, options=shown, schema=request.schema)
        vote = Vote(
            index=index,
            guidance="blind" if purpose == "solve" else "guided",
            order=order,
            error=error,
            detail=clean(detail) if detail else None,
            finish_reason=completion.finish_reason,
        )
        said = value["answer"] if value is not None else detail or ""
        if said.strip(" .*").casefold() == UNANSWERABLE:
            vote.error, vote.detail = "question_flawed", (value["reasoning"][:200] if value is not None else None)
            return vote
        if value is not None:
            vote.context, vote.reasoning, vote.answer = value["context"], value["reasoning"], value["answer"]
            if vote.context and any(vote.context in text for text in request.worked_examples()):
                vote.context = ""
            if sample.choices:
                vote.label = LABELS[sample.choices.index(vote.answer)]
        return vote

    async def flow(self, record: dict[str, Any], ask: Ask) -> Outcome:
        sample = sample_from_dict(record)
        spent = Spent(ask, sample.usage)
        solutions = await self._votes(sample, spent)
        if sample.origin == Origin.seed and self.config.generate.guided:
            solutions += await self._guided(sample, solutions, spent)
        sample.solutions = solutions
        sample.votes = VoteCounts(planned=self.config.generate.votes)
        if self.unexplained is not None:
            await self._further(sample, solutions, self.unexplained, spent)
        sample.usage = spent.usage
        if all(vote.answer is None for vote in solutions):
            errors = Counter(str(vote.error) for vote in solutions)
            reason = str(solutions[0].error) if len(errors) == 1 else "no_valid_vote"
            detail = ", ".join(f"{error} {num}" for error, num in sorted(errors.items()))
            return Outcome(dropped=[drop_sample(to_dict(sample), STEP, reason, detail)])
        self.note_solvers(sample, solutions)
        return Outcome(kept=[sample])

    def note_solvers(self, sample: Sample, solutions: list[Vote]) -> None:
        """Notes the models that wrote the solutions: one entry per model and template, to which the votes refer."""
        solvers: list[ModelUse] = []
        for vote in solutions:
            number = self.engines.deal(Role.solver, sample.sample_id, vote.index)
            purpose = "solve" if vote.guidance == "blind" else "guided"
            use = self.used(f"{purpose}/{template_kind(sample)}", number)
            if use not in solvers:
                solvers.append(use)
            vote.solver = solvers.index(use)
        sample.generator = dataclasses.replace(
            sample.generator or Generator(), model=solvers[0].model if solvers else None, solvers=solvers
        )
        known = sample.license or SampleLicense()
        models = list(dict.fromkeys([*known.models, *(use.license for use in solvers)]))
        sample.license = dataclasses.replace(known, models=models)

    def used(self, name: str, number: int) -> ModelUse:
        """The model that answers a template, with its sampling: the same for all samples."""
        if (name, number) not in self._used:
            prompts = self.prompts[number]
            temperature, top_p = prompts.sampling("answer")
            request = Request(
                role=Role.solver,
                number=number,
                temperature=temperature,
                top_p=top_p,
                max_tokens=prompts.max_tokens("answer"),
            )
            self._used[name, number] = self.engines.used(request, prompt=name, prompt_hash=prompts.hash(name))
        return self._used[name, number]

    async def _votes(self, sample: Sample, ask: Ask) -> list[Vote]:
        num_planned, solutions = self.config.generate.votes, list[Vote]()
        more = self.decided(solutions, num_planned, sample).missing
        while more:
            first = len(solutions)
            requests = [self.request(sample, "solve", index) for index in range(first, first + more)]
            if len(requests) == 1:
                completions = [await ask(requests[0][0])]
            else:
                completions = await asyncio.gather(*(ask(request) for request, _ in requests))
            for index, ((request, order), completion) in enumerate(zip(requests, completions, strict=True), first):
                solutions.append(self.read(completion, request, sample, order, "solve", index))
                if not (more := self.decided(solutions, num_planned, sample).missing):
                    break
        return solutions

    async def _guided(self, sample: Sample, blind: list[Vote], ask: Ask) -> list[Vote]:
        if self.decided(blind, len(blind), sample).reaches_gold:
            return []
        guided: list[Vote] = []
        for index in range(1 if sample.kind == Kind.code else GUIDED_ATTEMPTS):
            request, order = self.request(sample, "guided", index)
            solution = self.read(await ask(request), request, sample, order, "guided", index)
            guided.append(solution)
            if self.decided([solution], 1, sample).reaches_gold:
                break
        return guided

    async def _further(self, sample: Sample, solutions: list[Vote], unexplained: Unexplained, ask: Ask) -> None:
        """Adds solutions until one can be kept: of a seed's own question with the gold answer in sight, else blind."""
        guided = sample.origin == Origin.seed and self.config.generate.guided
        purpose, first = "solve", self.config.generate.votes
        if guided:
            purpose, first = "guided", sum(vote.guidance == "guided" for vote in solutions)
        for index in range(first, first + self.config.generate.further_solutions):
            if not unexplained(sample):
                return
            request, order = self.request(sample, purpose, index)
            solutions.append(self.read(await ask(request), request, sample, order, purpose, index))


class Spent:
    """An Ask that sums up the tokens of its completions."""

    def __init__(self, ask: Ask, before: Usage | None) -> None:
        self._ask = ask
        self.usage = dataclasses.replace(before or Usage())

    async def __call__(self, request: Request) -> Completion:
        completion = await self._ask(request)
        self.usage.prompt_tokens += completion.prompt_tokens
        self.usage.completion_tokens += completion.completion_tokens
        return completion


def make_flow(
    config: RunConfig, engines: RoleEngines, decided: Decided, unexplained: Unexplained | None = None
) -> Flow:
    """Sample -> sample with `solutions`, or a Drop if no request gave an answer. `decided` is verify.votes.decided with
    its config, `unexplained` verify.candidates.unexplained with its; None requests no further solutions. Raises
    ConfigError when a template is broken.
    """
    return Answers(config, engines, decided, unexplained).flow
