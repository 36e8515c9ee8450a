"""The user's own Megatron datasets in the blend. They are read in every form that Megatron reads, and checked.

    {"train": ["30", "/data/web", "70", "/data/code"], "valid": null}       weights and prefixes in turn
    {"train": ["/data/web", "/data/code"]}                                  prefixes alone: each by its tokens
    {"train": "30 /data/web 70 /data/code"}                                 the same as a string
    30 /data/web 70 /data/code                                              a file for --data-args-path

A relative prefix starts from the working directory, as in Megatron, or else from the folder of the file that names it.
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.config import BlendSection, BlendSource
from nemo_sdg.errors import ConfigError
from nemo_sdg.export.packing.indexed_dataset import HEADER_BYTES, MAGIC

SPLITS = ("train", "valid")
ITEM_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 8, 7: 4, 8: 2}
"""code in the index -> bytes of a token"""


@dataclass(kw_only=True, frozen=True)
class BaseDataset:
    """One dataset of a split; the weights of a split sum to 1."""

    weight: float
    prefix: Path
    """absolute, without .bin/.idx"""
    tokens: int


def read_base(sources: Sequence[BlendSource]) -> dict[str, list[BaseDataset]]:
    """The base datasets of each split. Raises ConfigError for what is missing, damaged, or has no usable weight."""
    base: dict[str, list[BaseDataset]] = {split: [] for split in SPLITS}
    found: dict[str, list[tuple[float | None, Path]]]
    for source in sources:
        if source.prefix is not None:
            found = {"train": [(1.0, Path(source.prefix))], "valid": []}
            folder = None
        else:
            assert source.blend is not None
            path = Path(source.blend)
            found, folder = _read_blend(path), path.parent
        for split, entries in found.items():
            base[split] += _weighed(entries, source.weight, folder)
    return {split: _normalised(datasets) for split, datasets in base.items()}


def check_share(blend: BlendSection, synthetic_share: float) -> None:
    """Raises ConfigError for base datasets without a share of the blend, and for a share without base datasets."""
    if blend.base and synthetic_share >= 1.0:
        raise ConfigError(
            "blend.base needs mixture.synthetic_share < 1, got 1.0: nothing would be left for it; lower "
            "the share or remove blend.base"
        )
    if synthetic_share < 1.0 and not blend.base:
        raise ConfigError(
            f"mixture.synthetic_share is {synthetic_share:g}, but blend.base is empty; name the datasets of the rest, "
            "or set it to 1"
        )


def prefixes_of(path: Path) -> list[Path]:
    """The datasets that a blend file names, as absolute paths. Raises ConfigError as `read_base` does."""
    return [resolve_prefix(prefix, path.parent) for entries in _read_blend(path).values() for _, prefix in entries]


def _weighed(
    entries: Sequence[tuple[float | None, Path]], source_weight: float, folder: Path | None
) -> list[BaseDataset]:
    """Entries of one source; without weights, each counts by its tokens, so that all are read once."""
    read = [(weight, resolve_prefix(prefix, folder)) for weight, prefix in entries]
    tokens = [count_tokens(prefix) for _, prefix in read]
    weights = [num if weight is None else weight for (weight, _), num in zip(read, tokens, strict=True)]
    total = math.fsum(weights)
    return [
        BaseDataset(weight=source_weight * weight / total, prefix=prefix, tokens=num)
        for weight, (_, prefix), num in zip(weights, read, tokens, strict=True)
    ]


def _normalised(datasets: list[BaseDataset]) -> list[BaseDataset]:
    """Weights that sum to 1; a prefix that several sources name stands once, so that its epochs can be counted."""
    weights: dict[Path, float] = {}
    for dataset in datasets:
        weights[dataset.prefix] = weights.get(dataset.prefix, 0.0) + dataset.weight
    total, tokens = math.fsum(weights.values()), {dataset.prefix: dataset.tokens for dataset in datasets}
    return [
        BaseDataset(weight=weight / total, prefix=prefix, tokens=tokens[prefix]) for prefix, weight in weights.items()
    ]


def _read_blend(path: Path) -> dict[str, list[tuple[float | None, Path]]]:
    """Train and valid of a blend file, weights as they stand there."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"blend.base: {path} cannot be read ({exc}); give the path of a blend file") from exc
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError:
        content = text if "{" not in text and "[" not in text else None
    if isinstance(content, list | str):
        content = {"train": content}
    if not isinstance(content, dict):
        raise ConfigError(
            f'blend.base: {path} is not a blend; it should read {{"train": ["1.0", "/prefix", …], "valid": …, '
            '"test": …}'
        )
    found = {
        "train": _entries(content.get("train"), path, "train"),
        "valid": _entries(content.get("valid") or content.get("validation"), path, "valid"),
    }
    if not found["train"]:
        raise ConfigError(f"blend.base: {path} has no dataset under train; name at least one prefix there")
    return found


def _entries(items: Any, path: Path, split: str) -> list[tuple[float | None, Path]]:
    """Weights and prefixes of one split, told apart as Megatron does: prefixes alone where no weight is a number."""
    items = items.split() if isinstance(items, str) else items or []
    if not isinstance(items, list) or not all(isinstance(item, str | int | float) for item in items):
        raise ConfigError(
            f"blend.base: {path}, {split} must be a list of weights and prefixes in turn, or of prefixes alone, "
            f"got {type(items).__name__}"
        )
    words = [str(item).strip() for item in items]
    numbers = [_number(word) for word in words[::2]]
    if any(_number(word) is not None for word in words[1::2]) or (
        any(number is not None for number in numbers) and (len(words) % 2 or None in numbers)
    ):
        raise ConfigError(
            f"blend.base: {path}, {split} must hold a weight before each prefix or before none of them; "
            "add the weights that are missing"
        )
    if not words or numbers[0] is None:
        return [(None, Path(word)) for word in words]
    for number, word in zip(numbers, words[::2], strict=True):
        if number is None or not math.isfinite(number) or number <= 0:
            raise ConfigError(
                f"blend.base: {path}, {split} has the weight {word}; weights must be finite and > 0: "
                "leave a dataset out instead of weighing it 0"
            )
    return list(zip(numbers, map(Path, words[1::2]), strict=True))


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def resolve_prefix(prefix: Path, folder: Path | None) -> Path:
    """The absolute path of a prefix whose two files are there."""
    candidates = [prefix] if folder is None or prefix.is_absolute() else [prefix, folder / prefix]
    for candidate in candidates:
        missing = [suffix for suffix in (".bin", ".idx") if not Path(f"{candidate}{suffix}").is_file()]
        if not missing:
            return Path.cwd() / candidate  # links stay: the trainer may see other mounts behind them
    raise ConfigError(
        f"blend.base: {candidates[0]}{missing[0]} is missing; a prefix is the path of a Megatron dataset without "
        ".bin and .idx, relative to the working directory or to the blend file"
    )


def count_tokens(prefix: Path) -> int:
    """Tokens of a Megatron dataset. Raises ConfigError unless its index is whole and fits its .bin."""
    import numpy as np

    idx, bin_bytes = Path(f"{prefix}.idx"), Path(f"{prefix}.bin").stat().st_size
    size = idx.stat().st_size
    with idx.open("rb") as handle:
        header = handle.read(HEADER_BYTES)
    if header[:9] != MAGIC or len(header) < HEADER_BYTES:
        raise ConfigError(f"blend.base: {idx} is not a Megatron index; pack the dataset again, or copy it again")
    version, code, sequences, documents = struct.unpack("<QBQQ", header[9:HEADER_BYTES])
    item = ITEM_BYTES.get(code)
    expected = HEADER_BYTES + sequences * (4 + 8) + documents * 8
    if version != 1 or item is None or size not in (expected, expected + sequences):  # one byte each more: modes
        raise ConfigError(
            f"blend.base: {idx} is damaged: its header asks for {expected:,} bytes, it has {size:,}; copy it again"
        )
    if sequences == 0:
        raise ConfigError(f"blend.base: {prefix} holds no document, which Megatron cannot open; leave it out")
    lengths = np.memmap(idx, dtype=np.int32, mode="r", offset=HEADER_BYTES, shape=(sequences,))
    pointers = np.memmap(idx, dtype=np.int64, mode="r", offset=HEADER_BYTES + 4 * sequences, shape=(sequences,))
    tokens, end = int(lengths.sum(dtype=np.int64)), int(pointers[-1]) + int(lengths[-1]) * item
    if bin_bytes != end:
        raise ConfigError(
            f"blend.base: {prefix}.bin has {bin_bytes:,} bytes, its index names {end:,}; copy both files again"
        )
    if tokens == 0:
        raise ConfigError(f"blend.base: {prefix} holds no token; leave it out")
    return tokens
