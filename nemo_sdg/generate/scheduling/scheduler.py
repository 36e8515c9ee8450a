"""Carries records through flows: one window of requests over all shards, so that the engine never waits for the
slowest of one.

    run_flows(shards, flow, engine, Journal(step_dir / "journal"), config.engine, write_shard, progress)

A record is started as soon as the window has room, those with long outputs first within a shard; its shard's journal
is asked before the
engine is, and a shard is handed over when its last record is done, in whatever order shards complete. Requests of one
record go before those
of later records, so that those that share a prefix run near each other. What the flows see are completions and nothing
else:

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
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from nemo_sdg.config import EngineSection
from nemo_sdg.errors import EngineError, SdgError
from nemo_sdg.generate.engines.base import Engine
from nemo_sdg.generate.requests import Flow, Outcome
from nemo_sdg.generate.scheduling.asking import AskCounts, Asker, OpenRecord, OpenShard
from nemo_sdg.generate.scheduling.journal import Journal
from nemo_sdg.generate.scheduling.order import longest_first
from nemo_sdg.generate.scheduling.window import Window

log = logging.getLogger(__name__)

DRAIN_SECONDS = 3.0
"""how long requests in flight may still take after SIGTERM or SIGUSR1"""
OPEN_RECORDS = 8
"""records that may be open for each request of the window, where many of them wait to be tried again"""
HELD_OUTCOMES = 20_000
"""finished records waiting for the rest of their shard; with more, no further shard is opened"""


class Interrupted(SdgError):
    """A signal ended the run; everything finished is on disk."""


@dataclass(kw_only=True)
class ShardWork:
    """One shard to be done: its name and its records, read as a whole when its turn comes."""

    shard: str
    records: Iterable[dict[str, Any]]


@dataclass(kw_only=True, slots=True)
class FlowProgress(AskCounts):
    """Plain counters of a running `run_flows`, for a display; `listener` is called in the event loop about once a
    second and at the end.
    """

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

    `on_shard_done(shard, outcomes in input order)` is called once per whole shard, one call at a time, in a thread of
    its own. The engine
    is started at the first request that the journal does not answer, and closed at the end.

    Raises EngineError when shards had to stay unfinished, Interrupted after a signal, SdgError when the disk fails.
    """

    async def work() -> None:
        await _Run(shards, flow, engine, journal, config, on_shard_done, progress or FlowProgress()).run()

    asyncio.run(work())


class _Run:
    """Made inside of the event loop."""

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
        self.window = Window(
            config.max_in_flight, adaptive=engine.adaptive, max_retries=config.max_retries, notify=progress.notify
        )
        self.asker = Asker(
            engine,
            journal,
            config,
            self.window,
            progress,
            give_up=self._give_up,
            fail=self._fail,
            changed=self._changed,
        )
        self.records: set[OpenRecord] = set()
        self.shards_open: set[OpenShard] = set()
        self.handing_over: set[asyncio.Task[None]] = set()
        self.num_held = self.num_given_up = 0
        self.fed = self.stopping = False
        self.end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.room: asyncio.Future[None] | None = None
        """what the feeder waits for"""
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="shards")

    async def run(self) -> None:
        feeder = asyncio.create_task(self._feed())
        watch = asyncio.create_task(self._watch())
        feeder.add_done_callback(self._fed)
        try:
            with self._signals():
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
            if self.asker.started:
                await self.engine.close()
            self.thread.shutdown()
            self._report()
        if self.progress.shards_unfinished:
            raise EngineError(
                f"{self.progress.shards_unfinished} shards unfinished: {self.num_given_up} records were given up after {self.config.max_retries} retries"
                f" (last: {self.asker.last_fault}); everything else is kept, run the same command again"
            )

    # starting records

    async def _feed(self) -> None:
        rank = 0
        for work in self.shards:
            while self.num_held > HELD_OUTCOMES and self.shards_open:
                await self._wait_for_room()
            shard = OpenShard(work.shard, await asyncio.to_thread(self.journal.open, work.shard))
            self.shards_open.add(shard)
            while not self._has_room():
                await self._wait_for_room()
            records = await asyncio.to_thread(longest_first, work.records)
            shard.outcomes = [None] * len(records)
            for index, data in records:
                while not self._has_room():
                    await self._wait_for_room()
                record = OpenRecord(rank, shard, index)
                rank += 1
                shard.num_open += 1
                self.records.add(record)
                self.asker.demand += 1
                record.task = asyncio.create_task(self._flow(record, data))
                record.task.add_done_callback(functools.partial(self._record_done, record))
                await asyncio.sleep(0)
            shard.read = True
            self._hand_over_if_whole(shard)

    async def _flow(self, record: OpenRecord, data: dict[str, Any]) -> Outcome:
        return await self.flow(data, self.asker.ask_for(record))

    def _has_room(self) -> bool:
        """A quarter more requests are asked for than the window holds, so that the next one is there when a slot comes
        free.
        """
        wanted = self.window.size + max(1, self.config.max_in_flight // 4)
        return (
            self.asker.demand - self.asker.num_away < wanted
            and len(self.records) < OPEN_RECORDS * self.config.max_in_flight
        )

    async def _wait_for_room(self) -> None:
        self.room = asyncio.get_running_loop().create_future()
        await self.room

    def _changed(self) -> None:
        if self.room is not None and not self.room.done() and (self._has_room() or not self.records):
            self.room.set_result(None)

    def _fed(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)
        self.fed = True
        self._end_if_done()

    def _end_if_done(self) -> None:
        if self.fed and not self.records and not self.handing_over and not self.end.done():
            self.end.set_result(None)

    # finishing records and shards

    def _record_done(self, record: OpenRecord, task: "asyncio.Task[Outcome]") -> None:
        self.records.discard(record)
        self.asker.demand -= 1
        shard = record.shard
        shard.num_open -= 1
        if task.cancelled():
            if not shard.given_up and not self.stopping:
                self._fail(RuntimeError(f"the flow of record {record.index} of {shard.name} cancelled itself"))
        elif (error := task.exception()) is not None:
            self._fail(error)
        else:
            self.progress.records_done += 1
            if not shard.given_up:
                shard.outcomes[record.index] = task.result()
                self.num_held += 1
        self._changed()
        self._hand_over_if_whole(shard)
        self._end_if_done()

    def _hand_over_if_whole(self, shard: OpenShard) -> None:
        if not shard.read or shard.num_open or shard not in self.shards_open or self.stopping:
            return
        self.shards_open.discard(shard)
        task = asyncio.create_task(self._hand_over(shard))
        self.handing_over.add(task)
        task.add_done_callback(self._handed_over)

    async def _hand_over(self, shard: OpenShard) -> None:
        try:
            if not shard.given_up:
                await self.asker.believe_refusals(shard)
                outcomes = [outcome for outcome in shard.outcomes if outcome is not None]
                assert len(outcomes) == len(shard.outcomes), f"{shard.name} has records without an outcome"
                await asyncio.get_running_loop().run_in_executor(self.thread, self.on_shard_done, shard.name, outcomes)
                self.num_held -= len(outcomes)
                self.progress.shards_done += 1
        finally:
            shard.journal.close()

    def _handed_over(self, task: "asyncio.Task[None]") -> None:
        self.handing_over.discard(task)
        self._changed()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)
        self._end_if_done()

    def _give_up(self, record: OpenRecord, fault: str) -> None:
        """Ends one record for a fault in transport; its shard stays unfinished, its other records go on into the
        journal.
        """
        shard = record.shard
        self.num_given_up += 1
        if not shard.given_up:
            shard.given_up = True
            self.progress.shards_unfinished += 1
            self.num_held -= sum(outcome is not None for outcome in shard.outcomes)
            shard.outcomes = [None] * len(shard.outcomes)
            self.progress.notify(
                f"{shard.name} stays unfinished this time: a request was lost {self.config.max_retries + 1} times ({fault})"
            )
        assert record.task is not None
        record.task.cancel()

    # ends

    def _fail(self, error: BaseException) -> None:
        if not self.end.done():
            self.end.set_exception(error)

    def _interrupt(self, name: str) -> None:
        self._fail(Interrupted(f"stopped by {name}; everything finished is kept, run the same command to go on"))

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
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
        limit, loop = self.config.give_up_after, asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(1.0, limit / 4))
            self._report()
            asked = self.window.in_flight or self.window.num_waiting
            if asked and self.window.last_success is not None and loop.time() - self.window.last_success > limit:
                self._fail(
                    EngineError(
                        f"no completion for {limit:g} seconds (engine.give_up_after; last: {self.asker.last_fault or 'no answer'}):"
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
