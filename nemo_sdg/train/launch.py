"""All steps as Slurm jobs, chained by dependencies, through NeMo-Run.

    seeds (catalog and seeds) > questions (array) > answers (array) > verified > curated > packed > blend

Each job runs `nemo-sdg run RUN/slurm/config.yaml` for its step, so that a job that is requeued goes on where its files end.
The scripts are NeMo-Run's; `--dry-run` shows them as they would be submitted.
"""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nemo_sdg.errors import ConfigError, DataError, SdgError
from nemo_sdg.store import write_bytes, write_json
from nemo_sdg.train.cluster import ClusterConfig, JobSection

ARRAY_INDEX = "$SLURM_ARRAY_TASK_ID"


@dataclass(kw_only=True)
class StepJob:
    """One Slurm job: some steps of the pipeline."""

    name: str
    arguments: str
    """of `nemo-sdg run CONFIG`"""
    size: JobSection
    workers: int = 0
    """tasks of an array; 0 = no array"""


def plan_jobs(cluster: ClusterConfig) -> list[StepJob]:
    """The jobs in the order in which they depend on each other."""
    workers = cluster.generation.workers
    array = [
        StepJob(name=step, arguments=f"--only {step} --worker {ARRAY_INDEX}/{workers}", size=cluster.generation, workers=workers)
        for step in ("questions", "answers")
    ]
    single = [StepJob(name=step, arguments=f"--only {step}", size=cluster.cpu) for step in ("verified", "curated", "packed", "blend")]
    return [StepJob(name="seeds", arguments="--until seeds", size=cluster.cpu), *array, *single]


def launch(config_text: str, run_dir: Path, cluster: ClusterConfig, *, dry_run: bool) -> dict[str, Any]:
    """Submits the jobs, or with `dry_run` returns their scripts.

    `config_text` is the whole configuration as YAML; the jobs read it from RUN/slurm/config.yaml, so that a later edit of the
    user's file does not reach a run under way. Returns {job name: script} or {job name: Slurm job id}.
    Raises SdgError when Slurm is not there or refuses a job; nothing is submitted twice.
    """
    workdir = Path(cluster.workdir or Path.cwd()).resolve()
    run_dir = run_dir.resolve()
    if dry_run:
        with tempfile.TemporaryDirectory(prefix="nemo_sdg_launch") as home:
            return scripts(Path(home), run_dir, workdir, cluster)
    if shutil.which("sbatch") is None:
        raise SdgError("sbatch is not installed here: call launch on a login node of the cluster, or look at the scripts with --dry-run")
    check_partitions(cluster)
    write_bytes(run_dir / "slurm" / "config.yaml", config_text.encode())
    jobs = submit(run_dir / "slurm" / "nemo_run", run_dir, workdir, cluster)
    write_json(run_dir / "slurm" / "jobs.json", jobs)
    return jobs


def check_partitions(cluster: ClusterConfig) -> None:
    """Raises ConfigError for a partition that the cluster does not have."""
    listed = subprocess.run(["sinfo", "--noheader", "--format=%R"], capture_output=True, text=True, check=False)
    if listed.returncode:
        raise SdgError(f"Slurm does not answer: {listed.stderr.strip().splitlines()[-1] if listed.stderr.strip() else 'sinfo failed'}")
    known = set(listed.stdout.split())
    for partition in {cluster.partition, cluster.cpu.partition, cluster.generation.partition} - {None}:
        if partition not in known:
            raise ConfigError(f"partition {partition!r} does not exist on this cluster; it has {', '.join(sorted(known))}")


@contextlib.contextmanager
def no_terminal() -> Iterator[None]:
    """NeMo-Run prints banners and its shell library reads standard input: neither has a business here."""
    before = sys.stdin
    with open(os.devnull) as nothing, open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        sys.stdin = nothing
        try:
            yield
        finally:
            sys.stdin = before


@contextlib.contextmanager
def experiment(home: Path, run_dir: Path, workdir: Path, cluster: ClusterConfig) -> Iterator[Any]:
    """A NeMo-Run experiment that holds all jobs. NeMo-Run takes its home from the environment when it is first imported."""
    os.environ["NEMORUN_HOME"] = str(home)
    import logging

    import nemo_run as run
    from nemo_run.config import set_nemorun_home

    set_nemorun_home(str(home))
    logging.getLogger("torchx").setLevel(logging.ERROR)
    with no_terminal(), run.Experiment("nemo_sdg", log_level="ERROR") as exp:
        before: list[str] = []
        for job in plan_jobs(cluster):
            name = exp.add(
                run.Script(inline=job_script(job, run_dir, workdir, cluster)), executor=executor(job, cluster), name=job.name, dependencies=list(before)
            )
            before = [name]
        yield exp


def executor(job: StepJob, cluster: ClusterConfig) -> Any:
    """NeMo-Run's description of the job. Each has an object of its own: a shared one would hand its array to the next job."""
    import nemo_run as run

    image = cluster.generation_image or cluster.container_image if job.workers else cluster.container_image
    built = run.SlurmExecutor(
        account=cluster.account,
        partition=job.size.partition or cluster.partition,
        nodes=job.size.nodes,
        ntasks_per_node=1 if not (job.workers and cluster.generation.mpi) else job.size.gpus_per_node or 1,
        cpus_per_task=job.size.cpus_per_task,
        gpus_per_node=job.size.gpus_per_node,
        mem=job.size.mem,
        time=job.size.time,
        container_image=image,
        container_mounts=list(cluster.container_mounts),
        container_env=list(cluster.container_env) or None,
        env_vars={"NEMO_CURATOR_SLURM_ARRAY_ENABLED": "0", **cluster.env},
        packager=run.Packager(),
        job_name_prefix="nemo_sdg-",
        setup_lines="\n".join(cluster.setup) or None,
        retries=cluster.retries,
        additional_parameters={"signal": f"USR1@{cluster.warn_seconds}", "open_mode": "append", **cluster.additional_parameters},
        poll_estimated_start_time=False,
    )
    if job.workers:
        built.array = f"0-{job.workers - 1}"
    if job.workers and cluster.generation.mpi:
        built.srun_args = ["--mpi=pmix"]
    return built


def job_script(job: StepJob, run_dir: Path, workdir: Path, cluster: ClusterConfig) -> str:
    """What the job runs. `exec`, so that Slurm's signals reach the program and not a shell around it."""
    launcher = "trtllm-llmapi-launch " if job.workers and cluster.generation.mpi else ""
    config = run_dir / "slurm" / "config.yaml"
    return f"cd {shlex.quote(str(workdir))}\nexec {launcher}{cluster.command} run {shlex.quote(str(config))} {job.arguments}\n"


def scripts(home: Path, run_dir: Path, workdir: Path, cluster: ClusterConfig) -> dict[str, str]:
    """Job name -> script, unwrapped, as NeMo-Run would hand it to sbatch; what a job waits for stands in a comment."""
    with experiment(home, run_dir, workdir, cluster) as exp:
        exp.dryrun(log=False, exist_ok=True, delete_exp_dir=False)
        found = {}
        before = None
        for job in plan_jobs(cluster):
            (path,) = Path(exp._exp_dir).glob(f"*{job.name}_sbatch.sh")
            lines = "".join(f"#   {line}\n" for line in job_script(job, run_dir, workdir, cluster).splitlines())
            found[job.name] = f"{path.read_text().rstrip()}\n\n# {job.name}.sh, after {before or 'nothing'}:\n{lines}"
            before = job.name
    return found


def submit(home: Path, run_dir: Path, workdir: Path, cluster: ClusterConfig) -> dict[str, str]:
    """Submits all jobs and returns their Slurm ids."""
    with experiment(home, run_dir, workdir, cluster) as exp:
        try:
            exp.run(detach=True)
        except Exception as exc:
            raise SdgError(f"Slurm refused a job: {' '.join(str(exc).split())[-300:]}") from exc
        return {job.id: str(job.handle).rsplit("/", 1)[-1] for job in exp.jobs}


def job_states(job_ids: dict[str, str]) -> dict[str, str]:
    """Job name -> what squeue says of it, such as `RUNNING 3, PENDING 1`; `ended` where it is no longer known."""
    found = {}
    for name, job_id in job_ids.items():
        listed = subprocess.run(["squeue", "--noheader", "--array", f"--jobs={job_id}", "--format=%T"], capture_output=True, text=True, check=False)
        states = listed.stdout.split()
        counted = {state: states.count(state) for state in sorted(set(states))}
        found[name] = ", ".join(f"{state} {num}" for state, num in counted.items()) or "ended"
    return found


def slurm_jobs(run_dir: Path) -> dict[str, str]:
    """Job ids of a launched run. Raises DataError where it was not launched."""
    from nemo_sdg.store import read_json

    path = run_dir / "slurm" / "jobs.json"
    if not path.is_file():
        raise DataError(f"{run_dir} was not launched on Slurm: it has no slurm/jobs.json")
    jobs: dict[str, str] = read_json(path)
    return jobs


def normalised(script: str, run_dir: Path, workdir: Path) -> str:
    """A script without what differs between two launches: NeMo-Run's timestamps and the folders."""
    text = re.sub(r"nemo_sdg_\d{10,}", "nemo_sdg_ID", script)
    text = re.sub(r"/[^\s,:]*/experiments/nemo_sdg", "HOME/experiments/nemo_sdg", text)
    return text.replace(str(run_dir.resolve()), "RUN").replace(str(workdir), "WORKDIR")
