"""Rows from mirrors, files and the hub; each failure is one line that names the task and the fix."""

import contextlib
import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from nemo_sdg.config import SeedsSection
from nemo_sdg.errors import DataError
from nemo_sdg.seeds.sources import hub
from nemo_sdg.seeds.sources import parquet as sources
from nemo_sdg.seeds.sources.lock import lock_entry, locked_revision, verify, write_lock
from nemo_sdg.seeds.sources.rows import Damaged, Split, open_rows

ROWS = [{"question": f"q{n}", "x": n} for n in range(25)]
SPLIT = Split(path="made/up", name=None, split="train")


def lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    (tmp_path / "made/up/default").mkdir(parents=True)
    return tmp_path / "made/up/default"


def section(mirror: Path) -> SeedsSection:
    return SeedsSection(mirror=str(mirror.parents[2]))


def refused(split: Split, seeds: SeedsSection, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        for _ in open_rows(split, seeds, task="my_task", **options):
            pass
    message = str(caught.value)
    assert message.startswith("task my_task: ")
    assert "\n" not in message
    return message


def test_jsonl_rows_are_numbered_and_counted(mirror: Path) -> None:
    (mirror / "train.jsonl").write_bytes(lines(ROWS))
    rows = open_rows(SPLIT, section(mirror), task="t")
    assert list(rows) == list(enumerate(ROWS))
    assert rows.count() == 25
    assert rows.revision == "local"
    assert list(rows.only({3, 24}.__contains__)) == [(3, ROWS[3]), (24, ROWS[24])]


def test_parquet_gives_the_same_rows(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow
    import pyarrow.parquet

    monkeypatch.setattr(sources, "_BATCH", 4)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), mirror / "train.parquet")
    rows = open_rows(SPLIT, section(mirror), task="t")
    assert list(rows) == list(enumerate(ROWS))
    assert rows.count() == 25
    assert list(rows.only({3, 24}.__contains__)) == [(3, ROWS[3]), (24, ROWS[24])]


def test_broken_lines_are_damaged_rows_and_keep_their_number(mirror: Path) -> None:
    (mirror / "train.jsonl").write_bytes(b'{"a": 1}\n{"a": \n\n[1]\n{"a": 2}\n')
    found = list(open_rows(SPLIT, section(mirror), task="t"))
    assert [(number, isinstance(row, Damaged)) for number, row in found] == [
        (0, False),
        (1, True),
        (2, True),
        (3, False),
    ]


def test_last_line_without_line_end_counts(mirror: Path) -> None:
    (mirror / "train.jsonl").write_bytes(lines(ROWS).rstrip(b"\n"))
    rows = open_rows(SPLIT, section(mirror), task="t")
    assert len(list(rows)) == rows.count() == 25


def test_file_cut_in_half_is_refused(mirror: Path) -> None:
    (mirror / "train.jsonl").write_bytes(lines(ROWS)[:-7])
    assert "train.jsonl is cut off in its last line" in refused(SPLIT, section(mirror))


def test_parquet_cut_in_half_is_refused(mirror: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), mirror / "train.parquet")
    whole = (mirror / "train.parquet").read_bytes()
    (mirror / "train.parquet").write_bytes(whole[: len(whole) // 2])
    assert "copy the file again" in refused(SPLIT, section(mirror))


@pytest.mark.parametrize("content", [b"", b" \n\n"])
def test_empty_split_is_refused(mirror: Path, content: bytes) -> None:
    (mirror / "train.jsonl").write_bytes(content)
    assert "has no rows" in refused(SPLIT, section(mirror))


def test_missing_split_names_the_file_and_the_mend(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    message = refused(SPLIT, section(mirror))
    assert "made/up/default/train.jsonl (or .parquet) is missing" in message
    assert "seeds.hub=true" in message
    assert "set one of them" in refused(SPLIT, SeedsSection(hub=False))
    monkeypatch.chdir(mirror.parents[2])
    assert refused(SPLIT, SeedsSection(hub=False)).endswith("or write ./made/up for the folder of that name")


def test_data_files_beside_the_task_file_come_before_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "data.jsonl").write_bytes(lines(ROWS[:1]))
    monkeypatch.chdir(tmp_path)
    split = Split(path="json", name=None, split="train", data_files=("data.jsonl",), folder=str(tmp_path / "tasks"))
    assert len(list(open_rows(split, SeedsSection(mirror=str(tmp_path)), task="t"))) == 1
    (tmp_path / "tasks" / "data.jsonl").write_bytes(lines(ROWS[:2]))
    assert len(list(open_rows(split, SeedsSection(mirror=str(tmp_path)), task="t"))) == 2
    missing = Split(path="json", name=None, split="train", data_files=("other.jsonl",), folder=str(tmp_path / "tasks"))
    assert "data file other.jsonl of split train is missing" in refused(missing, SeedsSection())


def test_several_files_are_numbered_through(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines(ROWS[:10]))
    (tmp_path / "b.jsonl").write_bytes(lines(ROWS[10:]))
    split = Split(path="json", name=None, split="train", data_files=("*.jsonl",), folder=str(tmp_path))
    rows = open_rows(split, SeedsSection(), task="t")
    assert list(rows) == list(enumerate(ROWS))
    assert rows.count() == 25
    assert list(rows.only({3, 17}.__contains__)) == [(3, ROWS[3]), (17, ROWS[17])]


def test_json_array_and_csv(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text(json.dumps(ROWS, indent=2))
    (tmp_path / "rows.csv").write_text("question,x\n" + "".join(f"{row['question']},{row['x']}\n" for row in ROWS))
    for builder, file in (("json", "rows.json"), ("csv", "rows.csv")):
        split = Split(path=builder, name=None, split="train", data_files=(file,), folder=str(tmp_path))
        assert list(open_rows(split, SeedsSection(mirror=str(tmp_path)), task="t")) == list(enumerate(ROWS))


def test_network_files_are_refused_with_a_mirror(tmp_path: Path) -> None:
    split = Split(path="csv", name=None, split="train", data_files=("hf://datasets/a/b.csv",))
    assert "is on the network" in refused(split, SeedsSection(mirror=str(tmp_path)))


class FakeHub:
    """Stands for the hub: what `datasets.load_dataset` and `HfApi` give or raise."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.error_while_streaming: Exception | None = None
        self.calls: list[dict[str, Any]] = []

    def load_dataset(self, path: str, name: str | None, **options: Any) -> Any:
        self.calls.append({"path": path, "name": name, **options})
        if self.error:
            raise self.error
        return FakeStream(self.error_while_streaming)


class FakeStream:
    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.info = types.SimpleNamespace(splits={"train": types.SimpleNamespace(num_examples=25)})

    def __iter__(self) -> Iterator[dict[str, Any]]:
        yield from ROWS
        if self.error:
            raise self.error


@pytest.fixture
def fake_hub(monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    fake = FakeHub()
    monkeypatch.setitem(
        sys.modules, "datasets", types.SimpleNamespace(load_dataset=fake.load_dataset, __version__="4.0.0")
    )  # type: ignore[arg-type]
    monkeypatch.setattr(hub, "_sha", lambda path, revision: "c" * 40)
    monkeypatch.setattr(hub, "_offline", lambda: False)
    return fake


def test_hub_streams_at_a_fixed_commit(fake_hub: FakeHub) -> None:
    rows = open_rows(SPLIT, SeedsSection(), task="t")
    assert list(rows) == list(enumerate(ROWS))
    assert (rows.revision, rows.count()) == ("c" * 40, 25)
    assert fake_hub.calls[0] == {
        "path": "made/up",
        "name": None,
        "split": "train",
        "streaming": True,
        "revision": "c" * 40,
    }


def test_mirror_comes_before_the_hub_and_rules_it_out(mirror: Path, fake_hub: FakeHub) -> None:
    (mirror / "train.jsonl").write_bytes(lines(ROWS[:3]))
    seeds = section(mirror)
    seeds.hub = True
    assert len(list(open_rows(SPLIT, seeds, task="t"))) == 3
    assert len(list(open_rows(Split(path="other/data", name=None, split="train"), seeds, task="t"))) == 25
    with contextlib.suppress(DataError):
        open_rows(Split(path="other/data", name=None, split="train"), section(mirror), task="t")
    assert len(fake_hub.calls) == 1


def error_of_status(status: int, text: str) -> Exception:
    error = OSError(text)
    error.response = SimpleNamespace(status_code=status)
    return error


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (RuntimeError("Dataset scripts are no longer supported, but found up.py"), "refused"),
        (ValueError("BuilderConfig 'x' not found. Available: ['y']"), "has no configuration"),
        (ValueError("Bad split: train. Available splits: ['test']"), "has no split train"),
        (ConnectionError("Couldn't reach\nthe hub"), "try again later"),
        (PermissionError("401 Client Error: gated repo"), "gated"),
        (error_of_status(403, "no access"), "gated"),
        (error_of_status(404, "no such dataset: a/investigated"), "try again later"),
        (ConnectionError("HTTPConnectionPool(host='127.0.0.1', port=40397): Max retries exceeded"), "try again later"),
    ],
)
def test_hub_failures_say_the_mend(fake_hub: FakeHub, error: Exception, says: str) -> None:
    fake_hub.error = error
    assert says in refused(SPLIT, SeedsSection())


def test_connection_that_breaks_while_rows_stream(fake_hub: FakeHub) -> None:
    fake_hub.error_while_streaming = TimeoutError("read timed out")
    assert "cannot be read from the hub" in refused(SPLIT, SeedsSection())


def test_offline_hub_is_the_local_cache(fake_hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "_offline", lambda: True)
    open_rows(SPLIT, SeedsSection(), task="t")
    assert fake_hub.calls[0]["streaming"] is False
    fake_hub.error = ConnectionError("offline")
    assert "unset HF_HUB_OFFLINE" in refused(SPLIT, SeedsSection())


def test_lock_accepts_the_same_rows_in_another_format_and_refuses_others(mirror: Path, tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    (mirror / "train.jsonl").write_bytes(lines(ROWS))
    seeds, lock = section(mirror), str(tmp_path / "seeds.lock.yaml")
    entry = lock_entry(SPLIT, open_rows(SPLIT, seeds, task="t"))
    assert (entry["dataset"], entry["split"], entry["revision"], entry["rows"]) == ("made/up", "train", "local", 25)
    write_lock(lock, [entry])
    verify(open_rows(SPLIT, seeds, task="t"), SPLIT, lock, task="t")

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), mirror / "train.parquet")
    (mirror / "train.jsonl").unlink()
    verify(open_rows(SPLIT, seeds, task="t"), SPLIT, lock, task="t")

    (mirror / "train.jsonl").write_bytes(lines([*ROWS[:-1], {**ROWS[-1], "x": 0}]))
    with pytest.raises(DataError, match=r"task t: .* has 25 rows with hash .* says 25 rows"):
        verify(open_rows(SPLIT, seeds, task="t"), SPLIT, lock, task="t")
    with pytest.raises(DataError, match=r"is not in .*seeds\.lock\.yaml"):
        verify(open_rows(SPLIT, seeds, task="t"), Split(path="made/up", name="b", split="train"), lock, task="t")


def test_lock_pins_a_hub_commit(tmp_path: Path, fake_hub: FakeHub) -> None:
    lock = str(tmp_path / "seeds.lock.yaml")
    write_lock(
        lock, [{"dataset": "made/up", "name": None, "split": "train", "revision": "d" * 40, "rows": 25, "hash": "ab"}]
    )
    assert locked_revision(SPLIT, lock) == "d" * 40
    rows = open_rows(SPLIT, SeedsSection(), task="t", revision=locked_revision(SPLIT, lock))
    assert fake_hub.calls[0]["revision"] == "d" * 40
    verify(rows, SPLIT, lock, task="t")


@pytest.mark.parametrize(
    ("content", "says"), [(None, "is missing"), (b"{", "not valid YAML"), (b"- {dataset: a}", "not a list of entries")]
)
def test_unusable_lock(tmp_path: Path, content: bytes | None, says: str) -> None:
    lock = tmp_path / "seeds.lock.yaml"
    if content is not None:
        lock.write_bytes(content)
    with pytest.raises(DataError, match=says):
        locked_revision(SPLIT, str(lock))
