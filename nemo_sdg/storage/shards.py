"""Shards of a step: kept records, dropped records, and a receipt with hashes and counts of both.

    RUN/<step>/shard-00000.jsonl            kept records
    RUN/<step>/dropped/shard-00000.jsonl    dropped records, each with its reason
    RUN/<step>/receipts/shard-00000.json    written last; without it the shard counts as missing

Of steps that nobody reads but the next one, records and drops are compressed: shard-00000.jsonl.zst (frames.py).

A receipt, shortened:

    {"step": "verified", "shard": "shard-00000", "fingerprint": "9f…", "made_by": "0.1.0+1f3a9c2e",
     "inputs": {"answers/shard-00000.jsonl": "ab12…"},
     "outputs": {"verified/shard-00000.jsonl": {"sha256": "cd34…", "bytes": 91822, "rows": 41}, …},
     "counts": {"gsm8k": {"in": 60, "kept": 41, "dropped": {"no_majority": 19}, "not_sampled": 0}}}

Names, bytes and hashes in a receipt are those of the content, whichever form it stands in. Nothing in a receipt depends
on the clock, the machine or the number of workers.
"""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from nemo_sdg.errors import DataError
from nemo_sdg.records import Drop
from nemo_sdg.records.lines import Receipt
from nemo_sdg.storage.code import code_version
from nemo_sdg.storage.counts import Counts, merge_counts, total_dropped, total_kept
from nemo_sdg.storage.files import (
    FileFacts,
    JsonlWriter,
    content_file,
    read_json,
    read_jsonl,
    read_shaped,
    sha256_file,
    sha256_files,
    write_json,
)
from nemo_sdg.storage.frames import compressed, content_size, stored, stored_files

SHARD_FORMAT = "shard-{:05d}"
RECEIPT_SUFFIX = ".json"


class ShardWriter:
    """A shard that is being written. Only its counts are held in memory."""

    def __init__(self, kept: JsonlWriter, dropped: JsonlWriter) -> None:
        self.kept, self.dropped = kept, dropped
        self.counts = Counts()
        self.extra: dict[str, Any] = {}
        """further fields of the receipt"""
        self.beside: dict[str, FileFacts] = {}
        """files of the shard that are already written, by their path in the run"""

    def keep(self, task: str, record: Any) -> None:
        self.kept.add(record)
        self.counts.keep(task)

    def drop(self, drop: Drop) -> None:
        self.dropped.add(drop)
        self.counts.drop(drop.task, drop.reason)


@dataclass(kw_only=True)
class StepDir:
    """One step's folder within a run."""

    run_dir: Path
    step: str
    fingerprint: str
    """fingerprint of what shapes the step (see ledger.py); receipts with another one are ignored"""
    subdir: str = ""
    compress: bool = False
    """whether shards are written compressed; they are read in either form"""
    hashes: dict[Path, tuple[int, int, str]] = field(default_factory=dict, repr=False)
    """path -> size, modification time, SHA-256 of the files that this process has already read"""

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

    @contextlib.contextmanager
    def open_shard(self, shard: str, *, inputs: Iterable[Path] = ()) -> Iterator["ShardWriter"]:
        """Streams a shard and its drops to disk; the receipt is written when the block ends without an error."""
        with (
            content_file(self.shard_path(shard), compress=self.compress) as kept,
            content_file(self.dropped_path(shard), compress=self.compress) as dropped,
        ):
            writer = ShardWriter(JsonlWriter(kept), JsonlWriter(dropped))
            yield writer
        facts = {
            self.relative(self.shard_path(shard)): writer.kept.facts(),
            self.relative(self.dropped_path(shard)): writer.dropped.facts(),
        }
        self.write_receipt(
            shard, {**facts, **writer.beside}, writer.counts.as_dict(), inputs=inputs, extra=writer.extra
        )

    def write_shard(
        self, shard: str, kept: Iterable[Any], dropped: Iterable[Drop], counts: Counts, *, inputs: Iterable[Path] = ()
    ) -> None:
        """Writes a shard, its drops and, last, its receipt. Law 1 is checked before the receipt is written."""
        with self.open_shard(shard, inputs=inputs) as writer:
            for record in kept:
                writer.kept.add(record)
            for drop in dropped:
                writer.dropped.add(drop)
            writer.counts = counts
            assert writer.kept.rows == total_kept(counts.tasks), (
                f"{self.step}/{shard}: {writer.kept.rows} records kept, but counted otherwise"
            )
            assert writer.dropped.rows == total_dropped(counts.tasks).total(), (
                f"{self.step}/{shard}: {writer.dropped.rows} records dropped, but counted otherwise"
            )

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
            "made_by": code_version(),
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
        """The shard's receipt; None if it is missing or damaged."""
        try:
            return cast(dict[str, Any], read_shaped(self.receipt_path(shard), Receipt))
        except DataError:
            return None

    def problem(self, shard: str, *, inputs: Iterable[Path] | None = None, full: bool = True) -> str | None:
        """Why a shard is not done, or None if it is. `full` compares hashes; otherwise only lengths are compared."""
        receipt = self.receipt(shard)
        if receipt is None:
            return f"{self.step}/{shard} has no readable receipt"
        if receipt.get("fingerprint") != self.fingerprint:
            return f"{self.step}/{shard} was written under another configuration or from other inputs"
        for name, fact in receipt["outputs"].items():
            path = self.run_dir / name
            try:
                if (size := content_size(path)) != fact["bytes"]:
                    return f"{name} has {size} bytes, its receipt says {fact['bytes']}"
                if full and self._sha256(path) != fact["sha256"]:
                    return f"{name} does not have the SHA-256 that its receipt says"
            except FileNotFoundError:
                return f"{name} is missing"
            except DataError as exc:
                return str(exc)
            if path.is_file() and compressed(path).is_file():
                return f"{name} is there twice, plain and compressed"
        if inputs is not None:
            wanted = {self.relative(path): self.input_sha256(path, full=full) for path in sorted(inputs)}
            if receipt["inputs"] != wanted:
                return f"{self.step}/{shard} was made from other inputs"
        return None

    def _sha256(self, path: Path) -> str:
        """Hash of a file, remembered by size and modification time within this process."""
        stat = stored(path).stat()
        known = self.hashes.get(path)
        if known is None or known[:2] != (stat.st_size, stat.st_mtime_ns):
            known = (stat.st_size, stat.st_mtime_ns, sha256_file(path))
            self.hashes[path] = known
        return known[2]

    def hash_outputs(self, shards: Iterable[str]) -> None:
        """Hashes the files of these shards in threads, before `problem` asks for one after the other."""
        receipts = (receipt for receipt in map(self.receipt, shards) if receipt)
        wanted = [self.run_dir / name for receipt in receipts for name in receipt.get("outputs", {})]
        files = {path: stored(path) for path in wanted if path not in self.hashes}
        stats = {path: file.stat() for path, file in files.items() if file.is_file()}
        for path, digest in sha256_files(stats).items():
            self.hashes[path] = (stats[path].st_size, stats[path].st_mtime_ns, digest)

    def input_sha256(self, path: Path, *, full: bool) -> str:
        """The SHA-256 of a file. Without `full` it is taken from the receipt, and the file is not read."""
        if not full:
            folder = path.parent.parent if path.parent.name == "dropped" else path.parent
            with contextlib.suppress(DataError, KeyError, TypeError):
                recorded = read_json(folder / "receipts" / f"{path.stem}{RECEIPT_SUFFIX}")["outputs"]
                return str(recorded[self.relative(path)]["sha256"])
        return self._sha256(path)

    def keep_only(self, shards: Iterable[str]) -> None:
        """Removes shards that no longer belong to the step. Their receipts are removed first."""
        wanted = set(shards)
        for shard in set(self.shards()) - wanted:
            self.receipt_path(shard).unlink(missing_ok=True)  # other workers remove it too
        for folder in (self.path, self.path / "dropped", self.path / "traces"):
            for path in stored_files(folder, "shard-*.jsonl"):
                if path.stem not in wanted:
                    path.unlink(missing_ok=True)
                    compressed(path).unlink(missing_ok=True)

    def receipt_hashes(self) -> dict[str, str]:
        """Receipt, by its path in the step's folder without `receipts/` -> its SHA-256."""
        root = self.run_dir / self.step
        return {
            str((path.parent.parent / path.stem).relative_to(root)): sha256_file(path)
            for path in sorted(root.rglob(f"receipts/*{RECEIPT_SUFFIX}"))
            if not path.name.startswith(".")
        }

    def made_by(self) -> list[str]:
        """The versions of nemo_sdg that wrote the receipts, sorted; [] where they name none."""
        receipts = map(self.receipt, self.shards())
        return sorted({str(receipt["made_by"]) for receipt in receipts if receipt and "made_by" in receipt})

    def counts(self) -> dict[str, Any]:
        """The step's counts, added over its receipts."""
        return merge_counts(receipt["counts"] for receipt in map(self.receipt, self.shards()) if receipt)

    def num_kept(self, shards: Iterable[str]) -> int:
        """Number of kept records in these shards, by their receipts."""
        receipts = (receipt for receipt in map(self.receipt, shards) if receipt)
        return sum(total_kept(receipt["counts"]) for receipt in receipts)

    def records(self) -> Iterator[dict[str, Any]]:
        """Streams the records of all finished shards in order."""
        for shard in self.shards():
            yield from read_jsonl(self.shard_path(shard))
