"""seeds.lock.yaml: the data that a corpus was made from, so that a later run refuses other data.

- dataset: openai/gsm8k
  name: main
  split: train
  revision: local
  rows: 7473
  hash: 5f0c…              over the rows' content: the same from the hub, from a mirror, as JSONL or parquet
"""

import functools
import hashlib
from pathlib import Path
from typing import Any

import orjson
import yaml

from nemo_sdg.errors import DataError
from nemo_sdg.seeds.sources.formats import LOCAL, Damaged, Rows
from nemo_sdg.seeds.sources.rows import Split
from nemo_sdg.storage import write_bytes


class DiffersFromLock(DataError):
    """The data are not those that the lock says: the run must not go on, not even without this source."""


def lock_entry(split: Split, rows: Rows) -> dict[str, Any]:
    """One split's entry; reads all its rows."""
    num, digest = _hash(rows)
    entry: dict[str, Any] = {"dataset": split.path, "name": split.name, "split": split.split}
    if split.data_files:
        entry["data_files"] = list(split.data_files)
    return {**entry, "revision": rows.revision, "rows": num, "hash": digest}


def write_lock(path: str | Path, entries: list[dict[str, Any]]) -> None:
    write_bytes(path, yaml.safe_dump(entries, sort_keys=False, allow_unicode=True).encode())


def locked_revision(split: Split, lock: str | None) -> str | None:
    """The hub commit that the lock pins, if it does."""
    revision = None if lock is None else _entry(split, lock).get("revision")
    return None if revision == LOCAL else revision


def verify(rows: Rows, split: Split, lock: str, *, task: str) -> None:
    """Raises DiffersFromLock when the data differs from the lock. A hub commit is its own proof; other rows are read
    and hashed.
    """
    entry = _entry(split, lock)
    if not entry:
        raise DiffersFromLock(
            f"task {task}: {split} is not in {lock}; write the lock again with `nemo-sdg lock`, or leave the task out"
        )
    if rows.revision != LOCAL and rows.revision == entry["revision"]:
        return
    num, digest = _hash(rows)
    if (num, digest) != (entry["rows"], entry["hash"]):
        raise DiffersFromLock(
            f"task {task}: {split} has {num} rows with hash {digest[:12]}, {lock} says {entry['rows']} rows with hash "
            f"{str(entry['hash'])[:12]}; restore the data, or accept it with `nemo-sdg lock`"
        )


def _hash(rows: Rows) -> tuple[int, str]:
    digest, num = hashlib.blake2b(digest_size=16), 0
    for _, row in rows:
        num += 1
        digest.update(
            row.detail.encode()
            if isinstance(row, Damaged)
            else orjson.dumps(row, option=orjson.OPT_SORT_KEYS, default=str)
        )
        digest.update(b"\n")
    return num, digest.hexdigest()


def _entry(split: Split, lock: str) -> dict[str, Any]:
    return _entries(lock, Path(lock).stat().st_mtime_ns if Path(lock).is_file() else 0).get(
        _key(split.path, split.name, split.split, split.data_files), {}
    )


def _key(path: str, name: str | None, split: str, data_files: Any) -> str:
    return repr((path, name, split, list(data_files or [])))


@functools.lru_cache(maxsize=8)
def _entries(lock: str, modified: int) -> dict[str, dict[str, Any]]:
    try:
        entries = yaml.safe_load(Path(lock).read_bytes())
    except FileNotFoundError as exc:
        raise DataError(f"seeds.lock={lock} is missing; write it with `nemo-sdg lock`, or set seeds.lock=null") from exc
    except yaml.YAMLError as exc:
        raise DataError(
            f"seeds.lock={lock} is not valid YAML ({' '.join(str(exc).split())}); write it again with `nemo-sdg lock`"
        ) from exc
    wanted = {"dataset", "name", "split", "revision", "rows", "hash"}
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and wanted <= entry.keys() for entry in entries
    ):
        raise DataError(
            f"seeds.lock={lock} is not a list of entries with {sorted(wanted)}; write it again with `nemo-sdg lock`"
        )
    return {_key(entry["dataset"], entry["name"], entry["split"], entry.get("data_files")): entry for entry in entries}
