"""Laws of records: none is lost, doubled or without a source, and all keep their order and their seeds."""

import itertools
from collections import Counter
from typing import Any

from nemo_sdg.commands.check.findings import CheckedRun, Ids, Verdict
from nemo_sdg.config import GenerateSection
from nemo_sdg.generate.questions import origin_share, planned_attempts

SEEDS, QUESTIONS, CURATED = "seeds", "questions", "curated"


def record_steps(run: CheckedRun) -> list[str]:
    """The steps whose shards hold records, in order."""
    return [step for step in run.steps if step not in ("catalog", "packed", "blend")]


def nothing_vanishes(run: CheckedRun, verdict: Verdict) -> None:
    """What the receipts count is what the shards and drops hold, per task and reason."""
    num_kept = num_dropped = 0
    for step in record_steps(run):
        for shard in run.shards(step):
            kept = run.heads(step, shard)[1]
            dropped = Counter((drop["task"], drop["reason"]) for drop in run.dropped(step, shard))
            counts = run.receipt(step, shard)["counts"]
            for task in sorted(counts.keys() | kept.keys() | {task for task, _ in dropped}):
                row = counts.get(task, {"in": 0, "kept": 0, "dropped": {}})
                found = {reason: num for (name, reason), num in dropped.items() if name == task}
                if row["kept"] != kept[task] or row["dropped"] != found:
                    verdict.violations.append(
                        f"{step}/{shard}, task {task}: the receipt counts {row['kept']} kept and {row['dropped']}, the "
                        f"files hold {kept[task]} and {found}"
                    )
                elif row["in"] != row["kept"] + sum(row["dropped"].values()):
                    verdict.violations.append(
                        f"{step}/{shard}, task {task}: {row['in']} in, but {row['kept']} kept and "
                        f"{sum(row['dropped'].values())} dropped"
                    )
            num_kept, num_dropped = num_kept + kept.total(), num_dropped + dropped.total()
    verdict.detail = f"{num_kept:,} kept and {num_dropped:,} dropped records counted again"


def steps_follow(run: CheckedRun, verdict: Verdict) -> None:
    """The records that a step keeps or drops are exactly those that the step before it kept, in their order; each seed
    gives the attempts that the configuration asks for.
    """
    num, steps = 0, record_steps(run)
    for shard in run.shards(QUESTIONS):
        num += _attempts_follow(run, shard, verdict)
    for before, step in itertools.pairwise(steps[1:]):
        for shard in sorted(set(run.shards(before)) & set(run.shards(step))):
            given, kept = run.heads(before, shard)[0], run.heads(step, shard)[0]
            still = set(kept)
            got = kept + [drop["id"] for drop in run.dropped(step, shard)]
            odd = sorted((Counter(given) - Counter(got)) + (Counter(got) - Counter(given)))
            if odd:
                verdict.violations.append(
                    f"{step}/{shard}: sample {odd[0]} is not once in {before} and once in {step} or its drops"
                    + (f", and so {len(odd) - 1} more" if len(odd) > 1 else "")
                )
            elif kept != [sample_id for sample_id in given if sample_id in still]:
                verdict.violations.append(f"{step}/{shard}: the samples are not in the order of {before}")
            num += len(given)
    for step in (SEEDS, QUESTIONS):
        ids = Ids()
        for shard in run.shards(step):
            ids.add(run.heads(step, shard)[0])
        if ids.num_twins():
            verdict.violations.append(f"{step}: {ids.num_twins()} records stand twice")
    verdict.detail = f"{num:,} records followed"


def _attempts_follow(run: CheckedRun, shard: str, verdict: Verdict) -> int:
    """Each seed of the shard has as many attempts of origin `similar` as the configuration says, and its own question
    at most once.
    """
    if shard not in run.shards(SEEDS):
        verdict.violations.append(f"questions/{shard} has no seeds")
        return 0
    generate, num_seeds = generate_section(run), seeds_of_tasks(run)
    similar, own = Counter[str](), Counter[str]()
    order = []
    for sample in run.kept(QUESTIONS, shard):
        seed_id = sample["seed_ids"][0]
        order.append(seed_id)
        (own if sample["origin"] == "seed" else similar)[seed_id] += 1
    for drop in run.dropped(QUESTIONS, shard):
        record: dict[str, Any] = drop["record"] or {}
        similar[record.get("seed_id") or (record.get("seed_ids") or [drop["id"]])[0]] += 1
    place: dict[str, int] = {}
    for seed in run.kept(SEEDS, shard):
        seed_id = seed["seed_id"]
        place[seed_id] = len(place)
        share = origin_share(generate, seed["family"]).seed
        planned = planned_attempts(generate, seed["family"], num_seeds[seed["task"]])
        if similar[seed_id] != planned:
            verdict.violations.append(
                f"questions/{shard}: seed {seed_id} has {similar[seed_id]} attempts, {planned} are asked for"
            )
        if own[seed_id] > (share > 0) or own[seed_id] < (share >= 1):
            verdict.violations.append(f"questions/{shard}: seed {seed_id} stands {own[seed_id]} times as a sample")
    strangers = sorted((similar.keys() | own.keys()) - place.keys())
    verdict.violations += [f"questions/{shard}: seed {name} is not in seeds/{shard}" for name in strangers]
    places = [place[seed_id] for seed_id in order if seed_id in place]
    if places != sorted(places):
        verdict.violations.append(f"questions/{shard}: the samples are not in the order of seeds")
    return len(place)


def generate_section(run: CheckedRun) -> GenerateSection:
    """The run's section `generate`. The rest of its configuration cannot be loaded as a whole: how engines
    are reached is not kept with a run.
    """
    from omegaconf import OmegaConf

    generate = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(GenerateSection), run.config["generate"]))
    assert isinstance(generate, GenerateSection)
    return generate


def seeds_of_tasks(run: CheckedRun) -> Counter[str]:
    """How many seeds each task has."""
    num: Counter[str] = Counter()
    for shard in run.shards(SEEDS):
        num.update({task: row["kept"] for task, row in run.receipt(SEEDS, shard)["counts"].items()})
    return num


def samples_have_seeds(run: CheckedRun, verdict: Verdict) -> None:
    """Every kept sample names seeds of the shard it came from, and stays in its seed's task, family, kind, language."""
    num = 0
    for shard in run.shards(CURATED):
        seeds = {seed["seed_id"]: seed for seed in run.kept(SEEDS, shard)} if shard in run.shards(SEEDS) else {}
        for sample in run.kept(CURATED, shard):
            name, num = f"curated/{shard}: sample {sample['sample_id']}", num + 1
            missing = [seed_id for seed_id in sample["seed_ids"] if seed_id not in seeds]
            if missing or not sample["seed_ids"]:
                verdict.violations.append(f"{name} names a seed that does not exist: {missing}")
                continue
            seed = seeds[sample["seed_ids"][0]]
            for field in ("task", "family", "kind", "language"):
                if sample[field] != seed[field]:
                    verdict.violations.append(f"{name} has {field} {sample[field]}, its seed {seed[field]}")
            if sample["origin"] == "seed" and sample["question"] != seed["question"]:
                verdict.violations.append(f"{name} is its seed's own question, but asks something else")
    verdict.detail = f"{num:,} samples"
