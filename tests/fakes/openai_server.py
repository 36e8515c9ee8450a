"""A fake OpenAI-compatible server: the real protocol over a real socket, no model behind it.

    python tests/fakes/openai_server.py --port 0 --latency 0.2 --faults 429,500,reset --share 0.33
    listening on http://127.0.0.1:41873/v1

What it answers is a function of the request alone (rule_model.py), so that runs can be compared byte by byte. Which
requests meet a fault is a function of the request as well; after `fault_attempts` of them the same request is answered.
It stands only for a server that cannot be here. GET /stats tells what it served.
"""

import argparse
import asyncio
import contextlib
import hashlib
import http
import math
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

sys.path.insert(0, str(Path(__file__).resolve().parent))
from rule_model import WORDS, complete
from server_dialects import (
    SERVERS,
    context_error,
    error_body,
    extra_forbidden,
    finish_of,
    message_of,
    served_name,
    takes_schema,
)

RECOVERABLE = {
    "429": "busy, with Retry-After",
    "429_plain": "busy, without",
    "500": "",
    "503": "",
    "reset": "the connection is cut before the answer",
    "hang": "no answer at all",
    "truncate": "the connection is cut in the middle of the answer",
    "wrong_json": "a choice without a message",
    "no_json": "a proxy's page with status 200",
    "empty_choices": "",
    "no_choices": "",
    "null_choices": "",
    "null_message": "",
    "cut_json": "a whole body of half a JSON",
    "oversized": "3 MB of blanks",
    "error_in_200": "{error: {code: 502}} with status 200",
    "error_in_choice": "as OpenRouter sends it",
    "abort": "finish_reason abort, with half a text",
    "wrapped_500": "a proxy's 400 around a provider's 5xx",
    "unknown_400": "a 400 that says nothing",
    "424": "failed dependency",
}
"""faults after which the same request is answered"""
FAULTS = (*RECOVERABLE, "wrong_model", "refuse")
REASONS = {status.value: status.phrase for status in http.HTTPStatus} | {529: "Site is overloaded"}
THOUGHT = "First I look at what is asked, then at each option in turn, and I throw away what cannot be. "


class FakeOpenAIServer:
    """`faults` are drawn for a `share` of the requests, by their hash; each such request fails `fault_attempts` times,
    then it is answered.
    """

    def __init__(
        self,
        *,
        model: str = "fake",
        latency: float = 0.0,
        faults: tuple[str, ...] = (),
        share: float = 0.0,
        fault_attempts: int = 1,
        retry_after: float = 0.01,
        key: str | None = None,
        context_length: int = 100_000,
        dialect: str | None = None,
        thinking: int = 0,
        replies: list[tuple[int, bytes, dict[str, str]]] | None = None,
        forbidden: tuple[str, ...] = (),
        limit: float = math.inf,
    ) -> None:
        assert set(faults) <= set(FAULTS), f"faults must be some of {FAULTS}"
        assert dialect is None or dialect in SERVERS, f"dialect must be one of {SERVERS}"
        self.dialect, self.thinking, self.forbidden = dialect or "", thinking, forbidden
        draw = random.Random(0)
        self.thoughts = [
            (THOUGHT + " ".join(draw.choices(WORDS, k=self.thinking)))[: 5 * self.thinking] for _ in range(64)
        ]
        """as varied as a text is, so that it compresses like one"""
        self.limit, self.tokens, self.filled_at = limit, limit, time.monotonic()
        """requests/s that a bucket of one second's requests lets through; the others get a 429 at once"""
        self.replies = list(replies or [])
        """(status, body, headers) of the first replies, the last of them for ever"""
        self.model, self.latency, self.faults, self.share, self.fault_attempts = (
            model,
            latency,
            faults,
            share,
            fault_attempts,
        )
        self.retry_after, self.key, self.context_length = retry_after, key, context_length
        self.stats: Counter[str] = Counter()
        self.attempts: Counter[bytes] = Counter()
        self.bodies: list[dict[str, Any]] = []
        """the last requests, for a test to look at"""
        self.in_flight = self.most_in_flight = 0
        self.began = self.ended = 0.0
        """the clock at the first request and at the last completion"""
        self.down = False
        """resets every connection while it is set"""
        self._server: asyncio.Server | None = None
        self.url = ""

    async def start(self, port: int = 0) -> str:
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self), "127.0.0.1", port, backlog=4096
        )
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self.url

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def fault_of(self, digest: bytes) -> str | None:
        self.attempts[digest] += 1
        if (
            not self.faults
            or int.from_bytes(digest[:6], "big") / 2**48 >= self.share
            or self.attempts[digest] > self.fault_attempts
        ):
            return None
        return self.faults[digest[7] % len(self.faults)]

    def is_over_limit(self) -> bool:
        if self.limit == math.inf:
            return False
        now = time.monotonic()
        self.tokens = min(self.limit, self.tokens + (now - self.filled_at) * self.limit)
        self.filled_at = now
        self.tokens -= (allowed := self.tokens >= 1)
        return not allowed

    def answer(self, path: str, body: dict[str, Any], *, wrong_model: bool = False) -> tuple[int, Any]:
        """Status and JSON of a request without a fault."""
        if body.get("model") != self.model:
            return 404, {
                "error": {
                    "message": f"The model `{body.get('model')}` does not exist.",
                    "type": "NotFoundError",
                    "code": 404,
                }
            }
        chat = path.endswith("/chat/completions")
        if not takes_schema(self.dialect, body):
            return 400, error_body(self.dialect, 400, "This response_format type is unavailable now")
        made = complete(as_json_schema(body))
        thinking = self.thoughts[body.get("seed", 0) % len(self.thoughts)] if self.thinking else ""
        max_tokens = int(body.get("max_tokens", 16))
        if made.prompt_tokens + max_tokens > self.context_length:
            said = context_error(self.dialect, self.context_length, made.prompt_tokens, max_tokens)
            return 400, error_body(self.dialect, 400, said)
        text, reason = made.text, made.finish_reason
        if self.thinking and self.thinking >= max_tokens:
            text, thinking, reason = "", thinking[: 5 * max_tokens], "length"
        made.completion_tokens = min(max_tokens, made.completion_tokens + self.thinking)
        content = {"message": message_of(self.dialect, text, thinking)} if chat else {"text": text}
        name = "another-model" if wrong_model else served_name(self.dialect, self.model)
        return 200, {
            "id": "fake-1",
            "object": "chat.completion" if chat else "text_completion",
            "created": 0,
            "model": name,
            "choices": [{"index": 0, **content, "finish_reason": finish_of(self.dialect, reason)}],
            "usage": {
                "prompt_tokens": made.prompt_tokens,
                "completion_tokens": made.completion_tokens,
                "total_tokens": made.prompt_tokens + made.completion_tokens,
            },
        }


class _Connection(asyncio.Protocol):
    """One HTTP/1.1 connection, kept alive; answers come in the order of their requests because clients do not
    pipeline.
    """

    def __init__(self, server: FakeOpenAIServer) -> None:
        self.server = server
        self.buffer = b""
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server.stats["connections"] += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end == -1:
            return
        head = self.buffer[:end].decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        whole = end + 4 + int(headers.get("content-length", "0"))
        if len(self.buffer) < whole:
            return
        payload, self.buffer = self.buffer[end + 4 : whole], self.buffer[whole:]
        method, path, _ = head[0].split(" ", 2)
        self._serve(method, path, headers, payload)

    def _serve(self, method: str, path: str, headers: dict[str, str], payload: bytes) -> None:
        server = self.server
        if server.down:
            self.transport.abort()
            return
        if method == "GET" and path == "/stats":
            seconds = server.ended - server.began
            self._send(200, {**server.stats, "most_in_flight": server.most_in_flight, "seconds": seconds})
        elif server.key is not None and headers.get("authorization") != f"Bearer {server.key}":
            server.stats["unauthorized"] += 1
            self._send(
                401,
                {
                    "error": {
                        "message": (
                            "Incorrect API key provided: "
                            f"{headers.get('authorization', 'none').removeprefix('Bearer ')}"
                        ),
                        "code": 401,
                    }
                },
            )
        elif method == "GET" and path == "/v1/models":
            row = {"id": server.model, "object": "model"}
            if server.dialect in ("vllm", "sglang"):
                row["max_model_len"] = server.context_length
            self._send(200, {"object": "list", "data": [row]})
        elif method == "POST" and path in ("/v1/chat/completions", "/v1/completions"):
            self._complete(path, payload)
        else:
            self._send(404, {"error": {"message": f"no {path} here", "code": 404}})

    def _complete(self, path: str, payload: bytes) -> None:
        server = self.server
        body = orjson.loads(payload)
        digest = hashlib.blake2b(orjson.dumps(body, option=orjson.OPT_SORT_KEYS), digest_size=8).digest()
        server.stats["requests"] += 1
        server.began = server.began or time.monotonic()
        server.bodies = [*server.bodies[-19:], body]
        server.in_flight += 1
        self.busy = True
        server.most_in_flight = max(server.most_in_flight, server.in_flight)
        if server.is_over_limit():
            server.stats["limited"] += 1
            self._leave()
            self._send(429, {"error": {"message": "Rate limit reached", "code": 429}})
            return
        if server.replies:
            status, data, headers = server.replies.pop(0) if len(server.replies) > 1 else server.replies[0]
            self._leave()
            extra = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            self._send_bytes(status, data, extra=extra)
            return
        if unknown := [name for name in server.forbidden if name in body]:
            self._leave()
            self._send_bytes(422, extra_forbidden(unknown[0]))
            return
        fault = server.fault_of(digest)
        if fault is not None:
            server.stats[f"fault_{fault}"] += 1
        if fault == "hang":
            return
        finish = lambda: self._finish(path, body, fault)  # noqa: E731
        if server.latency:
            asyncio.get_running_loop().call_later(server.latency, finish)
        else:
            finish()

    def _finish(self, path: str, body: dict[str, Any], fault: str | None) -> None:
        self._leave()
        if self.transport.is_closing():
            return
        if fault in ("429", "429_plain", "500", "503", "424"):
            status = int(fault[:3])
            retry = f"Retry-After: {self.server.retry_after:g}\r\n" if fault in ("429", "503") else ""
            self._send(status, {"error": {"message": f"fault {fault}", "code": status}}, extra=retry)
        elif fault == "wrapped_500":
            self._send(400, {"error": {"message": "litellm.APIConnectionError: upstream connect error", "code": 400}})
        elif fault == "unknown_400":
            self._send(400, {"error": {"message": "Bad Request", "code": 400}})
        elif fault == "error_in_200":
            self._send(200, {"error": {"message": "Provider returned error", "code": 502}})
        elif fault in ("no_choices", "null_choices", "null_message"):
            held = {"null_choices": {"choices": None}, "null_message": {"choices": [{"index": 0, "message": None}]}}
            self._send(200, {"object": "chat.completion", "model": self.server.model, **held.get(fault, {})})
        elif fault == "cut_json":
            self._send_bytes(200, b'{"object": "chat.completion", "choices": [{"index": 0, "message": {"content": "It')
        elif fault == "oversized":
            self._send_bytes(200, b" " * (3 << 20))
        elif fault in ("empty_choices", "error_in_choice", "abort"):
            choice = {"index": 0, "message": {"role": "assistant", "content": '{"context": "Half'}}
            if fault == "error_in_choice":
                error = {"code": 429, "message": "upstream rate limit"}
                choice |= {"message": {"role": "assistant", "content": ""}, "finish_reason": "error", "error": error}
            else:
                choice["finish_reason"] = "abort"
            choices = [] if fault == "empty_choices" else [choice]
            self._send(200, {"object": "chat.completion", "model": self.server.model, "choices": choices})
        elif fault == "refuse":
            self._send(400, {"error": {"message": "the content of this request is not allowed", "code": 400}})
        elif fault == "reset":
            self.transport.abort()
        elif fault == "wrong_json":
            self._send(
                200,
                {
                    "object": "chat.completion",
                    "model": self.server.model,
                    "choices": [{"index": 0, "finish_reason": "stop"}],
                },
            )
        elif fault == "no_json":
            self._send_bytes(200, b"<html>502 Bad Gateway</html>")
        else:
            status, answer = self.server.answer(path, body, wrong_model=fault == "wrong_model")
            data = orjson.dumps(answer)
            if fault == "truncate":
                self.transport.write(
                    f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode()
                    + data[: len(data) // 2]
                )
                self.transport.close()
                return
            self.server.stats["completions"] += status == 200 and fault is None
            if status == 200 and fault is None:
                self.server.stats.update(answer["usage"])
            self.server.ended = time.monotonic()
            self._send_bytes(status, data)

    def _leave(self) -> None:
        if self.busy:
            self.busy = False
            self.server.in_flight -= 1

    def _send(self, status: int, value: Any, *, extra: str = "") -> None:
        self._send_bytes(status, orjson.dumps(value), extra=extra)

    def _send_bytes(self, status: int, data: bytes, *, extra: str = "") -> None:
        head = (
            f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: application/json\r\n{extra}Content-Length: "
            f"{len(data)}\r\n\r\n"
        )
        self.transport.write(head.encode() + data)


def as_json_schema(body: dict[str, Any]) -> dict[str, Any]:
    """The body with its schema where the rule model looks for it."""
    asked = body.get("response_format") or {}
    schema = asked.get("schema") if asked.get("type") == "json" else None
    for holder, name in (("structured_outputs", "json"), ("nvext", "guided_json")):
        schema = schema or (body.get(holder) or {}).get(name)
    schema = schema or body.get("guided_json")
    if schema is None:
        return body
    return {**body, "response_format": {"type": "json_schema", "json_schema": {"name": "output", "schema": schema}}}


@contextlib.contextmanager
def serving(kind: "type[FakeOpenAIServer] | None" = None, **options: Any) -> Iterator[FakeOpenAIServer]:
    """A server in a thread of its own, for tests whose code runs an event loop itself."""
    server = (kind or FakeOpenAIServer)(**options)
    ready, loop = threading.Event(), asyncio.new_event_loop()

    def work() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(server.start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(server.stop())
        loop.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _serve_forever(server: FakeOpenAIServer, port: int) -> None:
    print(f"listening on {await server.start(port)}", flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0 = any free port")
    parser.add_argument("--model", default="fake", help="the one model it serves")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds from request to answer")
    parser.add_argument("--faults", default="", help=f"comma-separated, of {', '.join(FAULTS)}")
    parser.add_argument("--share", type=float, default=0.33, help="share of the requests that meet a fault")
    parser.add_argument(
        "--fault-attempts", type=int, default=1, help="how often such a request fails before it is answered"
    )
    parser.add_argument("--retry-after", type=float, default=0.01, help="seconds, in the header of 429 and 503")
    parser.add_argument("--context-length", type=int, default=100_000, help="tokens")
    parser.add_argument("--dialect", choices=SERVERS, help="the server whose forms it speaks")
    parser.add_argument("--thinking", type=int, default=0, help="tokens of thinking before each answer")
    parser.add_argument("--limit", type=float, default=math.inf, help="requests/s; the others get a 429 at once")
    options = parser.parse_args()
    faults = tuple(filter(None, options.faults.split(",")))
    server = FakeOpenAIServer(
        model=options.model,
        latency=options.latency,
        faults=faults,
        share=options.share if faults else 0.0,
        fault_attempts=options.fault_attempts,
        retry_after=options.retry_after,
        key=os.environ.get("FAKE_OPENAI_KEY"),
        context_length=options.context_length,
        dialect=options.dialect,
        thinking=options.thinking,
        limit=options.limit,
    )
    asyncio.run(_serve_forever(server, options.port))


if __name__ == "__main__":
    main()
