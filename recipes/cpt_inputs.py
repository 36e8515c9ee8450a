"""What both recipes ask of their inputs before anything is built: each problem is a ValueError of one line."""

import json
from pathlib import Path
from typing import Any


def steps_for(tokens: float, *, seq_length: int, global_batch_size: int) -> int:
    """Optimizer steps for so many tokens."""
    steps = int(tokens) // (seq_length * global_batch_size)
    if steps < 1:
        raise ValueError(f"--tokens {tokens:g} is less than one step of {seq_length} x {global_batch_size} tokens")
    return steps


def require_base(base: Path) -> None:
    if not base.is_dir():
        raise ValueError(f"--base: no checkpoint at {base}; it is a folder in the trainer's own format")


def read_blend(blend: Path, form: str, *, tokenizer: str) -> dict[str, Any]:
    """Contents of RUN/blend/<variant>.<form>.json, every prefix of which is there and was packed with `tokenizer`."""
    if not blend.is_file():
        raise ValueError(f"--blend: no file {blend}; it is RUN/blend/<variant>.{form}.json of a finished nemo_sdg run")
    content: dict[str, Any] = json.loads(blend.read_text())
    if not content.get("train"):
        raise ValueError(f"--blend: {blend} names no training data")
    for prefix in (prefix for part in content.values() for prefix in (part or [])[1::2]):
        for suffix in (".bin", ".idx"):
            if not Path(f"{prefix}{suffix}").is_file():
                raise ValueError(f"--blend: {blend} names {prefix}, but {prefix}{suffix} is missing")
    packed_with = blend.parent.parent / "packed" / "tokenizer" / "tokenizer_config.json"
    name = json.loads(packed_with.read_text())["name"] if packed_with.is_file() else tokenizer
    if name != tokenizer:
        raise ValueError(
            f"--tokenizer {tokenizer}, but {blend} was packed with {name}: give that one, or pack again "
            f"with export.tokenizer={tokenizer}"
        )
    return content
