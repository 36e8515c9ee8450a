"""Opens files of a run for reading, and nothing that has no end."""

import io
import os
import stat
from pathlib import Path

from nemo_sdg.errors import DataError


def open_regular(path: str | Path) -> io.FileIO:
    """A file for reading, without a buffer. Raises DataError for a pipe or a device: it has no end, or its reader waits
    for one who writes.
    """
    handle = io.FileIO(path, opener=_without_waiting)
    if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
        handle.close()
        raise DataError(f"{path} is not a regular file; remove it and run the same command again")
    return handle


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)
