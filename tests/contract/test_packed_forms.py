"""Documents of siblings, documents that begin with BOS, and variants with traces, read by Megatron."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nemo_sdg.commands.check.findings import CheckedRun, Verdict
from nemo_sdg.commands.check.packed.corpora import packed_is_complete
from nemo_sdg.commands.look.trace import trace
from nemo_sdg.config import BlendSection, ExportSection, Form, MixtureSection
from nemo_sdg.export.blend.write import plan_blend, write_blend
from nemo_sdg.export.documents import render_text
from nemo_sdg.export.packing.pack import pack_shards
from nemo_sdg.export.packing.tokenizers import load_saved, load_tokenizer
from nemo_sdg.storage import StepDir, read_json, read_jsonl, write_json
from tests.contract.control_ids import find_control_ids, import_indexed_dataset
from tests.unit.export.packing_samples import byte_tokenizer, make_sample, packed_step, write_curated

VARIANTS = ["context", "no_context", "answer_only", "trace"]


def samples_of_seeds(num: int) -> list[dict[str, Any]]:
    """Samples in an order in which siblings do not stand together, half of them with a trace."""
    samples = [make_sample(number) for number in range(num)]
    samples.sort(key=lambda sample: sample["sample_id"])
    for number, sample in enumerate(samples):
        sample["trace"] = f"Let me think about {number}." if number % 2 else None
    return samples


def packed(run_dir: Path, samples: list[dict[str, Any]], **export: Any) -> tuple[list[dict[str, Any]], ExportSection]:
    section = ExportSection(**{"variants": VARIANTS, "valid_share": 0.1, **export})
    shards = write_curated(run_dir, samples, shard_size=len(samples))
    facts = {"step": "curated", "shard": "shard-00000", "fingerprint": "f1", "inputs": {}, "outputs": {}, "counts": {}}
    write_json(run_dir / "curated" / "receipts" / "shard-00000.json", facts)
    return pack_shards(shards, packed_step(run_dir), section), section


def violations(run_dir: Path) -> list[str]:
    """What `check` says of the packed corpora."""
    run, verdict = CheckedRun(run_dir, ["curated", "packed"]), Verdict(law="packed")
    run.ledgers["packed"] = SimpleNamespace(configuration={"export.variants": VARIANTS})  # type: ignore[assignment]
    packed_is_complete(run, verdict)
    return verdict.violations


def documents(run_dir: Path, variant: str) -> list[tuple[list[str], list[int]]]:
    """Sample ids and token ids of each document."""
    found = []
    for path in sorted((run_dir / "packed" / variant).rglob("*.bin")):
        prefix = str(path.with_suffix(""))
        dataset = import_indexed_dataset().IndexedDataset(prefix)
        rows = pq.read_table(prefix.replace("_text_document", ".docs.parquet")).to_pylist()
        texts = pq.read_table(prefix.replace("_text_document", ".text.parquet")).to_pylist()
        assert len(texts) == len(dataset)
        for number in range(len(dataset)):
            own = [row for row in rows if row["document"] == number]
            assert {row["num_tokens"] for row in own} == {len(dataset[number])}
            found.append(([row["sample_id"] for row in own], dataset[number].tolist()))
    return found


@pytest.fixture
def plain_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nemo_sdg.export.packing.pack.load_tokenizer", lambda name, bos: byte_tokenizer())


@pytest.mark.parametrize("most", [350, 900, 8192])
@pytest.mark.usefixtures("plain_bytes")
def test_siblings_stand_in_one_document_up_to_its_length_the_same_in_every_variant(tmp_path: Path, most: int) -> None:
    samples = samples_of_seeds(90)
    receipts, _ = packed(tmp_path, samples, form=Form.siblings, max_document_tokens=most, shard_tokens=1500)
    assert len(receipts) > 6
    by_id = {sample["sample_id"]: sample for sample in samples}
    held = {variant: documents(tmp_path, variant) for variant in VARIANTS}
    groups = [names for names, _ in held["context"]]
    assert all([names for names, _ in held[variant]] == groups for variant in VARIANTS)
    assert sorted(name for names in groups for name in names) == sorted(by_id)
    for variant in VARIANTS:
        for names, ids in held[variant]:
            assert len(ids) <= most
            assert len({by_id[name]["seed_ids"][0] for name in names}) == 1
            text = "\n\n".join(render_text(by_id[name], variant) for name in names)
            assert byte_tokenizer().decode(ids) == text
    if most == 8192:
        assert len(groups) == len({sample["seed_ids"][0] for sample in samples})
    elif most == 350:
        assert 1 in {len(names) for names in groups}
    assert violations(tmp_path) == []


def without_first_row(run_dir: Path) -> None:
    path = next((run_dir / "packed" / "context").rglob("*.docs.parquet"))
    table = pq.read_table(path)
    assert table.num_rows > max(table["document"].to_pylist()) + 1
    pq.write_table(table.slice(1), path)


def siblings_exchanged(run_dir: Path) -> None:
    path = next((run_dir / "packed" / "context").rglob("*.docs.parquet"))
    rows = pq.read_table(path).to_pylist()
    assert rows[0]["document"] == rows[1]["document"]
    rows[0], rows[1] = rows[1], rows[0]
    pq.write_table(pa.Table.from_pylist(rows, schema=pq.read_schema(path)), path)


def text_changed(run_dir: Path) -> None:
    path = next((run_dir / "packed" / "context").rglob("*.text.parquet"))
    rows = pq.read_table(path).to_pylist()
    rows[0]["text"] = f"{rows[0]['text']} And more."
    pq.write_table(pa.Table.from_pylist(rows, schema=pq.read_schema(path)), path)


def control_id_inside(run_dir: Path) -> None:
    path = next((run_dir / "packed" / "context").rglob("*.bin"))
    tokens = numpy.fromfile(path, dtype=numpy.uint16)
    tokens[3] = 256
    tokens.tofile(path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without_first_row, "hold other samples"),
        (siblings_exchanged, "hold other samples"),
        (text_changed, "is not that of the curated sample"),
        (control_id_inside, "document 0 holds the control id 256 inside its text"),
    ],
)
@pytest.mark.usefixtures("plain_bytes")
def test_check_finds_what_is_wrong_with_documents_of_siblings(tmp_path: Path, damage: Any, message: str) -> None:
    packed(tmp_path, samples_of_seeds(30), form=Form.siblings)
    damage(tmp_path)
    assert any(message in found for found in violations(tmp_path))


@pytest.mark.usefixtures("plain_bytes")
def test_traces_are_counted_and_stand_in_their_variant_alone(tmp_path: Path) -> None:
    samples = samples_of_seeds(40)
    receipts, export = packed(tmp_path, samples, valid_share=0.0)
    assert sum(receipt["variants"]["trace"]["without_trace"] for receipt in receipts) == 20
    with_trace = [names for names, ids in documents(tmp_path, "trace") if b"Let me think" in bytes_of(ids)]
    assert len(with_trace) == 20
    assert not any(b"Let me think" in bytes_of(ids) for v in VARIANTS[:3] for _, ids in documents(tmp_path, v))
    step = packed_step(tmp_path)
    plan = plan_blend(step, export, MixtureSection())
    blend = StepDir(run_dir=tmp_path, step="blend", fingerprint="f1")
    told = write_blend(blend, plan, export, BlendSection(), packed=step)
    assert any("20 of 40 samples have no trace" in note for note in told["explanation"]["notes"])


def bytes_of(ids: list[int]) -> bytes:
    return byte_tokenizer().decode(ids).encode()


def test_bos_begins_each_document_and_is_no_control_id_inside(tmp_path: Path) -> None:
    samples = samples_of_seeds(30)
    samples[0]["question"] = "What does <|im_end|> mean, and <|im_start|>?"
    for bos in (False, True):
        run_dir = tmp_path / str(bos)
        packed(run_dir, samples, bos=bos)
        assert violations(run_dir) == []
        tokenizer = load_tokenizer(None, bos=bos)
        for _, ids in documents(run_dir, "context"):
            assert (ids[0] == 1, ids[-1], ids.count(2)) == (bos, 2, 1)
            assert "<|im_start|>" not in tokenizer.decode(ids) or samples[0]["question"] in tokenizer.decode(ids)
        kept = load_saved(run_dir / "packed" / "tokenizer")
        assert (kept.bos, kept.digest) == (tokenizer.bos, tokenizer.digest)
        for path in (run_dir / "packed").rglob("*.bin"):
            assert not list(find_control_ids(path.with_suffix(""), kept))


def test_control_ids_in_a_packed_document_are_found(tmp_path: Path) -> None:
    tokenizer = byte_tokenizer()
    indexed = import_indexed_dataset()
    builder = indexed.IndexedDatasetBuilder(str(tmp_path / "set.bin"), dtype=numpy.uint16)
    for ids in ([1, 2, 256], [1, 256, 2, 256], [1, 2, 3]):
        builder.add_document(ids, [len(ids)])
    builder.finalize(str(tmp_path / "set.idx"))
    assert list(find_control_ids(tmp_path / "set", tokenizer)) == [(1, 256), (2, 3)]


@pytest.mark.usefixtures("plain_bytes")
def test_trace_of_a_document_of_siblings_names_all_of_them(tmp_path: Path) -> None:
    samples = samples_of_seeds(12)
    _, export = packed(tmp_path, samples, form=Form.siblings, valid_share=0.0)
    step = packed_step(tmp_path)
    blend = StepDir(run_dir=tmp_path, step="blend", fingerprint="f1")
    write_blend(blend, plan_blend(step, export, MixtureSection()), export, BlendSection(), packed=step)
    (tmp_path / "config.yaml").write_text("{}\n")
    prefix = read_json(tmp_path / "blend" / "context.blend.json")["train"][1]
    found = trace(tmp_path, prefix, 0)
    assert len(found["samples"]) > 1
    assert {tuple(sample["seed_ids"]) for sample in found["samples"]} == {tuple(found["sample"]["seed_ids"])}


@pytest.mark.usefixtures("plain_bytes")
def test_a_document_with_a_control_id_is_dropped_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a tokenizer does: here one that is made to read an end of a document in a text."""
    samples = samples_of_seeds(10)
    samples[3]["question"] = "What is \x00?"

    class Reading(type(byte_tokenizer())):  # type: ignore[misc]
        def encode(self, texts: list[str]) -> list[list[int]]:
            return [[self.eod if number == 188 else number for number in ids] for ids in super().encode(texts)]

    plain = byte_tokenizer()
    nul = plain.encode(["\x00"])[0][0]
    assert nul == 188
    reading = Reading(backend=plain.backend, name="reading", eod=plain.eod, vocab_size=plain.vocab_size)
    monkeypatch.setattr("nemo_sdg.export.packing.pack.load_tokenizer", lambda name, bos: reading)
    receipts, _ = packed(tmp_path, samples, valid_share=0.0)
    counts = [row["dropped"].get("control_token", 0) for receipt in receipts for row in receipt["counts"].values()]
    assert sum(counts) == 1
    drops = [drop for path in (tmp_path / "packed" / "dropped").glob("*.jsonl") for drop in read_jsonl(path)]
    assert [drop["detail"] for drop in drops] == ["the id 256 (<eod>) inside its text"]
