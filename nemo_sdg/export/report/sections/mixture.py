"""The section on amounts: the mixture of the blend, packed tokens, lengths."""

from pathlib import Path
from typing import Any

from nemo_sdg.config.export import BANDS
from nemo_sdg.export.blend.mixture_file import MixtureFile
from nemo_sdg.export.report.counts import packed_tokens, read_json_or, token_histograms
from nemo_sdg.export.report.sections import charts
from nemo_sdg.export.report.sections.parts import Section, Table, percent
from nemo_sdg.records.health import LENGTHS, Figures, Health, Lengths


def mixture(run_dir: Path) -> Section:
    section = Section(
        key="mixture",
        title="Mixture",
        about="Train tokens of each family as found, and its share of the blend after temperature, floors and caps.",
    )
    mixed: MixtureFile | None = read_json_or(run_dir / "blend" / "mixture.json", None, MixtureFile)
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
    bands = [
        [name, task, *(f"{part['bands'][band]:.2f}" if band in part["bands"] else "" for band in BANDS)]
        for name, family in plan.items()
        for task, part in family["tasks"].items()
        if part.get("bands")
    ]
    if bands:
        caption = "Epochs of easy, medium and hard samples (mixture.difficulty)"
        section.parts.append(Table(columns=["family", "task", *BANDS], rows=bands, caption=caption))
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
        f"{part['available']:,}",
        percent(share, 1),
        percent(part["cap"], 1),
        percent(part["share"], 1),
        f"{part['sampled']:,}",
        f"{part['epochs']:.2f}",
        part["decided_by"],
    ]


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
            section.add_columns(
                "document-lengths",
                "Documents by their length in tokens",
                labels,
                series,
                xlabel="tokens a document, from",
                ylabel="documents",
                table=("tokens, from", "Documents by length"),
                form="{:,.0f}",
            )
    health: Health = read_json_or(run_dir / "curated" / "health.json", {})
    rows = []
    for name, family in sorted((health.get("families") or {}).items()):
        for what in LENGTHS:
            sizes = (family.get("after") or Figures()).get("characters", {}).get(what)
            if sizes:
                own = (family.get("seeds") or Figures()).get("characters", {}).get(what, Lengths()).get("p50", "")
                rows.append(
                    [name, what, *(f"{size:,}" for size in (sizes["p10"], sizes["p50"], sizes["p90"])), str(own)]
                )
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
