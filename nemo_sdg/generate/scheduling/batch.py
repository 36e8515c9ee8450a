"""Generation by files: requests are written in rounds of OpenAI Batch JSONL, and replies are read when they have come.

    RUN/answers/batch/round-000.jsonl
    {"custom_id": "9f…", "method": "POST", "url": "/v1/chat/completions", "body": {"model": …, "messages": […], …}}
    RUN/answers/batch/<any other name>.jsonl
    {"custom_id": "9f…", "response": {"status_code": 200, "body": {"choices": […], …}}, "error": null}

The flows of a shard run until each is done or waits for a reply; what they wait for is the next round. Replies may be
there in part, twice, in any order and in any number of files; one that is an error is asked again in the next round,
unless the request itself is at fault. It serves providers' batch APIs, sites without a network, and recorded replies.
"""

import asyncio
import contextlib
import dataclasses
import itertools
import operator
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import orjson

from nemo_sdg.errors import Waiting
from nemo_sdg.generate.engines.servers import build_body
from nemo_sdg.generate.requests import Completion, Flow, Outcome, Request
from nemo_sdg.generate.roles import RoleEngines
from nemo_sdg.generate.scheduling.batch_files import read_replies, read_rounds
from nemo_sdg.generate.scheduling.journal import Journal
from nemo_sdg.generate.scheduling.lanes.evidence import LOST_AT_MOST
from nemo_sdg.generate.scheduling.lanes.first_replies import FirstReplies
from nemo_sdg.generate.scheduling.work import (
    FlowProgress,
    OnShardDone,
    OnTraces,
    OpenShard,
    ShardWork,
    record_id,
    thinking_tokens,
    traces_of,
)
from nemo_sdg.storage import atomic_file

ROUND = "round-{:03d}.jsonl"
REQUESTS_A_FILE = 50_000
"""what OpenAI takes in one batch"""
BYTES_A_FILE = 190_000_000
LOST_AFTER = 5
"""rounds in which a request fails although others were answered, after which it is lost"""
QUIET_TURNS = 20
"""turns of the event loop without a new question, after which every flow waits"""


class BatchRun:
    """One pass over the shards: what can be decided is written, what is missing goes into the next round."""

    def __init__(
        self,
        flow: Flow,
        engines: RoleEngines,
        journal: Journal,
        folder: Path,
        on_shard_done: OnShardDone,
        progress: FlowProgress,
        on_traces: OnTraces | None,
    ) -> None:
        self.flow, self.engines, self.journal, self.folder, self.progress = flow, engines, journal, folder, progress
        self.on_shard_done, self.on_traces = on_shard_done, on_traces
        self.rounds = read_rounds(folder)
        asked = [(key, limit) for keys in self.rounds.values() for key, limit in keys.items()]
        self.times_asked = Counter(key for key, _ in asked)
        self.replies = read_replies(folder, dict(asked))
        self.lost = self._lost()
        self.missing: set[str] = set()
        """keys of all requests that a flow waits for"""
        self.asking: dict[int, IO[bytes]] = {}
        """lane -> lines of the next round, in an unnamed file, so that they do not take memory"""
        self.events = self.writing = 0
        self.first = [FirstReplies(lane.model, of) for lane, of in zip(engines.engines, engines.sections, strict=True)]

    def _lost(self) -> dict[str, int]:
        """custom_id -> rounds in which it failed, of the lost requests. None are, where so many fail that it is the
        provider's fault. A file of replies that was put there twice tells of one round.
        """
        replies, lost = self.replies, dict[str, int]()
        for key, lines in replies.failed.items():
            if len(lines) >= LOST_AFTER and key not in replies.good:
                lost[key] = min(replies.times_its_own(key), self.times_asked[key])
        lost = {key: num for key, num in lost.items() if num >= LOST_AFTER}
        least, share = LOST_AT_MOST
        return {} if len(lost) >= least and len(lost) > share * (len(lost) + len(replies.good)) else lost

    async def work(self, shards: Iterable[ShardWork]) -> None:
        for work in shards:
            await self._shard(OpenShard(work.shard, self.journal.open(work.shard)), list(work.records))
        await self.journal.flush()
        self.journal.close()

    async def _shard(self, shard: OpenShard, records: list[dict[str, Any]]) -> None:
        tasks: list[asyncio.Task[Outcome]] = []
        for index, record in enumerate(records):
            shard.ids[index] = record_id(record)
            tasks.append(asyncio.create_task(self._flow(shard, index, record)))
        try:
            await self._until_quiet(tasks)
            for task in tasks:
                if task.done():
                    task.result()
            if all(task.done() for task in tasks):
                outcomes: list[Outcome] = [task.result() for task in tasks]
                if self.on_traces is not None:
                    self.on_traces(shard.name, traces_of(shard))
                self.on_shard_done(shard.name, outcomes)
                await shard.journal.compress()
                self.progress.shards_done += 1
            else:
                self.progress.shards_unfinished += 1
            self.progress.records_done += sum(task.done() for task in tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.journal.flush()
            shard.journal.close()
            if self.progress.listener is not None:
                self.progress.listener(self.progress)

    async def _flow(self, shard: OpenShard, index: int, record: dict[str, Any]) -> Outcome:
        return await self.flow(record, self._ask(shard, index))

    async def _until_quiet(self, tasks: "list[asyncio.Task[Outcome]]") -> None:
        """Until every flow is done or waits for a reply that is not there."""
        quiet, seen = 0, -1
        while quiet < QUIET_TURNS and not all(task.done() for task in tasks):
            await asyncio.sleep(0.001 if self.writing else 0)
            quiet = quiet + 1 if self.events == seen and not self.writing else 0
            seen = self.events

    def _ask(self, shard: OpenShard, index: int) -> Any:
        async def ask(request: Request) -> Completion:
            self.events += 1
            key = self.engines.key(request)
            if (known := shard.journal.get(key)) is not None:
                self.progress.replayed += 1
                return seen(request, key, known)
            share = True
            if (completion := self.journal.lookup(key)) is not None:
                self.progress.replayed += 1
                share = False
            elif (completion := self.replies.get(key)) is not None:
                self._count(request, completion)
            elif (num := self.lost.get(key)) is not None:
                self.progress.lost += 1
                self.progress.lost_in[shard.name] = self.progress.lost_in.get(shard.name, 0) + 1
                detail = f"failed in {num} rounds (last: {self.replies.last_error})"
                return Completion(text="", finish_reason="lost", detail=detail)
            else:
                self._miss(key, request)
                await asyncio.get_running_loop().create_future()
                raise AssertionError("nobody answers")
            self.writing += 1
            await shard.journal.add(key, completion, share=share and completion.finish_reason != "refused")
            self.writing -= 1
            self.events += 1
            return seen(request, key, completion)

        def seen(request: Request, key: str, completion: Completion) -> Completion:
            if completion.trace:
                shard.traces.setdefault(index, []).append((request.tag, key))
            return completion

        return ask

    def _count(self, request: Request, completion: Completion) -> None:
        progress, first = self.progress, self.first[self.engines.player(request).lane]
        if not first.any_good:
            first.look(self.engines.prepare(request), completion)
        progress.requests_done += 1
        progress.refused += completion.finish_reason == "refused"
        progress.prompt_tokens += completion.prompt_tokens
        progress.completion_tokens += completion.completion_tokens
        progress.thinking_tokens += thinking_tokens(completion)

    # rounds

    def _miss(self, key: str, request: Request) -> None:
        """Notes a request without a reply, and puts it into the next round if it was not asked yet, or failed each
        time that it was.
        """
        if key in self.missing:
            return
        self.missing.add(key)
        if self.times_asked[key] > len(self.replies.failed.get(key, ())):
            return
        lane, request = self.engines.player(request).lane, self.engines.prepare(request)
        if (room := self.replies.room.get(key)) is not None:
            request = dataclasses.replace(request, max_tokens=room)
        row = {
            "custom_id": key,
            "method": "POST",
            "url": "/v1/chat/completions" if request.messages is not None else "/v1/completions",
            "body": build_body(request, self.engines.engines[lane].model),
        }
        if lane not in self.asking:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.asking[lane] = tempfile.TemporaryFile(dir=self.folder)  # noqa: SIM115
        self.asking[lane].write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))

    def next_round(self) -> list[Path]:
        """Writes what is to be asked: one file per model, and as many as a provider's limits want."""
        written = []
        for lane in sorted(self.asking):
            with self.asking[lane] as lines:
                lines.seek(0)
                for _, part in itertools.groupby(_numbered(lines), key=operator.itemgetter(0)):
                    path, keys = _write_round(self.folder, (line for _, line in part))
                    self.rounds[path] = dict.fromkeys(keys, 0)
                    written.append(path)
        return written

    def waiting(self) -> Waiting | None:
        """The replies that are still missing, in one line; None if there are none."""
        if not self.missing:
            return None
        again = sum(len(self.replies.failed.get(key, ())) > 0 for key in self.missing)
        newest = {key: path for path, keys in self.rounds.items() for key in keys}  # a failed one is in several
        files = [
            f"{path.name} ({open_:,} of {len(keys):,} open)"
            for path, keys in self.rounds.items()
            if (open_ := sum(key in self.missing and newest[key] == path for key in keys))
        ]
        errors = f"; {again:,} failed before ({self.replies.last_error})" if again else ""
        return Waiting(
            f"waiting for replies to {len(self.missing):,} requests in {self.folder}: {', '.join(files)}{errors}"
            f"{self.replies.stray()}; put the batch's output into that folder under any other name ending in "
            ".jsonl, and run the same command again"
        )


def _numbered(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines, each with the number of its file."""
    number = rows = size = 0
    for line in lines:
        if rows and (rows == REQUESTS_A_FILE or size + len(line) > BYTES_A_FILE):
            number, rows, size = number + 1, 0, 0
        rows, size = rows + 1, size + len(line)
        yield number, line


def _write_round(folder: Path, lines: Iterable[bytes]) -> tuple[Path, list[str]]:
    """Writes a whole file under the first free number, and returns it with the keys of its requests; another process
    may write its own at the same time.
    """
    draft = folder / f".round.{os.getpid()}.tmp"
    keys = []
    with atomic_file(draft) as handle:
        for line in lines:
            handle.write(line)
            keys.append(str(orjson.loads(line)["custom_id"]))
    number = 0
    try:
        while True:
            path = folder / ROUND.format(number)
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
                return path, keys
            number += 1
    finally:
        draft.unlink()


def run_batch(
    shards: Iterable[ShardWork],
    flow: Flow,
    engines: RoleEngines,
    journal: Journal,
    on_shard_done: OnShardDone,
    progress: FlowProgress | None = None,
    *,
    folder: Path,
    on_traces: OnTraces | None = None,
) -> None:
    """Like run_flows, with files in the place of a server. Raises Waiting while replies are missing."""

    async def work() -> Waiting | None:
        run = BatchRun(flow, engines, journal, folder, on_shard_done, progress or FlowProgress(), on_traces)
        await run.work(shards)
        run.next_round()
        for remark in filter(None, (first.verdict() for first in run.first)):
            run.progress.notify(remark)
        return run.waiting()

    if (waiting := asyncio.run(work())) is not None:
        raise waiting
