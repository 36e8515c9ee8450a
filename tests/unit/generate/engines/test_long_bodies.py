"""Replies without an end, and small ones that grow: they are read up to what was asked for, and cost no memory."""

import asyncio
import gzip
import itertools
import json
import tracemalloc
import zlib

import pytest

from nemo_sdg.config import EngineKind, EngineSection
from nemo_sdg.generate.engines import connection, open_engine
from nemo_sdg.generate.engines.base import Fault, TransportError
from nemo_sdg.generate.requests import Request
from tests.fakes.wild_server import GOOD, ask, http, wild

MB = 1 << 20
MOST = 16 * MB
"""of memory, here; the bombs have three times as much"""
BLOCK = b" " * 65_536
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SIXTY_FOUR = b"40\r\n" + BLOCK[:64] + b"\r\n"
FIELDS = b"X-A: b\r\n" * 1000


def endless(*first, block=BLOCK):
    """`first`, then the block for ever."""
    return itertools.chain(first, itertools.repeat(block))


def bomb():
    return b'{"choices": [{"message": {"content": "' + b"a" * (48 * MB) + b'"}, "finish_reason": "stop"}]}'


def packed(body, encoding, status="200 OK"):
    return [http(status, body, Content_Encoding=encoding)]


BODIES = {
    "a length of gigabytes": (lambda: endless(http("200 OK", length=1 << 40)), Fault.oversized),
    "no length": (lambda: endless(b"HTTP/1.1 200 OK\r\n\r\n{"), Fault.oversized),
    "chunks for ever": (lambda: endless(CHUNKED, block=b"10000\r\n" + BLOCK + b"\r\n"), Fault.oversized),
    "small chunks for ever": (lambda: endless(CHUNKED, block=SIXTY_FOUR * 1000), Fault.oversized),
    "gzip that grows": (lambda: packed(gzip.compress(bomb()), "gzip"), Fault.oversized),
    "gzip members for ever": (
        lambda: endless(http("200 OK", length=1 << 40, Content_Encoding="gzip"), block=gzip.compress(BLOCK)),
        Fault.oversized,
    ),
    "deflate that grows": (lambda: packed(zlib.compress(bomb()), "deflate"), Fault.oversized),
    "raw deflate that grows": (lambda: packed(zlib.compress(bomb())[2:-4], "deflate"), Fault.oversized),
    "an error for ever": (lambda: endless(http("500 Internal Server Error", length=1 << 40)), Fault.server),
    "an error's page that grows": (lambda: packed(gzip.compress(bomb()), "gzip", "503 Busy"), Fault.busy),
    "fields for ever": (lambda: endless(b"HTTP/1.1 200 OK\r\n", block=FIELDS), Fault.connection),
    "one field for ever": (lambda: endless(b"HTTP/1.1 200 OK\r\nX-A: ", block=b"b" * 65_536), Fault.connection),
    "blanks in a field for ever": (lambda: endless(b"HTTP/1.1 200 OK\r\nX-A: "), Fault.timeout),
    "a status line for ever": (lambda: endless(b"HTTP/1.1 200 "), Fault.connection),
    "trailers for ever": (lambda: endless(CHUNKED + b"2\r\n{}\r\n0\r\n", block=FIELDS), Fault.connection),
    "a chunk's extension for ever": (lambda: endless(CHUNKED + b"2;a="), Fault.connection),
    "head after head": (lambda: endless(block=b"HTTP/1.1 100 Continue\r\n\r\n" * 100), Fault.timeout),
}


@pytest.mark.parametrize("name", BODIES)
async def test_what_has_no_end_is_a_fault_that_costs_no_memory_and_the_next_request_is_answered(name, monkeypatch):
    monkeypatch.setattr(connection, "LARGEST_BODY", 2 * MB)
    make, kind = BODIES[name]
    async with wild(make(), [http("200 OK", GOOD)]) as (url, _):
        tracemalloc.start()
        try:
            fault = await ask(url, request_timeout=0.3 if kind is Fault.timeout else 60)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert isinstance(fault, TransportError)
        assert fault.fault is kind
        assert "\n" not in str(fault)
        assert len(str(fault)) < 450
        assert peak < MOST
        assert (await ask(url)).text == "yes"


async def test_a_list_of_models_without_end_is_not_waited_for():
    async with wild([http("200 OK", GOOD)], models=lambda: endless(CHUNKED, block=b"10000\r\n" + BLOCK + b"\r\n")) as (
        url,
        _,
    ):
        assert (await ask(url)).text == "yes"


async def ask_together(monkeypatch, body, num):
    """Faults of `num` requests at once, whose replies are all longer than what was asked for."""
    monkeypatch.setattr(connection, "SPARE_BYTES", 4 * MB)
    async with wild([http("200 OK", body)]) as (url, _):
        engine = open_engine(EngineSection(kind=EngineKind.openai, base_urls=[url], model="m"))
        await engine.start()
        try:
            asked = [engine.complete(Request(prompt=str(number), max_tokens=16)) for number in range(num)]
            found = await asyncio.gather(*asked, return_exceptions=True)
            assert (await engine.complete(Request(prompt="once more", max_tokens=16))).text.startswith("long")
        finally:
            await engine.close()
    return [result for result in found if isinstance(result, TransportError)]


async def test_a_reply_longer_than_what_was_asked_for_is_taken_where_there_is_memory_for_it(monkeypatch):
    body = json.dumps({"choices": [{"message": {"content": "long " * (MB // 2)}, "finish_reason": "length"}]}).encode()
    assert await ask_together(monkeypatch, body, 1) == []
    faults = await ask_together(monkeypatch, body, 8)
    assert 0 < len(faults) < 8
    assert {fault.fault for fault in faults} == {Fault.oversized}


def replied(num):
    """A reply with thinking in two fields, as OpenRouter sends it: Chinese, escaped."""
    text = "\u6807\u8fd1" * num
    message = {"content": "", "reasoning": text, "reasoning_details": [{"text": text}]}
    return json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]})


def listed(num, others):
    """A reply as OpenAI and vLLM send it with logprobs."""
    token = {"token": "\u6807\u8fd1", "logprob": -17.123456789, "bytes": [230, 160, 135] * 2}
    content = [{**token, "top_logprobs": [token] * others} for _ in range(num)]
    message = {"role": "assistant", "content": "\u6807\u8fd1" * num}
    return json.dumps({"choices": [{"message": message, "logprobs": {"content": content}, "finish_reason": "stop"}]})


@pytest.mark.parametrize(
    ("extra", "make_body"),
    [
        ({}, lambda: replied(20_000)),
        ({"n": 4}, lambda: replied(80_000)),
        ({"logprobs": True}, lambda: listed(20_000, 0)),
        ({"logprobs": True, "top_logprobs": 5}, lambda: listed(20_000, 5)),
        ({"max_tokens": None, "max_completion_tokens": 60_000}, lambda: replied(60_000)),
        ({"max_tokens": None}, lambda: replied(60_000)),
        ({"max_tokens": -1}, lambda: replied(60_000)),
        (
            {"echo": True},
            lambda: json.dumps({"choices": [{"text": "\u6807" * 62_000, "prompt_token_ids": [100_000] * 42_000}]}),
        ),
    ],
)
def test_what_a_server_may_answer_fits(extra, make_body):
    request = Request(messages=[{"role": "user", "content": "Is it?" * 7_000}], max_tokens=20_000, extra_body=extra)
    assert connection.BYTES_BESIDE < len(make_body()) <= connection.most_bytes(request, 65_536)
