"""Which prompts `report` and `trace` show of a sample's solutions."""

import asyncio
from typing import Any

from nemo_sdg.config import Role
from nemo_sdg.generate.requests import Completion, Request
from nemo_sdg.pipeline.report import Replay


def request(tag: str, *words: str) -> Request:
    messages = [{"role": "system", "content": words[0]}, {"role": "user", "content": words[1]}]
    return Request(messages=messages, role=Role.solver, tag=tag, temperature=0.7, max_tokens=64)


ASKED = [
    request("vote0", "Answer.", "Which gas?\n(A) oxygen\n(B) helium"),
    request("vote1", "Answer.", "Which gas?\n(A) helium\n(B) oxygen"),
    request("guided", "Answer.", "Which gas?\n(A) oxygen\n(B) helium\nRight answer: helium"),
]


class Engines:
    def key(self, asked: Request) -> str:
        return asked.tag


async def flow(record: dict[str, Any], ask: Any) -> None:
    for asked in ASKED:
        await ask(asked)


def test_a_solution_with_another_prompt_than_the_votes_shows_its_own() -> None:
    replay = Replay.__new__(Replay)
    replay._flows = {"m": (Engines(), flow, flow)}  # type: ignore[dict-item]
    calls = asyncio.run(
        replay._solutions(
            lambda key: Completion(text=f"reply to {key}", finish_reason="stop"),
            {"sample_id": "s", "origin": "seed"},
            "m",
        )
    )
    assert [call.output for call in calls] == ["reply to vote0", "reply to vote1", "reply to guided"]
    assert [bool(call.prompt) for call in calls] == [True, False, True], "options in another order are no other prompt"
    assert "Right answer: helium" in calls[2].prompt[1][1]
