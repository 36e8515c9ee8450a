"""Looks at the latest replies of an engine that answered well before. A server that comes back with another chat
template, a filter that is down, weights that give one token for ever: one reply after another holds nothing, and each
of them is paid for.

    empty            no text, or thinking without an end: no task wants these, so the run stops
    refused, cut     a task may be refused as a whole, or need more tokens: the user is told, and the run goes on
"""

from dataclasses import dataclass

from nemo_sdg.generate.requests import Completion
from nemo_sdg.generate.scheduling.lanes.first_replies import fault_of

IN_A_ROW = 100
"""replies without a good one among them. Where half of all replies are bad, this comes once in 10^30"""
GROUPS = {"empty": "empty", "lost in thinking": "empty", "refused": "refused", "cut": "cut", "thinking": "cut"}


@dataclass(slots=True)
class LastReplies:
    """Counts replies of one kind since the last one of another."""

    group: str | None = None
    num: int = 0
    last_refusal: str = ""

    def look(self, completion: Completion) -> tuple[str, bool] | None:
        """(what to say, whether the run stops), at the IN_A_ROW-th bad reply of a kind in a row; else None."""
        fault = fault_of(completion)
        if fault == "refused":
            self.last_refusal = completion.detail or "no reason given"
        group = GROUPS[fault] if fault is not None else None
        self.num = self.num + 1 if group == self.group else 1
        self.group = group
        if group is None or self.num != IN_A_ROW:
            return None
        head = f"the last {IN_A_ROW} replies were"
        if group == "refused":
            return f"{head} refusals (last: {self.last_refusal})", False
        if group == "cut":
            return f"{head} cut at max_tokens: if the ones before were not, see what the server writes", False
        return (
            f"{head} empty, after good ones; everything finished is kept, and the next run asks for these again: see "
            "whether the server was started with other settings, and what these requests have in common "
            "(`nemo-sdg preview`)"
        ), True


def is_empty(completion: Completion) -> bool:
    """Whether a completion holds nothing that any task wants."""
    fault = fault_of(completion)
    return fault is not None and GROUPS[fault] == "empty"
