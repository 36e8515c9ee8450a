"""The jobs of a run: each generation step with its size, and servers beside its workers."""

import shlex
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.cluster.jobs import plan_jobs
from nemo_sdg.cluster.setup import setup_lines
from nemo_sdg.cluster.sites import ClusterConfig, GenerationSection
from nemo_sdg.cluster.slurm import job_script
from nemo_sdg.errors import ConfigError

STEPS = ["catalog", "seeds", "questions", "screened", "answers", "graded", "verified", "curated", "packed", "blend"]
SERVER = """
import http.server, pathlib, sys
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"hello")
server = http.server.HTTPServer(("127.0.0.1", 0), Hello)
pathlib.Path(sys.argv[1] + ".new").write_text(str(server.server_port))
pathlib.Path(sys.argv[1] + ".new").rename(sys.argv[1])
server.handle_request()
"""
WORKER = """
import pathlib, sys, time, urllib.request
for _ in range(600):
    if pathlib.Path(sys.argv[1]).is_file():
        print(urllib.request.urlopen("http://127.0.0.1:" + pathlib.Path(sys.argv[1]).read_text()).read().decode())
        break
    time.sleep(0.05)
"""


def test_a_generation_step_has_its_own_size_or_the_common_one() -> None:
    cluster = ClusterConfig(
        generation=GenerationSection(workers=16, gpus_per_node=8),
        generation_steps={"graded": GenerationSection(workers=2, gpus_per_node=1)},
    )
    jobs = {job.name: job for job in plan_jobs(Path("runs/x"), cluster, steps=STEPS)}
    assert {name: job.workers for name, job in jobs.items() if job.workers} == {
        "questions": 16,
        "screened": 16,
        "answers": 16,
        "graded": 2,
    }
    assert (jobs["graded"].size.gpus_per_node, jobs["answers"].size.gpus_per_node) == (1, 8)
    assert "--only graded --worker $SLURM_ARRAY_TASK_ID/2" in jobs["graded"].command
    assert jobs["verified"].after == ["graded"]


def test_a_server_runs_beside_the_worker_and_writes_to_a_log_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "slurm").mkdir()
    port = tmp_path / "port"
    serve = f"echo loading the model; {shlex.join([sys.executable, '-c', SERVER, str(port)])}"
    cluster = ClusterConfig(generation=GenerationSection(workers=1, serve=[serve]))
    job = next(job for job in plan_jobs(tmp_path, cluster) if job.name == "answers")
    job.command = shlex.join([sys.executable, "-c", WORKER, str(port)])
    done = subprocess.run(
        ["bash", "-c", job_script(job, tmp_path)],
        env={"SLURM_ARRAY_TASK_ID": "0", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "hello\n"
    assert (tmp_path / "slurm" / "serve-answers-0-0.log").read_text().startswith("loading the model")


def test_wrong_sizes_are_refused_in_one_line() -> None:
    with pytest.raises(ConfigError, match=r"^generation_steps\.verified is not a generation step: use questions"):
        ClusterConfig(generation_steps={"verified": GenerationSection()})
    with pytest.raises(ConfigError, match=r"^generation\.serve and generation\.mpi exclude each other"):
        GenerationSection(serve=["vllm serve x"], mpi=True)
    with pytest.raises(ConfigError, match=r"^generation\.nodes must be 1 without generation\.mpi and"):
        GenerationSection(nodes=2)
    with pytest.raises(ConfigError, match=r"^generation\.serve_image is the image of servers over several nodes"):
        GenerationSection(serve=["vllm serve x"], serve_image="x.sqsh")


@pytest.mark.parametrize(
    "line", ["HF_TOKEN=hf_1 vllm serve M", "vllm serve M --api-key sk-1", "vllm serve M --api-key='sk-1' --port 8000"]
)
def test_a_secret_in_a_line_that_starts_a_server_is_refused(line: str) -> None:
    size = GenerationSection(serve=[line])
    for sizes in ({"generation": size}, {"generation_steps": {"answers": size}}):
        with pytest.raises(ConfigError, match=r"serve sets .*, which looks like a secret"):
            ClusterConfig(**sizes)


@pytest.mark.parametrize(
    ("place", "given"),
    [
        ("command", "env HF_TOKEN=hf_1 nemo-sdg"),
        ("setup", ["registry login --password sk-1"]),
        ("additional_parameters", {"export": "ALL,NEMO_SDG_API_KEY=sk-1"}),
    ],
)
def test_a_secret_in_any_other_line_of_a_script_is_refused(place: str, given: Any) -> None:
    with pytest.raises(ConfigError, match=f"{place} sets .*, which looks like a secret"):
        ClusterConfig(**{place: given})
    ClusterConfig(command="env HF_TOKEN=$HF_TOKEN nemo-sdg", additional_parameters={"export": "ALL,HF_HOME=/x"})


def test_a_server_may_take_its_key_from_a_variable() -> None:
    line = 'VLLM_API_KEY="$K" vllm serve M --api-key $K --max-num-batched-tokens 8192 --tokenizer x'
    assert ClusterConfig(generation=GenerationSection(serve=[line])).generation.serve == [line]


SRUN = """#!/bin/bash
# Slurm's srun as far as a batch script asks it: each task of the step is a process that knows its place
per_node=1; output=/dev/stdout
while [[ $1 == --* ]]; do
  echo "$1" >> "$0.options"
  case $1 in --ntasks=*) tasks=${1#*=};; --ntasks-per-node=*) per_node=${1#*=};; --output=*) output=${1#*=};; esac
  shift
done
trap 'kill $(jobs -p)' TERM
for ((task = 0; task < tasks; task++)); do
  SLURM_NODEID=$((task / per_node)) SLURM_PROCID=$task "$@" >> "$output" 2>&1 &
done
wait; code=$?; wait; exit $code
"""


def spread_script(tmp_path: Path, size: GenerationSection, worker: str) -> "subprocess.CompletedProcess[str]":
    """Runs what the batch script of a job with servers over several nodes says, with another worker."""
    srun = tmp_path / "srun"
    srun.write_text(SRUN)
    srun.chmod(0o755)
    (tmp_path / "slurm").mkdir()
    cluster = ClusterConfig(generation=size, workdir=str(tmp_path))
    job = next(job for job in plan_jobs(tmp_path, cluster) if job.name == "answers")
    first = setup_lines(cluster, is_array=True, time_limits=job.time_limits)
    script = [*first, *job.servers, f"srun {shlex.join(job.srun_args)} {worker}", "exit $?"]
    return subprocess.run(
        ["bash", "-c", "\n".join(["head_node=$HOSTNAME TORCHX_MAX_RETRIES=3", *script])],
        env={"SLURM_ARRAY_TASK_ID": "0", "SLURM_JOB_ID": "7", "PATH": f"{tmp_path}:/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("mpi", "places"), [(False, [("0", "0"), ("1", "1")]), (True, [("0", "0"), ("0", "1")])])
def test_a_server_over_two_nodes_is_a_step_of_its_own_beside_a_worker_on_the_first(
    tmp_path: Path, mpi: bool, places: list[tuple[str, str]]
) -> None:
    launcher = tmp_path / "trtllm-llmapi-launch"
    launcher.write_text('#!/bin/bash\nLAUNCHED=yes exec "$@"\n')
    launcher.chmod(0o755)
    line = (
        "bash -c 'touch up.$SLURM_NODEID.$SLURM_PROCID.$SERVE_HEAD.$LAUNCHED; until [ -f done ]; do sleep 0.05; done'"
    )
    size = GenerationSection(workers=1, nodes=2, gpus_per_node=2, cpus_per_task=8, mpi=mpi, serve=[line])
    wait = shlex.quote(
        f"until [ $(ls | grep -c ^up) = {4 if mpi else 2} ]; do sleep 0.05; done; echo worked; touch done"
    )
    done = spread_script(tmp_path, size, f"bash -c {wait}")
    assert done.returncode == 0, done.stderr
    assert "worked" in done.stdout.splitlines()
    found = sorted(path.name.split(".") for path in tmp_path.glob("up.*"))
    assert [(node, task) for _, node, task, *_ in found][:2] == places
    assert {each[3] for each in found} == {socket.gethostname().split(".")[0]}
    assert {each[-1] for each in found} == ({"yes"} if mpi else {""})
    options = (tmp_path / "srun.options").read_text().split()
    assert options.count("--overlap") == 2  # the server's step and the worker's share the nodes
    assert {"--nodes=2", f"--ntasks={4 if mpi else 2}", "--nodes=1", "--relative=0"} <= set(options)
    assert f"--cpus-per-task={4 if mpi else 8}" in options
    assert ("--mpi=pmix" in options) == mpi


def test_a_server_that_ends_stops_its_worker(tmp_path: Path) -> None:
    size = GenerationSection(workers=1, nodes=2, serve=["sleep 0.3; echo out of memory; exit 1"])
    done = spread_script(tmp_path, size, "sleep 30")
    assert done.returncode == 143
    assert "the server beside this worker ended" in done.stdout
    assert (tmp_path / "slurm" / "serve-answers-0-0.log").read_text() == "out of memory\n" * 2
