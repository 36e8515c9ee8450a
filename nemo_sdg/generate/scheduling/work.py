"""What goes into a run of flows and what it shows of itself."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from nemo_sdg.errors import SdgError
from nemo_sdg.generate.requests import Outcome
from nemo_sdg.generate.scheduling.asking import AskCounts

log = logging.getLogger(__name__)


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
    in_flight: int = 0
    window: int = 0
    """requests that may be in flight now"""
    saturation: float = 0.0
    """share of the windows in use since the first request"""


OnShardDone = Callable[[str, list[Outcome]], None]
OnTraces = Callable[[str, Iterator[Trace]], None]


def record_id(record: dict[str, Any]) -> str:
    """The id of a seed or sample record."""
    return str(record.get("sample_id") or record.get("seed_id") or record.get("id") or "")
