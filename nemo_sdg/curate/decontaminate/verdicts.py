"""What the judge has said about samples and evaluation rows, kept by prompt and model so that none is paid for twice.

    verdicts-JUDGE-….jsonl   of a pair {"key": …, "same": true}, of a list {"key": …, "named": [places]}
    unread-JUDGE-….jsonl     of a reply that cannot be read {"key": …, "sample": id, "why": finish reason or unclear}

JUDGE tells model, prompts and length of the lists. Each process writes files of its own and reads all verdicts at its
start. Unread replies are no verdicts: what they were about is asked again when its shard is redone.
"""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from nemo_sdg.records import content_id
from nemo_sdg.storage import read_jsonl

SETTLED_AT = 1 << 14
"""new numbers from which they may go into the arrays"""
NEW_SHARE = 100
"""they do when they are more than this part of what is there: one in the dict takes about ten times the memory. With
4 million keys, an eighth of them with a number, a process holds 15 bytes a key, and 22 at its peak
"""
Keys = npt.NDArray[np.uint64]


class Known:
    """Whole numbers below 2^128 by key: 8 bytes for a key of number 0, 24 for another, with few new ones in a dict."""

    def __init__(self) -> None:
        self._zero: Keys = np.empty(0, dtype=np.uint64)
        self._keys: Keys = np.empty(0, dtype=np.uint64)
        self._numbers: Keys = np.empty((0, 2), dtype=np.uint64)
        self._new: dict[int, int] = {}

    def find(self, key: str) -> int | None:
        """`key`: of content_id; its first 64 bits count, of which two of 20 million agree by a chance of 1e-5."""
        short = int(key[:16], 16)
        if short in self._new:
            return self._new[short]
        if (place := _place(self._keys, short)) is not None:
            low, high = self._numbers[place].tolist()
            return int(low | high << 64)
        return None if _place(self._zero, short) is None else 0

    def put(self, key: str, number: int) -> None:
        self._new[int(key[:16], 16)] = number
        if len(self._new) > max(SETTLED_AT, (len(self._zero) + len(self._keys)) // NEW_SHARE):
            self._settle()

    def _settle(self) -> None:
        zero = np.array(sorted(key for key, number in self._new.items() if not number), dtype=np.uint64)
        self._zero = np.insert(self._zero, np.searchsorted(self._zero, zero), zero)
        some = sorted((key, number % 2**64, number >> 64) for key, number in self._new.items() if number)
        if some:
            rows = np.array(some, dtype=np.uint64)
            at = np.searchsorted(self._keys, rows[:, 0])
            self._keys = np.insert(self._keys, at, rows[:, 0])
            self._numbers = np.insert(self._numbers, at, rows[:, 1:], axis=0)
        self._new = {}


def _place(keys: Keys, key: int) -> int | None:
    wanted = np.uint64(key)
    place = int(np.searchsorted(keys, wanted))
    return place if place < len(keys) and keys[place] == wanted else None


def tag_of(judge: str) -> str:
    """The part of the files' names that tells one judge's from another's."""
    return content_id(judge)[:16]


class Verdicts:
    """The verdicts in a folder. `judge` tells model, prompts and length of the lists; the model alone by default."""

    def __init__(self, folder: Path, *, model: str, judge: str | None = None) -> None:
        self.model = model
        self._folder = folder
        self._name = f"{tag_of(judge or model)}-{os.getpid()}-{uuid.uuid4().hex[:8]}.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        self._known = Known()
        for row in _stored(folder):
            self._known.put(row["key"], row["same"] if "same" in row else _as_bits(row["named"]))

    def find(self, key: str) -> bool | None:
        """Whether a pair is one question; None where that is not known."""
        found = self._known.find(key)
        return None if found is None else bool(found)

    def find_named(self, key: str) -> list[int] | None:
        """The places that the judge named in a list; None where that is not known."""
        found = self._known.find(key)
        return None if found is None else [place for place in range(found.bit_length()) if found >> place & 1]

    def keep(self, key: str, same: bool) -> None:
        self._known.put(key, int(same))
        self._write("verdicts", {"key": key, "same": same})

    def keep_named(self, key: str, named: list[int]) -> None:
        self._known.put(key, _as_bits(named))
        self._write("verdicts", {"key": key, "named": named})

    def note_unread(self, key: str, sample: str | None, why: str) -> None:
        self._write("unread", {"key": key, "sample": sample, "why": why})

    def _write(self, kind: str, row: dict[str, Any]) -> None:
        with open(self._folder / f"{kind}-{self._name}", "ab") as handle:
            handle.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


def verdict_files(folder: Path, judge: str | None = None) -> list[Path]:
    """The files of verdicts of one judge, or of all."""
    return sorted(folder.glob(f"verdicts-{tag_of(judge)}-*.jsonl" if judge else "verdicts-*.jsonl"))


def unread_files(folder: Path, judge: str | None) -> list[Path]:
    return sorted(folder.glob(f"unread-{tag_of(judge)}-*.jsonl")) if judge else []


def unread(folder: Path, judge: str | None) -> dict[str, str]:
    """Samples of which a reply of this judge could not be read, nor another one since, with the reason."""
    rows = {row["key"]: row for path in unread_files(folder, judge) for row in read_jsonl(path)}
    if rows:
        for row in _stored(folder):
            rows.pop(row["key"], None)
    return {row["sample"] or key: row["why"] for key, row in rows.items()}


def _stored(folder: Path) -> Iterator[dict[str, Any]]:
    """All verdicts. Files without a judge in their names are of an earlier version, which kept what it could not read
    as null or as an empty list: these are no verdicts.
    """
    for path in verdict_files(folder):
        is_older = path.name.count("-") < 3
        for row in read_jsonl(path):
            if not is_older or row.get("same") is not None or row.get("named"):
                yield row


def _as_bits(named: list[int]) -> int:
    return sum(1 << place for place in set(named))
