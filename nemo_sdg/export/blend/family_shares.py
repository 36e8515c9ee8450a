"""Shares of families, and of tasks within a family, under temperature, floors, caps and a limit of epochs.

{"science": {"sciq": 9_000, "arc_easy": 1_000}, "math": {"gsm8k": 2_000}}      tokens of one variant
->  {"science": Family(share=0.4, epochs=0.48, decided_by="cap", tasks={...}), "math": ...}
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nemo_sdg.config import MixtureSection

SLACK = 1e-9
"""relative; sums of floats that differ by less are equal"""
Tokens = Mapping[str, Mapping[str, int]]
"""family -> task -> tokens of the train split"""


@dataclass(kw_only=True)
class Part:
    """One family or task in the mixture."""

    available: int
    """tokens that exist"""
    cap: float
    """largest share it may take, after relaxing (see Mixture.notes): of the blend for a family, of its family for a
    task
    """
    sampled: int
    """tokens that the training draws from it, repetitions included"""
    share: float
    """share of the synthetic part; shares of families sum to 1, shares of tasks to that of their family"""
    epochs: float
    """sampled / available"""
    decided_by: str
    """temperature | cap | floor | epochs"""


@dataclass(kw_only=True)
class Task(Part):
    bands: dict[str, float] = field(default_factory=dict)
    """epochs of its bands of difficulty, where mixture.difficulty weighs them"""


@dataclass(kw_only=True)
class Family(Part):
    tasks: dict[str, Task] = field(default_factory=dict)


def plan_families(
    tokens: Tokens, length: int, most: float, config: MixtureSection, notes: list[str]
) -> dict[str, Family]:
    """Families and tasks of the reference, none of them above `most` epochs."""
    sizes = {name: sum(tasks.values()) for name, tasks in tokens.items()}
    limits = {name: most * size / length for name, size in sizes.items()}
    wanted_caps = {name: config.family_caps.get(name, config.family_cap) for name in sizes}
    caps = {name: min(wanted_caps[name], limits[name]) for name in sizes}
    if (total := sum(caps.values())) < 1 - SLACK:
        caps = share_between(wanted_caps, dict.fromkeys(sizes, 0.0), limits)
        notes.append(
            f"the caps of {len(caps)} {'family' if len(caps) == 1 else 'families'} add up to {total:.3g} under "
            f"mixture.max_epochs={config.max_epochs:g}, less than 1: raised as little as needed"
        )
    floors = {name: min(config.family_floor, 1 / len(caps), caps[name]) for name in sizes}
    shares = share_between({name: size**config.alpha for name, size in sizes.items()}, floors, caps)
    families = {}
    for name, size in sizes.items():
        sampled = shares[name] * length
        family = Family(
            available=size,
            cap=caps[name],
            sampled=round(sampled),
            share=shares[name],
            epochs=sampled / size,
            decided_by=_decided_by(shares[name], caps[name], floors[name], limits[name]),
        )
        family.tasks = _plan_tasks(name, tokens[name], family, length, most, config, notes)
        families[name] = family
    return families


def _plan_tasks(
    name: str,
    tokens: Mapping[str, int],
    family: Family,
    length: int,
    most: float,
    config: MixtureSection,
    notes: list[str],
) -> dict[str, Task]:
    """Tasks share their family as families share the blend, under task_cap and with no task above `most` epochs."""
    bound = max(most, family.epochs) * (1 + SLACK)
    limits = {task: bound * size / (family.share * length) for task, size in tokens.items()}
    caps = {task: min(config.task_cap, limit) for task, limit in limits.items()}
    none = dict.fromkeys(tokens, 0.0)
    if sum(caps.values()) < 1 - SLACK:
        caps = share_between(dict.fromkeys(tokens, config.task_cap), none, limits)
        if len(tokens) > 1:
            notes.append(
                f"mixture.task_cap={config.task_cap:g} cannot hold in family {name}: raised to {max(caps.values()):.3g}"
            )
    shares = share_between({task: size**config.alpha for task, size in tokens.items()}, none, caps)
    return {
        task: Task(
            available=size,
            cap=caps[task],
            sampled=round(shares[task] * family.share * length),
            share=shares[task] * family.share,
            epochs=shares[task] * family.share * length / size,
            decided_by=_decided_by(shares[task], caps[task], 0.0, limits[task]),
        )
        for task, size in tokens.items()
    }


def share_between(
    wanted: Mapping[str, float], floors: Mapping[str, float], caps: Mapping[str, float]
) -> dict[str, float]:
    """Shares that sum to 1, proportional to `wanted` except where a floor or a cap holds: clip(scale * wanted, floor,
    cap) for one scale.

    The sum grows with the scale, piecewise linearly, so the scale is found exactly between two of its corners.
    Needs sum(floors) <= 1 <= sum(caps), floors <= caps and wanted > 0.
    """

    def at(scale: float) -> dict[str, float]:
        return {name: min(max(scale * want, floors[name]), caps[name]) for name, want in wanted.items()}

    corners = sorted({bound[name] / want for name, want in wanted.items() for bound in (floors, caps)})
    low, high = 0, len(corners) - 1
    while low < high:
        middle = (low + high) // 2
        if sum(at(corners[middle]).values()) >= 1 - SLACK:
            high = middle
        else:
            low = middle + 1
    upper = at(corners[low])
    lower = at(corners[low - 1]) if low else dict(floors)
    total_lower, total_upper = sum(lower.values()), sum(upper.values())
    step = 1.0 if total_upper <= total_lower else min(1.0, (1 - total_lower) / (total_upper - total_lower))
    shares = {name: lower[name] + step * (upper[name] - lower[name]) for name in wanted}
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()}


def _decided_by(share: float, cap: float, floor: float, limit: float) -> str:
    if share >= limit * (1 - 2 * SLACK):
        return "epochs"
    if share >= cap * (1 - SLACK):
        return "cap"
    return "floor" if share <= floor * (1 + SLACK) else "temperature"
