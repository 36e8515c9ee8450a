from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nemo_sdg.config import ExportSection
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.export.documents import render_text
from nemo_sdg.export.packing.shard_plan import plan_packing, split_of
from tests.unit.export.packing_samples import byte_tokenizer, make_sample, write_curated

SAMPLES = [make_sample(number) for number in range(120)]


def planned(tmp_path: Path, samples: list[dict[str, Any]], **export: Any) -> list[Any]:
    return plan_packing(write_curated(tmp_path, samples), ExportSection(**export), byte_tokenizer())


def test_every_sample_is_in_one_unit_in_curated_order(tmp_path: Path) -> None:
    units = planned(tmp_path, SAMPLES, shard_tokens=1000, valid_share=0.3)
    for unit in units:
        for sample in unit.samples():
            assert (sample["family"], sample["task"], split_of(sample, 0.3)) == (unit.family, unit.task, unit.split)
    order = {sample["sample_id"]: number for number, sample in enumerate(SAMPLES)}
    for task in {unit.task for unit in units}:
        for split in ("train", "valid"):
            numbers = [
                order[s["sample_id"]]
                for unit in units
                if (unit.task, unit.split) == (task, split)
                for s in unit.samples()
            ]
            assert numbers == sorted(numbers)
    assert sorted(sample["sample_id"] for unit in units for sample in unit.samples()) == sorted(order)


def test_bands_of_difficulty_are_packed_apart(tmp_path: Path) -> None:
    samples = [sample | {"difficulty": (0.0, 0.5, 1.0)[number % 3]} for number, sample in enumerate(SAMPLES)]
    units = planned(tmp_path, samples, shard_tokens=1000, valid_share=0.3, difficulty_bands=True)
    assert {(unit.band, sample["difficulty"]) for unit in units for sample in unit.samples()} == {
        ("easy", 0.0), ("medium", 0.5), ("hard", 1.0),
    }  # fmt: skip
    assert len({unit.name for unit in units}) == len(units)


def test_names_count_up_within_family_and_split(tmp_path: Path) -> None:
    names = [unit.name for unit in planned(tmp_path, SAMPLES, shard_tokens=1000, valid_share=0.3)]
    assert len(set(names)) == len(names)
    assert [name for name in names if name.startswith("science-train-")] == [
        f"science-train-{number:05d}" for number in range(sum(name.startswith("science-train-") for name in names))
    ]


def test_shards_are_of_nearly_equal_size_about_shard_tokens(tmp_path: Path) -> None:
    units = planned(tmp_path, SAMPLES, shard_tokens=1500, valid_share=0.0)
    sizes = [sum(len(render_text(sample, "context").encode()) for sample in unit.samples()) for unit in units]
    assert len(units) > 6
    assert all(0.6 * 1500 < size < 1.5 * 1500 for size in sizes), sizes


@given(st.integers(0, 200), st.floats(0.0, 0.9))
def test_a_seed_never_straddles_the_splits(number: int, valid_share: float) -> None:
    samples = [make_sample(number * 3), make_sample(number * 3 + 2)]
    assert samples[0]["seed_ids"] == samples[1]["seed_ids"]
    assert len({split_of(sample, valid_share) for sample in samples}) == 1


def test_valid_share_is_the_share_of_the_seeds() -> None:
    splits = [split_of(make_sample(number * 3), 0.2) for number in range(1000)]
    assert 150 < splits.count("valid") < 250


def test_rows_id_tells_another_cut_of_the_same_shards(tmp_path: Path) -> None:
    one, other = (planned(tmp_path, SAMPLES, shard_tokens=tokens, valid_share=0.0)[0] for tokens in (1000, 2000))
    assert one.inputs == other.inputs
    assert one.rows_id() != other.rows_id()


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    (path,) = write_curated(tmp_path, SAMPLES[:3])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"shard-00000.jsonl, line 3 is not a sample"):
        plan_packing([path], ExportSection(), byte_tokenizer())


def test_a_family_that_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'\.\./science'"):
        planned(tmp_path, [make_sample(0, family="../science")])


def test_a_task_that_surely_fits_into_one_shard_is_not_tokenised_for_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards, tokenizer = write_curated(tmp_path, SAMPLES), byte_tokenizer()
    monkeypatch.setattr(type(tokenizer), "encode", lambda *_: pytest.fail("texts were tokenised"))
    units = plan_packing(shards, ExportSection(valid_share=0.0), tokenizer)
    assert len({unit.task for unit in units}) == len(units)
    with pytest.raises(pytest.fail.Exception):
        plan_packing(shards, ExportSection(valid_share=0.0, shard_tokens=1500), tokenizer)
