"""A forecast's arithmetic, done by hand."""

import asyncio
from pathlib import Path

import pytest

from nemo_sdg.commands.forecast import Rates, assumed, count_tokens, make_forecast, measured, throughput
from nemo_sdg.config import EngineKind, EngineSection, OriginShare, RunConfig
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.generate.requests import Completion, Request

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
    result = make_forecast(config, RATES, {"science": 100, "math": 40}, tokens_per_s=1000, price=3.0)
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
        measured(tmp_path, "context")


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
