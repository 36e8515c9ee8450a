"""Laws of records: none is lost, doubled or without a source, and all keep their order and their seeds."""

import functools
import itertools
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from nemo_sdg.commands.check import carried
from nemo_sdg.commands.check.findings import CheckedRun, Ids, Verdict
from nemo_sdg.commands.check.shards import Shard, first_halves
from nemo_sdg.commands.check.takers import Attempts, Carried, Heads, Samples, Seeds
from nemo_sdg.config import GenerateSection
from nemo_sdg.generate.planned import origin_share, planned_attempts

SEEDS, QUESTIONS, CURATED = "seeds", "questions", "curated"


@dataclass(kw_only=True, slots=True)
class Found:
    """What breaks a law in one shard, and how many records were looked at."""

    violations: list[str] = field(default_factory=list)
    num: int = 0
    num_dropped: int = 0


def nothing_vanishes(run: CheckedRun, verdict: Verdict) -> None:
    """What the receipts count is what the shards and drops hold, per task and reason."""
    num_kept = num_dropped = 0
    for _, found in run.each_shard(count_again):
        verdict.violations += found.violations
        num_kept, num_dropped = num_kept + found.num, num_dropped + found.num_dropped
    verdict.detail = f"{num_kept:,} kept and {num_dropped:,} dropped records counted again"


def count_again(shard: Shard) -> Found:
    """Compares the counts of a shard's receipts with its files, in every step that has it."""
    result = Found()
    for step in shard.run.record_steps:
        if step not in shard:
            continue
        kept, dropped = shard.of(step, Heads).tasks, shard.dropped(step).reasons
        counts = shard.run.receipt(step, shard.name)["counts"]
        for task in sorted(counts.keys() | kept.keys() | {task for task, _ in dropped}):
            row = counts.get(task, {"in": 0, "kept": 0, "dropped": {}})
            found = {reason: num for (name, reason), num in dropped.items() if name == task}
            if row["kept"] != kept[task] or row["dropped"] != found:
                result.violations.append(
                    f"{step}/{shard.name}, task {task}: the receipt counts {row['kept']} kept and {row['dropped']}, "
                    f"the files hold {kept[task]} and {found}"
                )
            elif row["in"] != row["kept"] + sum(row["dropped"].values()):
                result.violations.append(
                    f"{step}/{shard.name}, task {task}: {row['in']} in, but {row['kept']} kept and "
                    f"{sum(row['dropped'].values())} dropped"
                )
        result.num += kept.total()
        result.num_dropped += dropped.total()
    return result


def steps_follow(run: CheckedRun, verdict: Verdict) -> None:
    """The records that a step keeps or drops are exactly those that the step before it kept, in their order, and say
    the same where the step writes nothing; each seed gives the attempts that the configuration asks for.
    """
    num = 0
    for _, found in run.each_shard(follow):
        verdict.violations += found.violations
        num += found.num
    ids = {step: Ids() for step in (SEEDS, QUESTIONS)}
    for _, parts in run.each_shard(ids_of):
        for step, part in parts.items():
            ids[step].add(part)
    for step, all_of_step in ids.items():
        if all_of_step.num_twins():
            verdict.violations.append(f"{step}: {all_of_step.num_twins()} records stand twice")
    verdict.detail = f"{num:,} records followed"


def ids_of(shard: Shard) -> dict[str, Any]:
    """The ids of a shard's seeds and questions, as numbers."""
    return {step: first_halves(shard.of(step, Heads).ids) for step in (SEEDS, QUESTIONS) if step in shard}


def follow(shard: Shard) -> Found:
    """Compares the records of a shard in each step with those of the step before."""
    result = Found()
    if QUESTIONS in shard:
        _attempts_follow(shard, result)
    for before, step in itertools.pairwise(shard.run.record_steps[1:]):
        if before not in shard or step not in shard:
            continue
        given, kept, dropped = shard.of(before, Heads).ids, shard.of(step, Heads).ids, shard.dropped(step).ids
        still, known = set(kept), set(given)
        if len(kept) + len(dropped) != len(given) or len(known) != len(given) or still.union(dropped) != known:
            got = kept + dropped
            odd = sorted((Counter(given) - Counter(got)) + (Counter(got) - Counter(given)))
        else:  # as many, and the same: so each is there once
            odd = []
        if odd:
            result.violations.append(
                f"{step}/{shard.name}: sample {odd[0]} is not once in {before} and once in {step} or its drops"
                + (f", and so {len(odd) - 1} more" if len(odd) > 1 else "")
            )
        elif kept != [sample_id for sample_id in given if sample_id in still]:
            result.violations.append(f"{step}/{shard.name}: the samples are not in the order of {before}")
        else:
            result.violations += changed(shard, before, step)
        result.num += len(given)
    return result


def changed(shard: Shard, before: str, step: str) -> list[str]:
    """The samples in which a step holds something else than the step before it, where it writes nothing."""
    given, kept, dropped = shard.of(before, Carried), shard.of(step, Carried), shard.dropped(step)
    ids, kept_ids = shard.of(before, Heads).ids, shard.of(step, Heads).ids
    after = [*kept_ids, *dropped.ids]
    same = [("what is asked", given.asked, [*kept.asked, *dropped.carried.asked])]
    if step == "curated":
        same.append(("the sample", given.whole, [*kept.whole, *dropped.carried.whole]))
    if step == "graded":
        same.append(("its solutions", given.told, [*kept.told, *dropped.carried.told]))
    found = []
    for what, old, new in same:
        was = dict(zip(ids, old, strict=True))
        odd = [sample_id for sample_id, now in zip(after, new, strict=True) if was[sample_id] != now]
        found += [f"{step}/{shard.name}: {what} of {name} is not as in {before}" for name in odd[:1]]
    if step == "verified":
        told = zip(kept_ids, kept.solution, strict=True)
        odd = [sample_id for sample_id, solution in told if solution not in given.solutions]
        found += [f"{step}/{shard.name}: {name} is not as the solution in {before} that it names" for name in odd[:1]]
    return found


def _attempts_follow(shard: Shard, result: Found) -> None:
    """Each seed of the shard has as many attempts of origin `similar` as the configuration says, and its own question
    at most once.
    """
    place = f"questions/{shard.name}"
    if SEEDS not in shard:
        result.violations.append(f"{place} has no seeds")
        return
    generate, num_seeds = generate_section(shard.run), seeds_of_tasks(shard.run)
    rows = shard.of(QUESTIONS, Attempts).rows
    own = Counter(seed_id for seed_id, origin in rows if origin == "seed")
    similar = Counter(seed_id for seed_id, origin in rows if origin != "seed")
    similar.update(shard.dropped(QUESTIONS).seeds)
    places: dict[str, int] = {}
    for seed in shard.of(SEEDS, Seeds).records:
        seed_id = seed["seed_id"]
        places[seed_id] = len(places)
        share = origin_share(generate, seed["family"]).seed
        planned = planned_attempts(generate, seed["family"], num_seeds[seed["task"]])
        if similar[seed_id] != planned:
            result.violations.append(
                f"{place}: seed {seed_id} has {similar[seed_id]} attempts, {planned} are asked for"
            )
        if own[seed_id] > (share > 0) or own[seed_id] < (share >= 1):
            result.violations.append(f"{place}: seed {seed_id} stands {own[seed_id]} times as a sample")
    strangers = sorted((similar.keys() | own.keys()) - places.keys())
    result.violations += [f"{place}: seed {name} is not in seeds/{shard.name}" for name in strangers]
    order = [places[seed_id] for seed_id, _ in rows if seed_id in places]
    if order != sorted(order):
        result.violations.append(f"{place}: the samples are not in the order of seeds")
    result.num += len(places)


@functools.lru_cache(maxsize=1)
def generate_section(run: CheckedRun) -> GenerateSection:
    """The run's section `generate`. The rest of its configuration cannot be loaded as a whole: how engines
    are reached is not kept with a run.
    """
    from omegaconf import OmegaConf

    generate = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(GenerateSection), run.config["generate"]))
    assert isinstance(generate, GenerateSection)
    return generate


@functools.lru_cache(maxsize=1)
def seeds_of_tasks(run: CheckedRun) -> Counter[str]:
    """How many seeds each task has."""
    num: Counter[str] = Counter()
    for shard in run.shards(SEEDS):
        num.update({task: row["kept"] for task, row in run.receipt(SEEDS, shard)["counts"].items()})
    return num


def samples_have_seeds(run: CheckedRun, verdict: Verdict) -> None:
    """Every kept sample names seeds of the shard it came from, stays in its seed's task, family, kind and language, and
    is under the licences of its seed and its models.
    """
    num = 0
    for _, found in run.each_shard(find_seeds):
        verdict.violations += found.violations
        num += found.num
    verdict.detail = f"{num:,} samples"


def find_seeds(shard: Shard) -> Found:
    """Compares the curated samples of a shard with their seeds."""
    result = Found()
    if CURATED not in shard:
        return result
    seeds = {seed["seed_id"]: seed for seed in shard.of(SEEDS, Seeds).records} if SEEDS in shard else {}
    samples = shard.of(CURATED, Samples)
    result.violations += [f"curated/{shard.name}: sample {line}" for line in samples.odd[:1]]
    rows = zip(samples.rows, samples.licenses, samples.own, strict=True)
    for (sample_id, seed_ids, *shared), licenses, own in rows:
        name = f"curated/{shard.name}: sample {sample_id}"
        missing = [seed_id for seed_id in seed_ids if seed_id not in seeds]
        result.num += 1
        if missing or not seed_ids:
            result.violations.append(f"{name} names a seed that does not exist: {missing}")
            continue
        seed = seeds[seed_ids[0]]
        for field_, value in zip(Samples.FIELDS[-len(shared) :], shared, strict=True):
            if value != seed[field_]:
                result.violations.append(f"{name} has {field_} {value}, its seed {seed[field_]}")
        if licenses != [seed["license"]]:
            result.violations.append(f"{name} has seeds under {licenses}, its seed is under {seed['license']}")
        if own is not None and own != carried.own(seed):
            result.violations.append(f"{name} is its seed's own question, but asks something else")
    return result
