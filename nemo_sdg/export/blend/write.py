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
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nemo_sdg.config import BlendSection, ExportSection, MixtureSection
from nemo_sdg.errors import DataError
from nemo_sdg.export.blend.base_datasets import SPLITS, BaseDataset, check_share, read_base
from nemo_sdg.export.blend.mixture import Mixture, plan_mixture
from nemo_sdg.export.blend.mixture_file import Arm, BaseRow, MixtureFile, WeightedShard
from nemo_sdg.export.packed_shards import (
    PREFIX_SUFFIX,
    TEXT_SUFFIX,
    PackedShard,
    band_tokens,
    family_sizes,
    packed_shards,
    train_tokens,
    variant_size,
)
from nemo_sdg.storage import StepDir, write_bytes, write_json

BASE_ARM = "base"
FORMS = (".blend.json", ".nemo.json", ".data_args.txt", ".data_blend.json")

Weighted = list[tuple[float, Path]]
"""weight, prefix: a Megatron dataset without .bin/.idx"""


def write_blend(
    step: StepDir, mixture: Mixture, export: ExportSection, blend: BlendSection, *, packed: StepDir
) -> MixtureFile:
    """Writes blend/ from the receipts of packed/ by the plan, and returns the contents of mixture.json.

    Raises ConfigError for a base dataset that cannot be used, a share without a base, or a base without a share;
    DataError when a variant has no documents.
    """
    plans = mixture.variants
    check_share(blend, min(plan.synthetic_share for plan in plans.values()))
    base = read_base(blend.base)
    found = packed_shards(packed.run_dir)
    families = family_sizes(found)
    shards = {variant: {split: _shard_weights(found, variant, split, mixture) for split in SPLITS} for variant in plans}
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
    content: MixtureFile = {
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
                "train": _relative(shards[variant]["train"]),
                "valid": _relative(shards[variant]["valid"]),
                "tokens": {family: size.tokens for family, size in sorted(families.get(variant, {}).items())},
                "nemo_validates_on": "valid" if shards[variant]["valid"] or base["valid"] else "train",
                "train_tokens": plan.available,
                "trained_tokens": plan.trained_tokens,
                "epochs": plan.epochs,
                "synthetic_share": plan.synthetic_share,
                "total_tokens": plan.total_tokens,
                "families": {name: asdict(seen) for name, seen in plan.families.items()},
            }
            for variant, plan in plans.items()
        },
        "explanation": mixture.as_dict(),
    }
    write_json(step.path / "mixture.json", content)
    return content


def plan_blend(packed: StepDir, export: ExportSection, mixture: MixtureSection) -> Mixture:
    """The mixture of what is packed."""
    shards = packed_shards(packed.run_dir)
    bands = band_tokens(shards, export.variants) if mixture.difficulty else None
    plan = plan_mixture(train_tokens(shards, export.variants), mixture, export.budget, bands)
    plan.notes += [note for variant in export.variants for note in _losses(shards, variant)]
    return plan


def _losses(shards: list[PackedShard], variant: str) -> list[str]:
    """Notes on what the tokenizer lost of a variant's texts, and on traces that are not there."""
    total, notes = variant_size(shards, variant), []
    if total.changed_documents:
        notes.append(
            f"variant {variant}: the tokenizer does not give back {total.changed_documents:,} of "
            f"{total.documents:,} documents as they were written ({total.unknown_tokens:,} unknown tokens)"
        )
    if total.without_trace:
        num = sum(shard.kept for shard in shards)
        notes.append(
            f"variant {variant}: {total.without_trace:,} of {num:,} samples have no trace and read as in no_context"
        )
    return notes


def _shard_weights(shards: list[PackedShard], variant: str, split: str, mixture: Mixture) -> list[tuple[float, str]]:
    """Weights of a split's shards, which sum to 1, and their prefixes relative to the run."""
    drawn = [
        (
            mixture.epochs(shard.family, shard.task, shard.band or "") * shard.variants[variant].tokens,
            shard.prefix(variant),
        )
        for shard in shards
        if shard.split == split and variant in shard.variants
    ]
    total = math.fsum(tokens for tokens, _ in drawn)
    return [(tokens / total, prefix) for tokens, prefix in drawn]


def _absolute(shards: list[tuple[float, str]], run_dir: Path) -> Weighted:
    return [(weight, run_dir.resolve() / prefix) for weight, prefix in shards]


def _relative(shards: list[tuple[float, str]]) -> list[WeightedShard]:
    return [{"weight": weight, "prefix": prefix} for weight, prefix in shards]


def _base_row(dataset: BaseDataset, split: str, mixture: Mixture) -> BaseRow:
    row: BaseRow = {"weight": dataset.weight, "prefix": str(dataset.prefix), "tokens": dataset.tokens}
    if split == "train":
        row["epochs"] = {
            arm: facts["base_tokens"] * dataset.weight / dataset.tokens for arm, facts in _arms(mixture, True).items()
        }
    return row


def _arms(mixture: Mixture, has_base: bool) -> dict[str, Arm]:
    """Each is trained for `total_tokens`; `base` is the checkpoint continued on blend.base alone."""
    arms: dict[str, Arm] = {
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
        alone: Arm = {
            "blend": f"{BASE_ARM}.blend.json",
            "total_tokens": total,
            "synthetic_tokens": 0,
            "base_tokens": total,
        }
        arms = {BASE_ARM: alone, **arms}
    return arms


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
