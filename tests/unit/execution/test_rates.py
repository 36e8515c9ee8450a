"""The rate of a step, and the remaining time."""

import pytest

from nemo_sdg.execution.rates import RecentRate, TokenWork


def rate_of(notes: list[tuple[float, float]]) -> float | None:
    rate = RecentRate()
    for now, value in notes:
        rate.note(now, value)
    return rate.per_s()


def test_nothing_is_foretold_in_the_first_seconds() -> None:
    assert RecentRate().per_s() is None
    assert rate_of([(0, 0), (10, 1000)]) is None


def test_steady_work_has_its_rate() -> None:
    assert rate_of([(t, 7.0 * t) for t in range(0, 600, 10)]) == pytest.approx(7.0)


def test_a_stall_and_a_burst_do_not_move_it() -> None:
    burst = [(t, 5.0 * t + (10_000 if t > 100 else 0)) for t in range(0, 200, 5)]
    assert rate_of(burst) == pytest.approx(5.0)
    stall = [(t, 5.0 * (t if t < 100 else max(100, t - 60))) for t in range(0, 260, 5)]
    assert rate_of(stall) == pytest.approx(5.0)


def test_only_the_last_minutes_count() -> None:
    slower = [(t, 10.0 * t if t < 1000 else 10_000 + 2.0 * (t - 1000)) for t in range(0, 1400, 10)]
    assert rate_of(slower) == pytest.approx(2.0)


def test_what_comes_in_lumps_has_the_mean() -> None:
    assert rate_of([(t, float(t // 100)) for t in range(0, 1001, 10)]) == pytest.approx(0.01)


def test_another_part_of_a_step_begins_afresh() -> None:
    assert rate_of([(0, 0), (100, 1000), (101, 0), (141, 120)]) == pytest.approx(3.0)


def test_work_left_is_counted_in_tokens_of_finished_records() -> None:
    work = TokenWork(records=100, requests=3)
    assert work.left() is None
    work.open = 2
    for _ in range(4):
        work.take(50)
    assert work.left() == pytest.approx(98 * 150 + 2 * 150 - 200)  # three requests of 50 tokens each
    work.open, work.finished, work.finished_tokens = 0, 10, 3000
    work.tokens, work.num_completions = 3000, 30
    assert work.left() == pytest.approx(90 * 300, rel=0.01)


def test_open_records_never_count_as_finished() -> None:
    work = TokenWork(records=2, open=1, finished=1, finished_tokens=100, tokens=900, num_completions=9)
    assert work.left() is not None
    assert work.left() > 0
