"""Continued pretraining of Nemotron Nano 9B v2 on a nemo_sdg blend, with nemo-toolkit. Runs in the NeMo container.

    python recipes/nemotron_nano_9b_v2_cpt.py --blend RUN/blend/context.nemo.json --base BASE_CHECKPOINT --dir OUT
    --tokens 100e9

The recipe is NeMo's own; what changes is the data, the length in tokens, the learning rate, and the checkpoint that it
starts from. A run that is started again resumes from its own last checkpoint, not from the base.
"""

import argparse
from pathlib import Path
from typing import Any

from cpt_inputs import LR, MIN_LR, WARMUP_SHARE, read_blend, require_base, steps_for

TOKENIZER = "nvidia/NVIDIA-Nemotron-Nano-9B-v2-Base"


def cpt_recipe(
    *,
    blend: Path,
    base: Path,
    dir: Path,
    tokens: float,
    tokenizer: str = TOKENIZER,
    name: str = "nemotron_nano_9b_v2_cpt",
    num_nodes: int = 8,
    num_gpus_per_node: int = 8,
    seq_length: int = 8192,
    global_batch_size: int = 768,
    micro_batch_size: int = 1,
    lr: float = LR,
    min_lr: float = MIN_LR,
    warmup_share: float = WARMUP_SHARE,
    val_check_interval: int = 200,
) -> Any:
    """A `nemo_run.Partial` of `llm.pretrain`: NeMo's recipe with our blend, steps = tokens / (sequence x batch),
    restored from `base`.

    `lr` is within NVIDIA's advice for a continuation (cpt_inputs.py), a tenth of the recipe's 3e-4. `tokenizer`, a
    folder or hub id, is what the corpus was packed with, and must be the base's own.
    Raises ValueError for a blend or checkpoint that is not there.
    """
    require_base(base, forms=("nemo",))
    paths = read_blend(blend, "nemo", tokenizer=tokenizer)
    steps = steps_for(tokens, seq_length=seq_length, global_batch_size=global_batch_size)

    import nemo_run as run
    from nemo import lightning as nl
    from nemo.collections import llm
    from nemo.collections.llm.recipes import nemotron_nano_9b_v2
    from nemo.collections.llm.recipes.optim.adam import distributed_fused_adam_with_cosine_annealing

    recipe = nemotron_nano_9b_v2.pretrain_recipe(
        dir=str(dir),
        name=name,
        num_nodes=num_nodes,
        num_gpus_per_node=num_gpus_per_node,
        max_steps=steps,
        val_check_interval=min(val_check_interval, steps),
        seq_length=seq_length,
        gbs=global_batch_size,
        mbs=micro_batch_size,
    )
    recipe.model.tokenizer.model_name = tokenizer
    recipe.data = run.Config(
        llm.PreTrainingDataModule,
        paths=paths,
        seq_length=seq_length,
        global_batch_size=global_batch_size,
        micro_batch_size=micro_batch_size,
        tokenizer=recipe.model.tokenizer,
        index_mapping_dir=str(dir / "index_mapping"),
    )
    recipe.optim = distributed_fused_adam_with_cosine_annealing(
        max_lr=lr, min_lr=min_lr, warmup_steps=max(1, int(steps * warmup_share))
    )
    recipe.resume = run.Config(
        nl.AutoResume,
        resume_if_exists=True,
        resume_ignore_no_checkpoint=True,
        restore_config=run.Config(nl.RestoreConfig, path=str(base), load_optim_state=False),
    )
    return recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--blend", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--tokens", type=float, required=True)
    parser.add_argument("--tokenizer", default=TOKENIZER)
    parser.add_argument("--num-nodes", type=int, default=8)
    parser.add_argument("--num-gpus-per-node", type=int, default=8)
    parser.add_argument("--lr", type=float, default=LR)
    parser.add_argument("--min-lr", type=float, default=MIN_LR)
    arguments = parser.parse_args()
    try:
        recipe = cpt_recipe(**vars(arguments))
    except ValueError as exc:
        parser.exit(2, f"nemotron_nano_9b_v2_cpt: {exc}\n")
    import nemo_run as run

    run.run(recipe, executor=run.LocalExecutor(ntasks_per_node=arguments.num_gpus_per_node, launcher="torchrun"))


if __name__ == "__main__":
    main()
