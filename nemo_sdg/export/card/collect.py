"""Reads what the dataset card says, by the names that card.md.jinja uses, from the files of a run."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nemo_sdg.config import recorded_settings
from nemo_sdg.export.blend.mixture_file import MixtureFile
from nemo_sdg.export.card.words import BUDGET_WORDS, COLUMNS, MAX_SAMPLE, ORIGIN_WORDS, SHOWN_DATASETS, VARIANT_WORDS
from nemo_sdg.export.packed_shards import PackedShard, packed_shards, variant_size
from nemo_sdg.export.packing.packed_files import TextRow
from nemo_sdg.export.splits import EvaluationSplits, evaluation_splits
from nemo_sdg.records.lines import Manifest, StepCounts, UnseenSplit
from nemo_sdg.storage import ranked, read_json, read_jsonl, read_shaped, total_dropped, total_kept

Rows = list[dict[str, Any]]


def collect(run_dir: Path, facts: Manifest) -> dict[str, Any]:
    config_text, config = (run_dir / "config.yaml").read_text(), recorded_settings(run_dir)
    mixture = read_shaped(run_dir / "blend" / "mixture.json", MixtureFile)
    shards = packed_shards(run_dir)
    sizes = {variant: variant_size(shards, variant) for variant in mixture["variants"]}
    first = next(iter(sizes))
    texts = _count_texts(run_dir, first, shards)
    counts: dict[str, StepCounts] = {step: facts["steps"][step]["counts"] for step in facts["steps"]}
    sources = _sources(run_dir)
    licenses = ranked(texts["license"])
    splits = evaluation_splits(run_dir) or EvaluationSplits(seen=[], unseen=[])
    return {
        "title": f"Task-seeded synthetic corpus {facts['fingerprint'][:8]}",
        "version": facts["version"],
        "fingerprint": facts["fingerprint"],
        "documents": sizes[first].documents,
        "variants": [
            {
                "name": name,
                "words": VARIANT_WORDS[name],
                "documents": sizes[name].documents,
                "tokens": sizes[name].tokens,
                "train_tokens": plan["train_tokens"],
                "epochs": plan["epochs"],
            }
            for name, plan in mixture["variants"].items()
        ],
        "splits": sorted({shard.split for shard in shards if shard.variants}),
        "tokenizer": read_json(run_dir / "packed" / "tokenizer" / "tokenizer_config.json")["name"],
        "origins": ranked(texts["origin"]),
        "origin_words": {**dict.fromkeys(texts["origin"], ""), **ORIGIN_WORDS},
        "kinds": ranked(texts["kind"]),
        "languages": sorted(texts["language"]),
        "sample": _first_text(run_dir, first, shards),
        "columns": COLUMNS,
        "new": texts["origin"].get("similar", 0),
        "own": texts["origin"].get("seed", 0),
        "own_files": bool(config["seeds"].get("include_path")),
        "config": config,
        "config_yaml": config_text.strip(),
        "models": _models(texts["model"], config),
        "sources": sources,
        "licenses": licenses,
        "has_unknown_license": any("unknown" in name.lower() for name, _ in licenses)
        or any(row["license"].lower() == "unknown" for row in sources),
        "steps": [_step_row(step, counts[step]) for step in counts if step != "blend"],
        "not_sampled": sum(row["not_sampled"] for row in counts["seeds"].values()),
        "tasks": _task_rows(counts),
        "families": _family_rows(mixture),
        "budget": mixture["budget"],
        "budget_words": BUDGET_WORDS[mixture["budget"]],
        "synthetic_share": mixture["synthetic_share"],
        "evaluation": splits,
        "unreachable": _unreachable(facts["evaluation_splits_unreachable"]),
        "limits": _limits(config, mixture),
        "packages": sorted((name, version) for name, version in facts["packages"].items() if version),
    }


def _count_texts(run_dir: Path, variant: str, shards: Iterable[PackedShard]) -> dict[str, Counter[str]]:
    """How many packed texts have each licence, kind, language, origin and model."""
    import pyarrow.parquet as pq

    counters: dict[str, Counter[str]] = {name: Counter() for name in ("license", "kind", "language", "origin", "model")}
    for output in (name for shard in shards for name in shard.texts(variant)):
        with pq.ParquetFile(run_dir / output) as file:  # `read_table` would import pandas
            table = file.read(columns=list(counters))
        for name, counter in counters.items():
            for row in table[name].value_counts().to_pylist():
                counter[row["values"] or "unknown"] += row["counts"]
    return counters


def _first_text(run_dir: Path, variant: str, shards: Iterable[PackedShard]) -> TextRow | None:
    """The row with the smallest id in the first packed shard: any row would do, and it is the same each time."""
    import pyarrow.parquet as pq

    for output in (name for shard in shards for name in shard.texts(variant)):
        rows = pq.ParquetFile(run_dir / output).read_row_group(0).to_pylist()
        if rows:
            row: TextRow = min(rows, key=lambda row: str(row["uuid"]))
            cut = len(row["text"]) > MAX_SAMPLE
            return {**row, "text": row["text"][:MAX_SAMPLE] + (" …" if cut else "")}
    return None


def _models(models: Counter[str], config: dict[str, Any]) -> Rows:
    engine = config["engine"]
    return [
        {"model": model, "engine": engine["kind"], "model_license": engine["model_license"], "samples": num}
        for model, num in ranked(models)
    ]


def _sources(run_dir: Path) -> Rows:
    """Dataset splits with revision, licence and number of seeds; one pass over the seeds, which are not held."""
    seeds: Counter[tuple[str, str, str, str, str]] = Counter()
    for path in sorted((run_dir / "seeds").glob("shard-*.jsonl")):
        for seed in read_jsonl(path):
            dataset = seed["dataset"]
            seeds[
                dataset["path"], dataset["name"] or "default", dataset["split"], dataset["revision"], seed["license"]
            ] += 1
    return [
        {"path": path, "name": name, "split": split, "revision": revision, "license": licence, "seeds": num}
        for (path, name, split, revision, licence), num in sorted(seeds.items())
    ]


def _step_row(step: str, counts: StepCounts) -> dict[str, Any]:
    told = ", ".join(f"{reason} {num:,}" for reason, num in ranked(total_dropped(counts)))
    return {
        "step": step,
        "num_in": sum(row["in"] for row in counts.values()),
        "kept": total_kept(counts),
        "reasons": told or "none",
    }


def _task_rows(counts: dict[str, StepCounts]) -> Rows:
    tasks = sorted(counts["seeds"].keys() | counts["packed"].keys())
    kept = {step: {task: row["kept"] for task, row in counts[step].items()} for step in ("seeds", "packed")}
    return [
        {"task": task, "seeds": kept["seeds"].get(task, 0), "packed": kept["packed"].get(task, 0)} for task in tasks
    ]


def _family_rows(mixture: MixtureFile) -> Rows:
    tokens = [plan["tokens"] for plan in mixture["variants"].values()]
    families = sorted(set().union(*tokens))
    return [
        {
            "family": family,
            "share": mixture["families"].get(family),
            "tokens": [found.get(family, 0) for found in tokens],
        }
        for family in families
    ]


def _unreachable(splits: list[UnseenSplit]) -> dict[str, Any]:
    datasets = sorted({str(row.get("dataset")) for row in splits})
    shown = datasets[:SHOWN_DATASETS]
    more = len(datasets) - len(shown)
    return {"splits": len(splits), "num_datasets": len(datasets), "datasets": shown, "more": more}


def _limits(config: dict[str, Any], mixture: MixtureFile) -> list[str]:
    """The limits that come from this run's configuration."""
    lines = []
    if config["engine"]["kind"] == "llama" and config["engine"]["model"] is None:
        lines.append(
            "The generator is the embedded 135M model, which shows that the pipeline works; its texts are "
            "not fit for training."
        )
    if config["generate"]["guided"] and config["generate"]["origins"]["seed"] > 0:
        lines.append(
            "Where no blind solution reached a training row's gold answer, one was written with the gold "
            "in sight (`guidance: guided`)."
        )
    if any(plan["nemo_validates_on"] == "train" for plan in mixture["variants"].values()):
        lines.append("There is no valid split: NeMo's form of the blend validates on the training shards.")
    notes = (mixture.get("explanation") or {}).get("notes", [])
    return [*lines, *(f"Mixture: {note}." for note in notes)]
