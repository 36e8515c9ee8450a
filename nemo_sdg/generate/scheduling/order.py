"""The order in which the records of a shard are processed."""

from collections.abc import Iterable
from typing import Any

from nemo_sdg.records import Kind

LONG_KINDS = [Kind.code, Kind.free_text, Kind.numeric, Kind.short_text, Kind.multiple_choice]
"""kinds of answers, those with the longest solutions first"""


def longest_first(records: Iterable[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """(index, record), those first whose outputs will be long, as far as one knows: by kind, and within a task by the
    reference solution.

    The records of a task stay together, since they share their prompts' head. It is the end of a worker's last shard
    that gains.
    """

    def expected(row: tuple[int, dict[str, Any]]) -> tuple[int, str, int]:
        kind = row[1].get("kind")
        place = LONG_KINDS.index(Kind(kind)) if kind else len(LONG_KINDS)
        return place, row[1].get("task") or "", -len(row[1].get("reference_reasoning") or "")

    return sorted(enumerate(records), key=expected)
