"""The context of a step: the configuration, the run's folder, the fingerprints of receipts, the progress display."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nemo_sdg.config import Executor, RunConfig, Verify
from nemo_sdg.execution.processes import num_processes, start_server
from nemo_sdg.execution.progress import Progress, StepProgress
from nemo_sdg.storage import StepDir, total_dropped, total_kept

if TYPE_CHECKING:
    from nemo_sdg.execution.stages import UnitStage

COMPRESSED = {"questions", "screened", "answers", "graded", "verified", "curated/filtered"}
"""folders whose shards are compressed: they are read in order, by the next step. Packing reads single samples of
`curated`
"""


@dataclass(kw_only=True)
class Context:
    config: RunConfig
    run_dir: Path
    steps: list[str]
    """the steps that this configuration runs, in order"""
    progress: Progress
    fingerprints: dict[str, str] = field(default_factory=dict)
    """step -> fingerprint of its receipts (storage/ledger.py), for the steps that run now"""
    hashes: dict[Path, tuple[int, int, str]] = field(default_factory=dict)
    """path -> size, modification time, SHA-256 of the run's files, so that each file is read once per process"""
    worker: tuple[int, int] = (0, 1)
    """(index, number of workers) of this process in a generation array; it takes every n-th shard of n workers"""

    def step_dir(self, step: str, subdir: str = "") -> StepDir:
        return StepDir(
            run_dir=self.run_dir,
            step=step,
            fingerprint=self.fingerprints.get(step, ""),
            subdir=subdir,
            compress=(f"{step}/{subdir}" if subdir else step) in COMPRESSED,
            hashes=self.hashes,
        )

    def before(self, step: str) -> StepDir:
        """The folder of the step before this one. Steps that are not configured are skipped."""
        return self.step_dir(self.steps[self.steps.index(step) - 1])

    def unfinished(self, target: StepDir, inputs: dict[str, list[Path]]) -> list[str]:
        """The shards among `inputs` (shard -> the files it is made from) that are not done."""
        full = self.config.run.verify is Verify.full
        if full:
            target.hash_outputs(inputs)
        return [shard for shard, paths in inputs.items() if target.problem(shard, inputs=paths, full=full)]

    def expect_processes(self, tasks: int, records: int | None, *, preload: str) -> None:
        """Starts the server of worker processes if `run_stages` will use some: it imports the module `preload` while
        the step gets ready.
        """
        run = self.config.run
        if run.executor is Executor.local and num_processes(run.workers, tasks, records) > 1:
            start_server(preload)

    def run_stages(
        self,
        name: str,
        stages: "list[Any] | list[UnitStage]",
        units: Iterable[list[str]],
        *,
        target: StepDir,
        total: int | None,
        unit: str = "shards",
        first: str = "",
        records: int | None = None,
    ) -> None:
        """Runs Curator stages over units of work, and shows receipts that appear in `target`. `first` names the work
        before the first receipt, such as loading a model. `records` is the number of records in the units, if known:
        few shards with many records are shared by processes too.
        """
        units = list(units)
        if not units:
            return
        from nemo_curator.pipeline import Pipeline
        from nemo_curator.tasks import FileGroupTask

        from nemo_sdg.execution.executors import make_executor

        tasks = [FileGroupTask(dataset_name=name, data=list(names)) for names in units]
        with self.progress.step(name, total, unit) as state:
            state.poll, state.phase = watch_receipts(target), first
            Pipeline(name=name, stages=stages).run(
                make_executor(self.config.run.executor, self.config.run.workers, records), initial_tasks=tasks
            )


def watch_receipts(target: StepDir) -> Callable[[StepProgress], None]:
    """A poll that counts shards and records from the receipts on disk, so it works for every executor. Each receipt is
    read once.
    """
    seen = set[str]()
    kept, dropped = 0, Counter[str]()

    def poll(state: StepProgress) -> None:
        nonlocal kept
        for shard in target.shards():
            receipt = None if shard in seen else target.receipt(shard)
            if receipt is None:
                continue
            seen.add(shard)
            kept += total_kept(receipt["counts"])
            dropped.update(total_dropped(receipt["counts"]))
        state.state(done=len(seen), kept=kept, dropped=dropped)

    return poll
