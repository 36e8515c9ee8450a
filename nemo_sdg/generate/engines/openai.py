"""Any OpenAI-compatible server (trtllm-serve, NIM, vLLM, SGLang, llama.cpp, proxies).

connection.py sends a request. What comes of the answer is decided here: a completion, another attempt with fewer
tokens, a refusal that is believed, a fault for the scheduler, or the end of the run. faults.py knows what errors mean.
"""

import asyncio
import dataclasses
import hashlib
import logging
from collections import Counter
from collections.abc import Callable
from typing import NoReturn

import orjson

from nemo_sdg.config import EngineSection
from nemo_sdg.errors import EngineError, SettingsError
from nemo_sdg.generate.engines.base import Fault, TransportError
from nemo_sdg.generate.engines.connection import BYTES_A_TOKEN, BYTES_BESIDE, Connection, Server, most_bytes
from nemo_sdg.generate.engines.error_bodies import SAID_AT_MOST, ServerError, read_error
from nemo_sdg.generate.engines.faults import (
    Meaning,
    may_be_one_requests,
    meaning,
    names_the_key,
    status_of,
    what_to_change,
)
from nemo_sdg.generate.engines.pending import fetch_pending
from nemo_sdg.generate.engines.replies import ErrorInReply, read_reply
from nemo_sdg.generate.engines.retry_after import wait_asked_for
from nemo_sdg.generate.engines.room import LEAST_ROOM, most_output, next_max_tokens
from nemo_sdg.generate.engines.servers import build_body, same_model
from nemo_sdg.generate.requests import Completion, Request

log = logging.getLogger(__name__)

BYTES_PER_TOKEN = 6
"""more than any tokenizer in use has on text: a lower bound on the tokens of a prompt"""
BELIEVED_AFTER = 3
"""so many refusals of one request in unknown words, while the server answers others, mean that the request is at fault
"""
REFUSED_FROM_THE_START = 20
"""so many refusals in unknown words without one answer mean that the configuration is at fault"""
WAITS = {Meaning.busy: Fault.busy, Meaning.timeout: Fault.timeout, Meaning.server: Fault.server}


class OpenAIEngine:
    """`model` is the served name. A reply under another name counts; the name is reported once and kept with it."""

    name = "openai"
    adaptive = True

    def __init__(self, config: EngineSection) -> None:
        if not config.model:
            raise EngineError("engine.kind=openai needs engine.model, the name under which the server serves its model")
        self.config = config
        self.model = config.model
        self.notify: Callable[[str], None] = log.warning
        self._connection = Connection(config)
        self._answered = False
        self._aliases: set[str] = set()
        self._refusals: Counter[bytes] = Counter()
        self._believed = False

    async def start(self) -> None:
        if self._connection.is_open:
            return
        self._connection.open()
        try:
            for server in self._connection.servers:
                if (refused := await self._connection.look_at_models(server, self.model)) is not None:
                    self._stop(server, refused)
        except BaseException:  # also where the run ends meanwhile: nobody closes an engine that never started
            await self.close()
            raise

    async def close(self) -> None:
        await self._connection.close()

    async def complete(self, request: Request) -> Completion:
        assert self._connection.is_open, "start() comes first"
        server = self._connection.choose(request)
        asked, tries = request.max_tokens, 0
        while True:
            bounded = self._bounded(server, request, asked)
            sent = request if bounded == request.max_tokens else dataclasses.replace(request, max_tokens=bounded)
            result = await self._post(server, sent)
            if isinstance(result, Completion):
                if sent.max_tokens < request.max_tokens and result.finish_reason == "length":
                    result.detail = f"the server had {sent.max_tokens} of {request.max_tokens} tokens for the reply"
                return result
            # the context is too short for prompt and reply together, or the reply may not be as long
            tries += 1
            server.most_output = most_output(result.said) or server.most_output
            room = next_max_tokens(result.said, sent.max_tokens, tries)
            if room < LEAST_ROOM:
                return Completion(text="", finish_reason="refused", detail=self._said(server, result))
            asked = room

    def _bounded(self, server: Server, request: Request, max_tokens: int) -> int:
        """At most the tokens that the server gives, and that its context can have left beside the prompt."""
        max_tokens = min(max_tokens, server.most_output or max_tokens)
        if server.context_length is None:
            return max_tokens
        texts = [message["content"] for message in request.messages or []] or [request.prompt or ""]
        if server.context_length - sum(map(len, texts)) >= max_tokens:
            return max_tokens  # no character is more than BYTES_PER_TOKEN bytes: nothing has to be counted
        taken = sum(len(text.encode("utf-8", "replace")) for text in texts) // BYTES_PER_TOKEN
        return min(max_tokens, max(LEAST_ROOM, server.context_length - taken))

    async def _post(self, server: Server, request: Request) -> Completion | ServerError:
        """A completion, or the error of a context that is too short. Raises for everything else."""
        data = orjson.dumps(build_body(request, self.model))
        begin = asyncio.get_running_loop().time()
        most = most_bytes(request, server.context_length)
        reply = await self._connection.post(server, data, chat=request.messages is not None, most_bytes=most)
        status, headers, body = await fetch_pending(self._connection, server, reply, most_bytes=most)
        if 200 <= status < 300:
            try:
                completion = read_reply(body)
            except ErrorInReply as inner:
                status, body = status_of(*inner.codes), inner.body
            except TransportError as fault:
                if status == 200:
                    raise TransportError(f"{server.url}: {self._connection.cleaned(str(fault))}", fault.fault) from None
            else:
                self._answered = True
                server.answered_at = asyncio.get_running_loop().time()
                self._note_alias(server, completion)
                return completion
        error = read_error(status, body)
        if 300 <= status < 400 and "Location" in headers:
            where = f"it redirects to {headers['Location'][:SAID_AT_MOST]}"
            error = dataclasses.replace(error, message=where, said=where)
        means = meaning(error, answered=self._answered)
        if means is Meaning.context:
            return error
        if means is Meaning.configuration and not await self._takes_others(server, error, data):
            self._stop(server, error)
        if means is Meaning.unclear and await self._is_the_requests_fault(server, error, data, begin):
            means = Meaning.never
        said = self._said(server, error)
        if means is Meaning.never:
            return Completion(text="", finish_reason="refused", detail=said)
        raise TransportError(said, WAITS.get(means, Fault.server), wait_asked_for(headers, error.said))

    async def _takes_others(self, server: Server, error: ServerError, data: bytes) -> bool:
        """Whether the server refuses one request for what it refused in no other. A key that was revoked since is told
        from a firewall by the smallest request.
        """
        if server.answered_at < 0 or not may_be_one_requests(error):
            return False
        return error.status != 403 or await self._status_of_the_least(server, data) not in (401, 403)

    async def _is_the_requests_fault(self, server: Server, error: ServerError, data: bytes, begin: float) -> bool:
        """Whether to believe a refusal in unknown words: the same request was refused BELIEVED_AFTER times, while the
        server answered another one.
        """
        digest = hashlib.blake2b(data, digest_size=8).digest()
        self._refusals[digest] += 1
        if not self._answered and self._refusals.total() >= REFUSED_FROM_THE_START:
            raise SettingsError(
                f"the server refused each of the first {self._refusals.total()} requests, and no record was dropped "
                f"for it: {self._said(server, error)}; check engine.structured, engine.sampling and engine.extra_body"
            )
        if self._refusals[digest] < BELIEVED_AFTER:
            return False
        if server.answered_at < begin and await self._status_of_the_least(server, data) != 200:
            return False
        del self._refusals[digest]
        if not self._believed:
            self._believed = True
            self.notify(
                f"a request is taken as refused: it was {BELIEVED_AFTER} times, in unknown words, while others were "
                f"answered ({self._said(server, error)}); if it is the configuration, stop and change it"
            )
        return True

    async def _status_of_the_least(self, server: Server, data: bytes) -> int | None:
        """Sends the smallest possible request, of the same form as the one that the server refused."""
        body = orjson.loads(data)
        chat = "messages" in body
        plain = {"messages": [{"role": "user", "content": "Say yes."}]} if chat else {"prompt": "Yes"}
        least = {**{"model": self.model, "max_tokens": LEAST_ROOM}, **plain}
        try:
            status, _, _ = await self._connection.post(
                server, orjson.dumps(least), chat=chat, most_bytes=BYTES_BESIDE + BYTES_A_TOKEN * LEAST_ROOM
            )
        except TransportError:
            return None
        return status

    def _stop(self, server: Server, error: ServerError) -> NoReturn:
        """Ends the run for an error that every request would meet, and says what to change."""
        if names_the_key(error):
            state = "was refused" if self._connection.has_key else "is not set"
            raise SettingsError(
                f"{server.url}: {error.status}, the key in the environment variable {self.config.api_key_env} {state}; "
                f"everything finished is kept ({self._connection.cleaned(error.message)})"
            )
        if error.status == 404 and server.listed and not any(same_model(name, self.model) for name in server.listed):
            names = ", ".join(server.listed[:5])
            raise SettingsError(f"{server.url} serves {names}, not {self.model}: set engine.model to one of them")
        raise SettingsError(
            f"{self._said(server, error)}; everything finished is kept: {what_to_change(error, self.model)}"
        )

    def _note_alias(self, server: Server, completion: Completion) -> None:
        served = completion.model
        if served is None or served == self.model:
            completion.model = None
            return
        if served not in self._aliases and len(self._aliases) < 20 and not same_model(served, self.model):
            self._aliases.add(served)
            named = self._connection.cleaned(served)
            self.notify(
                f"{server.url} answers as {named}, asked for {self.model}: taken as an alias; if it is another model, "
                "stop and set engine.model"
            )

    def _said(self, server: Server, error: ServerError) -> str:
        return f"{server.url}: {error.status} {self._connection.cleaned(error.message)}".strip()
