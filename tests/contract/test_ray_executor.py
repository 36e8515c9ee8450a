"""Curator's Ray executors on a real Ray: the same bytes as the local executor, unchanged errors, a quiet terminal,
nothing left behind. Each executor does all its work in one process, on one Ray.
"""

import contextlib
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

MARK = "NEMO_SDG_TEST_FOLDER"
OWN_LINE = re.compile(r" {2}(?:evaluation index|filtered|duplicates|curated|health): | {4}")
"""how a step tells its progress where it takes long, and the continuation of such a line"""
# Argv: folder, executor, parts. A part is a maker of a record function, or the step curated with GPUs for its embedder;
# it works in a folder of its name. A process of its own, so that what Ray says on file descriptors is seen as well.
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
from nemo_sdg.execution import stages
from nemo_sdg.execution.executors import make_executor
from nemo_sdg.execution.stages import ReadShard, RecordStage, WriteShard
from nemo_sdg.storage import Counts, StepDir
from curated_run import curate

stages.RESTARTS.update(max_restarts=0, max_task_retries=0)  # each restart loads all libraries


def work(folder, kind, make):
    source, target = (StepDir(run_dir=folder, step=step, fingerprint="f") for step in ("answers", "verified"))
    for number in range(4):
        counts = Counts()
        counts.keep("t", 5)
        records = [{"sample_id": f"{number}-{place}", "task": "t", "number": 5 * number + place} for place in range(5)]
        source.write_shard(f"shard-{number:05d}", records, [], counts)
    inputs = {shard: [source.shard_path(shard)] for shard in source.shards()}
    write = WriteShard(target, inputs=inputs.__getitem__)
    line = [ReadShard(source), RecordStage("work", make), write]
    tasks = [FileGroupTask(dataset_name="t", data=[shard]) for shard in inputs]
    try:
        Pipeline(name="test", stages=line).run(make_executor(Executor(kind)), initial_tasks=tasks)
    except SdgError as exc:
        print(type(exc).__name__, exc)


folder, kind, *parts = sys.argv[1:]
for part in parts:
    for stream in (sys.stdout, sys.stderr):
        print("part", part, file=stream, flush=True)
    if part.startswith("curated "):
        curate(Path(folder, part), kind, float(part.removeprefix("curated ")))
    else:
        work(Path(folder, part), kind, getattr(record_functions, part))
"""
PARTS = {
    "local": ["curated 0"],
    "xenna": ["curated 0"],
    "ray_data": ["curated 0.5", "curated 0", "make_failing", "make_dying"],
}


@dataclass(kw_only=True)
class Done:
    """What an executor did and said."""

    folder: Path
    said: dict[str, list[str]]
    """part -> lines of standard output"""
    errors: dict[str, list[str]]
    """part -> lines of standard error"""
    left_behind: list[str]
    """commands of the processes that it started and that lived on"""

    def files(self, part: str, step: str) -> dict[Path, bytes]:
        """The files of a step but plan.json, which names files by path and time."""
        folder = self.folder / part / step
        return {
            path.relative_to(folder): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != "plan.json"
        }


def execute(root: Path, folder: Path, executor: str) -> Done:
    folder.mkdir()
    program = folder / "program.py"
    program.write_text(PROGRAM)
    environment = {**os.environ, MARK: str(folder), "PYTHONPATH": f"{root}:{root / 'tests' / 'fakes'}"}
    done = subprocess.run(
        [sys.executable, str(program), str(folder), executor, *PARTS[executor]],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said, errors = by_part(done.stdout), by_part(done.stderr)
    assert list(said) == list(errors) == ["", *PARTS[executor]]
    return Done(folder=folder, said=said, errors=errors, left_behind=left_behind(folder))


def by_part(text: str) -> dict[str, list[str]]:
    """The lines of each part; "" is what was said before the first."""
    said: dict[str, list[str]] = {"": []}
    for line in text.splitlines():
        if line.startswith("part "):
            said[line.removeprefix("part ")] = []
        else:
            said[list(said)[-1]].append(line)
    return said


def left_behind(folder: Path) -> list[str]:
    """Commands of the processes that a run in a folder started and that still live."""
    mark, found = f"{MARK}={folder}".encode(), []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark in path.read_bytes().split(b"\0"):
                found.append((path.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


@pytest.fixture(scope="module")
def executors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("executors")


@pytest.fixture(scope="module")
def local(root: Path, executors: Path) -> Done:
    return execute(root, executors / "local", "local")


@pytest.fixture(scope="module")
def xenna(root: Path, executors: Path) -> Done:
    return execute(root, executors / "xenna", "xenna")


@pytest.fixture(scope="module")
def ray_data(root: Path, executors: Path) -> Done:
    return execute(root, executors / "ray_data", "ray_data")


@pytest.fixture(params=["ray_data", "xenna"])
def on_ray(request: pytest.FixtureRequest) -> Done:
    done: Done = request.getfixturevalue(request.param)
    return done


def test_the_terminal_stays_quiet_and_no_process_is_left(local: Done, on_ray: Done) -> None:
    lines = [*on_ray.said[""], *on_ray.said["curated 0"]]
    assert not [
        line for line in lines if "PYTHON worker processes have been started" not in line
    ]  # said of Xenna on few cores, by Ray, to all
    assert on_ray.errors[""] == []
    assert [line for line in on_ray.errors["curated 0"] if not OWN_LINE.match(line)] == []
    assert on_ray.left_behind == []


def test_the_whole_curated_step_with_its_embedder_leaves_the_same_bytes(local: Done, on_ray: Done) -> None:
    files = local.files("curated 0", "curated")
    assert len([path for path in files if path.parts[0] == "receipts"]) == 3
    assert b"evaluation_paraphrase" in b"".join(text for path, text in files.items() if path.parts[0] == "dropped")
    assert on_ray.files("curated 0", "curated") == files


def test_gpus_that_no_node_has_are_asked_for_in_one_line_and_not_waited_for(ray_data: Done) -> None:
    (line,) = ray_data.said["curated 0.5"]
    assert line.startswith("SdgError decontaminate needs 0.5 GPUs per worker, and the nodes of Ray have at most 0: ")


@pytest.mark.parametrize(
    ("make", "words"), [("make_failing", "DataError record"), ("make_dying", "SdgError Ray lost its workers (")]
)
def test_errors_come_out_in_one_line(ray_data: Done, make: str, words: str) -> None:
    (line,) = [line for line in ray_data.said[make] if "(raylet)" not in line]
    assert line.startswith(words)
