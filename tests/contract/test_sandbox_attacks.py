"""Programs that try to pass a test without knowing the answer, or to stop the tester: each is a counted drop.

No program can guess the expected value. An attack has failed if its test does not pass, no error is raised, and the
next program is tested as usual.
"""

import pytest

from nemo_sdg.config import VerifySection
from nemo_sdg.verify import programs as code
from nemo_sdg.verify import sandbox

CONFIG = VerifySection(code_timeout=1.0, code_memory_mb=256)
SECRET = "a7f3-93c1-not-to-be-guessed"
TEST = f"assert f(1) == {SECRET!r}"
SEARCH = """
import re
def dig(text):
    found = re.search(r"a7f3-[a-z0-9-]+", text if isinstance(text, str) else bytes(text).decode("latin-1"))
    return found[0] if found and "a-z" not in found[0] else None
"""
ATTACKS = {
    "walk the frames": """
import sys
def f(x):
    frame = sys._getframe()
    while frame:
        for space in (frame.f_locals, frame.f_globals, frame.f_code.co_consts):
            found = dig(repr(space))
            if found: return found
        frame = frame.f_back
""",
    "walk a traceback": """
def f(x):
    try:
        1 / 0
    except ZeroDivisionError as exc:
        frame = exc.__traceback__.tb_frame
        while frame:
            found = dig(repr(frame.f_locals) + repr(frame.f_code.co_consts))
            if found: return found
            frame = frame.f_back
""",
    "search the heap": """
import gc
def f(x):
    for thing in gc.get_objects():
        try:
            found = dig(repr(thing))
        except Exception:
            continue
        if found: return found
""",
    "search all modules": """
import sys
def f(x):
    for module in list(sys.modules.values()):
        found = dig(repr(vars(module)))
        if found: return found
""",
    "read its own memory": """
def f(x):
    for line in open("/proc/self/maps"):
        if " rw-p " not in line: continue
        low, high = (int(part, 16) for part in line.split()[0].split("-"))
        with open("/proc/self/mem", "rb") as memory:
            memory.seek(low)
            found = dig(memory.read(high - low))
        if found: return found
""",
    "read the tester's memory": """
import os
def f(x):
    for line in open(f"/proc/{os.getppid()}/maps"):
        if " rw-p " not in line: continue
        low, high = (int(part, 16) for part in line.split()[0].split("-"))
        with open(f"/proc/{os.getppid()}/mem", "rb") as memory:
            memory.seek(low)
            found = dig(memory.read(high - low))
        if found: return found
""",
    "read the tester's files": """
import os
def f(x):
    for process in [os.getppid(), "self", *[name for name in os.listdir("/proc") if name.isdigit()]]:
        for kind in ("cmdline", "environ", "fd/0", "fd/1", "fd/3", "fd/4"):
            try:
                found = dig(os.read(os.open(f"/proc/{process}/{kind}", os.O_RDONLY | os.O_NONBLOCK), 1 << 20))
            except OSError:
                continue
            if found: return found
""",
    "copy with process_vm_readv": """
import ctypes, os
class Part(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
def f(x):
    libc, room = ctypes.CDLL(None), ctypes.create_string_buffer(1 << 16)
    for line in open("/proc/self/maps"):
        if " rw-p " not in line: continue
        low, high = (int(part, 16) for part in line.split()[0].split("-"))
        for start in range(low, high, 1 << 16):
            local, remote = Part(ctypes.addressof(room), 1 << 16), Part(start, 1 << 16)
            if libc.process_vm_readv(os.getppid(), ctypes.byref(local), 1, ctypes.byref(remote), 1, 0) > 0:
                found = dig(room.raw)
                if found: return found
""",
    "trace the tester": """
import ctypes, os
def f(x):
    libc = ctypes.CDLL(None)
    if libc.ptrace(16, os.getppid(), 0, 0) == 0:
        libc.ptrace(9, os.getppid(), 0, 0)
        return "traced"
""",
    "read every open file": """
import os
def f(x):
    for number in range(64):
        try:
            os.set_blocking(number, False)
            found = dig(os.read(number, 1 << 16))
        except OSError:
            continue
        if found: return found
""",
    "read the order at once": """
import os
for number in range(64):
    try:
        os.set_blocking(number, False)
        text = os.read(number, 1 << 16)
    except OSError:
        continue
    found = dig(text)
    if found:
        break
def f(x): return found
""",
    "write a reply everywhere": """
import os
for number in range(64):
    try:
        os.write(number, b'{"results": ["passed"], "failure": null}')
    except OSError:
        pass
def f(x): return 3
""",
    "send replies before they are asked for": """
import os, struct
reply = b'{"value": true, "changed": []}'
for number in range(3, 64):
    for _ in range(50):
        try:
            os.write(number, struct.pack(">I", len(reply)) + reply)
        except OSError:
            break
def f(x): return 3
""",
    "announce another hello": """
import os, struct
reply = b'{"names": {"f": 1}}'
for number in range(3, 64):
    try:
        os.write(number, struct.pack(">I", len(reply)) + reply)
    except OSError:
        pass
def f(x): return 3
""",
    "announce an endless message": """
import os, struct
def f(x):
    for number in range(3, 64):
        try:
            os.write(number, struct.pack(">I", 0xFFFFFFFF))
        except OSError:
            pass
""",
    "send what is no JSON": """
import os, struct
def f(x):
    for number in range(3, 64):
        try:
            os.write(number, struct.pack(">I", 4) + bytes([255, 254, 0, 1]))
        except OSError:
            pass
""",
    "send nested JSON": """
import os, struct
def f(x):
    text = b"[" * 200000 + b"]" * 200000
    for number in range(3, 64):
        try:
            os.write(number, struct.pack(">I", len(text)) + text)
        except OSError:
            pass
""",
    "send an unknown reference": """
import os, struct
def f(x):
    text = b'{"value": ["ref", "../../x", {}], "changed": [["0", 1]]}'
    for number in range(3, 64):
        try:
            os.write(number, struct.pack(">I", len(text)) + text)
        except OSError:
            pass
""",
    "call back what is not there": """
import os, struct
def f(x):
    text = b'{"callback": -1, "args": [], "kwargs": {}}'
    for number in range(3, 64):
        try:
            os.write(number, struct.pack(">I", len(text)) + text)
        except OSError:
            pass
""",
    "flood the pipe": """
import os
def f(x):
    while True:
        for number in range(3, 64):
            try:
                os.write(number, bytes(65536))
            except OSError:
                pass
""",
    "close every file": "import os\ndef f(x):\n    os.closerange(0, 256)\n    while True: pass",
    "kill the tester": "import os, signal\ndef f(x):\n    os.kill(os.getppid(), signal.SIGKILL)\n    return 3",
    "kill everyone": "import os, signal\ndef f(x):\n    os.kill(-1, signal.SIGKILL)\n    return 3",
    "stop the tester": "import os, signal\ndef f(x):\n    os.kill(os.getppid(), signal.SIGTERM)\n    return 3",
    "fork": "import os\ndef f(x):\n    while True: os.fork()",
    "start threads": (
        "import threading\ndef f(x):\n    while True: threading.Thread(target=threading.Event().wait).start()"
    ),
    "leave with success": "import os\ndef f(x): os._exit(0)",
    "raise SystemExit": "def f(x): raise SystemExit(0)",
    "leave at once": "import sys\nsys.exit(0)",
    "leave at the end": "import atexit, os\natexit.register(os._exit, 0)\ndef f(x): return 3",
    "hang": "def f(x):\n    while True: pass",
    "hang while it is defined": "while True: pass",
    "ignore the end of its time": (
        "import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\n"
        "def f(x):\n    while True: pass"
    ),
    "take all memory": "def f(x):\n    kept = []\n    while True: kept.append(bytearray(1 << 24))",
    "recurse": "import sys\nsys.setrecursionlimit(10**9)\ndef f(x): return f(x)",
    "break the interpreter": "import ctypes\ndef f(x): ctypes.string_at(0)",
    "print without end": "def f(x):\n    while True: print('passed' * 1000)",
    "an object that equals everything": "class Yes:\n    def __eq__(self, other): return True\ndef f(x): return Yes()",
    "a text that equals everything": (
        "class Text(str):\n    def __eq__(self, other): return True\n    __hash__ = str.__hash__\n"
        "def f(x): return Text('x')"
    ),
    "a metaclass that equals everything": (
        "class Meta(type):\n    def __eq__(self, other): return True\n    __hash__ = type.__hash__\n"
        "class Text(metaclass=Meta): pass\nText.__name__ = 'str'\ndef f(x): return Text"
    ),
    "a class that says it is a text": (
        "class Text:\n    __class__ = str\n    def __eq__(self, other): return True\n"
        "    def __str__(self): return 'x'\n"
        "def f(x): return Text()"
    ),
    "unittest.mock.ANY": "from unittest.mock import ANY\ndef f(x): return ANY",
    "another comparison": "import builtins, operator\nbuiltins.AssertionError = operator.eq = None\ndef f(x): return 3",
    "another str": (
        "import ctypes\nclass Text(str):\n    def __eq__(self, other): return True\n"
        "ctypes.pythonapi.PyType_Modified.argtypes = [ctypes.py_object]\n"
        "str.__dict__\ndef f(x):\n    import gc\n    gc.get_referents(str.__dict__)[0]['__eq__'] = Text.__eq__\n"
        "    ctypes.pythonapi.PyType_Modified(str)\n    return 'x'"
    ),
    "another codec": """
import sys
def f(x):
    for name, module in list(sys.modules.items()):
        if name.endswith(("codec", "program", "tester", "tests")):
            for attribute in ("encode", "decode", "verdict", "judge", "canonical"):
                setattr(module, attribute, lambda *a, **k: "passed")
    return 3
""",
    "another import": "import builtins\nbuiltins.__import__ = lambda *a, **k: None\ndef f(x): return 3",
    "trace and profile": (
        "import sys, threading\nsys.settrace(lambda *a: None); sys.setprofile(lambda *a: None)\n"
        "sys.addaudithook(lambda *a: None)\ndef f(x): return 3"
    ),
    "an error that is no error": "class E(BaseException):\n    def __str__(self): raise E\ndef f(x): raise E",
    "an error with an endless text": (
        "class E(Exception):\n    def __str__(self):\n        while True: pass\ndef f(x): raise E"
    ),
    "a generator without end": "def f(x):\n    while True: yield 1",
    "a value of a gigabyte": "def f(x): return 'x' * (1 << 30)",
    "a value over the limit of a message": "def f(x): return 'x' * (1 << 25)",
    "a number of ten million digits": "def f(x): return 1 << 40_000_000",
    "a list within itself": "def f(x):\n    a = []\n    a.append(a)\n    return a",
    "a list nested deep": "def f(x):\n    a = []\n    for _ in range(100000): a = [a]\n    return a",
    "a surrogate": "def f(x): return '\\ud800'",
    "not a number": "def f(x): return float('nan')",
}


@pytest.fixture(scope="module", autouse=True)
def sandboxed() -> None:
    sandbox.available(CONFIG.sandbox)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_passes_no_test_and_stops_nobody(name: str) -> None:
    passed, failure = code.run_tests(SEARCH + ATTACKS[name], [TEST], CONFIG)
    assert passed == [False]
    assert failure in (None, "timeout", "crashed")
    assert code.run_calls(SEARCH + ATTACKS[name], ["f(1)"], CONFIG) != [(repr(SECRET), repr(SECRET))]
    assert code.outcomes(["def f(x): return 'x'"], ["assert f(1) == 'x'"], CONFIG) == ["passed"]


def test_an_iterator_of_the_programs_does_not_stop_a_test_that_reads_all_of_it() -> None:
    passed, _ = code.run_tests("def f(x):\n    while True: yield 1", ["assert list(f(1)) == [1]"], CONFIG)
    assert passed == [False]


def test_long_right_results_pass_and_are_no_tests_of_a_sample() -> None:
    program = "def primes(n):\n    return [k for k in range(n)]"
    assert code.run_tests(program, ["assert len(primes(10**6)) == 10**6", "assert sum(primes(4)) == 6"], CONFIG) == (
        [True, True],
        None,
    )
    assert code.run_calls(program, ["primes(10**6)"], CONFIG) is None
    calls = [f"primes(1000 + {n})" for n in range(code.MAX_CALLS)]
    results = code.run_calls(program, calls, CONFIG)
    assert results is not None
    assert len(results) == code.MAX_CALLS


@pytest.mark.parametrize(
    ("program", "tests"),
    [
        ("def f(items):\n    items.sort()", ["x = [3, 1, 2]\nf(x)\nassert x == [1, 2, 3]"]),
        ("def f(d):\n    d['a'] = [1]", ["x = {}\nf(x)\nassert x == {'a': [1]}"]),
        ("def f(key, items): return sorted(items, key=key)", ["assert f(lambda x: -x, [1, 3, 2]) == [3, 2, 1]"]),
        ("def apply(g, x): return g(g(x))\ndef inc(x): return x + 1", ["assert apply(inc, 1) == 3"]),
        ("def apply(g, x): return g(x)\ndef inc(x): return x + 1", ["assert apply(lambda v: inc(v) * 2, 1) == 4"]),
        ("def f(kind, text): return kind(text)", ["assert f(int, '12') == 12"]),
        ("def f(n):\n    yield from range(n)", ["assert list(f(3)) == [0, 1, 2]", "assert next(f(3)) == 0"]),
        (
            "import itertools\ndef f():\n    yield from itertools.count()",
            ["from itertools import islice\nassert list(islice(f(), 3)) == [0, 1, 2]"],
        ),
        (
            "def f(x):\n    raise ValueError('no')",
            ["try:\n    f(1)\n    assert False\nexcept ValueError as e:\n    assert str(e) == 'no'"],
        ),
        (
            "class Stack:\n    def __init__(self): self.items = []\n    def push(self, x): self.items.append(x)\n"
            "    def __len__(self): return len(self.items)",
            [
                "s = Stack()\ns.push(1)\ns.push(2)",
                "assert len(s) == 2",
                "assert s.items == [1, 2]",
                "assert s.items[-1] == 2",
            ],
        ),
        ("LIMIT = 7\ndef f(): return LIMIT", ["assert f() == LIMIT"]),
        (
            "import datetime\ndef f(y): return datetime.date(y, 1, 2)",
            ["assert f(2000).year == 2000", "import datetime\nassert f(2000) == datetime.date(2000, 1, 2)"],
        ),
        ("from fractions import Fraction\ndef f(): return Fraction(1, 3)", ["assert f() * 3 == 1"]),
        (
            "def f(): return {1: (2, {3}), 'a': b'x'}, 2 ** 100, float('inf'), 1j",
            ["assert f() == ({1: (2, {3}), 'a': b'x'}, 2 ** 100, float('inf'), 1j)"],
        ),
        ("def f(*args, sep=' '): return sep.join(args)", ["assert f('a', 'b', sep='-') == 'a-b'"]),
        ("def f(x): return x", ["for n in range(5):\n    assert f(n) == n"]),
        (
            "class P:\n    def __init__(self, a): self.a = a\ndef mk(): return [P(1), P(2)]",
            ["assert [p.a for p in mk()] == [1, 2]"],
        ),
        (
            "import re\ndef f(s): return re.match('a', s)",
            ["assert f('abc')", "assert not f('b')", "assert f('abc').group() == 'a'"],
        ),
    ],
)
def test_right_programs_pass_tests_of_every_form(program: str, tests: list[str]) -> None:
    assert code.run_tests(program, tests, CONFIG) == ([True] * len(tests), None)


def test_what_cannot_cross_is_counted_as_such() -> None:
    test = "class Own:\n    pass\nassert f(Own()) is None"
    assert code.run_tests("def f(x): return None", [test], CONFIG) == ([False], "unsupported")
    assert code.outcomes(["def f(x): return None"], [test], CONFIG) == ["unsupported"]


FORGED = """
import sys, os
frame = sys._getframe()
while 'out' not in frame.f_locals: frame = frame.f_back
data = frame.f_locals['job']['token'].encode() + BODY
while data: data = data[os.write(frame.f_locals['out'], data):]
os._exit(0)
"""


@pytest.mark.parametrize(
    "body",
    [
        "b'[]'",
        "b'[' * 100_000",
        """b'{"failure": null, "results": ' + b'[' * 100_000 + b']' * 100_000 + b'}'""",
        """b'{"results": ["passed"]}'[:-3]""",
        """b'{"results": [], "failure": ["timeout"]}'""",
        """b'{"results": [], "failure": "\\\\u001b[2J"}'""",
        "b'\\xff'",
    ],
)
def test_a_test_that_writes_the_reply_itself_stops_nobody(body: str) -> None:
    test = FORGED.replace("BODY", body)
    program = "def f(x):\n    return x"
    assert code.outcomes([program], [test], CONFIG) == ["crashed"]
    assert code.run_calls(program, [f"exec({test!r})"], CONFIG) is None
