"""Files are complete or absent, receipts match their shards, counts add up."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nemo_sdg.errors import DataError, SdgError
from nemo_sdg.records import Drop
from nemo_sdg.storage import (
    Counts,
    StepDir,
    atomic_file,
    merge_counts,
    read_jsonl,
    remove_temporaries,
    sha256_file,
    sha256_files,
    write_jsonl,
)


def step(tmp_path: Path, fingerprint: str = "f1") -> StepDir:
    return StepDir(run_dir=tmp_path, step="seeds", fingerprint=fingerprint)


def write(tmp_path: Path, inputs: list[Path]) -> StepDir:
    target, counts = step(tmp_path), Counts()
    counts.keep("a")
    counts.drop("a", "empty")
    target.write_shard(
        "shard-00000",
        [{"task": "a", "n": 1}],
        [Drop(task="a", id="x", step="seeds", reason="empty")],
        counts,
        inputs=inputs,
    )
    return target


def test_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), atomic_file(path) as handle:
        handle.write(b"new")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_unwritable_folder_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SdgError, match="cannot write"), atomic_file(tmp_path / "file" / "below"):
        pass


def test_a_connection_that_breaks_is_not_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError), atomic_file(tmp_path / "rows") as handle:
        handle.write(b"row")
        raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SdgError, match="No space left on device; free space"), atomic_file(tmp_path / "rows"):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_shard_is_streamed_and_counted(tmp_path: Path) -> None:
    target = step(tmp_path)
    with target.open_shard("shard-00000") as writer:
        writer.keep("a", {"task": "a", "n": 1})
        writer.drop(Drop(task="a", id="x", step="seeds", reason="empty"))
        assert not target.receipt_path("shard-00000").exists()
    receipt = target.receipt("shard-00000")
    assert receipt is not None
    assert receipt["counts"] == {"a": {"in": 2, "kept": 1, "dropped": {"empty": 1}, "not_sampled": 0}}
    assert target.problem("shard-00000") is None
    with pytest.raises(DataError), target.open_shard("shard-00001") as writer:
        writer.keep("a", {"task": "a"})
        raise DataError("the source broke")
    assert target.shards() == ["shard-00000"]
    assert not target.shard_path("shard-00001").exists()


def test_shards_that_no_longer_belong_go(tmp_path: Path) -> None:
    target = step(tmp_path)
    for number in range(3):
        with target.open_shard(f"shard-{number:05d}"):
            pass
    for shard in ("shard-00000", "shard-00001"):
        write_jsonl(target.path / "traces" / f"{shard}.jsonl", [{}], compress=True)
    target.keep_only(["shard-00001"])
    assert target.shards() == ["shard-00001"]
    assert [path.name for path in target.path.glob("shard-*")] == ["shard-00001.jsonl"]
    assert [path.name for path in target.path.glob("traces/*")] == ["shard-00001.jsonl.zst"]


def test_whole_shard_has_no_problem_and_each_damage_is_named(tmp_path: Path) -> None:
    source = tmp_path / "catalog.jsonl"
    source.write_text("{}\n")
    target = write(tmp_path, [source])
    shard = target.shard_path("shard-00000")
    assert target.problem("shard-00000", inputs=[source]) is None
    assert "another configuration" in str(step(tmp_path, "f2").problem("shard-00000"))
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-1])
    assert "bytes" in str(target.problem("shard-00000"))
    shard.write_bytes(whole[:-2] + b" \n")
    assert "SHA-256" in str(step(tmp_path).problem("shard-00000"))
    assert step(tmp_path).problem("shard-00000", full=False) is None
    shard.unlink()
    assert "missing" in str(target.problem("shard-00000"))
    shard.write_bytes(whole)
    source.write_text("{ }\n")
    assert "other inputs" in str(step(tmp_path).problem("shard-00000", inputs=[source]))
    target.receipt_path("shard-00000").write_bytes(b"{")
    assert "no readable receipt" in str(target.problem("shard-00000"))


def test_miscounted_shard_gets_no_receipt(tmp_path: Path) -> None:
    counts = Counts()
    counts.keep("a", 2)
    with pytest.raises(AssertionError):
        step(tmp_path).write_shard("shard-00000", [{"task": "a"}], [], counts)
    assert not step(tmp_path).receipt_path("shard-00000").exists()


def test_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n{"a": \n')
    with pytest.raises(DataError, match="line 2"):
        list(read_jsonl(path))


def test_temporaries_are_removed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".shard.jsonl.x1.tmp").write_text("half")
    assert remove_temporaries(tmp_path) == 1
    assert not list((tmp_path / "a").iterdir())


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["", "empty", "long"]), st.integers(1, 9))))
def test_counts_always_add_up(events: list[tuple[str, str, int]]) -> None:
    whole, parts = Counts(), [Counts(), Counts()]
    for position, (task, reason, num) in enumerate(events):
        for counts in (whole, parts[position % 2]):
            if reason:
                counts.drop(task, reason, num)
            else:
                counts.keep(task, num)
    assert merge_counts(part.as_dict() for part in parts) == whole.as_dict()
    for row in whole.as_dict().values():
        assert row["in"] == row["kept"] + sum(row["dropped"].values())


def test_written_lines_are_read_back(tmp_path: Path) -> None:
    rows = [{"text": "多行\n\u2028 \\frac{1}{2}"}, {"text": ""}]
    facts = write_jsonl(tmp_path / "x.jsonl", rows)
    assert list(read_jsonl(tmp_path / "x.jsonl")) == rows
    assert (facts.rows, facts.bytes) == (2, os.path.getsize(tmp_path / "x.jsonl"))


def test_hashes_of_many_files_are_those_of_each(tmp_path: Path) -> None:
    paths = [tmp_path / str(number) for number in range(5)]
    for number, path in enumerate(paths):
        path.write_bytes(b"x" * number)
    assert sha256_files(paths) == {path: sha256_file(path) for path in paths}
    assert sha256_files([]) == {}


def test_files_that_were_hashed_ahead_are_judged_as_they_are(tmp_path: Path) -> None:
    step = StepDir(run_dir=tmp_path, step="verified", fingerprint="f")
    for shard in ("shard-00000", "shard-00001"):
        counts = Counts()
        counts.keep("t")
        step.write_shard(shard, [{"task": "t"}], [], counts)
    step.shard_path("shard-00001").write_bytes(b'{"task":"u"}\n')
    step.hash_outputs(["shard-00000", "shard-00001", "shard-00002"])
    assert len(step.hashes) == 4
    assert step.problem("shard-00000") is None
    assert "SHA-256" in (step.problem("shard-00001") or "")
