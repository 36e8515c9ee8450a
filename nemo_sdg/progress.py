"""What one sees while a run works: a live bar on a terminal, otherwise a plain line every few seconds; progress.jsonl for machines.

{"time": 1766400000.0, "step": "answers", "done": 120, "total": 400, "per_s": 1.7, "eta_s": 165, "kept": 96, "dropped": {"no_valid_vote": 24}}
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson


def format_seconds(seconds: float) -> str:
    """`75` as `1:15`, `4000` as `1:06:40`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


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
        self.poll: Callable[[StepProgress], None] | None = None
        """brings the counts up to date before they are shown, from receipts on disk for instance"""
        self._lock = threading.Lock()

    def advance(self, num: int = 1, *, kept: int = 0, dropped: dict[str, int] | None = None) -> None:
        with self._lock:
            self.done += num
            self.kept += kept
            for reason, count in (dropped or {}).items():
                self.dropped[reason] = self.dropped.get(reason, 0) + count

    def state(self, *, done: int, kept: int, dropped: dict[str, int]) -> None:
        """Sets the counts as a whole; what was done at the first call does not count into the rate."""
        with self._lock:
            if self.initial < 0:
                self.initial = done
            self.done, self.kept, self.dropped = done, kept, dict(dropped)

    def set(self, **facts: Any) -> None:
        with self._lock:
            self.facts.update(facts)

    def snapshot(self) -> dict[str, Any]:
        if self.poll is not None:
            self.poll(self)
        with self._lock:
            seconds = max(time.monotonic() - self.start, 1e-9)
            per_s = (self.done - max(self.initial, 0)) / seconds
            eta = (self.total - self.done) / per_s if self.total is not None and per_s > 0 else None
            return {
                "step": self.step,
                "done": self.done,
                "total": self.total,
                "unit": self.unit,
                "seconds": round(seconds, 2),
                "per_s": round(per_s, 3),
                "eta_s": None if eta is None else round(eta),
                "kept": self.kept,
                "dropped": dict(sorted(self.dropped.items())),
                **self.facts,
            }


def describe(row: dict[str, Any]) -> str:
    """One line of a snapshot: what is done, how fast, until when, and the yield."""
    total = f"/{row['total']}" if row["total"] is not None else ""
    parts = [f"{row['done']}{total} {row['unit']}", f"{row['per_s']:.1f}/s"]
    if row["eta_s"] is not None:
        parts.append(f"ETA {format_seconds(row['eta_s'])}")
    num_dropped = sum(row["dropped"].values())
    if row["kept"] or num_dropped:
        parts.append(f"yield {row['kept'] / (row['kept'] + num_dropped):.0%}")
    extra = set(row) - {"step", "done", "total", "unit", "seconds", "per_s", "eta_s", "kept", "dropped"}
    return ", ".join(parts + [f"{key.replace('_', ' ')} {row[key]}" for key in sorted(extra)])


class Progress:
    """The display of a run and its progress.jsonl. Nothing that shapes the corpus reads it."""

    def __init__(self, path: Path | None, *, every: float = 10.0) -> None:
        from rich.console import Console

        self.path, self.every = path, every
        self.console = Console(file=sys.stderr, soft_wrap=True)

    def line(self, text: str) -> None:
        """One plain line for the user."""
        self.console.print(text, highlight=False, markup=False)

    def _record(self, row: dict[str, Any]) -> None:
        if self.path is not None and self.path.parent.is_dir():
            with open(self.path, "ab") as handle:
                handle.write(orjson.dumps({"time": round(time.time(), 3), **row}, option=orjson.OPT_APPEND_NEWLINE))

    @contextmanager
    def step(self, name: str, total: int | None = None, unit: str = "records") -> Iterator[StepProgress]:
        """Shows a step while it runs; the last state is recorded also when the step fails."""
        state = StepProgress(name, total, unit)
        stop = threading.Event()
        if self.console.is_terminal:
            target, arguments = self._live, (state, stop)
        else:
            target, arguments = self._plain, (state, stop)
        thread = threading.Thread(target=target, args=arguments, daemon=True, name=f"progress-{name}")
        thread.start()
        try:
            yield state
        finally:
            stop.set()
            thread.join()
            self._record({**state.snapshot(), "ended": True})

    def _plain(self, state: StepProgress, stop: threading.Event) -> None:
        while not stop.wait(self.every):
            row = state.snapshot()
            self._record(row)
            self.line(f"  {state.step}: {describe(row)}")

    def _live(self, state: StepProgress, stop: threading.Event) -> None:
        from rich.live import Live
        from rich.text import Text

        last = time.monotonic()
        with Live(console=self.console, refresh_per_second=4, transient=True) as live:
            while not stop.wait(0.25):
                row = state.snapshot()
                live.update(Text(f"  {state.step}: {describe(row)}"))
                if time.monotonic() - last >= self.every:
                    last = time.monotonic()
                    self._record(row)
