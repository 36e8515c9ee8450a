"""What the recipes check of their inputs before anything is built. Each problem is a ValueError of one line."""

import json
from pathlib import Path
from typing import Any

LR, MIN_LR, WARMUP_SHARE = 3e-5, 3e-6, 0.01
"""Peak and last learning rate, and the share of the steps in which it rises. NVIDIA advises 1e-5 to 5e-5, five to ten
times under pretraining, for continued pretraining (NVIDIA-NeMo/Nemotron, steps/patterns/cpt-data-blend-scoping.md,
commit e27b371)."""


def steps_for(tokens: float, *, seq_length: int, global_batch_size: int) -> int:
    """Optimizer steps for a number of tokens."""
    steps = int(tokens) // (seq_length * global_batch_size)
    if steps < 1:
        raise ValueError(f"--tokens {tokens:g} is less than one step of {seq_length} x {global_batch_size} tokens")
    return steps


def require_base(base: Path) -> str:
    """Raises ValueError unless `base` holds weights; returns the form: megatron, nemo or huggingface.

    Megatron-Bridge starts from random weights when the folder is empty, so the weights are looked for here.
    """
    if not base.is_dir():
        raise ValueError(f"--base: there is no checkpoint folder at {base}")
    if (base / "config.json").is_file() and (problem := huggingface_problem(base)) is not None:
        raise ValueError(f"--base: {base} is a Hugging Face folder, but {problem}")
    if (base / "config.json").is_file():
        return "huggingface"
    if (base / "weights").is_dir() and has_distributed_weights(base / "weights"):
        return "nemo"
    iterations = [path for path in sorted(base.glob("iter_*")) if path.is_dir()]
    if any(has_distributed_weights(folder) or has_rank_weights(folder) for folder in [base, *iterations]):
        return "megatron"
    raise ValueError(
        f"--base: {base} holds no weights: expected iter_*/ with .distcp files and .metadata (Megatron, Bridge), "
        "weights/ (NeMo), or config.json with .safetensors (Hugging Face)"
    )


def has_distributed_weights(folder: Path) -> bool:
    """A torch distributed checkpoint: its index, and a data file with content."""
    return (folder / ".metadata").is_file() and any(path.stat().st_size > 0 for path in folder.glob("*.distcp"))


def has_rank_weights(folder: Path) -> bool:
    """Megatron's older form, one folder a rank."""
    return any(path.stat().st_size > 0 for path in folder.glob("mp_rank_*/model_optim_rng.pt"))


def huggingface_problem(folder: Path) -> str | None:
    """Why a Hugging Face folder has no whole weights, or None."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
    else:
        names = sorted(path.name for path in folder.glob("*.safetensors")) or ["model.safetensors"]
    missing = [name for name in names if not (folder / name).is_file() or (folder / name).stat().st_size == 0]
    return f"{missing[0]} is missing or empty ({len(missing)} of {len(names)} weight files)" if missing else None


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
