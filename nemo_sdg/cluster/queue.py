"""Asks Slurm about jobs: whether a job could ever run, and the states of the jobs of a launch."""

import shutil
import subprocess
from pathlib import Path

from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.records.shapes import misfit
from nemo_sdg.storage import read_json

JOBS = "jobs.json"
ENDED, UNKNOWN = "ended", "unknown: squeue is not installed here"


def refuse_impossible(found: dict[str, str]) -> None:
    """Asks Slurm whether each script could ever run. Otherwise Slurm accepts a dependent job of any size, which may
    then wait for ever.

    Raises ConfigError with Slurm's reason.
    """
    for name, script in found.items():
        tested = subprocess.run(["sbatch", "--test-only"], input=script, capture_output=True, text=True, check=False)
        if tested.returncode:
            raise ConfigError(
                f"Slurm would not run the job {name}: {reason(tested.stderr)}; look at its size in the cluster file"
            )


def reason(message: str) -> str:
    """The error line of sbatch in a longer message."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if "error:" in line), " ".join(lines)[-300:])


def job_states(ids: dict[str, str]) -> dict[str, str]:
    """Job name -> its states in squeue, such as `RUNNING 3, PENDING 1`; `ended` if it is no longer in the queue."""
    if shutil.which("squeue") is None:
        return dict.fromkeys(ids, UNKNOWN)
    found = {}
    for name, job_id in ids.items():
        listed = subprocess.run(
            ["squeue", "--noheader", "--array", f"--jobs={job_id}", "--format=%T"],
            capture_output=True,
            text=True,
            check=False,
        )
        states = listed.stdout.split()
        found[name] = ", ".join(f"{state} {states.count(state)}" for state in sorted(set(states))) or ENDED
    return found


def slurm_jobs(folder: Path) -> dict[str, str]:
    """Job name -> Slurm job id of a launch. Raises DataError if the run was not launched."""
    if not (folder / JOBS).is_file():
        raise DataError(f"{folder.parent} was not launched on Slurm: it has no {folder.name}/{JOBS}")
    ids: dict[str, str] = read_json(folder / JOBS)
    if why := misfit(ids, dict[str, str]):
        raise DataError(f"{folder / JOBS} is damaged: {why}; `nemo-sdg launch` writes it again")
    return ids
