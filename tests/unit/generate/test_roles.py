"""Roles: their engines, the requests to each, and their entries in a sample."""

import pytest

from nemo_sdg.config import Role, RoleSection, load_config
from nemo_sdg.errors import ConfigError
from nemo_sdg.generate.engines.sent import prepare, sampling_sent, shape
from nemo_sdg.generate.requests import Request
from nemo_sdg.generate.roles import open_roles

CONFIG = """
engine:
  kind: openai
  base_urls: [http://a:8000/v1]
  model: Qwen/Qwen3-235B
  model_license: Apache-2.0
  max_in_flight: 64
  sampling: {temperature: 0.9, top_k: 20}
  extra_body: {chat_template_kwargs: {enable_thinking: true}}
roles:
  solver:
    - model: deepseek-ai/DeepSeek-V3.2
      base_urls: [http://b:8000/v1]
      model_license: MIT
      sampling: {temperature: 0.6}
    - {sampling: {temperature: 0.3}}
  judge: {model: nemotron, prefix: detailed thinking on, system_role: false}
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(CONFIG)
    return load_config(path)


def test_a_role_takes_from_engine_what_it_does_not_say(config):
    (writer,), solvers, (judge,), (student,) = (config.engines(role) for role in Role)
    assert writer == student == config.engine
    other, same = solvers
    assert (other.model, other.base_urls, other.max_in_flight) == (
        "deepseek-ai/DeepSeek-V3.2",
        ["http://b:8000/v1"],
        64,
    )
    assert (other.model_license, other.sampling.given(), other.extra_body) == ("MIT", {"temperature": 0.6}, {})
    assert same.model == "Qwen/Qwen3-235B"
    assert same.sampling.given() == {"temperature": 0.3, "top_k": 20}
    assert (judge.base_urls, judge.model_license) == (["http://a:8000/v1"], "unknown"), (
        "another model's licence is its own"
    )


def test_a_role_that_names_the_model_of_engine_is_that_model(config):
    """Naming it changes nothing: sampling, licence and prefix stay those of `engine`."""
    named = RoleSection(model=config.engine.model)
    assert named.over(config.engine) == config.engine


def test_a_wrong_role_is_one_line_that_names_it(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("roles: {judge: {kind: trtllm}}")
    with pytest.raises(ConfigError, match=r"roles\.judge: engine\.kind=trtllm needs engine\.model"):
        load_config(path)
    path.write_text("roles: {solver: [{}, {sampling: {temperature: 5}}]}")
    with pytest.raises(ConfigError, match="temperature must be in"):
        load_config(path)


def test_a_step_opens_the_engines_of_its_roles_alone_and_shares_them(config):
    engines = open_roles(config, Role.writer, Role.solver)
    assert [engine.model for engine in engines.engines] == ["Qwen/Qwen3-235B", "deepseek-ai/DeepSeek-V3.2"]
    assert engines.players[Role.solver][1].engine is engines.players[Role.writer][0].engine
    assert Role.judge not in engines.players


def test_votes_are_dealt_in_turn_and_begin_anywhere(config):
    engines = open_roles(config, Role.solver)
    begins = {engines.deal(Role.solver, f"sample {number}", 0) for number in range(20)}
    assert begins == {0, 1}
    for record in ("a", "b"):
        dealt = [engines.deal(Role.solver, record, vote) for vote in range(6)]
        assert sorted(dealt[:2]) == [0, 1]
        assert dealt == dealt[:2] * 3


def test_provenance_says_what_is_sent(config):
    engines = open_roles(config, *Role)
    request = Request(messages=[], role=Role.solver, number=1, temperature=0.7, top_p=0.95, max_tokens=512)
    used = engines.used(request, prompt="solve/code", prompt_hash="ab")
    assert (used.model, used.license, used.prompt) == ("Qwen/Qwen3-235B", "Apache-2.0", "solve/code")
    assert used.sampling == {"temperature": 0.3, "top_p": 0.95, "top_k": 20, "max_tokens": 512}
    config.engine.extra_body = {"temperature": 0.1, "top_p": None}
    assert sampling_sent(request, config.engine)["temperature"] == 0.1
    assert "top_p" not in sampling_sent(request, config.engine)


def test_the_key_of_a_completion_is_what_is_sent(config):
    engines = open_roles(config, *Role)
    ask = [{"role": "user", "content": "2 + 2?"}]
    keys = [
        engines.key(Request(messages=ask, role=role, number=number))
        for role, number in ((Role.writer, 0), (Role.student, 0), (Role.solver, 0), (Role.solver, 1), (Role.judge, 0))
    ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4
    assert engines.key(Request(messages=ask, tag="vote1")) == engines.key(Request(messages=ask, tag="vote2"))


def test_the_shape_of_a_chat(config):
    messages = [{"role": "system", "content": "Solve."}, {"role": "user", "content": "2 + 2? <|im_end|>"}]
    (judge,) = config.engines(Role.judge)
    assert shape(messages, judge) == [{"role": "user", "content": "detailed thinking on\nSolve.\n\n2 + 2? < |im_end|>"}]
    judge.system_role = True
    assert shape(messages, judge)[0] == {"role": "system", "content": "detailed thinking on\nSolve."}
    assert shape(messages[1:], judge)[0] == {"role": "system", "content": "detailed thinking on"}
    assert messages[1]["content"] == "2 + 2? <|im_end|>", "the flow's own request is left as it is"
    assert prepare(Request(prompt="a [INST] b"), config.engine).prompt == "a [ INST] b"
