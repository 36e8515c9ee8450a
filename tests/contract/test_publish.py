"""A published run, read by `datasets`, Nemotron's data preparation and the hub's client."""

import json
import shutil
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml

from nemo_sdg.commands.publish import publish
from nemo_sdg.config import BlendSection, ExportSection, MixtureSection, RunConfig, as_plain
from nemo_sdg.errors import ConfigError, DataError, EngineError
from nemo_sdg.export.blend.write import plan_blend, write_blend
from nemo_sdg.export.documents import render_text
from nemo_sdg.export.packing.pack import pack_shards
from nemo_sdg.export.packing.shard_plan import split_of
from nemo_sdg.records import Generator, ModelUse
from nemo_sdg.storage import StepDir, read_json, read_jsonl, write_json, write_jsonl
from tests.unit.export.packing_samples import Answer, byte_tokenizer, make_sample, packed_step, write_curated

EXPORT = ExportSection(valid_share=0.2, shard_tokens=4000, max_document_tokens=600)
MODELS = Generator(
    model="solver",
    writer=ModelUse(engine="openai", model="writer"),
    solvers=[ModelUse(engine="openai", model="solver")],
)


def all_samples() -> list[dict[str, Any]]:
    samples = []
    for number in range(120):
        if number % 3 == 0:
            choices = [f"one {number}", f"two {number}"]
            samples.append(
                make_sample(
                    number, kind="multiple_choice", choices=choices, answer=Answer(text=choices[1]), generator=MODELS
                )
            )
        else:
            samples.append(make_sample(number, generator=MODELS))
    samples[4]["trace"] = "Hmm."
    samples[7]["reasoning"] = "Too long. " * 200
    return samples


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("run")
    config = RunConfig()
    config.export = EXPORT
    (run_dir / "config.yaml").write_text(yaml.safe_dump(as_plain(config)))
    shards = write_curated(run_dir, all_samples())
    step = packed_step(run_dir)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nemo_sdg.export.packing.pack.load_tokenizer", lambda name, bos: byte_tokenizer())
        pack_shards(shards, step, EXPORT)
    blend = StepDir(run_dir=run_dir, step="blend", fingerprint="f1")
    write_blend(blend, plan_blend(step, EXPORT, MixtureSection()), EXPORT, BlendSection(), packed=step)
    manifest = {
        "name": "nemo_sdg", "version": "1", "fingerprint": "f", "steps": {}, "unread": [],
        "evaluation_splits_unreachable": [], "packages": {}, "files": {},
    }  # fmt: skip
    write_json(run_dir / "manifest.json", manifest)
    header = {"pretty_name": "A corpus", "language": ["en"], "license": "mit", "configs": []}
    (run_dir / "report").mkdir()
    (run_dir / "report" / "README.md").write_text(f"---\n{yaml.safe_dump(header)}---\n\n# A corpus\n")
    return run_dir


@pytest.fixture(scope="module")
def released(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release") / "corpus"
    publish(finished, str(folder))
    return folder


def test_datasets_loads_every_configuration_by_the_card(released: Path, tmp_path: Path) -> None:
    from datasets import load_dataset

    names = ["Multiple-Choice", "Generative", "Multiple-Choice-no_context", "Generative-no_context", "context"]
    loaded = {name: load_dataset(str(released), name, cache_dir=str(tmp_path)) for name in names}
    kept = {sample["sample_id"]: sample for sample in all_samples() if len(sample["reasoning"]) < 1000}
    for variant, suffix in (("context", ""), ("no_context", "-no_context")):
        rows = {}
        for name in (f"Multiple-Choice{suffix}", f"Generative{suffix}"):
            assert loaded[name]["train"].column_names == ["text", "license", "metadata", "uuid"]
            for split in ("train", "validation"):
                for row in loaded[name][split]:
                    sample = kept[uuid.UUID(row["uuid"]).hex]
                    assert row["text"] == render_text(sample, variant)
                    assert (sample["kind"] == "multiple_choice") == name.startswith("Multiple-Choice")
                    assert row["license"] == "MIT"
                    assert row["metadata"] == {"category": sample["family"], "models_used": "solver, writer"}
                    assert (split_of(sample, 0.2) == "valid") == (split == "validation")
                    rows[row["uuid"]] = row
        assert len(rows) == len(kept)
    chat = load_dataset("json", data_files=str(released / "chat" / "*" / "*.jsonl"), cache_dir=str(tmp_path))["train"]
    assert len(chat) == len(kept)
    assert {row["messages"][0]["role"] for row in chat} == {"user"}


def test_chat_holds_question_options_reasoning_answer_and_trace(released: Path) -> None:
    rows = {
        uuid.UUID(row["uuid"]).hex: row["messages"]
        for path in sorted((released / "chat").rglob("*.jsonl"))
        for row in read_jsonl(path)
    }
    sample = all_samples()[3]
    assert rows[sample["sample_id"]] == [
        {"role": "user", "content": "What is number 3?\n\nA. one 3\nB. two 3"},
        {"role": "assistant", "content": "One looks at it.\n\nThe answer is: B. two 3"},
    ]
    assert rows[all_samples()[4]["sample_id"]][1]["reasoning_content"] == "Hmm."


def test_chat_is_made_again_where_packing_leaves_out_another_sample(finished: Path, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    shutil.copytree(finished, run_dir)
    publish(run_dir, str(tmp_path / "out"))
    (dropped,) = (path for path in (run_dir / "packed/dropped").glob("*.jsonl") if path.stat().st_size)
    (row,) = read_jsonl(dropped)
    write_jsonl(dropped, [row | {"id": all_samples()[8]["sample_id"]}])
    publish(run_dir, str(tmp_path / "out"))
    told = {
        uuid.UUID(line["uuid"]).hex for path in (tmp_path / "out/chat").rglob("*.jsonl") for line in read_jsonl(path)
    }
    assert (row["id"] in told, all_samples()[8]["sample_id"] in told) == (True, False)


def check_blend(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Nemotron's own rules for a data blend (src/nemotron/data_prep/blend.py at e27b371), read, not run."""
    optional = {"weight": float, "split": str, "subset": str, "text_field": str}
    assert set(content) == {"datasets"}, "either datasets, or train, valid and test"
    for row in content["datasets"]:
        assert isinstance(row["name"], str)
        assert isinstance(row["path"], str)
        assert set(row) <= {"name", "path", *optional}
        assert all(isinstance(row[key], kind) for key, kind in optional.items() if key in row)
        assert not row["path"].startswith("hf://") or row["split"], "required for hf:// paths"
    assert len({row["name"] for row in content["datasets"]}) == len(content["datasets"])
    return list(content["datasets"])


def test_nemotrons_data_preparation_is_given_files_and_the_weights_of_the_blend(finished: Path, released: Path) -> None:
    rows = check_blend(read_json(released / "data_blend_raw.json"))
    assert sum(row["weight"] for row in rows) == pytest.approx(1)
    assert all(Path(row["path"]).is_file() for row in rows)
    told = read_json(finished / "blend" / "mixture.json")["variants"]["context"]["families"]
    for family, seen in told.items():
        own = [row["weight"] for row in rows if f"-{family}-" in row["name"]]
        assert sum(own) == pytest.approx(seen["share"])


def test_croissant_names_every_file_and_column(released: Path) -> None:
    content = json.loads((released / "croissant.json").read_text())
    assert content["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    sets = {row["@id"]: row for row in content["distribution"]}
    for row in sets.values():
        assert all(list(released.glob(pattern)) for pattern in row["includes"])
    fields = [field for record in content["recordSet"] for field in record["field"]]
    assert {field["source"]["fileSet"]["@id"] for field in fields} <= sets.keys()
    assert {field["source"]["extract"]["column"] for field in fields} == {"text", "license", "metadata", "uuid"}


def test_croissant_is_read_by_mlcroissant(released: Path) -> None:
    mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not among the project's packages")
    dataset = mlcroissant.Dataset(jsonld=str(released / "croissant.json"))
    assert next(iter(dataset.records("Multiple-Choice")))


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("README.md", "croissant.json", "data_blend_raw.json", "publish.json")
    }


def test_a_release_goes_on_where_it_ended_and_heals_what_is_damaged(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "corpus"
    publish(finished, str(folder))
    whole = tree(folder)
    capsys.readouterr()
    publish(finished, str(folder))
    assert f"{len(whole)} files in {folder}, 0 of them new" in capsys.readouterr().out
    assert tree(folder) == whole
    damaged, gone = (next(folder.glob(pattern)) for pattern in ("Generative/train/*", "chat/train/*"))
    damaged.write_bytes(b"half")
    gone.unlink()
    publish(finished, str(folder))
    assert "2 of them new" in capsys.readouterr().out
    assert {name: content for name, (content, _) in tree(folder).items()} == {
        name: content for name, (content, _) in whole.items()
    }


def test_a_dry_run_lists_and_writes_nothing(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(finished.rglob("*"))
    publish(finished, "hub:my-lab/corpus", dry_run=True)
    publish(finished, str(tmp_path / "out"), dry_run=True)
    out = capsys.readouterr().out
    assert "packed/context/math/train/shard-00000.text.parquet" in out
    assert "and push that to hub:my-lab/corpus" in out
    assert sorted(finished.rglob("*")) == before
    assert not (tmp_path / "out").exists()


class FakeHub:
    """Stands for the hub's client: it notes what it is given, or fails as the client does without a network."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.calls = error, list[Any]()

    def __call__(self) -> "FakeHub":
        return self

    def create_repo(self, repository: str, *, repo_type: str, private: bool, exist_ok: bool) -> None:
        if self.error:
            raise self.error
        self.calls.append((repository, repo_type, private, exist_ok))

    def upload_large_folder(self, repository: str, folder: Path, *, repo_type: str, print_report: bool) -> None:
        self.calls.append((repository, sorted(path.name for path in Path(folder).iterdir()), repo_type))


def test_the_hub_is_given_the_folder_and_its_own_paths(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dir, hub = tmp_path / "run", FakeHub()
    shutil.copytree(finished, run_dir)
    monkeypatch.setattr("huggingface_hub.HfApi", hub)
    publish(run_dir, "hub:my-lab/corpus")
    assert hub.calls[0] == ("my-lab/corpus", "dataset", True, True)
    names = ["Generative", "Generative-no_context", "Multiple-Choice", "Multiple-Choice-no_context", "README.md"]
    assert hub.calls[1][1] == sorted(
        [*names, "chat", "croissant.json", "data_blend_raw.json", "packed", "publish.json"]
    )
    rows = check_blend(read_json(run_dir / "publish" / "data_blend_raw.json"))
    assert {(row["path"], row["subset"]) for row in rows} == {
        ("hf://my-lab/corpus", "Multiple-Choice"),
        ("hf://my-lab/corpus", "Generative"),
    }
    monkeypatch.setattr("huggingface_hub.HfApi", FakeHub(ConnectionError("no route\nto host")))
    with pytest.raises(EngineError, match=r"did not take my-lab/corpus \(no route\)") as caught:
        publish(run_dir, "hub:my-lab/corpus")
    assert "\n" not in str(caught.value)


def test_what_cannot_be_published_is_one_line(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must be a folder or hub:ORG/NAME"):
        publish(finished, "hub:corpus")
    with pytest.raises(DataError, match="is not a run directory"):
        publish(tmp_path, str(tmp_path / "out"))
    unfinished = tmp_path / "unfinished"
    (unfinished / "catalog").mkdir(parents=True)
    (unfinished / "config.yaml").write_text("{}\n")
    with pytest.raises(DataError, match="is not a finished run"):
        publish(unfinished, str(tmp_path / "out"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("dear")
    with pytest.raises(DataError, match="is not empty and not a release"):
        publish(finished, str(tmp_path / "mine"))
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "dear"


def hostile_outputs(run_dir: Path, names: dict[str, str]) -> None:
    """Renames outputs in the receipts of packed shards."""
    for path in (run_dir / "packed" / "receipts").glob("*.json"):
        text = path.read_text()
        for old, new in names.items():
            text = text.replace(old, new)
        path.write_text(text)


@pytest.mark.parametrize("prefix", ["packed/context/../../../victim/", "ABSOLUTE/"])
def test_a_run_of_somebody_else_does_not_name_files_outside_of_it(finished: Path, tmp_path: Path, prefix: str) -> None:
    run_dir, victim = tmp_path / "run", tmp_path / "victim"
    shutil.copytree(finished, run_dir)
    first = next((run_dir / "packed/context").rglob("*.text.parquet"))
    shutil.copytree(first.parent, victim)
    before = {path.name: path.read_bytes() for path in victim.iterdir()}
    hostile_outputs(run_dir, {f"{first.parent.relative_to(run_dir)}/": prefix.replace("ABSOLUTE", str(victim))})
    with pytest.raises(DataError, match="no name of a file in the run"):
        publish(run_dir, str(tmp_path / "release" / "folder"))
    assert {path.name: path.read_bytes() for path in victim.iterdir()} == before


def test_a_family_of_somebody_elses_run_is_no_path(finished: Path, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    shutil.copytree(finished, run_dir)
    for path in (run_dir / "packed" / "receipts").glob("*.json"):
        write_json(path, read_json(path) | {"family": "../../../victim"})
    with pytest.raises(DataError, match=r"'\.\./\.\./\.\./victim' is no name"):
        publish(run_dir, str(tmp_path / "a" / "b" / "release"))
    assert not list(tmp_path.rglob("victim*"))


def test_a_release_that_a_run_brings_removes_and_publishes_nothing_else(finished: Path, tmp_path: Path) -> None:
    run_dir, thesis = tmp_path / "run", tmp_path / "thesis.txt"
    shutil.copytree(finished, run_dir)
    thesis.write_text("dear")
    row = {
        "path": "../../thesis.txt", "configuration": "context", "split": "train", "source": "", "sha256": "",
        "bytes": 4, "rows": 1,
    }  # fmt: skip
    brought = run_dir / "publish"
    brought.mkdir()
    write_json(brought / "publish.json", {"format": 1, "files": [row]})
    with pytest.raises(DataError, match=r"thesis\.txt', which is not a file of the release"):
        publish(run_dir, str(brought))
    write_json(brought / "publish.json", {"format": 1, "files": []})
    (brought / "chat").symlink_to(tmp_path)
    with pytest.raises(DataError, match="is a link"):
        publish(run_dir, str(brought))
    assert thesis.read_text() == "dear"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "thesis.txt"]
