"""Replies that hold nothing, after good ones and after a run that was stopped for them."""

import errno
import json
from collections import Counter

import pytest

from nemo_sdg.generate.requests import Completion
from nemo_sdg.generate.scheduling.journal import ShardJournal
from nemo_sdg.generate.scheduling.lanes.first_replies import NUM_LOOKED_AT
from nemo_sdg.generate.scheduling.lanes.last_replies import IN_A_ROW, LastReplies
from tests.fakes.openai_server import serving
from tests.unit.generate.scheduling.test_server_faults import run

GOOD, EMPTY = Completion(text="yes", finish_reason="stop"), Completion(text="", finish_reason="stop")
REFUSED = Completion(text="", finish_reason="refused", detail="policy")
CUT = Completion(text="!!!!", finish_reason="length")
LOST = Completion(text="", trace="Hm.", finish_reason="stop")


@pytest.mark.parametrize(
    ("bad", "said", "stops"),
    [
        (EMPTY, "were empty", True),
        (LOST, "were empty", True),
        (REFUSED, "were refusals (last: policy)", False),
        (CUT, "were cut", False),
    ],
)
def test_a_row_of_replies_without_an_answer_is_told_once(bad, said, stops):
    last = LastReplies()
    assert [last.look(bad) for _ in range(IN_A_ROW - 1)] == [None] * (IN_A_ROW - 1)
    assert last.look(GOOD) is None
    assert [last.look(bad) for _ in range(IN_A_ROW - 1)] == [None] * (IN_A_ROW - 1)
    found = last.look(bad)
    assert found is not None
    assert (said in found[0], found[1]) == (True, stops)
    assert last.look(bad) is None


def answer(message, finish="stop"):
    return 200, json.dumps({"choices": [{"message": message, "finish_reason": finish}]}).encode(), {}


class Turn(Counter):
    """The statistics of a server, which gives another reply from its `num`-th request on."""

    def __init__(self, server, num, reply):
        super().__init__()
        self.turn = server, num, reply

    def __setitem__(self, name, count):
        super().__setitem__(name, count)
        server, num, reply = self.turn
        if name == "requests" and count >= num:
            server.replies = [reply]


def test_a_server_that_comes_back_with_empty_replies_stops_the_run(tmp_path):
    with serving() as server:
        server.stats = Turn(server, 100, answer({"content": ""}))
        done, progress, error, _ = run(tmp_path, server.url)
    assert f"the last {IN_A_ROW} replies were empty" in str(error)
    assert len(done) < 4
    assert progress.requests_done < 100 + IN_A_ROW + 40


@pytest.mark.parametrize("begin", [0, 100])
def test_replies_for_which_a_run_was_stopped_are_asked_again_when_the_server_is_mended(tmp_path, begin):
    """Also of shards that were whole in the middle of them: they wait until a good reply comes."""
    shape = {"num_shards": 40, "num_records": 3}
    with serving() as server:
        calm, *_ = run(tmp_path / "calm", server.url, **shape)
    with serving() as server:
        server.stats = Turn(server, begin, answer({"content": ""}))
        done, _, error, lines = run(tmp_path / "run", server.url, **shape)
    assert "replies" in str(error)
    assert 0 < len(done) < 40 if begin else done == {}
    assert done == {shard: calm[shard] for shard in done}
    least = IN_A_ROW if begin else NUM_LOOKED_AT
    (told,) = (line for line in lines if "the next run asks for them again" in line)
    assert least <= int(told.split()[0]) <= least + 40
    with serving() as server:
        again, progress, error, _ = run(tmp_path / "run", server.url, **shape)
    assert (error, again) == (None, calm)
    assert progress.replayed >= begin - 40, "what was good is not asked again"


def test_a_disk_that_is_full_when_replies_are_taken_back_hides_no_error(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ShardJournal, "void", full)
    with serving(replies=[answer({"content": ""})]) as server:
        _, _, error, lines = run(tmp_path, server.url, num_shards=2)
    assert f"all of the first {NUM_LOOKED_AT} replies" in str(error)
    assert any("could not be taken back, and count: No space left on device" in line for line in lines)


def test_some_empty_replies_among_good_ones_count_and_hold_no_shard_up(tmp_path):
    with serving() as server:
        server.stats = Turn(server, 480, answer({"content": ""}))
        done, progress, error, _ = run(tmp_path, server.url)
    assert (error, len(done)) == (None, 4)
    assert sum(text == "" for shard in done.values() for record in shard for _, text, _ in record["texts"]) > 0
    with serving() as server:
        again, progress, *_ = run(tmp_path, server.url)
    assert (again, progress.requests_done) == (done, 0)


def test_a_server_that_refuses_all_from_a_moment_on_is_told(tmp_path):
    with serving() as server:
        server.stats = Turn(server, 100, answer({"content": None}, "content_filter"))
        done, _, error, lines = run(tmp_path, server.url)
    assert (error, len(done)) == (None, 4)
    assert len([line for line in lines if f"the last {IN_A_ROW} replies were refusals" in line]) == 1
    assert "requests were refused, each is one vote less (last: content_filter)" in lines[-1]


@pytest.mark.parametrize("reply", [answer({"content": ""}), answer({"content": "A bit"}, "length")])
def test_a_run_that_was_stopped_for_its_first_replies_is_stopped_again_and_not_let_through(tmp_path, reply):
    with serving(replies=[reply]) as server:
        for _ in range(2):
            done, progress, error, _ = run(tmp_path, server.url)
            assert f"all of the first {NUM_LOOKED_AT} replies" in str(error)
            assert done == {}
            assert progress.requests_done < 60
