"""Plain values of Python as JSON, and back: numbers, texts, containers, dates. Only exact types cross by value.

    encode([1, (2.5, b"x")], refer)  ->  ["list", 1, ["tuple", 2.5, ["bytes", "78"]]]

What is not plain, as an object of a class that the program defines, becomes ["ref", number, name of its type].
"""

import collections
import json
import os
import struct
import sys
from collections.abc import Callable
from typing import Any

MAX_FRAME = 16 << 20
"""Bytes of one message; a program that gives more gives no result"""
MAX_DEPTH = 200
SEQUENCES: dict[str, type] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "deque": collections.deque,
}
MAPPINGS: dict[str, type] = {
    "dict": dict,
    "Counter": collections.Counter,
    "OrderedDict": collections.OrderedDict,
    "defaultdict": collections.defaultdict,
}
WRITTEN: dict[str, Callable[[Any], Any]] = {
    "decimal.Decimal": str,
    "fractions.Fraction": str,
    "datetime.date": lambda value: value.isoformat(),
    "datetime.datetime": lambda value: value.isoformat(),
    "datetime.time": lambda value: value.isoformat(),
    "datetime.timedelta": lambda value: [value.days, value.seconds, value.microseconds],
}
"""Types of the standard library that cross as text. Their modules are imported only where a program has done so."""
Refer = Callable[[Any], Any]


def encode(value: Any, refer: Refer, depth: int = 0) -> Any:
    """JSON of a value; what is not plain goes through `refer`. Raises RecursionError for what is nested too deep."""
    kind = type(value)
    if value is None or kind is bool or kind is str or kind is float:
        return value
    if kind is int:
        return value if -(1 << 60) < value < 1 << 60 else ["int", hex(value)]
    if depth > MAX_DEPTH:
        raise RecursionError("a value is nested too deep")
    for name, known in SEQUENCES.items():
        if kind is known:
            return [name, *[encode(item, refer, depth + 1) for item in value]]
    for name, known in MAPPINGS.items():
        if kind is known:
            pairs = [[encode(key, refer, depth + 1), encode(item, refer, depth + 1)] for key, item in value.items()]
            return [name, *pairs]
    if kind is bytes or kind is bytearray:
        return [kind.__name__, value.hex()]
    if kind is complex:
        return ["complex", value.real, value.imag]
    if kind is range or kind is slice:
        return [kind.__name__, *[encode(part, refer, depth + 1) for part in (value.start, value.stop, value.step)]]
    if value is ...:
        return ["..."]
    for name, write in WRITTEN.items():
        module, _, attribute = name.partition(".")
        if kind is getattr(sys.modules.get(module), attribute, None):
            return [name, write(value)]
    return refer(value)


def decode(data: Any, resolve: Callable[[list[Any]], Any]) -> Any:
    """The value of a JSON message; `resolve` gives what a reference stands for. Raises ValueError for anything else."""
    if not isinstance(data, list):
        if data is None or type(data) in (bool, int, float, str):
            return data
        raise ValueError("no value")
    tag, parts = data[0], data[1:]
    if tag in SEQUENCES:
        return SEQUENCES[tag]([decode(part, resolve) for part in parts])
    if tag in MAPPINGS:
        items = {decode(key, resolve): decode(item, resolve) for key, item in parts}
        if tag == "defaultdict":
            return collections.defaultdict(None, items)
        return items if tag == "dict" else MAPPINGS[tag](items)
    if tag == "int":
        return int(parts[0], 16)
    if tag in ("bytes", "bytearray"):
        return bytes.fromhex(parts[0]) if tag == "bytes" else bytearray.fromhex(parts[0])
    if tag == "complex":
        return complex(*parts)
    if tag in ("range", "slice"):
        return (range if tag == "range" else slice)(*[decode(part, resolve) for part in parts])
    if tag == "...":
        return ...
    if tag in WRITTEN:
        module, _, attribute = tag.partition(".")
        kind = getattr(__import__(module), attribute)
        if attribute == "timedelta":
            return kind(*parts[0])
        return kind.fromisoformat(parts[0]) if module == "datetime" else kind(parts[0])
    return resolve(data)


class Ended(Exception):
    """The other process has ended, or speaks no longer as it should."""


class Unsupported(Exception):
    """A test passes the program something that cannot cross."""


class Channel:
    """Messages with a length before them, over two pipes."""

    def __init__(self, reading: int, writing: int) -> None:
        self.reading, self.writing = reading, writing
        self._read, self._write = os.read, os.write
        self._dumps, self._loads = json.JSONEncoder().encode, json.JSONDecoder().decode

    def send(self, message: Any) -> None:
        data = self._dumps(message).encode()
        data = struct.pack(">I", len(data)) + data
        try:
            while data:
                data = data[self._write(self.writing, data) :]
        except OSError as exc:
            raise Ended from exc

    def receive(self) -> Any:
        (length,) = struct.unpack(">I", self._exactly(4))
        if length > MAX_FRAME:
            raise Ended
        try:
            return self._loads(self._exactly(length).decode())
        except (ValueError, RecursionError) as exc:
            raise Ended from exc

    def _exactly(self, length: int) -> bytes:
        data = bytearray()
        while len(data) < length:
            chunk = self._read(self.reading, min(1 << 16, length - len(data)))
            if not chunk:
                raise Ended
            data += chunk
        return bytes(data)
