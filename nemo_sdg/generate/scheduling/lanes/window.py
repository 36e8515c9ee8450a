"""The slots for requests in flight: who is next, and whether the server answers at all.

For engines in this process their number is fixed; for servers it is learnt (congestion.py). A request that fails at
once leaves its slot to rest for as long as an answer takes. So a window of n never sends more than n requests in the
time of an answer, however fast the server refuses.

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
from nemo_sdg.generate.scheduling.lanes.congestion import Congestion

FAULTS_IN_A_ROW = 20
"""from which a server counts as down. With a third of the requests failing at random, 20 in a row come once in 3
billion
"""
SILENT_ROUND_TRIPS = 2.0
"""without one completion, after which a server that refuses counts as one that refuses everything"""
SILENT_SECONDS = 20.0
"""without one completion, after which a server that only asks for patience is worth a line to the user"""
PAUSE_MADE_UP_FOR = 0.01
"""seconds by which a request may be late and the next one still in time, where they are sent at even distances: a loop
that is busy does not lower the rate
"""
PROBE_SECONDS = (0.5, 30.0)
"""first and longest distance between two probes of a server that is down"""


class Window:
    """Slots for requests. Not thread-safe: it lives in one event loop.

    began = await window.acquire(rank)      then one of
    window.succeeded(began), window.faulted(error, began), window.release()
    """

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
        self.congestion = Congestion(maximum) if adaptive else None
        self.patience = patience
        """seconds that a server's Retry-After may ask for at most"""
        self.in_flight = 0
        self.down = False
        self.last_success: float | None = None
        """loop time of the last completion, or of the first request where there was none yet"""
        self._notify = notify
        self._faults_until_down = max(3, min(FAULTS_IN_A_ROW, max_retries // 2 * maximum))
        self._faults = 0
        """in a row, without a completion between them; so are refusals"""
        self.refusals_in_a_row = 0
        self._down_since = self._probe_at = self._next_at = 0.0
        self._probe_distance = PROBE_SECONDS[0]
        self._resting: list[float] = []
        """heap of the loop times at which slots are free again"""
        self._timer: asyncio.TimerHandle | None = None
        self._notified = False
        self._closed = False
        self._waiting: list[tuple[int, int, asyncio.Future[float]]] = []
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
        if self.down:
            return 1
        return self.maximum if self.congestion is None else max(1, int(self.congestion.limit))

    async def acquire(self, rank: int) -> float:
        """Waits for a slot; the lowest rank goes first. Returns the loop time at which the slot was given."""
        loop = asyncio.get_running_loop()
        if self.last_success is None:
            self.last_success = self._counted_at = loop.time()
        if not self._waiting and self._has_slot() and not self.down and not self._closed and not self._interval():
            return self._take(loop.time())
        future: asyncio.Future[float] = loop.create_future()
        self._ticket += 1
        heapq.heappush(self._waiting, (rank, self._ticket, future))
        self._dispatch(loop.time())
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.release()
            raise

    def _has_slot(self) -> bool:
        return self.in_flight + len(self._resting) < self.size

    def _interval(self) -> float:
        return 0.0 if self.congestion is None else self.congestion.interval

    def _take(self, now: float) -> float:
        self._count(now)
        self.in_flight += 1
        if self.congestion is not None:
            self.congestion.sent(now)
        return now

    def release(self) -> None:
        """Gives a slot back of whose request nothing is known."""
        self._leave(asyncio.get_running_loop().time())

    def _leave(self, now: float) -> None:
        self._count(now)
        self.in_flight -= 1
        if self._waiting:
            self._dispatch(now)

    def _dispatch(self, now: float) -> None:
        while self._resting and self._resting[0] <= now:
            heapq.heappop(self._resting)
        while self._waiting and not self._closed:
            if not self._has_slot():
                if self._resting:
                    self._wake_at(self._resting[0])
                return
            if now < (free_at := self._probe_at if self.down else self._next_at):
                self._wake_at(free_at)
                return
            future = heapq.heappop(self._waiting)[2]
            if not future.done():
                self._take(now)
                self._next_at = max(self._next_at, now - PAUSE_MADE_UP_FOR) + self._interval()
                future.set_result(now)

    def _wake_at(self, when: float) -> None:
        if self._timer is not None:
            if self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(when, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._dispatch(asyncio.get_running_loop().time())

    def succeeded(self, began: float) -> None:
        """A completion came, whatever it says."""
        now = self.last_success = asyncio.get_running_loop().time()
        self._faults = self.refusals_in_a_row = 0
        if self.down:
            self.down = False
            self._probe_distance = PROBE_SECONDS[0]
            if self.congestion is not None:
                self.congestion.start_again(now)
        if self._notified:
            self._notified = False
            self._notify("the engine answers again")
        if self.congestion is not None:
            self.congestion.answered(now - began)
        self._leave(now)

    def faulted(self, error: TransportError, began: float) -> bool:
        """A request was lost. Returns whether it counts against the request's retries."""
        now = asyncio.get_running_loop().time()
        busy = error.fault is Fault.busy
        if self.congestion is not None and error.fault in (Fault.busy, Fault.timeout):
            self.refusals_in_a_row += 1
            self.congestion.refused(began)
        self._faults += not busy
        counts = not busy and not self.down
        if self.down:
            if began >= self._down_since:
                self._probe_distance = min(PROBE_SECONDS[1], self._probe_distance * 2)
                self._probe_at = now + self._until_probe(error)
        elif self._faults >= self._faults_until_down or self._refuses_everything(now):
            self.down, self._down_since = True, now
            self._probe_at = now + self._until_probe(error)
            self._resting.clear()
            if self.congestion is not None and busy:
                self.congestion.refused_all()
        elif self.congestion is not None and began + (self.congestion.round_trip or 0.0) > now:
            heapq.heappush(self._resting, began + (self.congestion.round_trip or 0.0))
        self._tell(error, began, now)
        self._leave(now)
        return counts

    def _refuses_everything(self, now: float) -> bool:
        trip = None if self.congestion is None else self.congestion.round_trip
        silent = trip is None or now - (self.last_success or 0.0) > SILENT_ROUND_TRIPS * trip
        return self.refusals_in_a_row >= FAULTS_IN_A_ROW and silent

    def _tell(self, error: TransportError, began: float, now: float) -> None:
        silent_since = self.last_success if self.last_success is not None else now
        if (self.down or now - silent_since > SILENT_SECONDS) and not self._notified:
            self._notified = True
            # a gateway that ends whatever is silent for a minute is known by the time; a vote's detail must not have it
            after = f" after {now - began:.0f} seconds" if error.fault is Fault.timeout else ""
            self._notify(
                f"the engine does not answer ({error}{after}): paused, everything finished is kept; trying again "
                "until it does (is it up, and engine.base_urls right? Ctrl-C ends the run)"
            )

    def _until_probe(self, error: TransportError) -> float:
        """Seconds until the next probe: jittered, so that workers of one run do not ask together."""
        jitter = random.Random(f"{os.getpid()}:{self._faults + self.refusals_in_a_row}").uniform(0.75, 1.25)
        return max(self._probe_distance * jitter, min(error.retry_after or 0.0, self.patience))

    def _count(self, now: float) -> None:
        since = now - self._counted_at
        self.busy_seconds += since * self.in_flight
        self.open_seconds += since * max(self.in_flight, self.size)
        self._counted_at = now

    def close(self) -> None:
        """No slot is given any more."""
        self._closed = True
