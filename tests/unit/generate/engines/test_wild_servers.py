"""Servers and gateways that break HTTP or the protocol in ways of their own, each on a real socket."""

import datetime
import gzip
import time

import pytest

from nemo_sdg.errors import EngineError
from nemo_sdg.generate.engines.base import Fault, TransportError
from nemo_sdg.generate.engines.retry_after import wait_asked_for
from tests.fakes.wild_server import CUT, GOOD, ask, http, wild

HTML = b"<html><head><title>504 Gateway Time-out</title></head><body>nginx</body></html>"
TOO_LARGE = (
    b'{"error": {"message": "Request too large for m on tokens per min (TPM): Limit 10000, Requested 12000. The input '
    b'or output tokens must be reduced in order to run successfully.", "code": "rate_limit_exceeded"}}'
)
PACKED = gzip.compress(GOOD)
FAULTS = {
    "reset after the head": ([http("200 OK", length=500), CUT], Fault.connection),
    "reset in the head": ([b"HTTP/1.1 200 OK\r\nContent-", CUT], Fault.connection),
    "chunked body that is cut": (
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + GOOD[:5] + b"\r\n20\r\nabc", b""],
        Fault.connection,
    ),
    "chunks of no length": ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"], Fault.connection),
    "gzip that is cut": (
        [http("200 OK", PACKED[:-20], Content_Encoding="gzip", version="1.0", Connection="close"), b""],
        Fault.answer,
    ),
    "gzip that is none": ([http("200 OK", GOOD, Content_Encoding="gzip")], Fault.answer),
    "no HTTP at all": ([b"SSH-2.0-OpenSSH_9.6\r\n", b""], Fault.connection),
    "a head without end": ([b"HTTP/1.1 200 OK\r\nX: " + b"a" * 20_000, b""], Fault.connection),
    "an empty body": ([http("200 OK")], Fault.answer),
    "no content": ([http("204 No Content", length=None)], Fault.server),
    "accepted for later": ([http("202 Accepted", b"{}")], Fault.server),
    "no choices": ([http("200 OK", b'{"model": "m", "choices": []}')], Fault.answer),
    "choices are null": ([http("200 OK", b'{"model": "m", "choices": null}')], Fault.answer),
    "an error in a 200": ([http("200 OK", b'{"error": {"message": "overloaded", "code": 529}}')], Fault.busy),
    "an error that is a word": ([http("200 OK", b'{"error": "upstream died"}')], Fault.server),
    "a gateway's page": ([http("504 Gateway Time-out", HTML, Content_Type="text/html")], Fault.timeout),
    "a gateway's empty 502": ([http("502 Bad Gateway")], Fault.server),
    "no reason after the status": ([b"HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n"], Fault.busy),
    "a body slower than the timeout": (
        [http("200 OK", GOOD[:3], length=len(GOOD)), *([0.05, GOOD[3:4]] * 20)],
        Fault.timeout,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_it_is_a_fault_in_transport_and_the_next_request_is_answered(name):
    parts, kind = FAULTS[name]
    async with wild(parts, [http("200 OK", GOOD)]) as (url, _):
        fault = await ask(url, request_timeout=0.3)
        assert isinstance(fault, TransportError)
        assert fault.fault is kind
        assert "\n" not in str(fault)
        assert len(str(fault)) < 450
        completion = await ask(url, times=2)
        assert completion.text == "yes"


@pytest.mark.parametrize(
    "parts",
    [
        [http("200 OK", GOOD, version="1.0"), b""],
        [b"HTTP/1.0 200 OK\r\n\r\n" + GOOD, b""],
        [http("200 OK", GOOD, Connection="close"), b""],
        [http("200 OK", PACKED, Content_Encoding="gzip")],
        [http("200 OK", GOOD, Content_Type="text/plain; charset=latin-1")],
        [b"HTTP/1.1 100 Continue\r\n\r\n" + http("200 OK", GOOD)],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]
        + [f"{len(GOOD[n : n + 9]):x}\r\n".encode() + GOOD[n : n + 9] + b"\r\n" for n in range(0, len(GOOD), 9)]
        + [b"0\r\n\r\n"],
        [http("200 OK", GOOD[:20], length=len(GOOD)), 0.05, GOOD[20:]],
    ],
    ids=["1.0", "1.0 without a length", "closes", "gzip", "charset", "100", "chunks", "slow"],
)
async def test_it_is_an_answer_each_time(parts):
    async with wild(parts) as (url, _):
        assert (await ask(url, times=3)).text == "yes"


async def test_a_request_that_is_over_a_minutes_rate_is_made_smaller_and_not_asked_for_ever():
    async with wild([http("429 Too Many Requests", TOO_LARGE)], [http("200 OK", GOOD)]) as (url, bodies):
        assert (await ask(url)).text == "yes"
        assert [body["max_tokens"] for body in bodies] == [512, 256]
    async with wild([http("429 Too Many Requests", TOO_LARGE)]) as (url, bodies):
        assert (await ask(url)).finish_reason == "refused"
        assert len(bodies) < 8


@pytest.mark.parametrize("status", ["301 Moved", "307 Temporary Redirect", "308 Permanent Redirect"])
async def test_a_redirect_before_the_first_answer_says_where_it_leads_and_the_key_does_not_follow(status):
    async with wild([http(status, Location="https://elsewhere.example/v1/chat/completions")]) as (url, bodies):
        with pytest.raises(EngineError, match=r"redirects to https://elsewhere\.example") as caught:
            await ask(url)
        assert "engine.base_urls" in str(caught.value)
        assert len(bodies) == 1


async def test_a_redirect_later_is_tried_again():
    async with wild([http("200 OK", GOOD)], [http("307 Temporary Redirect", Location="/login")]) as (url, _):
        assert (await ask(url, times=2)).fault is Fault.server


async def test_a_request_that_a_gateway_finds_too_large_is_refused_and_no_other():
    async with wild([http("413 Payload Too Large", HTML)], [http("200 OK", GOOD)]) as (url, _):
        assert (await ask(url)).finish_reason == "refused"
        assert (await ask(url)).text == "yes"


async def test_https_to_a_server_that_speaks_http_stops_at_once():
    async with wild([http("200 OK", GOOD)]) as (url, _):
        with pytest.raises(EngineError, match=r"write http:// in engine\.base_urls") as caught:
            await ask(url.replace("http:", "https:"))
        assert not isinstance(caught.value, TransportError)


async def test_a_name_that_is_not_known_is_waited_for():
    fault = await ask("http://no-such-host.invalid/v1")
    assert (fault.fault, "\n" in str(fault)) == (Fault.connection, False)


async def test_a_server_that_comes_back_with_another_model_ends_the_run():
    gone = b'{"error": {"message": "The model `m` does not exist.", "type": "NotFoundError", "code": 404}}'
    async with wild([http("200 OK", GOOD)], [http("404 Not Found", gone)]) as (url, _):
        with pytest.raises(EngineError, match="does not exist"):
            await ask(url, times=2)


FIELD = b'{"detail": [{"type": "string_type", "loc": ["body", "messages", 0, "content"], "msg": "not a string"}]}'


async def test_a_field_that_is_not_taken_from_one_request_alone_does_not_end_the_run():
    async with wild([http("422 Unprocessable Entity", FIELD)]) as (url, _):
        with pytest.raises(EngineError, match=r"engine\.extra_body") as caught:
            await ask(url)
        assert not isinstance(caught.value, TransportError)
    async with wild([http("200 OK", GOOD)], [http("422 Unprocessable Entity", FIELD)]) as (url, _):
        assert (await ask(url, times=2)).fault is Fault.server


NOW = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "250", "Retry-After": "1"}, 0.25),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": NOW}, 30),
        ({"Retry-After": "Wed, 21 Oct 2026 07:27:00 GMT", "Date": NOW}, 0),
        ({"Retry-After": "Mon, 01 Jan 2001 00:00:00 GMT"}, 0),
        ({"Retry-After": "Wed, 99 Foo 2026"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1h2m3.5s"}, 3723.5),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "120ms"}, 0.12),
        ({"x-ratelimit-remaining-requests": "12", "x-ratelimit-reset-requests": "6m0s"}, None),
        ({"x-ratelimit-reset-requests": "6m0s"}, None),
        (
            {
                **{"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "6m0s"},
                **{"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "2s"},
            },
            2,
        ),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "30"}, 30),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s", "Retry-After": "4"}, 4),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": ""}, None),
        ({"x-ratelimit-remaining": "0"}, None),
        ({"Retry-After": "120s"}, 120),
        ({"Retry-After": "60 seconds"}, 60),
        ({"x-ratelimit-remaining-tokens-minute": "0", "x-ratelimit-reset-tokens-minute": "12.5"}, 12.5),
        ({"llm_provider-x-ratelimit-remaining-tokens": "0", "llm_provider-x-ratelimit-reset-tokens": "9s"}, 9),
        ({"ratelimit": "limit=100, remaining=0, reset=30"}, 30),
        ({"ratelimit": "limit=100, remaining=10, reset=30"}, None),
        ({"RateLimit": '"default";r=0;t=30'}, 30),
    ],
)
def test_how_long_a_server_asks_to_wait(headers, seconds):
    assert wait_asked_for(headers) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("Please try again in 1 hour", 3600),
        ("Try again in 2 days.", 172_800),
        ("Please wait 3000 seconds before retrying.", 3000),
        ("Your rate limit resets in ~30s.", 30),
        ("Please retry after 5 minutes", 300),
        ("Please wait a moment and try again", None),
        ("waiting for 20 requests", None),
        ("X-RateLimit-Reset: 1000000001000", 0),
    ],
)
def test_a_wait_in_words(said, seconds):
    assert wait_asked_for({}, said) == seconds


def test_a_reset_may_be_a_point_in_time():
    def of(reset, name="x-ratelimit"):
        return wait_asked_for({f"{name}-remaining": "0", f"{name}-reset": reset})

    later = time.time() + 40
    assert of(f"{later:.0f}") == pytest.approx(40, abs=3)
    assert of(f"{1000 * later:.0f}") == pytest.approx(40, abs=3)
    stamp = datetime.datetime.fromtimestamp(later, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert of(stamp, "anthropic-ratelimit-tokens") == pytest.approx(40, abs=3)
    assert of("1000000001") == 0
