"""Weights of families and tasks in the blend, and why they are what they are.

    {"science": {"sciq": 9_000_000, "arc_easy": 1_000_000}, "math": {"gsm8k": 2_000_000}}      tokens at hand
    ->  weights {"science": 0.6, "math": 0.4} under family_cap=0.6, and for each family and task
        available, cap, sampled, share, epochs and what decided the share

Shares follow tokens ** alpha (temperature sampling, as in mBERT and XLM-R), held between a floor and a cap. Weights
repeat what is
scarce instead of throwing away what is plenty; the epoch guard says when that goes too far.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from nemo_sdg.config import MixtureSection
from nemo_sdg.errors import ConfigError, DataError

SLACK = 1e-9
"""relative; sums of floats that differ by less are equal"""
ROOM = 1.01
"""advice is told in three digits: it leaves so much room that it still fits when rounded"""


@dataclass(kw_only=True)
class Part:
    """One family or task in the mixture."""

    available: int
    """tokens at hand"""
    cap: float
    """largest share it may take: of the blend for a family, of its family for a task; after relaxing, see
    Mixture.notes
    """
    sampled: int
    """tokens that the continuation draws from it, repeats included"""
    share: float
    """of the whole synthetic part; families sum to 1, tasks to their family's share"""
    epochs: float
    """sampled / available"""
    decided_by: str
    """temperature | cap | floor | epochs"""


@dataclass(kw_only=True)
class Family(Part):
    tasks: dict[str, Part] = field(default_factory=dict)


@dataclass(kw_only=True)
class Mixture:
    """A plan for the blend."""

    budget: int
    """tokens drawn from the synthetic part: train_tokens * synthetic_share, or one corpus' worth when no training
    length is set
    """
    families: dict[str, Family]
    notes: list[str]
    """rules that could not hold as written, and what was done instead"""

    @property
    def weights(self) -> dict[str, float]:
        """Share of each family; they sum to 1."""
        return {name: family.share for name, family in self.families.items()}

    @property
    def task_weights(self) -> dict[str, dict[str, float]]:
        """Share of each task in the whole; they sum to 1. They hold when every task is packed under a prefix of its
        own.
        """
        return {
            name: {task: part.share for task, part in family.tasks.items()} for name, family in self.families.items()
        }

    def as_dict(self) -> dict[str, Any]:
        """For mixture.json."""
        return asdict(self)


def plan_mixture(available: dict[str, dict[str, int]], config: MixtureSection) -> Mixture:
    """Plans the weights of families and tasks from their tokens, {family: {task: tokens}}; what has no tokens is left
    out.

    Caps that cannot hold together (two families, each capped at 0.4) are raised in proportion until they add up to 1,
    with a note:
    a run on few families is an everyday case and its corpus is still wanted. A floor gives way to a cap, and to 1 /
    families.
    Without `train_tokens` there is no guard, and epochs are told for one corpus' worth of tokens.

    Raises ConfigError when a family would repeat more than max_epochs times, and says which caps, or which length,
    would fit; DataError
    when there are no tokens at all.
    """
    tokens = {
        family: {task: num for task, num in sorted(tasks.items()) if num > 0}
        for family, tasks in sorted(available.items())
    }
    tokens = {family: tasks for family, tasks in tokens.items() if tasks}
    if not tokens:
        raise DataError("there is nothing to mix: no family has a token")
    sizes = {family: sum(tasks.values()) for family, tasks in tokens.items()}
    budget = (
        sum(sizes.values())
        if config.train_tokens is None
        else max(1, round(config.train_tokens * config.synthetic_share))
    )
    notes: list[str] = []
    caps = _family_caps(sizes, config, notes)
    shares = _family_shares(sizes, caps, config)
    if config.train_tokens is not None:
        _guard_epochs(shares, sizes, budget, caps, config)
    families = {}
    for name, size in sizes.items():
        sampled = shares[name] * budget
        family = Family(
            available=size,
            cap=caps[name],
            sampled=round(sampled),
            share=shares[name],
            epochs=sampled / size,
            decided_by=_decided_by(shares[name], caps[name], _floor(caps, name, config)),
        )
        family.tasks = _plan_tasks(name, tokens[name], family, budget, config, notes)
        families[name] = family
    return Mixture(budget=budget, families=families, notes=notes)


def _family_caps(sizes: dict[str, int], config: MixtureSection, notes: list[str]) -> dict[str, float]:
    caps = {name: config.family_caps.get(name, config.family_cap) for name in sizes}
    total = sum(caps.values())
    if total < 1 - SLACK:
        caps = {name: cap / total for name, cap in caps.items()}
        notes.append(f"the caps of {len(caps)} families add up to {total:.3g}, less than 1: raised in proportion")
    return caps


def _floor(caps: dict[str, float], name: str, config: MixtureSection) -> float:
    return min(config.family_floor, 1 / len(caps), caps[name])


def _family_shares(sizes: dict[str, int], caps: dict[str, float], config: MixtureSection) -> dict[str, float]:
    floors = {name: _floor(caps, name, config) for name in sizes}
    return share_between({name: size**config.alpha for name, size in sizes.items()}, floors, caps)


def share_between(wanted: dict[str, float], floors: dict[str, float], caps: dict[str, float]) -> dict[str, float]:
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
    return {name: lower[name] + step * (upper[name] - lower[name]) for name in wanted}


def _guard_epochs(
    shares: dict[str, float], sizes: dict[str, int], budget: int, caps: dict[str, float], config: MixtureSection
) -> None:
    epochs = {name: shares[name] * budget / size for name, size in sizes.items()}
    over = [
        name
        for name in sorted(epochs, key=lambda name: (-epochs[name], name))
        if epochs[name] > config.max_epochs * (1 + SLACK)
    ]
    if not over:
        return
    told = ", ".join(f"{name} {epochs[name]:.3g} times" for name in over[:5]) + (
        f" and {len(over) - 5} more" if len(over) > 5 else ""
    )
    limits = {name: config.max_epochs * size / budget for name, size in sizes.items()}
    if sum(min(caps[name], limit) for name, limit in limits.items()) >= ROOM:
        tight = {name: min(caps[name], limits[name]) for name in sizes}
        fitting = _family_shares(sizes, tight, config)
        written = ", ".join(f"{name}: {_round_down(tight[name])}" for name in sizes if tight[name] < caps[name])
        weights = ", ".join(f"{name} {share:.4g}" for name, share in fitting.items())
        mend = f"these weights fit: {weights} (set mixture.family_caps={{{written}}})"
    else:
        length = _largest_length(sizes, caps, config)
        share, whole = length / (config.train_tokens or 1), int(length / config.synthetic_share)
        mend = (
            f"at most {length:,} fit, whatever the weights: set mixture.synthetic_share={_round_down(share)} or "
            f"mixture.train_tokens={whole}"
        )
    raise ConfigError(
        f"mixture.max_epochs must hold for every family, but over {budget:,} synthetic tokens would repeat: "
        f"{told}, above {config.max_epochs:g}; {mend}"
    )


def _largest_length(sizes: dict[str, int], caps: dict[str, float], config: MixtureSection) -> int:
    """Most tokens for which some weights within the caps keep every family at max_epochs or below: sum of min(cap,
    max_epochs * size / length) >= 1.
    """
    low, high = 0, int(config.max_epochs * sum(sizes.values())) + 1
    while high - low > 1:
        middle = (low + high) // 2
        if sum(min(caps[name], config.max_epochs * size / middle) for name, size in sizes.items()) >= ROOM:
            low = middle
        else:
            high = middle
    return low


def _round_down(value: float) -> float:
    """Three significant digits, never above the value."""
    text = f"{value:.2e}"
    return float(text) if float(text) <= value else float(f"{value * 0.995:.2e}")


def _plan_tasks(
    name: str, tokens: dict[str, int], family: Family, budget: int, config: MixtureSection, notes: list[str]
) -> dict[str, Part]:
    """Tasks share their family as families share the blend, under task_cap and with no task above the larger of
    max_epochs and the family's own epochs.
    """
    most = max(config.max_epochs, family.epochs) * (1 + SLACK)
    limits = {task: most * size / (family.share * budget) for task, size in tokens.items()}
    caps = {task: min(config.task_cap, limit) for task, limit in limits.items()}
    if sum(caps.values()) < 1:
        caps = _raise_caps(limits, config.task_cap)
        notes.append(
            f"mixture.task_cap={config.task_cap:g} cannot hold in family {name}: raised to {max(caps.values()):.3g}"
        )
    shares = share_between(
        {task: size**config.alpha for task, size in tokens.items()}, dict.fromkeys(tokens, 0.0), caps
    )
    parts = {}
    for task, size in tokens.items():
        share = shares[task] * family.share
        decided = _decided_by(shares[task], caps[task], 0.0)
        if decided == "cap" and limits[task] <= caps[task]:
            decided = "epochs"
        parts[task] = Part(
            available=size,
            cap=caps[task],
            sampled=round(share * budget),
            share=share,
            epochs=share * budget / size,
            decided_by=decided,
        )
    return parts


def _raise_caps(limits: dict[str, float], cap: float) -> dict[str, float]:
    """The smallest common cap above `cap` with which min(cap, limit) add up to 1. The limits themselves do."""
    ordered = sorted(limits.values())
    below = 0.0
    for place, limit in enumerate(ordered):
        common = (1 - below) / (len(ordered) - place)
        if common <= limit:
            return {task: min(max(cap, common), bound) for task, bound in limits.items()}
        below += limit
    return dict(limits)


def _decided_by(share: float, cap: float, floor: float) -> str:
    if share >= cap * (1 - SLACK):
        return "cap"
    return "floor" if share <= floor * (1 + SLACK) else "temperature"
