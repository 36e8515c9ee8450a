"""Continued pretraining of a Nemotron model on a nemo_sdg blend, with Megatron-Bridge, under torchrun in its container.

    torchrun ... recipes/nemotron_bridge_cpt.py --model nemotron_3_nano --blend RUN/blend/context.blend.json \
        --base BASE_CHECKPOINT --dir OUT --tokens 100e9

Names, functions and fields were read from Megatron-Bridge at commit 067f987 (2026-08-22), not run: it needs a GPU.
Megatron-Bridge only warns of an unknown override and then trains on mock data, so every override is read back, and a
configuration without a real blend refuses to run.
"""

import argparse
import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cpt_inputs import LR, MIN_LR, WARMUP_SHARE, read_blend, require_base, steps_for


@dataclass(frozen=True, kw_only=True)
class Model:
    """A pretraining recipe of Megatron-Bridge, below megatron.bridge.recipes.nemotronh."""

    module: str
    function: str
    tokenizer: str
    """of the base checkpoint, and of export.tokenizer"""
    num_gpus: int
    """that the recipe's parallel layout is made for"""


MODELS = {
    "nemotron_3_nano": Model(
        module="nemotron_3_nano",
        function="nemotron_3_nano_pretrain_config",
        tokenizer="nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-Base-BF16",
        num_gpus=8,
    ),
    "nemotron_3_nano_4b": Model(
        module="nemotron_3_nano_4b",
        function="nemotron_3_nano_4b_pretrain_config",
        tokenizer="nvidia/NVIDIA-Nemotron-3-Nano-4B-BF16",
        num_gpus=8,
    ),
    "nemotron_3_super": Model(
        module="nemotron_3_super",
        function="nemotron_3_super_pretrain_config",
        tokenizer="nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16",
        num_gpus=64,
    ),
    "nemotron_3_ultra": Model(
        module="nemotron_3_ultra",
        function="nemotron_3_ultra_pretrain_config",
        tokenizer="nvidia/NVIDIA-Nemotron-3-Ultra-550B-A55B-BF16",
        num_gpus=24,
    ),
    "nemotron_3_5_lightning": Model(
        module="nemotron_3_nano",
        function="nemotron_3_5_lightning_pretrain_config",
        tokenizer="nvidia/NVIDIA-Nemotron-3.5-Lightning-30B-A3B-BF16",
        num_gpus=8,
    ),
}


def overrides(config: Any, *, base: Path, dir: Path, tokens: float, tokenizer: str, lr: float, min_lr: float) -> Any:
    """Dotted field of the ConfigContainer -> value, for so many tokens at the recipe's own sequence length and batch.

    `checkpoint.finetune` stays false: a run that is started again must resume from its own checkpoint.
    """
    batch = config.train.global_batch_size
    steps = steps_for(tokens, seq_length=config.dataset.seq_length, global_batch_size=batch)
    return {
        "tokenizer.tokenizer_model": tokenizer,
        "train.train_iters": steps,
        "optimizer.lr": lr,
        "optimizer.min_lr": min_lr,
        "scheduler.lr_decay_style": "cosine",
        "scheduler.lr_warmup_iters": max(1, int(steps * WARMUP_SHARE)),
        "scheduler.lr_decay_iters": steps,
        "checkpoint.pretrained_checkpoint": str(base),
        "checkpoint.save": str(dir),
        "checkpoint.load": str(dir),
        "checkpoint.finetune": False,
    }


def apply(config: Any, values: dict[str, Any]) -> None:
    """Sets dotted fields, then reads all of them back. Raises ValueError where one is unknown or not kept."""
    owners = {}
    for dotted, value in values.items():
        *parents, name = dotted.split(".")
        owner = config
        for parent in parents:
            owner = getattr(owner, parent, None)
        if owner is None or not hasattr(owner, name):
            raise ValueError(f"this Megatron-Bridge has no {dotted}: the recipe was read from commit 067f987")
        setattr(owner, name, value)
        owners[dotted] = owner, name
    for dotted, (owner, name) in owners.items():
        if getattr(owner, name) != values[dotted]:
            raise ValueError(f"{dotted} did not take the value {values[dotted]!r}, it is {getattr(owner, name)!r}")


def refuse_mock(config: Any) -> None:
    """Raises ValueError unless the data set is a real blend."""
    dataset = config.dataset
    if "Mock" in type(dataset).__name__ or (
        getattr(dataset, "blend", None) is None and getattr(dataset, "blend_per_split", None) is None
    ):
        raise ValueError("the configuration would train on mock data: no blend reached it")


def cpt_config(
    *,
    model: str,
    blend: Path,
    base: Path,
    dir: Path,
    tokens: float,
    tokenizer: str | None = None,
    global_batch_size: int | None = None,
    seq_length: int | None = None,
    lr: float = LR,
    min_lr: float = MIN_LR,
) -> Any:
    """Megatron-Bridge's ConfigContainer for the continuation of `model`, a key of MODELS.

    `global_batch_size` (sequences) and `seq_length` (tokens) are the recipe's own where None. Raises ValueError where
    something is missing or did not take effect.
    """
    if model not in MODELS:
        raise ValueError(f"--model must be one of {', '.join(MODELS)}, got {model}")
    known = MODELS[model]
    require_base(base, forms=("megatron", "huggingface"))
    read_blend(blend, "blend", tokenizer=tokenizer or known.tokenizer)
    if tokens <= 0:
        raise ValueError(f"--tokens must be > 0, got {tokens:g}")

    module = f"megatron.bridge.recipes.nemotronh.{known.module}"
    try:
        recipe = getattr(importlib.import_module(module), known.function)
        utils = importlib.import_module("megatron.bridge.recipes.utils.dataset_utils")
    except (ModuleNotFoundError, AttributeError) as exc:
        raise ValueError(
            f"{module}.{known.function} is not to be had here ({exc}); run this in a NeMo Framework container with it"
        ) from exc
    config = recipe()
    if seq_length is not None:
        apply(config, {"dataset.seq_length": seq_length, "model.seq_length": seq_length})
    if global_batch_size is not None:
        apply(config, {"train.global_batch_size": global_batch_size})
    blend_field, blend_per_split, split = utils.get_blend_fields_from_data_paths(per_split_data_args_path=str(blend))
    apply(config, {"dataset.blend": blend_field, "dataset.blend_per_split": blend_per_split, "dataset.split": split})
    values = overrides(
        config, base=base, dir=dir, tokens=tokens, tokenizer=tokenizer or known.tokenizer, lr=lr, min_lr=min_lr
    )
    apply(config, values)
    refuse_mock(config)
    return config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--model", default="nemotron_3_nano", help=f"one of {', '.join(MODELS)}")
    parser.add_argument("--blend", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--tokens", type=float, required=True)
    parser.add_argument("--tokenizer", help="by default the model's own")
    parser.add_argument("--global-batch-size", type=int, help="sequences a step; by default the recipe's own")
    parser.add_argument("--seq-length", type=int, help="tokens; by default the recipe's own")
    parser.add_argument("--lr", type=float, default=LR)
    parser.add_argument("--min-lr", type=float, default=MIN_LR)
    arguments = parser.parse_args()
    try:
        config = cpt_config(**vars(arguments))
    except ValueError as exc:
        parser.exit(2, f"nemotron_bridge_cpt: {exc}\n")
    from megatron.bridge.training.gpt_step import forward_step
    from megatron.bridge.training.pretrain import pretrain

    pretrain(config=config, forward_step_func=forward_step)


if __name__ == "__main__":
    main()
