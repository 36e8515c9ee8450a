"""Untrusted programs against the real namespaces of this machine, by each wrapper that works here."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nemo_sdg.config import VerifySection
from nemo_sdg.errors import MissingDependencyError
from nemo_sdg.verify import code, sandbox

CONFIG = VerifySection(code_timeout=2.0, code_memory_mb=256)


@pytest.fixture(params=sorted(sandbox.WRAPPERS))
def wrapper(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name: str = request.param
    program = sandbox.WRAPPERS[name][0]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    ran = sandbox.run({"program": "", "calls": ["1"]}, cpu_seconds=5, memory_mb=256, wrapper=name)
    if ran.reply is None:
        pytest.skip(f"{program} does not work on this machine ({ran.failure})")
    monkeypatch.setattr(sandbox, "available", lambda: name)
    return name


def value(program: str, call: str) -> str | None:
    """The literal that a call gives inside the sandbox."""
    results = code.run_calls(program, [call], CONFIG)
    return results[0][1] if results else None


def test_programs_are_told_right_from_wrong(wrapper: str) -> None:
    tests = ["assert f(1) == 2", "assert f(2) == 4", "assert f(3) == 7"]
    assert code.run_tests("def f(x):\n    return 2 * x", tests, CONFIG) == ([True, True, False], None)
    assert code.run_tests("def f(x): return", tests, CONFIG) == ([False] * 3, None)
    assert code.run_tests("def f(x", tests, CONFIG) == ([False] * 3, None)


def test_the_standard_library_is_there_and_nothing_else(wrapper: str) -> None:
    assert value("import re, math, collections, heapq, itertools, datetime, json, decimal\ndef f(): return math.gcd(12, 18)", "f()") == "6"
    assert value("def f():\n    try:\n        import orjson\n    except ImportError:\n        return 'none'", "f()") == "'none'"


def test_no_network(wrapper: str) -> None:
    program = """
import socket
def f():
    out = []
    for family, address in ((socket.AF_INET, ("127.0.0.1", 22)), (socket.AF_INET, ("1.1.1.1", 53)), (socket.AF_UNIX, "/var/run/docker.sock")):
        s = socket.socket(family)
        s.settimeout(1)
        try:
            s.connect(address)
            out.append("connected")
        except OSError:
            out.append("refused")
    return out
"""
    assert value(program, "f()") == "['refused', 'refused', 'refused']"
    assert value("import socket\ndef f(): return [name for _, name in socket.if_nameindex() if name != 'lo']", "f()") == "[]"


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
        "/proc/1/root/etc/passwd",
        str(home / ".bashrc"),
        str(Path.cwd() / "pyproject.toml"),
    ):
        assert value(reads, f"f({path!r})") == "'refused'", path
    assert value(reads, f"len([n for n in names({str(home)!r}) if not {sys.base_prefix!r}.startswith({str(home)!r} + '/' + n)])") == "0"


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
    assert value(program, "write('/tmp/scratch')") == "'written'"
    for path in ("/x", "/usr/lib/x", f"{sys.base_prefix}/x", f"{sys.base_prefix}/lib/x", str(tmp_path / "x"), "/dev/x", "/proc/sys/kernel/hostname"):
        assert value(program, f"write({path!r})") == "'refused'", path
    assert value(program, f"link({str(tmp_path)!r})") == "'refused'"
    assert list(tmp_path.iterdir()) == []
    assert not Path("/tmp/scratch").exists()


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
    assert value("def f():\n    try:\n        return len(bytearray(1 << 30))\n    except MemoryError:\n        return 'refused'", "f()") == "'refused'"


def test_the_environment_is_empty_of_ours(wrapper: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEMO_SDG_API_KEY", "s3cret")
    assert value("import os\ndef f(): return [v for v in os.environ.values() if 's3cret' in v], 'NEMO_SDG_API_KEY' in os.environ", "f()") == "([], False)"


def test_no_new_processes(wrapper: str) -> None:
    program = """
import os, subprocess
def f():
    out = []
    for start in (os.fork, lambda: subprocess.run(["/usr/bin/id"]), lambda: os.posix_spawn("/usr/bin/id", ["id"], {}), lambda: os.execv("/usr/bin/id", ["id"])):
        try:
            start()
            out.append("started")
        except OSError:
            out.append("refused")
    return out
"""
    assert value(program, "f()") == str(["refused"] * 4)
    assert (
        value("import threading\ndef f():\n    out = []\n    t = threading.Thread(target=out.append, args=(1,)); t.start(); t.join()\n    return out", "f()")
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
        {"program": "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass", "calls": ["1"]}, cpu_seconds=1, memory_mb=256
    )
    assert ran.reply is None
    assert ran.failure in ("timeout", "crashed")


def test_waiting_ends_too(wrapper: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "WALL_SECONDS", 0.5)
    monkeypatch.setattr(sandbox, "WALL_FACTOR", 0.0)
    assert sandbox.run({"program": "import time\ntime.sleep(10**6)", "calls": ["1"]}, cpu_seconds=1, memory_mb=256) == sandbox.Ran(failure="timeout")


@pytest.mark.parametrize(
    "program",
    [
        "import sys\nsys.exit(0)",
        "import os\nos._exit(0)",
        "raise SystemExit",
        "def f(x):\n    raise SystemExit(0)",
        "def f(x):\n    import os\n    os._exit(0)",
        "class Yes:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\ndef f(x): return Yes()",
        "class Int(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\ndef f(x): return Int(0)",
        "class Yes:\n    def __eq__(self, other): return True\ndef f(x): return [Yes()]",
        "import builtins\nbuiltins.AssertionError = ZeroDivisionError\ndef f(x): return 3",
        "import os\nfor d in range(3, 64):\n    try:\n        os.write(d, b'[true]')\n    except OSError:\n        pass\ndef f(x): return 3",
        "def f(x):\n    print('[true]' * 10)\n    return 3",
        "import os\ndef f(x):\n    while True:\n        for d in range(3, 64):\n            try:\n                os.write(d, b'x' * 65536)\n            except OSError:\n                pass",
    ],
)
def test_cheats_pass_no_test(wrapper: str, program: str) -> None:
    passed, _ = code.run_tests(program, ["assert f(1) == 2"], CONFIG)
    assert passed == [False]


def test_results_are_canonical_and_literals(wrapper: str) -> None:
    program = "def f(): return {3, 1, 2}, {'b': 1.0000000001, 'a': (None,)}, [True, b'x']"
    results = code.run_calls(program, ["f()"], CONFIG)
    assert results == [
        ("tuple(set(1, 2, 3), dict('a': tuple(None), 'b': 1.0), list(True, b'x'))", "({1, 2, 3}, {'b': 1.0000000001, 'a': (None,)}, [True, b'x'])")
    ]
    assert code.run_calls("def f(): return object()", ["f()"], CONFIG) is None
    assert code.run_calls("def f(): return f", ["f()"], CONFIG) is None


def test_without_any_wrapper_nothing_is_run_and_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sandbox.available.cache_clear()
    monkeypatch.setattr(shutil, "which", lambda program: None)
    with pytest.raises(MissingDependencyError, match="install bubblewrap"):
        code.run_tests(f"open({str(tmp_path / 'ran')!r}, 'w')", ["assert True"], CONFIG)
    assert list(tmp_path.iterdir()) == []
    sandbox.available.cache_clear()
