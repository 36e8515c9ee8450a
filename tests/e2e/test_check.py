"""Each law that `check` proves, broken alone: files are changed and their receipts made to fit, so that no other law
sees it first.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from nemo_sdg.commands.check import laws as check
from nemo_sdg.pipeline.report import make_report
from nemo_sdg.storage import read_json, read_jsonl, sha256_file


@pytest.fixture
def run_dir(undisturbed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(undisturbed, tmp_path / "run"))


def rewrite(run_dir: Path, name: str, change: Callable[[list[dict[str, Any]]], Any]) -> None:
    """Changes the records of a file in place, then makes every receipt and the manifest say what the files now are."""
    records = list(read_jsonl(run_dir / name))
    change(records)
    (run_dir / name).write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
    seal(run_dir)


def seal(run_dir: Path) -> None:
    for path, receipt in sorted(
        check.receipts(run_dir), key=lambda found: found[0].parts[-3] == "blend"
    ):  # made from the other receipts
        for output, facts in receipt["outputs"].items():
            facts.update(sha256=sha256_file(run_dir / output), bytes=(run_dir / output).stat().st_size)
        receipt["inputs"] = {source: sha256_file(run_dir / source) for source in receipt["inputs"]}
        path.write_bytes(orjson.dumps(receipt))
    manifest = read_json(run_dir / "manifest.json")
    for output, facts in manifest["files"].items():
        facts.update(sha256=sha256_file(run_dir / output), bytes=(run_dir / output).stat().st_size)
    (run_dir / "manifest.json").write_bytes(orjson.dumps(manifest))


def receipt_of(run_dir: Path, step: str) -> tuple[Path, dict[str, Any]]:
    path = run_dir / step / "receipts" / "shard-00001.json"
    return path, read_json(path)


def test_an_untouched_copy_holds_and_a_sealed_one_too(run_dir: Path) -> None:
    assert check.check(run_dir) == 0
    seal(run_dir)
    check.files_are_whole(run_dir)


def test_one_changed_byte_of_any_file_is_found(run_dir: Path) -> None:
    for name in ("seeds/shard-00000.jsonl", "answers/dropped/shard-00001.jsonl", "report/README.md"):
        path = run_dir / name
        before = path.read_bytes()
        path.write_bytes(before + b"\n")
        with pytest.raises(check.Violation, match=name.rsplit("/", 1)[-1]):
            check.files_are_whole(run_dir)
        path.write_bytes(before)
    packed = next((run_dir / "packed").rglob("*.bin"))
    data = bytearray(packed.read_bytes())
    data[0] ^= 1
    packed.write_bytes(data)
    with pytest.raises(check.Violation, match="SHA-256"):
        check.files_are_whole(run_dir)


def test_a_shard_without_receipt_is_found(run_dir: Path) -> None:
    (run_dir / "verified" / "shard-00099.jsonl").write_bytes(b"")
    with pytest.raises(check.Violation, match="has no receipt"):
        check.files_are_whole(run_dir)


def test_a_receipt_that_counts_otherwise_is_found(run_dir: Path) -> None:
    path, receipt = receipt_of(run_dir, "answers")
    row = next(iter(receipt["counts"].values()))
    row["kept"], row["in"] = row["kept"] + 1, row["in"] + 1
    path.write_bytes(orjson.dumps(receipt))
    with pytest.raises(check.Violation, match="not those of the files"):
        check.nothing_vanishes(run_dir)


def test_a_sample_that_vanishes_between_two_steps_is_found(run_dir: Path) -> None:
    lost: list[str] = []
    rewrite(run_dir, "verified/shard-00001.jsonl", lambda records: lost.append(records.pop()["sample_id"]))
    with pytest.raises(check.Violation, match=lost[0]):
        check.steps_follow(run_dir)


def test_a_sample_that_stands_twice_is_found(run_dir: Path) -> None:
    rewrite(run_dir, "curated/shard-00001.jsonl", lambda records: records.append(records[0]))
    with pytest.raises(check.Violation):
        check.steps_follow(run_dir)
    with pytest.raises(check.Violation):
        check.packed_is_complete(run_dir)


def test_a_sample_of_a_seed_that_does_not_exist_is_found(run_dir: Path) -> None:
    rewrite(run_dir, "curated/shard-00001.jsonl", lambda records: records[0].update(seed_ids=["f" * 32]))
    with pytest.raises(check.Violation, match="does not exist"):
        check.samples_have_seeds(run_dir)


def test_a_sample_that_left_its_seeds_task_is_found(run_dir: Path) -> None:
    rewrite(run_dir, "curated/shard-00001.jsonl", lambda records: records[0].update(language="xx"))
    with pytest.raises(check.Violation, match="language"):
        check.samples_have_seeds(run_dir)


def test_a_seed_out_of_an_evaluation_split_is_found(run_dir: Path) -> None:
    def move(records: list[dict[str, Any]]) -> None:
        records[0]["dataset"].update(path="allenai/sciq", name=None, split="test")

    rewrite(run_dir, "seeds/shard-00001.jsonl", move)
    with pytest.raises(check.Violation, match=r"on which .* evaluates"):
        check.no_evaluation_rows(run_dir)


def test_an_evaluation_row_among_the_samples_is_found(
    root: Path, run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    (row, *_) = read_jsonl(root / "configs" / "quickstart_tasks" / "data" / "qs_word_problems_test.jsonl")
    answer = row["answer"]
    rewrite(
        run_dir,
        "curated/shard-00001.jsonl",
        lambda records: records[0].update(question=row["question"].upper(), answer={"text": answer, "label": None}),
    )
    with pytest.raises(check.Violation, match="holds a row of an evaluation split"):
        check.no_evaluation_rows(run_dir)


def test_packed_samples_in_another_order_are_found(run_dir: Path) -> None:
    import pyarrow.parquet as parquet

    path = next(
        path
        for path in sorted((run_dir / "packed" / "context").rglob("*.docs.parquet"))
        if len(set(parquet.read_table(path)["num_tokens"].to_pylist())) > 1
    )
    table = parquet.read_table(path)
    parquet.write_table(table.take(list(reversed(range(table.num_rows)))), path)
    with pytest.raises(check.Violation, match=r"disagree on the lengths|same order"):
        check.packed_is_complete(run_dir)


def test_a_lost_card_is_written_again_to_the_same_bytes(run_dir: Path) -> None:
    (run_dir / "report" / "README.md").unlink()
    with pytest.raises(check.Violation, match=r"README\.md is missing"):
        check.files_are_whole(run_dir)
    make_report(run_dir)
    check.files_are_whole(run_dir)


def test_a_run_without_manifest_is_not_finished(run_dir: Path) -> None:
    (run_dir / "manifest.json").unlink()
    with pytest.raises(check.Violation, match="not finished"):
        check.is_finished(run_dir)
