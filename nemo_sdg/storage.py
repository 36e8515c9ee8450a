"""Files of a run: shards, drops, receipts, manifest. A file is complete or absent, a receipt proves a shard.

    RUN/<step>/shard-00000.jsonl            what was kept
    RUN/<step>/dropped/shard-00000.jsonl    what was not, each with its reason
    RUN/<step>/receipts/shard-00000.json    written last; a shard without one does not exist

A receipt, shortened:

    {"step": "verified", "shard": "shard-00000", "fingerprint": "9f…", "inputs": {"answers/shard-00000.jsonl": "ab12…"},
     "outputs": {"verified/shard-00000.jsonl": {"sha256": "cd34…", "bytes": 91822, "rows": 41}, …},
     "counts": {"gsm8k": {"in": 60, "kept": 41, "dropped": {"no_majority": 19}, "not_sampled": 0}}}

Nothing in a receipt depends on the clock, the machine or the number of workers.
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import orjson

from nemo_sdg.errors import DataError, SdgError
from nemo_sdg.records import Drop, json_line

SHARD_FORMAT = "shard-{:05d}"
RECEIPT_SUFFIX = ".json"


def fsync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def atomic_file(path: str | Path) -> Iterator[IO[bytes]]:
    """Opens a temporary file beside `path`; on success it is synced and takes the name, otherwise it is removed.

    Raises SdgError in one line when the directory cannot be written or the disk is full.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", suffix=".tmp", delete=False
        ) as handle:
            temporary = handle.name
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        Path(temporary).chmod(0o644)
        os.replace(temporary, path)
        temporary = None
        fsync_directory(path.parent)
    except OSError as exc:
        raise SdgError(
            f"cannot write {path}: {exc.strerror or exc}; free space or set run.dir to a writable folder, "
            "then run again"
        ) from exc
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


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
        return orjson.loads(Path(path).read_bytes())
    except FileNotFoundError as exc:
        raise DataError(f"{path} is missing") from exc
    except orjson.JSONDecodeError as exc:
        raise DataError(f"{path} is not valid JSON ({exc})") from exc


def read_jsonl(path: str | Path) -> Iterator[dict[str, Any]]:
    """Streams a file of one JSON object a line. Raises DataError with the line number when a line is damaged."""
    try:
        with open(path, "rb") as handle:
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


def write_jsonl(path: str | Path, records: Iterable[Any]) -> "FileFacts":
    """Writes records atomically, one JSON object a line, and returns what a receipt says of the file."""
    digest, size, rows = hashlib.sha256(), 0, 0
    with atomic_file(path) as handle:
        for record in records:
            line = json_line(record)
            digest.update(line)
            size += len(line)
            rows += 1
            handle.write(line)
    return FileFacts(sha256=digest.hexdigest(), bytes=size, rows=rows)


def sha256_file(path: str | Path) -> str:
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@dataclass(kw_only=True)
class FileFacts:
    """What a receipt or the manifest says of one file."""

    sha256: str
    bytes: int
    rows: int | None = None


def file_facts(path: str | Path, *, rows: int | None = None) -> FileFacts:
    return FileFacts(sha256=sha256_file(path), bytes=os.path.getsize(path), rows=rows)


class Counts:
    """in = kept + dropped, per task and reason; rows beyond a sampling limit stand apart as not_sampled."""

    def __init__(self) -> None:
        self.tasks: dict[str, dict[str, Any]] = {}

    def _task(self, task: str) -> dict[str, Any]:
        return self.tasks.setdefault(task, {"in": 0, "kept": 0, "dropped": {}, "not_sampled": 0})

    def keep(self, task: str, num: int = 1) -> None:
        row = self._task(task)
        row["in"] += num
        row["kept"] += num

    def drop(self, task: str, reason: str, num: int = 1) -> None:
        row = self._task(task)
        row["in"] += num
        row["dropped"][reason] = row["dropped"].get(reason, 0) + num

    def not_sampled(self, task: str, num: int) -> None:
        self._task(task)["not_sampled"] += num

    def as_dict(self) -> dict[str, Any]:
        return {
            task: {**row, "dropped": dict(sorted(row["dropped"].items()))} for task, row in sorted(self.tasks.items())
        }


def merge_counts(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Adds the `counts` of several receipts, task by task."""
    total = Counts()
    for part in parts:
        for task, row in part.items():
            total.keep(task, row["kept"])
            for reason, num in row["dropped"].items():
                total.drop(task, reason, num)
            total.not_sampled(task, row["not_sampled"])
    return total.as_dict()


@dataclass(kw_only=True)
class StepDir:
    """One step's folder within a run."""

    run_dir: Path
    step: str
    fingerprint: str
    """of the run's identity; a receipt of another identity does not count"""
    subdir: str = ""
    _hashes: dict[Path, tuple[int, int, str]] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return self.run_dir / self.step / self.subdir if self.subdir else self.run_dir / self.step

    def shard_path(self, shard: str) -> Path:
        return self.path / f"{shard}.jsonl"

    def dropped_path(self, shard: str) -> Path:
        return self.path / "dropped" / f"{shard}.jsonl"

    def receipt_path(self, shard: str) -> Path:
        return self.path / "receipts" / f"{shard}{RECEIPT_SUFFIX}"

    def shards(self) -> list[str]:
        """Names of the shards that have a receipt, sorted."""
        folder = self.path / "receipts"
        return sorted(
            p.name.removesuffix(RECEIPT_SUFFIX) for p in folder.glob(f"*{RECEIPT_SUFFIX}") if not p.name.startswith(".")
        )

    def relative(self, path: Path) -> str:
        return str(path.relative_to(self.run_dir))

    def write_shard(
        self,
        shard: str,
        kept: Iterable[Any],
        dropped: Iterable[Drop],
        counts: Counts,
        *,
        inputs: Iterable[Path] = (),
        beside: "dict[str, FileFacts] | None" = None,
        extra: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Writes a shard, its drops and, last, its receipt; returns the receipt. Law 1 is checked before the receipt
        is written. `beside` are files of the shard that are written already.
        """
        facts = {
            self.relative(self.shard_path(shard)): write_jsonl(self.shard_path(shard), kept),
            self.relative(self.dropped_path(shard)): write_jsonl(self.dropped_path(shard), dropped),
        }
        num_kept, num_dropped = (fact.rows or 0 for fact in facts.values())
        counted = counts.as_dict()
        assert num_kept == sum(row["kept"] for row in counted.values()), (
            f"{self.step}/{shard}: {num_kept} records kept, but counted otherwise"
        )
        assert num_dropped == sum(sum(row["dropped"].values()) for row in counted.values()), (
            f"{self.step}/{shard}: {num_dropped} records dropped, but counted otherwise"
        )
        return self.write_receipt(shard, {**facts, **(beside or {})}, counted, inputs=inputs, extra=extra)

    def write_receipt(
        self,
        shard: str,
        outputs: dict[str, FileFacts],
        counts: dict[str, Any],
        *,
        inputs: Iterable[Path] = (),
        extra: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        receipt = {
            "step": self.step,
            "shard": shard,
            "fingerprint": self.fingerprint,
            "inputs": {self.relative(path): sha256_file(path) for path in sorted(inputs)},
            "outputs": {
                name: {"sha256": fact.sha256, "bytes": fact.bytes, "rows": fact.rows}
                for name, fact in sorted(outputs.items())
            },
            "counts": counts,
            **(extra or {}),
        }
        write_json(self.receipt_path(shard), receipt)
        return receipt

    def receipt(self, shard: str) -> dict[str, Any] | None:
        """The shard's receipt, or None where there is none or it is damaged."""
        try:
            receipt = read_json(self.receipt_path(shard))
        except DataError:
            return None
        return receipt if isinstance(receipt, dict) else None

    def problem(self, shard: str, *, inputs: Iterable[Path] | None = None, full: bool = True) -> str | None:
        """Why a shard does not count as done, or None when it does. `full` compares hashes, otherwise only lengths."""
        receipt = self.receipt(shard)
        if receipt is None:
            return f"{self.step}/{shard} has no readable receipt"
        if receipt.get("fingerprint") != self.fingerprint:
            return f"{self.step}/{shard} was written under another configuration"
        for name, fact in receipt["outputs"].items():
            path = self.run_dir / name
            if not path.is_file():
                return f"{name} is missing"
            if path.stat().st_size != fact["bytes"]:
                return f"{name} has {path.stat().st_size} bytes, its receipt says {fact['bytes']}"
            if full and self._sha256(path) != fact["sha256"]:
                return f"{name} does not have the SHA-256 that its receipt says"
        if inputs is not None:
            wanted = {self.relative(path): self._sha256(path) for path in sorted(inputs)}
            if receipt["inputs"] != wanted:
                return f"{self.step}/{shard} was made from other inputs"
        return None

    def _sha256(self, path: Path) -> str:
        """Hash of a file, remembered by size and modification time within this process."""
        stat = path.stat()
        known = self._hashes.get(path)
        if known is None or known[:2] != (stat.st_size, stat.st_mtime_ns):
            known = (stat.st_size, stat.st_mtime_ns, sha256_file(path))
            self._hashes[path] = known
        return known[2]

    def counts(self) -> dict[str, Any]:
        """The step's counts, added over its receipts."""
        return merge_counts(receipt["counts"] for receipt in map(self.receipt, self.shards()) if receipt)

    def records(self) -> Iterator[dict[str, Any]]:
        """Streams the records of all finished shards in order."""
        for shard in self.shards():
            yield from read_jsonl(self.shard_path(shard))


def finished_shards(run_dir: Path, step: str) -> list[str]:
    """Names of a step's shards that have a receipt, sorted; for those who read a run without its configuration."""
    return sorted(path.stem for path in (run_dir / step / "receipts").glob("shard-*.json"))


def remove_temporaries(folder: Path) -> int:
    """Removes what a killed process left between write and rename; returns how many files."""
    num = 0
    for path in folder.rglob(".*.tmp"):
        with contextlib.suppress(OSError):
            path.unlink()
            num += 1
    return num
