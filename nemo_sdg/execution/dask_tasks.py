"""Runs tasks that each write one file, in Dask processes or, if there is little work, in this process. The files are
the same.
"""

import os
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nemo_sdg.errors import SdgError, UnreachableError
from nemo_sdg.execution.processes import without_main

LOCAL_BYTES = 64 << 20
"""bytes of input below which a cluster (about 3 s to start) does not pay"""
WORKER_SECONDS = 300
"""seconds that a scheduler may be without a worker"""
LOOK_SECONDS = 1.0
"""between two looks at whether there is a worker, while a result is waited for"""


@dataclass(slots=True)
class Task:
    """A call that writes `out` atomically; it is skipped if `out` exists."""

    out: Path
    function: Callable[..., None]
    arguments: tuple[Any, ...]

    def run(self) -> None:
        self.function(*self.arguments)


Run = Callable[[list[Task]], None]


@contextmanager
def open_workers(*, workers: int, address: str | None, num_bytes: int, scratch: Path) -> Iterator[Run]:
    """Yields a function that runs a list of tasks to the end.

    `address` is that of a Dask scheduler, or its scheduler file; the workers must then share the work folder. If it is
    None, `workers` processes of this machine are used. Raises UnreachableError when the scheduler cannot be reached,
    and any error of a task.
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
        )  # distributed finds GPUs with a package that warns that it is deprecated
        import dask
        from distributed import Client, LocalCluster

    environment = dict.fromkeys(("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1") | {
        "PYTHONWARNINGS": "ignore::FutureWarning"
    }
    # `env=` is set after a worker's imports, too late for their warnings and thread pools
    with without_main(), dask.config.set({"distributed.nanny.pre-spawn-environ": environment}):
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
    """A client of the scheduler at an address or in a scheduler file. Raises UnreachableError when the scheduler
    cannot be reached or has no worker.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        from distributed import Client

    try:
        client = Client(scheduler_file=address) if Path(address).is_file() else Client(address)
    except (OSError, ValueError) as exc:
        raise UnreachableError(
            f"run.dask_address={address} cannot be reached ({exc}): name a running scheduler, its scheduler "
            "file, or null"
        ) from exc
    try:
        client.wait_for_workers(1, timeout=WORKER_SECONDS)
    except TimeoutError as exc:
        client.close()
        raise _no_worker(address) from exc
    return client


def _no_worker(address: str) -> UnreachableError:
    return UnreachableError(
        f"run.dask_address={address} has no worker after {WORKER_SECONDS} seconds: start workers (dask "
        "worker --nthreads 1)"
    )


def map_on(client: Any, work: str, function: Callable[..., Any], *arguments: list[Any]) -> Iterator[Any]:
    """The built-in `map` on Dask's workers; errors name `work`. Raises the first error of a call, and
    UnreachableError when there is no worker any more; the rest is cancelled then.

    A future is released as soon as its result has arrived; otherwise Dask would repeat it when its worker dies.
    """
    futures = deque(client.map(function, *arguments, pure=False))
    try:
        with lost_workers(work):
            while futures:
                result = _result(client, futures[0])
                futures.popleft().release()
                yield result
    finally:
        client.cancel(list(futures))


def _result(client: Any, future: Any) -> Any:
    last_seen = time.monotonic()
    while True:
        try:
            return future.result(timeout=LOOK_SECONDS)
        except TimeoutError:
            if future.done():  # it ended just now, or the call itself raised this
                return future.result()
        try:
            num_workers = len(client.scheduler_info()["workers"])
        except OSError:  # a scheduler that is lost for good shows in the result
            continue
        if num_workers:
            last_seen = time.monotonic()
        elif time.monotonic() - last_seen > WORKER_SECONDS:
            raise _no_worker(client.scheduler.address)


@contextmanager
def lost_workers(work: str) -> Iterator[None]:
    """Turns Dask's errors for workers that die repeatedly, and for a lost scheduler, into one-line SdgErrors."""
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
            f"{work}: Dask's scheduler was lost ({exc}): run the same command again, finished work is kept"
        ) from exc


def _run_here(tasks: list[Task]) -> None:
    for task in tasks:
        if not task.out.exists():
            task.run()


def _run_on(client: Any, tasks: list[Task]) -> None:
    deque(map_on(client, "deduplication", Task.run, [task for task in tasks if not task.out.exists()]), maxlen=0)
