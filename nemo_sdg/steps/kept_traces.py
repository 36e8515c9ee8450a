"""Adds the trace of the kept solution to each sample: it is read from the traces of `answers` and cleaned."""

from collections.abc import Callable
from typing import Any

from nemo_sdg.curate.traces import clean_trace
from nemo_sdg.steps.traces import read_traces, traces_path
from nemo_sdg.storage import StepDir


def make_attacher(answers: StepDir, max_tokens: int) -> Callable[[str, list[dict[str, Any]]], list[dict[str, Any]]]:
    """The function that sets `trace` in the samples of a shard, with one trace in memory at a time."""

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
