"""Writes a grid of mixtures for proxies: blends near the planned one, their shares, and the script that fits results.

    OUT/mix-000/context.blend.json …    the planned mixture, then drawn ones
    OUT/mixtures.csv                    mixture, share.<family>, epochs.<family>
    OUT/fit_mixtures.py                 fits results.csv of your proxies

Shares are drawn from Dirichlet distributions around the plan, wide and narrow ones, as in RegMix (arXiv:2407.01492),
and held under the limit of epochs. A mixture is written as `mixture.family_caps` that add up to 1, so that the one
that is chosen goes into a configuration as it stands.
"""

import csv
import io
import math
from dataclasses import replace
from pathlib import Path

from nemo_sdg.config import MixtureSection, RunConfig
from nemo_sdg.errors import ConfigError
from nemo_sdg.export.blend.family_shares import share_between
from nemo_sdg.export.blend.mixture import Mixture
from nemo_sdg.export.blend.write import plan_blend, write_blend
from nemo_sdg.storage import StepDir, write_bytes, write_json

WIDTHS = (2.0, 8.0, 32.0, 128.0)
"""sum of the Dirichlet parameters: small ones reach the corners, large ones stay near the plan"""
LEAST_SHARE = 1e-4
"""Megatron needs weights above 0"""


def write_grid(packed: StepDir, config: RunConfig, num: int, folder: Path, *, seed: int) -> list[Mixture]:
    """Writes `num` mixtures, the planned one first. Raises ConfigError for one family, or a folder that is not empty.

    The same run, settings, number and seed give the same mixtures.
    """
    import numpy as np

    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"--out {folder} is not empty; give a new folder")
    planned = plan_blend(packed, config.export, config.mixture)
    names = list(planned.families)
    if len(names) < 2:
        raise ConfigError(f"a grid needs several families, the run has only {names[0]}")
    limits = {
        name: max(config.mixture.max_epochs * family.available / planned.budget, family.share)
        for name, family in planned.families.items()
    }
    rng = np.random.default_rng(seed)
    mixtures = [planned]
    while len(mixtures) < num:
        width = WIDTHS[len(mixtures) % len(WIDTHS)]
        drawn = rng.dirichlet([max(width * planned.weights[name], 1e-3) for name in names])
        wanted = {name: max(float(share), LEAST_SHARE) for name, share in zip(names, drawn, strict=True)}
        shares = share_between(wanted, dict.fromkeys(names, min(LEAST_SHARE, *limits.values())), limits)
        mixtures.append(plan_blend(packed, config.export, with_shares(config.mixture, shares)))
    for number, mixture in enumerate(mixtures):
        step = StepDir(run_dir=folder, step=f"mix-{number:03d}", fingerprint="")
        write_blend(step, mixture, config.export, config.blend, packed=packed)
    write_bytes(folder / "mixtures.csv", _table(mixtures).encode())
    write_bytes(folder / "fit_mixtures.py", (Path(__file__).parent / "fit_mixtures.py").read_bytes())
    write_json(folder / "grid.json", {"mixtures": num, "seed": seed, "widths": list(WIDTHS)})
    return mixtures


def with_shares(section: MixtureSection, shares: dict[str, float]) -> MixtureSection:
    """The section whose plan has just these shares: caps that add up to 1."""
    total = math.fsum(shares.values())
    caps = {name: min(1.0, share / total) for name, share in shares.items()}
    return replace(section, family_caps=caps, family_floor=0.0)


def _table(mixtures: list[Mixture]) -> str:
    """As the reference variant sees them; epochs of other variants are in each mixture.json."""
    names = list(mixtures[0].families)
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(["mixture", *(f"share.{name}" for name in names), *(f"epochs.{name}" for name in names)])
    for number, mixture in enumerate(mixtures):
        families = [mixture.families[name] for name in names]
        row = [f"{family.share:.9g}" for family in families] + [f"{family.epochs:.6g}" for family in families]
        writer.writerow([f"mix-{number:03d}", *row])
    return lines.getvalue()
