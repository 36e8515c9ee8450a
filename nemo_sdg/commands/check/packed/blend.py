"""Law of the blend: it names the packed corpora with the weights that were planned."""

import contextlib
import math
from pathlib import Path
from typing import Any

from nemo_sdg.commands.check.findings import CheckedRun, Verdict
from nemo_sdg.export.packed_shards import PREFIX_SUFFIX, TEXT_SUFFIX
from nemo_sdg.storage import read_json

SUM_SLACK = 1e-6


def blend_names_the_corpora(run: CheckedRun, verdict: Verdict) -> None:
    """Every prefix of the blend is there, in this run or where its absolute path says; weights are positive, sum to 1,
    and are those that the planned epochs ask for; every packed shard of the train split has a weight; NeMo,
    Megatron-LM and Nemotron's data preparation are given the same.
    """
    if "blend" not in run.ledgers:
        verdict.violations.append("there is no blend")
        return
    mixture = read_json(run.dir / "blend" / "mixture.json")
    num = 0
    for variant, plan in mixture["variants"].items():
        path = run.dir / "blend" / f"{variant}.blend.json"
        blend = read_json(path)
        for split in ("train", "valid"):
            own = [row["prefix"] for row in plan[split]]
            flat = blend[split] or []
            weights, prefixes = [float(weight) for weight in flat[::2]], flat[1::2]
            if flat and (min(weights) <= 0 or abs(sum(weights) - 1) > SUM_SLACK):
                verdict.violations.append(f"{path.name}: the weights of {split} are not positive or do not sum to 1")
            theirs = [prefix for prefix in prefixes if not any(str(prefix).endswith(f"/{name}") for name in own)]
            base = {row["prefix"] for row in mixture["base"][split]}
            verdict.violations += [
                f"{path.name} names {name}, which is not planned" for name in theirs if name not in base
            ]
            verdict.violations += [
                f"{path.name} leaves out {name}"
                for name in own
                if not any(str(prefix).endswith(f"/{name}") for prefix in prefixes)
            ]
            share = plan["synthetic_share"] if base else 1.0
            given = {name: row["weight"] * share for name, row in zip(own, plan[split], strict=True)}
            for weight, prefix in zip(weights, prefixes, strict=True):
                name = "/".join(Path(prefix).parts[-5:])
                if name in given and not math.isclose(weight, given[name], rel_tol=SUM_SLACK):
                    verdict.violations.append(f"{path.name} weighs {name} by {weight:g}, planned is {given[name]:g}")
            for place in [*(run.dir / name for name in own), *map(Path, base)]:
                num += 1
                if not Path(f"{place}.bin").is_file() or not Path(f"{place}.idx").is_file():
                    verdict.violations.append(f"{path.name} names {place}, which is not there")
        _weights_are_planned(run, variant, plan, verdict)
        train, valid = blend["train"], blend["valid"] or blend["train"]
        if read_json(run.dir / "blend" / f"{variant}.nemo.json") != {
            "train": train,
            "validation": valid,
            "test": valid,
        }:
            verdict.violations.append(f"{variant}.nemo.json is not what {path.name} says")
        arguments = run.dir / "blend" / f"{variant}.data_args.txt"
        wanted = None if any(" " in item for item in train) else train  # Megatron-LM would split such paths
        if (arguments.read_text().split() if arguments.is_file() else None) != wanted:
            verdict.violations.append(f"{arguments.name} is not what {path.name} says")
        texts = run.dir / "blend" / f"{variant}.data_blend.json"
        if not _names_the_texts(read_json(texts)["datasets"], plan["train"]):
            verdict.violations.append(f"{texts.name} is not what mixture.json says")
        packed = {
            name.removesuffix(".bin")
            for receipt in run.receipts.values()
            for name in receipt["outputs"]
            if name.startswith(f"packed/{variant}/") and "/train/" in name and name.endswith("_text_document.bin")
        }
        missing = sorted(packed - {row["prefix"] for row in plan["train"]})
        verdict.violations += [f"mixture.json has no weight for {name}" for name in missing]
    with contextlib.suppress(ValueError, OSError):
        first = (read_json(run.dir / "blend" / f"{next(iter(mixture['variants']))}.blend.json")["train"] or ["", ""])[1]
        if not str(first).startswith(str(run.dir.resolve())):
            verdict.detail = f"{num} prefixes; the files name them by another folder: `nemo-sdg run` writes them again"
            return
    verdict.detail = f"{num} prefixes"


def _names_the_texts(datasets: list[dict[str, Any]], planned: list[dict[str, Any]]) -> bool:
    """Whether the datasets are the texts of the planned shards, with their weights."""
    return len(datasets) == len(planned) and all(
        str(given["path"]).endswith(f"/{row['prefix'].removesuffix(PREFIX_SUFFIX)}{TEXT_SUFFIX}")
        and math.isclose(given["weight"], row["weight"], rel_tol=SUM_SLACK)
        for given, row in zip(datasets, planned, strict=True)
    )


def _weights_are_planned(run: CheckedRun, variant: str, plan: dict[str, Any], verdict: Verdict) -> None:
    """The train weights of mixture.json are epochs times tokens, counted again from the receipts."""
    drawn: dict[str, float] = {}
    for name, receipt in run.receipts.items():
        if name.startswith("packed/receipts/") and receipt["split"] == "train" and variant in receipt["variants"]:
            task = plan["families"][receipt["family"]]["tasks"][receipt["task"]]
            epochs = task["bands"].get(receipt.get("band"), task["epochs"])
            (prefix,) = (
                output.removesuffix(".bin")
                for output in receipt["outputs"]
                if output.startswith(f"packed/{variant}/") and output.endswith("_text_document.bin")
            )
            drawn[prefix] = epochs * receipt["variants"][variant]["tokens"]
    total = math.fsum(drawn.values())
    for row in plan["train"]:
        wanted = drawn.get(row["prefix"], 0.0) / total if total else 0.0
        if not math.isclose(row["weight"], wanted, rel_tol=SUM_SLACK):
            verdict.violations.append(
                f"mixture.json weighs {row['prefix']} by {row['weight']:g}, its epochs ask for {wanted:g}"
            )
