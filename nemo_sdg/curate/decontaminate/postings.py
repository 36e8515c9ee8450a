"""A map from 64-bit hashes to the items that hold them, on disk: built as a stream in bounded memory, read through
memory maps.

    <name>.keys    uint64, sorted, distinct
    <name>.starts  int64, one more than keys: where a key's items begin in <name>.items
    <name>.items   uint32, ascending within a key

Keys are hashes of n-grams or of whole questions, items the numbers of evaluation rows or of parts of them.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nemo_sdg.text.normalize import Hashes

Items = npt.NDArray[np.uint32]
RUN_LENGTH = 1 << 22
"""pairs sorted in memory at once: 48 MB"""
PAIR = np.dtype([("key", "<u8"), ("item", "<u4")])


def load_array(path: Path, dtype: Any) -> npt.NDArray[Any]:
    """A read-only memory map of a raw array; an empty file gives an empty array."""
    if path.stat().st_size == 0:
        return np.empty(0, dtype=dtype)
    return np.memmap(path, dtype=dtype, mode="r").view(np.ndarray)


class PostingsWriter:
    """Collects (hash, item) pairs in any order; `finish` merges the sorted runs key range by key range."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self._pending: list[npt.NDArray[Any]] = []
        self._num_pending = 0
        self._runs: list[Path] = []
        self._scratch = tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}.")

    def add(self, hashes: Hashes, item: int) -> None:
        """Notes that `item` holds each of these hashes; repeats count once."""
        pairs = np.empty(len(distinct := np.unique(hashes)), dtype=PAIR)
        pairs["key"], pairs["item"] = distinct, item
        self._pending.append(pairs)
        self._num_pending += len(pairs)
        if self._num_pending >= RUN_LENGTH:
            self._spill()

    def _spill(self) -> None:
        pairs = np.concatenate(self._pending) if self._pending else np.empty(0, dtype=PAIR)
        pairs = pairs[np.lexsort((pairs["item"], pairs["key"]))]
        path = Path(self._scratch.name) / f"{len(self._runs):05d}"
        path.write_bytes(pairs.tobytes())
        self._runs.append(path)
        self._pending, self._num_pending = [], 0

    def finish(self) -> None:
        """Writes the three files."""
        self._spill()
        runs = [load_array(path, PAIR) for path in self._runs]
        parts = max(1, sum(map(len, runs)) // RUN_LENGTH)
        bounds = [np.uint64(part * (2**64 // parts)) for part in range(1, parts)]
        cuts = [[0, *np.searchsorted(run["key"], bounds).tolist(), len(run)] for run in runs]
        num_items = 0
        base = self.folder / self.name
        with (
            open(f"{base}.keys", "wb") as keys,
            open(f"{base}.starts", "wb") as starts,
            open(f"{base}.items", "wb") as items,
        ):
            for part in range(parts):
                pairs = np.concatenate([run[cut[part] : cut[part + 1]] for run, cut in zip(runs, cuts, strict=True)])
                pairs = pairs[np.lexsort((pairs["item"], pairs["key"]))]
                distinct, first = np.unique(pairs["key"], return_index=True)
                keys.write(distinct.astype("<u8").tobytes())
                starts.write((first + num_items).astype("<i8").tobytes())
                items.write(np.ascontiguousarray(pairs["item"]).tobytes())
                num_items += len(pairs)
            starts.write(np.array([num_items], dtype="<i8").tobytes())
        del runs
        self._scratch.cleanup()


@dataclass(kw_only=True)
class Postings:
    """The opened map."""

    keys: Hashes
    starts: npt.NDArray[np.int64]
    items: Items

    @classmethod
    def open(cls, folder: Path, name: str) -> "Postings":
        return cls(
            keys=load_array(folder / f"{name}.keys", "<u8"),
            starts=load_array(folder / f"{name}.starts", "<i8"),
            items=load_array(folder / f"{name}.items", "<u4"),
        )

    def find(self, hashes: Hashes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Positions in `keys` of those distinct hashes that are there, and for each the number of its items."""
        if not len(self.keys) or not len(hashes):
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        distinct = np.unique(hashes)
        positions = np.minimum(np.searchsorted(self.keys, distinct), len(self.keys) - 1)
        positions = positions[self.keys[positions] == distinct]
        return positions, self.starts[positions + 1] - self.starts[positions]

    def count(self, hashes: Hashes) -> npt.NDArray[np.int64]:
        """The number of items of each hash, in the order given; 0 for one that is not there."""
        if not len(self.keys):
            return np.zeros(len(hashes), dtype=np.int64)
        positions = np.minimum(np.searchsorted(self.keys, hashes), len(self.keys) - 1)
        return np.where(self.keys[positions] == hashes, self.starts[positions + 1] - self.starts[positions], 0)

    def gather(
        self, positions: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]
    ) -> tuple[Items, npt.NDArray[np.int64]]:
        """The items of all these keys, and beside each item which of the keys it came from."""
        owner = np.repeat(np.arange(len(positions)), counts)
        offsets = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
        return self.items[self.starts[positions][owner] + offsets], owner
