"""Implements a flow's `ask`: journal, cache, engine. A flow gets a completion, or is cancelled.

journal, then cache     a completion that was paid for is never paid for again
lane                    a slot in the window of the role's engine, and retries (lanes/lane.py)
journal                 the completion is on disk before the flow sees it

Replies that hold no answer are on disk too, but in doubt until a good one comes: their shards are not written yet, and
when the run is stopped for them, they are taken back, so that the next run asks for them again.

A request that is lost for good becomes a completion without a text, whose finish_reason is `lost`. It does not go into
the journal: where its shard is done again, it is sent again.
"""

import asyncio
from collections.abc import Callable

from nemo_sdg.errors import EngineError, SdgError
from nemo_sdg.generate.requests import Ask, Completion, Request
from nemo_sdg.generate.roles import RoleEngines
from nemo_sdg.generate.scheduling.journal import Journal
from nemo_sdg.generate.scheduling.lanes.first_replies import FirstReplies, fault_of
from nemo_sdg.generate.scheduling.lanes.lane import GivenUp, Lane, Lost
from nemo_sdg.generate.scheduling.lanes.last_replies import is_empty
from nemo_sdg.generate.scheduling.lanes.output_limits import OutputLimits
from nemo_sdg.generate.scheduling.lanes.window import Window
from nemo_sdg.generate.scheduling.work import AskCounts, OpenRecord, OpenShard, thinking_tokens


class Asker:
    """`give_up(record, fault)` ends a record whose request was lost for good, `fail(error)` ends the run, `changed()`
    says that there may be room, `believed(shard)` that no reply of a shard is in doubt any more.
    """

    def __init__(
        self,
        engines: RoleEngines,
        journal: Journal,
        counts: AskCounts,
        *,
        notify: Callable[[str], None],
        give_up: Callable[[OpenRecord, str], None],
        believed: Callable[[OpenShard], None],
        fail: Callable[[BaseException], None],
        changed: Callable[[], None],
    ) -> None:
        self.engines, self.journal, self.counts = engines, journal, counts
        self.give_up, self.fail, self.changed, self.notify = give_up, fail, changed, notify
        self.believed = believed
        self.lanes = [
            Lane(
                engine,
                section,
                Window(
                    section.max_in_flight,
                    adaptive=engine.adaptive,
                    max_retries=section.max_retries,
                    patience=section.give_up_after,
                    notify=notify,
                ),
                FirstReplies(engine.model, section),
                self._retrying,
            )
            for engine, section in zip(engines.engines, engines.sections, strict=True)
        ]
        for lane in self.lanes:
            lane.engine.notify = notify
        self.limits = OutputLimits(counts)
        self.demand = 0
        """requests asked, plus open records that ask nothing right now"""
        self.num_away = 0
        """requests asked that need no slot right now: they wait to be tried again, or for the disk"""

    @property
    def last_fault(self) -> str:
        return next((lane.last_fault for lane in self.lanes if lane.last_fault), "")

    def ask_for(self, record: OpenRecord) -> Ask:
        """The `ask` that a record's flow is given."""

        async def ask(request: Request) -> Completion:
            sent = self.engines.prepare(request)
            key = self.engines.key_of_prepared(sent)
            lane = self.lanes[self.engines.player(request).lane]
            if (known := record.shard.journal.get(key)) is not None:
                self.counts.replayed += 1
                if known.finish_reason != "refused":
                    if not lane.accepted and fault_of(known) is None:
                        lane.accepted = True
                        self._believe(lane)
                    lane.evidence.replayed(sent)
                self.limits.replayed(lane, sent, record.of_task, known)
                return self._seen(record, request, key, known)
            record.outstanding += 1
            self.demand += record.outstanding > 1
            try:
                return self._seen(record, request, key, await self._once(record, lane, sent, key))
            finally:
                self.demand -= record.outstanding > 1
                record.outstanding -= 1
                self.changed()

        return ask

    @staticmethod
    def _seen(record: OpenRecord, request: Request, key: str, completion: Completion) -> Completion:
        if completion.trace:
            record.shard.traces.setdefault(record.index, []).append((request.tag, key))
        return completion

    async def _once(self, record: OpenRecord, lane: Lane, sent: Request, key: str) -> Completion:
        """Sends a request unless the same one is on its way for another record of the shard."""
        shard = record.shard
        while key in shard.asked:
            waiting = shard.asked[key] = shard.asked[key] or asyncio.get_running_loop().create_future()
            await asyncio.wait([waiting])
            if (known := shard.journal.get(key)) is not None:
                return known
        shard.asked[key] = None
        try:
            return await self._complete(record, lane, sent, key)
        except SdgError as error:
            self.fail(error)
            return await _never()
        finally:
            if (others := shard.asked.pop(key)) is not None:
                others.set_result(None)

    async def _complete(self, record: OpenRecord, lane: Lane, sent: Request, key: str) -> Completion:
        if (cached := self.journal.lookup(key)) is not None:
            self.counts.replayed += 1
            self.limits.replayed(lane, sent, record.of_task, cached)
            await self._write(record.shard, key, cached, share=False)
            return cached
        if not lane.started:
            await lane.start()
        try:
            completion = await self.limits.send(lane, sent, key, record.rank, record.of_task)
        except Lost as lost:
            return self._lose(record, lane, str(lost))
        except GivenUp as given_up:
            self.give_up(record, str(given_up))
            return await _never()
        return await self._take(record.shard, lane, sent, key, completion)

    def _lose(self, record: OpenRecord, lane: Lane, fault: str) -> Completion:
        if lane.evidence.too_many_lost():
            raise EngineError(
                f"{lane.engine.model}: {lane.evidence.num_lost} requests failed each time, while others like them were "
                f"answered (last: {fault}); everything finished is kept: see what these requests have in common "
                "(`nemo-sdg preview`), and leave it out of engine.extra_body, generate or seeds.tasks"
            )
        if not self.counts.lost:
            self.notify(f"a request is lost: it failed each time, while others were answered ({fault})")
        self.counts.lost += 1
        record.shard.lost += 1
        return Completion(text="", finish_reason="lost", detail=fault)

    def _retrying(self, num: int) -> None:
        self.num_away += num
        if num > 0:
            self.counts.retries += num
            self.changed()

    async def _take(self, shard: OpenShard, lane: Lane, sent: Request, key: str, completion: Completion) -> Completion:
        counts = self.counts
        counts.requests_done += 1
        counts.prompt_tokens += completion.prompt_tokens
        counts.completion_tokens += completion.completion_tokens
        counts.thinking_tokens += thinking_tokens(completion)
        if not lane.accepted and (problem := lane.first.look(sent, completion)) is not None:
            lane.is_stopped = True
            self.fail(EngineError(problem))
        elif lane.accepted and (found := lane.last.look(completion)) is not None:
            said, stops = f"{lane.engine.model}: {found[0]}", found[1]
            if stops:
                lane.is_stopped = True
                self.fail(EngineError(said))
            else:
                self.notify(said)
        if completion.finish_reason != "refused":
            # what is good, or was looked at long enough, speaks for the engine
            lane.accepted = lane.accepted or lane.first.any_good
            doubtful = is_empty(completion) if lane.accepted else fault_of(completion) is not None
            if doubtful:
                lane.doubted.append((shard, key))
                shard.num_doubted += 1
            else:
                self._believe(lane)
            await self._write(shard, key, completion, share=not doubtful)
        else:
            counts.refused += 1
            if lane.accepted:
                self._believe(lane)
                await self._write(shard, key, completion, share=False)
            else:
                shard.refused.append((key, completion))
        return completion

    def _believe(self, lane: Lane) -> None:
        """The engine gave the replies in doubt as it gives others."""
        doubted, lane.doubted = lane.doubted, []
        for shard, _ in doubted:
            shard.num_doubted -= 1
            if not shard.num_doubted:
                self.believed(shard)

    def believe_all(self) -> None:
        """What is in doubt when nothing more is asked counts."""
        for lane in self.lanes:
            self._believe(lane)

    async def take_back(self) -> None:
        """Takes back the replies for which the run was stopped, when all that was added is on disk."""
        keys: dict[OpenShard, list[str]] = {}
        for shard, key in (each for lane in self.lanes if lane.is_stopped for each in lane.doubted):
            keys.setdefault(shard, []).append(key)
        loop = asyncio.get_running_loop()
        try:
            for shard, taken in keys.items():
                await loop.run_in_executor(self.journal.thread(), shard.journal.void, taken)
        except OSError as exc:  # a full disk; the run ends for the replies all the same
            self.notify(f"replies without an answer could not be taken back, and count: {exc.strerror or exc}")
            return
        if keys:
            num = sum(map(len, keys.values()))
            self.notify(f"{num} replies without an answer do not count; the next run asks for them again")

    async def believe_refusals(self, shard: OpenShard) -> None:
        """Puts the early refusals of a shard into the journal, before the shard is written."""
        refused, shard.refused = shard.refused, []
        for key, completion in refused:
            await shard.journal.add(key, completion, share=False)

    async def _write(self, shard: OpenShard, key: str, completion: Completion, *, share: bool = True) -> None:
        self.num_away += 1
        self.changed()
        try:
            await shard.journal.add(key, completion, share=share)
        finally:
            self.num_away -= 1

    def silent(self, now: float) -> EngineError | None:
        """What to say when an engine that is asked gives nothing any more."""
        for lane in self.lanes:
            if (last := lane.silent(now)) is not None:
                return EngineError(
                    f"{lane.engine.model}: no completion for {lane.section.give_up_after:g} seconds "
                    f"(engine.give_up_after; last: {last}); everything finished is kept, run the same command again"
                )
        return None

    def remarks(self) -> list[str]:
        """What there is to say at the end: of a run that was too short for the look at its first replies, and of
        refused and lost requests.
        """
        found = [remark for lane in self.lanes if not lane.accepted and (remark := lane.first.verdict()) is not None]
        if refusals := [lane.last.last_refusal for lane in self.lanes if lane.last.last_refusal]:
            found.append(f"{self.counts.refused} requests were refused, each is one vote less (last: {refusals[-1]})")
        if self.counts.lost:
            found.append(
                f"{self.counts.lost} requests were lost: each failed more than engine.max_retries times while others "
                "were answered; with --redo they are sent again"
            )
        return found


async def _never() -> Completion:
    never: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
    return await never
