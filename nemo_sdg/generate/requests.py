"""Request and Completion: the same for all engines.

Request(messages=[{"role": "user", "content": "…"}], role=Role.solver, tag="vote3", temperature=0.7, max_tokens=512,
seed=91)
Completion(text='Answer: 4', trace="Two and two …", finish_reason="stop", prompt_tokens=211, completion_tokens=90)
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from nemo_sdg.config import Role, Structured
from nemo_sdg.records import Drop, Sample, content_id


@dataclass(kw_only=True, slots=True)
class Request:
    """One completion to be made. Exactly one of `messages` (chat) and `prompt` (base models) is set.

    A flow sets the first group of fields; engines/sent.py fills in what the role's engine adds. A field that is None
    is not sent.
    """

    messages: list[dict[str, str]] | None = None
    prompt: str | None = None
    schema: dict[str, Any] | None = None
    """JSON schema of the output; engines that can constrain the output to it do so, for the others the prompt asks"""
    role: Role | None = None
    """role whose engine is asked; None = the first role of the step"""
    number: int = 0
    """which engine of the role: RoleEngines.deal gives it"""
    tag: str = ""
    """purpose of the completion within its record (`vote3`, `guided0`, `question1`); the name of its trace"""
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int = 512
    seed: int = 0
    stop: list[str] = field(default_factory=list)

    top_k: int | None = None
    min_p: float | None = None
    presence_penalty: float | None = None
    structured: Structured = Structured.json_schema
    extra_body: dict[str, Any] = field(default_factory=dict)

    def worked_examples(self) -> list[str]:
        """The text before the last user turn; for base models, the whole prompt."""
        return (
            [message["content"] for message in self.messages[:-1]] if self.messages is not None else [self.prompt or ""]
        )

    def key(self, model: str) -> str:
        """Identity of the request for journal and cache: a hash of everything that shapes the completion, the model
        included.
        """
        return content_id(
            model,
            self.messages,
            self.prompt,
            self.schema,
            self.structured.value if self.schema is not None else None,
            self.temperature,
            self.top_p,
            self.top_k,
            self.min_p,
            self.presence_penalty,
            self.max_tokens,
            self.seed,
            self.stop,
            self.extra_body,
        )


@dataclass(kw_only=True, slots=True)
class Completion:
    """A finished request."""

    text: str
    """what the model wrote for its reader, without its thinking"""
    finish_reason: str
    """stop | length (cut at max_tokens or at the end of the context) | repetition (cut by the server, which saw a loop)
    | refused (the server or engine will never accept this request: too long, content policy)
    """
    trace: str = ""
    """the model's own thinking, however the server sent it"""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    """thinking included"""
    reasoning_tokens: int | None = None
    """of these, thinking, where the server counts it"""
    model: str | None = None
    """as the server named it, where that is not the name that was asked for"""
    detail: str | None = None
    """for refused: what the engine said; for length: what filled max_tokens"""


Ask = Callable[[Request], Awaitable[Completion]]
"""Sends a request through journal, window and retries, and returns its Completion. A transport fault never reaches a
flow.
"""


@dataclass(kw_only=True, slots=True)
class Outcome:
    """The result of a flow for one input record."""

    kept: list[Sample] = field(default_factory=list)
    dropped: list[Drop] = field(default_factory=list)


Flow = Callable[[dict[str, Any], Ask], Awaitable[Outcome]]
"""One record's way through the engine: asks as often as it needs, alone in its record, and is deterministic in the
completions.
"""
