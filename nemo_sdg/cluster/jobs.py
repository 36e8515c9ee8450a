"""All steps of a run as Slurm jobs, chained by dependencies.

    seeds (catalog and seeds) > questions (array) > answers (array) > verified > curated > packed > blend

Each job runs `nemo-sdg run RUN/slurm/config.yaml` for its step, so a requeued job continues after the last finished
file.
"""

import re
import shlex
from pathlib import Path

from nemo_sdg.cluster.sites import ARRAY_STEPS, SINGLE_STEPS, ClusterConfig, GenerationSection
from nemo_sdg.cluster.slurm import Job, scripts, submit, workdir_of

ARRAY_INDEX = "$SLURM_ARRAY_TASK_ID"
FOLDER = "slurm"


def plan_jobs(
    run_dir: Path, cluster: ClusterConfig, *, redo: bool = False, steps: list[str] | None = None
) -> list[Job]:
    """The jobs in the order in which they depend on each other. `redo` lets them overwrite steps that a change affects.
    `steps` are those that the configuration runs; default: those of a run without judge and student.
    """
    jobs: list[Job] = []
    for step in steps or [SINGLE_STEPS[0], "questions", "answers", *SINGLE_STEPS[1:]]:
        if step == "catalog":
            continue  # it runs in the first job
        part = "--until seeds" if step == "seeds" else f"--only {step}"
        job = (
            generation_job(step, run_dir, cluster) if step in ARRAY_STEPS else single_job(step, part, run_dir, cluster)
        )
        job.command += " --redo" if redo else ""
        job.after = [jobs[-1].name] if jobs else []
        jobs.append(job)
    return jobs


def single_job(step: str, part: str, run_dir: Path, cluster: ClusterConfig) -> Job:
    """The job of a step that is not an array. On several nodes srun starts the command on each node, with `--nodes`."""
    size = cluster.steps.get(step, cluster.cpu)
    nodes = " --nodes" if size.nodes > 1 else ""
    return Job(
        name=step, command=run_command(run_dir, cluster, f"{part}{nodes}"), size=size, image=cluster.container_image
    )


def generation_job(step: str, run_dir: Path, cluster: ClusterConfig) -> Job:
    """An array of workers, each with the engines of the step's roles. `mpi` spreads one engine over the GPUs of several
    nodes with TensorRT-LLM's launcher; `serve` starts servers beside the worker.
    """
    size = cluster.generation_steps.get(step, cluster.generation)
    log = shlex.quote(str(run_dir / FOLDER / f"serve-{step}"))
    image = cluster.generation_image or cluster.container_image
    logs = [f"{log}-{ARRAY_INDEX}-{number}.log" for number in range(len(size.serve))]
    spread = [server_lines(line, log, size, image, cluster) for line, log in zip(size.serve, logs, strict=True)]
    command = run_command(run_dir, cluster, f"--only {step} --worker {ARRAY_INDEX}/{size.workers}")
    by_mpi = size.mpi and not size.serve
    return Job(
        name=step,
        command=f"trtllm-llmapi-launch {command}" if by_mpi else command,
        beside={} if size.spread else dict(zip(logs, size.serve, strict=True)),
        servers=[HEAD, *spread] if size.spread else [],
        alone=any(OWN_PORT.search(line) is None for line in size.serve),
        size=size,
        image=image,
        workers=size.workers,
        tasks_per_node=size.gpus_per_node or 1 if by_mpi else 1,
        srun_args=FIRST_NODE if size.spread else ["--mpi=pmix"] if by_mpi else [],
        time_limits=str(run_dir / FOLDER / "time_limits"),
    )


OWN_PORT = re.compile(r"-(?:-port|p)[= ]\S*\$")
"""finds the port that a variable gives a server: another one on the same node may have another"""
HEAD = 'export SERVE_HEAD="$head_node"'
"""the name of the job's first node, which NeMo-Run's script knows"""
FIRST_NODE = ["--overlap", "--nodes=1", "--ntasks=1", "--relative=0"]
"""options of srun for the worker beside a server over several nodes"""


def server_lines(line: str, log: str, size: GenerationSection, image: str | None, cluster: ClusterConfig) -> str:
    """A line of the batch script that starts one server as a job step of its own, over all nodes of the job.

    Slurm ends it with the job. When it ends before the worker does, the worker would wait for it in vain until
    engine.give_up_after: it is stopped, so that the job is requeued and both start again.
    """
    tasks = size.gpus_per_node or 1 if size.mpi else 1
    launcher = "trtllm-llmapi-launch " if size.mpi else ""
    image = size.serve_image or image
    options = [
        "--overlap",
        f"--nodes={size.nodes}",
        f"--ntasks={size.nodes * tasks}",
        f"--ntasks-per-node={tasks}",
        # the job's own number would count for each task, or one core alone, by Slurm's version
        *([f"--cpus-per-task={max(1, size.cpus_per_task // tasks)}"] if size.cpus_per_task else []),
        "--cpu-bind=none",
        "--kill-on-bad-exit=1",
        *(["--mpi=pmix"] if size.mpi else []),
        "--open-mode=append",
        f"--output={log}",
        *(["--container-image", image] if image else []),
        *(["--container-mounts", ",".join(cluster.container_mounts)] if image and cluster.container_mounts else []),
        *(["--container-env", ",".join(cluster.container_env)] if image and cluster.container_env else []),
    ]
    inner = f"trap '' USR1; cd {shlex.quote(str(workdir_of(cluster)))} && {launcher}{line}"
    return (
        f"( command srun {' '.join(options)} bash -c {shlex.quote(inner)}; "
        f'echo "nemo-sdg: the server beside this worker ended with code $?; its log: {log}"; '
        "pkill -TERM -x -P $$ srun ) < /dev/null &"
    )


def run_command(run_dir: Path, cluster: ClusterConfig, arguments: str) -> str:
    return f"{cluster.command} run {shlex.quote(str(run_dir / FOLDER / 'config.yaml'))} {arguments}"


def launch(
    config_text: str,
    run_dir: Path,
    cluster: ClusterConfig,
    *,
    dry_run: bool,
    redo: bool = False,
    steps: list[str] | None = None,
) -> dict[str, str]:
    """Submits the jobs and returns {job name: Slurm job id}, or with `dry_run` {job name: script}.

    `config_text` is the whole configuration as YAML. The jobs read it from RUN/slurm/config.yaml, so a later edit of
    the user's file does not change a run that was launched. Raises SdgError when Slurm is not installed or refuses a
    job; then no job and no file is left.
    """
    workdir, run_dir = workdir_of(cluster), run_dir.resolve()
    jobs = plan_jobs(run_dir, cluster, redo=redo, steps=steps)
    if dry_run:
        return scripts(run_dir / FOLDER, jobs, workdir, cluster)
    return submit(run_dir / FOLDER, jobs, workdir, cluster, files={"config.yaml": config_text.encode()})
