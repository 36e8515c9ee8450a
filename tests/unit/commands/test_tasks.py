"""What `nemo-sdg tasks` shows."""

import io

import orjson
import pytest
from rich.console import Console

from nemo_sdg.commands import tasks as catalog_view
from nemo_sdg.commands.tasks import filter_rows, summary, table, tasks_command
from nemo_sdg.config import GuardSection, SeedsSection
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
    out = io.StringIO()
    Console(file=out, width=width).print(table(ROWS, width=width))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    for found in ROWS:
        (line,) = (line for line in lines if line.startswith(f"{found.task} "))
        assert (found.reasons[0].partition(":")[0] if found.reasons else "eligible, MIT") in line
    assert ("own/plants (main)" in out.getvalue()) is (width == 200)


def test_json_is_one_row_a_line_and_nothing_else(monkeypatch, capfdbinary):
    monkeypatch.setattr(catalog_view, "build_catalog", lambda seeds, guard: ROWS)
    tasks_command(SeedsSection(), GuardSection(), refused=True, json_out=True)
    lines = capfdbinary.readouterr().out.splitlines()
    assert [orjson.loads(line)["task"] for line in lines] == ["leaky", "bare"]
    assert orjson.loads(lines[0])["reasons"] == ["own_evaluation_split: train is also the task's test_split"]
