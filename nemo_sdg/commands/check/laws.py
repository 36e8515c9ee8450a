"""`nemo-sdg check RUN`: proves the laws from the files, with code of its own.

It trusts no verdict and no count of the pipeline: it reads every record again, counts again, hashes again, and asks
lm-eval's YAML files again which splits are evaluated on.
"""

import functools
import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.errors import DataError, Violation
from nemo_sdg.storage import finished_shards, read_json, read_jsonl, sha256_file

CHAIN = ["seeds", "questions", "answers", "verified", "curated"]


def check(run_dir: Path) -> int:
    """Prints one line a law; returns 0, or 1 after the first violation."""
    import typer

    if not (run_dir / "config.yaml").is_file():
        raise DataError(f"{run_dir} is no run: it has no config.yaml")
    laws: list[tuple[str, Callable[[Path], str]]] = [
        ("files are whole", files_are_whole),
        ("in = kept + dropped", nothing_vanishes),
        ("each step holds what the one before it gave", steps_follow),
        ("samples come from seeds", samples_have_seeds),
        ("no evaluation row is a seed", no_evaluation_rows),
        ("packed corpora hold the curated samples", packed_is_complete),
        ("the run is finished", is_finished),
    ]
    for name, law in laws:
        try:
            detail = law(run_dir)
        except (Violation, DataError) as exc:
            typer.echo(f"VIOLATED  {name}: {exc}")
            typer.echo(f"`nemo-sdg run` with the same configuration repairs what is missing or damaged in {run_dir}")
            return 1
        typer.echo(f"holds     {name} ({detail})")
    return 0


def receipts(run_dir: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every receipt of the run, sorted by path. An ablation in the run's folder packs a corpus of its own, which is no
    part of the run.
    """
    for path in sorted(run_dir.rglob("receipts/*.json")):
        if not path.name.startswith(".") and path.relative_to(run_dir).parts[0] != "ablation":
            yield path, read_json(path)


def files_are_whole(run_dir: Path) -> str:
    """Every file that a receipt or the manifest names is there with its length and SHA-256; no shard stands without a
    receipt.
    """
    named = dict[str, dict[str, Any]]()
    for path, receipt in receipts(run_dir):
        try:
            named.update(receipt["outputs"])
        except (KeyError, TypeError) as exc:
            raise Violation(f"{path} is no receipt") from exc
    if (run_dir / "manifest.json").is_file():
        named.update(read_json(run_dir / "manifest.json")["files"])
    for name, facts in sorted(named.items()):
        path = run_dir / name
        if not path.is_file():
            raise Violation(f"{name} is missing")
        if path.stat().st_size != facts["bytes"]:
            raise Violation(f"{name} has {path.stat().st_size} bytes, {facts['bytes']} were written")
        if sha256_file(path) != facts["sha256"]:
            raise Violation(f"{name} is not what was written: its SHA-256 differs")
    for step in CHAIN:
        for path in sorted((run_dir / step).glob("shard-*.jsonl")):
            if str(path.relative_to(run_dir)) not in named:
                raise Violation(f"{path.relative_to(run_dir)} has no receipt: its step did not finish")
    for path, receipt in receipts(run_dir):
        for name, digest in receipt["inputs"].items():
            if not (run_dir / name).is_file() or sha256_file(run_dir / name) != digest:
                raise Violation(f"{path.relative_to(run_dir)} was made from another {name} than the one that is there")
    return f"{len(named)} files"


def nothing_vanishes(run_dir: Path) -> str:
    """What the receipts count is what the shards and drops hold, per task and reason."""
    num_kept = num_dropped = 0
    for step in CHAIN:
        for shard in finished_shards(run_dir, step):
            receipt = read_json(run_dir / step / "receipts" / f"{shard}.json")
            kept = Counter(record["task"] for record in read_jsonl(run_dir / step / f"{shard}.jsonl"))
            dropped = Counter(
                (drop["task"], drop["reason"]) for drop in read_jsonl(run_dir / step / "dropped" / f"{shard}.jsonl")
            )
            for task, row in receipt["counts"].items():
                counted = Counter({(task, reason): num for reason, num in row["dropped"].items()})
                found = Counter({key: num for key, num in dropped.items() if key[0] == task})
                if row["kept"] != kept.pop(task, 0) or counted != found:
                    raise Violation(f"{step}/{shard}, task {task}: the receipt's counts are not those of the files")
                if row["in"] != row["kept"] + sum(row["dropped"].values()):
                    raise Violation(
                        f"{step}/{shard}, task {task}: {row['in']} in, but {row['kept']} kept and "
                        f"{sum(row['dropped'].values())} dropped"
                    )
                num_kept, num_dropped = num_kept + row["kept"], num_dropped + sum(row["dropped"].values())
            if kept or {task for task, _ in dropped} - receipt["counts"].keys():
                raise Violation(f"{step}/{shard} holds tasks that its receipt does not count")
    return f"{num_kept:,} kept and {num_dropped:,} dropped records counted again"


def ids(path: Path, field: str) -> list[str]:
    return [record[field] for record in read_jsonl(path)]


def steps_follow(run_dir: Path) -> str:
    """From `answers` on, the ids that a step keeps or drops are exactly those that the step before it kept; none
    stands twice.
    """
    num = 0
    for before, step in itertools.pairwise(CHAIN[1:]):
        for shard in finished_shards(run_dir, step):
            given = ids(run_dir / before / f"{shard}.jsonl", "sample_id")
            got = ids(run_dir / step / f"{shard}.jsonl", "sample_id") + ids(
                run_dir / step / "dropped" / f"{shard}.jsonl", "id"
            )
            if sorted(given) != sorted(got):
                odd = sorted((Counter(given) - Counter(got)) + (Counter(got) - Counter(given)))[0]
                raise Violation(f"{step}/{shard}: sample {odd} is not once in {before} and once in {step} or its drops")
            num += len(given)
    attempts(run_dir)
    return f"{num:,} records followed"


def attempts(run_dir: Path) -> None:
    """Each seed gives as many attempts of origin `similar` as the configuration says, and at most one of origin
    `seed`.
    """
    import yaml

    generate = yaml.safe_load((run_dir / "config.yaml").read_text())["generate"]
    for shard in finished_shards(run_dir, "questions"):
        least: Counter[str] = Counter()
        most: Counter[str] = Counter()
        for seed in read_jsonl(run_dir / "seeds" / f"{shard}.jsonl"):
            origins = generate["origins_by_family"].get(seed["family"], generate["origins"])
            least[seed["task"]] += origins["similar"] + (1 if origins["seed"] >= 1 else 0)
            most[seed["task"]] += origins["similar"] + (1 if origins["seed"] > 0 else 0)
        counts = read_json(run_dir / "questions" / "receipts" / f"{shard}.json")["counts"]
        for task in least.keys() | counts.keys():
            num = counts.get(task, {"in": 0})["in"]
            if not least[task] <= num <= most[task]:
                raise Violation(
                    f"questions/{shard}, task {task}: {num} attempts, the seeds ask for {least[task]} to {most[task]}"
                )


def samples_have_seeds(run_dir: Path) -> str:
    """Every kept sample names seeds that exist in the shard it came from, and stays in its seed's task, kind and
    language.
    """
    num = 0
    for shard in finished_shards(run_dir, "curated"):
        seeds = {seed["seed_id"]: seed for seed in read_jsonl(run_dir / "seeds" / f"{shard}.jsonl")}
        for sample in read_jsonl(run_dir / "curated" / f"{shard}.jsonl"):
            missing = [seed_id for seed_id in sample["seed_ids"] if seed_id not in seeds]
            if missing or not sample["seed_ids"]:
                raise Violation(
                    f"curated/{shard}: sample {sample['sample_id']} names a seed that does not exist: {missing}"
                )
            seed = seeds[sample["seed_ids"][0]]
            for field in ("task", "family", "kind", "language"):
                if sample[field] != seed[field]:
                    raise Violation(
                        f"curated/{shard}: sample {sample['sample_id']} has {field} {sample[field]}, its "
                        f"seed {seed[field]}"
                    )
            num += 1
    return f"{num:,} samples"


def no_evaluation_rows(run_dir: Path) -> str:
    from nemo_sdg.commands.check.evaluation import check_guard

    return check_guard(run_dir)


def packed_is_complete(run_dir: Path) -> str:
    """Every curated sample is packed once per variant or counted as left out; token counts are those of the index
    files.
    """
    if not (run_dir / "packed").is_dir():
        return "nothing packed yet"
    import pyarrow.parquet as parquet

    packed: dict[str, SampleIds] = {}
    num_left_out = num_tokens = 0
    for path, receipt in receipts(run_dir / "packed"):
        num_left_out += sum(sum(row["dropped"].values()) for row in receipt["counts"].values())
        for name in receipt["outputs"]:
            if name.endswith(".docs.parquet"):
                table = parquet.read_table(run_dir / name, columns=["sample_id", "num_tokens"])
                packed.setdefault(Path(name).parts[1], SampleIds()).add(table["sample_id"].to_pylist())
                lengths = index_lengths(run_dir / name.replace(".docs.parquet", "_text_document.idx"))
                if lengths != table["num_tokens"].to_pylist():
                    raise Violation(f"{name} and its .idx disagree on the lengths of documents ({path.name})")
                num_tokens += sum(lengths)
    curated = SampleIds()
    for shard in finished_shards(run_dir, "curated"):
        curated.add(ids(run_dir / "curated" / f"{shard}.jsonl", "sample_id"))
    for variant, held in packed.items():
        if held.has_twins() or not held.are_among(curated):
            raise Violation(f"packed/{variant} holds a sample twice, or one that is not curated")
        if held.num + num_left_out != curated.num:
            raise Violation(
                f"packed/{variant} holds {held.num} samples and leaves out {num_left_out}, curated are {curated.num}"
            )
    if len({held.order.hexdigest() for held in packed.values()}) > 1:
        raise Violation("the variants do not hold the same samples in the same order")
    return f"{num_tokens:,} tokens in {len(packed)} variants"


class SampleIds:
    """Ids of a corpus in 8 bytes each: they are hashes, and two of 100 million share their first half once in 3,700
    corpora.
    """

    def __init__(self) -> None:
        self.parts: list[Any] = []
        self.order = hashlib.blake2b()
        self.num = 0

    def add(self, sample_ids: list[str]) -> None:
        import numpy as np

        self.parts.append(
            np.fromiter((int(sample_id[:16], 16) for sample_id in sample_ids), dtype=np.uint64, count=len(sample_ids))
        )
        self.order.update("".join(sample_ids).encode())
        self.num += len(sample_ids)

    @functools.cached_property
    def sorted(self) -> Any:
        import numpy as np

        return np.sort(np.concatenate(self.parts)) if self.parts else np.empty(0, dtype=np.uint64)

    def has_twins(self) -> bool:
        return bool((self.sorted[1:] == self.sorted[:-1]).any())

    def are_among(self, others: "SampleIds") -> bool:
        import numpy as np

        return bool(np.isin(self.sorted, others.sorted, assume_unique=True).all())


def index_lengths(path: Path) -> list[int]:
    """Document lengths from a Megatron .idx, read by its published layout."""
    import struct

    data = path.read_bytes()
    if data[:9] != b"MMIDIDX\x00\x00":
        raise Violation(f"{path} is no Megatron index")
    (num_sequences,) = struct.unpack_from("<Q", data, 18)
    return list(struct.unpack_from(f"<{num_sequences}i", data, 34))


def is_finished(run_dir: Path) -> str:
    """The manifest is there and speaks of this configuration, and every blend's prefix opens."""
    if not (run_dir / "manifest.json").is_file():
        raise Violation("there is no manifest.json: the run is not finished")
    manifest = read_json(run_dir / "manifest.json")
    for path in sorted((run_dir / "blend").glob("*.blend.json")):
        blend = orjson.loads(path.read_bytes())
        for split in ("train", "valid", "test"):
            for prefix in (blend[split] or [])[1::2]:
                if not Path(f"{prefix}.bin").is_file() or not Path(f"{prefix}.idx").is_file():
                    raise Violation(f"{path.name} names {prefix}, which is not there")
    return f"fingerprint {manifest['fingerprint']}"
