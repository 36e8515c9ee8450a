"""Runs inside the sandbox: reads a job from stdin, runs a program, then its tests or calls, and replies after the
job's token.

    {"program": "def f(x): return x + 1", "tests": ["assert f(1) == 2"]}   -> [true]
    {"program": "def f(x): return x + 1", "calls": ["f(1)"]}               -> [["2", "2"]]   (canonical, literal; null where there is none)

A test passes when it raises nothing. The program cannot make that easy for itself: in comparisons both sides must be
values of Python's own
types, since an object can claim to equal everything, and tests see Python's own builtins whatever the program has put
in their place.
A call has a result when it gives the same one twice. Standard library only: this file is handed to a bare interpreter
as text.
"""

import ast
import builtins
import collections
import ctypes
import json
import math
import os
import resource
import stat
import struct
import sys
from typing import Any

SCALARS = {int, float, complex, str, bytes, bytearray, bool, type(None), range, slice, type(...)}
SEQUENCES = {list, tuple, set, frozenset, collections.deque}
MAPPINGS = {dict, collections.Counter, collections.OrderedDict, collections.defaultdict}
LAZY = {
    "decimal": ("Decimal",),
    "fractions": ("Fraction",),
    "datetime": ("date", "datetime", "time", "timedelta", "timezone"),
}
"""Types that are known only where a program names their module: importing them takes longer than most programs."""
BUILTINS = dict(vars(builtins))


def honest(value: Any, depth: int = 0) -> bool:
    """Whether a value and all that it holds are of Python's own types, which compare truthfully."""
    kind = type(value)
    if kind in SCALARS:
        return True
    if depth > 20:
        return False
    if kind in MAPPINGS:
        return all(honest(key, depth + 1) and honest(item, depth + 1) for key, item in value.items())
    return kind in SEQUENCES and all(honest(item, depth + 1) for item in value)


def check(value: Any) -> Any:
    assert honest(value), "a value of a type that the program defines"
    return value


def checked(side: ast.expr) -> ast.expr:
    return (
        side
        if isinstance(side, ast.Constant)
        else ast.Call(func=ast.Name(id="__check__", ctx=ast.Load()), args=[side], keywords=[])
    )


class Checked(ast.NodeTransformer):
    """Passes every side of a comparison through `check`."""

    def visit_Compare(self, node: ast.Compare) -> ast.Compare:
        self.generic_visit(node)
        node.left, *node.comparators = map(checked, (node.left, *node.comparators))
        return node


def prepare(test: str) -> Any:
    """(compiled test, names that it uses), or None where it is no Python; before the program runs, which could change
    `ast`.
    """
    try:
        tree = ast.parse(test.strip())
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        return compile(ast.fix_missing_locations(Checked().visit(tree)), "test", "exec"), used
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def passes(test: Any, names: dict[str, Any], set_up: dict[str, Any]) -> bool:
    """Whether a test raises nothing; names that it sets go into `set_up`, for the tests after it."""
    if test is None:
        return False
    compiled, used = test
    # A program may define `sum` where that is the function under test, and not where the test only uses it.
    if any(name in names and name not in BUILTINS for name in used):
        names = {name: value for name, value in names.items() if name not in BUILTINS}
    # A test may use a module, `math.isclose(…)`, that a right program has no need for.
    modules = {
        name: __import__(name)
        for name in used
        if name not in names and name in ("math", "sys", "re", "collections", "itertools")
    }
    scope = {**modules, **names, **set_up, "__builtins__": BUILTINS, "__check__": check}
    before = dict(scope)
    try:
        exec(compiled, scope)
    except BaseException:  # SystemExit and KeyboardInterrupt of a program are failures too
        return False
    set_up.update({name: value for name, value in scope.items() if name not in before or before[name] is not value})
    return True


def canonical(value: Any) -> str:
    """One text for equal values: floats to 9 digits and 2.0 as 2, sets and dicts in order; raises TypeError for what
    is no literal.
    """
    kind = type(value)
    if kind is float and math.isfinite(value):
        value = float(f"{value:.9g}")
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if kind is bool:
        return str(int(value))
    if kind in (int, complex, str, bytes, type(None)):
        return repr(value)
    if kind in (list, tuple):
        return f"{kind.__name__}({', '.join(map(canonical, value))})"
    if kind in (set, frozenset):
        return f"set({', '.join(sorted(map(canonical, value)))})"
    if kind in MAPPINGS:
        return f"dict({', '.join(sorted(f'{canonical(key)}: {canonical(item)}' for key, item in value.items()))})"
    raise TypeError(kind)


def literal(value: Any) -> str:
    """Python source of a value that `canonical` takes."""
    kind = type(value)
    if kind in (set, frozenset):
        return "{" + ", ".join(sorted(map(literal, value))) + "}" if value else "set()"
    if kind is list:
        return f"[{', '.join(map(literal, value))}]"
    if kind is tuple:
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if kind in MAPPINGS:
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    return repr(value)


def outcome(call: Any, names: dict[str, Any]) -> list[str] | None:
    try:
        first, second = (eval(call, dict(names)) for _ in range(2))
        shown = canonical(first)
        return [shown, literal(first)] if shown == canonical(second) else None
    except BaseException:
        return None


def compiled_call(call: str) -> Any:
    try:
        return compile(call, "call", "eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def own_builtins() -> Any:
    """A copy of builtins for the program, under that name: what it changes there changes nothing here."""
    copy = type(sys)("builtins")
    copy.__dict__.update(BUILTINS)
    sys.modules["builtins"] = copy
    return copy


# Numbers of system calls. Refused always: new processes, tracing, memory outside of the limit (memfd, System V and
# POSIX queues), kernel facilities
# that a program of this kind has no use for. Refused beside them where no namespaces part it from others: sockets,
# signals, and the
# rights, owners, times and attributes of files, which Landlock leaves alone.
ALWAYS = {
    "x86_64": (
        57,
        58,
        59,
        322,
        308,
        272,
        101,
        310,
        311,
        319,
        447,
        29,
        64,
        68,
        240,
        425,
        321,
        323,
        298,
        248,
        250,
        165,
        155,
        161,
        429,
        430,
        442,
    ),
    "aarch64": (
        281,
        268,
        97,
        221,
        117,
        270,
        271,
        279,
        447,
        194,
        190,
        186,
        180,
        425,
        280,
        282,
        241,
        217,
        219,
        40,
        41,
        51,
        429,
        430,
        442,
    ),
}
ALONE = {
    "x86_64": (
        41,
        62,
        200,
        234,
        129,
        297,
        424,
        302,
        141,
        203,
        251,
        440,
        90,
        91,
        92,
        93,
        94,
        268,
        260,
        452,
        132,
        235,
        280,
        261,
        188,
        189,
        190,
        197,
        198,
        199,
    ),
    "aarch64": (
        198,
        129,
        130,
        131,
        138,
        240,
        424,
        261,
        140,
        122,
        30,
        440,
        52,
        53,
        54,
        55,
        452,
        88,
        5,
        6,
        7,
        14,
        15,
        16,
    ),
}
CLONES = {"x86_64": (0xC000003E, 56, 435), "aarch64": (0xC00000B7, 220, 435)}
"""audit architecture, clone, clone3"""
CLONE_THREAD = 0x00010000
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38


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


def confine(limits: dict[str, Any]) -> None:
    """limits: cpu (s), memory, file (bytes), processes; `readable`, a list of paths, where no namespaces do it."""
    readable = limits.get("readable")
    if readable is not None:
        _libc().prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)
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


def main() -> None:
    job = json.loads(sys.stdin.read())
    token, limits = job.pop("token"), job.pop("limits")
    program, tests, calls = job["program"], job.get("tests"), job.get("calls")
    for module, types in LAZY.items():
        if module in program:
            SCALARS.update(getattr(__import__(module), name) for name in types)
    prepared = [prepare(test) for test in tests] if tests is not None else [compiled_call(call) for call in calls]
    out = os.dup(1)
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    confine(limits)
    # Bound before the program can put something else in their place.
    write, leave, encode, passed, result = os.write, os._exit, json.JSONEncoder().encode, passes, outcome
    names = {"__name__": "program", "__builtins__": own_builtins()}
    sys.modules["__main__"] = type(sys)("program")
    try:
        exec(compile(program, "program", "exec"), names)
    except BaseException:
        reply: list[Any] = [False if tests is not None else None] * len(prepared)
    else:
        set_up: dict[str, Any] = {}
        reply = [passed(test, names, set_up) if tests is not None else result(test, names) for test in prepared]
    write(out, token.encode() + encode(reply).encode())
    leave(0)


if __name__ == "__main__":
    main()
