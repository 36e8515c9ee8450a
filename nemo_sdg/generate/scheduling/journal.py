"""The journal. Every completion is written to it before it is used, so that no completion is paid for twice.

    RUN/<step>/journal/shard-00000.0000.jsonl       one file per shard and process that worked on it
    {"key": "9f…", "text": "…", "finish_reason": "stop", "prompt_tokens": 211, "trace": "eJz…", …}

The key is the content of the request and the model's identity. Shards keep their journals whatever the number of
workers, so a run is resumed with more or fewer of them. A process only ever appends to files that it made itself
(O_EXCL), so that no two write the same one and a line torn by a crash is simply the last of its file; it is passed
over, and asked for again. When a request stands there twice, the first counts, unless a line between them takes it
back: {"key": "9f…", "void": true}. When its shard is written, a file is compressed: shard-00000.0000.jsonl.zst
(storage/frames.py).

Memory holds the places of a shard's completions while it is worked on (some 200 bytes each), never their texts.
"""

import asyncio
import contextlib
import functools
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from nemo_sdg.errors import DataError, SdgError
from nemo_sdg.generate.requests import Completion
from nemo_sdg.generate.scheduling.cache import CACHED_FRAMES, CompletionCache, index_journals
from nemo_sdg.generate.scheduling.journal_files import compress_files, compress_finished, create_numbered
from nemo_sdg.generate.scheduling.journal_lines import decode, encode, void_line, voided
from nemo_sdg.storage import FrameReader, compress_file, compressed, content_lines, release, stored_files

log = logging.getLogger(__name__)
__all__ = ["Entry", "Journal", "ShardJournal", "compress_finished", "create_numbered"]


@dataclass(slots=True)
class Entry:
    """A completion on its way to the disk."""

    key: str
    completion: Completion
    share: bool
    written: "asyncio.Future[None]"


class ShardJournal:
    """The completions of one shard: what earlier processes left, and what this one adds."""

    def __init__(self, journal: "Journal", shard: str) -> None:
        self._journal = journal
        self.shard = shard
        self._places: dict[str, tuple[Callable[[int, int], bytes], int, int]] = {}
        """key -> the function that reads its file, offset, length"""
        self._plain: list[Path] = []
        """files that are not compressed"""
        self._open = contextlib.ExitStack()
        self._own: int | None = None
        self._read_own: Callable[[int, int], bytes] | None = None
        self._size = 0
        self.damaged = 0
        for path in stored_files(journal.folder, f"{shard}.*.jsonl"):
            if compressed(path).exists() and path.exists() and not path.stat().st_size:
                compress_file(path)  # it would hide the compressed one
            self._load(path)
        if self.damaged:
            log.warning(
                "journal of %s: %d damaged lines are passed over; their requests are asked again", shard, self.damaged
            )

    def _load(self, path: Path) -> None:
        read: Callable[[int, int], bytes]
        try:
            read = functools.partial(os.pread, self._keep_open(os.open(path, os.O_RDONLY | os.O_CLOEXEC)))
            lines = content_lines(path)
            self._plain.append(path)
        except FileNotFoundError:
            reader = FrameReader(compressed(path), num_cached=CACHED_FRAMES, salvage=True)
            self._open.callback(reader.close)
            read, lines = reader.read_at, reader.lines()
        for offset, line in lines:
            row = decode(line)
            if row is not None:
                self._places.setdefault(row[0], (read, offset, len(line)))
            elif (key := voided(line)) is not None:
                self._places.pop(key, None)
            elif line.endswith(b"\n"):
                self.damaged += 1

    def _keep_open(self, descriptor: int) -> int:
        self._open.callback(os.close, descriptor)
        return descriptor

    def __len__(self) -> int:
        return len(self._places)

    def get(self, key: str) -> Completion | None:
        """The completion of a request, if it is in the journal (on disk, that is)."""
        place = self._places.get(key)
        if place is None:
            return None
        read, offset, length = place
        try:
            row = decode(read(length, offset))
        except DataError:
            row = None
        if row is None or row[0] != key:
            raise SdgError(
                f"the journal of {self.shard} in {self._journal.folder} changed while it was read; is "
                "another process at work in this run?"
            )
        return row[1]

    async def add(self, key: str, completion: Completion, *, share: bool = True) -> None:
        """Returns when the completion is on disk; `share` also puts it into the cache. Raises SdgError when it cannot
        be written.
        """
        await self._journal.write(self, Entry(key, completion, share, asyncio.get_running_loop().create_future()))

    def append(self, entries: "list[Entry]") -> list[bytes]:
        """Writes and syncs a group of completions and returns their lines; in the journal's thread."""
        lines = [encode(entry.key, entry.completion) for entry in entries]
        read = self._write(lines)
        for entry, line in zip(entries, lines, strict=True):
            self._places.setdefault(entry.key, (read, self._size, len(line)))
            self._size += len(line)
        return lines

    def void(self, keys: "list[str]") -> None:
        """Takes completions back, so that they are asked for again; in the journal's thread."""
        lines = [void_line(key) for key in keys]
        self._write(lines)
        self._size += sum(map(len, lines))
        for key in keys:
            self._places.pop(key, None)

    def _write(self, lines: "list[bytes]") -> Callable[[int, int], bytes]:
        """Writes and syncs lines, and returns what reads the file."""
        if self._own is None:
            path, self._own = create_numbered(
                self._journal.folder, self.shard.replace("{", "{{").replace("}", "}}") + ".{:04d}.jsonl"
            )
            self._read_own, self._size = functools.partial(os.pread, self._keep_open(self._own)), 0
            self._plain.append(path)
        assert self._read_own is not None
        view = memoryview(b"".join(lines))
        try:
            while view:
                view = view[os.write(self._own, view) :]
            os.fdatasync(self._own)
        except OSError:
            self._own = None
            raise
        return self._read_own

    def seal(self) -> list[Path]:
        """Ends the process's own file, and returns those that are not compressed; in the journal's thread. What is
        added later goes into a new file.
        """
        if self._own is not None:
            release(self._own)
        self._own = None
        files, self._plain = self._plain, []
        return files

    async def compress(self) -> None:
        """Compresses the shard's files, after the shard was written; then only close() may follow. Where the disk is
        full they stay as they are.
        """
        files = await asyncio.get_running_loop().run_in_executor(self._journal.thread(), self.seal)
        await asyncio.to_thread(compress_files, files)

    def close(self) -> None:
        self._open.close()
        self._places.clear()
        self._own = None


class Journal:
    """The journals of one step. Made outside of the event loop, used inside of one; `cache_dir` is shared between
    runs. `everywhere` looks into the journals of all shards, for a step whose records may have moved between them.
    """

    def __init__(self, folder: str | Path, *, cache_dir: str | Path | None = None, everywhere: bool = False) -> None:
        self.folder = Path(folder)
        self._others = index_journals(self.folder) if everywhere else None
        self.cache = CompletionCache(cache_dir) if cache_dir is not None else None
        self._pending: dict[ShardJournal, list[Entry]] = {}
        self._committer: asyncio.Task[None] | None = None
        self._thread: ThreadPoolExecutor | None = None

    def open(self, shard: str) -> ShardJournal:
        """Reads a shard's journal files. Raises SdgError when the folder cannot be read."""
        try:
            return ShardJournal(self, shard)
        except OSError as exc:
            raise SdgError(f"cannot read the journal of {shard} in {self.folder}: {exc.strerror or exc}") from exc

    def lookup(self, key: str) -> Completion | None:
        """A completion that another shard's journal holds, or that another run left in the shared cache."""
        for index in (self._others, self.cache):
            line = index.get(key) if index is not None else None
            row = decode(line) if line is not None else None
            if row is not None and row[0] == key:
                return row[1]
        return None

    async def write(self, journal: ShardJournal, entry: Entry) -> None:
        self._pending.setdefault(journal, []).append(entry)
        if self._committer is None or self._committer.done():
            self._committer = asyncio.create_task(self._commit())
        await entry.written

    def thread(self) -> ThreadPoolExecutor:
        """The one thread that writes."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        return self._thread

    async def _commit(self) -> None:
        """Writes what has gathered, syncs, and again, until nothing is left: while one group is synced the next one
        gathers.
        """
        loop = asyncio.get_running_loop()
        while self._pending:
            groups, self._pending = self._pending, {}
            try:
                await loop.run_in_executor(self.thread(), self._append, groups)
            except OSError as exc:
                error = SdgError(
                    f"cannot write the journal in {self.folder}: {exc.strerror or exc}; free space or correct "
                    "the folder, then run the same command again"
                )
                _resolve(groups, error)
            else:
                _resolve(groups, None)

    def _append(self, groups: dict[ShardJournal, list[Entry]]) -> None:
        for journal, entries in groups.items():
            lines = journal.append(entries)
            if self.cache is not None:
                self.cache.put((entry.key, line) for entry, line in zip(entries, lines, strict=True) if entry.share)

    async def flush(self) -> None:
        """Returns when all that was added is on disk."""
        if self._committer is not None:
            await asyncio.shield(self._committer)

    def close(self) -> None:
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None
        if self.cache is not None:
            self.cache.close()


def _resolve(groups: dict[ShardJournal, list[Entry]], error: SdgError | None) -> None:
    for entry in (entry for entries in groups.values() for entry in entries):
        if entry.written.done():
            continue
        if error is None:
            entry.written.set_result(None)
        else:
            entry.written.set_exception(error)
