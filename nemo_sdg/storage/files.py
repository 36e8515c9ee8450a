"""Writing and reading the files of a run. A file is complete or absent, never half written."""

import contextlib
import errno
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

import orjson

from nemo_sdg.errors import ConfigError, DataError, SdgError
from nemo_sdg.records import json_line
from nemo_sdg.records.shapes import misfit
from nemo_sdg.storage.frames import SUFFIX, FrameWriter, compressed, content_size, is_stored, open_content, stored_files
from nemo_sdg.storage.regular import open_regular

DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
"""errors of writing. Any other OSError in a writing block comes from what the block reads, such as a connection that
breaks while rows are streamed.
"""

DAMAGED = "damaged"
REPAIR = "`nemo-sdg run` with the same configuration repairs it"
Shape = TypeVar("Shape")


def fsync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def atomic_file(path: str | Path) -> Iterator[IO[bytes]]:
    """Opens a temporary file beside `path`. On success it is synced and renamed to `path`; otherwise it is removed.

    Raises SdgError in one line when the directory cannot be written or the disk is full. Other errors raised within
    the block pass through.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = tempfile.NamedTemporaryFile(  # noqa: SIM115
            dir=path.parent, prefix=f".{path.name}.", suffix=".tmp", delete=False
        )
    except OSError as exc:
        raise _cannot_write(path, exc) from exc
    try:
        try:
            yield handle
        except OSError as exc:
            if exc.errno in DISK_ERRORS:
                raise _cannot_write(path, exc) from exc
            raise
        try:
            handle.flush()
            os.fsync(handle.fileno())
            handle.close()
            Path(handle.name).chmod(0o644)
            os.replace(handle.name, path)
            fsync_directory(path.parent)
        except OSError as exc:
            raise _cannot_write(path, exc) from exc
    finally:
        with contextlib.suppress(OSError):
            handle.close()
        with contextlib.suppress(OSError):
            os.unlink(handle.name)


def _cannot_write(path: Path, exc: OSError) -> SdgError:
    return SdgError(
        f"cannot write {path}: {exc.strerror or exc}; free space or set run.dir to a writable folder, then run again"
    )


@contextlib.contextmanager
def content_file(path: Path, *, compress: bool) -> Iterator["IO[bytes] | FrameWriter"]:
    """Like atomic_file, for a file of lines that stands in one of two forms (frames.py). The other form goes after the
    new file is there.
    """
    target, other = (compressed(path), path) if compress else (path, compressed(path))
    with atomic_file(target) as handle:
        if compress:
            writer = FrameWriter(handle)
            yield writer
            writer.finish()
        else:
            yield handle
    other.unlink(missing_ok=True)


def compress_file(path: Path) -> None:
    """Puts the compressed form of a file of lines into its place; the content stays the same to the byte. A kill leaves
    the file, its compressed form, or both. A file that another process still adds to (`hold`), or compresses too, stays
    as it is, and so does one that may not be written. Raises SdgError when the disk is full.
    """
    # opened for writing: NFS gives an exclusive lock for no other file
    with contextlib.suppress(FileNotFoundError, PermissionError), open(path, "r+b") as lines:
        if not _alone_with(lines, path):
            return
        if compressed(path).exists() and not os.path.getsize(path):  # begun under a name that is taken, then killed
            path.unlink()
            return
        with atomic_file(compressed(path)) as handle:
            writer = FrameWriter(handle)
            for line in lines:
                writer.write(line)
            writer.finish()
        if os.path.getsize(path) == writer.size:
            path.unlink()
        else:
            compressed(path).unlink()


def hold(descriptor: int) -> None:
    """Says that this process adds to a file, until `release` or its end: nobody compresses it meanwhile."""
    with contextlib.suppress(OSError):  # the file system has no locks
        fcntl.flock(descriptor, fcntl.LOCK_SH)


def release(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _alone_with(handle: IO[bytes], path: Path) -> bool:
    """Locks a file against other processes; whether it is still there, and nobody adds to it or compresses it. Where
    the file system has no locks, nobody else is taken to be there.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return os.path.samestat(os.fstat(handle.fileno()), path.stat())


def write_bytes(path: str | Path, data: bytes) -> None:
    """Writes a whole small file atomically."""
    with atomic_file(path) as handle:
        handle.write(data)


def write_json(path: str | Path, value: Any) -> None:
    """Writes indented JSON atomically; key order is the value's own."""
    write_bytes(path, orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def read_json(path: str | Path) -> Any:
    """Raises DataError when the file is missing or not JSON."""
    try:
        with open_regular(path) as handle:
            return orjson.loads(handle.read())
    except FileNotFoundError as exc:
        raise DataError(f"{path} is missing") from exc
    except IsADirectoryError as exc:
        raise DataError(f"{path} must be a file, and is a folder") from exc
    except orjson.JSONDecodeError as exc:
        raise DataError(f"{path} is not valid JSON ({exc})") from exc


def read_shaped(path: str | Path, shape: type[Shape]) -> Shape:
    """A JSON file of a run that a TypedDict describes. Raises DataError when it is missing or something else."""
    found: Shape
    try:
        found = read_json(path)
    except DataError as exc:
        raise DataError(f"{exc}; {REPAIR}") from exc
    if why := misfit(found, shape):
        raise DataError(f"{path} is damaged: {why}; {REPAIR}")
    return found


def jsonl_files(named: Iterable[str], field: str) -> list[Path]:
    """The files that a field of the configuration names, in either form: each is one, or a folder with .jsonl files in
    it. Raises ConfigError for one that has none.
    """
    files = []
    for name in named:
        path = Path(name.removesuffix(SUFFIX)) if name.endswith(f".jsonl{SUFFIX}") else Path(name)
        found = [path] if is_stored(path) else stored_files(path, "**/*.jsonl")
        for each in found:
            try:
                with contextlib.suppress(OSError):  # who reads it says so
                    content_size(each)
            except DataError as exc:
                raise ConfigError(
                    f"{field} names {compressed(each)}, which is cut off or was compressed by another program; "
                    "decompress it (zstd -d), or leave it out"
                ) from exc
        if not found:
            raise ConfigError(
                f"{field} must name .jsonl files or folders that hold them, {name} has none; correct the path or "
                "remove it"
            )
        files += found
    return files


def read_jsonl(path: str | Path) -> Iterator[dict[str, Any]]:
    """Streams a file of one JSON object per line, in either form. Raises DataError with the line number when a line is
    damaged.
    """
    try:
        with open_content(path) as handle:
            for number, line in enumerate(handle, 1):
                try:
                    value = orjson.loads(line)
                except orjson.JSONDecodeError as exc:
                    raise DataError(f"{path}, line {number} is not valid JSON ({exc})") from exc
                if not isinstance(value, dict):
                    raise DataError(f"{path}, line {number} is not a JSON object")
                yield value
    except FileNotFoundError as exc:
        raise DataError(f"{path} is missing") from exc


class JsonlWriter:
    """Writes one JSON object per line. Counts the rows and hashes the bytes for the receipt."""

    def __init__(self, handle: "IO[bytes] | FrameWriter") -> None:
        self._handle, self._digest = handle, hashlib.sha256()
        self.bytes = self.rows = 0

    def add(self, record: Any) -> None:
        line = json_line(record)
        self._digest.update(line)
        self.bytes += len(line)
        self.rows += 1
        self._handle.write(line)

    def facts(self) -> "FileFacts":
        return FileFacts(sha256=self._digest.hexdigest(), bytes=self.bytes, rows=self.rows)


def write_jsonl(path: str | Path, records: Iterable[Any], *, compress: bool = False) -> "FileFacts":
    """Writes records atomically, one JSON object per line, and returns the file's entry for a receipt."""
    with content_file(Path(path), compress=compress) as handle:
        writer = JsonlWriter(handle)
        for record in records:
            writer.add(record)
    return writer.facts()


def sha256_file(path: str | Path) -> str:
    """The SHA-256 of a file's content, whichever form it stands in. Raises DataError for a damaged compressed file."""
    with open_content(path) as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def sha256_files(paths: Iterable[Path]) -> dict[Path, str]:
    """Hashes of files, by as many threads as there are cores: hashing and decompression do not hold Python's lock. A
    file that cannot be decompressed has none: its place has DAMAGED.
    """
    paths = list(paths)
    with ThreadPoolExecutor(min(len(paths), os.cpu_count() or 1) or 1) as threads:
        return dict(zip(paths, threads.map(_sha256_or_damaged, paths), strict=True))


def _sha256_or_damaged(path: Path) -> str:
    try:
        return sha256_file(path)
    except DataError:
        return DAMAGED


@dataclass(kw_only=True)
class FileFacts:
    """The entry of one file's content in a receipt or in the manifest."""

    sha256: str
    bytes: int
    rows: int | None = None


def file_facts(path: str | Path, *, rows: int | None = None) -> FileFacts:
    return FileFacts(sha256=sha256_file(path), bytes=content_size(path), rows=rows)


def remove_temporaries(folder: Path) -> int:
    """Removes temporary files that a killed process left behind; returns how many."""
    num = 0
    for path in folder.rglob(".*.tmp"):
        with contextlib.suppress(OSError):
            path.unlink()
            num += 1
    return num
