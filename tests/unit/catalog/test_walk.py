"""The catalog on a small tree of task files instead of lm-eval's."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from nemo_sdg.catalog import task_facts as facts
from nemo_sdg.catalog import walk as catalog
from nemo_sdg.catalog.data_files import training_dataset
from nemo_sdg.catalog.selection import select
from nemo_sdg.catalog.task_files import FunctionRef, TaskFileError, YamlTree, index_tasks
from nemo_sdg.config import DeclaredSplit, GuardSection, LicensePolicy, SeedsSection
from nemo_sdg.errors import ConfigError
from nemo_sdg.records import CatalogRow
from nemo_sdg.seeds.sources.splits import evaluation_sources, plan_sources
from tests.fakes.task_tree import instead_of_lm_eval, write

FILES = {
    "animals/_base_yaml": """
dataset_path: own/animals
training_split: train
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: ["yes", "no"]
process_docs: !function utils.process_docs
tag: [zoo]
""",
    "animals/birds.yaml": "include: _base_yaml\ntask: birds\ndataset_name: birds\n",
    "animals/fish.yaml": "include: _base_yaml\ntask: fish\ndataset_name: fish\ntag: sea\ntest_split: train\n",
    "animals/group.yaml": (
        "group: animals\ntask: [birds, {task: fish, num_fewshot: 2}, {group: inner, task: [numbers]}]\n"
    ),
    "maths/numbers.yaml": (
        "task: numbers\ndataset_path: openai/gsm8k\ndataset_name: main\ntraining_split: train\ntest_split: "
        "test\noutput_type: generate_until\n"
    ),
    "maths/silent.yaml": "task: silent\ndataset_path: own/silent\ntest_split: test\n",
    "maths/again.yaml": "task: zz\ndataset_path: own/zz\n",
    "maths/zz.yaml": "task: zz\ndataset_path: own/later\n",
    "pictures.yaml": "task: pictures\ndataset_path: own/pictures\ntraining_split: train\ndoc_to_image: [image]\n",
    "corpus.yaml": (
        "task: corpus\ndataset_path: own/corpus\ntraining_split: train\noutput_type: loglikelihood_rolling\n"
    ),
    "coded/task.py": """
class Base(Parent):
    DATASET_PATH = "own/coded"
    def has_training_docs(self):
        return True
    def has_validation_docs(self):
        return True
    def has_test_docs(self):
        return False
    def training_docs(self):
        return self.dataset["train"]
    def validation_docs(self):
        return list(map(str, self.dataset["validation"]))
class Coded(Base):
    DATASET_NAME = "part"
class Unknown(Parent):
    DATASET_PATH = "own/unknown"
    def has_training_docs(self):
        return "train" in self.dataset
raise RuntimeError("the catalog imports task code")
""",
    "coded/coded.yaml": "task: coded\nclass: !function task.Coded\n",
    "coded/unknown.yaml": "task: unknown_splits\nclass: !function task.Unknown\n",
    "broken.yaml": "task: [unclosed\n",
    "nothing.yaml": "some: configuration\n",
    "twice.yaml": "include: [animals/_base_yaml, animals/_base_yaml]\ntask: twice\n",
}


@pytest.fixture
def lm_eval(tmp_path: Path) -> Iterator[Path]:
    with instead_of_lm_eval(tmp_path, FILES) as folder:
        yield folder


def rows(seeds: SeedsSection | None = None, guard: GuardSection | None = None) -> dict[str, CatalogRow]:
    """The rows of the catalog without the shipped pools."""
    found = catalog.build_catalog(seeds or SeedsSection(), guard or GuardSection())
    return {row.task: row for row in select(found, [])}


def words(row: CatalogRow) -> list[str]:
    return [reason.partition(":")[0] for reason in row.reasons]


def test_every_leaf_has_a_row_and_its_verdict(lm_eval):
    verdicts = {task: (str(row.verdict), words(row)) for task, row in rows().items()}
    assert verdicts == {
        "birds": ("eligible", []),
        "coded": ("eligible", []),
        "corpus": ("refused", ["no_question"]),
        "fish": ("refused", ["own_evaluation_split"]),
        "numbers": ("eligible", []),
        "pictures": ("refused", ["not_text"]),
        "silent": ("refused", ["no_training_split"]),
        "unknown_splits": ("refused", ["unreadable_class"]),
        "zz": ("refused", ["no_training_split"]),
    }


def test_includes_stand_below_a_files_own_keys(lm_eval):
    config = catalog.task_config("fish", SeedsSection())
    assert (config["dataset_path"], config["dataset_name"], config["test_split"], config["tag"]) == (
        "own/animals",
        "fish",
        "train",
        "sea",
    )
    assert config["process_docs"] == FunctionRef(str(lm_eval / "animals"), "utils.process_docs")
    assert "include" not in config


def test_of_two_files_with_one_name_the_first_counts(lm_eval):
    assert rows()["zz"].dataset["path"] == "own/zz"


def test_a_python_task_is_read_without_being_run(lm_eval):
    assert rows()["coded"].dataset == {
        "path": "own/coded",
        "name": "part",
        "splits": {"training": "train", "validation": "validation", "test": None, "fewshot": None},
    }


def test_files_that_lm_eval_passes_over_are_named(lm_eval):
    passed_over = index_tasks([lm_eval]).passed_over
    assert {Path(file).name for file in passed_over} == {"broken.yaml", "twice.yaml", "zz.yaml"}
    with pytest.raises(TaskFileError, match="included twice"):
        YamlTree().load(lm_eval / "twice.yaml")


def test_names_groups_tags_and_globs_select(lm_eval):
    catalog_rows = list(rows().values())

    def selected(*names: str) -> list[str]:
        return [row.task for row in select(catalog_rows, list(names))]

    assert selected("animals") == ["birds", "fish", "numbers"]
    assert selected("zoo") == ["birds"]
    assert selected("sea", "z*") == ["birds", "fish", "zz"]  # z* is also the tag zoo
    assert selected("b*") == ["birds"]
    assert selected() == sorted(FILE_TASKS)


FILE_TASKS = ["birds", "coded", "corpus", "fish", "numbers", "pictures", "silent", "unknown_splits", "zz"]


def test_an_unknown_name_is_an_error_with_near_misses(lm_eval):
    with pytest.raises(ConfigError, match=r"seeds.tasks names numbrs, .*did you mean numbers\?"):
        select(list(rows().values()), ["numbrs"])
    with pytest.raises(ConfigError, match=r"guard\.require names numbrs"):
        rows(guard=GuardSection(require=["numbrs"]))
    with pytest.raises(ConfigError, match="bird is not an lm-eval task; did you mean birds"):
        catalog.task_config("bird", SeedsSection())


def test_include_path_adds_and_overrides(lm_eval, tmp_path, caplog):
    own = write(
        tmp_path / "own",
        {
            "mine.yaml": "task: mine\ndataset_path: own/mine\ntraining_split: train\n",
            "birds.yaml": "task: birds\ndataset_path: own/eagles\n",
            "bad.yaml": "a: [",
        },
    )
    with caplog.at_level(logging.WARNING):
        found = rows(SeedsSection(include_path=[str(own)]))
    assert found["mine"].verdict == "eligible"
    assert found["birds"].dataset["path"] == "own/eagles"
    assert "bad.yaml is passed over" in caplog.text
    assert catalog.task_file("mine", SeedsSection(include_path=[str(own)])) == own / "mine.yaml"
    with pytest.raises(ConfigError, match="which is not a folder"):
        rows(SeedsSection(include_path=[str(tmp_path / "absent")]))


def test_the_cache_is_used_and_a_change_of_include_path_renews_it(lm_eval, tmp_path, monkeypatch):
    own = write(tmp_path / "own", {"mine.yaml": "task: mine\ndataset_path: own/mine\ntraining_split: train\n"})
    seeds = SeedsSection(include_path=[str(own)])
    before = rows(seeds)
    with monkeypatch.context() as patch:
        patch.setattr(facts, "read_facts", lambda *_: pytest.fail("the cache was not used"))
        assert rows(seeds) == before
        assert rows(seeds, GuardSection(name=False, identity=False))["fish"].verdict == "eligible"
    write(own, {"mine.yaml": "task: mine\ndataset_path: own/mine\ntraining_split: test\n"})
    assert words(rows(seeds)["mine"]) == ["split_name"]


@pytest.mark.parametrize("damage", [b"", b'{"key": "other", "rows": []}', b"[]", b'{"key":'])
def test_a_damaged_cache_is_made_anew(lm_eval, tmp_path, damage):
    before = rows()
    (file,) = (tmp_path / "cache" / "nemo_sdg").glob("catalog-*.json")
    whole = file.read_bytes()
    file.write_bytes(damage)
    catalog._last.clear()  # another run
    assert rows() == before
    assert file.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_no_error(lm_eval, tmp_path, caplog):
    (tmp_path / "cache").write_text("a file where the folder would be")
    assert rows()["birds"].verdict == "eligible"
    assert "the catalog is not cached" in caplog.text


def test_declared_splits_are_judged_like_the_others(lm_eval):
    declared = {
        "sil*": DeclaredSplit(split="train", reason="on the hub"),
        "zz": DeclaredSplit(split="dev", reason="why not"),
    }
    found = rows(SeedsSection(declared=declared))
    assert (
        found["silent"].verdict,
        found["silent"].dataset["splits"]["training"],
        found["silent"].dataset["declared"],
    ) == ("eligible", "train", "on the hub")
    assert words(found["zz"]) == ["split_name"]
    with pytest.raises(ConfigError, match=r"seeds\.declared names silnt, which no task matches; did you mean silent"):
        rows(SeedsSection(declared={"silnt": DeclaredSplit(split="train", reason="")}))


def test_a_declared_split_may_be_of_another_configuration(lm_eval):
    declared = {"numbers": DeclaredSplit(split="train", reason="larger", name="socratic")}
    seeds = SeedsSection(declared=declared)
    row = rows(seeds)["numbers"]
    assert (row.dataset["name"], training_dataset(row.dataset)["name"]) == ("main", "socratic")
    (source,) = plan_sources([row], seeds)
    assert (source.split.name, source.split.split) == ("socratic", "train")
    (evaluated,) = evaluation_sources([row], SeedsSection(hub=True)).reachable
    assert (evaluated.split.name, evaluated.split.split) == ("main", "test")
    (lm_eval / "maths" / "other.yaml").write_text(
        "task: other\ndataset_path: own/silent\ndataset_name: held\ntest_split: train\n"
    )
    catalog._tree_hash.cache_clear()
    held = {"silent": DeclaredSplit(split="train", reason="no", name="held")}
    assert words(rows(SeedsSection(declared=held))["silent"]) == ["evaluated_elsewhere"]


def test_licence_policies(lm_eval):
    commercial = rows(SeedsSection(license_policy=LicensePolicy.commercial))
    assert commercial["numbers"].verdict == "eligible"
    assert words(commercial["birds"]) == ["license"]
    listed = rows(SeedsSection(license_policy=LicensePolicy.listed, licenses=["unknown"]))
    assert [listed[task].verdict for task in ("numbers", "birds")] == ["refused", "eligible"]


def test_what_the_table_and_the_yaml_say_of_a_task(lm_eval):
    found = rows()
    numbers = found["numbers"]
    assert (numbers.kind, numbers.frame, numbers.family, numbers.capability, numbers.languages) == (
        "numeric",
        "generation",
        "math",
        "reasoning",
        ["en"],
    )
    assert (numbers.license["id"], numbers.license["commercial_use"]) == ("MIT", "yes")
    birds = found["birds"]
    assert (birds.kind, birds.frame, birds.family, birds.languages, birds.license["id"]) == (
        "multiple_choice",
        "classification",
        "unknown",
        [],
        "unknown",
    )
    assert birds.groups == ["animals", "zoo"]
