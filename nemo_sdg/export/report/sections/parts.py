"""The parts of a section of the page: figures, each with the table of its numbers, and notes in plain words."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from nemo_sdg.export.report.counts import Run
from nemo_sdg.export.report.sections import charts
from nemo_sdg.records.health import Health
from nemo_sdg.storage import total_kept

MAX_ROWS = 200
"""maximum number of rows of a table on the page; the page says how many are left out"""
MAX_BARS = 24
STAGE_WORDS = {"seeds": "seeds", "before": "verified", "after": "curated"}


@dataclass(kw_only=True)
class Table:
    columns: list[str]
    rows: list[list[Any]]
    caption: str
    open: bool = False
    """whether it is unfolded at first"""
    left_out: int = 0

    def __post_init__(self) -> None:
        self.left_out += max(0, len(self.rows) - MAX_ROWS)
        self.rows = self.rows[:MAX_ROWS]


@dataclass(kw_only=True)
class Section:
    key: str
    title: str
    about: str = ""
    """what the section shows, and the records that it was measured on"""
    notes: list[str] = field(default_factory=list)
    parts: list[charts.Drawing | Table] = field(default_factory=list)
    missing: str = ""
    """why the section is empty"""

    def add_columns(
        self,
        name: str,
        title: str,
        labels: list[str],
        series: charts.Series,
        *,
        xlabel: str,
        ylabel: str,
        table: tuple[str, str],
        form: str,
    ) -> None:
        """A figure with vertical bars, and the table of its numbers in this form: `table` is the title of its first
        column, and its caption.
        """
        self.parts.append(charts.columns(name, title, labels, series, xlabel=xlabel, ylabel=ylabel))
        rows = [
            [text, *(form.format(values[place]) for values in series.values())] for place, text in enumerate(labels)
        ]
        self.parts.append(Table(columns=[table[0], *series], rows=rows, caption=table[1]))

    def add_bars(self, name: str, title: str, samples: Counter[str]) -> None:
        """A figure with the numbers of samples, most first."""
        ranked = samples.most_common(MAX_BARS)
        series: charts.Series = {"samples": [float(num) for _, num in ranked]}
        self.parts.append(charts.bars(name, title, [label for label, _ in ranked], series, unit="samples"))


def percent(value: float | None, digits: int = 0) -> str:
    return "" if value is None else f"{100 * value:.{digits}f}%"


def stages(health: Health, what: str) -> dict[str, list[tuple[int, Any]]]:
    """stage -> [(samples, figure)] over the families that have it."""
    found: dict[str, list[tuple[int, Any]]] = {stage: [] for stage in STAGE_WORDS}
    for family in (health.get("families") or {}).values():
        for stage, summary in family.items():
            if stage in found and what in summary:
                found[stage].append((summary["samples"], cast(Mapping[str, Any], summary)[what]))
    return {stage: rows for stage, rows in found.items() if rows}


def summary_cards(run: Run, packed: dict[str, dict[str, list[int]]]) -> list[tuple[str, str]]:
    """The most important numbers of the run."""
    kept = {step: total_kept(counts) for step, counts in run.counts.items()}
    attempts = sum(row["in"] for row in run.counts["questions"].values())
    requests = sum(found.get("requests", 0) for found in run.requests.values())
    cards = [
        ("seed rows", f"{kept['seeds']:,}"),
        ("attempted samples", f"{attempts:,}"),
        (f"{run.samples_step} samples", f"{run.kept.num:,}"),
    ]
    if attempts:
        cards.append(("yield", percent(run.kept.num / attempts, 1)))
    cards += [
        (f"tokens, {variant}", f"{sum(tokens for _, tokens in rows.values()):,}")
        for variant, rows in sorted(packed.items())
    ]
    if requests:
        cards.append(("requests", f"{requests:,}"))
    return cards


def steps_table(run: Run, units: dict[str, str]) -> Table:
    """The funnel as numbers, per family."""
    families = sorted({run.families.get(task, "unknown") for step in list(run.counts)[1:] for task in run.counts[step]})
    rows: list[list[Any]] = []
    for family in ["all", *families]:
        cells: list[str] = []
        for step in run.counts:
            counted = [
                row for task, row in run.counts[step].items() if family in ("all", run.families.get(task, "unknown"))
            ]
            cells.append(
                f"{sum(row['kept'] for row in counted):,} of {sum(row['in'] for row in counted):,}" if counted else ""
            )
        rows.append([family, *cells])
    return Table(
        columns=["family", *(f"{step} ({units[step]})" for step in run.counts)],
        rows=rows,
        caption="Kept per step and family",
    )
