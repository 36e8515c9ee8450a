import json
from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.config import BlendSection, BlendSource, Budget, ExportSection
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.export.blend import write_blend
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
    run_dir: Path, *, export: ExportSection | None = None, base: list[BlendSource] | None = None, **options: Any
) -> dict[str, Any]:
    step = packed(run_dir, options.pop("shards", SHARDS))
    target = StepDir(run_dir=run_dir, step="blend", fingerprint="f1")
    weights = options.pop("weights", {"math": 0.25, "science": 0.75})
    return write_blend(
        target, weights, export or ExportSection(), BlendSection(base=base or []), packed=step, **options
    )


def weights_of(items: list[str]) -> dict[str, float]:
    return {
        "/".join(Path(prefix).parts[-3:]): float(weight) for weight, prefix in zip(items[::2], items[1::2], strict=True)
    }


def test_families_get_their_weights_and_shards_share_by_tokens(tmp_path: Path) -> None:
    blended(tmp_path)
    blend = read_json(tmp_path / "blend" / "context.blend.json")
    assert blend["test"] is None
    assert weights_of(blend["train"]) == pytest.approx(
        {
            "math/train/shard-00000_text_document": 0.25,
            "science/train/shard-00000_text_document": 0.75 * 1 / 6,
            "science/train/shard-00001_text_document": 0.75 * 3 / 6,
            "science/train/shard-00002_text_document": 0.75 * 2 / 6,
        }
    )
    assert weights_of(blend["valid"]) == {"math/valid/shard-00000_text_document": 1.0}
    assert all(isinstance(item, str) for item in blend["train"])
    assert all(Path(prefix).is_relative_to(tmp_path.resolve()) for prefix in blend["train"][1::2])


def test_task_weights_hold_within_a_family(tmp_path: Path) -> None:
    blended(tmp_path, task_weights={"science": {"arc": 0.3, "sciq": 0.45}, "math": {"gsm8k": 0.25}})
    weights = weights_of(read_json(tmp_path / "blend" / "no_context.blend.json")["train"])
    assert weights["science/train/shard-00000_text_document"] == pytest.approx(0.3)
    assert weights["science/train/shard-00001_text_document"] == pytest.approx(0.45 * 2500 / 4200)


def test_a_family_with_valid_documents_alone_counts_there_as_found(tmp_path: Path) -> None:
    mixture = blended(tmp_path, shards=[*SHARDS, ("law", "valid", "bar", 0, 300, 120)])
    blend, raw = (read_json(tmp_path / "blend" / f"context.{form}.json") for form in ("blend", "data_blend"))
    assert weights_of(blend["valid"]) == pytest.approx(
        {"math/valid/shard-00000_text_document": 0.25, "law/valid/shard-00000_text_document": 0.75}
    )
    assert [row["name"] for row in raw["datasets"]] == ["math-context", "science-context"]
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
    blended(tmp_path)
    raw = read_json(tmp_path / "blend" / "context.data_blend.json")
    assert list(raw) == ["datasets"]
    assert [(row["name"], row["weight"], row["text_field"]) for row in raw["datasets"]] == [
        ("math-context", 0.25, "text"),
        ("science-context", 0.75, "text"),
    ]
    assert raw["datasets"][1]["path"] == str(tmp_path.resolve() / "packed/context/science/train/*.text.parquet")


def test_mixture_names_no_absolute_path(tmp_path: Path) -> None:
    mixture = blended(tmp_path)
    assert str(tmp_path) not in json.dumps(mixture)
    assert mixture == read_json(tmp_path / "blend" / "mixture.json")


def base_prefix(tmp_path: Path, name: str) -> str:
    for suffix in (".bin", ".idx"):
        (tmp_path / f"{name}{suffix}").write_bytes(b"x")
    return str(tmp_path / name)


def test_base_datasets_take_the_rest_of_the_share(tmp_path: Path) -> None:
    one, two, three = (base_prefix(tmp_path, name) for name in ("one", "two", "three"))
    write_json(tmp_path / "theirs.json", {"train": ["1.0", two, "3.0", three], "valid": ["1.0", three], "test": None})
    sources = [BlendSource(prefix=one, weight=1.0), BlendSource(blend=str(tmp_path / "theirs.json"), weight=4.0)]
    blended(tmp_path, base=sources, synthetic_share=0.1)
    blend = read_json(tmp_path / "blend" / "context.blend.json")
    weights = dict(zip(blend["train"][1::2], map(float, blend["train"][::2]), strict=True))
    assert weights[one] == pytest.approx(0.9 * 1 / 5)
    assert weights[two] == pytest.approx(0.9 * 4 / 5 * 1 / 4)
    assert weights[three] == pytest.approx(0.9 * 4 / 5 * 3 / 4)
    assert sum(weights.values()) == pytest.approx(1.0)
    assert dict(zip(blend["valid"][1::2], map(float, blend["valid"][::2]), strict=True))[three] == pytest.approx(0.9)


def test_budget_tokens_trains_both_variants_on_equally_many_tokens(tmp_path: Path) -> None:
    variants = blended(tmp_path, export=ExportSection(budget=Budget.tokens))["variants"]
    assert variants["context"]["trained_tokens"] == variants["no_context"]["trained_tokens"] == 10_000
    assert variants["context"]["epochs"] == 1.0
    assert variants["no_context"]["epochs"] == pytest.approx(10_000 / 8_000)


def test_budget_samples_passes_over_both_equally_often(tmp_path: Path) -> None:
    variants = blended(tmp_path, export=ExportSection(budget=Budget.samples), train_tokens=30_000)["variants"]
    assert variants["context"]["epochs"] == variants["no_context"]["epochs"] == 3.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"synthetic_share": 0.5}, "blend.base is empty"),
        ({"weights": {"science": 1.0}}, "family math has documents but no weight"),
        (
            {"base": [BlendSource(prefix="nowhere/set", weight=1.0)], "synthetic_share": 0.5},
            r"nowhere/set\.bin is missing",
        ),
        (
            {"base": [BlendSource(blend="nowhere.json", weight=1.0)], "synthetic_share": 0.5},
            r"nowhere\.json is not a blend",
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
    "content", [{"train": ["1.0"]}, {"train": []}, {"train": ["x", "p"]}, [1], {"train": ["-1", "p"]}]
)
def test_somebodys_damaged_blend_is_one_line(tmp_path: Path, content: Any) -> None:
    write_json(tmp_path / "theirs.json", content)
    with pytest.raises(ConfigError, match=r"theirs\.json") as caught:
        blended(tmp_path, base=[BlendSource(blend=str(tmp_path / "theirs.json"), weight=1.0)], synthetic_share=0.5)
    assert "\n" not in str(caught.value)


def test_a_variant_without_train_documents_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="variant context has no document"):
        blended(tmp_path, shards=[("math", "valid", "gsm8k", 0, 100, 80)])
