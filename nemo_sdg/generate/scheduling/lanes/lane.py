"""One engine with its window. A request is sent until it is answered: what is lost on the way is sent again, after a
wait that grows from fault to fault, is jittered, and is at least what the server asks for with Retry-After.

A server that refuses a request while it answers others refuses for its rate, or has a bad replica: that request alone
waits, it loses none of its retries, and each answer to another one makes its next wait short again. A server that
answers nobody closes the window (window.py).
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from nemo_sdg.config import EngineSection
from nemo_sdg.generate.engines.base import Engine, Fault, TransportError
from nemo_sdg.generate.requests import Completion, Request
from nemo_sdg.generate.scheduling.lanes.first_replies import FirstReplies
from nemo_sdg.generate.scheduling.lanes.window import Window

BACKOFF_SECONDS = (0.5, 60.0)
"""first and longest wait before a request is sent again; jittered by half"""
REFUSED_ALONE = 3
"""refusals of one request, while others are answered, for which its wait doubles once"""
MOST_DOUBLINGS = 6
"""of the wait of a refused request, to 16 seconds: a server that refuses everything is held off by the window
"""


class GivenUp(Exception):
    """A request that was lost more than engine.max_retries times; the last fault."""


@dataclass(eq=False, slots=True)
class Lane:
    """One engine, with its window."""

    engine: Engine
    section: EngineSection
    window: Window
    first: FirstReplies
    retrying: Callable[[int], None]
    """called with 1 when a request begins to wait before it is sent again, and with -1 when it has waited"""
    started: bool = False
    accepted: bool = False
    """whether the engine took any request yet"""
    num_retrying: int = 0
    """requests that wait to be sent again"""
    last_fault: str = ""
    starting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self) -> None:
        async with self.starting:
            if not self.started:
                await self.engine.start()
                self.started = True

    async def send(self, request: Request, key: str, rank: int) -> Completion:
        """Raises GivenUp, or EngineError when asking again cannot help any request."""
        window, lost, counted = self.window, 0, 0
        while True:
            began = await window.acquire(rank)
            try:
                completion = await self.engine.complete(request)
            except TransportError as error:
                fault = error
            except BaseException:
                window.release()
                raise
            else:
                window.succeeded(began)
                return completion
            lost += 1
            counted += window.faulted(fault, began)
            self.last_fault = str(fault)
            if counted > self.section.max_retries:
                raise GivenUp(self.last_fault)
            self.num_retrying += 1
            self.retrying(1)
            try:
                await asyncio.sleep(self._wait(fault, key, lost))
            finally:
                self.num_retrying -= 1
                self.retrying(-1)

    def _wait(self, fault: TransportError, key: str, lost: int) -> float:
        """Seconds until a request that was lost `lost` times is sent again."""
        if fault.fault is Fault.busy:
            lost = min(MOST_DOUBLINGS, max(min(lost, self.window.refusals_in_a_row), lost // REFUSED_ALONE))
        return min(self.section.give_up_after, max(fault.retry_after or 0.0, backoff(key, lost)))

    def silent(self, now: float) -> str | None:
        """The last fault of an engine that is asked and has given nothing for engine.give_up_after seconds."""
        window = self.window
        asked = window.in_flight or window.num_waiting or self.num_retrying
        if asked and window.last_success is not None and now - window.last_success > self.section.give_up_after:
            return self.last_fault or "no answer"
        return None


def backoff(key: str, lost: int) -> float:
    """Doubling waits with jitter; it comes from the key, so that no two requests wait alike."""
    shortest, longest = BACKOFF_SECONDS
    return min(longest, shortest * 2.0 ** max(0, lost - 1)) * random.Random(f"{key}:{lost}").uniform(0.5, 1.5)
