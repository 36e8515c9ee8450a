"""Writes, shows and submits Slurm jobs through NeMo-Run, which makes the scripts."""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nemo_sdg.cluster.queue import JOBS, job_states, reason, refuse_impossible, slurm_jobs
from nemo_sdg.cluster.servers import beside
from nemo_sdg.cluster.setup import VARIABLE, setup_lines
from nemo_sdg.cluster.sites import ClusterConfig, JobSection
from nemo_sdg.errors import ConfigError, MissingDependencyError, SdgError
from nemo_sdg.storage import holder, locked, write_bytes, write_json

HOME, LOCK = "home", ".launch"
"""folder of NeMo-Run's files, and file of the lock, in the launch's folder"""
RESERVED = "/nemo_run"
"""NeMo-Run replaces this text in scripts, even inside a path"""


@dataclass(kw_only=True)
class Job:
    """One Slurm job, or an array of them."""

    name: str
    command: str
    """one shell line; without `beside` it is run by `exec`, so that Slurm's signals reach the program itself"""
    before: list[str] = field(default_factory=list)
    """shell lines that run before `command`; the job ends if one of them fails"""
    servers: list[str] = field(default_factory=list)
    """lines of the batch script that start servers as job steps of their own"""
    beside: dict[str, str] = field(default_factory=dict)
    """servers beside `command` on its node: log, as a word of the shell > shell line"""
    alone: bool = False
    """whether the job's nodes take no other job"""
    torchrun: bool = False
    """`command` is a Python script with arguments, which NeMo-Run's torchrun starts on every GPU"""
    size: JobSection
    image: str | None = None
    after: list[str] = field(default_factory=list)
    """names of the jobs that must succeed first"""
    workers: int = 0
    """number of tasks of the array; 0 = the job is not an array"""
    tasks_per_node: int = 1
    srun_args: list[str] = field(default_factory=list)
    time_limits: str | None = None
    """folder in which a generation worker notes Slurm's warning of its time limit: such an end does not use a retry"""


def workdir_of(cluster: ClusterConfig) -> Path:
    """The folder in which jobs start. Raises ConfigError for a relative path, which may differ between machines."""
    if cluster.workdir is not None and not Path(cluster.workdir).is_absolute():
        raise ConfigError(f"workdir must be an absolute path on the shared file system, got {cluster.workdir}")
    return Path(cluster.workdir or Path.cwd())


def job_script(job: Job, workdir: Path) -> str:
    """The command that srun runs in each task of the job."""
    lines = [f"cd {shlex.quote(str(workdir))} || exit", *(["set -e", *job.before] if job.before else [])]
    lines.append(beside(job.command, job.beside) if job.beside else f"exec {job.command}")
    return "".join(f"{line}\n" for line in lines)


def executor(job: Job, cluster: ClusterConfig) -> Any:
    """NeMo-Run's executor for one job. Each job has its own: a shared one would pass its array to the next job."""
    import nemo_run as run

    built = run.SlurmExecutor(
        account=cluster.account,
        partition=job.size.partition or cluster.partition,
        nodes=job.size.nodes,
        ntasks_per_node=job.tasks_per_node,
        cpus_per_task=job.size.cpus_per_task,
        gpus_per_node=job.size.gpus_per_node,
        mem=job.size.mem,
        time=job.size.time,
        container_image=job.image,
        container_mounts=list(cluster.container_mounts),
        container_env=list(cluster.container_env) or None,
        env_vars={"NEMO_CURATOR_SLURM_ARRAY_ENABLED": "0", "NEMO_SDG_WARN_SECONDS": str(cluster.warn_seconds)},
        packager=run.Packager(),
        job_name_prefix="nemo_sdg-",
        setup_lines="\n".join(
            [*setup_lines(cluster, is_array=bool(job.workers), time_limits=job.time_limits), *job.servers]
        ),
        retries=cluster.retries,
        exclusive=job.alone or None,
        # A job leaves the queue when a job that it depends on has failed; otherwise it would wait for ever.
        additional_parameters={
            "signal": f"USR1@{cluster.warn_seconds}",
            "open_mode": "append",
            "kill_on_invalid_dep": "yes",
            **cluster.additional_parameters,
        },
        poll_estimated_start_time=False,
    )
    if job.torchrun:
        built.launcher, built.torchrun_nproc_per_node = "torchrun", job.size.gpus_per_node
    if job.workers:
        built.array = f"0-{job.workers - 1}"
    if job.srun_args:
        built.srun_args = list(job.srun_args)
    return built


@contextlib.contextmanager
def no_terminal() -> Iterator[None]:
    """Hides the banners of NeMo-Run, and keeps its shell library from reading standard input."""
    before = sys.stdin
    with open(os.devnull) as nothing, open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        sys.stdin = nothing
        try:
            yield
        finally:
            sys.stdin = before


@contextlib.contextmanager
def experiment(home: Path, jobs: list[Job], workdir: Path, cluster: ClusterConfig) -> Iterator[Any]:
    """A NeMo-Run experiment that holds all jobs. NeMo-Run reads its home folder from the environment when it is first
    imported, and stores it in two places.
    """
    os.environ["NEMORUN_HOME"] = str(home)
    import logging
    import warnings

    warnings.filterwarnings(
        "ignore", category=FutureWarning
    )  # torch finds GPUs with a package that warns that it is deprecated
    try:
        import nemo_run as run
        from nemo_run.config import set_nemorun_home
        from nemo_run.run.torchx_backend.schedulers import slurm as scheduler
    except ImportError as exc:
        raise MissingDependencyError(
            f"launching on Slurm needs nemo-run ({exc}): pip install 'nemo-sdg[nemo]'"
        ) from exc
    set_nemorun_home(str(home))
    scheduler.SLURM_JOB_DIRS = str(home / ".slurm_jobs")
    logging.getLogger("torchx").setLevel(logging.ERROR)
    with no_terminal(), run.Experiment("nemo_sdg", log_level="ERROR") as exp:
        for job in jobs:
            if job.torchrun:
                path, *arguments = shlex.split(job.command)
                script = run.Script(path=path, args=arguments, entrypoint="python")
            else:
                script = run.Script(inline=job_script(job, workdir))
            exp.add(script, executor=executor(job, cluster), name=job.name, dependencies=list(job.after))
        yield exp


def scripts(folder: Path, jobs: list[Job], workdir: Path, cluster: ClusterConfig) -> dict[str, str]:
    """Job name -> script as NeMo-Run would give it to sbatch for a launch in `folder`, with a comment that names the
    jobs it depends on. Leaves no files behind. Raises ConfigError for what NeMo-Run cannot write into a script.
    """
    refuse_paths(folder, jobs, cluster)
    with (
        tempfile.TemporaryDirectory(prefix="nemo_sdg_launch") as home,
        experiment(Path(home), jobs, workdir, cluster) as exp,
    ):
        exp.dryrun(log=False, exist_ok=True, delete_exp_dir=False)
        found = {}
        for job in jobs:
            (path,) = Path(exp._exp_dir).glob(f"*{job.name}_sbatch.sh")
            inner = job.command if job.torchrun else job_script(job, workdir)
            lines = "".join(f"#   {line}\n" for line in inner.splitlines())
            script = path.read_text().replace(home, str(folder / HOME)).rstrip()
            found[job.name] = f"{script}\n\n# {job.name}, after {', '.join(job.after) or 'nothing'}:\n{lines}"
        return found


def refuse_paths(folder: Path, jobs: list[Job], cluster: ClusterConfig) -> None:
    """Raises ConfigError for paths and images that NeMo-Run would write wrongly: it does not quote them for srun."""
    written = {"run.dir": str(folder), **{f"image of {job.name}": job.image for job in jobs if job.image}}
    sizes = (cluster.generation, *cluster.generation_steps.values())
    images = [("serve_image", size.serve_image) for size in sizes if size.serve_image]
    mounts = [("container_mounts", mount) for mount in cluster.container_mounts]
    for name, text in [*written.items(), *images, *mounts]:
        if re.search(rf"[\s\"'\\`;&|<>()]|\$(?!{VARIABLE})", text):
            raise ConfigError(
                f"{name} is {text!r}: NeMo-Run writes it into scripts without quotes; "
                "use a path without blanks and characters of the shell"
            )
    if RESERVED in str(folder):
        raise ConfigError(f"{folder} holds {RESERVED!r}, which NeMo-Run replaces in scripts; choose another run.dir")


def not_mounted(run_dir: Path, cluster: ClusterConfig) -> list[str]:
    """The folders that jobs in containers use and `container_mounts` does not name. The site may still mount them, as
    many do with home folders.
    """
    if not (cluster.container_image or cluster.generation_image):
        return []
    seen = [Path(mount.split(":")[1] if ":" in mount else mount) for mount in cluster.container_mounts]
    paths = dict.fromkeys((run_dir.resolve(), workdir_of(cluster)))
    return [str(path) for path in paths if not any(path.is_relative_to(place) for place in seen)]


def submit(
    folder: Path, jobs: list[Job], workdir: Path, cluster: ClusterConfig, *, files: dict[str, bytes]
) -> dict[str, str]:
    """Writes `files` into the folder, submits all jobs and returns {name: Slurm id}; the ids are also written to
    FOLDER/jobs.json.

    Raises SdgError when Slurm is not installed, refuses a job, or still has jobs of an earlier launch. If a job is
    refused, the jobs submitted before it are cancelled and the files of this launch are removed.
    """
    refuse_paths(folder, jobs, cluster)
    ids: dict[str, str] = {}
    with alone(folder) as is_new:
        try:
            check_slurm(folder, jobs, cluster)
            refuse_impossible(scripts(folder, jobs, workdir, cluster))
            for name, data in files.items():
                write_bytes(folder / name, data)
            with experiment(folder / HOME, jobs, workdir, cluster) as exp:
                try:
                    exp.run(detach=True)
                finally:
                    ids = {job.id: str(job.handle).rsplit("/", 1)[-1] for job in exp.jobs if job.handle}
            write_json(folder / JOBS, ids)
        except BaseException as exc:  # also Ctrl-C: nobody would know of these jobs
            if ids:
                subprocess.run(["scancel", *ids.values()], capture_output=True, check=False)
            if is_new:
                shutil.rmtree(folder, ignore_errors=True)
            if isinstance(exc, SdgError) or not isinstance(exc, Exception) or getattr(exc, "filename", None):
                raise
            raise SdgError(f"Slurm refused a job, nothing is left in the queue: {reason(str(exc))}") from exc
    return ids


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Makes the folder and keeps other launches away from it; yields whether it holds nothing yet. It is removed if it
    is empty then. Raises SdgError while another launch submits its jobs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locked(folder / LOCK))
            except BlockingIOError:
                raise SdgError(
                    f"another launch of {folder.parent} is submitting its jobs ({holder(folder / LOCK)}): wait for it, "
                    f"and see its jobs with nemo-sdg launch --status {folder.parent}"
                ) from None
            yield {path.name for path in folder.iterdir()} == {LOCK}
    finally:  # NFS keeps a file that is open in its folder
        for left in (folder, folder.parent):
            with contextlib.suppress(OSError):
                left.rmdir()


def check_slurm(folder: Path, jobs: list[Job], cluster: ClusterConfig) -> None:
    """Raises SdgError or ConfigError, before any file is written, when the jobs cannot be submitted."""
    if shutil.which("sbatch") is None:
        raise SdgError(
            "sbatch is not installed here: call launch on a login node of the cluster, "
            "or see the scripts with --dry-run"
        )
    listed = subprocess.run(["sinfo", "--noheader", "--format=%R"], capture_output=True, text=True, check=False)
    if listed.returncode:
        raise SdgError(f"Slurm does not answer: {(listed.stderr.strip().splitlines() or ['sinfo failed'])[-1]}")
    known = set(listed.stdout.split())
    for partition in sorted({job.size.partition or cluster.partition or "" for job in jobs} - {""}):
        if partition not in known:
            raise ConfigError(
                f"partition {partition!r} does not exist on this cluster; it has {', '.join(sorted(known))}"
            )
    if (folder / JOBS).is_file():
        queued = {name: job for name, job in (job_states(slurm_jobs(folder)) or {}).items() if job.is_open}
        if queued:
            states = ", ".join(f"{name} {job}" for name, job in queued.items())
            raise SdgError(
                f"{folder.parent} is launched already ({states}): wait for it, or cancel it"
                f" with scancel {' '.join(slurm_jobs(folder)[name] for name in queued)}"
            )
