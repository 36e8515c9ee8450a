"""Completions that a server accepts for later, as NVIDIA's API does when a model is slow: they are fetched, not asked
for again.

    POST /v1/chat/completions  202, NVCF-REQID: 4f1c…
    GET  /v1/status/4f1c…      202 until it is done, then the reply to the request

Contract: docs.api.nvidia.com/nim/reference, "status polling". A server that does not know the address gives a 404: its
202 is a fault then, and the request is sent again.
"""

import asyncio
import re
from typing import TYPE_CHECKING, Any

from nemo_sdg.generate.engines.base import Fault, TransportError

if TYPE_CHECKING:
    from nemo_sdg.generate.engines.connection import Connection, Server

REQUEST_ID = "NVCF-REQID"
ID = re.compile(r"[\w-]{1,128}")
POLL_SECONDS = 1.0
UNKNOWN = {404, 405, 501}
AWAY = {408, 429, 500, 502, 503, 504}
"""of a look at the state: nothing is said of the request itself"""

Reply = tuple[int, Any, bytes]
"""status, headers, body"""


async def fetch_pending(connection: "Connection", server: "Server", accepted: Reply, *, most_bytes: int) -> Reply:
    """The reply to a request that the server accepted for later; any other reply as it is. Raises TransportError when
    it does not come within engine.request_timeout.
    """
    status, headers, _ = accepted
    if status != 202 or not ID.fullmatch(name := headers.get(REQUEST_ID, "")):
        return accepted
    try:
        async with asyncio.timeout(connection.config.request_timeout):
            while True:
                await asyncio.sleep(POLL_SECONDS)
                reply = await connection.look(server, f"status/{name}", most_bytes)
                if reply is None or reply[0] == 202 or reply[0] in AWAY:
                    continue
                return accepted if reply[0] in UNKNOWN else reply
    except TimeoutError:
        raise TransportError(
            f"{server.url}: accepted for later, and not done within {connection.config.request_timeout:g} seconds",
            Fault.timeout,
        ) from None
