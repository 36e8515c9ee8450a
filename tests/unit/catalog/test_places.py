"""The split that a file holds, from its path."""

from pathlib import Path

import pytest

from nemo_sdg.catalog.places import Mirror, splits_behind

HUB = "https://huggingface.co/datasets"
CONVERTED = "refs%2Fconvert%2Fparquet"


@pytest.mark.parametrize(
    "address",
    [
        "hf://datasets/own/quiz/main/held-00000-of-00001.parquet",
        "hf://datasets/own/quiz@0123abc/main/held-00000-of-00001-0f22.parquet",
        "hf://datasets/own/quiz@refs/convert/parquet/main/held/0000.parquet",
        "hf://datasets/own/quiz@~parquet/main/partial-held/0001.parquet",
        "hf://datasets/Own/Quiz/main/../main/held.jsonl.gz",
        f"{HUB}/own/quiz/resolve/main/main/held.csv?download=true",
        f"{HUB}/own/quiz/resolve/{CONVERTED}/main/held/0000.parquet",
        f"{HUB}/own/quiz/resolve/main/main%2Fheld.jsonl",
        "HTTPS://mirror.example/datasets/own/quiz/raw/main/main/held.jsonl",
        "https://huggingface.co/api/datasets/own/quiz/parquet/main/held/0.parquet",
        "https://server.example/rows?dataset=own%2Fquiz&config=main&split=held",
        f"zip://main/held.jsonl::{HUB}/own/quiz/resolve/main/all.zip",
        "/cache/datasets--own--quiz/snapshots/0123abc/main/held-00000-of-00001.parquet",
        "/cache/own___quiz/main/0.0.0/held.arrow",
    ],
)
def test_an_address_tells_data_set_configuration_and_split(address):
    found = splits_behind(address)
    assert any(path == "own/quiz" and "main" in folders and "held" in splits for path, folders, splits in found)


@pytest.mark.parametrize(
    ("file", "split"),
    [
        ("main/*.parquet", "*"),
        ("main/t*-00000-of-00001.parquet", "*"),
        ("**", "*"),
        ("*/0000.parquet", "*"),
        ("rows.zip", "*"),
        ("train-*.parquet", "train"),
        ("main/train/*.parquet", "train"),
        ("quiz_v1.0_dev.jsonl", "validation"),
        ("problems.parquet", "train"),
    ],
)
def test_a_pattern_or_an_archive_may_hold_any_split_unless_its_name_says_one(file, split):
    assert [splits[-1] for path, _, splits in splits_behind(f"hf://datasets/own/quiz@main/{file}")] == [split]


def test_a_data_set_without_an_owner_is_read_too():
    for address in ("hf://datasets/quiz/main/test.parquet", f"{HUB}/quiz/resolve/main/main/test.parquet"):
        assert ("quiz", ["main"], ["test", "test"]) in splits_behind(address)
    assert splits_behind("https://example.org/quiz/test.jsonl") == splits_behind("/home/me/quiz/test.jsonl") == []


def test_a_file_of_a_mirror_is_known_by_what_it_is(tmp_path: Path):
    file = tmp_path / "mirror/own/quiz/main/held.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text("{}\n")
    (tmp_path / "link.jsonl").symlink_to(file)
    (tmp_path / "hard.jsonl").hardlink_to(file)
    (tmp_path / "folder").symlink_to(file.parent)
    (tmp_path / "mirror/own/around").symlink_to(tmp_path / "mirror")
    mirror = Mirror(str(tmp_path / "mirror"))
    for written in ("link.jsonl", "hard.jsonl", "folder/held.jsonl", "mirror/own/quiz/main/../main/held.jsonl"):
        held = splits_behind(str(tmp_path / written), mirror)
        assert held[0][0] == "own/quiz", written
        assert held[0][1:][0] == ["main"], written
        assert "held" in held[0][2], written
    assert mirror.splits(str(tmp_path / "other.jsonl")) == []
