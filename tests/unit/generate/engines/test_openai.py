"""The client for OpenAI-compatible servers, with a fake server that speaks the protocol on the loopback interface."""

import asyncio
import email.utils
import json
import pickle
import time

import pytest

from nemo_sdg.config import EngineKind, EngineSection, Structured
from nemo_sdg.errors import EngineError
from nemo_sdg.generate.engines import open_engine
from nemo_sdg.generate.engines.base import Fault, TransportError
from nemo_sdg.generate.engines.openai import same_model
from nemo_sdg.generate.engines.retry_after import wait_asked_for
from nemo_sdg.generate.engines.sent import prepare
from nemo_sdg.generate.requests import Outcome, Request
from nemo_sdg.generate.roles import one_engine
from nemo_sdg.generate.scheduling.journal import Journal
from nemo_sdg.generate.scheduling.lanes import lane, window
from nemo_sdg.generate.scheduling.scheduler import run_flows
from nemo_sdg.generate.scheduling.work import FlowProgress, ShardWork
from nemo_sdg.records import Drop
from tests.fakes.openai_server import FakeOpenAIServer, serving

SCHEMA = {
    "type": "object",
    "properties": {"reasoning": {"type": "string"}, "answer": {"enum": ["yes", "no"]}},
    "required": ["reasoning", "answer"],
}
KEY = "sk-very-secret-0123456789"


def section(*urls, **settings):
    return EngineSection(kind=EngineKind.openai, base_urls=list(urls), model=settings.pop("model", "fake"), **settings)


def chat(text, **fields):
    return Request(messages=[{"role": "user", "content": text}], **fields)


async def ask(server, request, **settings):
    """One request to a server that runs in the same loop."""
    url = server.url or await server.start()
    config = section(url, **settings)
    engine = open_engine(config)
    await engine.start()
    try:
        return await engine.complete(prepare(request, config))
    finally:
        await engine.close()


async def test_a_request_goes_out_as_the_protocol_says():
    server = FakeOpenAIServer()
    request = chat("Is water wet?", schema=SCHEMA, temperature=0.3, top_p=0.9, max_tokens=200, seed=7, stop=["###"])
    completion = await ask(server, request, extra_body={"top_k": 20})
    assert completion.finish_reason == "stop"
    assert json.loads(completion.text)["answer"] in ("yes", "no")
    assert completion.prompt_tokens > 0
    assert completion.completion_tokens > 0
    assert server.bodies[-1] == {
        "model": "fake",
        "temperature": 0.3,
        "top_p": 0.9,
        "max_tokens": 200,
        "seed": 7,
        "stop": ["###"],
        "top_k": 20,
        "messages": [{"role": "user", "content": "Is water wet?"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "output", "schema": SCHEMA, "strict": True}},
    }


async def test_base_models_are_asked_for_a_completion():
    server = FakeOpenAIServer()
    assert (await ask(server, Request(prompt="Once upon a time", schema=SCHEMA), structured=Structured.none)).text
    assert server.bodies[-1]["prompt"] == "Once upon a time"
    assert "response_format" not in server.bodies[-1]


async def test_an_output_cut_at_its_limit_says_so():
    completion = await ask(FakeOpenAIServer(), chat("Tell me more", max_tokens=3))
    assert (completion.finish_reason, completion.completion_tokens) == ("length", 3)


async def test_the_longest_reply_that_a_provider_gives_is_asked_for_from_then_on():
    said = {"error": {"message": "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]"}}
    done = {"model": "fake", "choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}
    server = FakeOpenAIServer(replies=[(400, json.dumps(said).encode(), {}), (200, json.dumps(done).encode(), {})])
    config = section(await server.start())
    engine = open_engine(config)
    await engine.start()
    try:
        for _ in range(2):
            assert (await engine.complete(prepare(chat("hello", max_tokens=24576), config))).text == "yes"
    finally:
        await engine.close()
    assert [body["max_tokens"] for body in server.bodies] == [24576, 8192, 8192]


async def test_a_prompt_that_is_too_long_is_refused():
    completion = await ask(FakeOpenAIServer(context_length=100), chat("word " * 200))
    assert completion.finish_reason == "refused"
    assert "maximum context length is 100 tokens" in completion.detail


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("429", Fault.busy),
        ("503", Fault.busy),
        ("500", Fault.server),
        ("reset", Fault.connection),
        ("truncate", Fault.connection),
        ("wrong_json", Fault.answer),
        ("no_json", Fault.answer),
    ],
)
async def test_every_fault_in_transport_is_told_apart(fault, kind):
    with pytest.raises(TransportError) as caught:
        await ask(FakeOpenAIServer(faults=(fault,), share=1.0, retry_after=2.5), chat("hello"))
    assert caught.value.fault is kind
    assert caught.value.retry_after == (2.5 if kind is Fault.busy else None)
    assert "\n" not in str(caught.value)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.fault, copy.retry_after) == (str(caught.value), kind, caught.value.retry_after)


async def test_a_server_that_hangs_is_given_up_after_the_timeout():
    server = FakeOpenAIServer(faults=("hang",), share=1.0)
    with pytest.raises(TransportError, match=r"no answer within 0\.05 seconds") as caught:
        await ask(server, chat("hello"), request_timeout=0.05)
    assert caught.value.fault is Fault.timeout


async def test_a_server_that_is_not_there_is_a_fault_in_transport():
    server = FakeOpenAIServer()
    url = await server.start()
    await server.stop()
    engine = open_engine(section(url))
    await engine.start()
    with pytest.raises(TransportError, match=r"refused|Connect"):
        await engine.complete(chat("hello"))
    await engine.close()


async def test_a_content_refusal_is_a_completion():
    completion = await ask(FakeOpenAIServer(faults=("refuse",), share=1.0), chat("hello"))
    assert (completion.finish_reason, completion.text) == ("refused", "")
    assert "not allowed" in completion.detail


async def test_another_model_is_found_out_at_the_start():
    with pytest.raises(EngineError, match="serves fake, not llama-70b"):
        await ask(FakeOpenAIServer(), chat("hello"), model="llama-70b")


async def test_the_key_goes_into_the_header_and_nowhere_else(monkeypatch):
    monkeypatch.setenv("NEMO_SDG_API_KEY", KEY)
    server = FakeOpenAIServer(key=KEY)
    assert (await ask(server, chat("hello"))).finish_reason == "stop"
    assert KEY not in json.dumps(server.bodies)


@pytest.mark.parametrize("state", ["was refused", "is not set"])
async def test_a_wrong_key_ends_the_run_and_is_never_shown(monkeypatch, state):
    if state == "was refused":
        monkeypatch.setenv("NEMO_SDG_API_KEY", KEY)
    with pytest.raises(EngineError, match=f"NEMO_SDG_API_KEY {state}") as caught:
        await ask(FakeOpenAIServer(key="another"), chat("hello"))
    assert not isinstance(caught.value, TransportError)
    assert KEY not in repr(caught.value)


async def test_a_server_that_repeats_the_key_does_not_bring_it_into_an_error(monkeypatch):
    monkeypatch.setenv("NEMO_SDG_API_KEY", KEY)
    body = json.dumps({"error": {"message": f"bad key {KEY}"}}).encode()
    with pytest.raises(TransportError) as caught:
        await ask(FakeOpenAIServer(key=KEY, replies=[(500, body, {})]), chat("hello"))
    assert KEY not in str(caught.value)
    assert "bad key [key]" in str(caught.value)


async def test_several_servers_share_the_work_and_equal_beginnings_stay_together():
    servers = [FakeOpenAIServer(latency=0.01) for _ in range(3)]
    engine = open_engine(section(*[await server.start() for server in servers]))
    await engine.start()
    await asyncio.gather(*(engine.complete(chat("same head " * 50 + str(number))) for number in range(60)))
    assert [server.stats["requests"] for server in servers] == pytest.approx([20, 20, 20], abs=4)
    before = [server.stats["requests"] for server in servers]
    for number in range(9):
        await engine.complete(chat("same head " * 50 + f"again {number}"))
    assert sorted(server.stats["requests"] - count for server, count in zip(servers, before, strict=True)) == [0, 0, 9]
    await engine.close()


async def test_a_server_that_is_gone_is_passed_over():
    servers = [FakeOpenAIServer() for _ in range(2)]
    engine = open_engine(section(*[await server.start() for server in servers]))
    await engine.start()
    await servers[0].stop()
    faults = 0
    for number in range(40):
        try:
            await engine.complete(chat(str(number)))
        except TransportError:
            faults += 1
    assert faults <= 2
    await engine.close()


@pytest.mark.parametrize(
    "served",
    [
        "Qwen/Qwen3-235B-A22B",
        "qwen/qwen3-235b-a22b",
        "/models/Qwen3-235B-A22B",
        "Qwen/Qwen3-235B-A22B-FP8",
        "qwen3-235b-a22b:latest",
        "qwen3-235b-a22b-04-28",
        "qwen3-235b-a22b-2025-04-28",
        "/models/Qwen3-235B-A22B-Q4_K_M.gguf",
    ],
)
def test_one_model_has_many_names(served):
    assert same_model(served, "Qwen/Qwen3-235B-A22B")


def test_other_models_have_other_names():
    assert not same_model("gpt-4o-mini", "gpt-4o")
    assert not same_model("Qwen3-32B", "Qwen/Qwen3-235B-A22B")
    assert not same_model("", "gpt-4o")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("1.5", 1.5), ("-3", 0.0), ("soon", None), (None, None), ("nan", None), ("inf", None), ("1e999", None)],
)
def test_retry_after_that_makes_no_sense_is_none(value, seconds):
    assert wait_asked_for({"Retry-After": value} if value is not None else {}) == seconds


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("Please try again in 4.95s. Need more tokens?", 4.95),
        ("Please try again in 1m30.5s.", 90.5),
        ("Please try again in 6m0s.", 360),
        ("Please try again in 120ms.", 0.12),
        ("Please try again in 1h2m3s", 3723),
        ("Please retry after 11 seconds.", 11),
        ("Please retry in 37.2s.", 37.2),
        ("If it goes on, retry after 2 minutes", 120),
        ("wait a moment and try again in a while", None),
        ("", None),
    ],
)
def test_a_wait_may_stand_in_the_message(said, seconds):
    assert wait_asked_for({}, said) == pytest.approx(seconds)
    assert wait_asked_for({"Retry-After": "7"}, said) == 7


def test_retry_after_may_be_a_date_or_milliseconds():
    later = email.utils.formatdate(time.time() + 100, usegmt=True)
    assert wait_asked_for({"Retry-After": later}) == pytest.approx(100, abs=3)
    assert wait_asked_for({"retry-after-ms": "2500"}) == 2.5


async def two_rounds(record, ask_engine):
    votes = await asyncio.gather(*(ask_engine(chat(f"{record['id']}?", schema=SCHEMA, seed=seed)) for seed in range(3)))
    last = await ask_engine(chat(" ".join(vote.text for vote in votes), schema=SCHEMA))
    return Outcome(dropped=[Drop(task="t", id=record["id"], step="s", reason="r", detail=last.text)])


def run(folder, url, **settings):
    done, progress = {}, FlowProgress(notify=lambda line: None)
    shards = [ShardWork(shard=f"shard-{s:05d}", records=[{"id": f"{s}/{r}"} for r in range(12)]) for s in range(4)]
    config = section(url, max_in_flight=16, **settings)
    run_flows(
        shards,
        two_rounds,
        one_engine(open_engine(config), config),
        Journal(folder),
        lambda shard, outcomes: done.update({shard: [o.dropped[0].detail for o in outcomes]}),
        progress,
    )
    return done, progress


def test_a_third_of_the_requests_meeting_every_fault_changes_no_byte(tmp_path, monkeypatch):
    monkeypatch.setattr(lane, "BACKOFF_SECONDS", (0.001, 0.01))
    monkeypatch.setattr(window, "PROBE_SECONDS", (0.001, 0.01))
    with serving() as server:
        calm, progress = run(tmp_path / "calm", server.url)
        assert progress.retries == 0
    faults = ("429", "500", "503", "reset", "hang", "truncate", "wrong_json", "wrong_model", "no_json")
    with serving(faults=faults, share=0.34, fault_attempts=2) as server:
        rough, progress = run(tmp_path / "rough", server.url, request_timeout=0.2)
        assert all(server.stats[f"fault_{fault}"] > 0 for fault in faults)
    assert progress.retries > 60
    assert rough == calm
