"""The section on fluency: the share of word salad, and the most and least fluent texts."""

from nemo_sdg.export.report.quality import Quality
from nemo_sdg.export.report.sections import charts
from nemo_sdg.export.report.sections.parts import Section, Table, percent

WORDS = {"seed": "seeds' questions", "question": "new questions", "solution": "solutions"}
NUM_SHOWN = 12
WIDTH = 0.5
"""width of a bar in nats per token"""


def fluency(quality: Quality) -> Section:
    section = Section(
        key="fluency",
        title="Fluency",
        about=(
            "Loss of the embedded language model, in nats a token, over the first 48 tokens of some new questions, "
            "solutions and seeds. What people and good models write lies near the seeds; shuffled or nonsensical text "
            "lies 3 to 4 nats higher. A text far below its seeds may repeat itself."
        ),
    )
    found = quality.get("fluency")
    if not found:
        why = (quality.get("missing") or {}).get("fluency") or "There is nothing to compare yet"
        section.missing = f"Not measured: {why}."
        return section
    rows = found["rows"]
    losses = {words: [row["loss"] for row in rows if row["what"] == what] for what, words in WORDS.items()}
    losses = {words: values for words, values in losses.items() if values}
    bins = sorted({int(value / WIDTH) for values in losses.values() for value in values})
    places = range(bins[0], bins[-1] + 1)
    series: charts.Series = {
        words: [100 * sum(int(value / WIDTH) == place for value in values) / len(values) for place in places]
        for words, values in losses.items()
    }
    labels = [f"{place * WIDTH:.1f}" for place in places]
    section.parts.append(
        charts.columns(
            "fluency",
            "Loss of new questions, solutions and seeds",
            labels,
            series,
            xlabel="loss from (nats a token)",
            ylabel="texts (%)",
        )
    )
    summary = [
        [
            words,
            len([row for row in rows if row["what"] == what]),
            f"{sorted(losses[words])[len(losses[words]) // 2]:.2f}",
            percent(found["shares"][what]),
        ]
        for what, words in WORDS.items()
        if words in losses
    ]
    columns = ["texts", "read", "median loss", f"more than {found['rule']:.0f} nats over their family's seeds"]
    section.parts.append(Table(columns=columns, rows=summary, caption="Losses", open=True))
    ranked = sorted((row for row in rows if row["what"] != "seed"), key=lambda row: -row["over"])
    for name, part in (("Least fluent", ranked[:NUM_SHOWN]), ("Most fluent", ranked[::-1][:NUM_SHOWN])):
        table = [[row["what"], row["family"], f"{row['loss']:.2f}", f"{row['over']:+.2f}", row["text"]] for row in part]
        columns = ["what", "family", "loss", "over its seeds", "text"]
        section.parts.append(Table(columns=columns, rows=table, caption=name, open=name == "Least fluent"))
    return section
