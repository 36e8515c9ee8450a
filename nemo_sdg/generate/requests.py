"""Request and Completion, which are the same for all engines.

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
    """A request for one completion. Exactly one of `messages` (chat) and `prompt` (base models) is set.

    A flow sets the first group of fields; engines/sent.py sets the fields of the role's engine. A field that is None
    is not sent.
    """

    messages: list[dict[str, str]] | None = None
    prompt: str | None = None
    schema: dict[str, Any] | None = None
    """JSON schema of the output; engines constrain the output to it if they can, otherwise only the prompt has it"""
    role: Role | None = None
    """role whose engine gets the request; None = the first role of the step"""
    number: int = 0
    """index of the engine in the role, from RoleEngines.deal"""
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

    num_lost: int = 0
    """how often it was sent in vain: it goes to another server each time"""

    def copy(self) -> "Request":
        """As dataclasses.replace without changes, in a fifth of its time."""
        new = object.__new__(Request)
        for name in Request.__slots__:
            setattr(new, name, getattr(self, name))
        return new

    @property
    def turns(self) -> list[list[str]]:
        """[role, text] of each message."""
        if self.prompt is not None:
            return [["prompt", self.prompt]]
        return [[message["role"], message["content"]] for message in self.messages or []]

    def worked_examples(self) -> list[str]:
        """The text before the last user turn; for base models, the whole prompt."""
        return (
            [message["content"] for message in self.messages[:-1]] if self.messages is not None else [self.prompt or ""]
        )

    def key(self, model: str) -> str:
        """Identity of the request for journal and cache: a hash of everything that affects the completion, with the
        model.
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
    """text of the reply, without thinking"""
    finish_reason: str
    """stop | length (cut at max_tokens or at the end of the context) | repetition (the server found a loop and cut it)
    | refused (the server or engine will never accept this request: too long, content policy)
    | lost (it failed each time, while others were answered; not in the journal)
    """
    trace: str = ""
    """thinking of the model, in whichever form the server sent it"""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    """thinking included"""
    reasoning_tokens: int | None = None
    """number of completion tokens that are thinking, if the server counts them"""
    model: str | None = None
    """name of the model in the server's reply, if it differs from the requested name"""
    detail: str | None = None
    """for refused and lost: the message of the engine; for length: the text that filled max_tokens"""


Ask = Callable[[Request], Awaitable[Completion]]
"""sends a request through journal, window and retries, and returns its Completion. A transport fault never reaches a
flow.
"""


@dataclass(kw_only=True, slots=True)
class Outcome:
    """The result of a flow for one input record."""

    kept: list[Sample] = field(default_factory=list)
    dropped: list[Drop] = field(default_factory=list)


Flow = Callable[[dict[str, Any], Ask], Awaitable[Outcome]]
"""handles one record: sends as many requests as it needs; its result depends only on the record and the completions
"""
