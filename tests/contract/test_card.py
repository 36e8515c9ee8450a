"""The dataset card, read by the libraries of the hub."""

import itertools
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from nemo_sdg import config as configuration
from nemo_sdg.config import BlendSection, ExportSection, MixtureSection, RunConfig
from nemo_sdg.export.blend.write import plan_blend, write_blend
from nemo_sdg.export.card.write import write_card
from nemo_sdg.export.packing.pack import pack_shards
from nemo_sdg.export.packing.shard_plan import split_of
from nemo_sdg.storage import StepDir, write_jsonl
from tests.unit.export.packing_samples import byte_tokenizer, make_sample, make_seed, packed_step, write_curated

HOSTILE = "a|b <script>alert(1)</script>"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A packed and blended run, and its manifest without the files."""
    run_dir = tmp_path_factory.mktemp("run")
    samples = [make_sample(number) for number in range(90)]
    next(sample for sample in samples if split_of(sample, 0.2) == "valid")["family"] = "legal"
    shards = write_curated(run_dir, samples)
    step, export = packed_step(run_dir), ExportSection(valid_share=0.2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nemo_sdg.export.packing.pack.load_tokenizer", lambda name, bos: byte_tokenizer())
        pack_shards(shards, step, export)
    blend = StepDir(run_dir=run_dir, step="blend", fingerprint="f1")
    mixture = MixtureSection(family_caps={"science": 0.36, "math": 0.24})
    write_blend(blend, plan_blend(step, export, mixture), export, BlendSection(), packed=step)
    (run_dir / "config.yaml").write_text(yaml.safe_dump(configuration.shaping(RunConfig()), sort_keys=False))
    evaluation = [
        {"task": "sciq", "dataset": {"path": "org/sciq", "name": "main", "split": "test", "revision": "abc", "row": n}}
        for n in range(7)
    ]
    write_jsonl(run_dir / "seeds" / "evaluation" / "split-00000.jsonl", evaluation)
    counts = step.counts()
    seeds = {"sciq": {"in": 40, "kept": 30, "dropped": {"in_evaluation_split": 7, HOSTILE: 3}, "not_sampled": 12}}
    facts = {
        "version": "0.1.0",
        "fingerprint": "0123456789abcdef",
        "steps": {
            "seeds": {"shards": 1, "counts": seeds},
            "packed": {"shards": 1, "counts": counts},
            "blend": {"shards": 1, "counts": counts},
        },
        "evaluation_splits_unreachable": [
            {"task": "mmlu", "dataset": "cais/mmlu", "name": "x", "split": "test", "why": "not in the mirror"}
        ],
        "packages": {"megatron-core": "0.15.3", "trtllm": None},
    }
    return run_dir, facts


def test_the_hub_reads_the_header(run: tuple[Path, dict[str, Any]]) -> None:
    from huggingface_hub import DatasetCard

    card = DatasetCard.load(write_card(*run))
    data = card.data.to_dict()
    assert data["license"] == "mit"
    assert data["language"] == ["en"]
    assert data["task_categories"] == ["question-answering"]
    assert data["size_categories"] == ["n<1K"]
    assert [config["config_name"] for config in data["configs"]] == ["context", "no_context"]


def test_datasets_loads_both_variants_by_the_header(run: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    import datasets

    run_dir, _ = run
    shutil.copy(write_card(*run), tmp_path / "README.md")
    shutil.copytree(run_dir / "packed", tmp_path / "packed")
    loaded = {
        name: datasets.load_dataset(str(tmp_path), name, cache_dir=str(tmp_path / "cache"))
        for name in ("context", "no_context")
    }
    assert loaded["context"].num_rows == loaded["no_context"].num_rows
    assert sum(loaded["context"].num_rows.values()) == 90
    assert set(loaded["context"]) == {"train", "validation"}
    with_context, without = (loaded[name]["train"][0] for name in ("context", "no_context"))
    assert with_context["uuid"] == without["uuid"]
    assert "Numbers count things." in with_context["text"]
    assert "Numbers count things." not in without["text"]


def test_it_says_what_went_in_what_was_dropped_and_what_was_not_seen(run: tuple[Path, dict[str, Any]]) -> None:
    text = write_card(*run).read_text()
    num_seeds = sum(make_seed(number)["task"] == "sciq" for number in range(31))
    assert f"| org/sciq | default | train | abc | MIT | {num_seeds} |" in text
    assert "| seeds | 40 | 30 | in_evaluation_split 7, " in text
    assert "12 rows not sampled" in text
    assert "| science | 60.0% |" in text
    assert "| legal | none in train |" in text
    assert "- org/sciq (main), test: 7 rows" in text
    assert "**Not reachable: 1 evaluation split of 1 dataset.**" in text
    assert "cais/mmlu" in text
    assert "embedded 135M model" in text
    assert "Mixture: the caps of 2 families add up to 0.6" in text
    assert "megatron-core 0.15.3." in text
    assert "trtllm" not in text.split("Versions:")[1]


def test_it_says_how_to_reproduce(run: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    run_dir, facts = run
    assert "(fingerprint `0123456789abcdef`)" in write_card(*run).read_text()
    assert "No lock held the datasets" in write_card(*run).read_text()
    shutil.copytree(run_dir, tmp_path / "locked")
    config = yaml.safe_load((run_dir / "config.yaml").read_text())
    config["seeds"]["lock"] = "seeds.lock.yaml"
    (tmp_path / "locked" / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    text = write_card(tmp_path / "locked", facts).read_text()
    assert "The rows are held by `seeds.lock.yaml`." in text
    assert "  lock: seeds.lock.yaml" in text


def test_untrusted_names_break_neither_table_nor_page(run: tuple[Path, dict[str, Any]]) -> None:
    text = write_card(*run).read_text()
    assert "<script>" not in text
    rows = [line for line in text.split("\n") if line.startswith("| seeds |")]
    assert len(re.findall(r"(?<!\\)\|", rows[0])) == 5


def test_a_configuration_does_not_close_its_own_block(run: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    run_dir, facts = run
    shutil.copytree(run_dir, tmp_path / "run")
    config = (run_dir / "config.yaml").read_text() + f"notes:\n  why: |-\n   a\n   ```\n   {HOSTILE}\n"
    (tmp_path / "run" / "config.yaml").write_text(config)
    block = write_card(tmp_path / "run", facts).read_text().split("## How to reproduce it")[1]
    (fence,) = re.findall(r"^(`+)yaml$", block, re.MULTILINE)
    assert re.search(rf"^ {{0,3}}{fence}", block.split(f"{fence}yaml")[1].split(HOSTILE)[0], re.MULTILINE) is None


def test_every_table_row_has_as_many_cells_as_its_head(run: tuple[Path, dict[str, Any]]) -> None:
    lines = write_card(*run).read_text().split("\n")
    cells = [len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0 for line in lines]
    heads = [number for number, line in enumerate(lines) if line.startswith("|---")]
    assert len(heads) == 6
    assert all(cells[number - 1] == cells[number] == cells[number + 1] for number in heads)
    assert all(after == before for before, after in itertools.pairwise(cells) if before and after)


def test_the_same_run_gives_the_same_card(run: tuple[Path, dict[str, Any]]) -> None:
    assert write_card(*run).read_bytes() == write_card(*run).read_bytes()


def test_card_shows_a_sample_the_columns_and_what_it_is_for_before_what_was_not_seen(run: Any) -> None:
    text = write_card(*run).read_text()
    places = [text.index(words) for words in ("## A sample", "| column |", "## Intended use", "**Not reachable:")]
    assert places == sorted(places)
    shown = text.split("```text\n")[1].split("\n```")[0]
    assert "Numbers count things." in shown
    assert "which a language model wrote" not in text
