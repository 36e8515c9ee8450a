"""Two runs side by side on one page: verdicts, settings, yields, lengths, and the samples from the same seeds."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nemo_sdg.config import recorded_settings
from nemo_sdg.errors import DataError
from nemo_sdg.export.report.counts import Run, read_json_or, shards
from nemo_sdg.export.report.rows import Line, Picker, Unreadable, fetch, find_by_id, read_records
from nemo_sdg.export.report.sections.parts import Table, percent
from nemo_sdg.export.report.shown import Content, content_of, cut
from nemo_sdg.export.report.verdicts import Verdict
from nemo_sdg.records.health import LENGTHS
from nemo_sdg.storage import changed_fields

NUM_SEEDS = 20
"""number of seeds that are shown"""
NUM_OFFERED = 2000
"""number of seeds of each run, those with the smallest hashes of ids, among which common seeds are searched"""
PER_SEED = 3


@dataclass(kw_only=True)
class Side:
    """One of the two runs."""

    name: str
    run_dir: Path
    run: Run
    verdicts: list[Verdict]


@dataclass(kw_only=True)
class Beside:
    """A seed, or a sample that was made from it."""

    task: str
    origin: str
    guidance: str | None
    agree: list[int | None]
    """votes that give the answer, votes cast"""
    content: Content


@dataclass(kw_only=True)
class Pair:
    """One seed, and the samples that each run made from it."""

    seed: Beside
    samples: list[list[Beside]]


def names_of(one: Path, other: Path) -> list[str]:
    """The names of two runs on the page: the shortest ends of their paths that differ.

    >>> names_of(Path("/data/plain/run"), Path("/data/strict/run"))
    ['plain/run', 'strict/run']
    """
    parts = [path.resolve().parts for path in (one, other)]
    for num in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-num:]) for part in parts]
        if names[0] != names[1]:
            return names
    raise DataError(f"{one} and {other} are the same folder; name two runs")


def verdict_rows(one: Side, other: Side) -> list[tuple[str, Verdict | None, Verdict | None]]:
    """(name, of the first run, of the second), in the order of the first."""
    found = [{verdict.name: verdict for verdict in side.verdicts} for side in (one, other)]
    return [(name, found[0].get(name), found[1].get(name)) for name in dict.fromkeys([*found[0], *found[1]])]


def settings(one: Side, other: Side) -> list[str]:
    """One line for each setting that differs: `generate.votes                4 -> 8`."""

    configs = [recorded_settings(side.run_dir) for side in (one, other)]
    return list(changed_fields(configs[0] or {}, configs[1] or {}))


def tables(one: Side, other: Side) -> list[Table]:
    """Yields per step and per task, lengths."""
    names = [one.name, other.name]
    steps = []
    for step in one.run.counts:
        cells = [_kept(side.run, step) for side in (one, other)]
        if any(taken for _, taken in cells):
            shown = [f"{kept:,} of {taken:,} ({percent(kept / taken, 1)})" if taken else "" for kept, taken in cells]
            rates = [kept / taken if taken else None for kept, taken in cells]
            steps.append([step, *shown, _points(*rates)])
    attempts = [_kept(side.run, "questions")[1] for side in (one, other)]
    whole = [side.run.kept.num / num if num else None for side, num in zip((one, other), attempts, strict=True)]
    steps.append(["attempts that became samples", *(percent(value, 1) for value in whole), _points(*whole)])
    tasks = []
    for task in sorted({task for side in (one, other) for task in side.run.counts[side.run.samples_step]}):
        kept = [side.run.counts[side.run.samples_step].get(task, {"kept": 0})["kept"] for side in (one, other)]
        tasks.append([task, *(f"{num:,}" for num in kept), f"{kept[1] - kept[0]:+,}"])
    return [
        Table(columns=["step", *names, "points"], rows=steps, caption="Kept of what came in", open=True),
        Table(columns=["task", *names, "difference"], rows=tasks, caption="Samples by task", open=len(tasks) <= 20),
        Table(
            columns=["family", "field", *names, "ratio"],
            rows=list(_lengths(one, other)),
            caption="Median characters of the samples",
            open=True,
        ),
    ]


def _kept(run: Run, step: str) -> tuple[int, int]:
    rows = run.counts.get(step, {}).values()
    return sum(row["kept"] for row in rows), sum(row["in"] for row in rows)


def _points(before: float | None, after: float | None) -> str:
    return "" if before is None or after is None else f"{100 * (after - before):+.1f}"


def _lengths(one: Side, other: Side) -> Iterator[list[Any]]:
    found = [read_json_or(side.run_dir / "curated" / "health.json", {}).get("families") or {} for side in (one, other)]
    for family in sorted(found[0].keys() | found[1].keys()):
        for field in LENGTHS:
            sizes = [
                ((part.get(family) or {}).get("after") or {}).get("characters", {}).get(field, {}).get("p50")
                for part in found
            ]
            if any(sizes):
                ratio = f"{sizes[1] / sizes[0]:.2f}" if all(sizes) else ""
                yield [family, field, *(f"{size:,}" if size else "" for size in sizes), ratio]


def pairs(one: Side, other: Side) -> list[Pair]:
    """Samples of both runs from the same seeds, chosen by the hashes of the seeds' ids."""
    unreadable = Unreadable()
    places = [_by_seed(side, unreadable) for side in (one, other)]
    common = sorted(places[0].keys() & places[1].keys(), key=lambda seed_id: zlib.crc32(seed_id.encode()))[:NUM_SEEDS]
    seeds = find_by_id(shards(one.run_dir, "seeds"), "seed_id", set(common), unreadable)
    chosen = [[place for seed_id in common for place in found[seed_id]] for found in places]
    rows = [dict(fetch(some, unreadable)) for some in chosen]
    return [
        Pair(
            seed=_shown(seeds[seed_id]),
            samples=[
                [_shown(part[place]) for place in found[seed_id] if place in part]
                for found, part in zip(places, rows, strict=True)
            ],
        )
        for seed_id in common
        if seed_id in seeds
    ]


def _by_seed(side: Side, unreadable: Unreadable) -> dict[str, list[Any]]:
    """Places of up to PER_SEED new samples, or of the seed's own if there are none, for the seeds of smallest hash."""
    picker = Picker({True: NUM_OFFERED * PER_SEED})
    for place, sample in read_records(shards(side.run_dir, side.run.samples_step), unreadable):
        seed_ids = sample.get("seed_ids")
        if isinstance(seed_ids, list) and seed_ids:
            picker.offer(True, str(seed_ids[0]), (place, str(seed_ids[0]), sample.get("origin") == "seed"))
    found: dict[str, list[tuple[bool, Any]]] = {}
    for place, seed_id, own in picker.places().get(True, []):
        found.setdefault(seed_id, []).append((own, place))
    return {seed_id: [place for _, place in sorted(rows)[:PER_SEED]] for seed_id, rows in found.items()}


def _shown(line: Line) -> Beside:
    votes = line.get("votes") or {}
    return Beside(
        task=cut(line.get("task"), 200),
        origin=cut(line.get("origin"), 100),
        guidance=line.get("guidance"),
        agree=[votes.get("agree"), votes.get("n")],
        content=content_of(line, most=1000),
    )
