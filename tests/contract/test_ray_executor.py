"""Curator's Ray executors on a real Ray: the same bytes as the local executor, unchanged errors, a quiet terminal,
nothing left behind.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

MARK = "NEMO_SDG_TEST_FOLDER"
# Argv: folder, executor, maker of a record function. A process of its own, so that what Ray says on file descriptors
# is seen as well.
PROGRAM = """
import sys
from pathlib import Path
from nemo_sdg.execution.processes import quiet_libraries
quiet_libraries()
import record_functions
from nemo_curator.pipeline import Pipeline
from nemo_curator.tasks import FileGroupTask
from nemo_sdg.config import Executor
from nemo_sdg.errors import SdgError
from nemo_sdg.execution.executors import make_executor
from nemo_sdg.execution.stages import ReadShard, RecordStage, WriteShard
from nemo_sdg.storage import Counts, StepDir

folder, kind, make = Path(sys.argv[1]), Executor(sys.argv[2]), getattr(record_functions, sys.argv[3])
source, target = (StepDir(run_dir=folder, step=step, fingerprint="f") for step in ("answers", "verified"))
for number in range(4):
    counts = Counts()
    counts.keep("t", 5)
    records = [{"sample_id": f"{number}-{place}", "task": "t", "number": 5 * number + place} for place in range(5)]
    source.write_shard(f"shard-{number:05d}", records, [], counts)
inputs = {shard: [source.shard_path(shard)] for shard in source.shards()}
write = WriteShard(target, id_field="sample_id", inputs=inputs.__getitem__)
stages = [ReadShard(source, id_field="sample_id"), RecordStage("work", make), write]
tasks = [FileGroupTask(dataset_name="t", data=[shard]) for shard in inputs]
try:
    Pipeline(name="test", stages=stages).run(make_executor(kind), initial_tasks=tasks)
except SdgError as exc:
    print(type(exc).__name__, exc)
"""


def execute(root: Path, folder: Path, executor: str, make: str) -> subprocess.CompletedProcess[str]:
    folder.mkdir()
    program = folder / "program.py"
    program.write_text(PROGRAM)
    environment = {**os.environ, MARK: str(folder), "PYTHONPATH": f"{root}:{root / 'tests' / 'fakes'}"}
    return subprocess.run(
        [sys.executable, str(program), str(folder), executor, make],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def left_behind(folder: Path) -> list[str]:
    """Commands of the processes that a run in a folder started and that still live."""
    mark, found = f"{MARK}={folder}".encode(), []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark in path.read_bytes().split(b"\0"):
                found.append((path.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def files(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in (folder / "verified").rglob("*") if path.is_file()}


@pytest.mark.parametrize("executor", ["ray_data", "xenna"])
def test_the_bytes_are_those_of_the_local_executor_and_the_terminal_stays_quiet(
    root: Path, tmp_path: Path, executor: str
) -> None:
    local, on_ray = (execute(root, tmp_path / name, name, "make_halver") for name in ("local", executor))
    assert (on_ray.returncode, on_ray.stderr) == (0, ""), local.stderr
    said = on_ray.stdout.splitlines()
    assert not [
        line for line in said if "PYTHON worker processes have been started" not in line
    ]  # said of Xenna on few cores, by Ray, to all
    assert left_behind(tmp_path / executor) == []
    assert len(files(tmp_path / "local")) == 12
    assert files(tmp_path / executor) == files(tmp_path / "local")


def curate(root: Path, folder: Path, executor: str, gpus: str = "0") -> subprocess.CompletedProcess[str]:
    program = [sys.executable, str(root / "tests" / "fakes" / "curated_run.py"), str(folder), executor, gpus]
    return subprocess.run(
        program,
        env={**os.environ, MARK: str(folder), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_whole_curated_step_with_its_embedder_leaves_the_same_bytes_on_every_executor(
    root: Path, tmp_path: Path
) -> None:
    trees = {}  # without plan.json, which names the files by path and time
    for executor in ("local", "ray_data", "xenna"):
        done = curate(root, tmp_path / executor, executor)
        assert done.returncode == 0, done.stderr
        assert left_behind(tmp_path / executor) == []
        folder = tmp_path / executor / "curated"
        trees[executor] = {
            path.relative_to(folder): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != "plan.json"
        }
    assert len([path for path in trees["local"] if path.parts[0] == "receipts"]) == 3
    assert b"evaluation_paraphrase" in b"".join(
        text for path, text in trees["local"].items() if path.parts[0] == "dropped"
    )
    assert trees["ray_data"] == trees["local"]
    assert trees["xenna"] == trees["local"]


def test_gpus_that_no_node_has_are_asked_for_in_one_line_and_not_waited_for(root: Path, tmp_path: Path) -> None:
    done = curate(root, tmp_path / "run", "ray_data", "0.5")
    (line,) = done.stdout.splitlines()
    assert line.startswith("SdgError decontaminate needs 0.5 GPUs per worker, and the nodes of Ray have at most 0: ")


@pytest.mark.parametrize(
    ("make", "words"), [("make_failing", "DataError record"), ("make_dying", "SdgError Ray lost its workers (")]
)
def test_errors_come_out_in_one_line(root: Path, tmp_path: Path, make: str, words: str) -> None:
    done = execute(root, tmp_path / "run", "ray_data", make)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if "(raylet)" not in line]
    assert line.startswith(words)
