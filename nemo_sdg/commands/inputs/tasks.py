"""The output of `nemo-sdg tasks`: a table for people or JSON lines for programs, and a summary."""

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator

from nemo_sdg.catalog.selection import select
from nemo_sdg.catalog.walk import build_catalog
from nemo_sdg.commands.inputs.named_seeds import coverage
from nemo_sdg.config import GuardSection, SeedsSection
from nemo_sdg.errors import ConfigError
from nemo_sdg.records import CatalogRow, Verdict, json_line

WIDTH = 240
"""of a line that goes into a file or another program"""


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
    """Prints the catalog, narrowed by `seeds.tasks` and `seeds.files`, verdict, family, kind of answer, and a text in a
    task's name or dataset path.

    As JSON, one row a line and nothing else. Raises ConfigError for an unknown family or kind.
    """
    everything = build_catalog(seeds, guard)
    catalog = select(everything, seeds.wanted) if seeds.wanted else everything
    rows = filter_rows(catalog, eligible=eligible, refused=refused, family=family, kind=kind, text=text)
    if json_out:
        sys.stdout.buffer.writelines(map(json_line, rows))
        sys.stdout.buffer.flush()
        return
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else WIDTH
    sys.stdout.writelines(
        f"{line}\n" for line in table_lines(rows, width=width, color=is_terminal and not os.environ.get("NO_COLOR"))
    )
    print(summary(rows))
    if len(rows) == len(everything):
        print(coverage(everything))


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


COLUMNS = {"task": 0, "verdict": 0, "family": 90, "kind": 110, "split": 130, "language": 140, "dataset": 160}
"""and the width of the terminal from which each is shown"""
_LEAST = {"task": 12, "verdict": 30}


def table_lines(rows: Iterable[CatalogRow], *, width: int = 240, color: bool = False) -> Iterator[str]:
    """One task a line; of a refused one its first reason, of an eligible one its licence. Narrow terminals get fewer
    columns; what is too long is cut, but never a task's name. Plain text: a rich table of 13,000 rows takes 27 s.
    """
    shown = [name for name, least in COLUMNS.items() if width >= least]
    cells = [_cells(row, shown) for row in rows]
    lengths = {name: max([len(name), *(len(row[name]) for row in cells)]) for name in shown}
    if "dataset" in shown:
        lengths["dataset"] = min(lengths["dataset"], 44)
    others = sum(lengths[name] for name in shown if name != "verdict") + 2 * (len(shown) - 1)
    lengths["verdict"] = max(_LEAST["verdict"], width - others)
    yield "  ".join(name.ljust(lengths[name]) for name in shown).rstrip()
    for row in cells:
        parts = [
            row[name].ljust(lengths[name]) if name == "task" else row[name][: lengths[name]].ljust(lengths[name])
            for name in shown
        ]
        line = "  ".join(parts).rstrip()
        line = line if len(line) <= width else line[:width].rstrip()
        yield _colored(line) if color else line


def _cells(row: CatalogRow, shown: list[str]) -> dict[str, str]:
    dataset = row.dataset
    good = row.verdict == Verdict.eligible
    found = {
        "task": row.task,
        "verdict": f"eligible, {row.license['id']}" if good else f"refused, {row.reasons[0]}",
        "family": row.family,
        "kind": str(row.kind),
        "split": dataset["splits"]["training"] or "-",
        "language": " ".join(row.languages[:3]) or "-",
        "dataset": str(dataset["path"]) + (f" ({dataset['name']})" if dataset["name"] else ""),
    }
    return {name: found[name] for name in shown}


def _colored(line: str) -> str:
    for word, code in (("  eligible, ", "32"), ("  refused, ", "31")):
        if word in line:
            return line.replace(word, f"  \x1b[{code}m{word.strip(' ,')}\x1b[0m, ", 1)
    return line


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
