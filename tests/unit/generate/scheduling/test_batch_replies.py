"""Batch files whose replies are bad, each in its way: rounds end, and what is wrong is told."""

import pytest

from nemo_sdg.errors import DataError
from tests.unit.generate.scheduling.test_batch import answered, calm, once, put, reply, rounds


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (422, {"detail": [{"type": "string_type", "loc": ["body", "messages", 0, "content"], "msg": "not a string"}]}),
        (403, {"error": {"message": "Sorry, you have been blocked"}}),
    ],
)
def test_a_field_refused_in_one_line_alone_does_not_ask_for_rounds_without_end(tmp_path, status, body):
    once(tmp_path)
    first, *rows = rounds(tmp_path)["round-000.jsonl"]
    put(tmp_path, "a.jsonl", [*map(answered, rows), reply(first, status, body)])
    _, _, progress = once(tmp_path)
    assert first["custom_id"] not in str(rounds(tmp_path).get("round-001.jsonl"))
    assert progress.refused == 1


def test_a_refusal_of_most_lines_is_no_refusal_of_each(tmp_path):
    """As where a key ends while a service works through the file."""
    once(tmp_path)
    rows = rounds(tmp_path)["round-000.jsonl"]
    refused = [reply(row, 403, {"error": {"message": "Forbidden"}}) for row in rows[4:]]
    put(tmp_path, "a.jsonl", [*map(answered, rows[:4]), *refused])
    _, waiting, progress = once(tmp_path)
    assert progress.refused == 0
    assert f"{len(refused)} failed before (403 Forbidden)" in str(waiting)
    assert {row["custom_id"] for row in rows[4:]} <= {row["custom_id"] for row in rounds(tmp_path)["round-001.jsonl"]}


def test_a_line_whose_response_is_the_completion_itself_is_read(tmp_path):
    expected = calm(tmp_path / "calm")
    run = tmp_path / "run"
    for number in range(10):
        done, waiting, _ = once(run)
        if waiting is None:
            break
        rows = [answered(row) for row in rounds(run)[f"round-{number:03d}.jsonl"]]
        put(run, f"o{number}.jsonl", [{**row, "response": row["response"]["body"]} for row in rows])
    assert done == expected


def test_replies_that_are_all_empty_are_told(tmp_path):
    once(tmp_path)
    empty = {"choices": [{"message": {"content": ""}, "finish_reason": "stop"}]}
    put(tmp_path, "a.jsonl", [reply(row, 200, empty) for row in rounds(tmp_path)["round-000.jsonl"]])
    lines = []
    once(tmp_path, notify=lines.append)
    assert [line for line in lines if "all of the first 20 replies were empty" in line]


def test_replies_to_other_requests_are_told(tmp_path):
    """As of another step's file, or of a service that writes ids of its own."""
    once(tmp_path)
    rows = rounds(tmp_path)["round-000.jsonl"]
    put(tmp_path, "a.jsonl", [answered({**row, "custom_id": f"request-{row['custom_id']}"}) for row in rows[:7]])
    _, waiting, _ = once(tmp_path)
    assert "7 replies in a.jsonl have the custom_id of no request here" in str(waiting)


def test_a_request_that_failed_is_open_in_the_newest_round_alone(tmp_path):
    once(tmp_path)
    first, *rows = rounds(tmp_path)["round-000.jsonl"]
    expired = {"custom_id": first["custom_id"], "response": None, "error": {"code": "batch_expired", "message": "late"}}
    put(tmp_path, "a.jsonl", [*map(answered, rows), expired])
    _, waiting, _ = once(tmp_path)
    assert "round-000.jsonl" not in str(waiting)
    assert "round-001.jsonl" in str(waiting)


def test_a_line_that_is_no_reply_says_what_it_lacks(tmp_path):
    once(tmp_path)
    put(tmp_path, "a.jsonl", [{"choices": []}])
    with pytest.raises(DataError, match=r"a\.jsonl, line 1 is not a reply of a batch \(it has no custom_id\)"):
        once(tmp_path)
