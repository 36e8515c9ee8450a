import functools
import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nemo_sdg.config import VerifySection
from nemo_sdg.errors import EngineError
from nemo_sdg.generate import answers, questions
from nemo_sdg.generate.requests import Completion, Request
from nemo_sdg.generate.roles import one_engine
from nemo_sdg.generate.scheduling.journal import Journal
from nemo_sdg.generate.scheduling.scheduler import run_flows
from nemo_sdg.generate.scheduling.work import FlowProgress, ShardWork
from nemo_sdg.records import (
    Generator,
    ModelUse,
    Usage,
    VoteCounts,
    json_line,
    sample_from_dict,
    seed_from_dict,
    to_dict,
)
from nemo_sdg.verify import candidates, votes

sys.path.insert(0, str(Path(__file__).parent))
from flow_helpers import Script, config, engines, run, seed

DECIDED = functools.partial(votes.decided, config=VerifySection())

WRITER = ModelUse(engine="e", model="writer", prompt="similar/x")


def sample(origin: str = "seed", **fields: Any) -> dict[str, Any]:
    record = to_dict(questions.own_question(seed_from_dict(seed(**fields))))
    return (
        record
        if origin == "seed"
        else {
            **record,
            "origin": "similar",
            "answer": None,
            "generator": to_dict(Generator(writer=WRITER)),
            "usage": {"prompt_tokens": 5, "completion_tokens": 3},
        }
    )


def is_guided(request: Request) -> bool:
    return "Right answer:" in request.messages[-1]["content"]


def solve(answer: str) -> dict[str, str]:
    return {"context": "Some facts.", "reasoning": f"So it is {answer}.", "answer": answer}


def unexplained(record: Any) -> bool:
    return candidates.unexplained(record, VerifySection(), lambda made: "BAD" not in made.context)


def answer(
    reply: Any, record: dict[str, Any], *, delays: list[int] | None = None, **options: Any
) -> tuple[Any, Script]:
    script = Script(reply if callable(reply) else lambda request, number: reply, delays=delays)
    settings = config(**options)
    return run(answers.make_flow(settings, engines(settings), DECIDED, unexplained), record, script), script


def test_votes_stop_as_soon_as_the_majority_is_decided() -> None:
    outcome, script = answer(solve("helium"), sample("similar"), votes=8)
    (kept,) = outcome.kept
    assert len(script.requests) == len(kept.solutions) == 5
    assert [vote.index for vote in kept.solutions] == list(range(5))
    assert kept.votes == VoteCounts(planned=8)
    assert kept.usage == Usage(prompt_tokens=505, completion_tokens=53)
    assert [use.prompt for use in kept.generator.solvers] == ["solve/multiple_choice"]
    assert kept.generator.writer == WRITER
    json_line(kept)


@pytest.mark.parametrize("base_model", [False, True])
def test_a_context_copied_from_a_worked_example_is_none_and_its_vote_counts(base_model: bool) -> None:
    def copy(request: Request, number: int) -> dict[str, str]:
        (example,) = [
            json.loads(line)
            for text in request.worked_examples()
            for line in text.splitlines()
            if "a refrigerator is right" in line
        ]
        return {**solve("helium"), "context": example["context"]}

    settings = config(votes=1)
    settings.engine.base_model = base_model
    script = Script(copy)
    (kept,) = run(answers.make_flow(settings, engines(settings), DECIDED), sample("similar"), script).kept
    assert [(vote.context, vote.answer, vote.error) for vote in kept.solutions] == [("", "helium", None)]


def test_options_are_shown_in_another_order_for_each_vote_and_labels_come_back() -> None:
    def label_b(request: Request, number: int) -> dict[str, str]:
        return solve("(B)")

    outcome, script = answer(label_b, sample("similar"), votes=8)
    (kept,) = outcome.kept
    orders = {tuple(vote.order) for vote in kept.solutions}
    assert len(orders) > 1
    for vote, request in zip(kept.solutions, script.requests, strict=True):
        shown = [kept.choices[i] for i in vote.order]
        assert request.messages[-1]["content"].endswith(
            "\n".join(f"{label}. {text}" for label, text in zip("ABC", shown, strict=True))
        )
        assert request.schema["properties"]["answer"] == {"enum": shown}
        assert vote.answer == shown[1]
        assert vote.label == "ABC"[kept.choices.index(shown[1])]
    assert kept.choices == ["oxygen", "carbon dioxide", "helium"]
    assert len({request.seed for request in script.requests}) == len(script.requests)


def test_blind_votes_come_first_and_the_gold_is_not_in_them() -> None:
    outcome, script = answer(solve("carbon dioxide"), sample(), votes=3)
    assert not any(is_guided(request) for request in script.requests)
    assert {vote.guidance for vote in outcome.kept[0].solutions} == {"blind"}
    assert outcome.kept[0].answer.text == "carbon dioxide"


def test_a_guided_solution_is_written_only_where_no_vote_reaches_the_gold() -> None:
    outcome, script = answer(
        lambda request, number: solve("carbon dioxide" if is_guided(request) else "helium"), sample(), votes=3
    )
    guided = [vote for vote in outcome.kept[0].solutions if vote.guidance == "guided"]
    assert [vote.answer for vote in guided] == ["carbon dioxide"]
    assert sum(map(is_guided, script.requests)) == 1
    outcome, script = answer(solve("helium"), sample(), votes=3, guided=False)
    assert not any(map(is_guided, script.requests))


def test_guided_solutions_that_fail_are_tried_again_and_end() -> None:
    outcome, script = answer(
        lambda request, number: "rubbish" if is_guided(request) else solve("helium"), sample(), votes=3
    )
    assert sum(map(is_guided, script.requests)) == answers.GUIDED_ATTEMPTS
    assert [vote.error for vote in outcome.kept[0].solutions if vote.guidance == "guided"] == [
        "no_answer"
    ] * answers.GUIDED_ATTEMPTS


def bad(answer: str) -> dict[str, str]:
    return {**solve(answer), "context": "BAD"}


@pytest.mark.parametrize("good_after", [4, 5, 9])
def test_a_decided_answer_without_a_usable_solution_gets_further_ones(good_after: int) -> None:
    outcome, script = answer(
        lambda request, number: (bad if number < good_after else solve)("helium"),
        sample("similar"),
        votes=4,
        further_solutions=3,
    )
    (kept,) = outcome.kept
    num_votes = 3  # decide
    assert len(script.requests) == min(good_after + 1, num_votes + 3)
    assert [vote.index for vote in kept.solutions] == [0, 1, 2, 4, 5, 6][: len(script.requests)]
    assert not any(map(is_guided, script.requests))
    assert len({request.seed for request in script.requests}) == len(script.requests)
    verified = votes.verify_sample(kept, VerifySection(), passes=lambda made: made.context != "BAD")
    assert (verified.context == "BAD") is (good_after == 9)
    assert (verified.votes.n, verified.votes.agree) == (3, 3)


def test_further_solutions_of_a_seed_have_its_gold_in_sight() -> None:
    outcome, script = answer(
        lambda request, number: (solve if is_guided(request) else bad)("carbon dioxide"),
        sample(),
        votes=3,
        further_solutions=2,
    )
    assert [vote.guidance for vote in outcome.kept[0].solutions] == ["blind", "blind", "guided"]
    _, script = answer(bad("carbon dioxide"), sample(), votes=3, guided=False, further_solutions=2)
    assert len(script.requests) == 4
    assert not any(map(is_guided, script.requests))


def test_no_further_solutions_where_none_are_wanted_or_nothing_is_decided() -> None:
    def num_requests(reply: Any, further_solutions: int = 2) -> int:
        return len(answer(reply, sample("similar"), votes=3, further_solutions=further_solutions)[1].requests)

    assert num_requests(bad("helium"), 0) == 2
    assert num_requests(bad("helium")) == 4
    options = ["oxygen", "carbon dioxide", "helium"]
    assert num_requests(lambda request, number: bad(options[number % 3])) == 3
    assert num_requests("rubbish") == 2


def test_a_run_that_stops_among_further_solutions_goes_on_where_it_was(tmp_path: Path) -> None:
    settings = config(votes=3, further_solutions=4)

    class Stops:
        name, model, adaptive = "scripted", "m", False
        asked, limit = 0, sys.maxsize

        async def start(self) -> None: ...

        async def close(self) -> None: ...

        async def complete(self, request: Request) -> Completion:
            if self.asked == self.limit:
                raise EngineError("stopped")
            self.asked += 1
            good = request.tag.removeprefix("vote") == "5"
            text = json.dumps((solve if good else bad)("helium"))
            return Completion(text=text, finish_reason="stop", prompt_tokens=1, completion_tokens=1)

    def go(folder: str, limit: int) -> tuple[list[Any], int]:
        engine, done = Stops(), list[Any]()
        engine.limit = limit
        players = one_engine(engine, settings.engine)
        journal = Journal(tmp_path / folder)
        run_flows(
            [ShardWork(shard="shard-00000", records=[sample("similar")])],
            answers.make_flow(settings, players, DECIDED, unexplained),
            players,
            journal,
            lambda shard, outcomes: done.extend(outcomes),
            FlowProgress(),
        )
        return done, engine.asked

    undisturbed, num_asked = go("undisturbed", sys.maxsize)
    assert num_asked == 2 + 3, "two votes decide, the third further solution passes"
    for limit in range(1, num_asked):
        with pytest.raises(EngineError):
            go(f"after{limit}", limit)
        assert go(f"after{limit}", sys.maxsize) == (undisturbed, num_asked - limit)


def test_code_always_has_a_guided_solution_beside_the_votes_since_nothing_is_run() -> None:
    record = sample(
        question="Write f.",
        answer="def f(x):\n    return 1",
        kind="code",
        frame="generation",
        choices=None,
        tests=["assert f(1) == 417"],
    )
    outcome, script = answer(solve("def f(x):\n    return 1"), record, votes=3)
    assert [vote.guidance for vote in outcome.kept[0].solutions] == ["blind"] * 3 + ["guided"]
    assert all("f(1)" in request.messages[-1]["content"] for request in script.requests)
    assert all("417" not in json.dumps(request.messages) for request in script.requests), (
        "solvers see calls, not results"
    )


@pytest.mark.parametrize(
    ("reply", "reason", "detail"),
    [
        ("", "empty_output", "empty_output 2"),
        (Completion(text="{", finish_reason="length"), "cut_at_max_tokens", "cut_at_max_tokens 2"),
        (
            Completion(text="", finish_reason="refused", detail="\ud800 too long"),
            "refused_by_engine",
            "refused_by_engine 2",
        ),
        (lambda request, number: ["", "no", solve("neon")][number], "no_valid_vote", "empty_output 1, no_answer 1"),
    ],
)
def test_a_sample_without_any_answer_is_a_drop_with_all_reasons(reply: Any, reason: str, detail: str) -> None:
    outcome, _ = answer(reply, sample("similar"), votes=3)
    (drop,) = outcome.dropped
    assert (drop.reason, drop.step) == (reason, "answers")
    assert outcome.kept == []
    assert drop.detail == detail, "two failures of three put the majority out of reach"
    json_line(drop)


def test_early_failures_stop_the_votes_too() -> None:
    outcome, script = answer("rubbish", sample("similar"), votes=8)
    assert len(script.requests) == 5
    assert len(outcome.dropped[0].record["solutions"]) == 4, "after 4 failures of 8, 5 that agree are out of reach"


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["oxygen", "carbon dioxide", "helium", "rubbish"]), min_size=8, max_size=8),
    st.randoms(use_true_random=False),
)
def test_the_outcome_depends_on_the_completions_and_never_on_their_timing(
    replies: list[str], shuffled: random.Random
) -> None:
    def reply(request: Request, number: int) -> Any:
        return solve(replies[seeds.index(request.seed)]) if not is_guided(request) else solve("carbon dioxide")

    record = sample()
    flow = answers.Answers(config(votes=8), engines(config()), DECIDED)
    seeds = [flow.request(sample_from_dict(record), "solve", index)[0].seed for index in range(8)]
    outcomes = [
        answer(reply, record, votes=8, delays=delays)[0]
        for delays in ([0] * 10, [shuffled.randrange(9) for _ in range(10)])
    ]
    lines = [[json_line(entry) for entry in (*outcome.kept, *outcome.dropped)] for outcome in outcomes]
    assert lines[0] == lines[1]
    assert len(lines[0]) == 1


def test_expressions_are_not_held_to_plain_numbers() -> None:
    flow = answers.Answers(config(), engines(config()), DECIDED)
    plain = sample(
        "similar", question="He pays $5 and then $10. How much?", kind="numeric", choices=None, frame="generation"
    )
    latex = sample("similar", question=r"Simplify $\sqrt{12}$.", kind="numeric", choices=None, frame="generation")
    assert "pattern" in flow.request(sample_from_dict(plain), "solve", 0)[0].schema["properties"]["answer"]
    assert "pattern" not in flow.request(sample_from_dict(latex), "solve", 0)[0].schema["properties"]["answer"]
