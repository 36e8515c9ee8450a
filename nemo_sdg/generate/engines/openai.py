"""Any OpenAI-compatible server (trtllm-serve, NIM, vLLM): plain aiohttp, no client library.

The `openai` package takes 23 ms of CPU time a request with 500 in flight (httpcore's pool is quadratic in
connections), aiohttp 0.25 ms.

Of several servers the one with the fewest requests in flight is asked; among those nearly as free, the one that a
prompt's beginning
hashes to, so that requests with the same few-shot head find its KV blocks. A server that failed to connect rests for a
while.

The key is read from the environment when the engine starts, travels in the Authorization header, and is cut out of
whatever a server
says before that reaches an error.
"""

import asyncio
import email.utils
import os
import time
import zlib
from dataclasses import dataclass
from typing import Any

import orjson

from nemo_sdg.config import EngineSection
from nemo_sdg.errors import EngineError, MissingDependencyError
from nemo_sdg.generate.engines.base import Fault, TransportError
from nemo_sdg.generate.requests import Completion, Request

BUSY = {409, 425, 429, 503, 529}
TIMEOUT = {408, 504, 524}
WRONG_KEY = {401, 403}
REST_SECONDS = 5.0
"""how long a server that could not be reached is passed over while there are others"""
NEARLY_AS_FREE = 1.1
PREFIX = 400
"""characters of a prompt's beginning that decide which server has its blocks"""
CONNECT_SECONDS = 20.0
FINISHED = {"stop", "length", "eos", "eos_token", "stop_sequence", "tool_calls", "function_call"}


@dataclass(eq=False, slots=True)
class _Server:
    url: str
    in_flight: int = 0
    rests_until: float = 0.0


class OpenAIEngine:
    """`model` is the served name; an answer of another model counts as none."""

    name = "openai"
    adaptive = True

    def __init__(self, config: EngineSection) -> None:
        if not config.model:
            raise EngineError("engine.kind=openai needs engine.model, the name under which the server serves its model")
        self.config = config
        self.model = config.model
        self._servers = [_Server(url.rstrip("/")) for url in config.base_urls]
        self._session: Any = None
        self._secret = ""
        self._answered = False

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
            await self._check_models(server)

    async def _check_models(self, server: _Server) -> None:
        """Fails early when a server says that it has another model; one that cannot be reached yet is waited for by
        the scheduler.
        """
        import aiohttp

        try:
            async with self._session.get(
                f"{server.url}/models", allow_redirects=False, timeout=aiohttp.ClientTimeout(total=CONNECT_SECONDS)
            ) as response:
                status, body = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return
        if status in WRONG_KEY:
            await self.close()
            raise self._wrong_key(server, status)
        try:
            names = [row["id"] for row in orjson.loads(body)["data"]] if status == 200 else []
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return
        if names and not any(_same_model(str(name), self.model) for name in names):
            await self.close()
            raise EngineError(f"engine.model: {server.url} serves {', '.join(map(str, names[:5]))}, not {self.model}")

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def complete(self, request: Request) -> Completion:
        assert self._session is not None, "start() comes first"
        import aiohttp

        body = self._body(request)
        server = self._choose(request)
        path = "chat/completions" if request.messages is not None else "completions"
        server.in_flight += 1
        try:
            async with self._session.post(f"{server.url}/{path}", data=body, allow_redirects=False) as response:
                status, retry_after, data = response.status, response.headers.get("Retry-After"), await response.read()
        except TimeoutError:
            raise TransportError(
                f"{server.url}: no answer within {self.config.request_timeout:g} seconds", Fault.timeout
            ) from None
        except aiohttp.ClientConnectorError as exc:
            server.rests_until = asyncio.get_running_loop().time() + REST_SECONDS
            raise TransportError(
                f"{server.url}: {self._said(exc.os_error.strerror or exc.os_error)}", Fault.connection
            ) from None
        except (aiohttp.ClientError, OSError) as exc:
            # from None: aiohttp's errors carry the request's headers, and with them the key
            raise TransportError(f"{server.url}: connection lost ({type(exc).__name__})", Fault.connection) from None
        finally:
            server.in_flight -= 1
        if status != 200:
            return self._not_ok(server, status, retry_after, data)
        completion = self._read(server, data, chat=request.messages is not None)
        self._answered = True
        return completion

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

    def _body(self, request: Request) -> bytes:
        body: dict[str, Any] = {
            "model": self.model,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "max_tokens": request.max_tokens,
            "seed": request.seed,
            **self.config.options,
        }
        if request.stop:
            body["stop"] = request.stop
        if request.messages is not None:
            body["messages"] = request.messages
        else:
            body["prompt"] = request.prompt
        if request.schema is not None and self.config.guided_json:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "output", "schema": request.schema, "strict": True},
            }
        return orjson.dumps(body)

    def _read(self, server: _Server, data: bytes, *, chat: bool) -> Completion:
        """Completion out of a 200. Raises TransportError when it is not one: half a body, another model's, no text."""
        try:
            answer = orjson.loads(data)
            choice = answer["choices"][0]
            content = (choice["message"]["content"] if chat else choice["text"]) or ""
            reason, served = choice["finish_reason"], answer["model"]
            usage = answer.get("usage") or {}
            prompt_tokens, completion_tokens = (
                int(usage.get("prompt_tokens") or 0),
                int(usage.get("completion_tokens") or 0),
            )
            if not isinstance(content, str) or not isinstance(served, str):
                raise TypeError
        except (orjson.JSONDecodeError, KeyError, IndexError, TypeError, ValueError, AttributeError) as exc:
            raise TransportError(
                f"{server.url}: not an OpenAI completion ({type(exc).__name__}): {self._said(data[:80])}", Fault.answer
            ) from exc
        if not _same_model(served, self.model):
            raise TransportError(f"{server.url}: answered as {self._said(served)}, not as {self.model}", Fault.answer)
        if reason == "content_filter":
            return Completion(
                text="",
                finish_reason="refused",
                prompt_tokens=prompt_tokens,
                completion_tokens=completion_tokens,
                detail="content_filter",
            )
        if reason not in FINISHED:
            raise TransportError(f"{server.url}: unknown finish_reason {self._said(reason)}", Fault.answer)
        return Completion(
            text=content,
            finish_reason="length" if reason == "length" else "stop",
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
        )

    def _not_ok(self, server: _Server, status: int, retry_after: str | None, data: bytes) -> Completion:
        said = f"{server.url}: {status} {self._said(data)}".strip()
        if status in BUSY:
            raise TransportError(said, Fault.busy, _seconds(retry_after))
        if status in TIMEOUT:
            raise TransportError(said, Fault.timeout, _seconds(retry_after))
        if status >= 500:
            raise TransportError(said, Fault.server, _seconds(retry_after))
        if status in WRONG_KEY | {404} or status < 400:
            if self._answered:
                # it worked before: a proxy or a server that restarts
                raise TransportError(said, Fault.server)
            if status in WRONG_KEY:
                raise self._wrong_key(server, status)
            raise EngineError(f"{said}: check engine.base_urls (http://host:port/v1) and engine.model ({self.model})")
        return Completion(text="", finish_reason="refused", detail=said)

    def _wrong_key(self, server: _Server, status: int) -> EngineError:
        state = "was refused" if self._secret else "is not set"
        return EngineError(
            f"{server.url}: {status}, the key in the environment variable {self.config.api_key_env} {state}"
        )

    def _said(self, value: object) -> str:
        """What a server said, in one line of at most 300 characters, without the key. Error bodies are read for their
        message.
        """
        if isinstance(value, bytes):
            try:
                parsed = orjson.loads(value)
            except orjson.JSONDecodeError:
                parsed = value.decode("utf-8", "replace")
            message = parsed.get("error", parsed) if isinstance(parsed, dict) else parsed
            value = message.get("message", message) if isinstance(message, dict) else message
        text = " ".join(str(value).split())
        if self._secret:
            text = text.replace(self._secret, "[key]")
        return text[:300]


def _same_model(served: str, asked: str) -> bool:
    """Servers answer with the name, with a path that ends in it, or with a dated version of it."""
    served, asked = served.rstrip("/").rsplit("/", 1)[-1].lower(), asked.rstrip("/").rsplit("/", 1)[-1].lower()
    return served == asked or served.startswith(f"{asked}-20") or asked.startswith(f"{served}-20")


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After as seconds from now: a number or an HTTP date."""
    if retry_after is None:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        when = email.utils.parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, when.timestamp() - time.time())
