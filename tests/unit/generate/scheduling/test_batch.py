"""Generation with batch files: replies to a round come in any order, in parts, twice and with errors."""

import asyncio
import gc
import itertools
import random
import tracemalloc

import orjson
import pytest

from nemo_sdg.config import EngineKind, EngineSection
from nemo_sdg.errors import DataError, Waiting
from nemo_sdg.generate.engines import open_engine, sent
from nemo_sdg.generate.requests import Outcome, Request
from nemo_sdg.generate.roles import one_engine
from nemo_sdg.generate.scheduling.batch import run_batch
from nemo_sdg.generate.scheduling.journal import Journal
from nemo_sdg.generate.scheduling.work import FlowProgress, ShardWork
from nemo_sdg.records import Drop
from tests.fakes.openai_server import FakeOpenAIServer

CONFIG = EngineSection(kind=EngineKind.batch, model="fake")


async def two_rounds(record, ask):
    votes = await asyncio.gather(
        *(
            ask(Request(messages=[{"role": "user", "content": f"{record['id']}?"}], seed=seed, tag=f"vote{seed}"))
            for seed in range(3)
        )
    )
    texts = [vote.text for vote in votes]
    if len(set(texts)) > 1:
        last = await ask(
            Request(messages=[{"role": "user", "content": " ".join(texts)}], seed=9, tag="sum", max_tokens=300)
        )
        texts.append(last.text or last.finish_reason)
    return Outcome(dropped=[Drop(task="t", id=record["id"], step="s", reason="r", detail="|".join(texts))])


def once(folder, *, on_traces=None, notify=print):
    """One pass: (finished shards, what it waits for, progress)."""
    done, progress, waiting = {}, FlowProgress(notify=notify), None
    work = [ShardWork(shard=f"shard-{s:05d}", records=[{"id": f"{s}/{r}"} for r in range(8)]) for s in range(3)]
    try:
        run_batch(
            work,
            two_rounds,
            one_engine(open_engine(CONFIG), CONFIG),
            Journal(folder / "journal"),
            lambda shard, outcomes: done.update({shard: [o.dropped[0].detail for o in outcomes]}),
            progress,
            folder=folder / "batch",
            on_traces=on_traces,
        )
    except Waiting as exc:
        waiting = exc
    return done, waiting, progress


SERVER = FakeOpenAIServer(dialect="vllm", thinking=20)
IDS = itertools.count()


def answered(row):
    status, body = SERVER.answer(row["url"], row["body"])
    return reply(row, status, body)


def reply(row, status, body):
    return {
        "id": f"batch_req_{next(IDS)}",
        "custom_id": row["custom_id"],
        "response": {"status_code": status, "request_id": "r", "body": body},
        "error": None,
    }


def rounds(folder):
    paths = sorted((folder / "batch").glob("round-*.jsonl"))
    return {path.name: [orjson.loads(line) for line in path.read_bytes().splitlines()] for path in paths}


def put(folder, name, rows):
    (folder / "batch" / name).write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))


def calm(folder):
    """Everything answered at once, round by round."""
    for number in range(10):
        done, waiting, _ = once(folder)
        if waiting is None:
            return done
        rows = rounds(folder)[f"round-{number:03d}.jsonl"]
        put(folder, f"output-{number}.jsonl", map(answered, rows))
    raise AssertionError("it never ends")


def test_rounds_go_out_in_the_form_of_the_batch_api(tmp_path):
    done, waiting, _ = once(tmp_path)
    assert done == {}
    assert "72 requests" in str(waiting)
    assert "round-000.jsonl (72 of 72 open)" in str(waiting)
    assert "\n" not in str(waiting)
    assert waiting.exit_code == 75
    (rows,) = rounds(tmp_path).values()
    assert {row["url"] for row in rows} == {"/v1/chat/completions"}
    assert len({row["custom_id"] for row in rows}) == 72
    assert all(len(row["custom_id"]) <= 64 for row in rows)
    assert set(rows[0]) == {"custom_id", "method", "url", "body"}
    assert rows[0]["body"]["model"] == "fake"


def test_a_pass_does_not_hold_the_requests_of_all_shards(tmp_path):
    async def flow(record, ask):
        await ask(Request(messages=[{"role": "user", "content": record["id"] * 100_000}]))

    def peak(num):
        """Bytes of memory at most while `num` shards of one request are written."""
        folder = tmp_path / str(num)

        def work():
            for number in range(num):
                gc.collect()  # flows that were cancelled lie in cycles
                sent._neutral.cache_clear()  # the last 2,048 texts
                yield ShardWork(shard=f"shard-{number:05d}", records=[{"id": f"{number:03d}"}])

        engines = one_engine(open_engine(CONFIG), CONFIG)
        tracemalloc.start()
        with pytest.raises(Waiting):
            run_batch(work(), flow, engines, Journal(folder / "journal"), lambda *_: None, folder=folder / "batch")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert (folder / "batch" / "round-000.jsonl").stat().st_size > num * 300_000
        return most

    gc.freeze()  # what other tests have loaded is not looked through each time
    try:
        peak(1)
        assert peak(12) < peak(2) + 1_000_000
    finally:
        gc.unfreeze()


def test_a_second_pass_without_replies_asks_nothing_again(tmp_path):
    _, first, _ = once(tmp_path)
    _, second, _ = once(tmp_path)
    assert str(first) == str(second)
    assert list(rounds(tmp_path)) == ["round-000.jsonl"]


def test_round_by_round_until_all_is_decided(tmp_path):
    done = calm(tmp_path)
    assert sorted(done) == ["shard-00000", "shard-00001", "shard-00002"]
    assert any("|" in detail for details in done.values() for detail in details)
    assert len(rounds(tmp_path)) == 2


def test_partly_doubled_reordered_and_broken_replies_end_as_a_calm_run(tmp_path):
    expected = calm(tmp_path / "calm")
    folder, draw, finished = tmp_path / "rough", random.Random(5), {}
    for number in itertools.count():
        assert number < 30, "it never ends"
        done, waiting, _ = once(folder)
        finished |= done
        if waiting is None:
            break
        rows = [row for rows in rounds(folder).values() for row in rows]
        draw.shuffle(rows)
        answers = []
        for row in rows[: len(rows) * 2 // 3]:
            answers += [answered(row)] * draw.choice([1, 1, 2])
            if draw.random() < 0.3:
                broken = [
                    reply(row, 500, {"error": {"message": "boom"}}),
                    reply(row, 429, {"error": {"message": "rate"}}),
                    reply(row, 402, {"error": {"message": "Insufficient Balance"}}),
                    reply(row, 200, {"choices": []}),
                    reply(row, 200, {"error": {"message": "Provider returned error", "code": 502}}),
                    {**reply(row, 0, None), "response": None, "error": {"code": "batch_expired", "message": "expired"}},
                ]
                answers[-1] = draw.choice(broken)
        put(folder, f"output-{number:02d}.jsonl", answers)
    assert finished == expected


def test_what_failed_is_asked_again_in_the_next_round_and_once(tmp_path):
    once(tmp_path)
    rows = rounds(tmp_path)["round-000.jsonl"]
    put(
        tmp_path,
        "errors.jsonl",
        [reply(row, 402, {"error": {"message": "Insufficient Balance"}}) for row in rows[:5]] * 2,
    )
    _, waiting, progress = once(tmp_path)
    assert progress.refused == 0
    assert "Insufficient Balance" in str(waiting)
    assert {row["custom_id"] for row in rounds(tmp_path)["round-001.jsonl"]} == {row["custom_id"] for row in rows[:5]}
    once(tmp_path)
    assert len(rounds(tmp_path)) == 2


@pytest.mark.parametrize(
    ("status", "body", "lost"),
    [
        (200, {"choices": []}, 1),
        (200, {"choices": None}, 1),
        (200, "<html>", 1),
        (500, {"error": {"message": "boom"}}, 1),
        (503, {"error": {"message": "overloaded"}}, 0),
        (402, {"error": {"message": "Insufficient Balance"}}, 0),
    ],
)
def test_a_request_that_fails_round_after_round_is_lost_and_its_shard_is_finished(tmp_path, status, body, lost):
    once(tmp_path)
    bad, *others = rounds(tmp_path)["round-000.jsonl"]
    put(tmp_path, "output-0.jsonl", [reply(bad, status, body), *map(answered, others)])
    for number in range(1, 8):
        done, waiting, progress = once(tmp_path)
        if waiting is None:
            break
        rows = rounds(tmp_path).get(f"round-{number:03d}.jsonl", [])
        replies = [reply(row, status, body) if row["custom_id"] == bad["custom_id"] else answered(row) for row in rows]
        put(tmp_path, f"output-{number}.jsonl", replies)
    assert (progress.lost, waiting is None, len(done)) == (lost, bool(lost), 3 if lost else 2)
    assert sum(progress.lost_in.values()) == lost
    put(tmp_path, "later.jsonl", [answered(bad)])
    if lost:
        _, waiting, progress = once(tmp_path)
        assert progress.lost == 0, "a reply that comes later is taken"


def test_a_file_of_failures_that_is_there_twice_loses_nothing(tmp_path):
    once(tmp_path)
    bad, *others = rounds(tmp_path)["round-000.jsonl"]
    put(tmp_path, "output.jsonl", map(answered, others))
    for copy in range(5):
        put(tmp_path, f"errors-{copy}.jsonl", [reply(bad, 500, {"error": {"message": "boom"}})])
    assert once(tmp_path)[2].lost == 0


def test_a_provider_that_fails_round_after_round_loses_nothing(tmp_path):
    for number in range(7):
        _, waiting, progress = once(tmp_path)
        assert (waiting is None, progress.lost) == (False, 0)
        rows = rounds(tmp_path).get(f"round-{number:03d}.jsonl", [])
        num_good = 0 if number else 30
        failed = [reply(row, 500, {"error": {"message": "boom"}}) for row in rows[num_good:]]
        put(tmp_path, f"output-{number}.jsonl", [*map(answered, rows[:num_good]), *failed])


def test_a_request_at_fault_is_refused_and_one_too_long_comes_back_shorter(tmp_path):
    once(tmp_path)
    rows = rounds(tmp_path)["round-000.jsonl"]
    policy = reply(rows[0], 400, {"error": {"message": "filtered by the content management policy"}})
    said = "maximum context length is 600 tokens. However, you requested 700 tokens (188 in the messages, 512 in it)"
    put(tmp_path, "out.jsonl", [policy, reply(rows[1], 400, {"error": {"message": said}}), *map(answered, rows[2:])])
    _, _, progress = once(tmp_path)
    assert progress.refused == 1
    again = {row["custom_id"]: row["body"]["max_tokens"] for row in rounds(tmp_path)["round-001.jsonl"]}
    assert again[rows[1]["custom_id"]] == 600 - 188


def test_a_file_that_is_still_being_copied_is_read_next_time(tmp_path):
    once(tmp_path)
    rows = rounds(tmp_path)["round-000.jsonl"]
    whole = b"".join(orjson.dumps(answered(row)) + b"\n" for row in rows)
    (tmp_path / "batch" / "out.jsonl").write_bytes(whole[: len(whole) // 2])
    _, waiting, progress = once(tmp_path)
    assert 0 < progress.requests_done < 72
    (tmp_path / "batch" / "out.jsonl").write_bytes(whole)
    _, waiting, _ = once(tmp_path)
    assert waiting is None or "round-000" not in str(waiting)


def test_a_damaged_line_is_named(tmp_path):
    once(tmp_path)
    (tmp_path / "batch" / "out.jsonl").write_bytes(b'{"no": "id"}\n')
    with pytest.raises(DataError, match=r"out\.jsonl, line 1"):
        once(tmp_path)


def test_traces_come_with_the_shards(tmp_path):
    calm(tmp_path)
    found = {}
    done, *_ = once(tmp_path, on_traces=lambda shard, traces: found.update({shard: list(traces)}))
    assert len(done) == 3
    assert all(trace.text.startswith("First I look") for traces in found.values() for trace in traces)
    tags = [trace.tag for trace in found["shard-00000"] if trace.record_id == "0/0"]
    assert [tag for tag in tags if tag != "sum"] == ["vote0", "vote1", "vote2"]
