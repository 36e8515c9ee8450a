"""Filters and judge on labelled samples, each alone and both together, from recorded replies of a large language model.

    python scripts/bench/filters_judged.py --ask FOLDER [--sets unseen]   writes the prompts as batch-01.jsonl, …
    python scripts/bench/filters_judged.py --record FOLDER                stores replies-01.jsonl, … in the data
    python scripts/bench/filters_judged.py [--parts]                      shares of good kept and of bad caught

The sets are `unseen` and `read` of `filters.py`. The steps `screened` and `graded` make the prompts, read the replies
and apply their thresholds, with the default configuration and a judge in style full: the judge sees a sample's question
(judge/question), and its context, reasoning and answer as the only vote (judge/answer). A solution without context or
reasoning is no candidate in the pipeline, so no judge is asked about it. A reply that cannot be read drops nothing, as
in the pipeline; there the judge is asked once more, here not. Filters + judge keep a sample that both keep.

The labelled samples belong to no task. For the judge they belong to one of mixed subjects (TASK): with a name that
means nothing it could not say whether a question fits the task.

A prompt has the key of its request. Batches are shuffled by it; they name neither set nor label nor sample, and the two
prompts of a sample are in different ones. A changed template or sample needs new replies: missing_replies counts the
prompts without one, and samples with such a prompt are left out of all shares. So far `unseen` has replies. `--parts`
prints the shares by kind of answer, by language and by fault.
"""

import argparse
import asyncio
import functools
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import filters as bench_of

from nemo_sdg.config import EngineKind, EngineSection, Role, RolesSection, RunConfig
from nemo_sdg.config.roles import RoleSection
from nemo_sdg.curate.filters.registry import apply_filters
from nemo_sdg.generate.grading import ANSWER_CRITERIA, QUESTION_CRITERIA, make_grading, make_screening
from nemo_sdg.generate.parsing.traces import split_trace
from nemo_sdg.generate.requests import Completion, Request
from nemo_sdg.generate.roles import RoleEngines, named_roles
from nemo_sdg.records import Judgement, Vote, content_id, sample_from_dict, to_dict
from nemo_sdg.storage import read_jsonl, write_jsonl
from nemo_sdg.verify.candidates import candidates, undecided
from nemo_sdg.verify.solutions import keepable

Json = dict[str, Any]
REPLIES = Path(__file__).parent / "data" / "judge_replies.jsonl"
ABOUT = (
    "Replies of a large language model to exactly the prompts that filters_judged.py --ask writes, by the key of the "
    "request. The replies were written from the prompts alone, without the labels of the samples."
)
SETS = ("unseen", "read")
NUM_BATCHES = 8
TASK = {"task": "mixed_questions", "family": "mixed_subjects", "capability": "knowledge and reasoning"}
LABELS = ("want", "cat")
"""fields of the labelled samples that no sample has"""
BY = ("filters", "judge", "filters_and_judge")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ask", type=Path, help="write the prompts into this folder")
    parser.add_argument("--record", type=Path, help="store the replies of this folder")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--parts", action="store_true", help="also the shares by kind, language and fault")
    parser.add_argument("--quick", action="store_true", help="the same")
    arguments = parser.parse_args()
    known = {} if arguments.ask or not REPLIES.exists() else read_replies([REPLIES])
    judged = judge_samples(labelled(SETS if arguments.record else arguments.sets), known)
    if arguments.ask:
        ask(arguments.ask, judged)
    elif arguments.record:
        record(arguments.record, judged)
    else:
        for name in arguments.sets:
            report(name, [one for one in judged if one.of_set == name], parts=arguments.parts)


@dataclass(kw_only=True)
class Judged:
    """A labelled sample with what filters and judge say of it."""

    of_set: str
    sample: Json
    found: str | None
    """reason of the filter that drops it"""
    prompts: dict[str, Json] = field(default_factory=dict)
    """question, answer -> {"key", "system", "user"}; without answer where the pipeline would not ask"""
    rejected: list[str] = field(default_factory=list)
    """criteria below their threshold, if the judge drops the sample"""
    missing: int = 0
    """prompts without a recorded reply"""
    unread: int = 0
    """replies without readable scores"""

    @property
    def bad(self) -> bool:
        return "want" in self.sample

    def kept(self, by: str) -> bool:
        filters, judge = self.found is None, not self.rejected
        return {"filters": filters, "judge": judge, "filters_and_judge": filters and judge}[by]

    def note(self, name: str, asked: "Asked", judgement: Judgement | None) -> None:
        self.prompts[name] = asked.prompts[0]
        known = self.prompts[name]["key"] in asked.known
        self.missing += not known
        self.unread += known and (judgement is None or judgement.score is None)


class Asked:
    """A judge that gives the recorded replies, and notes its prompts. What has no reply gets an empty one."""

    def __init__(self, engines: RoleEngines, known: dict[str, str]) -> None:
        self.engines, self.known = engines, known
        self.prompts: list[Json] = []

    async def __call__(self, request: Request) -> Completion:
        key = self.engines.key(request)
        system, user = self.engines.prepare(request).messages or ()
        self.prompts.append({"key": key, "system": system["content"], "user": user["content"]})
        text, trace = split_trace(self.known.get(key, ""))
        return Completion(text=text, trace=trace, finish_reason="stop")


def labelled(sets: Iterable[str]) -> list[tuple[str, Json]]:
    """(set, sample) of all samples; a set without files is left out."""
    paths = [(name, bench_of.OWN / f"{which}_{name}.jsonl") for name in sets for which in ("good", "bad")]
    return [(name, sample) for name, path in paths if path.exists() for sample in read_jsonl(path)]


def judge_samples(samples: list[tuple[str, Json]], known: dict[str, str]) -> list[Judged]:
    """What filters and judge say of (set, sample), with replies by the key of their request."""
    config = RunConfig(
        engine=EngineSection(kind=EngineKind.batch, model="recorded-judge"),
        roles=RolesSection(judge=RoleSection(kind=EngineKind.batch)),
    )
    judge = Judge(config, known)

    async def judge_all() -> list[Judged]:
        return [await judge.judge(name, sample) for name, sample in samples]

    return asyncio.run(judge_all())


class Judge:
    """The steps `screened` and `graded` on labelled samples, with recorded replies."""

    def __init__(self, config: RunConfig, known: dict[str, str]) -> None:
        self.config, self.known = config, known
        self.engines = named_roles(config, "", Role.judge)
        self.screen = make_screening(config, self.engines)
        could_be_kept = functools.partial(candidates, config=config.verify)
        open_ = functools.partial(undecided, config=config.verify)
        self.grade = make_grading(config, self.engines, could_be_kept, open_, lambda *_: None)

    async def judge(self, of_set: str, row: Json) -> Judged:
        finding = apply_filters(row, self.config.curate)
        judged = Judged(of_set=of_set, sample=row, found=finding[0] if finding else None)
        record = as_answered(row)

        asked = Asked(self.engines, self.known)
        outcome = await self.screen(record, asked)
        sample = outcome.kept[0] if outcome.kept else sample_from_dict(outcome.dropped[0].record or {})
        question = sample.grade.question if sample.grade else None
        judged.note("question", asked, question)
        if outcome.dropped:
            judged.rejected += low(question, QUESTION_CRITERIA, self.config.generate.min_question_score)

        asked = Asked(self.engines, self.known)
        graded = (await self.grade(record, asked)).kept[0]
        votes = graded.solutions or []
        if asked.prompts:
            judged.note("answer", asked, votes[0].judge)
            if not keepable(votes, graded, self.config.verify):
                judged.rejected += low(votes[0].judge, ANSWER_CRITERIA, self.config.verify.min_judge_score)
        return judged


def as_answered(row: Json) -> Json:
    """A labelled sample as the step `answers` passes it on: its solution is the only vote."""
    vote = Vote(
        index=0,
        guidance="blind",
        context=row["context"] or "",
        reasoning=row["reasoning"] or "",
        answer=row["answer"]["text"],
        label=row["answer"]["label"],
    )
    fields = {name: value for name, value in row.items() if name not in LABELS}
    return {**fields, **TASK, "answer": None, "context": "", "reasoning": "", "solutions": [to_dict(vote)]}


def low(judgement: Judgement | None, criteria: tuple[str, ...], least: float) -> list[str]:
    assert judgement is not None
    return [name for name in criteria if judgement.scores[name] < least]


# prompts and replies


def ask(folder: Path, judged: list[Judged]) -> None:
    """Writes the prompts in NUM_BATCHES files of about equal size; the two of a sample are never in one file."""
    batches: list[list[Json]] = [[] for _ in range(NUM_BATCHES)]
    for number, one in enumerate(sorted(judged, key=lambda one: one.prompts["question"]["key"])):
        begin, step = number % NUM_BATCHES, 1 + number // NUM_BATCHES % (NUM_BATCHES - 1)
        for place, name in enumerate(one.prompts):
            batches[(begin + place * step) % NUM_BATCHES].append(one.prompts[name])
    folder.mkdir(parents=True, exist_ok=True)
    for number, prompts in enumerate(batches, 1):
        shuffled = sorted(prompts, key=lambda prompt: content_id("batch", prompt["key"]))
        write_jsonl(folder / f"batch-{number:02d}.jsonl", shuffled)
    print(json.dumps({"prompts": sum(map(len, batches)), "batches": [len(prompts) for prompts in batches]}))


def record(folder: Path, judged: list[Judged]) -> None:
    """Stores the replies to prompts of the samples, beside those stored already; a later reply replaces an earlier."""
    keys = {prompt["key"] for one in judged for prompt in one.prompts.values()}
    replies = read_replies([*([REPLIES] if REPLIES.exists() else []), *sorted(folder.glob("replies-*.jsonl"))])
    unknown = replies.keys() - keys
    rows = [{"key": key, "reply": replies[key]} for key in sorted(keys & replies.keys())]
    write_jsonl(REPLIES, [{"about": ABOUT}, *rows])
    print(json.dumps({"replies": len(rows), "of": len(keys), "to_other_prompts": len(unknown)}))


def read_replies(paths: Iterable[Path]) -> dict[str, str]:
    return {row["key"]: row["reply"] for path in paths for row in read_jsonl(path) if "key" in row}


# figures


def report(name: str, judged: list[Judged], *, parts: bool) -> None:
    complete = [one for one in judged if not one.missing]
    unjudged = [one for one in judged if "answer" not in one.prompts]
    show(f"judge_prompts_{name}", sum(len(one.prompts) for one in judged), "prompts", answers_not_asked=len(unjudged))
    show(f"missing_replies_{name}", sum(one.missing for one in judged), "replies", samples=len(judged) - len(complete))
    if not complete:
        return
    show(f"unread_replies_{name}", sum(one.unread for one in complete), "replies")
    for by in BY:
        show_shares(f"{name}_by_{by}", complete, by)
    for which in ("good", "bad"):
        rejected = [one for one in complete if one.bad == (which == "bad")]
        criteria = Counter(criterion for one in rejected for criterion in dict.fromkeys(one.rejected))
        new = sum(one.found is None and bool(one.rejected) for one in rejected)
        show(f"judge_drops_{which}_{name}", sum(bool(one.rejected) for one in rejected), "samples",
             filters_keep=new, criteria=dict(criteria.most_common()))  # fmt: skip
    if parts:
        for part, of_part in (("kind", "kind"), ("language", "language"), ("fault", "want")):
            groups: dict[str, list[Judged]] = defaultdict(list)
            for one in complete:
                if of_part in one.sample:
                    groups[one.sample[of_part]].append(one)
            for value, group in sorted(groups.items()):
                for by in BY:
                    show_shares(f"{name}_by_{by}_{part}", group, by, **{part: value})


def show_shares(name: str, judged: list[Judged], by: str, **more: Any) -> None:
    for label, right in (
        ("kept_good", [one.kept(by) for one in judged if not one.bad]),
        ("caught_bad", [not one.kept(by) for one in judged if one.bad]),
    ):
        if right:
            show(f"{label}_{name}", round(sum(right) / len(right), 4), "share", samples=len(right), **more)


def show(name: str, value: float, unit: str, **more: Any) -> None:
    print(json.dumps({"name": name, "value": value, "unit": unit, **more}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
