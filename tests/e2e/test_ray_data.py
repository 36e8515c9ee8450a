"""The whole run on Ray Data, killed in the middle: the bytes of an undisturbed local run, a quiet terminal, no process left."""

import subprocess
import time
from pathlib import Path

from tests.e2e.harness import command, digests, nemo_sdg, run_arguments


def processes_of(folder: Path) -> list[int]:
    """Processes that a Ray in this folder consists of; dead ones that nobody waited for have no command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def ray_folder(driver: int) -> Path | None:
    """Ray's own folder of a run; a session's name ends with its driver's number."""
    return next((session.parents[1] for session in Path("/tmp").glob(f"sdg-ray*/ray/session_*_{driver}")), None)


def test_killed_and_resumed_run_on_ray_data_equals_a_local_one(root: Path, server: str, undisturbed: Path, tmp_path: Path) -> None:
    run_dir = tmp_path / "ray"
    arguments = run_arguments(run_dir, server, "run.executor=ray_data")
    killed = subprocess.Popen(command(root, *arguments), cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while not list(run_dir.glob("verified/receipts/*.json")):
        assert killed.poll() is None, killed.communicate()[0]
        time.sleep(0.05)
    folder = ray_folder(killed.pid)
    assert folder is not None
    assert processes_of(folder)
    killed.kill()
    killed.wait()
    while processes_of(folder):
        time.sleep(0.1)

    resumed = nemo_sdg(root, *arguments)
    assert resumed.returncode == 0, resumed.stderr
    assert digests(run_dir) == digests(undisturbed)
    assert nemo_sdg(root, "check", str(run_dir)).returncode == 0
    said = resumed.stdout + resumed.stderr
    assert "curated" in said
    assert not [line for line in said.splitlines() if "raylet" in line or " INFO" in line or "WARN" in line or "Warning" in line], said
