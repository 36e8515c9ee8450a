"""`check` on runs in which an evaluation row stands as a seed or sample: found without the guard's help."""

import itertools
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from nemo_sdg.commands.check.evaluation import MIN_LETTERS, check_guard, evaluated_splits, num_letters, offences
from nemo_sdg.commands.check.laws import Violation

GSM8K, JAPANESE, BOOLQ = "openai/gsm8k/main", "Rakuten/JGLUE/JCommonsenseQA", "aps/super_glue/boolq"


def rows(hub: Path, dataset: str, split: str, num: int) -> list[dict[str, Any]]:
    with open(hub / dataset / f"{split}.jsonl", "rb") as handle:
        return [orjson.loads(line) for line in itertools.islice(handle, num)]


def record(task: str, dataset: str, row: dict[str, Any]) -> dict[str, Any]:
    path, _, name = dataset.rpartition("/")
    place = {"path": path, "name": name, "split": "train", "revision": "local", "row": 0}
    return {
        "task": task,
        "dataset": place,
        "question": row["question"],
        "passage": row.get("passage"),
        "answer": {"text": "7"},
    }


def run_with(tmp_path: Path, hub: Path, dataset: str, **records: list[dict[str, Any]]) -> Path:
    """The files of a run that the guard's check reads, on a mirror that holds one dataset, linked from the hub."""
    mirror = tmp_path / "mirror"
    (mirror / dataset).parent.mkdir(parents=True)
    (mirror / dataset).symlink_to(hub / dataset)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"seeds": {"mirror": str(mirror), "include_path": []}}))
    for step in ("seeds", "curated"):
        (tmp_path / step / "receipts").mkdir(parents=True)
        (tmp_path / step / "receipts" / "shard-00000.json").write_text("{}")
        (tmp_path / step / "shard-00000.jsonl").write_bytes(
            b"".join(orjson.dumps(r) + b"\n" for r in records.get(step, []))
        )
    return tmp_path


@pytest.mark.parametrize(
    ("step", "task", "dataset", "split"),
    [
        ("seeds", "gsm8k", GSM8K, "test"),
        ("curated", "gsm8k", GSM8K, "test"),
        ("seeds", "ja_leaderboard_jcommonsenseqa", JAPANESE, "validation"),
        ("seeds", "boolq", BOOLQ, "validation"),
    ],
)
def test_an_evaluation_row_among_honest_ones_is_named(
    hub: Path, tmp_path: Path, step: str, task: str, dataset: str, split: str
) -> None:
    honest = [record(task, dataset, row) for row in rows(hub, dataset, "train", 50)]
    planted = record(
        task, dataset, [row for row in rows(hub, dataset, split, 200) if num_letters(row["question"]) >= MIN_LETTERS][5]
    )
    run = run_with(tmp_path, hub, dataset, **{"seeds": honest, step: [*honest, planted]})
    with pytest.raises(Violation, match=f"{step}/shard-00000: {task} holds a row"):
        check_guard(run)


def test_honest_rows_hold(hub: Path, tmp_path: Path) -> None:
    honest = [record("gsm8k", GSM8K, row) for row in rows(hub, GSM8K, "train", 1000)]
    assert check_guard(run_with(tmp_path, hub, GSM8K, seeds=honest)).startswith("1 dataset splits, ")


def test_the_same_question_on_another_passage_is_honest(hub: Path, tmp_path: Path) -> None:
    row = next(row for row in rows(hub, BOOLQ, "validation", 200) if num_letters(row["question"]) >= MIN_LETTERS)
    check_guard(run_with(tmp_path, hub, BOOLQ, seeds=[record("boolq", BOOLQ, row | {"passage": "Another text."})]))


def test_splits_are_found_in_the_yaml_files_whatever_their_names() -> None:
    evaluated = evaluated_splits({"gsm8k", "masakhanews", "super_glue", "csv"}, [])
    assert ("gsm8k", "main", "test") in evaluated
    assert ("masakhanews", "hau", "test") in evaluated, "its base file has no suffix"
    assert ("super_glue", "boolq", "validation") in evaluated
    used = {("GSM8K", "main", "test"): "mine", ("openai/gsm8k", "main", "train"): "gsm8k"}
    (offence,) = offences(used, evaluated)
    assert offence.startswith("task mine took seeds from GSM8K/main/test, on which ")
