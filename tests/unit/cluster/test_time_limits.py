"""When a job starts again: the shell lines of the batch script, run by bash."""

import subprocess
from pathlib import Path

import pytest

from nemo_sdg.cluster.setup import setup_lines
from nemo_sdg.cluster.sites import ClusterConfig


def retries_after(tmp_path: Path, limits: int, code: int = 2, *, is_worker: bool = True) -> tuple[str, int]:
    """What TORCHX_MAX_RETRIES is after srun, and the exit code that srun hands on."""
    folder = str(tmp_path / "limits") if is_worker else None
    lines = "\n".join(setup_lines(ClusterConfig(), is_array=is_worker, time_limits=folder))
    (tmp_path / "srun").write_text(
        f'#!/bin/sh\nfor i in $(seq {limits}); do echo 1 >> "$NEMO_SDG_TIME_LIMITS"; done\nexit {code}\n'
    )
    (tmp_path / "srun").chmod(0o755)
    script = f'export TORCHX_MAX_RETRIES=3 SLURM_JOB_ID=7\n{lines}\nsrun true\necho "$? $TORCHX_MAX_RETRIES"\n'
    done = subprocess.run(
        ["bash", "-c", script], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )
    shown, retries = done.stdout.splitlines()[-1].split()
    return retries, int(shown)


def test_each_time_limit_allows_one_more_start(tmp_path: Path) -> None:
    assert retries_after(tmp_path, 0) == ("3", 2)
    assert retries_after(tmp_path, 2) == ("5", 2)


@pytest.mark.parametrize("code", [75, 78])
def test_what_another_start_would_meet_again_is_not_started_again(tmp_path: Path, code: int) -> None:
    assert retries_after(tmp_path, 2, code) == ("0", code)
    assert retries_after(tmp_path, 0, code, is_worker=False) == ("0", code)


def test_any_other_error_uses_a_retry(tmp_path: Path) -> None:
    assert retries_after(tmp_path, 0, 137, is_worker=False) == ("3", 137)
