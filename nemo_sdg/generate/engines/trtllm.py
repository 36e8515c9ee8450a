"""TensorRT-LLM in this process: `tensorrt_llm.LLM` of version 1.2, PyTorch backend.

Block reuse and chunked prefill are on, so that a few-shot head is prefilled once and votes on one question cost no new
prefill. Hybrid Mamba models have no block reuse in 1.2, where asking for it fails by an assertion: it stays off for
them. Every request is one sequence: with n > 1 the children share a seed. The seed of a request was not honoured by all
1.2 releases, so a run replays from its journal and not from the GPU.

Prompts are tokenised here: the length is known before the request is sent, and one that leaves no room for an answer is
refused instead of failing inside the executor. Several nodes: `srun --mpi=pmix trtllm-llmapi-launch nemo-sdg run …`
with engine.options.tensor_parallel_size and pipeline_parallel_size. tests/contract holds every call below to the
recorded signatures.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nemo_sdg.config import EngineSection, Structured
from nemo_sdg.errors import EngineError, MissingDependencyError
from nemo_sdg.generate.engines.base import Fault, TransportError
from nemo_sdg.generate.parsing.traces import separate
from nemo_sdg.generate.requests import Completion, Request

log = logging.getLogger(__name__)

WEIGHTS = ("*.safetensors", "*.engine", "*.bin")


def model_identity(model: str, revision: str | None) -> str:
    """`Qwen3-30B-A3B@5d0c…` for a folder, by its config.json and the names and sizes of its weights;
    `org/name@revision` for a hub name.
    """
    folder = Path(model)
    if not folder.is_dir():
        return f"{model}@{revision or 'main'}"
    digest = hashlib.sha256()
    for path in [folder / "config.json", *sorted(path for pattern in WEIGHTS for path in folder.glob(pattern))]:
        if path.is_file():
            content = path.read_bytes() if path.name == "config.json" else b""
            digest.update(f"{path.name} {path.stat().st_size} ".encode() + content)
    return f"{folder.resolve().name}@{digest.hexdigest()[:16]}"


HYBRID_FIELDS = {
    "hybrid_override_pattern",
    "mamba_num_heads",
    "mamba_d_state",
    "mamba_n_heads",
    "ssm_cfg",
    "ssm_state_size",
}
HYBRID_TYPES = (
    "mamba",
    "nemotron_h",
    "jamba",
    "bamba",
    "zamba",
    "falcon_h1",
    "granitemoehybrid",
    "qwen3_next",
    "hybrid",
)
RECURRENT_LAYERS = {"mamba", "mamba2", "linear_attention", "recurrent", "conv"}


def config_file(model: str, name: str, revision: str | None = None) -> dict[str, Any]:
    """A JSON file of a checkpoint, in a folder or on the hub; empty where there is none."""
    path = Path(model) / name
    if not Path(model).is_dir():
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError

        try:
            path = Path(hf_hub_download(model, name, revision=revision))
        except (HfHubHTTPError, OSError, ValueError):
            return {}
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_hybrid(model: str, revision: str | None = None) -> bool:
    """Whether a checkpoint has recurrent layers beside attention, by its config.json."""
    config = config_file(model, "config.json", revision)
    for part in (
        config,
        *(config[name] for name in ("text_config", "llm_config") if isinstance(config.get(name), dict)),
    ):
        kind = str(part.get("model_type") or "").lower()
        layers = part.get("layer_types") or part.get("layers_block_type") or []
        if HYBRID_FIELDS & part.keys() or kind.startswith(HYBRID_TYPES) or RECURRENT_LAYERS & {str(x) for x in layers}:
            return True
    return False


class TensorRTLLMEngine:
    """`engine.options` go to tensorrt_llm.LLM as they are; kv_cache_config is a mapping of KvCacheConfig's fields."""

    name = "trtllm"
    adaptive = False

    def __init__(self, config: EngineSection) -> None:
        if not config.model:
            raise EngineError("engine.kind=trtllm needs engine.model, a checkpoint folder or a hub name")
        self.config = config
        self.notify: Callable[[str], None] = log.warning
        self.model = model_identity(config.model, config.options.get("revision"))
        self._llm: Any = None
        self._tokenizer: Any = None
        self._card: dict[str, Any] = {}
        """sampling that the model's card recommends: generation_config.json"""

    async def start(self) -> None:
        # in the main thread: the executor starts its workers through MPI
        if self._llm is None:
            self._llm = self._load()
            self._tokenizer = self._llm.tokenizer
            card = config_file(str(self.config.model), "generation_config.json", self.config.options.get("revision"))
            self._card = {name: card[name] for name in ("temperature", "top_p", "top_k", "min_p") if name in card}

    def _load(self) -> Any:
        try:
            from tensorrt_llm import LLM
            from tensorrt_llm.llmapi import KvCacheConfig
        except ImportError as exc:
            raise MissingDependencyError(
                "engine.kind=trtllm needs TensorRT-LLM: pip install 'nemo-sdg[trtllm]' with NVIDIA's "
                "index, or its release container"
            ) from exc
        options = dict(self.config.options)
        reuse = not is_hybrid(str(self.config.model), self.config.options.get("revision"))
        if not reuse:
            self.notify(f"{self.model} is a hybrid model: no KV block reuse, each prompt is prefilled as a whole")
        kv_cache = {"enable_block_reuse": reuse, "free_gpu_memory_fraction": 0.9, **options.pop("kv_cache_config", {})}
        try:
            arguments = {
                "model": self.config.model,
                "tokenizer": self.config.tokenizer,
                "max_seq_len": self.config.context_length,
                "max_input_len": self.config.context_length,
                "enable_chunked_prefill": True,
                "guided_decoding_backend": None if self.config.structured is Structured.none else "xgrammar",
                **options,
                "kv_cache_config": KvCacheConfig(**kv_cache),
            }
            return LLM(**arguments)
        except (ValueError, TypeError, RuntimeError, OSError) as exc:
            raise EngineError(
                f"engine.model: TensorRT-LLM cannot load {self.config.model} with "
                f"engine.options={self.config.options} ({_one_line(exc)})"
            ) from exc

    async def complete(self, request: Request) -> Completion:
        assert self._llm is not None, "start() comes first"
        from tensorrt_llm.llmapi import GuidedDecodingParams, RequestError, SamplingParams

        token_ids = self._encode(request)
        room = self.config.context_length - len(token_ids)
        if room < 1:
            detail = f"the prompt has {len(token_ids)} tokens, engine.context_length is {self.config.context_length}"
            return Completion(text="", finish_reason="refused", prompt_tokens=len(token_ids), detail=detail)
        try:
            names = ("temperature", "top_p", "top_k", "min_p", "presence_penalty")
            drawn = {name: value for name in names if (value := getattr(request, name)) is not None}
            guided = request.schema is not None and request.structured is not Structured.none
            sampling_params = SamplingParams(
                max_tokens=min(request.max_tokens, room),
                seed=request.seed,
                stop=request.stop or None,
                guided_decoding=GuidedDecodingParams(json=request.schema) if guided else None,
                **{**self._card, **drawn},
            )
            output = self._llm.generate_async(token_ids, sampling_params=sampling_params, streaming=False)
        except ValueError as exc:
            return Completion(text="", finish_reason="refused", prompt_tokens=len(token_ids), detail=_one_line(exc))
        except RuntimeError as exc:
            raise EngineError(
                f"TensorRT-LLM takes no more requests ({_one_line(exc)}); everything finished is kept, run "
                "the same command again"
            ) from exc
        try:
            async with asyncio.timeout(self.config.request_timeout):
                await output.aresult()
        except TimeoutError:
            output.abort()
            raise TransportError(
                f"TensorRT-LLM: no answer within {self.config.request_timeout:g} seconds", Fault.timeout
            ) from None
        except asyncio.CancelledError:
            output.abort()
            raise
        except RequestError as exc:
            raise TransportError(f"TensorRT-LLM: {_one_line(exc)}", Fault.server) from exc
        return self._read(output, len(token_ids))

    def _encode(self, request: Request) -> list[int]:
        if request.messages is None:
            ids = self._tokenizer.encode(request.prompt)
        else:
            text = self._tokenizer.apply_chat_template(
                request.messages,
                tokenize=False,
                add_generation_prompt=True,
                **request.extra_body.get("chat_template_kwargs", {}),
            )
            # the template writes the special tokens itself
            ids = self._tokenizer.encode(text, add_special_tokens=False)
        return list(ids)

    def _read(self, output: Any, prompt_tokens: int) -> Completion:
        made = output.outputs[0]
        if made.finish_reason not in ("stop", "length"):
            raise TransportError(f"TensorRT-LLM ended a request with finish_reason={made.finish_reason}", Fault.server)
        text, trace = separate(made.text, finish_reason=made.finish_reason)
        return Completion(
            text=text,
            trace=trace,
            finish_reason=made.finish_reason,
            prompt_tokens=prompt_tokens,
            completion_tokens=len(made.token_ids),
        )

    async def close(self) -> None:
        llm, self._llm, self._tokenizer = self._llm, None, None
        if llm is not None:
            llm.shutdown()


def _one_line(exc: BaseException) -> str:
    return " ".join(str(exc).split())[:300] or type(exc).__name__
