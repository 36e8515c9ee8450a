"""Executors of Curator stages: this machine's processes, Ray Data, or Xenna. All write the same bytes."""

import atexit
import contextlib
import inspect
import json
import logging
import os
import secrets
import subprocess
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from typing import Any

from nemo_curator.backends.base import BaseExecutor, BaseStageAdapter, NodeInfo, WorkerMetadata
from nemo_curator.stages.base import ProcessingStage
from nemo_curator.tasks import Task

from nemo_sdg.config import Executor
from nemo_sdg.errors import DataError, SdgError
from nemo_sdg.execution.processes import num_processes, quiet_libraries, worker_processes

StageList = list[ProcessingStage[Any, Any]]
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1") | {
    "TOKENIZERS_PARALLELISM": "false"
}
"""environment of worker processes: if each used threads on all cores, they would slow each other down"""


class Line:
    """All stages of a pipeline in one process. Each task passes through all stages before the next task begins, so only
    one shard is in memory.
    """

    def __init__(self, stages: StageList) -> None:
        self.stages = stages
        self.adapters = [BaseStageAdapter(stage) for stage in stages]
        for stage in stages:
            stage.setup_on_node(NodeInfo(node_id="local"), WorkerMetadata(worker_id="local"))
            stage.setup(WorkerMetadata(worker_id="local"))

    def carry(self, task: Task[Any]) -> list[Task[Any]]:
        tasks = [task]
        for adapter in self.adapters:
            try:
                tasks = [result for item in tasks for result in adapter.process_batch([item])]
            except Exception as exc:
                if isinstance(exc, SdgError) or type(adapter.stage).__module__.startswith("nemo_sdg."):
                    raise
                raise DataError(failed(adapter.stage, tasks, exc)) from exc
        return tasks

    def close(self) -> None:
        for stage in self.stages:
            stage.teardown()


def failed(stage: ProcessingStage[Any, Any], tasks: list[Task[Any]], exc: Exception) -> str:
    """One line about an error in a user's stage, with the last line of its file that was reached."""
    shard = tasks[0]._metadata.get("shard", "") if tasks else ""
    file = inspect.getsourcefile(type(stage))
    places = [frame for frame in traceback.extract_tb(exc.__traceback__) if frame.filename == file]
    where = f" ({places[-1].filename}, line {places[-1].lineno})" if places else ""
    return f"curate.stages: {stage.name} failed on {shard}: {type(exc).__name__}: {exc}{where}"


class LocalExecutor(BaseExecutor):
    """Runs stages on this machine without Ray: in this process, or in up to `workers` processes if there are enough
    tasks to justify the time to start them.
    """

    def __init__(self, workers: int = 1, records: int | None = None) -> None:
        super().__init__()
        self.workers, self.records = workers, records

    def execute(self, stages: StageList, initial_tasks: list[Task[Any]] | None = None) -> list[Task[Any]]:
        tasks = initial_tasks or []
        num = num_processes(self.workers, len(tasks), self.records)
        if num > 1:
            return execute_in_processes(stages, tasks, num)
        line = Line(stages)
        try:
            return [result for task in tasks for result in line.carry(task)]
        finally:
            line.close()


def execute_in_processes(stages: StageList, tasks: list[Task[Any]], num: int) -> list[Task[Any]]:
    """Runs tasks in `num` processes, each with its own stages. Raises any error of a stage, and SdgError when a process
    dies.
    """
    with worker_processes(num, start=_open_line, arguments=(stages,), preload=("nemo_sdg.execution.stages",)) as pool:
        return [result for results in pool.map(_carry, tasks) for result in results]


_line: Line


def _open_line(stages: StageList) -> None:
    global _line
    os.environ.update(ONE_THREAD)
    quiet_libraries()
    _line = Line(stages)


def _carry(task: Task[Any]) -> list[Task[Any]]:
    return _line.carry(task)


class RayExecutor(BaseExecutor):
    """Curator's executor for Ray Data or Xenna, on the Ray at RAY_ADDRESS or on one that the run starts.

    A single task runs in this process, unless it needs a GPU: it would gain nothing from a cluster.
    """

    def __init__(self, kind: Executor) -> None:
        super().__init__()
        self.kind = kind

    def execute(self, stages: StageList, initial_tasks: list[Task[Any]] | None = None) -> list[Task[Any]]:
        tasks = initial_tasks or []
        if len(tasks) <= 1 and not any(stage.resources.gpus for stage in stages):
            return LocalExecutor().execute(stages, tasks)
        connect_ray(self.kind)
        require_gpus(stages)
        from ray.exceptions import RayError, RayTaskError

        try:
            results: list[Task[Any]] = self._curators_own().execute(stages, tasks)
            return results
        except RayTaskError as exc:
            if isinstance(exc.cause, SdgError):
                raise type(exc.cause)(
                    str(exc.cause).splitlines()[0]
                ) from None  # the further lines are advice of Ray Data
            raise
        except RayError as exc:
            first_line = str(exc).strip().splitlines()[0]
            raise SdgError(
                f"Ray lost its workers ({first_line}): run the same command again, finished work is kept"
            ) from exc

    def _curators_own(self) -> BaseExecutor:
        if self.kind is Executor.ray_data:
            from nemo_curator.backends.ray_data import RayDataExecutor

            return RayDataExecutor()
        from nemo_curator.backends.xenna import XennaExecutor

        return XennaExecutor()


def connect_ray(kind: Executor) -> None:
    """Connects to the Ray at RAY_ADDRESS, or starts one that ends with this process and connects to it.

    Curator closes the connection when a pipeline ends. Raises SdgError when Ray does not start.
    """
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray Data starts an actor for them, which loads for 2 s
    if kind is Executor.xenna:
        os.environ.update(dict.fromkeys(("RAY_MAX_LIMIT_FROM_API_SERVER", "RAY_MAX_LIMIT_FROM_DATA_SOURCE"), "40000"))
    if "RAY_ADDRESS" not in os.environ:
        os.environ["RAY_ADDRESS"] = start_ray(kind)
    import ray
    from loguru import logger

    logger.disable("cosmos_xenna")
    quiet_ray()
    environment = ONE_THREAD | {
        "PYTHONWARNINGS": "ignore",
        "RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES": "1" if kind is Executor.xenna else "",
    }
    with no_standard_error():
        ray.init(logging_level=logging.ERROR, log_to_driver=False, runtime_env={"env_vars": environment})


def require_gpus(stages: StageList) -> None:
    """Raises SdgError if a stage needs more GPUs per worker than any node of Ray has: Ray would wait for ever to start
    its workers.
    """
    import ray

    there = max((node["Resources"].get("GPU", 0) for node in ray.nodes() if node["Alive"]), default=0)
    for stage in stages:
        if stage.resources.gpus > there:
            ray.shutdown()
            raise SdgError(
                f"{stage.name} needs {stage.resources.gpus:g} GPUs per worker, and the nodes of Ray have at "
                f"most {there:g}: start it on nodes with GPUs"
            )


def start_ray(kind: Executor) -> str:
    """Starts Ray on this machine in a separate process; returns its address."""
    # Xenna lists its actors through the dashboard's server, reserves one CPU for itself and needs at least three.
    options = {
        "num_cpus": max(os.cpu_count() or 1, 4 if kind is Executor.xenna else 2),
        "include_dashboard": kind is Executor.xenna,
    }
    # A token keeps other users of this machine out. Ray read the environment when it was imported; Config.initialize
    # makes it read the environment again.
    os.environ.update({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)})
    from ray._raylet import Config  # type: ignore[attr-defined]

    Config.initialize("")
    # The default niceness is 15: Ray's workers would hardly run beside other processes of this machine.
    environment = {"RAY_worker_niceness": "0"} | os.environ
    command = [sys.executable, "-m", "nemo_sdg.execution.ray_host", json.dumps(options)]
    host = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert host.stdout is not None
    assert host.stderr is not None
    address = host.stdout.readline().strip()
    if not address:
        said = host.stderr.read().strip().splitlines() or ["no error message"]
        raise SdgError(f"Ray could not be started ({said[-1]}): run again, or set run.executor=local")
    threading.Thread(target=host.stderr.read, daemon=True).start()
    atexit.register(_end, host)
    return address


def _end(host: "subprocess.Popen[str]") -> None:
    os.environ.pop("RAY_ADDRESS", None)
    assert host.stdin is not None
    host.stdin.close()
    host.wait()


@contextlib.contextmanager
def no_standard_error() -> Iterator[None]:
    """Discards the process's standard error, to which Ray's C++ code writes its log level; errors of Ray still come as
    exceptions.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def quiet_ray() -> None:
    """Sends Ray Data's progress and plans to its log file only: the run has its own progress display."""
    import ray.data

    warnings.simplefilter("ignore")  # again, since the import sets filters
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.raise_original_map_exception = True
    for name in ("ray", "ray.data"):
        for handler in logging.getLogger(name).handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setLevel(logging.CRITICAL)


def make_executor(kind: Executor, workers: int = 1, records: int | None = None) -> BaseExecutor:
    """The executor of a run. For the local one: `workers` is the largest number of processes, `records` the number of
    records in all tasks, if it is known.
    """
    os.environ.setdefault("NEMO_CURATOR_SLURM_ARRAY_ENABLED", "0")
    return LocalExecutor(workers, records) if kind is Executor.local else RayExecutor(kind)
