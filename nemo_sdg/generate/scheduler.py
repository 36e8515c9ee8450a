"""Carries records through flows: one window of requests over all shards, so that the engine never waits for the slowest of one.

    run_flows(shards, flow, engine, Journal(step_dir / "journal"), config.engine, write_shard, progress)

A record is started as soon as the window has room, its shard's journal is asked before the engine is, and a shard is handed over when its
last record is done, in whatever order shards complete. Requests of one record go before those of later records, so that those that share
a prefix run near each other. What the flows see are completions and nothing else:

    a fault in transport    is tried again; beyond max_retries the record is given up and its shard stays unfinished
    a server that is down   pauses the run (window.py), and after engine.give_up_after seconds ends it
    SIGTERM, SIGUSR1        no new request; those in flight have DRAIN_SECONDS to end; Interrupted is raised
    a flow that raises      is a bug and ends the run with that exception

In every case what was finished is in the journal, and the same command goes on from there.
"""

import asyncio
import contextlib
import functools
import logging
import random
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from nemo_sdg.config import EngineSection
from nemo_sdg.errors import EngineError, SdgError
from nemo_sdg.generate.engines.base import Engine, TransportError
from nemo_sdg.generate.journal import Journal, ShardJournal
from nemo_sdg.generate.requests import Ask, Completion, Flow, Outcome, Request
from nemo_sdg.generate.window import Window

log = logging.getLogger(__name__)

DRAIN_SECONDS = 3.0
"""how long requests in flight may still take after SIGTERM or SIGUSR1"""
BACKOFF_SECONDS = (0.5, 60.0)
"""first and longest wait before a request is tried again; jittered by half"""
REFUSED_FROM_THE_START = 32
"""so many requests refused and none accepted: it is the server's or the configuration's fault, not the requests'"""
OPEN_RECORDS = 8
"""records that may be open for each request of the window, where many of them wait to be tried again"""
HELD_OUTCOMES = 20_000
"""finished records waiting for the rest of their shard; with more, no further shard is opened"""


class Interrupted(SdgError):
    """A signal ended the run; everything finished is on disk."""


@dataclass(kw_only=True)
class ShardWork:
    """One shard to be done: its name and its records, read when their turn comes."""

    shard: str
    records: Iterable[dict[str, Any]]


@dataclass(kw_only=True)
class FlowProgress:
    """Plain counters of a running `run_flows`, for a display; `listener` is called in the event loop about once a second and at the end."""

    listener: "Callable[[FlowProgress], None] | None" = None
    notify: Callable[[str], None] = log.warning
    """takes the lines that a user should read while the run goes on, such as a server that is down"""
    records_done: int = 0
    records_open: int = 0
    shards_done: int = 0
    shards_unfinished: int = 0
    """shards with a record that had to be given up"""
    in_flight: int = 0
    window: int = 0
    """requests that may be in flight now"""
    requests_done: int = 0
    """completions by the engine"""
    replayed: int = 0
    """completions out of the journal or the cache"""
    refused: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    saturation: float = 0.0
    """share of the window in use since the first request"""


OnShardDone = Callable[[str, list[Outcome]], None]


def run_flows(
    shards: Iterable[ShardWork],
    flow: Flow,
    engine: Engine,
    journal: Journal,
    config: EngineSection,
    on_shard_done: OnShardDone,
    progress: FlowProgress | None = None,
) -> None:
    """Runs every record of every shard through the flow.

    `on_shard_done(shard, outcomes in input order)` is called once per whole shard, one call at a time, in a thread of its own. The engine
    is started at the first request that the journal does not answer, and closed at the end.

    Raises EngineError when shards had to stay unfinished, Interrupted after a signal, SdgError when the disk fails.
    """
    asyncio.run(_Run(shards, flow, engine, journal, config, on_shard_done, progress or FlowProgress()).run())


@dataclass(eq=False, slots=True)
class _Shard:
    name: str
    journal: ShardJournal
    outcomes: list[Outcome | None] = field(default_factory=list)
    num_open: int = 0
    read: bool = False
    """all its records were started"""
    given_up: str | None = None
    asked: dict[str, "asyncio.Future[None]"] = field(default_factory=dict)
    """keys on their way, so that the same request is not sent twice"""
    refused: list[tuple[str, Completion]] = field(default_factory=list)
    """refusals that wait for the first accepted request before they are believed"""


@dataclass(eq=False, slots=True)
class _Record:
    rank: int
    shard: _Shard
    index: int
    task: "asyncio.Task[Outcome] | None" = None
    outstanding: int = 0
    """requests asked and not yet answered"""


class _Run:
    def __init__(
        self,
        shards: Iterable[ShardWork],
        flow: Flow,
        engine: Engine,
        journal: Journal,
        config: EngineSection,
        on_shard_done: OnShardDone,
        progress: FlowProgress,
    ) -> None:
        self.shards, self.flow, self.engine, self.journal, self.config, self.on_shard_done, self.progress = (
            shards,
            flow,
            engine,
            journal,
            config,
            on_shard_done,
            progress,
        )
        self.window = Window(config.max_in_flight, adaptive=engine.adaptive, max_retries=config.max_retries, notify=progress.notify)
        self.identity = f"{engine.model} guided={config.guided_json} context={config.context_length}"
        """what shapes a completion beside the request; part of every key"""
        self.records: set[_Record] = set()
        self.shards_open: set[_Shard] = set()
        self.handing_over: set[asyncio.Task[None]] = set()
        self.demand = 0
        """requests asked, plus open records that ask nothing right now"""
        self.num_away = 0
        """requests asked that need no slot right now: they wait to be tried again, or for the disk"""
        self.num_held = 0
        self.num_unfinished = self.num_given_up = 0
        self.last_fault = ""
        self.accepted = False
        self.fed = self.stopping = False
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="shards")

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        self.end: asyncio.Future[None] = loop.create_future()
        self.room = asyncio.Event()
        self.starting = asyncio.Lock()
        self.started = False
        feeder = asyncio.create_task(self._feed())
        watch = asyncio.create_task(self._watch())
        feeder.add_done_callback(self._fed)
        try:
            with self._signals(loop):
                try:
                    await self.end
                except Interrupted:
                    await self._drain()
                    raise
        finally:
            self.stopping = True
            tasks = [feeder, watch, *(record.task for record in self.records if record.task)]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(*self.handing_over, return_exceptions=True)
            await self.journal.flush()
            for shard in self.shards_open:
                shard.journal.close()
            self.journal.close()
            if self.started:
                await self.engine.close()
            self.thread.shutdown()
            self._report()
        if self.num_unfinished:
            raise EngineError(
                f"{self.num_unfinished} shards unfinished: {self.num_given_up} records were given up after {self.config.max_retries} retries"
                f" (last: {self.last_fault}); everything else is kept, run the same command again"
            )

    # starting records

    async def _feed(self) -> None:
        rank = 0
        target = max(1, self.config.max_in_flight // 4)
        for work in self.shards:
            while self.num_held > HELD_OUTCOMES and self.shards_open:
                await self._wait_for_room()
            shard = _Shard(work.shard, await asyncio.to_thread(self.journal.open, work.shard))
            self.shards_open.add(shard)
            for index, data in enumerate(work.records):
                while self.demand - self.num_away >= self.window.size + target or len(self.records) >= OPEN_RECORDS * self.config.max_in_flight:
                    await self._wait_for_room()
                record = _Record(rank, shard, index)
                rank += 1
                shard.outcomes.append(None)
                shard.num_open += 1
                self.records.add(record)
                self.demand += 1
                record.task = asyncio.create_task(self._flow(record, data))
                record.task.add_done_callback(functools.partial(self._record_done, record))
                await asyncio.sleep(0)
            shard.read = True
            self._hand_over_if_whole(shard)

    async def _flow(self, record: _Record, data: dict[str, Any]) -> Outcome:
        return await self.flow(data, self._ask_for(record))

    async def _wait_for_room(self) -> None:
        self.room.clear()
        await self.room.wait()

    def _fed(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)
        self.fed = True
        self._end_if_done()

    def _end_if_done(self) -> None:
        if self.fed and not self.records and not self.handing_over and not self.end.done():
            self.end.set_result(None)

    # finishing records and shards

    def _record_done(self, record: _Record, task: "asyncio.Task[Outcome]") -> None:
        self.records.discard(record)
        self.demand -= 1
        self.room.set()
        shard = record.shard
        shard.num_open -= 1
        if task.cancelled():
            if shard.given_up is None and not self.stopping:
                self._fail(RuntimeError(f"the flow of record {record.index} of {shard.name} cancelled itself"))
        elif (error := task.exception()) is not None:
            self._fail(error)
        else:
            self.progress.records_done += 1
            if shard.given_up is None:
                shard.outcomes[record.index] = task.result()
                self.num_held += 1
        self._hand_over_if_whole(shard)
        self._end_if_done()

    def _hand_over_if_whole(self, shard: _Shard) -> None:
        if not shard.read or shard.num_open or shard not in self.shards_open or self.stopping:
            return
        self.shards_open.discard(shard)
        task = asyncio.create_task(self._hand_over(shard))
        self.handing_over.add(task)
        task.add_done_callback(self._handed_over)

    async def _hand_over(self, shard: _Shard) -> None:
        try:
            if shard.given_up is None:
                await self._believe(shard)
                outcomes = [outcome for outcome in shard.outcomes if outcome is not None]
                assert len(outcomes) == len(shard.outcomes), f"{shard.name} has records without an outcome"
                await asyncio.get_running_loop().run_in_executor(self.thread, self.on_shard_done, shard.name, outcomes)
                self.num_held -= len(outcomes)
                self.progress.shards_done += 1
        finally:
            shard.journal.close()

    def _handed_over(self, task: "asyncio.Task[None]") -> None:
        self.handing_over.discard(task)
        self.room.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)
        self._end_if_done()

    # asking

    def _ask_for(self, record: _Record) -> Ask:
        async def ask(request: Request) -> Completion:
            key = request.key(self.identity)
            if (known := record.shard.journal.get(key)) is not None:
                self.progress.replayed += 1
                self.accepted = self.accepted or known.finish_reason != "refused"
                return known
            record.outstanding += 1
            self.demand += record.outstanding > 1
            try:
                return await self._once(record, request, key)
            finally:
                self.demand -= record.outstanding > 1
                record.outstanding -= 1
                self.room.set()

        return ask

    async def _once(self, record: _Record, request: Request, key: str) -> Completion:
        """Sends a request unless the same one is on its way for another record of the shard."""
        shard = record.shard
        while key in shard.asked:
            await asyncio.wait([shard.asked[key]])
            if (known := shard.journal.get(key)) is not None:
                return known
        mine = shard.asked[key] = asyncio.get_running_loop().create_future()
        try:
            return await self._complete(record, request, key)
        except SdgError as error:
            self._fail(error)
            return await _never()
        finally:
            del shard.asked[key]
            mine.set_result(None)

    async def _complete(self, record: _Record, request: Request, key: str) -> Completion:
        shard, retries = record.shard, 0
        if (cached := self.journal.lookup(key)) is not None:
            await shard.journal.add(key, cached, share=False)
            self.progress.replayed += 1
            return cached
        await self._start()
        while True:
            started = await self.window.acquire(record.rank)
            try:
                completion = await self.engine.complete(request)
                self.window.succeeded(started)
                break
            except TransportError as fault:
                counts = self.window.faulted(fault, started)
                wait = fault.retry_after or 0.0
                self.last_fault = str(fault)
            finally:
                self.window.release()
            self.progress.retries += 1
            retries += counts
            if retries > self.config.max_retries:
                self._give_up(record)
                return await _never()
            with self._away():
                await asyncio.sleep(min(self.config.give_up_after, max(wait, _backoff(key, retries))))
        return await self._take(shard, key, completion)

    async def _take(self, shard: _Shard, key: str, completion: Completion) -> Completion:
        self.progress.requests_done += 1
        self.progress.prompt_tokens += completion.prompt_tokens
        self.progress.completion_tokens += completion.completion_tokens
        if completion.finish_reason == "refused":
            self.progress.refused += 1
            if not self.accepted:
                shard.refused.append((key, completion))
                if self.progress.refused >= REFUSED_FROM_THE_START:
                    raise EngineError(f"the engine refused each of the first {self.progress.refused} requests, nothing was dropped for it: {completion.detail}")
                return completion
        else:
            self.accepted = True
        with self._away():
            await shard.journal.add(key, completion, share=completion.finish_reason != "refused")
        return completion

    @contextlib.contextmanager
    def _away(self) -> Iterator[None]:
        self.num_away += 1
        self.room.set()
        try:
            yield
        finally:
            self.num_away -= 1

    async def _believe(self, shard: _Shard) -> None:
        """Puts the early refusals of a shard into the journal, before the shard is written."""
        refused, shard.refused = shard.refused, []
        for key, completion in refused:
            await shard.journal.add(key, completion, share=False)

    async def _start(self) -> None:
        if not self.started:
            async with self.starting:
                if not self.started:
                    await self.engine.start()
                    self.started = True

    def _give_up(self, record: _Record) -> None:
        """Ends one record for a fault in transport; its shard stays unfinished, its other records go on into the journal."""
        shard = record.shard
        self.num_given_up += 1
        if shard.given_up is None:
            shard.given_up = self.last_fault
            self.num_unfinished += 1
            self.progress.shards_unfinished += 1
            self.num_held -= sum(outcome is not None for outcome in shard.outcomes)
            shard.outcomes = [None] * len(shard.outcomes)
        assert record.task is not None
        record.task.cancel()

    # ends

    def _fail(self, error: BaseException) -> None:
        if not self.end.done():
            self.end.set_exception(error)

    def _interrupt(self, name: str) -> None:
        self._fail(Interrupted(f"stopped by {name}; everything finished is kept, run the same command to go on"))

    @contextlib.contextmanager
    def _signals(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1)}
        for number in before:
            loop.add_signal_handler(number, self._interrupt, number.name)
        try:
            yield
        finally:
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)

    async def _drain(self) -> None:
        """Lets requests in flight end, and shards that are whole be written; nothing new is sent."""
        self.window.close()
        deadline = asyncio.get_running_loop().time() + DRAIN_SECONDS
        while self.window.in_flight and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.05)

    async def _watch(self) -> None:
        """Shows the progress, and ends a run in which nothing comes any more."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(1.0, self.config.give_up_after / 4))
            self._report()
            asked = self.window.in_flight or self.window.num_waiting
            if self.started and asked and self.window.last_success is not None and loop.time() - self.window.last_success > self.config.give_up_after:
                self._fail(
                    EngineError(
                        f"no completion for {self.config.give_up_after:g} seconds (engine.give_up_after; last: {self.last_fault or 'no answer'}):"
                        f" {len(self.shards_open)} shards unfinished; everything finished is kept, run the same command again"
                    )
                )

    def _report(self) -> None:
        progress = self.progress
        progress.in_flight, progress.window, progress.records_open, progress.saturation = (
            self.window.in_flight,
            self.window.size,
            len(self.records),
            self.window.saturation,
        )
        if progress.listener is not None:
            progress.listener(progress)


def _backoff(key: str, retries: int) -> float:
    """Doubling waits with jitter; it comes from the key, so that no two requests wait alike."""
    shortest, longest = BACKOFF_SECONDS
    return min(longest, shortest * 2.0 ** max(0, retries - 1)) * random.Random(f"{key}:{retries}").uniform(0.5, 1.5)


async def _never() -> Completion:
    never: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
    return await never
