"""What is asked of an engine and what comes back; one shape for all engines.

Request(messages=[{"role": "user", "content": "…"}], schema={"type": "object", …}, temperature=0.7, max_tokens=512,
seed=91)
Completion(text='{"answer": "4"}', finish_reason="stop", prompt_tokens=211, completion_tokens=9)
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from nemo_sdg.records import Drop, Sample, content_id


@dataclass(kw_only=True, slots=True)
class Request:
    """One completion to be made. Exactly one of `messages` (chat) and `prompt` (base models) is set."""

    messages: list[dict[str, str]] | None = None
    prompt: str | None = None
    schema: dict[str, Any] | None = None
    """JSON schema that the output must follow; engines that can constrain to it, the others are told in the prompt"""
    temperature: float = 0.7
    top_p: float = 0.95
    max_tokens: int = 512
    seed: int = 0
    stop: list[str] = field(default_factory=list)

    def worked_examples(self) -> list[str]:
        """What stands before the last ask, for base models the whole prompt."""
        return (
            [message["content"] for message in self.messages[:-1]] if self.messages is not None else [self.prompt or ""]
        )

    def key(self, model: str) -> str:
        """Identity of the request for journal and cache: all that shapes the completion, the model included."""
        return content_id(
            model,
            self.messages,
            self.prompt,
            self.schema,
            self.temperature,
            self.top_p,
            self.max_tokens,
            self.seed,
            self.stop,
        )


@dataclass(kw_only=True, slots=True)
class Completion:
    """A finished request."""

    text: str
    finish_reason: str
    """stop | length (cut at max_tokens) | refused (the server or engine will never accept this request: too long,
    content policy)
    """
    prompt_tokens: int = 0
    completion_tokens: int = 0
    detail: str | None = None
    """for refused: what the engine said"""


Ask = Callable[[Request], Awaitable[Completion]]
"""Sends a request through journal, window and retries. Returns a Completion, or does not return: a transport fault
never reaches a flow.
"""


@dataclass(kw_only=True, slots=True)
class Outcome:
    """What a flow makes of one input record."""

    kept: list[Sample] = field(default_factory=list)
    dropped: list[Drop] = field(default_factory=list)


Flow = Callable[[dict[str, Any], Ask], Awaitable[Outcome]]
"""One record's way through the engine: asks as often as it needs, alone in its record, and is deterministic in the
completions.
"""
