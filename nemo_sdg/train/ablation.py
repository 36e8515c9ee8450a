"""Does context help? Arms of equal budget from one checkpoint, scored by lm-eval, compared with paired intervals.

    base         the checkpoint; if the run has a base blend, the checkpoint continued on that blend alone
    no_context   the checkpoint continued on the no_context corpus, with the base blend if there is one
    context      the same with the context corpus: the same samples in the same order, the same number of tokens

Every variant of the run is an arm. The results are written to RUN/ablation/: arms/<arm>/{model.safetensors,
config.json, curve.jsonl, arm.json}, scores/<arm>.json, comparison.json, comparison.md, comparison.png.
"""

import random
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nemo_sdg.errors import ConfigError
from nemo_sdg.storage import atomic_file, write_bytes, write_json

BASE = "base"
ORDER = [BASE, "answer_only", "no_context", "context", "trace"]
"""arms, ordered by how much a document contains"""
METRICS = ["pass_at_1", "pass@1", "acc_norm", "acc", "math_verify", "exact_match", "f1"]
"""the score of a row is the first of these metrics that lm-eval logs for it"""
FILTERS = ["flexible-extract", "custom-extract"]
"""filter that counts if a task has several: the first of these, else the first by name"""
OVER_ALL = "all"


@dataclass(kw_only=True)
class EvaluationSection:
    """The evaluations of the arms."""

    tasks: list[str] = field(default_factory=list)
    """lm-eval names; the guard keeps the splits that they evaluate on out of the seeds"""
    include_path: list[str] = field(default_factory=list)
    """folders with your own lm-eval YAMLs"""
    mirror: str | None = None
    """folder with the evaluation rows, in the layout of seeds.mirror; null = that of the run"""
    groups: dict[str, list[str]] = field(default_factory=dict)
    """name of a group (family, capability) -> tasks"""
    limit: int | None = None
    """maximum number of rows per task"""
    num_fewshot: int | None = None
    """number of examples before each question; null = the task's own number"""
    batch_size: int = 8
    """number of rows that the proxy scores at once"""
    bootstrap_samples: int = 2000
    """number of resamples of the rows behind each interval"""
    confidence: float = 0.95
    """confidence level of the intervals"""
    seed: int = 0
    """random seed of lm-eval and of the resampling"""

    def __post_init__(self) -> None:
        if not 0.5 <= self.confidence < 1.0:
            raise ConfigError(f"evaluation.confidence must be in [0.5, 1), got {self.confidence}")
        if self.bootstrap_samples < 100:
            raise ConfigError(f"evaluation.bootstrap_samples must be >= 100, got {self.bootstrap_samples}")


Scores = dict[str, dict[str, float]]
"""task -> id of the row -> score of that row"""


def arms_of(variants: Iterable[str]) -> list[str]:
    """The base and the variants, ordered by how much a document contains."""
    return [BASE, *sorted(set(variants), key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))]


def pairs_of(arms: list[str]) -> list[tuple[str, str]]:
    """All pairs of arms, the later arm first: differences are its score minus the earlier arm's."""
    return [(second, first) for place, first in enumerate(arms) for second in arms[place + 1 :]]


def row_scores(task: str, rows: list[dict[str, Any]]) -> dict[str, float]:
    """Scores of one task's rows, as lm-eval logs them. Raises ConfigError for a task without a known metric."""
    metric = next((name for name in METRICS if rows and name in rows[0]), None)
    if metric is None:
        raise ConfigError(
            f"evaluation: task {task} gives none of the metrics {', '.join(METRICS)} per row; choose another task"
        )
    filters = sorted(
        {row.get("filter", "none") for row in rows},
        key=lambda name: (FILTERS.index(name) if name in FILTERS else len(FILTERS), name),
    )
    return {str(row["doc_id"]): float(row[metric]) for row in rows if row.get("filter", "none") == filters[0]}


def paired_difference(
    first: Scores, second: Scores, tasks: list[str], evaluation: EvaluationSection, purpose: str
) -> dict[str, Any]:
    """Mean over tasks of first - second on the same rows, with a paired bootstrap interval (Efron and Tibshirani 1993).

    Rows are drawn within each task, so that a large task does not outweigh a small one. The draws depend on the seed
    and `purpose` only.
    """
    differences = []
    for task in tasks:
        if first[task].keys() != second[task].keys():
            raise ConfigError(
                f"task {task} was scored on different rows in the two arms; delete RUN/ablation/scores and run again"
            )
        differences.append([first[task][row] - second[task][row] for row in sorted(first[task])])
    import numpy as np

    draws = np.random.default_rng(random.Random(f"{evaluation.seed}:{purpose}").getrandbits(64))
    means = np.zeros(evaluation.bootstrap_samples)
    for rows in differences:
        # When n rows are drawn with replacement, the counts of the values are multinomial. There are few values, while
        # n may be tens of thousands.
        values, counts = np.unique(rows, return_counts=True)
        means += (
            draws.multinomial(len(rows), counts / len(rows), size=evaluation.bootstrap_samples)
            @ values
            / len(rows)
            / len(differences)
        )
    means.sort()
    tail = (1.0 - evaluation.confidence) / 2
    low, high = float(means[int(tail * len(means))]), float(means[min(len(means) - 1, int((1.0 - tail) * len(means)))])
    return {
        "difference": statistics.fmean(statistics.fmean(rows) for rows in differences),
        "low": low,
        "high": high,
        "rows": sum(len(rows) for rows in differences),
        "verdict": "higher" if low > 0 else "lower" if high < 0 else "within noise",
    }


def compare(scores: dict[str, Scores], groups: dict[str, list[str]], evaluation: EvaluationSection) -> dict[str, Any]:
    """Scores of every arm and differences of every pair: per task, per group, and over all; decreases are flagged.

    Raises ConfigError if the arms were not scored on the same tasks and rows.
    """
    arms = arms_of(set(scores) - {BASE})
    tasks = sorted(scores[BASE])
    for arm in arms:
        if sorted(scores[arm]) != tasks:
            odd = ", ".join(sorted(set(tasks) ^ set(scores[arm])))
            raise ConfigError(
                f"the arms {BASE} and {arm} were not scored on the same tasks ({odd}); evaluate all arms "
                "on the same list"
            )
    members = {
        OVER_ALL: tasks,
        **{name: known for name, names in sorted(groups.items()) if (known := sorted(set(names) & set(tasks)))},
    }
    means = {arm: {task: statistics.fmean(rows.values()) for task, rows in sorted(scores[arm].items())} for arm in arms}
    by_group = {
        arm: {group: statistics.fmean(means[arm][task] for task in names) for group, names in members.items()}
        for arm in arms
    }
    table: dict[str, Any] = {"arms": means, "groups": by_group, "pairs": {}, "falls": []}
    what = {f"task {task}": [task] for task in tasks} | {f"group {group}": names for group, names in members.items()}
    for first, second in pairs_of(arms):
        name = f"{first} - {second}"
        found = {
            key: paired_difference(scores[first], scores[second], names, evaluation, f"{name}:{key}")
            for key, names in what.items()
        }
        table["pairs"][name] = found
        table["falls"] += [f"{name}: {key}" for key, row in found.items() if row["verdict"] == "lower"]
    return table


def markdown(table: dict[str, Any], training: dict[str, dict[str, Any]], evaluation: EvaluationSection) -> str:
    """The comparison as Markdown."""
    arms = list(table["arms"])
    lines = [f"# Ablation: {', '.join(arms)}", ""]
    if table["label"]:
        lines += [f"**{table['label']}.**", ""]
    trained = {name: arm for name, arm in training.items() if arm.get("tokens")}
    if trained:
        lines += ["| arm | trained on tokens | epochs | train loss | valid loss |", "|---|---:|---:|---:|---:|"]
        lines += [
            f"| {name} | {arm['tokens']:,} | {arm['epochs']:.1f} | {arm['train_loss']:.3f} | {arm['valid_loss']:.3f} |"
            for name, arm in trained.items()
        ]
        if BASE not in trained:
            lines += ["", "The base is the checkpoint itself, not trained further: the run has no base blend."]
        lines += ["", "Each arm's valid loss is on its own held-out text: losses of different arms do not compare.", ""]
    lines += ["| | " + " | ".join(arms) + " |", "|---|" + "---:|" * len(arms)]
    for kind, per_arm in (("task", table["arms"]), ("group", table["groups"])):
        lines += [
            f"| {kind} {name} | " + " | ".join(f"{100 * per_arm[arm][name]:.2f}" for arm in arms) + " |"
            for name in per_arm[BASE]
        ]
    percent = f"{100 * evaluation.confidence:g}"
    for name, found in table["pairs"].items():
        lines += ["", f"## {name}", "", verdict_line(name, found), ""]
        lines += [f"| what | difference (points) | {percent}% interval | rows | verdict |", "|---|---:|---:|---:|---|"]
        lines += [
            (
                f"| {what} | {100 * row['difference']:+.2f} | [{100 * row['low']:+.2f}, "
                f"{100 * row['high']:+.2f}] | {row['rows']:,} | {row['verdict']} |"
            )
            for what, row in found.items()
        ]
    lines += [
        "",
        "## What falls",
        "",
        *([f"- {what}" for what in table["falls"]] or ["Nothing falls beyond noise."]),
        "",
        "## What this shows, and what not",
        "",
        *limits(table),
        "",
    ]
    return "\n".join(lines)


def limits(table: dict[str, Any]) -> list[str]:
    """What can and what cannot be concluded from a comparison, as list items."""
    wholes = [found[f"group {OVER_ALL}"] for found in table["pairs"].values()]
    widest = max((row["high"] - row["low"]) / 2 for row in wholes)
    lines = [
        f"- Shown: differences between these trainings, on {wholes[0]['rows']:,} rows of "
        f"{len(table['arms'][BASE]):,} tasks, from one checkpoint at equal budgets.",
        f"- Differences over all tasks of less than about {100 * widest:.1f} points cannot be seen on so few rows."
        if widest
        else "- All arms answer alike on these rows.",
        "- Not shown: what another seed of the training, another order of the data or another budget would give. Each "
        "arm is one training, and the intervals are about rows alone.",
        "- Tasks that resemble the seeds' own measure also how well their form was learned.",
    ]
    if table["label"]:
        lines.append("- Not shown: the effect on a larger model, or at the length of a real continuation.")
    return lines


def verdict_line(name: str, found: dict[str, dict[str, Any]]) -> str:
    """The difference over all tasks in one sentence, which also names tasks and groups that fall."""
    row = found[f"group {OVER_ALL}"]
    size = (
        f"{100 * row['difference']:+.2f} points over all tasks, interval [{100 * row['low']:+.2f}, "
        f"{100 * row['high']:+.2f}]"
    )
    falling = [what for what, part in found.items() if part["verdict"] == "lower"]
    if row["verdict"] == "within noise":
        return f"**{name}: within noise.** {size}: these evaluations do not tell the two apart." + (
            f" But these fall: {', '.join(falling)}." if falling else ""
        )
    if row["verdict"] == "higher" and falling:
        return f"**{name}: higher, but not everywhere.** {size}; these fall: {', '.join(falling)}."
    return f"**{name}: {row['verdict']}.** {size}."


def plot(table: dict[str, Any], curves: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """Training curves and differences with intervals, as PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pair = next(reversed(table["pairs"]))
    found = table["pairs"][pair]
    names = list(found)
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, max(4.5, 0.25 * len(names))))
    for arm, rows in curves.items():
        left.plot([row["tokens"] for row in rows], [row["train_loss"] for row in rows], label=arm, linewidth=1)
    left.set(xlabel="tokens", ylabel="train loss (nats per token)", title="training curves")
    if curves:
        left.legend()
    values = [100 * found[name]["difference"] for name in names]
    errors = [
        [max(0.0, v - 100 * found[n]["low"]) for n, v in zip(names, values, strict=True)],
        [max(0.0, 100 * found[n]["high"] - v) for n, v in zip(names, values, strict=True)],
    ]
    right.errorbar(values, range(len(names)), xerr=errors, fmt="o", capsize=3)
    right.axvline(0, color="grey", linewidth=0.8)
    right.set_yticks(range(len(names)), names)
    right.set(xlabel="points", title=f"{pair}, with interval")
    figure.tight_layout()
    with atomic_file(path) as handle:
        figure.savefig(handle, format="png", dpi=120, metadata={"Software": None})
    pyplot.close(figure)


def write_comparison(
    folder: Path,
    scores: dict[str, Scores],
    groups: dict[str, list[str]],
    arms: dict[str, dict[str, Any]],
    curves: dict[str, list[dict[str, Any]]],
    evaluation: EvaluationSection,
) -> dict[str, Any]:
    """Writes comparison.json, .md and .png from the scores of all arms. `arms` and `curves` are empty for arms that
    were trained elsewhere.
    """
    labels = {str(arm["label"]) for arm in arms.values() if "label" in arm}
    table = {"label": ", ".join(sorted(labels)) or None, "training": arms, **compare(scores, groups, evaluation)}
    plot(table, curves, folder / "comparison.png")
    write_bytes(folder / "comparison.md", markdown(table, arms, evaluation).encode())
    write_json(folder / "comparison.json", table)
    return table
