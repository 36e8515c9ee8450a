"""Bodies of a 2xx as providers and gateways send them: nothing paid for is lost, nothing that was cut is kept."""

import json

import pytest

from nemo_sdg.generate.engines.base import TransportError
from nemo_sdg.generate.engines.error_bodies import read_error
from nemo_sdg.generate.engines.faults import Meaning, meaning, status_of
from nemo_sdg.generate.engines.replies import ErrorInReply, read_reply

ANSWER, THOUGHT = "Answer: in the fridge", "Milk spoils."
NONE = {"prompt_tokens": 7, "completion_tokens": 0, "total_tokens": 7}
GEMINI = {"prompt_tokens": 7, "completion_tokens": 0, "total_tokens": 8191}


def body(message, finish="stop", **fields):
    return {"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": finish}], **fields}


def stream(*chunks, end="data: [DONE]\n\n"):
    return ("".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + end).encode()


def delta(text, finish=None):
    return {"model": "m", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}


def read(value):
    return read_reply(value if isinstance(value, bytes) else json.dumps(value).encode())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (body({"content": None, "function_call": {"name": "f", "arguments": ANSWER}}, "function_call"), "stop"),
        (body({"content": ANSWER}, "normal"), "stop"),
        (body({"content": ANSWER}, "time_limit"), "length"),
        (body({"content": ANSWER}, "ERROR_LIMIT"), "length"),
        (body({"content": ANSWER}, "max_new_tokens"), "length"),
        (body({"content": ANSWER}, "pause_turn"), "stop"),
        (body({"content": ANSWER, "reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]}), "stop"),
        (b'{"choices": [{"message": {"content": "Answer: in\tthe fridge"}, "finish_reason": "stop"}]}', "stop"),
        (stream(delta(ANSWER[:5]), delta(ANSWER[5:])), "stop"),
        (stream(delta(ANSWER), delta("", "stop"), end=""), "stop"),
        (b": PROCESSING\r\n\r\n" + stream(delta(ANSWER, "length")).replace(b"\n", b"\r\n"), "length"),
    ],
)
def test_what_holds_an_answer_gives_it(value, expected):
    completion = read(value)
    assert (completion.text.replace("\t", " "), completion.finish_reason) == (ANSWER, expected)


@pytest.mark.parametrize(
    "value",
    [
        stream(delta(ANSWER[:9]), end=""),
        stream(delta(ANSWER[:9]), end='data: {"choi'),
        body({"content": ""}, usage=NONE),
        body({"content": None, "reasoning": None}, None, usage=NONE),
        body({"content": ""}, "load"),
        body({"content": ANSWER[:9]}, "generation_failed"),
        body({"content": None}, "function_call_filter: MALFORMED_FUNCTION_CALL"),
        json.dumps(json.dumps(body({"content": ANSWER}))).encode(),
        b"\n\n   \n",
        b'{"choices": [{"message": {"content": ' + b"[" * 1000 + b"]" * 1000 + b"}}]}",
        b"[" * 100_000,
    ],
    ids=["cut", "in a chunk", "no tokens", "no reason", "loads", "failed", "call", "twice", "alive", "deep", "open"],
)
def test_what_is_no_reply_is_asked_for_again(value):
    with pytest.raises(TransportError):
        read(value)


def test_thinking_that_is_counted_in_the_total_alone_was_paid_for():
    for finish in ("stop", "length"):
        completion = read(body({"role": "assistant"}, finish, usage=GEMINI))
        assert (completion.text, completion.finish_reason) == ("", finish)


def test_thinking_and_text_of_a_stream_of_parts_are_joined():
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT[:6]}]}
    rest = {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT[6:]}]}
    completion = read(stream(delta([thought]), delta([rest]), delta(ANSWER[:5]), delta(ANSWER[5:], "stop")))
    assert (completion.text, completion.trace) == (ANSWER, THOUGHT)


def test_of_several_choices_of_a_stream_the_first_is_taken():
    other = {"choices": [{"index": 1, "delta": {"content": "no"}, "finish_reason": None}]}
    assert read(stream(delta(ANSWER[:5]), other, delta(ANSWER[5:], "stop"), other)).text == ANSWER


def test_counts_that_a_gateway_leaves_at_0_tell_nothing():
    nothing = dict.fromkeys(NONE, 0)
    assert read(body({"content": ""}, usage=nothing)).finish_reason == "stop"


def test_a_part_that_refuses_is_a_refusal():
    completion = read(body({"content": [{"type": "refusal", "refusal": "I can't help with that."}]}))
    assert (completion.finish_reason, completion.detail) == ("refused", "I can't help with that.")


@pytest.mark.parametrize(
    ("value", "means"),
    [
        ({"object": "error", "message": "maximum context length is 4096 tokens", "code": 400}, Meaning.context),
        ({"object": "error", "message": "NETWORK ERROR DUE TO HIGH TRAFFIC", "code": 50001}, Meaning.server),
        ({"success": False, "errors": [{"code": 3040, "message": "Capacity exceeded"}]}, Meaning.server),
        ({"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}, Meaning.configuration),
        ({"error": {"message": "Content Exists Risk", "code": "invalid_request_error"}}, Meaning.never),
        ({"error": {"message": "x", "code": None, "type": "overloaded_error"}}, Meaning.busy),
        ([{"error": {"message": "x", "status": "RESOURCE_EXHAUSTED"}}], Meaning.busy),
        (stream(delta("x"), {"error": {"message": "Provider disconnected", "code": 502}}), Meaning.server),
        (b'event: error\ndata: {"error": {"message": "x", "code": 529}}\n\n', Meaning.busy),
    ],
)
def test_an_error_in_a_200_means_what_its_code_says(value, means):
    with pytest.raises(ErrorInReply) as raised:
        read(value)
    error = read_error(status_of(*raised.value.codes), raised.value.body)
    assert meaning(error, answered=True) is means
