"""Memory and CPU seconds of a command and of all processes that it starts."""

import contextlib
import ctypes
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil

EVERY = 0.2
"""seconds between two measurements of the memory"""
PR_SET_CHILD_SUBREAPER = 36
Row = dict[str, Any]


class Memory(threading.Thread):
    """The proportional set size of a process and its child processes over time."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.process, self.seen, self.ended = psutil.Process(pid), list[tuple[float, int]](), threading.Event()
        self.start()

    def run(self) -> None:
        while not self.ended.wait(EVERY):
            total = 0
            try:
                for process in [self.process, *self.process.children(recursive=True)]:
                    total += pss(process.pid)
            except psutil.Error:
                return
            self.seen.append((time.monotonic(), total))

    def peak(self, begin: float, end: float) -> int:
        return max((size for when, size in self.seen if begin <= when <= end + EVERY), default=0)


def pss(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def environment(code: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(code), "HF_HUB_OFFLINE": "1"}


def adopt_orphans() -> None:
    """Makes this process the parent of every process below it that loses its own."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def reap(options: int) -> None:
    """Takes the end of all child processes: with WNOHANG of those that have ended, with 0 it waits for the others."""
    with contextlib.suppress(ChildProcessError):  # raised when there is none left
        while os.waitpid(-1, options)[0]:
            pass


def run_command(arguments: list[str], code: Path) -> Row:
    """Seconds, CPU seconds and memory of a command, from its start to its end. CPU seconds are those of all its
    processes: also of those that end after it, whose parent this process becomes.
    """
    adopt_orphans()
    reap(os.WNOHANG)  # what the run before has left is not this command's
    begin, before = time.monotonic(), os.times()
    process = subprocess.Popen(
        [sys.executable, "-m", "nemo_sdg", *arguments], cwd=code, env=environment(code),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    memory = Memory(process.pid)
    output, _ = process.communicate()
    end = time.monotonic()
    memory.ended.set()
    reap(0)
    after = os.times()
    if process.returncode:
        sys.stderr.write(output.decode()[-3000:])
        raise subprocess.CalledProcessError(process.returncode, arguments)
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"seconds": end - begin, "cpu": cpu, "rss": memory.peak(begin, end)}
