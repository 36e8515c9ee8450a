"""Tasks that each write one file, run by Dask processes or, when there is little work, in this process. The files are
the same.
"""

import os
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nemo_sdg.errors import ConfigError, SdgError

LOCAL_BYTES = 64 << 20
"""below this a cluster (about 3 s to start) is not worth it"""
WORKER_SECONDS = 300
"""seconds that a scheduler may take to get its first worker"""


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

    address: of a Dask scheduler, or a scheduler file; the work folder must then lie where its workers see it. Without,
    `workers` processes of this machine. Raises ConfigError when the scheduler cannot be reached, and whatever error a
    task raises.
    """
    if address is None and (workers == 1 or num_bytes < LOCAL_BYTES):
        yield _run_here
        return
    if address is not None:
        with connect(address) as client:
            yield lambda tasks: _run_on(client, tasks)
        return
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", FutureWarning
        )  # distributed looks for GPUs through a package that says it is deprecated
        import dask
        from distributed import Client, LocalCluster

    environment = dict.fromkeys(("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1") | {
        "PYTHONWARNINGS": "ignore::FutureWarning"
    }
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


def connect(address: str) -> Any:
    """A client of the scheduler at an address, or of a scheduler file. Raises ConfigError when it cannot be reached or
    has no worker.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        from distributed import Client

    try:
        client = Client(scheduler_file=address) if Path(address).is_file() else Client(address)
    except (OSError, ValueError) as exc:
        raise ConfigError(
            f"run.dask_address={address} cannot be reached ({exc}): name a running scheduler, its scheduler "
            "file, or null"
        ) from exc
    try:
        client.wait_for_workers(1, timeout=WORKER_SECONDS)
    except TimeoutError as exc:
        client.close()
        raise ConfigError(
            f"run.dask_address={address} has no worker after {WORKER_SECONDS} seconds: start some (dask "
            "worker --nthreads 1)"
        ) from exc
    return client


def map_on(client: Any, work: str, function: Callable[..., Any], *arguments: list[Any]) -> Iterator[Any]:
    """The built-in `map` over the workers of Dask; `work` is its name in errors. Raises the first error of a call, and
    cancels the rest.

    A future is released as soon as its result has arrived. As long as it is held, Dask would repeat it when its worker
    dies.
    """
    futures = deque(client.map(function, *arguments, pure=False))
    try:
        with lost_workers(work):
            while futures:
                result = futures[0].result()
                futures.popleft().release()
                yield result
    finally:
        client.cancel(list(futures))


@contextmanager
def lost_workers(work: str) -> Iterator[None]:
    """Turns Dask's word for workers that die again and again, or for a lost scheduler, into one line."""
    from distributed import CancelledError, KilledWorker
    from distributed.comm import CommClosedError

    try:
        yield
    except KilledWorker as exc:
        raise SdgError(
            f"{work}: a task killed its worker several times ({exc}): give the workers more memory, or start fewer"
        ) from exc
    except (CancelledError, CommClosedError) as exc:
        raise SdgError(
            f"{work}: Dask's scheduler was lost ({exc}): run the same command again, what is finished stays"
        ) from exc


def _run_here(tasks: list[Task]) -> None:
    for task in tasks:
        if not task.out.exists():
            task.run()


def _run_on(client: Any, tasks: list[Task]) -> None:
    from distributed import as_completed

    with lost_workers("deduplication"):
        for future in as_completed(client.map(Task.run, [task for task in tasks if not task.out.exists()], pure=False)):
            future.result()
