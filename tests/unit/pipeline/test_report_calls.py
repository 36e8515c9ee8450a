"""Which prompts `report` and `trace` show of a sample's solutions."""

import asyncio
from typing import Any

from nemo_sdg.config import Role
from nemo_sdg.generate.requests import Completion, Outcome, Request
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


def test_samples_of_one_seed_share_one_replay_and_each_shows_its_own_request() -> None:
    began = []

    async def writing(record: dict[str, Any], ask: Any) -> Outcome:
        began.append(record["seed_id"])
        for number in range(2):
            await ask(request(f"question{number}", "Write.", f"number {number}"))
        return Outcome(dropped=[])

    replay = Replay.__new__(Replay)
    replay._flows, replay._writings = {"m": (Engines(), writing, writing)}, {}  # type: ignore[dict-item]

    def shown(seed_id: str, attempt: int) -> list[str]:
        sample = {"attempt": attempt, "origin": "similar"}
        reply = Completion(text=f"of {seed_id}", finish_reason="stop")
        calls = asyncio.run(replay._question(lambda key: reply, sample, {"seed_id": seed_id}, "m"))
        return [f"{call.name}: {call.prompt[1][1]}, {call.output}" for call in calls]

    assert shown("a", 0) == ["question, attempt 0: number 0, of a"]
    assert shown("a", 1) == ["question, attempt 1: number 1, of a"]
    assert shown("b", 1) == ["question, attempt 1: number 1, of b"]
    assert began == ["a", "b"]
