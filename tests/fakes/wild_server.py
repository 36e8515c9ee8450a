"""A server on a real socket that writes bytes as they are told, whether they are HTTP or not."""

import asyncio
import contextlib
import json

from nemo_sdg.config import EngineKind, EngineSection
from nemo_sdg.generate.engines import open_engine
from nemo_sdg.generate.engines.base import TransportError
from nemo_sdg.generate.requests import Request

GOOD = json.dumps({"model": "m", "choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}).encode()
CUT = object()
"""the connection is reset here"""


def http(status, body=b"", *, version="1.1", length=None, **headers):
    fields = {"Content-Length": len(body) if length is None else length} | headers
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join([f"HTTP/{version} {status}", *lines, "", ""]).encode() + body


@contextlib.asynccontextmanager
async def wild(*answers, models=None):
    """Base URL of a server that answers the n-th POST with the n-th list of bytes, the last of them for ever; seconds
    between them are waited. It answers /models with the bytes that `models()` gives, or knows none.
    """
    left, bodies = list(answers), []

    async def serve(reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                if (first := await reader.readexactly(1)) == b"\x16":  # the hello of TLS
                    writer.write(http("400 Bad Request"))
                    writer.close()
                    return
                head = first + await reader.readuntil(b"\r\n\r\n")
                head = head.decode().lower()
                if head.startswith("get"):
                    for part in models() if models else [http("404 Not Found", b"{}")]:
                        writer.write(part)
                        await writer.drain()
                    continue
                length = int(head.split("content-length: ")[1].split("\r\n")[0])
                bodies.append(json.loads(await reader.readexactly(length)))
                for part in left.pop(0) if len(left) > 1 else left[0]:
                    if part is CUT:
                        writer.transport.abort()
                        return
                    if isinstance(part, float):
                        await asyncio.sleep(part)
                        continue
                    writer.write(part)
                    await writer.drain()
                    if part == b"":
                        writer.close()
                        return

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", bodies
    finally:
        server.close()


async def ask(url, *, times=1, **settings):
    """The last of `times` completions or faults."""
    engine = open_engine(EngineSection(kind=EngineKind.openai, base_urls=[url], model="m", **settings))
    engine.notify = lambda line: None
    await engine.start()
    found = None
    try:
        for _ in range(times):
            try:
                request = Request(messages=[{"role": "user", "content": "Is it?"}], max_tokens=512)
                found = await engine.complete(request)
            except TransportError as fault:
                found = fault
    finally:
        await engine.close()
    return found
