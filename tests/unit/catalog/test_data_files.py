"""The files of a split, as the reader opens them and as the guard compares them."""

from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.catalog.data_files import layout_files, mirror_files, split_files


def put(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}\n")


def of(split: str, folder: Path, **dataset: Any) -> list[str]:
    return split_files({"path": "json", "name": None, **dataset}, split, folder=str(folder))


def test_files_are_looked_for_beside_the_task_file_then_from_the_working_directory(tmp_path, monkeypatch):
    tasks, here = tmp_path / "tasks", tmp_path / "here"
    put(tasks / "a.jsonl", here / "a.jsonl", here / "b.jsonl")
    monkeypatch.chdir(here)
    files = {"train": ["a.jsonl", "b.jsonl"], "test": "c.jsonl"}
    assert of("train", tasks, data_files=files) == [str(tasks / "a.jsonl"), str(here / "b.jsonl")]
    assert of("test", tasks, data_files=files) == [str(tasks / "c.jsonl")], "where a missing file is expected"
    assert of("validation", tasks, data_files=files) == []
    assert of("train", tasks, data_files="a.jsonl") == [str(tasks / "a.jsonl")]
    assert of("test", tasks, data_files="a.jsonl") == []


def test_a_glob_and_a_folder_of_data(tmp_path):
    put(tmp_path / "rows-1.jsonl", tmp_path / "rows-2.jsonl", tmp_path / "d/x.jsonl")
    assert of("train", tmp_path, data_files={"train": "rows-*.jsonl"}) == [
        str(tmp_path / "rows-1.jsonl"),
        str(tmp_path / "rows-2.jsonl"),
    ]
    assert of("train", tmp_path, data_files="x.jsonl", data_dir="d") == [str(tmp_path / "d/x.jsonl")]
    put(tmp_path / "e/train.jsonl", tmp_path / "e/test.jsonl")
    assert of("train", tmp_path, data_dir="e") == [str(tmp_path / "e/train.jsonl")]
    assert of("test", tmp_path, data_dir="./e") == [str(tmp_path / "e/test.jsonl")]
    assert of("train", tmp_path, data_dir="nowhere") == []
    assert of("train", tmp_path, data_files="hf://datasets/a/b/x.csv") == ["hf://datasets/a/b/x.csv"]


def test_a_folder_s_files_belong_to_the_splits_that_their_names_say(tmp_path):
    own = tmp_path / "own"
    put(own / "train_1.jsonl", own / "train-2.jsonl", own / "my.test.jsonl", own / "test.jsonl", own / "dev.jsonl")
    put(own / "test.csv", own / "contest.jsonl", own / ".hidden/test.jsonl", own / "README.md")
    assert of("train", tmp_path, data_dir="own") == [str(own / "train-2.jsonl"), str(own / "train_1.jsonl")]
    assert of("test", tmp_path, path="./own") == [str(own / "test.jsonl"), str(own / "my.test.jsonl")]
    assert of("validation", tmp_path, path="./own") == [str(own / "dev.jsonl")]
    assert of("other", tmp_path, path="./own") == []
    put(tmp_path / "by/train/a.jsonl", tmp_path / "by/test/x/train.jsonl", tmp_path / "by/train_x.jsonl")
    assert of("train", tmp_path, path="./by") == [str(tmp_path / "by/train/a.jsonl")]
    assert of("test", tmp_path, data_dir="by") == [str(tmp_path / "by/test/x/train.jsonl")]
    put(tmp_path / "two/de/train.jsonl", tmp_path / "two/fr/test.jsonl")
    assert of("train", tmp_path, path="./two", name="fr") == [], "not that of another configuration"


@pytest.mark.parametrize("written", ["./own", "own", "{tmp}/own", "../{name}/own"])
def test_a_dataset_path_may_be_a_folder(tmp_path, written):
    put(tmp_path / "own/train.jsonl", tmp_path / "own/data/test-00000-of-00001.parquet")
    path = written.format(tmp=tmp_path, name=tmp_path.name)
    assert of("train", tmp_path, path=path) == [str(tmp_path / "own/train.jsonl")]
    assert of("test", tmp_path, path=path) == [str(tmp_path / "own/data/test-00000-of-00001.parquet")]
    assert of("train", tmp_path, path="openai/gsm8k") == []


@pytest.mark.parametrize(
    ("name", "file"),
    [
        (None, "default/train.jsonl"),
        (None, "train.parquet"),
        (None, "data/train-00000-of-00001.parquet"),
        (None, "data/train-00000-of-00001-0123456789abcdef.parquet"),
        (None, "data/train.jsonl.gz"),
        ("main", "main/train.jsonl"),
        ("main", "main/train-00000-of-00001.parquet"),
        ("main", "main/train/0000.parquet"),
        ("main", "data/main/train.csv"),
    ],
)
def test_layouts_of_a_dataset(tmp_path, name, file):
    put(tmp_path / file)
    assert layout_files(tmp_path, name, "train") == [tmp_path / file]
    assert layout_files(tmp_path, name, "test") == []
    assert layout_files(tmp_path, "other", "train") == []


def test_a_split_of_which_a_part_is_missing_is_not_there(tmp_path):
    parts = [tmp_path / f"data/train-0000{n}-of-00003.parquet" for n in range(3)]
    put(*parts[:2])
    assert layout_files(tmp_path, None, "train") == []
    put(parts[2])
    assert layout_files(tmp_path, None, "train") == parts


def test_a_mirror_knows_other_names_and_is_never_left(tmp_path):
    mirror = tmp_path / "mirror"
    put(mirror / "sciq/default/train.jsonl", tmp_path / "outside/default/train.jsonl")
    assert mirror_files("allenai/sciq", None, "train", str(mirror), ["sciq"]) == [mirror / "sciq/default/train.jsonl"]
    assert mirror_files("../outside", None, "train", str(mirror)) == []
    assert mirror_files(str(tmp_path / "outside"), None, "train", str(mirror)) == []
    assert mirror_files(".", None, "train", str(mirror)) == []


def test_a_file_address_is_a_file(tmp_path):
    put(tmp_path / "rows.jsonl")
    dataset = {"path": "json", "data_files": {"train": f"file://{tmp_path}/rows.jsonl"}}
    assert split_files(dataset, "train", folder="/elsewhere") == [str(tmp_path / "rows.jsonl")]
