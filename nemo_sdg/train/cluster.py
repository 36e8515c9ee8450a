"""What a cluster file says: accounts, partitions, containers and sizes. Site values stand in an untracked file, never in the package."""

from dataclasses import dataclass, field
from pathlib import Path

from nemo_sdg.errors import ConfigError


@dataclass(kw_only=True)
class JobSection:
    """Size of one job."""

    partition: str | None = None
    """null = the cluster file's"""
    nodes: int = 1
    cpus_per_task: int | None = None
    mem: str | None = None
    """as sbatch takes it, such as 64G"""
    gpus_per_node: int | None = None
    time: str = "04:00:00"

    def __post_init__(self) -> None:
        if self.nodes < 1:
            raise ConfigError(f"nodes must be >= 1, got {self.nodes}")


@dataclass(kw_only=True)
class GenerationSection(JobSection):
    """Size of one generation worker: one engine each."""

    workers: int = 4
    """tasks of the array; shards are taken by index"""
    mpi: bool = False
    """start the worker by trtllm-llmapi-launch: an engine over several nodes"""

    def __post_init__(self) -> None:
        JobSection.__post_init__(self)
        if self.workers < 1:
            raise ConfigError(f"generation.workers must be >= 1, got {self.workers}")


@dataclass(kw_only=True)
class ClusterConfig:
    account: str = "default"
    partition: str | None = None
    workdir: str | None = None
    """folder that jobs start in, on the shared file system; null = where launch is called"""
    command: str = "nemo-sdg"
    """the command inside the job: a path, or a name that `setup` puts on PATH"""
    container_image: str | None = None
    generation_image: str | None = None
    """null = container_image"""
    container_mounts: list[str] = field(default_factory=list)
    setup: list[str] = field(default_factory=list)
    """shell lines before the command, such as `module load cuda`"""
    env: dict[str, str] = field(default_factory=dict)
    """environment of the jobs; NeMo-Run echoes it into logs: no secrets here"""
    container_env: list[str] = field(default_factory=list)
    """names of variables that a container takes from the job's environment, for secrets such as NEMO_SDG_API_KEY"""
    retries: int = 3
    """how often a job that ends in an error, or is drained at its time limit, is requeued"""
    warn_seconds: int = 120
    """SIGUSR1 so long before the time limit: the worker drains, exits and is requeued"""
    cpu: JobSection = field(default_factory=JobSection)
    generation: GenerationSection = field(default_factory=GenerationSection)
    additional_parameters: dict[str, str] = field(default_factory=dict)
    """further #SBATCH flags of every job"""


def load_cluster(path: str | Path) -> ClusterConfig:
    """Reads a cluster file. Raises ConfigError in one line."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    if not Path(path).is_file():
        raise ConfigError(f"no cluster file at {path}; copy one of configs/cluster/*.example.yaml")
    try:
        cluster = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(ClusterConfig), OmegaConf.load(path)))
    except (OmegaConfBaseException, YAMLError, TypeError) as exc:
        raise ConfigError(f"{' '.join(str(exc).split())} ({path})") from exc
    assert isinstance(cluster, ClusterConfig)
    for name in cluster.env:
        if any(word in name.upper() for word in ("KEY", "TOKEN", "SECRET", "PASSWORD")):
            raise ConfigError(f"env.{name} looks like a secret, and NeMo-Run writes env into scripts and logs: export it where you call launch ({path})")
    return cluster
