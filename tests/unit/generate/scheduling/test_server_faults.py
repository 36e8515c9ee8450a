"""A whole run with a server that fails in each way: no record is dropped for a fault of the server."""

import asyncio
import threading
import time

import pytest

from nemo_sdg.config import EngineKind, EngineSection
from nemo_sdg.errors import EngineError
from nemo_sdg.generate.engines import connection, open_engine
from nemo_sdg.generate.requests import Completion, Outcome, Request
from nemo_sdg.generate.roles import one_engine
from nemo_sdg.generate.scheduling.journal import Journal
from nemo_sdg.generate.scheduling.lanes import lane, window
from nemo_sdg.generate.scheduling.lanes.first_replies import NUM_LOOKED_AT, FirstReplies
from nemo_sdg.generate.scheduling.scheduler import run_flows
from nemo_sdg.generate.scheduling.work import FlowProgress, ShardWork
from nemo_sdg.records import Drop
from tests.fakes.openai_server import RECOVERABLE, serving

SCHEMA = {
    "type": "object",
    "properties": {"reasoning": {"type": "string"}, "answer": {"enum": ["yes", "no"]}},
    "required": ["reasoning", "answer"],
}


@pytest.fixture
def short_waits(monkeypatch):
    monkeypatch.setattr(lane, "BACKOFF_SECONDS", (0.001, 0.01))
    monkeypatch.setattr(window, "PROBE_SECONDS", (0.001, 0.01))


async def two_rounds(record, ask):
    """Four votes at once, then one about them: five requests a record."""

    def request(text, seed):
        return Request(messages=[{"role": "user", "content": text}], schema=SCHEMA, seed=seed, tag=f"vote{seed}")

    votes = await asyncio.gather(*(ask(request(f"{record['id']}?", seed)) for seed in range(4)))
    last = await ask(request(" ".join(vote.text for vote in votes), 4))
    texts = [(vote.finish_reason, vote.text, vote.trace) for vote in (*votes, last)]
    return Outcome(dropped=[Drop(task="t", id=record["id"], step="s", reason="r", record={"texts": texts})])


def run(folder, *urls, num_shards=4, num_records=25, on_traces=None, **settings):
    """(what each shard gave, progress, error, lines for the user)"""
    done, lines = {}, []
    progress = FlowProgress(notify=lines.append)
    work = [
        ShardWork(shard=f"shard-{s:05d}", records=[{"id": f"{s}/{r}"} for r in range(num_records)])
        for s in range(num_shards)
    ]
    config = EngineSection(kind=EngineKind.openai, base_urls=[*urls], model="fake", **{"max_in_flight": 16, **settings})
    error = None
    try:
        run_flows(
            work,
            two_rounds,
            one_engine(open_engine(config), config),
            Journal(folder),
            lambda shard, outcomes: done.update({shard: [o.dropped[0].record for o in outcomes]}),
            progress,
            on_traces=on_traces,
        )
    except EngineError as exc:
        error = exc
    return done, progress, error, lines


def test_five_hundred_requests_with_every_recoverable_fault_end_as_a_calm_run_does(tmp_path, short_waits):
    with serving(dialect="vllm", thinking=20) as server:
        calm, progress, error, _ = run(tmp_path / "calm", server.url)
        assert (error, progress.requests_done, progress.retries) == (None, 500, 0)
    with serving(dialect="vllm", thinking=20, faults=tuple(RECOVERABLE), share=0.2, fault_attempts=2) as server:
        rough, progress, error, _ = run(tmp_path / "rough", server.url, request_timeout=0.3)
        assert all(server.stats[f"fault_{fault}"] > 0 for fault in RECOVERABLE), server.stats
    assert error is None
    assert progress.retries > 150
    assert rough == calm


SMALL = {"num_shards": 2, "num_records": 8}


@pytest.fixture(scope="module")
def calm_and_small(tmp_path_factory):
    with serving() as server:
        return run(tmp_path_factory.mktemp("calm"), server.url, **SMALL)[0]


@pytest.mark.parametrize("fault", RECOVERABLE)
def test_a_request_that_always_meets_a_fault_costs_a_vote_and_never_its_shard(
    tmp_path, short_waits, monkeypatch, calm_and_small, fault
):
    calm = calm_and_small
    monkeypatch.setattr(connection, "LARGEST_BODY", 1 << 20)
    settings = {"request_timeout": 0.5, "max_retries": 4, "give_up_after": 3.0, **SMALL}
    with serving(faults=(fault,), share=0.06, fault_attempts=10**6) as server:
        done, progress, error, lines = run(tmp_path / "run", server.url, **settings)
        assert server.stats[f"fault_{fault}"] > 0
    assert error is None
    assert sorted(done) == sorted(calm), "every shard is finished"
    lost = progress.lost + progress.refused
    assert lost > 0
    votes = [vote for shard in done.values() for record in shard for vote in record["texts"]]
    assert sum(reason in ("lost", "refused") for reason, *_ in votes) == lost, "each is one vote, and counted"
    if progress.lost:
        assert sum(progress.lost_in.values()) == progress.lost
        assert any("a request is lost" in line for line in lines)
        with serving() as server:
            again, progress, error, _ = run(tmp_path / "run", server.url, **SMALL)
        assert (error, again) == (None, calm), "a good server is asked for these again"
        assert progress.requests_done <= 2 * lost


@pytest.mark.parametrize("fault", ["500", "no_json"])
def test_one_bad_server_of_several_loses_nothing(tmp_path, short_waits, calm_and_small, fault):
    with serving() as good, serving(faults=(fault,), share=1.0, fault_attempts=10**6) as bad:
        done, progress, error, _ = run(tmp_path, good.url, bad.url, **{**SMALL, "max_in_flight": 4})
        assert bad.stats["requests"] > 0
    assert (error, progress.lost) == (None, 0)
    assert done == calm_and_small


@pytest.mark.parametrize("fault", ["empty_choices", "null_choices", "no_choices", "no_json", "cut_json", "wrong_json"])
def test_replies_of_which_none_is_a_completion_stop_the_run(tmp_path, short_waits, fault):
    with serving(faults=(fault,), share=1.0, fault_attempts=10**6) as server:
        done, progress, error, _ = run(tmp_path, server.url)
        assert server.stats["requests"] < 60
    assert "none of the first" in str(error)
    assert "engine.base_urls" in str(error)
    assert (done, progress.lost, progress.refused) == ({}, 0, 0)


def test_an_account_that_runs_out_stops_at_once_and_a_good_one_goes_on(tmp_path, short_waits):
    with serving() as server:
        calm, *_ = run(tmp_path / "calm", server.url)
        broke = (402, b'{"error": {"message": "Insufficient Balance"}}', {})
        server.stats.clear()

        def spend():
            while server.stats["requests"] < 200:
                time.sleep(0.001)
            server.replies = [broke]

        threading.Thread(target=spend, daemon=True).start()
        done, progress, error, _ = run(tmp_path / "run", server.url)
        assert "Insufficient Balance" in str(error)
        assert "top up the account" in str(error)
        assert progress.refused == 0
        assert len(done) < 4
        paid = progress.requests_done
        assert server.stats["requests"] <= 200 + 3 * 16, "it stopped at once"
        server.replies = []
        again, progress, error, _ = run(tmp_path / "run", server.url)
    assert error is None
    assert progress.requests_done == 500 - paid
    assert again == calm


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "60"}])
def test_a_server_that_wants_patience_is_not_stormed_and_does_not_outlive_it(tmp_path, headers):
    with serving(replies=[(429, b'{"error": {"message": "rate"}}', headers)]) as server:
        begin = time.monotonic()
        done, _, error, _ = run(tmp_path, server.url, give_up_after=2.5)
        took = time.monotonic() - begin
        requests = server.stats["requests"]
    assert "no completion for 2.5 seconds" in str(error)
    assert done == {}
    assert 2.0 < took < 8.0
    assert requests < 120, "83 requests a second were sent before"


def test_a_request_in_unknown_trouble_is_dropped_only_while_others_are_answered(tmp_path, short_waits):
    with serving(faults=("unknown_400",), share=0.05, fault_attempts=1000) as server:
        done, progress, error, lines = run(tmp_path, server.url)
        assert server.stats["fault_unknown_400"] >= 3 * progress.refused > 0
    assert error is None
    assert len(done) == 4
    assert len([line for line in lines if "a request is taken as refused" in line and "400 Bad Request" in line]) == 1
    assert f"{progress.refused} requests were refused" in lines[-1]


def test_a_server_that_refuses_everything_drops_nothing(tmp_path, short_waits):
    with serving(replies=[(400, b'{"error": {"message": "Bad Request"}}', {})]) as server:
        _, progress, error, _ = run(tmp_path, server.url)
        assert "refused each of the first 20 requests" in str(error)
        server.replies = []
        _, progress, error, _ = run(tmp_path, server.url)
    assert (error, progress.requests_done, progress.refused) == (None, 500, 0)


@pytest.mark.parametrize(
    ("fake", "settings", "said"),
    [
        ({"thinking": 900, "dialect": "vllm"}, {}, "cut while the model was still thinking, at max_tokens=512"),
        (
            {"replies": [(200, b'{"choices": [{"message": {"content": ""}, "finish_reason": "stop"}]}', {})]},
            {},
            "were empty",
        ),
        (  # one at a time: the fifth request of each record is the same, and is answered by the journal
            {"replies": [(200, b'{"choices": [{"message": {"content": ""}, "finish_reason": "stop"}]}', {})]},
            {"max_in_flight": 1},
            "were empty",
        ),
        (
            {"replies": [(200, b'{"choices": [{"message": {"content": "A bit"}, "finish_reason": "length"}]}', {})]},
            {},
            "were cut at max_tokens=512",
        ),
        (
            {"replies": [(200, b'{"choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]}', {})]},
            {},
            "were refused, and no record was dropped",
        ),
        ({"forbidden": ("seed",)}, {}, "engine.extra_body={seed: null}"),
        ({"dialect": "deepseek"}, {}, "set engine.structured"),
    ],
)
def test_what_is_wrong_with_every_reply_stops_the_run_and_says_what_to_change(
    tmp_path, short_waits, fake, settings, said
):
    with serving(**fake) as server:
        done, progress, error, _ = run(tmp_path, server.url, **settings)
    facts = (server.stats, server.bodies[-1:], progress, [*done.values()][:1])
    assert said in str(error), facts
    assert "\n" not in str(error)
    assert progress.requests_done < 60, "what is wrong is seen early"
    assert done == {}


def test_a_short_run_of_bad_replies_says_so_at_its_end(tmp_path, short_waits):
    with serving(thinking=900, dialect="vllm") as server:
        _, _, error, lines = run(tmp_path, server.url, num_shards=1, num_records=1)
    assert error is None
    assert any("still thinking" in line for line in lines)


def test_a_field_that_a_server_does_not_take_can_be_left_out(tmp_path, short_waits):
    with serving(forbidden=("seed",)) as server:
        _, progress, error, _ = run(tmp_path, server.url, extra_body={"seed": None})
        assert "seed" not in server.bodies[-1]
    assert (error, progress.requests_done) == (None, 500)


def test_an_alias_is_taken_with_one_line(tmp_path, short_waits):
    with serving(faults=("wrong_model",), share=1.0, fault_attempts=1000) as server:
        done, progress, error, lines = run(tmp_path, server.url)
    assert (error, progress.requests_done, len(done)) == (None, 500, 4)
    assert len([line for line in lines if "answers as another-model" in line]) == 1
    journal = Journal(tmp_path).open("shard-00000")
    assert {journal.get(key).model for key in list(journal._places)} == {"another-model"}


def test_traces_are_handed_over_shard_by_shard_in_the_order_of_records(tmp_path, short_waits):
    found = {}

    def keep(shard, traces):
        found[shard] = [(trace.record_id, trace.tag, trace.text, trace.thinking_tokens) for trace in traces]

    with serving(thinking=20, dialect="mistral") as server:
        run(tmp_path, server.url, num_shards=2, num_records=3, on_traces=keep)
        once = dict(found)
        run(tmp_path, server.url, num_shards=2, num_records=3, on_traces=keep)
    assert found == once, "out of the journal they are the same"
    rows = found["shard-00001"]
    assert [row[:2] for row in rows] == [(f"1/{r}", f"vote{v}") for r in range(3) for v in range(5)]
    assert all(row[2].startswith("First I look") and row[3] > 0 for row in rows)


def test_a_short_run_whose_replies_were_all_refused_does_not_say_that_no_record_was_dropped() -> None:
    first, refused = FirstReplies("m", EngineSection()), Completion(text="", finish_reason="refused", detail="policy")
    said = [first.look(Request(), refused) for _ in range(3)]
    assert said == [None] * 3
    assert first.verdict() == "m: all of the first 3 replies were refused: policy"
    (stopped,) = filter(None, [first.look(Request(), refused) for _ in range(NUM_LOOKED_AT)])
    assert "were refused, and no record was dropped for it: policy" in stopped


def test_replies_that_the_server_cuts_by_a_limit_of_its_own_are_told_from_those_cut_at_max_tokens() -> None:
    for taken, said in ((50, "after 50 tokens, long before max_tokens=512"), (511, "max_tokens to 1024"), (0, "1024")):
        first = FirstReplies("m", EngineSection())
        first.look(Request(), Completion(text="A bit", finish_reason="length", completion_tokens=taken))
        assert said in (first.verdict() or "")


@pytest.mark.parametrize("schema", [None, SCHEMA])
def test_where_no_schema_was_sent_it_is_not_to_be_turned_off(schema) -> None:
    first = FirstReplies("m", EngineSection())
    first.look(Request(schema=schema), Completion(text="", trace="Hm.", finish_reason="stop"))
    assert ("engine.structured" in (first.verdict() or "")) is (schema is not None)
