"""Limits per task and per family, shared out over dataset splits so that a big one does not drown the others.

A name in seeds.tasks is what limit_per_task limits: for a group, tag or glob the rows are spread over its leaves. With
no names given, each leaf is limited by itself. limit_per_family is spread over all leaves of a family.
"""

import fnmatch
from collections.abc import Callable
from dataclasses import dataclass

from nemo_sdg.config import SeedsSection
from nemo_sdg.records import CatalogRow


@dataclass(kw_only=True)
class Demand:
    """A dataset split that wants rows."""

    tasks: list[str]
    family: str
    rows: Callable[[], int | None]
    """how many it has; None where unknown"""


def share_limits(demands: list[Demand], catalog: list[CatalogRow], seeds: SeedsSection) -> list[int | None]:
    """How many rows each split gives, at most; None where no limit holds."""
    sizes = [demand.rows() for demand in demands]
    quotas: list[int | None] = [None] * len(demands)
    if seeds.limit_per_task is not None:
        for members in _by_name(demands, catalog, seeds):
            _share(seeds.limit_per_task, members, sizes, quotas)
    if seeds.limit_per_family is not None:
        for family in sorted({demand.family for demand in demands}):
            members = [index for index, demand in enumerate(demands) if demand.family == family]
            have = [_least(sizes[index], quotas[index]) for index in range(len(demands))]
            _share(seeds.limit_per_family, members, have, quotas)
    return quotas


def _by_name(demands: list[Demand], catalog: list[CatalogRow], seeds: SeedsSection) -> list[list[int]]:
    """Positions of the demands under each name of seeds.tasks; a demand counts under the first name that has it."""
    if not seeds.wanted:
        return [[index] for index in range(len(demands))]
    free = dict.fromkeys(range(len(demands)))
    groups = []
    for name in seeds.wanted:
        leaves = {
            row.task for row in catalog if any(fnmatch.fnmatchcase(known, name) for known in (row.task, *row.groups))
        }
        members = [index for index in free if leaves.intersection(demands[index].tasks)]
        for index in members:
            del free[index]
        groups.append(members)
    return [*groups, *([index] for index in free)]


def _share(limit: int, members: list[int], sizes: list[int | None], quotas: list[int | None]) -> None:
    """Shares a limit out in equal parts; what a small split leaves goes to the larger ones, the remainder to the
    first.
    """
    left = limit
    ordered = sorted(members, key=lambda index: (sizes[index] is None, sizes[index] or 0, index))
    shares: dict[int, int] = {}
    for place, index in enumerate(ordered):
        fair = left // (len(ordered) - place)
        size = sizes[index]
        shares[index] = fair if size is None else min(fair, size)
        left -= shares[index]
    for index in members:
        size = sizes[index]
        more = left if size is None else min(left, size - shares[index])
        shares[index] += more
        left -= more
    for index, share in shares.items():
        quotas[index] = _least(quotas[index], share)


def _least(first: int | None, second: int | None) -> int | None:
    return second if first is None else first if second is None else min(first, second)
