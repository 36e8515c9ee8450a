"""The Slurm scripts that NeMo-Run writes for us, held as golden files; `UPDATE_GOLDEN=1 pytest tests/contract/test_launch.py` renews them."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from nemo_sdg.errors import ConfigError, SdgError
from nemo_sdg.train.cluster import ClusterConfig, load_cluster
from nemo_sdg.train.launch import launch, normalised, plan_jobs

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def gpu_scripts(root: Path) -> dict[str, str]:
    cluster = load_cluster(root / "configs" / "cluster" / "gpu.example.yaml")
    return {name: normalised(script, Path("runs/x"), Path(str(cluster.workdir))) for name, script in launch("", Path("runs/x"), cluster, dry_run=True).items()}


def test_scripts_are_the_golden_ones(gpu_scripts: dict[str, str]) -> None:
    for name, script in gpu_scripts.items():
        path = GOLDEN / f"gpu_{name}.sh"
        if os.environ.get("UPDATE_GOLDEN"):
            path.write_text(script)
        assert script == path.read_text()


def test_scripts_are_valid_shell(gpu_scripts: dict[str, str], tmp_path: Path) -> None:
    for name, script in gpu_scripts.items():
        (tmp_path / name).write_text(script)
        assert subprocess.run(["bash", "-n", str(tmp_path / name)], check=False).returncode == 0


def test_only_generation_is_an_array(gpu_scripts: dict[str, str]) -> None:
    arrays = {name for name, script in gpu_scripts.items() if "--array" in script}
    assert arrays == {"questions", "answers"}
    assert "#SBATCH --array=0-15\n" in gpu_scripts["questions"]
    assert "--worker $SLURM_ARRAY_TASK_ID/16" in gpu_scripts["answers"]


def test_each_job_waits_for_the_one_before(gpu_scripts: dict[str, str]) -> None:
    waits = [re.search(r"after (\w+):", script) for script in gpu_scripts.values()]
    assert [match.group(1) if match else None for match in waits] == ["nothing", "seeds", "questions", "answers", "verified", "curated", "packed"]


def test_multi_node_engine_is_started_by_its_launcher() -> None:
    cluster = ClusterConfig(partition="p")
    cluster.generation.mpi, cluster.generation.gpus_per_node = True, 8
    script = launch("", Path("runs/x"), cluster, dry_run=True)["answers"]
    assert "--mpi=pmix" in script
    assert "#SBATCH --ntasks-per-node=8\n" in script
    assert "exec trtllm-llmapi-launch nemo-sdg run" in script


def test_every_step_is_in_one_job() -> None:
    text = " ".join(job.arguments for job in plan_jobs(ClusterConfig()))
    assert "--until seeds" in text
    for step in ("questions", "answers", "verified", "curated", "packed", "blend"):
        assert f"--only {step}" in text


def test_secret_in_the_environment_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text("env: {MY_API_KEY: abc123}\n")
    with pytest.raises(ConfigError) as error:
        load_cluster(path)
    assert "MY_API_KEY" in str(error.value)
    assert "abc123" not in str(error.value)


def test_without_slurm_launch_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SdgError, match="sbatch is not installed"):
        launch("", tmp_path / "run", ClusterConfig(), dry_run=False)
    assert not (tmp_path / "run").exists()
