"""A child process that compares expressions with math-verify and is killed when it takes too long.

math-verify's own time limit is a signal inside the interpreter: it does not interrupt a long computation in C, and
works in main threads only. Each process has one child. It starts when it is first needed (importing sympy takes 1 to
2 s), and starts again after a kill.
"""

import atexit
import contextlib
import functools
import json
import os
import select
import subprocess
import sys
import threading
from pathlib import Path

from nemo_sdg.errors import MissingDependencyError

CPU_SECONDS = 10.0
"""CPU time of the child for one comparison, so that a busy machine gives the same verdicts as an idle one. Comparisons
of real answers
take 5 to 50 ms; what runs into the limit counts as not equal."""
STARTUP_CPU_SECONDS = 60.0
POLL_SECONDS = 1.0
MEMORY_BYTES = 4 << 30

CHILD = Path(__file__).with_name("math_worker.py").read_text()


class Worker:
    """Talks JSON lines with one child."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.child: subprocess.Popen[bytes] | None = None
        self.owner = 0

    def _start(self) -> subprocess.Popen[bytes]:
        if self.child is None or self.owner != os.getpid() or self.child.poll() is not None:
            self.child = subprocess.Popen(
                [sys.executable, "-c", CHILD, str(CPU_SECONDS), str(MEMORY_BYTES)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self.owner = os.getpid()
            hello = self._read(STARTUP_CPU_SECONDS)
            if hello is None or "error" in hello:
                self.stop()
                raise MissingDependencyError(
                    "comparing mathematical answers needs math-verify: pip install math-verify "
                    f"({(hello or {}).get('error', 'no answer')})"
                )
        return self.child

    def _read(self, cpu_seconds: float) -> dict[str, object] | None:
        """The child's next line, or None when it has ended or used up its CPU time."""
        assert self.child is not None
        assert self.child.stdout is not None
        limit = self._cpu_used() + cpu_seconds
        poll = select.poll()
        poll.register(self.child.stdout, select.POLLIN)
        while not poll.poll(POLL_SECONDS * 1000):
            if self._cpu_used() > limit:
                return None
        line = self.child.stdout.readline()
        return json.loads(line) if line else None

    def _cpu_used(self) -> float:
        """CPU seconds of the child so far (man 5 proc, fields utime and stime)."""
        assert self.child is not None
        try:
            stat = Path(f"/proc/{self.child.pid}/stat").read_text()
        except OSError:
            return 0.0
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def equal(self, a: str, b: str) -> bool:
        with self.lock:
            try:
                self._ask(a, b)
            except BrokenPipeError:  # it has died between two comparisons
                self.stop()
                self._ask(a, b)
            reply = self._read(CPU_SECONDS)
            if reply is None:
                self.stop()
                return False
            return bool(reply["equal"])

    def _ask(self, a: str, b: str) -> None:
        child = self._start()
        assert child.stdin is not None
        child.stdin.write(json.dumps([a, b]).encode() + b"\n")
        child.stdin.flush()

    def stop(self) -> None:
        if self.child is not None and self.owner == os.getpid():
            with contextlib.suppress(ProcessLookupError):
                self.child.kill()
            self.child.wait()
            for stream in (self.child.stdin, self.child.stdout):
                if stream is not None:
                    with contextlib.suppress(BrokenPipeError):
                        stream.close()
        self.child = None


_worker = Worker()
atexit.register(_worker.stop)


@functools.lru_cache(maxsize=1 << 14)
def math_verify_equal(a: str, b: str) -> bool:
    """Whether math-verify holds two expressions for equal; False when it cannot read one of them or does not end in
    CPU_SECONDS.
    """
    if not a.strip() or not b.strip() or len(a) > 2000 or len(b) > 2000:
        return False
    return _worker.equal(a, b)
