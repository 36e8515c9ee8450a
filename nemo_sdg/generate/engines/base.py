"""The interface of an engine. It completes one request, asynchronously, and says clearly why it could not.

    engine = open_engine(config.engine)
    await engine.start()
    completion = await engine.complete(Request(prompt="The capital of France is", max_tokens=4))

An engine is given prepared requests (sent.py) and sends what they say. It never waits and never queues: that is the
scheduler's, which needs to see every fault. Four things can come of a request:
    Completion(finish_reason="stop" | "length" | "repetition")
        text, or a trace alone
    Completion(finish_reason="refused")
        this request will never be accepted: too long, content policy, bad schema
    TransportError
        nothing is known of the request; asking again may help
    EngineError
        asking again cannot help any request: wrong key, unknown model, missing file
"""

import enum
from collections.abc import Callable
from typing import Protocol

from nemo_sdg.errors import EngineError
from nemo_sdg.generate.requests import Completion, Request


class Fault(enum.Enum):
    """The kind of fault between a request and its completion."""

    busy = "busy"
    """the server asks for patience (429, 503, 529): the window shrinks, and the request loses none of its retries"""
    timeout = "timeout"
    """no answer in time (408, 504, engine.request_timeout): the window shrinks"""
    connection = "connection"
    """refused, reset or cut off"""
    server = "server"
    """500 and the like"""
    answer = "answer"
    """an answer that is not one: broken JSON, missing fields"""
    oversized = "oversized"
    """a body far longer than what was asked for; the rest of it is not read"""


class TransportError(EngineError):
    """A request that was lost on its way. Never a reason to drop a record."""

    def __init__(self, message: str, fault: Fault = Fault.connection, retry_after: float | None = None) -> None:
        super().__init__(message, fault, retry_after)
        self.fault = fault
        self.retry_after = retry_after
        """seconds that the server asks to wait"""

    def __str__(self) -> str:
        return str(self.args[0])


class Engine(Protocol):
    """One engine for all of a process's requests."""

    name: str
    """llama | openai | trtllm | batch"""
    model: str
    """Identity of the model in keys and samples: a name with a hash of the weights, or a served name; never a path of
    one machine. Known before start().
    """
    adaptive: bool
    """whether the window of requests is to be found out (servers) or is fixed (in process)"""

    notify: Callable[[str], None]
    """takes the lines that a user should read, such as a server that answers under another name"""

    async def start(self) -> None:
        """Loads the model or opens connections; a second call does nothing. Raises EngineError in one line."""
        ...

    async def complete(self, request: Request) -> Completion:
        """Completes one request. Cancelling the call frees the engine of it. Raises TransportError or EngineError."""
        ...

    async def close(self) -> None:
        """Frees what start() took; start() may follow again."""
        ...
