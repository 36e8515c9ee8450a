"""Requests on the connections of an aiohttp session, without session.post."""

import asyncio
import contextlib
import gc

import aiohttp
import pytest

from nemo_sdg.config import EngineKind, EngineSection
from nemo_sdg.errors import EngineError
from nemo_sdg.generate.engines import open_engine
from nemo_sdg.generate.engines.base import TransportError
from nemo_sdg.generate.engines.connection import Connection
from nemo_sdg.generate.engines.exchange import Route
from nemo_sdg.generate.requests import Request
from tests.fakes.openai_server import FakeOpenAIServer
from tests.fakes.wild_server import GOOD, http, wild

REQUEST = Request(messages=[{"role": "user", "content": "Is it?"}])


@contextlib.asynccontextmanager
async def opened(url, **settings):
    engine = open_engine(EngineSection(kind=EngineKind.openai, base_urls=[url], model="fake", **settings))
    engine.notify = lambda line: None
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


async def test_a_request_has_the_bytes_that_the_session_would_send():
    seen = []

    async def serve(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append((sorted(head.split(b"\r\n")), await reader.readexactly(4)))
        writer.write(http("200 OK", b"{}", Connection="close"))
        writer.close()

    async def read(reply, content):
        return reply.code, await content.readany()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1 x/chat/completions?api-version=1"
    headers = {"Content-Type": "application/json", "Authorization": "Bearer sk-1"}
    async with aiohttp.ClientSession(headers=headers) as session:
        assert await Route(session, address).post(b"body", read) == (200, b"{}")
        async with session.post(address, data=aiohttp.BytesPayload(b"body")) as response:
            assert response.status == 200
    server.close()
    assert b"POST /v1%20x/chat/completions?api-version=1 HTTP/1.1" in seen[0][0]
    assert seen[0] == seen[1]


async def test_one_connection_serves_one_request_after_another():
    server = FakeOpenAIServer()
    async with opened(await server.start()) as engine:
        for _ in range(5):
            await engine.complete(REQUEST)
        assert server.stats["connections"] == 1
        await asyncio.gather(*(engine.complete(REQUEST) for _ in range(3)))
        assert server.stats["connections"] <= 3


@pytest.mark.parametrize("way", ["cancelled", "timed out"])
async def test_nobody_gets_the_reply_to_a_request_that_is_no_longer_waited_for(way):
    late = http("200 OK", GOOD.replace(b"yes", b"late"))
    patience = 0.02 if way == "timed out" else 60
    async with (
        wild([0.1, late], [http("200 OK", GOOD)]) as (url, bodies),
        opened(url, request_timeout=patience) as engine,
    ):
        asked = asyncio.create_task(engine.complete(REQUEST))
        while not bodies:
            await asyncio.sleep(0)
        if way == "cancelled":
            asked.cancel()
        await asyncio.wait([asked])
        assert asked.cancelled() if way == "cancelled" else isinstance(asked.exception(), TransportError)
        engine.config.request_timeout = 60
        assert (await engine.complete(REQUEST)).text == "yes"


@pytest.mark.parametrize("url", ["http://host:eighty/v1", "http:///v1"])
async def test_what_is_not_an_address_is_one_line_at_the_start(url):
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context["message"]))
    connection = Connection(EngineSection(kind=EngineKind.openai, base_urls=["http://127.0.0.1:9/v1", url], model="m"))
    with pytest.raises(EngineError, match=r"engine\.base_urls: .* is not an address"):
        connection.open()
    assert not connection.is_open
    gc.collect()
    assert told == []  # no session is left open
