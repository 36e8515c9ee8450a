"""One request and its reply on a connection of an aiohttp session: its pool, TLS, parser and bounds, without what
`session.post` does again for each request of a run.

    async def read(reply, content):
        return reply.code, await content.readany()

    status, block = await Route(session, "http://a:8000/v1/chat/completions").post(b'{"model": …}', read)

No redirect is followed, no cookie kept. The time that a reply may take is the caller's to bound.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp
from aiohttp.http import RawResponseMessage
from yarl import URL

from nemo_sdg.errors import EngineError

T = TypeVar("T")


class Route:
    """Where a server's requests go, with their headers. Made in a running loop; raises EngineError when the address is
    none.
    """

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        assert session.connector is not None, "the session is open"
        self._connector, self._timeout = session.connector, session.timeout
        try:
            self._request = aiohttp.ClientRequest(
                "POST", URL(address), headers=session.headers, session=session, loop=asyncio.get_running_loop()
            )
        except ValueError as exc:
            raise EngineError(f"engine.base_urls: {address} is not an address ({exc})") from None
        fields = [f"{name}: {value}\r\n" for name, value in self._request.headers.items() if name != "Content-Length"]
        head = f"POST {self._request.url.raw_path_qs} HTTP/1.1\r\n{''.join(fields)}Content-Length: "
        self._head = head.encode("utf-8")

    async def post(self, data: bytes, read: Callable[[RawResponseMessage, aiohttp.StreamReader], Awaitable[T]]) -> T:
        """What `read` makes of the reply's head and body. The connection serves other requests afterwards if the body
        was read to its end. Raises what aiohttp raises: ClientError, HttpProcessingError, OSError.
        """
        connection = await self._connector.connect(self._request, [], self._timeout)
        try:
            protocol, transport = connection.protocol, connection.transport
            assert protocol is not None
            if transport is None:
                raise aiohttp.ServerDisconnectedError
            protocol.set_response_params(read_until_eof=True)
            transport.write(b"%b%d\r\n\r\n%b" % (self._head, len(data), data))
            reply, content = await protocol.read()
            while 100 <= reply.code < 200 and reply.code != 101:
                reply, content = await protocol.read()
            result = await read(reply, content)
        except BaseException:
            connection.close()
            raise
        connection.release()
        return result
