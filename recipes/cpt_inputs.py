"""What the recipes check of their inputs before anything is built. Each problem is a ValueError of one line."""

import json
from collections.abc import Sequence
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


def require_base(base: Path, *, forms: Sequence[str]) -> str:
    """The form of the checkpoint: megatron (Megatron-Bridge, Megatron-LM), nemo or huggingface. Raises ValueError
    unless `base` holds whole weights in one of `forms`.

    Megatron-Bridge starts from random weights, without a word, where it does not recognise the folder: where it is
    empty, of another form, or has no file that names the iteration (checkpoint_exists and is_hf_checkpoint_dir in
    training/utils/checkpoint_utils.py at commit 067f987). So the same files are looked for here.
    """
    if not base.is_dir():
        raise ValueError(f"--base: there is no checkpoint folder at {base}")
    form, problem = _form_of(base)
    if problem is not None:
        raise ValueError(f"--base: {base} {problem}")
    if form not in forms:
        raise ValueError(
            f"--base: {base} is a checkpoint of the form {form}, this recipe reads {' and '.join(forms)}: convert it"
        )
    return form


def _form_of(base: Path) -> tuple[str, str | None]:
    """The form, and what keeps the folder from being loaded."""
    if (base / "config.json").is_file():
        problem = huggingface_problem(base)
        return "huggingface", problem and f"is a Hugging Face folder, but {problem}"
    if (base / "weights").is_dir():
        return "nemo", None if has_distributed_weights(base / "weights") else "holds no weights in weights/"
    if has_distributed_weights(base):
        return "megatron", None
    iterations = sorted(path for path in base.glob("iter_*") if path.is_dir())
    if not iterations:
        return "none", (
            "holds no weights: expected iter_*/ with .distcp files and .metadata (Megatron, Bridge), "
            "weights/ (NeMo), or config.json with .safetensors (Hugging Face)"
        )
    tracker = base / "latest_checkpointed_iteration.txt"
    if tracker.is_file():
        word = tracker.read_text().strip()
        latest = base / (f"iter_{int(word):07d}" if word.isdigit() else word)
    elif (base / "latest_train_state.pt").is_file():
        latest = iterations[-1]
    else:
        return "megatron", (
            f"has neither {tracker.name} nor latest_train_state.pt, without which Megatron-Bridge starts from random "
            f"weights: give {iterations[-1]} itself"
        )
    whole = has_distributed_weights(latest)
    return "megatron", None if whole else f"holds no weights in {latest.name}/: expected .distcp files and .metadata"


def has_distributed_weights(folder: Path) -> bool:
    """A torch distributed checkpoint: its index, and data files with content."""
    files = list(folder.glob("*.distcp"))
    return (folder / ".metadata").is_file() and bool(files) and all(path.stat().st_size > 0 for path in files)


def huggingface_problem(folder: Path) -> str | None:
    """Why a Hugging Face folder has no whole weights of a model (adapters are none), or None."""
    indexes = [folder / f"{name}.index.json" for name in ("model.safetensors", "pytorch_model.bin")]
    index = next((path for path in indexes if path.is_file()), None)
    if index is not None:
        names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
    else:
        names = [name for name in ("model.safetensors", "pytorch_model.bin") if (folder / name).is_file()][:1]
        names = names or _parts(folder) or ["model.safetensors"]
    missing = [name for name in names if not (folder / name).is_file() or (folder / name).stat().st_size == 0]
    return f"{missing[0]} is missing or empty ({len(missing)} of {len(names)} weight files)" if missing else None


def _parts(folder: Path) -> list[str]:
    """The names of all parts of a model without an index, by what its first part says of their number."""
    for pattern in ("model-*-of-*.safetensors", "pytorch_model-*-of-*.bin"):
        for path in sorted(folder.glob(pattern)):
            head, _, rest = path.name.partition("-")
            number, _, tail = rest.partition("-of-")
            total, suffix = tail.split(".", 1)
            return [f"{head}-{part:0{len(number)}d}-of-{total}.{suffix}" for part in range(1, int(total) + 1)]
    return []


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
