"""The traces of a step: the thinking of the models, in a file beside each shard.

    RUN/answers/traces/shard-00000.jsonl.zst        of earlier versions: .jsonl.gz
    {"id": "5c0e…", "tag": "vote3", "completion_tokens": 4120, "thinking_tokens": 3904, "trace": "…"}

`id` is that of the record (a sample in `answers`, a seed in `questions`); `tag` names the completion. The shard's
receipt names the file. A shard whose completions have no traces has no such file.
"""

import gzip
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from nemo_sdg.errors import DataError
from nemo_sdg.storage import FileFacts, StepDir, compressed, is_stored, open_content, write_jsonl

if TYPE_CHECKING:
    from nemo_sdg.generate.scheduling.work import Trace

EARLIER = ".gz"
"""ending of the files of earlier versions"""


def traces_path(step: StepDir, shard: str) -> Path:
    return step.path / "traces" / f"{shard}.jsonl"


def write_traces(path: Path, traces: "Iterator[Trace]") -> FileFacts | None:
    """Writes a shard's traces atomically; None if there are no traces. The bytes depend only on the traces."""
    path.with_name(path.name + EARLIER).unlink(missing_ok=True)
    first = next(traces, None)
    if first is None:
        path.unlink(missing_ok=True)
        compressed(path).unlink(missing_ok=True)
        return None
    rows = (
        {
            "id": trace.record_id,
            "tag": trace.tag,
            "completion_tokens": trace.completion_tokens,
            "thinking_tokens": trace.thinking_tokens,
            "trace": trace.text,
        }
        for trace in itertools.chain([first], traces)
    )
    return write_jsonl(path, rows, compress=True)


def read_traces(path: Path) -> "Iterator[Trace]":
    """The traces of a shard, one at a time; none if the file does not exist. Raises DataError if it is damaged."""
    from nemo_sdg.generate.scheduling.work import Trace

    earlier = path.with_name(path.name + EARLIER)
    if not is_stored(path) and not earlier.is_file():
        return
    try:
        with open_content(path) if is_stored(path) else gzip.open(earlier, "rb") as handle:
            for line in handle:
                row = orjson.loads(line)
                yield Trace(
                    record_id=row["id"],
                    tag=row["tag"],
                    completion_tokens=row["completion_tokens"],
                    thinking_tokens=row["thinking_tokens"],
                    text=row["trace"],
                )
    except (OSError, EOFError, orjson.JSONDecodeError, KeyError, TypeError) as exc:
        raise DataError(f"{path} is damaged ({type(exc).__name__}): remove it and run the same command again") from exc


def make_attacher(answers: StepDir, max_tokens: int) -> Callable[[str, list[dict[str, Any]]], list[dict[str, Any]]]:
    """The function that sets `trace` in the samples of a shard to that of the kept solution, as `answers` wrote it, and
    cleaned. One trace is in memory at a time.
    """

    from nemo_sdg.curate.traces import clean_trace

    def attach(shard: str, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        by_tag = {(record["sample_id"], kept_tag(record)): record for record in records}
        for trace in read_traces(traces_path(answers, shard)):
            record = by_tag.get((trace.record_id, trace.tag))
            if record is not None:
                record["trace"] = clean_trace(trace.text, record["language"], max_tokens)
        return records

    return attach


def kept_tag(sample: dict[str, Any]) -> str:
    """The tag of the completion that gave the kept solution: `vote3`, `guided0`."""
    detail = str((sample.get("verification") or {}).get("detail") or "")
    return detail.removeprefix("solution ").partition(",")[0].replace("blind", "vote")
