"""Fits the results of a grid of mixtures and names the mixture that the fit likes best.

    python fit_mixtures.py results.csv [--mixtures mixtures.csv] [--metric loss] [--higher-is-better]

mixtures.csv stands beside this script: one line a mixture, `share.<family>` and `epochs.<family>`. results.csv is
yours: `mixture` and one column a metric, one line for each proxy that was trained. Two laws are fitted: linear in the
shares with a little ridge (RegMix, arXiv:2407.01492, fits trees and lines), and log-linear, metric = c + exp(line)
(Olmix, arXiv:2602.12237). Each is judged by what it says of a mixture that it was not fitted on (leave one out); only
the better one's choice is printed, and none where neither ranks mixtures better than chance would.

The fit is only as good as the proxies. They rank mixtures from about 15M parameters on, and must see each family as
often as the target will (arXiv:2606.07597). A proxy that is trained on fewer tokens needs a corpus that is smaller in
the same proportion; with the whole corpus it never sees the repetition that `epochs.*` states.
"""

import argparse
import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

RIDGE = 1e-4
FEWEST = 5
"""mixtures with results: below, leaving one out says nothing"""
CANDIDATES = 50_000
CHANCE = 0.5
"""rank correlation of left-out mixtures below which no choice is named"""

Law = Callable[[Any], Any]


def fit_linear(shares: Any, values: Any) -> Law:
    """values ~ shares @ weights; shares sum to 1, so that no constant is needed. Ridge pulls towards the mean."""
    mean, size = values.mean(), shares.shape[1]
    weights = np.linalg.solve(shares.T @ shares + RIDGE * np.eye(size), shares.T @ (values - mean))
    return lambda given: given @ weights + mean


def fit_log_linear(shares: Any, values: Any) -> Law:
    """values ~ c + exp(shares @ weights), or c - exp(...) where that fits better; c by a search over a line."""
    span = np.ptp(values) or 1.0
    best: tuple[float, Law] | None = None
    for sign in (1.0, -1.0):
        for distance in np.geomspace(0.02, 10, 25):
            edge = values.min() - distance * span if sign > 0 else values.max() + distance * span
            law = fit_linear(shares, np.log(sign * (values - edge)))

            def predict(given: Any, law: Law = law, edge: float = edge, sign: float = sign) -> Any:
                return edge + sign * np.exp(law(given))

            error = float(np.square(predict(shares) - values).sum())
            if best is None or error < best[0]:
                best = error, predict
    assert best is not None
    return best[1]


def rank_correlation(one: Any, other: Any) -> float:
    """Spearman's; 0 where one of them is constant."""
    first, second = (np.argsort(np.argsort(values)).astype(float) for values in (one, other))
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def leave_one_out(fit: Callable[[Any, Any], Law], shares: Any, values: Any) -> float:
    """Rank correlation of each value with what is said of it by a fit to all others."""
    said = [
        float(fit(np.delete(shares, place, 0), np.delete(values, place))(shares[place : place + 1])[0])
        for place in range(len(values))
    ]
    return rank_correlation(np.array(said), values)


def best_mixture(law: Law, shares: Any, *, higher: bool) -> Any:
    """The best mixture by the law, among those that were tried and those between them; nothing is extrapolated."""
    between = np.vstack([shares, np.random.default_rng(0).dirichlet(np.full(len(shares), 0.3), CANDIDATES) @ shares])
    said = law(between)
    return between[np.argmax(said) if higher else np.argmin(said)]


def read(results: Path, mixtures: Path, metric: str | None) -> tuple[list[str], Any, Any, str]:
    """Families, shares of the mixtures that have results, the results, and the metric's name."""
    with mixtures.open(newline="") as handle:
        by_name = {row["mixture"]: row for row in csv.DictReader(handle)}
    with results.open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    columns = [name for name in (rows[0] if rows else {}) if name != "mixture"]
    if metric is None and len(columns) == 1:
        metric = columns[0]
    if metric is None or metric not in columns:
        sys.exit(f"{results} has the metrics {', '.join(columns) or 'none'}; choose one by --metric")
    unknown = [row["mixture"] for row in rows if row["mixture"] not in by_name]
    if unknown:
        sys.exit(f"{results} names {unknown[0]}, which {mixtures} does not hold")
    families = [name.removeprefix("share.") for name in next(iter(by_name.values())) if name.startswith("share.")]
    shares = np.array([[float(by_name[row["mixture"]][f"share.{name}"]) for name in families] for row in rows])
    return families, shares, np.array([float(row[metric]) for row in rows]), metric


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--mixtures", type=Path, default=Path(__file__).with_name("mixtures.csv"))
    parser.add_argument("--metric")
    parser.add_argument("--higher-is-better", action="store_true")
    options = parser.parse_args()
    families, shares, values, metric = read(options.results, options.mixtures, options.metric)
    if len(values) < FEWEST:
        sys.exit(f"{len(values)} results are too few to judge a fit by, at least {FEWEST} are needed")
    laws = {"linear": fit_linear, "log-linear": fit_log_linear}
    held = {name: leave_one_out(fit, shares, values) for name, fit in laws.items()}
    for name, correlation in held.items():
        print(f"{name}: rank correlation of left-out mixtures {correlation:.3f} ({len(values)} mixtures, {metric})")
    name = max(held, key=lambda law: held[law])
    if held[name] < CHANCE:
        sys.exit(f"no law ranks mixtures that it has not seen ({held[name]:.3f} < {CHANCE}): no mixture is named")
    best = best_mixture(laws[name](shares, values), shares, higher=options.higher_is_better)
    written = ", ".join(f"{family}: {share:.4f}" for family, share in zip(families, best, strict=True))
    print(f"best by the {name} law: mixture.family_caps={{{written}}} mixture.family_floor=0")


if __name__ == "__main__":
    main()
