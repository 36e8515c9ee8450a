"""Makes samples from a seed: k new questions of origin `similar`, and the seed's own question as a sample of origin
`seed`.

    in = attempts + samples of origin seed: every attempt gives exactly one sample or one drop.

A new question keeps its seed's kind, frame and language, and for classification its label set. It is never a copy of
its seed, of a seed in the same prompt, or of an earlier question of the same seed. The writer is not asked for an
answer: solvers find it independently.

Style compact sends all attempts of a seed at once. Style full sends one after the other: each request draws its axes
and shows the earlier questions, and a seed gets no more requests when its questions are no longer new.
"""

import asyncio
import dataclasses
import random
from typing import Any

from nemo_sdg.config import RunConfig
from nemo_sdg.generate.axes import draw_axes
from nemo_sdg.generate.options import speaks_of_place
from nemo_sdg.generate.parsing.cleaning import clean
from nemo_sdg.generate.planned import origin_share, planned_attempts
from nemo_sdg.generate.prompting import template_kind
from nemo_sdg.generate.requests import Ask, Completion, Flow, Outcome
from nemo_sdg.generate.roles import RoleEngines
from nemo_sdg.generate.writer import Asked, Writer
from nemo_sdg.generate.written import COPY_REASONS, Known, Written
from nemo_sdg.records import (
    LABELS,
    Axes,
    Drop,
    Generator,
    Origin,
    Sample,
    SampleLicense,
    Seed,
    Usage,
    content_id,
    seed_from_dict,
)

STEP = "questions"


def takes_own_question(seed_id: str, share: float, run_seed: int) -> bool:
    """Whether a seed's own question becomes a sample. Its id decides, so the same seeds are chosen on every machine."""
    return random.Random(f"{run_seed}:{seed_id}:origin").random() < share


def _sample(
    seed: Seed,
    origin: Origin,
    written: Written,
    *,
    models: list[str],
    generator: Generator,
    usage: Usage,
    axes: Axes | None = None,
) -> Sample:
    return Sample(
        sample_id=content_id(
            origin.value,
            seed.seed_id,
            written.question,
            written.passage,
            sorted(written.choices) if written.choices else None,
        ),
        origin=origin.value,
        seed_ids=[seed.seed_id],
        task=seed.task,
        family=seed.family,
        capability=seed.capability,
        kind=seed.kind,
        frame=seed.frame,
        language=seed.language,
        question=written.question,
        passage=written.passage,
        choices=written.choices,
        tests=written.tests,
        generator=generator,
        usage=usage,
        license=SampleLicense(seeds=[seed.license], models=models),
        axes=axes,
    )


def own_question(seed: Seed) -> Sample:
    """The seed's own question with its gold answer, as a sample of origin `seed`."""
    own = Written(question=seed.question, passage=seed.passage, choices=seed.choices, tests=seed.tests)
    sample = _sample(seed, Origin.seed, own, models=[], generator=Generator(), usage=Usage())
    sample.answer = dataclasses.replace(seed.answer)
    if sample.choices and sample.answer.label is None and sample.answer.text in sample.choices:
        sample.answer.label = LABELS[sample.choices.index(sample.answer.text)]
    sample.reference_reasoning = seed.reference_reasoning
    return sample


class Questions:
    """Writes the questions of a run; `flow` handles one seed."""

    def __init__(
        self,
        config: RunConfig,
        engines: RoleEngines,
        few_shot: dict[str, list[Seed]],
        num_seeds: dict[str, int] | None = None,
    ) -> None:
        self.config = config
        self.num_seeds = num_seeds or {}
        self.writer = Writer(config, engines, few_shot)

    def planned(self, seed: Seed) -> int:
        return planned_attempts(self.config.generate, seed.family, self.num_seeds.get(seed.task, 1))

    async def flow(self, record: dict[str, Any], ask: Ask) -> Outcome:
        seed, outcome = seed_from_dict(record), Outcome()
        share = origin_share(self.config.generate, seed.family)
        if takes_own_question(seed.seed_id, share.seed, self.config.run.seed):
            outcome.kept.append(own_question(seed))
        known = Known(seed, self.writer.shown_beside(seed))
        if not self.writer.full:
            requests = [self.writer.compact_request(seed, attempt) for attempt in range(self.planned(seed))]
            completions = await asyncio.gather(*(ask(asked.request) for asked in requests))
            for asked, completion in zip(requests, completions, strict=True):
                self.settle(seed, asked, completion, [self.writer.read(completion, seed)], known, outcome)
            return outcome
        num, each = self.planned(seed), self.config.generate.questions_per_request
        axes = draw_axes(seed, attempts=num, run_seed=self.config.run.seed)
        copies = 0
        for first in range(0, num, each):
            attempts = list(range(first, min(first + each, num)))
            if copies >= self.config.generate.stop_after_copies:
                outcome.dropped += [self._drop(seed, attempt, "seed_exhausted", None, None) for attempt in attempts]
                continue
            asked = self.writer.full_request(seed, attempts, axes, known.written)
            completion = await ask(asked.request)
            read = self.writer.read_all(completion, seed, [axes[attempt] for attempt in attempts])
            for reason in self.settle(seed, asked, completion, read, known, outcome):
                copies = copies + 1 if reason in COPY_REASONS else 0
        return outcome

    def settle(
        self,
        seed: Seed,
        asked: Asked,
        completion: Completion,
        read: list[tuple[Written | None, str | None, str | None]],
        known: Known,
        outcome: Outcome,
    ) -> list[str | None]:
        """Makes a sample or a drop from each attempt of a request; returns the reasons, None for a sample."""
        reasons = []
        for number, (attempt, axes, (written, reason, detail)) in enumerate(
            zip(asked.attempts, asked.axes, read, strict=True)
        ):
            reason = known.copies(written) if written is not None else reason or "schema"
            reasons.append(reason)
            if written is None or reason is not None:
                outcome.dropped.append(self._drop(seed, attempt, reason or "schema", detail, completion))
                continue
            sample = _sample(
                seed,
                Origin.similar,
                written,
                models=[asked.writer.license],
                generator=Generator(model=asked.writer.model, writer=asked.writer),
                # the tokens of a request count once, for its first attempt
                usage=Usage(
                    prompt_tokens=completion.prompt_tokens if number == 0 else 0,
                    completion_tokens=completion.completion_tokens if number == 0 else 0,
                ),
                axes=axes,
            )
            if sample.choices and template_kind(seed) != "classification" and not speaks_of_place(sample.choices):
                # Models often write the right option first.
                random.Random(f"{self.config.run.seed}:{sample.sample_id}:choices").shuffle(sample.choices)
            outcome.kept.append(sample)
        return reasons

    @staticmethod
    def _drop(seed: Seed, attempt: int, reason: str, detail: str | None, completion: Completion | None) -> Drop:
        record = {"seed_id": seed.seed_id, "attempt": attempt}
        if completion is not None:
            record |= {"text": clean(completion.text)[:4000], "finish_reason": completion.finish_reason}
        return Drop(
            task=seed.task,
            id=content_id("attempt", seed.seed_id, attempt),
            step=STEP,
            reason=reason,
            detail=clean(detail) if detail else None,
            record=record,
        )


def make_flow(
    config: RunConfig, engines: RoleEngines, few_shot: dict[str, list[Seed]], num_seeds: dict[str, int] | None = None
) -> Flow:
    """Seed record -> samples. `few_shot` maps a task to seeds, in fixed order; `num_seeds` maps it to its seed count.

    Raises ConfigError when a template is broken.
    """
    return Questions(config, engines, few_shot, num_seeds).flow
