"""Traces a packed document back to its seed row, prompts and models.

document 17 of packed/context/science/train/shard-00000_text_document
> row 17 of shard-00000.docs.parquet > curated sample > its seeds > dataset rows, prompt and model
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import orjson

from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.export.packed_shards import PREFIX_SUFFIX
from nemo_sdg.export.packing.tokenizers import load_saved
from nemo_sdg.export.report.packed import read_document
from nemo_sdg.records.lines import Receipt
from nemo_sdg.storage import open_content, read_shaped, require_run, stored_files


def trace(run_dir: Path, prefix: str, document: int) -> dict[str, Any]:
    """Everything known of one document: `packed` (with its text), `sample`, `seeds`, `dataset_rows`, `generator`,
    `requests`. Of siblings in one document, `sample` is the first, and `samples` are all.

    `prefix` is absolute as in blend.json, or relative to the run; endings do not matter. Raises ConfigError when it
    names no packed dataset of the run or the document is not in it, DataError when a file on the way is missing.
    """
    import pyarrow.parquet as pq

    require_run(run_dir)
    base = _packed_prefix(run_dir, prefix)
    relative = f"{base.relative_to(run_dir)}{PREFIX_SUFFIX}"
    with pq.ParquetFile(f"{base}.docs.parquet") as file:  # `read_table` would import pandas
        table = file.read()
    rows = [row for row in table.to_pylist() if row["document"] == document]
    if not rows:
        last = max(table["document"].to_pylist(), default=-1)
        raise ConfigError(f"DOCUMENT must be in [0, {last}] for {relative}, got {document}")
    row, receipt = rows[0], _receipt_of(run_dir, f"{relative}.bin")
    samples = [_sample(run_dir, receipt, row["sample_id"]) for row in rows]
    sample = samples[0]
    near = {Path(name).stem for name in receipt["inputs"]}  # a sample stands in the shard of its seed
    shards = sorted(stored_files(run_dir / "seeds", "shard-*.jsonl"), key=lambda path: (path.stem not in near, path))
    seeds = _find(shards, "seed_id", row["seed_ids"])
    missing = [seed_id for seed_id in row["seed_ids"] if seed_id not in seeds]
    if missing:
        raise DataError(
            f"seed {missing[0]} of {relative}, document {document}, is in no shard of {run_dir / 'seeds'}; "
            "`nemo-sdg run` repairs the run"
        )
    return {
        "packed": {"prefix": relative, **row, "text": read_text(run_dir, base, document)},
        "dataset_rows": [
            {"seed_id": seed_id, "license": seeds[seed_id]["license"], **seeds[seed_id]["dataset"]}
            for seed_id in row["seed_ids"]
        ],
        "generator": sample["generator"],
        "sample": sample,
        **({"samples": samples} if len(samples) > 1 else {}),
        "seeds": [seeds[seed_id] for seed_id in row["seed_ids"]],
        "requests": _requests(run_dir, receipt, samples, seeds),
    }


def _requests(
    run_dir: Path, receipt: dict[str, Any], samples: list[dict[str, Any]], seeds: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """Prompts and raw outputs, where the run's journals still have them."""
    from nemo_sdg.pipeline.report import find_calls

    shards = [Path(name).stem for name in receipt["inputs"] if name.startswith("curated/shard-")]
    for shard in shards:
        found = find_calls(run_dir, [(shard, {**sample, "id": sample["sample_id"]}) for sample in samples], seeds)
        calls = [call for sample in samples for call in found.get(sample["sample_id"], [])]
        if calls:
            return [asdict(call) for call in calls]
    return []


def as_text(traced: dict[str, Any]) -> Iterator[str]:
    """The same for reading: the document, where it comes from, what was asked and what came back."""
    packed = traced["packed"]
    yield f"{packed['prefix']}, document {packed['document']}: {packed['num_tokens']} tokens, task {packed['task']}"
    yield from _block("text", packed["text"])
    for row in traced["dataset_rows"]:
        config = f" ({row['name']})" if row.get("name") else ""
        yield ""
        yield f"from row {row['row']} of {row['path']}{config}, split {row['split']}, revision {row['revision']}"
        yield f"licence {row['license']}, seed {row['seed_id']}"
    for seed in traced["seeds"]:
        yield from _block("seed", seed["question"])
        yield f"  answer: {seed['answer']['text']}"
    for sample in traced.get("samples", [traced["sample"]]):
        votes, generator = sample.get("votes") or {}, sample.get("generator") or {}
        yield ""
        yield f"sample {sample['sample_id']}, origin {sample['origin']}, solved by {generator.get('model')}"
        yield f"  {votes.get('agree')} of {votes.get('n')} blind votes agree, kept solution {sample.get('guidance')}"
    for call in traced["requests"]:
        for role, words in call["prompt"]:
            yield from _block(f"{call['name']}: {role}", words)
        if not call["prompt"]:
            yield ""
            yield f"{call['name']}: a prompt shown above, perhaps with its options in another order"
        yield from _block(f"{call['name']}: raw output ({call['finish']})", call["output"])
    if not traced["requests"]:
        yield ""
        yield "prompt and raw output: the journals do not have them, or the prompts were changed since"


def _block(title: str, text: str) -> Iterator[str]:
    yield ""
    yield title
    yield from (f"  {line}" for line in text.splitlines() or [""])


def read_text(run_dir: Path, base: Path, document: int) -> str:
    """A packed document decoded with the tokenizer that the run was packed with."""
    return load_saved(run_dir / "packed" / "tokenizer").decode(read_document(Path(f"{base}{PREFIX_SUFFIX}"), document))


def _packed_prefix(run_dir: Path, prefix: str) -> Path:
    """The packed dataset as a path below `run_dir`, without any ending."""
    for ending in (".bin", ".idx", ".docs.parquet", ".text.parquet"):
        prefix = prefix.removesuffix(ending)
    path = Path(prefix.removesuffix(PREFIX_SUFFIX))
    candidates = (
        [run_dir / path.relative_to(run_dir.resolve())]
        if path.is_absolute() and path.is_relative_to(run_dir.resolve())
        else [run_dir / path, path]
    )
    if path.is_absolute() and "packed" in path.parts:  # as in the blend.json of a run that was copied or moved since
        candidates.append(run_dir.joinpath(*path.parts[len(path.parts) - path.parts[::-1].index("packed") - 1 :]))
    for candidate in candidates:
        if Path(f"{candidate}.docs.parquet").is_file() and candidate.is_relative_to(run_dir / "packed"):
            return candidate
    raise ConfigError(
        f"{prefix} is not a packed dataset of {run_dir}; the prefixes are listed in {run_dir / 'blend'}/*.blend.json"
    )


def _receipt_of(run_dir: Path, output: str) -> dict[str, Any]:
    for path in sorted((run_dir / "packed" / "receipts").glob("*.json")):
        receipt = cast(dict[str, Any], read_shaped(path, Receipt))
        if output in receipt["outputs"]:
            return receipt
    raise DataError(
        f"no receipt in {run_dir / 'packed' / 'receipts'} speaks of {output}; `nemo-sdg run` repairs the run"
    )


def _sample(run_dir: Path, receipt: dict[str, Any], sample_id: str) -> dict[str, Any]:
    found = _find([run_dir / name for name in receipt["inputs"]], "sample_id", [sample_id])
    if sample_id not in found:
        raise DataError(
            f"sample {sample_id} is in none of {', '.join(receipt['inputs'])}; `nemo-sdg run` repairs the run"
        )
    return found[sample_id]


def _find(shards: Iterable[Path], field: str, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Records by id; stops reading when all are found."""
    wanted, found = set(ids), dict[str, dict[str, Any]]()
    for path in shards:
        for record in _records_with(path, [identifier.encode() for identifier in wanted]):
            if record[field] in wanted:
                found[record[field]] = record
                if len(found) == len(wanted):
                    return found
    return found


def _records_with(path: Path, texts: list[bytes]) -> Iterator[dict[str, Any]]:
    """The records of a shard in which one of the texts stands; the other lines are not parsed."""
    try:
        with open_content(path) as handle:
            for number, line in enumerate(handle, 1):
                if any(text in line for text in texts):
                    try:
                        yield orjson.loads(line)
                    except orjson.JSONDecodeError as exc:
                        raise DataError(f"{path}, line {number} is not valid JSON ({exc})") from exc
    except FileNotFoundError as exc:
        raise DataError(f"{path} is missing") from exc
