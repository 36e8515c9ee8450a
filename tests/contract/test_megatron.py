"""Packed corpora, read by megatron-core, NeMo, transformers and datasets."""

import json
import os
import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nemo_sdg.commands.look.trace import trace
from nemo_sdg.config import BlendSection, ExportSection, MixtureSection
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.execution import dask_tasks
from nemo_sdg.export.blend.write import plan_blend, write_blend
from nemo_sdg.export.documents import render_text
from nemo_sdg.export.packing import pack
from nemo_sdg.export.packing.indexed_dataset import IndexedWriter
from nemo_sdg.export.packing.pack import pack_shards, problem
from nemo_sdg.export.packing.shard_plan import plan_packing
from nemo_sdg.export.packing.tokenizers import Tokenizer, load_tokenizer
from nemo_sdg.storage import StepDir, read_json, read_jsonl, write_jsonl
from tests.unit.export import packing_samples
from tests.unit.export.packing_samples import byte_tokenizer, make_sample, packed_step, write_curated

VARIANTS = ["context", "no_context"]
TASKS = {
    f"task_{number}": family
    for number, family in enumerate(["math", "math", "science", "science", "science", "legal", "code", "medical"])
}
EXPORT = ExportSection(shard_tokens=4000, valid_share=0.1, max_document_tokens=400)


def all_samples() -> list[dict[str, Any]]:
    kinds = ["short_text", "numeric", "free_text", "code", "multiple_choice"]
    samples = []
    for number in range(240):
        task = f"task_{number % 8}"
        kind = kinds[number % len(kinds)]
        choices = [f"eins {number}", f"二 {number}", "it 's  three"] if kind == "multiple_choice" else None
        fields = {"kind": kind, "choices": choices, "language": ["en", "zh", "de", "ar"][number % 4]}
        if choices:
            fields["answer"] = packing_samples.Answer(text=choices[1])
        samples.append(make_sample(number, **fields, task=task, family=TASKS[task]))
    samples[7]["context"] = "Too long. " * 200
    samples[30]["question"] = " "
    return samples


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return load_tokenizer(None)


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run packed and blended with the embedded model's tokenizer: 8 tasks of 5 families."""
    run_dir = tmp_path_factory.mktemp("run")
    (run_dir / "config.yaml").write_text("{}\n")
    shards = write_curated(run_dir, all_samples())
    step = packed_step(run_dir)
    pack_shards(shards, step, EXPORT)
    blend = StepDir(run_dir=run_dir, step="blend", fingerprint="f1")
    write_blend(blend, plan_blend(step, EXPORT, MixtureSection(family_cap=0.25)), EXPORT, BlendSection(), packed=step)
    return run_dir


def prefixes(run_dir: Path, variant: str) -> list[Path]:
    return sorted(path.with_suffix("") for path in (run_dir / "packed" / variant).rglob("*.bin"))


def docs_of(prefix: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.read_table(str(prefix).replace("_text_document", ".docs.parquet")).to_pylist()
    return rows


@pytest.mark.parametrize("variant", VARIANTS)
def test_megatron_reads_back_every_document_token_for_token(run_dir: Path, tokenizer: Tokenizer, variant: str) -> None:
    import numpy
    from megatron.core.datasets.indexed_dataset import IndexedDataset

    samples = {sample["sample_id"]: sample for sample in all_samples()}
    seen = []
    for prefix in prefixes(run_dir, variant):
        dataset, rows = IndexedDataset(str(prefix)), docs_of(prefix)
        assert dataset.index.dtype == numpy.uint16
        assert len(dataset) == len(rows) == len(dataset.document_indices) - 1
        for number, row in enumerate(rows):
            sample, ids = samples[row["sample_id"]], dataset[number].tolist()
            text = render_text(sample, variant)
            assert ids == [*tokenizer.encode([text])[0], tokenizer.eod]
            assert ids.count(tokenizer.eod) == 1
            assert tokenizer.decode(ids) == text
            expected = {
                "document": number,
                "seed_ids": sample["seed_ids"],
                "task": sample["task"],
                "family": sample["family"],
                "num_tokens": len(ids),
            }
            assert row == {"sample_id": sample["sample_id"], **expected}
            seen.append(row["sample_id"])
    assert Counter(seen) == Counter(set(samples) - {all_samples()[7]["sample_id"], all_samples()[30]["sample_id"]})


def test_both_variants_hold_the_same_samples_in_the_same_order(run_dir: Path) -> None:
    orders = [
        [(prefix.parts[-3:], row["sample_id"]) for prefix in prefixes(run_dir, variant) for row in docs_of(prefix)]
        for variant in VARIANTS
    ]
    assert orders[0] == orders[1]


def test_overlong_and_empty_documents_are_counted_and_kept_aside(run_dir: Path) -> None:
    drops = [drop for path in sorted((run_dir / "packed" / "dropped").glob("*.jsonl")) for drop in read_jsonl(path)]
    samples = all_samples()
    assert {(drop["id"], drop["reason"]) for drop in drops} == {
        (samples[7]["sample_id"], "overlong"),
        (samples[30]["sample_id"], "empty"),
    }
    counts = packed_step(run_dir).counts()
    assert sum(row["in"] for row in counts.values()) == len(samples)
    assert counts[samples[7]["task"]]["dropped"] == {"overlong": 1}
    assert all(row["in"] == row["kept"] + sum(row["dropped"].values()) for row in counts.values())


def test_nothing_of_a_seed_is_in_both_splits(tmp_path: Path) -> None:
    """Samples of two and three seeds, in any order: those whose seeds lie in both splits are left out and counted."""
    samples = all_samples()[100:190]
    seeds = [sample["seed_ids"][0] for sample in samples]
    for number, sample in enumerate(samples):
        sample["seed_ids"] = [seeds[(number * step) % len(seeds)] for step in range(1, 2 + number % 3)]
    pack_shards(write_curated(tmp_path, samples), packed_step(tmp_path), ExportSection(valid_share=0.3))
    seen: dict[str, set[str]] = {"train": set(), "valid": set()}
    for prefix in prefixes(tmp_path, "context"):
        seen[prefix.parts[-2]] |= {seed for row in docs_of(prefix) for seed in row["seed_ids"]}
    assert seen["train"]
    assert seen["valid"]
    assert not seen["train"] & seen["valid"]
    counts = packed_step(tmp_path).counts().values()
    assert sum(row["in"] for row in counts) == len(samples)
    assert 0 < sum(row["dropped"].get("straddles_splits", 0) for row in counts) < len(samples) / 2


def gpt_config(tokenizer: Tokenizer, sequence_length: int, **fields: Any) -> Any:
    from megatron.core.datasets.gpt_dataset import GPTDatasetConfig

    return GPTDatasetConfig(
        random_seed=1,
        sequence_length=sequence_length,
        tokenizer=SimpleNamespace(eod=tokenizer.eod, pad=tokenizer.eod, unique_identifiers={"name": tokenizer.name}),
        reset_position_ids=False,
        reset_attention_mask=False,
        eod_mask_loss=False,
        **fields,
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_blend_over_several_prefixes_gives_the_shares_asked_for(
    run_dir: Path, tokenizer: Tokenizer, variant: str
) -> None:
    from megatron.core.datasets.blended_megatron_dataset_builder import BlendedMegatronDatasetBuilder
    from megatron.core.datasets.gpt_dataset import GPTDataset
    from megatron.core.datasets.utils import get_blend_from_list

    blend = read_json(run_dir / "blend" / f"{variant}.blend.json")
    assert len(blend["train"]) // 2 >= 8
    per_split = [get_blend_from_list(blend[split]) for split in ("train", "valid", "test")]
    config = gpt_config(tokenizer, 64, blend_per_split=per_split, split=None)
    train, valid, test = BlendedMegatronDatasetBuilder(GPTDataset, [100_000, 100, 0], lambda: True, config).build()
    assert test is None
    drawn = Counter(train.dataset_index[:100_000].tolist())
    families: Counter[str] = Counter()
    for number, (weight, prefix) in enumerate(zip(map(float, blend["train"][::2]), blend["train"][1::2], strict=True)):
        assert abs(drawn[number] / 100_000 - weight) < 0.001
        families[Path(prefix).parts[-3]] += drawn[number]
    told = read_json(run_dir / "blend" / "mixture.json")["variants"][variant]["families"]
    assert {family: num / 100_000 for family, num in families.items()} == pytest.approx(
        {family: seen["share"] for family, seen in told.items()}, abs=0.001
    )
    assert {len(train[number]["tokens"]) for number in (0, 99_999)} == {64}
    assert len(valid) >= 100


@pytest.mark.parametrize("variant", VARIANTS)
def test_nemo_sets_up_datasets_from_our_paths(run_dir: Path, tokenizer: Tokenizer, variant: str) -> None:
    from nemo.collections.llm import PreTrainingDataModule

    paths = read_json(run_dir / "blend" / f"{variant}.nemo.json")
    backend = SimpleNamespace(
        eod=tokenizer.eod,
        pad=tokenizer.eod,
        unique_identifiers={"name": tokenizer.name},
        vocab_size=tokenizer.vocab_size,
    )
    module = PreTrainingDataModule(
        paths=paths, tokenizer=backend, seq_length=64, micro_batch_size=1, global_batch_size=2, num_workers=0
    )
    module.trainer = SimpleNamespace(max_steps=5, val_check_interval=5, limit_val_batches=1, limit_test_batches=1)
    module.setup()
    assert len(module._train_ds) >= 10
    assert len(module._train_ds[0]["tokens"]) == 64
    assert len(module._validation_ds) >= 2


def test_a_vocabulary_beyond_16_bits_is_packed_as_int32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy
    from megatron.core.datasets.indexed_dataset import IndexedDataset

    monkeypatch.setattr(
        "nemo_sdg.export.packing.pack.load_tokenizer", lambda name, bos: byte_tokenizer(vocab_size=131_072)
    )
    pack_shards(write_curated(tmp_path, all_samples()[:20]), packed_step(tmp_path), ExportSection(valid_share=0.0))
    dataset = IndexedDataset(str(prefixes(tmp_path, "context")[0]))
    assert dataset.index.dtype == numpy.int32
    assert dataset[0].tolist()[-1] == 256


def test_a_task_whose_documents_all_drop_has_a_receipt_and_no_dataset(tmp_path: Path) -> None:
    samples = [make_sample(number, question="" if number % 3 == 0 else "q") for number in range(30)]
    for number, sample in enumerate(samples):
        sample["task"] = "lost" if number % 3 == 0 else "kept"
    receipts = pack_shards(write_curated(tmp_path, samples), packed_step(tmp_path), ExportSection(valid_share=0.0))
    lost = [receipt for receipt in receipts if receipt["task"] == "lost"]
    assert lost
    assert all(not receipt["variants"] and receipt["counts"]["lost"]["kept"] == 0 for receipt in lost)
    assert {row["task"] for prefix in prefixes(tmp_path, "context") for row in docs_of(prefix)} == {"kept"}


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "cache" not in path.parts
    }


def test_bytes_do_not_depend_on_the_number_of_processes(
    run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nemo_sdg.export.packing.pack.BYTES_FOR_A_WORKER", 1)
    pack_shards(write_curated(tmp_path, all_samples()), packed_step(tmp_path), EXPORT, workers=2)
    assert tree(tmp_path / "packed") == tree(run_dir / "packed")


@pytest.fixture
def dask_cluster(tmp_path: Path) -> Iterator[Any]:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, local_directory=str(tmp_path / "dask")
    ) as cluster:
        yield cluster


def test_dask_workers_write_the_same_bytes_and_may_die_and_come_late(
    run_dir: Path, tmp_path: Path, dask_cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_curated(tmp_path, all_samples())
    monkeypatch.chdir(tmp_path)  # the workers have another working directory
    shards, step, done = (
        [Path("curated") / path.name for path in sorted((tmp_path / "curated").glob("*.jsonl"))],
        packed_step(Path()),
        list[str](),
    )

    def disturb(receipt: dict[str, Any]) -> None:
        """The first worker dies after its first shard, when a second one is on its way, and another one after the last
        shard but one.
        """
        done.append(receipt["shard"])
        if len(done) == 1:
            dask_cluster.scale(2)
        if len(done) in (1, 11):
            os.kill(next(iter(dask_cluster.workers.values())).pid, signal.SIGKILL)

    receipts = pack_shards(shards, step, EXPORT, dask_address=dask_cluster.scheduler_address, on_done=disturb)
    assert len(done) == len(receipts) == len(set(done))
    assert len(done) > 11
    assert tree(tmp_path / "packed") == tree(run_dir / "packed")


def test_an_error_of_a_dask_worker_is_the_users_and_neither_an_empty_scheduler_nor_lost_workers_are_waited_for(
    tmp_path: Path, dask_cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = write_curated(tmp_path, all_samples()[:20])
    with shards[0].open("ab") as handle:
        handle.write(b'{"half": ')
    with pytest.raises(DataError, match=re.escape(shards[0].name)):
        pack_shards(shards, packed_step(tmp_path), EXPORT, dask_address=dask_cluster.scheduler_address)
    monkeypatch.setattr(dask_tasks, "WORKER_SECONDS", 1)
    with dask_tasks.connect(dask_cluster.scheduler_address) as client:
        results = dask_tasks.map_on(client, "packing", time.sleep, [0, 600])
        next(results)
        dask_cluster.scale(0)
        with pytest.raises(ConfigError, match="no worker after 1 seconds"):
            next(results)
    with pytest.raises(ConfigError, match=r"run\.dask_address=tcp://.* has no worker after 1 seconds"):
        pack_shards(shards, packed_step(tmp_path), EXPORT, dask_address=dask_cluster.scheduler_address)


def test_what_is_done_is_not_done_again_and_damage_is_repaired(run_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(run_dir / "curated", tmp_path / "curated")
    shutil.copytree(run_dir / "packed", tmp_path / "packed")
    shards, step, done = sorted((tmp_path / "curated").glob("*.jsonl")), packed_step(tmp_path), list[str]()
    pack_shards(shards, step, EXPORT, on_done=lambda receipt: done.append(receipt["shard"]))
    assert done == []
    receipts = step.shards()
    (tmp_path / "packed/context/math/train/shard-00000_text_document.bin").write_bytes(b"")
    step.receipt_path(receipts[-1]).unlink()
    (tmp_path / "packed/context/math/train/.shard-00000_text_document.bin.x.tmp").write_bytes(b"half")
    (tmp_path / "packed/context/math/train/shard-00099_text_document.bin").write_bytes(b"of another plan")
    pack_shards(shards, step, EXPORT, on_done=lambda receipt: done.append(receipt["shard"]))
    assert sorted(done) == sorted(["math-train-00000", receipts[-1]])
    assert tree(tmp_path / "packed") == tree(run_dir / "packed")


def test_curated_samples_are_planned_again_only_when_something_is_not_what_it_was(
    run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(run_dir / "curated", tmp_path / "curated")
    shutil.copytree(run_dir / "packed", tmp_path / "packed")
    shards, step = sorted((tmp_path / "curated").glob("*.jsonl")), packed_step(tmp_path)

    def plan(*_: Any, **__: Any) -> None:
        raise AssertionError("planned")

    monkeypatch.setattr(pack, "plan_packing", plan)
    done = pack_shards(shards, step, EXPORT)
    assert {receipt["shard"]: receipt for receipt in done} == {name: step.receipt(name) for name in step.shards()}
    names = ["curated/shard-00003.jsonl", "packed/plan.json", "packed/receipts/math-train-00000.json"]
    for path in [*(tmp_path / name for name in names), next((tmp_path / "packed").rglob("*.text.parquet"))]:
        before = path.read_bytes()
        path.write_bytes(before[:-1] + b"?")
        with pytest.raises(AssertionError, match="planned"):
            pack_shards(shards, packed_step(tmp_path), EXPORT)
        path.write_bytes(before)
    for others, other in ((shards[1:], step), (shards, replace(step, fingerprint="f2"))):
        with pytest.raises(AssertionError, match="planned"):
            pack_shards(others, other, EXPORT)
    assert len(pack_shards(shards, packed_step(tmp_path), EXPORT)) == len(done)


def test_a_smaller_corpus_leaves_nothing_of_the_larger_one(run_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(run_dir / "packed", tmp_path / "packed")
    write_curated(tmp_path, all_samples())
    for path in sorted((tmp_path / "curated").glob("*.jsonl")):
        write_jsonl(path, [sample for sample in read_jsonl(path) if sample["family"] == "math"])
    shards = sorted((tmp_path / "curated").glob("*.jsonl"))
    pack_shards(shards, packed_step(tmp_path), EXPORT)
    other = tmp_path / "other"
    shutil.copytree(tmp_path / "curated", other / "curated")
    pack_shards(sorted((other / "curated").glob("*.jsonl")), packed_step(other), EXPORT)
    assert tree(tmp_path / "packed") == tree(other / "packed")


def test_another_tokenizer_under_the_same_name_is_noticed(run_dir: Path, tokenizer: Tokenizer) -> None:
    shards = sorted((run_dir / "curated").glob("*.jsonl"))
    unit = plan_packing(shards, EXPORT, tokenizer)[0]
    assert problem(unit, packed_step(run_dir), tokenizer) is None
    other = Tokenizer(backend=tokenizer.backend, name=tokenizer.name, eod=0, vocab_size=tokenizer.vocab_size)
    assert "tokenizer" in (problem(unit, packed_step(run_dir), other) or "")


def test_trace_leads_from_a_document_to_its_seed_row(run_dir: Path) -> None:
    prefix = read_json(run_dir / "blend" / "context.blend.json")["train"][1]
    row = docs_of(Path(prefix))[2]
    found = trace(run_dir, prefix, 2)
    sample = next(sample for sample in all_samples() if sample["sample_id"] == row["sample_id"])
    assert found["sample"] == sample
    assert found["packed"]["text"] == render_text(sample, "context")
    assert [seed["seed_id"] for seed in found["seeds"]] == sample["seed_ids"]
    assert found["dataset_rows"][0]["path"].startswith("org/")
    assert found["generator"]["model"] == "a model"
    assert trace(run_dir, str(Path(prefix).relative_to(run_dir.resolve())) + ".bin", 2) == found


@pytest.mark.parametrize(
    ("prefix", "document", "message"),
    [("packed/context/none", 0, "is not a packed dataset"), (None, 10_000, r"must be in \[0, "), (None, -1, "got -1")],
)
def test_a_trace_of_what_is_not_there_is_one_line(
    run_dir: Path, prefix: str | None, document: int, message: str
) -> None:
    known = read_json(run_dir / "blend" / "context.blend.json")["train"][1]
    with pytest.raises(ConfigError, match=message) as caught:
        trace(run_dir, prefix or known, document)
    assert "\n" not in str(caught.value)


def test_transformers_opens_the_tokenizer_that_a_run_keeps(run_dir: Path, tokenizer: Tokenizer) -> None:
    from transformers import AutoTokenizer

    kept = AutoTokenizer.from_pretrained(run_dir / "packed" / "tokenizer")
    text = render_text(all_samples()[4], "context")
    assert kept(text, add_special_tokens=False)["input_ids"] == tokenizer.encode([text])[0]
    assert kept.eos_token_id == tokenizer.eod == 2


def test_the_texts_of_both_variants_stand_beside_the_datasets(run_dir: Path) -> None:
    import pyarrow.parquet as pq

    samples = {sample["sample_id"]: sample for sample in all_samples()}
    for variant in VARIANTS:
        for prefix in prefixes(run_dir, variant):
            rows = pq.read_table(str(prefix).replace("_text_document", ".text.parquet")).to_pylist()
            assert [row["text"] for row in rows] == [render_text(samples[row["uuid"]], variant) for row in rows]
            assert {(row["license"], row["model"]) for row in rows} == {("MIT", "a model")}


def test_gguf_metadata_is_what_the_gguf_package_reads(tokenizer: Tokenizer) -> None:
    import importlib.util

    from gguf import GGUFReader

    from nemo_sdg.export.packing.tokenizer_files import EMBEDDED_FILE, EMBEDDED_PACKAGE
    from nemo_sdg.storage.gguf import read_metadata

    spec = importlib.util.find_spec(EMBEDDED_PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / EMBEDDED_FILE
    theirs = {name: field.contents() for name, field in GGUFReader(path).fields.items() if not name.startswith("GGUF.")}
    assert read_metadata(path) == theirs


def test_the_embedded_tokenizer_is_that_of_llama_cpp(tokenizer: Tokenizer, hub: Path) -> None:
    import importlib.util
    import urllib.request

    import xllamacpp

    from nemo_sdg.export.packing.tokenizer_files import EMBEDDED_FILE, EMBEDDED_PACKAGE

    spec = importlib.util.find_spec(EMBEDDED_PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    params = xllamacpp.CommonParams()
    params.model.path = str(Path(spec.origin).parent / EMBEDDED_FILE)
    params.n_parallel, params.n_ctx, params.n_gpu_layers, params.cpuparams.n_threads = 1, 256, 0, 1
    server = xllamacpp.Server(params)
    texts = [line[:1500] for path in sorted(hub.rglob("*.jsonl")) for line in path.read_text().split("\n")[:3] if line]
    texts += ["½ ² ①② x²+y³  1,234.5", "٣٤ १२३", "a\u00a0b\u3000c\r\n\r\n\t x", "it 's I'LL"]
    for text in texts:
        body = json.dumps({"content": text, "add_special": False, "parse_special": False}).encode()
        request = urllib.request.Request(
            f"{server.listening_address}/tokenize", body, {"Content-Type": "application/json"}
        )
        assert json.load(urllib.request.urlopen(request))["tokens"] == tokenizer.encode([text])[0]


def test_index_is_what_the_published_layout_says(run_dir: Path) -> None:
    import numpy
    from megatron.core.datasets.indexed_dataset import IndexedDataset

    prefix = prefixes(run_dir, "context")[0]
    dataset = IndexedDataset(str(prefix))
    pointers = dataset.index.sequence_pointers.tolist()
    assert pointers[0] == 0
    assert all(
        after - before == length * 2
        for (before, after), length in zip(pairwise(pointers), dataset.sequence_lengths.tolist(), strict=False)
    )
    assert Path(f"{prefix}.bin").stat().st_size == int(numpy.sum(dataset.sequence_lengths)) * 2


@pytest.mark.parametrize("vocab_size", [65_499, 65_500, 128_256])
def test_the_bytes_are_those_of_megatrons_builder(tmp_path: Path, vocab_size: int) -> None:
    from megatron.core.datasets.indexed_dataset import DType, IndexedDatasetBuilder

    documents = [[1, 2, vocab_size - 1], [7], list(range(100, 400))]
    theirs = IndexedDatasetBuilder(str(tmp_path / "theirs.bin"), dtype=DType.optimal_dtype(vocab_size))
    with open(tmp_path / "ours.bin", "wb") as ids, open(tmp_path / "ours.idx", "wb") as index:
        ours = IndexedWriter(ids, vocab_size)
        for document in documents:
            theirs.add_document(document, [len(document)])
            ours.add(document)
        ours.finish(index)
    theirs.finalize(str(tmp_path / "theirs.idx"))
    for ending in ("bin", "idx"):
        assert (tmp_path / f"ours.{ending}").read_bytes() == (tmp_path / f"theirs.{ending}").read_bytes()
