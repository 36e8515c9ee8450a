"""How many requests a server may have at once, learnt from what it takes and what it refuses (429, 503, timeouts).

The requests sent during one mean time of an answer are a cohort. It is judged one such time after its end.

    slow start   the limit doubles each round trip, until the first cut
    cut          more than TOLERATED of a cohort was refused: the limit becomes what the server took of it
    trial        the cohorts after a cut tell why. A limiter and an overloaded server refuse few of fewer requests:
                 the cut stays. A bad replica behind a gateway refuses the same share again: the cuts are undone,
                 and that share, the background, is tolerated from then on
    growth       after each calm cohort by a step that doubles, from 1/64 of the limit

Cutting by the share is what DCTCP does (Alizadeh et al., 2010): halving, as TCP does, leaves 5 of 500 requests in
flight where 7% are refused at random. Undoing a cut that brought nothing is what TCP's Eifel algorithm does (RFC 4015).
After a cut requests are sent at even distances, as by BBR: a limiter without a burst refuses half of those that come at
random times.
"""

import math
from dataclasses import dataclass

SLOW_START = 32
"""requests in flight at first: 500 are reached after 4 round trips"""
TOLERATED = 0.05
"""share of refused requests that shrinks nothing: near a limiter's rate some always are"""
LEAST_SENT = (4, 32)
"""requests of a cohort, however long they take: two for each slot, within these bounds"""
DEVIATIONS = 2.0
"""of the binomial distribution, by which a share has to be above what is tolerated"""
SAME_SHARE = (0.4, 2.0)
"""of the refusals before a cut: when as many remain after it, they do not come from the load"""
TRIALS = 2
"""cuts that have to bring nothing before they are undone"""
LARGEST_BACKGROUND = 0.5
"""share from which refusals always count as load: one of two replicas may be bad, not more"""
FIRST_STEP, LARGEST_STEP = 1 / 64, 1 / 4
"""of the limit: growth after a cut"""
SMOOTHING = 1 / 16
"""weight of the newest answer in the mean time, and of a higher background"""


@dataclass(slots=True)
class _Cohort:
    began: float
    sent: int = 0
    refused: int = 0
    room: float = 0.0
    """sum of the limits at which its requests were sent"""


@dataclass(slots=True)
class _Trial:
    """What is restored when cuts bring nothing, and the cohorts that were cut."""

    limit: float
    slow_start: bool
    sent: int = 0
    refused: int = 0
    num: int = 0


class Congestion:
    """All times are those of one clock, in seconds."""

    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        self.limit: float = min(maximum, SLOW_START)
        self.round_trip: float | None = None
        """mean seconds of a request that was answered; None before the first"""
        self.background = 0.0
        """share of the requests that is refused whatever the load"""
        self._slow_start = True
        self._step = 0.0
        self._trial: _Trial | None = None
        self._cohort = _Cohort(0.0)
        self._ended: _Cohort | None = None
        """the cohort before, whose answers are still coming"""

    @property
    def interval(self) -> float:
        """Seconds between two requests; 0 while nothing limits their rate."""
        paced = self.round_trip is not None and self.limit < self.maximum and not (self._slow_start and not self._trial)
        return (self.round_trip or 0.0) / self.limit if paced else 0.0

    def sent(self, now: float) -> None:
        """A request was sent. All that are sent at one moment belong to one cohort."""
        cohort = self._cohort
        if now > cohort.began + (self.round_trip or math.inf) and cohort.sent >= self._least_sent():
            ended, self._ended = self._ended, cohort
            self._cohort = _Cohort(now)
            if ended is not None:
                self._judge(ended, now)
        cohort = self._ended if self._ended is not None and now <= self._cohort.began else self._cohort
        cohort.sent += 1
        cohort.room += self.limit

    def _least_sent(self) -> float:
        return min(LEAST_SENT[1], max(LEAST_SENT[0], 2 * self.limit))

    def answered(self, took: float) -> None:
        """A request was answered after `took` seconds."""
        mean = self.round_trip
        self.round_trip = took if mean is None else mean + (took - mean) * SMOOTHING
        grows = self._slow_start and self._trial is None and self.limit < self.maximum
        if grows and not self._is_refused(self._cohort):
            self.limit += 1.0

    def refused(self, began: float) -> None:
        """A request that was sent at `began` was refused for the load, or timed out."""
        if began > self._cohort.began:
            self._cohort.refused += 1
        elif self._ended is not None and began > self._ended.began:
            self._ended.refused += 1

    def refused_all(self) -> None:
        """Nothing was taken for a while: each time this happens, less is sent when something is."""
        self.limit = max(1.0, min(self.limit, SLOW_START) / 2)

    def start_again(self, now: float) -> None:
        """The server was down: what it takes now is to be found out from the start."""
        self.limit = min(self.limit, SLOW_START)
        self._slow_start, self._trial, self._step = True, None, 0.0
        self._cohort, self._ended = _Cohort(now), None

    def _is_refused(self, cohort: _Cohort) -> bool:
        """Whether more of a cohort is refused than can be by chance where the tolerated share is."""
        tolerated, num = max(TOLERATED, self.background), max(1, cohort.sent)
        return cohort.refused / num > tolerated + DEVIATIONS * math.sqrt(tolerated * (1 - tolerated) / num)

    def _judge(self, cohort: _Cohort, now: float) -> None:
        share = cohort.refused / cohort.sent
        trial, self._trial = self._trial, None
        same = trial is not None and _is_same(share, trial.refused / trial.sent)
        if trial is not None and same and trial.num == TRIALS:
            self.limit, self._slow_start = trial.limit, trial.slow_start
            self.background = (trial.refused + cohort.refused) / (trial.sent + cohort.sent)
        elif same or self._is_refused(cohort):
            self._trial = trial if trial is not None and same else _Trial(self.limit, self._slow_start)
            self._trial.sent += cohort.sent
            self._trial.refused += cohort.refused
            self._trial.num += 1
            self.limit = max(1.0, min(self.limit, cohort.room / cohort.sent * (1 - share)))
            self._slow_start, self._step = False, 0.0
            self._cohort, self._ended = _Cohort(now), None
        else:
            self._learn_background(share)
            if not self._slow_start and self._ended is not None and not self._is_refused(self._ended):
                self._step = min(LARGEST_STEP * self.limit, max(FIRST_STEP * self.limit, 2 * self._step))
                self.limit = min(self.maximum, self.limit + self._step)

    def _learn_background(self, share: float) -> None:
        """It falls fast and rises slowly."""
        self.background += (share - self.background) * (1 / 4 if share < self.background else SMOOTHING)


def _is_same(share: float, before: float) -> bool:
    return SAME_SHARE[0] < share / before < SAME_SHARE[1] and share < LARGEST_BACKGROUND
