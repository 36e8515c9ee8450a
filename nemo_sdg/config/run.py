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
    """Where and how a run is carried out; only `seed` and `shard_size` affect its bytes."""

    dir: str = "runs/default"
    """the run's folder"""
    seed: int = 0
    """seed of all random numbers: Random(f"{seed}:{record id}:{purpose}")"""
    executor: Executor = Executor.local
    """how Curator runs the stages of a step: in local processes, by Ray Data, or by Xenna; the bytes are the same"""
    workers: int = 2
    """number of processes for CPU work (deduplication, packing, sandboxed checks)"""
    dask_address: str | None = None
    """address of a Dask scheduler, or its scheduler file, for deduplication and packing; null = processes on this
    machine
    """
    shard_size: int = 2000
    """number of seeds in a shard: the unit of work that workers share; a killed worker resumes its shards from the
    journal
    """
    verify: Verify = Verify.full
    """how a resumed run recognises finished shards: full = by SHA-256, size = by length"""
    cache_dir: str | None = None
    """folder that runs share, with completions by the content of their request, and indexes of evaluation rows"""
    progress_every: float = 10.0
    """seconds between rows of progress.jsonl; without a terminal, lines are printed after 30 seconds of a step and then
    at growing intervals
    """
    currency: str = "USD"
    """currency of all prices: engine.price_input, engine.price_output, forecast --price"""
    trackers: list[str] = field(default_factory=list)
    """tensorboard, wandb: trackers that get the rows of progress.jsonl"""

    measure: bool = True
    """whether the report measures the fluency (embedded model) and diversity (embedder) of some texts, which takes
    about a minute on one core
    """

    def __post_init__(self) -> None:
        require(self.shard_size >= 1, f"run.shard_size must be >= 1, got {self.shard_size}")
        require(self.workers >= 1, f"run.workers must be >= 1, got {self.workers}")
        require(self.progress_every > 0, f"run.progress_every must be > 0 seconds, got {self.progress_every}")
        require(
            set(self.trackers) <= {"tensorboard", "wandb"},
            f"run.trackers must be some of [tensorboard, wandb], got {self.trackers}",
        )
