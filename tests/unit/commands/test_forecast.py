"""The arithmetic of a forecast, compared with a calculation by hand."""

import asyncio
from pathlib import Path

import pytest

from nemo_sdg.commands.ahead.forecast import Rates, assumed, count_tokens, make_forecast, measured, throughput
from nemo_sdg.config import (
    EngineKind,
    EngineSection,
    GenerateSection,
    OriginShare,
    PerSeed,
    RoleSection,
    RolesSection,
    RunConfig,
    Style,
)
from nemo_sdg.curate.decontaminate.verdicts import Verdicts
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.generate.requests import Completion, Request
from nemo_sdg.pipeline.leak_rates import measured_leaks
from nemo_sdg.records import content_id
from nemo_sdg.storage import Ledger

RATES = Rates(
    source="test",
    question_prompt=100,
    question_completion=50,
    vote_prompt=200,
    vote_completion=300,
    votes={"similar": 4, "seed": 2},
    question_yield=0.5,
    accepted={"similar": 0.5, "seed": 1.0},
    tokens_per_sample=100,
)


def test_requests_tokens_and_hours_add_up() -> None:
    config = RunConfig()
    config.generate.origins = OriginShare(similar=2, seed=1.0)
    config.generate.origins_by_family = {"math": OriginShare(similar=0, seed=0.5)}
    result = make_forecast(
        config, RATES, {"science": {"a": 60, "b": 40}, "math": {"c": 40}}, tokens_per_s=1000, price=3.0
    )
    assert result["questions"] == {"requests": 200, "prompt_tokens": 20_000, "completion_tokens": 10_000}
    assert result["answers"]["requests"] == 100 * 4 + 120 * 2
    assert result["completion_tokens"] == 10_000 + 640 * 300
    assert result["gpu_hours"] == round(202_000 / 1000 / 3600, 3)
    assert result["accepted_samples"] == 50 + 120
    assert result["accepted_tokens"] == 17_000
    assert result["cost_per_million_accepted_tokens"] == round(1e6 * 202_000 / 3.6e6 * 3.0 / 17_000, 4)


def test_assumed_votes_lie_between_the_fewest_and_all() -> None:
    config = RunConfig()
    assert (
        config.generate.votes * config.verify.min_agreement
        <= assumed(config).votes["similar"] + 1
        <= config.generate.votes + 1
    )


def test_assumed_outputs_fit_into_what_the_configuration_allows() -> None:
    config = RunConfig()
    long = assumed(config)
    config.generate.max_tokens_answer = config.generate.max_tokens_question = 160
    short = assumed(config)
    assert (short.vote_completion, short.question_completion) == (80, 80)
    assert long.vote_completion > 80 < long.question_completion


def configured(model: str) -> RunConfig:
    return RunConfig(engine=EngineSection(kind=EngineKind.trtllm, model=model))


def test_throughput_is_that_of_the_configured_model_where_one_is_published() -> None:
    found = throughput(configured("Qwen/Qwen3-235B-A22B-Instruct-2507"), model=None, gpu="H100", tokens_per_s=None)
    assert (found.tokens_per_s, found.source) == (1932, "published for Qwen3-235B-A22B on H100")
    assert throughput(configured("x"), model=None, gpu="H100", tokens_per_s=12.5).tokens_per_s == 12.5


def test_a_stand_in_for_the_configured_model_is_named_as_one() -> None:
    found = throughput(configured("my/own-7B"), model=None, gpu="H200", tokens_per_s=None)
    assert "none is published for my/own-7B" in found.source
    with pytest.raises(ConfigError, match="--tokens-per-s, or --probe"):
        throughput(configured("my/own-7B"), model="my/own-7B", gpu="H100", tokens_per_s=None)
    with pytest.raises(ConfigError, match="A100"):
        throughput(configured("my/own-7B"), model=None, gpu="A100", tokens_per_s=None)


def test_unfinished_pilot_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a finished run"):
        measured(tmp_path, RunConfig())


def test_a_probe_counts_the_tokens_of_every_completion() -> None:
    given: list[int] = []

    async def ask(request: Request) -> Completion:
        await asyncio.sleep(0.001 * (len(given) % 3))
        given.append(7 + len(given))
        return Completion(text="", finish_reason="stop", completion_tokens=given[-1])

    requests = iter([Request(prompt="x")] * 100_000)
    tokens, took = asyncio.run(count_tokens(ask, requests, 8, 0.1))
    assert len(given) >= 8
    assert tokens == sum(given)
    assert took >= 0.1


def roles_of(config: RunConfig, seeds: dict[str, dict[str, int]]) -> dict[str, list[dict[str, object]]]:
    rows = make_forecast(config, RATES, seeds, tokens_per_s=1000, price=None)["roles"]
    return {role: [row for row in rows if row["role"] == role] for role in {row["role"] for row in rows}}


def test_each_role_is_priced_by_its_own_engine() -> None:
    def engine(name: str, price: float) -> RoleSection:
        return RoleSection(model=name, base_urls=["http://h/v1"], price_input=price, price_output=10 * price)

    roles = RolesSection(
        writer=engine("w", 1.0), solver=[engine("s1", 2.0), engine("s2", 4.0)], judge=engine("j", 8.0),
        student=engine("t", 0.0),
    )  # fmt: skip
    config = RunConfig(
        engine=EngineSection(kind=EngineKind.openai, model="e", base_urls=["http://h/v1"], price_input=99.0),
        roles=roles,
        generate=GenerateSection(origins=OriginShare(similar=2, seed=1.0), student_attempts=4),
    )
    asked = roles_of(config, {"science": {"a": 100}})
    assert set(asked) == {"writer", "solver", "judge", "student"}
    (writer,), solvers, (judge,), (student,) = asked["writer"], asked["solver"], asked["judge"], asked["student"]
    assert (writer["requests"], writer["cost"]) == (200, round((200 * 100 * 1 + 200 * 50 * 10) / 1e6, 2))
    passed = 100 * RATES.screened
    votes = passed * 4 + 100 * 2
    assert [row["requests"] for row in solvers] == [votes / 2, votes / 2]
    assert [row["cost"] for row in solvers] == [
        round(votes / 2 * (200 * price + 300 * 10 * price) / 1e6, 2) for price in (2.0, 4.0)
    ]
    leaks = (200 * 0.5 * 0.5 + 100) * (RATES.leaks.lists + RATES.leaks.pairs)  # a list and some pairs a sample
    assert judge["requests"] == round(100 + 100 + (passed + 100) * (RATES.graded + RATES.settled) + leaks)
    assert student["requests"] == round((passed + 100) * RATES.student * 4)
    whole = make_forecast(config, RATES, {"science": {"a": 100}}, tokens_per_s=1000, price=None)
    assert whole["cost"] == pytest.approx(sum(float(str(r["cost"])) for rows in asked.values() for r in rows), abs=0.02)
    assert whole["currency"] == "USD"


def judged(rows: int, *, judge: bool = True) -> dict[str, float]:
    config = RunConfig(
        engine=EngineSection(kind=EngineKind.openai, model="e", base_urls=["http://h/v1"]),
        roles=RolesSection(judge=RoleSection(model="j")),
    )
    config.curate.judged_rows, config.curate.judge = rows, judge
    (row,) = roles_of(config, {"science": {"a": 100}})["judge"]
    return {name: float(str(row[name])) for name in ("requests", "prompt_tokens")}


def test_lists_of_evaluation_rows_are_counted_by_their_length() -> None:
    none, pairs, short, long = judged(12, judge=False), judged(0), judged(6), judged(12)
    assert none["requests"] < pairs["requests"] < short["requests"] == long["requests"]
    lists = short["requests"] - pairs["requests"]
    added = long["prompt_tokens"] - short["prompt_tokens"]
    assert added == pytest.approx(6 * RATES.leaks.listed_row * lists, rel=0.01)


def test_a_pilots_verdicts_tell_how_many_are_asked_for(tmp_path: Path) -> None:
    assert measured_leaks(tmp_path, 4) is None
    folder = tmp_path / "curated" / "verdicts"
    folder.mkdir(parents=True)
    rows = ['{"key": "a", "same": true}', '{"key": "b", "same": false}', '{"key": "c", "named": [0]}']
    (folder / "verdicts-1.jsonl").write_text("\n".join(rows) + "\n")
    found = measured_leaks(tmp_path, 4)
    assert found is not None
    assert (found.lists, found.pairs) == (1 / 4, 3 / 4)


def test_verdicts_of_an_earlier_judge_are_not_counted(tmp_path: Path) -> None:
    for judge, num in (("now", 2), ("before", 7)):
        verdicts = Verdicts(tmp_path / "curated" / "verdicts", model=judge)
        for number in range(num):
            verdicts.keep_named(content_id(judge, number), [])
    blank = {"identity": "", "fingerprint": "", "before": {}, "version": 1, "configuration": {}, "places": {}}
    Ledger(step="curated", inputs={"judge": "now"}, **blank).write(tmp_path)
    found = measured_leaks(tmp_path, 4)
    assert found is not None
    assert found.lists == 2 / 4


def test_a_cost_is_not_made_up_where_one_price_is_missing() -> None:
    config = RunConfig(engine=EngineSection(price_input=1.0))
    assert make_forecast(config, RATES, {"science": {"a": 10}}, tokens_per_s=1, price=None)["cost"] is None


def test_seeds_of_small_tasks_are_asked_for_more_with_per_seed_auto() -> None:
    config = RunConfig(generate=GenerateSection(origins=OriginShare(similar=3, seed=0.0), per_seed=PerSeed.auto))
    small, large = (roles_of(config, {"science": {"a": num}})["writer"][0]["requests"] for num in (100, 100_000))
    assert (small, large) == (100 * 35, 100_000 * 4)  # 35 * sqrt(1000 / 100,000) = 3.5, rounded to even


def test_several_questions_a_request_are_fewer_requests() -> None:
    generate = GenerateSection(origins=OriginShare(similar=6, seed=0.0), questions_per_request=3, style=Style.full)
    (writer,) = roles_of(RunConfig(generate=generate), {"science": {"a": 10}})["writer"]
    assert (writer["requests"], writer["completion_tokens"]) == (20, 60 * 50)
