"""The progress display of a run, and the same rows for programs."""

import time
from pathlib import Path

import orjson
import pytest

from nemo_sdg.config import RunSection
from nemo_sdg.errors import ConfigError
from nemo_sdg.execution.progress import COLUMNS, Progress, StepProgress, describe, format_seconds, last_rows, roughly
from nemo_sdg.execution.rates import TokenWork
from nemo_sdg.execution.tracking import open_trackers, scalars


def rows(path: Path) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


ROW = {
    "step": "answers", "done": 120, "total": 4000, "unit": "records", "seconds": 100.0, "eta_s": 1552, "kept": 90,
    "dropped": {"schema": 3, "no_valid_vote": 27}, "moving": "votes", "requests": 400, "replayed": 10,
    "saturation": 0.972, "tokens_per_s": 3120.4, "in_flight": 128, "retries": 2,
}  # fmt: skip


def test_line_tells_votes_eta_yield_and_engine() -> None:
    assert describe(ROW, columns=300) == (
        "120/4,000 records, 410 votes, ETA 26 min, 75% kept, 3,120 output tokens/s, engine 97% busy, 128 in flight, "
        "2 retries, 10 from the journal; no_valid_vote 27, schema 3"
    )


def test_line_leaves_out_what_does_not_fit() -> None:
    for columns in (40, 60, 80, 90, 100):
        line = describe(ROW, columns=columns)
        assert len(line) <= columns
        assert line.startswith("120/4,000 records")
    assert "ETA 26 min" in describe(ROW, columns=60)
    assert "xxx" not in describe({**ROW, "dropped": {"x" * 200: 1}})


def test_votes_are_shown_before_any_record_is_done() -> None:
    row = {**ROW, "done": 0, "kept": 0, "dropped": {}, "eta_s": None, "phase": "loading the embedded model"}
    assert describe(row, columns=90).startswith("loading the embedded model, 0/4,000 records, 410 votes, 2 min so far")
    assert describe(
        {**row, "requests": 0, "replayed": 0, "saturation": 0.0, "tokens_per_s": 0, "in_flight": 0}
    ).startswith("loading the embedded model, 0/4,000 records, 2 min so far")


def test_time_left_goes_by_tokens() -> None:
    state = StepProgress("answers", 100, "records")
    state.work = TokenWork(records=100)
    state.set(completion_tokens=0)
    state.snapshot()
    state._rate._first = state._rate._notes[0] = (time.monotonic() - 100, 0)
    for _ in range(10):
        state.work.take(100)
    state.work.finished, state.work.finished_tokens = 10, 1000
    state.set(completion_tokens=1000)
    assert state.snapshot()["eta_s"] == pytest.approx(900, rel=0.1)


def test_without_a_terminal_lines_are_rare_and_rows_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10, 4000, 10))
    progress = Progress(tmp_path / "progress.jsonl", every=10.0)
    lines: list[str] = []
    monkeypatch.setattr(progress, "line", lines.append)
    state = StepProgress("answers", 100, "records")

    class Waits:
        """An event whose waits end at once and let the step's clock go on."""

        def wait(self, seconds: float) -> bool:
            now = next(clock, None)
            state.start = time.monotonic() - (now or 0)
            return now is None

    progress._plain(state, Waits())  # type: ignore[arg-type]
    assert len(rows(tmp_path / "progress.jsonl")) == 399
    assert 7 <= len(lines) <= 10  # 30, 60, 120, 240, ... then every 15 minutes


def test_messages_are_wrapped_and_paths_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    path = "/data/" + "x" * 120
    Progress(None).line("word " * 60 + path)
    lines = capsys.readouterr().err.splitlines()
    assert all(len(line) <= COLUMNS for line in lines[:-1])
    assert lines[-1].strip() == path


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2, "5 s"), (43, "45 s"), (700, "12 min"), (7300, "2 h"), (11_400, "3 h 10 min"), (187_200, "2 days 4 h")],
)
def test_estimates_are_round(seconds: float, text: str) -> None:
    assert roughly(seconds) == text


def test_rate_counts_what_this_process_did() -> None:
    state = StepProgress("answers", 100, "records")
    state.state(done=60, kept=50, dropped={"schema": 10})
    state.start -= 10
    state.state(done=80, kept=65, dropped={"schema": 15})
    row = state.snapshot()
    assert row["per_s"] == pytest.approx(2.0, rel=0.01)


def test_tokens_per_s_come_from_the_tokens_and_the_clock() -> None:
    state = StepProgress("answers", 100, "records")
    state.start -= 20
    state.set(completion_tokens=5_000)
    assert state.snapshot()["tokens_per_s"] == pytest.approx(250, rel=0.01)
    assert "tokens_per_s" not in StepProgress("seeds", 1, "splits").snapshot()


def test_last_state_is_recorded_also_when_the_step_fails(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "progress.jsonl", worker="1/4")
    with pytest.raises(RuntimeError), progress.step("answers", 10) as state:
        state.state(done=3, kept=2, dropped={"schema": 1})
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
        {"time": 1.0, "step": "answers", "worker": "0/2", "done": 1},
        {"time": 2.0, "step": "answers", "worker": "1/2", "done": 5},
        {"time": 3.0, "step": "answers", "worker": "0/2", "done": 9},
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
        state.state(done=4, kept=3, dropped={"schema": 1})
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
