"""Estimates the rate of a step and the remaining time from its last minutes."""

import itertools
import statistics
from collections import deque
from dataclasses import dataclass

STRETCH = 15.0
"""seconds; the rate is the median over stretches of this length"""
WINDOW = 12
"""number of stretches that count: the last three minutes"""
FIRST_SECONDS = 20.0
"""seconds before the first estimate"""


class RecentRate:
    """Units per second: the median over stretches of the last minutes, so that a burst (replies from a journal) or a
    stall (an unreachable server) changes it little. If most stretches have no progress, it is the mean since the
    beginning.

        rate.note(now, done) ...    rate.per_s()    None before FIRST_SECONDS
    """

    def __init__(self) -> None:
        self._notes: deque[tuple[float, float]] = deque()
        self._first: tuple[float, float] | None = None

    def note(self, now: float, value: float) -> None:
        """Notes that `value` units are done at the time `now`, in seconds."""
        if self._first is None or value < self._notes[-1][1]:
            self._first = (now, value)
            self._notes.clear()
        self._notes.append((now, value))
        while len(self._notes) > 2 and self._notes[1][0] < now - STRETCH * WINDOW:
            self._notes.popleft()

    def per_s(self) -> float | None:
        if self._first is None:
            return None
        now, value = self._notes[-1]
        elapsed = now - self._first[0]
        if elapsed < FIRST_SECONDS:
            return None
        num = min(WINDOW, int((now - self._notes[0][0]) / STRETCH))
        ends = [self._at(now - STRETCH * back) for back in range(num, -1, -1)]
        recent = [(late - early) / STRETCH for early, late in itertools.pairwise(ends)]
        median = statistics.median(recent) if recent else 0.0
        return median or (value - self._first[1]) / elapsed

    def _at(self, time: float) -> float:
        """The value at a time between two notes."""
        before = self._notes[0]
        for after in self._notes:
            if after[0] >= time:
                share = (time - before[0]) / (after[0] - before[0]) if after[0] > before[0] else 1.0
                return before[1] + share * (after[1] - before[1])
            before = after
        return before[1]


@dataclass(kw_only=True)
class TokenWork:
    """The work of a generation step in output tokens, since records need very different numbers of requests.

    The expected tokens of a record are the mean over the finished records and one estimate, which is `requests` times
    the mean tokens of a completion.
    """

    records: int
    requests: float = 1.0
    """expected requests per record, used until records are finished"""
    finished: int = 0
    finished_tokens: int = 0
    open: int = 0
    tokens: int = 0
    """tokens of all completions, including those from the journal"""
    num_completions: int = 0

    def take(self, tokens: int) -> None:
        self.tokens += tokens
        self.num_completions += 1

    def left(self) -> float | None:
        """Tokens that are still to be generated; None before the first completion."""
        if not self.num_completions:
            return None
        expected = self.requests * self.tokens / self.num_completions
        each = (expected + self.finished_tokens) / (1 + self.finished)
        begun = self.tokens - self.finished_tokens
        still_open = max(self.open * each - begun, 0.2 * self.open * each)
        return max(0, self.records - self.finished - self.open) * each + still_open
