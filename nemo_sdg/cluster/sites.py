"""The cluster file: accounts, partitions, containers and sizes of jobs. A site's values belong in an untracked file,
never in the package.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from nemo_sdg.config import read_config
from nemo_sdg.errors import ConfigError

SINGLE_STEPS = ["seeds", "verified", "curated", "packed", "blend"]
"""jobs that are not arrays"""
ARRAY_STEPS = ["questions", "screened", "answers", "graded"]
"""the generation steps: arrays of workers, each with the engines of its step's roles"""
SPREAD_STEPS = ["seeds", "verified", "curated", "packed"]
"""single steps that can use several nodes, with Ray and Dask"""
SECRET_WORDS = {"KEY", "APIKEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIALS"}
ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")
LIMIT = re.compile(r"(?:(?P<days>\d+)-)?(?P<rest>\d+(?::\d+){0,2})")
WRITTEN_OUT = (
    re.compile(r"""(?<![\w-])([A-Za-z_]\w*)=["']?(?=[^\s"'$])"""),
    re.compile(r"""--[\w-]*?(\w+)[=\s]\s*["']?(?=[^\s"'$-])"""),
)
"""find names of variables and options to which a shell line assigns a literal value, not another variable's"""


@dataclass(kw_only=True)
class JobSection:
    """Size of one job."""

    partition: str | None = None
    """partition of the job; null = the cluster file's"""
    nodes: int = 1
    """number of nodes"""
    cpus_per_task: int | None = None
    """CPU cores of each task; null = the cluster's default"""
    mem: str | None = None
    """memory of the job in sbatch's form, such as 64G; null = the cluster's default"""
    gpus_per_node: int | None = None
    """GPUs of each node; null = none are requested"""
    time: str = "04:00:00"
    """time limit, hours:minutes:seconds; longer than warn_seconds"""

    def __post_init__(self) -> None:
        if self.nodes < 1:
            raise ConfigError(f"nodes must be >= 1, got {self.nodes}")


@dataclass(kw_only=True)
class GenerationSection(JobSection):
    """Size of a generation worker. Each worker has its own engines."""

    workers: int = 4
    """number of workers: tasks of the Slurm array, which take shards by their index"""
    mpi: bool = False
    """whether to start the worker by trtllm-llmapi-launch, for a trtllm engine over several nodes; with `serve` and
    several nodes, the servers in its place
    """
    serve: list[str] = field(default_factory=list)
    """shell lines, each a server that runs beside the worker until the worker ends, such as
    `vllm serve MODEL --port 8000`; the configuration names it in engine.base_urls=[http://localhost:8000/v1]. With
    `nodes` > 1 a line runs on each of the worker's nodes, or with `mpi` on each of their GPUs: it knows its place by
    $SLURM_NODEID and $SLURM_NNODES, and the worker's node by $SERVE_HEAD
    """
    serve_image: str | None = None
    """container image of servers over several nodes; null = the worker's"""

    def __post_init__(self) -> None:
        JobSection.__post_init__(self)
        if self.workers < 1:
            raise ConfigError(f"generation.workers must be >= 1, got {self.workers}")
        if self.mpi and self.serve and self.nodes == 1:
            raise ConfigError(
                "generation.serve and generation.mpi exclude each other on one node: the servers hold the model; set "
                "generation.nodes for a server over several"
            )
        if self.nodes > 1 and not (self.mpi or self.serve):
            raise ConfigError(
                f"generation.nodes must be 1 without generation.mpi and generation.serve, got {self.nodes}: each node "
                "would start the same worker"
            )
        if self.serve_image is not None and not self.spread:
            raise ConfigError(
                "generation.serve_image is the image of servers over several nodes: set generation.serve and "
                "generation.nodes, or generation_image"
            )

    @property
    def spread(self) -> bool:
        """Whether the servers stand over several nodes, and the worker on the first of them."""
        return self.nodes > 1 and bool(self.serve)


@dataclass(kw_only=True)
class ClusterConfig:
    account: str = "default"
    """Slurm account of all jobs"""
    partition: str | None = None
    """Slurm partition of all jobs; null = the cluster's default"""
    workdir: str | None = None
    """folder in which jobs start, on the shared file system; null = the working directory of launch"""
    command: str = "nemo-sdg"
    """command to run inside the job: a path, or a name that `setup` puts on PATH"""
    container_image: str | None = None
    """container image of the jobs; null = no container"""
    generation_image: str | None = None
    """container image of the generation workers; null = container_image"""
    container_mounts: list[str] = field(default_factory=list)
    """folders that containers see, as SOURCE:TARGET"""
    setup: list[str] = field(default_factory=list)
    """shell lines before the command, such as `module load cuda`"""
    env: dict[str, str] = field(default_factory=dict)
    """environment of the jobs; `$NAME` in a value is a variable of the job. It stands in scripts and logs, so secrets
    are refused here
    """
    container_env: list[str] = field(default_factory=list)
    """names of variables that the container inherits from the job, for secrets such as NEMO_SDG_API_KEY"""
    retries: int = 3
    """how often a job that ends in an error is requeued"""
    warn_seconds: int = 120
    """seconds before the time limit at which Slurm sends SIGUSR1. A generation worker then finishes its requests, exits
    and is requeued, which uses no retry; any other job ends there and uses a retry
    """
    cpu: JobSection = field(default_factory=JobSection)
    steps: dict[str, JobSection] = field(default_factory=dict)
    """sizes of single steps in place of `cpu`; with nodes > 1 (seeds, verified, curated, packed) Ray and Dask run on
    all nodes of the job
    """
    generation: GenerationSection = field(default_factory=GenerationSection)
    generation_steps: dict[str, GenerationSection] = field(default_factory=dict)
    """sizes of single generation steps in place of `generation`: a step starts only the engines of its roles, and a
    judge or a student may need fewer GPUs than the solvers
    """
    training: JobSection = field(default_factory=JobSection)
    """size of the training of one ablation arm, which runs one process per GPU"""
    evaluation: JobSection = field(default_factory=JobSection)
    training_image: str | None = None
    """container image of trainings and evaluations; null = container_image"""
    additional_parameters: dict[str, str] = field(default_factory=dict)
    """further #SBATCH options of every job"""

    def __post_init__(self) -> None:
        for step, size in self.steps.items():
            if step not in SINGLE_STEPS:
                raise ConfigError(
                    f"steps.{step} is not a single job: use {', '.join(SINGLE_STEPS)}; generation "
                    "has a section of that name"
                )
            if size.nodes > 1 and step not in SPREAD_STEPS:
                raise ConfigError(
                    f"steps.{step}.nodes must be 1, got {size.nodes}: only {', '.join(SPREAD_STEPS)} spread over nodes"
                )
        for step in self.generation_steps:
            if step not in ARRAY_STEPS:
                raise ConfigError(f"generation_steps.{step} is not a generation step: use {', '.join(ARRAY_STEPS)}")
        if self.cpu.nodes > 1:
            raise ConfigError(
                f"cpu.nodes must be 1, got {self.cpu.nodes}: set the number of nodes for single steps, "
                "such as steps.curated.nodes"
            )
        if self.retries < 0 or self.warn_seconds < 1:
            raise ConfigError(f"retries must be >= 0 and warn_seconds >= 1, got {self.retries} and {self.warn_seconds}")
        for place, size in self._sizes().items():
            seconds = seconds_of(size.time)
            if seconds is not None and seconds <= self.warn_seconds:
                raise ConfigError(
                    f"{place}.time must be longer than warn_seconds={self.warn_seconds}, got {size.time}: Slurm would "
                    "tell the job to end as it begins"
                )
        set_in_setup = [name for line in self.setup for name in ASSIGNMENT.findall(line)]
        served = [line for size in (self.generation, *self.generation_steps.values()) for line in size.serve]
        lines = {
            "setup": self.setup,
            "serve": served,
            "command": [self.command],
            "additional_parameters": [str(value) for value in self.additional_parameters.values()],
        }
        written = {
            place: [name for line in of_place for pattern in WRITTEN_OUT for name in pattern.findall(line)]
            for place, of_place in lines.items()
        }
        for place, names in {"env": list(self.env), **written, "setup": set_in_setup + written["setup"]}.items():
            for name in names:
                if SECRET_WORDS & set(name.upper().replace("-", "_").split("_")):
                    raise ConfigError(
                        f"{place} sets {name}, which looks like a secret, and scripts and logs would show "
                        "it: export it where you call launch"
                    )

    def _sizes(self) -> dict[str, JobSection]:
        """Every size of the file, by its name."""
        named = {"cpu": self.cpu, "generation": self.generation, "training": self.training}
        named["evaluation"] = self.evaluation
        named |= {f"steps.{step}": size for step, size in self.steps.items()}
        return named | {f"generation_steps.{step}": size for step, size in self.generation_steps.items()}


def seconds_of(time: str) -> int | None:
    """Seconds of a time limit in sbatch's forms: M, M:S, H:M:S, D-H, D-H:M, D-H:M:S; None for any other text."""
    match = LIMIT.fullmatch(time.strip())
    if match is None:
        return None
    numbers = [int(number) for number in match["rest"].split(":")]
    if match["days"] is not None:
        hours, minutes, seconds = (*numbers, 0, 0)[:3]
    elif len(numbers) == 3:
        hours, minutes, seconds = numbers
    else:
        hours, (minutes, seconds) = 0, (*numbers, 0)[:2]
    return ((int(match["days"] or 0) * 24 + hours) * 60 + minutes) * 60 + seconds


def load_cluster(path: str | Path) -> ClusterConfig:
    """Reads a cluster file. Raises ConfigError in one line."""
    if not Path(path).is_file():
        raise ConfigError(f"there is no cluster file at {path}; copy one of configs/cluster/*.example.yaml")
    return read_config(ClusterConfig, Path(path))
