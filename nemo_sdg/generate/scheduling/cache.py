"""Completions shared between runs: a folder of journal lines with a small binary index beside each file.

    CACHE/00000.jsonl    journal lines, appended by one process, which made the file
    CACHE/00000.idx      16 bytes a line: the first 8 of the key, then the line's offset, both little-endian

The cache finds what was in the folder when it was opened. It takes 20 bytes of memory for each completion (200 MB for
10 million). A line is used only if it holds the whole key, so a torn line, or an index that is ahead of its file, is
only a miss.
"""

import os
import re
from array import array
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nemo_sdg.errors import DataError, SdgError
from nemo_sdg.generate.scheduling.journal_lines import VOID
from nemo_sdg.storage import FrameReader, compressed, content_lines, stored_files

ENTRY = np.dtype([("key", "<u8"), ("offset", "<u8")])
LOOKED_AT = 8
"""equal halves of a key that are looked at; with 10 million completions two keys share one once in 370,000 runs"""
CACHED_FRAMES, OPEN_FILES = 16, 4
"""frames of a compressed file that stay in memory (4 MB: a replay asks nearly in the order of the file), and files that
stay open
"""
KEY = re.compile(rb'\{"key":"([0-9a-f]{32})"')


def half_key(key: str) -> int:
    return int.from_bytes(bytes.fromhex(key[:16]), "little")


class LineIndex:
    """Finds journal lines by their keys: files, and for each of them the half keys and offsets of its lines. A file may
    be compressed at any time: offsets are those of its content.
    """

    def __init__(self, files: list[Path], entries: "list[npt.NDArray[Any]]") -> None:
        self._files = files
        owners = [np.full(len(part), number, dtype=np.uint32) for number, part in enumerate(entries)]
        together = np.concatenate(entries) if entries else np.empty(0, dtype=ENTRY)
        owner = np.concatenate(owners) if owners else np.empty(0, dtype=np.uint32)
        order = np.argsort(together["key"], kind="stable")
        self._keys, self._offsets, self._owners = together["key"][order], together["offset"][order], owner[order]
        self._reader = lru_cache(OPEN_FILES)(open_reader)

    def __len__(self) -> int:
        return len(self._keys)

    def get(self, key: str) -> bytes | None:
        """The line of a request, or None: the first that no later one takes back."""
        if not len(self._keys):
            return None
        found: bytes | None = None
        half = np.uint64(half_key(key))
        wanted = f'{{"key":"{key}"'.encode()
        first = int(np.searchsorted(self._keys, half))
        for place in range(first, min(first + LOOKED_AT, len(self._keys))):
            if self._keys[place] != half:
                break
            line = self._read(int(self._owners[place]), int(self._offsets[place]))
            if line.startswith(wanted) and line.endswith(b"\n"):
                found = None if line.endswith(VOID) else found or line
        return found

    def _read(self, owner: int, offset: int) -> bytes:
        try:
            with open(self._files[owner], "rb") as handle:
                handle.seek(offset)
                return handle.readline()
        except OSError:  # on NFS a file that another machine removed is not always FileNotFoundError
            return self._read_compressed(compressed(self._files[owner]), offset)

    def _read_compressed(self, path: Path, offset: int) -> bytes:
        try:
            return self._reader(path).line_at(offset)
        except (OSError, DataError):
            return b""


def open_reader(path: Path) -> FrameReader:
    return FrameReader(path, num_cached=CACHED_FRAMES, salvage=True)


def index_journals(folder: Path, pattern: str = "*.jsonl") -> LineIndex:
    """The completions of all shards of a step: where a record moved to another shard, its journal is there. `pattern`
    chooses files.
    """
    files = stored_files(folder, pattern)
    return LineIndex(files, [_index_file(path) for path in files])


def _index_file(path: Path) -> "npt.NDArray[Any]":
    try:
        return _keys_and_offsets(path)
    except OSError:  # on NFS: another machine has compressed it meanwhile
        if not compressed(path).exists():
            raise
        return _keys_and_offsets(path)


def _keys_and_offsets(path: Path) -> "npt.NDArray[Any]":
    keys, offsets = array("Q"), array("Q")
    for offset, line in content_lines(path):
        if (found := KEY.match(line)) is not None and line.endswith(b"\n"):
            keys.append(half_key(found[1].decode()))
            offsets.append(offset)
    entries = np.empty(len(keys), dtype=ENTRY)
    entries["key"], entries["offset"] = keys, offsets
    return entries


class CompletionCache:
    """Raises SdgError when the folder cannot be used."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._own: tuple[Any, Any] | None = None
        self._size = 0
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            files = [path.with_suffix(".jsonl") for path in sorted(self.folder.glob("*.idx"))]
            self._index = LineIndex(files, [self._entries(path.with_suffix(".idx")) for path in files])
        except OSError as exc:
            raise SdgError(f"run.cache_dir: cannot use {self.folder}: {exc.strerror or exc}") from exc

    @staticmethod
    def _entries(path: Path) -> "npt.NDArray[Any]":
        data = path.read_bytes()
        return np.frombuffer(data[: len(data) // ENTRY.itemsize * ENTRY.itemsize], dtype=ENTRY)

    def __len__(self) -> int:
        return len(self._index)

    def get(self, key: str) -> bytes | None:
        """The line of a request, or None."""
        return self._index.get(key)

    def put(self, lines: Iterable[tuple[str, bytes]]) -> None:
        """Appends (key, line) pairs; not synced, the run's own journal is."""
        if self._own is None:
            self._own = self._create()
        data, index = self._own
        entries = bytearray()
        for key, line in lines:
            data.write(line)
            entries += half_key(key).to_bytes(8, "little") + self._size.to_bytes(8, "little")
            self._size += len(line)
        data.flush()
        index.write(entries)
        index.flush()

    def _create(self) -> tuple[Any, Any]:
        number = 0
        while True:
            path = self.folder / f"{number:05d}.jsonl"
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            except FileExistsError:
                number += 1
                continue
            return os.fdopen(descriptor, "wb"), open(path.with_suffix(".idx"), "ab")

    def close(self) -> None:
        if self._own is not None:
            for handle in self._own:
                handle.close()
            self._own = None
