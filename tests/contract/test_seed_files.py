"""seeds.files in the whole catalog: local files and a dataset that is read without its lm-eval task, with the same
guard.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.config import load_config
from nemo_sdg.pipeline.run import run
from nemo_sdg.storage import read_jsonl

SCIQ = "question: question, answer: correct_answer, choices: [distractor1, distractor2, distractor3, correct_answer]"


@pytest.fixture(scope="module")
def run_dir(hub: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The seeds of one run with three sources: two files, and sciq's rows by their columns."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "quiz.csv").write_text(
        "stem,key,a,b\nWhich gas do plants take in?,B,Oxygen,Carbon dioxide\nWhich organ pumps blood?,A,Heart,Liver\n"
    )
    (folder / "quiz_test.csv").write_text("stem,key,a,b\nWhich organ pumps blood?,A,Heart,Liver\n")
    rows: list[dict[str, Any]] = [{"q": "What is 2 + 3?", "r": "5"}, {"q": "What is 7 * 6?", "r": "42"}]
    (folder / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = folder / "c.yaml"
    config.write_text(f"""
run: {{dir: {folder}/run}}
seeds:
  mirror: {hub}
  limit_per_task: 20
  files:
    quiz: {{data: {folder}/quiz.csv, test: {folder}/quiz_test.csv, question: stem, answer: key, choices: [a, b],
            labels: letter}}
    sums: {{data: {folder}/sums.jsonl, question: q, answer: r, kind: numeric, family: math, capability: reasoning}}
    science: {{data: allenai/sciq, {SCIQ}, family: science, license: CC-BY-NC-3.0}}
    forbidden: {{data: allenai/sciq, {SCIQ}, split: test}}
guard: {{against: [own]}}
""")
    return run(load_config(config), until="seeds")


def seeds_of(run_dir: Path, task: str) -> list[dict[str, Any]]:
    return [seed for seed in read_jsonl(run_dir / "seeds" / "shard-00000.jsonl") if seed["task"] == task]


def test_columns_become_seeds(run_dir: Path) -> None:
    (quiz,) = seeds_of(run_dir, "quiz")
    assert (quiz["question"], quiz["choices"]) == ("Which gas do plants take in?", ["Oxygen", "Carbon dioxide"])
    assert (quiz["answer"]["text"], quiz["answer"]["label"], quiz["kind"]) == ("Carbon dioxide", "B", "multiple_choice")
    sums = seeds_of(run_dir, "sums")
    assert [(seed["question"], seed["answer"]["text"]) for seed in sums] == [
        ("What is 2 + 3?", "5"),
        ("What is 7 * 6?", "42"),
    ]
    assert {seed["kind"] for seed in sums} == {"numeric"}


def test_a_row_of_ones_own_test_file_is_no_seed(run_dir: Path) -> None:
    drops = list(read_jsonl(run_dir / "seeds" / "dropped" / "shard-00000.jsonl"))
    assert [(drop["task"], drop["reason"]) for drop in drops if drop["task"] == "quiz"] == [
        ("quiz", "in_evaluation_split")
    ]


def test_a_data_set_is_read_without_its_task(run_dir: Path) -> None:
    science = seeds_of(run_dir, "science")
    assert 10 <= len(science) <= 20  # those in an evaluation split are dropped
    assert all(seed["answer"]["text"] in seed["choices"] and len(seed["choices"]) == 4 for seed in science)
    assert {(seed["dataset"]["path"], seed["dataset"]["split"]) for seed in science} == {("allenai/sciq", "train")}


def test_a_split_that_lm_eval_evaluates_on_is_refused_under_any_name(run_dir: Path) -> None:
    assert seeds_of(run_dir, "forbidden") == []
    (refused,) = read_jsonl(run_dir / "catalog" / "refused.jsonl")
    assert refused["task"] == "forbidden"
    assert refused["verdict"] == "refused"
    assert "test" in " ".join(refused["reasons"]), refused["reasons"]
