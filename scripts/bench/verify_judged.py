"""Equality of answers with a judge, from recorded replies of a large language model.

    python scripts/bench/verify_judged.py --ask FOLDER       writes the prompts as batch-01.jsonl, …
    python scripts/bench/verify_judged.py --record FOLDER    stores replies-01.jsonl, … in the data
    python scripts/bench/verify_judged.py                    precision and recall by kind

The pairs are the unseen halves of data/answer_pairs.jsonl and data/rewritings.jsonl (verify_blind.py), without options
and programs. The two answers of a pair are the only votes on its question. The step `graded` asks a judge in style full
what it would ask in a run, in both orders: about all answers in sentences, and about short answers and expressions that
differ by the rules. A pair is accepted if the step `verified` keeps the question with both votes needed.

A prompt has the key of its request. The two orders of a pair are in different batches, shuffled, and name no label. A
changed template needs new replies: missing_replies counts the prompts without one; their pairs are in no share.
"""

import argparse
import asyncio
import functools
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filters_judged import TASK, Asked, read_replies, show
from verify_blind import DATA, KINDS, PAIRS

from nemo_sdg.config import EngineKind, EngineSection, Role, RolesSection, RunConfig, VerifySection
from nemo_sdg.config.roles import RoleSection
from nemo_sdg.generate.grading import make_grading
from nemo_sdg.generate.requests import Completion, Request
from nemo_sdg.generate.roles import named_roles
from nemo_sdg.records import Drop, Kind, Sample, Usage, Vote, VoteCounts, content_id, sample_from_dict, to_dict
from nemo_sdg.storage import read_jsonl, write_jsonl
from nemo_sdg.verify.candidates import candidates, undecided
from nemo_sdg.verify.votes import verify_sample

Json = dict[str, Any]
REPLIES = Path(__file__).parent / "data" / "agreement_replies.jsonl"
ABOUT = (
    "Replies of a large language model to exactly the prompts that verify_judged.py --ask writes, by the key of the "
    "request. No reader knew which answers were written as equal."
)
NUM_BATCHES = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ask", type=Path, help="write the prompts into this folder")
    parser.add_argument("--record", type=Path, help="store the replies of this folder")
    parser.add_argument("--quick", action="store_true", help="the same")
    arguments = parser.parse_args()
    known = {} if arguments.ask or not REPLIES.exists() else read_replies([REPLIES])
    judged = asyncio.run(judge_all(known))
    if arguments.ask:
        ask(arguments.ask, judged)
    elif arguments.record:
        record(arguments.record, judged)
    else:
        report(judged)


@dataclass(kw_only=True)
class Pair:
    source: str
    kind: str
    equal: bool
    sample: Sample


@dataclass(kw_only=True)
class Judged:
    pair: Pair
    prompts: list[Json]
    by_rules: bool
    accepted: bool
    missing: int


class Comparisons(Asked):
    """Notes and answers what the judge is asked about the two answers; nothing is said of how good a solution is."""

    async def __call__(self, request: Request) -> Completion:
        if not request.tag.startswith("agreement"):
            return Completion(text="", finish_reason="stop")
        completion = await super().__call__(request)
        return completion if completion.text else Completion(text="1: A\n2: B", finish_reason="stop")


def pairs() -> Iterator[Pair]:
    for row in read_jsonl(PAIRS):
        if row["half"] == "unseen":
            yield pair("pairs", row, row["a"], row["b"], row["equal"])
    for row in read_jsonl(DATA):
        if row["half"] == "unseen" and row["kind"] not in (Kind.code, Kind.multiple_choice):
            for equal, answers in ((True, row["rewritings"]), (False, row["wrong"])):
                yield from (pair("blind", row, row["gold"], answer, equal) for answer in answers)


def pair(source: str, row: Json, a: str, b: str, equal: bool) -> Pair:
    kind = KINDS.get(row["kind"], row["kind"])
    key = content_id(row["question"], a, b)
    sample = Sample(
        sample_id=key,
        origin="similar",
        seed_ids=[key],
        **{**TASK, "family": "math" if row["kind"] == "expression" else TASK["family"]},
        kind=kind,
        frame="generation",
        language=row["language"],
        question=row["question"],
        votes=VoteCounts(planned=2),
        solutions=[vote(0, a), vote(1, b)],
        usage=Usage(),
    )
    return Pair(source=source, kind=row["kind"], equal=equal, sample=sample)


def vote(index: int, answer: str) -> Vote:
    return Vote(
        index=index, guidance="blind", context="None is needed.", reasoning=f"So it is {answer}.", answer=answer
    )


async def judge_all(known: dict[str, str]) -> list[Judged]:
    config = RunConfig(
        engine=EngineSection(kind=EngineKind.batch, model="recorded-judge"),
        roles=RolesSection(judge=RoleSection(kind=EngineKind.batch)),
        verify=VerifySection(min_agreement=1.0),
    )
    engines = named_roles(config, "", Role.judge)
    could_be_kept = functools.partial(candidates, config=config.verify)
    open_ = functools.partial(undecided, config=config.verify)
    grade = make_grading(config, engines, could_be_kept, open_, lambda *_: None)
    found = []
    for one in pairs():
        asked = Comparisons(engines, known)
        graded = (await grade(to_dict(one.sample), asked)).kept[0]
        found.append(
            Judged(
                pair=one,
                prompts=asked.prompts,
                by_rules=not isinstance(verify_sample(sample_from_dict(to_dict(one.sample)), config.verify), Drop),
                accepted=not isinstance(verify_sample(graded, config.verify), Drop),
                missing=sum(prompt["key"] not in known for prompt in asked.prompts),
            )
        )
    return found


def ask(folder: Path, judged: list[Judged]) -> None:
    batches: list[list[Json]] = [[] for _ in range(NUM_BATCHES)]
    asked = [one for one in judged if one.prompts]
    for number, one in enumerate(sorted(asked, key=lambda one: one.prompts[0]["key"])):
        for place, prompt in enumerate(one.prompts):
            batches[(number + place) % NUM_BATCHES].append(prompt)
    folder.mkdir(parents=True, exist_ok=True)
    for number, prompts in enumerate(batches, 1):
        shuffled = sorted(prompts, key=lambda prompt: content_id("batch", prompt["key"]))
        write_jsonl(folder / f"batch-{number:02d}.jsonl", shuffled)
    print(json.dumps({"prompts": sum(map(len, batches)), "batches": [len(prompts) for prompts in batches]}))


def record(folder: Path, judged: list[Judged]) -> None:
    keys = {prompt["key"] for one in judged for prompt in one.prompts}
    replies = read_replies([*([REPLIES] if REPLIES.exists() else []), *sorted(folder.glob("replies-*.jsonl"))])
    rows = [{"key": key, "reply": replies[key]} for key in sorted(keys & replies.keys())]
    write_jsonl(REPLIES, [{"about": ABOUT}, *rows])
    print(json.dumps({"replies": len(rows), "of": len(keys)}))


def report(judged: list[Judged]) -> None:
    show("missing_replies", sum(one.missing for one in judged), "replies", pairs=len(judged))
    complete = [one for one in judged if not one.missing]
    for source, kind in dict.fromkeys((one.pair.source, one.pair.kind) for one in complete):
        here = [one for one in complete if (one.pair.source, one.pair.kind) == (source, kind)]
        counts = Counter((one.pair.equal, one.accepted) for one in here)
        hit, missed, false = counts[True, True], counts[True, False], counts[False, True]
        more = {
            "equal": hit + missed,
            "unequal": len(here) - hit - missed,
            "by_rules": sum(one.by_rules for one in here),
        }
        show(f"{source}_precision_{kind}", round(hit / max(hit + false, 1), 4), "share", **more)
        show(f"{source}_recall_{kind}", round(hit / max(hit + missed, 1), 4), "share", **more)


if __name__ == "__main__":
    main()
