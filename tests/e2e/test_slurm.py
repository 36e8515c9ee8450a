"""The whole quickstart on a real Slurm of two nodes on this machine, with a worker killed and a job requeued in the middle."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import digests, nemo_sdg, run_arguments

pytestmark = pytest.mark.skipif(
    not (shutil.which("slurmctld") and shutil.which("munged") and os.geteuid() == 0), reason="needs root and Debian's slurm-wlm and munge"
)


@pytest.fixture(scope="module")
def slurm(root: Path) -> Iterator[None]:
    started = subprocess.run([str(root / "scripts" / "dev_slurm.sh"), "start"], capture_output=True, text=True, check=False)
    assert started.returncode == 0, started.stdout + started.stderr
    yield
    subprocess.run([str(root / "scripts" / "dev_slurm.sh"), "stop"], check=False)


@pytest.fixture(scope="module")
def slow_server(root: Path) -> Iterator[str]:
    """The fake server, slow enough that a job can be disturbed in its middle."""
    process = subprocess.Popen(
        [sys.executable, str(root / "tests" / "fakes" / "openai_server.py"), "--port", "0", "--latency", "1.0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield process.stdout.readline().strip().split()[-1]
    process.kill()


def squeue(*arguments: str) -> list[str]:
    return subprocess.run(["squeue", "--noheader", *arguments], capture_output=True, text=True, check=False).stdout.split()


def wait_until(condition: object, what: str, seconds: float = 900.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.5)


def test_disturbed_run_on_slurm_equals_a_local_one(root: Path, slurm: None, server: str, slow_server: str, undisturbed: Path, tmp_path: Path) -> None:
    run_dir = tmp_path / "slurm"
    arguments = run_arguments(run_dir, slow_server, "engine.max_in_flight=2")[1:]
    launched = nemo_sdg(root, "launch", *arguments, "--cluster", "configs/cluster/dev.example.yaml")
    assert launched.returncode == 0, launched.stderr
    jobs = json.loads((run_dir / "slurm" / "jobs.json").read_text())
    assert list(jobs) == ["seeds", "questions", "answers", "verified", "curated", "packed", "blend"]

    answers = jobs["answers"]
    wait_until(lambda: squeue("--array", f"--jobs={answers}", "--states=RUNNING", "--format=%K"), "a running answers worker")
    wait_until(lambda: list((run_dir / "answers" / "journal").glob("*.jsonl")), "a first completion")
    running = squeue("--array", f"--jobs={answers}", "--states=RUNNING", "--format=%K")
    killed = subprocess.run(["pkill", "-9", "-f", f"run {run_dir.resolve()}/slurm/config.yaml --only answers --worker {running[0]}/4"], check=False)
    assert killed.returncode == 0
    others = squeue("--array", f"--jobs={answers}", "--states=RUNNING,PENDING", "--format=%K")
    subprocess.run(["scontrol", "requeue", f"{answers}_{others[-1]}"], check=False)

    wait_until(lambda: not squeue(f"--jobs={','.join(jobs.values())}", "--format=%T") or (run_dir / "manifest.json").is_file(), "the end of the jobs")
    status = nemo_sdg(root, "launch", "--status", str(run_dir))
    assert (run_dir / "manifest.json").is_file(), status.stdout + status.stderr
    assert "finished" in status.stdout
    assert nemo_sdg(root, "check", str(run_dir)).returncode == 0
    ours = {name: digest for name, digest in digests(run_dir).items() if not name.startswith("slurm/")}
    assert ours == digests(undisturbed)


def test_partition_that_does_not_exist_is_one_line(root: Path, slurm: None, tmp_path: Path) -> None:
    cluster = tmp_path / "cluster.yaml"
    cluster.write_text("partition: nowhere\n")
    result = nemo_sdg(root, "launch", "configs/quickstart.yaml", f"run.dir={tmp_path / 'run'}", "--cluster", str(cluster))
    assert result.returncode == 2
    assert result.stderr.strip().startswith("nemo-sdg: partition 'nowhere' does not exist")
    assert not (tmp_path / "run").exists()
