"""A lane and servers that refuse, on a clock that jumps: what is sent, what is accepted, and how long it takes."""

import asyncio

import pytest

from nemo_sdg.generate.engines.base import Fault
from tests.fakes.limited_servers import (
    LimitedServer,
    at_most,
    lane_to,
    on_a_jumping_clock,
    scattered,
    send_all,
    token_bucket,
)


def sent_and_seconds(server, num, *, max_in_flight=500):
    """(requests sent for each accepted one, seconds, the lane's window at the end)"""
    found = {}

    async def work():
        lane = lane_to(server, max_in_flight)
        found["seconds"] = await send_all(lane, num)
        found["limit"] = lane.window.congestion.limit

    on_a_jumping_clock(work())
    assert server.accepted == num
    return server.sent / num, found["seconds"], found["limit"]


@pytest.mark.parametrize(("rate", "latency", "num"), [(50, 0.2, 1000), (5, 10.0, 800), (200, 1.0, 2000)])
def test_a_limiter_is_used_near_its_rate_without_a_storm(rate, latency, num):
    sent, seconds, _ = sent_and_seconds(LimitedServer(token_bucket(rate, rate), latency=latency), num)
    assert seconds < 1.25 * (num - rate) / rate + 12 * latency, "a second's requests are there at the start"
    assert sent < 1.4


def test_a_server_that_takes_few_at_once_gets_few():
    sent, seconds, limit = sent_and_seconds(LimitedServer(at_most(8), latency=10.0), 500)
    assert 6 <= limit <= 16
    assert sent < 1.6
    assert seconds < 1.5 * 500 / 8 * 10.0


@pytest.mark.parametrize(("share", "fault"), [(0.067, Fault.busy), (0.1, Fault.timeout), (0.2, Fault.busy)])
def test_refusals_at_random_do_not_close_the_window(share, fault):
    server = LimitedServer(scattered(share), latency=0.2)
    server.fault = fault
    sent, seconds, limit = sent_and_seconds(server, 2000)
    assert limit > 150
    assert seconds < 15, "1.5 seconds without refusals; 80 when the window is halved at each"
    assert sent < 1.1 / (1 - share)


def test_a_bad_replica_of_three_costs_its_share_and_time_to_learn_it():
    _, seconds, limit = sent_and_seconds(LimitedServer(scattered(1 / 3), latency=0.2), 2000)
    assert limit > 150
    assert seconds < 30


def test_a_window_never_sends_more_than_its_size_in_the_time_of_an_answer():
    """However fast the server refuses: it takes one request in ten seconds."""
    server = LimitedServer(token_bucket(0.1, 1), latency=2.0)
    _, seconds, _ = sent_and_seconds(server, 30)
    first, *others = (server.sent_in[second] for second in range(max(server.sent_in) + 1))
    assert first <= 32
    assert sum(others) < seconds, "not one a second"


def test_after_an_outage_the_window_opens_again_and_little_was_sent_meanwhile():
    server = LimitedServer(lambda server, now: 60 < now < 120, latency=2.0)
    _, seconds, limit = sent_and_seconds(server, 15_000)
    meanwhile = sum(server.sent_in[second] for second in range(70, 119))
    assert limit == 500
    assert meanwhile < 25
    assert seconds < 180


def test_a_request_that_is_always_refused_is_asked_less_and_less_and_stops_no_other():
    refused = []

    class Picky(LimitedServer):
        async def complete(self, request):
            if request.prompt == "never":
                refused.append(asyncio.get_running_loop().time())
                raise self.busy
            return await super().complete(request)

    async def work():
        from nemo_sdg.generate.engines.base import TransportError
        from nemo_sdg.generate.requests import Request

        server = Picky(lambda server, now: False, latency=2.0)
        server.busy = TransportError("429", Fault.busy)
        lane = lane_to(server, 100)
        never = asyncio.create_task(lane.send(Request(prompt="never"), "f" * 32, 0))
        await send_all(lane, 8_000)
        never.cancel()

    on_a_jumping_clock(work())
    first, last = refused[:10], refused[-3:]
    assert first[-1] - first[0] < 15, "others are answered: it is asked again soon"
    assert last[-1] - last[-2] > 10 * (first[1] - first[0]), "but not for ever"
