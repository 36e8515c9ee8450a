"""Errors as providers, servers and gateways send them (provider_errors.jsonl): what each means, and what is said."""

import json
from pathlib import Path

import pytest

from nemo_sdg.generate.engines.error_bodies import READ_AT_MOST, SAID_AT_MOST, read_error
from nemo_sdg.generate.engines.faults import Meaning, meaning, what_to_change
from nemo_sdg.generate.engines.retry_after import wait_asked_for
from nemo_sdg.generate.engines.room import LEAST_ROOM, MOST_TRIES, next_max_tokens

ROWS = [json.loads(line) for line in Path(__file__).with_name("provider_errors.jsonl").read_text().splitlines()]
BY_NAME = {row["from"]: row for row in ROWS}


def error_of(row):
    data = row["text"].encode() if "text" in row else json.dumps(row["body"]).encode()
    return read_error(row["status"], data)


@pytest.mark.parametrize("row", ROWS, ids=BY_NAME)
def test_each_means_what_a_careful_engineer_takes_it_for(row):
    error = error_of(row)
    assert meaning(error, answered=True) is Meaning(row["means"]), error
    assert meaning(error, answered=False) is Meaning(row.get("at_start", row["means"])), error


@pytest.mark.parametrize("row", ROWS, ids=BY_NAME)
def test_each_is_one_line_that_a_user_can_read(row):
    error = error_of(row)
    assert error.message or row.get("text") == "", "nothing was said"
    assert "\n" not in error.message + error.said
    assert len(error.message) <= SAID_AT_MOST
    assert len(error.said) <= READ_AT_MOST
    assert not error.message.startswith(('{"', '[{"', "<!", "<html"))


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("gemini unknown name", "min_p"),
        ("openai unknown param", "top_k"),
        ("openai unrecognized arg", "min_p"),
        ("bedrock extraneous", "min_p"),
        ("databricks field", "min_p"),
        ("azure maas extra", "min_p"),
        ("fireworks extra", "foo"),
        ("mistral nested detail", "max_completion_tokens"),
        ("vllm extra", "guided_json"),
        ("litellm unsupported", "response_format"),
    ],
)
def test_the_field_to_leave_out_is_named(name, field):
    assert what_to_change(error_of(BY_NAME[name]), "m") == (
        f"leave the field out with engine.extra_body={{{field}: null}}"
    )


def test_the_echo_of_a_prompt_decides_nothing():
    row = {"type": "missing", "loc": ["body", "model"], "msg": "Field required", "input": {"prompt": "billing"}}
    pydantic = (
        "1 validation error\nmodel\n  Field required [type=missing, input_value={'prompt': 'billing'}, input_type=dict]"
    )
    for body in ({"error": {"message": str([row])}}, {"detail": [row]}, {"message": pydantic}):
        error = read_error(400, json.dumps(body).encode())
        assert "billing" not in error.said


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("gemini 429 long msg", 37.2),
        ("gemini 429 msg, RetryInfo only", 26),
        ("gemini nested json msg through proxy", 37.2),
        ("litellm 429 vertex", 26),
        ("github models 429", 3000),
        ("replicate throttle", 30),
        ("moonshot rpm", 1),
    ],
)
def test_the_wait_is_found_in_the_body(name, seconds):
    assert wait_asked_for({}, error_of(BY_NAME[name]).said) == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize(
    ("name", "max_tokens", "room"),
    [
        ("groq 413 tpm", 3072, 12000 - (14137 - 3072)),
        ("vllm 0.15 capped", 32000, 131072 - 99073),
        ("vllm wrong limit", 4093, 4096 - 8),
        ("sglang ctx", 3072, 4096 - 2128),
        ("cf ai ctx", 3072, 8000 - (9033 - 3072)),
        ("moonshot ctx", 3072, 8192 - (9000 - 3072)),
        ("cohere ctx", 512, 4081 - (4534 - 512)),
        ("cerebras ctx", 2048, 8192 - (9000 - 2048)),
        ("bedrock too long", 512, 256),
    ],
)
def test_the_room_is_what_the_numbers_leave(name, max_tokens, room):
    assert next_max_tokens(error_of(BY_NAME[name]).said, max_tokens, 1) == room


@pytest.mark.parametrize("row", [row for row in ROWS if row["means"] == "context"], ids=lambda row: row["from"])
def test_a_request_that_never_fits_is_given_up_after_few_tries(row):
    said, max_tokens, tries = error_of(row).said, 32000, 1
    while (max_tokens := next_max_tokens(said, max_tokens, tries)) >= LEAST_ROOM:
        tries += 1
    assert tries <= MOST_TRIES + 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error_code": 336103, "error_msg": "too many tokens"}, "error_code 336103 too many tokens"),
        ({"error": {"type": "overloaded_error"}}, "overloaded_error"),
        ({"state": "x", "retryable": True}, "x retryable True"),
        ({}, ""),
        ([], ""),
        (None, ""),
        ("Invalid token", "Invalid token"),
    ],
)
def test_a_body_in_an_unknown_form_is_told_as_it_is(body, said):
    assert read_error(400, json.dumps(body).encode()).message == said


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 900 + b"]" * 900,
        b'{"error":' * 900 + b"1" + b"}" * 900,
        b'{"x":[' * 400 + b'"a"' + b"]}" * 400,
        b"[" * 5000,
        b"<!--" * 250_000,
        b"<style>" * 140_000,
        b"<" * 1_000_000,
        b"\xff\xfe" * 1000,
        json.dumps({"message": json.dumps({"message": json.dumps({"message": "{" * 100_000})})}).encode(),
        json.dumps([{"a": "b"}] * 50_000).encode(),
    ],
    ids=["lists", "dicts", "both", "open", "comments", "styles", "angles", "bytes", "strings", "rows"],
)
def test_a_body_that_is_deep_or_endless_is_read_in_no_time(data):
    error = read_error(500, data)
    assert len(error.message) <= SAID_AT_MOST
    assert meaning(error, answered=True) in Meaning


@pytest.mark.parametrize(
    ("status", "said", "means"),
    [
        (429, "Too many requests: your team is restricted to 5 at a time", "busy"),
        (503, "A health check of the worker is overdue", "busy"),
        (503, "No free allocation is left in the memory of the GPU", "busy"),
        (500, "The recharge of the token bucket failed", "server"),
    ],
)
def test_words_that_accounts_share_with_machines_stop_no_run(status, said, means):
    error = read_error(status, json.dumps({"error": {"message": said}}).encode())
    assert meaning(error, answered=True) is Meaning(means)
