"""Continued pretraining of Nemotron 3 Nano (30B-A3B) on a nemo_sdg blend, with Megatron-Bridge. Runs in its container
under torchrun.

    torchrun ... recipes/nemotron_3_nano_cpt.py --blend RUN/blend/context.blend.json --base BASE_CHECKPOINT --dir OUT
    --tokens 100e9

Written against Megatron-Bridge 0.4.1 (read). Megatron-Bridge only warns of an override that it does not know and then
trains on mock
data: every override is therefore read back, and a configuration without a real blend refuses to run.
"""

import argparse
from pathlib import Path
from typing import Any

from cpt_inputs import read_blend, require_base, steps_for

TOKENIZER = "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-Base-BF16"


def overrides(
    *,
    base: Path,
    dir: Path,
    tokens: float,
    tokenizer: str = TOKENIZER,
    seq_length: int = 8192,
    global_batch_size: int = 3072,
    lr: float = 1.6e-4,
    min_lr: float = 1.6e-5,
    warmup_share: float = 0.01,
) -> dict[str, Any]:
    """Dotted field of the ConfigContainer -> value. Raises ValueError when the tokens do not make one step or the base
    is not there.

    `lr` defaults to a tenth of the recipe's 1.6e-3, for a continuation late in training. `checkpoint.finetune` stays
    false: a run that
    is started again must resume from its own checkpoint.
    """
    require_base(base)
    steps = steps_for(tokens, seq_length=seq_length, global_batch_size=global_batch_size)
    return {
        "dataset.seq_length": seq_length,
        "model.seq_length": seq_length,
        "tokenizer.tokenizer_model": tokenizer,
        "train.train_iters": steps,
        "train.global_batch_size": global_batch_size,
        "optimizer.lr": lr,
        "optimizer.min_lr": min_lr,
        "scheduler.lr_warmup_iters": max(1, int(steps * warmup_share)),
        "scheduler.lr_decay_iters": steps,
        "checkpoint.pretrained_checkpoint": str(base),
        "checkpoint.save": str(dir),
        "checkpoint.load": str(dir),
        "checkpoint.finetune": False,
    }


def apply(config: Any, values: dict[str, Any]) -> None:
    """Sets dotted fields that exist, then reads all of them back. Raises ValueError for one that the configuration
    does not have or keep.
    """
    owners = {}
    for dotted, value in values.items():
        *parents, name = dotted.split(".")
        owner = config
        for parent in parents:
            owner = getattr(owner, parent, None)
        if owner is None or not hasattr(owner, name):
            raise ValueError(f"this Megatron-Bridge has no {dotted}: the recipe was written against 0.4.1")
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


def cpt_config(*, blend: Path, base: Path, dir: Path, tokens: float, tokenizer: str = TOKENIZER, **sizes: Any) -> Any:
    """Megatron-Bridge's ConfigContainer for the continuation. Raises ValueError where something is missing or did not
    take effect.
    """
    values = overrides(base=base, dir=dir, tokens=tokens, tokenizer=tokenizer, **sizes)
    read_blend(blend, "blend", tokenizer=tokenizer)

    from megatron.bridge.recipes.nemotronh.nemotron_3_nano import nemotron_3_nano_pretrain_config
    from megatron.bridge.recipes.utils.dataset_utils import get_blend_fields_from_data_paths

    config = nemotron_3_nano_pretrain_config()
    blend_field, blend_per_split, split = get_blend_fields_from_data_paths(per_split_data_args_path=str(blend))
    apply(
        config,
        {"dataset.blend": blend_field, "dataset.blend_per_split": blend_per_split, "dataset.split": split, **values},
    )
    refuse_mock(config)
    return config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--blend", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--tokens", type=float, required=True)
    parser.add_argument("--tokenizer", default=TOKENIZER)
    arguments = parser.parse_args()
    try:
        config = cpt_config(**vars(arguments))
    except ValueError as exc:
        parser.exit(2, f"nemotron_3_nano_cpt: {exc}\n")
    from megatron.bridge.training.gpt_step import forward_step
    from megatron.bridge.training.pretrain import pretrain

    pretrain(config=config, forward_step_func=forward_step)


if __name__ == "__main__":
    main()
