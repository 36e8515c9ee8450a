"""Tasks that each leave one file, carried out by Dask processes or, for little work, right here: the files are the same."""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nemo_sdg.errors import ConfigError, SdgError

LOCAL_BYTES = 64 << 20
"""below this a cluster (about 3 s to start) is not worth it"""


@dataclass(slots=True)
class Task:
    """A call that writes `out` atomically; it is skipped where `out` is there."""

    out: Path
    function: Callable[..., None]
    arguments: tuple[Any, ...]

    def run(self) -> None:
        self.function(*self.arguments)


Run = Callable[[list[Task]], None]


@contextmanager
def open_workers(*, workers: int, address: str | None, num_bytes: int, scratch: Path) -> Iterator[Run]:
    """Yields a function that runs a list of tasks to the end.

    address: of a Dask scheduler, or a scheduler file; the work folder must then lie where its workers see it. Without, `workers` processes of
    this machine. Raises ConfigError when the scheduler cannot be reached, and whatever error a task raises.
    """
    if address is None and (workers == 1 or num_bytes < LOCAL_BYTES):
        yield _run_here
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # distributed looks for GPUs through a package that says it is deprecated
        import dask
        from distributed import Client, LocalCluster

    if address is not None:
        try:
            client = Client(scheduler_file=address) if Path(address).is_file() else Client(address)
        except (OSError, ValueError) as exc:
            raise ConfigError(f"curate.dask_address={address} cannot be reached ({exc}): name a running scheduler, its scheduler file, or null") from exc
        with client:
            yield lambda tasks: _run_on(client, tasks)
        return
    environment = dict.fromkeys(("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1") | {"PYTHONWARNINGS": "ignore::FutureWarning"}
    # `env=` would come after a worker's imports, whose warnings and thread pools are what this is about
    with dask.config.set({"distributed.nanny.pre-spawn-environ": environment}):
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=None,
            dashboard_address=None,
            local_directory=os.fspath(scratch),
            silence_logs="ERROR",
        )
    with cluster, Client(cluster) as client:
        yield lambda tasks: _run_on(client, tasks)


def _run_here(tasks: list[Task]) -> None:
    for task in tasks:
        if not task.out.exists():
            task.run()


def _run_on(client: Any, tasks: list[Task]) -> None:
    from distributed import KilledWorker, as_completed

    futures = client.map(Task.run, [task for task in tasks if not task.out.exists()], pure=False)
    try:
        for future in as_completed(futures):
            future.result()
    except KilledWorker as exc:
        raise SdgError(f"a deduplication task killed its worker several times ({exc}): give it more memory, or fewer run.workers") from exc
