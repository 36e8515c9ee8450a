"""An engine that generates, and its settings.

engine: {kind: openai, base_urls: [http://a:8000/v1], model: Qwen/Qwen3-235B-A22B-Instruct-2507}
"""

import dataclasses
import enum
from dataclasses import dataclass, field
from typing import Any

from nemo_sdg.errors import require


class EngineKind(enum.Enum):
    llama = "llama"
    """llama.cpp in this process"""
    openai = "openai"
    """a server that speaks the OpenAI API"""
    batch = "batch"
    """writes files of requests and reads files of replies"""
    trtllm = "trtllm"
    """TensorRT-LLM in this process"""


class Structured(enum.Enum):
    """How a JSON schema is sent. generate/engines/servers.py lists which server takes which form."""

    json_schema = "json_schema"
    """response_format {type: json_schema}: llama.cpp, vLLM, SGLang, OpenAI, OpenRouter, LiteLLM, Mistral"""
    json_object = "json_object"
    """response_format {type: json_object}: DeepSeek; the reply is valid JSON, but only the prompt has the schema"""
    json = "json"
    """response_format {type: json, schema}: trtllm-serve"""
    guided_json = "guided_json"
    """guided_json: vLLM before 0.12"""
    structured_outputs = "structured_outputs"
    """structured_outputs {json}: vLLM from 0.11 on"""
    nvext = "nvext"
    """nvext {guided_json}: NIM"""
    none = "none"
    """nothing is sent; only the prompt describes the form"""


class OutputLimit(enum.Enum):
    """The `max_tokens` that a request is first sent with."""

    auto = "auto"
    """learned for TensorRT-LLM in this process, full for every other engine"""
    learned = "learned"
    """about what the replies of its task need, by those seen so far; a reply that is cut there is asked for again in
    full
    """
    full = "full"
    """all that the reply may have"""


TOKEN_LIMITS = ("max_tokens", "max_completion_tokens", "max_new_tokens", "n_predict")
"""fields of a request's body that limit the tokens of a reply"""


@dataclass(kw_only=True)
class SamplingSection:
    """How tokens are sampled. An unset field takes the value of `generate`. If that is unset too, nothing is sent, and
    the server's default applies: on servers that read generation_config.json, the values of the model's card.
    """

    temperature: float | None = None
    """0 to 2"""
    top_p: float | None = None
    """0 to 1"""
    top_k: int | None = None
    """number of tokens to sample from"""
    min_p: float | None = None
    """0 to 1"""
    presence_penalty: float | None = None
    """-2 to 2"""
    max_tokens: int | None = None
    """maximum number of tokens of a reply, thinking included"""

    def __post_init__(self) -> None:
        _in_range("temperature", self.temperature, 0.0, 2.0)
        _in_range("top_p", self.top_p, 0.0, 1.0)
        _in_range("min_p", self.min_p, 0.0, 1.0)
        _in_range("presence_penalty", self.presence_penalty, -2.0, 2.0)
        require(
            self.max_tokens is None or self.max_tokens >= 16,
            f"engine.sampling.max_tokens must be >= 16 tokens, got {self.max_tokens}",
        )

    def given(self) -> dict[str, Any]:
        """The fields that are set."""
        return {name: value for name, value in vars(self).items() if value is not None}


def _in_range(name: str, value: float | None, low: float, high: float) -> None:
    require(
        value is None or low <= value <= high, f"engine.sampling.{name} must be in [{low:g}, {high:g}], got {value}"
    )


@dataclass(kw_only=True)
class EngineSection:
    """The engine of every role that has no engine in `roles`."""

    kind: EngineKind = EngineKind.llama
    """program or server that runs the model"""
    model: str | None = None
    """llama: a .gguf file (null = the embedded SmolLM2-135M-Instruct); openai and batch: the served model's name;
    trtllm: a checkpoint or engine folder
    """
    tokenizer: str | None = None
    """trtllm: the tokenizer's folder or hub id, if it is not the model's"""
    model_license: str = "unknown"
    """SPDX id of the model's licence; part of each sample's effective licence"""
    base_model: bool = False
    """true for a model without a chat template: prompts are plain text to complete"""
    base_urls: list[str] = field(default_factory=list)
    """openai: addresses of one or several servers; requests are balanced over them"""
    api_key_env: str = "NEMO_SDG_API_KEY"
    """name of the environment variable with the key; a configuration never contains the key itself"""
    sampling: SamplingSection = field(default_factory=SamplingSection)
    extra_body: dict[str, Any] = field(default_factory=dict)
    """fields that are added to each request's body unchanged, such as chat_template_kwargs; null removes a field"""
    system_role: bool = True
    """false for models whose chat template has no system role: the instruction then begins the first user turn"""
    prefix: str | None = None
    """line that is put before the instruction, such as `detailed thinking on` or `/no_think`"""
    structured: Structured = Structured.json_schema
    """how a JSON schema is sent, if a prompt has one"""
    replicas: int = 1
    """number of engines under Ray; on Slurm the array's workers have one each"""
    max_in_flight: int = 4
    """maximum number of requests in flight; for servers, the upper bound of the adaptive window"""
    output_limit: OutputLimit = OutputLimit.auto
    """max_tokens that a request is first sent with; learned is for servers that reserve memory for max_tokens
    (TensorRT-LLM): more requests run at once, and what is kept does not change
    """
    context_length: int = 4096
    """maximum number of tokens of one request, prompt and completion together; servers report their own limit"""
    request_timeout: float = 600.0
    """seconds after which a request counts as failed and is sent again"""
    max_retries: int = 8
    """how often a failed request is sent again; after that it is lost, and counted, if the server answers others; else
    its shard stays unfinished
    """
    give_up_after: float = 1800.0
    """seconds without a completion after which the run ends; finished work is kept"""
    threads: int | None = None
    """llama: number of CPU threads; null = all cores"""
    price_input: float | None = None
    """price of a million prompt tokens, in run.currency; for forecast and --dry-run"""
    price_output: float | None = None
    """price of a million completion tokens, in run.currency"""
    options: dict[str, Any] = field(default_factory=dict)
    """trtllm: further arguments of tensorrt_llm.LLM, such as tensor_parallel_size or kv_cache_config; llama:
    n_gpu_layers
    """

    def __post_init__(self) -> None:
        for name, value in self.extra_body.items():
            field_name, colon, given_value = name.partition(":")
            require(
                not (colon and value is None),
                f"engine.extra_body has a field named {name!r}; YAML wants a space after the colon: "
                f"{field_name}: {given_value}",
            )
        require(self.max_in_flight >= 1, f"engine.max_in_flight must be >= 1, got {self.max_in_flight}")
        require(self.context_length >= 256, f"engine.context_length must be >= 256 tokens, got {self.context_length}")
        for name in ("price_input", "price_output"):
            given = getattr(self, name)
            require(given is None or given >= 0, f"engine.{name} must be >= 0 per million tokens, got {given}")
        if self.output_limit is OutputLimit.learned:
            require(
                self.kind is not EngineKind.batch,
                "engine.output_limit=learned does nothing for engine.kind=batch, whose replies come all together: use "
                "auto",
            )
            require(
                not self.extra_body.keys() & set(TOKEN_LIMITS),
                "engine.output_limit=learned sets max_tokens, and engine.extra_body must not have one of "
                f"{', '.join(TOKEN_LIMITS)}: use engine.sampling.max_tokens, or output_limit=full",
            )
        require(self.give_up_after > 0, f"engine.give_up_after must be > 0 seconds, got {self.give_up_after}")
        require(
            self.kind is not EngineKind.openai or bool(self.base_urls),
            "engine.kind=openai needs engine.base_urls=[http://host:port/v1]",
        )
        require(self.kind is EngineKind.llama or bool(self.model), f"engine.kind={self.kind.value} needs engine.model")
        require(
            not self.options or self.kind in (EngineKind.llama, EngineKind.trtllm),
            f"engine.options needs kind llama or trtllm, got {sorted(self.options)} with kind {self.kind.value}: "
            "put fields for a server's requests into engine.extra_body",
        )
        for url in self.base_urls:
            require(
                url.startswith(("http://", "https://")),
                f"engine.base_urls must begin with http:// or https://, got {url}; write http://{url}",
            )
            require(
                "@" not in url,
                (
                    "engine.base_urls must not carry credentials: put the key into the environment variable "
                    "named by engine.api_key_env"
                ),
            )

    @property
    def learns_limits(self) -> bool:
        """Whether requests are first sent with a learned limit."""
        auto = self.output_limit is OutputLimit.auto and self.kind is EngineKind.trtllm
        return auto or self.output_limit is OutputLimit.learned

    @property
    def embedded(self) -> bool:
        """Whether this is the embedded model."""
        return self.kind is EngineKind.llama and self.model is None


def same_engine(one: EngineSection, other: EngineSection) -> bool:
    """Whether two roles can share one engine. Sampling and the like are sent with each request, so they may differ."""
    per_request = {"sampling", "extra_body", "system_role", "prefix", "structured", "model_license"}
    return all(
        getattr(one, f.name) == getattr(other, f.name) for f in dataclasses.fields(one) if f.name not in per_request
    )
