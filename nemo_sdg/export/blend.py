"""Packed shards and the user's own datasets become one blend, in the forms that the trainers read.

    blend/<variant>.blend.json       Nemotron and Megatron-Bridge: {"train": ["0.4", "/abs/prefix", …], "valid": […], "test": null}
    blend/<variant>.nemo.json        NeMo's PreTrainingDataModule(paths=…): train, validation, test; none may be empty, so that a
                                     corpus without a valid split is validated on train (mixture.json says so)
    blend/<variant>.data_args.txt    Megatron-LM's --data-args-path: the train part
    blend/<variant>.data_blend.json  Nemotron's data preparation, for those who let it tokenise the texts: its nano3
    recipe takes one list of
                                     datasets and cuts its own valid shards from it, so that ours, of split valid, stay
                                     out; a family's
                                     tasks share as found, and blend.base, which is tokenised already, is not in it
    blend/mixture.json               what the weights come from; paths relative to the run

Megatron draws sequences, not documents, by weight. The weight of a task (or of a family, where tasks have none of
their own)
is therefore shared among its shards by their tokens: all of its documents are then seen equally often.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nemo_sdg.config import BlendSection, BlendSource, Budget, ExportSection
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.storage import StepDir, read_json, write_bytes, write_json

PREFIX_SUFFIX = "_text_document"
SPLITS = ("train", "valid")

Weighted = list[tuple[float, Path]]
"""weight, prefix: a Megatron dataset without .bin/.idx"""


def write_blend(
    step: StepDir,
    family_weights: Mapping[str, float],
    export: ExportSection,
    blend: BlendSection,
    *,
    packed: StepDir,
    task_weights: Mapping[str, Mapping[str, float]] | None = None,
    synthetic_share: float = 1.0,
    train_tokens: int | None = None,
    explanation: Any = None,
) -> dict[str, Any]:
    """Writes blend/ from the receipts of packed/ and returns the contents of mixture.json.

    `family_weights` need not sum to 1; `task_weights`, {family: {task: weight}}, share a family's weight among its
    tasks.
    `synthetic_share` of the blend is the synthetic part, the rest is shared by
    `blend.base` according to its weights. `train_tokens` is the length of the whole training in tokens, for the epochs.

    Raises ConfigError for a missing prefix, a share without a base, a family without weight; DataError when a variant
    has no documents.
    """
    receipts = [receipt for receipt in map(packed.receipt, packed.shards()) if receipt]
    if blend.base and synthetic_share >= 1.0:
        raise ConfigError(
            "blend.base needs mixture.synthetic_share < 1, got 1.0: nothing would be left for it; lower "
            "the share or remove blend.base"
        )
    if synthetic_share < 1.0 and not blend.base:
        raise ConfigError(
            f"mixture.synthetic_share is {synthetic_share}, but blend.base is empty; name the datasets of "
            "the rest, or set it to 1"
        )
    base = _base_datasets(blend.base)
    tokens = {variant: _tokens(receipts, variant) for variant in export.variants}
    budgets = _budgets(tokens, export.budget, synthetic_share, train_tokens)
    shards = {
        variant: {
            split: _shard_weights(receipts, variant, split, family_weights, task_weights or {}) for split in SPLITS
        }
        for variant in export.variants
    }
    for variant in export.variants:
        if not shards[variant]["train"]:
            raise DataError(
                f"variant {variant} has no document in the split train; look at packed/dropped for the "
                "reasons, or lower export.valid_share"
            )
    for variant in export.variants:
        datasets = {
            split: _join(_absolute(shards[variant][split], packed.run_dir), base[split], synthetic_share)
            for split in SPLITS
        }
        _write_forms(step.path, variant, datasets, receipts, packed, family_weights)
    total = sum(family_weights.values())
    mixture = {
        "budget": export.budget.value,
        "synthetic_share": synthetic_share,
        "families": {family: weight / total for family, weight in sorted(family_weights.items())},
        "base": {
            split: [{"weight": weight, "prefix": str(prefix)} for weight, prefix in datasets]
            for split, datasets in base.items()
        },
        "variants": {
            variant: {
                **{split: _relative(shards[variant][split]) for split in SPLITS},
                "tokens": {family: sum(splits.values()) for family, splits in sorted(tokens[variant].items())},
                "nemo_validates_on": "valid" if shards[variant]["valid"] or base["valid"] else "train",
                **budgets[variant],
            }
            for variant in export.variants
        },
        "explanation": explanation,
    }
    write_json(step.path / "mixture.json", mixture)
    return mixture


def _tokens(receipts: list[dict[str, Any]], variant: str) -> dict[str, dict[str, int]]:
    """family -> split -> tokens"""
    tokens: dict[str, dict[str, int]] = {}
    for receipt in receipts:
        sizes = receipt["variants"].get(variant)
        if sizes:
            splits = tokens.setdefault(receipt["family"], {})
            splits[receipt["split"]] = splits.get(receipt["split"], 0) + sizes["tokens"]
    return tokens


def _budgets(
    tokens: dict[str, dict[str, dict[str, int]]], budget: Budget, synthetic_share: float, train_tokens: int | None
) -> dict[str, dict[str, Any]]:
    """Tokens that each variant trains on, and how many epochs over its own train split that is.

    Budget `tokens` gives every variant the same number: as many as the longest has, or the synthetic share of
    `train_tokens`.
    Budget `samples` gives each variant one pass, or as many epochs as the longest makes of its share.
    """
    own = {variant: sum(splits.get("train", 0) for splits in families.values()) for variant, families in tokens.items()}
    longest = max(own.values())
    trained = longest if train_tokens is None else round(train_tokens * synthetic_share)
    plan = {}
    for variant, num_tokens in own.items():
        share = trained if budget is Budget.tokens else round(trained * num_tokens / max(longest, 1))
        plan[variant] = {"train_tokens": num_tokens, "trained_tokens": share, "epochs": share / max(num_tokens, 1)}
    return plan


def _shard_weights(
    receipts: list[dict[str, Any]],
    variant: str,
    split: str,
    family_weights: Mapping[str, float],
    task_weights: Mapping[str, Mapping[str, float]],
) -> list[tuple[float, str]]:
    """Weights of a split's shards, which sum to 1, and their prefixes relative to the run."""
    shards = [
        (receipt, receipt["variants"][variant]["tokens"])
        for receipt in receipts
        if receipt["split"] == split and variant in receipt["variants"]
    ]
    families: dict[str, dict[str, int]] = {}
    for receipt, num_tokens in shards:
        tasks = families.setdefault(receipt["family"], {})
        tasks[receipt["task"]] = tasks.get(receipt["task"], 0) + num_tokens
    shares = _family_shares({family: sum(tasks.values()) for family, tasks in families.items()}, split, family_weights)
    task_shares = {family: _task_shares(tasks, task_weights.get(family)) for family, tasks in families.items()}
    weighted = []
    for receipt, num_tokens in shards:
        family, task = receipt["family"], receipt["task"]
        weighted.append(
            (
                shares[family] * task_shares[family][task] * num_tokens / families[family][task],
                _prefix(receipt, variant),
            )
        )
    return weighted


def _family_shares(tokens: Mapping[str, int], split: str, weights: Mapping[str, float]) -> dict[str, float]:
    """Shares of a split's families that sum to 1, as weighted. Weights are planned on the train split: a family that
    stands in another alone counts as found.
    """
    unplanned = [family for family in sorted(tokens) if not weights.get(family, 0) > 0]
    if unplanned and split == "train":
        raise ConfigError(
            f"family {unplanned[0]} has documents but no weight in the mixture; Megatron needs weights > 0: "
            "give it one, or leave its tasks out"
        )
    found = {family: tokens[family] / sum(tokens.values()) for family in unplanned}
    planned = sum(weights[family] for family in tokens if family not in found)
    return {
        family: found[family] if family in found else weights[family] / planned * (1 - sum(found.values()))
        for family in tokens
    }


def _task_shares(tokens: Mapping[str, int], weights: Mapping[str, float] | None) -> dict[str, float]:
    """Shares of a family's tasks that sum to 1: as weighted, else as found. A task without weight, in `valid` alone
    for instance, counts as found.
    """
    found = sum(tokens.values())
    if not weights or not all(weights.get(task, 0) > 0 for task in tokens):
        return {task: num_tokens / found for task, num_tokens in tokens.items()}
    total = sum(weights[task] for task in tokens)
    return {task: weights[task] / total for task in tokens}


def _prefix(receipt: dict[str, Any], variant: str) -> str:
    (name,) = (
        name for name in receipt["outputs"] if name.endswith(f"{PREFIX_SUFFIX}.bin") and Path(name).parts[1] == variant
    )
    return str(name).removesuffix(".bin")


def _absolute(shards: list[tuple[float, str]], run_dir: Path) -> Weighted:
    return [(weight, run_dir.resolve() / prefix) for weight, prefix in shards]


def _relative(shards: list[tuple[float, str]]) -> list[dict[str, Any]]:
    return [{"weight": weight, "prefix": prefix} for weight, prefix in shards]


def _base_datasets(sources: list[BlendSource]) -> dict[str, Weighted]:
    """The user's own datasets per split, with weights that sum to 1."""
    base: dict[str, Weighted] = {"train": [], "valid": []}
    for source in sources:
        if source.prefix is not None:
            found: dict[str, Weighted] = {"train": [(1.0, Path(source.prefix).absolute())], "valid": []}
        else:
            assert source.blend is not None
            found = _read_blend(Path(source.blend))
        for split, datasets in found.items():
            total = sum(weight for weight, _ in datasets)
            base[split] += [(source.weight * weight / total, _existing(prefix)) for weight, prefix in datasets]
    return {
        split: [(weight / sum(w for w, _ in datasets), prefix) for weight, prefix in datasets]
        for split, datasets in base.items()
    }


def _read_blend(path: Path) -> dict[str, Weighted]:
    """Train and valid of somebody's blend.json. Raises ConfigError when it is not one."""
    try:
        content = read_json(path)
        pairs = {split: content.get(split) or [] for split in SPLITS}
        datasets = {
            split: [(float(weight), Path(prefix)) for weight, prefix in zip(items[::2], items[1::2], strict=True)]
            for split, items in pairs.items()
        }
    except (DataError, ValueError, TypeError, AttributeError) as exc:
        raise ConfigError(
            f'blend.base: {path} is not a blend ({exc}); it should read {{"train": ["1.0", "/prefix", …], '
            f'"valid": …, "test": …}}'
        ) from exc
    if not datasets["train"] or any(weight <= 0 for items in datasets.values() for weight, _ in items):
        raise ConfigError(f"blend.base: {path} needs at least one dataset under train, and weights > 0")
    return datasets


def _existing(prefix: Path) -> Path:
    for suffix in (".bin", ".idx"):
        if not Path(f"{prefix}{suffix}").is_file():
            raise ConfigError(
                f"blend.base: {prefix}{suffix} is missing; a prefix is the path of a Megatron dataset "
                "without .bin and .idx"
            )
    return prefix


def _join(synthetic: Weighted, base: Weighted, synthetic_share: float) -> Weighted:
    share = synthetic_share if base else 1.0
    if not synthetic:
        return base
    return [(weight * share, prefix) for weight, prefix in synthetic] + [
        (weight * (1 - share), prefix) for weight, prefix in base
    ]


def _flat(datasets: Weighted) -> list[str]:
    return [item for weight, prefix in datasets for item in (f"{weight:.9g}", str(prefix))]


def _write_forms(
    folder: Path,
    variant: str,
    datasets: dict[str, Weighted],
    receipts: list[dict[str, Any]],
    packed: StepDir,
    family_weights: Mapping[str, float],
) -> None:
    train, valid = _flat(datasets["train"]), _flat(datasets["valid"])
    write_json(folder / f"{variant}.blend.json", {"train": train, "valid": valid or None, "test": None})
    # NeMo raises on a list that is empty, and on a flat list it cuts splits from each shard, which never ends for
    # shards of a few documents.
    write_json(folder / f"{variant}.nemo.json", {"train": train, "validation": valid or train, "test": valid or train})
    write_bytes(folder / f"{variant}.data_args.txt", f"{' '.join(train)}\n".encode())
    write_json(
        folder / f"{variant}.data_blend.json", {"datasets": _raw_datasets(receipts, variant, packed, family_weights)}
    )


def _raw_datasets(
    receipts: list[dict[str, Any]], variant: str, packed: StepDir, family_weights: Mapping[str, float]
) -> list[dict[str, Any]]:
    tokens = {
        family: splits["train"] for family, splits in sorted(_tokens(receipts, variant).items()) if "train" in splits
    }
    folder = packed.path.resolve() / variant
    return [
        {
            "name": f"{family}-{variant}",
            "path": f"{folder / family / 'train'}/*.text.parquet",
            "weight": share,
            "text_field": "text",
        }
        for family, share in _family_shares(tokens, "train", family_weights).items()
    ]
