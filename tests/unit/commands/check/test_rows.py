"""The law that each seed is what stands in the row that it names, on a file of two rows."""

import gzip
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from nemo_sdg.commands.check.rows import compare_rows, raw_rows, rows_of_files, training_places, words_of_template

ROWS = ["I love this phone, the battery lasts for days.", "Why would anyone pay money for this?"]
FITS = "Which of the options fits the text?"


def wrong(folder: Path, *seeds: tuple[int, str, str | None], said: str = "") -> list[str]:
    """What is wrong with seeds (row, question, passage) of a task whose file says what to do, where all questions of
    the task have the words `said`.
    """
    data, task = folder / "rows.jsonl", folder / "task.yaml"
    data.write_bytes(b"".join(orjson.dumps({"text": text}) + b"\n" for text in ROWS))
    task.write_text('task: own\ndescription: "Say whether they are\n  pleased.\\n\\n"\n')
    records = [
        {"task": "own", "tasks": ["own"], "seed_id": "s", "question": question, "passage": passage}
        | {"dataset": {"split": "train", "row": row}}
        for row, question, passage in seeds
    ]
    run: Any = SimpleNamespace(
        dir=folder / "run",
        ledgers={
            "seeds": SimpleNamespace(places={"training/own/train/rows.jsonl": str(data)}),
            "catalog": SimpleNamespace(places={"tasks/own/task.yaml": str(task)}),
        },
        kept=lambda step, shard: records,
    )
    found, unread = compare_rows(run, (str(data),), ["shard-00000"], {"own": set(said.casefold().split())})
    assert unread == []
    return found


@pytest.mark.parametrize("question", [FITS, "Say whether they are pleased."])
def test_a_sentence_of_the_tool_or_of_the_task_beside_a_row_s_text(tmp_path: Path, question: str) -> None:
    assert wrong(tmp_path, (0, question, ROWS[0]), (1, ROWS[1], None)) == []
    assert wrong(tmp_path, (0, question, ROWS[0]), said=question.strip("?.")) == []
    for said in ("", question.strip("?.")):
        (line,) = wrong(tmp_path, (0, question, "Tin is a metal that melts early."), said=said)
        assert "is not row 0" in line
        assert "Tin is a metal" in line


def test_another_question_beside_a_row_s_text_is_found(tmp_path: Path) -> None:
    (line,) = wrong(tmp_path, (0, "Do whales sing lullabies?", ROWS[0]))
    assert "'Do whales sing lullabies?'" in line
    assert len(wrong(tmp_path, (0, FITS, None), (7, FITS, ROWS[0]))) == 2


def test_rows_of_a_split_of_several_files_are_numbered_through(tmp_path: Path) -> None:
    first, second = tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl"
    first.write_bytes(gzip.compress(b'{"q": "one"}\nnot JSON\n{"q": "three"}\nnot JSON\n'))
    second.write_bytes(b'{"q": "five"}\n')
    places = {
        "training/own/train/a.jsonl.gz": str(first),
        "training/own/train/1/b.jsonl": str(second),
        "evaluation/own/test/t.jsonl": "t.jsonl",
        "training/other/train/c.jsonl": "c.jsonl",
    }
    run: Any = SimpleNamespace(dir=tmp_path, ledgers={"seeds": SimpleNamespace(places=places)})
    files = training_places(run)
    assert files == {("own", "train"): (str(first), str(second)), ("other", "train"): ("c.jsonl",)}
    found = [(number, row["q"]) for number, row in rows_of_files(files["own", "train"])]
    assert found == [(0, "one"), (2, "three"), (4, "five")]


@pytest.mark.parametrize(("name", "between"), [("rows.csv.gz", ","), ("rows.tsv.gz", "\t")])
def test_compressed_tables_are_read(tmp_path: Path, name: str, between: str) -> None:
    file = tmp_path / name
    file.write_bytes(gzip.compress(f"\ufeffq{between}a\r\nwho{between}Ann\r\n".encode()))
    assert list(raw_rows(file)) == [(0, {"q": "who", "a": "Ann"})]


def test_a_task_that_shares_its_split_has_the_files_of_the_one_that_the_ledger_names(tmp_path: Path) -> None:
    (tmp_path / "catalog").mkdir()
    csv, splits = {"path": "csv", "name": None}, {"splits": {"training": "train"}}
    datasets = {
        "own": {**csv, **splits, "data_files": {"train": "a.csv", "test": "b.csv"}},
        "other": {**csv, **splits, "data_files": {"train": "a.csv"}},
        "third": {**csv, **splits, "data_files": {"train": "b.csv"}},
    }
    lines = [orjson.dumps({"task": task, "dataset": dataset}) for task, dataset in datasets.items()]
    (tmp_path / "catalog/tasks.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    places = {"training/own/train/a.csv": "a.csv"}
    run: Any = SimpleNamespace(dir=tmp_path, ledgers={"seeds": SimpleNamespace(places=places)})
    assert training_places(run) == {("own", "train"): ("a.csv",), ("other", "train"): ("a.csv",)}


def test_the_words_of_one_of_a_tasks_templates_are_no_row_s() -> None:
    """`What was the cause of this?` is asked of some rows, `What happened as a result?` of others."""
    asked = [{"what", kind, f"row{number}"} for number, kind in enumerate(["cause", "result"] * 20)]
    assert words_of_template(asked) == {"what", "cause", "result"}
    assert words_of_template(asked[:4]) == {"what"}
