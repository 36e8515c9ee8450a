"""Streams a run's files for the report.

The report also shows broken and hostile files: a line that is not UTF-8 is read with replacement characters, and a line
that is not a JSON object is counted and skipped. A Picker holds places (file, offset), never records.
"""

import collections
import contextlib
import heapq
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.storage import content_lines, open_content

Line = dict[str, Any]
"""a line of a run's file as it was read: it may be damaged, so that no field is taken for granted"""
DROP_HEAD = re.compile(rb'\{"task":"((?:[^"\\]|\\.)*)","id":"([^"\\]*)","step":"[^"\\]*","reason":"([^"\\]*)"')
"""the first fields of a drop, as records.Drop is written: matching takes 1 µs, parsing the whole record 15 µs"""


@dataclass
class Unreadable:
    """Counts of skipped lines, per file."""

    _seen: set[tuple[str, int]] = field(default_factory=set)

    @property
    def lines(self) -> Counter[str]:
        return Counter(name for name, _ in self._seen)

    def parse(self, line: bytes, path: Path) -> Line | None:
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            try:
                # Bytes that are not UTF-8, and surrogates without a partner, become replacement characters.
                text = json.dumps(json.loads(line.decode("utf-8", "replace")), ensure_ascii=False)
                value = orjson.loads(text.encode("utf-8", "replace"))
            except (ValueError, RecursionError):
                value = None
        if isinstance(value, dict):
            return value
        self._seen.add(("/".join(path.parts[-3 if path.parent.name == "dropped" else -2 :]), zlib.crc32(line)))
        return None


Place = tuple[Path, int]
"""a file and the offset of a line in its content"""


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """(offset, line) of each line; none for a file that does not exist. An empty line stands for what is damaged."""
    with contextlib.suppress(FileNotFoundError):
        yield from content_lines(path)


def read_records(paths: Iterable[Path], unreadable: Unreadable) -> Iterator[tuple[Place, Line]]:
    """Every readable record with its place."""
    for path in paths:
        for offset, line in lines_of(path):
            record = unreadable.parse(line, path)
            if record is not None:
                yield (path, offset), record


def read_drops(paths: Iterable[Path], unreadable: Unreadable) -> Iterator[tuple[Place, str, str, str]]:
    """Place, task, id and reason of every drop."""
    for path in paths:
        for offset, line in lines_of(path):
            head = DROP_HEAD.match(line)
            if head is not None and b"\\" not in head[1]:
                task, identifier, reason = (part.decode("utf-8", "replace") for part in head.groups())
                yield (path, offset), task, identifier, reason
            elif (drop := unreadable.parse(line, path)) is not None:
                yield (path, offset), str(drop.get("task")), str(drop.get("id")), str(drop.get("reason"))


def fetch(places: Iterable[Place], unreadable: Unreadable) -> Iterator[tuple[Place, Line]]:
    """The records at these places, file by file."""
    for path, offset in sorted(places):
        with open_content(path, salvage=True) as handle:
            handle.seek(offset)
            record = unreadable.parse(handle.readline(), path)
        if record is not None:
            yield (path, offset), record


def find_by_id(paths: Iterable[Path], field_name: str, wanted: set[str], unreadable: Unreadable) -> dict[str, Line]:
    """Records by id; only lines with a wanted id are parsed. The id is the first field of seeds and samples."""
    found: dict[str, Line] = {}
    head = re.compile(rb'\{"' + field_name.encode() + rb'":"([^"\\]*)"')
    for path in paths:
        if len(found) == len(wanted):
            break
        for _, line in lines_of(path):
            match = head.match(line)
            if match is not None and match[1].decode("utf-8", "replace") not in wanted:
                continue
            record = unreadable.parse(line, path)
            if record is not None and record.get(field_name) in wanted:
                found.setdefault(record[field_name], record)
    return found


def spread(counts: dict[Any, int], total: int) -> dict[Any, int]:
    """How many to take of each, so that their sum is at most `total` and they are as equal as the counts allow.

    >>> spread({"a": 1, "b": 10, "c": 10}, 9)
    {'a': 1, 'b': 4, 'c': 4}
    """
    quotas, left = dict.fromkeys(counts, 0), total
    waiting = sorted(counts, key=lambda key: (counts[key], str(key)))
    while waiting:
        key = waiting.pop(0)
        quotas[key] = min(counts[key], -(-left // (len(waiting) + 1)) if counts[key] else 0)
        left -= quotas[key]
    return quotas


class Picker:
    """Picks up to the quota of records of each group: those with the smallest hashes of ids, so the choice is the same
    on every machine.
    """

    def __init__(self, quotas: dict[Any, int]) -> None:
        self.quotas = quotas
        self._heaps: dict[Any, list[tuple[int, int, Any]]] = {}
        self._num = 0

    def offer(self, group: Any, identifier: str, place: Any) -> None:
        quota = self.quotas.get(group, 0)
        if not quota:
            return
        self._num += 1
        item = (-zlib.crc32(identifier.encode("utf-8", "replace")), -self._num, place)
        heap = self._heaps.setdefault(group, [])
        if len(heap) < quota:
            heapq.heappush(heap, item)
        elif item > heap[0]:
            heapq.heapreplace(heap, item)

    def places(self) -> dict[Any, list[Any]]:
        """group -> places, smallest hash first; the groups by their names."""
        heaps = sorted(self._heaps.items(), key=lambda item: str(item[0]))
        return {group: [item[2] for item in sorted(heap, reverse=True)] for group, heap in heaps}


def in_turn(groups: Iterable[Sequence[Any]]) -> list[Any]:
    """The first of each group, then the second of each, and so on."""
    queues = [collections.deque(group) for group in groups]
    found = []
    while queues := [queue for queue in queues if queue]:
        found += [queue.popleft() for queue in queues]
    return found
