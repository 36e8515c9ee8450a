"""Precision and recall of reading and verifying answers, on gold rows rewritten like replies of a model.

    .venv/bin/python scripts/bench/verify.py [--quick] [--hub DIR] [--misses]

Each row becomes a sample of origin `seed`, and each rewriting the completion of its only vote. Request, parser and
verdict are those of the pipeline (generate.answers, verify.votes). A rewriting is right (the sample should be verified)
or not (it is wrong, or malformed so that it has no answer). The rules are in verify_rewriting.py, a hand-written set of
difficult cases in verify_nasty.py.

The bench also prints agreement_<kind>, the share of questions without a gold answer whose three votes (the gold, a
rewriting of it and a wrong answer) give the right answer; the CPU time per vote; and blind_precision_<kind> and
blind_recall_<kind> on rewritings, pairs_precision_<kind> and pairs_recall_<kind> on pairs of answers, both written by
hand without knowledge of the code (verify_blind.py).

Rows come from --hub, else NEMO_SDG_TEST_HUB, else ../shared/hub.
"""

import argparse
import dataclasses
import functools
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import verify_blind
from verify_nasty import NASTY
from verify_rewriting import Rewriting, plain_json, rewritings

from nemo_sdg.config import EngineSection, GenerateSection, Role, RunConfig, VerifySection
from nemo_sdg.generate.answers import Answers
from nemo_sdg.generate.questions import own_question
from nemo_sdg.generate.requests import Completion
from nemo_sdg.generate.roles import NamedEngine, Player, RoleEngines
from nemo_sdg.records import Answer, DatasetRow, Drop, Sample, Seed, Vote, VoteCounts
from nemo_sdg.verify import votes

ROOT = Path(__file__).resolve().parents[2]
# kind under which rows are counted -> tasks; hendrycks_math's answers are expressions and counted under both kinds
TRAIN = {
    "multiple_choice": [
        "sciq",
        "arc_challenge",
        "commonsense_qa",
        "openbookqa",
        "medqa_4options",
        "ja_leaderboard_jcommonsenseqa",
        "boolq",
        "sglue_rte",
    ],
    "numeric": ["gsm8k", "hendrycks_math_algebra"],
    "short_text": ["hendrycks_math_algebra"],
    "code": ["mbpp"],
}
EVALUATION = {"short_text": ["nq_open"], "numeric": ["mgsm_direct_de", "mgsm_direct_es", "mgsm_direct_zh"]}
"""tasks with evaluation rows only, or with too few training rows; no samples are generated from them here"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer rows, under 50 s")
    parser.add_argument(
        "--hub", type=Path, default=os.environ.get("NEMO_SDG_TEST_HUB") or ROOT.parent / "shared" / "hub"
    )
    parser.add_argument("--misses", action="store_true", help="print every rewriting that is judged wrongly")
    arguments = parser.parse_args()
    if not arguments.hub.is_dir():
        sys.exit(f"no rows to measure on: {arguments.hub} is missing; name a mirror by --hub or NEMO_SDG_TEST_HUB")
    num_rows = {"multiple_choice": 400, "numeric": 400, "short_text": 300, "code": 150}
    if arguments.quick:
        num_rows = {"multiple_choice": 100, "numeric": 100, "short_text": 100, "code": 20}
    with ThreadPoolExecutor(2) as pool:
        for kind, num in num_rows.items():
            bench = Bench(kind, misses=arguments.misses)
            samples = sample_rows(kind, num, arguments.hub)
            # Sandboxed programs run in parallel; the rest is the work of this process and timed alone.
            run = pool.map if kind == "code" else map
            cases = [
                (sample, rewriting)
                for sample in samples
                for rewriting in rewritings(sample, random.Random(f"{kind}:{sample.sample_id}"))
            ]
            cases += [
                (record(kind, number, case), Rewriting(text, right, f"nasty {number}", finish))
                for number, (case, text, right, finish) in enumerate(NASTY[kind])
            ]
            start = time.process_time()
            verdicts = list(run(bench.judge, *zip(*cases, strict=True)))
            seconds = time.process_time() - start
            bench.report(cases, verdicts)
            if kind != "code":
                print_line("ms_per_vote_" + kind, 1000 * seconds / len(cases), "ms CPU")
            bench.report_agreement(samples)
    for name, share, counts in (*verify_blind.figures(), *verify_blind.pair_figures()):
        print_line(name, share, "share", **counts)


def print_line(name: str, value: float, unit: str, **more: Any) -> None:
    print(json.dumps({"name": name, "value": round(value, 4), "unit": unit, **more}), flush=True)


@functools.cache
def catalog(hub: Path) -> dict[str, Any]:
    from nemo_sdg.catalog.walk import build_catalog
    from nemo_sdg.config import GuardSection, SeedsSection

    return {row.task: row for row in build_catalog(SeedsSection(mirror=str(hub)), GuardSection())}


def sample_rows(kind: str, num: int, hub: Path) -> list[Sample]:
    """`num` samples of a kind, the same number from each task, spread over its rows."""
    from nemo_sdg.config import SeedsSection
    from nemo_sdg.seeds.build import plan_sources, render_source

    per_task = num // (len(TRAIN[kind]) + len(EVALUATION.get(kind, [])))
    samples = []
    for task in TRAIN[kind]:
        seeds = SeedsSection(tasks=[task], mirror=str(hub))
        (source,) = plan_sources([catalog(hub)[task]], seeds)
        rows = [seed for seed in render_source(source, seeds, 0) if isinstance(seed, Seed)]
        for seed in random.Random(task).sample(rows, min(per_task, len(rows))):
            samples.append(own_question(dataclasses.replace(seed, kind=kind)))
    for task in EVALUATION.get(kind, []):
        samples += evaluation_samples(task, kind, per_task, hub)
    return samples


def evaluation_samples(task: str, kind: str, num: int, hub: Path) -> Iterator[Sample]:
    """nq_open: question and all its answers; mgsm: question and number."""
    language = task[-2:] if task.startswith("mgsm") else "en"
    row_file = (
        "google-research-datasets/nq_open/default/validation.jsonl"
        if task == "nq_open"
        else f"juletxara/mgsm/{language}/test.jsonl"
    )
    rows = [json.loads(line) for line in (hub / row_file).read_bytes().splitlines()]
    for number, row in enumerate(random.Random(task).sample(rows, min(num, len(rows)))):
        right = row["answer"] if task == "nq_open" else [str(row["answer_number"])]
        yield record(
            kind,
            number,
            {"task": task, "question": row["question"], "gold": right[0], "aliases": right[1:], "language": language},
        )


def record(kind: str, number: int, case: dict[str, Any]) -> Sample:
    """A sample of origin seed from the fields of a case."""
    task = case.get("task", "nasty")
    seed = Seed(
        seed_id=f"{task}-{number}",
        task=task,
        tasks=[task],
        family=case.get("family", "math" if kind == "numeric" else "factual"),
        capability="knowledge",
        kind=kind,
        frame="selection" if kind == "multiple_choice" else "generation",
        language=case.get("language", "en"),
        dataset=DatasetRow(path=task, name=None, split="validation", revision="local", row=number),
        license="MIT",
        question=case["question"],
        choices=case.get("choices"),
        tests=case.get("tests"),
        answer=Answer(text=case["gold"], aliases=case.get("aliases", [])),
    )
    return own_question(seed)


class Bench:
    """The pipeline from a completion to a verdict, for one kind."""

    def __init__(self, kind: str, *, misses: bool) -> None:
        self.kind, self.misses = kind, misses
        self.config = RunConfig(generate=GenerateSection(votes=1), verify=VerifySection(code_timeout=1.0))
        player = Player(engine=NamedEngine("rules", "rules"), section=EngineSection(model_license="MIT"), lane=0)
        engines = RoleEngines({Role.solver: [player]})
        self.answers = Answers(self.config, engines, functools.partial(votes.decided, config=self.config.verify))

    def vote(self, sample: Sample, rewriting: Rewriting, index: int) -> Vote:
        request, order = self.answers.request(sample, "solve", index)
        shown = [sample.choices[i] for i in order] if order is not None else []
        completion = Completion(
            text=rewriting.text(shown) if callable(rewriting.text) else rewriting.text,
            finish_reason=rewriting.finish_reason,
        )
        return self.answers.read(completion, request, sample, order, "solve", index)

    def judge(self, sample: Sample, rewriting: Rewriting) -> tuple[bool, str]:
        """Whether the sample is verified with this one vote, and the answer that was read, or why none was."""
        vote = self.vote(sample, rewriting, 0)
        result = votes.verify_sample(
            dataclasses.replace(sample, solutions=[vote], votes=VoteCounts(planned=1)), self.config.verify
        )
        seen = f"answer {vote.answer!r}" if vote.answer is not None else str(vote.error)
        return not isinstance(result, Drop), f"{result.reason}; {seen}" if isinstance(result, Drop) else seen

    def report(self, cases: list[tuple[Sample, Rewriting]], verdicts: list[tuple[bool, str]]) -> None:
        right_accepted = sum(
            accepted and rewriting.right for (_, rewriting), (accepted, _) in zip(cases, verdicts, strict=True)
        )
        accepted = sum(accepted for accepted, _ in verdicts)
        right = sum(rewriting.right for _, rewriting in cases)
        counts = {"right": right, "not_right": len(cases) - right}
        print_line(f"precision_{self.kind}", right_accepted / max(accepted, 1), "share", accepted=accepted, **counts)
        print_line(
            f"recall_{self.kind}", right_accepted / max(right, 1), "share", accepted_right=right_accepted, **counts
        )
        for (sample, rewriting), (accepted_, seen) in zip(cases, verdicts, strict=True):
            if self.misses and accepted_ != rewriting.right:
                text = rewriting.text(sample.choices) if callable(rewriting.text) else rewriting.text
                print(
                    (
                        f"  {'missed' if rewriting.right else 'ACCEPTED'} [{rewriting.name}] gold "
                        f"{sample.gold.text!r}: {text[-160:]!r} -> {seen}"
                    ),
                    file=sys.stderr,
                )

    def report_agreement(self, samples: list[Sample]) -> None:
        """Prints the agreement of three votes (gold, rewriting, wrong answer) on samples without their gold answer."""
        ended_right = total = 0
        for sample in samples if self.kind != "code" else samples[:20]:
            rng = random.Random(f"agreement:{sample.sample_id}")
            ways = rewritings(sample, rng)
            right, wrong = [way for way in ways if way.right], [way for way in ways if not way.right]
            cast = [Rewriting(plain_json(sample.gold.text), True, "gold"), rng.choice(right), rng.choice(wrong)]
            rng.shuffle(cast)
            blind = [self.vote(sample, way, index) for index, way in enumerate(cast)]
            similar = dataclasses.replace(
                sample, origin="similar", answer=None, solutions=blind, votes=VoteCounts(planned=3)
            )
            result = votes.verify_sample(similar, self.config.verify)
            total += 1
            if not isinstance(result, Drop):
                found = Rewriting(plain_json(result.gold.text), True, "majority")
                ended_right += self.judge(sample, found)[0]
            elif self.misses:
                print(
                    (
                        f"  no agreement, gold {sample.gold.text!r}: "
                        f"{[vote.answer or vote.error for vote in blind]} {result.reason}"
                    ),
                    file=sys.stderr,
                )
        print_line(f"agreement_{self.kind}", ended_right / max(total, 1), "share", questions=total)


if __name__ == "__main__":
    main()
