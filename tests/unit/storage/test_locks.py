"""Locks of a run: two processes never do the same shards, and a dead one's lock blocks nobody."""

import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.errors import SdgError
from nemo_sdg.storage import at_work, locks, run_lock

HOLD = """
import sys
from pathlib import Path
from nemo_sdg.storage.locks import run_lock
with run_lock(Path(sys.argv[1]), (int(sys.argv[2]), int(sys.argv[3])), ["questions"], notify=print):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(run_dir: Path, index: int, num: int) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run_dir), str(index), str(num)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def enter(run_dir: Path, index: int, num: int, step: str = "questions") -> None:
    with run_lock(run_dir, (index, num), [step], notify=lambda _: None):
        pass


def test_the_same_worker_twice_is_refused_by_name_and_a_dead_one_blocks_nobody(tmp_path: Path) -> None:
    other = hold(tmp_path, 0, 2)
    me = rf"worker 0/2 of questions, pid {other.pid} on {socket.gethostname()}"
    for index, num in [(0, 2), (2, 4), (0, 3), (0, 1)]:  # each would do some of its shards
        with pytest.raises(SdgError, match=rf"another process is working on .*\({me}\)") as refused:
            enter(tmp_path, index, num)
        assert "\n" not in str(refused.value)
    for index, num in [(1, 2), (3, 4)]:  # they share no shard
        enter(tmp_path, index, num)
    enter(tmp_path, 0, 2, step="answers")
    assert at_work(tmp_path) == me
    os.kill(other.pid, signal.SIGKILL)
    other.communicate()
    assert at_work(tmp_path) is None
    assert list((tmp_path / locks.WORKERS).iterdir()) == [tmp_path / locks.WORKERS / "questions-0-of-2"]
    enter(tmp_path, 0, 2)
    enter(tmp_path, 0, 1)
    assert [path.name for path in tmp_path.iterdir()] == [locks.LOCK]


def test_a_run_alone_is_named_to_workers_and_to_another(tmp_path: Path) -> None:
    other = hold(tmp_path, 0, 1)
    for worker in [(0, 1), (1, 2)]:
        with pytest.raises(SdgError, match=rf"\(pid {other.pid} on {socket.gethostname()}\)"):
            enter(tmp_path, *worker)
    other.communicate("")
    enter(tmp_path, 1, 2)


def test_a_worker_waits_for_one_on_a_node_that_may_be_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "PAUSE", 0)
    (tmp_path / locks.WORKERS).mkdir()
    held = open(tmp_path / locks.WORKERS / "questions-0-of-2", "w")  # noqa: SIM115
    held.write("pid 7 on another-node")
    held.flush()
    fcntl.flock(held, fcntl.LOCK_EX)
    told: list[str] = []
    monkeypatch.setattr(locks.time, "sleep", lambda seconds: held.close() if seconds == locks.POLL else None)
    with run_lock(tmp_path, (0, 2), ["questions"], notify=told.append):
        assert told == ["waiting up to 120 s for worker 0/2 of questions, pid 7 on another-node"]
        assert str(at_work(tmp_path)).endswith(f"pid {os.getpid()} on {socket.gethostname()}")


@pytest.mark.parametrize("num", [1, 2])
def test_who_is_at_work_is_told_to_those_who_may_only_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num: int
) -> None:
    def read_only(path: Path, mode: str) -> Any:
        if "+" in mode:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return open(path, mode)

    with run_lock(tmp_path, (0, num), ["questions"], notify=print):
        monkeypatch.setattr(locks, "open", read_only, raising=False)
        assert str(at_work(tmp_path)).endswith(f"pid {os.getpid()} on {socket.gethostname()}")
    assert at_work(tmp_path) is None


def test_a_full_disk_leaves_the_lock_without_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with run_lock(tmp_path, (0, 1), [], notify=print):
        assert at_work(tmp_path) == "another process"


def test_a_file_system_without_locks_is_told_and_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", flock)
    told: list[str] = []
    with run_lock(tmp_path, (0, 1), [], notify=told.append):
        assert "has no locks" in told[0]
    with run_lock(tmp_path, (0, 2), ["questions"], notify=told.append):
        assert at_work(tmp_path) is None
