"""A completion that a server accepts for later is fetched, and the request is not sent again."""

import pytest

from nemo_sdg.generate.engines import pending
from nemo_sdg.generate.engines.base import Fault
from tests.fakes.wild_server import GOOD, ask, http, wild

ACCEPTED = [http("202 Accepted", b"", NVCF_REQID="4f1c-9a", NVCF_STATUS="pending-evaluation")]
NOT_YET = [http("202 Accepted", NVCF_REQID="4f1c-9a")]


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(pending, "POLL_SECONDS", 0.001)


def states(*replies):
    """What the server says when it is asked: its models, then the state of the request."""
    left = [[http("404 Not Found", b"{}")], *replies]
    return lambda: left.pop(0) if len(left) > 1 else left[0]


async def test_it_is_fetched_when_it_is_done_whatever_gateways_say_meanwhile():
    gateway = [http("504 Gateway Time-out", b"<html>")]
    async with wild(ACCEPTED, models=states(NOT_YET, gateway, NOT_YET, [http("200 OK", GOOD)])) as (url, bodies):
        assert (await ask(url)).text == "yes"
        assert len(bodies) == 1, "it is paid for once"


async def test_its_error_is_the_requests(monkeypatch):
    refused = [http("400 Bad Request", b'{"error": {"message": "flagged by our content policy"}}')]
    async with wild(ACCEPTED, models=states(NOT_YET, refused)) as (url, _):
        assert (await ask(url)).finish_reason == "refused"


@pytest.mark.parametrize("name", [{}, {"NVCF_REQID": "../../keys"}])
async def test_without_an_id_or_an_address_for_it_the_request_is_sent_again(name):
    unknown = [http("404 Not Found", b"{}")]
    async with wild([http("202 Accepted", b"", **name)], [http("200 OK", GOOD)], models=states(unknown)) as (url, _):
        assert (await ask(url)).fault is Fault.server
        assert (await ask(url)).text == "yes"
    async with wild(ACCEPTED, [http("200 OK", GOOD)], models=states(unknown)) as (url, _):
        assert (await ask(url)).fault is Fault.server


async def test_what_is_never_done_is_a_timeout():
    async with wild(ACCEPTED, models=states(NOT_YET)) as (url, bodies):
        assert (await ask(url, request_timeout=0.1)).fault is Fault.timeout
        assert len(bodies) == 1
