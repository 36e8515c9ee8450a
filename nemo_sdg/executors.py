"""Where Curator stages run: in this process, on Ray Data, or on Xenna. The choice changes no byte of the output."""

import os
import tempfile
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from nemo_curator.backends.base import BaseExecutor, BaseStageAdapter, NodeInfo, WorkerMetadata
from nemo_curator.stages.base import ProcessingStage
from nemo_curator.tasks import Task

from nemo_sdg.config import Executor
from nemo_sdg.errors import SdgError
from nemo_sdg.processes import quiet_libraries, worker_processes

StageList = list[ProcessingStage[Any, Any]]
TASKS_FOR_A_WORKER = 8
"""a process takes about 3 s to start"""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1") | {"TOKENIZERS_PARALLELISM": "false"}
"""side by side, libraries that take all cores each only wait for one another"""


class Line:
    """All stages of a pipeline set up in one process; a task goes through them from end to end, so that memory holds one shard."""

    def __init__(self, stages: StageList) -> None:
        self.stages = stages
        self.adapters = [BaseStageAdapter(stage) for stage in stages]
        for stage in stages:
            stage.setup_on_node(NodeInfo(node_id="local"), WorkerMetadata(worker_id="local"))
            stage.setup(WorkerMetadata(worker_id="local"))

    def carry(self, task: Task[Any]) -> list[Task[Any]]:
        tasks = [task]
        for adapter in self.adapters:
            tasks = [result for item in tasks for result in adapter.process_batch([item])]
        return tasks

    def close(self) -> None:
        for stage in self.stages:
            stage.teardown()


class LocalExecutor(BaseExecutor):
    """Runs stages on this machine without Ray: in this process, or in up to `workers` when there are tasks enough to pay for starting them."""

    def __init__(self, workers: int = 1) -> None:
        super().__init__()
        self.workers = workers

    def execute(self, stages: StageList, initial_tasks: list[Task[Any]] | None = None) -> list[Task[Any]]:
        tasks = initial_tasks or []
        num = min(self.workers, len(tasks) // TASKS_FOR_A_WORKER)
        if num > 1:
            return execute_in_processes(stages, tasks, num)
        line = Line(stages)
        try:
            return [result for task in tasks for result in line.carry(task)]
        finally:
            line.close()


def execute_in_processes(stages: StageList, tasks: list[Task[Any]], num: int) -> list[Task[Any]]:
    """Tasks over `num` processes, each with stages of its own. Raises what a stage raises, SdgError when a process dies."""
    try:
        with worker_processes(num, start=_open_line, arguments=(stages,), preload=("nemo_sdg.stages",)) as pool:
            return [result for results in pool.map(_carry, tasks) for result in results]
    except BrokenProcessPool as exc:
        raise SdgError(f"a worker process died, most often for lack of memory: lower run.workers={num}, then run the same command again") from exc


_line: Line


def _open_line(stages: StageList) -> None:
    global _line
    os.environ.update(ONE_THREAD)
    quiet_libraries()
    _line = Line(stages)


def _carry(task: Task[Any]) -> list[Task[Any]]:
    return _line.carry(task)


def make_executor(kind: Executor, workers: int = 1) -> BaseExecutor:
    """The executor of a run; `workers` are the processes of the local one. Ray Data and Xenna start a Ray of their own unless RAY_ADDRESS names one."""
    os.environ.setdefault("NEMO_CURATOR_SLURM_ARRAY_ENABLED", "0")
    if kind is Executor.local:
        return LocalExecutor(workers)
    if "RAY_ADDRESS" not in os.environ:
        os.environ.setdefault("RAY_TMPDIR", tempfile.mkdtemp(prefix="ray", dir="/tmp"))
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if kind is Executor.ray_data:
        from nemo_curator.backends.ray_data import RayDataExecutor

        return RayDataExecutor()
    for name in ("RAY_MAX_LIMIT_FROM_API_SERVER", "RAY_MAX_LIMIT_FROM_DATA_SOURCE"):
        os.environ.setdefault(name, "40000")
    from nemo_curator.backends.xenna import XennaExecutor

    return XennaExecutor()
