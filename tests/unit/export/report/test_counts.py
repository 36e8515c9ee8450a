"""Requests counted from the journals of a step."""

from collections import Counter
from pathlib import Path

from nemo_sdg.export.report.counts import count_requests
from nemo_sdg.text.figures import percentile


def test_the_length_that_95_of_100_completions_do_not_exceed() -> None:
    assert percentile(Counter(range(1, 101)), 0.95) == 95
    assert percentile(Counter({7: 3}), 0.95) == 7


def test_cut_completions_do_not_count_as_a_length_that_is_enough(tmp_path: Path) -> None:
    line = '{{"key":"{}","text":"","finish_reason":"{}","prompt_tokens":10,"completion_tokens":{}}}\n'
    rows = [line.format(i, "stop", 100 + i) for i in range(20)] + [line.format("cut", "length", 4096)]
    (tmp_path / "shard-00000.jsonl").write_text("".join(rows))
    found = count_requests(tmp_path)
    assert (found["requests"], found["length"], found["p95_tokens"]) == (21, 1, 118)
    assert "p95_tokens" not in count_requests(tmp_path / "none")
