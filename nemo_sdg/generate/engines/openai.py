"""Any OpenAI-compatible server (trtllm-serve, NIM, vLLM, SGLang, llama.cpp, proxies): plain aiohttp, no client library.

The `openai` package takes 23 ms of CPU time a request with 500 in flight (httpcore's pool is quadratic in
connections), aiohttp 0.25 ms.

A request goes to the server with the fewest requests in flight. Among servers that are nearly as free, a hash of the
prompt's beginning decides, so that requests with the same few-shot head find its KV blocks. A server that could not be
reached is not asked for a while.

The key is read from the environment when the engine starts, and sent in the Authorization header. It is removed from
everything that a server says before that becomes part of an error message.
"""

import asyncio
import dataclasses
import hashlib
import logging
import os
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import orjson

from nemo_sdg.config import EngineSection
from nemo_sdg.errors import EngineError, MissingDependencyError
from nemo_sdg.generate.engines.base import Fault, TransportError
from nemo_sdg.generate.engines.faults import (
    Meaning,
    ServerError,
    free_tokens,
    meaning,
    most_output,
    read_error,
    status_of,
    wait_asked_for,
    what_to_change,
)
from nemo_sdg.generate.engines.replies import ErrorInReply, read_reply
from nemo_sdg.generate.engines.servers import build_body, same_model
from nemo_sdg.generate.requests import Completion, Request

log = logging.getLogger(__name__)

REST_SECONDS = 5.0
"""seconds for which a server that could not be reached is not asked while there are others"""
NEARLY_AS_FREE = 1.1
PREFIX = 400
"""length of the beginning of a prompt that decides which server is likely to hold its KV blocks"""
CONNECT_SECONDS = 20.0
LEAST_ROOM = 16
"""a request is not sent when fewer tokens are left for its reply"""
BYTES_PER_TOKEN = 6
"""more than any tokenizer in use has on text: a lower bound on the tokens of a prompt"""
BELIEVED_AFTER = 3
"""so many refusals of one request in unknown words, while the server answers others, mean that the request is at fault
"""
REFUSED_FROM_THE_START = 20
"""so many refusals in unknown words without one answer mean that the configuration is at fault"""
WAITS = {Meaning.busy: Fault.busy, Meaning.timeout: Fault.timeout, Meaning.server: Fault.server}
CONTEXT_FIELDS = ("max_model_len", "context_length", "max_context_length", "context_window")
"""where /v1/models says how long a context is: vLLM and SGLang, OpenRouter, Mistral, Groq"""


@dataclass(eq=False, slots=True)
class _Server:
    url: str
    in_flight: int = 0
    rests_until: float = 0.0
    answered_at: float = -1.0
    """loop time of the last completion"""
    context_length: int | None = None
    most_output: int | None = None
    """tokens of a reply that it gives at most, once it has said so"""
    listed: list[str] = field(default_factory=list)
    """the models that it says it has"""


class OpenAIEngine:
    """`model` is the served name. A reply under another name counts; the name is reported once and kept with it."""

    name = "openai"
    adaptive = True

    def __init__(self, config: EngineSection) -> None:
        if not config.model:
            raise EngineError("engine.kind=openai needs engine.model, the name under which the server serves its model")
        self.config = config
        self.model = config.model
        self.notify: Callable[[str], None] = log.warning
        self._servers = [_Server(url.rstrip("/")) for url in config.base_urls]
        self._session: Any = None
        self._secret = ""
        self._answered = False
        self._aliases: set[str] = set()
        self._refusals: Counter[bytes] = Counter()

    async def start(self) -> None:
        if self._session is not None:
            return
        try:
            import aiohttp
        except ImportError as exc:
            raise MissingDependencyError("engine.kind=openai needs aiohttp: pip install nemo-sdg") from exc
        self._secret = os.environ.get(self.config.api_key_env, "").strip()
        if not self._secret.isprintable() or not self._secret.isascii():
            raise EngineError(f"the environment variable {self.config.api_key_env} holds characters that no key has")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
            timeout=aiohttp.ClientTimeout(
                total=self.config.request_timeout, sock_connect=min(CONNECT_SECONDS, self.config.request_timeout)
            ),
            headers={
                "Content-Type": "application/json",
                **({"Authorization": f"Bearer {self._secret}"} if self._secret else {}),
            },
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        for server in self._servers:
            await self._look_at_models(server)

    async def _look_at_models(self, server: _Server) -> None:
        """Reads the names and context lengths of a server's models. The scheduler waits for a server that cannot be
        reached yet. A name that is not listed is not an error: gateways list other names than they serve, and a wrong
        name is a 404 at the first request.
        """
        import aiohttp

        try:
            async with self._session.get(
                f"{server.url}/models", allow_redirects=False, timeout=aiohttp.ClientTimeout(total=CONNECT_SECONDS)
            ) as response:
                status, body = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return
        if status in (401, 403):
            await self.close()
            self._stop(server, read_error(status, body))
        try:
            rows = [row for row in orjson.loads(body)["data"] if isinstance(row, dict)] if status == 200 else []
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return
        server.listed = [str(row.get("id")) for row in rows]
        for row in rows:
            if len(rows) == 1 or same_model(str(row.get("id")), self.model):
                lengths = [row[name] for name in CONTEXT_FIELDS if isinstance(row.get(name), int)]
                server.context_length = lengths[0] if lengths else server.context_length

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def complete(self, request: Request) -> Completion:
        assert self._session is not None, "start() comes first"
        server = self._choose(request)
        asked = request.max_tokens
        while True:
            bounded = self._bounded(server, request, asked)
            sent = request if bounded == request.max_tokens else dataclasses.replace(request, max_tokens=bounded)
            result = await self._post(server, sent)
            if isinstance(result, Completion):
                if sent.max_tokens < request.max_tokens and result.finish_reason == "length":
                    result.detail = f"the server had {sent.max_tokens} of {request.max_tokens} tokens for the reply"
                return result
            # the context is too short for prompt and reply together, or the reply may not be as long
            server.most_output = most_output(result.message) or server.most_output
            room = free_tokens(result.message, sent.max_tokens)
            room = sent.max_tokens // 2 if room is None or room >= sent.max_tokens else room
            if "about" in result.message:
                room -= max(8, room // 50)
            if room < LEAST_ROOM:
                return Completion(text="", finish_reason="refused", detail=self._said(server, result))
            asked = room

    def _bounded(self, server: _Server, request: Request, max_tokens: int) -> int:
        """At most the tokens that the server gives, and that its context can have left beside the prompt."""
        max_tokens = min(max_tokens, server.most_output or max_tokens)
        if server.context_length is None:
            return max_tokens
        texts = [message["content"] for message in request.messages or []] or [request.prompt or ""]
        taken = sum(len(text.encode("utf-8", "replace")) for text in texts) // BYTES_PER_TOKEN
        return min(max_tokens, max(LEAST_ROOM, server.context_length - taken))

    async def _post(self, server: _Server, request: Request) -> Completion | ServerError:
        """A completion, or the error of a context that is too short. Raises for everything else."""
        data = orjson.dumps(build_body(request, self.model))
        begin = asyncio.get_running_loop().time()
        status, headers, body = await self._send(server, data, chat=request.messages is not None)
        if status == 200:
            try:
                completion = read_reply(body)
            except ErrorInReply as inner:
                status, body = status_of(inner.code), inner.body
            except TransportError as fault:
                raise TransportError(f"{server.url}: {self._cleaned(str(fault))}", fault.fault) from None
            else:
                self._answered = True
                server.answered_at = asyncio.get_running_loop().time()
                self._note_alias(server, completion)
                return completion
        error = read_error(status, body)
        means = meaning(error, answered=self._answered)
        if means is Meaning.context:
            return error
        if means is Meaning.configuration:
            self._stop(server, error)
        if means is Meaning.unclear and await self._is_the_requests_fault(server, error, data, begin):
            means = Meaning.never
        said = self._said(server, error)
        if means is Meaning.never:
            return Completion(text="", finish_reason="refused", detail=said)
        raise TransportError(said, WAITS.get(means, Fault.server), wait_asked_for(headers, said))

    async def _send(self, server: _Server, data: bytes, *, chat: bool) -> tuple[int, Any, bytes]:
        import aiohttp

        server.in_flight += 1
        try:
            async with self._session.post(
                f"{server.url}/{'chat/completions' if chat else 'completions'}", data=data, allow_redirects=False
            ) as response:
                return response.status, response.headers, await response.read()
        except TimeoutError:
            raise TransportError(
                f"{server.url}: no answer within {self.config.request_timeout:g} seconds", Fault.timeout
            ) from None
        except aiohttp.ClientConnectorError as exc:
            server.rests_until = asyncio.get_running_loop().time() + REST_SECONDS
            reason = self._cleaned(str(exc.os_error.strerror or exc.os_error))
            raise TransportError(f"{server.url}: {reason}", Fault.connection) from None
        except (aiohttp.ClientError, OSError) as exc:
            # from None: aiohttp's errors carry the request's headers, and with them the key
            raise TransportError(f"{server.url}: connection lost ({type(exc).__name__})", Fault.connection) from None
        finally:
            server.in_flight -= 1

    def _choose(self, request: Request) -> _Server:
        if len(self._servers) == 1:
            return self._servers[0]
        now = asyncio.get_running_loop().time()
        awake = [server for server in self._servers if server.rests_until <= now] or self._servers
        fewest = min(server.in_flight for server in awake)
        free = [server for server in awake if server.in_flight <= fewest * NEARLY_AS_FREE + 1]
        beginning = (request.messages[0]["content"] if request.messages else request.prompt or "")[:PREFIX].encode(
            "utf-8", "replace"
        )
        return max(free, key=lambda server: zlib.crc32(server.url.encode(), zlib.crc32(beginning)))

    async def _is_the_requests_fault(self, server: _Server, error: ServerError, data: bytes, begin: float) -> bool:
        """Whether to believe a refusal in unknown words: the same request was refused BELIEVED_AFTER times, while the
        server answered another one.
        """
        digest = hashlib.blake2b(data, digest_size=8).digest()
        self._refusals[digest] += 1
        if not self._answered and self._refusals.total() >= REFUSED_FROM_THE_START:
            raise EngineError(
                f"the server refused each of the first {self._refusals.total()} requests, and no record was dropped "
                f"for it: {self._said(server, error)}; check engine.structured, engine.sampling and engine.extra_body"
            )
        if self._refusals[digest] < BELIEVED_AFTER:
            return False
        if server.answered_at < begin and not await self._answers_at_all(server, data):
            return False
        del self._refusals[digest]
        return True

    async def _answers_at_all(self, server: _Server, data: bytes) -> bool:
        """Sends the smallest possible request, of the same form as the one that the server refused."""
        body = orjson.loads(data)
        chat = "messages" in body
        plain = {"messages": [{"role": "user", "content": "Say yes."}]} if chat else {"prompt": "Yes"}
        least = {**{"model": self.model, "max_tokens": LEAST_ROOM}, **plain}
        try:
            status, _, _ = await self._send(server, orjson.dumps(least), chat=chat)
        except TransportError:
            return False
        return status == 200

    def _stop(self, server: _Server, error: ServerError) -> NoReturn:
        """Ends the run for an error that every request would meet, and says what to change."""
        if error.status in (401, 403):
            state = "was refused" if self._secret else "is not set"
            raise EngineError(
                f"{server.url}: {error.status}, the key in the environment variable {self.config.api_key_env} {state}; "
                f"everything finished is kept ({self._cleaned(error.message)})"
            )
        if error.status == 404 and server.listed and not any(same_model(name, self.model) for name in server.listed):
            names = ", ".join(server.listed[:5])
            raise EngineError(f"{server.url} serves {names}, not {self.model}: set engine.model to one of them")
        raise EngineError(
            f"{self._said(server, error)}; everything finished is kept: {what_to_change(error, self.model)}"
        )

    def _note_alias(self, server: _Server, completion: Completion) -> None:
        served = completion.model
        if served is None or served == self.model:
            completion.model = None
            return
        if served not in self._aliases and len(self._aliases) < 20 and not same_model(served, self.model):
            self._aliases.add(served)
            self.notify(
                f"{server.url} answers as {self._cleaned(served)}, asked for {self.model}: taken as an alias; if it is "
                "another model, stop and set engine.model"
            )

    def _said(self, server: _Server, error: ServerError) -> str:
        return f"{server.url}: {error.status} {self._cleaned(error.message)}".strip()

    def _cleaned(self, text: str) -> str:
        """A server's message, without the key."""
        return text.replace(self._secret, "[key]") if self._secret else text
