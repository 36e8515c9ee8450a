"""The whole quickstart on a real Slurm of two nodes on this machine, disturbed in the middle; and user errors there."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nemo_sdg.storage import stored_files
from tests.e2e.harness import called, digests, nemo_sdg, run_arguments

pytestmark = pytest.mark.skipif(
    not (shutil.which("slurmctld") and shutil.which("munged") and os.geteuid() == 0),
    reason="needs root and Debian's slurm-wlm and munge",
)

CLUSTER = "configs/cluster/dev.example.yaml"
SECRET = "sk-planted-secret-of-the-test"


@pytest.fixture(scope="module")
def slurm(root: Path) -> Iterator[None]:
    started = subprocess.run(
        [str(root / "scripts" / "dev_slurm.sh"), "start"], capture_output=True, text=True, check=False
    )
    assert started.returncode == 0, started.stdout + started.stderr
    yield
    subprocess.run([str(root / "scripts" / "dev_slurm.sh"), "stop"], check=False)


@pytest.fixture(scope="module")
def slow_server(root: Path) -> Iterator[str]:
    """The fake server, slow enough that a job can be disturbed in its middle, and closed to those without the key."""
    program = [sys.executable, str(root / "tests" / "fakes" / "openai_server.py"), "--port", "0", "--latency", "0.5"]
    process = subprocess.Popen(
        program, env={**os.environ, "FAKE_OPENAI_KEY": SECRET}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield process.stdout.readline().strip().split()[-1]
    process.kill()


def squeue(*arguments: str) -> list[str] | None:
    """What squeue prints, in words; None where a busy controller did not answer in time."""
    done = subprocess.run(["squeue", "--noheader", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.split() if done.returncode == 0 else None


def logs(run_dir: Path) -> dict[str, str]:
    """What jobs and their programs printed."""
    return {path.name: path.read_text(errors="replace") for path in (run_dir / "slurm").rglob("*.out")}


def wait_until(condition: Callable[[], object], what: str, run_dir: Path, jobs: dict[str, str]) -> None:
    """Fails with the logs when no job is left that could bring it about."""
    while not condition():
        if squeue(f"--jobs={','.join(jobs.values())}", "--format=%T") == [] and not condition():
            pytest.fail(f"{what} did not come; logs: {logs(run_dir)}")
        time.sleep(0.3)


def test_disturbed_run_on_slurm_equals_a_local_one(
    root: Path, slurm: None, slow_server: str, undisturbed: Path, tmp_path: Path
) -> None:
    run_dir, cluster = tmp_path / "slurm", tmp_path / "cluster.yaml"
    cluster.write_text(
        (root / CLUSTER).read_text()
        + 'steps:\n  curated: {nodes: 2, cpus_per_task: 2, time: "01:00:00"}\n'
        + 'generation_steps:\n  questions: {workers: 2, cpus_per_task: 1, time: "01:00:00"}\n'
    )
    launch = ["launch", *run_arguments(run_dir, slow_server, "engine.max_in_flight=2")[1:], "--cluster", str(cluster)]
    launched = nemo_sdg(root, *launch, NEMO_SDG_API_KEY=SECRET)
    assert launched.returncode == 0, launched.stderr
    jobs = json.loads((run_dir / "slurm" / "jobs.json").read_text())
    assert (run_dir / "slurm" / "home" / ".slurm_jobs").is_file(), "NeMo-Run keeps its books with the run"
    assert list(jobs) == ["seeds", "questions", "answers", "verified", "curated", "packed", "blend"]

    answers = jobs["answers"]
    wait_until(
        lambda: len(squeue("--array", f"--jobs={answers}", "--states=RUNNING", "--format=%K") or []) == 4,
        "four answers workers",
        run_dir,
        jobs,
    )
    wait_until(
        lambda: len(stored_files(run_dir / "answers" / "journal")) >= 4, "first completions of all", run_dir, jobs
    )
    # Worker 3, the last task, carries the array's own id: a requeue by that id would take all workers with it.
    killed = subprocess.run(
        ["pkill", "-9", "-f", f"run {run_dir.resolve()}/slurm/config.yaml --only answers --worker 3/4"], check=False
    )
    requeued = subprocess.run(["scontrol", "requeue", f"{answers}_0"], check=False)
    warned = subprocess.run(
        ["scancel", "--signal=USR1", f"{answers}_1"], check=False
    )  # what --signal=USR1@120 does before the time limit
    assert killed.returncode == requeued.returncode == warned.returncode == 0
    status = called(root, "launch", "--status", str(run_dir))
    assert re.search(rf"answers +job {answers}: .*RUNNING \d", status.stdout), status.stdout
    again = called(root, *launch)
    assert again.returncode == 2
    assert re.search(r"is launched already \((answers|verified) [A-Z_]+ ", again.stderr), again.stderr

    wait_until(lambda: (run_dir / "manifest.json").is_file(), "the end of the run", run_dir, jobs)
    status = called(root, "launch", "--status", str(run_dir))
    assert "(finished)" in status.stdout
    assert re.search(rf"answers +job {answers}: COMPLETED 4\n", status.stdout), status.stdout
    found = logs(run_dir)
    restarts = [name for name in found if re.fullmatch(r"log-nemo_sdg-answers_\d+_[1-9]\d*\.out", name)]
    assert len(restarts) == 3, (
        f"the killed, the requeued and the warned worker started again, the fourth did not: {sorted(found)}"
    )
    text = "\n".join(found[name] for name in found if "-answers_" in name)
    assert "stopped by SIGTERM; everything finished is kept" in text
    assert "stopped by SIGUSR1; everything finished is kept" in text
    assert "Traceback" not in text
    assert not [path for path in run_dir.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert "2 nodes" in next(
        found[name] for name in sorted(found, reverse=True) if name.startswith("log-nemo_sdg-curated_")
    )
    assert not list((run_dir / "slurm").glob("nodes-*")), "the folder with Ray's token is gone"
    assert called(root, "check", str(run_dir)).returncode == 0
    ours = {name: digest for name, digest in digests(run_dir).items() if not name.startswith("slurm/")}
    assert ours == digests(undisturbed)


def test_a_job_that_fails_for_good_takes_the_others_along_and_status_says_why(
    root: Path, slurm: None, tmp_path: Path
) -> None:
    run_dir, cluster = tmp_path / "run", tmp_path / "cluster.yaml"
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho 'loading'; echo 'nemo-sdg: the key was refused'; exit $NEMO_SDG_FINAL\n")
    program.chmod(0o755)
    cluster.write_text(f"partition: dev\ncommand: {program}\n")
    launched = called(root, "launch", "configs/quickstart.yaml", f"run.dir={run_dir}", "--cluster", str(cluster))
    assert launched.returncode == 0, launched.stderr
    jobs = json.loads((run_dir / "slurm" / "jobs.json").read_text())
    while squeue(f"--jobs={','.join(jobs.values())}", "--format=%T") != []:
        time.sleep(0.3)
    status = called(root, "launch", "--status", str(run_dir)).stdout
    failed, why, *others, told = status[status.index("seeds      job") :].splitlines()
    assert failed.endswith(": FAILED 1"), "it has retries left, and each would end in the same way"
    assert re.match(r" +start 1 on n\d, exit code 78: nemo-sdg: the key was refused \(/.*_0\.out\)$", why)
    assert [line.split()[0] for line in others] == list(jobs)[1:]
    assert all("CANCELLED (DependencyNeverSatisfied)" in line for line in others)
    assert told.startswith("seeds did not succeed")


@pytest.mark.parametrize(
    ("cluster", "words"),
    [
        ("partition: nowhere", "partition 'nowhere' does not exist on this cluster; it has dev"),
        (
            "partition: dev\ngeneration: {cpus_per_task: 999}",
            "Slurm would not run the job questions: allocation failure",
        ),
        ("partition: dev\ncpu: {time: soon}", "Slurm would not run the job seeds"),
        ("partitoin: dev", "partitoin"),
    ],
)
def test_what_a_user_gets_wrong_is_one_line_and_leaves_nothing(
    root: Path, slurm: None, tmp_path: Path, cluster: str, words: str
) -> None:
    (tmp_path / "cluster.yaml").write_text(f"{cluster}\n")
    result = called(
        root,
        "launch",
        "configs/quickstart.yaml",
        f"run.dir={tmp_path / 'run'}",
        "--cluster",
        str(tmp_path / "cluster.yaml"),
    )
    assert result.returncode == 2
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("nemo-sdg: ")
    assert words in line
    assert not (tmp_path / "run").exists()
    assert squeue("--name=nemo_sdg-seeds", "--states=PENDING,RUNNING", "--format=%i") == []
