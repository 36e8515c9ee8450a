"""The first screen: is this corpus good? It has one line per question of a data engineer, with a figure and the rule
that gives its mark.

The rules are shown beside the figures, so that readers can judge them. They are conventions and were not fitted to a
corpus; a rule names the paper that its number comes from.
"""

from collections import Counter
from dataclasses import dataclass

from nemo_sdg.errors import few
from nemo_sdg.export.blend.mixture_file import MixtureFile
from nemo_sdg.export.report.counts import Run, contaminated
from nemo_sdg.export.report.quality import Quality
from nemo_sdg.export.report.sections.parts import percent
from nemo_sdg.export.splits import EvaluationSplits
from nemo_sdg.storage import total_dropped

GOOD, LOOK, BAD = "good", "look", "bad"
ORDER = (GOOD, LOOK, BAD)
ANSWERS = {
    BAD: "No. Do not train on this as it is.",
    LOOK: "Perhaps. Look at these before you train.",
    GOOD: "Yes, as far as this page can measure it.",
}
MAX_NAMED = 3
"""maximum number of names in a line"""


@dataclass(kw_only=True)
class Verdict:
    name: str
    mark: str
    figure: str
    rule: str
    see: str = ""
    """key of the section that shows more"""


@dataclass(kw_only=True)
class Answer:
    """The answer in the largest letters."""

    mark: str
    text: str
    reasons: list[str]
    verdicts: list[Verdict]


def answer(verdicts: list[Verdict]) -> Answer:
    """The worst mark gives the answer; the lines with this mark are its reasons."""
    ranked = sorted(verdicts, key=lambda verdict: -ORDER.index(verdict.mark))
    worst = ranked[0].mark if ranked else LOOK
    reasons = [
        f"{verdict.name} ({verdict.figure.partition(';')[0]})"
        for verdict in ranked
        if verdict.mark == worst and worst != GOOD
    ]
    return Answer(mark=worst, text=ANSWERS[worst], reasons=reasons, verdicts=ranked)


def below(value: float, good: float, look: float) -> str:
    """The mark of a figure that should be high."""
    return GOOD if value >= good else LOOK if value >= look else BAD


def above(value: float, good: float, look: float) -> str:
    """The mark of a figure that should be low."""
    return GOOD if value <= good else LOOK if value <= look else BAD


def judge_run(run: Run, quality: Quality, mixed: MixtureFile | None, splits: EvaluationSplits | None) -> list[Verdict]:
    """All lines that apply, in the order of the page. `mixed` is blend/mixture.json; `splits` are the evaluation splits
    that the run was compared with.
    """
    if not run.kept.num:
        return [Verdict(name="Samples", mark=LOOK, figure="no sample is there yet", rule="a run that came to its end")]
    lines = [
        fluency(quality),
        agreement(run),
        known_answers(run),
        grades(run),
        diversity(quality),
        contamination(run),
        unseen(run, splits),
        licences(run),
        epochs(mixed),
    ]
    return [line for line in lines if line is not None]


def fluency(quality: Quality) -> Verdict:
    rule = (
        "share of new questions, and of solutions, whose loss lies more than 2 nats a token above the median of their "
        "family's seeds: good up to 10%, bad above 30%"
    )
    found = quality.get("fluency")
    if not found:
        why = (quality.get("missing") or {}).get("fluency") or "there is nothing to compare yet"
        return Verdict(name="Fluency", mark=LOOK, figure=f"not measured: {why}", rule=rule, see="fluency")
    worst, parts = 0.0, []
    for what, words in (("question", "new questions read"), ("solution", "solutions read")):
        share = found["shares"].get(what)
        if share is not None:
            num = sum(row["what"] == what for row in found["rows"])
            parts.append(f"{round(share * num)} of {num} {words} like word salad")
            worst = max(worst, share)
    mark = above(worst, 0.1, 0.3)
    ended, ended_seeds = quality.get("unfinished", (0.0, 0.0))
    for share, words in ((quality.get("repeated", 0.0), "repeat themselves"), (ended - ended_seeds, "end unfinished")):
        if share > 0.05:
            parts.append(f"{percent(share)} of the texts {words}")
            mark = max(mark, above(share, 0.05, 0.3), key=ORDER.index)
    return Verdict(name="Fluency", mark=mark, figure="; ".join(parts), rule=rule, see="fluency")


def agreement(run: Run) -> Verdict | None:
    found = run.kept.voted.get("similar")
    if found is None:
        return None
    rule = "mean share of the votes that give the kept answer: good from 75%, bad below 60%; one vote proves nothing"
    mean = found.shares / found.num
    figure = f"{percent(mean)} of the votes agree; all of them in {percent(found.unanimous / found.num)} of the samples"
    mark = below(mean, 0.75, 0.6)
    if found.single / found.num > 0.5:
        mark, figure = max(mark, LOOK, key=ORDER.index), "most answers have one vote, with which nothing can disagree"
    return Verdict(name="Agreement of votes", mark=mark, figure=figure, rule=rule, see="difficulty")


def known_answers(run: Run) -> Verdict | None:
    """How often the solvers are right on the seeds' own questions, whose answers are known."""
    found = run.kept.voted.get("seed")
    if found is None:
        return None
    dropped = total_dropped(run.counts.get("verified", {}))
    missed = dropped["gold_not_reached"] + dropped["reasoning_misses_gold"]
    share = found.shares / (found.num + missed)
    figure = f"{percent(share)} of the blind votes on the seeds' own questions give the gold answer"
    if found.guided:
        figure += f"; {found.guided:,} of {found.num + missed:,} were solved with the gold in sight"
    rule = "where the answer is known, how often the solvers are right: good from 70%, bad below 40%"
    return Verdict(name="Known answers", mark=below(share, 0.7, 0.4), figure=figure, rule=rule, see="difficulty")


def grades(run: Run) -> Verdict:
    rule = "mean of the judge's lowest scores, 1 to 5: good from 4, bad below 3"
    parts, worst = [], GOOD
    for what, (total, num) in sorted(run.kept.grades.items()):
        if num:
            parts.append(f"{what}s {total / num:.1f} of 5 ({int(num):,} graded)")
            worst = max(worst, below(total / num, 4.0, 3.0), key=ORDER.index)
    if not parts:
        return Verdict(name="Judge's grades", mark=LOOK, figure="not graded: the run has no roles.judge", rule=rule)
    return Verdict(name="Judge's grades", mark=worst, figure=", ".join(parts), rule=rule)


def diversity(quality: Quality) -> Verdict | None:
    found = quality.get("diversity")
    if found is None:
        return None
    (new_2, seed_2), (near, near_seeds) = found["distinct_2"], found["nearest"]
    parts = [f"distinct-2 {new_2:.2f} (seeds {seed_2:.2f})", f"nearest other {near:.2f} (seeds {near_seeds:.2f})"]
    mark = max(below(new_2 / max(seed_2, 1e-9), 0.8, 0.5), above(near - near_seeds, 0.15, 0.35), key=ORDER.index)
    if "vendi" in found:
        new, seeds = found["vendi"]
        parts.append(f"Vendi {new:.0f} (seeds {seeds:.0f})")
        mark = max(mark, below(new / max(seeds, 1e-9), 0.7, 0.4), key=ORDER.index)
    rule = (
        "beside as many seeds: distinct-2 good from 80%, bad below 50%; similarity to the nearest other question good "
        "up to 0.15 above, bad above 0.35; Vendi score of embeddings good from 70%, bad below 40%"
    )
    figure = f"{', '.join(parts)}; {found['of']} questions each"
    return Verdict(name="Diversity", mark=mark, figure=figure, rule=rule, see="diversity")


def contamination(run: Run) -> Verdict | None:
    if not run.counts.get("curated"):
        return None
    found = {step: contaminated(run, step).total() for step in ("seeds", "curated")}
    total = sum(row["in"] for row in run.counts["curated"].values())
    share = found["curated"] / max(total, 1)
    figure = (
        f"{found['curated']:,} of {total:,} samples ({percent(share, 1)}) repeated an evaluation row and were taken "
        f"out; {found['seeds']:,} seed rows too"
    )
    rule = (
        "what is found is dropped; the more is found, the more was missed: good up to 1% of the samples, bad above 5%"
    )
    return Verdict(name="Contamination", mark=above(share, 0.01, 0.05), figure=figure, rule=rule, see="contamination")


def unseen(run: Run, splits: EvaluationSplits | None) -> Verdict | None:
    if splits is None:
        return None
    rule = "good when every split to compare with was read; bad when one of the seeds' own data sets was not, or none"
    num_seen, num_unseen = len(splits.seen), len(splits.unseen)
    figure = f"{num_unseen:,} of {num_seen + num_unseen:,} splits to compare with were not seen"
    own = splits.own({path for path, *_ in run.sources})
    if own:
        figure += f"; of the seeds' own data sets: {few(own, MAX_NAMED, between='; ')}"
    mark = BAD if own or not num_seen else LOOK if num_unseen else GOOD
    return Verdict(name="Evaluation splits", mark=mark, figure=figure, rule=rule, see="contamination")


def licences(run: Run) -> Verdict:
    total = run.kept.licenses.total()
    unknown = sum(num for name, num in run.kept.licenses.items() if "unknown" in name.lower())
    bound = sum(
        num for name, num in run.kept.licenses.items() if "-nc" in name.lower() and "unknown" not in name.lower()
    )
    figure = f"{percent(unknown / total)} of the samples have an unknown licence"
    if bound:
        figure += f", {percent(bound / total)} forbid commercial use"
    if not unknown and not bound:
        figure = ", ".join(f"{name} {percent(num / total)}" for name, num in run.kept.licenses.most_common(3))
    mark = BAD if unknown > total / 2 else LOOK if unknown or bound else GOOD
    rule = "good when each is known and none is non-commercial; bad when most are unknown"
    return Verdict(name="Licences", mark=mark, figure=figure, rule=rule, see="licenses")


def epochs(mixed: MixtureFile | None) -> Verdict | None:
    families = (mixed.get("explanation") or {}).get("families") or {} if mixed else {}
    found = Counter({name: float(part["epochs"]) for name, part in families.items()})
    if not found:
        return None
    most = found.most_common(MAX_NAMED)
    figure = ", ".join(f"{name} {value:.1f}" for name, value in most)
    figure += f"; {len(found) - len(most)} more families below" if len(found) > len(most) else ""
    rule = "passes over a family: good up to 4 (Muennighoff et al. 2023), bad above 7 (the cap of Olmo 3)"
    return Verdict(name="Epochs per family", mark=above(most[0][1], 4.0, 7.0), figure=figure, rule=rule, see="mixture")
