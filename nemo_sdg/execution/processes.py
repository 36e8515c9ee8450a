"""Worker processes of this machine. They end when their parent ends for any reason, and their libraries do not log.

The workers of the standard pool outlive a parent that is killed by SIGKILL: each keeps its own end of the queue open
and waits for ever. Here each worker watches the parent's process descriptor.
"""

import contextlib
import ctypes
import gc
import multiprocessing
import multiprocessing.context
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import os
import select
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from nemo_sdg.errors import SdgError

TASKS_FOR_A_WORKER, RECORDS_FOR_A_WORKER = 8, 500
"""minimum number of tasks, or of records where their number is known, per process. The server and its processes take
about 3 s to start, in which filters and verification read about 500 records.
"""


COLLECT_AFTER = 20_000, 5, 5
"""thresholds of the garbage collector. At Python's (700, 10, 10), imports and the reading of catalogs, whose objects
stay in use, are looked through hundreds of times: about a tenth of the CPU time of a run that finds everything done
"""


def num_processes(workers: int, tasks: int, records: int | None) -> int:
    """How many processes are worth their start, `workers` at most; 0 and 1 stand for this process."""
    return min(workers, tasks // TASKS_FOR_A_WORKER if records is None else min(tasks, records // RECORDS_FOR_A_WORKER))


def start_server(*modules: str) -> None:
    """Starts the server from which all worker processes of this process are forked, if it does not run yet. It imports
    `modules` while this process goes on. Later pools fork from the same server, so it should import what they need too.

    The server ignores Ctrl-C only when it has imported them, so SIGINT is blocked in it, and in its processes until
    `_start`. The resource tracker starts first: its start unblocks SIGINT.
    """
    multiprocessing.get_context("forkserver").set_forkserver_preload(list(modules))
    multiprocessing.resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        multiprocessing.forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def worker_processes(
    num: int,
    *,
    start: Callable[..., None] | None = None,
    arguments: tuple[Any, ...] = (),
    preload: tuple[str, ...] = (),
) -> Iterator[ProcessPoolExecutor]:
    """A pool of `num` processes, forked from a server that has imported the modules in `preload`. Each process first
    calls `start(*arguments)`.

    If the block ends with an error, calls that have not begun are cancelled. Raises SdgError when a process dies.
    """
    start_server(*preload)
    executor = ProcessPoolExecutor(
        num, mp_context=_Context(), initializer=_start, initargs=(os.getpid(), start, arguments)
    )
    try:
        yield executor
    except BrokenProcessPool as exc:
        raise SdgError(
            f"one of {num} worker processes died, most often for lack of memory: free memory, or in a run lower "
            f"run.workers={num}, then give the same command again"
        ) from exc
    finally:
        executor.shutdown(cancel_futures=True)


_main_is_away = threading.RLock()


@contextlib.contextmanager
def without_main() -> Iterator[None]:
    """Processes that start in this block do not import the main module. The standard library imports it, which carries
    out a user's script again unless it has the line `if __name__ == "__main__":`. Nothing that workers call is there.
    """
    with _main_is_away:  # a second thread would take the stand-in for the main module, and leave it there
        main = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


class _Process(multiprocessing.context.ForkServerProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        with without_main():
            return multiprocessing.context.ForkServerProcess._Popen(process_obj)  # type: ignore[attr-defined]


class _Context(multiprocessing.context.ForkServerContext):
    Process = _Process


@contextlib.contextmanager
def rarely_collecting() -> Iterator[None]:
    """Collects garbage less often, in the block or in a function that this decorates."""
    before = gc.get_threshold()
    gc.set_threshold(*COLLECT_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _start(parent: int, start: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    descriptor = os.pidfd_open(parent)
    threading.Thread(target=_end_with, args=(descriptor,), daemon=True, name="parent-watch").start()
    gc.freeze()  # what the server has imported is not looked through again, and its pages stay shared
    if start is not None:
        start(*arguments)


def _end_with(descriptor: int) -> None:
    """Ends this process when the descriptor becomes readable, which is when the process behind it has ended."""
    select.select([descriptor], [], [])
    os._exit(1)


def give_back_memory() -> None:
    """Returns freed memory to the system, if the C library can. Otherwise the heap stays as large as the records of the
    last step, while the worker processes of the next step run.
    """
    with contextlib.suppress(OSError, AttributeError):  # not glibc
        ctypes.CDLL(None).malloc_trim(0)


def quiet_libraries() -> None:
    """Silences the log lines of libraries, so that the user sees only this project's lines."""
    import logging
    import warnings

    warnings.filterwarnings("ignore")
    logging.getLogger().setLevel(logging.ERROR)
    logging.getLogger("nemo_sdg").setLevel(logging.WARNING)
    with contextlib.suppress(ImportError):
        from loguru import logger

        logger.disable("nemo_curator")
    for name, value in {
        "PYTHONWARNINGS": "ignore",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "RAY_DEDUP_LOGS": "1",
    }.items():
        os.environ.setdefault(name, value)
