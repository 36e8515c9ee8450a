"""Ties a process to its limits, a filter of system calls (seccomp) and, where no namespaces part it, Landlock."""

import ctypes
import os
import resource
import stat
import struct
from typing import Any


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split()))


# Numbers of system calls. Refused always: new processes, tracing, memory outside of the limit (memfd, System V and
# POSIX queues), kernel facilities that a program of this kind has no use for. Refused beside them where no namespaces
# part it from others: sockets, signals, new sessions and process groups, and the rights, owners, times and attributes
# of files, which Landlock leaves alone.
ALWAYS = {
    "x86_64": (
        57, 58, 59, 322, 308, 272, 101, 310, 311, 319, 447, 29, 64, 68, 240, 425, 321, 323, 298, 248, 250, 165,
        155, 161, 429, 430, 442,
    ),
    "aarch64": (
        281, 268, 97, 221, 117, 270, 271, 279, 447, 194, 190, 186, 180, 425, 280, 282, 241, 217, 219, 40, 41, 51,
        429, 430, 442,
    ),
}  # fmt: skip
ALONE = {
    "x86_64": (
        41, 62, 200, 234, 129, 297, 424, 302, 141, 203, 251, 440, 90, 91, 92, 93, 94, 268, 260, 452, 132, 235, 280,
        261, 188, 189, 190, 197, 198, 199,
    ),
    "aarch64": (
        198, 129, 130, 131, 138, 240, 424, 261, 140, 122, 30, 440, 52, 53, 54, 55, 452, 88, 5, 6, 7, 14, 15, 16,
    ),
}  # fmt: skip
CLONES = {"x86_64": (0xC000003E, 56, 435), "aarch64": (0xC00000B7, 220, 435)}
"""audit architecture, clone, clone3"""
CLONE_THREAD = 0x00010000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38


def _libc() -> Any:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    return libc


def forbid_system_calls(alone: bool) -> None:
    """A seccomp filter (man 2 seccomp): no new process, threads only. RLIMIT_NPROC alone does not hold where the real
    user is root.
    """
    machine = os.uname().machine
    architecture, clone, clone3 = CLONES[machine]
    allow, refuse, missing, kill = (
        0x7FFF0000,
        0x00050001,
        0x00050026,
        0x80000000,
    )  # EPERM; ENOSYS, on which libc falls back from clone3 to clone
    load, equal, any_bit, answer = 0x20, 0x15, 0x45, 0x06
    program = [(load, 0, 0, 4), (equal, 1, 0, architecture), (answer, 0, 0, kill), (load, 0, 0, 0)]
    program += [(0x35, 0, 1, 0x40000000), (answer, 0, 0, kill)]  # the x32 numbers
    program += [(equal, 0, 1, clone3), (answer, 0, 0, missing)]
    for number in ALWAYS[machine] + (ALONE[machine] if alone else ()):
        program += [(equal, 0, 1, number), (answer, 0, 0, refuse)]
    program += [
        (equal, 0, 3, clone),
        (load, 0, 0, 16),
        (any_bit, 1, 0, CLONE_THREAD),
        (answer, 0, 0, refuse),
        (answer, 0, 0, allow),
    ]
    packed = b"".join(struct.pack("HBBI", *step) for step in program)
    code = ctypes.create_string_buffer(packed, len(packed))
    filter_program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    libc = _libc()
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        PR_SET_SECCOMP, 2, ctypes.addressof(filter_program), 0, 0
    ):
        raise OSError(ctypes.get_errno(), "seccomp")


def forbid_files(readable: list[str]) -> None:
    """Nothing but `readable` can be opened, and nothing written (Landlock, man 7 landlock); no effect where the kernel
    has none.
    """
    libc = _libc()
    create, add, restrict = 444, 445, 446
    version = libc.syscall(create, None, 0, 1)
    if version < 1:
        return
    file_rights = (1 << (13 if version < 2 else 14 if version < 3 else 15)) - 1
    attributes = struct.pack("QQQ", file_rights, 0, 0)[: 8 if version < 4 else 16]
    ruleset = libc.syscall(create, attributes, len(attributes), 0)
    for path in readable:
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rights = 0b1101 if stat.S_ISDIR(os.fstat(folder).st_mode) else 0b101  # execute, read file, read folder
        libc.syscall(add, ruleset, 1, struct.pack("=Qi", rights, folder), 0)
        os.close(folder)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.syscall(restrict, ruleset, 0):
        raise OSError(ctypes.get_errno(), "landlock")
    os.close(ruleset)


def hide() -> None:
    """Closes memory and open files of this process to the other one, and gives up all capabilities."""
    libc = _libc()
    header, nothing = struct.pack("Ii", 0x20080522, 0), bytes(24)
    libc.capset(ctypes.create_string_buffer(header), ctypes.create_string_buffer(nothing))
    if libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def end_with_parent() -> None:
    _libc().prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)


def confine(limits: dict[str, Any]) -> None:
    """limits: cpu (s), memory, file (bytes), processes; `readable`, a list of paths, where no namespaces do it."""
    readable = limits.get("readable")
    if readable is not None:
        end_with_parent()
        forbid_files(readable)
    wanted = {
        "CPU": limits["cpu"],
        "AS": limits["memory"],
        "FSIZE": limits["file"],
        "NPROC": limits["processes"],
        "NOFILE": 64,
        "CORE": 0,
    }
    if readable is not None:
        del wanted[
            "NPROC"
        ]  # it counts all processes of the user, who here is a real one; the filter of system calls holds them
    for name, value in wanted.items():
        which = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(which)[1]
        soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # A program that is at its end of CPU time is told by a signal first, and killed a second later.
        resource.setrlimit(which, (soft, hard if hard == soft else soft + (name == "CPU")))
    forbid_system_calls(alone=readable is not None)
