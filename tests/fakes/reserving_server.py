"""Servers that decode many replies at once in a bounded memory, on the clock of limited_servers.py: hours take seconds.

A step of the decoder takes BASE_SECONDS and a little for each reply that is being made, and adds a token to each. A
request waits until its memory is free: prompt and max_tokens where the server reserves (TensorRT-LLM's
GUARANTEED_NO_EVICT), else a place among `most` (a server that reserves nothing). It stands only for servers that need a
GPU.
"""

import asyncio
import math
import random
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from limited_servers import on_a_jumping_clock

from nemo_sdg.config import EngineKind, EngineSection
from nemo_sdg.config.engine import OutputLimit
from nemo_sdg.generate.requests import Completion, Request
from nemo_sdg.generate.scheduling.lanes.first_replies import FirstReplies
from nemo_sdg.generate.scheduling.lanes.lane import Lane
from nemo_sdg.generate.scheduling.lanes.output_limits import OutputLimits
from nemo_sdg.generate.scheduling.lanes.window import Window
from nemo_sdg.generate.scheduling.work import AskCounts

BASE_SECONDS, SECONDS_A_REPLY = 0.010, 0.00005
PROMPT = 500
RUNAWAYS = 0.01
"""share of the replies that never end"""
MEDIANS, SIGMA = (200, 400, 800, 1600, 3200), 0.6
"""tokens of the others, log-normal, by task"""
RECORDS = 40
"""requests of a task, one after another, before those of the next"""
MAX_TOKENS = 24_576


def task_of(number: int) -> int:
    return number // RECORDS % len(MEDIANS)


def length_of(number: int) -> float:
    draw = random.Random(number)
    if draw.random() < RUNAWAYS:
        return math.inf
    return math.ceil(draw.lognormvariate(math.log(MEDIANS[task_of(number)]), SIGMA))


class DecodingServer:
    """`memory`: tokens that can be reserved; inf where nothing is reserved."""

    name = model = "decoding"
    adaptive = False

    def __init__(self, *, memory: float, most: int) -> None:
        self.memory, self.most = memory, most
        self.waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self.running: dict[asyncio.Future[None], float] = {}
        """the end of each reply that is being made -> the step in which it comes"""
        self.step = self.at = 0.0
        self.tokens = 0
        self.timer: asyncio.TimerHandle | None = None

    def notify(self, line: str) -> None: ...

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def complete(self, request: Request) -> Completion:
        loop, wanted, length = asyncio.get_running_loop(), request.max_tokens, length_of(int(request.prompt or ""))
        made = int(min(length, wanted))
        turn: asyncio.Future[None] = loop.create_future()
        self.waiting.append((PROMPT + wanted, turn))
        self._go_on()
        await turn
        ended: asyncio.Future[None] = loop.create_future()
        self.running[ended] = self.step + made
        self._go_on()
        await ended
        self.tokens += made
        self.memory += PROMPT + wanted
        self._go_on()
        reason = "stop" if length <= wanted else "length"
        return Completion(text="fine", finish_reason=reason, prompt_tokens=PROMPT, completion_tokens=made)

    def _seconds_a_step(self) -> float:
        return BASE_SECONDS + SECONDS_A_REPLY * len(self.running)

    def _go_on(self) -> None:
        """Brings the steps up to the clock, lets in what there is room for, and waits for the next end."""
        now = asyncio.get_running_loop().time()
        self.step, self.at = self.step + (now - self.at) / self._seconds_a_step(), now
        for ended in [ended for ended, step in self.running.items() if step <= self.step + 1e-6]:
            del self.running[ended]
            ended.set_result(None)
        admitted = 0
        while self.waiting and self.waiting[0][0] <= self.memory and len(self.running) + admitted < self.most:
            reserved, turn = self.waiting.popleft()
            self.memory -= reserved
            turn.set_result(None)
            admitted += 1
        if self.timer is not None:
            self.timer.cancel()
        if self.running:
            left = min(self.running.values()) - self.step
            self.timer = asyncio.get_running_loop().call_later(left * self._seconds_a_step(), self._go_on)


@dataclass(kw_only=True)
class Simulated:
    seconds: float
    """until the last reply"""
    tokens: int
    """that the server made"""
    counts: AskCounts


def simulate(limit: OutputLimit, *, memory: float, most: int, num: int, max_in_flight: int) -> Simulated:
    """Sends `num` requests as the scheduler does, a quarter more than the window holds."""
    server, counts = DecodingServer(memory=memory, most=most), AskCounts()

    async def work() -> float:
        section = EngineSection(
            kind=EngineKind.openai, base_urls=["http://none.invalid/v1"], model=server.model, output_limit=limit
        )
        window = Window(max_in_flight, adaptive=False, max_retries=8, notify=server.notify)
        lane, limits = Lane(server, section, window, FirstReplies("", section), lambda num: None), OutputLimits(counts)
        room = asyncio.Semaphore(max_in_flight + max_in_flight // 4)

        async def send(number: int) -> None:
            request, key = Request(prompt=str(number), max_tokens=MAX_TOKENS), f"{number:032x}"
            async with room:
                await limits.send(lane, request, key, number, f"task {task_of(number)}")

        await asyncio.gather(*map(send, range(num)))
        return asyncio.get_running_loop().time()

    seconds = on_a_jumping_clock(work())
    return Simulated(seconds=seconds, tokens=server.tokens, counts=counts)
