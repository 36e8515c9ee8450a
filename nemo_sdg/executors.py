"""Where Curator stages run: in this process, on Ray Data, or on Xenna. The choice changes no byte of the output."""

import os
import tempfile
from typing import Any

from nemo_curator.backends.base import BaseExecutor, BaseStageAdapter, NodeInfo, WorkerMetadata
from nemo_curator.stages.base import ProcessingStage
from nemo_curator.tasks import Task

from nemo_sdg.config import Executor

StageList = list[ProcessingStage[Any, Any]]


class LocalExecutor(BaseExecutor):
    """Runs stages in this process without Ray, one initial task at a time, so that memory holds one shard."""

    def execute(self, stages: StageList, initial_tasks: list[Task[Any]] | None = None) -> list[Task[Any]]:
        node, worker = NodeInfo(node_id="local"), WorkerMetadata(worker_id="local")
        adapters = [BaseStageAdapter(stage) for stage in stages]
        try:
            for stage in stages:
                stage.setup_on_node(node, worker)
                stage.setup(worker)
            results: list[Task[Any]] = []
            for task in initial_tasks or []:
                tasks = [task]
                for adapter in adapters:
                    tasks = [result for item in tasks for result in adapter.process_batch([item])]
                results += tasks
            return results
        finally:
            for stage in stages:
                stage.teardown()


def make_executor(kind: Executor) -> BaseExecutor:
    """The executor of a run. Ray Data and Xenna start a Ray of their own unless RAY_ADDRESS names one."""
    os.environ.setdefault("NEMO_CURATOR_SLURM_ARRAY_ENABLED", "0")
    if kind is Executor.local:
        return LocalExecutor()
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
