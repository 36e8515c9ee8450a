"""The samples that Megatron's builder draws from the blends, compared with mixture.json for each variant."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import pytest

from nemo_sdg.config import VARIANTS, BlendSection, BlendSource, Budget, ExportSection, Form, MixtureSection
from nemo_sdg.export.blend.write import plan_blend, write_blend
from nemo_sdg.export.packing.pack import pack_shards
from nemo_sdg.storage import StepDir, read_json, write_json
from tests.contract.control_ids import import_indexed_dataset
from tests.unit.export.packing_samples import byte_tokenizer, make_sample, packed_step, write_curated

SEQUENCE = 64
DOCUMENT = 256
EOD = 0
FAMILIES = ["science", "math", "code"]
RATIOS = {
    "context": dict.fromkeys(FAMILIES, 1.0),
    "no_context": {"science": 0.55, "math": 0.84, "code": 0.9},
    "answer_only": {"science": 0.2, "math": 0.35, "code": 0.5},
    "trace": {"science": 1.3, "math": 2.6, "code": 0.9},
}
OTHERS = {"context": 1.0, "no_context": 0.5, "answer_only": 0.5, "trace": 1.6}
"""tokens of a variant per token with context, in the families named and in others"""
SMALL = {f"small{number}": {f"task{number}": 40_000} for number in range(5)}
PLAIN = {"science": {"a": 300_000, "b": 60_000}, "math": {"c": 200_000}, "code": {"d": 90_000, "e": 50_000}}
SCENARIOS: dict[str, tuple[dict[str, dict[str, int]], dict[str, Any]]] = {
    "giant": ({"science": {"g": 1_600_000}, **SMALL}, {}),
    "tiny": (PLAIN | {f"tiny{number}": {f"t{number}": 20_000} for number in range(4)}, {"family_floor": 0.1}),
    "one family": ({"math": {"a": 300_000, "b": 40_000}}, {}),
    "many shards": (PLAIN, {"shard_tokens": 20_000}),
    "caps": (PLAIN | SMALL, {"family_cap": 0.3, "family_caps": {"code": 0.1}, "task_cap": 0.55}),
    "floor": (PLAIN | SMALL, {"family_floor": 0.12, "train_tokens": 1_500_000, "alpha": 1.0}),
    "length": (PLAIN, {"train_tokens": 1_100_000, "max_epochs": 8.0, "alpha": 0.3}),
    "base": (PLAIN, {"train_tokens": 4_000_000, "synthetic_share": 0.25}),
    "difficulty": (PLAIN, {"difficulty": {"easy": 0.5, "hard": 3.0}}),
    "hard to repeat": (PLAIN, {"difficulty": {"hard": 50.0}, "max_epochs": 2.0}),
}
BANDS = {"easy": 0.5, "medium": 0.3, "hard": 0.2}
"""shares of a task's tokens in its bands of difficulty"""


def write_dataset(prefix: Path, num_tokens: int) -> None:
    """A Megatron dataset of documents of DOCUMENT tokens; the last may be shorter."""
    import torch

    indexed = import_indexed_dataset()
    prefix.parent.mkdir(parents=True, exist_ok=True)
    builder = indexed.IndexedDatasetBuilder(f"{prefix}.bin", dtype=numpy.uint16)
    lengths = [DOCUMENT] * (num_tokens // DOCUMENT) + [rest for rest in [num_tokens % DOCUMENT] if rest]
    for length in lengths:
        builder.add_document(torch.ones(length, dtype=torch.int32), [length])
    builder.finalize(f"{prefix}.idx")


NO_FACTS = {"bytes": 0, "sha256": "", "rows": None}


def write_packed(
    run_dir: Path, families: dict[str, dict[str, int]], shard_tokens: int, bands: dict[str, float]
) -> StepDir:
    """Packed shards of all variants with their receipts, without texts."""
    step = StepDir(run_dir=run_dir, step="packed", fingerprint="f1")
    for family, tasks in families.items():
        index = 0
        for task, tokens in tasks.items():
            num_shards = math.ceil(tokens / shard_tokens)
            for band in bands or [""] * num_shards:
                sizes, outputs = {}, {}
                for variant, ratio in RATIOS.items():
                    # the harder, the longer the context
                    part = bands[band] ** (1.0 if variant == "context" else 1.1) if bands else 1 / num_shards
                    size = round(tokens * part * ratio.get(family, OTHERS[variant]))
                    prefix = f"packed/{variant}/{family}/train/shard-{index:05d}_text_document"
                    write_dataset(run_dir / prefix, size)
                    sizes[variant], outputs[f"{prefix}.bin"] = {"documents": size // DOCUMENT, "tokens": size}, NO_FACTS
                receipt = {
                    "step": "packed", "shard": f"{family}-train-{index:05d}", "fingerprint": "f1", "inputs": {},
                    "family": family, "split": "train", "task": task, "variants": sizes, "outputs": outputs,
                    "counts": {}, "band": band,
                }  # fmt: skip
                write_json(step.receipt_path(f"{family}-train-{index:05d}"), receipt)
                index += 1
    return step


def drawn(blend: dict[str, Any], total_tokens: int) -> dict[str, int]:
    """Tokens that Megatron draws from each prefix in a training of `total_tokens`."""
    from megatron.core.datasets.blended_megatron_dataset_builder import BlendedMegatronDatasetBuilder
    from megatron.core.datasets.gpt_dataset import GPTDataset, GPTDatasetConfig
    from megatron.core.datasets.utils import get_blend_from_list

    config = GPTDatasetConfig(
        random_seed=1,
        sequence_length=SEQUENCE,
        tokenizer=SimpleNamespace(eod=EOD, pad=EOD, unique_identifiers={"name": "ones"}),
        reset_position_ids=False,
        reset_attention_mask=False,
        eod_mask_loss=False,
        blend_per_split=[get_blend_from_list(blend["train"]), None, None],
        split=None,
    )
    num_sequences = total_tokens // SEQUENCE
    train, _, _ = BlendedMegatronDatasetBuilder(GPTDataset, [num_sequences, 0, 0], lambda: True, config).build()
    prefixes = blend["train"][1::2]
    if len(prefixes) == 1:
        return {prefixes[0]: num_sequences * SEQUENCE}
    counts = numpy.bincount(train.dataset_index[:num_sequences], minlength=len(prefixes))
    return {prefix: int(count) * SEQUENCE for prefix, count in zip(prefixes, counts, strict=True)}


@pytest.mark.parametrize("budget", list(Budget), ids=lambda budget: str(budget.value))
@pytest.mark.parametrize("name", SCENARIOS)
def test_megatron_draws_what_mixture_json_says(tmp_path: Path, name: str, budget: Budget) -> None:
    families, options = SCENARIOS[name]
    settings = dict(options)
    bands = BANDS if "difficulty" in settings else {}
    packed = write_packed(tmp_path, families, settings.pop("shard_tokens", 10**9), bands)
    base = []
    if settings.get("synthetic_share", 1) < 1:
        for prefix, size in (("web", 400_000), ("books", 900_000)):
            write_dataset(tmp_path / prefix, size)
        write_json(tmp_path / "theirs.json", {"train": ["web", "books"]})
        base = [
            BlendSource(blend=str(tmp_path / "theirs.json"), weight=3.0),
            BlendSource(prefix=str(tmp_path / "web"), weight=1.0),
        ]
    export = ExportSection(variants=list(RATIOS), budget=budget)
    receipts = [packed.receipt(name) or {} for name in packed.shards()]
    config = MixtureSection(**settings)
    mixture = plan_blend(packed, export, config)
    blend_step = StepDir(run_dir=tmp_path, step="blend", fingerprint="f1")
    told = write_blend(blend_step, mixture, export, BlendSection(base=base), packed=packed)
    assert_drawn_as_told(tmp_path, told, receipts, config)
    assert len(told["arms"]) == len(RATIOS) + bool(base)


def assert_drawn_as_told(
    run_dir: Path, told: dict[str, Any], receipts: list[dict[str, Any]], config: MixtureSection
) -> None:
    """Shares to 0.001 and epochs to 1% in every arm, family and task, by what Megatron draws."""
    tasks = {
        output.removesuffix(".bin"): (receipt["family"], receipt["task"], receipt.get("band", ""))
        for receipt in receipts
        for output in receipt["outputs"]
    }
    for arm, facts in told["arms"].items():
        counts = drawn(read_json(run_dir / "blend" / facts["blend"]), facts["total_tokens"])
        own: dict[tuple[str, str], int] = {}
        rest = 0
        for prefix, tokens in counts.items():
            relative = str(Path(prefix).relative_to(run_dir))
            if relative in tasks:
                family, task, band = tasks[relative]
                own[family, task] = own.get((family, task), 0) + tokens
                size = next(r["variants"][arm]["tokens"] for r in receipts if f"{relative}.bin" in r["outputs"])
                if config.difficulty:
                    asked = told["variants"][arm]["families"][family]["tasks"][task]["bands"][band]
                    assert tokens / size == pytest.approx(asked, rel=0.02)
                    assert tokens / size <= config.max_epochs * 1.02
            else:
                rest += tokens
        assert rest == pytest.approx(facts["base_tokens"], rel=0.01, abs=3 * SEQUENCE)
        if arm == "base":
            assert not own
            continue
        plan, synthetic = told["variants"][arm], sum(own.values())
        assert synthetic / (synthetic + rest) == pytest.approx(plan["synthetic_share"], abs=0.001)
        assert synthetic / plan["train_tokens"] == pytest.approx(plan["epochs"], rel=0.01)
        for family, seen in plan["families"].items():
            of_family = sum(tokens for (owner, _), tokens in own.items() if owner == family)
            assert of_family / synthetic == pytest.approx(seen["share"], abs=0.001), (arm, family)
            assert of_family / seen["available"] == pytest.approx(seen["epochs"], rel=0.01), (arm, family)
            for task, part in seen["tasks"].items():
                assert own[family, task] / part["available"] == pytest.approx(part["epochs"], rel=0.01), (arm, task)
                assert own[family, task] / part["available"] <= config.max_epochs * 1.01


@pytest.mark.parametrize("budget", list(Budget), ids=lambda budget: str(budget.value))
@pytest.mark.parametrize("form", list(Form), ids=lambda form: str(form.value))
def test_megatron_draws_what_is_told_of_documents_packed_for_real(
    tmp_path: Path, form: Form, budget: Budget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Single samples and siblings in all variants, one of them with traces in every second sample."""
    monkeypatch.setattr("nemo_sdg.export.packing.pack.load_tokenizer", lambda name, bos: byte_tokenizer())
    samples = [make_sample(number) for number in range(120)]
    for sample in samples[::2]:
        sample["trace"] = f"Let me think about it: {sample['question']}"
    export = ExportSection(variants=list(VARIANTS), form=form, budget=budget, shard_tokens=1500)
    packed, blend = packed_step(tmp_path), StepDir(run_dir=tmp_path, step="blend", fingerprint="f1")
    pack_shards(write_curated(tmp_path, samples, shard_size=50), packed, export)
    config = MixtureSection(train_tokens=200_000, max_epochs=40.0)
    told = write_blend(blend, plan_blend(packed, export, config), export, BlendSection(), packed=packed)
    assert len(packed.shards()) > 6
    receipts = [receipt for name in packed.shards() if (receipt := packed.receipt(name) or {})["split"] == "train"]
    assert_drawn_as_told(tmp_path, told, receipts, config)
    assert list(told["arms"]) == list(VARIANTS)
