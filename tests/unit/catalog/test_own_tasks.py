"""What lm-eval's own files say is cached apart from the folders of a user."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.catalog import cached, task_facts, walk
from nemo_sdg.catalog.own_tasks import pack_entries, unpack_entries
from nemo_sdg.catalog.task_files import index_tasks
from nemo_sdg.config import GuardSection, SeedsSection
from tests.fakes.task_tree import forget, instead_of_lm_eval, write

FILES = {
    "fish.yaml": "task: fish\ntag: sea\ndataset_path: own/fish\ntest_split: test\nprocess_docs: !function utils.docs\n",
    "birds.yaml": "task: birds\ntag: [sea, sky]\ndataset_path: own/birds\ntraining_split: train\n",
    "group.yaml": "group: animals\ntask: [birds, {task: fish, dataset_name: deep}]\nprocess_docs: !function u.all\n",
    "dated.yaml": "group: dated\ntask: [birds]\nmetadata: {since: 2020-01-01, 7: a}\n",
}


@pytest.fixture
def lm_eval(tmp_path: Path) -> Iterator[Path]:
    with instead_of_lm_eval(tmp_path, FILES) as folder:
        yield folder


def test_an_index_is_the_same_after_it_was_json(lm_eval: Path) -> None:
    entries = index_tasks([lm_eval]).entries
    rows = json.loads(json.dumps(pack_entries(entries, str(lm_eval))))
    read = unpack_entries(rows, str(lm_eval))
    assert list(read) == list(entries) == ["birds", "sea", "sky", "dated", "fish", "animals"]
    for name, entry in entries.items():
        found = read[name]
        assert (found.kind, found.file, found.members) == (entry.kind, entry.file, entry.members), name
        assert dict(found.config) == entry.config, name


def of(folder: Path) -> SeedsSection:
    return SeedsSection(include_path=[str(folder)])


def tasks_of(seeds: SeedsSection) -> dict[str, Any]:
    return {row.task: row for row in walk.build_catalog(seeds, GuardSection())}


def test_another_folder_of_tasks_does_not_read_lm_eval_again(
    lm_eval: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = {"mine.yaml": "task: mine\ndataset_path: own/mine\ntraining_split: train\n"}
    group = "group: ours\ntask: [mine, {task: fish, dataset_path: own/pond}]\n"
    one = tasks_of(of(write(tmp_path / "one", mine)))
    folder = write(
        tmp_path / "two", {**mine, "group.yaml": group, "birds.yaml": "task: birds\ndataset_path: own/cage\n"}
    )
    with monkeypatch.context() as patch:
        patch.setattr(task_facts, "read_own", lambda *_: pytest.fail("lm-eval's files were read again"))
        two = tasks_of(of(folder))
    whole = task_facts.read_facts(str(lm_eval), (str(folder),))
    assert walk.load_facts((str(folder),))["inline"] == json.loads(json.dumps(whole["inline"]))
    assert [name for name, _ in whole["inline"]] == ["animals::fish", "ours::fish"]
    assert one["birds"].groups == ["animals", "dated", "sea", "sky"]
    assert (two["birds"].dataset["path"], two["lm_eval::birds"].dataset["path"]) == ("own/cage", "own/birds")
    assert two["fish"].groups == ["animals", "ours", "sea"]
    assert two["mine"].groups == ["ours"]


@pytest.mark.parametrize("damage", [b"", b'{"key": "other"}', b'{"key":'])
def test_a_damaged_or_old_file_of_lm_evals_own_tasks_is_made_anew(lm_eval: Path, tmp_path: Path, damage: bytes) -> None:
    before = tasks_of(SeedsSection())
    (file,) = (tmp_path / "cache" / "nemo_sdg").glob("own-*.json")
    whole = file.read_bytes()
    file.write_bytes(damage)
    (tmp_path / "empty").mkdir()
    assert tasks_of(of(tmp_path / "empty")) == before
    assert file.read_bytes() == whole
    (lm_eval / "fish.yaml").write_text(FILES["fish.yaml"].replace("test_split: test", "training_split: train"))
    walk._tree_hash.cache_clear()
    forget()
    assert tasks_of(of(tmp_path / "empty"))["fish"].dataset["splits"]["training"] == "train"


def test_catalogs_that_were_not_used_for_long_leave_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached, "NUM_CACHED", 2)
    for number in range(4):
        path = tmp_path / f"catalog-{number}.json"
        path.write_text("{}")
        os.utime(path, (number, number))
    (tmp_path / "evaluation.json").write_text("{}")
    cached._remove_unused(tmp_path, "catalog")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["catalog-2.json", "catalog-3.json", "evaluation.json"]
