"""The HTTP session with one or several OpenAI-compatible servers: aiohttp's connections, no client library.

The `openai` package takes 23 ms of CPU time a request with 500 in flight (httpcore's pool is quadratic in
connections). A session of aiohttp would take a fifth of the client's CPU time for what is the same in each request
(address, headers, cookies, redirects), so completions are asked for on the session's connections (exchange.py).

A request goes to the server with the fewest requests in flight. Among servers that are nearly as free, a hash of the
prompt's beginning decides, so that requests with the same few-shot head find its KV blocks. A server that could not be
reached is not asked for a while. A request that was lost goes to the next server, whichever is free.

The key is read from the environment when the session opens, and sent in the Authorization header. It is removed from
everything that a server says before that becomes part of an error message.

A body is read up to what the request can need, decompressed. What is longer than that may still hold an answer, so it
is read up to LARGEST_BODY, as long as all such bodies together have no more than SPARE_BYTES above what was asked for.
Then the connection is closed: a server or proxy that streams without end takes no more memory than that. Heads are
bounded by aiohttp (128 fields of 8 KB), the time of a whole reply by engine.request_timeout.
"""

import asyncio
import functools
import os
import re
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from nemo_sdg.config import EngineSection
from nemo_sdg.config.engine import TOKEN_LIMITS
from nemo_sdg.errors import EngineError, MissingDependencyError
from nemo_sdg.generate.engines.base import Fault, TransportError
from nemo_sdg.generate.engines.error_bodies import ServerError, read_error
from nemo_sdg.generate.engines.servers import same_model
from nemo_sdg.generate.requests import Request

if TYPE_CHECKING:
    import aiohttp
    from aiohttp.http import RawResponseMessage

    from nemo_sdg.generate.engines.exchange import Route

REST_SECONDS = 5.0
"""seconds for which a server that could not be reached is not asked while there are others"""
NEARLY_AS_FREE = 1.1
PREFIX = 400
"""length of the beginning of a prompt that decides which server is likely to hold its KV blocks"""
CONNECT_SECONDS = 20.0
CONTEXT_FIELDS = ("max_model_len", "context_length", "max_context_length", "context_window")
"""where /v1/models says how long a context is: vLLM and SGLang, OpenRouter, Mistral, Groq"""
LEAST_CONTEXT = 128
"""tokens; a smaller number (0, -1) says that the server does not know"""
BYTES_A_TOKEN, BYTES_A_LISTED_TOKEN = 128, 512
"""maximum bytes of a reply per token: escaped Chinese in two fields takes 50, a token with logprob and bytes 150"""
BYTES_A_CHUNK = 1024
"""bytes around each token of a stream (engine.extra_body={stream: true}); those of OpenRouter have 400"""
BYTES_BESIDE = 1 << 18
"""bytes of a reply beside its tokens: the fields around the text, a proxy's page"""
LARGEST_BODY = 64 << 20
"""maximum bytes of a reply that is longer than its request needs"""
SPARE_BYTES = 256 << 20
"""bytes by which all replies that are being read may exceed what their requests need"""
BYTES_OF_ERROR = 1 << 20
BYTES_OF_MODELS = 16 << 20
"""of /models; a gateway's list of all models is 0.5 MB"""
PROMPT_SENT_BACK = {"echo", "prompt_logprobs", "return_token_ids", "return_tokens_as_token_ids"}
"""fields of engine.extra_body that add the prompt to the reply"""
NO_LIMIT = 131_072
"""assumed tokens of a reply if engine.extra_body removes the limit and the server does not report its context"""
UNDECODED = re.compile(r"can not decode content-encoding: \w+", re.IGNORECASE)
"""br and zstd of a gateway that does not ask, without their packages; bytes that are none of it"""
NO_TLS = ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "CERTIFICATE_VERIFY_FAILED")
"""reasons of OpenSSL that do not go away by waiting"""


@dataclass(eq=False, slots=True)
class Server:
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


class Connection:
    """All servers of one engine."""

    def __init__(self, config: EngineSection) -> None:
        self.config = config
        self.servers = [Server(url.rstrip("/")) for url in config.base_urls]
        self._session: Any = None
        self._routes: dict[tuple[str, bool], Route] = {}
        """(address of the server, whether it is a chat) -> where its requests go"""
        self._secret = ""
        self._spare = SPARE_BYTES

    @property
    def is_open(self) -> bool:
        return self._session is not None

    @property
    def has_key(self) -> bool:
        return bool(self._secret)

    def open(self) -> None:
        """Reads the key. Raises EngineError when it cannot be one, or an address is none."""
        try:
            import aiohttp

            from nemo_sdg.generate.engines.exchange import Route
        except ImportError as exc:
            raise MissingDependencyError("engine.kind=openai needs aiohttp: pip install nemo-sdg") from exc
        self._secret = os.environ.get(self.config.api_key_env, "").strip()
        if not self._secret.isprintable() or not self._secret.isascii():
            raise EngineError(f"the environment variable {self.config.api_key_env} holds characters that no key has")
        key = {"Authorization": f"Bearer {self._secret}"} if self._secret else {}
        timeout = self.config.request_timeout
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
            timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=min(CONNECT_SECONDS, timeout)),
            headers={"Content-Type": "application/json", **key},
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        try:
            for server in self.servers:
                for chat, path in ((True, "chat/completions"), (False, "completions")):
                    self._routes[server.url, chat] = Route(session, f"{server.url}/{path}")
        except EngineError:
            session.detach()  # closes a session that has no connection yet
            raise
        self._session = session

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def look_at_models(self, server: Server, model: str) -> ServerError | None:
        """Reads the names and context lengths of a server's models; gives its error where it does not know the key. A
        403 tells nothing: a key may be good for completions and not for this list. The scheduler waits for a server
        that cannot be reached yet. A name that is not listed is not an error: gateways list other names than they
        serve, and a wrong name is a 404 at the first request.
        """
        import aiohttp

        try:
            async with self._session.get(
                f"{server.url}/models", allow_redirects=False, timeout=aiohttp.ClientTimeout(total=CONNECT_SECONDS)
            ) as response:
                status, body = (
                    response.status,
                    await self._read(response.content, BYTES_OF_MODELS, BYTES_OF_MODELS) or b"",
                )
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
        if status == 401 and b"scope" not in body:
            return read_error(status, body)
        try:
            listed = orjson.loads(body) if status == 200 else []
            listed = listed if isinstance(listed, list) else listed["data"]  # a bare list: Together
            rows = [row for row in listed if isinstance(row, dict)]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return None
        server.listed = [str(row.get("id")) for row in rows]
        for row in rows:
            if len(rows) == 1 or same_model(str(row.get("id")), model):
                lengths = [row[name] for name in CONTEXT_FIELDS if isinstance(row.get(name), int)]
                lengths = [length for length in lengths if length > LEAST_CONTEXT]
                server.context_length = lengths[0] if lengths else server.context_length
        return None

    async def look(self, server: Server, path: str, most_bytes: int) -> tuple[int, Any, bytes] | None:
        """(status, headers, body) of a GET; None where the server cannot be reached. Raises TransportError."""
        import aiohttp

        try:
            async with self._session.get(f"{server.url}/{path}", allow_redirects=False) as response:
                body = await self._read(response.content, most_bytes, LARGEST_BODY)
        except (aiohttp.ClientError, OSError):
            return None
        if body is None:
            raise TransportError(f"{server.url}: an endless reply", Fault.oversized)
        return response.status, response.headers, body

    def choose(self, request: Request) -> Server:
        """The server for a request."""
        if len(self.servers) == 1:
            return self.servers[0]
        now = asyncio.get_running_loop().time()
        awake = [server for server in self.servers if server.rests_until <= now] or self.servers
        fewest = min(server.in_flight for server in awake)
        free = [server for server in awake if server.in_flight <= fewest * NEARLY_AS_FREE + 1]
        text = request.messages[0]["content"] if request.messages else request.prompt or ""
        beginning = zlib.crc32(text[:PREFIX].encode("utf-8", "replace"))

        def nearness(server: Server) -> int:
            return zlib.crc32(server.url.encode(), beginning)

        if request.num_lost:  # a server that fails at once is always free: it may be the one that is at fault
            return sorted(awake, key=nearness, reverse=True)[request.num_lost % len(awake)]
        return max(free, key=nearness)

    async def post(self, server: Server, data: bytes, *, chat: bool, most_bytes: int) -> tuple[int, Any, bytes]:
        """(status, headers, body). Raises TransportError when there is none or a 200 has more than `most_bytes`,
        EngineError where TLS cannot work.
        """
        import aiohttp

        route, read = self._routes[server.url, chat], functools.partial(self._read_reply, server, most_bytes)
        server.in_flight += 1
        try:
            async with asyncio.timeout(self.config.request_timeout):
                return await route.post(data, read)
        except TimeoutError:
            raise TransportError(
                f"{server.url}: no answer within {self.config.request_timeout:g} seconds", Fault.timeout
            ) from None
        except aiohttp.ClientConnectorError as exc:
            server.rests_until = asyncio.get_running_loop().time() + REST_SECONDS
            reason = self.cleaned(str(exc.os_error.strerror or exc.os_error))
            if server.answered_at < 0 and any(name in str(exc) for name in NO_TLS):
                raise EngineError(
                    f"{server.url}: {reason}: does the server speak https, with a certificate that this machine "
                    "trusts (SSL_CERT_FILE)? else write http:// in engine.base_urls"
                ) from None
            raise TransportError(f"{server.url}: {reason}", Fault.connection) from None
        except (aiohttp.ClientError, aiohttp.http.HttpProcessingError, OSError) as exc:
            if (told := UNDECODED.search(str(exc))) is not None:
                raise TransportError(f"{server.url}: {told[0].lower()}", Fault.answer) from None
            # from None: aiohttp's errors carry the request's headers, and with them the key
            raise TransportError(f"{server.url}: connection lost ({type(exc).__name__})", Fault.connection) from None
        finally:
            server.in_flight -= 1

    async def _read_reply(
        self, server: Server, most_bytes: int, reply: "RawResponseMessage", content: "aiohttp.StreamReader"
    ) -> tuple[int, Any, bytes]:
        if not 200 <= reply.code < 300:
            return reply.code, reply.headers, await self._read(content, BYTES_OF_ERROR, BYTES_OF_ERROR) or b""
        body = await self._read(content, most_bytes, LARGEST_BODY)
        if body is None:
            raise TransportError(
                f"{server.url}: an endless reply: the request needs at most {most_bytes:,} bytes", Fault.oversized
            )
        return reply.code, reply.headers, body

    async def _read(self, content: "aiohttp.StreamReader", asked: int, largest: int) -> bytes | None:
        """The body, decompressed. Of one of more than `asked` bytes, up to `largest` are read where there is memory to
        spare; of one that is still longer nothing is kept. The connection of a body that was not read to its end is
        closed when it is released.
        """
        blocks, size, spare = [], 0, 0
        try:
            while block := await content.readany():
                blocks.append(block)
                size += len(block)
                if (more := size - asked - spare) > 0:
                    if size > largest or more > self._spare:
                        return None
                    spare += more
                    self._spare -= more
        finally:
            self._spare += spare
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    def cleaned(self, text: str) -> str:
        """A server's message, without the key."""
        return text.replace(self._secret, "[key]") if self._secret else text


def most_bytes(request: Request, context_length: int | None) -> int:
    """The bytes that the reply to a prepared request may have."""
    extra = request.extra_body
    if not extra:
        return BYTES_BESIDE + BYTES_A_TOKEN * request.max_tokens
    limits = [limit for name in TOKEN_LIMITS if isinstance(limit := extra.get(name), int) and limit > 0]
    if "max_tokens" not in extra:
        limits.append(request.max_tokens)
    tokens = max(limits, default=context_length or NO_LIMIT)
    shown = [int(extra[name] or 0) for name in ("logprobs", "top_logprobs") if isinstance(extra.get(name), int)]
    each = BYTES_A_TOKEN + BYTES_A_LISTED_TOKEN * sum(shown)
    if extra.get("stream"):
        each += BYTES_A_CHUNK
    if isinstance(choices := extra.get("n"), int):
        each *= max(1, choices)
    if not PROMPT_SENT_BACK.isdisjoint(extra):
        tokens += sum(len(message["content"]) for message in request.messages or []) + len(request.prompt or "")
    return BYTES_BESIDE + each * tokens
