"""Sources, limits and counts: each row of a split is a seed, a drop, or not sampled."""

import collections
from pathlib import Path
from typing import Any

import orjson
import pytest

from nemo_sdg.config import SeedsSection
from nemo_sdg.errors import DataError
from nemo_sdg.records import CatalogRow, Drop, Seed, json_line, to_dict
from nemo_sdg.seeds import questions
from nemo_sdg.seeds.build import plan_sources, render_source
from nemo_sdg.seeds.content.guard import ContentGuard
from nemo_sdg.seeds.evaluation_rows import render as evaluation
from nemo_sdg.seeds.evaluation_rows.render import render_evaluation
from nemo_sdg.seeds.sources import splits as plan
from nemo_sdg.seeds.sources.limits import Demand, share_limits
from nemo_sdg.seeds.sources.lock import lock_entry, write_lock
from nemo_sdg.seeds.sources.splits import evaluation_sources, open_source

CONFIG = {"output_type": "generate_until", "doc_to_text": "Question: {{question}}\nAnswer:", "doc_to_target": "answer"}


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (questions, evaluation, plan):
        monkeypatch.setattr(module, "task_config", lambda task, seeds: {**CONFIG, "task": task})
    files = collections.defaultdict(lambda: str(tmp_path / "task.yaml"))
    monkeypatch.setattr(plan, "task_files", lambda seeds: files)
    return tmp_path


def leaf(task: str, path: str, name: str | None = None, family: str = "factual", **fields: Any) -> CatalogRow:
    dataset = {
        "path": path,
        "name": name,
        "splits": {"training": "train", "validation": None, "test": "test", "fewshot": None},
    }
    return CatalogRow(
        task=task,
        dataset={**dataset, **fields.pop("dataset", {})},
        kind="short_text",
        frame="generation",
        family=family,
        capability="knowledge",
        languages=["en"],
        license={"id": "MIT"},
        verdict=fields.pop("verdict", "eligible"),
        **fields,
    )


def put(mirror: Path, path: str, split: str, num: int, name: str = "default", **columns: Any) -> None:
    folder = mirror / path / name
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"question": f"What is {path} {split} {n}?", "answer": f"answer {n}", **columns} for n in range(num)]
    (folder / f"{split}.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))


def rendered(source: Any, seeds: SeedsSection, run_seed: int = 0) -> list[Seed | Drop]:
    return list(render_source(source, seeds, run_seed))


def numbers(source: Any, seeds: SeedsSection) -> list[int]:
    return [record.dataset.row for record in rendered(source, seeds) if isinstance(record, Seed)]


def test_tasks_on_one_split_share_a_source_and_its_seeds(mirror: Path) -> None:
    put(mirror, "made/up", "train", 3)
    seeds = SeedsSection(mirror=str(mirror))
    catalog = [
        leaf("b", "made/up"),
        leaf("a", "made/up"),
        leaf("c", "made/up", verdict="refused"),
        leaf("d", "made/up", "other"),
    ]
    first, second = plan_sources(catalog, seeds)
    assert (first.tasks, second.tasks) == (["a", "b"], ["d"])
    records = rendered(first, seeds)
    assert [(record.task, record.tasks) for record in records if isinstance(record, Seed)] == [("a", ["a", "b"])] * 3
    assert len({record.seed_id for record in records if isinstance(record, Seed)}) == 3


def test_every_row_is_a_seed_or_a_drop_with_a_reason(mirror: Path) -> None:
    put(mirror, "made/up", "train", 2)
    file = mirror / "made/up/default/train.jsonl"
    file.write_bytes(
        file.read_bytes()
        + b'{"question": "no answer"}\n{"question": "", "answer": "x"}\nrubbish\n{"question": "Q?", "answer": null}\n'
    )
    seeds = SeedsSection(mirror=str(mirror))
    (source,) = plan_sources([leaf("a", "made/up")], seeds)
    records = rendered(source, seeds)
    assert [record.reason if isinstance(record, Drop) else "kept" for record in records] == [
        "kept",
        "kept",
        "missing_column",
        "empty_question",
        "damaged_line",
        "no_gold",
    ]
    assert all(record.task == "a" and record.step == "seeds" for record in records if isinstance(record, Drop))
    assert len({record.id for record in records if isinstance(record, Drop)}) == 4


def test_rows_and_ids_are_the_same_every_time(mirror: Path) -> None:
    put(mirror, "made/up", "train", 30)
    seeds = SeedsSection(mirror=str(mirror), limit_per_task=7)
    twice = [
        [to_dict(record) for record in rendered(plan_sources([leaf("a", "made/up")], seeds)[0], seeds)]
        for _ in range(2)
    ]
    assert twice[0] == twice[1]


@pytest.mark.parametrize("known", [True, False])
def test_a_limit_is_spread_over_the_split_and_the_rest_is_not_sampled(
    mirror: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    put(mirror, "made/up", "train", 1000)
    if not known:
        from nemo_sdg.seeds.sources import formats as sources

        monkeypatch.setattr(sources, "_count_lines", lambda file, who: None)
    taken = {}
    for limit in (20, 100):
        seeds = SeedsSection(mirror=str(mirror), limit_per_task=limit)
        (source,) = plan_sources([leaf("a", "made/up")], seeds)
        taken[limit] = numbers(source, seeds)
        assert source.not_sampled == {"a": 1000 - limit}
    assert taken[100] == sorted(taken[100])
    assert len(set(taken[100])) == 100
    assert set(taken[20]) < set(taken[100])
    assert sum(number >= 500 for number in taken[100]) in range(30, 71)


def test_a_limit_above_the_rows_takes_all(mirror: Path) -> None:
    put(mirror, "made/up", "train", 5)
    seeds = SeedsSection(mirror=str(mirror), limit_per_task=9)
    (source,) = plan_sources([leaf("a", "made/up")], seeds)
    assert numbers(source, seeds) == [0, 1, 2, 3, 4]
    assert source.not_sampled == {}


def demand(task: str, rows: int | None, family: str = "math") -> Demand:
    return Demand(tasks=[task], family=family, rows=lambda: rows)


def test_a_groups_limit_is_spread_over_its_leaves() -> None:
    sizes = {"g_a": 1000, "g_b": 3, "g_c": 1000, "solo": 1000}
    demands = [demand(task, num) for task, num in sizes.items()]
    catalog = [leaf(task, task, groups=["g"] if task.startswith("g") else []) for task in sizes]
    seeds = SeedsSection(tasks=["g", "solo"], limit_per_task=20)
    assert share_limits(demands, catalog, seeds) == [8, 3, 9, 20]
    assert share_limits(demands, catalog, SeedsSection(limit_per_task=20)) == [20, 3, 20, 20]
    assert share_limits(demands, catalog, SeedsSection(tasks=["refused", "g_*"], limit_per_task=20)) == [8, 3, 9, 20]


def test_what_a_missing_split_cannot_give_goes_to_the_others(mirror: Path) -> None:
    put(mirror, "made/up", "train", 100)
    catalog = [leaf("here", "made/up", groups=["g"]), leaf("gone", "made/gone", groups=["g"])]
    sources = plan_sources(catalog, SeedsSection(mirror=str(mirror), tasks=["g"], limit_per_task=20))
    assert {source.tasks[0]: source.quota for source in sources} == {"here": 20, "gone": 0}


def test_a_familys_limit_holds_above_the_tasks() -> None:
    demands = [demand("a", 100), demand("b", None), demand("c", 100, "code")]
    catalog = [leaf(task, task) for task in "abc"]
    assert share_limits(demands, catalog, SeedsSection(limit_per_family=30)) == [15, 15, 30]
    assert share_limits(demands, catalog, SeedsSection(limit_per_task=10, limit_per_family=30)) == [10, 10, 10]
    assert share_limits(demands, catalog, SeedsSection(limit_per_task=20, limit_per_family=10)) == [5, 5, 10]


def test_generic_builders_are_told_apart_by_their_files(mirror: Path) -> None:
    catalog = []
    for task in ("a", "b"):
        (mirror / f"{task}.jsonl").write_bytes(orjson.dumps({"question": "Same?", "answer": "same"}) + b"\n")
        catalog.append(leaf(task, "json", dataset={"data_files": {"train": f"{task}.jsonl", "test": "t.jsonl"}}))
    seeds = SeedsSection(mirror=str(mirror))
    sources = plan_sources(catalog, seeds)
    made = [record for source in sources for record in rendered(source, seeds) if isinstance(record, Seed)]
    assert [record.dataset.path for record in made] == ["a.jsonl", "b.jsonl"]
    assert made[0].seed_id != made[1].seed_id
    again = leaf("c", "json", dataset={"data_files": {"train": str(mirror / "a.jsonl"), "test": "t.jsonl"}})
    assert [source.tasks for source in plan_sources([*catalog, again], seeds)] == [["a", "c"], ["b"]]


def test_drops_of_rows_with_images_and_decimals_can_be_written(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from decimal import Decimal

    from nemo_sdg.seeds.sources import formats as sources

    put(mirror, "made/up", "train", 1)
    monkeypatch.setattr(
        sources,
        "_read_lines",
        lambda file, who, wanted: iter([(0, {"question": "", "answer": Decimal(1), "image": b"png"})]),
    )
    seeds = SeedsSection(mirror=str(mirror))
    (drop,) = rendered(plan_sources([leaf("a", "made/up")], seeds)[0], seeds)
    assert isinstance(drop, Drop)
    assert orjson.loads(json_line(drop))["record"]["columns"] == {
        "question": "",
        "answer": "<Decimal>",
        "image": "<bytes>",
    }


def test_a_source_that_cannot_be_read_is_one_line(mirror: Path) -> None:
    seeds = SeedsSection(mirror=str(mirror))
    (source,) = plan_sources([leaf("a", "made/up")], seeds)
    with pytest.raises(DataError, match=r"^task a: .*train.jsonl \(or .parquet\) is missing"):
        rendered(source, seeds)


def test_a_task_that_does_not_fit_its_data_is_one_line(mirror: Path) -> None:
    folder = mirror / "made/up/default"
    folder.mkdir(parents=True)
    (folder / "train.jsonl").write_bytes(b'{"query": "Q?", "answer": "x"}\n' * 30)
    seeds = SeedsSection(mirror=str(mirror))
    (source,) = plan_sources([leaf("a", "made/up")], seeds)
    with pytest.raises(
        DataError,
        match=(
            r"^task a: made/up, split train lacks a column that the task reads \(.*question.*\); it has answer, "
            r"query; correct"
        ),
    ):
        rendered(source, seeds)


def test_a_row_that_lacks_what_others_have_is_a_drop_however_small_the_sample(mirror: Path) -> None:
    folder, seeds = mirror / "made/up/default", SeedsSection(mirror=str(mirror), limit_per_task=1)
    folder.mkdir(parents=True)
    good, bad = b'{"question": "Q?", "answer": "x"}\n', b'{"query": "Q?", "answer": "x"}\n'
    (folder / "train.jsonl").write_bytes(good * 12)
    (source,) = plan_sources([leaf("a", "made/up")], seeds)
    (drawn,) = numbers(source, seeds)
    (folder / "train.jsonl").write_bytes(good * drawn + bad + good * (11 - drawn))
    (drop,) = rendered(source, seeds)
    assert isinstance(drop, Drop)
    assert (drop.reason, source.not_sampled) == ("missing_column", {"a": 11})
    (folder / "train.jsonl").write_bytes(bad * 12)
    with pytest.raises(DataError, match="lacks a column"):
        rendered(source, seeds)


def test_an_empty_cell_is_not_called_a_column_that_is_lacking(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONFIG, "doc_to_text", "Question: {{question.strip()}}\nAnswer:")
    put(mirror, "made/up", "train", 1, question=None)
    seeds = SeedsSection(mirror=str(mirror))
    (source,) = plan_sources([leaf("a", "made/up")], seeds)
    with pytest.raises(DataError, match=r"no value in a column that the task reads \(row 0: .*'None' has no attribute"):
        rendered(source, seeds)


@pytest.mark.parametrize("text", ["Who\x00 sings?", "Bell\x07", "Delete\x7f", "\x1b[2J", "$\x0crac12$", "$\x0bec x$"])
def test_a_control_character_is_a_drop_before_votes_are_paid(mirror: Path, text: str) -> None:
    seeds = SeedsSection(mirror=str(mirror))
    for column in ("question", "answer"):
        put(mirror, "made/up", "train", 1, **{column: text})
        (drop,) = rendered(plan_sources([leaf("a", "made/up")], seeds)[0], seeds)
        assert isinstance(drop, Drop)
        assert drop.reason == "control_characters"
        assert f"{column}: U+" in (drop.detail or "")
    put(mirror, "made/up", "train", 1, question="A tab\tand\r\ntwo lines?", answer="x")
    assert numbers(plan_sources([leaf("a", "made/up")], seeds)[0], seeds) == [0]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Page\x0cbreak", "Page break"),
        ("One\x0b\x0crace", "One race"),
        ("Ends.\n\x0cA page\x0c\r\nbegins", "Ends.\nA page\r\nbegins"),
        ("Next\u0085line\u2028and more", "Next\u0085line\u2028and more"),
    ],
)
def test_page_breaks_of_pdf_text_are_white_space(mirror: Path, text: str, kept: str) -> None:
    put(mirror, "made/up", "train", 1, question=f"Who? {text}?", answer=text)
    seeds = SeedsSection(mirror=str(mirror))
    (seed,) = rendered(plan_sources([leaf("a", "made/up")], seeds)[0], seeds)
    assert isinstance(seed, Seed)
    assert (seed.question, seed.answer.text) == (f"Who? {kept}?", kept)


def test_what_is_locked_is_read_again(mirror: Path) -> None:
    put(mirror, "made/up", "train", 3)
    seeds = SeedsSection(mirror=str(mirror))
    here, missing = plan_sources([leaf("a", "made/up"), leaf("b", "not/here")], seeds)
    entry = lock_entry(here.split, open_source(here, seeds))
    assert (entry["dataset"], entry["rows"]) == ("made/up", 3)
    with pytest.raises(DataError, match="task b: "):
        lock_entry(missing.split, open_source(missing, seeds))
    write_lock(mirror / "lock.yaml", [entry])
    seeds.lock = str(mirror / "lock.yaml")
    assert len(rendered(plan_sources([leaf("a", "made/up")], seeds)[0], seeds)) == 3


def test_data_that_differs_from_the_lock_is_refused(mirror: Path) -> None:
    put(mirror, "made/up", "train", 3)
    path = str(mirror / "seeds.lock.yaml")
    write_lock(
        path, [{"dataset": "made/up", "name": None, "split": "train", "revision": "local", "rows": 2, "hash": "ab"}]
    )
    seeds = SeedsSection(mirror=str(mirror), lock=path)
    (source,) = plan_sources([leaf("a", "made/up")], seeds)
    with pytest.raises(DataError, match="has 3 rows"):
        rendered(source, seeds)


def test_evaluation_splits_are_read_once_and_the_others_listed(mirror: Path) -> None:
    put(mirror, "made/up", "test", 2)
    seeds = SeedsSection(mirror=str(mirror))
    catalog = [
        leaf("a", "made/up", verdict="refused"),
        leaf("b", "made/up"),
        leaf("c", "elsewhere", dataset={"splits": {"validation": "dev"}}),
    ]
    found = evaluation_sources(catalog, seeds)
    assert [source.tasks for source in found.reachable] == [["a", "b"]]
    assert [(entry["task"], entry["dataset"], entry["split"]) for entry in found.unreachable] == [
        ("c", "elsewhere", "dev")
    ]
    rows = list(render_evaluation(found.reachable[0], seeds))
    assert [(row.question, row.answer, row.dataset.split) for row in rows] == [
        ("What is made/up test 0?", "answer 0", "test"),
        ("What is made/up test 1?", "answer 1", "test"),
    ]


def test_evaluation_rows_that_do_not_render_are_given_as_their_texts(mirror: Path) -> None:
    folder = mirror / "made/up/default"
    folder.mkdir(parents=True)
    (folder / "test.jsonl").write_bytes(b'{"title": "Tides", "parts": [{"text": "The moon pulls."}], "n": 3}\n')
    seeds = SeedsSection(mirror=str(mirror))
    (row,) = render_evaluation(evaluation_sources([leaf("a", "made/up")], seeds).reachable[0], seeds)
    assert (row.question, row.choices, row.answer) == ("Tides\nThe moon pulls.", None, None)


def test_evaluation_lines_that_are_not_json_are_given_as_what_stands_in_quotes_and_counted(mirror: Path) -> None:
    put(mirror, "made/up", "test", 1)
    file = mirror / "made/up/default/test.jsonl"
    file.write_bytes(file.read_bytes() + b'{"question": "Who \\"drew\\" it?", "answer": "Ann",},\n' + file.read_bytes())
    seeds = SeedsSection(mirror=str(mirror))
    (source,) = evaluation_sources([leaf("a", "made/up")], seeds).reachable
    found = {row.dataset.row: row for row in render_evaluation(source, seeds)}
    assert found[1].texts == ["question", 'Who "drew" it?', "answer", "Ann"]
    assert len(found) == 3
    assert len(source.unreadable) == 1
    assert source.unreadable[0].startswith("row 1: not valid JSON")


def test_a_training_row_that_stands_in_a_damaged_evaluation_line_is_a_drop(mirror: Path) -> None:
    put(mirror, "made/up", "train", 3)
    copied = orjson.dumps({"question": "Which river runs through the old town of Graz in Austria?", "answer": "Mur"})
    train, test = mirror / "made/up/default/train.jsonl", mirror / "made/up/default/test.jsonl"
    train.write_bytes(train.read_bytes() + copied + b"\n")
    test.write_bytes(copied[:-1] + b",}\n" + orjson.dumps({"question": "Other?", "answer": "x"}) + b"\n")
    seeds = SeedsSection(mirror=str(mirror))
    (source,) = evaluation_sources([leaf("a", "made/up")], seeds).reachable
    guard = ContentGuard(render_evaluation(source, seeds))
    records = list(render_source(plan_sources([leaf("a", "made/up")], seeds)[0], seeds, 0, guard))
    assert [getattr(record, "reason", None) for record in records] == [None, None, None, "in_evaluation_split"]
