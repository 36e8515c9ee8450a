"""The continued-pretraining recipes: NeMo's is built for real, Megatron-Bridge's is checked as far as possible without
a GPU.
"""

import json
import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from nemo_sdg.execution.megatron_import import importing_megatron
from tests.unit.export.packing_samples import byte_tokenizer

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "recipes"))


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A run's blend over one packed shard, as small as these can be, and its tokenizer."""
    import torch

    with importing_megatron():
        from megatron.core.datasets.indexed_dataset import DType, IndexedDatasetBuilder

    prefix = tmp_path / "packed" / "context" / "shard-00000_text_document"
    prefix.parent.mkdir(parents=True)
    builder = IndexedDatasetBuilder(f"{prefix}.bin", dtype=DType.optimal_dtype(257))
    for number in range(40):
        builder.add_document(torch.tensor([number] * 99 + [256]), [100])
    builder.finalize(f"{prefix}.idx")
    byte_tokenizer().save(tmp_path / "packed" / "tokenizer")
    (tmp_path / "blend").mkdir()
    items = ["1.0", str(prefix)]
    (tmp_path / "blend" / "context.nemo.json").write_text(
        json.dumps({"train": items, "validation": items, "test": items})
    )
    (tmp_path / "blend" / "context.blend.json").write_text(json.dumps({"train": items, "valid": items, "test": None}))
    for folder in (tmp_path / "base" / "iter_0000010", tmp_path / "nemo" / "weights"):
        folder.mkdir(parents=True)
        (folder / ".metadata").write_bytes(b"index")
        (folder / "__0_0.distcp").write_bytes(b"weights")
    (tmp_path / "base" / "latest_checkpointed_iteration.txt").write_text("10")
    return tmp_path


def inputs(run_dir: Path, form: str, **changes: Any) -> dict[str, Any]:
    blend = run_dir / "blend" / f"context.{form}.json"
    return {
        "blend": blend,
        "base": run_dir / ("nemo" if form == "nemo" else "base"),
        "dir": run_dir / "out",
        "tokens": 100e9,
        "tokenizer": "bytes",
        **changes,
    }


def test_nano_9b_recipe_builds_with_our_data(run_dir: Path) -> None:
    from nemo.collections.llm import PreTrainingDataModule
    from nemotron_nano_9b_v2_cpt import cpt_recipe

    recipe = cpt_recipe(**inputs(run_dir, "nemo"))
    assert recipe.data.__fn_or_cls__ is PreTrainingDataModule
    assert recipe.data.paths == json.loads((run_dir / "blend" / "context.nemo.json").read_text())
    assert recipe.data.seq_length == 8192
    assert recipe.model.config.__fn_or_cls__.__name__ == "NemotronNano9Bv2"
    assert recipe.trainer.max_steps == int(100e9) // (8192 * 768) == 15894
    assert recipe.resume.restore_config.path == str(run_dir / "nemo")
    assert recipe.resume.restore_config.load_optim_state is False
    assert recipe.resume.resume_if_exists is True
    assert (recipe.optim.config.lr, recipe.optim.lr_scheduler.min_lr, recipe.optim.lr_scheduler.warmup_steps) == (
        3e-5,
        3e-6,
        158,
    )


def test_what_nano_9b_is_given_is_data_that_nemo_sets_up(run_dir: Path) -> None:
    """Data, optimizer and resumption are built as the trainer builds them; model and trainer want a GPU."""
    import fiddle
    from nemotron_nano_9b_v2_cpt import cpt_recipe

    folder = run_dir / "packed" / "tokenizer"
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "name": str(folder)}))
    recipe = cpt_recipe(
        **inputs(
            run_dir,
            "nemo",
            tokenizer=str(folder),
            tokens=8192 * 8 * 5,
            global_batch_size=8,
            num_nodes=1,
            num_gpus_per_node=1,
        )
    )
    module, optim, resume = (fiddle.build(part) for part in (recipe.data, recipe.optim, recipe.resume))
    module.trainer = SimpleNamespace(
        max_steps=recipe.trainer.max_steps, val_check_interval=5, limit_val_batches=1, limit_test_batches=1
    )
    module.setup()
    assert len(module._train_ds) >= 40
    tokens = module._train_ds[0]["tokens"]
    assert len(tokens) == 8192
    assert set(tokens.tolist()) <= set(range(40)) | {256}
    assert module.tokenizer.eos_id == fiddle.build(recipe.model.tokenizer).eos_id == 256
    assert optim.config.lr == 3e-5
    assert resume.restore_config.path == str(run_dir / "nemo")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base": Path("/nowhere/base")}, "--base: there is no checkpoint folder at /nowhere/base"),
        ({"tokens": 1000.0}, "--tokens 1000 is less than one step"),
        ({"blend": Path("/nowhere/context.json")}, r"--blend: no file /nowhere/context\.json"),
        ({"tokenizer": "another/tokenizer"}, "was packed with bytes"),
    ],
)
@pytest.mark.parametrize("recipe", ["nemotron_nano_9b_v2_cpt", "nemotron_bridge_cpt"])
def test_an_input_that_is_wrong_is_one_line_and_exit_code_2(
    run_dir: Path,
    recipe: str,
    changes: dict[str, Any],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    module = __import__(recipe)
    if recipe == "nemotron_bridge_cpt":
        fake_bridge(monkeypatch)
    arguments = inputs(run_dir, "nemo" if "9b" in recipe else "blend", **changes)
    monkeypatch.setattr(
        sys, "argv", [recipe, *(text for name, value in arguments.items() for text in (f"--{name}", str(value)))]
    )
    with pytest.raises(SystemExit) as caught:
        module.main()
    (line,) = capsys.readouterr().err.splitlines()
    assert caught.value.code == 2
    assert line.startswith(f"{recipe}: ")
    assert re.search(message, line)
    assert not (run_dir / "out").exists()


def test_a_missing_prefix_is_named(run_dir: Path) -> None:
    from cpt_inputs import read_blend

    (run_dir / "packed/context/shard-00000_text_document.idx").unlink()
    with pytest.raises(ValueError, match=r"shard-00000_text_document\.idx is missing"):
        read_blend(run_dir / "blend/context.nemo.json", "nemo", tokenizer="bytes")


class FakeSection(SimpleNamespace):
    """A part of Megatron-Bridge's ConfigContainer, which cannot be imported without a GPU."""


def fake_bridge(monkeypatch: pytest.MonkeyPatch, *, reads_blend: bool = True, without: str = "") -> None:
    """Stands for Megatron-Bridge's two functions, with the fields that its recipe sets."""
    fields = {
        "dataset": ["blend", "blend_per_split", "split"],
        "model": ["seq_length"],
        "tokenizer": ["tokenizer_model"],
        "train": ["train_iters"],
        "optimizer": ["lr", "min_lr"],
        "scheduler": ["lr_warmup_iters", "lr_decay_iters", "lr_decay_style"],
        "checkpoint": ["pretrained_checkpoint", "save", "load", "finetune"],
    }

    def config() -> FakeSection:
        made = FakeSection(
            **{
                section: FakeSection(**{name: None for name in names if f"{section}.{name}" != without})
                for section, names in fields.items()
            }
        )
        made.dataset.seq_length = made.model.seq_length = 8192
        made.train.global_batch_size = 1024
        return made

    def blend_fields(*, per_split_data_args_path: str) -> tuple[Any, Any, Any]:
        if not reads_blend:
            return None, None, "1,1,1"
        content = json.loads(Path(per_split_data_args_path).read_text())
        return (
            None,
            [
                content[split] and (content[split][1::2], [float(weight) for weight in content[split][::2]])
                for split in ("train", "valid", "test")
            ],
            None,
        )

    recipe, utils = "megatron.bridge.recipes.nemotronh.nemotron_3_nano", "megatron.bridge.recipes.utils.dataset_utils"
    for name in {
        part
        for module in (recipe, utils)
        for part in [module.rsplit(".", depth)[0] for depth in range(module.count("."))]
        if part != "megatron"
    }:
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules[recipe].nemotron_3_nano_pretrain_config = config  # type: ignore[attr-defined]
    sys.modules[utils].get_blend_fields_from_data_paths = blend_fields  # type: ignore[attr-defined]


def test_bridge_recipe_sets_data_length_rate_and_checkpoint(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nemotron_bridge_cpt import cpt_config

    fake_bridge(monkeypatch)
    config = cpt_config(model="nemotron_3_nano", **inputs(run_dir, "blend"))
    prefix = str(run_dir / "packed/context/shard-00000_text_document")
    assert config.dataset.blend_per_split == [([prefix], [1.0]), ([prefix], [1.0]), None]
    assert config.dataset.split is None
    assert config.dataset.seq_length == config.model.seq_length == 8192
    assert config.train.train_iters == config.scheduler.lr_decay_iters == int(100e9) // (8192 * 1024)
    assert (config.optimizer.lr, config.optimizer.min_lr) == (3e-5, 3e-6)
    assert config.checkpoint.pretrained_checkpoint == str(run_dir / "base")
    assert config.checkpoint.save == config.checkpoint.load == str(run_dir / "out")
    assert config.checkpoint.finetune is False


def test_a_batch_and_a_sequence_of_ones_own_change_the_steps(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nemotron_bridge_cpt import cpt_config

    fake_bridge(monkeypatch)
    config = cpt_config(
        model="nemotron_3_nano", global_batch_size=512, seq_length=4096, **inputs(run_dir, "blend", tokens=1e9)
    )
    assert config.train.train_iters == int(1e9) // (4096 * 512)
    assert config.dataset.seq_length == config.model.seq_length == 4096


def test_a_model_that_this_bridge_does_not_have_is_one_line(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nemotron_bridge_cpt import MODELS, cpt_config

    fake_bridge(monkeypatch)
    with pytest.raises(ValueError, match=r"nemotronh\.nemotron_3_ultra\.\w+ is not to be had here"):
        cpt_config(model="nemotron_3_ultra", **inputs(run_dir, "blend"))
    with pytest.raises(ValueError, match=f"--model must be one of {', '.join(MODELS)}, got nano"):
        cpt_config(model="nano", **inputs(run_dir, "blend"))


def make_files(folder: Path, **files: bytes) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


FORMS = ("megatron", "nemo", "huggingface")


def test_only_a_base_that_holds_weights_is_taken(tmp_path: Path) -> None:
    from cpt_inputs import require_base

    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no weights"):
        require_base(tmp_path / "empty", forms=FORMS)
    nemo = make_files(tmp_path / "nemo" / "weights", _dot_metadata=b"i", a_dot_distcp=b"w", b_dot_distcp=b"w")
    assert require_base(nemo.parent, forms=FORMS) == "nemo"
    next(nemo.glob("*.distcp")).write_bytes(b"")
    with pytest.raises(ValueError, match="holds no weights"):
        require_base(nemo.parent, forms=FORMS)
    hf = make_files(tmp_path / "hf", config_dot_json=b"{}")
    with pytest.raises(ValueError, match=r"model\.safetensors is missing or empty"):
        require_base(hf, forms=FORMS)
    index = json.dumps({"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}}).encode()
    (hf / "model.safetensors.index.json").write_bytes(index)
    (hf / "m-1.safetensors").write_bytes(b"w")
    with pytest.raises(ValueError, match=r"m-2\.safetensors is missing or empty \(1 of 2 weight files\)"):
        require_base(hf, forms=FORMS)
    (hf / "m-2.safetensors").write_bytes(b"w")
    assert require_base(hf, forms=FORMS) == "huggingface"


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (["adapter_model.safetensors"], r"model\.safetensors is missing"),
        (["model-00001-of-00002.safetensors"], r"model-00002-of-00002\.safetensors is missing"),
        (["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"], None),
        (["pytorch_model.bin"], None),
    ],
)
def test_an_adapter_or_a_part_of_a_model_is_no_base(tmp_path: Path, files: list[str], problem: str | None) -> None:
    """Megatron-Bridge does not take it for a Hugging Face model, and would start from random weights."""
    from cpt_inputs import require_base

    for name in ["config.json", *files]:
        (tmp_path / name).write_bytes(b"w")
    if problem is None:
        assert require_base(tmp_path, forms=FORMS) == "huggingface"
        return
    with pytest.raises(ValueError, match=problem):
        require_base(tmp_path, forms=FORMS)


def test_a_megatron_folder_names_its_iteration_or_is_one(run_dir: Path) -> None:
    from cpt_inputs import require_base

    base, tracker = run_dir / "base", run_dir / "base" / "latest_checkpointed_iteration.txt"
    assert require_base(base, forms=FORMS) == "megatron"
    assert require_base(base / "iter_0000010", forms=FORMS) == "megatron"
    tracker.write_text("20")
    with pytest.raises(ValueError, match="holds no weights in iter_0000020/"):
        require_base(base, forms=FORMS)
    tracker.unlink()
    with pytest.raises(ValueError, match=r"starts from random weights: give \S+iter_0000010 itself"):
        require_base(base, forms=FORMS)
    (base / "latest_train_state.pt").write_bytes(b"state")
    assert require_base(base, forms=FORMS) == "megatron"


@pytest.mark.parametrize(
    ("recipe", "form", "name", "read"),
    [
        ("nemotron_bridge_cpt", "blend", "nemo", "megatron and huggingface"),
        ("nemotron_nano_9b_v2_cpt", "nemo", "base", "nemo"),
    ],
)
def test_a_checkpoint_of_another_trainer_is_refused(
    run_dir: Path, recipe: str, form: str, name: str, read: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = __import__(recipe)
    if form == "blend":
        fake_bridge(monkeypatch)
    make = module.cpt_config if form == "blend" else module.cpt_recipe
    extra = {"model": "nemotron_3_nano"} if form == "blend" else {}
    with pytest.raises(
        ValueError, match=f"of the form {'nemo' if name == 'nemo' else 'megatron'}, this recipe reads {read}"
    ):
        make(**inputs(run_dir, form, base=run_dir / name), **extra)


def test_bridge_recipe_refuses_what_would_train_on_something_else(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nemotron_bridge_cpt import apply, cpt_config

    fake_bridge(monkeypatch, reads_blend=False)
    with pytest.raises(ValueError, match="mock data"):
        cpt_config(model="nemotron_3_nano", **inputs(run_dir, "blend"))
    fake_bridge(monkeypatch, without="scheduler.lr_warmup_iters")
    with pytest.raises(ValueError, match=r"has no scheduler\.lr_warmup_iters"):
        cpt_config(model="nemotron_3_nano", **inputs(run_dir, "blend"))

    class Stubborn:
        lr = property(lambda self: 1.0, lambda self, value: None)

    with pytest.raises(ValueError, match=r"optimizer\.lr did not take the value 0\.5, it is 1\.0"):
        apply(SimpleNamespace(optimizer=Stubborn()), {"optimizer.lr": 0.5})
