"""What stands behind a flow's `ask`: journal, cache, window, engine, retries. A flow gets a completion, or is ended
from outside.

journal, then cache     a completion that was paid for is never paid for again
window                  a slot, by the record's rank
engine                  faults in transport are tried again, with growing and jittered waits that honour Retry-After
journal                 the completion is on disk before the flow sees it
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from nemo_sdg.config import EngineSection, fingerprint
from nemo_sdg.errors import EngineError, SdgError
from nemo_sdg.generate.engines.base import Engine, TransportError
from nemo_sdg.generate.requests import Ask, Completion, Outcome, Request
from nemo_sdg.generate.scheduling.journal import Journal, ShardJournal
from nemo_sdg.generate.scheduling.window import Window

BACKOFF_SECONDS = (0.5, 60.0)
"""first and longest wait before a request is tried again; jittered by half"""
REFUSED_FROM_THE_START = 32
"""so many requests refused and none accepted: it is the server's or the configuration's fault, not the requests'"""


@dataclass(kw_only=True, slots=True)
class AskCounts:
    """Plain counters of what was asked."""

    requests_done: int = 0
    """completions by the engine"""
    replayed: int = 0
    """completions out of the journal or the cache"""
    refused: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(eq=False, slots=True)
class OpenShard:
    """A shard whose records are being worked on."""

    name: str
    journal: ShardJournal
    outcomes: list[Outcome | None] = field(default_factory=list)
    num_open: int = 0
    read: bool = False
    """all its records were started"""
    given_up: bool = False
    asked: "dict[str, asyncio.Future[None] | None]" = field(default_factory=dict)
    """keys on their way, so that the same request is not sent twice; a future where another record waits for it"""
    refused: list[tuple[str, Completion]] = field(default_factory=list)
    """refusals that wait for the first accepted request before they are believed"""


@dataclass(eq=False, slots=True)
class OpenRecord:
    """A record whose flow runs."""

    rank: int
    shard: OpenShard
    index: int
    task: "asyncio.Task[Outcome] | None" = None
    outstanding: int = 0
    """requests asked and not yet answered"""


def completion_identity(model: str, config: EngineSection) -> str:
    """What shapes a completion beside the request; part of every key."""
    options = f" options={fingerprint(config.options)}" if config.options else ""
    return f"{model} guided={config.guided_json} context={config.context_length}{options}"


class Asker:
    """`give_up(record, fault)` ends a record whose request was lost for good, `fail(error)` ends the run, `changed()`
    says that there may be room.
    """

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        config: EngineSection,
        window: Window,
        counts: AskCounts,
        *,
        give_up: Callable[[OpenRecord, str], None],
        fail: Callable[[BaseException], None],
        changed: Callable[[], None],
    ) -> None:
        self.engine, self.journal, self.config, self.window, self.counts = engine, journal, config, window, counts
        self.give_up, self.fail, self.changed = give_up, fail, changed
        self.identity = completion_identity(engine.model, config)
        self.demand = 0
        """requests asked, plus open records that ask nothing right now"""
        self.num_away = 0
        """requests asked that need no slot right now: they wait to be tried again, or for the disk"""
        self.accepted = False
        """whether the engine took any request yet"""
        self.started = False
        self.last_fault = ""
        self._starting = asyncio.Lock()

    def ask_for(self, record: OpenRecord) -> Ask:
        """The `ask` that a record's flow is given."""

        async def ask(request: Request) -> Completion:
            key = request.key(self.identity)
            if (known := record.shard.journal.get(key)) is not None:
                self.counts.replayed += 1
                self.accepted = self.accepted or known.finish_reason != "refused"
                return known
            record.outstanding += 1
            self.demand += record.outstanding > 1
            try:
                return await self._once(record, request, key)
            finally:
                self.demand -= record.outstanding > 1
                record.outstanding -= 1
                self.changed()

        return ask

    async def _once(self, record: OpenRecord, request: Request, key: str) -> Completion:
        """Sends a request unless the same one is on its way for another record of the shard."""
        shard = record.shard
        while key in shard.asked:
            waiting = shard.asked[key] = shard.asked[key] or asyncio.get_running_loop().create_future()
            await asyncio.wait([waiting])
            if (known := shard.journal.get(key)) is not None:
                return known
        shard.asked[key] = None
        try:
            return await self._complete(record, request, key)
        except SdgError as error:
            self.fail(error)
            return await _never()
        finally:
            if (others := shard.asked.pop(key)) is not None:
                others.set_result(None)

    async def _complete(self, record: OpenRecord, request: Request, key: str) -> Completion:
        if (cached := self.journal.lookup(key)) is not None:
            self.counts.replayed += 1
            await self._write(record.shard, key, cached, share=False)
            return cached
        if not self.started:
            await self._start()
        retries = 0
        while True:
            began = await self.window.acquire(record.rank)
            try:
                completion = await self.engine.complete(request)
                self.window.succeeded(began)
                break
            except TransportError as error:
                fault = error
                retries += self.window.faulted(error, began)
            finally:
                self.window.release()
            self.last_fault = str(fault)
            self.counts.retries += 1
            if retries > self.config.max_retries:
                self.give_up(record, self.last_fault)
                return await _never()
            with self._away():
                await asyncio.sleep(
                    min(self.config.give_up_after, max(fault.retry_after or 0.0, backoff(key, retries)))
                )
        return await self._take(record.shard, key, completion)

    async def _take(self, shard: OpenShard, key: str, completion: Completion) -> Completion:
        counts = self.counts
        counts.requests_done += 1
        counts.prompt_tokens += completion.prompt_tokens
        counts.completion_tokens += completion.completion_tokens
        if completion.finish_reason != "refused":
            self.accepted = True
            await self._write(shard, key, completion)
            return completion
        counts.refused += 1
        if self.accepted:
            await self._write(shard, key, completion, share=False)
            return completion
        shard.refused.append((key, completion))
        if counts.refused >= REFUSED_FROM_THE_START:
            raise EngineError(
                f"the engine refused each of the first {counts.refused} requests, and no record was dropped "
                f"for it: {completion.detail}"
            )
        return completion

    async def believe_refusals(self, shard: OpenShard) -> None:
        """Puts the early refusals of a shard into the journal, before the shard is written."""
        refused, shard.refused = shard.refused, []
        for key, completion in refused:
            await shard.journal.add(key, completion, share=False)

    async def _write(self, shard: OpenShard, key: str, completion: Completion, *, share: bool = True) -> None:
        with self._away():
            await shard.journal.add(key, completion, share=share)

    @contextlib.contextmanager
    def _away(self) -> Iterator[None]:
        self.num_away += 1
        self.changed()
        try:
            yield
        finally:
            self.num_away -= 1

    async def _start(self) -> None:
        async with self._starting:
            if not self.started:
                await self.engine.start()
                self.started = True


def backoff(key: str, retries: int) -> float:
    """Doubling waits with jitter; it comes from the key, so that no two requests wait alike."""
    shortest, longest = BACKOFF_SECONDS
    return min(longest, shortest * 2.0 ** max(0, retries - 1)) * random.Random(f"{key}:{retries}").uniform(0.5, 1.5)


async def _never() -> Completion:
    never: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
    return await never
