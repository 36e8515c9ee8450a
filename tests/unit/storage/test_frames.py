"""Compressed files have the content of the plain ones, wherever a process was killed and whatever was cut off."""

import errno
import fcntl
import functools
import itertools
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nemo_sdg.errors import DataError, SdgError
from nemo_sdg.records import Drop
from nemo_sdg.storage import (
    SUFFIX,
    Counts,
    FrameReader,
    StepDir,
    compress_file,
    compressed,
    content_file,
    content_lines,
    content_size,
    frames,
    hold,
    open_content,
    read_json,
    read_jsonl,
    release,
    sha256_file,
    stored_files,
    write_jsonl,
)

LINES = [b'{"n": %d, "text": "%s"}\n' % (number, b"vote " * (number % 7)) for number in range(60)]


@pytest.fixture(scope="module", autouse=True)
def small_frames() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "FRAME", 200)
        yield


def write(path: Path, lines: list[bytes], *, compress: bool = True) -> Path:
    with content_file(path, compress=compress) as handle:
        for line in lines:
            handle.write(line)
    return path


@given(
    lines=st.lists(st.binary(max_size=300).map(lambda data: data.replace(b"\n", b"\r") + b"\n"), max_size=12),
    torn=st.binary(max_size=9).map(lambda data: data.replace(b"\n", b" ")),
)
def test_both_forms_have_the_same_content(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], torn: bytes
) -> None:
    folder = tmp_path_factory.mktemp("forms")
    lines = [*lines, torn] if torn else lines
    plain, packed = write(folder / "plain", lines, compress=False), write(folder / "packed", lines)
    assert compressed(packed).is_file()
    assert not packed.exists()
    with open_content(packed) as handle:
        assert list(handle) == lines
    assert list(content_lines(packed)) == list(content_lines(plain))
    assert (content_size(packed), sha256_file(packed)) == (content_size(plain), sha256_file(plain))
    whole = plain.read_bytes()
    with open_content(packed) as handle:
        for offset in range(0, len(whole) + 1, 7):
            assert handle.seek(offset) == offset
            line = whole[offset : whole.find(b"\n", offset) + 1 or len(whole)]
            assert handle.readline() == line
            assert handle.tell() == offset + len(line)
        handle.seek(0)
        assert handle.read() == whole
    with FrameReader(compressed(packed)) as reader:
        for offset, line in content_lines(plain):
            assert reader.line_at(offset) == reader.read_at(len(line), offset) == line


def test_any_zstd_reads_them_and_the_bytes_depend_on_the_content_alone(tmp_path: Path) -> None:
    one, other = (write(tmp_path / name, LINES) for name in ("one", "other"))
    assert compressed(one).read_bytes() == compressed(other).read_bytes()
    assert pyarrow.input_stream(str(compressed(one)), compression="zstd").read() == b"".join(LINES)


def test_a_file_that_was_cut_off_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", LINES[:20])
    whole = compressed(path).read_bytes()
    num_read = []
    for length in [*range(0, len(whole), 5), len(whole) - 1]:
        compressed(path).write_bytes(whole[:length])
        for read in (content_size, sha256_file, lambda path: list(read_jsonl(path))):
            with pytest.raises(DataError, match="cut off"):
                read(path)
        lines = [line for _, line in content_lines(path)]
        assert lines.pop() == b"\n", "the missing end is an empty line"
        assert lines == LINES[: len(lines)]
        num_read.append(len(lines))
    assert num_read == sorted(num_read)
    assert num_read[-1] == 20, "without its table all frames are read"


def test_damage_in_one_frame_costs_its_lines_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", LINES)
    data = bytearray(compressed(path).read_bytes())
    data[len(data) // 3] ^= 16
    compressed(path).write_bytes(data)
    with pytest.raises(DataError, match="is damaged at byte"):
        list(read_jsonl(path))
    lines = [line for _, line in content_lines(path)]
    assert lines.count(b"\n") == 1
    assert len(LINES) - 20 < len(set(lines) & set(LINES)) < len(LINES)


KILLED = 9
CALLS = ["fsync", "chmod", "replace", "unlink"]


def compress_and_die(path: Path, point: int) -> bool:
    """Compresses a file in another process, which dies before its call `point` that changes a folder or syncs a file;
    whether there was such a call.
    """
    child = os.fork()
    if child == 0:
        num = 0

        def dying(real: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
            nonlocal num
            if num == point:
                os._exit(KILLED)
            num += 1
            return real(*arguments, **more)

        for name in CALLS:
            setattr(os, name, functools.partial(dying, getattr(os, name)))
        try:
            compress_file(path)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED


def test_a_kill_at_any_point_while_a_file_is_compressed_loses_nothing(tmp_path: Path) -> None:
    forms = set()
    for point in itertools.count():
        path = write(tmp_path / str(point) / "shard-00000.0000.jsonl", [*LINES, b'{"to'], compress=False)
        content = list(content_lines(path))
        died = compress_and_die(path, point)
        forms.add((path.exists(), compressed(path).exists()))
        assert list(content_lines(path)) == content
        assert stored_files(path.parent) == [path]
        if path.exists():
            compress_file(path)
        assert list(content_lines(path)) == content
        assert not path.exists()
        if not died:
            break
    assert forms == {(True, False), (True, True), (False, True)}, "it was killed before and after each change"


def test_a_file_that_grows_meanwhile_stays_plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "x.jsonl", LINES, compress=False)
    real = os.replace

    def replace(*arguments: Path) -> None:
        real(*arguments)
        with open(path, "ab") as handle:
            handle.write(b"late\n")

    monkeypatch.setattr(os, "replace", replace)
    compress_file(path)
    assert [line for _, line in content_lines(path)] == [*LINES, b"late\n"]
    assert list(tmp_path.iterdir()) == [path]


def test_two_processes_do_not_compress_a_file_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "x.jsonl", LINES, compress=False)
    real, others = os.replace, 0

    def replace(*arguments: Path) -> None:
        nonlocal others
        others += 1
        before = sorted(tmp_path.iterdir())
        compress_file(path)  # of another process
        assert sorted(tmp_path.iterdir()) == before
        real(*arguments)

    monkeypatch.setattr(os, "replace", replace)
    compress_file(path)
    compress_file(path)  # it is done already
    assert others == 1
    assert list(tmp_path.iterdir()) == [compressed(path)]
    assert [line for _, line in content_lines(path)] == LINES


def test_a_file_is_locked_on_nfs_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real = write(tmp_path / "x.jsonl", LINES, compress=False), fcntl.flock

    def flock(file: Any, operation: int) -> None:
        """As on NFS, where the lock of a file that is open for reading alone is no exclusive one (flock(2))."""
        descriptor = file if isinstance(file, int) else file.fileno()
        if operation & fcntl.LOCK_EX and fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with open(path, "ab") as other:
        hold(other.fileno())
        compress_file(path)
        assert path.exists()
        release(other.fileno())
    compress_file(path)
    assert list(tmp_path.iterdir()) == [compressed(path)]


def test_a_full_disk_leaves_the_plain_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from nemo_sdg.generate.scheduling.journal import compress_finished

    path = write(tmp_path / "shard-00000.0000.jsonl", LINES, compress=False)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(os, "fsync", full)
        with pytest.raises(SdgError, match="No space left"):
            compress_file(path)
        compress_finished(tmp_path, ["shard-00000"])
    assert "journals stay uncompressed" in caplog.text
    assert list(tmp_path.iterdir()) == [path]
    compress_finished(tmp_path, ["shard-00001"])
    assert list(tmp_path.iterdir()) == [path], "its shard is not finished"
    compress_finished(tmp_path, ["shard-00000"])
    assert list(tmp_path.iterdir()) == [compressed(path)]
    assert [line for _, line in content_lines(path)] == LINES


def shard(run_dir: Path, *, compress: bool, num: int = 3) -> StepDir:
    target = StepDir(run_dir=run_dir, step="answers", fingerprint="f", compress=compress)
    counts = Counts()
    counts.keep("t", num)
    counts.drop("t", "empty")
    drop = Drop(task="t", id="x", step="answers", reason="empty")
    target.write_shard("shard-00000", [{"task": "t", "n": number} for number in range(num)], [drop], counts)
    return target


def test_a_receipt_is_the_same_for_both_forms(tmp_path: Path) -> None:
    plain, packed = shard(tmp_path / "plain", compress=False), shard(tmp_path / "packed", compress=True)
    assert [path.name for path in packed.path.glob("shard*")] == ["shard-00000.jsonl.zst"]
    assert [path.name for path in (packed.path / "dropped").iterdir()] == ["shard-00000.jsonl.zst"]
    assert plain.receipt_hashes() == packed.receipt_hashes()
    assert list(plain.records()) == list(packed.records())
    for full in (False, True):
        assert packed.problem("shard-00000", inputs=[], full=full) is None


def test_a_shard_of_an_earlier_version_stays_and_goes_when_it_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard(tmp_path, compress=False)
    now = StepDir(run_dir=tmp_path, step="answers", fingerprint="f", compress=True)
    assert now.problem("shard-00000") is None
    now = shard(tmp_path, compress=True, num=4)
    assert [path.name for path in now.path.glob("shard*")] == ["shard-00000.jsonl.zst"]
    assert now.num_kept(now.shards()) == len(list(now.records())) == 4
    other, names = StepDir(run_dir=tmp_path, step="answers", fingerprint="f"), now.shards()
    now.keep_only([])
    assert [path for path in now.path.rglob("*") if path.is_file()] == []
    monkeypatch.setattr(other, "shards", lambda: names)
    other.keep_only([])  # of another worker, which looked before


def test_a_kill_between_the_two_forms_of_a_shard_leaves_the_earlier_one(tmp_path: Path) -> None:
    step = shard(tmp_path, compress=False)
    path = step.shard_path("shard-00000")
    before = path.read_bytes()
    write_jsonl(tmp_path / "new.jsonl", [{"task": "t"}], compress=True)
    os.replace(tmp_path / "new.jsonl.zst", compressed(path))
    assert sha256_file(path) == step.receipt("shard-00000")["outputs"]["answers/shard-00000.jsonl"]["sha256"]  # type: ignore[index]
    assert "is there twice" in str(step.problem("shard-00000"))
    path.unlink()
    assert "bytes, its receipt says" in str(step.problem("shard-00000")), "the other is of no receipt"
    path.write_bytes(before)
    shard(tmp_path, compress=True)
    assert step.problem("shard-00000") is None


@pytest.mark.parametrize("place", [-1, 12])
def test_a_damaged_compressed_shard_is_named(tmp_path: Path, place: int) -> None:
    step = shard(tmp_path, compress=True)
    file = compressed(step.shard_path("shard-00000"))
    data = bytearray(file.read_bytes())
    data[place] ^= 4
    file.write_bytes(data)
    again = StepDir(run_dir=tmp_path, step="answers", fingerprint="f", compress=True)
    again.hash_outputs(["shard-00000"])
    assert "shard-00000.jsonl" in str(again.problem("shard-00000"))


@pytest.mark.parametrize("name", ["lines.jsonl", f"lines.jsonl{SUFFIX}"])
def test_a_pipe_in_place_of_a_file_is_refused_and_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match="not a regular file"):
        open_content(tmp_path / "lines.jsonl")
    with pytest.raises(DataError, match="not a regular file"):
        read_json(tmp_path / name)
