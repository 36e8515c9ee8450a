"""The max_tokens that a request is first sent with: about what the replies of its kind need, by those seen so far.

A server that reserves memory for max_tokens (TensorRT-LLM) runs few requests at once where that is far more than most
replies take. A reply that ends within a lower limit is the same as with any higher one. One that is cut there is not
used: it is asked for again in full. So a limit changes what a reply costs, and never what is kept. It may differ from
run to run, and is no part of a request's key.

    limit = 1.5 x the length within which 95% of the replies end, of the same role, purpose and task
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable

from nemo_sdg.generate.requests import Completion, Request
from nemo_sdg.generate.scheduling.lanes.lane import Lane
from nemo_sdg.generate.scheduling.work import AskCounts

SHARE = 0.95
MARGIN = 1.5
"""times the length within which SHARE of the replies end. Of replies with log-normal lengths (sigma 0.5 to 0.8) 0.7% to
1.6% are cut, which costs 2% to 6% more tokens; 1.25 costs 5% to 9%, and a server that reserves memory gives no more
"""
STEP = 64
"""tokens; lengths are rounded up to it"""
LEAST = 256
"""tokens; the lowest limit"""
GROUP = 64
"""requests that are counted together. The replies that come first are the short ones, so it matters which requests were
asked, and not which replies have come
"""
ENOUGH = math.ceil(SHARE * GROUP)
"""replies of a group that say enough: the others take longer, however long"""


class Lengths:
    """The lengths of the replies to one kind of request."""

    def __init__(self) -> None:
        self.limit: int | None = None
        """None while too few are known"""
        self._num_asked = 0
        self._group: list[int] = []
        self._counted = 0
        """requests of the groups of which enough is known"""
        self._steps: Counter[int] = Counter()

    def ask(self) -> list[int]:
        """The group of a request that is asked now."""
        if self._num_asked % GROUP == 0:
            self._group = []
        self._num_asked += 1
        return self._group

    def answered(self, group: list[int], tokens: int) -> None:
        """Adds a reply. One whose tokens the server does not count is as if it never came."""
        if tokens <= 0:
            return
        group.append(math.ceil(tokens / STEP))
        if len(group) > ENOUGH:
            self._steps[group[-1]] += 1
        elif len(group) == ENOUGH:
            self._steps.update(group)
            self._counted += GROUP
            self.limit = max(LEAST, math.ceil(MARGIN * self._most_end_within()) * STEP)

    def _most_end_within(self) -> int:
        """The steps within which SHARE of the replies end."""
        left = math.ceil(SHARE * self._counted)
        for steps in sorted(self._steps):
            left -= self._steps[steps]
            if left <= 0:
                return steps
        raise AssertionError("each group has ENOUGH replies")


class OutputLimits:
    """The limits of all kinds of requests of a step: by role, purpose and task, and until that is known by role and
    purpose.
    """

    def __init__(self, counts: AskCounts) -> None:
        self.counts = counts
        self._lengths: defaultdict[tuple[object, ...], Lengths] = defaultdict(Lengths)

    def _ask(self, request: Request, task: str) -> tuple[int | None, Callable[[int], None]]:
        """The limit of a request that is asked now, and the function that takes the tokens of its reply."""
        purpose = (request.role, request.number, request.tag.rstrip("0123456789"))
        of_task, of_all = self._lengths[*purpose, task], self._lengths[purpose]
        group, group_of_all = of_task.ask(), of_all.ask()

        def answered(tokens: int) -> None:
            of_task.answered(group, tokens)
            of_all.answered(group_of_all, tokens)

        return of_task.limit or of_all.limit, answered

    def replayed(self, lane: Lane, request: Request, task: str, completion: Completion) -> None:
        """The journal holds the completion of a request."""
        if lane.section.learns_limits:
            self._ask(request, task)[1](completion.completion_tokens)

    async def send(self, lane: Lane, request: Request, key: str, rank: int, task: str) -> Completion:
        """The completion of a request within its own max_tokens; of an engine that learns no limits what Lane.send
        gives. Raises what Lane.send raises.
        """
        if not lane.section.learns_limits:
            return await lane.send(request, key, rank)
        limit, answered = self._ask(request, task)
        if limit is None or limit >= request.max_tokens:
            completion = await lane.send(request, key, rank)
            answered(completion.completion_tokens)
            return completion
        first, counts = request.copy(), self.counts
        first.max_tokens = limit
        counts.limited += 1
        counts.learned_tokens += limit
        counts.full_tokens += request.max_tokens
        completion = await lane.send(first, key, rank)
        tokens = completion.completion_tokens
        if completion.finish_reason in ("length", "refused"):  # refused: a server may want room for its thinking
            counts.sent_again += 1
            counts.sent_again_tokens += tokens
            completion = await lane.send(request, key, rank)
            # a server that counts fewer tokens than it makes would lower the limit for ever
            tokens = max(completion.completion_tokens, limit + 1) if completion.completion_tokens else 0
        answered(tokens)
        return completion
