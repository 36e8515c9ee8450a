"""One engine with its window. A request is sent until it is answered: what is lost on the way is sent again, after a
wait that grows from fault to fault, is jittered, and is at least what the server asks for with Retry-After.

A server that refuses a request while it answers others refuses for its rate, or has a bad replica: that request alone
waits, it loses none of its retries, and each answer to another one makes its next wait short again. A server that
answers nobody closes the window (window.py). It is not probed with a request that failed, but with one that it answered
before.

A request that was lost more than engine.max_retries times, or refused for half of engine.give_up_after, is lost for
good if the fault is its own (evidence.py); else its shard stays unfinished, and the next run sends it again. Only those
faults speak against a request between which others were answered: the last request of a run may meet nothing but a
server that is away. Of refusals only those do that come while nothing else is asked: what others send may leave no room
for a large request.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from nemo_sdg.config import EngineSection
from nemo_sdg.errors import EngineError
from nemo_sdg.generate.engines.base import Engine, Fault, TransportError
from nemo_sdg.generate.requests import Completion, Request
from nemo_sdg.generate.scheduling.lanes.evidence import CONTROLS, FAULTY_CONTROLS, LEAST_FAULTS, Evidence
from nemo_sdg.generate.scheduling.lanes.first_replies import FirstReplies
from nemo_sdg.generate.scheduling.lanes.last_replies import LastReplies
from nemo_sdg.generate.scheduling.lanes.window import Window
from nemo_sdg.generate.scheduling.work import OpenShard

REFUSED = "refused"
"""a completion's finish_reason that tells nothing of the model: a gateway says so while the model is away"""
BACKOFF_SECONDS = (0.5, 60.0)
"""first and longest wait before a request is sent again; jittered by half"""
REFUSED_ALONE = 3
"""refusals of one request, while others are answered, for which its wait doubles once"""
MOST_DOUBLINGS = 6
"""of the wait of a refused request, to 16 seconds: a server that refuses everything is held off by the window
"""


PATIENCE = 1 / 2
"""share of engine.give_up_after for which a request may be refused while others are answered, before it is looked into
"""


class GivenUp(Exception):
    """A request that was lost more than engine.max_retries times; the last fault."""


class Lost(GivenUp):
    """It was lost as often while the server answered others, and what it answered before."""


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
    last: LastReplies = field(default_factory=LastReplies)
    doubted: list[tuple[OpenShard, str]] = field(default_factory=list)
    """shard and key of the replies without an answer since the last good one"""
    is_stopped: bool = False
    """whether the run ends for them"""
    num_retrying: int = 0
    """requests that wait to be sent again"""
    last_fault: str = ""
    evidence: Evidence = field(default_factory=Evidence)
    starting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self) -> None:
        async with self.starting:
            if not self.started:
                await self.engine.start()
                self.started = True

    async def send(self, request: Request, key: str, rank: int) -> Completion:
        """Raises Lost, GivenUp, or EngineError when asking again cannot help any request."""
        window, evidence, lost, counted, refused = self.window, self.evidence, 0, 0, True
        beside, alone, num_answered = 0, 0, evidence.num_answered
        look_at = asyncio.get_running_loop().time() + PATIENCE * self.section.give_up_after
        while True:
            began = await window.acquire(rank)
            if window.down and not refused and evidence.answered_before is not None:
                await self._probe(began)
                continue
            try:
                completion = await self.engine.complete(request)
            except TransportError as error:
                fault = error
            except BaseException:
                window.release()
                raise
            else:
                window.succeeded(began)
                if completion.finish_reason != REFUSED:
                    evidence.answered(request, counted, lost - counted)
                return completion
            request.num_lost = lost = lost + 1
            counts, others_answered = window.faulted(fault, began), evidence.num_answered > num_answered
            counted += counts
            refused, num_answered = fault.fault is Fault.busy, evidence.num_answered
            beside += counts and others_answered
            alone = alone + 1 if refused and not others_answered and not window.in_flight else 0
            self.last_fault = str(fault)
            if not self.accepted and (problem := self.first.look_at_fault(fault, window)) is not None:
                raise EngineError(problem)
            if counted > self.section.max_retries:
                return await self._send_beside(request, beside, rank, str(fault))
            if refused and alone >= LEAST_FAULTS and asyncio.get_running_loop().time() > look_at:
                look_at += PATIENCE * self.section.give_up_after
                if await self._is_refused_alone(lost, rank):
                    raise Lost(str(fault))
            self.num_retrying += 1
            self.retrying(1)
            try:
                await asyncio.sleep(self._wait(fault, key, lost))
            finally:
                self.num_retrying -= 1
                self.retrying(-1)

    async def _probe(self, began: float) -> bool:
        """Sends a request that was answered before; whether it is answered again."""
        if self.evidence.answered_before is None:
            self.window.release()
            return False
        try:
            completion = await self.engine.complete(self.evidence.control())
            if completion.finish_reason == REFUSED:
                self.evidence.answered_before = None
                raise TransportError(completion.detail or REFUSED, Fault.server)
        except TransportError as fault:
            self.window.faulted(fault, began)
            self.last_fault = str(fault)
            return False
        except BaseException:
            self.window.release()
            raise
        self.window.succeeded(began)
        return True

    async def _send_beside(self, request: Request, beside: int, rank: int, said: str) -> Completion:
        """Sends a request, which failed `beside` times while others were answered, after others that are answered now.
        Raises Lost where it alone fails, GivenUp where one cannot tell. `said`: its last fault.
        """
        evidence, faulty = self.evidence, 0
        for _ in range(CONTROLS if evidence.answered_before is not None else 0):
            if not await self._probe(await self.window.acquire(rank)):
                faulty += 1
                if faulty > FAULTY_CONTROLS:
                    break
                continue
            evidence.num_answered += 1
            if evidence.is_its_own(beside):
                evidence.num_lost += 1
                raise Lost(said)
            began = await self.window.acquire(rank)
            try:
                completion = await self.engine.complete(request)
            except TransportError as fault:
                request.num_lost += 1
                beside += self.window.faulted(fault, began)
                self.last_fault = said = str(fault)
            except BaseException:
                self.window.release()
                raise
            else:
                self.window.succeeded(began)
                if completion.finish_reason != REFUSED:
                    evidence.answered(request, request.num_lost, 0)
                return completion
        raise GivenUp(said)

    async def _is_refused_alone(self, refusals: int, rank: int) -> bool:
        """Whether a request is refused that often for what it is, and not for the server's load."""
        evidence, faulty = self.evidence, 0
        for _ in range(CONTROLS if evidence.answered_before is not None else 0):
            if not await self._probe(await self.window.acquire(rank)):
                faulty += 1
                if faulty > FAULTY_CONTROLS:
                    return False
                continue
            evidence.num_answered += 1
            if evidence.is_its_own(refusals, refused=True):
                evidence.num_lost += 1
                return True
        return False

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
