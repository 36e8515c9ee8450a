"""The continued-pretraining recipes: NeMo's is built for real, Megatron-Bridge's is held to what can be known without a GPU."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "recipes"))


@pytest.fixture
def blend(tmp_path: Path) -> Path:
    for suffix in (".bin", ".idx"):
        (tmp_path / f"shard-00000_text_document{suffix}").write_bytes(b"x")
    prefix = str(tmp_path / "shard-00000_text_document")
    path = tmp_path / "context.nemo.json"
    path.write_text(json.dumps({"train": ["1.0", prefix], "validation": ["1.0", prefix], "test": ["1.0", prefix]}))
    (tmp_path / "context.blend.json").write_text(json.dumps({"train": ["1.0", prefix], "valid": ["1.0", prefix], "test": None}))
    return path


def test_nano_9b_recipe_builds_with_our_data(blend: Path, tmp_path: Path) -> None:
    from nemo.collections.llm import PreTrainingDataModule
    from nemotron_nano_9b_v2_cpt import cpt_recipe

    base = tmp_path / "base"
    base.mkdir()
    recipe = cpt_recipe(blend=blend, base=base, dir=tmp_path / "out", tokens=100e9)
    assert recipe.data.__fn_or_cls__ is PreTrainingDataModule
    assert recipe.data.paths == json.loads(blend.read_text())
    assert recipe.data.seq_length == 8192
    assert recipe.trainer.max_steps == int(100e9) // (8192 * 768)
    assert recipe.resume.restore_config.path == str(base)
    assert recipe.resume.resume_if_exists is True
    assert (recipe.optim.config.lr, recipe.optim.lr_scheduler.min_lr) == (3e-5, 3e-6)


def test_nano_9b_recipe_refuses_what_is_missing(blend: Path, tmp_path: Path) -> None:
    from nemotron_nano_9b_v2_cpt import cpt_recipe, read_paths, steps_for

    with pytest.raises(ValueError, match="no base checkpoint"):
        cpt_recipe(blend=blend, base=tmp_path / "nowhere", dir=tmp_path, tokens=1e9)
    with pytest.raises(ValueError, match="less than one step"):
        steps_for(1000, seq_length=8192, global_batch_size=768)
    (tmp_path / "shard-00000_text_document.idx").unlink()
    with pytest.raises(ValueError, match="idx is missing"):
        read_paths(blend)


def test_bridge_recipe_reads_back_every_override(tmp_path: Path) -> None:
    from nemotron_3_nano_cpt import apply, overrides

    values = overrides(base=tmp_path, dir=tmp_path / "out", tokens=100e9)
    assert values["train.train_iters"] == int(100e9) // (8192 * 3072)
    assert values["checkpoint.finetune"] is False
    config = SimpleNamespace(**{section: SimpleNamespace() for section in {name.split(".")[0] for name in values}})
    for name in values:
        section, field = name.split(".")
        setattr(getattr(config, section), field, None)
    apply(config, values)
    assert config.optimizer.lr == 1.6e-4
    del config.scheduler.lr_warmup_iters
    with pytest.raises(ValueError, match=r"scheduler\.lr_warmup_iters"):
        apply(config, values)


def test_bridge_recipe_refuses_mock_data(blend: Path) -> None:
    from nemotron_3_nano_cpt import check_blend, refuse_mock

    check_blend(blend.with_name("context.blend.json"))
    with pytest.raises(ValueError, match="mock data"):
        refuse_mock(SimpleNamespace(dataset=SimpleNamespace(blend=None, blend_per_split=None)))
    refuse_mock(SimpleNamespace(dataset=SimpleNamespace(blend=None, blend_per_split=[(["p"], None)])))
