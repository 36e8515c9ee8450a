"""Thin NeMo Curator stages around functions of the other packages.

A step over shards is one pipeline of three or more stages:

    ReadShard > RecordStage (one or several) > WriteShard

Between them a shard is a DocumentBatch with one column for each field of the record, so any Curator stage can be put
between them. Dropped records are in the batch's metadata. WriteShard finds and counts rows that a user's stage has
removed.
"""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from nemo_curator.backends.base import WorkerMetadata
from nemo_curator.stages.base import ProcessingStage
from nemo_curator.stages.resources import Resources
from nemo_curator.tasks import DocumentBatch, FileGroupTask

from nemo_sdg.errors import DataError
from nemo_sdg.records import Drop, to_dict
from nemo_sdg.storage import Counts, StepDir, read_jsonl

ID = "sample_id"
RESTARTS = {"max_restarts": 4, "max_task_retries": 4}
"""limits for a Ray Data actor whose node or process dies; with Ray Data's default, which has no limit, a record that
kills its process would be tried for ever
"""


def to_frame(records: list[dict[str, Any]]) -> pd.DataFrame:
    """Records as a frame of Python objects, so that no value changes its type."""
    return pd.DataFrame(records, dtype=object)


def to_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The inverse of `to_frame`."""
    columns = [str(name) for name in frame.columns]
    return [
        dict(zip(columns, row, strict=True))
        for row in zip(*(frame[name].tolist() for name in frame.columns), strict=True)
    ]


class OnData:
    """What a stage reads and writes, for Curator: a task's data, in columns that are not known before."""

    def inputs(self) -> tuple[list[str], list[str]]:
        return ["data"], []

    def outputs(self) -> tuple[list[str], list[str]]:
        return ["data"], []


class ReadShard(OnData, ProcessingStage[FileGroupTask, DocumentBatch]):
    """Reads the shard that a task names; `with_drops` also reads the drops of earlier stages of the same step."""

    name = "read_shard"
    resources = Resources(cpus=0.25)
    batch_size = 1

    def __init__(self, source: StepDir, *, with_drops: bool = False) -> None:
        self.source, self.with_drops = source, with_drops

    def outputs(self) -> tuple[list[str], list[str]]:
        return ["data"], [ID]

    def process(self, task: FileGroupTask) -> DocumentBatch:
        (shard,) = task.data
        records = list(read_jsonl(self.source.shard_path(shard)))
        drops = list(read_jsonl(self.source.dropped_path(shard))) if self.with_drops else []
        metadata = {
            "shard": shard,
            "drops": drops,
            "tasks": {record[ID]: record["task"] for record in records},
            "fields": list(records[0]) if records else [],
        }
        return DocumentBatch(dataset_name=self.source.step, data=to_frame(records), _metadata=metadata)


class RecordStage(OnData, ProcessingStage[DocumentBatch, DocumentBatch]):
    """Applies a function to each record of a batch. `make` is called once per worker and returns the function.

    The function takes a record (dict) and returns the record to pass on (dict or dataclass), or a Drop. With `whole` it
    takes all records of a shard at once and returns one result for each, which is faster for models. With `by_shard`
    it takes the shard's name and all records, for functions that read a file beside the shard.
    """

    name = "record"
    resources = Resources(cpus=1.0)
    batch_size = 1

    def __init__(
        self,
        name: str,
        make: Callable[[], Callable[..., Any]],
        *,
        whole: bool = False,
        by_shard: bool = False,
        cpus: float = 1.0,
        gpus: float = 0.0,
    ) -> None:
        self.name, self.make, self.whole, self.by_shard = name, make, whole, by_shard
        self.resources = Resources(cpus=cpus, gpus=gpus)
        self._function: Callable[..., Any] | None = None

    def ray_stage_spec(self) -> dict[str, Any]:
        # Two such stages, reading and writing fit on two CPUs. A pipeline with too few CPUs would wait for ever.
        return {**super().ray_stage_spec(), "ray_num_cpus": 0.75, "ray_remote_args": RESTARTS}

    def setup(self, worker_metadata: WorkerMetadata | None = None) -> None:
        self._function = self.make()

    def process(self, task: DocumentBatch) -> DocumentBatch:
        function = self._function
        assert function is not None, "setup was not called"
        kept, drops = [], list(task._metadata["drops"])
        records = to_records(task.to_pandas())
        if records and (lost := set(task._metadata.get("fields", ())) - records[0].keys()):
            raise DataError(
                f"{task._metadata['shard']}: a stage takes out the field {min(lost)}; a stage of curate.stages may "
                "change fields and take rows out"
            )
        if self.by_shard:
            results = function(task._metadata["shard"], records)
        else:
            results = function(records) if self.whole else map(function, records)
        for result in results:
            if isinstance(result, Drop):
                drops.append(to_dict(result))
            else:
                kept.append(to_dict(result) if dataclasses.is_dataclass(result) else result)
        return dataclasses.replace(task, data=to_frame(kept), _metadata={**task._metadata, "drops": drops})


class WriteShard(OnData, ProcessingStage[DocumentBatch, FileGroupTask]):
    """Writes a shard's kept records, its drops and its receipt. With `once` no shard has a receipt before, and a
    second batch of a shard with other records is an error: one of them would be lost.
    """

    name = "write_shard"
    resources = Resources(cpus=0.25)
    batch_size = 1

    def __init__(self, target: StepDir, *, inputs: Callable[[str], list[Path]], once: bool = False) -> None:
        self.target, self.input_paths, self.once = target, inputs, once

    def process(self, task: DocumentBatch) -> FileGroupTask:
        shard = task._metadata["shard"]
        records = to_records(task.to_pandas())
        drops = task._metadata["drops"]
        if self.once and self.target.receipt(shard) is not None:
            known = [record[ID] for record in read_jsonl(self.target.shard_path(shard))]
            if known != [record[ID] for record in records]:
                self.target.receipt_path(shard).unlink()
                raise DataError(
                    f"{self.target.step}/{shard}: a stage of curate.stages gives several batches for one; it must "
                    "give one batch for each"
                )
        write_counted(
            self.target, shard, records, drops, arrived=task._metadata["tasks"], inputs=self.input_paths(shard)
        )
        return FileGroupTask(dataset_name=self.target.step, data=[shard])


def write_counted(
    target: StepDir,
    shard: str,
    records: list[dict[str, Any]],
    drops: list[dict[str, Any]],
    *,
    arrived: dict[str, str],
    inputs: Iterable[Path],
) -> None:
    """Writes a shard. Ids in `arrived` that are neither kept nor dropped were removed by a user's stage; they are
    dropped with the reason removed_by_stage. Raises DataError for a record that such a stage has doubled or added.
    """
    kept = Counter(record[ID] for record in records)
    for name, num in kept.items():
        if num > 1 or name not in arrived:
            raise DataError(
                f"{target.step}/{shard}: a stage {f'gives {name} twice' if num > 1 else f'adds {name}'}; a stage of "
                "curate.stages may change fields and take rows out"
            )
    known = kept.keys() | {drop["id"] for drop in drops}
    drops = drops + [
        to_dict(Drop(task=task, id=id_, step=target.step, reason="removed_by_stage"))
        for id_, task in arrived.items()
        if id_ not in known
    ]
    counts = Counts()
    for record in records:
        counts.keep(record["task"])
    for drop in drops:
        counts.drop(drop["task"], drop["reason"])
    target.write_shard(shard, records, (Drop(**drop) for drop in drops), counts, inputs=inputs)


class UnitStage(OnData, ProcessingStage[FileGroupTask, FileGroupTask]):
    """Calls `work(unit)` for each unit that a task names: sources to render, or a worker's list of generation
    shards.
    """

    name = "unit"
    batch_size = 1

    def __init__(
        self, name: str, make: Callable[[], Callable[[list[str]], None]], *, cpus: float = 1.0, gpus: float = 0.0
    ) -> None:
        self.name, self.make = name, make
        self.resources = Resources(cpus=cpus, gpus=gpus)
        self._work: Callable[[list[str]], None] | None = None

    def ray_stage_spec(self) -> dict[str, Any]:
        return {**super().ray_stage_spec(), "ray_remote_args": RESTARTS}

    def setup(self, worker_metadata: WorkerMetadata | None = None) -> None:
        self._work = self.make()

    def process(self, task: FileGroupTask) -> FileGroupTask:
        assert self._work is not None, "setup was not called"
        self._work(list(task.data))
        return task
