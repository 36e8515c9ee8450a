"""What tells a request that a server cannot answer from a server that is at fault.

A request fails again and again: a 200 that holds nothing, broken JSON, a 500, a cut connection, whatever it is. It is
the request's own when two things hold: requests that were answered failed so rarely that it is not chance, and the
server answers, now, a request that it answered before. That one is sent again with a number at its end, so that no
cache answers it. An outage makes one request fail as often as it is sent: only faults count between which others were
answered.
"""

import dataclasses
from dataclasses import dataclass

from nemo_sdg.generate.requests import Request

BY_CHANCE = 1e-5
"""likelihood of a request's faults, if it were like the others, below which it is not"""
LEAST_FAULTS = 3
"""of a request, that count, however rarely others fail"""
CONTROLS = 20
"""requests, answered before, that are sent again at most, where too few others were answered to tell"""
FAULTY_CONTROLS = 1
"""of them, that may fail"""
LOST_AT_MOST = (20, 0.25)
"""lost requests, and share of all that were answered or lost, above which it is no longer single requests that fail"""


@dataclass(slots=True)
class Evidence:
    """The requests of one engine: those answered, in this process or by the journal, and those lost."""

    answered_before: Request | None = None
    """a request that was answered without a fault"""
    num_answered: int = 0
    num_replayed: int = 0
    num_faults: int = 0
    """of the requests that were answered, before they were"""
    num_refusals: int = 0
    """of the same: how often the server asked for patience"""
    num_lost: int = 0
    num_controls: int = 0

    def answered(self, request: Request, faults: int, refusals: int) -> None:
        self.num_answered += 1
        self.num_faults += faults
        self.num_refusals += refusals
        if not faults:
            self.answered_before = request

    def replayed(self, request: Request) -> None:
        """The journal holds its completion."""
        self.num_replayed += 1
        if self.answered_before is None:
            self.answered_before = request

    def is_its_own(self, faults: int, *, refused: bool = False) -> bool:
        """Whether a request that the server can answer would not fail `faults` times in a row by chance."""
        failed = 1 + self.num_faults + (self.num_refusals if refused else 0)
        chance = float((failed / (self.num_answered + failed)) ** faults)
        return faults >= LEAST_FAULTS and chance < BY_CHANCE

    def control(self) -> Request:
        """A request that is known to be answered, which no cache knows."""
        known = self.answered_before
        assert known is not None
        self.num_controls += 1
        mark = f"\n({self.num_controls})"
        if known.messages is None:
            return dataclasses.replace(known, prompt=f"{known.prompt}{mark}")
        *before, last = known.messages
        return dataclasses.replace(known, messages=[*before, {**last, "content": last["content"] + mark}])

    def too_many_lost(self) -> bool:
        least, share = LOST_AT_MOST
        return self.num_lost >= least and self.num_lost > share * (
            self.num_lost + self.num_answered + self.num_replayed
        )
