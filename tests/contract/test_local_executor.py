"""The processes of the local executor: the same bytes as one process, unchanged errors, and no process left when the
parent is killed.
"""

import dataclasses
import importlib
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from nemo_curator.pipeline import Pipeline
from nemo_curator.tasks import DocumentBatch, FileGroupTask

from nemo_sdg.errors import DataError, SdgError
from nemo_sdg.execution.executors import LocalExecutor
from nemo_sdg.execution.processes import TASKS_FOR_A_WORKER, num_processes
from nemo_sdg.execution.stages import ReadShard, RecordStage, WriteShard
from nemo_sdg.storage import Counts, StepDir

NUM_SHARDS = 3 * TASKS_FOR_A_WORKER


@pytest.fixture
def functions(root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the stages apply, in a module that worker processes find as well."""
    monkeypatch.syspath_prepend(root / "tests" / "fakes")
    return importlib.import_module("record_functions")


def execute(folder: Path, make: Any, *, workers: int) -> StepDir:
    source, target = (StepDir(run_dir=folder, step=step, fingerprint="f") for step in ("answers", "verified"))
    for number in range(NUM_SHARDS):
        counts = Counts()
        counts.keep("t", 5)
        records = [{"sample_id": f"{number}-{place}", "task": "t", "number": 5 * number + place} for place in range(5)]
        source.write_shard(f"shard-{number:05d}", records, [], counts)
    inputs = {shard: [source.shard_path(shard)] for shard in source.shards()}
    stages = [ReadShard(source), RecordStage("work", make), WriteShard(target, inputs=inputs.__getitem__)]
    tasks = [FileGroupTask(dataset_name="t", data=[shard]) for shard in inputs]
    Pipeline(name="test", stages=stages).run(LocalExecutor(workers), initial_tasks=tasks)
    return target


def test_several_processes_write_the_bytes_of_one(functions: Any, tmp_path: Path) -> None:
    one, three = (execute(tmp_path / str(workers), functions.make_halver, workers=workers) for workers in (1, 3))
    names = sorted(path.relative_to(one.path) for path in one.path.rglob("*") if path.is_file())
    assert len(names) == 3 * NUM_SHARDS
    assert names == sorted(path.relative_to(three.path) for path in three.path.rglob("*") if path.is_file())
    assert all((one.path / name).read_bytes() == (three.path / name).read_bytes() for name in names)


@pytest.mark.parametrize(
    ("tasks", "records", "num"),
    [(1, 8_000, 1), (2, 8_000, 2), (13, 100_000, 4), (100, 400, 0), (2, 900, 1), (8, None, 1), (40, None, 4)],
)
def test_processes_are_started_where_there_is_work_for_them(tasks: int, records: int | None, num: int) -> None:
    assert num_processes(4, tasks, records) == num


def test_an_error_in_a_process_is_that_error(functions: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not what it should be"):
        execute(tmp_path, functions.make_failing, workers=3)


def test_a_process_that_dies_is_one_clear_error(functions: Any, tmp_path: Path) -> None:
    with pytest.raises(SdgError, match=r"run\.workers=3"):
        execute(tmp_path, functions.make_dying, workers=3)


class Own(RecordStage):
    """A stage of a module that is not the project's, as users name them in curate.stages."""

    def __init__(self, change: Any) -> None:
        super().__init__("own", lambda: None)
        self.change = change

    def process(self, task: DocumentBatch) -> DocumentBatch:
        return dataclasses.replace(task, data=self.change(task.to_pandas()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda frame: frame / 0,
            r"curate\.stages: own failed on shard-00000: \w+Error.*test_local_executor\.py, line",
        ),
        (lambda frame: frame.drop(columns=["number"]), "shard-00000: a stage takes out the field number"),
    ],
)
def test_a_fault_of_a_users_stage_is_one_line(functions: Any, tmp_path: Path, change: Any, message: str) -> None:
    """It names the stage, the shard, and the line of the user's file."""
    source, target = (StepDir(run_dir=tmp_path, step=step, fingerprint="f") for step in ("answers", "verified"))
    counts = Counts()
    counts.keep("t")
    source.write_shard("shard-00000", [{"sample_id": "s", "task": "t", "number": 1}], [], counts)
    stages = [
        ReadShard(source),
        Own(change),
        RecordStage("work", functions.make_halver),
        WriteShard(target, inputs=list),
    ]
    with pytest.raises(DataError, match=message):
        LocalExecutor(1).execute(stages, [FileGroupTask(dataset_name="t", data=["shard-00000"])])


PARENT = """
import time
from nemo_sdg.execution.processes import worker_processes

own_number = "__import__('time').sleep(0.1) or __import__('os').getpid()"
with worker_processes(2) as pool:
    print(*set(pool.map(eval, [own_number] * 8)), flush=True)
    time.sleep(600)
"""


def test_no_process_is_left_when_the_parent_is_killed(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(PARENT)
    parent = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    workers = [int(number) for number in parent.stdout.readline().split()]
    assert workers
    parent.kill()
    parent.wait()
    while any(
        Path(f"/proc/{worker}/cmdline").is_file() and Path(f"/proc/{worker}/cmdline").read_bytes() for worker in workers
    ):
        time.sleep(0.05)
