"""The figures that --status reads from the receipts."""

import os
from pathlib import Path

import pytest

from nemo_sdg.commands.look.status import print_status, step_status
from nemo_sdg.errors import DataError
from nemo_sdg.execution.progress import WRITES_FILES, Progress
from nemo_sdg.storage import Counts, StepDir, write_json


def write_receipts(run_dir: Path, step: str, num: int, *, seconds_apart: float = 0.0) -> None:
    folder = StepDir(run_dir=run_dir, step=step, fingerprint="f")
    for number in range(num):
        counts = Counts()
        counts.keep("t", 3)
        counts.drop("t", "too_short", 1)
        folder.write_receipt(f"shard-{number:05d}", {}, counts.as_dict())
        os.utime(folder.receipt_path(f"shard-{number:05d}"), (1e9 + number * seconds_apart,) * 2)


def test_shards_yield_and_eta_come_from_the_receipts(tmp_path: Path) -> None:
    write_receipts(tmp_path, "questions", 10)
    write_receipts(tmp_path, "answers", 4, seconds_apart=90)
    row = step_status(tmp_path, "answers")
    assert (row["shards"], row["expected"], row["kept"], row["dropped"]) == (4, 10, 12, {"too_short": 4})
    assert row["shards_per_hour"] == 40.0
    assert row["eta_s"] == 540


def test_finished_or_unstarted_step_has_no_eta(tmp_path: Path) -> None:
    write_receipts(tmp_path, "questions", 2, seconds_apart=10)
    write_receipts(tmp_path, "answers", 2, seconds_apart=10)
    assert step_status(tmp_path, "answers")["eta_s"] is None
    assert step_status(tmp_path, "verified") == {
        "step": "verified", "shards": 0, "expected": 2, "kept": 0, "dropped": {}, "shards_per_hour": None,
        "eta_s": None,
    }  # fmt: skip


def test_status_needs_no_slurm_on_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_receipts(tmp_path, "seeds", 1)
    write_json(tmp_path / "slurm" / "jobs.json", {"seeds": "17"})
    write_json(tmp_path / "ablation" / "slurm" / "jobs.json", {"train-context": "18"})
    monkeypatch.setenv("PATH", str(tmp_path))
    print_status(tmp_path, ["seeds", "questions"])
    shown = capsys.readouterr().out
    assert "seeds      job 17: unknown: squeue is not installed here" in shown
    assert "train-context job 18: unknown" in shown
    assert "0/1" in shown
    assert "not finished" in shown


def test_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a run"):
        print_status(tmp_path, ["seeds"])


def test_a_step_that_waits_for_files_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.yaml").write_text("{}")
    progress = Progress(tmp_path / "progress.jsonl", every=60.0)
    with progress.step("questions", unit="records") as state:
        state.phase, state.total, state.done = WRITES_FILES, 5, 2
    print_status(tmp_path, ["questions"])
    assert f"questions: waits for files of replies in {tmp_path / 'questions' / 'batch'}" in capsys.readouterr().out


def test_what_a_run_of_somebody_else_says_does_not_steer_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.yaml").write_text("")
    counts = Counts()
    counts.drop("t", "\x1b]0;mine\x07[/red] too_short", 1)
    StepDir(run_dir=tmp_path, step="answers", fingerprint="f").write_receipt("shard-00000", {}, counts.as_dict())
    print_status(tmp_path, ["answers"])
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "[/red]" in shown
