"""The window gives its slots by rank, and closes to one probe when nothing answers."""

import asyncio

import pytest

from nemo_sdg.generate.engines.base import Fault, TransportError
from nemo_sdg.generate.scheduling.lanes import window
from nemo_sdg.generate.scheduling.lanes.window import Window


def make(maximum=500, *, adaptive=True, lines=None):
    return Window(maximum, adaptive=adaptive, max_retries=8, notify=(lines if lines is not None else []).append)


async def round_trip(open_window, num, *, patience=10_000):
    """`num` requests ask for a slot; those beyond `patience` in flight are told to wait. Returns how many were in
    flight at once.
    """
    waiting = [asyncio.create_task(open_window.acquire(rank)) for rank in range(num)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    started = [task.result() for task in waiting if task.done()]
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    for number, begin in enumerate(started):
        if number < patience:
            open_window.succeeded(begin)
        else:
            open_window.faulted(TransportError("429", Fault.busy), begin)
    return len(started)


async def test_it_doubles_each_round_trip_until_the_maximum():
    grown = make()
    assert [await round_trip(grown, 1000) for _ in range(6)] == [32, 64, 128, 256, 500, 500]


async def test_in_process_it_is_fixed():
    fixed = make(4, adaptive=False)
    assert [await round_trip(fixed, 10, patience=2) for _ in range(3)] == [4, 4, 4]


async def test_what_was_in_flight_when_a_server_went_down_does_not_put_off_the_first_probe():
    open_window = make(100)
    started = [await open_window.acquire(0) for _ in range(32)]
    for begin in started:
        open_window.faulted(TransportError("connection reset"), begin)
    assert open_window._probe_at - asyncio.get_running_loop().time() < 1.25 * window.PROBE_SECONDS[0]


async def test_the_lowest_rank_goes_first():
    narrow = make(1, adaptive=False)
    await narrow.acquire(0)
    order = []

    async def ask(rank):
        await narrow.acquire(rank)
        order.append(rank)
        narrow.release()

    tasks = [asyncio.create_task(ask(rank)) for rank in (5, 2, 9, 2)]
    await asyncio.sleep(0)
    narrow.release()
    await asyncio.gather(*tasks)
    assert order == [2, 2, 5, 9]


async def test_a_request_cancelled_with_its_slot_in_hand_gives_it_back():
    narrow = make(1, adaptive=False)
    await narrow.acquire(0)
    second = asyncio.create_task(narrow.acquire(1))
    await asyncio.sleep(0)
    narrow.release()
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert narrow.in_flight == 0


@pytest.fixture
def short_probes(monkeypatch):
    monkeypatch.setattr(window, "PROBE_SECONDS", (0.0005, 0.004))


@pytest.mark.usefixtures("short_probes")
async def test_a_server_that_is_down_gets_one_probe_at_a_time():
    lines = []
    open_window = make(100, lines=lines)
    started = [await open_window.acquire(0) for _ in range(30)]
    counted = []
    for begin in started:
        counted.append(open_window.faulted(TransportError("connection refused"), begin))
    assert counted == [True] * 20 + [False] * 10, "once it is known to be down, no request loses a retry"
    assert open_window.size == 1
    assert lines == [
        (
            "the engine does not answer (connection refused): paused, everything finished is kept; trying "
            "again until it does (is it up, and engine.base_urls right? Ctrl-C ends the run)"
        )
    ]
    probes = [asyncio.create_task(open_window.acquire(rank)) for rank in range(3)]
    begin = await probes[0]
    assert open_window.in_flight == 1
    open_window.succeeded(begin)
    assert len(lines) == 2
    await asyncio.gather(*probes[1:])
    assert open_window.in_flight == 2


async def test_a_server_whose_answers_never_come_in_time_is_told_with_the_time():
    lines = []
    open_window = make(20, lines=lines)
    started = [await open_window.acquire(0) for _ in range(20)]
    for begin in started:
        open_window.faulted(TransportError("504 Gateway Time-out", Fault.timeout), begin - 60)
    assert "does not answer (504 Gateway Time-out after 60 seconds)" in lines[0]
