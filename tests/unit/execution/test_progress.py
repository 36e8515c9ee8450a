"""What one sees while a run works, and the same rows for machines."""

from pathlib import Path

import orjson
import pytest

from nemo_sdg.config import RunSection
from nemo_sdg.errors import ConfigError
from nemo_sdg.execution.progress import Progress, StepProgress, describe, format_seconds, last_rows
from nemo_sdg.execution.tracking import open_trackers, scalars


def rows(path: Path) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_line_tells_rate_eta_yield_engine_and_reasons() -> None:
    row = {
        "step": "answers", "done": 120, "total": 4000, "unit": "records", "per_s": 2.5, "eta_s": 1552, "kept": 90, "dropped": {"schema": 3, "no_valid_vote": 27},
        "saturation": 0.972, "tokens_per_s": 3120.4, "in_flight": 128, "retries": 2, "replayed": 0,
    }  # fmt: skip
    assert describe(row) == (
        "120/4,000 records, 2.5/s, ETA 25:52, yield 75%, engine 97% busy, 3,120 output tokens/s, 128 in "
        "flight, 2 retries; dropped: no_valid_vote 27, schema 3"
    )


def test_rate_counts_what_this_process_did() -> None:
    state = StepProgress("answers", 100, "records")
    state.state(done=60, kept=50, dropped={"schema": 10})
    state.start -= 10
    state.state(done=80, kept=65, dropped={"schema": 15})
    row = state.snapshot()
    assert row["per_s"] == pytest.approx(2.0, rel=0.01)
    assert row["eta_s"] == 10


def test_tokens_per_s_come_from_the_tokens_and_the_clock() -> None:
    state = StepProgress("answers", 100, "records")
    state.start -= 20
    state.set(completion_tokens=5_000)
    assert state.snapshot()["tokens_per_s"] == pytest.approx(250, rel=0.01)
    assert "tokens_per_s" not in StepProgress("seeds", 1, "splits").snapshot()


def test_last_state_is_recorded_also_when_the_step_fails(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "progress.jsonl", worker="1/4")
    with pytest.raises(RuntimeError), progress.step("answers", 10) as state:
        state.advance(3, kept=2, dropped={"schema": 1})
        raise RuntimeError
    (row,) = rows(tmp_path / "progress.jsonl")
    assert (row["step"], row["worker"], row["done"], row["kept"], row["dropped"], row["ended"]) == (
        "answers",
        "1/4",
        3,
        2,
        {"schema": 1},
        True,
    )


def test_newest_row_of_each_worker_is_found_behind_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    lines = [
        {"step": "answers", "worker": "0/2", "done": 1},
        {"step": "answers", "worker": "1/2", "done": 5},
        {"step": "answers", "worker": "0/2", "done": 9},
    ]
    path.write_bytes(b"\n".join(map(orjson.dumps, lines)) + b'\n{"step": "answ')
    assert sorted(row["done"] for row in last_rows(path, "answers")) == [5, 9]
    assert last_rows(path, "seeds") == []
    assert last_rows(tmp_path / "none.jsonl", "seeds") == []


def test_tensorboard_gets_the_numbers_of_each_row(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trackers = open_trackers(["tensorboard"], tmp_path)
    progress = Progress(tmp_path / "progress.jsonl", trackers=trackers)
    with progress.step("answers", 10) as state:
        state.advance(4, kept=3, dropped={"schema": 1})
    for tracker in trackers:
        tracker.close()
    events = EventAccumulator(str(tmp_path / "tensorboard"), size_guidance={"tensors": 0})
    events.Reload()
    assert {"answers/done", "answers/kept", "answers/dropped/schema", "answers/per_s"} <= set(events.Tags()["tensors"])
    assert float(events.Tensors("answers/done")[0].tensor_proto.float_val[0]) == 4.0


def test_flags_and_words_are_no_scalars() -> None:
    assert scalars({"step": "s", "unit": "u", "ended": True, "done": 2, "eta_s": None, "dropped": {"x": 1}}) == {
        "s/done": 2.0,
        "s/dropped/x": 1.0,
    }


def test_unknown_tracker_is_one_line() -> None:
    with pytest.raises(ConfigError, match=r"run.trackers must be some of \[tensorboard, wandb\], got \['mlflow'\]"):
        RunSection(trackers=["mlflow"])


@pytest.mark.parametrize(("seconds", "text"), [(75, "1:15"), (4000, "1:06:40"), (0.4, "0:00")])
def test_seconds_read_as_clocks(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


def test_a_full_disk_in_the_display_does_not_stand_in_for_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Progress, row: dict[str, object]) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Progress, "_append", full)
    with pytest.raises(ValueError, match="the step's own"), Progress(tmp_path / "progress.jsonl").step("answers"):
        raise ValueError("the step's own")
