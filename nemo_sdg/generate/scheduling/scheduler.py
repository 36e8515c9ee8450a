"""Runs the flows of all records. One window of requests goes over all shards, so that the engine never waits for the
slowest request of one shard.

    run_flows(shards, flow, open_roles(config, Role.solver), Journal(step_dir / "journal"), write_shard, progress)

A record is started as soon as the window has room, those with long outputs first within a shard; its shard's journal is
asked before the engine is, and a shard is handed over when its last record is done, in whatever order shards complete.
Requests of one record go before those of later records, so that those that share a prefix run near each other. What the
flows see are completions and nothing else:

    a fault in transport    is tried again; beyond max_retries the request is lost if the fault is its own, else the
                            record is given up and its shard stays unfinished (lanes/evidence.py)
    a server that is down   pauses the run (window.py), and after engine.give_up_after seconds ends it
    SIGTERM, SIGUSR1        no new request; those in flight have some seconds to end; Interrupted is raised
    a flow that raises      is a bug and ends the run with that exception

In every case what was finished is in the journal, and the same command goes on from there.
"""

import asyncio
import functools
import gc
from collections.abc import Iterable
from typing import Any

from nemo_sdg.errors import EngineError
from nemo_sdg.generate.requests import Flow, Outcome
from nemo_sdg.generate.roles import RoleEngines
from nemo_sdg.generate.scheduling.asking import Asker
from nemo_sdg.generate.scheduling.journal import Journal
from nemo_sdg.generate.scheduling.open_shards import OpenShards
from nemo_sdg.generate.scheduling.order import longest_first
from nemo_sdg.generate.scheduling.time_limit import DRAIN_SECONDS, TimeLimit, drain_seconds
from nemo_sdg.generate.scheduling.work import (
    FlowProgress,
    Interrupted,
    OnShardDone,
    OnTraces,
    OpenRecord,
    OpenShard,
    ShardWork,
    on_signals,
    record_id,
)

OPEN_RECORDS = 8
"""records that may be open for each request of the window, where many of them wait to be tried again"""
COLLECT_AFTER = 50_000
"""threshold of the garbage collector's youngest generation: about 500 completions. At Python's 700 most objects are
still in use, which costs 60 µs per completion instead of 20
"""
HELD_OUTCOMES = 20_000
"""finished records waiting for the rest of their shard; with more, no further shard is opened"""


def run_flows(
    shards: Iterable[ShardWork],
    flow: Flow,
    engines: RoleEngines,
    journal: Journal,
    on_shard_done: OnShardDone,
    progress: FlowProgress | None = None,
    *,
    on_traces: OnTraces | None = None,
) -> None:
    """Runs every record of every shard through the flow.

    `on_shard_done(shard, outcomes in input order)` is called once per whole shard, one call at a time, in a thread of
    its own. Before it, `on_traces(shard, traces)` is given the traces that the shard's completions have, one at a time,
    in the order of the records. An engine is started at the first request that the journal does not answer, and closed
    at the end.

    Raises EngineError when shards had to stay unfinished, Interrupted after a signal, SdgError when the disk fails.
    """

    async def work() -> None:
        await _Run(shards, flow, engines, journal, on_shard_done, on_traces, progress or FlowProgress()).run()

    # What is there already, modules and prompts, is not looked through at each collection: 12 to 18% of the CPU time.
    # What earlier steps left in cycles is freed before; it would be held to the end.
    gc.collect()
    gc.freeze()
    thresholds = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER, *thresholds[1:])
    try:
        asyncio.run(work())
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


class _Run:
    """Made inside of the event loop."""

    def __init__(
        self,
        shards: Iterable[ShardWork],
        flow: Flow,
        engines: RoleEngines,
        journal: Journal,
        on_shard_done: OnShardDone,
        on_traces: OnTraces | None,
        progress: FlowProgress,
    ) -> None:
        self.work, self.flow, self.journal, self.progress = shards, flow, journal, progress
        self.asker = Asker(
            engines,
            journal,
            progress,
            notify=progress.notify,
            give_up=lambda record, fault: self.shards.give_up(record, fault),
            believed=lambda shard: self.shards.hand_over_if_whole(shard),
            fail=self._fail,
            changed=self._changed,
        )
        self.lanes = self.asker.lanes
        self.shards = OpenShards(self.asker, on_shard_done, on_traces, progress, self._settled)
        self.max_in_flight = sum(lane.section.max_in_flight for lane in self.lanes)
        self.records: set[OpenRecord] = set()
        self.drain_seconds = DRAIN_SECONDS
        self.time_limit = TimeLimit()
        self.fed = False
        self.end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.room: asyncio.Future[None] | None = None
        """what the feeder waits for"""

    async def run(self) -> None:
        feeder = asyncio.create_task(self._feed())
        watch = asyncio.create_task(self._watch())
        feeder.add_done_callback(self._fed)
        try:
            with on_signals(self._interrupt):
                try:
                    await self.end
                except Interrupted:
                    await self._drain()
                    raise
        finally:
            self.shards.stopping = True
            tasks = [feeder, watch, *(record.task for record in self.records if record.task)]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.shards.close()
            await self.journal.flush()
            await self.asker.take_back()
            self.shards.close_journals()
            self.journal.close()
            for lane in self.lanes:
                if lane.started:
                    await lane.engine.close()
            self._report()
        for remark in self.asker.remarks():
            self.progress.notify(remark)
        if unfinished := self.progress.shards_unfinished:
            raise EngineError(
                f"{unfinished} shards unfinished: {self.shards.num_given_up} records were given up after "
                f"engine.max_retries (last: {self.asker.last_fault}); everything else is kept, "
                "run the same command again"
            )

    # starting records

    async def _feed(self) -> None:
        rank = 0
        for work in self.work:
            while self.shards.num_held > HELD_OUTCOMES and self.records:
                await self._wait_for_room()
            shard = OpenShard(work.shard, await asyncio.to_thread(self.journal.open, work.shard))
            self.shards.open.add(shard)
            while not self._has_room():
                await self._wait_for_room()
            records = await asyncio.to_thread(longest_first, work.records)
            shard.outcomes = [None] * len(records)
            for index, data in records:
                while not self._has_room():
                    await self._wait_for_room()
                record = OpenRecord(rank, shard, index, data.get("task") or "")
                shard.ids[index] = record_id(data)
                rank += 1
                shard.num_open += 1
                self.records.add(record)
                self.asker.demand += 1
                record.task = asyncio.create_task(self._flow(record, data))
                record.task.add_done_callback(functools.partial(self._record_done, record))
                await asyncio.sleep(0)
            shard.read = True
            self.shards.hand_over_if_whole(shard)

    async def _flow(self, record: OpenRecord, data: dict[str, Any]) -> Outcome:
        return await self.flow(data, self.asker.ask_for(record))

    def _has_room(self) -> bool:
        """A quarter more requests are asked for than the window holds, so that the next one is there when a slot comes
        free.
        """
        room = self.asker.num_away - self.asker.demand + max(1, self.max_in_flight // 4)
        for lane in self.lanes:
            room += lane.window.size
        return room > 0 and len(self.records) < OPEN_RECORDS * self.max_in_flight

    async def _wait_for_room(self) -> None:
        self.room = asyncio.get_running_loop().create_future()
        await self.room

    def _changed(self) -> None:
        room = self.room
        if room is not None and not room.done() and (self._has_room() or not self.records):
            room.set_result(None)

    def _fed(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)
        self.fed = True
        self._end_if_done()

    def _end_if_done(self) -> None:
        if self.fed and not self.records and not self.end.done():
            self.asker.believe_all()
            if not self.shards.handing_over:
                self.end.set_result(None)

    # finishing records

    def _record_done(self, record: OpenRecord, task: "asyncio.Task[Outcome]") -> None:
        self.records.discard(record)
        self.asker.demand -= 1
        shard = record.shard
        shard.num_open -= 1
        if task.cancelled():
            if not shard.given_up and not self.shards.stopping:
                self._fail(RuntimeError(f"the flow of record {record.index} of {shard.name} cancelled itself"))
        elif (error := task.exception()) is not None:
            self._fail(error)
        else:
            self.progress.records_done += 1
            self.shards.keep(record, task.result())
        self._changed()
        self.shards.hand_over_if_whole(shard)
        self._end_if_done()

    def _settled(self, error: BaseException | None) -> None:
        """A shard was handed over."""
        self._changed()
        if error is not None:
            self._fail(error)
        self._end_if_done()

    # ends

    def _fail(self, error: BaseException) -> None:
        if not self.end.done():
            self.end.set_exception(error)
            for lane in self.lanes:
                lane.window.close()

    def _interrupt(self, name: str) -> None:
        if not self.end.done():
            self.drain_seconds = drain_seconds(name)
            self.time_limit.warned(name)
            self.time_limit.note(self.asker.counts.requests_done)
        self._fail(Interrupted(f"stopped by {name}; everything finished is kept, run the same command to go on"))

    async def _drain(self) -> None:
        """Lets requests in flight end, and shards that are whole be written; nothing new is sent."""
        for lane in self.lanes:
            lane.window.close()
        deadline = asyncio.get_running_loop().time() + self.drain_seconds
        while any(lane.window.in_flight for lane in self.lanes) and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.05)
        self.time_limit.note(self.asker.counts.requests_done)

    async def _watch(self) -> None:
        """Shows the progress, and ends a run in which an engine that is asked gives nothing any more."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(1.0, min(lane.section.give_up_after for lane in self.lanes) / 4))
            self._report()
            if (error := self.asker.silent(loop.time())) is not None:
                self._fail(error)

    def _report(self) -> None:
        progress, windows = self.progress, [lane.window for lane in self.lanes]
        progress.in_flight = sum(window.in_flight for window in windows)
        progress.window = sum(window.size for window in windows)
        progress.records_open = len(self.records)
        open_seconds = sum(window.open_seconds for window in windows)
        progress.saturation = sum(window.busy_seconds for window in windows) / open_seconds if open_seconds else 0.0
        if progress.listener is not None:
            progress.listener(progress)
