"""Bodies of servers' replies: each body with an answer gives it, and every other one gives an error with a message."""

import json
from pathlib import Path

import pytest

from nemo_sdg.config import Structured
from nemo_sdg.errors import EngineError
from nemo_sdg.generate.engines import open_engine
from nemo_sdg.generate.engines.base import TransportError
from nemo_sdg.generate.engines.error_bodies import read_error
from nemo_sdg.generate.engines.faults import Meaning, meaning, status_of
from nemo_sdg.generate.engines.replies import ErrorInReply, read_reply
from nemo_sdg.generate.engines.sent import prepare
from nemo_sdg.generate.requests import Request
from tests.fakes.openai_server import FakeOpenAIServer
from tests.fakes.server_dialects import SERVERS
from tests.unit.generate.engines.test_openai import SCHEMA, ask, chat, section

ANSWER = '{"context": "Cold keeps.", "reasoning": "So the fridge.", "answer": "in the fridge"}'
THOUGHT = "Milk spoils when it is warm."
ROOT = Path(__file__).resolve().parents[4]
SHARED = next(
    (path / "shared" for path in (ROOT.parent, ROOT.parent.parent) if (path / "shared").is_dir()), ROOT / "no"
)
CASES = SHARED / "cases" / "generate" / "server_replies.jsonl"
HUGE = {"choices": [{"message": {"content": ANSWER.replace("Cold", "Cold " * 6_000_000)}, "finish_reason": "stop"}]}


def body(message, finish="stop", **fields):
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {
        "id": "1",
        "model": "m",
        "choices": [choice],
        "usage": {"prompt_tokens": 20, "completion_tokens": 60},
        **fields,
    }


def read(value):
    return read_reply(value if isinstance(value, bytes) else json.dumps(value).encode())


@pytest.mark.parametrize(
    ("message", "trace"),
    [
        ({"content": ANSWER}, ""),
        ({"content": ANSWER, "reasoning_content": THOUGHT}, THOUGHT),
        ({"content": ANSWER, "reasoning": THOUGHT}, THOUGHT),
        ({"content": ANSWER, "reasoning": THOUGHT, "reasoning_details": [{"text": THOUGHT}]}, THOUGHT),
        ({"content": ANSWER, "reasoning_content": None, "reasoning": None}, ""),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]},
                    {"type": "text", "text": ANSWER},
                ]
            },
            THOUGHT,
        ),
        ({"content": [{"type": "text", "text": ANSWER}]}, ""),
        ({"content": None, "reasoning": f"{THOUGHT}\n\n{ANSWER}"}, THOUGHT),
        ({"content": "", "reasoning_content": ANSWER}, ""),
        ({"reasoning_content": ANSWER}, ""),
        ({"content": None, "tool_calls": [{"function": {"name": "output", "arguments": ANSWER}}]}, ""),
        ({"content": f"<think>{THOUGHT}</think>{ANSWER}"}, THOUGHT),
        ({"content": f"{THOUGHT}</think>\n{ANSWER}"}, THOUGHT),
        ({"content": f"<think>{THOUGHT}\n\n{ANSWER}"}, THOUGHT),
    ],
)
def test_an_answer_is_found_wherever_it_stands(message, trace):
    completion = read(body(message))
    assert (completion.text, completion.trace, completion.finish_reason) == (ANSWER, trace, "stop")


@pytest.mark.parametrize(
    ("finish", "expected"),
    [
        *(
            (reason, "stop")
            for reason in ("stop", "STOP", "end_turn", "eos", None, "", {"type": "stop", "matched": 5}, "x")
        ),
        *((reason, "length") for reason in ("length", "MAX_TOKENS", "max_tokens", "model_length", {"type": "length"})),
        ("model_context_window_exceeded", "length"),
        ("repetition", "repetition"),
        *((reason, "refused") for reason in ("content_filter", "safety", "recitation", "sensitive", "SAFETY")),
    ],
)
def test_finish_reasons_become_a_fixed_set(finish, expected):
    assert read(body({"content": ANSWER}, finish)).finish_reason == expected


@pytest.mark.parametrize("finish", ["abort", "error", "insufficient_system_resource"])
def test_a_request_that_the_server_broke_off_is_its_fault(finish):
    with pytest.raises(TransportError):
        read(body({"content": '{"context": "Half'}, finish))


@pytest.mark.parametrize(
    "value", [b"<html>", b"", b"[]", b"null", {"choices": []}, {"choices": [{"finish_reason": "stop"}]}]
)
def test_what_is_no_completion_is_a_fault_of_the_server(value):
    with pytest.raises(TransportError, match="not an OpenAI completion"):
        read(value)


def test_thinking_that_fills_max_tokens_is_said_to():
    completion = read(body({"content": None, "reasoning": THOUGHT}, "length"))
    assert (completion.text, completion.trace) == ("", THOUGHT)
    assert completion.detail == "thinking filled max_tokens (60 tokens)"


def test_thoughts_alone_are_no_answer():
    completion = read(body({"reasoning_content": 'Maybe {"answer": "oxygen"}? No, I am not sure of it.'}))
    assert (completion.text, completion.finish_reason) == ("", "stop")
    assert completion.trace


def test_a_refusal_field_is_a_refusal():
    completion = read(body({"content": None, "refusal": "I can't help with that."}))
    assert (completion.finish_reason, completion.detail) == ("refused", "I can't help with that.")


def test_usage_is_read_in_every_form():
    usage = {"prompt_tokens": "200", "completion_tokens": "12.0", "completion_tokens_details": {"reasoning_tokens": 9}}
    completion = read(body({"content": ANSWER}, usage=usage))
    assert (completion.prompt_tokens, completion.completion_tokens, completion.reasoning_tokens) == (200, 12, 9)
    for nothing in (None, [], {"prompt_tokens": None, "completion_tokens": "many"}):
        assert read(body({"content": ANSWER}, usage=nothing)).completion_tokens == 0


def test_events_that_nobody_asked_for_are_joined():
    chunks = [{"model": "m", "choices": [{"delta": {"content": part}}]} for part in (ANSWER[:20], ANSWER[20:])]
    chunks.append(
        {"model": "m", "choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"completion_tokens": 7}}
    )
    stream = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"
    completion = read(stream)
    assert (completion.text, completion.finish_reason, completion.completion_tokens) == (ANSWER, "stop", 7)


def test_byte_order_marks_and_lone_surrogates_are_survived():
    assert read(b"\xef\xbb\xbf" + json.dumps(body({"content": ANSWER})).encode()).text == ANSWER
    lone = json.dumps(body({"content": "X"})).encode().replace(b'"X"', b'"cold \\ud83d milk \\ud83d\\ude00"')
    assert read(lone).text.encode().decode() == "cold \ufffd milk \U0001f600"


def test_a_reply_of_thirty_megabytes_is_read():
    assert read(HUGE).text.endswith('"in the fridge"}')


@pytest.mark.parametrize("server", SERVERS)
async def test_each_server_is_understood(server):
    """The same request to each: text, trace, counts and the limit come out alike."""
    fake = FakeOpenAIServer(dialect=server, thinking=40)
    request = chat("Is water wet?")
    request.schema = SCHEMA
    forms = {"trtllm-serve": "json", "deepseek": "json_object", "nim": "nvext", "vllm": "structured_outputs"}
    settings = {"structured": Structured(forms.get(server, "json_schema"))}
    completion = await ask(fake, request, **settings)
    assert completion.finish_reason == "stop"
    assert completion.trace.startswith("First I look at what is asked")
    assert "think" not in completion.text
    assert server == "deepseek" or json.loads(completion.text)["answer"] in ("yes", "no")
    cut = await ask(FakeOpenAIServer(dialect=server, thinking=40), chat("Is water wet?", max_tokens=30))
    assert cut.finish_reason == "length"
    assert cut.text == ""
    assert "First I look" in cut.trace or server in ("nim", "trtllm-serve")


@pytest.mark.parametrize("server", SERVERS)
async def test_max_tokens_shrinks_to_what_a_context_leaves(server):
    fake = FakeOpenAIServer(dialect=server, context_length=400)
    completion = await ask(fake, chat("Tell me of water and of what is in it.", max_tokens=398))
    assert completion.finish_reason == "stop"
    assert fake.bodies[-1]["max_tokens"] < 398
    too_long = await ask(FakeOpenAIServer(dialect=server, context_length=300), chat("word " * 400, max_tokens=100))
    assert too_long.finish_reason == "refused"


def expand(value):
    """The bodies that the cases name by a word, and (status, body, headers) of those that are errors."""
    ok = json.dumps(body({"content": ANSWER})).encode()
    if value == "HUGE":
        return 200, json.dumps(HUGE).encode(), {}
    by_name = {
        "BOM": b"\xef\xbb\xbf" + ok,
        "SURR": ok.replace(b"Cold", b"\\ud83d"),
        "SSE": b"data: " + json.dumps({"choices": [{"delta": {"content": ANSWER}, "finish_reason": "stop"}]}).encode(),
    }
    if isinstance(value, str):
        return 200, by_name[value], {}
    if isinstance(value, list):
        return value[0], json.dumps(value[1]).encode(), value[2]
    return 200, json.dumps(value).encode(), {}


def cases():
    return [json.loads(line) for line in CASES.read_bytes().splitlines()] if CASES.is_file() else []


@pytest.mark.skipif(not CASES.is_file(), reason=f"no recorded replies at {CASES}")
@pytest.mark.parametrize("case", cases(), ids=lambda case: case["name"])
async def test_recorded_replies_give_what_they_hold(case):
    status, data, headers = expand(case["reply"])
    holds = b"in the fridge" in data and status == 200
    fake = FakeOpenAIServer(replies=[(status, data, headers)])
    config = section(await fake.start(), model="Qwen/Qwen3-235B-A22B")
    engine = open_engine(config)
    await engine.start()
    try:
        completion = await engine.complete(prepare(Request(messages=[{"role": "user", "content": "Where?"}]), config))
    except EngineError as error:
        completion, said = None, str(error)
    finally:
        await engine.close()
        await fake.stop()
    if completion is None:
        assert not holds, said
        assert said
    else:
        assert holds == ("in the fridge" in completion.text and completion.finish_reason == "stop")


@pytest.mark.parametrize("finish", ["content_filter: RECITATION", "SAFETY", "ERROR_TOXIC", "content_filter"])
def test_what_is_held_back_for_its_content_is_a_refusal(finish):
    assert read(body({"content": None}, finish)).finish_reason == "refused"


@pytest.mark.parametrize(
    ("value", "means"),
    [
        ({"choices": None, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}, "configuration"),
        ({"choices": None, "base_resp": {"status_code": 1002, "status_msg": "rate limit, try again later"}}, "busy"),
        ({"choices": None, "base_resp": {"status_code": 1026, "status_msg": "input new_sensitive"}}, "never"),
        ([{"error": {"code": 429, "message": "Resource has been exhausted", "status": "RESOURCE_EXHAUSTED"}}], "busy"),
        ({"error": {"code": 402, "message": "Insufficient credits"}}, "configuration"),
    ],
)
def test_an_error_in_a_200_is_sorted_like_any_other(value, means):
    with pytest.raises(ErrorInReply) as raised:
        read(value)
    error = read_error(status_of(*raised.value.codes), raised.value.body)
    assert meaning(error, answered=True) is Meaning(means)


def test_a_reply_with_a_status_of_its_own_that_is_good_is_a_reply():
    assert read(body({"content": ANSWER}, base_resp={"status_code": 0, "status_msg": ""})).text == ANSWER
