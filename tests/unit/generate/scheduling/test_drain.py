"""The time that requests get after a signal; an end by a time limit is counted."""

from pathlib import Path

import pytest

from nemo_sdg.generate.scheduling.time_limit import DRAIN_SECONDS, TIME_LIMITS, WARNED, TimeLimit, drain_seconds


def test_most_of_the_time_that_slurm_leaves_is_for_requests_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WARNED, "120")
    assert drain_seconds("SIGUSR1") == 90.0
    assert drain_seconds("SIGTERM") == DRAIN_SECONDS
    monkeypatch.setenv(WARNED, "10")
    assert drain_seconds("SIGUSR1") == DRAIN_SECONDS
    monkeypatch.delenv(WARNED)
    assert drain_seconds("SIGUSR1") == DRAIN_SECONDS


def test_an_end_by_a_time_limit_counts_once_and_only_where_an_answer_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = tmp_path / "7-0"
    monkeypatch.setenv(TIME_LIMITS, str(noted))
    limit = TimeLimit()
    limit.note(5)
    limit.warned("SIGTERM")
    limit.note(5)
    limit.warned("SIGUSR1")
    limit.note(0)  # this worker only waited
    assert not noted.exists()
    limit.note(1)
    limit.note(2)
    assert noted.read_text() == "1\n"
