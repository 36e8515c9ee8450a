"""The engine that generates, and how it is driven."""

import enum
from dataclasses import dataclass, field
from typing import Any

from nemo_sdg.errors import require


class EngineKind(enum.Enum):
    llama = "llama"
    openai = "openai"
    trtllm = "trtllm"


@dataclass(kw_only=True)
class EngineSection:
    """The engine that generates, and how it is driven."""

    kind: EngineKind = EngineKind.llama
    model: str | None = None
    """llama: a .gguf (null = the embedded SmolLM2-135M-Instruct); openai: the served model's name; trtllm: checkpoint
    or engine folder
    """
    tokenizer: str | None = None
    model_license: str = "unknown"
    """SPDX id of the model; part of each sample's effective licence"""
    base_model: bool = False
    """true: completion-style prompts instead of chat"""
    base_urls: list[str] = field(default_factory=list)
    """openai: one or several servers, balanced"""
    api_key_env: str = "NEMO_SDG_API_KEY"
    """name of the environment variable that holds the key; the key itself never enters a config"""
    replicas: int = 1
    """engines side by side under Ray; on Slurm the array gives them"""
    max_in_flight: int = 4
    """window of requests; for servers the upper bound of the adaptive window"""
    context_length: int = 4096
    """tokens, prompt and completion together, for one request"""
    request_timeout: float = 600.0
    """seconds until a request counts as lost and is asked again"""
    max_retries: int = 8
    """per request; a transport fault beyond it leaves the shard unfinished"""
    give_up_after: float = 1800.0
    """seconds without one completion before the run ends with everything kept"""
    guided_json: bool = True
    """constrain outputs by JSON schema where the engine can"""
    threads: int | None = None
    """llama: CPU threads; null = all cores"""
    options: dict[str, Any] = field(default_factory=dict)
    """trtllm: further fields of tensorrt_llm.LLM, such as tensor_parallel_size or kv_cache_config"""

    def __post_init__(self) -> None:
        require(self.max_in_flight >= 1, f"engine.max_in_flight must be >= 1, got {self.max_in_flight}")
        require(self.context_length >= 256, f"engine.context_length must be >= 256 tokens, got {self.context_length}")
        require(
            self.kind is not EngineKind.openai or bool(self.base_urls),
            "engine.kind=openai needs engine.base_urls=[http://host:port/v1]",
        )
        require(self.kind is EngineKind.llama or bool(self.model), f"engine.kind={self.kind.value} needs engine.model")
        for url in self.base_urls:
            require(
                "@" not in url,
                (
                    "engine.base_urls must not carry credentials: put the key into the environment variable "
                    "named by engine.api_key_env"
                ),
            )
