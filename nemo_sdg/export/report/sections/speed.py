"""The section on speed, from progress.jsonl and the journals: the only part of the report that depends on the clock and
the machine.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from nemo_sdg.export.report.counts import Run, read_json_or
from nemo_sdg.export.report.rows import Unreadable, read_records
from nemo_sdg.export.report.sections import charts
from nemo_sdg.export.report.sections.parts import Section, Table
from nemo_sdg.records.lines import ProgressRow
from nemo_sdg.records.shapes import misfit

GENERATION = ("questions", "screened", "answers", "graded")
NUM_BINS = 60
TIMES = [(86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s")]


def speed(run_dir: Path, run: Run) -> Section:
    section = Section(
        key="speed",
        title="Speed and cost",
        about="What the engine was asked for, how busy it was, and how long each step took.",
    )
    rows = list(progress_rows(run_dir, run.unreadable))
    unit, scale = _time_unit(rows)
    panels: dict[str, charts.Curves] = {"output tokens/s": {}, "engine saturation (%)": {}}
    for step in GENERATION:
        for title, (times, values) in series([row for row in rows if row.get("step") == step], rows, scale).items():
            if times:
                panels[title][step] = (times, values)
    if any(panels.values()):
        drawing = charts.lines(
            "speed",
            "Output tokens a second and saturation of the engine over time",
            list(panels.items()),
            xlabel=f"time since the run began ({unit})",
        )
        section.parts.append(drawing)
        points = [
            [step, f"{t:.2f}", f"{tokens:,.1f}"]
            for step, (times, values) in panels["output tokens/s"].items()
            for t, tokens in zip(times, values, strict=True)
        ]
        section.parts.append(
            Table(
                columns=["step", f"time ({unit})", "output tokens/s"], rows=points, caption="Output tokens/s over time"
            )
        )
    if run.requests.get("questions") or run.requests.get("answers"):
        table = [
            [
                step,
                *(f"{found.get(name, 0):,}" for name in ("requests", "prompt_tokens", "completion_tokens")),
                f"{found['p95_tokens']:,}" if "p95_tokens" in found else "",
                with_share(found.get("length", 0), found.get("requests", 0)),
                f"{found.get('refused', 0):,}",
            ]
            for step, found in run.requests.items()
            if found or step in ("questions", "answers")
        ]
        columns = [
            "step",
            "requests",
            "prompt tokens",
            "output tokens",
            "95% end within",
            "cut at max_tokens",
            "refused",
        ]
        section.parts.append(
            Table(columns=columns, rows=table, caption="Requests paid for, from the journals", open=True)
        )
    if rows:
        columns = ["step", "seconds", "records or shards", "tokens/s", "saturation", "retries", "from journal or cache"]
        section.parts.append(
            Table(columns=columns, rows=step_times(rows), caption="Steps, all sessions together", open=True)
        )
        section.notes += between(rows)
        if learned := learned_limits(rows):
            columns = ["step", "requests", "mean limit", "mean max_tokens", "cut, sent again in full", "tokens cut"]
            section.parts.append(Table(columns=columns, rows=learned, caption="Learned limits of replies", open=True))
    section.parts += forecast_table(run_dir, run, section)
    if not section.parts:
        section.missing = "The run has no progress.jsonl."
    return section


def progress_rows(run_dir: Path, unreadable: Unreadable) -> Iterator[ProgressRow]:
    for _, row in read_records([run_dir / "progress.jsonl"], unreadable):
        if misfit(row, ProgressRow) is None:
            yield cast(ProgressRow, row)


def sessions(rows: list[ProgressRow]) -> list[list[ProgressRow]]:
    """Splits the rows of one step into sessions, which are rows of one process in order: a new session begins at
    another worker, or when the seconds decrease.
    """
    found: dict[Any, list[list[ProgressRow]]] = {}
    for row in rows:
        own = found.setdefault(row.get("worker"), [])
        if not own or row.get("seconds", 0) < own[-1][-1].get("seconds", 0):
            own.append([])
        own[-1].append(row)
    return [session for own in found.values() for session in own]


def series(
    rows: list[ProgressRow], everything: list[ProgressRow], scale: float
) -> dict[str, tuple[list[float], list[float]]]:
    """Output tokens/s and saturation of a step over up to 60 time intervals, summed over workers."""
    if not rows:
        return {}
    begin = min(row["time"] - row.get("seconds", 0) for row in rows)
    length = max(max(row["time"] for row in rows) - begin, 1e-3)
    origin = min(row["time"] - row.get("seconds", 0) for row in everything)
    num = min(NUM_BINS, max(1, len(rows)))
    tokens, busy, weight = [0.0] * num, [0.0] * num, [0.0] * num
    for session in sessions(rows):
        before_time, before_tokens = session[0]["time"] - session[0].get("seconds", 0), 0
        for row in session:
            seconds, gained = row["time"] - before_time, row.get("completion_tokens", 0) - before_tokens
            if seconds > 0:
                _spread(tokens, gained, before_time - begin, row["time"] - begin, length)
                _spread(busy, seconds * row.get("saturation", 0.0), before_time - begin, row["time"] - begin, length)
                _spread(weight, seconds, before_time - begin, row["time"] - begin, length)
            before_time, before_tokens = row["time"], row.get("completion_tokens", 0)
    times = [(begin - origin + (place + 0.5) * length / num) / scale for place in range(num)]
    return {
        "output tokens/s": (times, [value * num / length for value in tokens]),
        "engine saturation (%)": (
            times,
            [100 * value / max(seconds, 1e-9) for value, seconds in zip(busy, weight, strict=True)],
        ),
    }


def with_share(num: int, total: int) -> str:
    """`12 (0.3%)`"""
    return f"{num:,} ({num / total:.1%})" if num else "0"


def _spread(bins: list[float], amount: float, start: float, end: float, length: float) -> None:
    """Spreads an amount evenly over the bins between two times."""
    wide = length / len(bins)
    for place in range(min(len(bins) - 1, int(start / wide)), min(len(bins) - 1, int(end / wide)) + 1):
        overlap = min(end, (place + 1) * wide) - max(start, place * wide)
        bins[place] += amount * max(0.0, overlap) / (end - start)


def step_times(rows: list[ProgressRow]) -> list[list[str]]:
    table = []
    for step in dict.fromkeys(row["step"] for row in rows):
        last = [session[-1] for session in sessions([row for row in rows if row["step"] == step])]
        seconds, tokens = (
            sum(row.get("seconds", 0) for row in last),
            sum(row.get("completion_tokens", 0) for row in last),
        )
        busy = sum(row.get("saturation", 0) * row.get("seconds", 0) for row in last) / seconds if seconds else 0
        asked = any("requests" in row for row in last)
        table.append(
            [
                step,
                f"{seconds:,.1f}",
                (f"{max(row.get('done', 0) for row in last):,} {last[-1].get('unit', '')}"),
                f"{tokens / seconds:,.1f}" if tokens and seconds else "",
                f"{100 * busy:.0f}%" if asked else "",
                f"{sum(row.get('retries', 0) for row in last):,}" if asked else "",
                f"{sum(row.get('replayed', 0) for row in last):,}" if asked else "",
            ]
        )
    return table


def learned_limits(rows: list[ProgressRow]) -> list[list[str]]:
    """Per step, the requests that were first sent with a learned limit; [] where none was."""
    table = []
    for step in dict.fromkeys(row["step"] for row in rows if row.get("limited")):
        last = [session[-1] for session in sessions([row for row in rows if row["step"] == step])]
        num = sum(row.get("limited", 0) for row in last)
        cut = sum(row.get("sent_again_tokens", 0) for row in last)
        table.append(
            [
                step,
                f"{num:,}",
                f"{sum(row.get('learned_tokens', 0) for row in last) / num:,.0f}",
                f"{sum(row.get('full_tokens', 0) for row in last) / num:,.0f}",
                with_share(sum(row.get("sent_again", 0) for row in last), num),
                with_share(cut, cut + sum(row.get("completion_tokens", 0) for row in last)),
            ]
        )
    return table


def between(rows: list[ProgressRow]) -> list[str]:
    """A note if the seconds of the steps explain much less than the whole time."""
    span = max(row["time"] for row in rows) - min(row["time"] - row.get("seconds", 0) for row in rows)
    own = sum(
        session[-1].get("seconds", 0)
        for step in dict.fromkeys(row["step"] for row in rows)
        for session in sessions([row for row in rows if row["step"] == step])
    )
    if span < 60 or own > 0.8 * span:
        return []
    return [
        f"{span / 60:,.1f} minutes went by from the first line of progress.jsonl to the last; the seconds of the steps "
        f"add up to {own / 60:,.1f} minutes. The rest is loading, work without progress rows, and pauses between "
        "sessions."
    ]


def forecast_table(run_dir: Path, run: Run, section: Section) -> list[Any]:
    """Compares the tokens and cost so far with report/forecast.json, if there is one."""
    forecast = read_json_or(run_dir / "report" / "forecast.json", None)
    if not isinstance(forecast, dict):
        section.notes.append(
            "There is no forecast to compare with: nemo-sdg forecast CONFIG --save writes one into the run."
        )
        return []
    spent = {
        name: sum(found.get(name, 0) for found in run.requests.values())
        for name in ("requests", "prompt_tokens", "completion_tokens")
    }
    rate = forecast.get("tokens_per_s_per_gpu") or 0
    spent["accepted_samples"] = run.kept.num
    hours = spent["completion_tokens"] / rate / 3600 if rate else 0.0
    rows = [
        [
            name.replace("_", " "),
            f"{spent[name]:,}",
            f"{forecast.get(name, 0):,}",
            _ratio(spent[name], forecast.get(name)),
        ]
        for name in spent
    ]
    rows.append(
        [
            f"GPU-hours at {rate:,.0f} tokens/s",
            f"{hours:,.3f}",
            f"{forecast.get('gpu_hours', 0):,.3f}",
            _ratio(hours, forecast.get("gpu_hours")),
        ]
    )
    if forecast.get("cost") is not None and forecast.get("gpu_hours"):
        cost = hours * forecast["cost"] / forecast["gpu_hours"]
        rows.append(["cost", f"{cost:,.2f}", f"{forecast['cost']:,.2f}", _ratio(cost, forecast["cost"])])
    return [
        Table(
            columns=["what", "so far", "forecast", "so far / forecast"],
            rows=rows,
            caption=f"Spent so far and forecast (rates: {forecast.get('rates')})",
            open=True,
        )
    ]


def _ratio(value: float, of: Any) -> str:
    return f"{100 * value / of:.0f}%" if isinstance(of, int | float) and of else ""


def _time_unit(rows: list[ProgressRow]) -> tuple[str, float]:
    length = max((row["time"] for row in rows), default=0.0) - min((row["time"] for row in rows), default=0.0)
    return next(((unit, scale) for scale, unit in TIMES if length >= 3 * scale), ("s", 1.0))
