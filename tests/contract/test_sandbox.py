"""Untrusted programs in the real namespaces of this machine, with each wrapper that works here."""

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nemo_sdg.config import Sandbox, VerifySection
from nemo_sdg.errors import MissingDependencyError
from nemo_sdg.execution.processes import quiet_libraries
from nemo_sdg.verify import programs as code
from nemo_sdg.verify import sandbox

CONFIG = VerifySection(code_timeout=2.0, code_memory_mb=256)


@pytest.fixture(params=sorted(sandbox.WRAPPERS))
def wrapper(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name: str = request.param
    program = sandbox.WRAPPERS[name][0]
    if program is not None and shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    monkeypatch.setattr(sandbox, "available", lambda mode: name)
    ran = sandbox.run({"program": "", "calls": ["1"]}, cpu_seconds=5, memory_mb=256)
    if ran.reply is None:
        pytest.skip(f"{program} does not work on this machine ({ran.failure})")
    return name


def value(program: str, call: str) -> str | None:
    """The literal that a call gives inside the sandbox."""
    results = code.run_calls(program, [call], CONFIG)
    return results[0][1] if results else None


def umask() -> int:
    old = os.umask(0)
    os.umask(old)
    return old


def test_programs_are_told_right_from_wrong(wrapper: str) -> None:
    tests = ["assert f(1) == 2", "assert f(2) == 4", "assert f(3) == 7"]
    assert code.run_tests("def f(x):\n    return 2 * x", tests, CONFIG) == ([True, True, False], None)
    assert code.run_tests("def f(x): return", tests, CONFIG) == ([False] * 3, None)
    assert code.run_tests("def f(x", tests, CONFIG) == ([False] * 3, None)


def test_the_same_program_is_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    real = code.run_tests
    monkeypatch.setattr(
        code, "run_tests", lambda program, tests, config: ran.append(program) or real(program, tests, config)
    )
    right, wrong = "def f(x): return x", "def f(x): return 0"
    assert code.outcomes([right, wrong, None, right, "def f("], ["assert f(1) == 1"], CONFIG) == [
        "passed",
        "failed",
        "failed",
        "passed",
        "failed",
    ]
    assert ran == [right, wrong]


def test_more_open_files_than_select_can_hold_do_not_matter() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] < 2048:
        pytest.skip(f"this user may open {before[1]} files at most")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2048, before[1]))
    opened = [os.dup(1) for _ in range(1100)]
    try:
        assert code.run_tests("def f(x): return x", ["assert f(1) == 1"], CONFIG)[0] == [True]
    finally:
        for descriptor in opened:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_standard_library_is_there_and_nothing_else(wrapper: str) -> None:
    assert (
        value(
            "import re, math, collections, heapq, itertools, datetime, json, decimal\ndef f(): return math.gcd(12, 18)",
            "f()",
        )
        == "6"
    )
    assert (
        value("def f():\n    try:\n        import orjson\n    except ImportError:\n        return 'none'", "f()")
        == "'none'"
    )


def test_no_network(wrapper: str) -> None:
    program = """
import socket
def f():
    out = []
    hosts = [(socket.AF_INET, ("127.0.0.1", 22)), (socket.AF_INET, ("1.1.1.1", 53))]
    for family, address in [*hosts, (socket.AF_UNIX, "/var/run/docker.sock")]:
        try:
            s = socket.socket(family)
            s.settimeout(1)
            s.connect(address)
            out.append("connected")
        except OSError:
            out.append("refused")
    return out
"""
    assert value(program, "f()") == "['refused', 'refused', 'refused']"
    interfaces = """
import socket
def f():
    try:
        return [name for _, name in socket.if_nameindex() if name != 'lo']
    except OSError:
        return []
"""
    assert value(interfaces, "f()") == "[]"


def test_the_file_system_outside_is_not_there(wrapper: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("hidden")
    home = Path.home()
    reads = """
import os
def f(path):
    try:
        return open(path).read()
    except OSError:
        return "refused"
def names(path):
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []
"""
    assert value(reads, f"f({str(secret)!r})") == "'refused'"
    for path in (
        "/etc/passwd",
        "/etc/shadow",
        f"/proc/{os.getpid()}/environ",
        str(Path("/proc/1/root") / "etc/passwd"),
        str(home / ".bashrc"),
        str(Path.cwd() / "pyproject.toml"),
    ):
        assert value(reads, f"f({path!r})") == "'refused'", path
    assert (
        value(
            reads,
            f"len([n for n in names({str(home)!r}) if not {sys.base_prefix!r}.startswith({str(home)!r} + '/' + n)])",
        )
        == "0"
    )


def test_nothing_can_be_written_outside_the_scratch_folder(wrapper: str, tmp_path: Path) -> None:
    program = """
import os
def write(path):
    try:
        with open(path, "w") as handle:
            handle.write("x")
        return "written"
    except OSError:
        return "refused"
def link(path):
    try:
        os.symlink(path, "/tmp/link")
    except OSError:
        return "refused"
    return write("/tmp/link/file")
"""
    assert value(program, "write('/tmp/scratch')") == ("'refused'" if wrapper == sandbox.LIMITS_ALONE else "'written'")
    for path in (
        "/x",
        "/usr/lib/x",
        f"{sys.base_prefix}/x",
        f"{sys.base_prefix}/lib/x",
        str(tmp_path / "x"),
        "/dev/x",
        "/dev/shm/x",
        "/proc/sys/kernel/hostname",
    ):
        assert value(program, f"write({path!r})") == "'refused'", path
    assert value(program, f"link({str(tmp_path)!r})") == "'refused'"
    assert list(tmp_path.iterdir()) == []
    assert not Path("/tmp/scratch").exists()
    kept = tmp_path / "kept"
    kept.write_text("x")
    for change in (
        "os.unlink({0!r})",
        "os.truncate({0!r}, 0)",
        "os.rename({0!r}, {0!r} + 'y')",
        "os.chmod({0!r}, 0)",
        "os.link({0!r}, '/tmp/y')",
        "open({0!r}, 'w')",
    ):
        value(f"import os\ndef f():\n    {change.format(str(kept))}", "f()")
    assert kept.read_text() == "x"
    assert kept.stat().st_mode & 0o777 == 0o644 & ~umask()


def test_scratch_and_memory_are_bounded(wrapper: str) -> None:
    fill = """
def f():
    written = 0
    try:
        with open("/tmp/big", "wb") as handle:
            for _ in range(64):
                written += handle.write(bytes(1 << 20))
                handle.flush()
    except OSError:
        pass
    return written < 20 << 20
"""
    assert value(fill, "f()") == "True"
    assert (
        value(
            (
                "def f():\n    try:\n        return len(bytearray(1 << 30))\n    except MemoryError:\n        "
                "return 'refused'"
            ),
            "f()",
        )
        == "'refused'"
    )


def test_the_environment_is_empty_of_ours(wrapper: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEMO_SDG_API_KEY", "s3cret")
    assert (
        value(
            (
                "import os\ndef f(): return [v for v in os.environ.values() if 's3cret' in v], "
                "'NEMO_SDG_API_KEY' in os.environ"
            ),
            "f()",
        )
        == "([], False)"
    )


def test_no_new_processes(wrapper: str) -> None:
    program = """
import os, subprocess
def f():
    out = []
    id = "/usr/bin/id"
    spawn = lambda: os.posix_spawn(id, ["id"], {})
    for start in (os.fork, lambda: subprocess.run([id]), spawn, lambda: os.execv(id, ["id"])):
        try:
            start()
            out.append("started")
        except OSError:
            out.append("refused")
    return out
"""
    assert value(program, "f()") == str(["refused"] * 4)
    assert (
        value(
            (
                "import threading\ndef f():\n    out = []\n    t = threading.Thread(target=out.append, "
                "args=(1,)); t.start(); t.join()\n    return out"
            ),
            "f()",
        )
        == "[1]"
    )


def test_signals_reach_nobody_outside(wrapper: str) -> None:
    bystander = subprocess.Popen(["sleep", "600"])
    try:
        program = f"""
import os, signal
def f():
    for process in ({bystander.pid}, {os.getpid()}, -1):
        try:
            os.kill(process, signal.SIGKILL)
        except OSError:
            pass
    return "alive"
"""
        value(program, "f()")
        value("import os, signal\ndef f(): os.kill(os.getppid(), signal.SIGKILL)", "f()")
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_cpu_time_ends_and_ignoring_the_signal_does_not_help(wrapper: str) -> None:
    ran = sandbox.run(
        {"program": "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass", "calls": ["1"]},
        cpu_seconds=1,
        memory_mb=256,
    )
    assert ran.reply is None
    assert ran.failure in ("timeout", "crashed")


def test_waiting_ends_too(wrapper: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "WALL_SECONDS", 0.5)
    monkeypatch.setattr(sandbox, "WALL_FACTOR", 0.0)
    assert sandbox.run(
        {"program": "import time\ntime.sleep(10**6)", "calls": ["1"]}, cpu_seconds=1, memory_mb=256
    ) == sandbox.Ran(failure="timeout")


@pytest.mark.parametrize(
    "program",
    [
        "import sys\nsys.exit(0)",
        "import os\nos._exit(0)",
        "raise SystemExit",
        "def f(x):\n    raise SystemExit(0)",
        "def f(x):\n    import os\n    os._exit(0)",
        (
            "class Yes:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return "
            "False\ndef f(x): return Yes()"
        ),
        (
            "class Int(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\ndef f(x): "
            "return Int(0)"
        ),
        "class Yes:\n    def __eq__(self, other): return True\ndef f(x): return [Yes()]",
        "import builtins\nbuiltins.AssertionError = ZeroDivisionError\ndef f(x): return 3",
        "from unittest.mock import ANY\ndef f(x): return ANY",
        "class Yes:\n    __module__ = 'builtins'\n    def __eq__(self, other): return True\ndef f(x): return Yes()",
        (
            "import builtins\nbuiltins.isinstance = builtins.all = lambda *a: True\nclass Yes:\n    def "
            "__eq__(self, other): return True\ndef f(x): return [Yes()]"
        ),
        "import __main__\n__main__.honest = __main__.passes = lambda *a: True\ndef f(x): return 3",
        (
            "import os, json\nreal = os.write\nos.write = lambda d, b: real(d, b.replace(b'false', "
            "b'true'))\njson.dumps = lambda v: '[true]'\ndef f(x): return 3"
        ),
        "import ast\nast.parse = lambda *a: None\ndef f(x): return 3",
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(x): return f(x)",
        "def f(x):\n    while True: pass",
        "def f(x):\n    yield 2",
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        "import atexit, os\natexit.register(os._exit, 0)\ndef f(x): return 3",
        (
            "import os\nfor d in range(3, 64):\n    try:\n        os.write(d, b'[true]')\n    except "
            "OSError:\n        pass\ndef f(x): return 3"
        ),
        "def f(x):\n    print('[true]' * 10)\n    return 3",
        (
            "import os\ndef f(x):\n    while True:\n        for d in range(3, 64):\n            try:\n         "
            "       os.write(d, b'x' * 65536)\n            except OSError:\n                pass"
        ),
    ],
)
def test_cheats_pass_no_test(program: str) -> None:
    passed, _ = code.run_tests(program, ["assert f(1) == 2"], CONFIG)
    assert passed == [False]


@pytest.mark.parametrize(
    ("program", "test"),
    [
        ("def set(x): return 1\ndef f(x): return 3", "assert set(f(1)) == set([2])"),
        ("abs = lambda x: 0\ndef f(x): return 3.0", "assert abs(f(1) - 2.0) < 0.1"),
        ("import builtins\nbuiltins.sorted = lambda x: 1\ndef f(x): return [3]", "assert sorted(f(1)) == sorted([2])"),
        ("class Yes:\n    def __eq__(self, other): return True\ndef f(x): return Yes()", "assert 2 == f(1)"),
        (
            (
                "class Yes:\n    def __lt__(self, other): return True\n    def __gt__(self, other): return "
                "True\ndef f(x): return Yes()"
            ),
            "assert 1 < f(1) < 3",
        ),
        ("def f(x): return 3", "f(1) == ="),
    ],
)
def test_a_program_does_not_change_what_its_test_means(program: str, test: str) -> None:
    assert code.run_tests(program, [test], CONFIG) == ([False], None)


@pytest.mark.parametrize(
    ("program", "test"),
    [
        ("def sum(a, b): return a + b + 1", "assert sum(1, 2) == 4"),
        ("def f(x): return x / 3", "assert math.isclose(f(1), 0.3333, abs_tol=0.001)"),
        ("from collections import Counter\ndef f(x): return Counter(x)", "assert f('aab') == {'a': 2, 'b': 1}"),
        ("from decimal import Decimal\ndef f(x): return Decimal(x)", "assert f('1.5') == 1.5"),
        ("import datetime\ndef f(y): return datetime.date(y, 1, 1)", "assert f(2000).isoformat() == '2000-01-01'"),
        ("class P:\n    def __init__(self, a): self.a = a\ndef f(p): return p.a", "assert f(P(2)) == 2"),
        ("def f(x):\n    print('noise' * 100000)\n    return x", "assert f(1) == 1"),
        ("def f(x): return x\nif __name__ == '__main__':\n    input()", "assert f(1) == 1"),
    ],
)
def test_right_programs_pass_whatever_their_style(program: str, test: str) -> None:
    assert code.run_tests(program, [test], CONFIG) == ([True], None)


def test_what_a_test_sets_up_is_there_for_the_next() -> None:
    program = (
        "class Node:\n    def __init__(self, data): self.data, self.left = data, None\ndef height(n): return 0 "
        "if n is None else 1 + height(n.left)"
    )
    tests = [
        "root = Node(1)\nroot.left = Node(2)",
        "assert (height(root)) == 2",
        "other = Node(1)\nassert height(other) == 1",
        "assert height(other.left) == 1",
    ]
    assert code.run_tests(program, tests, CONFIG)[0] == [True, True, True, False]


def test_memory_beside_the_address_space_is_refused(wrapper: str) -> None:
    program = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def f():
    out = []
    try:
        os.memfd_create("x")
        out.append("made")
    except OSError:
        out.append("refused")
    out.append("refused" if libc.shmget(0, 1 << 20, 0o1600) == -1 else "made")
    return out
"""
    assert value(program, "f()") == "['refused', 'refused']"


def test_a_killed_parent_takes_its_programs_with_it(wrapper: str) -> None:
    mark = f"kept-alive-{os.getpid()}-{wrapper}"
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"from nemo_sdg.verify import sandbox; sandbox.available = lambda mode: {wrapper!r}\n"
            f"sandbox.run({{'program': 'import time\\ntime.sleep(600)  # {mark}', 'calls': ['1']}}, "
            "cpu_seconds=100, memory_mb=256)",
        ]
    )
    try:
        wait_until(
            lambda: any(
                name.startswith("python") and state == "S"
                for name, state in map(name_and_state, descendants(parent.pid))
            )
        )
        running = descendants(parent.pid)
    finally:
        parent.kill()
        parent.wait()
    assert running
    wait_until(lambda: all(name_and_state(pid)[1] in ("", "Z") for pid in running))


def name_and_state(pid: int) -> tuple[str, str]:
    try:
        head, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    except OSError:
        return "", ""
    return head.split("(", 1)[1], rest.split()[0]


def descendants(pid: int) -> list[int]:
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return children + [grandchild for child in children for grandchild in descendants(child)]


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("did not happen within a minute")


def test_what_changes_from_run_to_run_is_no_result(wrapper: str) -> None:
    assert code.run_calls("import random\ndef f(): return random.random()", ["f()"], CONFIG) is None
    assert code.run_calls("n = [0]\ndef f():\n    n[0] += 1\n    return n[0]", ["f()"], CONFIG) is None
    words = "def f(): return list({'a', 'b', 'c', 'd', 'e', 'f', 'g'})"
    assert len({value(words, "f()") for _ in range(3)}) == 1


def test_results_are_canonical_and_literals(wrapper: str) -> None:
    program = "def f(): return {3, 1, 2}, {'b': 1.0000000001, 'a': (None,)}, [True, b'x']"
    results = code.run_calls(program, ["f()"], CONFIG)
    assert results == [
        (
            "tuple(set(1, 2, 3), dict('a': tuple(None), 'b': 1), list(1, b'x'))",
            "({1, 2, 3}, {'b': 1.0000000001, 'a': (None,)}, [True, b'x'])",
        )
    ]
    assert code.run_calls("def f(): return object()", ["f()"], CONFIG) is None
    assert code.run_calls("def f(): return float('nan')", ["f()"], CONFIG) is None, (
        "nan == nan is false: no test can ask for it"
    )
    whole, point = (code.run_calls(f"def f(): return {text}", ["f()"], CONFIG) for text in ("[2, True]", "[2.0, 1]"))
    assert whole is not None
    assert point is not None
    assert whole[0][0] == point[0][0], "equal for Python"
    assert code.run_calls("def f(): return f", ["f()"], CONFIG) is None


@pytest.fixture
def no_wrapper(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    sandbox.available.cache_clear()
    monkeypatch.setattr(shutil, "which", lambda program: sys.executable if program == sys.executable else None)
    yield
    sandbox.available.cache_clear()


@pytest.mark.usefixtures("no_wrapper")
def test_strict_runs_nothing_without_namespaces_and_says_what_to_install(tmp_path: Path) -> None:
    config = VerifySection(sandbox=Sandbox.strict)
    with pytest.raises(
        MissingDependencyError, match=r"bwrap is not installed; unshare is not installed; install bubblewrap"
    ):
        code.run_tests(f"open({str(tmp_path / 'ran')!r}, 'w')", ["assert True"], config)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_wrapper")
def test_without_namespaces_limits_alone_are_taken_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    quiet_libraries()  # as every run does: the project's own warnings must still be seen
    assert code.run_tests("def f(x): return x", ["assert f(1) == 1"], CONFIG) == ([True], None)
    assert sandbox.available() == sandbox.LIMITS_ALONE
    assert [record.getMessage() for record in caplog.records if "without namespaces" in record.getMessage()]
