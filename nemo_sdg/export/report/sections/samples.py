"""The section on samples: agreement and difficulty, positions of the right option, languages, diversity."""

from collections import Counter

from nemo_sdg.export.report.counts import Run
from nemo_sdg.export.report.sections import charts
from nemo_sdg.export.report.sections.parts import STAGE_WORDS, Section, Table, percent, stages
from nemo_sdg.records.health import Differences, Figures, Health, Share


def difficulty(run: Run, health: Health) -> Section:
    about = (
        "How many of the independent votes gave the sample's answer, and difficulty = 1 - that share over "
        "blind votes, before and after curation."
    )
    section = Section(key="difficulty", title="Agreement and difficulty", about=about)
    if run.kept.agreement:
        labels = list(map(str, range(0, 101, 10)))
        series: charts.Series = {
            f"origin {origin}": [float(found[step]) for step in range(0, 101, 10)]
            for origin, found in sorted(run.kept.agreement.items())
        }
        section.add_columns(
            "agreement",
            "Samples by agreement of the votes",
            labels,
            series,
            xlabel="votes that give the answer (%, rounded to tens)",
            ylabel="samples",
            table=("votes in agreement (%)", "Samples by agreement"),
            form="{:,.0f}",
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
        section.add_columns(
            "difficulty",
            "Samples by difficulty, before and after curation",
            labels,
            series,
            xlabel="difficulty, from",
            ylabel="samples (%)",
            table=("difficulty, from", "Samples by difficulty"),
            form="{:.1f}%",
        )
    if not section.parts:
        section.missing = "No sample has votes yet."
    return section


def positions(health: Health) -> Section:
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
    section.add_columns(
        "positions",
        "Position of the right option",
        letters,
        series,
        xlabel="position of the right option",
        ylabel="questions (%)",
        table=("position", "Positions"),
        form="{:.1f}%",
    )
    rows = []
    for name, family in sorted(health["families"].items()):
        after, seeds = family.get("after") or Figures(), family.get("seeds") or Figures()
        if "positions" in after:
            longest = after["longest_option_is_right"]
            own = seeds.get("longest_option_is_right", Share()).get("share")
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


def languages(run: Run, health: Health) -> Section:
    about = (
        "The language that each kept sample inherits from its seed; beside it, what language identification "
        "says of up to 128 curated questions of each family."
    )
    section = Section(key="languages", title="Languages", about=about)
    if not run.kept.languages:
        section.missing = "There is no sample yet."
        return section
    section.add_bars("languages", "Samples by language", run.kept.languages)
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


def diversity(health: Health) -> Section:
    about = (
        "Measured on up to 128 curated samples of each family: how many new questions are near a seed of "
        "theirs (Jaccard of character 5-grams of 0.5 or more), and how much the questions differ among "
        "themselves. In brackets: new questions compared."
    )
    section = Section(key="diversity", title="Nearness to seeds and diversity", about=about)
    rows, shares = [], {}
    for name, family in sorted((health.get("families") or {}).items()):
        after, seeds = family.get("after"), family.get("seeds") or Figures()
        if not after:
            continue
        near, texts = after.get("near_seed"), after.get("diversity") or Differences()
        own = seeds.get("diversity") or Differences()
        if near:
            shares[f"{name} ({near['of']})"] = 100 * near["share"]
        opening = texts.get("commonest_opening")
        rows.append(
            [
                name,
                percent(near["share"]) if near else "",
                texts.get("of", ""),
                texts.get("distinct_words", ""),
                texts.get("distinct_trigrams", ""),
                own.get("distinct_trigrams", ""),
                texts.get("nearest_neighbour", ""),
                f"{opening['words']!r}: {percent(opening['share'])}" if opening else "",
            ]
        )
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
