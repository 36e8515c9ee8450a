"""The metadata of a GGUF file: what stands before its tensors, the tokenizer among it.

The package `gguf` reads the same through a memory map, one numpy view a string: 7 s of CPU for 100,000 strings of
vocabulary and merges, on each start. This takes 0.1 s; a test holds the two together.
Layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import struct
from pathlib import Path
from typing import IO, Any

from nemo_sdg.errors import ConfigError

MAGIC = b"GGUF"
STRING, ARRAY = 8, 9
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""value type -> struct format"""


def read_metadata(path: Path) -> dict[str, Any]:
    """Key -> value; arrays as lists. Raises ConfigError when the file is no little-endian GGUF of version 2 or 3, or
    is cut short.
    """
    with open(path, "rb") as handle:
        try:
            magic, version, _, num_pairs = struct.unpack("<4sIQQ", handle.read(24))
            if magic != MAGIC or version not in (2, 3):
                raise ConfigError(f"{path} is no GGUF file of version 2 or 3")
            return {_string(handle): _value(handle, _scalar(handle, "I")) for _ in range(num_pairs)}
        except (struct.error, KeyError, UnicodeDecodeError, OverflowError, MemoryError) as exc:
            raise ConfigError(f"{path} is a damaged GGUF file ({type(exc).__name__}: {exc}); fetch it again") from exc


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
