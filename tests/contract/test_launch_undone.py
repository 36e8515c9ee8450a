"""What a launch that does not come to its end leaves: nothing. Programs of that name stand for Slurm's."""

import contextlib
import fcntl
import os
import signal
from pathlib import Path

import pytest

from nemo_sdg.cluster import slurm as submitting
from nemo_sdg.cluster.jobs import launch
from nemo_sdg.cluster.sites import ClusterConfig
from nemo_sdg.errors import SdgError

SBATCH = """#!/bin/sh
case "$*" in *--test-only*) exit 0 ;; esac
number=$(($(cat "$STAND_IN/number" 2> /dev/null || echo 0) + 1))
echo $number > "$STAND_IN/number"
[ $number -lt 3 ] || {third}
echo 10$number
"""
REFUSED = "{ echo 'sbatch: error: AssocMaxSubmitJobLimit' >&2; exit 1; }"


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with sbatch, which gives 101 and 102, scancel, which writes down its arguments, and the others."""
    programs = {"sinfo": "", "squeue": "", "scancel": 'echo "$@" >> "$STAND_IN/cancelled"', "sbatch": ""}
    (tmp_path / "bin").mkdir()
    for name, line in programs.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("STAND_IN", str(tmp_path / "bin"))
    return tmp_path / "bin"


def test_a_refused_job_takes_those_before_it_along(slurm: Path, tmp_path: Path) -> None:
    (slurm / "sbatch").write_text(SBATCH.format(third=REFUSED))
    with pytest.raises(SdgError, match=r"nothing is left in the queue: sbatch: error: AssocMaxSubmitJobLimit"):
        launch("{}", tmp_path / "run", ClusterConfig(), dry_run=False)
    assert (slurm / "cancelled").read_text() == "101 102\n"
    assert not (tmp_path / "run").exists()


def test_an_interrupted_launch_leaves_no_jobs_that_nobody_knows(slurm: Path, tmp_path: Path) -> None:
    (slurm / "sbatch").write_text(SBATCH.format(third=f"kill -INT {os.getpid()}"))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            launch("{}", tmp_path / "run", ClusterConfig(), dry_run=False)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (slurm / "cancelled").read_text().startswith("101 102")
    assert not (tmp_path / "run").exists()


def test_two_launches_at_once_do_not_both_submit(slurm: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run" / "slurm"
    folder.mkdir(parents=True)
    with (folder / ".launch").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(SdgError, match=r"another launch of .*/run is submitting its jobs"):
            launch("{}", tmp_path / "run", ClusterConfig(), dry_run=False)
    assert not (slurm / "number").exists()


def test_a_refused_launch_removes_nothing_of_one_that_began_in_the_same_moment(
    slurm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, alone = tmp_path / "run" / "slurm", submitting.alone

    def other_is_first(asked: Path) -> contextlib.AbstractContextManager[bool]:
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text("{}")
        fcntl.flock(stack.enter_context((folder / ".launch").open("a")), fcntl.LOCK_EX)
        return alone(asked)

    monkeypatch.setattr(submitting, "alone", other_is_first)
    with contextlib.ExitStack() as stack, pytest.raises(SdgError, match="another launch"):
        launch("{}", tmp_path / "run", ClusterConfig(), dry_run=False)
    assert (folder / "config.yaml").read_text() == "{}"
