"""Looks at the latest replies of an engine that answered well before. A server that comes back with another chat
template, or a filter that is down, gives one reply after another that holds nothing, and each of them is paid for.

    empty      no text, or thinking without an end: no task wants these, so the run stops
    refused    a task may be refused as a whole, rightly: the user is told, and the run goes on
"""

from dataclasses import dataclass

from nemo_sdg.generate.requests import Completion
from nemo_sdg.generate.scheduling.lanes.first_replies import fault_of

IN_A_ROW = 100
"""replies without a good one among them. Where half of all replies are empty, this comes once in 10^30"""
EMPTY = ("empty", "lost in thinking")


@dataclass(slots=True)
class LastReplies:
    """Counts replies since the last one that held something."""

    num_empty: int = 0
    num_refused: int = 0
    last_refusal: str = ""

    def look(self, completion: Completion) -> tuple[str, bool] | None:
        """(what to say, whether the run stops), at the IN_A_ROW-th empty or refused reply in a row; else None."""
        fault = fault_of(completion)
        self.num_empty = self.num_empty + 1 if fault in EMPTY else 0
        self.num_refused = self.num_refused + 1 if fault == "refused" else 0
        if fault == "refused":
            self.last_refusal = completion.detail or "no reason given"
        if self.num_empty == IN_A_ROW:
            return (
                f"the last {IN_A_ROW} replies were empty, after good ones; everything finished is kept: see whether "
                "the server was started with other settings, and what these requests have in common "
                "(`nemo-sdg preview`)"
            ), True
        if self.num_refused == IN_A_ROW:
            return f"the last {IN_A_ROW} replies were refusals (last: {self.last_refusal})", False
        return None
