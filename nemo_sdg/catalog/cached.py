"""The cache of what task files say, which all runs of a user share: one JSON file for each state of the files."""

import contextlib
import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.errors import SdgError
from nemo_sdg.storage import write_bytes

logger = logging.getLogger(__name__)
NUM_CACHED = 16


def read_cached(
    folder: Path, kind: str, key: str, read: Callable[[], dict[str, Any]], *, told: bool = True
) -> dict[str, Any]:
    """What `read` gives, from the file of `kind` with that key in the folder, if it is whole and the files that it
    names in `outside` have not changed. Otherwise the file is made; a warning says if it cannot be written, with
    `told`.
    """
    path = folder / f"{kind}-{key}.json"
    try:
        facts = orjson.loads(path.read_bytes())
        if isinstance(facts, dict) and facts.get("key") == key:
            if facts["outside_hash"] == hash_of_files(facts["outside"]):
                with contextlib.suppress(OSError):  # a cache that may only be read serves as well
                    os.utime(path)
                return facts
            raise FileNotFoundError("an included file has changed")
        logger.warning("%s is damaged and is made anew", path)
    except FileNotFoundError:
        logger.debug("the catalog at %s is made anew", path)
    except (OSError, orjson.JSONDecodeError) as exc:
        logger.warning("%s is damaged and is made anew (%s)", path, exc)
    facts = read()
    data = orjson.dumps({**facts, "key": key, "outside_hash": hash_of_files(facts["outside"])})
    try:
        write_bytes(path, data)
    except SdgError as exc:
        why = str(exc).partition(";")[0]
        logger.log(
            logging.WARNING if told else logging.DEBUG,
            "the catalog is not cached, and each start reads it anew: %s; set XDG_CACHE_HOME to a folder to write in",
            why,
        )
    else:
        _remove_unused(path.parent, kind)
    found: dict[str, Any] = orjson.loads(data)
    return found


def _remove_unused(cache_dir: Path, kind: str) -> None:
    """Removes all cached files of a kind but the NUM_CACHED last used: each change of a task file makes one of 6 MB
    more.
    """
    used = []
    for path in cache_dir.glob(f"{kind}-*.json"):
        with contextlib.suppress(OSError):  # another process may remove it too
            used.append((path.stat().st_mtime, path))
    for _, path in sorted(used, reverse=True)[NUM_CACHED:]:
        with contextlib.suppress(OSError):
            path.unlink()


def hash_of_files(files: list[str]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.encode())
        if Path(file).is_file():
            digest.update(Path(file).read_bytes())
    return digest.hexdigest()
