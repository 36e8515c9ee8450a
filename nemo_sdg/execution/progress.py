"""The progress display of a run: live on a terminal, occasional lines elsewhere, and progress.jsonl for programs.

{"time": 1766400000.0, "step": "answers", "worker": "0/4", "done": 120, "total": 400, "per_s": 1.7, "eta_s": 165,
 "kept": 96, "dropped": {"no_valid_vote": 24}, "requests": 700, "tokens_per_s": 310.2, "saturation": 0.97,
 "in_flight": 128, "retries": 2, …}

The same rows go to TensorBoard or Weights & Biases where `run.trackers` asks for it (tracking.py).
"""

import contextlib
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from nemo_sdg.execution.rates import RecentRate, TokenWork
from nemo_sdg.records import visible
from nemo_sdg.records.lines import ProgressRow
from nemo_sdg.records.shapes import misfit
from nemo_sdg.storage import ranked

if TYPE_CHECKING:
    from nemo_sdg.execution.tracking import Tracker

WRITES_FILES = "writing batch files"
"""phase of a step whose replies come in files"""
COLUMNS = 100
"""maximum length of a line"""
HEARTBEATS = (30.0, 900.0)
"""seconds until the first plain line of a step, and maximum between two lines; the interval doubles each time"""
LIVE_EVERY = 1.0
"""seconds between two updates of the live display"""


def format_seconds(seconds: float) -> str:
    """`75` as `1:15`, `4000` as `1:06:40`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def roughly(seconds: float) -> str:
    """An estimated time: `40 s`, `12 min`, `3 h 10 min`, `2 days 4 h`."""
    if seconds < 90:
        return f"{max(5, 5 * round(seconds / 5))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        hours, rest = divmod(10 * round(minutes / 10), 60)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, hours = divmod(round(minutes / 60), 24)
    return f"{days} days {hours} h" if hours else f"{days} days"


class StepProgress:
    """Counts of one step while it runs. Thread-safe; cheap enough to call per record."""

    def __init__(self, step: str, total: int | None, unit: str) -> None:
        self.step, self.total, self.unit = step, total, unit
        self.start = time.monotonic()
        self.done = self.kept = 0
        self.initial = -1
        self.dropped: dict[str, int] = {}
        self.facts: dict[str, Any] = {}
        """further figures, such as tokens_per_s, in_flight, retries"""
        self.phase = ""
        """what the step does before the first record is done, such as loading a model"""
        self.moving = ""
        """name of the step's `requests`, such as votes or grades; shown beside the records, since it changes sooner"""
        self.work: TokenWork | None = None
        self.poll: Callable[[StepProgress], None] | None = None
        """updates the counts before they are shown, for instance from receipts on disk"""
        self._rate = RecentRate()
        self._lock = threading.Lock()

    def advance(self, num: int = 1, *, kept: int = 0) -> None:
        with self._lock:
            self.done += num
            self.kept += kept

    def state(self, *, done: int, kept: int, dropped: dict[str, int]) -> None:
        """Sets all counts. Work that was done before the first call does not count for the rate."""
        with self._lock:
            if self.initial < 0:
                self.initial = done
                if self.work is None:
                    self._rate = RecentRate()
            self.done, self.kept, self.dropped = done, kept, dict(dropped)

    def enter(self, phase: str, *, total: int | None = None) -> None:
        """Begins another part of the step, with new counts."""
        with self._lock:
            self.phase, self.done, self.total = phase, 0, total
            self._rate = RecentRate()

    def set(self, **facts: Any) -> None:
        with self._lock:
            self.facts.update(facts)

    def _eta(self, now: float) -> float | None:
        """Seconds left, estimated from tokens if the step generates tokens, else from `done`."""
        if self.work is not None:
            self._rate.note(now, self.facts.get("completion_tokens", 0))
            left = self.work.left()
        else:
            self._rate.note(now, self.done)
            left = None if self.total is None else float(self.total - self.done)
        per_s = self._rate.per_s()
        return left / per_s if left is not None and per_s else None

    def snapshot(self) -> dict[str, Any]:
        if self.poll is not None:
            self.poll(self)
        with self._lock:
            now = time.monotonic()
            seconds = max(now - self.start, 1e-9)
            eta = self._eta(now)
            return {
                "step": self.step,
                "done": self.done,
                "total": self.total,
                "unit": self.unit,
                "seconds": round(seconds, 2),
                "per_s": round((self.done - max(self.initial, 0)) / seconds, 3),
                "eta_s": None if eta is None else round(eta),
                "kept": self.kept,
                "dropped": dict(sorted(self.dropped.items())),
                **({"phase": self.phase} if self.phase else {}),
                **({"moving": self.moving} if self.moving else {}),
                **self.facts,
                **(
                    {"tokens_per_s": round(self.facts["completion_tokens"] / seconds, 1)}
                    if "completion_tokens" in self.facts
                    else {}
                ),
            }


SHOWN_REASONS = 3


def describe(row: dict[str, Any], *, columns: int = COLUMNS) -> str:
    """A snapshot as one line of at most `columns`: records done, requests, time left, yield, load of the engine, most
    frequent reasons for drops. Parts at the end that do not fit are left out.
    """
    total = f"/{row['total']:,}" if row["total"] is not None else ""
    parts = [f"{row['done']:,}{total} {row['unit']}"] if row["done"] or total else []
    if row.get("phase") and not row["done"]:
        parts.insert(0, row["phase"])
    num_moved = row.get("requests", 0) + row.get("replayed", 0)
    if row.get("moving") and num_moved:
        parts.append(f"{num_moved:,} {row['moving']}")
    if row["eta_s"] is not None:
        parts.append(f"ETA {roughly(row['eta_s'])}")
    else:
        parts.append(f"{roughly(row.get('seconds', 0))} so far")
    num_dropped = sum(row["dropped"].values())
    if row["kept"] or num_dropped:
        parts.append(f"{row['kept'] / (row['kept'] + num_dropped):.0%} kept")
    parts += describe_engine(row)
    text = fit(parts, columns)
    reasons = ranked(row["dropped"])[:SHOWN_REASONS]
    return fit([text, *(f"{reason} {num:,}" for reason, num in reasons)], columns, between="; ")


def fit(parts: list[str], columns: int, *, between: str = ", ") -> str:
    """As many of the parts, in order, as fit a line of `columns`; the first part is always shown."""
    text = parts[0]
    for number, part in enumerate(parts[1:]):
        longer = f"{text}{between if number == 0 else ', '}{part}"
        if len(longer) > columns:
            break
        text = longer
    return text


def describe_engine(row: dict[str, Any]) -> list[str]:
    """The figures of the engine in a snapshot; [] for steps without an engine."""
    parts = []
    if row.get("tokens_per_s"):
        parts.append(f"{row['tokens_per_s']:,.0f} output tokens/s")
    if "saturation" in row:
        parts.append(f"engine {row['saturation']:.0%} busy")
    for name, word in (("in_flight", "in flight"), ("retries", "retries"), ("replayed", "from the journal")):
        if row.get(name):
            parts.append(f"{row[name]:,} {word}")
    return parts


def last_rows(path: Path, step: str) -> list[dict[str, Any]]:
    """The newest row of each worker for a step, from progress.jsonl; lines that a crash truncated are skipped."""
    newest: dict[Any, dict[str, Any]] = {}
    if path.is_file():
        with open(path, "rb") as handle:
            for line in handle:
                with contextlib.suppress(orjson.JSONDecodeError):
                    row = orjson.loads(line)
                    if misfit(row, ProgressRow) is None and row["step"] == step:
                        newest[row.get("worker")] = row
    return list(newest.values())


class Progress:
    """The display of a run and its progress.jsonl. Neither affects the corpus."""

    def __init__(
        self,
        path: Path | None,
        *,
        every: float = 10.0,
        worker: str | None = None,
        trackers: "list[Tracker] | None" = None,
    ) -> None:
        from rich.console import Console

        self.path, self.every, self.trackers = path, every, trackers or []
        self.worker = {} if worker is None else {"worker": worker}
        self.console = Console(file=sys.stderr, soft_wrap=True)

    def line(self, text: str) -> None:
        """Prints a plain message in lines of at most COLUMNS; a long path or address is not broken."""
        lines = textwrap.wrap(
            visible(text), COLUMNS, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False,
            drop_whitespace=True, replace_whitespace=False,
        )  # fmt: skip
        self.console.print("\n".join(lines), highlight=False, markup=False)

    def _record(self, row: dict[str, Any]) -> None:
        # A full disk is reported by the code that writes the run's files; the display must not replace that error.
        with contextlib.suppress(OSError):
            self._append(row)
        for tracker in self.trackers:
            tracker.log(row)

    def _append(self, row: dict[str, Any]) -> None:
        if self.path is not None and self.path.parent.is_dir():
            with open(self.path, "ab") as handle:
                handle.write(
                    orjson.dumps(
                        {"time": round(time.time(), 3), **self.worker, **row}, option=orjson.OPT_APPEND_NEWLINE
                    )
                )

    @contextmanager
    def step(self, name: str, total: int | None = None, unit: str = "records") -> Iterator[StepProgress]:
        """Shows a step while it runs. The last state is recorded even if the step fails."""
        state = StepProgress(name, total, unit)
        stop = threading.Event()
        target = self._live if self.console.is_terminal else self._plain
        thread = threading.Thread(target=target, args=(state, stop), daemon=True, name=f"progress-{name}")
        thread.start()
        try:
            yield state
        finally:
            stop.set()
            thread.join()
            self._record({**state.snapshot(), "ended": True})

    def _plain(self, state: StepProgress, stop: threading.Event) -> None:
        """Records a row every `every` seconds, and prints a line when one is due."""
        due, gap = HEARTBEATS[0], HEARTBEATS[0]
        while not stop.wait(min(self.every, due)):
            row = state.snapshot()
            self._record(row)
            if row["seconds"] >= due:
                self.line(f"  {state.step}: {describe(row, columns=COLUMNS - len(state.step) - 4)}")
                due, gap = row["seconds"] + gap, min(2 * gap, HEARTBEATS[1])

    def _live(self, state: StepProgress, stop: threading.Event) -> None:
        from rich.live import Live
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        last = time.monotonic()
        with Live(console=self.console, refresh_per_second=4, transient=True) as live:
            while not stop.wait(LIVE_EVERY):
                row = state.snapshot()
                lines = Table.grid()
                if row["total"]:
                    lines.add_row(ProgressBar(total=row["total"], completed=row["done"], width=60))
                columns = min(COLUMNS, self.console.width) - len(state.step) - 4
                lines.add_row(Text(f"  {state.step}: {describe(row, columns=columns)}", no_wrap=True))
                live.update(lines)
                if time.monotonic() - last >= self.every:
                    last = time.monotonic()
                    self._record(row)
