"""Runs an untrusted Python program with no network, no files but a scratch folder in memory, and limits on everything.

Namespaces do it: bubblewrap where it works, else unshare with pivot_root (util-linux).

    in:   the interpreter and its standard library read-only, /tmp (16 MB, in memory), an empty environment
    out:  network, home, the rest of the file system, other processes, devices
    limits: CPU time, wall time, memory, file size, open files, processes, output

Where neither works, a warning says so and the program is tied by its limits, a filter of system calls (no process,
socket or signal) and
Landlock (no file but the library, nothing written, no scratch folder either). `verify.sandbox=strict` refuses to run
anything then.
"""

import atexit
import base64
import contextlib
import functools
import json
import logging
import marshal
import os
import secrets
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nemo_sdg.config import Sandbox
from nemo_sdg.errors import MissingDependencyError

logger = logging.getLogger(__name__)

SCRATCH_BYTES = 16 << 20
MAX_OUTPUT = 4 << 20
"""Bytes of a reply; what is longer is none"""
WALL_FACTOR, WALL_SECONDS = 6.0, 5.0
"""Wall time is for programs that wait; it is far above the CPU time, so that a busy machine gives the same verdicts as
an idle one.
"""
MAX_THREADS = 32
ENVIRONMENT = ("PYTHONHASHSEED", "0")
"""All that a program finds in its environment beside PATH; without it the order of a set, and so some results, would
differ from run to run.
"""

INSIDE = "nemo_sdg.verify.inside"
MODULES = ("confine", "codec", "tests", "program", "tester")
"""What runs inside, in the order of imports. The program's own output goes nowhere; a program that ends its interpreter
gives no reply, so leaving with exit code 0 passes no test."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a job: its results, or why there are none (timeout | crashed)."""

    reply: Any = None
    failure: str | None = None


def _library_paths() -> list[str]:
    """What an interpreter needs: the system's shared libraries, the standard library, itself; nothing twice."""
    paths: list[str] = []
    for path in (
        "/usr",
        "/lib",
        "/lib64",
        "/bin",
        "/etc/ld.so.cache",
        sys.base_prefix,
        os.path.realpath(sys.executable),
    ):
        covered = any(path == known or path.startswith(known + "/") for known in paths)
        if Path(path).exists() and not covered:
            paths.append(path)
    return paths


@functools.cache
def _mount_point() -> str:
    """An empty folder for unshare to mount on; the mounts themselves are seen by the sandboxed process alone."""
    folder = tempfile.mkdtemp(prefix="nemo-sdg-sandbox-")
    atexit.register(_remove, folder, os.getpid())
    return folder


def _remove(folder: str, owner: int) -> None:
    if os.getpid() == owner:
        with contextlib.suppress(OSError):
            Path(folder).rmdir()


def _bubblewrap(python: list[str]) -> list[str]:
    command = [
        "bwrap",
        "--unshare-all",
        "--unshare-user",
        "--uid",
        "65534",
        "--gid",
        "65534",
        "--cap-drop",
        "ALL",
        "--die-with-parent",
        "--new-session",
        "--clearenv",
        "--setenv",
        *ENVIRONMENT,
    ]
    command += [
        "--hostname",
        "sandbox",
        "--proc",
        "/proc",
        "--remount-ro",
        "/proc",
        "--dev",
        "/dev",
        "--remount-ro",
        "/dev",
    ]
    for path in _library_paths():
        command += (
            ["--symlink", str(Path(path).readlink()), path] if Path(path).is_symlink() else ["--ro-bind", path, path]
        )
    return [
        *command,
        "--size",
        str(SCRATCH_BYTES),
        "--tmpfs",
        "/tmp",
        "--chdir",
        "/tmp",
        "--remount-ro",
        "/",
        "--",
        *python,
    ]


def _unshare(python: list[str]) -> list[str]:
    root = shlex.quote(_mount_point())
    steps = ["set -e", f"mount -t tmpfs -o size=1m,mode=755 root {root}", f"cd {root}", "mkdir -p old proc dev tmp"]
    for path in _library_paths():
        target = shlex.quote("." + path)
        if Path(path).is_symlink():
            steps.append(
                f"mkdir -p {shlex.quote('.' + str(Path(path).parent))}; ln -s "
                f"{shlex.quote(str(Path(path).readlink()))} {target}"
            )
        else:
            make = (
                f"mkdir -p {target}"
                if Path(path).is_dir()
                else f"mkdir -p {shlex.quote('.' + str(Path(path).parent))}; touch {target}"
            )
            steps.append(
                f"{make}; mount --rbind {shlex.quote(path)} {target}; mount -o remount,bind,ro,nosuid {target}"
            )
    steps += [
        "touch dev/null dev/urandom; mount --bind /dev/null dev/null; mount --bind /dev/urandom dev/urandom",
        # Read-only, since where the real user is root /proc/sys is that of the whole machine.
        "mount -t proc -o ro,nosuid,nodev,noexec proc proc",
        f"mount -t tmpfs -o size={SCRATCH_BYTES},mode=777 tmp tmp",
        "pivot_root . old; umount -l /old; rmdir /old; mount -o remount,bind,ro /; cd /tmp",
        "exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all " + shlex.join(python),
    ]
    # The children of a parent that is killed by SIGKILL go with it.
    return [
        "setpriv",
        "--pdeathsig",
        "KILL",
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "--pid",
        "--net",
        "--ipc",
        "--uts",
        "--fork",
        "--kill-child",
        "sh",
        "-c",
        "\n".join(steps),
    ]


def _limits_alone(python: list[str]) -> list[str]:
    return python


LIMITS_ALONE = "limits"
WRAPPERS: dict[str, tuple[str | None, Callable[[list[str]], list[str]]]] = {
    "bubblewrap": ("bwrap", _bubblewrap),
    "unshare": ("unshare", _unshare),
    LIMITS_ALONE: (None, _limits_alone),
}


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
        limits |= {"file": 0, "readable": [*_library_paths(), "/dev/null", "/dev/urandom"]}
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
    if start != -1 and len(output) < MAX_OUTPUT:
        with contextlib.suppress(ValueError):
            reply = json.loads(output[start + len(token) :])
            return Ran(failure=reply["failure"]) if reply["failure"] else Ran(reply=reply["results"])
    return Ran(
        failure="timeout" if timed_out or child.returncode in (-signal.SIGXCPU, 128 + signal.SIGXCPU) else "crashed"
    )


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
