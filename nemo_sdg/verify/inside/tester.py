"""The process that knows the tests. It asks the program for values and compares them itself.

    {"program": "def f(x): return x + 1", "tests": ["assert f(1) == 2"]}   -> {"results": ["passed"], "failure": null}
    {"program": "def f(x): return x + 1", "calls": ["f(1)"]}               -> {"results": [["2", "2"]], "failure": null}

A test passes when it raises nothing. Names of the program stand for `Remote`s, which pass calls on. A plain value comes
back as a copy of an exact built-in type, and is compared here, with this interpreter's own functions. An object of any
other type equals nothing. A call has a result, (canonical text, literal), when it gives the same plain one twice.
"""

import builtins
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

from nemo_sdg.verify.inside import confine, program, tests
from nemo_sdg.verify.inside.codec import Channel, Ended, Unsupported, decode, encode

ERRORS = {name: kind for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, Exception)}


class ProgramError(Exception):
    """An exception of a type that the program defines, or that is not an Exception."""


class Program:
    """The program as the tester sees it."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.callbacks: list[Any] = []

    def ask(self, deed: str, *args: Any, **kwargs: Any) -> Any:
        self.channel.send(
            {
                "do": deed,
                "args": [encode(arg, self.refer) for arg in args],
                "kwargs": {name: encode(arg, self.refer) for name, arg in kwargs.items()},
            }
        )
        while "callback" in (reply := self._receive()):
            self._call_back(reply)
        if "error" in reply:
            name, message = reply["error"]
            raise ERRORS.get(name, ProgramError)(message) if name not in UNMADE else ProgramError(message)
        for place, data in reply["changed"]:
            self._change(args[place], decode(data, self.resolve))
        return decode(reply["value"], self.resolve)

    def _receive(self) -> dict[str, Any]:
        reply = self.channel.receive()
        if not isinstance(reply, dict):
            raise Ended
        return reply

    def _call_back(self, request: dict[str, Any]) -> None:
        answer: dict[str, Any]
        try:
            args = [decode(arg, self.resolve) for arg in request["args"]]
            kwargs = {name: decode(arg, self.resolve) for name, arg in request["kwargs"].items()}
            answer = {"value": encode(self.callbacks[request["callback"]](*args, **kwargs), self.refer)}
        except Ended:
            raise
        except Exception as exc:
            answer = {"error": type(exc).__name__}
        self.channel.send(answer)

    @staticmethod
    def _change(mine: Any, now: Any) -> None:
        """What the program has changed in place changes here too."""
        if isinstance(mine, list | bytearray):
            mine[:] = now
        elif isinstance(mine, dict | set):
            mine.clear()
            mine.update(now)
        else:
            mine.clear()
            mine.extend(now)

    def refer(self, value: Any) -> list[Any]:
        if type(value) is Remote:
            return list(object.__getattribute__(value, "_data"))
        name = getattr(value, "__name__", None)
        if isinstance(name, str) and tests.BUILTINS.get(name) is value:
            return ["builtin", name]
        if callable(value) and not isinstance(value, type):
            self.callbacks.append(value)
            return ["callback", len(self.callbacks) - 1]
        raise Unsupported(type(value).__name__)

    def resolve(self, data: list[Any]) -> "Remote":
        if data[0] != "ref" or type(data[1]) is not int:
            raise ValueError("no value")
        return Remote(self, data)


UNMADE = ("UnicodeDecodeError", "UnicodeEncodeError", "UnicodeTranslateError", "ExceptionGroup")
"""Exceptions that a message alone does not make"""


def _forward(deed: str) -> Any:
    def forward(self: "Remote", *args: Any) -> Any:
        return object.__getattribute__(self, "_program").ask(deed, self, *args)

    return forward


class Remote:
    """Something that lives in the program's process: a function, a class, an object."""

    __slots__ = ("_data", "_program")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, owner: Program, data: list[Any]) -> None:
        object.__setattr__(self, "_program", owner)
        object.__setattr__(self, "_data", data)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return object.__getattribute__(self, "_program").ask("call", self, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return object.__getattribute__(self, "_program").ask("getattr", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        object.__getattribute__(self, "_program").ask("setattr", self, name, value)

    def __iter__(self) -> Iterator[Any]:
        owner = object.__getattribute__(self, "_program")
        iterator, num = owner.ask("iter", self), 1
        while True:
            taken = owner.ask("take", iterator, num) if type(iterator) is Remote else list(iterator)
            yield from taken
            if type(iterator) is not Remote or len(taken) < num:
                return
            num = min(2 * num, 1 << 12)

    def __next__(self) -> Any:
        for item in object.__getattribute__(self, "_program").ask("take", self, 1):
            return item
        raise StopIteration

    def _differs(self, other: object) -> bool:
        raise AssertionError("an object of the program's equals nothing")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _differs
    __len__, __bool__, __contains__ = _forward("len"), _forward("bool"), _forward("contains")
    __str__, __repr__, __abs__ = _forward("str"), _forward("repr"), _forward("abs")
    __int__, __float__, __neg__ = _forward("int"), _forward("float"), _forward("neg")
    __getitem__, __setitem__ = _forward("getitem"), _forward("setitem")
    __add__, __sub__, __mul__, __pow__ = _forward("add"), _forward("sub"), _forward("mul"), _forward("pow")
    __truediv__, __floordiv__, __mod__ = _forward("truediv"), _forward("floordiv"), _forward("mod")


def judge(channel: Channel, job: dict[str, Any]) -> list[Any]:
    """The results of a job; raises Ended where the program ends before all are known."""
    prepared = [tests.prepare(test) for test in job["tests"]] if "tests" in job else []
    calls = [tests.prepare_call(call) for call in job.get("calls", ())]
    hello = channel.receive()
    if "names" not in hello:
        return ["failed" for _ in prepared] + [None for _ in calls]
    owner = Program(channel)
    scope = tests.Scope(
        {name: Remote(owner, ["name", name]) for name in hello["names"] if isinstance(name, str)}, owner.ask
    )
    results: list[Any] = [tests.verdict(test, scope) for test in prepared]
    return results + [tests.outcome(call, scope) for call in calls]


def why_ended(child: int) -> str:
    """timeout where the program has used up its CPU time, else crashed; ends it where it lives on."""
    for _ in range(50):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return "timeout" if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU else "crashed"
        time.sleep(0.002)
    with contextlib.suppress(OSError):
        os.kill(child, signal.SIGKILL)
    return "crashed"


def main() -> None:
    confine.hide()
    (from_tester, to_program), (from_program, to_tester) = os.pipe(), os.pipe()
    child = os.fork()
    null = os.open("/dev/null", os.O_RDWR)
    if child == 0:
        # The order with the tests waits in standard input: it is closed before anything of the program runs.
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.close(to_program)
        os.close(from_program)
        confine.end_with_parent()
        channel = Channel(from_tester, to_tester)
        try:
            order = channel.receive()
            confine.confine(order["limits"])
            program.run(channel, order["program"])
        except Ended:
            pass
        os._exit(0)
    os.close(from_tester)
    os.close(to_tester)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    job = json.loads(sys.stdin.buffer.read())
    out = os.dup(1)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    confine.confine(job["limits"])
    channel = Channel(from_program, to_program)
    failure = None
    num = len(job.get("tests", job.get("calls", ())))
    try:
        channel.send({"program": job["program"], "limits": job["limits"]})
        results = judge(channel, job)
    except Ended:
        results = ["failed" if "tests" in job else None] * num
        failure = why_ended(child)
    reply = job["token"].encode() + json.dumps({"results": results, "failure": failure}).encode()
    while reply:
        reply = reply[os.write(out, reply) :]
    os._exit(0)
