"""What one sees while a run works: a live bar on a terminal, otherwise a plain line every few seconds; progress.jsonl
for machines.

{"time": 1766400000.0, "step": "answers", "worker": "0/4", "done": 120, "total": 400, "per_s": 1.7, "eta_s": 165, "kept": 96, "dropped": {"no_valid_vote": 24},
 "requests": 700, "tokens_per_s": 310.2, "saturation": 0.97, "in_flight": 128, "retries": 2, …}

The same rows go to TensorBoard or Weights & Biases where `run.trackers` asks for it (tracking.py).
"""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from nemo_sdg.execution.tracking import Tracker


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
                **(
                    {"tokens_per_s": round(self.facts["completion_tokens"] / seconds, 1)}
                    if "completion_tokens" in self.facts
                    else {}
                ),
            }


SHOWN_REASONS = 3


def describe(row: dict[str, Any]) -> str:
    """One line of a snapshot: what is done, how fast, until when, the yield, how busy the engine is, and what most is
    dropped for.
    """
    total = f"/{row['total']:,}" if row["total"] is not None else ""
    parts = [f"{row['done']:,}{total} {row['unit']}", f"{row['per_s']:.1f}/s"]
    if row["eta_s"] is not None:
        parts.append(f"ETA {format_seconds(row['eta_s'])}")
    num_dropped = sum(row["dropped"].values())
    if row["kept"] or num_dropped:
        parts.append(f"yield {row['kept'] / (row['kept'] + num_dropped):.0%}")
    parts += describe_engine(row)
    reasons = sorted(row["dropped"].items(), key=lambda item: (-item[1], item[0]))[:SHOWN_REASONS]
    told = f"; dropped: {', '.join(f'{reason} {num:,}' for reason, num in reasons)}" if reasons else ""
    return ", ".join(parts) + told


def describe_engine(row: dict[str, Any]) -> list[str]:
    """What a snapshot says of the engine; nothing for steps that have none."""
    parts = []
    if "saturation" in row:
        parts.append(f"engine {row['saturation']:.0%} busy")
    if row.get("tokens_per_s"):
        parts.append(f"{row['tokens_per_s']:,.0f} output tokens/s")
    for name, word in (("in_flight", "in flight"), ("retries", "retries"), ("replayed", "from the journal")):
        if row.get(name):
            parts.append(f"{row[name]:,} {word}")
    return parts


def last_rows(path: Path, step: str) -> list[dict[str, Any]]:
    """The newest row of each worker for a step, out of progress.jsonl; lines that a crash tore are passed over."""
    newest: dict[Any, dict[str, Any]] = {}
    if path.is_file():
        with open(path, "rb") as handle:
            for line in handle:
                with contextlib.suppress(orjson.JSONDecodeError):
                    row = orjson.loads(line)
                    if row.get("step") == step:
                        newest[row.get("worker")] = row
    return list(newest.values())


class Progress:
    """The display of a run and its progress.jsonl. Nothing that shapes the corpus reads it."""

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
        """One plain line for the user."""
        self.console.print(text, highlight=False, markup=False)

    def _record(self, row: dict[str, Any]) -> None:
        # A full disk is reported by what needs the disk; a display must not stand in for that error.
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
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        last = time.monotonic()
        with Live(console=self.console, refresh_per_second=4, transient=True) as live:
            while not stop.wait(0.25):
                row = state.snapshot()
                lines = Table.grid()
                if row["total"]:
                    lines.add_row(ProgressBar(total=row["total"], completed=row["done"], width=60))
                lines.add_row(Text(f"  {state.step}: {describe(row)}"))
                live.update(lines)
                if time.monotonic() - last >= self.every:
                    last = time.monotonic()
                    self._record(row)
