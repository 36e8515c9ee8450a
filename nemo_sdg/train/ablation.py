"""Does context help? Three arms, equal budgets, one base, scored by lm-eval, compared with intervals.

    base         trained on the seeds' own rows (the proxy), or a checkpoint of yours
    no_context   base, then the no_context corpus
    context      base, then the context corpus: the same samples in the same order, as many tokens

Written to RUN/ablation/: arms/<arm>/{model.safetensors, curve.jsonl, arm.json}, scores/<arm>.json, comparison.json, comparison.md, comparison.png.
"""

import random
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nemo_sdg.errors import ConfigError
from nemo_sdg.store import read_json, write_bytes, write_json
from nemo_sdg.train.proxy import LABEL, ProxySection

ARMS = ["base", "no_context", "context"]
PAIRS = [("no_context", "base"), ("context", "base"), ("context", "no_context")]
METRICS = ["acc_norm", "acc", "exact_match", "f1", "pass_at_1"]
"""the score of a task is the first of these that lm-eval gives for each sample"""


@dataclass(kw_only=True)
class EvaluationSection:
    """What the arms are scored on."""

    tasks: list[str] = field(default_factory=list)
    """lm-eval names; the splits that they evaluate on must not be seeds, and the guard has seen to that"""
    include_path: list[str] = field(default_factory=list)
    groups: dict[str, list[str]] = field(default_factory=dict)
    """name of a group (family, capability) -> tasks"""
    limit: int | None = None
    """rows a task"""
    num_fewshot: int = 0
    bootstrap_samples: int = 2000
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.5 <= self.confidence < 1.0:
            raise ConfigError(f"ablation.evaluation.confidence must be in [0.5, 1), got {self.confidence}")
        if self.bootstrap_samples < 100:
            raise ConfigError(f"ablation.evaluation.bootstrap_samples must be >= 100, got {self.bootstrap_samples}")


@dataclass(kw_only=True)
class AblationSection:
    proxy: ProxySection = field(default_factory=ProxySection)
    evaluation: EvaluationSection = field(default_factory=EvaluationSection)


Scores = dict[str, dict[str, float]]
"""task -> id of the row -> score of that row"""


def sample_scores(results: dict[str, Any]) -> Scores:
    """Scores of each row out of what `lm_eval.simple_evaluate(log_samples=True)` returns. Raises ConfigError for a task without a known metric."""
    scores: Scores = {}
    for task, samples in sorted(results["samples"].items()):
        metric = next((name for name in METRICS if samples and name in samples[0]), None)
        if metric is None:
            raise ConfigError(f"ablation.evaluation: task {task} gives none of the metrics {METRICS} per row; choose another task")
        scores[task] = {f"{sample['doc_id']}:{sample.get('filter', 'none')}": float(sample[metric]) for sample in samples}
    return scores


def paired_difference(first: Scores, second: Scores, tasks: list[str], evaluation: EvaluationSection, purpose: str) -> dict[str, Any]:
    """Mean over tasks of first - second on the same rows, with a paired bootstrap interval (Efron and Tibshirani 1993).

    Rows are drawn within each task, so that a large task does not outweigh a small one. The draws depend on the seed and `purpose` only.
    """
    differences = []
    for task in tasks:
        if first[task].keys() != second[task].keys():
            raise ConfigError(f"task {task} was scored on different rows in the two arms; delete RUN/ablation/scores and run again")
        differences.append([first[task][row] - second[task][row] for row in sorted(first[task])])
    draws = random.Random(f"{evaluation.seed}:{purpose}")
    means = sorted(statistics.fmean(statistics.fmean(draws.choices(rows, k=len(rows))) for rows in differences) for _ in range(evaluation.bootstrap_samples))
    tail = (1.0 - evaluation.confidence) / 2
    low, high = means[int(tail * len(means))], means[min(len(means) - 1, int((1.0 - tail) * len(means)))]
    return {
        "difference": statistics.fmean(statistics.fmean(rows) for rows in differences),
        "low": low,
        "high": high,
        "rows": sum(len(rows) for rows in differences),
        "verdict": "higher" if low > 0 else "lower" if high < 0 else "within noise",
    }


def compare(scores: dict[str, Scores], evaluation: EvaluationSection) -> dict[str, Any]:
    """Scores of every arm and the differences of every pair: per task, per group, and over all; groups that fall are flagged."""
    tasks = sorted(scores[ARMS[0]])
    groups = {"all": tasks, **{name: sorted(set(members) & set(tasks)) for name, members in sorted(evaluation.groups.items()) if set(members) & set(tasks)}}
    table: dict[str, Any] = {
        "arms": {arm: {task: statistics.fmean(rows.values()) for task, rows in sorted(scores[arm].items())} for arm in ARMS},
        "pairs": {},
        "falls": [],
    }
    for first, second in PAIRS:
        name = f"{first} - {second}"
        found = {f"task {task}": paired_difference(scores[first], scores[second], [task], evaluation, f"{name}:{task}") for task in tasks}
        found |= {
            f"group {group}": paired_difference(scores[first], scores[second], members, evaluation, f"{name}:{group}") for group, members in groups.items()
        }
        table["pairs"][name] = found
        table["falls"] += [f"{name}: {what}" for what, row in found.items() if row["verdict"] == "lower"]
    return table


def markdown(table: dict[str, Any], arms: dict[str, dict[str, Any]], evaluation: EvaluationSection) -> str:
    """The comparison as text."""
    tasks = sorted(table["arms"][ARMS[0]])
    lines = ["# Ablation: base, no_context, context", "", f"**{LABEL}.**" if all(arm.get("label") == LABEL for arm in arms.values()) else "", ""]
    lines += ["| arm | trained on tokens | train loss | valid loss |", "|---|---:|---:|---:|"]
    lines += [f"| {name} | {arm['tokens']:,} | {arm['train_loss']:.3f} | {arm['valid_loss']:.3f} |" for name, arm in arms.items()]
    lines += ["", "| task | " + " | ".join(ARMS) + " |", "|---|" + "---:|" * len(ARMS)]
    lines += [f"| {task} | " + " | ".join(f"{100 * table['arms'][arm][task]:.2f}" for arm in ARMS) + " |" for task in tasks]
    percent = f"{100 * evaluation.confidence:g}"
    for name, found in table["pairs"].items():
        lines += ["", f"## {name}", "", f"| what | difference (points) | {percent}% interval | rows | verdict |", "|---|---:|---:|---:|---|"]
        lines += [
            f"| {what} | {100 * row['difference']:+.2f} | [{100 * row['low']:+.2f}, {100 * row['high']:+.2f}] | {row['rows']:,} | {row['verdict']} |"
            for what, row in found.items()
        ]
    lines += ["", "## What falls", "", *([f"- {what}" for what in table["falls"]] or ["Nothing falls beyond noise."]), ""]
    return "\n".join(lines)


def plot(table: dict[str, Any], curves: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """Training curves and differences with intervals, as PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 4.5))
    for arm, rows in curves.items():
        left.plot([row["tokens"] for row in rows], [row["train_loss"] for row in rows], label=arm, linewidth=1)
    left.set(xlabel="tokens", ylabel="train loss (nats per token)", title="training curves")
    left.legend()
    found = table["pairs"]["context - no_context"]
    names = list(found)
    values = [100 * found[name]["difference"] for name in names]
    errors = [
        [max(0.0, v - 100 * found[n]["low"]) for n, v in zip(names, values, strict=True)],
        [max(0.0, 100 * found[n]["high"] - v) for n, v in zip(names, values, strict=True)],
    ]
    right.errorbar(values, range(len(names)), xerr=errors, fmt="o", capsize=3)
    right.axvline(0, color="grey", linewidth=0.8)
    right.set_yticks(range(len(names)), names)
    right.set(xlabel="points", title="context - no_context, with interval")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120, metadata={"Software": None})
    pyplot.close(figure)


def write_comparison(
    folder: Path, scores: dict[str, Scores], arms: dict[str, dict[str, Any]], curves: dict[str, list[dict[str, Any]]], evaluation: EvaluationSection
) -> dict[str, Any]:
    """comparison.json, .md and .png from the scores of all arms."""
    table = {"label": next(iter(arms.values())).get("label"), "training": arms, **compare(scores, evaluation)}
    write_json(folder / "comparison.json", table)
    write_bytes(folder / "comparison.md", markdown(table, arms, evaluation).encode())
    plot(table, curves, folder / "comparison.png")
    return table


def read_scores(folder: Path, arm: str) -> Scores | None:
    """The scores of an arm that was evaluated before."""
    path = folder / "scores" / f"{arm}.json"
    if not path.is_file():
        return None
    found: Scores = read_json(path)
    return found
