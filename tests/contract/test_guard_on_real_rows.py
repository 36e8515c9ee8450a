"""The guard on real rows: honest rows are kept, planted and natural leaks are found."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from nemo_sdg.catalog.selection import select
from nemo_sdg.catalog.walk import build_catalog
from nemo_sdg.config import GuardSection, SeedsSection
from nemo_sdg.records import EvaluationRow, Seed
from nemo_sdg.seeds.build import plan_sources, render_source
from nemo_sdg.seeds.content.guard import ContentGuard
from nemo_sdg.seeds.evaluation_rows.render import render_evaluation
from nemo_sdg.seeds.sources.splits import evaluation_sources

TASKS = [
    "gsm8k",
    "winogrande",
    "commonsense_qa",
    "arc_challenge",
    "mbpp",
    "openbookqa",
    "boolq",
    "sglue_rte",
    "ja_leaderboard_jcommonsenseqa",
]


def seeds_of(seeds: SeedsSection, tasks: list[str]) -> Iterator[Seed]:
    rows = [row for row in select(build_catalog(seeds, GuardSection()), tasks) if row.verdict == "eligible"]
    for source in plan_sources(rows, seeds):
        yield from (record for record in render_source(source, seeds, 0) if isinstance(record, Seed))


def evaluation_rows(seeds: SeedsSection, tasks: list[str]) -> Iterator[EvaluationRow]:
    for source in evaluation_sources(select(build_catalog(seeds, GuardSection()), tasks), seeds).reachable:
        yield from render_evaluation(source, seeds)


@pytest.fixture(scope="module")
def guard(hub: Path) -> ContentGuard:
    return ContentGuard(evaluation_rows(SeedsSection(mirror=str(hub)), TASKS))


KNOWN = {"sglue_rte": {832}, "ja_leaderboard_jcommonsenseqa": {182}}
"""training rows that ask what an evaluation row asks, in about the same words: read one by one"""


@pytest.mark.parametrize(
    "task", ["gsm8k", "winogrande", "commonsense_qa", "boolq", "sglue_rte", "ja_leaderboard_jcommonsenseqa"]
)
def test_of_a_thousand_honest_rows_none_is_a_leak(guard, hub, task):
    seeds = SeedsSection(mirror=str(hub), limit_per_task=1000)
    found = [(seed.dataset.row, guard.match(seed)) for seed in seeds_of(seeds, [task])]
    assert len(found) >= 64
    assert {row for row, leak in found if leak is not None} == KNOWN.get(task, set())


@pytest.mark.parametrize(
    ("task", "rows"),
    [
        ("arc_challenge", {1001: ("test", 225), 1038: ("test", 280), 1117: ("validation", 92)}),
        ("mbpp", {1: ("test", 206), 103: ("test", 237), 271: ("test", 205)}),
    ],
)
def test_training_rows_that_stand_in_evaluation_are_found(guard, hub, task, rows):
    matches = {seed.dataset.row: guard.match(seed) for seed in seeds_of(SeedsSection(mirror=str(hub)), [task])}
    found = {row: match for row, match in matches.items() if match is not None}
    assert set(found) == set(rows)
    for row, (split, number) in rows.items():
        assert found[row].endswith(f"{split}, row {number})"), found[row]


def planted(hub: Path, tmp_path: Path, *datasets: str) -> Path:
    for dataset in datasets:
        (tmp_path / dataset).parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(hub / dataset, tmp_path / dataset)
    return tmp_path


@pytest.mark.parametrize(
    ("task", "folder", "test", "num"),
    [
        ("gsm8k", "openai/gsm8k/main", "test", 3),
        ("sciq", "allenai/sciq/default", "test", 3),
        ("commonsense_qa", "tau/commonsense_qa/default", "validation", 3),
        ("winogrande", "allenai/winogrande/winogrande_xl", "validation", 3),
        ("sglue_rte", "aps/super_glue/rte", "validation", 3),
        ("hendrycks_math_algebra", "EleutherAI/hendrycks_math/algebra", "test", 3),
    ],
)
def test_three_evaluation_rows_among_the_training_rows_are_found(hub, tmp_path, task, folder, test, num):
    mirror = planted(hub, tmp_path, folder)
    train = mirror / folder / "train.jsonl"
    honest = train.read_bytes().splitlines(keepends=True)[:40]
    leaked = (mirror / folder / f"{test}.jsonl").read_bytes().splitlines(keepends=True)[10 : 10 + num]
    train.write_bytes(b"".join([*honest[:20], *leaked, *honest[20:]]))
    seeds = SeedsSection(mirror=str(mirror))
    guard = ContentGuard(evaluation_rows(seeds, [task]))
    assert {seed.dataset.row for seed in seeds_of(seeds, [task]) if guard.match(seed)} == {20, 21, 22}
