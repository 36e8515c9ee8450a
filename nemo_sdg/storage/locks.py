"""Locks of a run's folder: one process works on a run, or several workers that share its generation steps.

    RUN/.lock                       held by one process alone, or together by workers
    RUN/.workers/questions-0-of-2   held by worker 0/2 of `questions`

A lock is the kernel's (flock, which NFS carries from node to node), so it ends with its process, however that ends. The
file says who holds it: `pid 4711 on node-3`.
"""

import contextlib
import fcntl
import math
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from nemo_sdg.errors import SdgError

LOCK, WORKERS = ".lock", ".workers"
TRIES, PAUSE = 5, 0.05
"""how often a lock is asked for, and seconds between: whoever looks at a lock holds it for a moment"""
OTHER_NODE, POLL = 120.0, 2.0
"""seconds to wait for a worker on another node, and between looks: a server of NFS keeps the locks of a node that was
lost until its lease ends, 90 s by default
"""
_WORKER_FILE = re.compile(r"(\w+)-(\d+)-of-(\d+)")


@contextlib.contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[bool]:
    """Holds the lock of a file, which is made where there is none. Yields False where the file system has no locks.
    Raises BlockingIOError when another process holds it.
    """
    with contextlib.ExitStack() as stack:
        for number in range(TRIES):
            handle = stack.enter_context(open(path, "a+"))
            try:
                fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError:
                if number == TRIES - 1:
                    raise
                time.sleep(PAUSE)
                continue
            except OSError:
                yield False
                return
            if path.exists() and os.path.samestat(os.fstat(handle.fileno()), path.stat()):
                break  # else the one before removed it
        stack.callback(fcntl.flock, handle, fcntl.LOCK_UN)
        if not shared:
            with contextlib.suppress(OSError):  # of a full disk: only the name is lacking
                os.ftruncate(handle.fileno(), 0)
                os.write(handle.fileno(), f"pid {os.getpid()} on {socket.gethostname()}".encode())
                os.fsync(handle.fileno())  # else other nodes do not see it on NFS
        yield True


def holder(path: Path) -> str | None:
    """Who holds the lock of a file, such as `pid 4711 on node-3`; None if nobody does, or nobody can know."""
    # NFS gives an exclusive lock only for a file that may be written; a shared one shows at least who is alone
    for mode, kind in (("r+", fcntl.LOCK_EX), ("r", fcntl.LOCK_SH)):
        try:
            with open(path, mode) as handle:
                try:
                    fcntl.flock(handle, kind | fcntl.LOCK_NB)
                except BlockingIOError:
                    return handle.read(200).strip() or "another process"
            return None
        except PermissionError:
            continue
        except OSError:
            return None
    return None


def at_work(run_dir: Path) -> str | None:
    """Who works on a run now; None if nobody does."""
    for path in _worker_files(run_dir):
        if (who := holder(path)) is not None:
            return f"worker {'/'.join(_parts(path)[1:])} of {_parts(path)[0]}, {who}"
    return holder(run_dir / LOCK)


@contextlib.contextmanager
def run_lock(
    run_dir: Path, worker: tuple[int, int], steps: list[str], *, notify: Callable[[str], None]
) -> Iterator[None]:
    """Holds the lock of a run, for one process alone or for one worker of several in these steps. Raises SdgError with
    host and process id of who has it.
    """
    index, num = worker
    with contextlib.ExitStack() as stack:
        try:
            has_locks = stack.enter_context(locked(run_dir / LOCK, shared=num > 1))
        except BlockingIOError as exc:
            raise _busy(run_dir, at_work(run_dir)) from exc
        if not has_locks:
            notify(f"the file system of {run_dir} has no locks: see to it that no other process works there")
        if num == 1:
            for path in _worker_files(run_dir):  # of workers that were killed: nobody else is here
                path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                (run_dir / WORKERS).rmdir()
        else:
            for step in steps:
                own = run_dir / WORKERS / f"{step}-{index}-of-{num}"
                _hold_worker(run_dir, own, stack, notify)
        yield


def _hold_worker(run_dir: Path, own: Path, stack: contextlib.ExitStack, notify: Callable[[str], None]) -> None:
    """Holds the lock of one worker of a step until the stack ends, alone among those that would do the same shards."""
    own.parent.mkdir(exist_ok=True)
    deadline = None
    while True:
        with contextlib.ExitStack() as tried:
            try:
                tried.enter_context(locked(own))
                tried.callback(own.unlink, missing_ok=True)
                other = _same_shards(run_dir, own)
            except BlockingIOError:
                other = (own, holder(own) or "another process")
            if other is None:
                stack.enter_context(tried.pop_all())
                return
        step, index, num = _parts(other[0])
        who = f"worker {index}/{num} of {step}, {other[1]}"
        if deadline is None and not other[1].endswith(f" on {socket.gethostname()}"):
            deadline = time.monotonic() + OTHER_NODE
            notify(f"waiting up to {OTHER_NODE:g} s for {who}")
        if deadline is None or time.monotonic() > deadline:
            raise _busy(run_dir, who)
        time.sleep(POLL)


def _same_shards(run_dir: Path, own: Path) -> tuple[Path, str] | None:
    """Another worker of the step that has shards of this one, such as 2/4 those of 0/2, and who it is."""
    step, index, num = _parts(own)
    for path in _worker_files(run_dir):
        other_step, other_index, other_num = _parts(path)
        if path == own or other_step != step or (int(index) - int(other_index)) % math.gcd(int(num), int(other_num)):
            continue
        if (who := holder(path)) is not None:
            return path, who
    return None


def _worker_files(run_dir: Path) -> list[Path]:
    folder = run_dir / WORKERS
    return sorted(path for path in folder.glob("*-of-*") if _WORKER_FILE.fullmatch(path.name))


def _parts(path: Path) -> tuple[str, str, str]:
    """Step, index and number of the workers, by the name of a worker's file."""
    found = _WORKER_FILE.fullmatch(path.name)
    assert found is not None
    return found[1], found[2], found[3]


def _busy(run_dir: Path, who: str | None) -> SdgError:
    return SdgError(
        f"another process is working on {run_dir} ({who or 'it has just ended'}); wait for it, stop it, or give each "
        "worker an index of its own"
    )
