"""The input of a law, a run's files, and its result: what breaks the law, and what could not be looked at."""

import functools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nemo_sdg.errors import DataError
from nemo_sdg.storage import Ledger, read_json, read_jsonl, read_ledger, sha256_file

if TYPE_CHECKING:
    from nemo_sdg.export.packing.tokenizers import Tokenizer

SHOWN = 5
"""how many findings of a law are shown; the others are counted"""


@dataclass(kw_only=True)
class Verdict:
    """The verdict on one law."""

    law: str
    violations: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    """what could not be looked at"""
    detail: str = ""

    @property
    def outcome(self) -> str:
        return "VIOLATED" if self.violations else "not seen" if self.unseen else "proved"

    def lines(self) -> Iterator[str]:
        found = self.violations or self.unseen
        yield f"{self.outcome:<9} {self.law}{f' ({self.detail})' if self.detail and not found else ''}"
        yield from (f"            {line}" for line in found[:SHOWN])
        if len(found) > SHOWN:
            yield f"            and {len(found) - SHOWN} more"


class CheckedRun:
    """The files of a run, read for the laws. Receipts and ledgers are read once."""

    def __init__(self, run_dir: Path, steps: list[str]) -> None:
        self.dir, self.steps = run_dir, steps
        self.ledgers: dict[str, Ledger] = {}
        self._heads: dict[tuple[str, str], tuple[str, Counter[str]]] = {}
        self.broken: dict[str, str] = {}
        """step -> why its ledger cannot be used"""
        for step in steps:
            try:
                ledger = read_ledger(run_dir, step)
                if ledger is not None:
                    self.ledgers[step] = ledger
            except DataError as exc:
                self.broken[step] = str(exc)

    @functools.cached_property
    def receipts(self) -> dict[str, dict[str, Any]]:
        """Every readable receipt of the steps by its path in the run. An ablation in the run's folder packs a corpus of
        its own, which is not part of the run.
        """
        found = {}
        for step in self.steps:
            for path in sorted((self.dir / step).rglob("receipts/*.json")):
                if not path.name.startswith("."):
                    receipt = read_json(path)
                    wanted = {"step", "shard", "fingerprint", "inputs", "outputs", "counts"}
                    if not isinstance(receipt, dict) or not wanted <= receipt.keys():
                        raise DataError(f"{path.relative_to(self.dir)} is not a receipt")
                    found[str(path.relative_to(self.dir))] = receipt
        return found

    def shards(self, step: str) -> list[str]:
        """The step's own shards on disk, by their receipts."""
        return sorted(Path(name).stem for name in self.receipts if Path(name).parent == Path(step, "receipts"))

    def receipt(self, step: str, shard: str) -> dict[str, Any]:
        return self.receipts[f"{step}/receipts/{shard}.json"]

    def heads(self, step: str, shard: str) -> tuple[list[str], Counter[str]]:
        """Ids of a shard's kept records, in order, and how many each task has. Two laws ask for them: each shard is
        parsed once, and kept as 33 bytes a record.
        """
        if (step, shard) not in self._heads:
            field = "seed_id" if step == "seeds" else "sample_id"
            ids, tasks = list[str](), Counter[str]()
            for record in self.kept(step, shard):
                ids.append(record[field])
                tasks[record["task"]] += 1
            self._heads[step, shard] = "\n".join(ids), tasks
        joined, tasks = self._heads[step, shard]
        return joined.split("\n") if joined else [], tasks

    def kept(self, step: str, shard: str) -> Iterator[dict[str, Any]]:
        return read_jsonl(self.dir / step / f"{shard}.jsonl")

    def dropped(self, step: str, shard: str) -> Iterator[dict[str, Any]]:
        return read_jsonl(self.dir / step / "dropped" / f"{shard}.jsonl")

    def tokenizer(self) -> "Tokenizer":
        """The tokenizer that the run keeps. Raises DataError where it is damaged."""
        folder = self.dir / "packed" / "tokenizer"
        return _load_tokenizer(*(Content(path) for path in sorted(folder.glob("*.json"))))

    @functools.cached_property
    def config(self) -> dict[str, Any]:
        """config.yaml as it stands. Raises DataError where it is damaged."""
        import yaml

        try:
            found = yaml.safe_load((self.dir / "config.yaml").read_text())
        except yaml.YAMLError as exc:
            raise DataError(f"config.yaml is damaged ({' '.join(str(exc).split())})") from exc
        if not isinstance(found, dict):
            raise DataError("config.yaml is not a configuration")
        return found


class Content:
    """A file that counts by what it holds."""

    def __init__(self, path: Path) -> None:
        self.path, self.digest = path, sha256_file(path)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Content) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)


@functools.lru_cache(maxsize=1)
def _load_tokenizer(*files: Content) -> "Tokenizer":
    from nemo_sdg.export.packing.tokenizers import load_saved

    if not files:
        raise DataError("packed/tokenizer is missing")
    return load_saved(files[0].path.parent)


class Ids:
    """Ids of a corpus in 8 bytes each: they are hashes, and two of 100 million share their first half once in 3,700
    corpora.
    """

    def __init__(self) -> None:
        self._parts: list[Any] = []
        self.num = 0

    def add(self, ids: list[str]) -> None:
        import numpy as np

        self._parts.append(np.fromiter((int(name[:16], 16) for name in ids), dtype=np.uint64, count=len(ids)))
        self.num += len(ids)

    @functools.cached_property
    def sorted(self) -> Any:
        import numpy as np

        return np.sort(np.concatenate(self._parts)) if self._parts else np.empty(0, dtype=np.uint64)

    def num_twins(self) -> int:
        return int((self.sorted[1:] == self.sorted[:-1]).sum())
