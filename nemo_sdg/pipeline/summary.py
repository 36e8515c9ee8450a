"""The summary at the end of a run, in at most LINES lines: result, quality, folder, and the next commands."""

import functools
import importlib.resources
import textwrap
from collections import Counter
from pathlib import Path

import yaml

from nemo_sdg.config import RunConfig
from nemo_sdg.execution.progress import COLUMNS, fit
from nemo_sdg.export.packed_shards import family_sizes, packed_shards
from nemo_sdg.records.health import Health
from nemo_sdg.records.lines import Manifest, StepCounts
from nemo_sdg.storage import different_versions, ranked, read_json, total_dropped, total_kept

LINES = 25
DATA_STEPS = ["seeds", "questions", "screened", "answers", "graded", "verified", "curated"]
LOSSES = 3
"""number of reasons that are explained"""
INDENT = 14


def summary(run_dir: Path, config: RunConfig, facts: Manifest) -> list[str]:
    """The lines. `facts` is the manifest."""
    per_step = {step: facts["steps"][step]["counts"] for step in DATA_STEPS if step in facts["steps"]}
    attempts = sum(row["in"] for row in per_step["questions"].values())
    kept = total_kept(per_step["curated"])
    share = f" ({kept / attempts:.0%})" if attempts else ""
    head = [
        *funnel(per_step),
        "",
        *labelled("yield", [f"{kept:,} of {attempts:,} attempted samples{share}"]),
        *labelled("came out", [came_out(run_dir, per_step["curated"])]),
        *labelled("how good", quality(run_dir, facts)),
        *labelled("versions", [line] if (line := different_versions(run_dir, facts["steps"])) else []),
    ]
    foot = [  # one line each, however long the path is: they are copied
        f"{'blend':<{INDENT}}{run_dir / 'blend'}/",
        f"{'report':<{INDENT}}nemo-sdg report {run_dir} --serve     (or open report/index.html there)",
        f"{'next':<{INDENT}}nemo-sdg sample {run_dir}",
        f"{'':<{INDENT}}nemo-sdg check {run_dir}",
    ]
    told = losses(per_step, attempts, config)
    while len(told) > 1 and len(labelled("", told)) > LINES - len(head) - len(foot):
        told.pop(min(len(told) - 1, LOSSES - 1))
    return [*head, *labelled("lost most", told), *foot]


def funnel(per_step: dict[str, StepCounts]) -> list[str]:
    """One line per step: kept, dropped, and the most frequent reasons for drops."""
    lines = [f"{'step':<10} {'kept':>11} {'dropped':>10}  most dropped for"]
    for step, counts in per_step.items():
        dropped = total_dropped(counts)
        head = f"{step:<10} {total_kept(counts):>11,} {dropped.total():>10,}"
        lines.append(fit([head, *(f"{reason} {num:,}" for reason, num in ranked(dropped))], COLUMNS, between="  "))
    return lines


def labelled(label: str, told: list[str]) -> list[str]:
    """Texts after a label, each on new lines, wrapped at COLUMNS."""
    lines = []
    for number, text in enumerate(told):
        head = f"{label if number == 0 else '':<{INDENT}}"
        lines += textwrap.wrap(
            text, COLUMNS, initial_indent=head, subsequent_indent=" " * INDENT, break_long_words=False,
            break_on_hyphens=False,
        )  # fmt: skip
    return lines


def came_out(run_dir: Path, curated: StepCounts) -> str:
    packed = sorted(family_sizes(packed_shards(run_dir)).items())
    documents = Counter({family: size.documents for family, size in sorted(packed[0][1].items())} if packed else {})
    tokens = {variant: sum(size.tokens for size in families.values()) for variant, families in packed}
    num_tasks = sum(bool(row["kept"]) for row in curated.values())
    each = [f"{name} {num:,}" for name, num in documents.most_common()]
    families = fit(each or ["nothing packed"], 50)
    if more := len(each) - len(families.split(", ")):
        families += f" and {more} more families" if more > 1 else " and 1 more family"
    sizes = ", ".join(f"{num:,} {variant}" for variant, num in tokens.items())
    return f"{num_tasks} tasks; documents: {families}; tokens: {sizes or 'none'}"


def quality(run_dir: Path, facts: Manifest) -> list[str]:
    """Agreement of the votes, the first note, and the evaluation splits that were not compared."""
    path = run_dir / "curated" / "health.json"
    health: Health = read_json(path) if path.is_file() else Health(families={}, notes=[])
    after = [stages["after"] for stages in health["families"].values() if "after" in stages]
    measured = [stage for stage in after if "agreement" in stage]
    lines = []
    if measured:
        num = sum(stage["samples"] for stage in measured)
        agree = sum(stage["samples"] * stage["agreement"] for stage in measured) / num
        guided = sum(stage.get("guidance", {}).get("guided", 0) for stage in after)
        seen = f"; {guided:,} of {num:,} solutions were written with the gold answer in sight" if guided else ""
        lines.append(f"{agree:.0%} of the votes agree with the kept answers{seen}")
    notes = health["notes"]
    if notes:
        more = f" (and {len(notes) - 1} more in the report)" if len(notes) > 1 else ""
        lines.append(textwrap.shorten(f"{notes[0]['group']}: {notes[0]['detail']}", 130, placeholder=" …") + more)
    unseen = len(facts["evaluation_splits_unreachable"])
    if unseen:
        lines.append(f"{unseen:,} evaluation splits could not be seen: nothing was compared with them")
    return lines or ["nothing was measured"]


def losses(per_step: dict[str, StepCounts], attempts: int, config: RunConfig) -> list[str]:
    """The most frequent reasons for lost attempts, and how to reduce them."""
    total = Counter[str]()
    for step, counts in per_step.items():
        if step != "seeds":
            total.update(total_dropped(counts))
    lines = []
    for reason, num in ranked(total)[:LOSSES]:
        means, change = advice().get(reason, ("", "look at some"))
        about = f" ({means})" if means else ""
        lines.append(f"{reason} {num:,} of {attempts:,}{about}: {change}")
    if lines and config.engine.embedded:
        lines.append("the embedded model is small; a strong model with the same configuration keeps far more")
    return lines or ["nothing"]


@functools.cache
def advice() -> dict[str, tuple[str, str]]:
    """reason -> (what it means, what to change)"""
    text = (importlib.resources.files("nemo_sdg.pipeline") / "advice.yaml").read_text(encoding="utf-8")
    return {reason: (row["means"], row["change"]) for row in yaml.safe_load(text) for reason in row["reasons"]}
