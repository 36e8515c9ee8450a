"""The window of requests in flight: how many there may be, which is next, and whether the server answers at all.

For engines in this process the window is fixed. For servers it adapts as in TCP: it doubles each round trip until the
server first asks for patience, then grows by one each round trip, and is halved (once a round trip) when the server
asks again.

A run of faults without one completion between them means that the server is down or will take nothing for a while, not
that the requests are bad: the window closes to a single probe at a time, further and further apart, and no request
loses a retry for it. The first completion opens it again.
"""

import asyncio
import heapq
import os
import random
from collections.abc import Callable

from nemo_sdg.generate.engines.base import Fault, TransportError

SLOW_START = 32
"""requests in flight at first, towards servers: 500 are reached after 4 round trips"""
FAULTS_IN_A_ROW = 20
"""from which a server counts as down. With a third of the requests failing at random, 20 in a row come once in 3
billion
"""
CUTS_IN_A_ROW = 6
"""halvings of the window without one completion between them, from which a server that asks for patience gets it"""
SILENT_SECONDS = 20.0
"""without one completion, after which a server that only asks for patience is worth a line to the user"""
PROBE_SECONDS = (0.5, 30.0)
"""first and longest distance between two probes of a server that is down"""


class Window:
    """Slots for requests. Not thread-safe: it lives in one event loop."""

    def __init__(
        self,
        maximum: int,
        *,
        adaptive: bool,
        max_retries: int,
        notify: Callable[[str], None],
        patience: float = float("inf"),
    ) -> None:
        self.maximum = maximum
        self.adaptive = adaptive
        self.patience = patience
        """seconds that a server's Retry-After may ask for at most"""
        self.limit: float = min(maximum, SLOW_START) if adaptive else maximum
        self.in_flight = 0
        self.down = False
        self.last_success: float | None = None
        """loop time of the last completion, or of the first request where there was none yet"""
        self._notify = notify
        self._faults_until_down = max(3, min(FAULTS_IN_A_ROW, max_retries // 2 * maximum))
        self._faults = self._cuts = 0
        self._slow_start = adaptive
        self._last_cut = -1.0
        self._probe_at = 0.0
        self._probe_distance = PROBE_SECONDS[0]
        self._timer: asyncio.TimerHandle | None = None
        self._notified = False
        self._closed = False
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._ticket = 0
        self.busy_seconds = 0.0
        """slots in use, over the time since the first request"""
        self.open_seconds = 0.0
        """slots that there were"""
        self._counted_at = 0.0

    @property
    def num_waiting(self) -> int:
        return len(self._waiting)

    @property
    def size(self) -> int:
        """How many requests may be in flight now."""
        return 1 if self.down else max(1, int(self.limit))

    async def acquire(self, rank: int) -> float:
        """Waits for a slot; the lowest rank goes first. Returns the loop time at which the slot was given."""
        loop = asyncio.get_running_loop()
        if self.last_success is None:
            self.last_success = self._counted_at = loop.time()
        if not self._waiting and not self.down and not self._closed and self.in_flight < self.size:
            return self._take(loop.time())
        future = loop.create_future()
        self._ticket += 1
        heapq.heappush(self._waiting, (rank, self._ticket, future))
        self._dispatch()
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.release()
            raise
        return loop.time()

    def _take(self, now: float) -> float:
        self._count(now)
        self.in_flight += 1
        return now

    def release(self) -> None:
        self._count(asyncio.get_running_loop().time())
        self.in_flight -= 1
        if self._waiting:
            self._dispatch()

    def _dispatch(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._waiting and self.in_flight < self.size and not self._closed:
            if self.down and now < self._probe_at:
                self._wake_at(self._probe_at)
                return
            future = heapq.heappop(self._waiting)[2]
            if not future.done():
                self._take(now)
                future.set_result(None)

    def _wake_at(self, when: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(when, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._dispatch()

    def succeeded(self, started: float) -> None:
        """A completion came, whatever it says."""
        self.last_success = asyncio.get_running_loop().time()
        self._faults = self._cuts = 0
        if self.down:
            self.down = False
            self._probe_distance = PROBE_SECONDS[0]
        if self._notified:
            self._notified = False
            self._notify("the engine answers again")
        if self.adaptive and self.limit < self.maximum:
            self.limit = min(self.maximum, self.limit + (1.0 if self._slow_start else 1.0 / self.limit))

    def faulted(self, error: TransportError, started: float) -> bool:
        """A request was lost. Returns whether it counts against the request's retries."""
        now = asyncio.get_running_loop().time()
        if self.adaptive and error.fault in (Fault.busy, Fault.timeout) and started > self._last_cut:
            self.limit, self._last_cut, self._slow_start = max(1.0, self.limit / 2), now, False
            self._cuts += 1
        silent_since = self.last_success if self.last_success is not None else now
        if (self.down or now - silent_since > SILENT_SECONDS) and not self._notified:
            self._notified = True
            self._notify(
                f"the engine does not answer ({error}): paused, everything finished is kept; trying again "
                "until it does (is it up, and engine.base_urls right? Ctrl-C ends the run)"
            )
        self._faults += error.fault is not Fault.busy
        if self.down:
            self._probe_distance = min(PROBE_SECONDS[1], self._probe_distance * 2)
            self._probe_at = now + self._until_probe(error)
            return False
        if self._faults >= self._faults_until_down or self._cuts >= CUTS_IN_A_ROW:
            self.down = True
            self._probe_at = now + self._until_probe(error)
            if self.adaptive:
                self.limit, self._slow_start = min(self.limit, SLOW_START), True
        return error.fault is not Fault.busy

    def _until_probe(self, error: TransportError) -> float:
        """Seconds until the next probe: jittered, so that workers of one run do not ask together."""
        jitter = random.Random(f"{os.getpid()}:{self._faults}").uniform(0.75, 1.25)
        return max(self._probe_distance * jitter, min(error.retry_after or 0.0, self.patience))

    def _count(self, now: float) -> None:
        size, since = self.size, now - self._counted_at
        self.busy_seconds += since * min(self.in_flight, size)
        self.open_seconds += since * size
        self._counted_at = now

    def close(self) -> None:
        """No slot is given any more."""
        self._closed = True
