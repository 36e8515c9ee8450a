"""Compares the catalog with the datasets that NVIDIA names as seeds, by family and capability."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from nemo_sdg.catalog.about.families import read_data
from nemo_sdg.catalog.selection import POOL_TAG
from nemo_sdg.records import CatalogRow, Verdict

GPQA = (
    "GPQA: it has one split, which lm-eval evaluates on, so it is refused as a seed. The gain that NVIDIA publishes "
    "for it is not to be expected from this system."
)


@dataclass(kw_only=True)
class NamedSeed:
    """A data set that NVIDIA names as a seed, with what is done with it here."""

    path: str
    name: str | None
    family: str
    capability: str
    why_not: str | None
    """None where it gives seeds"""


def named_seeds(catalog: Iterable[CatalogRow]) -> list[NamedSeed]:
    """`why_not` is the table's reason, else the catalog's first reason for a task on the data set."""
    by_dataset: dict[tuple[str, str | None], list[CatalogRow]] = {}
    for row in catalog:
        path = str(row.dataset["path"])
        for key in {(path, row.dataset["name"]), (path, None)}:
            by_dataset.setdefault(key, []).append(row)
    found = []
    for named in read_data("named_seeds.yaml")["seeds"]:
        rows = by_dataset.get((named.get("as", named["path"]), named.get("name")), [])
        is_eligible = any(row.verdict == Verdict.eligible for row in rows)
        reason = rows[0].reasons[0] if rows and rows[0].reasons else "no task of the catalog reads it"
        found.append(
            NamedSeed(
                path=named["path"],
                name=named.get("name"),
                family=named["family"],
                capability=named["capability"],
                why_not=None if is_eligible and "why" not in named else named.get("why", reason),
            )
        )
    return found


def coverage(catalog: Iterable[CatalogRow]) -> str:
    """Families and capabilities beside NVIDIA's named seeds, each refused one with its reason, and what GPQA means."""
    rows = list(catalog)
    named = named_seeds(rows)
    ours = {(row.family, row.capability) for row in rows if row.verdict == Verdict.eligible}
    families = sorted({(seed.family, seed.capability) for seed in named} | ours)
    tasks = Counter((row.family, row.capability) for row in rows if row.verdict == Verdict.eligible)
    pools = Counter((row.family, row.capability) for row in rows if POOL_TAG in row.groups)
    wanted = Counter((seed.family, seed.capability) for seed in named)
    usable = Counter((seed.family, seed.capability) for seed in named if seed.why_not is None)
    lines = [
        f"named by NVIDIA as seeds: {len(named)} data sets, {sum(usable.values())} give seeds here",
        f"{'family':<27}{'capability':<12}{'eligible':>9}{'of pools':>10}{'NVIDIA names':>14}{'usable of these':>17}",
    ]
    lines += [
        f"{family:<27}{capability:<12}{tasks[family, capability]:>9,}{pools[family, capability]:>10}"
        f"{wanted[family, capability]:>14}{usable[family, capability]:>17}"
        for family, capability in families
    ]
    reasons: dict[str, list[str]] = {}
    for seed in named:
        if seed.why_not is not None:
            reasons.setdefault(seed.why_not, []).append(seed.path + (f" ({seed.name})" if seed.name else ""))
    lines += [f"refused: {', '.join(paths)}: {why}" for why, paths in reasons.items()]
    lines.append(f"pools of further training sets: seeds.tasks=[{POOL_TAG}]")
    lines.append(GPQA)
    return "\n".join(lines)
