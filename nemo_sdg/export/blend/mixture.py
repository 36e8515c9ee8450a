"""Plans the mixture: how often the training sees each family and task, and which share of the blend that is in each
variant.

    available {"context": {"science": {"sciq": 9_000_000, "arc_easy": 1_000_000}, "math": {"gsm8k": 2_000_000}},
               "no_context": {"science": {"sciq": 6_000_000, …}, …}}                       tokens of the train split
    ->  for the variant with most tokens: available, cap, sampled, share, epochs and what decided the share, per
        family and task; for every variant: tokens to train on, epochs, and its own share of each family and task

Shares follow tokens ** alpha (temperature sampling, as in mBERT and XLM-R), held between a floor and a cap. Weights
repeat what is scarce instead of throwing away what is plenty, but nothing repeats more than `max_epochs` times in any
variant. A sample is seen as often in each variant, so that variants differ in their texts alone; their shares of
tokens differ where contexts are longer in one family than in another.
"""

import decimal
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from nemo_sdg.config import Budget, MixtureSection
from nemo_sdg.errors import ConfigError, DataError, few
from nemo_sdg.export.blend.difficulty import band_epochs
from nemo_sdg.export.blend.family_shares import SLACK, Family, Task, Tokens, plan_families

LARGEST_SHARE = 0.999
"""of the synthetic part in a blend with base datasets, which need weights above 0"""
NAMED = 5
"""families in a note"""
Bands = Mapping[str, Mapping[str, Mapping[str, int]]]
"""family -> task -> band of difficulty -> tokens of the train split"""
HALVINGS = 40
"""of the interval in which the epochs of the longest variant are searched"""


@dataclass(kw_only=True)
class Seen:
    """A family or task in one variant."""

    available: int
    share: float
    """of the variant's synthetic part"""
    epochs: float
    tasks: dict[str, "Seen"] = field(default_factory=dict)
    bands: dict[str, float] = field(default_factory=dict)
    """epochs of a task's bands of difficulty, where mixture.difficulty weighs them"""


@dataclass(kw_only=True)
class VariantPlan:
    """The training of one variant."""

    available: int
    """tokens of its train split"""
    trained_tokens: int
    """of its synthetic part, repeats included"""
    epochs: float
    """trained_tokens / available"""
    synthetic_share: float
    """of its blend, which the base datasets complete"""
    total_tokens: int
    """length of the continuation with the base datasets: what the trainer is given as its number of tokens"""
    families: dict[str, Seen]


@dataclass(kw_only=True)
class Mixture:
    """A plan for the blend."""

    reference: str
    """the variant with most tokens, to which shares, caps and `families` refer"""
    budget: int
    """tokens drawn from its synthetic part: train_tokens * synthetic_share, or one pass when no training length is
    set
    """
    families: dict[str, Family]
    variants: dict[str, VariantPlan]
    notes: list[str]
    """settings that could not be kept, and what was done instead"""

    @property
    def weights(self) -> dict[str, float]:
        """Share of each family in the reference; they sum to 1."""
        return {name: family.share for name, family in self.families.items()}

    def epochs(self, family: str, task: str, band: str = "") -> float:
        """Of a task, or a band of it, in the reference; of the whole for a task that has no train document."""
        planned = self.families.get(family)
        if planned is None or task not in planned.tasks:
            return self.variants[self.reference].epochs
        return planned.tasks[task].bands.get(band, planned.tasks[task].epochs)

    def as_dict(self) -> dict[str, Any]:
        """For mixture.json, where each variant stands apart."""
        plan = asdict(self)
        del plan["variants"]
        return plan


def plan_mixture(
    available: Mapping[str, Tokens],
    config: MixtureSection,
    budget: Budget = Budget.samples,
    bands: Mapping[str, Bands] | None = None,
) -> Mixture:
    """Plans the epochs of families and tasks from the tokens of each variant; what has no tokens is left out.

    Budget `tokens` gives every variant as many tokens to train on; budget `samples` as many epochs. `max_epochs` holds
    for every family, task and variant, against `train_tokens` or one pass over the longest variant. Caps give way to
    it, and to what is there (two families, each capped at 0.4), as little as needed and with a note: a run on few
    families is an everyday case and its corpus is still wanted. A floor gives way to a cap, and to 1 / families.
    `bands` are the tokens of each variant by difficulty, for mixture.difficulty: it changes what is drawn within a
    task, and no share of a task.

    Raises ConfigError when the whole corpus, repeated `max_epochs` times, is shorter than the training, with the
    settings that would fit; DataError when there are no tokens at all.
    """
    cleaned = {variant: _with_tokens(tokens) for variant, tokens in available.items()}
    totals = {variant: _total(tokens) for variant, tokens in cleaned.items()}
    if not totals or not min(totals.values()):
        empty = next((variant for variant, total in totals.items() if not total), None)
        where = f"variant {empty}: " if empty else ""
        raise DataError(f"{where}there is nothing to mix: no family has a token in the split train")
    reference = max(totals, key=lambda variant: totals[variant])
    notes: list[str] = []
    length = _length(totals, reference, config, budget, notes)
    most, hard = config.max_epochs, {variant: (bands or {}).get(variant, {}) for variant in cleaned}
    if budget is Budget.tokens:
        most = _epochs_of_reference(cleaned, hard, totals, reference, length, config)
    families = _plan_reference(cleaned[reference], hard[reference], length, most, config, notes)
    notes += [*_held(families, config), *_held_bands(families, most, config)]
    if unknown := sorted(set(config.family_caps) - set(families)):
        notes.append(
            f"mixture.family_caps names {', '.join(unknown)}, of which there is no document: {', '.join(families)} are"
        )
    plans = {
        variant: _plan_variant(families, tokens, hard[variant], length, config, budget)
        for variant, tokens in cleaned.items()
    }
    return Mixture(reference=reference, budget=length, families=families, variants=plans, notes=notes)


def _held(families: dict[str, Family], config: MixtureSection) -> list[str]:
    """A note on the families whose share the limit of epochs decides."""
    held = [name for name, family in families.items() if family.decided_by == "epochs"]
    if not held or len(held) == len(families):
        return []
    epochs, named = max(families[name].epochs for name in held), few(held, NAMED)
    return [f"mixture.max_epochs={config.max_epochs:g} lets these families repeat {epochs:.3g} times: {named}"]


def _held_bands(families: dict[str, Family], most: float, config: MixtureSection) -> list[str]:
    """A note where the limit of epochs keeps a band below what mixture.difficulty asks."""
    held = sum(
        max(task.bands.values(), default=0.0) > task.epochs and max(task.bands.values()) >= most * (1 - 2 * SLACK)
        for family in families.values()
        for task in family.tasks.values()
    )
    if not held:
        return []
    return [f"mixture.max_epochs={config.max_epochs:g} holds mixture.difficulty back in {held} tasks"]


def _plan_reference(
    tokens: Tokens, bands: Bands, length: int, most: float, config: MixtureSection, notes: list[str]
) -> dict[str, Family]:
    families = plan_families(tokens, length, most, config, notes)
    for name, own in bands.items() if config.difficulty else ():
        for task, part in families[name].tasks.items():
            part.bands = band_epochs(own[task], config.difficulty, part.epochs, most)
    return families


def _with_tokens(tokens: Tokens) -> dict[str, dict[str, int]]:
    kept = {
        family: {task: num for task, num in sorted(tasks.items()) if num > 0}
        for family, tasks in sorted(tokens.items())
    }
    return {family: tasks for family, tasks in kept.items() if tasks}


def _total(tokens: Tokens) -> int:
    return sum(sum(tasks.values()) for tasks in tokens.values())


def _length(totals: dict[str, int], reference: str, config: MixtureSection, budget: Budget, notes: list[str]) -> int:
    """Tokens to draw from the reference."""
    shortest = min(totals, key=lambda variant: totals[variant]) if budget is Budget.tokens else reference
    most = config.max_epochs * totals[shortest]
    if config.train_tokens is None:
        wanted = totals[reference]
        if wanted <= most * (1 + SLACK):
            return wanted
        notes.append(
            f"one pass over {reference} ({wanted:,} tokens) is more than mixture.max_epochs={config.max_epochs:g} "
            f"passes over {shortest}: the weights are those of a training of {max(1, int(most)):,} synthetic tokens"
        )
        return max(1, int(most))
    wanted = max(1, int(config.train_tokens * config.synthetic_share))
    if wanted <= most * (1 + SLACK):
        return wanted
    epochs = wanted / totals[shortest]
    ways = [f"mixture.max_epochs={_round(epochs, decimal.ROUND_CEILING)}"]
    if (fitting := int(most / config.synthetic_share)) >= 1:
        ways.insert(0, f"mixture.train_tokens={fitting}")
    if config.synthetic_share < 1:
        ways.insert(1, f"mixture.synthetic_share={_round(most / config.train_tokens, decimal.ROUND_FLOOR)}")
    raise ConfigError(
        f"mixture.max_epochs={config.max_epochs:g} cannot hold: {wanted:,} synthetic tokens are {epochs:.3g} passes "
        f"over the {totals[shortest]:,} tokens of {shortest}, whatever the weights; set {' or '.join(ways)}"
    )


def _epochs_of_reference(
    tokens: dict[str, dict[str, dict[str, int]]],
    bands: Mapping[str, Bands],
    totals: dict[str, int],
    reference: str,
    length: int,
    config: MixtureSection,
) -> float:
    """The most that a task may repeat in the reference, so that none repeats more than max_epochs times in a variant
    that reaches the same number of tokens with shorter texts. Equal epochs for all fit, see `_length`.
    """

    def fits(most: float) -> bool:
        families = _plan_reference(tokens[reference], bands[reference], length, most, config, [])
        worst = max(
            max([seen.epochs, *seen.bands.values()])
            for variant, own in tokens.items()
            for family in _plan_variant(families, own, bands[variant], length, config, Budget.tokens).families.values()
            for seen in family.tasks.values()
        )
        return worst <= config.max_epochs * (1 + SLACK)

    if fits(config.max_epochs):
        return config.max_epochs
    low, high = length / totals[reference], config.max_epochs
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _plan_variant(
    families: dict[str, Family], tokens: Tokens, bands: Bands, length: int, config: MixtureSection, budget: Budget
) -> VariantPlan:
    """The same epochs as in the reference, all by one factor higher or lower where the budget is in tokens."""
    drawn = {
        name: {
            task: _drawn(families[name].tasks[task], num, bands.get(name, {}).get(task, {}))
            for task, num in tasks.items()
        }
        for name, tasks in tokens.items()
    }
    total = sum(sum(tasks.values()) for tasks in drawn.values())
    # With base datasets every variant is trained as long: what a shorter corpus leaves free goes to the base.
    alone, whole = config.synthetic_share == 1, length / config.synthetic_share
    factor = length / total if budget is Budget.tokens else 1.0 if alone else min(1.0, whole * LARGEST_SHARE / total)
    trained = total * factor
    seen = {}
    for name, tasks in tokens.items():
        parts = {
            task: Seen(
                available=num,
                share=drawn[name][task] / total,
                epochs=drawn[name][task] * factor / num,
                bands={band: epochs * factor for band, epochs in families[name].tasks[task].bands.items()},
            )
            for task, num in tasks.items()
        }
        size, share = sum(tasks.values()), sum(part.share for part in parts.values())
        seen[name] = Seen(available=size, share=share, epochs=share * trained / size, tasks=parts)
    available = _total(tokens)
    return VariantPlan(
        available=available,
        trained_tokens=round(trained),
        epochs=trained / available,
        synthetic_share=1.0 if alone else trained / whole,
        total_tokens=round(trained if alone else whole),
        families=seen,
    )


def _drawn(part: Task, num: int, bands: Mapping[str, int]) -> float:
    """Tokens that are drawn of a task of `num` tokens with the epochs of the reference."""
    if not part.bands:
        return part.epochs * num
    return sum(part.bands.get(band, part.epochs) * tokens for band, tokens in bands.items())


def _round(value: float, rounding: str) -> float:
    """Three significant digits, so that advice that is rounded still fits."""
    return float(decimal.Context(prec=3, rounding=rounding).create_decimal_from_float(value))
