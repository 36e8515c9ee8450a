"""A scripted engine and records for the tests of flows."""

import asyncio
import dataclasses
import json
from collections.abc import Callable
from typing import Any

from nemo_sdg.config import EngineSection, GenerateSection, OriginShare, Role, RunConfig, RunSection
from nemo_sdg.generate.requests import Ask, Completion, Request
from nemo_sdg.generate.roles import NamedEngine, Player, RoleEngines
from nemo_sdg.records import Answer, DatasetRow, Seed, content_id, to_dict


def engines(settings: RunConfig, *, solvers: int = 1) -> RoleEngines:
    """The roles of a run whose engine is never started: a script answers."""
    section = dataclasses.replace(settings.engine, model_license="MIT")
    players = {
        role: [
            Player(engine=NamedEngine("scripted", f"m{n}" if n else "m"), section=section, lane=n)
            for n in range(solvers if role is Role.solver else 1)
        ]
        for role in Role
    }
    return RoleEngines(players)


def config(*, similar: int = 1, share: float = 1.0, run_seed: int = 0, **generate: Any) -> RunConfig:
    return RunConfig(
        run=RunSection(seed=run_seed),
        engine=EngineSection(),
        generate=GenerateSection(origins=OriginShare(similar=similar, seed=share), **generate),
    )


def seed(
    question: str = "What gas do plants take in?", answer: str = "carbon dioxide", **fields: Any
) -> dict[str, Any]:
    record = Seed(
        seed_id=content_id(question),
        task="t",
        tasks=["t"],
        family="science",
        capability="knowledge",
        kind="multiple_choice",
        frame="selection",
        language="en",
        dataset=DatasetRow(path="p", name=None, split="train", revision="local", row=0),
        license="MIT",
        question=question,
        choices=["oxygen", "carbon dioxide", "helium"],
        answer=Answer(text=answer),
    )
    for name, value in fields.items():
        setattr(record, name, value)
    return to_dict(record)


class Script:
    """An Ask that answers by a function of (request, number of the request) and remembers what it was asked; delays
    reverse the order.
    """

    def __init__(
        self, reply: Callable[[Request, int], str | dict[str, Any] | Completion], *, delays: list[int] | None = None
    ) -> None:
        self.reply = reply
        self.delays = delays or []
        self.requests: list[Request] = []

    async def __call__(self, request: Request) -> Completion:
        number = len(self.requests)
        self.requests.append(request)
        for _ in range(self.delays[number] if number < len(self.delays) else 0):
            await asyncio.sleep(0)
        reply = self.reply(request, number)
        if isinstance(reply, Completion):
            return reply
        return Completion(
            text=reply if isinstance(reply, str) else json.dumps(reply),
            finish_reason="stop",
            prompt_tokens=100,
            completion_tokens=10,
        )


def run(flow: Callable[[dict[str, Any], Ask], Any], record: dict[str, Any], ask: Ask) -> Any:
    return asyncio.run(flow(record, ask))
