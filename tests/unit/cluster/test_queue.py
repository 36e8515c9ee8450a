"""The states of jobs, as squeue tells them: a program of that name stands for Slurm."""

import os
from pathlib import Path

import pytest

from nemo_sdg.cluster.queue import job_states
from nemo_sdg.cluster.sites import ClusterConfig, JobSection, seconds_of
from nemo_sdg.commands.look.status import job_lines
from nemo_sdg.errors import (
    ConfigError,
    EngineError,
    MissingDependencyError,
    SdgError,
    SettingsError,
    UnreachableError,
    code_of,
)
from nemo_sdg.storage import write_json

IDS = {"seeds": "11", "answers": "12", "verified": "13", "blend": "14"}


@pytest.fixture
def squeue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "squeue"
    program.write_text('#!/bin/sh\ncat "$0.out"; cat "$0.err" >&2; exit $(cat "$0.code")\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return program


def answer(squeue: Path, out: str = "", err: str = "", code: int = 0) -> None:
    for end, text in {"out": out, "err": err, "code": str(code)}.items():
        squeue.with_suffix(f".{end}").write_text(text)


def test_states_and_reasons_of_all_jobs(squeue: Path) -> None:
    lines = "12 RUNNING None\n12 PENDING Resources\n12 RUNNING None\n11 FAILED NonZeroExitCode\n"
    answer(squeue, f"{lines}13 CANCELLED DependencyNeverSatisfied\n14 PENDING JobHoldMaxRequeue\n15 RUNNING\n")
    found = job_states({**IDS, "packed": "15"})
    assert found is not None
    assert {name: str(job) for name, job in found.items()} == {
        "seeds": "FAILED 1",
        "answers": "PENDING (Resources) 1, RUNNING 2",
        "verified": "CANCELLED (DependencyNeverSatisfied) 1",
        "blend": "PENDING (JobHoldMaxRequeue) 1",
        "packed": "RUNNING 1",
    }
    assert [name for name, job in found.items() if job.is_open] == ["answers", "blend", "packed"]
    assert [name for name, job in found.items() if job.has_failed] == ["seeds"]
    assert [name for name, job in found.items() if job.is_held] == ["blend"]


def test_a_controller_that_does_not_answer_is_not_the_end_of_the_jobs(squeue: Path, tmp_path: Path) -> None:
    answer(squeue, err="slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n", code=1)
    with pytest.raises(SdgError, match=r"Slurm does not answer: .*Unable to contact slurm controller"):
        job_states(IDS)
    write_json(tmp_path / "slurm" / "jobs.json", {"seeds": "11"})
    (line,) = job_lines(tmp_path / "slurm")
    assert line.startswith("seeds      job 11: unknown: Slurm does not answer: ")
    answer(squeue, err="slurm_load_jobs error: Invalid job id specified\n", code=1)
    assert {str(job) for job in (job_states(IDS) or {}).values()} == {"ended"}


def test_status_says_what_holds_a_job_and_which_one_the_others_fell_with(squeue: Path, tmp_path: Path) -> None:
    write_json(tmp_path / "slurm" / "jobs.json", IDS)
    answer(
        squeue, "11 COMPLETED None\n12 NODE_FAIL None\n13 CANCELLED DependencyNeverSatisfied\n14 PENDING JobHeldUser\n"
    )
    lines = list(job_lines(tmp_path / "slurm"))
    assert "           held: `scontrol release 14` lets it go on" in lines
    assert lines[-1].startswith("answers did not succeed, and the jobs after it left the queue")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2", 120), ("1:30", 90), ("00:02:00", 120), ("1-0", 86400), ("1-2:03", 93780), ("1-2:03:04", 93784),
     ("UNLIMITED", None), ("soon", None)],
)  # fmt: skip
def test_time_limits_in_all_forms_of_sbatch(text: str, seconds: int | None) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("place", ["cpu", "training"])
def test_a_job_that_would_be_warned_as_it_begins_is_refused(place: str) -> None:
    with pytest.raises(ConfigError, match=rf"{place}\.time must be longer than warn_seconds=120, got 00:02:00"):
        ClusterConfig(**{place: JobSection(time="00:02:00")})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"steps\.curated\.time must be longer"):
        ClusterConfig(steps={"curated": JobSection(time="2")})
    ClusterConfig(warn_seconds=60, cpu=JobSection(time="00:02:00"))


def test_only_what_another_start_would_meet_again_has_a_code_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    passing = [UnreachableError("x"), MissingDependencyError("x"), EngineError("no answer"), SdgError("locked")]
    errors = [ConfigError("x"), SettingsError("401"), *passing]
    assert [code_of(error) for error in errors] == [2] * 6
    monkeypatch.setenv("NEMO_SDG_FINAL", "78")
    assert [code_of(error) for error in errors] == [78, 78, 2, 2, 2, 2]
