"""Arrays in files, one or several under names, written completely or not at all; and pairs of questions as numbers.

pack_pairs([[3, 5], [7, 9]])  ->  [3 << 32 | 7, 5 << 32 | 9]
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nemo_sdg.storage import atomic_file


def save_array(path: Path, array: npt.NDArray[Any]) -> None:
    with atomic_file(path) as handle:
        np.save(handle, array)


def save_arrays(path: Path, **arrays: npt.NDArray[Any]) -> None:
    with atomic_file(path) as handle:
        np.savez(handle, **arrays)


def load_array(path: Path, name: str) -> npt.NDArray[Any]:
    with np.load(path) as arrays:
        array: npt.NDArray[Any] = arrays[name]
        return array


def pack_pairs(ends: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """One number a pair, which sorts by the left question. `ends`: shape (2, pairs), each left < right."""
    left, right = ends.astype(np.uint64)
    pairs: npt.NDArray[np.uint64] = left << np.uint64(32) | right
    return pairs


def unpack_pairs(pairs: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The left and the right questions."""
    return (pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)
