"""Prepares requests: adds to a flow's request what the engine of its role sets, and reports the same for the sample.

role over flow      roles.solver[0].sampling.temperature wins over generate.temperature_answer
extra_body over all passed on as it is
chat shape          a prefix before the instruction; where there is no system role, both in the first user turn
control tokens      of chat templates within the texts are neutralised (text/control_tokens.py)
"""

import functools
from typing import Any

from nemo_sdg.config import EngineSection
from nemo_sdg.generate.requests import Request
from nemo_sdg.text.control_tokens import neutralise

SAMPLING = ("temperature", "top_p", "top_k", "min_p", "presence_penalty", "max_tokens")


def prepare(request: Request, section: EngineSection) -> Request:
    """The request as it is sent to an engine; its key is the identity of the completion."""
    sent = request.copy()
    for name, value in section.sampling.given().items():
        setattr(sent, name, value)
    sent.messages = None if request.messages is None else shape(request.messages, section)
    sent.prompt = None if request.prompt is None else neutralise(request.prompt)
    sent.structured, sent.extra_body = section.structured, section.extra_body
    return sent


_neutral = functools.lru_cache(maxsize=2048)(neutralise)
"""instructions and worked examples are the same for all requests of a task"""


def shape(messages: list[dict[str, str]], section: EngineSection) -> list[dict[str, str]]:
    """The messages with prefix and system role as the section wants them."""
    clean = [{"role": message["role"], "content": _neutral(message["content"])} for message in messages]
    if section.prefix:
        if clean[0]["role"] == "system":
            clean[0]["content"] = f"{section.prefix}\n{clean[0]['content']}"
        elif section.system_role:
            clean.insert(0, {"role": "system", "content": section.prefix})
        else:
            clean[0]["content"] = f"{section.prefix}\n{clean[0]['content']}"
    if not section.system_role and clean[0]["role"] == "system":
        system, *rest = clean
        if rest and rest[0]["role"] == "user":
            rest[0]["content"] = f"{system['content']}\n\n{rest[0]['content']}"
        else:
            rest.insert(0, {"role": "user", "content": system["content"]})
        clean = rest
    return clean


def sampling_sent(request: Request, section: EngineSection) -> dict[str, Any]:
    """The sampling that goes out with a request, for a sample's `generator`: fields that nobody set are not in it."""
    sent = prepare(request, section)
    given = {name: getattr(sent, name) for name in SAMPLING} | {
        name: section.extra_body[name] for name in SAMPLING if name in section.extra_body
    }
    return {name: value for name, value in given.items() if value is not None}
