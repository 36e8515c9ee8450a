"""The page as one file: markup by Jinja, which escapes, one script and one style that the page's own policy names by
their hashes, and the
records as compressed data that no parser of markup ever sees.
"""

import base64
import gzip
import hashlib
import re
from collections import Counter
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.config import fingerprint
from nemo_sdg.export.report.counts import (
    NUM_EXAMPLES,
    STEPS,
    UNITS,
    WITH_ROLES,
    Run,
    count_run,
    funnel_rows,
    packed_tokens,
    read_json_or,
)
from nemo_sdg.export.report.records import FindCalls, collect_records
from nemo_sdg.export.report.sections import charts
from nemo_sdg.export.report.sections.ablation import ablation
from nemo_sdg.export.report.sections.mixture import mixture, tokens
from nemo_sdg.export.report.sections.origins import contamination, licenses
from nemo_sdg.export.report.sections.parts import steps_table, summary_cards
from nemo_sdg.export.report.sections.samples import difficulty, diversity, languages, positions
from nemo_sdg.export.report.sections.speed import speed
from nemo_sdg.storage import write_bytes

FOLDER = Path(__file__).parent
MAX_DATA = 3_600_000
"""bytes of compressed, base64-coded records: with figures and tables the page stays under 5 MB"""
HIDDEN = {
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
    0x200B,
    0x200E,
    0x200F,
    0x061C,
    0xFEFF,
    *range(0xE0000, 0xE0080),
}
"""characters that turn the direction of text or cannot be seen; names and notes show their numbers instead"""
POLICY = (
    "default-src 'none'; img-src data:; script-src '{script}'; style-src '{style}'; base-uri 'none'; form-action 'none'"
)
NUMBER = re.compile(r"[-+]?[\d,]*\.?\d+%?( of [\d,]+)?")
POLICY_TAG = re.compile(rb'http-equiv="Content-Security-Policy" content="([^"]+)"')


def is_current(run_dir: Path, facts: dict[str, Any]) -> bool:
    """Whether the run's page was made from these very files."""
    path = run_dir / "report" / "index.html"
    if not path.is_file():
        return False
    with open(path, "rb") as handle:
        return f'name="made-from" content="{fingerprint(facts)}"'.encode() in handle.read(4096)


def write_report(run_dir: Path, *, facts: dict[str, Any] | None = None, find_calls: FindCalls | None = None) -> Path:
    """Writes report/index.html and returns its path. `facts` is the manifest, read from the run when not given. Raises
    DataError when it is no run.
    """
    run = count_run(run_dir)
    records = collect_records(run_dir, run, find_calls)
    facts = facts or read_json_or(run_dir / "manifest.json", None)
    path = run_dir / "report" / "index.html"
    write_bytes(path, render_page(run_dir, run, records, facts))
    return path


def render_page(run_dir: Path, run: Run, records: list[dict[str, Any]], facts: dict[str, Any] | None) -> bytes:
    import jinja2

    health = read_json_or(run_dir / "curated" / "health.json", {})
    sections = [
        mixture(run_dir),
        tokens(run_dir),
        difficulty(run, health),
        positions(health),
        languages(run, health),
        diversity(health),
        licenses(run),
        contamination(run_dir, run, records),
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
    script, style = ((FOLDER / name).read_text() for name in ("page.js", "page.css"))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    environment.tests["numberlike"] = lambda cell: NUMBER.fullmatch(str(cell)) is not None
    environment.tests["drawing"] = lambda part: isinstance(part, charts.Drawing)
    num_drops = sum(record["reason"] != "" for record in shown)
    return (
        environment.get_template("page.html.jinja")
        .render(
            made_from=fingerprint(facts) if facts else "",
            policy=POLICY.format(script=_hash(script), style=_hash(style)),
            script=script,
            style=style,
            data=data,
            name=run_dir.resolve().name,
            fingerprint=(facts or {}).get("fingerprint", ""),
            version=(facts or {}).get("version", ""),
            finished=facts is not None,
            cards=summary_cards(run, packed_tokens(run_dir)),
            warnings=warnings(run, health),
            steps_table=steps_table(run, UNITS),
            sections=sections,
            shown={
                "samples": len(shown) - num_drops,
                "of": run.kept.num,
                "drops": num_drops,
                "of_drops": count_drops(run),
                "examples": NUM_EXAMPLES,
            },
            samples_step=run.samples_step,
            packages=sorted(
                (name, version) for name, version in ((facts or {}).get("packages") or {}).items() if version
            ),
            config=(run_dir / "config.yaml").read_bytes().decode("utf-8", "replace"),
        )
        .encode("utf-8", "replace")
    )


def policy(page: bytes) -> str:
    """The content security policy of a page, for a server to send along."""
    found = POLICY_TAG.search(page)
    return found[1].decode().replace("&#39;", "'") if found else "default-src 'none'"


def pack_data(fixed: dict[str, Any], records: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """Gzip and base64 of the records, and those that fit into MAX_DATA: fewer samples, and fewer examples of each
    reason.
    """
    samples, num_examples = [record for record in records if not record["reason"]], len(records)
    while True:
        shown = samples + _first_of_each([record for record in records if record["reason"]], num_examples)
        packed = gzip.compress(orjson.dumps({**fixed, "records": shown}), 6, mtime=0)
        size = len(packed) * 4 / 3
        if size <= MAX_DATA or not shown:
            return base64.b64encode(packed).decode(), shown
        samples = samples[: int(0.9 * len(samples) * MAX_DATA / size)]
        num_examples = int(0.9 * min(num_examples, NUM_EXAMPLES) * MAX_DATA / size)


def _first_of_each(drops: list[dict[str, Any]], num: int) -> list[dict[str, Any]]:
    seen: Counter[tuple[str, str]] = Counter()
    kept = []
    for drop in drops:
        seen[drop["step"], drop["reason"]] += 1
        if seen[drop["step"], drop["reason"]] <= num:
            kept.append(drop)
    return kept


def visible(value: Any) -> str:
    """Text in which characters that hide or turn others are seen as their numbers; the template's escaping comes
    after.
    """
    return "".join(
        f"[U+{ord(c):04X}]" if ord(c) in HIDDEN or (ord(c) < 32 and c not in "\n\t") else c for c in str(value)
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def count_drops(run: Run) -> int:
    return sum(sum(row["dropped"].values()) for counts in run.counts.values() for row in counts.values())


def warnings(run: Run, health: dict[str, Any]) -> list[str]:
    """What one should know before trusting the corpus."""
    found = [
        f"{num:,} lines of {name} could not be read and are not shown."
        for name, num in sorted(run.unreadable.lines.items())
    ]
    return found + [f"{note['group']}: {note['detail']}." for note in health.get("notes") or []]
