"""How a run is carried out: folder, workers, executor, progress."""

import enum
from dataclasses import dataclass, field

from nemo_sdg.errors import require


class Executor(enum.Enum):
    local = "local"
    ray_data = "ray_data"
    xenna = "xenna"


class Verify(enum.Enum):
    full = "full"
    size = "size"


@dataclass(kw_only=True)
class RunSection:
    """Where and how a run is carried out; only `seed` and `shard_size` shape its bytes."""

    dir: str = "runs/default"
    seed: int = 0
    """root of all randomness: Random(f"{seed}:{record id}:{purpose}")"""
    executor: Executor = Executor.local
    workers: int = 2
    """processes for CPU work (dedup, packing, sandboxed checks)"""
    dask_address: str | None = None
    """Dask scheduler, or its scheduler file, for dedup and packing; null = processes on this machine"""
    shard_size: int = 2000
    """records in a seed shard; a lost worker costs at most the shards in its hands"""
    verify: Verify = Verify.full
    """how finished shards are recognised on a resume: full = by SHA-256, size = by length"""
    cache_dir: str | None = None
    """a folder that runs share: completions by request content, and the index of evaluation rows by what it holds"""
    progress_every: float = 10.0
    """seconds between rows of progress.jsonl; lines, where there is no terminal, come after 30 seconds of a step, then
    ever more rarely
    """
    trackers: list[str] = field(default_factory=list)
    """tensorboard | wandb: they get the rows of progress.jsonl too"""

    def __post_init__(self) -> None:
        require(self.shard_size >= 1, f"run.shard_size must be >= 1, got {self.shard_size}")
        require(self.workers >= 1, f"run.workers must be >= 1, got {self.workers}")
        require(self.progress_every > 0, f"run.progress_every must be > 0 seconds, got {self.progress_every}")
        require(
            set(self.trackers) <= {"tensorboard", "wandb"},
            f"run.trackers must be some of [tensorboard, wandb], got {self.trackers}",
        )
