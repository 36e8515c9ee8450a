"""Looks at the first replies of a step together. If every one of them is cut, empty, refused or no completion, the
configuration is at fault, and the run stops before more is paid for.
"""

from collections import Counter

from nemo_sdg.config import EngineSection
from nemo_sdg.generate.engines.base import Fault, TransportError
from nemo_sdg.generate.requests import Completion, Request
from nemo_sdg.generate.scheduling.lanes.window import Window

NUM_LOOKED_AT = 20


class FirstReplies:
    """Counts the replies of one engine until NUM_LOOKED_AT have come, or one is good."""

    def __init__(self, model: str, section: EngineSection) -> None:
        self.model, self.section = model, section
        self.bad: Counter[str] = Counter()
        self.any_good = False
        self._last: tuple[Request, Completion] | None = None
        self.num_answers = self.num_other_faults = 0
        """replies with status 200 that were no completion, and other faults"""

    def look(self, request: Request, completion: Completion) -> str | None:
        """The advice when all first replies are bad, else None."""
        if self.any_good or self.bad.total() >= NUM_LOOKED_AT:
            return None
        fault = fault_of(completion)
        if fault is None:
            self.any_good = True
            return None
        self.bad[fault] += 1
        self._last = (request, completion)
        return self.verdict(stops=True) if self.bad.total() == NUM_LOOKED_AT else None

    def look_at_fault(self, fault: TransportError, window: Window) -> str | None:
        """The advice when a server that answered each request has not sent one completion, else None. While requests
        are in flight a slower replica may still answer them.
        """
        if fault.fault in (Fault.answer, Fault.oversized):
            self.num_answers += 1
        else:
            self.num_other_faults += 1
        if self.any_good or self.bad or self.num_other_faults or self.num_answers < NUM_LOOKED_AT or window.in_flight:
            return None
        return (
            f"{self.model}: none of the first {self.num_answers} replies was a completion ({fault}): check that "
            "engine.base_urls is the address of an OpenAI-compatible API (http://host:port/v1), and engine.extra_body"
        )

    def verdict(self, *, stops: bool = False) -> str | None:
        """The fault of all replies so far and what to change; None if one was good or none came. `stops`: the run ends
        for it, before a record is dropped.
        """
        if self.any_good or self._last is None:
            return None
        request, completion = self._last
        num, limit = self.bad.total(), request.max_tokens
        fault, share = self.bad.most_common(1)[0]
        head = f"{self.model}: " + (
            f"all of the first {num} replies" if share == num else f"none of the first {num} good,"
        )
        if fault == "thinking":
            return (
                f"{head} were cut while the model was still thinking, at max_tokens={limit}: set "
                f"engine.sampling.max_tokens to {4 * limit} or more, or turn thinking off (engine.extra_body="
                "{chat_template_kwargs: {enable_thinking: false}}, engine.prefix=/no_think)"
            )
        taken = completion.completion_tokens
        if fault == "cut" and completion.finish_reason == "length" and 0 < taken < limit // 2:
            return (
                f"{head} were cut, the last one after {taken} tokens, long before max_tokens={limit}: the server has a "
                "limit of its own, or a short context; raise it there"
            )
        if fault == "cut":
            return f"{head} were cut at max_tokens={limit}: set engine.sampling.max_tokens to {2 * limit} or more"
        if fault == "refused":
            dropped = ", and no record was dropped for it" if stops else ""
            return f"{head} were refused{dropped}: {completion.detail}"
        if fault == "lost in thinking":
            unbound = "set engine.structured=none, or " if request.schema is not None else ""
            return (
                f"{head} ended inside the model's thinking, without an answer: {unbound}turn thinking off "
                "(engine.extra_body={chat_template_kwargs: {enable_thinking: false}})"
            )
        return (
            f"{head} were empty: check that engine.base_model says what the model is, and engine.structured; "
            "`nemo-sdg preview` shows what is sent"
        )


def fault_of(completion: Completion) -> str | None:
    """What is wrong with a completion as a whole; None if there is something to read."""
    if completion.finish_reason == "refused":
        return "refused"
    if completion.finish_reason in ("length", "repetition"):
        return "thinking" if completion.trace and not completion.text else "cut"
    if completion.text:
        return None
    return "lost in thinking" if completion.trace else "empty"
