"""A run on Ray Data, killed in the middle: the bytes of an undisturbed local run, a quiet terminal, no process left.

What comes before the verdicts is that of the local run: a single worker of generation works without Ray, and seeds are
made by the same stage as packed files.
"""

import shutil
import subprocess
import time
from pathlib import Path

import psutil

from tests.e2e.harness import called, command, digests, nemo_sdg, run_arguments


def ray_folder(processes: list[psutil.Process]) -> Path:
    """The folder of a run's own Ray: the session's name in it ends with the number of the process that holds it."""
    (found,) = [
        session.parent for process in processes for session in Path("/tmp").glob(f"sdg-ray*/session_*_{process.pid}")
    ]
    return found


def test_killed_and_resumed_run_on_ray_data_equals_a_local_one(
    root: Path, server: str, undisturbed: Path, tmp_path: Path
) -> None:
    run_dir = tmp_path / "ray"
    run_dir.mkdir()
    shutil.copy(undisturbed / "config.yaml", run_dir)
    for step in ("catalog", "seeds", "questions", "answers"):
        shutil.copytree(undisturbed / step, run_dir / step)
    arguments = run_arguments(run_dir, server, "run.executor=ray_data")
    killed = subprocess.Popen(
        command(root, *arguments), cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    while not list(run_dir.glob("verified/receipts/*.json")):
        assert killed.poll() is None, killed.communicate()[0]
        time.sleep(0.05)
    below = psutil.Process(killed.pid).children(recursive=True)
    folder = ray_folder(below)
    killed.kill()
    killed.communicate()
    psutil.wait_procs(below)
    assert not folder.exists()

    resumed = nemo_sdg(root, *arguments)
    assert resumed.returncode == 0, resumed.stderr
    assert digests(run_dir) == digests(undisturbed)
    assert called(root, "check", str(run_dir)).returncode == 0
    said = resumed.stdout + resumed.stderr
    assert "curated" in said
    assert not [
        line for line in said.splitlines() if "raylet" in line or " INFO" in line or "WARN" in line or "Warning" in line
    ], said
