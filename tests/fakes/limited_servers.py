"""Servers that refuse, on a clock that jumps to the next event: minutes of a run take milliseconds.

Nothing is sent anywhere: they stand for the engine of a lane.
"""

import asyncio
import random
import selectors
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from nemo_sdg.config import EngineKind, EngineSection
from nemo_sdg.generate.engines.base import Fault, TransportError
from nemo_sdg.generate.requests import Completion, Request
from nemo_sdg.generate.scheduling.lanes.first_replies import FirstReplies
from nemo_sdg.generate.scheduling.lanes.lane import Lane
from nemo_sdg.generate.scheduling.lanes.window import Window

T = TypeVar("T")


class _Jumping(selectors.SelectSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "nothing is left that could happen"
        self.now += max(0.0, timeout)
        return super().select(0)


class _JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.jumping = _Jumping()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.now


def on_a_jumping_clock(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
        return runner.run(work)


class LimitedServer:
    """`refuse(server, now)` says whether a request is refused, in a millisecond; the others are answered after about
    `latency` seconds.
    """

    name = "limited"
    model = "limited"
    adaptive = True

    def __init__(
        self, refuse: Callable[["LimitedServer", float], bool], *, latency: float, retry_after: float | None = None
    ) -> None:
        self.refuse, self.latency, self.retry_after = refuse, latency, retry_after
        self.fault = Fault.busy
        self.in_flight = self.sent = self.accepted = 0
        self.sent_in: Counter[int] = Counter()
        """second of the clock -> requests"""
        self.draws = random.Random(7)

    def notify(self, line: str) -> None: ...

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def complete(self, request: Request) -> Completion:
        now = asyncio.get_running_loop().time()
        self.sent += 1
        self.sent_in[int(now)] += 1
        if self.refuse(self, now):
            await asyncio.sleep(0.001)
            raise TransportError("429", self.fault, self.retry_after)
        self.accepted += 1
        self.in_flight += 1
        await asyncio.sleep(self.latency * self.draws.uniform(0.5, 1.5))
        self.in_flight -= 1
        return Completion(text="fine", finish_reason="stop")


def token_bucket(rate: float, burst: float) -> Callable[[LimitedServer, float], bool]:
    """Refuses what is over `rate` requests/s, after a burst."""
    state = {"tokens": burst, "at": 0.0}

    def refuse(server: LimitedServer, now: float) -> bool:
        state["tokens"] = min(burst, state["tokens"] + (now - state["at"]) * rate)
        state["at"] = now
        if state["tokens"] < 1:
            return True
        state["tokens"] -= 1
        return False

    return refuse


def at_most(concurrent: int) -> Callable[[LimitedServer, float], bool]:
    return lambda server, now: server.in_flight >= concurrent


def scattered(share: float) -> Callable[[LimitedServer, float], bool]:
    """Refuses at random, as a bad replica behind a gateway does."""
    return lambda server, now: server.draws.random() < share


def lane_to(server: LimitedServer, max_in_flight: int) -> Lane:
    section = EngineSection(
        kind=EngineKind.openai, base_urls=["http://none.invalid/v1"], model="limited", max_in_flight=max_in_flight
    )
    window = Window(max_in_flight, adaptive=True, max_retries=8, patience=1800.0, notify=server.notify)
    return Lane(server, section, window, FirstReplies("limited", section), lambda num: None)


async def send_all(lane: Lane, num: int) -> float:
    """Sends `num` requests as the scheduler does, a quarter more than the window holds; returns the seconds."""
    loop = asyncio.get_running_loop()
    begin, room = loop.time(), asyncio.Event()
    open_requests: set[asyncio.Task[Completion]] = set()

    def changed(task: object = None) -> None:
        open_requests.discard(task)  # type: ignore[arg-type]
        room.set()

    lane.retrying = changed  # type: ignore[assignment]
    for number in range(num):
        while len(open_requests) > 1.25 * lane.window.size + lane.num_retrying:
            room.clear()
            await room.wait()
        task = asyncio.create_task(lane.send(Request(prompt=""), f"{number:032x}", number))
        open_requests.add(task)
        task.add_done_callback(changed)
    await asyncio.gather(*open_requests)
    return loop.time() - begin
