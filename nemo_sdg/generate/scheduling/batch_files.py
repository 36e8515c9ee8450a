"""The folder of a batch: rounds of requests that were written, and the replies that have come."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.errors import DataError
from nemo_sdg.generate.engines.base import TransportError
from nemo_sdg.generate.engines.error_bodies import ServerError, read_error
from nemo_sdg.generate.engines.faults import BUSY, Meaning, may_be_one_requests, meaning, status_of
from nemo_sdg.generate.engines.replies import ErrorInReply, read_reply
from nemo_sdg.generate.engines.room import LEAST_ROOM, free_tokens
from nemo_sdg.generate.requests import Completion
from nemo_sdg.generate.scheduling.lanes.evidence import LOST_AT_MOST


@dataclass(slots=True)
class Place:
    """Where a good reply stands."""

    path: Path
    offset: int
    length: int


@dataclass(slots=True)
class Replies:
    """All replies of a folder: places of the good ones, refusals, and how often which request failed."""

    good: dict[str, Place] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    failed: dict[str, set[tuple[str, bytes]]] = field(default_factory=dict)
    """custom_id -> (file, line) of its errors"""
    room: dict[str, int] = field(default_factory=dict)
    """custom_id -> max_tokens that the context has room for, by an error's own numbers"""
    last_error: str = ""
    strange: dict[str, int] = field(default_factory=dict)
    """file -> number of its replies to none of the requests"""

    def times_its_own(self, key: str) -> int:
        """How often a request failed for a fault that may be its own: with a reply that is none, or a 5xx that asks for
        no patience. 0 where no request has a good reply.
        """
        if not self.good:
            return 0
        codes = [_response(orjson.loads(line))[0] for _, line in self.failed.get(key, ())]
        return sum(code == 200 or (code >= 500 and code not in BUSY) for code in codes)

    def stray(self) -> str:
        """What is said about files with replies to none of the requests."""
        files = sorted(self.strange.items())[:3]
        return "".join(f"; {num:,} replies in {name} have the custom_id of no request here" for name, num in files)

    def get(self, key: str) -> Completion | None:
        if (place := self.good.get(key)) is not None:
            with open(place.path, "rb") as handle:
                handle.seek(place.offset)
                return read_reply(_response(orjson.loads(handle.read(place.length)))[1])
        if key in self.refused:
            return Completion(text="", finish_reason="refused", detail=self.refused[key])
        return None


def is_round(path: Path) -> bool:
    return path.name.startswith("round-") and path.stem.removeprefix("round-").isdigit()


def read_rounds(folder: Path) -> dict[Path, dict[str, int]]:
    """Round file -> custom_id -> max_tokens of its requests."""
    rounds: dict[Path, dict[str, int]] = {}
    for path in sorted(filter(is_round, folder.glob("round-*.jsonl"))):
        rows = (orjson.loads(line) for line in path.read_bytes().splitlines())
        rounds[path] = {row["custom_id"]: int(row["body"].get("max_tokens", 0)) for row in rows}
    return rounds


def read_replies(folder: Path, asked: dict[str, int]) -> Replies:
    """Every reply to one of `asked` (custom_id -> max_tokens). Raises DataError for a line that is not a batch reply.
    An unfinished last line, of a file that is still being copied, is left for the next time.
    """
    found = Replies()
    unclear: dict[str, ServerError] = {}
    for path in sorted(folder.glob("*.jsonl")):
        if is_round(path):
            continue
        offset = 0
        with open(path, "rb") as handle:
            for number, line in enumerate(handle, 1):
                begin, offset = offset, offset + len(line)
                if not line.strip():
                    continue
                try:
                    row = orjson.loads(line)
                    key = str(row["custom_id"])
                except (orjson.JSONDecodeError, KeyError, TypeError) as exc:
                    if not line.endswith(b"\n"):
                        continue
                    why = "no JSON" if isinstance(exc, orjson.JSONDecodeError) else "it has no custom_id"
                    raise DataError(
                        f"{path}, line {number} is not a reply of a batch ({why}); a line is such as "
                        '{"custom_id": ..., "response": {"status_code": 200, "body": {"choices": [...]}}}'
                    ) from exc
                if key not in asked:
                    found.strange[path.name] = found.strange.get(path.name, 0) + 1
                elif key not in found.good:
                    _sort(found, unclear, key, row, line, Place(path, begin, len(line)), asked[key])
    common = {key for key, error in unclear.items() if meaning(error, answered=True) is Meaning.configuration}
    common -= found.good.keys()
    least, share = LOST_AT_MOST
    if len(common) < least or len(common) <= share * (len(common) + len(found.good)):
        common = set()  # of single requests, and not of the key or the configuration
    for key, error in unclear.items():
        # refused in unknown words, or for a field that others had too: believed where the batch has good replies
        if found.good and key not in found.good and key not in common:
            found.refused[key] = f"{error.status} {error.message}"
            found.failed.pop(key, None)
    return found


def _response(row: Any) -> tuple[int, bytes]:
    """(status, body) of a line's response, which may be the completion itself; status 0 where there is none."""
    response = row.get("response")
    if not isinstance(response, dict):
        return 0, b"null"
    if "body" not in response and "choices" in response:
        return 200, orjson.dumps(response)
    return int(response.get("status_code") or 0), orjson.dumps(response.get("body"))


def _sort(
    found: Replies, unclear: dict[str, ServerError], key: str, row: Any, line: bytes, place: Place, max_tokens: int
) -> None:
    status, body = _response(row)
    if status == 200:
        try:
            read_reply(body)
        except ErrorInReply as inner:
            status, body = status_of(*inner.codes), inner.body
        except TransportError as fault:
            found.failed.setdefault(key, set()).add((place.path.name, line))
            found.last_error = str(fault)
            return
        else:
            found.good[key] = place
            found.refused.pop(key, None)
            return
    elif not status:
        # expired, cancelled or never begun
        error = row.get("error") or {"message": "no response"}
        status, body = 503, orjson.dumps({"error": error})
    said = read_error(status, body)
    means = meaning(said, answered=True)
    if means is Meaning.context:
        free = free_tokens(said.said, max_tokens)
        room = max_tokens // 2 if free is None or free >= max_tokens else free
        if room < LEAST_ROOM:
            found.refused[key] = f"{status} {said.message}"
            return
        found.room[key] = min(room, found.room.get(key, room))
    elif means is Meaning.never:
        found.refused[key] = f"{status} {said.message}"
        return
    elif means is Meaning.unclear or (means is Meaning.configuration and may_be_one_requests(said)):
        unclear[key] = said
    found.failed.setdefault(key, set()).add((place.path.name, line))
    found.last_error = f"{status} {said.message}"
