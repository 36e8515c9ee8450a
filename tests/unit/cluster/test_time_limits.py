"""An end by a time limit uses none of a job's retries: the shell lines of the batch script, run by bash."""

import subprocess
from pathlib import Path

from nemo_sdg.cluster.slurm import COUNT_TIME_LIMITS


def retries_after(tmp_path: Path, limits: int) -> tuple[str, int]:
    """What TORCHX_MAX_RETRIES is after srun, and the exit code that srun hands on."""
    lines = "\n".join(line.format(folder=tmp_path / "limits") for line in COUNT_TIME_LIMITS)
    (tmp_path / "srun").write_text(
        f'#!/bin/sh\nfor i in $(seq {limits}); do echo 1 >> "$NEMO_SDG_TIME_LIMITS"; done\nexit 2\n'
    )
    (tmp_path / "srun").chmod(0o755)
    script = f'export TORCHX_MAX_RETRIES=3 SLURM_JOB_ID=7\n{lines}\nsrun true\necho "$? $TORCHX_MAX_RETRIES"\n'
    done = subprocess.run(
        ["bash", "-c", script], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )
    code, retries = done.stdout.split()
    return retries, int(code)


def test_each_time_limit_allows_one_more_start(tmp_path: Path) -> None:
    assert retries_after(tmp_path, 0) == ("3", 2)
    assert retries_after(tmp_path, 2) == ("5", 2)
