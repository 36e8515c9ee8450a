import json
import struct
from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.config import BlendSection, BlendSource, Budget, ExportSection, MixtureSection
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.export.blend.write import plan_blend, write_blend
from nemo_sdg.storage import StepDir, read_json, write_json

# family, split, task, index, tokens with context, tokens without
SHARDS = [
    ("math", "train", "gsm8k", 0, 4000, 3000),
    ("math", "valid", "gsm8k", 0, 100, 80),
    ("science", "train", "arc", 0, 1000, 800),
    ("science", "train", "sciq", 1, 3000, 2500),
    ("science", "train", "sciq", 2, 2000, 1700),
]


def packed(run_dir: Path, shards: list[tuple[Any, ...]] = SHARDS) -> StepDir:
    """A packed step of receipts alone: the blend reads nothing else of it."""
    step = StepDir(run_dir=run_dir, step="packed", fingerprint="f1")
    for family, split, task, index, *tokens in shards:
        variants = {
            name: {"documents": num // 100, "tokens": num}
            for name, num in zip(("context", "no_context"), tokens, strict=True)
            if num
        }
        outputs = {f"packed/{name}/{family}/{split}/shard-{index:05d}_text_document.bin": {} for name in variants}
        receipt = {
            "family": family,
            "split": split,
            "task": task,
            "variants": variants,
            "outputs": outputs,
            "counts": {},
        }
        write_json(step.receipt_path(f"{family}-{split}-{index:05d}"), receipt)
    return step


def blended(
    run_dir: Path,
    *,
    export: ExportSection | None = None,
    base: list[BlendSource] | None = None,
    shards: list[tuple[Any, ...]] = SHARDS,
    **mixture: Any,
) -> dict[str, Any]:
    step, export = packed(run_dir, shards), export or ExportSection()
    target = StepDir(run_dir=run_dir, step="blend", fingerprint="f1")
    settings = MixtureSection(**{"family_cap": 1.0, "task_cap": 1.0, **mixture})
    plan = plan_blend(step, export, settings)
    return write_blend(target, plan, export, BlendSection(base=base or []), packed=step)


def weights_of(items: list[str]) -> dict[str, float]:
    return {
        "/".join(Path(prefix).parts[-3:]): float(weight) for weight, prefix in zip(items[::2], items[1::2], strict=True)
    }


def test_families_get_their_weights_and_shards_share_by_tokens(tmp_path: Path) -> None:
    blended(tmp_path, alpha=0.0)
    blend = read_json(tmp_path / "blend" / "context.blend.json")
    assert blend["test"] is None
    assert weights_of(blend["train"]) == pytest.approx(
        {
            "math/train/shard-00000_text_document": 0.5,
            "science/train/shard-00000_text_document": 0.5 * 1 / 2,
            "science/train/shard-00001_text_document": 0.5 * 1 / 2 * 3 / 5,
            "science/train/shard-00002_text_document": 0.5 * 1 / 2 * 2 / 5,
        }
    )
    assert weights_of(blend["valid"]) == {"math/valid/shard-00000_text_document": 1.0}
    assert all(isinstance(item, str) for item in blend["train"])
    assert all(Path(prefix).is_relative_to(tmp_path.resolve()) for prefix in blend["train"][1::2])


def test_a_variant_has_weights_of_its_own_and_equal_epochs(tmp_path: Path) -> None:
    """Its weights are not those of the first variant: epochs times its own tokens."""
    mixture = blended(tmp_path, alpha=0.0)
    weights = weights_of(read_json(tmp_path / "blend" / "no_context.blend.json")["train"])
    drawn = {"gsm8k": 5000 / 4000 * 3000, "arc": 2500 / 1000 * 800, "sciq": 2500 / 5000 * 4200}
    total = sum(drawn.values())
    assert weights["math/train/shard-00000_text_document"] == pytest.approx(drawn["gsm8k"] / total)
    assert weights["science/train/shard-00000_text_document"] == pytest.approx(drawn["arc"] / total)
    assert weights["science/train/shard-00001_text_document"] == pytest.approx(drawn["sciq"] / total * 2500 / 4200)
    one, other = (mixture["variants"][name]["families"] for name in ("context", "no_context"))
    assert one["math"]["epochs"] == other["math"]["epochs"] == pytest.approx(1.25)
    assert one["science"]["tasks"]["arc"]["epochs"] == other["science"]["tasks"]["arc"]["epochs"]


def test_a_family_with_valid_documents_alone_counts_there_as_often_as_the_whole(tmp_path: Path) -> None:
    mixture = blended(tmp_path, shards=[*SHARDS, ("law", "valid", "bar", 0, 300, 120)], alpha=0.0)
    blend, raw = (read_json(tmp_path / "blend" / f"context.{form}.json") for form in ("blend", "data_blend"))
    assert weights_of(blend["valid"]) == pytest.approx(
        {"math/valid/shard-00000_text_document": 125 / 425, "law/valid/shard-00000_text_document": 300 / 425}
    )
    assert not any("law" in row["name"] for row in raw["datasets"])
    assert "law" not in mixture["families"]
    assert not any("law" in prefix for prefix in blend["train"][1::2])


def test_the_nemo_form_has_three_lists_that_are_not_empty(tmp_path: Path) -> None:
    blended(tmp_path)
    paths = read_json(tmp_path / "blend" / "context.nemo.json")
    assert list(paths) == ["train", "validation", "test"]
    assert all(paths.values())


def test_without_a_valid_split_blend_says_null_and_nemo_validates_on_train(tmp_path: Path) -> None:
    mixture = blended(tmp_path, shards=[shard for shard in SHARDS if shard[1] == "train"])
    blend, paths = (read_json(tmp_path / "blend" / f"context.{form}.json") for form in ("blend", "nemo"))
    assert blend["valid"] is None
    assert paths == {"train": blend["train"], "validation": blend["train"], "test": blend["train"]}
    assert mixture["variants"]["context"]["nemo_validates_on"] == "train"


def test_megatron_lm_reads_its_form_by_splitting_at_spaces(tmp_path: Path) -> None:
    blended(tmp_path)
    assert (tmp_path / "blend" / "context.data_args.txt").read_text().split() == read_json(
        tmp_path / "blend" / "context.blend.json"
    )["train"]


def test_nemotrons_own_data_preparation_is_given_the_texts(tmp_path: Path) -> None:
    blended(tmp_path, alpha=0.0)
    raw = read_json(tmp_path / "blend" / "context.data_blend.json")
    assert list(raw) == ["datasets"]
    assert [row["text_field"] for row in raw["datasets"]] == ["text"] * 4
    assert [row["weight"] for row in raw["datasets"]] == pytest.approx([0.5, 0.25, 0.15, 0.1])
    assert raw["datasets"][2]["path"] == str(
        tmp_path.resolve() / "packed/context/science/train/shard-00001.text.parquet"
    )
    assert len({row["name"] for row in raw["datasets"]}) == 4


def test_mixture_names_no_absolute_path(tmp_path: Path) -> None:
    mixture = blended(tmp_path)
    assert str(tmp_path) not in json.dumps(mixture)
    assert mixture == read_json(tmp_path / "blend" / "mixture.json")


def base_prefix(tmp_path: Path, name: str, tokens: int = 100) -> str:
    """A Megatron dataset of one document of so many int32 tokens, by the published layout."""
    (tmp_path / f"{name}.bin").write_bytes(bytes(4 * tokens))
    (tmp_path / f"{name}.idx").write_bytes(
        b"MMIDIDX\x00\x00" + struct.pack("<QBQQ", 1, 4, 1, 2) + struct.pack("<iqqq", tokens, 0, 0, 1)
    )
    return str(tmp_path / name)


def weight_by_prefix(items: list[str]) -> dict[str, float]:
    return dict(zip(items[1::2], map(float, items[::2]), strict=True))


def test_base_datasets_take_the_rest_of_the_share(tmp_path: Path) -> None:
    one, two, three = (base_prefix(tmp_path, name) for name in ("one", "two", "three"))
    write_json(tmp_path / "theirs.json", {"train": ["1.0", two, "3.0", three], "valid": ["1.0", three], "test": None})
    sources = [BlendSource(prefix=one, weight=1.0), BlendSource(blend=str(tmp_path / "theirs.json"), weight=4.0)]
    mixture = blended(tmp_path, base=sources, synthetic_share=0.1)
    blend = read_json(tmp_path / "blend" / "context.blend.json")
    weights = weight_by_prefix(blend["train"])
    assert weights[one] == pytest.approx(0.9 * 1 / 5)
    assert weights[two] == pytest.approx(0.9 * 4 / 5 * 1 / 4)
    assert weights[three] == pytest.approx(0.9 * 4 / 5 * 3 / 4)
    assert sum(weights.values()) == pytest.approx(1.0)
    assert weight_by_prefix(blend["valid"])[three] == pytest.approx(0.9)
    base_arm = weight_by_prefix(read_json(tmp_path / "blend" / "base.blend.json")["train"])
    assert base_arm == pytest.approx({one: 0.2, two: 0.2, three: 0.6})
    assert mixture["arms"]["base"] == {
        "blend": "base.blend.json", "total_tokens": 100_000, "synthetic_tokens": 0, "base_tokens": 100_000
    }  # fmt: skip
    assert mixture["arms"]["context"]["base_tokens"] == 90_000
    assert mixture["base"]["train"][0]["epochs"] == pytest.approx({"base": 200, "context": 180, "no_context": 184.084})


def test_arms_of_an_earlier_configuration_do_not_stay(tmp_path: Path) -> None:
    sources = [BlendSource(prefix=base_prefix(tmp_path, "one"), weight=1.0)]
    blended(tmp_path, base=sources, synthetic_share=0.1)
    assert (tmp_path / "blend" / "base.blend.json").is_file()
    blended(tmp_path, export=ExportSection(variants=["context"]))
    assert {path.name.split(".")[0] for path in (tmp_path / "blend").iterdir()} == {"context", "mixture"}


@pytest.mark.parametrize(
    "content",
    [
        {"train": ["BIG", "SMALL"]},
        {"train": ["BIG", "SMALL", "OTHER"]},
        {"train": "BIG SMALL"},
        {"train": "300 BIG 100 SMALL", "valid": None},
        {"train": [300, "BIG", 100, "SMALL"]},
        ["BIG", "SMALL"],
        "300 BIG 100 SMALL",
    ],
)
def test_every_form_of_a_blend_that_megatron_reads(
    tmp_path: Path, content: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without weights each dataset counts by its tokens; prefixes are relative to the working directory or the file."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "elsewhere").mkdir()
    base_prefix(tmp_path, "elsewhere/BIG", 300)
    base_prefix(tmp_path, "theirs/SMALL", 100)
    base_prefix(tmp_path, "theirs/OTHER", 400)
    monkeypatch.chdir(tmp_path / "elsewhere")
    path = tmp_path / "theirs" / "blend.json"
    if isinstance(content, str):
        path.write_text(content)
    else:
        write_json(path, content)
    blended(tmp_path, base=[BlendSource(blend=str(path), weight=1.0)], synthetic_share=0.5)
    train = weight_by_prefix(read_json(tmp_path / "blend" / "base.blend.json")["train"])
    big, small = train[str(tmp_path / "elsewhere" / "BIG")], train[str(tmp_path / "theirs" / "SMALL")]
    assert big / small == pytest.approx(3)
    assert sum(train.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda bin_file, idx: bin_file.write_bytes(bin_file.read_bytes()[:-4]), r"set\.bin has 396 bytes, .* 400"),
        (lambda bin_file, idx: bin_file.write_bytes(b""), r"set\.bin has 0 bytes"),
        (lambda bin_file, idx: idx.write_bytes(b""), "is not a Megatron index"),
        (lambda bin_file, idx: idx.write_bytes(idx.read_bytes()[:-8]), "is damaged"),
        (lambda bin_file, idx: idx.write_bytes(idx.read_bytes()[:20]), "is not a Megatron index"),
        (
            lambda bin_file, idx: idx.write_bytes(idx.read_bytes()[:9] + struct.pack("<QBQQ", 1, 4, 0, 1) + bytes(8)),
            "holds no document",
        ),
        (lambda bin_file, idx: idx.unlink(), r"set\.idx is missing"),
    ],
)
def test_a_base_dataset_that_is_not_whole_is_refused(tmp_path: Path, damage: Any, message: str) -> None:
    prefix = base_prefix(tmp_path, "set")
    damage(Path(f"{prefix}.bin"), Path(f"{prefix}.idx"))
    with pytest.raises(ConfigError, match=message) as caught:
        blended(tmp_path, base=[BlendSource(prefix=prefix, weight=1.0)], synthetic_share=0.5)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "blend").exists()


def test_budget_tokens_trains_both_variants_on_equally_many_tokens(tmp_path: Path) -> None:
    variants = blended(tmp_path, export=ExportSection(budget=Budget.tokens))["variants"]
    assert variants["context"]["trained_tokens"] == variants["no_context"]["trained_tokens"] == 10_000
    assert variants["context"]["epochs"] == pytest.approx(1.0)
    assert variants["no_context"]["epochs"] == pytest.approx(10_000 / 8_000)


def test_budget_samples_passes_over_both_equally_often(tmp_path: Path) -> None:
    variants = blended(tmp_path, export=ExportSection(budget=Budget.samples), train_tokens=30_000)["variants"]
    one, other = (variants[name]["families"] for name in ("context", "no_context"))
    assert variants["context"]["epochs"] == pytest.approx(3.0)
    assert [one[name]["tasks"][task]["epochs"] for name, task in (("math", "gsm8k"), ("science", "sciq"))] == [
        other[name]["tasks"][task]["epochs"] for name, task in (("math", "gsm8k"), ("science", "sciq"))
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"synthetic_share": 0.5}, "blend.base is empty"),
        (
            {"base": [BlendSource(prefix="nowhere/set", weight=1.0)], "synthetic_share": 0.5},
            r"nowhere/set\.bin is missing",
        ),
        (
            {"base": [BlendSource(blend="nowhere.json", weight=1.0)], "synthetic_share": 0.5},
            r"nowhere\.json cannot be read",
        ),
        ({"base": [BlendSource(prefix="a", weight=1.0)]}, "mixture.synthetic_share < 1"),
    ],
)
def test_a_blend_that_cannot_be_is_one_line_and_writes_nothing(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        blended(tmp_path, **options)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "blend").exists()


@pytest.mark.parametrize(
    "content",
    [
        {"train": []},
        {"train": ["x", "p"]},
        {"train": ["1.0"]},
        [1],
        7,
        {"train": {"p": 1}},
        {"train": ["-1", "PREFIX"]},
        {"train": ["0", "PREFIX"]},
        {"train": ["nan", "PREFIX"]},
        {"train": ["inf", "PREFIX", "1", "PREFIX"]},
        {"train": ["1.0", "PREFIX", "PREFIX"]},
        {"train": ["1.0", "PREFIX", "PREFIX", "PREFIX"]},
        {"train": ["PREFIX", "1.0"]},
    ],
)
def test_somebodys_damaged_blend_is_one_line(tmp_path: Path, content: Any) -> None:
    base_prefix(tmp_path, "PREFIX")
    write_json(tmp_path / "theirs.json", content)
    with pytest.raises(ConfigError, match=r"theirs\.json|is missing") as caught:
        blended(tmp_path, base=[BlendSource(blend=str(tmp_path / "theirs.json"), weight=1.0)], synthetic_share=0.5)
    assert "\n" not in str(caught.value)


def test_a_variant_without_train_documents_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no family has a token in the split train"):
        blended(tmp_path, shards=[("math", "valid", "gsm8k", 0, 100, 80)])


@pytest.mark.parametrize("weight", [float("inf"), float("nan"), 0.0, -1.0])
def test_a_base_has_a_weight_that_is_finite(weight: float) -> None:
    with pytest.raises(ConfigError, match=r"blend\.base weight must be > 0"):
        BlendSource(prefix="a", weight=weight)


def test_a_form_that_splits_at_spaces_is_not_written_for_paths_with_spaces(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run_dir = tmp_path / "my run"
    blended(run_dir)
    assert not list((run_dir / "blend").glob("*.data_args.txt"))
    assert (run_dir / "blend" / "context.blend.json").is_file()
    assert "a path with a space" in caplog.text
    blended(tmp_path / "run")
    assert (tmp_path / "run" / "blend" / "context.data_args.txt").is_file()


def test_bands_that_were_not_packed_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"packed without export\.difficulty_bands"):
        blended(tmp_path, difficulty={"hard": 2.0})
