"""The scheduler delivers whole shards, keeps the window full, and loses nothing, whatever the engine does."""

import asyncio
import gc
import os
import random
import signal
import weakref
from collections import Counter

import pytest

from nemo_sdg.config import EngineSection
from nemo_sdg.errors import EngineError
from nemo_sdg.generate.engines.base import Fault, TransportError
from nemo_sdg.generate.requests import Completion, Outcome, Request
from nemo_sdg.generate.roles import one_engine
from nemo_sdg.generate.scheduling import scheduler
from nemo_sdg.generate.scheduling.journal import Journal
from nemo_sdg.generate.scheduling.lanes import lane, window
from nemo_sdg.generate.scheduling.scheduler import run_flows
from nemo_sdg.generate.scheduling.work import FlowProgress, Interrupted, ShardWork
from nemo_sdg.records import Drop


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    monkeypatch.setattr(lane, "BACKOFF_SECONDS", (0.0005, 0.002))
    monkeypatch.setattr(window, "PROBE_SECONDS", (0.0005, 0.002))


class ScriptedEngine:
    """An engine whose text is a function of the request, and whose faults are a function of the request and the
    attempt.
    """

    name = "scripted"
    model = "scripted@1"

    def __init__(self, *, fault=None, turns=3, adaptive=False):
        self.fault = fault or (lambda prompt, attempt: None)
        self.turns = turns
        self.adaptive = adaptive
        self.attempts = Counter()
        self.in_flight = self.most_in_flight = 0
        self.starts = self.closes = 0
        self.order = []

    async def start(self):
        self.starts += 1

    async def close(self):
        self.closes += 1

    async def complete(self, request):
        self.attempts[request.prompt] += 1
        self.order.append(request.prompt)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            for _ in range(random.Random(request.prompt).randrange(1, self.turns + 1)):
                await asyncio.sleep(0)
            if (fault := self.fault(request.prompt, self.attempts[request.prompt])) is not None:
                raise fault
            if "refuse" in request.prompt:
                return Completion(text="", finish_reason="refused", detail="content policy")
            return Completion(
                text=f"answer to {request.prompt}", finish_reason="stop", prompt_tokens=2, completion_tokens=1
            )
        finally:
            self.in_flight -= 1


async def two_rounds(record, ask):
    """Three questions at once, then one about their answers."""
    votes = await asyncio.gather(*(ask(Request(prompt=f"{record['id']} vote {vote}")) for vote in range(3)))
    last = await ask(Request(prompt=f"{record['id']} sums up {[vote.text for vote in votes]}"))
    if last.finish_reason == "refused":
        return Outcome(dropped=[Drop(task="t", id=record["id"], step="answers", reason="refused")])
    return Outcome(dropped=[Drop(task="t", id=record["id"], step="answers", reason="test", detail=last.text)])


def work(num_shards, num_records, prefix=""):
    return [
        ShardWork(shard=f"shard-{s:05d}", records=[{"id": f"{prefix}{s}/{r}"} for r in range(num_records)])
        for s in range(num_shards)
    ]


def run(folder, engine, shards, flow=two_rounds, *, cache_dir=None, progress=None, on_shard_done=None, **settings):
    done = {}

    def take(shard, outcomes):
        assert shard not in done
        done[shard] = [(drop.id, drop.reason, drop.detail) for outcome in outcomes for drop in outcome.dropped]
        if on_shard_done:
            on_shard_done(shard, outcomes)

    error = None
    try:
        engines = one_engine(engine, EngineSection(**settings))
        run_flows(shards, flow, engines, Journal(folder, cache_dir=cache_dir), take, progress)
    except EngineError as exc:
        error = exc
    return done, error


def test_what_an_earlier_step_left_is_freed_during_a_run(tmp_path):
    class Step:
        pass

    left = Step()
    left.own = left
    seen, left = weakref.ref(left), None
    alive = []

    async def flow(record, ask):
        gc.collect()
        alive.append(seen() is not None)
        return await two_rounds(record, ask)

    run(tmp_path, ScriptedEngine(), work(1, 1), flow, max_in_flight=4)
    assert alive == [False]


def expected(tmp_path, num_shards, num_records):
    done, error = run(tmp_path / "undisturbed", ScriptedEngine(), work(num_shards, num_records), max_in_flight=4)
    assert error is None
    return done


def test_outcomes_come_in_input_order_for_every_shard(tmp_path):
    done = expected(tmp_path, 3, 7)
    assert {shard: [drop[0] for drop in drops] for shard, drops in done.items()} == {
        f"shard-{s:05d}": [f"{s}/{r}" for r in range(7)] for s in range(3)
    }


class ReluctantEngine(ScriptedEngine):
    """Answers nothing until the window is full; only near the end, where it cannot be, as soon as it is asked."""

    def __init__(self, window, num_requests):
        super().__init__()
        self.window, self.until = window, num_requests - 5 * window
        self.full = asyncio.Event()

    async def complete(self, request):
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.attempts[request.prompt] += 1
        self.order.append(request.prompt)
        full = self.full
        if self.in_flight == self.window or self.attempts.total() > self.until:
            full.set()
            self.full = asyncio.Event()
        await full.wait()
        self.in_flight -= 1
        return Completion(text="fine", finish_reason="stop")


@pytest.mark.parametrize(("num_shards", "num_records"), [(40, 1), (1, 40), (4, 10)])
def test_the_window_is_filled_across_shards_and_never_exceeded(tmp_path, num_shards, num_records):
    engine, progress = ReluctantEngine(8, 160), FlowProgress()
    _, error = run(
        tmp_path, engine, work(num_shards, num_records), max_in_flight=8, progress=progress, give_up_after=20
    )
    assert error is None
    assert engine.most_in_flight == 8
    assert (progress.records_done, progress.shards_done, progress.requests_done) == (40, num_shards, 160)


def test_shards_are_read_as_there_is_room_and_not_before(tmp_path):
    engine = ReluctantEngine(4, 800)
    ahead = []

    def records(shard):
        for number in range(4):
            ahead.append((4 * shard + number) * 4 - engine.attempts.total())
            yield {"id": str(4 * shard + number)}

    run(
        tmp_path,
        engine,
        [ShardWork(shard=f"shard-{s:05d}", records=records(s)) for s in range(50)],
        max_in_flight=4,
        give_up_after=20,
    )
    assert max(ahead) <= 50


def test_requests_of_one_record_run_near_each_other(tmp_path, monkeypatch):
    """However long the disk takes, OPEN_RECORDS bounds how many other requests come between."""
    monkeypatch.setattr(scheduler, "OPEN_RECORDS", 2)
    engine = ReluctantEngine(2, 160)
    run(tmp_path, engine, work(1, 40), max_in_flight=2, give_up_after=20)
    places = {}
    for place, prompt in enumerate(engine.order):
        places.setdefault(prompt.split()[0], []).append(place)
    assert max(max(where) - min(where) for where in places.values()) < 20


def test_a_second_run_asks_nothing_and_does_not_start_the_engine(tmp_path):
    first = run(tmp_path, ScriptedEngine(), work(3, 5), max_in_flight=4)
    engine, progress = ScriptedEngine(), FlowProgress()
    assert run(tmp_path, engine, work(3, 5), max_in_flight=4, progress=progress) == first
    assert (engine.starts, engine.attempts.total(), progress.replayed) == (0, 0, 60)


def test_another_model_or_another_context_asks_again(tmp_path):
    run(tmp_path, ScriptedEngine(), work(1, 2), max_in_flight=4)
    engine = ScriptedEngine()
    engine.model = "scripted@2"
    run(tmp_path, engine, work(1, 2), max_in_flight=4)
    assert engine.attempts.total() == 8
    engine = ScriptedEngine()
    run(tmp_path, engine, work(1, 2), max_in_flight=4, context_length=512)
    assert engine.attempts.total() == 8


@pytest.mark.parametrize("adaptive", [False, True])
def test_faults_for_a_third_of_the_requests_change_nothing(tmp_path, adaptive):
    kinds = [*Fault]

    def fault(prompt, attempt):
        draw = random.Random(f"{prompt}{attempt}")
        return (
            TransportError("lost", draw.choice(kinds), retry_after=0.0005)
            if attempt <= 3 and draw.random() < 1 / 3
            else None
        )

    progress = FlowProgress()
    done, error = run(
        tmp_path / "faulty",
        ScriptedEngine(fault=fault, adaptive=adaptive),
        work(4, 10),
        max_in_flight=6,
        progress=progress,
    )
    assert error is None
    assert progress.retries > 20
    assert done == expected(tmp_path, 4, 10)


@pytest.mark.parametrize("kind", [kind for kind in Fault if kind is not Fault.busy])
def test_a_request_that_never_comes_through_is_lost_and_no_other(tmp_path, kind):
    def fault(prompt, attempt):
        return TransportError("reset by peer", kind) if prompt == "1/2 vote 1" else None

    engine, progress, lines = ScriptedEngine(fault=fault), FlowProgress(), []
    progress.notify = lines.append
    done, error = run(tmp_path, engine, work(3, 5), max_in_flight=4, max_retries=4, progress=progress)
    assert error is None
    whole = expected(tmp_path, 3, 5)
    assert [drop for drop in done["shard-00001"] if drop[0] != "1/2"] == [
        drop for drop in whole["shard-00001"] if drop[0] != "1/2"
    ]
    assert (done["shard-00000"], done["shard-00002"]) == (whole["shard-00000"], whole["shard-00002"])
    assert engine.attempts["1/2 vote 1"] == 5
    assert (progress.lost, progress.refused, progress.lost_in) == (1, 0, {"shard-00001": 1})
    assert "reset by peer" in lines[0]
    assert "1 requests were lost" in lines[-1]
    healed = ScriptedEngine()
    again, error = run(tmp_path, healed, work(3, 5), max_in_flight=4)
    assert error is None
    assert again == whole, "it was not written into the journal"
    assert set(healed.attempts) <= {"1/2 vote 1"} | {
        prompt for prompt in healed.attempts if prompt.startswith("1/2 sums")
    }


def test_the_last_requests_of_a_run_are_lost_too(tmp_path):
    """Nothing but them is left, and the journal alone says that the engine answers others."""

    def fault(prompt, attempt):
        return TransportError("500", Fault.server) if prompt.endswith("vote 1") and "3/" in prompt else None

    run(tmp_path, ScriptedEngine(), work(3, 5), max_in_flight=4)
    progress = FlowProgress()
    done, error = run(tmp_path, ScriptedEngine(fault=fault), work(4, 5), max_in_flight=4, progress=progress)
    assert error is None
    assert sorted(done) == [f"shard-0000{s}" for s in range(4)]
    assert progress.lost == 5


def test_an_engine_that_fails_everything_midway_loses_nothing(tmp_path):
    served = []

    def fault(prompt, attempt):
        served.append(prompt)
        return TransportError("500", Fault.server) if len(served) > 60 else None

    progress = FlowProgress()
    engine = ScriptedEngine(fault=fault)
    _, error = run(tmp_path, engine, work(6, 10), max_in_flight=4, max_retries=2, give_up_after=0.3, progress=progress)
    assert progress.lost == 0
    assert error is not None
    again, error = run(tmp_path, ScriptedEngine(), work(6, 10), max_in_flight=4)
    assert error is None
    assert again == expected(tmp_path, 6, 10)


def test_a_request_that_could_fail_by_chance_leaves_its_shard_unfinished(tmp_path):
    def fault(prompt, attempt):
        bad = prompt == "1/2 vote 1" or random.Random(f"{prompt}{attempt}").random() < 0.4
        return TransportError("reset by peer") if bad else None

    progress = FlowProgress()
    done, error = run(
        tmp_path, ScriptedEngine(fault=fault), work(3, 5), max_in_flight=4, max_retries=8, progress=progress
    )
    assert progress.lost == 0
    assert "shards unfinished" in str(error)
    assert "shard-00001" not in done


def test_a_request_that_meets_an_outage_alone_is_not_lost(tmp_path):
    """The last one of a run: each time that it is sent the server is away, and then it is back."""

    def fault(prompt, attempt):
        away = prompt.startswith("2/4 sums") and attempt <= 9
        return TransportError("connection refused", Fault.connection) if away else None

    progress = FlowProgress()
    done, error = run(tmp_path, ScriptedEngine(fault=fault), work(3, 5), max_in_flight=32, progress=progress)
    assert (error, progress.lost) == (None, 0)
    assert done == expected(tmp_path, 3, 5)


def test_a_request_that_is_refused_while_others_take_the_room_is_not_lost(tmp_path, monkeypatch):
    """A limit of tokens a minute: a large request finds no room while small ones are sent."""
    monkeypatch.setattr(lane, "PATIENCE", 1 / 40)
    engine = ScriptedEngine(adaptive=True)

    def fault(prompt, attempt):
        large, others = prompt.startswith("0/0 vote 0"), engine.order[-4:]
        crowded = any(not other.startswith("0/0 vote 0") for other in others)
        return TransportError("429", Fault.busy) if large and crowded else None

    engine.fault, progress = fault, FlowProgress()
    _, error = run(tmp_path, engine, work(1, 400), max_in_flight=8, give_up_after=1.0, progress=progress)
    assert engine.attempts["0/0 vote 0"] > 8
    assert (error, progress.lost) == (None, 0)


def test_a_refusal_does_not_tell_that_a_server_answers(tmp_path):
    """A gateway still says what it does not take, while what stands behind it is away."""
    served = []

    def fault(prompt, attempt):
        served.append(prompt)
        return TransportError("502", Fault.server) if len(served) > 60 and "refuse" not in prompt else None

    async def flow(record, ask):
        await ask(Request(prompt=f"{record['id']} refuse"))
        return await two_rounds(record, ask)

    progress = FlowProgress()
    _, error = run(
        tmp_path,
        ScriptedEngine(fault=fault),
        work(6, 10),
        flow,
        max_in_flight=4,
        max_retries=4,
        give_up_after=0.3,
        progress=progress,
    )
    assert progress.lost == 0
    assert error is not None


def test_when_too_many_are_lost_the_run_stops(tmp_path):
    def fault(prompt, attempt):
        return TransportError("500", Fault.server) if "vote 1" in prompt or "vote 2" in prompt else None

    _, error = run(tmp_path, ScriptedEngine(fault=fault), work(8, 10), max_in_flight=16, max_retries=4)
    assert "requests failed each time, while others like them were answered (last: 500)" in str(error)
    assert "\n" not in str(error)


def test_a_server_that_asks_for_patience_costs_no_retry(tmp_path):
    def fault(prompt, attempt):
        return TransportError("429", Fault.busy) if prompt == "0/0 vote 0" and attempt <= 10 else None

    done, error = run(tmp_path, ScriptedEngine(fault=fault), work(1, 30), max_in_flight=4, max_retries=1)
    assert error is None
    assert len(done["shard-00000"]) == 30


def test_a_server_that_is_down_pauses_the_run_and_costs_no_record(tmp_path):
    state = {"requests": 0}

    def fault(prompt, attempt):
        state["requests"] += 1
        return TransportError("connection refused") if 40 < state["requests"] <= 140 else None

    lines = []
    engine = ScriptedEngine(fault=fault)
    done, error = run(
        tmp_path / "down",
        engine,
        work(3, 10),
        max_in_flight=4,
        max_retries=6,
        progress=FlowProgress(notify=lines.append),
    )
    assert error is None
    assert done == expected(tmp_path, 3, 10)
    assert len(lines) == 2
    assert "does not answer (connection refused): paused" in lines[0]
    assert lines[1] == "the engine answers again"


def test_a_server_that_stays_down_ends_the_run_with_everything_kept(tmp_path):
    served = []

    def fault(prompt, attempt):
        served.append(prompt)
        return TransportError("connection refused") if len(served) > 30 else None

    _, error = run(tmp_path, ScriptedEngine(fault=fault), work(3, 10), max_in_flight=4, give_up_after=0.05)
    assert "no completion for 0.05 seconds" in str(error)
    assert "\n" not in str(error)
    healed = ScriptedEngine()
    again, error = run(tmp_path, healed, work(3, 10), max_in_flight=4)
    assert error is None
    assert again == expected(tmp_path, 3, 10)
    assert healed.attempts.total() == 120 - 30


def test_a_refused_request_is_a_completion_like_any_other(tmp_path):
    done, error = run(
        tmp_path,
        ScriptedEngine(),
        [ShardWork(shard="shard-00000", records=[{"id": "a"}, {"id": "refuse"}, {"id": "b"}])],
        max_in_flight=2,
    )
    assert error is None
    assert [drop[1] for drop in done["shard-00000"]] == ["test", "refused", "test"]
    engine = ScriptedEngine()
    run(tmp_path, engine, [ShardWork(shard="shard-00000", records=[{"id": "refuse"}])], max_in_flight=2)
    assert engine.attempts.total() == 0


def test_an_engine_that_refuses_everything_ends_the_run_and_drops_nothing(tmp_path):
    done, error = run(tmp_path, ScriptedEngine(), work(1, 50, prefix="refuse "), max_in_flight=4)
    assert done == {}
    assert "content policy" in str(error)
    engine = ScriptedEngine()
    engine.complete = ok_complete
    done, error = run(tmp_path, engine, work(1, 50, prefix="refuse "), max_in_flight=4)
    assert error is None
    assert [drop[1] for drop in done["shard-00000"]] == ["test"] * 50


async def ok_complete(request):
    return Completion(text="fine", finish_reason="stop")


def test_an_engine_that_cannot_go_on_ends_the_run_at_once(tmp_path):
    def fault(prompt, attempt):
        return EngineError("the server refused the key") if prompt == "0/3 vote 0" else None

    engine = ScriptedEngine(fault=fault)
    done, error = run(tmp_path, engine, work(1, 50), max_in_flight=4)
    assert str(error) == "the server refused the key"
    assert done == {}
    assert engine.attempts["0/3 vote 0"] == 1
    assert engine.closes == 1


def test_a_flow_that_raises_is_not_hidden(tmp_path):
    async def broken(record, ask):
        await ask(Request(prompt=record["id"]))
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError):
        run(tmp_path, ScriptedEngine(), work(1, 3), broken)


def test_a_writer_that_raises_is_not_hidden(tmp_path):
    def full(shard, outcomes):
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        run(tmp_path, ScriptedEngine(), work(2, 3), on_shard_done=full)


def test_equal_requests_are_sent_once(tmp_path):
    async def same(record, ask):
        first = await ask(Request(prompt="the same"))
        return Outcome(dropped=[Drop(task="t", id=record["id"], step="s", reason="r", detail=first.text)])

    engine = ScriptedEngine()
    done, _ = run(tmp_path, engine, work(1, 10), same, max_in_flight=4)
    assert engine.attempts.total() == 1
    assert len(done["shard-00000"]) == 10


def test_completions_of_another_run_are_taken_from_the_cache(tmp_path):
    first, _ = run(tmp_path / "one", ScriptedEngine(), work(2, 5), cache_dir=tmp_path / "cache")
    engine = ScriptedEngine()
    second, _ = run(tmp_path / "two", engine, work(2, 5), cache_dir=tmp_path / "cache")
    assert (second, engine.attempts.total()) == (first, 0)
    third, _ = run(tmp_path / "two", engine, work(2, 5))
    assert (third, engine.attempts.total()) == (first, 0), "they stand in the run's own journal from then on"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_drains_and_the_next_run_goes_on(tmp_path, number):
    before = signal.getsignal(number)
    engine, sent = ScriptedEngine(), []

    def fault(prompt, attempt):
        if engine.attempts.total() >= 50 and not sent:
            sent.append(number)
            os.kill(os.getpid(), number)

    engine.fault = fault
    with pytest.raises(Interrupted, match=number.name):
        run(tmp_path, engine, work(3, 10), max_in_flight=4)
    assert signal.getsignal(number) == before
    assert engine.attempts.total() < 80
    healed = ScriptedEngine()
    done, error = run(tmp_path, healed, work(3, 10), max_in_flight=4)
    assert error is None
    assert done == expected(tmp_path, 3, 10)
    assert healed.attempts.total() + engine.attempts.total() == 120, "nothing that was finished is asked again"
