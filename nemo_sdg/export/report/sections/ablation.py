"""The section on the ablation of a run, if there is one: scores, differences with intervals, training curves."""

from pathlib import Path

from nemo_sdg.export.report.counts import read_json_or
from nemo_sdg.export.report.rows import Unreadable, read_records
from nemo_sdg.export.report.sections import charts
from nemo_sdg.export.report.sections.parts import Section, Table

MAX_DRAWN = 40
"""maximum number of groups and tasks in a figure, groups first; the tables have all of them"""


def ablation(run_dir: Path, unreadable: Unreadable) -> Section:
    about = "Three arms from one base on equal budgets; a difference counts when its interval does not hold zero."
    section = Section(key="ablation", title="Ablation", about=about)
    folder = run_dir / "ablation"
    compared = read_json_or(folder / "comparison.json", None)
    if compared is None:
        section.missing = "No ablation was made of this run: nemo-sdg ablate CONFIG makes one."
        return section
    if compared.get("label"):
        section.notes.append(f"{compared['label']}.")
    arms = compared["arms"]
    tasks = sorted({task for scores in arms.values() for task in scores})
    means = {
        **{f"group {name}": name for name in next(iter(compared.get("groups", {}).values()), {})},
        **{task: task for task in tasks},
    }
    by_arm = {arm: {**compared.get("groups", {}).get(arm, {}), **scores} for arm, scores in arms.items()}
    shown = dict(list(means.items())[:MAX_DRAWN])
    series: charts.Series = {
        arm: [100 * scores[name] if name in scores else None for name in shown.values()]
        for arm, scores in by_arm.items()
    }
    section.parts.append(
        charts.bars("scores", "Scores of the arms by group and task", list(shown), series, unit="score (%)")
    )
    rows = [
        [task, *(f"{100 * scores[task]:.2f}" if task in scores else "" for scores in arms.values())] for task in tasks
    ]
    section.parts.append(
        Table(columns=["task", *(f"{arm} (%)" for arm in arms)], rows=rows, caption="Scores", open=True)
    )
    for number, (pair, found) in enumerate(compared["pairs"].items()):
        first = dict(sorted(found.items(), key=lambda item: item[0].startswith("task "))[:MAX_DRAWN])
        points = [(100 * row["difference"], 100 * row["low"], 100 * row["high"]) for row in first.values()]
        section.parts.append(
            charts.intervals(
                f"difference-{number}",
                f"Difference {pair} with intervals",
                list(first),
                points,
                unit=f"{pair} (points)",
            )
        )
        rows = [
            [
                what,
                f"{100 * row['difference']:+.2f}",
                f"{100 * row['low']:+.2f} to {100 * row['high']:+.2f}",
                f"{row['rows']:,}",
                row["verdict"],
            ]
            for what, row in found.items()
        ]
        section.parts.append(
            Table(
                columns=["what", "difference (points)", "interval", "rows", "verdict"],
                rows=rows,
                caption=f"Differences, {pair}",
            )
        )
    curves = {
        arm: [row for _, row in read_records([folder / "arms" / arm / "curve.jsonl"], unreadable)] for arm in arms
    }
    drawn: charts.Curves = {
        arm: ([row["tokens"] for row in rows], [row["train_loss"] for row in rows])
        for arm, rows in curves.items()
        if rows
    }
    if drawn:
        section.parts.append(
            charts.lines(
                "curves",
                "Training curves of the arms",
                [("train loss (nats/token)", drawn)],
                xlabel="tokens trained on",
                from_zero=False,
            )
        )
    training = compared.get("training") or {}
    rows = [
        [
            arm,
            f"{row['tokens']:,}",
            f"{row['train_loss']:.3f}",
            f"{row['valid_loss']:.3f}" if row.get("valid_loss") is not None else "",
        ]
        for arm, row in training.items()
    ]
    if rows:
        section.parts.append(
            Table(columns=["arm", "tokens", "train loss", "valid loss"], rows=rows, caption="Training of the arms")
        )
    section.notes += [f"Falls: {what}" for what in compared.get("falls") or []] or ["Nothing falls beyond noise."]
    return section
