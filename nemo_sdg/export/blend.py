"""Writes the blend of packed shards and the user's own datasets, in the forms that the trainers read.

    blend/<arm>.blend.json           Nemotron and Megatron-Bridge: {"train": ["0.4", "/abs/prefix", …], "valid": […], …}
    blend/<arm>.nemo.json            NeMo's PreTrainingDataModule(paths=…): train, validation, test; none may be empty,
                                     so that a corpus without a valid split is validated on train
    blend/<arm>.data_args.txt        Megatron-LM's --data-args-path: the train part
    blend/<variant>.data_blend.json  Nemotron's data preparation, for those who let it tokenise the texts: one list of
                                     datasets, from which it cuts its own valid shards; without blend.base, which is
                                     tokenised already
    blend/mixture.json               what the weights come from; paths relative to the run

An arm is a variant, or `base`: blend.base alone, with which an ablation compares. Megatron draws sequences by weight.
The weight of a shard is its tokens times the epochs planned for its task, so that all documents of a task are seen
equally often, and a sample equally often in each variant.
"""

import logging
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nemo_sdg.config import BlendSection, ExportSection, MixtureSection
from nemo_sdg.errors import DataError
from nemo_sdg.export.base_datasets import SPLITS, BaseDataset, check_share, read_base
from nemo_sdg.export.mixture import Mixture, VariantPlan, plan_mixture
from nemo_sdg.storage import StepDir, write_bytes, write_json

PREFIX_SUFFIX = "_text_document"
TEXT_SUFFIX = ".text.parquet"
BASE_ARM = "base"
FORMS = (".blend.json", ".nemo.json", ".data_args.txt", ".data_blend.json")

Weighted = list[tuple[float, Path]]
"""weight, prefix: a Megatron dataset without .bin/.idx"""


def write_blend(
    step: StepDir, mixture: Mixture, export: ExportSection, blend: BlendSection, *, packed: StepDir
) -> dict[str, Any]:
    """Writes blend/ from the receipts of packed/ by the plan, and returns the contents of mixture.json.

    Raises ConfigError for a base dataset that cannot be used, a share without a base, or a base without a share;
    DataError when a variant has no documents.
    """
    plans = mixture.variants
    check_share(blend, min(plan.synthetic_share for plan in plans.values()))
    base = read_base(blend.base)
    receipts = packed_receipts(packed)
    shards = {
        variant: {split: _shard_weights(receipts, variant, split, mixture) for split in SPLITS} for variant in plans
    }
    for variant, splits in shards.items():
        if not splits["train"]:
            raise DataError(
                f"variant {variant} has no document in the split train; look at packed/dropped for the "
                "reasons, or lower export.valid_share"
            )
    rest = {split: [(dataset.weight, dataset.prefix) for dataset in datasets] for split, datasets in base.items()}
    for variant, plan in plans.items():
        datasets = {
            split: _join(_absolute(shards[variant][split], packed.run_dir), rest[split], plan.synthetic_share)
            for split in SPLITS
        }
        _write_forms(step.path, variant, datasets)
        raw = [_raw_dataset(weight, prefix, packed.run_dir) for weight, prefix in shards[variant]["train"]]
        write_json(step.path / f"{variant}.data_blend.json", {"datasets": raw})
    if blend.base:
        _write_forms(step.path, BASE_ARM, rest)
    _remove_others(step.path, {*plans, *([BASE_ARM] if blend.base else [])})
    content = {
        "budget": export.budget.value,
        "reference": mixture.reference,
        "synthetic_share": plans[mixture.reference].synthetic_share,
        "families": mixture.weights,
        "base": {
            split: [_base_row(dataset, split, mixture) for dataset in datasets] for split, datasets in base.items()
        },
        "arms": _arms(mixture, bool(blend.base)),
        "variants": {
            variant: {
                **{split: _relative(shards[variant][split]) for split in SPLITS},
                "tokens": _family_tokens(receipts, variant),
                "nemo_validates_on": "valid" if shards[variant]["valid"] or base["valid"] else "train",
                "train_tokens": plan.available,
                **_plan_row(plan),
            }
            for variant, plan in plans.items()
        },
        "explanation": mixture.as_dict(),
    }
    write_json(step.path / "mixture.json", content)
    return content


def plan_blend(packed: StepDir, export: ExportSection, mixture: MixtureSection) -> Mixture:
    """The mixture of what is packed."""
    receipts = packed_receipts(packed)
    bands = packed_bands(receipts, export.variants) if mixture.difficulty else None
    plan = plan_mixture(packed_tokens(receipts, export.variants), mixture, export.budget, bands)
    plan.notes += [note for variant in export.variants for note in _losses(receipts, variant)]
    return plan


def _losses(receipts: list[dict[str, Any]], variant: str) -> list[str]:
    """Notes on what the tokenizer lost of a variant's texts, and on traces that are not there."""
    sizes = [receipt["variants"][variant] for receipt in receipts if variant in receipt["variants"]]
    total: Counter[str] = Counter()
    for row in sizes:
        total.update(row)
    notes = []
    if total["changed_documents"]:
        notes.append(
            f"variant {variant}: the tokenizer does not give back {total['changed_documents']:,} of "
            f"{total['documents']:,} documents as they were written ({total['unknown_tokens']:,} unknown tokens)"
        )
    if total["without_trace"]:
        num = sum(row["kept"] for receipt in receipts for row in receipt["counts"].values())
        notes.append(
            f"variant {variant}: {total['without_trace']:,} of {num:,} samples have no trace and read as in no_context"
        )
    return notes


def packed_receipts(packed: StepDir) -> list[dict[str, Any]]:
    return [receipt for receipt in map(packed.receipt, packed.shards()) if receipt]


def packed_tokens(receipts: list[dict[str, Any]], variants: list[str]) -> dict[str, dict[str, dict[str, int]]]:
    """Tokens of the train split, {variant: {family: {task: tokens}}}."""
    tokens: dict[str, dict[str, dict[str, int]]] = {variant: {} for variant in variants}
    for receipt in receipts:
        if receipt["split"] == "train":
            for variant in variants:
                if sizes := receipt["variants"].get(variant):
                    family = tokens[variant].setdefault(receipt["family"], {})
                    family[receipt["task"]] = family.get(receipt["task"], 0) + sizes["tokens"]
    return tokens


def packed_bands(
    receipts: list[dict[str, Any]], variants: list[str]
) -> dict[str, dict[str, dict[str, dict[str, int]]]]:
    """Tokens of the train split, {variant: {family: {task: {band of difficulty: tokens}}}}. Raises DataError where the
    bands were not packed apart.
    """
    if any("band" not in receipt for receipt in receipts):
        raise DataError(
            "mixture.difficulty needs bands, and the corpus was packed without export.difficulty_bands: run with "
            "--from packed"
        )
    tokens: dict[str, dict[str, dict[str, dict[str, int]]]] = {variant: {} for variant in variants}
    for receipt in receipts:
        if receipt["split"] == "train":
            for variant in variants:
                if sizes := receipt["variants"].get(variant):
                    task = tokens[variant].setdefault(receipt["family"], {}).setdefault(receipt["task"], {})
                    task[receipt["band"]] = task.get(receipt["band"], 0) + sizes["tokens"]
    return tokens


def _family_tokens(receipts: list[dict[str, Any]], variant: str) -> dict[str, int]:
    """Tokens of both splits per family."""
    tokens: dict[str, int] = {}
    for receipt in receipts:
        if sizes := receipt["variants"].get(variant):
            tokens[receipt["family"]] = tokens.get(receipt["family"], 0) + sizes["tokens"]
    return dict(sorted(tokens.items()))


def _shard_weights(
    receipts: list[dict[str, Any]], variant: str, split: str, mixture: Mixture
) -> list[tuple[float, str]]:
    """Weights of a split's shards, which sum to 1, and their prefixes relative to the run."""
    drawn = [
        (
            mixture.epochs(receipt["family"], receipt["task"], receipt.get("band", "")) * sizes["tokens"],
            _prefix(receipt, variant),
        )
        for receipt in receipts
        if receipt["split"] == split and (sizes := receipt["variants"].get(variant))
    ]
    total = math.fsum(tokens for tokens, _ in drawn)
    return [(tokens / total, prefix) for tokens, prefix in drawn]


def _prefix(receipt: dict[str, Any], variant: str) -> str:
    (name,) = (
        name for name in receipt["outputs"] if name.endswith(f"{PREFIX_SUFFIX}.bin") and Path(name).parts[1] == variant
    )
    return str(name).removesuffix(".bin")


def _absolute(shards: list[tuple[float, str]], run_dir: Path) -> Weighted:
    return [(weight, run_dir.resolve() / prefix) for weight, prefix in shards]


def _relative(shards: list[tuple[float, str]]) -> list[dict[str, Any]]:
    return [{"weight": weight, "prefix": prefix} for weight, prefix in shards]


def _base_row(dataset: BaseDataset, split: str, mixture: Mixture) -> dict[str, Any]:
    row: dict[str, Any] = {"weight": dataset.weight, "prefix": str(dataset.prefix), "tokens": dataset.tokens}
    if split == "train":
        row["epochs"] = {
            arm: facts["base_tokens"] * dataset.weight / dataset.tokens for arm, facts in _arms(mixture, True).items()
        }
    return row


def _arms(mixture: Mixture, has_base: bool) -> dict[str, dict[str, Any]]:
    """What an ablation trains, each for `total_tokens`; `base` is the checkpoint continued on blend.base alone."""
    arms = {
        variant: {
            "blend": f"{variant}.blend.json",
            "total_tokens": plan.total_tokens,
            "synthetic_tokens": plan.trained_tokens,
            "base_tokens": max(0, plan.total_tokens - plan.trained_tokens),
        }
        for variant, plan in mixture.variants.items()
    }
    if has_base:
        total = mixture.variants[mixture.reference].total_tokens
        alone = {"blend": f"{BASE_ARM}.blend.json", "total_tokens": total, "synthetic_tokens": 0, "base_tokens": total}
        arms = {BASE_ARM: alone, **arms}
    return arms


def _plan_row(plan: VariantPlan) -> dict[str, Any]:
    row = asdict(plan)
    del row["available"]
    return row


def _join(synthetic: Weighted, base: Weighted, synthetic_share: float) -> Weighted:
    share = synthetic_share if base else 1.0
    if not synthetic:
        return base
    return [(weight * share, prefix) for weight, prefix in synthetic] + [
        (weight * (1 - share), prefix) for weight, prefix in base
    ]


def _flat(datasets: Weighted) -> list[str]:
    return [item for weight, prefix in datasets for item in (f"{weight:.9g}", str(prefix))]


def _write_forms(folder: Path, arm: str, datasets: Mapping[str, Weighted]) -> None:
    train, valid = _flat(datasets["train"]), _flat(datasets["valid"])
    write_json(folder / f"{arm}.blend.json", {"train": train, "valid": valid or None, "test": None})
    # NeMo raises on a list that is empty, and on a flat list it cuts splits from each shard, which never ends for
    # shards of a few documents.
    write_json(folder / f"{arm}.nemo.json", {"train": train, "validation": valid or train, "test": valid or train})
    arguments = folder / f"{arm}.data_args.txt"
    if any(" " in item for item in train):
        arguments.unlink(missing_ok=True)
        logging.getLogger(__name__).warning(
            "%s is not written: Megatron-LM splits it at spaces, and the blend has a path with a space", arguments
        )
    else:
        write_bytes(arguments, f"{' '.join(train)}\n".encode())


def _remove_others(folder: Path, arms: set[str]) -> None:
    """Removes the forms of arms that an earlier configuration had: an ablation would take them for its own."""
    for form in FORMS:
        for path in folder.glob(f"*{form}"):
            if path.name.removesuffix(form) not in arms:
                path.unlink()


def _raw_dataset(weight: float, prefix: str, run_dir: Path) -> dict[str, Any]:
    """One shard's texts as Nemotron's data preparation names a dataset."""
    _, variant, family, _, name = Path(prefix).parts
    shard = name.removesuffix(PREFIX_SUFFIX)
    return {
        "name": f"{family}-{variant}-{shard}",
        "path": f"{run_dir.resolve() / prefix.removesuffix(PREFIX_SUFFIX)}{TEXT_SUFFIX}",
        "weight": weight,
        "text_field": "text",
    }
