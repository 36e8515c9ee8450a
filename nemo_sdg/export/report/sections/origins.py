"""The sections on origins: licences, sources of the seeds, contamination findings, evaluation splits that could not be
read.
"""

from collections.abc import Iterable

from nemo_sdg.export.report.counts import Run, contaminated
from nemo_sdg.export.report.sections.parts import MAX_ROWS, Section, Table
from nemo_sdg.export.report.shown import Shown
from nemo_sdg.export.splits import EvaluationSplits


def licenses(run: Run) -> Section:
    section = Section(
        key="licenses",
        title="Licences",
        about=(
            "The licence of each kept sample, closed over its seeds and the generating model; below, where the "
            "seeds come from."
        ),
    )
    if run.kept.licenses:
        section.add_bars("licenses", "Samples by effective licence", run.kept.licenses)
        section.parts.append(
            Table(
                columns=["effective licence", "samples"],
                rows=[[name, f"{num:,}"] for name, num in run.kept.licenses.most_common()],
                caption="Samples by licence",
            )
        )
    rows = [
        [path, name, split, revision, licence, f"{num:,}"]
        for (path, name, split, revision, licence), num in sorted(run.sources.items())
    ]
    if rows:
        section.parts.append(
            Table(
                columns=["dataset", "config", "split", "revision", "licence", "seeds"],
                rows=rows,
                caption="Sources of the seeds",
                open=len(rows) <= 20,
            )
        )
    if not section.parts:
        section.missing = "There is no seed yet."
    return section


def contamination(run: Run, records: Iterable[Shown], splits: EvaluationSplits | None) -> Section:
    section = Section(
        key="contamination",
        title="Contamination",
        about="Records that repeat a row of an evaluation split: none of them went on. Each names the row it hit.",
    )
    shown = [(record, record.evaluation) for record in records if record.evaluation]
    reasons = {step: contaminated(run, step) for step in ("curated", "seeds")}
    told = [f"{num:,} in {step} ({why})" for step, found in reasons.items() for why, num in sorted(found.items())]
    section.notes.append(f"Dropped as contaminated: {'; '.join(told) or 'none'}.")
    if shown:
        rows = [
            [
                record.step,
                record.reason,
                record.task,
                next((content.question[:300] for content in (record.sample, *record.seeds) if content), ""),
                row.row,
                row.question[:300],
            ]
            for record, row in shown
        ]
        columns = ["step", "reason", "task", "record", "evaluation row", "its question"]
        total = sum(found.total() for found in reasons.values())
        section.parts.append(
            Table(
                columns=columns,
                rows=rows,
                caption=f"Findings ({min(len(rows), MAX_ROWS):,} of {total:,} shown)",
                open=True,
                left_out=total - len(rows),
            )
        )
    num_seen, unreachable = (len(splits.seen), splits.unseen) if splits else (0, [])
    section.notes.append(
        f"Compared with {num_seen:,} evaluation splits; {len(unreachable):,} splits could not be read, so "
        "nothing is known of them."
    )
    if unreachable:
        why: dict[tuple[str, str, str], list[str]] = {}
        for unseen in unreachable:
            place = str(unseen.get("dataset")), str(unseen.get("name") or ""), str(unseen.get("why"))
            why.setdefault(place, []).append(str(unseen.get("split")))
        rows = [
            [dataset, name, ", ".join(sorted(set(found))), reason]
            for (dataset, name, reason), found in sorted(why.items())
        ]
        section.parts.append(
            Table(
                columns=["dataset", "config", "splits", "why"],
                rows=rows,
                caption=f"Evaluation splits that could not be seen ({len(rows):,} datasets and configs)",
            )
        )
    return section
