"""From a seed to samples: k new questions of origin `similar`, and the seed's own question as a sample of origin
`seed`.

    in = attempts + samples of origin seed: every attempt ends as exactly one sample or one drop.

A new question keeps its seed's kind, frame, language, number of options, and for classification its label set. It is
never a copy of its
seed, of a seed shown beside it, or of a question written earlier after the same seed. An answer that the questioner
may have in mind is
not asked for: solvers find it alone, and agree on it or not.
"""

import asyncio
import dataclasses
import difflib
import itertools
import random
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from nemo_sdg.config import OriginShare, RunConfig
from nemo_sdg.generate.parsing.answer_text import fold
from nemo_sdg.generate.parsing.cleaning import clean
from nemo_sdg.generate.parsing.programs import called
from nemo_sdg.generate.parsing.replies import at_bound, read_object, whole_sentences
from nemo_sdg.generate.prompting import Prompts, item_json, language_variables, request_seed, template_kind
from nemo_sdg.generate.requests import Ask, Completion, Flow, Outcome, Request
from nemo_sdg.generate.schemas import Schema, question_schema
from nemo_sdg.records import (
    LABELS,
    Drop,
    Generator,
    Kind,
    ModelUse,
    Origin,
    Sample,
    SampleLicense,
    Seed,
    Usage,
    content_id,
    seed_from_dict,
)

STEP = "questions"
SIMILAR = 0.9
"""Share of words in common order from which a question is a copy. Two random gsm8k questions have 0.1 to 0.4."""
COMPOSITE = re.compile(
    r"\b(?:all|none|both|neither|any) of (?:the )?(?:above|these|them|options)\b|\bboth [a-e] and [a-e]\b",
    re.IGNORECASE,
)
BLANK = re.compile(r"(?:^|\W)_+(?:\W|$)")


@dataclass(kw_only=True, slots=True)
class Written:
    """A question as a model wrote it."""

    question: str
    passage: str | None = None
    choices: list[str] | None = None
    tests: list[str] | None = None


def words_of(question: str, passage: str | None) -> list[str]:
    """What makes two questions the same: the words of passage and question; width, case and punctuation do not
    count.
    """
    text = fold(f"{passage or ''} {question}")
    if not text.isascii() and not re.search(r"\s", text):
        return list(text)
    return re.findall(r"\w+|[^\w\s]", unicodedata.normalize("NFKC", text))


def is_copy(words: list[str], other: list[str]) -> bool:
    """Equal after normalisation, or nearly so."""
    if words == other:
        return True
    matcher = difflib.SequenceMatcher(None, words, other, autojunk=False)
    return matcher.real_quick_ratio() >= SIMILAR and matcher.quick_ratio() >= SIMILAR and matcher.ratio() >= SIMILAR


def origin_share(config: RunConfig, family: str) -> OriginShare:
    return config.generate.origins_by_family.get(family, config.generate.origins)


def takes_own_question(seed_id: str, share: float, run_seed: int) -> bool:
    """Whether a seed's own question goes on as a sample; decided by its id, so that the same seeds are chosen on every
    machine.
    """
    return random.Random(f"{run_seed}:{seed_id}:origin").random() < share


def _sample(
    seed: Seed, origin: Origin, written: Written, model: ModelUse, *, generator: Generator, usage: Usage
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
        license=SampleLicense(seeds=[seed.license], models=[model.license]),
    )


def own_question(seed: Seed, model: ModelUse) -> Sample:
    """The seed's own question with its gold answer, as a sample of origin `seed`."""
    own = Written(question=seed.question, passage=seed.passage, choices=seed.choices, tests=seed.tests)
    sample = _sample(seed, Origin.seed, own, model, generator=Generator(), usage=Usage())
    sample.answer = dataclasses.replace(seed.answer)
    if sample.choices and sample.answer.label is None and sample.answer.text in sample.choices:
        sample.answer.label = LABELS[sample.choices.index(sample.answer.text)]
    sample.reference_reasoning = seed.reference_reasoning
    return sample


def problem_of(written: Written, seed: Seed) -> tuple[str | None, str | None]:
    """Why a written question does not have the form of its seed's, or (None, None)."""
    if written.choices is not None:
        wanted, choices = len(seed.choices or []), written.choices
        if len(choices) != wanted:
            return "too_few_choices" if len(choices) < wanted else "too_many_choices", f"{len(choices)} for {wanted}"
        if len({fold(choice) for choice in choices}) < wanted:
            return "duplicate_choices", None
        if any(map(COMPOSITE.search, choices)) and not any(map(COMPOSITE.search, seed.choices or [])):
            return "composite_choice", None
    if seed.kind == Kind.code and len({call.split("(")[0] for call in called(written.tests or [])}) != 1:
        return "tests_unusable", None
    if BLANK.search(seed.question) and not BLANK.search(written.question):
        return "blank_lost", None
    return None, None


class Questions:
    """Writes the questions of a run; `flow` is one seed's way through the engine."""

    def __init__(self, config: RunConfig, model: ModelUse, few_shot: dict[str, list[Seed]]) -> None:
        self.config = config
        self.model = model
        self.few_shot = few_shot
        self.prompts = Prompts(config)

    def shown_beside(self, seed: Seed) -> list[Seed]:
        """The few-shot seeds of a task: the same for every seed of it that has the same kind and language, but for the
        seed itself.

        One more than `generate.few_shot`: each worked example goes from one seed to the next.
        """
        fits = [
            shot
            for shot in self.few_shot.get(seed.task, [])
            if (shot.kind, shot.frame, shot.language) == (seed.kind, seed.frame, seed.language)
        ]
        return [shot for shot in fits if shot.seed_id != seed.seed_id][
            : self.config.generate.few_shot + 1 if self.config.generate.few_shot else 0
        ]

    def request(self, seed: Seed, attempt: int) -> tuple[Request, ModelUse]:
        """The request of one attempt, and what the sample's `generator` says of its writer."""
        kind = template_kind(seed)
        generate = self.config.generate
        labels = seed.choices if kind == "classification" else None
        shots = self.shown_beside(seed)
        # Without a worked example small models hand the seed back: where a seed is in the head itself, it takes the
        # place of what is missing.
        chain = shots if len(shots) > 1 else [seed, *shots]
        examples = [
            ({**self._ask(before, kind), "target": after.answer.text}, item_json(after, with_choices=labels is None))
            for before, after in itertools.pairwise(chain)
        ]
        target = (
            random.Random(f"{self.config.run.seed}:{seed.seed_id}:target{attempt}").choice(labels) if labels else None
        )
        variables = {
            **language_variables(seed.language),
            "passage": seed.passage,
            "family": seed.family,
            "label_set": ", ".join(labels or []),
            **self._ask(seed, kind),
            "target": target,
        }
        name = f"similar/{kind}"
        request = self.prompts.request(
            name,
            variables,
            examples=examples,
            schema=self.schema(seed),
            temperature=generate.temperature_question,
            max_tokens=generate.max_tokens_question,
            seed=request_seed(self.config.run.seed, seed.seed_id, f"question{attempt}"),
        )
        sampling = {
            "temperature": generate.temperature_question,
            "top_p": generate.top_p,
            "max_tokens": generate.max_tokens_question,
        }
        return request, dataclasses.replace(
            self.model, prompt=name, prompt_hash=self.prompts.hash(name), sampling=sampling
        )

    @staticmethod
    def _ask(seed: Seed, kind: str) -> dict[str, Any]:
        return {"item": item_json(seed, with_choices=kind != "classification"), "num_choices": len(seed.choices or [])}

    def schema(self, seed: Seed) -> Schema:
        written = seed.kind == Kind.multiple_choice and template_kind(seed) != "classification"
        return question_schema(
            seed.kind,
            passage=bool(seed.passage),
            num_choices=len(seed.choices or []) if written else None,
            max_tokens=self.config.generate.max_tokens_question,
            like=seed.question,
        )

    def read(self, completion: Completion, seed: Seed) -> tuple[Written | None, str | None, str | None]:
        """A new question, or reason and detail."""
        value, reason, detail = read_object(completion, self.schema(seed))
        if value is None:
            return None, reason, detail
        full = at_bound(value, self.schema(seed))
        if full == ["passage"]:
            # A passage that filled its bound is good up to its last full sentence; the question was written after that.
            shorter = whole_sentences(value["passage"])
            full, value["passage"] = (full, shorter) if shorter == value["passage"] else ([], shorter)
        if full:
            return None, "cut_at_max_tokens", ", ".join(full)
        written = Written(**value)
        reason, detail = problem_of(written, seed)
        if reason is not None:
            return None, reason, detail
        if template_kind(seed) == "classification":
            written.choices = list(seed.choices or [])
        return written, None, None

    async def flow(self, record: dict[str, Any], ask: Ask) -> Outcome:
        seed, outcome = seed_from_dict(record), Outcome()
        share = origin_share(self.config, seed.family)
        if takes_own_question(seed.seed_id, share.seed, self.config.run.seed):
            outcome.kept.append(own_question(seed, self.model))
        requests = [self.request(seed, attempt) for attempt in range(share.similar)]
        completions = await asyncio.gather(*(ask(request) for request, _ in requests))
        known = {
            "copy_of_seed": [words_of(seed.question, seed.passage)],
            "copy_of_example": [words_of(shot.question, shot.passage) for shot in self.shown_beside(seed)],
            "copy_of_sibling": [],
        }
        for attempt, ((_, writer), completion) in enumerate(zip(requests, completions, strict=True)):
            written, reason, detail = self.read(completion, seed)
            if written is not None:
                words = words_of(written.question, written.passage)
                reason = next(
                    (why for why, others in known.items() if any(is_copy(words, other) for other in others)), None
                )
                if reason is None:
                    known["copy_of_sibling"].append(words)
                    sample = _sample(
                        seed,
                        Origin.similar,
                        written,
                        writer,
                        generator=Generator(model=writer.model, writer=writer),
                        usage=Usage(
                            prompt_tokens=completion.prompt_tokens, completion_tokens=completion.completion_tokens
                        ),
                    )
                    if sample.choices and template_kind(seed) != "classification":
                        # Models put the right option first more often than not.
                        random.Random(f"{self.config.run.seed}:{sample.sample_id}:choices").shuffle(sample.choices)
                    outcome.kept.append(sample)
                    continue
            outcome.dropped.append(self._drop(seed, attempt, reason or "schema", detail, completion))
        return outcome

    @staticmethod
    def _drop(seed: Seed, attempt: int, reason: str, detail: str | None, completion: Completion) -> Drop:
        record = {
            "seed_id": seed.seed_id,
            "attempt": attempt,
            "text": clean(completion.text)[:4000],
            "finish_reason": completion.finish_reason,
        }
        return Drop(
            task=seed.task,
            id=content_id("attempt", seed.seed_id, attempt),
            step=STEP,
            reason=reason,
            detail=clean(detail) if detail else None,
            record=record,
        )


def make_flow(config: RunConfig, model: ModelUse, few_shot: dict[str, list[Seed]]) -> Flow:
    """Seed record -> samples. `few_shot` maps a task to seeds, in fixed order.

    Raises ConfigError when a template is broken.
    """
    return Questions(config, model, few_shot).flow
