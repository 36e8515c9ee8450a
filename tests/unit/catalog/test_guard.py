"""Rings 1 and 2: which training splits are refused, and the task that is named as the reason."""

import pytest

from nemo_sdg.catalog.about.families import read_data
from nemo_sdg.catalog.guard import SplitGuard, evaluation_word, require_reachable
from nemo_sdg.config import GuardSection
from nemo_sdg.errors import ConfigError
from nemo_sdg.records import CatalogRow

TABLE = read_data("splits.yaml")


def task(
    path: str,
    name: str | None = None,
    *,
    training: str | None = "train",
    validation: str | None = None,
    test: str | None = None,
    files: object = None,
) -> dict:
    found = {
        "path": path,
        "name": name,
        "splits": {"training": training, "validation": validation, "test": test, "fewshot": None},
    }
    return found | ({"data_files": files} if files else {})


def refusals(own: dict, *others: dict, guard: GuardSection | None = None) -> list[str]:
    evaluations = [("own", own), *((f"other{number}", other) for number, other in enumerate(others))]
    return SplitGuard(guard or GuardSection(), evaluations, TABLE).refusals("own", own)


@pytest.mark.parametrize(
    "name",
    ["test", "dev", "dev_r3", "testmini", "validation_matched", "val", "Test", "test-00000-of-00002.parquet", "eval"],
)
def test_names_that_say_evaluation(name):
    assert evaluation_word(name)


@pytest.mark.parametrize(
    "name", ["train", "train_r3", "latest", "train_live_qa_med", "auxiliary_train", "devanagari", "contest", "default"]
)
def test_names_that_do_not(name):
    assert evaluation_word(name) is None


def test_an_honest_split_is_not_refused():
    assert (
        refusals(task("own/a", test="test"), task("own/b", test="train"), task("own/a", validation="validation")) == []
    )


def test_the_tasks_own_evaluation_split():
    assert refusals(task("own/a", validation="train", test="test")) == [
        "own_evaluation_split: train is also the task's validation_split"
    ]
    assert refusals(task("own/a", training="dev", test="test")) == ["split_name: dev says dev"]


def test_another_tasks_evaluation_split_is_named():
    assert refusals(task("own/a", "x"), task("own/a", "x", training=None, test="train")) == [
        "evaluated_elsewhere: train of own/a is the test_split of other0"
    ]


@pytest.mark.parametrize("expression", ["train[:50%]", "extra+train", "train[10:20]"])
def test_a_slice_counts_as_the_whole_split(expression):
    assert refusals(task("own/a"), task("own/a", training=None, test=expression))
    assert refusals(task("own/a", training=expression), task("own/a", training=None, test="train"))


@pytest.mark.parametrize(
    ("own", "other", "same"),
    [
        (None, "default", True),
        (None, "x", True),
        ("x", "all", True),
        ("x", "x", True),
        ("x", "y", False),
        ("default", "x", True),
    ],
)
def test_a_config_that_stands_for_the_whole_meets_every_other(own, other, same):
    assert bool(refusals(task("own/a", own), task("own/a", other, training=None, test="train"))) is same


@pytest.mark.parametrize(
    ("own", "other"),
    [
        (("gsm8k", "main"), ("openai/gsm8k", "main")),
        (("OpenAI/GSM8K", "main"), ("openai/gsm8k", "main")),
        (("xnli", "de"), ("facebook/xnli", "de")),
        (("paws-x", "es"), ("google-research-datasets/paws-x", "es")),
        (("CohereLabs/Global-MMLU-Lite", "de"), ("CohereForAI/Global-MMLU-Lite", "de")),
        (("nyu-mll/glue", "rte"), ("aps/super_glue", "rte")),
        (("super_glue", "boolq"), ("google/boolq", None)),
        (("hendrycks/competition_math", None), ("EleutherAI/hendrycks_math", "algebra")),
    ],
)
def test_one_dataset_under_two_names(own, other):
    assert refusals(task(*own), task(*other, training=None, test="train"))


def test_names_are_told_apart_where_they_are_not_the_same_data():
    assert not refusals(task("nyu-mll/glue", "rte"), task("aps/super_glue", "cb", training=None, test="train"))
    assert not refusals(task("xnli", "de"), task("facebook/xnli", "fr", training=None, test="train"))


def test_aliases_of_ones_own_join_the_shipped_ones():
    own, other = task("me/my_gsm", "main"), task("gsm8k", "main", training=None, test="train")
    assert not refusals(own, other)
    assert refusals(own, other, guard=GuardSection(aliases=[["me/my_gsm", "openai/gsm8k"]]))


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("data/a.csv", "./data/../data/a.csv"),
        ("hf://datasets/own/a/x.csv", "https://huggingface.co/datasets/own/a/resolve/main/x.csv"),
        ("hf://datasets/own/a@main/x.csv", "hf://datasets/own/a/x.csv"),
        (["b.csv", "data/a.csv"], "data/a.csv"),
    ],
)
def test_generic_builders_are_known_by_their_files(train, test):
    other = task("csv", training=None, test="test", files={"test": test})
    assert any(
        reason.startswith("evaluated_elsewhere") for reason in refusals(task("csv", files={"train": train}), other)
    )
    assert not refusals(task("csv", files={"train": "data/c.csv"}), other)


@pytest.mark.parametrize(
    "url",
    [
        "hf://datasets/Own/Contest/data/train-00000-of-00001.parquet",
        "hf://datasets/own/contest@main/problems_2024.parquet",
        "https://huggingface.co/datasets/own/contest/resolve/main/train.parquet",
        "hf://datasets/own/contest@~parquet/default/train/0000.parquet",
    ],
)
def test_a_file_of_the_hub_is_the_split_that_it_holds(url):
    contest = task("own/contest", training=None, test="train")
    own = task("parquet", files={"train": url})
    assert refusals(own, contest) == ["evaluated_elsewhere: train of parquet is the test_split of other0"]
    assert not refusals(own, task("own/contest", training=None, test="test"))
    assert not refusals(own, task("own/contest", "other", training=None, test="train", files={"train": "b.parquet"}))


def test_two_files_of_one_data_set_of_the_hub_may_be_seeds_and_test():
    hub = "hf://datasets/own/quiz"
    assert not refusals(task("csv", test="test", files={"train": f"{hub}/a.csv", "test": f"{hub}/b.csv"}))


def test_the_same_file_as_training_and_test_split_of_one_task():
    assert refusals(task("json", test="test", files={"train": "a.jsonl", "test": "a.jsonl"})) == [
        "own_evaluation_split: train is also the task's test_split"
    ]


def test_a_link_to_a_test_file_is_that_file(tmp_path):
    (tmp_path / "test_rows.jsonl").write_text("{}\n")
    (tmp_path / "rows.jsonl").symlink_to(tmp_path / "test_rows.jsonl")
    own = task("json", files={"train": str(tmp_path / "rows.jsonl")})
    assert [
        reason.partition(":")[0]
        for reason in refusals(own, task("json", test="test", files={"test": str(tmp_path / "test_rows.jsonl")}))
    ] == ["split_name", "evaluated_elsewhere"]


def test_files_of_one_dataset_tell_its_tasks_apart():
    own = task("own/sheets", files={"train": "a_train.csv"})
    assert not refusals(own, task("own/sheets", training=None, test="train", files={"train": "b.csv"}))
    assert refusals(own, task("own/sheets", training=None, test="train"))


def test_a_split_cut_from_an_evaluation_split():
    own = task("juletxara/xstory_cloze", "en")
    assert refusals(own, task("LSDSem/story_cloze", "2016", training=None, validation="validation"))[0].startswith(
        "evaluated_elsewhere"
    )
    assert not refusals(own)


def test_each_ring_can_be_switched_off():
    own = task("own/a", training="test", test="test")
    other = task("own/a", training=None, test="test")
    both = refusals(own, other)
    assert [reason.partition(":")[0] for reason in both] == [
        "own_evaluation_split",
        "split_name",
        "evaluated_elsewhere",
    ]
    assert [r.partition(":")[0] for r in refusals(own, other, guard=GuardSection(identity=False))] == [
        "own_evaluation_split",
        "split_name",
    ]
    assert [r.partition(":")[0] for r in refusals(own, guard=GuardSection(name=False))] == ["evaluated_elsewhere"]
    assert refusals(own, other, guard=GuardSection(name=False, identity=False)) == []


def test_restricted_data_is_refused_under_any_guard():
    assert refusals(task("dmacres/mimiciii-hospitalcourse-meta"), guard=GuardSection(name=False, identity=False))[
        0
    ].startswith("restricted")


def test_required_evaluation_splits_must_be_reachable():
    guard = GuardSection(require=["gpqa_*", "gsm8k"])
    require_reachable(guard, ["mmlu_anatomy"])
    with pytest.raises(
        ConfigError,
        match=r"guard\.require asks for the evaluation splits of gpqa_diamond, gpqa_main, which cannot be reached",
    ):
        require_reachable(guard, ["gpqa_main", "mmlu_anatomy", "gpqa_diamond"])


def test_a_required_group_means_its_tasks():
    row = CatalogRow(
        task="mmlu_anatomy",
        dataset={},
        kind="",
        frame="",
        family="",
        capability="",
        languages=[],
        license={},
        verdict="refused",
        groups=["mmlu"],
    )
    with pytest.raises(ConfigError, match="evaluation splits of mmlu_anatomy, which"):
        require_reachable(GuardSection(require=["mmlu"]), ["mmlu_anatomy"], [row])
