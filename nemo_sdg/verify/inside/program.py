"""The process that runs the program under test: it executes the program, then does what the tester asks of it.

    {"do": "call", "args": [["name", "f"], 1]}  ->  {"value": 2, "changed": []}

It never sees a test or an expected value. What the program does to this interpreter harms only its own replies.
"""

import builtins
import collections
import itertools
import operator
import sys
from typing import Any

from nemo_sdg.verify.inside.codec import Channel, Ended, decode, encode

BUILTINS = dict(vars(builtins))
MUTABLE = (list, dict, set, bytearray, collections.deque)
DEEDS: dict[str, Any] = {
    "call": lambda function, *args, **kwargs: function(*args, **kwargs),
    "value": lambda value: value,
    "getattr": getattr,
    "setattr": setattr,
    "take": lambda iterator, num: list(itertools.islice(iterator, num)),
    "len": len,
    "iter": iter,
    "bool": bool,
    "str": str,
    "repr": repr,
    "int": int,
    "float": float,
    "abs": abs,
    **{
        name: getattr(operator, name)
        for name in ("getitem", "setitem", "contains", "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "neg")
    },
}


class Server:
    """Holds the program's names and the objects that the tester knows by number."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.names: dict[str, Any] = {}
        self.objects: list[Any] = []

    def refer(self, value: Any) -> list[Any]:
        self.objects.append(value)
        return ["ref", len(self.objects) - 1, type(value).__name__]

    def resolve(self, data: list[Any]) -> Any:
        if data[0] == "name":
            return self.names[data[1]]
        if data[0] == "builtin":
            return BUILTINS[data[1]]
        return self.objects[data[1]] if data[0] == "ref" else Callback(self, data[1])

    def serve(self) -> None:
        """Answers until the tester ends."""
        while True:
            self.answer(self.channel.receive())

    def answer(self, request: dict[str, Any]) -> None:
        try:
            args = [decode(arg, self.resolve) for arg in request["args"]]
            kwargs = {name: decode(arg, self.resolve) for name, arg in request.get("kwargs", {}).items()}
            before = [encode(arg, self.refer) if type(arg) in MUTABLE else None for arg in args]
            value = DEEDS[request["do"]](*args, **kwargs)
            changed = [
                [place, after]
                for place, arg in enumerate(args)
                if type(arg) in MUTABLE and (after := encode(arg, self.refer)) != before[place]
            ]
            reply = {"value": encode(value, self.refer), "changed": changed}
        except Ended:
            raise
        except BaseException as exc:  # SystemExit and KeyboardInterrupt of a program are failures too
            reply = {"error": [type(exc).__name__, str(exc)[:1000]]}
        self.channel.send(reply)


class Callback:
    """A function of the tester's, called from here: `f(lambda x: x + 1)`."""

    def __init__(self, server: Server, number: int) -> None:
        self._server, self._number = server, number

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        server = self._server
        server.channel.send(
            {
                "callback": self._number,
                "args": [encode(arg, server.refer) for arg in args],
                "kwargs": {name: encode(arg, server.refer) for name, arg in kwargs.items()},
            }
        )
        while "do" in (message := server.channel.receive()):
            server.answer(message)
        if "error" in message:
            raise RuntimeError(message["error"])
        return decode(message["value"], server.resolve)


def run(channel: Channel, source: str) -> None:
    """Executes a program, tells the names that it defines, and serves."""
    server = Server(channel)
    sys.modules["__main__"] = type(sys)("program")
    server.names = {"__name__": "program"}
    try:
        exec(compile(source, "program", "exec"), server.names)
    except BaseException as exc:
        channel.send({"error": [type(exc).__name__, ""]})
        return
    channel.send({"names": [name for name in server.names if not name.startswith("__")]})
    server.serve()
