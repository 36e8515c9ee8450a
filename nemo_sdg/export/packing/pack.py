"""Packs curated samples into Megatron indexed datasets, with the same documents in the same order for each variant.

    packed/<variant>/<family>/<split>/
        shard-00000_text_document.{bin,idx}     megatron-core's format, one end-of-document id each
        shard-00000.docs.parquet                where each document comes from
        shard-00000.text.parquet                the texts themselves, for datasets.load_dataset
    packed/dropped/<family>-<split>-00000.jsonl what is empty or too long, never cut
    packed/receipts/<family>-<split>-00000.json written last; with what the tokenizer lost, per variant
    packed/tokenizer/                           what it was packed with
    packed/plan.json                            what all of it was planned from (packed_step.py)

Shards are planned first (shard_plan.py), so that their bytes do not depend on who packs them. Memory is one batch.
"""

import contextlib
import functools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from nemo_sdg.config import ExportSection, Form
from nemo_sdg.errors import DataError
from nemo_sdg.execution.processes import worker_processes
from nemo_sdg.export.packing.encode import Encoded, encode_samples, join_documents
from nemo_sdg.export.packing.packed_files import ShardWriter
from nemo_sdg.export.packing.packed_step import discard, finished_shards, receipt_of, remove_strays, write_plan
from nemo_sdg.export.packing.shard_plan import PackUnit, plan_packing, seed_of, straddles
from nemo_sdg.export.packing.tokenizers import Tokenizer, load_saved, load_tokenizer
from nemo_sdg.records import drop_sample, json_line
from nemo_sdg.records.lines import PackedReceipt, SampleLine
from nemo_sdg.storage import SHARD_FORMAT, Counts, StepDir, atomic_file, file_facts, remove_temporaries, total_dropped

BATCH = 1024
"""documents tokenised at once"""
BYTES_FOR_A_WORKER = 16 * 2**20
"""of curated samples: a further process takes 4 s to start, in which one packs about as much"""
Map = Callable[..., Iterable[Any]]
"""the built-in `map` or what carries out the same elsewhere; results in the order of the arguments"""


def shard_prefix(folder: Path, unit: PackUnit, variant: str) -> Path:
    """Path of a packed shard without its endings."""
    return folder / variant / unit.family / unit.split / SHARD_FORMAT.format(unit.index)


def pack_shard(unit: PackUnit, step: StepDir, export: ExportSection, tokenizer: Tokenizer) -> PackedReceipt:
    """Packs one shard for all variants and returns its receipt. A shard whose documents all drop has no files, only
    its receipt.

    Drops: `empty` (no question or no answer), `overlong` (more than export.max_document_tokens in some variant),
    `straddles_splits`, `control_token` (a control id inside the document).
    """
    discard(unit.name, step)
    counts, writers = Counts(), dict[str, ShardWriter]()
    dropped_path = step.dropped_path(unit.name)
    without_trace = 0
    with contextlib.ExitStack() as files:
        dropped_file = files.enter_context(atomic_file(dropped_path))
        for samples in _batches(unit.samples(), export.form):
            kept: list[Encoded] = []
            for encoded in encode_samples(samples, export, tokenizer):
                rejected = _reject(encoded, export, tokenizer)
                if rejected is None:
                    kept.append(encoded)
                    continue
                counts.drop(encoded.sample["task"], rejected[0])
                dropped_file.write(json_line(drop_sample(dict(encoded.sample), step.step, *rejected)))
            if kept and not writers:
                writers = {
                    variant: ShardWriter(shard_prefix(step.path, unit, variant), tokenizer, files)
                    for variant in export.variants
                }
            for members, texts, ids in join_documents(kept, export, tokenizer):
                for writer, text, own in zip(writers.values(), texts, ids, strict=True):
                    writer.add([encoded.sample for encoded in members], text, own)
            without_trace += sum(not encoded.sample.get("trace") for encoded in kept)
            counts.keep(unit.task, len(kept))
        for writer in writers.values():
            writer.finish()
    counted = counts.as_dict()
    outputs = {step.relative(path): file_facts(path) for writer in writers.values() for path in writer.paths}
    outputs[step.relative(dropped_path)] = file_facts(dropped_path, rows=total_dropped(counted).total())
    sizes = _sizes(writers)
    if "trace" in sizes:
        sizes["trace"]["without_trace"] = without_trace
    extra = {**_identity(unit, tokenizer), "variants": sizes}
    return cast(PackedReceipt, step.write_receipt(unit.name, outputs, counted, inputs=unit.inputs, extra=extra))


def _reject(encoded: Encoded, export: ExportSection, tokenizer: Tokenizer) -> tuple[str, str | None] | None:
    """Why a sample is left out; None when it is packed."""
    if straddles(encoded.sample, export.valid_share):
        return "straddles_splits", "its seeds lie in train and valid"
    num_tokens = [len(ids) for ids in encoded.ids]
    if not all(num_tokens):
        return "empty", None
    longest, ends = max(num_tokens), len(tokenizer.as_document([]))
    if longest + ends > export.max_document_tokens:
        return (
            "overlong",
            (
                f"{longest + ends} tokens as {export.variants[num_tokens.index(longest)]}, at most "
                f"{export.max_document_tokens} allowed"
            ),
        )
    for ids in encoded.ids:
        if not tokenizer.control.isdisjoint(ids):
            found = next(number for number in ids if number in tokenizer.control)
            return "control_token", f"the id {found} ({tokenizer.backend.id_to_token(found)}) inside its text"
    return None


def _batches(samples: Iterator[SampleLine], form: Form) -> Iterator[list[SampleLine]]:
    """Of about BATCH samples; siblings are not parted."""
    siblings = (list(group) for _, group in groupby(samples, key=seed_of))
    groups = ([sample] for sample in samples) if form is Form.single else siblings
    batch: list[SampleLine] = []
    for group in groups:
        batch += group
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _identity(unit: PackUnit, tokenizer: Tokenizer) -> dict[str, str]:
    """The identity of a packed shard beyond configuration and inputs: its rows, and the tokenizer's content."""
    return {
        "family": unit.family,
        "split": unit.split,
        "task": unit.task,
        **({"band": unit.band} if unit.band else {}),
        "rows": unit.rows_id(),
        "tokenizer": tokenizer.digest,
    }


def _sizes(writers: dict[str, ShardWriter]) -> dict[str, dict[str, int]]:
    return {
        variant: {"documents": writer.num_documents, "tokens": writer.num_tokens, **asdict(writer.losses)}
        for variant, writer in writers.items()
    }


def problem(unit: PackUnit, step: StepDir, tokenizer: Tokenizer, *, full: bool = True) -> str | None:
    """Why a packed shard does not count as done, or None when it does."""
    found = step.problem(unit.name, inputs=unit.inputs, full=full)
    if found is None:
        receipt = step.receipt(unit.name) or {}
        changed = [name for name, value in _identity(unit, tokenizer).items() if receipt.get(name) != value]
        found = f"{step.step}/{unit.name} was packed with other {' and '.join(changed)}" if changed else None
    return found


def pack_shards(
    shards: Iterable[Path],
    step: StepDir,
    export: ExportSection,
    *,
    workers: int = 1,
    dask_address: str | None = None,
    full: bool = True,
    on_done: Callable[[PackedReceipt], None] | None = None,
) -> list[PackedReceipt]:
    """Packs all curated shards and returns the receipts in order; what is done already is not done again.

    Over `workers` processes, or over the Dask of `dask_address`, whose workers see the run's folder by the same
    absolute path. Raises ConfigError for a tokenizer without end-of-sequence token, DataError where nothing is left.
    """
    tokenizer, shards = load_tokenizer(export.tokenizer, bos=export.bos), sorted(shards)
    if dask_address is not None:
        shards, step = [path.resolve() for path in shards], replace(step, run_dir=step.run_dir.resolve())
    if (receipts := finished_shards(shards, step, tokenizer.digest, full=full)) is not None:
        tokenizer.save(step.path / "tokenizer")
        remove_strays(step, receipts)
        return receipts
    tokenizer.num_read += (num_bytes := sum(path.stat().st_size for path in shards))
    workers = min(workers, 1 + num_bytes // BYTES_FOR_A_WORKER)
    with open_pool(tokenizer, workers, dask_address) as map_units:
        return pack_units(shards, step, export, tokenizer, map_units, full=full, on_done=on_done)


def pack_units(
    shards: Iterable[Path],
    step: StepDir,
    export: ExportSection,
    tokenizer: Tokenizer,
    map_units: Map,
    *,
    full: bool = True,
    on_done: Callable[[PackedReceipt], None] | None = None,
) -> list[PackedReceipt]:
    """`pack_shards` with processes that are there already."""
    remove_temporaries(step.path)
    shards = list(shards)
    units = plan_packing(shards, export, tokenizer, map_shards=map_units)
    if not units:
        raise DataError("there is nothing to pack: no curated sample is left; look at curated/dropped for the reasons")
    for name in set(step.shards()) - {unit.name for unit in units}:
        discard(name, step)
    tokenizer.save(step.path / "tokenizer")
    if full:
        step.hash_outputs(unit.name for unit in units)
    done = {
        unit.name: receipt
        for unit in units
        if problem(unit, step, tokenizer, full=full) is None and (receipt := receipt_of(unit.name, step))
    }
    todo = [unit for unit in units if unit.name not in done]
    for unit in todo:
        discard(unit.name, step)
    for receipt in map_units(
        _pack_unit, todo, [step] * len(todo), [export] * len(todo), [tokenizer.digest] * len(todo)
    ):
        done[receipt["shard"]] = receipt
        if on_done:
            on_done(receipt)
    receipts = [done[unit.name] for unit in units]
    remove_strays(step, receipts)
    write_plan(shards, step, [unit.name for unit in units], full=full)
    return receipts


_held: dict[str, Tokenizer] = {}
"""by digest, one at a time: what this process packs with"""


def _hold(tokenizer: Tokenizer) -> None:
    _held.clear()
    _held[tokenizer.digest] = tokenizer


def _start_worker(tokenizer: Tokenizer) -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the others have the cores
    _hold(tokenizer)


def _tokenizer(step: StepDir, digest: str) -> Tokenizer:
    """The tokenizer of that digest: the one already loaded, or the one that the run keeps, for a Dask worker."""
    if digest not in _held:
        _start_worker(load_saved(step.path / "tokenizer"))
    if digest not in _held:
        raise DataError(
            f"{step.path / 'tokenizer'} is not the tokenizer that this run packs with; do two runs work on one folder?"
        )
    return _held[digest]


def _pack_unit(unit: PackUnit, step: StepDir, export: ExportSection, digest: str) -> PackedReceipt:
    """Dask does a task again when the worker that did it dies: what is packed by then stays as it is."""
    tokenizer = _tokenizer(step, digest)
    if problem(unit, step, tokenizer, full=False) is None and (receipt := receipt_of(unit.name, step)):
        return receipt
    return pack_shard(unit, step, export, tokenizer)


@contextlib.contextmanager
def open_pool(tokenizer: Tokenizer, workers: int, dask_address: str | None = None) -> Iterator[Map]:
    """A `map` over the workers of Dask, over processes of this machine that hold the tokenizer, or for one worker in
    this process.
    """
    if dask_address is not None:
        from nemo_sdg.execution.dask_tasks import connect, map_on

        with connect(dask_address) as client:
            yield functools.partial(map_on, client, "packing")
    elif workers > 1:
        with worker_processes(
            workers, start=_start_worker, arguments=(tokenizer,), preload=("nemo_sdg.export.packing.preload",)
        ) as executor:
            yield executor.map
    else:
        _hold(tokenizer)
        yield map
