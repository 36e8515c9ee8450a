"""Tokens of requests and yields of steps: assumed, or measured in a finished run."""

import dataclasses
import functools
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nemo_sdg.config import Role, RunConfig, recorded_settings
from nemo_sdg.errors import DataError
from nemo_sdg.export.packed_shards import packed_shards, variant_size
from nemo_sdg.generate.agreement import ORDERS, compared, gold_of
from nemo_sdg.pipeline.grade_rates import taken_by_kind
from nemo_sdg.pipeline.leak_rates import LeakRates, measured_leaks
from nemo_sdg.pipeline.seed_rates import SeedRates, measured_seeds
from nemo_sdg.records import Kind, Sample, Vote, sample_from_dict
from nemo_sdg.records.lines import Counted
from nemo_sdg.storage import find_run, is_stored, read_jsonl, read_shaped, stored_files

REPLAYED = 400
"""samples of a pilot whose votes are resampled"""
UNEXPLAINED = 0.1
"""assumed share of the questions that need all further solutions"""
LEAST_VOTES = 3
"""minimum number of votes of a question that can be resampled"""


@dataclass(kw_only=True)
class Rates:
    """Tokens of prompt and completion per request, and yields per question or sample."""

    source: str
    """assumed | the pilot run's folder"""
    seeds: SeedRates = field(default_factory=SeedRates)
    question_prompt: float = 450.0
    question_completion: float = 110.0
    """tokens of one new question"""
    vote_prompt: float = 350.0
    vote_completion: float = 450.0
    """tokens of one vote"""
    votes: dict[str, float]
    """requested votes per question, by origin"""
    question_yield: float = 0.9
    """share of attempts of origin similar that give a question"""
    screened: float = 0.85
    """share of new questions that pass the judge, if there is one"""
    judge_prompt: float = 700.0
    judge_completion: float = 350.0
    """tokens of one grade of a question"""
    grade_prompt: float = 700.0
    grade_completion: float = 350.0
    """tokens of one grade of a solution"""
    comparison_prompt: float = 600.0
    comparison_completion: float = 30.0
    """tokens of one comparison of a question's answers in sentences"""
    comparisons: float = 1.9
    """comparisons per question with answers in sentences: two, where there are two different answers"""
    settled: float = 0.1
    """comparisons per other question: two for a short answer or expression without a majority by the rules"""
    graded: float = 0.85
    """judged solutions per question"""
    student_prompt: float = 250.0
    student_completion: float = 450.0
    student: float = 0.7
    """share of questions that a student tries"""
    leaks: LeakRates = field(default_factory=LeakRates)
    accepted: dict[str, float]
    """share of questions that pass the step `curated`, by origin"""
    tokens_per_sample: float = 350.0
    """packed tokens of the first variant"""
    notes: list[str] = field(default_factory=list)
    """rates that could not be measured in the pilot"""


def assumed(config: RunConfig) -> Rates:
    """Rates without a pilot: voting stops early for two thirds of the questions, and a tenth need all further
    solutions; half of the new questions and most of the seeds' own are kept; outputs have at most half of max_tokens.
    """
    from nemo_sdg.generate.prompting import Prompts

    votes = assumed_votes(config)
    rates = Rates(source="assumed", votes={"similar": votes, "seed": votes}, accepted={"similar": 0.5, "seed": 0.8})
    writer, solver = (Prompts(config, config.engines(role)[0]) for role in (Role.writer, Role.solver))
    rates.question_completion = min(rates.question_completion, writer.max_tokens("question") / 2)
    rates.vote_completion = min(rates.vote_completion, solver.max_tokens("answer") / 2)
    rates.student_completion = rates.vote_completion
    return rates


def assumed_votes(config: RunConfig) -> float:
    least = max(1.0, round(config.generate.votes * config.verify.min_agreement))
    return (2 * least + config.generate.votes) / 3 + UNEXPLAINED * config.generate.further_solutions


@dataclass(kw_only=True)
class Spent:
    """What one step of a pilot took."""

    records: int = 0
    requests: int = 0
    prompt: int = 0
    completion: int = 0

    def a_request(self) -> tuple[float, float]:
        return self.prompt / max(self.requests, 1), self.completion / max(self.requests, 1)


@dataclass(kw_only=True)
class Compared:
    """The samples of a pilot whose answers are sentences, in the step `graded`."""

    records: int = 0
    requests: int = 0
    """comparisons of the solvers' answers"""
    judged: int = 0
    tried: int = 0
    """questions that the student tried"""
    tokens: tuple[int, int] = (0, 0)

    def add(self, sample: Sample, num_judged: int, is_tried: bool, tokens: tuple[int, int]) -> None:
        self.records += 1
        self.requests += ORDERS * (len(compared(sample.solutions or [], gold_of(sample))) > 1)
        self.judged += num_judged
        self.tried += is_tried
        self.tokens = (self.tokens[0] + tokens[0], self.tokens[1] + tokens[1])


def measured(pilot: Path, config: RunConfig) -> Rates:
    """Rates of a finished run, adapted to `config`: its votes are resampled for another number. Raises DataError."""
    if not (pilot / "manifest.json").is_file():
        told = f"; give {inside}" if (inside := find_run(pilot)) else ""
        raise DataError(f"--pilot {pilot} is not a finished run: it has no manifest.json{told}")
    steps = [name for name in ("questions", "screened", "answers", "graded") if (pilot / name).is_dir()]
    usage: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    spent = {name: Spent() for name in steps}
    arrived = {name: {"similar": 0, "seed": 0} for name in steps}
    cast: dict[str, list[int]] = {"similar": [], "seed": []}
    solved: list[Sample] = []
    judged = tried = 0
    sentences, sorted_ = Compared(), list[bool]()
    for name in steps:
        for record, is_kept in records_of(pilot, name):
            origin, solutions = record["origin"], record.get("solutions") or []
            tokens = (record["usage"]["prompt_tokens"], record["usage"]["completion_tokens"])
            before, usage[record["sample_id"]] = usage[record["sample_id"]], tokens
            arrived[name][origin] += 1
            step = spent[name]
            step.prompt, step.completion = step.prompt + tokens[0] - before[0], step.completion + tokens[1] - before[1]
            step.records += 1
            if name == "questions":
                step.requests += origin == "similar"
            elif name == "answers":
                step.requests += len(solutions)
                cast[origin].append(len(solutions))
                if is_kept and len(solved) < REPLAYED:
                    solved.append(sample_from_dict(record))
            elif name == "screened":
                step.requests += 1
            else:
                num_judged = sum(vote.get("judge") is not None for vote in solutions)
                is_tried = (record.get("grade") or {}).get("student_pass_rate") is not None
                judged, tried = judged + num_judged, tried + is_tried
                if record["kind"] == Kind.free_text:
                    taken = (tokens[0] - before[0], tokens[1] - before[1])
                    sentences.add(sample_from_dict(record), num_judged, is_tried, taken)
                else:
                    sorted_.append(any(vote.get("sense") is not None for vote in solutions))
    if not spent.get("answers", Spent()).requests:
        raise DataError(f"--pilot {pilot} has no answers to measure")
    question, vote = spent["questions"].a_request(), spent["answers"].a_request()
    attempts = sum(
        row["in"]
        for path in (pilot / "questions" / "receipts").glob("*.json")
        for row in read_shaped(path, Counted)["counts"].values()
    )
    asked, curated = arrived["questions"], {"similar": 0, "seed": 0}
    for record, is_kept in records_of(pilot, "curated"):
        curated[record["origin"]] += is_kept
    packed = variant_size(packed_shards(pilot), config.export.variants[0])
    rates = dataclasses.replace(
        assumed(config),
        source=str(pilot),
        seeds=measured_seeds(pilot),
        question_prompt=question[0],
        question_completion=question[1],
        vote_prompt=vote[0],
        vote_completion=vote[1],
        votes={origin: sum(nums) / max(len(nums), 1) for origin, nums in cast.items()},
        question_yield=asked["similar"] / max(attempts - asked["seed"], 1),
        accepted={origin: curated[origin] / max(asked[origin], 1) for origin in asked},
        tokens_per_sample=packed.tokens / max(packed.documents, 1),
        leaks=measured_leaks(pilot, sum(curated.values())) or LeakRates(),
    )
    measure_grades(rates, spent, arrived, judged, tried, sentences, config)
    rates.settled = ORDERS * sum(sorted_) / max(len(sorted_), 1)
    for kind, requests in taken_by_kind(pilot).items():
        prompt, completion = requests.each()
        setattr(rates, f"{kind}_prompt", prompt)
        setattr(rates, f"{kind}_completion", completion)
    other_votes(rates, solved, pilot, config)
    return rates


def records_of(pilot: Path, step: str) -> Iterator[tuple[dict[str, Any], bool]]:
    """Samples that a step of a run kept (True) and dropped (False)."""
    for path in stored_files(pilot / step, "shard-*.jsonl"):
        yield from ((record, True) for record in read_jsonl(path))
        dropped = path.parent / "dropped" / path.name
        if is_stored(dropped):
            drops = (drop["record"] for drop in read_jsonl(dropped))
            yield from ((record, False) for record in drops if record and "sample_id" in record)


def measure_grades(
    rates: Rates,
    spent: dict[str, Spent],
    arrived: dict[str, dict[str, int]],
    judged: int,
    tried: int,
    sentences: Compared,
    config: RunConfig,
) -> None:
    """Measures judge and student. If the journals are not available (grade_rates.py), a judge's request in `graded` is
    assumed to take as many tokens as in `screened`.
    """
    if "screened" in spent and arrived["screened"]["similar"]:
        rates.judge_prompt, rates.judge_completion = spent["screened"].a_request()
        rates.grade_prompt, rates.grade_completion = rates.judge_prompt, rates.judge_completion
        rates.screened = arrived["answers"]["similar"] / arrived["screened"]["similar"]
    elif config.roles.judge is not None:
        rates.notes.append("the pilot has no judge: its cost is assumed")
    step = spent.get("graded")
    if step is None or not step.records:
        if config.roles.student is not None:
            rates.notes.append("the pilot has no student: its cost is assumed")
        return
    rates.graded = judged / step.records
    rates.student = tried / step.records
    attempts = tried * config.generate.student_attempts
    if sentences.records:
        rates.comparisons = sentences.requests / sentences.records
    requests = sentences.requests + ORDERS * sentences.tried
    # what the student takes is seen where no answers are compared; with nothing but sentences it stays as assumed
    others = attempts - sentences.tried * config.generate.student_attempts
    if others:
        plain = [total - part for total, part in zip((step.prompt, step.completion), sentences.tokens, strict=True)]
        rest = judged - sentences.judged
        rates.student_prompt = max(0.0, plain[0] - rest * rates.judge_prompt) / others
        rates.student_completion = max(0.0, plain[1] - rest * rates.judge_completion) / others
    if requests:
        tries = sentences.tried * config.generate.student_attempts
        known = (
            sentences.judged * rates.judge_prompt + tries * rates.student_prompt,
            sentences.judged * rates.judge_completion + tries * rates.student_completion,
        )
        rates.comparison_prompt = max(0.0, sentences.tokens[0] - known[0]) / requests
        rates.comparison_completion = max(0.0, sentences.tokens[1] - known[1]) / requests


def other_votes(rates: Rates, solved: list[Sample], pilot: Path, config: RunConfig) -> None:
    """Estimates the votes per question for another `generate.votes` or `verify.min_agreement` than the pilot's: votes
    are resampled from the pilot in rounds, which end when the majority is decided.
    """
    from nemo_sdg.verify.votes import blind_of

    was = recorded_settings(pilot)
    further = was["generate"].get("further_solutions", 0)
    if further != config.generate.further_solutions:
        rates.notes.append(f"further solutions per question are as in the pilot, with further_solutions={further}")
    now = (config.generate.votes, config.verify.min_agreement)
    if (was["generate"]["votes"], was["verify"]["min_agreement"]) == now:
        return
    blind = {sample.sample_id: blind_of(sample)[0] for sample in solved}
    usable = [sample for sample in solved if len(blind[sample.sample_id]) >= min(LEAST_VOTES, config.generate.votes)]
    if not usable:
        rates.votes = dict.fromkeys(rates.votes, assumed_votes(config))
        rates.notes.append(f"votes per question are assumed: the pilot has too few for {config.generate.votes} votes")
        return
    for origin in rates.votes:
        of_origin = [sample for sample in usable if sample.origin == origin]
        if of_origin:
            drawn = [draw_votes(sample, blind[sample.sample_id], config) for sample in of_origin]
            guided = [len(sample.solutions or []) - len(blind[sample.sample_id]) for sample in of_origin]
            rates.votes[origin] = (sum(drawn) + sum(guided)) / len(of_origin)
    rates.notes.append(f"votes per question are resampled from the pilot for generate.votes={config.generate.votes}")


def draw_votes(sample: Sample, votes: list[Vote], config: RunConfig) -> int:
    """How many votes would be requested, in the rounds of generate/answers.py."""
    from nemo_sdg.verify.votes import decided

    rng = random.Random(sample.sample_id)
    told = functools.partial(decided, config=config.verify)
    drawn: list[Vote] = []
    while more := told(drawn, config.generate.votes, sample).missing:
        drawn += rng.choices(votes, k=more)
    return len(drawn)
