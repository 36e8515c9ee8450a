"""Learned limits change what replies cost, and never what is kept."""

import asyncio
import itertools
import math
import random
from collections import Counter

import pytest

from nemo_sdg.config import EngineKind, EngineSection, Role, RunConfig
from nemo_sdg.config.engine import OutputLimit
from nemo_sdg.config.roles import RoleSection
from nemo_sdg.errors import ConfigError, EngineError
from nemo_sdg.generate.requests import Completion, Outcome, Request
from nemo_sdg.generate.roles import one_engine
from nemo_sdg.generate.scheduling.journal import Journal
from nemo_sdg.generate.scheduling.lanes.output_limits import ENOUGH, GROUP, LEAST, Lengths
from nemo_sdg.generate.scheduling.scheduler import run_flows
from nemo_sdg.generate.scheduling.work import FlowProgress, ShardWork
from nemo_sdg.pipeline.order import engine_shapes
from nemo_sdg.records import Drop
from tests.fakes.reserving_server import simulate

MAX_TOKENS = 4096


def length_of(prompt):
    """Most replies are some hundred tokens long; some never end."""
    draw = random.Random(prompt)
    return 10 * MAX_TOKENS if draw.random() < 0.02 else math.ceil(draw.lognormvariate(math.log(200), 0.5))


class WritingEngine:
    """Writes a text that is a function of the prompt, up to max_tokens; replies come in an order that `order` draws."""

    name, model, adaptive = "writing", "writing@1", False

    def __init__(self, *, order=0, fails_after=math.inf, counts=lambda tokens: tokens):
        self.draw, self.fails_after, self.counts = random.Random(order), fails_after, counts
        self.sent = Counter()

    async def start(self): ...

    async def close(self): ...

    async def complete(self, request):
        self.sent[request.prompt, request.max_tokens] += 1
        if self.sent.total() > self.fails_after:
            raise EngineError("the key was revoked")
        for _ in range(self.draw.randrange(20)):
            await asyncio.sleep(0)
        if "needs room" in request.prompt and request.max_tokens < MAX_TOKENS:
            return Completion(text="", finish_reason="refused", detail="max_tokens must be above the thinking budget")
        length = length_of(request.prompt)
        made = min(length, request.max_tokens)
        reason = "stop" if made == length else "length"
        return Completion(text="word " * made, finish_reason=reason, completion_tokens=self.counts(made))


async def votes(record, ask):
    replies = await asyncio.gather(
        *(
            ask(Request(prompt=f"{record['id']} vote {vote}", role=Role.solver, tag=f"vote{vote}", max_tokens=4096))
            for vote in range(3)
        )
    )
    said = [(len(reply.text), reply.finish_reason, reply.completion_tokens) for reply in replies]
    return Outcome(dropped=[Drop(task="t", id=record["id"], step="answers", reason="test", detail=str(said))])


def work(num_shards=3, num_records=60, word=""):
    return [
        ShardWork(
            shard=f"shard-{s:05d}", records=[{"id": f"{word}{s}/{r}", "task": f"task{s}"} for r in range(num_records)]
        )
        for s in range(num_shards)
    ]


def run(folder, engine, shards, limit=OutputLimit.learned, *, cache_dir=None):
    done, progress = {}, FlowProgress()
    section = EngineSection(output_limit=limit, max_in_flight=8)
    run_flows(
        shards,
        votes,
        one_engine(engine, section),
        Journal(folder, cache_dir=cache_dir),
        lambda shard, outcomes: done.update(
            {shard: [(each.dropped[0].id, each.dropped[0].detail) for each in outcomes]}
        ),
        progress,
    )
    return done, progress


@pytest.fixture(scope="module")
def in_full(tmp_path_factory):
    done, progress = run(tmp_path_factory.mktemp("full"), WritingEngine(), work(), OutputLimit.full)
    assert progress.limited == 0
    return done


@pytest.mark.parametrize("order", range(3))
def test_what_is_kept_is_the_same_with_learned_limits_in_whatever_order_replies_come(tmp_path, in_full, order):
    engine = WritingEngine(order=order)
    done, progress = run(tmp_path, engine, work())
    assert done == in_full
    assert progress.limited > 200
    assert 0 < progress.sent_again < 0.1 * progress.limited
    assert progress.learned_tokens < 0.3 * progress.full_tokens == 0.3 * MAX_TOKENS * progress.limited


@pytest.mark.parametrize("fails_after", [30, 100, 300])
def test_a_run_that_is_ended_and_resumed_keeps_the_same(tmp_path, in_full, fails_after):
    engine = WritingEngine(order=7, fails_after=fails_after)
    with pytest.raises(EngineError):
        run(tmp_path, engine, work())
    resumed = WritingEngine(order=8)
    done, progress = run(tmp_path, resumed, [*reversed(work())])
    assert done == in_full
    assert progress.replayed
    assert all(num == 1 for num in resumed.sent.values())


def test_a_finished_run_is_resumed_under_another_limit_without_a_request(tmp_path, in_full):
    run(tmp_path, WritingEngine(), work())
    engine = WritingEngine()
    assert run(tmp_path, engine, work(), OutputLimit.full)[0] == in_full
    assert not engine.sent


def test_a_reply_that_is_cut_at_the_learned_limit_is_asked_for_again_in_full_and_no_other(tmp_path):
    engine = WritingEngine()
    _, progress = run(tmp_path, engine, work())
    prompts = {prompt for prompt, _ in engine.sent}
    lower = {prompt: limit for prompt, limit in engine.sent if limit < MAX_TOKENS}
    assert len(lower) == progress.limited
    for prompt in prompts:
        in_full_too = engine.sent[prompt, MAX_TOKENS]
        assert in_full_too == (prompt not in lower or length_of(prompt) > lower[prompt])
    assert progress.sent_again_tokens == sum(limit for prompt, limit in lower.items() if length_of(prompt) > limit)


@pytest.mark.parametrize("second", ["run", "other"], ids=["of the run", "of another run, by the cache"])
def test_the_journal_teaches_the_limits_too(tmp_path, second):
    run(tmp_path / "run", WritingEngine(), work(1), cache_dir=tmp_path / "cache")
    engine = WritingEngine()
    run(tmp_path / second, engine, [*work(1), *work(1, 10, "new")], cache_dir=tmp_path / "cache")
    first = [limit for prompt, limit in engine.sent if prompt.startswith("new")]
    assert sum(limit < MAX_TOKENS for limit in first) == 30


def test_a_server_that_wants_room_for_its_thinking_gets_it(tmp_path):
    done, progress = run(tmp_path, WritingEngine(), work(word="needs room "))
    assert progress.sent_again > 100
    assert not any("refused" in detail for rows in done.values() for _, detail in rows)


@pytest.mark.parametrize("counts", [lambda tokens: 0, lambda tokens: tokens // 10], ids=["none", "without thinking"])
def test_a_server_that_counts_its_tokens_wrongly_costs_little(tmp_path, counts):
    engine = WritingEngine(counts=counts)
    _, progress = run(tmp_path, engine, work(6, 200))
    assert progress.sent_again < 0.12 * sum(engine.sent.values())


# the lengths


def test_nothing_is_learned_before_the_first_group_is_known():
    lengths = Lengths()
    asked = [lengths.ask() for _ in range(GROUP)]
    for group in asked[: ENOUGH - 1]:
        lengths.answered(group, 1000)
        assert lengths.limit is None
    lengths.answered(asked[ENOUGH - 1], 1000)
    assert lengths.limit == 1536


def test_replies_that_come_first_do_not_stand_for_those_that_take_longer():
    lengths = Lengths()
    asked = [(lengths.ask(), tokens) for tokens in range(1000, 1000 + 64 * GROUP)]
    random.Random(1).shuffle(asked)
    half = len(asked) // 2
    for group, tokens in sorted(asked[:half], key=lambda each: each[1]):
        lengths.answered(group, tokens)
    assert lengths.limit is None


def test_the_replies_that_never_come_do_not_hold_up_a_group():
    lengths = Lengths()
    for group in [lengths.ask() for _ in range(GROUP)][:ENOUGH]:
        lengths.answered(group, 2000)
    assert lengths.limit == 3072


def test_short_replies_have_a_least_limit():
    lengths = Lengths()
    for group in [lengths.ask() for _ in range(GROUP)]:
        lengths.answered(group, 3)
    assert lengths.limit == LEAST


@pytest.mark.parametrize("seed", range(5))
def test_the_limit_comes_near_what_95_percent_need(seed):
    draw, lengths = random.Random(seed), Lengths()
    tokens = [math.ceil(draw.lognormvariate(math.log(800), 0.7)) for _ in range(50 * GROUP)]
    open_ = [(lengths.ask(), each) for each in tokens]
    for group, each in sorted(open_, key=lambda pair: pair[1]):
        lengths.answered(group, each)
    need = sorted(tokens)[math.ceil(0.95 * len(tokens)) - 1]
    assert lengths.limit is not None
    assert 1.45 * need <= lengths.limit <= 1.65 * need


# a server that reserves


def test_a_server_that_reserves_memory_for_max_tokens_gives_more():
    full, learned = (
        simulate(limit, memory=400_000, most=2048, num=3000, max_in_flight=256)
        for limit in (OutputLimit.full, OutputLimit.learned)
    )
    assert full.counts.limited == 0
    assert learned.counts.limited > 2000
    assert full.seconds > 1.4 * learned.seconds
    assert learned.tokens < 1.1 * full.tokens


# configuration


def test_limits_are_learned_for_tensorrt_llm_in_process_and_else_where_it_is_asked_for():
    served = {"kind": EngineKind.openai, "base_urls": ["http://a:1/v1"], "model": "m"}
    assert EngineSection(kind=EngineKind.trtllm, model="m").learns_limits
    assert not EngineSection(kind=EngineKind.trtllm, model="m", output_limit=OutputLimit.full).learns_limits
    assert not EngineSection(**served).learns_limits
    learned = EngineSection(**served, output_limit=OutputLimit.learned)
    assert learned.learns_limits
    assert RoleSection(model="other").over(learned).learns_limits
    assert not RoleSection(output_limit=OutputLimit.full).over(learned).learns_limits


def test_a_learned_limit_that_could_do_nothing_is_a_mistake():
    with pytest.raises(ConfigError, match="does nothing for"):
        EngineSection(kind=EngineKind.batch, model="m", output_limit=OutputLimit.learned)
    with pytest.raises(ConfigError, match="must not have one of max_tokens"):
        EngineSection(output_limit=OutputLimit.learned, extra_body={"max_completion_tokens": 100})


def test_the_limit_is_no_part_of_the_identity_of_a_step():
    shapes = [engine_shapes(RunConfig(engine=EngineSection(output_limit=limit)).engine) for limit in OutputLimit]
    assert all(one == other for one, other in itertools.pairwise(shapes))
