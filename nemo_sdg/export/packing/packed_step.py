"""The folder of the step `packed`: recognises that all packed shards are finished without planning them again from the
curated samples, and removes stray files.

    packed/plan.json
    {"curated": {"curated/shard-00000.jsonl": "cd34…", …},          SHA-256 of what was planned from
     "shards": [["math-train-00000", "5f0a…"], …]}                  packed shards, SHA-256 of each one's receipt

The plan follows from the content of the curated shards, from the configuration and from the tokenizer. The fingerprint
and the tokenizer's digest in each receipt stand for the last two.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import cast

from nemo_sdg.errors import DataError
from nemo_sdg.records.lines import PackedReceipt
from nemo_sdg.storage import StepDir, read_json, remove_temporaries, sha256_file, write_json

PLAN = "plan.json"


def write_plan(shards: Iterable[Path], step: StepDir, names: Iterable[str], *, full: bool) -> None:
    """Notes what the packed shards `names` were planned from. Written when all of them are done."""
    named = [[name, sha256_file(step.receipt_path(name))] for name in names]
    write_json(step.path / PLAN, {"curated": _curated(shards, step, full=full), "shards": named})


def _curated(shards: Iterable[Path], step: StepDir, *, full: bool) -> dict[str, str]:
    return {step.relative(path): step.input_sha256(path, full=full) for path in shards}


def finished_shards(shards: list[Path], step: StepDir, tokenizer: str, *, full: bool) -> list[PackedReceipt] | None:
    """The receipts of all packed shards, if all are done by a plan of the same curated shards; else None. `tokenizer`
    is a digest.
    """
    try:
        plan = read_json(step.path / PLAN)
        known = {str(name): str(digest) for name, digest in plan["shards"]}
        if sorted(known) != step.shards() or plan["curated"] != _curated(shards, step, full=full):
            return None
    except (DataError, KeyError, TypeError, ValueError, OSError):
        return None
    if full:
        step.hash_outputs(known)
    receipts = []
    for name, digest in known.items():
        receipt = receipt_of(name, step)
        if receipt is None or sha256_file(step.receipt_path(name)) != digest or receipt.get("tokenizer") != tokenizer:
            return None
        inputs = [step.run_dir / path for path in receipt["inputs"]]
        if step.problem(name, inputs=inputs, full=full) is not None:
            return None
        receipts.append(receipt)
    return receipts


def receipt_of(name: str, step: StepDir) -> PackedReceipt | None:
    return cast(PackedReceipt | None, step.receipt(name))


def discard(name: str, step: StepDir) -> None:
    """Removes a packed shard, its receipt first."""
    receipt = receipt_of(name, step)
    step.receipt_path(name).unlink(missing_ok=True)
    for output in receipt.get("outputs", {}) if receipt else ():
        (step.run_dir / output).unlink(missing_ok=True)


def remove_strays(step: StepDir, receipts: Iterable[PackedReceipt]) -> None:
    """Removes packed files without a receipt, left by a killed worker or by a killed run with another plan."""
    remove_temporaries(step.path)
    known = {step.run_dir / output for receipt in receipts for output in receipt["outputs"]}
    for path in [*step.path.glob("*/*/*/shard-*"), *step.path.glob("dropped/*.jsonl")]:
        if path not in known and path.is_file():
            path.unlink()
