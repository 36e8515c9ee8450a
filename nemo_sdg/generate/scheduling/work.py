"""The input of a run of flows, and its progress."""

import asyncio
import contextlib
import logging
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from nemo_sdg.errors import SdgError
from nemo_sdg.generate.requests import Completion, Outcome
from nemo_sdg.generate.scheduling.journal import ShardJournal

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class AskCounts:
    """Plain counters of what was asked."""

    requests_done: int = 0
    """completions by the engine"""
    replayed: int = 0
    """completions out of the journal or the cache"""
    refused: int = 0
    lost: int = 0
    """requests that failed each time, while the engine answered others"""
    retries: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    thinking_tokens: int = 0
    """of the completion tokens"""
    limited: int = 0
    """requests that were first sent with a learned limit below their max_tokens (lanes/output_limits.py)"""
    learned_tokens: int = 0
    """sum of these limits"""
    full_tokens: int = 0
    """sum of the same requests' max_tokens"""
    sent_again: int = 0
    """of them, cut at the learned limit and sent again in full"""
    sent_again_tokens: int = 0
    """tokens of the replies that were cut there; not among the completion tokens"""


class Interrupted(SdgError):
    """A signal ended the run; everything finished is on disk."""


@dataclass(kw_only=True)
class ShardWork:
    """One shard to be done: its name and its records, read as a whole when its turn comes."""

    shard: str
    records: Iterable[dict[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """The thinking of one completion."""

    record_id: str
    tag: str
    """the request's: `vote3`, `guided0`, `question1`"""
    completion_tokens: int
    thinking_tokens: int
    text: str


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
    lost_in: dict[str, int] = field(default_factory=dict)
    """shard -> lost requests, for those shards that are whole"""
    in_flight: int = 0
    window: int = 0
    """requests that may be in flight now"""
    saturation: float = 0.0
    """share of the windows in use since the first request"""


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
    lost: int = 0
    """requests without an answer"""
    num_doubted: int = 0
    """replies that may be the fault of the engine: it waits until they are believed"""
    asked: "dict[str, asyncio.Future[None] | None]" = field(default_factory=dict)
    """keys on their way, so that the same request is not sent twice; a future where another record waits for it"""
    ids: dict[int, str] = field(default_factory=dict)
    """index of a record -> its id"""
    traces: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    """index of a record -> (tag, key) of its completions with a trace; the traces themselves stay in the journal"""
    refused: list[tuple[str, Completion]] = field(default_factory=list)
    """refusals that wait for the first accepted request before they are believed"""


@dataclass(eq=False, slots=True)
class OpenRecord:
    """A record whose flow runs."""

    rank: int
    shard: OpenShard
    index: int
    of_task: str = ""
    """the lm-eval task"""
    task: "asyncio.Task[Outcome] | None" = None
    outstanding: int = 0
    """requests asked and not yet answered"""


OnShardDone = Callable[[str, list[Outcome]], None]
OnTraces = Callable[[str, Iterator[Trace]], None]


def record_id(record: dict[str, Any]) -> str:
    """The id of a seed or sample record."""
    return str(record.get("sample_id") or record.get("seed_id") or record.get("id") or "")


def thinking_tokens(completion: Completion) -> int:
    """As the server counts them; else the trace's share of the characters."""
    if completion.reasoning_tokens is not None:
        return completion.reasoning_tokens
    if not completion.trace:
        return 0
    share = len(completion.trace) / (len(completion.trace) + len(completion.text))
    return round(completion.completion_tokens * share)


def traces_of(shard: OpenShard) -> Iterator[Trace]:
    """The traces of a whole shard, read back from its journal one by one."""
    for index in sorted(shard.traces):
        for tag, key in sorted(set(shard.traces[index])):
            completion = shard.journal.get(key)
            assert completion is not None, "a completion is in the journal before a flow sees it"
            yield Trace(
                record_id=shard.ids[index],
                tag=tag,
                completion_tokens=completion.completion_tokens,
                thinking_tokens=thinking_tokens(completion),
                text=completion.trace,
            )


@contextlib.contextmanager
def on_signals(interrupt: Callable[[str], None]) -> Iterator[None]:
    """Calls `interrupt` with the name of SIGTERM or SIGUSR1, in the running loop; does nothing outside of the main
    thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1)}
    for number in before:
        loop.add_signal_handler(number, interrupt, number.name)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
