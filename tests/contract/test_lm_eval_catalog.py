"""The catalog compared with lm-eval's index, and its verdicts on the tasks of the real mirror."""

import csv
import fnmatch
import json
from collections import Counter
from pathlib import Path

import pytest

from nemo_sdg.catalog import walk as catalog
from nemo_sdg.catalog.selection import select
from nemo_sdg.catalog.task_files import index_tasks, plain
from nemo_sdg.commands.inputs.tasks import split_key
from nemo_sdg.config import GuardSection, SeedsSection
from nemo_sdg.records import CatalogRow

NO_TRAINING_SPLIT = {"agieval_aqua_rat", "asdiv", "humaneval", "xcopa_id", "xcopa_zh"}
EVALUATED = {"aime24", "mts_dialog"}


@pytest.fixture(scope="module")
def manager():
    """lm-eval's own index."""
    from lm_eval.tasks import TaskManager

    return TaskManager()


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> dict[str, CatalogRow]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        found = catalog.build_catalog(SeedsSection(), GuardSection())
    return {row.task: row for row in select(found, [])}


def canonical(config: object) -> str:
    return json.dumps(plain(config), sort_keys=True)


def test_names_files_and_configurations_are_those_of_lm_eval(manager, rows):
    own = index_tasks([catalog.lm_eval_tasks_folder()]).entries
    assert sorted(rows) == manager.all_subtasks
    assert sorted(name for name, entry in own.items() if entry.kind == "group") == manager.all_groups
    assert sorted(name for name, entry in own.items() if entry.kind == "tag") == manager.all_tags
    for name, theirs in manager.task_index.items():
        if own[name].kind == "tag":
            assert set(own[name].members) == theirs.tags, name
        else:
            assert own[name].file == str(theirs.yaml_path), name
            assert canonical(own[name].config) == canonical(theirs.cfg), name


def test_members_of_groups_are_those_of_lm_eval(manager, rows):
    for group in ("mmlu", "arabicmmlu", "super-glue-t5-prompt", "openllm", "agieval", "minerva_math"):
        found, wanted = set(), [group]
        while wanted:
            entry = manager.task_index.get(wanted.pop())
            if entry is None:
                continue
            members = (
                entry.tags
                if entry.kind.name == "TAG"
                else (entry.cfg or {}).get("task", [])
                if entry.kind.name == "GROUP"
                else []
            )
            wanted += [
                member if isinstance(member, str) else member.get("group") or member["task"] for member in members
            ]
            if entry.kind.name in ("TASK", "PY_TASK"):
                found.add(entry.name)
        assert {row.task for row in select(list(rows.values()), [group])} == found, group


def test_all_leaves_have_a_row_and_the_traps_are_refused(rows):
    assert len(rows) >= 13_000
    words = Counter(reason.partition(":")[0] for row in rows.values() for reason in row.reasons)
    assert words["own_evaluation_split"] >= 130
    refused = {
        task: [reason.partition(":")[0] for reason in rows[task].reasons]
        for task in ("gpqa_main_n_shot", "aime24", "mts_dialog", "gsm_plus", "gsm8k_platinum", "medtext", "ulqa_")
    }
    assert all("own_evaluation_split" in reasons for reasons in refused.values()), refused
    assert rows["xstorycloze_en"].reasons[0].startswith("evaluated_elsewhere")
    assert rows["common_voice_en"].reasons[0].startswith("not_text")
    assert rows["squadv2"].dataset["splits"] == {
        "training": "train",
        "validation": "validation",
        "test": None,
        "fewshot": None,
    }


def test_no_eligible_split_is_evaluated_anywhere(rows):
    """Recomputed from the rows without the guard: path and split in lower case, whatever the config."""
    evaluated: dict[tuple[str, str], set[str]] = {}
    for row in rows.values():
        for role in ("validation", "test"):
            split = row.dataset["splits"][role]
            if split and row.dataset["path"] and "data_files" not in row.dataset:
                evaluated.setdefault((row.dataset["path"].lower(), split), set()).add(row.task)
    eligible = [row for row in rows.values() if row.verdict == "eligible"]
    assert len(eligible) >= 700
    assert len({split_key(row) for row in eligible}) >= 275
    for row in eligible:
        assert (row.dataset["path"].lower(), row.dataset["splits"]["training"]) not in evaluated, row.task


def test_verdicts_on_the_real_mirror_are_exactly_these(rows, hub: Path):
    with open(hub / "INDEX.tsv", newline="") as handle:
        splits = {(line["task"], line["split"]) for line in csv.DictReader(handle, delimiter="\t")}
    for task in {task for task, _ in splits}:
        row = rows[task]
        if task in EVALUATED:
            assert (row.verdict, row.reasons[0].partition(":")[0]) == ("refused", "own_evaluation_split"), task
        elif task in NO_TRAINING_SPLIT or task.startswith("mmlu_"):
            assert (row.verdict, row.reasons) == ("refused", ["no_training_split"]), task
        else:
            assert row.verdict == "eligible", (task, row.reasons)
            assert row.dataset["splits"]["training"].startswith("train"), task


def test_every_declaration_of_the_package_names_a_task(rows):
    from nemo_sdg.catalog.about.families import read_data

    declared = {row.task for row in rows.values() if "declared" in row.dataset}
    for entry in read_data("splits.yaml")["declared"]:
        assert fnmatch.filter(declared, entry["task"]), entry


def test_every_declaration_of_a_family_names_a_task_or_dataset(rows):
    from nemo_sdg.catalog.about.families import read_data

    table = read_data("families.yaml")
    folders = {entry.parent.name for entry in Path(catalog.lm_eval_tasks_folder()).glob("*/.")} | {
        path.name for path in Path(catalog.lm_eval_tasks_folder()).iterdir()
    }
    named = [folder for family in table["folders"].values() for folder in family["folders"]] + [
        folder for listed in table["languages"].values() for folder in listed
    ]
    assert set(named) <= folders
    for entry in table["tasks"]:
        assert fnmatch.filter(rows, entry["task"]), entry
