"""The output of `nemo-sdg tasks`."""

import orjson
import pytest

from nemo_sdg.commands.inputs import tasks as catalog_view
from nemo_sdg.commands.inputs.named_seeds import coverage, named_seeds
from nemo_sdg.commands.inputs.tasks import filter_rows, summary, table_lines, tasks_command
from nemo_sdg.config import FileSeeds, GuardSection, SeedsSection
from nemo_sdg.errors import ConfigError
from nemo_sdg.records import CatalogRow


def row(
    task: str,
    *,
    family: str = "math",
    kind: str = "numeric",
    reason: str | None = None,
    path: str = "own/sums",
    declared: bool = False,
) -> CatalogRow:
    dataset = {
        "path": path,
        "name": "main",
        "splits": {"training": "train", "validation": None, "test": "test", "fewshot": None},
    }
    return CatalogRow(
        task=task,
        dataset=dataset | ({"declared": "on the hub"} if declared else {}),
        kind=kind,
        frame="generation",
        family=family,
        capability="reasoning",
        languages=["en"],
        license={"id": "MIT"},
        verdict="refused" if reason else "eligible",
        reasons=[reason] if reason else [],
    )


ROWS = [
    row("sums"),
    row("sums_again", declared=True),
    row("plants", family="science", kind="multiple_choice", path="own/plants"),
    row("leaky", reason="own_evaluation_split: train is also the task's test_split"),
    row("bare", reason="no_training_split"),
]


def names(**filters: object) -> list[str]:
    return [found.task for found in filter_rows(ROWS, **filters)]


def test_filters_narrow_and_combine():
    assert names() == names(eligible=True, refused=True) == ["sums", "sums_again", "plants", "leaky", "bare"]
    assert names(eligible=True) == ["sums", "sums_again", "plants"]
    assert names(refused=True, family="math") == ["leaky", "bare"]
    assert names(kind="multiple_choice") == names(text="PLANT") == ["plants"]
    assert names(text="own/plants") == ["plants"]


def test_an_unknown_family_is_an_error_that_lists_the_known():
    with pytest.raises(ConfigError, match="no task has the family maths; there are math, science"):
        names(family="maths")


def test_the_summary_counts_leaves_splits_reasons_and_families():
    assert summary(ROWS).splitlines() == [
        "5 tasks: 3 eligible (1 by a declared split), 2 refused",
        "eligible: 2 dataset splits of 2 datasets in 2 families: math 2, science 1",
        "refused: own_evaluation_split 1, no_training_split 1",
    ]


@pytest.mark.parametrize("width", [60, 100, 200])
def test_the_table_shows_each_task_whole_with_its_verdict_at_any_width(width):
    lines = list(table_lines(ROWS, width=width))
    assert max(map(len, lines)) <= width
    for found in ROWS:
        (line,) = (line for line in lines if line.startswith(f"{found.task} "))
        assert (found.reasons[0].partition(":")[0] if found.reasons else "eligible, MIT") in line
    assert ("own/plants (main)" in "\n".join(lines)) is (width == 200)


def test_the_coverage_names_each_refused_seed_with_its_reason_and_speaks_of_gpqa():
    mmlu, gsm8k = row("pool", path="cais/mmlu", family="factual"), row("gsm8k", path="openai/gsm8k")
    text = coverage([mmlu, gsm8k, row("gpqa", path="Idavidrein/gpqa", reason="own_evaluation_split: train")])
    named = {seed.path: seed.why_not for seed in named_seeds([mmlu, gsm8k])}
    assert named["openai/gsm8k"] is None
    assert named["allenai/winogrande"] == "no task of the catalog reads it"
    assert "one split" in (named["Idavidrein/gpqa"] or "")
    assert text.splitlines()[0] == f"named by NVIDIA as seeds: {len(named_seeds([]))} data sets, 2 give seeds here"
    assert text.splitlines()[-1].startswith("GPQA: it has one split")
    assert "is not to be expected from this system" in text
    assert "TIGER-Lab/MMLU-Pro" in text


def test_json_is_one_row_a_line_and_nothing_else(monkeypatch, capfdbinary):
    monkeypatch.setattr(catalog_view, "build_catalog", lambda seeds, guard: ROWS)
    tasks_command(SeedsSection(), GuardSection(), refused=True, json_out=True)
    lines = capfdbinary.readouterr().out.splitlines()
    assert [orjson.loads(line)["task"] for line in lines] == ["leaky", "bare"]
    assert orjson.loads(lines[0])["reasons"] == ["own_evaluation_split: train is also the task's test_split"]


def test_rows_of_files_are_shown_with_the_tasks_asked_for(monkeypatch, capfdbinary):
    monkeypatch.setattr(catalog_view, "build_catalog", lambda seeds, guard: ROWS)
    files = {"sums": FileSeeds(data="sums.csv")}
    tasks_command(SeedsSection(files=files), GuardSection(), json_out=True)
    tasks_command(SeedsSection(tasks=["plants"], files=files), GuardSection(), json_out=True)
    shown = [orjson.loads(line)["task"] for line in capfdbinary.readouterr().out.splitlines()]
    assert shown == ["sums", "sums", "plants"]
