"""The time that requests get after a signal; an end by a time limit is counted."""

import pytest

from nemo_sdg.generate.scheduling.scheduler import DRAIN_SECONDS, WARNED, drain_seconds


def test_most_of_the_time_that_slurm_leaves_is_for_requests_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WARNED, "120")
    assert drain_seconds("SIGUSR1") == 90.0
    assert drain_seconds("SIGTERM") == DRAIN_SECONDS
    monkeypatch.setenv(WARNED, "10")
    assert drain_seconds("SIGUSR1") == DRAIN_SECONDS
    monkeypatch.delenv(WARNED)
    assert drain_seconds("SIGUSR1") == DRAIN_SECONDS
