"""Makes the requests for new questions, and reads the questions in their replies, in both styles."""

import itertools
import random
from dataclasses import dataclass, field
from typing import Any

from nemo_sdg.config import Role, RunConfig, Style
from nemo_sdg.generate.axes import num_options, wanted
from nemo_sdg.generate.parsing.questions import read_questions
from nemo_sdg.generate.parsing.replies import at_bound, read_object, whole_sentences
from nemo_sdg.generate.parsing.solutions import CUT, WITHOUT_REPLY
from nemo_sdg.generate.prompting import (
    Prompts,
    item_json,
    item_text,
    language_variables,
    request_seed,
    task_variables,
    template_kind,
)
from nemo_sdg.generate.requests import Completion, Request
from nemo_sdg.generate.roles import RoleEngines
from nemo_sdg.generate.schemas import Schema, question_schema
from nemo_sdg.generate.written import Written, problem_of
from nemo_sdg.records import Axes, Kind, ModelUse, Seed


@dataclass(kw_only=True, slots=True)
class Asked:
    """One request for one or several questions."""

    request: Request
    writer: ModelUse
    attempts: list[int]
    axes: list[Axes | None] = field(default_factory=list)


class Writer:
    """Makes the writer's requests and reads its replies; it sends nothing."""

    def __init__(self, config: RunConfig, engines: RoleEngines, few_shot: dict[str, list[Seed]]) -> None:
        self.config = config
        self.engines = engines
        self.few_shot = few_shot
        self.prompts = Prompts(config, engines.section(Role.writer))
        self.full = self.prompts.style is Style.full

    def shown_beside(self, seed: Seed) -> list[Seed]:
        """The few-shot seeds of a task, without the seed itself: the same for all seeds of the same kind, frame and
        language.

        There is one more than `generate.few_shot`: each worked example leads from one seed to the next.
        """
        fits = [
            shot
            for shot in self.few_shot.get(seed.task, [])
            if (shot.kind, shot.frame, shot.language) == (seed.kind, seed.frame, seed.language)
        ]
        return [shot for shot in fits if shot.seed_id != seed.seed_id][
            : self.config.generate.few_shot + 1 if self.config.generate.few_shot else 0
        ]

    def target(self, seed: Seed, attempt: int) -> str | None:
        """The label that the new item of a classification task must have; the labels are drawn uniformly."""
        if template_kind(seed) != "classification" or not seed.choices:
            return None
        return random.Random(f"{self.config.run.seed}:{seed.seed_id}:target{attempt}").choice(seed.choices)

    def asked(self, request: Request, name: str, attempts: list[int], axes: list[Axes | None]) -> Asked:
        request.role, request.tag = Role.writer, f"question{attempts[0]}"
        writer = self.engines.used(request, prompt=name, prompt_hash=self.prompts.hash(name))
        return Asked(request=request, writer=writer, attempts=attempts, axes=axes)

    def compact_request(self, seed: Seed, attempt: int) -> Asked:
        kind = template_kind(seed)
        labels = seed.choices if kind == "classification" else None
        shots = self.shown_beside(seed)
        # Without a worked example small models repeat the seed. If the few-shot seeds do not make one, the seed itself
        # is the first of them.
        chain = shots if len(shots) > 1 else [seed, *shots]
        examples = [
            ({**self._ask(before, kind), "target": after.answer.text}, item_json(after, with_choices=labels is None))
            for before, after in itertools.pairwise(chain)
        ]
        variables = {
            **language_variables(seed.language),
            "passage": seed.passage,
            "family": seed.family,
            "label_set": ", ".join(labels or []),
            **self._ask(seed, kind),
            "target": self.target(seed, attempt),
        }
        name = f"similar/{kind}"
        request = self.prompts.request(
            name,
            variables,
            examples=examples,
            schema=self.schema(seed),
            purpose="question",
            seed=request_seed(self.config.run.seed, seed.seed_id, f"question{attempt}"),
        )
        return self.asked(request, name, [attempt], [None])

    def full_request(self, seed: Seed, attempts: list[int], axes: list[Axes], written: list[str]) -> Asked:
        name = f"similar/{template_kind(seed)}"
        variables = {
            **task_variables(seed),
            "passage": seed.passage,
            "examples": tuple(item_text(shot) for shot in self.shown_beside(seed)),
            "item": item_text(seed),
            "written": written,
            "wanted": [wanted(axes[a], seed, target=self.target(seed, a)) for a in attempts],
        }
        request = self.prompts.request(
            name,
            variables,
            schema=None,
            purpose="question",
            seed=request_seed(self.config.run.seed, seed.seed_id, f"question{attempts[0]}"),
        )
        return self.asked(request, name, attempts, [axes[a] for a in attempts])

    @staticmethod
    def _ask(seed: Seed, kind: str) -> dict[str, Any]:
        return {"item": item_json(seed, with_choices=kind != "classification"), "num_choices": len(seed.choices or [])}

    def schema(self, seed: Seed) -> Schema:
        written = seed.kind == Kind.multiple_choice and template_kind(seed) != "classification"
        return question_schema(
            seed.kind,
            passage=bool(seed.passage),
            num_choices=len(seed.choices or []) if written else None,
            max_tokens=self.prompts.max_tokens("question"),
            like=seed.question,
        )

    def read(self, completion: Completion, seed: Seed) -> tuple[Written | None, str | None, str | None]:
        """The question of a compact request, or reason and detail."""
        value, reason, detail = read_object(completion, self.schema(seed))
        if value is None:
            return None, reason, detail
        full = at_bound(value, self.schema(seed))
        if full == ["passage"]:
            # A passage that reached its bound is kept up to its last full sentence: the question that follows is whole.
            shorter = whole_sentences(value["passage"])
            full, value["passage"] = (full, shorter) if shorter == value["passage"] else ([], shorter)
        if full:
            return None, "cut_at_max_tokens", ", ".join(full)
        return self.checked(Written(**value), seed, len(seed.choices or []))

    def read_all(
        self, completion: Completion, seed: Seed, axes: list[Axes]
    ) -> list[tuple[Written | None, str | None, str | None]]:
        """The questions of a request in style full, one for each of its axes."""
        if completion.finish_reason in WITHOUT_REPLY:
            return [(None, WITHOUT_REPLY[completion.finish_reason], completion.detail)] * len(axes)
        cut = completion.finish_reason in CUT
        missing = "cut_at_max_tokens" if cut else "no_question" if completion.text.strip() else "empty_output"
        found = read_questions(completion.text)
        if cut and found:
            found.pop()  # it was cut off
        results: list[tuple[Written | None, str | None, str | None]] = []
        for number, of_attempt in enumerate(axes):
            if number >= len(found):
                results.append((None, missing, completion.detail))
                continue
            fields = found[number]
            written = Written(question=str(fields["question"]))
            if seed.passage:
                if "passage" not in fields:
                    results.append((None, "no_passage", None))
                    continue
                written.passage = str(fields["passage"])
            if seed.kind == Kind.code:
                written.tests = list(fields.get("tests") or [])
            if seed.choices and template_kind(seed) != "classification":
                written.choices = list(fields.get("options") or [])
            results.append(self.checked(written, seed, num_options(of_attempt, seed)))
        return results

    def checked(self, written: Written, seed: Seed, num_choices: int) -> tuple[Written | None, str | None, str | None]:
        reason, detail = problem_of(written, seed, num_choices)
        if reason is not None:
            return None, reason, detail
        if template_kind(seed) == "classification":
            written.choices = list(seed.choices or [])
        return written, None, None
