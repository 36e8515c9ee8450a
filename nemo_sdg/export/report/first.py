"""Chooses ten samples to read: families in turn, within each family its tasks in turn, ordered by the hashes of their
ids, so the choice is the same on every machine and not made by hand.
"""

from collections.abc import Sequence
from typing import Any

from nemo_sdg.export.report.rows import in_turn

NUM_READ = 10
MAX_TEXT = 1200


def first_samples(records: Sequence[dict[str, Any]], num: int = NUM_READ) -> list[dict[str, Any]]:
    """The records on the page that are to be read first; new questions come before the seeds' own of the same task."""
    groups: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for record in records:
        if not record["reason"] and record.get("sample"):
            groups.setdefault(record["family"], {}).setdefault(record["task"], []).append(record)
    queues = []
    for _, tasks in sorted(groups.items()):
        ordered = [sorted(found, key=lambda record: record["origin"] == "seed") for _, found in sorted(tasks.items())]
        queues.append(in_turn(ordered))
    return in_turn(queues)[:num]


def votes_in_words(record: dict[str, Any]) -> str:
    """`3 of 4 votes`, with a remark if the kept solution is a guided one."""
    agree, cast = (record.get("agree") or [None, None])[:2]
    guided = record.get("guidance") == "guided"
    if agree is None or not cast:
        return "written with the gold in sight" if guided else ""
    told = f"{agree} of {cast} votes"
    return f"{told}, then written with the gold in sight" if guided else told
