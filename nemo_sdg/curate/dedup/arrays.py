"""Arrays in files: one array, or several under names. A file is written completely or not at all."""

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
