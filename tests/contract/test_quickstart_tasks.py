"""lm-eval loads and renders the project's tasks, with the right answers."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "configs" / "quickstart_tasks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Any:
    import datasets
    from lm_eval.tasks import TaskManager

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path_factory.mktemp("datasets")))
        loaded = TaskManager(include_path=str(FOLDER), include_defaults=False).load(NAMES)["tasks"]
        yield {name: loaded[name] for name in NAMES}


def rows(task: Any) -> list[dict[str, Any]]:
    return [*task.training_docs(), *task.test_docs()]


def about(task: Any) -> dict[str, str]:
    return task.config.metadata["nemo_sdg"]


def test_set_is_as_wide_as_promised(tasks: dict[str, Any]) -> None:
    facts = [about(task) for task in tasks.values()]
    assert len(tasks) >= 10
    assert sum(len(task.training_docs()) for task in tasks.values()) >= 130
    assert sum(len(task.test_docs()) for task in tasks.values()) >= 60
    assert {fact["kind"] for fact in facts} == {"multiple_choice", "numeric", "short_text", "free_text", "code"}
    assert len({fact["family"] for fact in facts}) >= 6
    assert {fact["language"] for fact in facts} == {"en", "de", "es"}
    assert {fact["license"] for fact in facts} == {"Apache-2.0"}


@pytest.mark.parametrize("name", NAMES)
def test_every_row_renders(tasks: dict[str, Any], name: str) -> None:
    task = tasks[name]
    for doc in rows(task):
        text, target = task.doc_to_text(doc), task.doc_to_target(doc)
        assert text
        assert "{{" not in text
        if task.OUTPUT_TYPE == "multiple_choice":
            choices = task.doc_to_choice(doc)
            assert len(set(choices)) == len(choices) >= 2
            assert all(isinstance(choice, str) and choice for choice in choices)
            assert isinstance(target, int)
            assert 0 <= target < len(choices)
        else:
            assert target
            assert all(
                isinstance(answer, str) and answer for answer in (target if isinstance(target, list) else [target])
            )


@pytest.mark.parametrize("name", NAMES)
def test_train_and_test_share_no_question(tasks: dict[str, Any], name: str) -> None:
    texts = Counter(" ".join(tasks[name].doc_to_text(doc).lower().split()) for doc in rows(tasks[name]))
    assert max(texts.values()) == 1


def test_gold_positions_are_balanced(tasks: dict[str, Any]) -> None:
    for name, task in tasks.items():
        if task.OUTPUT_TYPE == "multiple_choice":
            counts = Counter(task.doc_to_target(doc) for doc in task.training_docs())
            assert max(counts.values()) - min(counts.values()) <= 1, (name, counts)


def test_answers_of_reading_stand_in_the_passage(tasks: dict[str, Any]) -> None:
    for doc in rows(tasks["qs_reading"]):
        words = [word for word in doc["answer"].lower().split() if word not in {"a", "an", "the", "with"}]
        assert all(word in doc["passage"].lower() for word in words), doc


def test_numeric_answers_are_numbers_and_solutions_end_in_them(tasks: dict[str, Any]) -> None:
    assert all(doc["answer"].isdigit() for doc in rows(tasks["qs_arithmetic"]))
    for doc in rows(tasks["qs_word_problems"]):
        solution, _, answer = doc["answer"].partition("\n#### ")
        assert answer.isdigit(), doc
        assert answer in solution.split("=")[-1], doc


def test_code_passes_its_own_tests_and_wrong_code_does_not(tasks: dict[str, Any]) -> None:
    docs = rows(tasks["qs_code"])
    for doc in docs:
        assert len(doc["test_list"]) >= 3
        assert all(line.startswith("assert ") for line in doc["test_list"])
        program = "\n".join([doc["code"], *doc["test_list"]])
        assert subprocess.run([sys.executable, "-I", "-c", program], check=False).returncode == 0, doc
    score = tasks["qs_code"].process_results
    assert score(docs[0], [docs[0]["code"]]) == {"pass_at_1": 1.0}
    assert score(docs[0], [docs[1]["code"]]) == {"pass_at_1": 0.0}
