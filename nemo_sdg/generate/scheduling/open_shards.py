"""The shards that are being worked on: their outcomes are collected, and each is handed over when it is whole.

A shard with a record that was given up stays unfinished: its other records go on into the journal, and their outcomes
are not kept.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from nemo_sdg.generate.requests import Outcome
from nemo_sdg.generate.scheduling.asking import Asker
from nemo_sdg.generate.scheduling.work import FlowProgress, OnShardDone, OnTraces, OpenRecord, OpenShard, traces_of


class OpenShards:
    """`settled(error)` is called when a shard was handed over, or could not be."""

    def __init__(
        self,
        asker: Asker,
        on_shard_done: OnShardDone,
        on_traces: OnTraces | None,
        progress: FlowProgress,
        settled: Callable[[BaseException | None], None],
    ) -> None:
        self.asker, self.progress, self.settled = asker, progress, settled
        self.on_shard_done, self.on_traces = on_shard_done, on_traces
        self.open: set[OpenShard] = set()
        self.handing_over: set[asyncio.Task[None]] = set()
        self.num_held = 0
        """finished records that wait for the rest of their shard"""
        self.num_given_up = 0
        self.stopping = False
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="shards")

    def keep(self, record: OpenRecord, outcome: Outcome) -> None:
        if not record.shard.given_up:
            record.shard.outcomes[record.index] = outcome
            self.num_held += 1

    def give_up(self, record: OpenRecord, fault: str) -> None:
        """Ends one record for a fault in transport."""
        shard = record.shard
        self.num_given_up += 1
        if not shard.given_up:
            shard.given_up = True
            self.progress.shards_unfinished += 1
            self.num_held -= sum(outcome is not None for outcome in shard.outcomes)
            shard.outcomes = [None] * len(shard.outcomes)
            self.progress.notify(
                f"{shard.name} stays unfinished this time: a request was lost more than engine.max_retries times "
                f"({fault})"
            )
        assert record.task is not None
        record.task.cancel()

    def hand_over_if_whole(self, shard: OpenShard) -> None:
        waits = not shard.read or shard.num_open or shard.num_doubted
        if waits or shard not in self.open or self.stopping:
            return
        self.open.discard(shard)
        task = asyncio.create_task(self._hand_over(shard))
        self.handing_over.add(task)
        task.add_done_callback(self._handed_over)

    async def _hand_over(self, shard: OpenShard) -> None:
        try:
            if not shard.given_up:
                await self.asker.believe_refusals(shard)
                outcomes = [outcome for outcome in shard.outcomes if outcome is not None]
                assert len(outcomes) == len(shard.outcomes), f"{shard.name} has records without an outcome"
                if shard.lost:
                    self.progress.lost_in[shard.name] = shard.lost
                await asyncio.get_running_loop().run_in_executor(self.thread, self._write, shard, outcomes)
                await shard.journal.compress()
                self.num_held -= len(outcomes)
                self.progress.shards_done += 1
        finally:
            shard.journal.close()

    def _write(self, shard: OpenShard, outcomes: list[Outcome]) -> None:
        if self.on_traces is not None:
            self.on_traces(shard.name, traces_of(shard))
        self.on_shard_done(shard.name, outcomes)

    def _handed_over(self, task: "asyncio.Task[None]") -> None:
        self.handing_over.discard(task)
        self.settled(None if task.cancelled() else task.exception())

    async def close(self) -> None:
        """Lets what is being written end; the other shards stay unfinished."""
        self.stopping = True
        await asyncio.gather(*self.handing_over, return_exceptions=True)

    def close_journals(self) -> None:
        for shard in self.open:
            shard.journal.close()
        self.thread.shutdown()
