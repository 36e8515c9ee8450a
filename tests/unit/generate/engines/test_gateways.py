"""What stands between the client and the model, on a real socket: firewalls, gateways that wrap, servers that count
badly.
"""

import asyncio
import json

import pytest

from nemo_sdg.config import EngineKind, EngineSection
from nemo_sdg.errors import EngineError
from nemo_sdg.generate.engines import open_engine
from nemo_sdg.generate.engines.base import Fault, TransportError
from nemo_sdg.generate.engines.connection import most_bytes
from nemo_sdg.generate.requests import Request
from tests.fakes.wild_server import GOOD, ask, http, wild

FIREWALL = http(
    "403 Forbidden",
    b"<!DOCTYPE html><!--[if IE 7]> <html> <![endif]--><html><head><title>Attention Required! | Cloudflare</title>"
    b"<style>body{margin:0}</style></head><body><h1>Sorry, you have been blocked</h1></body></html>",
    Content_Type="text/html",
)
OK = [http("200 OK", GOOD)]


def said(status, message, **fields):
    return http(status, json.dumps({"error": {"message": message, **fields}}).encode())


async def test_a_firewall_that_takes_a_text_for_an_attack_costs_that_request_and_not_the_run():
    async with wild(OK, [FIREWALL], OK) as (url, bodies):
        fault = await ask(url, times=2)
        assert (type(fault), fault.fault) == (TransportError, Fault.server)
        assert "403 Attention Required! | Cloudflare Sorry, you have been blocked" in str(fault)
        assert bodies[2]["max_tokens"] == 16, "the smallest request tells that others are taken"


async def test_a_key_that_is_revoked_in_the_middle_of_a_run_ends_it():
    async with wild(OK, [FIREWALL]) as (url, bodies):
        with pytest.raises(EngineError, match="NEMO_SDG_API_KEY") as caught:
            await ask(url, times=2)
        assert not isinstance(caught.value, TransportError)
        assert len(bodies) == 3
    revoked = [said("403 Forbidden", "Your API key has been disabled: not authorized")]
    async with wild(OK, revoked) as (url, bodies):
        with pytest.raises(EngineError):
            await ask(url, times=2)
        assert len(bodies) == 2, "a message that names the key needs no proof"


async def test_a_403_of_the_account_says_to_top_up():
    async with wild([said("403 Forbidden", "Sorry, your account balance is insufficient")]) as (url, _):
        with pytest.raises(EngineError, match="top up the account"):
            await ask(url)


async def test_a_403_of_the_model_says_which_model():
    message = "key not allowed to access model. This key can only access models=['a']. Tried to access m"
    async with wild([said("403 Forbidden", message, type="key_model_access_denied", code="403")]) as (url, _):
        with pytest.raises(EngineError, match=r"This key can only access.*engine\.model \(m\)"):
            await ask(url)


async def test_a_key_that_may_not_list_models_may_be_good_for_completions():
    scopes = b'{"error": {"message": "You have insufficient permissions. Missing scopes: api.model.read."}}'
    for status in ("403 Forbidden", "401 Unauthorized"):
        async with wild(OK, models=lambda status=status: [http(status, scopes)]) as (url, _):
            assert (await ask(url)).text == "yes"


async def test_an_engine_that_is_stopped_while_it_starts_leaves_no_session_open():
    async with wild(OK, models=lambda: [http("200 OK", length=20)]) as (url, _):
        engine = open_engine(EngineSection(kind=EngineKind.openai, base_urls=[url], model="m"))
        starting = asyncio.create_task(engine.start())
        while not engine._connection.is_open:
            await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert not engine._connection.is_open


async def test_a_bare_list_of_models_tells_the_context():
    rows = json.dumps([{"id": "m", "context_length": 300}]).encode()
    async with wild(OK, models=lambda: [http("200 OK", rows)]) as (url, bodies):
        await ask(url)
        assert bodies[0]["max_tokens"] < 300


@pytest.mark.parametrize("status", ["201 Created", "246 Guardrails Failed"])
async def test_a_completion_under_another_2xx_is_one(status):
    async with wild([http(status, GOOD)]) as (url, _):
        assert (await ask(url, times=2)).text == "yes"


async def test_a_server_that_counts_no_further_than_its_limit_is_not_asked_for_one_token_less_each_time():
    """vLLM 0.15: the prompt is longer than it says."""
    passed = [
        said(
            "400 Bad Request",
            f"You passed {4096 - room + 1} input tokens and requested {room} output tokens. However, the model's "
            f"context length is only 4096 tokens, resulting in a maximum input length of {4096 - room} tokens.",
        )
        for room in (512, 511, 255)
    ]
    async with wild(*[[error] for error in passed], OK) as (url, bodies):
        assert (await ask(url)).text == "yes"
        assert [body["max_tokens"] for body in bodies] == [512, 511, 255, 127]


async def test_a_limit_that_a_server_names_less_max_tokens_is_understood():
    """vLLM 0.15: 4096 - 512 is called the maximum context length."""
    wrong = said(
        "400 Bad Request",
        "This model's maximum context length is 3584 tokens. However, your request has 3700 input tokens. Please "
        "reduce the length of the input messages. (parameter=input_tokens, value=3700)",
    )
    async with wild([wrong], OK) as (url, bodies):
        assert (await ask(url)).text == "yes"
        assert bodies[1]["max_tokens"] == 4096 - 3700
    async with wild([wrong], [wrong]) as (url, bodies):
        assert (await ask(url)).finish_reason == "refused"
        assert len(bodies) == 2


async def test_a_request_over_the_tokens_of_a_minute_is_made_smaller_whatever_its_status():
    groq = said(
        "413 Payload Too Large",
        "Request too large for model `m` in organization `org_1` service tier `on_demand` on tokens per minute (TPM): "
        "Limit 6000, Requested 6200, please reduce your message size and try again. Need more tokens? Upgrade to Dev "
        "Tier today at https://console.groq.com/settings/billing",
        code="rate_limit_exceeded",
    )
    async with wild([groq], OK) as (url, bodies):
        assert (await ask(url)).text == "yes"
        assert bodies[1]["max_tokens"] == 6000 - (6200 - 512)


async def test_an_address_that_lm_studio_does_not_know_ends_the_run_at_once():
    nothing = http("200 OK", b'{"error":"Unexpected endpoint or method. (POST /chat/completions)"}')
    async with wild([nothing]) as (url, bodies):
        with pytest.raises(EngineError, match=r"Unexpected endpoint.*engine\.base_urls"):
            await ask(url)
        assert len(bodies) == 1


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip"])
async def test_a_body_that_cannot_be_decoded_is_no_answer_and_says_why(coding):
    async with wild([http("200 OK", GOOD, Content_Encoding=coding)]) as (url, _):
        fault = await ask(url)
        assert fault.fault is Fault.answer
        assert f"can not decode content-encoding: {'brotli' if coding == 'br' else coding}"[:36] in str(fault)


@pytest.mark.parametrize("length", [0, -1, True, None])
async def test_a_context_that_is_not_known_limits_nothing(length):
    rows = json.dumps({"data": [{"id": "m", "context_length": length}]}).encode()
    async with wild(OK, models=lambda: [http("200 OK", rows)]) as (url, bodies):
        await ask(url)
        assert bodies[0]["max_tokens"] == 512


async def test_a_stream_that_is_asked_for_is_read_as_one_reply():
    """Behind a proxy that ends what is silent for a minute."""
    chunk = '{"id": "chatcmpl-1", "model": "m", "choices": [{"index": 0, "delta": {"content": "yes "}}]}'
    last = '{"model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}'
    text = "".join(f"data: {line}\n\n" for line in [*[chunk] * 512, last, "[DONE]"])
    async with wild([http("200 OK", text.encode(), Content_Type="text/event-stream")]) as (url, _):
        completion = await ask(url)
        assert completion.text == ("yes " * 512).strip()
    most = [most_bytes(Request(max_tokens=16384, extra_body={"stream": flag}), None) for flag in (False, True)]
    assert most[0] < 16384 * 400 < most[1]
