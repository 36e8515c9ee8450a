"""Ten samples to read: families in turn, and within each its tasks, in the order of the hashes of their ids, so that
the choice is the same on every machine and nobody picked it.
"""

from collections.abc import Sequence
from typing import Any

NUM_READ = 10
MAX_TEXT = 1200


def first_samples(records: Sequence[dict[str, Any]], num: int = NUM_READ) -> list[dict[str, Any]]:
    """Of the records on the page those to be read first; new questions before the seeds' own of the same task."""
    groups: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for record in records:
        if not record["reason"] and record.get("sample"):
            groups.setdefault(record["family"], {}).setdefault(record["task"], []).append(record)
    queues = []
    for _, tasks in sorted(groups.items()):
        ordered = [sorted(found, key=lambda record: record["origin"] == "seed") for _, found in sorted(tasks.items())]
        queues.append(turns(ordered))
    return turns(queues)[:num]


def turns(groups: Sequence[Sequence[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The first of each group, then the second of each, and so on."""
    longest = max(map(len, groups), default=0)
    return [group[place] for place in range(longest) for group in groups if place < len(group)]


def votes_in_words(record: dict[str, Any]) -> str:
    """`3 of 4 votes`, and what it means where the kept solution is none of them."""
    agree, cast = (record.get("agree") or [None, None])[:2]
    guided = record.get("guidance") == "guided"
    if agree is None or not cast:
        return "written with the gold in sight" if guided else ""
    told = f"{agree} of {cast} votes"
    return f"{told}, then written with the gold in sight" if guided else told
