"""Writes the pages of a run: the report as one file, two runs side by side, and the search over all samples. Records
are in the page as compressed data, which is never parsed as markup.
"""

import base64
import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.config import fingerprint
from nemo_sdg.export.blend.mixture_file import MixtureFile
from nemo_sdg.export.report.against import Side, names_of, pairs, settings, tables, verdict_rows
from nemo_sdg.export.report.counts import (
    NUM_EXAMPLES,
    STEPS,
    UNITS,
    WITH_ROLES,
    Run,
    count_run,
    funnel_rows,
    last_step,
    packed_tokens,
    read_json_or,
)
from nemo_sdg.export.report.html import policy, render
from nemo_sdg.export.report.packed import PARTS, packed_documents
from nemo_sdg.export.report.quality import Models, Quality, measure
from nemo_sdg.export.report.records import FindCalls, collect_records
from nemo_sdg.export.report.search import write_search
from nemo_sdg.export.report.sections.ablation import ablation
from nemo_sdg.export.report.sections.fluency import fluency
from nemo_sdg.export.report.sections.mixture import mixture, tokens
from nemo_sdg.export.report.sections.origins import contamination, licenses
from nemo_sdg.export.report.sections.parts import steps_table, summary_cards
from nemo_sdg.export.report.sections.samples import difficulty, diversity, languages, positions
from nemo_sdg.export.report.sections.speed import speed
from nemo_sdg.export.report.shown import Shown, first_samples
from nemo_sdg.export.report.verdicts import answer, judge_run
from nemo_sdg.export.splits import evaluation_splits
from nemo_sdg.records.health import Health
from nemo_sdg.records.lines import Manifest
from nemo_sdg.storage import different_versions, require_run, total_dropped, write_bytes, write_json

MEASURES = 1
"""version of the measures of quality.py"""
NOT_ASKED = "run.measure is false; nemo-sdg report RUN measures it"
MAX_DATA = 3_600_000
"""maximum bytes of compressed, base64-coded records: with figures and tables the page stays under 5 MB"""


__all__ = ["is_current", "policy", "write_against", "write_report", "write_search_pages"]


def is_current(run_dir: Path, facts: Manifest) -> bool:
    """Whether the run's page was made from the same files."""
    path = run_dir / "report" / "index.html"
    if not path.is_file():
        return False
    with open(path, "rb") as handle:
        return f'name="made-from" content="{fingerprint(facts)}"'.encode() in handle.read(4096)


def write_report(
    run_dir: Path, *, facts: Manifest | None = None, find_calls: FindCalls | None = None, models: Models | None = None
) -> Path:
    """Writes report/index.html and returns its path. `facts` is the manifest, read from the run when not given;
    `models` measure fluency and diversity. Raises DataError when it is not a run.
    """
    run = count_run(run_dir)
    records = collect_records(run_dir, run, find_calls)
    facts = facts or read_json_or(run_dir / "manifest.json", None, Manifest)
    path = run_dir / "report" / "index.html"
    quality = measured(run_dir, records, models or Models(missing={"fluency": NOT_ASKED}))
    write_bytes(path, render_page(run_dir, run, records, facts, quality))
    return path


def write_search_pages(run_dir: Path) -> Path:
    """Writes report/search.html and its files: a search over all samples. Raises DataError when it is not a run."""
    require_run(run_dir)
    name = run_dir.resolve().name
    html = render("search.html.jinja", "search.js", beside=" 'self' file:", name=name)
    return write_search(run_dir, last_step(run_dir), html)


def write_against(run_dir: Path, other_dir: Path, models: Models) -> Path:
    """Writes report/against-OTHER.html, which shows two runs side by side, and returns its path. Raises DataError if
    one of them is not a run.
    """
    for folder in (run_dir, other_dir):
        require_run(folder)
    names = names_of(run_dir, other_dir)
    sides = [side_of(folder, name, models) for folder, name in zip((run_dir, other_dir), names, strict=True)]
    path = run_dir / "report" / f"against-{names[1].strip('/').replace('/', '-')}.html"
    page = render(
        "against.html.jinja",
        names=[side.name for side in sides],
        answers=[answer(side.verdicts) for side in sides],
        verdicts=verdict_rows(*sides),
        settings=settings(*sides),
        tables=tables(*sides),
        pairs=pairs(*sides),
    )
    write_bytes(path, page)
    return path


def side_of(run_dir: Path, name: str, models: Models) -> Side:
    run = count_run(run_dir)
    records = collect_records(run_dir, run, None)
    mixed = read_json_or(run_dir / "blend" / "mixture.json", None, MixtureFile)
    verdicts = judge_run(run, measured(run_dir, records, models), mixed, evaluation_splits(run_dir))
    return Side(name=name, run_dir=run_dir, run=run, verdicts=verdicts)


def measured(run_dir: Path, records: list[Shown], models: Models) -> Quality:
    """The result of quality.measure, stored in report/quality.json, so that the same texts are not measured twice."""
    path = run_dir / "report" / "quality.json"
    texts = [[record.id, record.reason, record.sample, record.seeds] for record in records]
    key = fingerprint([texts, MEASURES])
    stored = read_json_or(path, None)
    if isinstance(stored, dict) and stored.get("of") == key:
        quality: Quality = stored["quality"]
        if models.losses is None or "fluency" in quality:
            return quality
    quality = measure(records, models)
    if models.losses is not None or models.vendi is not None:
        write_json(path, {"of": key, "quality": quality})
    return quality


def render_page(run_dir: Path, run: Run, records: list[Shown], facts: Manifest | None, quality: Quality) -> bytes:
    health: Health = read_json_or(run_dir / "curated" / "health.json", {}, Health)
    splits = evaluation_splits(run_dir)
    verdicts = judge_run(run, quality, read_json_or(run_dir / "blend" / "mixture.json", None, MixtureFile), splits)
    sections = [
        fluency(quality),
        difficulty(run, health),
        diversity(health),
        positions(health),
        mixture(run_dir),
        tokens(run_dir),
        languages(run, health),
        licenses(run),
        contamination(run, records, splits),
        speed(run_dir, run),
        ablation(run_dir, run.unreadable),
    ]
    data, shown = pack_data(
        {
            "steps": [step for step in STEPS if run.counts[step] or step not in WITH_ROLES],
            "units": UNITS,
            "funnel": funnel_rows(run),
            "samples_step": run.samples_step,
        },
        records,
    )
    packages: dict[str, str | None] = (facts.get("packages") if facts else None) or {}
    num_drops = sum(record.reason != "" for record in shown)
    return render(
        "page.html.jinja",
        "head.js",
        "page.js",
        made_from=fingerprint(facts) if facts else "",
        data=data,
        name=run_dir.resolve().name,
        fingerprint=facts.get("fingerprint", "") if facts else "",
        version=facts.get("version", "") if facts else "",
        finished=facts is not None,
        answer=answer(verdicts),
        first=first_samples(records),
        cards=summary_cards(run, packed_tokens(run_dir)),
        warnings=warnings(run, health),
        steps_table=steps_table(run, UNITS),
        packed=packed_documents(run_dir),
        parts=PARTS,
        searchable=(run_dir / "report" / "search.html").is_file(),
        sections=sections,
        shown={
            "samples": len(shown) - num_drops,
            "of": run.kept.num,
            "drops": num_drops,
            "of_drops": sum(total_dropped(counts).total() for counts in run.counts.values()),
            "examples": NUM_EXAMPLES,
        },
        samples_step=run.samples_step,
        versions=different_versions(run_dir, [*STEPS, "blend"]),
        packages=sorted((name, version) for name, version in packages.items() if version),
        config=(run_dir / "config.yaml").read_bytes().decode("utf-8", "replace"),
    )


def pack_data(fixed: dict[str, Any], records: list[Shown]) -> tuple[str, list[Shown]]:
    """The records as base64 of gzip, and the records that it contains: fewer samples, and fewer examples of each
    reason, if not all fit into MAX_DATA.
    """
    samples, num_examples = [record for record in records if not record.reason], len(records)
    while True:
        shown = samples + _first_of_each([record for record in records if record.reason], num_examples)
        packed = gzip.compress(orjson.dumps({**fixed, "records": shown}), 6, mtime=0)
        size = len(packed) * 4 / 3
        if size <= MAX_DATA or not shown:
            return base64.b64encode(packed).decode(), shown
        samples = samples[: int(0.9 * len(samples) * MAX_DATA / size)]
        num_examples = int(0.9 * min(num_examples, NUM_EXAMPLES) * MAX_DATA / size)


def _first_of_each(drops: list[Shown], num: int) -> list[Shown]:
    seen: Counter[tuple[str, str]] = Counter()
    kept = []
    for drop in drops:
        seen[drop.step, drop.reason] += 1
        if seen[drop.step, drop.reason] <= num:
            kept.append(drop)
    return kept


def warnings(run: Run, health: Health) -> list[str]:
    """The notes that a reader should know before trusting the corpus."""
    found = [
        f"{num:,} lines of {name} could not be read and are not shown."
        for name, num in sorted(run.unreadable.lines.items())
    ]
    return found + [f"{note['group']}: {note['detail']}." for note in health.get("notes") or []]
