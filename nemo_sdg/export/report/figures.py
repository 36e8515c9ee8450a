"""The counts of a run as sections of the page: figures, each with the table of its numbers, and notes in plain
words.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nemo_sdg.export.report import charts
from nemo_sdg.export.report.counts import Run, packed_tokens, read_json_or, token_histograms

MAX_ROWS = 200
"""rows of a table on the page; what is left out is said"""
MAX_BARS = 24
FIELDS = ("question", "context", "reasoning", "answer")
STAGE_WORDS = {"seeds": "seeds", "before": "verified", "after": "curated"}


@dataclass(kw_only=True)
class Table:
    columns: list[str]
    rows: list[list[Any]]
    caption: str
    open: bool = False
    """unfolded at first"""
    left_out: int = 0

    def __post_init__(self) -> None:
        self.left_out += max(0, len(self.rows) - MAX_ROWS)
        self.rows = self.rows[:MAX_ROWS]


@dataclass(kw_only=True)
class Section:
    key: str
    title: str
    about: str = ""
    """what one sees, and over which records it was measured"""
    notes: list[str] = field(default_factory=list)
    parts: list[charts.Drawing | Table] = field(default_factory=list)
    missing: str = ""
    """why there is nothing to see"""


def percent(value: float | None, digits: int = 0) -> str:
    return "" if value is None else f"{100 * value:.{digits}f}%"


def stages(health: dict[str, Any], what: str) -> dict[str, list[tuple[int, dict[str, Any]]]]:
    """stage -> [(samples, figure)] over the families that have it."""
    found: dict[str, list[tuple[int, dict[str, Any]]]] = {stage: [] for stage in STAGE_WORDS}
    for family in (health.get("families") or {}).values():
        for stage, summary in family.items():
            if stage in found and what in summary:
                found[stage].append((summary["samples"], summary[what]))
    return {stage: rows for stage, rows in found.items() if rows}


def mixture(run_dir: Path) -> Section:
    section = Section(
        key="mixture",
        title="Mixture",
        about="Train tokens of each family as found, and its share of the blend after temperature, floors and caps.",
    )
    mixed = read_json_or(run_dir / "blend" / "mixture.json", None)
    if mixed is None:
        section.missing = "The run has no blend yet."
        return section
    plan = (mixed.get("explanation") or {}).get("families") or {}
    section.notes += (mixed.get("explanation") or {}).get("notes") or []
    found = {name: family["available"] for name, family in plan.items()}
    total = sum(found.values()) or 1
    if plan:
        shares: charts.Series = {
            "as found": [100 * found[name] / total for name in plan],
            "in the blend": [100 * plan[name]["share"] for name in plan],
        }
        section.parts.append(
            charts.bars(
                "mixture",
                "Shares of the families as found and in the blend, in percent",
                list(plan),
                shares,
                unit="share of the train tokens (%)",
            )
        )
        head = ["train tokens", "as found", "cap", "in the blend", "tokens drawn", "epochs", "decided by"]
        rows = [[name, *_plan_row(family, found[name] / total)] for name, family in plan.items()]
        section.parts.append(Table(columns=["family", *head], rows=rows, caption="Families in the blend", open=True))
        tasks = [
            [name, task, *_plan_row(part, part["available"] / total)]
            for name, family in plan.items()
            for task, part in family["tasks"].items()
        ]
        section.parts.append(
            Table(
                columns=["family", "task", *head],
                rows=tasks,
                caption="Tasks in the blend (a task's cap is of its family)",
            )
        )
    variants = mixed.get("variants") or {}
    rows = [
        [name, f"{v['train_tokens']:,}", f"{v['trained_tokens']:,}", f"{v['epochs']:.2f}", v["nemo_validates_on"]]
        for name, v in variants.items()
    ]
    columns = ["variant", "train tokens", "tokens trained on", "epochs", "validated on"]
    section.parts.append(
        Table(
            columns=columns,
            rows=rows,
            caption=f"Variants (budget: {mixed.get('budget')}, synthetic share {mixed.get('synthetic_share')})",
            open=True,
        )
    )
    return section


def _plan_row(part: dict[str, Any], share: float) -> list[str]:
    return [
        f"{part['available']:,}", percent(share, 1), percent(part["cap"], 1), percent(part["share"], 1), f"{part['sampled']:,}", f"{part['epochs']:.2f}",
        part["decided_by"],
    ]  # fmt: skip


def tokens(run_dir: Path) -> Section:
    section = Section(
        key="lengths",
        title="Tokens and lengths",
        about="All packed documents, and the characters of the samples' fields.",
    )
    packed = packed_tokens(run_dir)
    if packed:
        families = sorted({family for rows in packed.values() for family in rows})
        series: charts.Series = {
            variant: [rows.get(family, [0, 0])[1] for family in families] for variant, rows in packed.items()
        }
        section.parts.append(
            charts.bars("tokens", "Packed tokens by family and variant", families, series, unit="tokens")
        )
        rows = [
            [f, v, f"{packed[v][f][0]:,}", f"{packed[v][f][1]:,}", f"{packed[v][f][1] / max(1, packed[v][f][0]):.0f}"]
            for f in families
            for v in packed
            if f in packed[v]
        ]
        section.parts.append(
            Table(
                columns=["family", "variant", "documents", "tokens", "tokens a document"],
                rows=rows,
                caption="Packed tokens",
            )
        )
        histograms = token_histograms(run_dir)
        bins = sorted({b for histogram in histograms.values() for b in histogram})
        if bins:
            labels = [f"{2 ** (b / 2):.0f}" for b in range(bins[0], bins[-1] + 1)]
            series = {
                variant: [histogram[b] for b in range(bins[0], bins[-1] + 1)]
                for variant, histogram in sorted(histograms.items())
            }
            section.parts.append(
                charts.columns(
                    "document-lengths",
                    "Documents by their length in tokens",
                    labels,
                    series,
                    xlabel="tokens a document, from",
                    ylabel="documents",
                )
            )
            rows = [[labels[i], *(f"{values[i]:,.0f}" for values in series.values())] for i in range(len(labels))]
            section.parts.append(Table(columns=["tokens, from", *series], rows=rows, caption="Documents by length"))
    health = read_json_or(run_dir / "curated" / "health.json", {})
    rows = []
    for name, family in sorted((health.get("families") or {}).items()):
        for what in FIELDS:
            sizes = (family.get("after") or {}).get("characters", {}).get(what)
            if sizes:
                own = (family.get("seeds") or {}).get("characters", {}).get(what, {}).get("p50", "")
                rows.append([name, what, *(f"{sizes[q]:,}" for q in ("p10", "p50", "p90")), own])
    if rows:
        section.parts.append(
            Table(
                columns=["family", "field", "10%", "median", "90%", "median of the seeds"],
                rows=rows,
                caption="Characters of curated samples",
            )
        )
    if not section.parts:
        section.missing = "Nothing is packed yet."
    return section


def difficulty(run: Run, health: dict[str, Any]) -> Section:
    about = (
        "How many of the independent votes gave the sample's answer, and difficulty = 1 - that share over "
        "blind votes, before and after curation."
    )
    section = Section(key="difficulty", title="Agreement and difficulty", about=about)
    if run.kept.agreement:
        labels = [f"{step}" for step in range(0, 101, 10)]
        series: charts.Series = {
            f"origin {origin}": [float(found[step]) for step in range(0, 101, 10)]
            for origin, found in sorted(run.kept.agreement.items())
        }
        section.parts.append(
            charts.columns(
                "agreement",
                "Samples by agreement of the votes",
                labels,
                series,
                xlabel="votes that give the answer (%, rounded to tens)",
                ylabel="samples",
            )
        )
        rows = [[labels[i], *(f"{values[i]:,.0f}" for values in series.values())] for i in range(len(labels))]
        section.parts.append(
            Table(columns=["votes in agreement (%)", *series], rows=rows, caption="Samples by agreement")
        )
    found = stages(health, "difficulty")
    if found:
        series = {}
        for stage, parts in found.items():
            total = sum(num for num, _ in parts)
            series[STAGE_WORDS[stage]] = [
                100 * sum(num * part["tenths"][tenth] for num, part in parts) / total for tenth in range(10)
            ]
        labels = [f"{tenth / 10:.1f}" for tenth in range(10)]
        section.parts.append(
            charts.columns(
                "difficulty",
                "Samples by difficulty, before and after curation",
                labels,
                series,
                xlabel="difficulty, from",
                ylabel="samples (%)",
            )
        )
        rows = [[labels[i], *(f"{values[i]:.1f}%" for values in series.values())] for i in range(10)]
        section.parts.append(Table(columns=["difficulty, from", *series], rows=rows, caption="Samples by difficulty"))
    if not section.parts:
        section.missing = "No sample has votes yet."
    return section


def positions(health: dict[str, Any]) -> Section:
    about = (
        "Where the right option stands in selection tasks, and how often it is the longest one. Both should be "
        "near the expected share."
    )
    section = Section(key="positions", title="Answer positions", about=about)
    found = stages(health, "positions")
    if not found:
        section.missing = "No curated sample has options written for its question."
        return section
    letters = sorted({letter for parts in found.values() for _, part in parts for letter in part["shares"]})
    series: charts.Series = {}
    for stage, parts in found.items():
        total = sum(part["of"] for _, part in parts)
        series[STAGE_WORDS[stage]] = [
            100 * sum(part["of"] * part["shares"].get(letter, 0.0) for _, part in parts) / total for letter in letters
        ]
    section.parts.append(
        charts.columns(
            "positions",
            "Position of the right option",
            letters,
            series,
            xlabel="position of the right option",
            ylabel="questions (%)",
        )
    )
    rows = [[letters[i], *(f"{values[i]:.1f}%" for values in series.values())] for i in range(len(letters))]
    section.parts.append(Table(columns=["position", *series], rows=rows, caption="Positions"))
    rows = []
    for name, family in sorted(health["families"].items()):
        after, seeds = family.get("after") or {}, family.get("seeds") or {}
        if "positions" in after:
            longest = after["longest_option_is_right"]
            own = seeds.get("longest_option_is_right", {}).get("share")
            row = [
                name,
                f"{longest['of']:,}",
                f"{after['positions']['evenness']:.2f}",
                percent(longest["share"]),
                percent(longest["expected"]),
                percent(own),
            ]
            rows.append(row)
    columns = ["family", "questions", "evenness (1 = even)", "longest is right", "expected", "in the seeds"]
    section.parts.append(Table(columns=columns, rows=rows, caption="Balance of the options, per family", open=True))
    return section


def languages(run: Run, health: dict[str, Any]) -> Section:
    about = (
        "The language that each kept sample inherits from its seed; beside it, what language identification "
        "says of up to 128 curated questions of each family."
    )
    section = Section(key="languages", title="Languages", about=about)
    ranked = run.kept.languages.most_common(MAX_BARS)
    if not ranked:
        section.missing = "There is no sample yet."
        return section
    section.parts.append(
        charts.bars(
            "languages",
            "Samples by language",
            [name for name, _ in ranked],
            {"samples": [float(num) for _, num in ranked]},
            unit="samples",
        )
    )
    identified: Counter[str] = Counter()
    for _, counts in stages(health, "identified_languages").get("after", []):
        identified.update(counts)
    rows = [
        [name, f"{run.kept.languages[name]:,}", f"{identified[name]:,}"]
        for name in sorted(run.kept.languages | identified, key=lambda n: (-run.kept.languages[n], n))
    ]
    section.parts.append(
        Table(columns=["language", "samples", "identified among those compared"], rows=rows, caption="Languages")
    )
    return section


def diversity(health: dict[str, Any]) -> Section:
    about = (
        "Measured on up to 128 curated samples of each family: how many new questions are near a seed of "
        "theirs (Jaccard of character 5-grams of 0.5 or more), and how much the questions differ among "
        "themselves. In brackets: new questions compared."
    )
    section = Section(key="diversity", title="Nearness to seeds and diversity", about=about)
    rows, shares = [], {}
    for name, family in sorted((health.get("families") or {}).items()):
        after, seeds = family.get("after"), family.get("seeds") or {}
        if not after:
            continue
        near, texts, own = after.get("near_seed"), after.get("diversity") or {}, seeds.get("diversity") or {}
        if near:
            shares[f"{name} ({near['of']})"] = 100 * near["share"]
        opening = texts.get("commonest_opening") or {}
        rows.append([
            name, percent(near["share"]) if near else "", texts.get("of", ""), texts.get("distinct_words", ""), texts.get("distinct_trigrams", ""), own.get("distinct_trigrams", ""),
            texts.get("nearest_neighbour", ""), f"{opening['words']!r}: {percent(opening['share'])}" if opening else "",
        ])  # fmt: skip
    if not rows:
        section.missing = "Nothing is curated yet."
        return section
    if shares:
        section.parts.append(
            charts.bars(
                "near-seeds",
                "New questions near a seed of theirs, by family",
                list(shares),
                {"near": list(shares.values())},
                unit="new questions near a seed (%)",
            )
        )
    columns = [
        "family",
        "near a seed",
        "compared",
        "distinct words",
        "distinct trigrams",
        "of the seeds",
        "nearest neighbour",
        "commonest opening",
    ]
    section.parts.append(Table(columns=columns, rows=rows, caption="Diversity of the questions, per family", open=True))
    return section


def summary_cards(run: Run, packed: dict[str, dict[str, list[int]]]) -> list[tuple[str, str]]:
    """The few numbers that one looks at first."""
    kept = {step: sum(row["kept"] for row in counts.values()) for step, counts in run.counts.items()}
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
            counted: Sequence[dict[str, Any]] = [
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
