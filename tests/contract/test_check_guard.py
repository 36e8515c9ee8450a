"""`check` finds evaluation rows among the seeds and samples of a run, without the guard."""

import itertools
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from nemo_sdg.commands.check.evaluated import evaluated_splits
from nemo_sdg.commands.check.evaluation import MIN_LETTERS, no_evaluation_row_is_repeated, num_letters, offences
from nemo_sdg.commands.check.findings import UNREACHABLE, CheckedRun, Verdict
from nemo_sdg.storage import StepDir, file_facts, write_json

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


def run_with(tmp_path: Path, hub: Path, dataset: str, **records: list[dict[str, Any]]) -> CheckedRun:
    """The files of a run that the guard's laws read, on a mirror that holds one dataset, linked from the hub."""
    mirror = tmp_path / "mirror"
    (mirror / dataset).parent.mkdir(parents=True)
    (mirror / dataset).symlink_to(hub / dataset)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"seeds": {"mirror": str(mirror), "include_path": []}}))
    write_json(tmp_path / UNREACHABLE, [])
    for step in ("seeds", "curated"):
        with StepDir(run_dir=tmp_path, step=step, fingerprint="f").open_shard("shard-00000") as shard:
            for row in records.get(step, []):
                shard.keep(row["task"], row)
            shard.beside = {UNREACHABLE: file_facts(tmp_path / UNREACHABLE)} if step == "seeds" else {}
    return CheckedRun(tmp_path, ["seeds", "curated"])


def repeats(run: CheckedRun) -> Verdict:
    verdict = Verdict(law="evaluation rows")
    no_evaluation_row_is_repeated(run, verdict)
    return verdict


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
    assert any(f"{step}/shard-00000: {task} holds a row" in line for line in repeats(run).violations)


def test_honest_rows_hold(hub: Path, tmp_path: Path) -> None:
    honest = [record("gsm8k", GSM8K, row) for row in rows(hub, GSM8K, "train", 1000)]
    verdict = repeats(run_with(tmp_path, hub, GSM8K, seeds=honest))
    assert verdict.outcome == "proved"
    assert int(verdict.detail.split()[3].replace(",", "")) > 1000


def test_the_same_question_on_another_passage_is_honest(hub: Path, tmp_path: Path) -> None:
    row = next(row for row in rows(hub, BOOLQ, "validation", 200) if num_letters(row["question"]) >= MIN_LETTERS)
    run = run_with(tmp_path, hub, BOOLQ, seeds=[record("boolq", BOOLQ, row | {"passage": "Another text."})])
    assert repeats(run).outcome == "proved"


def test_splits_are_found_in_the_yaml_files_whatever_their_names() -> None:
    evaluated = evaluated_splits({"gsm8k", "masakhanews", "super_glue", "csv"}, [])
    assert ("gsm8k", "main", "test") in evaluated.splits
    assert ("masakhanews", "hau", "test") in evaluated.splits, "its base file has no suffix"
    assert ("super_glue", "boolq", "validation") in evaluated.splits
    used = {("GSM8K", "main", "test"): "mine", ("openai/gsm8k", "main", "train"): "gsm8k"}
    (offence,) = offences(used, evaluated)
    assert offence.startswith("task mine took seeds from GSM8K/main/test, on which ")


def test_a_task_file_that_cannot_be_loaded_is_named_and_hides_no_other(tmp_path: Path) -> None:
    named = "dataset_path: json\ndataset_kwargs: {data_files: {test: t.jsonl}}\ntest_split: test\n"
    (tmp_path / "t.jsonl").write_text("{}\n")
    (tmp_path / "whole.yaml").write_text(f"task: whole\n{named}")
    (tmp_path / "tab.yaml").write_text(f"task: broken\n{named}\tx: 1\n")
    (tmp_path / "gone.yaml").write_text(f"task: gone\ninclude: nowhere.yaml\n{named}")
    evaluated = evaluated_splits({"json"}, [str(tmp_path)])
    assert {Path(path).name for path in evaluated.unread} == {"tab.yaml", "gone.yaml"}
    assert "\n" not in "".join(evaluated.unread.values())
    assert evaluated.files[str(tmp_path / "t.jsonl")] == "whole"
