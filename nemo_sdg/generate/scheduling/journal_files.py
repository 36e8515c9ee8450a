"""The files of a journal: each is made by one process, and compressed when its shard is finished."""

import contextlib
import itertools
import logging
import os
from collections.abc import Iterable
from pathlib import Path

from nemo_sdg.errors import SdgError
from nemo_sdg.storage import compress_file, compressed, fsync_directory, hold

log = logging.getLogger(__name__)


def create_numbered(folder: Path, pattern: str) -> tuple[Path, int]:
    """Makes the first free file of `pattern` ("shard-00000.{:04d}.jsonl") and opens it for appending; safe against
    other processes. The number of a compressed file is not free.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in itertools.count():
        path = folder / pattern.format(number)
        if compressed(path).exists():
            continue
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
            hold(descriptor)
            if not compressed(path).exists():
                fsync_directory(folder)
                return path, descriptor
            os.close(descriptor)  # it was compressed since we looked
            path.unlink(missing_ok=True)
    raise AssertionError("numbers do not end")


def compress_files(files: Iterable[Path]) -> None:
    """Compresses files of finished shards. Where the disk is full they stay as they are."""
    try:
        for path in files:
            compress_file(path)
    except SdgError as exc:
        log.warning("journals stay uncompressed: %s", exc)


def compress_finished(folder: Path, shards: Iterable[str]) -> None:
    """Compresses what a kill, a full disk or an earlier version left of the journals of finished shards."""
    plain: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.*.jsonl")):
        plain.setdefault(path.name.split(".")[0], []).append(path)
    compress_files(path for shard in shards for path in plain.get(shard, ()))
