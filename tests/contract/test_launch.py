"""The Slurm scripts that NeMo-Run writes, compared with golden files; `UPDATE_GOLDEN=1 pytest
tests/contract/test_launch.py` updates them.
"""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.cluster.jobs import launch, plan_jobs
from nemo_sdg.cluster.sites import ClusterConfig, GenerationSection, JobSection, load_cluster
from nemo_sdg.cluster.slurm import not_mounted
from nemo_sdg.errors import ConfigError, SdgError
from nemo_sdg.train.ablation import EvaluationSection
from nemo_sdg.train.cluster_arms import RecipeSection, launch_arms

GOLDEN = Path(__file__).parent / "golden"
RUN = Path("runs/x")


def normalised(script: str, run_dir: Path, workdir: Path) -> str:
    """A script without the parts that differ between launches: NeMo-Run's timestamps, rendezvous numbers, folders."""
    text = re.sub(r"nemo_sdg_\d{10,}", "nemo_sdg_ID", script)
    text = re.sub(r"(--rdzv-id|--rdzv-endpoint \S+:)( ?)\d+", r"\1\2N", text)
    text = re.sub(r"/[^\s,:]*/experiments/nemo_sdg", "HOME/experiments/nemo_sdg", text)
    return text.replace(str(run_dir.resolve()), "RUN").replace(str(workdir), "WORKDIR")


@pytest.fixture(scope="module")
def gpu_cluster(root: Path) -> ClusterConfig:
    return load_cluster(root / "configs" / "cluster" / "gpu.example.yaml")


@pytest.fixture(scope="module")
def gpu_scripts(gpu_cluster: ClusterConfig) -> dict[str, str]:
    """The scripts of a run, and those of an ablation by recipe."""
    recipe = RecipeSection(
        script="recipes/r.py",
        base="/base",
        base_model="org/base",
        tokens=1e9,
        export="convert {checkpoint} {model}",
        evaluate="lm_eval --model {model}",
    )
    evaluation = EvaluationSection(tasks=["piqa", "gsm8k"])
    found = launch("", RUN, gpu_cluster, dry_run=True) | launch_arms(
        RUN,
        recipe,
        evaluation,
        gpu_cluster,
        arms=["base", "no_context", "context"],
        trained=["no_context", "context"],
        dry_run=True,
    )
    return {name: normalised(script, RUN, Path(str(gpu_cluster.workdir))) for name, script in found.items()}


def test_scripts_are_the_golden_ones(gpu_scripts: dict[str, str]) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        for name, script in gpu_scripts.items():
            (GOLDEN / f"gpu_{name}.sh").write_text(script)
    assert {f"gpu_{name}.sh" for name in gpu_scripts} == {path.name for path in GOLDEN.glob("gpu_*.sh")}
    for name, script in gpu_scripts.items():
        assert script == (GOLDEN / f"gpu_{name}.sh").read_text()


def test_scripts_are_valid_shell_in_long_lines(gpu_scripts: dict[str, str], tmp_path: Path) -> None:
    for name, script in gpu_scripts.items():
        (tmp_path / name).write_text(script)
        assert subprocess.run(["bash", "-n", str(tmp_path / name)], check=False).returncode == 0
        assert all(line.startswith("#SBATCH --") for line in script.splitlines() if line.startswith("#SBATCH"))
        assert max(map(len, script.splitlines())) > 80


def test_only_generation_is_an_array(gpu_scripts: dict[str, str]) -> None:
    arrays = {name for name, script in gpu_scripts.items() if "--array" in script}
    assert arrays == {"questions", "answers"}
    assert "#SBATCH --array=0-15\n" in gpu_scripts["questions"]
    assert "--worker $SLURM_ARRAY_TASK_ID/16" in gpu_scripts["answers"]


def test_each_job_waits_for_the_one_before(gpu_scripts: dict[str, str]) -> None:
    waits = {name: re.search(r"after (\S+):", script) for name, script in gpu_scripts.items()}
    assert {name: match.group(1) if match else None for name, match in waits.items()} == {
        "seeds": "nothing",
        "questions": "seeds",
        "answers": "questions",
        "verified": "answers",
        "curated": "verified",
        "packed": "curated",
        "blend": "packed",
        "train-no_context": "nothing",
        "train-context": "nothing",
        "evaluate-base": "nothing",
        "evaluate-no_context": "train-no_context",
        "evaluate-context": "train-context",
    }


def test_every_job_warns_requeues_and_leaves_the_queue_when_it_can_never_run(gpu_scripts: dict[str, str]) -> None:
    for script in gpu_scripts.values():
        assert "#SBATCH --signal=USR1@120\n" in script
        assert "#SBATCH --kill-on-invalid-dep=yes\n" in script
        assert "TORCHX_MAX_RETRIES=5" in script


def test_several_nodes_share_the_roles_out(gpu_scripts: dict[str, str]) -> None:
    for name, script in gpu_scripts.items():
        assert ("--nodes\n" in script) == (name in ("verified", "curated")), name
    assert "#SBATCH --nodes=4\n" in gpu_scripts["curated"]
    assert "#SBATCH --ntasks-per-node=1\n" in gpu_scripts["curated"]


def test_arms_differ_in_corpus_and_folder_alone(gpu_scripts: dict[str, str]) -> None:
    context = gpu_scripts["train-context"].replace("context", "X")
    assert context == gpu_scripts["train-no_context"].replace("no_context", "X").replace("context", "X")
    assert "torchrun" in context
    assert "--nproc-per-node 8" in context
    assert "--base /base --dir RUN/ablation/checkpoints/X --tokens 1000000000" in context


def test_a_worker_with_servers_has_its_node_alone() -> None:
    for line, alone in {
        "vllm serve M --port 8000 $([ $SLURM_NODEID = 0 ] || echo x)": True,
        "vllm serve M --port $PORT": False,
    }.items():
        script = launch("", RUN, ClusterConfig(generation=GenerationSection(serve=[line])), dry_run=True)["answers"]
        assert ("#SBATCH --exclusive\n" in script) == alone, script


def test_multi_node_engine_is_started_by_its_launcher() -> None:
    cluster = ClusterConfig(partition="p")
    cluster.generation.mpi, cluster.generation.gpus_per_node = True, 8
    script = launch("", RUN, cluster, dry_run=True)["answers"]
    assert "--mpi=pmix" in script
    assert "#SBATCH --ntasks-per-node=8\n" in script
    assert "exec trtllm-llmapi-launch nemo-sdg run" in script


def test_a_server_over_nodes_stands_before_the_worker_in_a_valid_script(tmp_path: Path) -> None:
    cluster = ClusterConfig(partition="p", container_image="/i.sqsh", container_mounts=["/s:/s"], container_env=["K"])
    line = 'vllm serve M --master-addr $SERVE_HEAD --api-key "$K" $([ $SLURM_NODEID = 0 ] || echo --headless)'
    cluster.generation = GenerationSection(nodes=2, gpus_per_node=8, serve=[line], serve_image="/vllm.sqsh")
    script = launch("", RUN, cluster, dry_run=True)["answers"]
    (tmp_path / "script").write_text(script)
    assert subprocess.run(["bash", "-n", str(tmp_path / "script")], check=False).returncode == 0
    assert "#SBATCH --nodes=2\n#SBATCH --ntasks-per-node=1\n" in script
    server, worker = [line for line in script.splitlines() if "srun" in line and "--overlap" in line]
    assert "--container-image /vllm.sqsh --container-mounts /s:/s --container-env K bash -c" in server
    assert server.endswith("&")
    assert f"{line}'" in server  # in single quotes: only the server's own shell fills in what the line names
    assert "--container-image /i.sqsh" in worker
    assert worker.index("--kill-on-bad-exit=1") < worker.index("--overlap --nodes=1 --ntasks=1 --relative=0")


def test_every_step_is_in_one_job() -> None:
    text = " ".join(job.command for job in plan_jobs(RUN, ClusterConfig()))
    assert "--until seeds" in text
    for step in ("questions", "answers", "verified", "curated", "packed", "blend"):
        assert f"--only {step}" in text


@pytest.mark.parametrize(
    "line",
    ["env: {MY_API_KEY: abc123}", "setup: [export HF_TOKEN=abc123]", "setup: ['module load cuda; DB_PASSWORD=abc123']"],
)
def test_secret_in_the_cluster_file_is_refused_and_not_repeated(tmp_path: Path, line: str) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text(f"{line}\n")
    with pytest.raises(ConfigError, match="secret") as error:
        load_cluster(path)
    assert "abc123" not in str(error.value)


def test_harmless_names_are_no_secrets(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text("env: {TOKENIZERS_PARALLELISM: 'false'}\nsetup: [module load cuda/12, export KEYBOARD=us]\n")
    assert load_cluster(path).env == {"TOKENIZERS_PARALLELISM": "false"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("partitoin: gpu", ["partitoin"]),
        ("generation: {worker: 4}", ["worker"]),
        ("generation: {workers: many}", ["workers"]),
        ("generation: {workers: 0}", ["workers", "0"]),
        ("steps: {curate: {nodes: 2}}", ["steps.curate", "curated"]),
        ("steps: {blend: {nodes: 2}}", ["steps.blend.nodes", "2"]),
        ("cpu: {nodes: 2}", ["cpu.nodes"]),
        ("generation: {nodes: 2}", ["generation.nodes", "generation.mpi", "2"]),
        ("retries: -1", ["retries"]),
        ("cpu: [", ["cluster.yaml"]),
    ],
)
def test_what_a_cluster_file_gets_wrong_is_one_line(tmp_path: Path, text: str, words: list[str]) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text(f"{text}\n")
    with pytest.raises(ConfigError) as error:
        load_cluster(path)
    message = str(error.value)
    assert "\n" not in message
    assert all(word in message for word in [*words, str(path)])


def test_relative_workdir_is_refused() -> None:
    with pytest.raises(ConfigError, match="workdir must be an absolute path"):
        launch("", RUN, ClusterConfig(workdir="here"), dry_run=True)


def test_path_that_nemo_run_would_rewrite_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "sbatch"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(ConfigError, match="NeMo-Run replaces"):
        launch("", tmp_path / "nemo_runs" / "run", ClusterConfig(), dry_run=False)
    assert not (tmp_path / "nemo_runs").exists()


def test_values_of_env_reach_the_job_as_they_are() -> None:
    env = {"A": "two words", "B": "x; touch y", "C": 'it\'s `id` $(id) \\ "q"', "lower": "$HOME/hf", "NUM": 3}
    script = launch("", RUN, ClusterConfig(env=env), dry_run=True)["seeds"]  # type: ignore[arg-type]  # a file's number
    lines = [line for line in script.splitlines() if re.match(r"export (A|B|C|lower|NUM)=", line)]
    names = " ".join(f'"${name}"' for name in env)
    shown = subprocess.run(
        ["bash", "-c", "\n".join([*lines, f"printf '%s\\n' {names}"])],
        env={"HOME": "/h", "PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.splitlines() == [*list(env.values())[:3], "/h/hf", "3"]


@pytest.mark.parametrize(
    ("run_dir", "values"),
    [
        ("runs/two words", {}),
        ("runs/x;y", {}),
        ("runs/x", {"container_image": "/my images/x.sqsh"}),
        ("runs/x", {"container_mounts": ["/a b:/a b"]}),
    ],
)
def test_paths_that_nemo_run_does_not_quote_are_refused_in_the_dry_run(run_dir: str, values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="without quotes"):
        launch("", Path(run_dir), ClusterConfig(**values), dry_run=True)


def test_mounts_may_name_variables_of_the_shell() -> None:
    mounts = ["$HOME/.cache:/cache", "${SCRATCH}/x:/x"]
    script = launch("", RUN, ClusterConfig(container_image="nvcr.io#nvidia/x", container_mounts=mounts), dry_run=True)
    assert "$HOME/.cache:/cache,${SCRATCH}/x:/x" in script["seeds"]


def test_dry_run_shows_the_folders_of_the_real_launch(gpu_cluster: ClusterConfig) -> None:
    script = launch("", Path("runs/somewhere"), gpu_cluster, dry_run=True)["seeds"]
    assert "/runs/somewhere/slurm/home/experiments" in script
    assert "nemo_sdg_launch" not in script


def test_folders_outside_of_the_mounts_are_named(tmp_path: Path) -> None:
    cluster = ClusterConfig(container_image="x", container_mounts=["/shared:/shared", "/y"], workdir="/shared/work")
    assert not_mounted(tmp_path, cluster) == [str(tmp_path)]
    assert not_mounted(Path("/shared/run"), cluster) == []
    assert not_mounted(tmp_path, ClusterConfig(workdir="/w")) == []  # no container


def test_without_slurm_launch_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SdgError, match="sbatch is not installed"):
        launch("", tmp_path / "run", ClusterConfig(), dry_run=False)
    assert not (tmp_path / "run").exists()


def test_job_sizes_are_validated() -> None:
    with pytest.raises(ConfigError, match="nodes must be >= 1, got 0"):
        JobSection(nodes=0)
