"""Rings 1 and 2 on lm-eval's tasks and on users' task files: the splits that a task evaluates on are never training
data, under any name and any address of their files.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from nemo_sdg.catalog import walk
from nemo_sdg.catalog.about.families import read_data
from nemo_sdg.catalog.walk import build_catalog, load_facts
from nemo_sdg.config import GuardSection, SeedsSection
from nemo_sdg.records import CatalogRow
from nemo_sdg.seeds.sources.splits import evaluation_sources

FACTS = {"kind": "short_text", "frame": "generation", "family": "factual", "capability": "knowledge", "language": "en"}


def write_task(folder: Path, task: str, *, files: Any = None, path: str = "json", **config: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    whole = {"task": task, "dataset_path": path, "output_type": "generate_until", "doc_to_text": "{{question}}"}
    whole |= {"doc_to_target": "answer", "metadata": {"version": 1.0, "nemo_sdg": {**FACTS, "license": "CC0-1.0"}}}
    if files:
        whole["dataset_kwargs"] = {"data_files": files}
    (folder / f"{task}.yaml").write_text(yaml.safe_dump(whole | config))


def write_rows(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('{"question": "Which gas do plants take in?", "answer": "carbon dioxide"}\n')


def catalog(*folders: Path, **seeds: Any) -> dict[str, CatalogRow]:
    section = SeedsSection(include_path=[str(folder) for folder in folders], **seeds)
    return {row.task: row for row in build_catalog(section, GuardSection())}


def reasons(row: CatalogRow) -> list[str]:
    return [reason.partition(":")[0] for reason in row.reasons]


def test_one_file_written_in_three_ways_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = tmp_path / "tasks"
    write_rows(tasks / "items.jsonl")
    write_task(tasks, "own_eval", files={"test": "items.jsonl"}, test_split="test")
    for task, file in (("rel", "items.jsonl"), ("cwd", "tasks/items.jsonl"), ("abs", str(tasks / "items.jsonl"))):
        write_task(tasks, task, files={"train": file}, training_split="train")
    monkeypatch.chdir(tmp_path)
    found = catalog(tasks)
    assert [reasons(found[task]) for task in ("rel", "cwd", "abs")] == [["evaluated_elsewhere"]] * 3


def test_a_glob_takes_in_the_tasks_own_test_file(tmp_path: Path) -> None:
    for number in (1, 2):
        write_rows(tmp_path / f"rows-{number}.jsonl")
    files = {"train": "rows-*.jsonl", "test": "rows-2.jsonl"}
    write_task(tmp_path, "own", files=files, training_split="train", test_split="test")
    assert "own_evaluation_split" in reasons(catalog(tmp_path)["own"])


def test_files_of_one_name_in_two_folders_are_two_files(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_rows(tmp_path / folder / "items.jsonl")
    write_task(tmp_path / "a", "own_a", files={"train": "items.jsonl"}, training_split="train")
    write_task(tmp_path / "b", "own_b", files={"test": "items.jsonl"}, test_split="test")
    assert catalog(tmp_path / "a", tmp_path / "b")["own_a"].verdict == "eligible"


def test_a_task_that_takes_a_built_in_name_does_not_free_its_evaluation_split(tmp_path: Path) -> None:
    write_task(tmp_path, "aime24", path="Maxwell-Jia/AIME_2024", training_split="train")
    write_task(tmp_path, "gsm8k", files={"train": "x.jsonl"}, training_split="train")
    write_task(tmp_path, "mine", path="openai/gsm8k", dataset_name="main", training_split="test")
    found = catalog(tmp_path)
    assert "evaluated_elsewhere" in reasons(found["aime24"])
    assert "lm_eval::aime24" in found["aime24"].reasons[-1]
    assert "evaluated_elsewhere" in reasons(found["mine"])
    assert reasons(found["lm_eval::aime24"])[0] == reasons(found["lm_eval::gsm8k"])[0] == "overridden"
    splits = evaluation_sources(list(found.values()), SeedsSection(include_path=[str(tmp_path)], hub=False))
    assert any("lm_eval::aime24" in split["tasks"] for split in splits.unreachable), "and its rows are compared with"


def test_a_file_of_the_mirror_is_the_split_that_it_stands_for(tmp_path: Path) -> None:
    file = tmp_path / "mirror/openai/gsm8k/main/test.jsonl"
    write_rows(file)
    link = tmp_path / "tasks/rows.jsonl"
    link.parent.mkdir()
    link.symlink_to(file)
    write_task(tmp_path / "tasks", "mine", files={"train": "rows.jsonl"}, training_split="train")
    found = catalog(tmp_path / "tasks", mirror=str(tmp_path / "mirror"))["mine"]
    assert any("gsm8k" in reason for reason in found.reasons if reason.startswith("evaluated_elsewhere"))


PLACES = {
    "json": "main/{0}.jsonl",
    "auto": "main/{0}/0000.parquet",
    "refs": "refs/convert/parquet/main/{0}/0000.parquet",
    "shard": "data/{0}-00000-of-00001.parquet",
    "file": "main/{0}.parquet",
    "said": "main/gsm8k-{0}.jsonl.gz",
}
"""within a data set's folder in a mirror"""
ADDRESSES = {
    "hf": "hf://datasets/openai/gsm8k@refs/convert/parquet/main/{0}/0000.parquet",
    "bare": "hf://datasets/gsm8k/main/{0}-00000-of-00001.parquet",
    "page": "https://huggingface.co/datasets/openai/gsm8k/resolve/main/main%2F{0}-00000-of-00001.parquet",
    "api": "https://huggingface.co/api/datasets/openai/gsm8k/parquet/main/{0}/0.parquet",
    "zip": "gzip://x::hf://datasets/openai/gsm8k/main/{0}.jsonl.gz",
}


def test_an_evaluation_split_is_known_in_every_layout_and_by_every_address(tmp_path: Path) -> None:
    """The training split beside it, written in the same ways, is not taken for it; what may hold both is refused."""
    tasks, mirror = tmp_path / "tasks", tmp_path / "mirror"
    for split in ("train", "test"):
        for folder in ("openai/gsm8k", "gsm8k", "datasets/openai/gsm8k"):
            for name, place in PLACES.items():
                file = mirror / folder / place.format(split)
                write_rows(file)
                task = f"{split}_{folder.replace('/', '_')}_{name}"
                write_task(tasks, task, files={"train": str(file)}, path="parquet", training_split="train")
        for name, address in ADDRESSES.items():
            files = {"train": address.format(split)}
            write_task(tasks, f"{split}_{name}", files=files, path="parquet", training_split="train")
        within = {"train": f"main/{split}/0000.parquet"}
        write_task(tasks, f"{split}_within", files=within, path="openai/gsm8k", training_split="train")
        (tmp_path / f"{split}_linked.jsonl").hardlink_to(mirror / f"openai/gsm8k/main/{split}.jsonl")
        files = {"train": str(tmp_path / f"{split}_linked.jsonl")}
        write_task(tasks, f"{split}_linked", files=files, training_split="train")
    hub = "hf://datasets/openai/gsm8k"
    for name, pattern in (("star", f"{hub}/main/*.parquet"), ("zip", f"{hub}@main/rows.zip")):
        write_task(tasks, f"any_{name}", files={"train": pattern}, path="parquet", training_split="train")
    write_task(tasks, "any_sum", path="openai/gsm8k", dataset_name="main", training_split="all")
    write_task(tasks, "any_within", files={"train": "main/*"}, path="openai/gsm8k", training_split="train")
    write_task(tasks, "train_star", files={"train": "main/train-*"}, path="openai/gsm8k", training_split="train")
    write_rows(tasks / "own/test/0000.parquet")
    write_task(tasks, "own", files={"train": "own/test/0000.parquet"}, path="parquet", training_split="train")
    found = catalog(tasks, mirror=str(mirror))
    own = [file.stem for file in tasks.glob("*_*.yaml")]
    assert len(own) == 2 * (3 * len(PLACES) + len(ADDRESSES) + 2) + 5
    wrong = [task for task in own if ("evaluated_elsewhere" in reasons(found[task])) == task.startswith("train_")]
    assert wrong == []
    assert [task for task in own if task.startswith("train_") and found[task].reasons] == []
    assert reasons(found["own"]) == ["split_name"], "a numbered file is named by its folder"


def test_a_dataset_under_a_new_owner_is_that_dataset(tmp_path: Path) -> None:
    for number, path in enumerate(("someone/Global-MMLU-Lite", "Global-MMLU-Lite", "someone/truthful-qa")):
        write_task(tmp_path, f"own{number}", path=path, dataset_name=None, training_split="test")
        write_task(tmp_path, f"train{number}", path=path, dataset_name=None, training_split="train")
    write_task(tmp_path, "own2", path="someone/truthful-qa", training_split="validation")
    found = catalog(tmp_path)
    for number in range(3):
        assert "evaluated_elsewhere" in reasons(found[f"own{number}"])
        assert found[f"train{number}"].verdict == "eligible"


def test_a_folder_as_dataset_path_is_known_by_its_files(tmp_path: Path) -> None:
    write_rows(tmp_path / "own/train.jsonl")
    write_task(tmp_path, "folder", path="./own", test_split="train")
    write_task(tmp_path, "file", files={"train": "own/train.jsonl"}, training_split="train")
    assert "evaluated_elsewhere" in reasons(catalog(tmp_path)["file"])


def test_every_row_of_the_tables_names_a_dataset_of_lm_eval() -> None:
    facts = load_facts(())
    datasets = [*(row["dataset"] for row in facts["rows"]), *(dataset for _, dataset in facts["inline"])]
    known = {(dataset["path"] or "").lower() for dataset in datasets}
    table = read_data("splits.yaml")
    groups = [{member.partition(":")[0].lower() for member in group} for group in table["aliases"]]
    assert [group for group in groups if not group & known] == []
    for row in table["lineage"]:
        assert {row["path"].lower(), row["of"].lower()} <= known, row
    assert [row for row in [*table["never"], *table["evaluated"]] if row["path"].lower() not in known] == []


def test_a_changed_task_file_is_read_again(tmp_path: Path) -> None:
    base = tmp_path / "base.yaml"
    base.write_text("dataset_path: own/first\n")
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks/mine.yaml").write_text("include: ../base.yaml\ntask: mine\ntraining_split: train\n")
    assert catalog(tmp_path / "tasks")["mine"].dataset["path"] == "own/first"
    base.write_text("dataset_path: own/other\n")
    assert catalog(tmp_path / "tasks")["mine"].dataset["path"] == "own/other"


def test_files_that_give_no_task_are_named_each_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_task(tmp_path, "mine", files={"train": "x.jsonl"}, training_split="train")
    (tmp_path / "z_again.yaml").write_text("task: mine\ndataset_path: own/again\n")
    (tmp_path / "b.yml").write_text("task: other\ndataset_path: own/other\n")
    for _ in range(2):
        caplog.clear()
        walk._last.clear()  # another run
        catalog(tmp_path)
        assert "z_again.yaml repeats the name mine" in caplog.text
        assert "b.yml is passed over: lm-eval reads only files that end in .yaml" in caplog.text
        caplog.clear()
        catalog(tmp_path)
        assert caplog.text == ""  # once a run, however many of its steps ask


def test_a_file_that_comes_while_the_process_runs_is_seen(tmp_path: Path) -> None:
    (tmp_path / "rows-1.jsonl").write_text('{"question": "q", "answer": "a"}\n')
    write_task(tmp_path, "taker", files={"train": "rows-*.jsonl"}, training_split="train")
    write_task(tmp_path, "held", files={"test": "rows-2.jsonl"}, test_split="test")
    assert catalog(tmp_path)["taker"].reasons == []
    (tmp_path / "rows-2.jsonl").write_text('{"question": "r", "answer": "b"}\n')
    assert catalog(tmp_path)["taker"].reasons[0].startswith("evaluated_elsewhere")
