"""What the logs of a launch say: how each task of a job ended last, and why.

A task has the log of its batch script, `sbatch_nemo_sdg-answers_307_2.out`, where Slurm and the script write, and one
of its program for each start, `log-nemo_sdg-answers_309_0.out`. They stand in
RUN/slurm/home/experiments/nemo_sdg/*/answers/.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from nemo_sdg.records import visible

STARTED = re.compile(r"^job (\d+) on (\S+), start (\d+)$", re.M)
"""the line of TELL_START in a script's log"""
ENDED = re.compile(r"^job exited with code (\d+)$|^slurmstepd.*?: error: \*\*\* (.*?) \*\*\*", re.M)
"""how a script says that its program ended, and how Slurm says that it ended a job: `JOB 353 ON n1 CANCELLED AT …`"""
WARNED = ", by the warning of its time limit"
SERVER = re.compile("^nemo-sdg: the server beside this worker ended .*", re.M)
"""what a script says of servers over several nodes; of those on one node, the program's log says it"""
CODES = {"137": ", killed, such as for want of memory", "138": WARNED}
"""what exit codes mean: 128 and the number of a signal"""
TAIL_BYTES = 20_000
"""of a log, what is read: its last start"""
MAX_LINE = 500


@dataclass(frozen=True, kw_only=True)
class TaskEnd:
    """The last end of a task that did not succeed."""

    task: str
    """index in the array; empty where the job is none"""
    start: int
    """how often it had been requeued before"""
    node: str
    how: str
    """`exit code 2`, or what Slurm says"""
    why: str
    """the last line of the program's log"""
    log: Path
    """the log that says more"""

    @property
    def is_routine(self) -> bool:
        """Whether the task was told to end, and goes on at its next start."""
        told = re.search(f"DUE TO (JOB REQUEUE|PREEMPTION|TIME LIMIT)|{WARNED}", self.how)
        return told is not None or "by SIGUSR1;" in self.why

    def __str__(self) -> str:
        task = f"worker {self.task}, " if self.task else ""
        return f"{task}start {self.start + 1} on {self.node}, {self.how}: {self.why or 'no word'} ({self.log})"


def failed_tasks(folder: Path, job: str, job_id: str) -> list[TaskEnd]:
    """The tasks of a job whose last end was no success, in the order of their index. `folder` is that of the launch. A
    task that was started again and runs is among them, with its end before.
    """
    found = []
    for path in folder.glob(f"home/experiments/*/*/{job}/sbatch_*_{job_id}*.out"):
        match = re.fullmatch(rf"sbatch_.*_{job_id}(?:_(\d+))?\.out", path.name)
        if match is not None and (end := last_end(path, match[1] or "")) is not None:
            found.append(end)
    return sorted(found, key=lambda end: int(end.task or 0))


def last_end(path: Path, task: str) -> TaskEnd | None:
    """How the last start that has ended did; None where that was with success, or none has ended."""
    text = tail(path)
    starts = list(STARTED.finditer(text))
    for number in reversed(range(len(starts))):
        begin = starts[number]
        part = text[begin.end() : starts[number + 1].start() if number + 1 < len(starts) else None]
        ends = list(ENDED.finditer(part))
        if not ends:
            continue
        if ends[0][1] == "0":
            return None
        log = next(path.parent.glob(f"log-*_{begin[1]}_{begin[3]}.out"), path)
        code, said = ends[0].groups()  # what follows is its consequence: the script's own requeue, the end of srun
        server = SERVER.search(part, 0, ends[0].start())
        meaning = "" if server else CODES.get(code, "")  # a worker without its server was killed for that
        how = f"exit code {code}{meaning}" if said is None else re.sub(r"^(JOB|STEP) \S+ ON \S+ ", "", said)
        why = visible(server[0])[:MAX_LINE] if server else last_line(log) or last_error(part)
        return TaskEnd(task=task, start=int(begin[3]), node=begin[2], how=how, why=why, log=log if why else path)
    return None


def tail(path: Path) -> str:
    try:
        with path.open("rb") as handle:
            handle.seek(max(0, handle.seek(0, 2) - TAIL_BYTES))
            return handle.read().decode(errors="replace")
    except OSError:
        return ""


def last_line(path: Path) -> str:
    """The last line that is not blank, made fit for a terminal."""
    lines = [line.strip() for line in tail(path).splitlines() if line.strip()]
    return visible(lines[-1])[:MAX_LINE] if lines and not path.name.startswith("sbatch_") else ""


def last_error(text: str) -> str:
    """What srun or Slurm complained of in a script's log."""
    lines = [line.strip() for line in text.splitlines() if re.match(r"(srun|slurmstepd|pyxis).*error", line)]
    return visible(lines[0])[:MAX_LINE] if lines else ""
