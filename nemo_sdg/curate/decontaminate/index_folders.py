"""Folders that are complete or absent, although several processes may fill them at the same time."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from nemo_sdg.errors import DataError
from nemo_sdg.storage import read_json

ABANDONED_SECONDS = 7 * 86400
"""after which a half-built index is nobody's"""


def is_whole(folder: Path) -> bool:
    """Whether an index lies there with all its files, each of the size that meta.json says."""
    try:
        sizes: dict[str, int] = read_json(folder / "meta.json")["files"]
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, DataError, KeyError, TypeError, AttributeError):
        return False


def take(source: Path, target: Path) -> bool:
    """Copies a whole index; False where there is none, or where another process removes it meanwhile."""
    if not is_whole(source):
        return False
    try:
        place(target, lambda folder: copy(source, folder))
    except (OSError, shutil.Error):
        return False
    return is_whole(target)


def place(target: Path, fill: Callable[[Path], None]) -> None:
    """Fills a folder and gives it its name when it is whole. Another process may have been faster with the same."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f".{target.name}.*"):  # by a process that was killed
        if left.stat().st_mtime < time.time() - ABANDONED_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        fill(folder)
        for path in folder.iterdir():  # sizes alone tell a whole index: no name before the bytes are on the disk
            with open(path, "rb") as handle:
                os.fsync(handle.fileno())
        folder.chmod(0o755)
        if target.exists() and not is_whole(target):
            os.replace(target, folder / "damaged")
        try:
            os.replace(folder, target)
        except OSError:
            if not is_whole(target):
                raise
        shutil.rmtree(target / "damaged", ignore_errors=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def copy(source: Path, folder: Path) -> None:
    shutil.copytree(source, folder, dirs_exist_ok=True)
