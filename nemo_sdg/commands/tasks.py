"""What `nemo-sdg tasks` prints: a table for people or JSON lines for programs, and a summary."""

import sys
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from nemo_sdg.catalog.walk import build_catalog, select
from nemo_sdg.config import GuardSection, SeedsSection
from nemo_sdg.errors import ConfigError
from nemo_sdg.records import CatalogRow, Verdict, json_line

if TYPE_CHECKING:
    from rich.table import Table


def tasks_command(
    seeds: SeedsSection,
    guard: GuardSection,
    *,
    eligible: bool = False,
    refused: bool = False,
    family: str | None = None,
    kind: str | None = None,
    text: str | None = None,
    json_out: bool = False,
) -> None:
    """Prints the catalog, narrowed by `seeds.tasks`, verdict, family, kind of answer, and a text in a task's name or
    dataset path.

    As JSON, one row a line and nothing else. Raises ConfigError for an unknown family or kind.
    """
    catalog = select(build_catalog(seeds, guard), seeds.tasks)
    rows = filter_rows(catalog, eligible=eligible, refused=refused, family=family, kind=kind, text=text)
    if json_out:
        sys.stdout.buffer.writelines(map(json_line, rows))
        sys.stdout.buffer.flush()
        return
    from rich.console import Console

    console = Console() if sys.stdout.isatty() else Console(width=240)
    console.print(table(rows, width=console.width))
    console.print(summary(rows), highlight=False)


def filter_rows(
    rows: Iterable[CatalogRow],
    *,
    eligible: bool = False,
    refused: bool = False,
    family: str | None = None,
    kind: str | None = None,
    text: str | None = None,
) -> list[CatalogRow]:
    """The rows that pass every filter given; both verdicts, or none, mean all."""
    rows = list(rows)
    for name, value, known in (
        ("family", family, {row.family for row in rows}),
        ("kind", kind, {row.kind for row in rows}),
    ):
        if value is not None and value not in known:
            raise ConfigError(f"no task has the {name} {value}; there are {', '.join(sorted(known))}")
    verdicts = {Verdict.eligible if eligible else None, Verdict.refused if refused else None} - {None} or set(Verdict)
    wanted = (text or "").casefold()
    return [
        row
        for row in rows
        if row.verdict in verdicts
        and (family is None or row.family == family)
        and (kind is None or row.kind == kind)
        and (wanted in row.task.casefold() or wanted in str(row.dataset["path"]).casefold())
    ]


def table(rows: Iterable[CatalogRow], *, width: int = 240) -> "Table":
    """A rich table, one task a line; of a refused one its first reason, of an eligible one its licence. Narrow
    terminals get fewer columns.
    """
    from rich.markup import escape
    from rich.table import Table

    columns = {"task": 0, "verdict": 0, "family": 90, "kind": 110, "split": 130, "language": 140, "dataset": 160}
    shown = [name for name, least in columns.items() if width >= least]
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for name in shown:
        grid.add_column(
            name,
            overflow="fold",
            no_wrap=name not in ("task", "verdict", "dataset"),
            ratio=2 if name == "verdict" else None,
        )
    for row in rows:
        dataset = row.dataset
        good = row.verdict == Verdict.eligible
        cells = {
            "task": escape(row.task),
            "verdict": f"[green]eligible[/], {row.license['id']}"
            if good
            else f"[red]refused[/], {escape(row.reasons[0])}",
            "family": row.family,
            "kind": row.kind,
            "split": escape(dataset["splits"]["training"] or "-"),
            "language": " ".join(row.languages[:3]) or "-",
            "dataset": escape(str(dataset["path"]) + (f" ({dataset['name']})" if dataset["name"] else "")),
        }
        grid.add_row(*(cells[name] for name in shown))
    return grid


def summary(rows: Iterable[CatalogRow]) -> str:
    """Counts of leaves and dataset splits, of refusals by reason, and of the eligible by family."""
    rows = list(rows)
    good = [row for row in rows if row.verdict == Verdict.eligible]
    splits = {split_key(row) for row in good}
    declared = sum("declared" in row.dataset for row in good)
    reasons = Counter(row.reasons[0].partition(":")[0] for row in rows if row.verdict != Verdict.eligible)
    families = Counter(row.family for row in good)
    said = f" ({declared:,} by a declared split)" if declared else ""
    lines = [f"{len(rows):,} tasks: {len(good):,} eligible{said}, {len(rows) - len(good):,} refused"]
    if good:
        counted = ", ".join(f"{family} {num:,}" for family, num in families.most_common())
        lines.append(
            f"eligible: {len(splits):,} dataset splits of {len({key[0] for key in splits}):,} datasets in "
            f"{len(families):,} families: {counted}"
        )
    if reasons:
        lines.append("refused: " + ", ".join(f"{reason} {num:,}" for reason, num in reasons.most_common()))
    return "\n".join(lines)


def split_key(row: CatalogRow) -> tuple[str, str, str, str]:
    """What tells one training split from another: dataset path, config, files, split."""
    return (
        str(row.dataset["path"]),
        str(row.dataset["name"]),
        str(row.dataset.get("data_files", "")),
        str(row.dataset["splits"]["training"]),
    )
