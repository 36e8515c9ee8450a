"""Asks Slurm about jobs: whether a job could ever run, and the states of the jobs of a launch."""

import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from nemo_sdg.errors import ConfigError, DataError, SdgError
from nemo_sdg.records.shapes import misfit
from nemo_sdg.storage import read_json

JOBS = "jobs.json"
ENDED, UNKNOWN = "ended", "unknown: squeue is not installed here"
FORGOTTEN = "Invalid job id"
"""what squeue says of jobs that ended longer ago than Slurm's MinJobAge"""
NEVER = "DependencyNeverSatisfied"
OVER = {
    *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED"),
    *("REVOKED", "TIMEOUT"),
}
"""states of jobs that have left the queue"""


def refuse_impossible(found: dict[str, str]) -> None:
    """Asks Slurm whether each script could ever run. Otherwise Slurm accepts a dependent job of any size, which may
    then wait for ever.

    Raises ConfigError with Slurm's reason.
    """
    for name, script in found.items():
        tested = subprocess.run(["sbatch", "--test-only"], input=script, capture_output=True, text=True, check=False)
        if tested.returncode:
            look_at = "its size in the cluster file"
            if "array" in tested.stderr:
                look_at = "generation.workers, the number of tasks: `scontrol show config` says Slurm's MaxArraySize"
            raise ConfigError(f"Slurm would not run the job {name}: {reason(tested.stderr)}; look at {look_at}")


def reason(message: str) -> str:
    """The error line of sbatch in a longer message."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if "error:" in line), " ".join(lines)[-300:])


@dataclass(kw_only=True)
class Queued:
    """What Slurm says of one job."""

    states: Counter[str] = field(default_factory=Counter)
    """state, with Slurm's reason where it has one, such as `PENDING (JobHeldUser)` > number of tasks"""
    is_open: bool = False
    """whether a task of it may still run"""

    @property
    def is_held(self) -> bool:
        return any(re.match(r"PENDING .*(held|hold)", state, re.I) for state in self.states)

    @property
    def has_failed(self) -> bool:
        """Whether a task ended without success, and not because a job before it did."""
        names = {state.partition(" ")[0] for state in self.states if NEVER not in state}
        return bool(names & OVER - {"COMPLETED"})

    def __str__(self) -> str:
        return ", ".join(f"{state} {number}" for state, number in sorted(self.states.items())) or ENDED


def job_states(ids: dict[str, str]) -> dict[str, Queued] | None:
    """Job name > its states. A job without states ended so long ago that Slurm has forgotten it. None if squeue is not
    installed here. Raises SdgError if Slurm does not answer.
    """
    if shutil.which("squeue") is None:
        return None
    names = {job_id: name for name, job_id in ids.items()}
    command = ["squeue", "--noheader", "--array", "--states=all", f"--jobs={','.join(names)}", "--format=%F %T %r"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)  # it waits for a busy controller
    if listed.returncode and FORGOTTEN not in listed.stderr:
        raise SdgError(f"Slurm does not answer: {reason(listed.stderr) or 'squeue failed'}; ask again")
    found = {name: Queued() for name in ids}
    for line in listed.stdout.splitlines():
        job_id, state, why = [*line.split(maxsplit=2), "None"][:3]
        job = found[names[job_id]]
        job.states[state if why in ("None", "NonZeroExitCode") else f"{state} ({why})"] += 1
        job.is_open |= state not in OVER
    return found


def slurm_jobs(folder: Path) -> dict[str, str]:
    """Job name -> Slurm job id of a launch. Raises DataError if the run was not launched."""
    if not (folder / JOBS).is_file():
        raise DataError(f"{folder.parent} was not launched on Slurm: it has no {folder.name}/{JOBS}")
    ids: dict[str, str] = read_json(folder / JOBS)
    if why := misfit(ids, dict[str, str]):
        raise DataError(f"{folder / JOBS} is damaged: {why}; `nemo-sdg launch` writes it again")
    return ids
