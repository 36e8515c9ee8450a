"""A small megatron-core GPT, trained on the CPU from the same .bin/.idx and blend that a cluster trains on.

It proves the machinery of an ablation end to end: data order, equal budgets, one base for all arms, evaluation by
lm-eval. It is no
evidence about large models, and everything that it writes says so.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.errors import ConfigError, DataError, MissingDependencyError
from nemo_sdg.execution.megatron_import import importing_megatron
from nemo_sdg.storage import atomic_file, read_json, write_bytes, write_json

LABEL = "proxy model on a CPU: proves the machinery, no evidence about large models"
CHECKPOINT, CURVE, STATE, DONE = "model.safetensors", "curve.jsonl", "state.pt", "arm.json"


@dataclass(kw_only=True)
class ProxySection:
    """Size and training of the proxy. With a vocabulary of 49,152, three trainings of 19 steps and 450 scored rows
    took 129 s of one core in all.
    """

    num_layers: int = 2
    hidden_size: int = 64
    num_attention_heads: int = 4
    seq_length: int = 128
    batch_size: int = 8
    """sequences a step"""
    base_tokens: int = 60_000
    """what the base is trained on, from the seeds' own rows"""
    tokens: int = 60_000
    """what each arm is trained on after the base"""
    lr: float = 3e-3
    warmup_share: float = 0.05
    threads: int = 1
    """of torch: the numbers depend on it, so that it does not follow the machine; on a busy one two threads were 37
    times slower than one
    """
    seed: int = 0

    def __post_init__(self) -> None:
        for name in (
            "num_layers",
            "hidden_size",
            "num_attention_heads",
            "seq_length",
            "batch_size",
            "base_tokens",
            "tokens",
            "threads",
        ):
            if getattr(self, name) < 1:
                raise ConfigError(f"proxy.{name} must be >= 1, got {getattr(self, name)}")
        if self.hidden_size % self.num_attention_heads:
            raise ConfigError(
                f"proxy.hidden_size={self.hidden_size} must be a multiple of "
                f"num_attention_heads={self.num_attention_heads}"
            )


@contextlib.contextmanager
def single_process(threads: int) -> Iterator[None]:
    """Megatron's process groups for one process, without a network: gloo over a store in memory."""
    try:
        import torch

        with importing_megatron():
            from megatron.core import parallel_state
    except ImportError as exc:
        raise MissingDependencyError(
            f"the proxy needs torch and megatron-core ({exc}): pip install 'nemo-sdg[nemo]'"
        ) from exc
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)  # type: ignore[attr-defined]
    if not parallel_state.model_parallel_is_initialized():
        parallel_state.initialize_model_parallel()
    torch.set_num_threads(threads)
    yield


@functools.cache
def attention_class() -> Any:
    """Causal attention by torch's own kernel: Megatron's wants CUDA."""
    import torch
    from megatron.core.transformer.module import MegatronModule

    class CpuAttention(MegatronModule):
        def __init__(self, config: Any, **_: Any) -> None:
            super().__init__(config=config)

        def forward(self, query: Any, key: Any, value: Any, attention_mask: Any = None, **_: Any) -> Any:
            """[sequence, batch, heads, size] each; returns [sequence, batch, heads * size]."""
            q, k, v = (tensor.permute(1, 2, 0, 3) for tensor in (query, key, value))
            mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            return mixed.permute(2, 0, 1, 3).reshape(query.shape[0], query.shape[1], -1)

    return CpuAttention


def build_model(size: ProxySection, vocab_size: int) -> Any:
    """An untrained GPTModel in float32, its weights drawn from `size.seed`."""
    import torch
    from megatron.core.models.gpt.gpt_layer_specs import get_gpt_layer_local_spec
    from megatron.core.models.gpt.gpt_model import GPTModel
    from megatron.core.transformer.transformer_config import TransformerConfig

    torch.manual_seed(size.seed)
    config = TransformerConfig(
        num_layers=size.num_layers,
        hidden_size=size.hidden_size,
        num_attention_heads=size.num_attention_heads,
        use_cpu_initialization=True,
        hidden_dropout=0.0,
        attention_dropout=0.0,
        masked_softmax_fusion=False,
        bias_activation_fusion=False,
        bias_dropout_fusion=False,
        gradient_accumulation_fusion=False,
        persist_layer_norm=False,
        add_bias_linear=False,
    )
    spec = get_gpt_layer_local_spec()
    spec.submodules.self_attention.submodules.core_attention = attention_class()
    return GPTModel(
        config=config,
        transformer_layer_spec=spec,
        vocab_size=vocab_size,
        max_sequence_length=size.seq_length,
        share_embeddings_and_output_weights=True,
        position_embedding_type="learned_absolute",
    )


def datasets(blend: Path, size: ProxySection, *, num_samples: int, cache: Path, eod: int) -> Any:
    """Megatron's blended train and valid datasets over a blend.json; the order is fixed by `size.seed`."""
    from types import SimpleNamespace

    from megatron.core.datasets.blended_megatron_dataset_builder import BlendedMegatronDatasetBuilder
    from megatron.core.datasets.gpt_dataset import GPTDataset, GPTDatasetConfig
    from megatron.core.datasets.utils import get_blend_from_list

    content = read_json(blend)
    for prefix in [*content["train"][1::2], *(content["valid"] or [])[1::2]]:
        if not Path(f"{prefix}.idx").is_file():
            raise DataError(f"{blend} names {prefix}, which is not there; run the step blend again")
    valid = content["valid"] or content["train"]
    config = GPTDatasetConfig(
        random_seed=size.seed + 1,
        sequence_length=size.seq_length,
        blend_per_split=[get_blend_from_list(content["train"]), get_blend_from_list(valid), None],
        split=None,
        path_to_cache=str(cache),
        tokenizer=SimpleNamespace(eod=eod, unique_identifiers={"eod": eod}),
        reset_position_ids=False,
        reset_attention_mask=False,
        eod_mask_loss=False,
        create_attention_mask=False,
    )
    train, held_out, _ = BlendedMegatronDatasetBuilder(GPTDataset, [num_samples, 32, 0], lambda: True, config).build()
    return train, held_out


def train_arm(
    name: str,
    blend: Path,
    out: Path,
    size: ProxySection,
    *,
    tokens: int,
    vocab_size: int,
    eod: int,
    start: Path | None,
    on_step: Callable[[int, int], None] = lambda step, steps: None,
) -> dict[str, Any]:
    """Trains one arm and returns what arm.json says; an arm that is done already is not trained again, one that was
    killed goes on.

    `start` is the folder of the arm whose checkpoint it continues from; None = untrained weights. `on_step(steps done,
    steps)` is called
    after each step. Written: state.pt every tenth of the way, and at the end model.safetensors, curve.jsonl (step,
    tokens, train loss,
    valid loss every tenth of the way), arm.json last. The numbers do not depend on kills in between.
    """
    if (out / DONE).is_file():
        found: dict[str, Any] = read_json(out / DONE)
        return found
    import torch
    from safetensors.torch import load_file, save

    with single_process(size.threads):
        torch.use_deterministic_algorithms(True)
        steps = max(1, tokens // (size.seq_length * size.batch_size))
        model = build_model(size, vocab_size)
        optimizer = torch.optim.AdamW(model.parameters(), lr=size.lr, betas=(0.9, 0.95), weight_decay=0.1)
        curve: list[dict[str, Any]] = []
        if (out / STATE).is_file():
            state = torch.load(out / STATE, weights_only=False)
            model.load_state_dict(state["model"], strict=False)
            optimizer.load_state_dict(state["optimizer"])
            curve = state["curve"]
        elif start is not None:
            model.load_state_dict(load_file(start / CHECKPOINT), strict=False)
        train, held_out = datasets(blend, size, num_samples=steps * size.batch_size, cache=out / "index", eod=eod)
        warmup = max(1, int(steps * size.warmup_share))
        for step in range(len(curve), steps):
            rate = size.lr * min(1.0, (step + 1) / warmup) * (1.0 - 0.9 * step / steps)
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss = batch_loss(model, [train[step * size.batch_size + i] for i in range(size.batch_size)])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            row = {
                "step": step + 1,
                "tokens": (step + 1) * size.seq_length * size.batch_size,
                "train_loss": round(loss.item(), 5),
            }
            curve.append(row)
            if (step + 1) % max(1, steps // 10) == 0 or step + 1 == steps:
                row["valid_loss"] = round(valid_loss(model, held_out, size.batch_size), 5)
                with atomic_file(out / STATE) as handle:
                    torch.save({"model": tensors(model), "optimizer": optimizer.state_dict(), "curve": curve}, handle)
            on_step(step + 1, steps)
        write_bytes(out / CHECKPOINT, save(tensors(model)))
    write_bytes(out / CURVE, b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in curve))
    arm = {
        "arm": name,
        "label": LABEL,
        "steps": steps,
        "tokens": curve[-1]["tokens"],
        "train_loss": curve[-1]["train_loss"],
        "valid_loss": curve[-1]["valid_loss"],
    }
    write_json(out / DONE, arm)
    (out / STATE).unlink(missing_ok=True)
    return arm


def tensors(model: Any) -> dict[str, Any]:
    """The weights of a model; megatron-core's state also holds entries that are none."""
    import torch

    return {key: value.contiguous() for key, value in model.state_dict().items() if isinstance(value, torch.Tensor)}


def batch_loss(model: Any, samples: list[Any]) -> Any:
    """Mean cross entropy per token of a batch."""
    import torch

    tokens, labels, mask, positions = (
        torch.stack([torch.as_tensor(sample[key]) for sample in samples])
        for key in ("tokens", "labels", "loss_mask", "position_ids")
    )
    losses = model(tokens, positions, None, labels=labels)
    return (losses * mask).sum() / mask.sum()


def valid_loss(model: Any, dataset: Any, batch_size: int) -> float:
    import torch

    num = min(len(dataset), 32)
    with torch.no_grad():
        losses = [
            batch_loss(model, [dataset[i] for i in range(first, min(first + batch_size, num))]).item()
            for first in range(0, num, batch_size)
        ]
    return float(sum(losses) / len(losses))
