"""Runs an untrusted Python program with no network, no files but a scratch folder in memory, and limits on everything.

Namespaces do it: bubblewrap where it works, else unshare with pivot_root (util-linux).

    in:   the interpreter and its standard library read-only, /tmp (16 MB, in memory), an empty environment
    out:  network, home, the rest of the file system, other processes, devices
    limits: CPU time, wall time, memory, file size, open files, processes, output

Where neither works, a warning says so and the program is tied by its limits, a filter of system calls (no process,
socket or signal) and Landlock (no file but the library, nothing written, no scratch folder either).
`verify.sandbox=strict` refuses to run anything then.
"""

import base64
import contextlib
import functools
import json
import logging
import marshal
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.config import Sandbox
from nemo_sdg.errors import MissingDependencyError
from nemo_sdg.verify.wrappers import ENVIRONMENT, LIMITS_ALONE, SCRATCH_BYTES, WRAPPERS, library_paths

logger = logging.getLogger(__name__)

MAX_OUTPUT = 4 << 20
"""Bytes of a reply; what is longer is none"""
WALL_FACTOR, WALL_SECONDS = 6.0, 5.0
"""Wall time is for programs that wait; it is far above the CPU time, so that a busy machine gives the same verdicts as
an idle one.
"""
MAX_THREADS = 32
FAILURES = ("timeout", "crashed")
"""why a job has no results"""

INSIDE = "nemo_sdg.verify.inside"
MODULES = ("confine", "codec", "tests", "program", "tester")
"""What runs inside, in the order of imports. The program's own output goes nowhere; a program that ends its interpreter
gives no reply, so leaving with exit code 0 passes no test."""


@dataclass(frozen=True, slots=True)
class Ran:
    """The outcome of a job: its results, or why there are none (timeout | crashed)."""

    reply: Any = None
    failure: str | None = None


@functools.cache
def bundle() -> str:
    """Source of a program that makes the modules of `inside`, compiled by this interpreter, and starts the tester."""
    folder = Path(__file__).with_name("inside")
    codes = [
        (f"{INSIDE}.{name}", marshal.dumps(compile((folder / f"{name}.py").read_text(), f"{name}.py", "exec")))
        for name in MODULES
    ]
    packed = base64.b85encode(zlib.compress(marshal.dumps(codes))).decode()
    return (
        "import base64, marshal, sys, zlib\n"
        f"for name in ('nemo_sdg', 'nemo_sdg.verify', {INSIDE!r}): sys.modules[name] = type(sys)(name)\n"
        f"for name, code in marshal.loads(zlib.decompress(base64.b85decode({packed!r}))):\n"
        "    module = sys.modules[name] = type(sys)(name)\n"
        f"    setattr(sys.modules[{INSIDE!r}], name.rpartition('.')[2], module)\n"
        "    exec(marshal.loads(code), module.__dict__)\n"
        "module.main()\n"
    )


@functools.cache
def _command(wrapper: str) -> list[str]:
    return WRAPPERS[wrapper][1]([os.path.realpath(sys.executable), "-s", "-P", "-S", "-B", "-c", bundle()])


@functools.cache
def available(mode: Sandbox = Sandbox.auto) -> str:
    """Name of the first wrapper that works here. Raises MissingDependencyError where none does, or limits alone would
    under `strict`.
    """
    seen: list[str] = []
    for name, (program, _) in WRAPPERS.items():
        if program is None:
            if mode is Sandbox.strict:
                continue
            logger.warning(
                "generated code runs without namespaces, tied by limits, seccomp and Landlock: %s; install bubblewrap",
                "; ".join(seen),
            )
            program = sys.executable
        if shutil.which(program) is None:
            seen.append(f"{program} is not installed")
            continue
        ran = _run(name, {"program": "answer = 42", "calls": ["answer"]}, cpu_seconds=10.0, memory_mb=256)
        if ran.reply is not None:
            return name
        seen.append(f"{program} does not work here ({ran.failure})")
    raise MissingDependencyError(
        f"generated code runs only in a sandbox: {'; '.join(seen)}; install bubblewrap and allow user "
        "namespaces, or leave tasks of kind code out of seeds.tasks"
    )


def run(job: dict[str, Any], *, cpu_seconds: float, memory_mb: int, mode: Sandbox = Sandbox.auto) -> Ran:
    """Runs a job in the sandbox: {"program", "tests"} gives passed, failed or unsupported for each test, {"program",
    "calls"} a pair (canonical text, literal) or None for each call.
    """
    return _run(available(mode), job, cpu_seconds=cpu_seconds, memory_mb=memory_mb)


def _run(wrapper: str, job: dict[str, Any], *, cpu_seconds: float, memory_mb: int) -> Ran:
    token = secrets.token_hex(16)
    limits: dict[str, Any] = {
        "cpu": max(1, round(cpu_seconds)),
        "memory": memory_mb << 20,
        "file": SCRATCH_BYTES,
        "processes": MAX_THREADS,
    }
    if wrapper == LIMITS_ALONE:
        limits |= {"file": 0, "readable": [*library_paths(), "/dev/null", "/dev/urandom"]}
    order = json.dumps({**job, "token": token, "limits": limits}).encode()
    child = subprocess.Popen(
        _command(wrapper),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", ENVIRONMENT[0]: ENVIRONMENT[1]},
        cwd="/",
        start_new_session=True,
    )
    deadline = time.monotonic() + WALL_FACTOR * cpu_seconds + WALL_SECONDS
    try:
        output, timed_out = _talk(child, order, deadline)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
    start = output.rfind(token.encode())
    if start != -1 and len(output) < MAX_OUTPUT and (ran := _read_reply(output[start + len(token) :])) is not None:
        return ran
    return Ran(
        failure="timeout" if timed_out or child.returncode in (-signal.SIGXCPU, 128 + signal.SIGXCPU) else "crashed"
    )


def _read_reply(data: bytes) -> Ran | None:
    """What the tester says, or None where it is no reply: a test runs in the tester's process, and a row's test or a
    writer's call may write there itself. orjson refuses what is nested too deeply.
    """
    try:
        reply = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(reply, dict) or not isinstance(reply.get("results"), list):
        return None
    failure = reply.get("failure")
    return Ran(failure=failure) if failure in FAILURES else Ran(reply=reply["results"]) if failure is None else None


def _talk(child: "subprocess.Popen[bytes]", order: bytes, deadline: float) -> tuple[bytes, bool]:
    """Writes the order, reads at most MAX_OUTPUT bytes until the end of the output or the deadline."""
    assert child.stdin is not None
    assert child.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        child.stdin.write(order)
        child.stdin.close()
    output = bytearray()
    poll = select.poll()
    poll.register(child.stdout, select.POLLIN)
    while len(output) < MAX_OUTPUT:
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return bytes(output), True
        chunk = os.read(child.stdout.fileno(), 65536)
        if not chunk:
            break
        output += chunk
    if len(output) < MAX_OUTPUT:
        try:
            child.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return bytes(output), True
    return bytes(output), False
