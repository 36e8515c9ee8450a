"""Mutation test of `check`: each mutant of a finished run is damaged in one way, with receipts, ledgers and manifest
adapted if another law would find the damage first, and the violated law must be named. A clean run is proved.
"""

import contextlib
import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from nemo_sdg.commands.check import laws, shards
from nemo_sdg.commands.check.findings import Verdict
from nemo_sdg.commands.check.laws import LAWS, UNFINISHED, check, prove
from nemo_sdg.commands.check.packed import compare
from nemo_sdg.commands.check.unfinished import NEEDED
from nemo_sdg.export.report import quality
from nemo_sdg.pipeline.order import STEPS
from nemo_sdg.pipeline.report import make_report
from nemo_sdg.storage import (
    compressed,
    content_size,
    open_content,
    read_json,
    read_jsonl,
    run_lock,
    sha256_file,
    stored_files,
    write_jsonl,
)
from tests.fakes.small_run import move

(WHOLE, FINISHED_STEPS, INPUTS, COUNTS, FOLLOW, HAVE_SEEDS, ROWS, SPLITS, EVALUATION, PACKED, BLEND, FINISHED) = (
    name for name, _ in LAWS
)
DATA = "configs/quickstart_tasks/data"


@pytest.fixture
def home(finished: Path, tmp_path: Path) -> Path:
    """A copy of the run and all its inputs, to be damaged."""
    return move(finished, tmp_path / "home")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even small files are read in several blocks, and packed shards compared in several batches."""
    monkeypatch.setattr(shards, "BLOCK", 1000)
    monkeypatch.setattr(compare, "BATCH", 3)


def verdicts(home: Path) -> dict[str, Verdict]:
    return {verdict.law: verdict for verdict in prove(home / "run")}


def write_records(path: Path, records: list[dict[str, Any]]) -> None:
    write_jsonl(path, records, compress=compressed(path).is_file())


def rewrite(home: Path, name: str, change: Callable[[list[dict[str, Any]]], Any]) -> None:
    """Changes the records of a file of the run, and seals it."""
    records = list(read_jsonl(home / "run" / name))
    change(records)
    write_records(home / "run" / name, records)
    seal(home)


def seal(home: Path) -> None:
    """Makes receipts, ledgers and manifest say what the files now are: as one would who damages a run on purpose."""
    run_dir = home / "run"
    paths = [path for path in run_dir.rglob("receipts/*.json") if not path.name.startswith(".")]
    for path in sorted(paths, key=lambda path: path.parts[-3] == "blend"):  # made from the other receipts
        receipt = read_json(path)
        for output, facts in receipt["outputs"].items():
            facts.update(sha256=sha256_file(run_dir / output), bytes=content_size(run_dir / output))
        receipt["inputs"] = {name: sha256_file(run_dir / name) for name in receipt["inputs"]}
        path.write_bytes(orjson.dumps(receipt))
    for path in run_dir.glob("*/ledger.json"):
        ledger = read_json(path)
        for name in ledger["receipts"]:
            subdir, _, shard = name.rpartition("/")
            ledger["receipts"][name] = sha256_file(path.parent / subdir / "receipts" / f"{shard}.json")
        path.write_bytes(orjson.dumps(ledger))
    manifest = read_json(run_dir / "manifest.json")
    for output, facts in manifest["files"].items():
        facts.update(sha256=sha256_file(run_dir / output), bytes=content_size(run_dir / output))
    (run_dir / "manifest.json").write_bytes(orjson.dumps(manifest))


def count(home: Path, name: str, change: Callable[[Any], Any]) -> None:
    """Changes a receipt, a ledger or another JSON file, and seals the run."""
    value = read_json(home / "run" / name)
    change(value)
    (home / "run" / name).write_bytes(orjson.dumps(value))
    seal(home)


def forget(home: Path, step: str, shard: str) -> None:
    """Removes a shard with its drops, and every trace of it in receipts, ledger and manifest."""
    run_dir = home / "run"
    gone = [f"{step}/{shard}.jsonl", f"{step}/dropped/{shard}.jsonl", f"{step}/traces/{shard}.jsonl"]
    for name in [*gone, f"{step}/receipts/{shard}.json"]:
        (run_dir / name).unlink(missing_ok=True)
        compressed(run_dir / name).unlink(missing_ok=True)
    for path in run_dir.rglob("receipts/*.json"):
        receipt = read_json(path)
        receipt["inputs"] = {name: value for name, value in receipt["inputs"].items() if name not in gone}
        path.write_bytes(orjson.dumps(receipt))
    ledger = read_json(run_dir / step / "ledger.json")
    ledger["receipts"].pop(shard)
    (run_dir / step / "ledger.json").write_bytes(orjson.dumps(ledger))
    manifest = read_json(run_dir / "manifest.json")
    manifest["files"] = {name: facts for name, facts in manifest["files"].items() if name not in gone}
    (run_dir / "manifest.json").write_bytes(orjson.dumps(manifest))
    seal(home)


def test_a_clean_run_is_proved(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {law: verdict.outcome for law, verdict in verdicts(home).items()} == {law: "proved" for law, _ in LAWS}
    assert check(home / "run") == 0
    assert "0 questions" not in capsys.readouterr().out


def test_a_process_beside_comes_to_the_same_verdicts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rewrite(home, "curated/shard-00000.jsonl", lambda records: records[0].update(question="Another question?"))
    alone = {law: list(verdict.lines()) for law, verdict in verdicts(home).items()}
    assert "VIOLATED" in alone[PACKED][0]
    monkeypatch.setattr(laws, "LARGE", 0)
    assert {law: list(verdict.lines()) for law, verdict in verdicts(home).items()} == alone


def test_sealing_breaks_nothing(home: Path) -> None:
    seal(home)
    assert all(verdict.outcome == "proved" for verdict in verdicts(home).values())


def test_a_moved_run_called_from_elsewhere_has_the_same_verdicts(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shown(run_dir: Path) -> list[str]:
        return [line for verdict in prove(run_dir) for line in verdict.lines() if verdict.law != BLEND]

    with contextlib.chdir(finished):
        here = shown(Path("run"))
    copied = Path(shutil.copytree(finished / "run", tmp_path / "far" / "away"))
    monkeypatch.chdir("/")
    assert shown(copied) == here
    rewrite_seeds = list(read_jsonl(copied / "seeds" / "shard-00000.jsonl"))
    rewrite_seeds[0].update(question=evaluation_row(finished)["question"], passage=None)
    write_records(copied / "seeds" / "shard-00000.jsonl", rewrite_seeds)
    assert any("holds a row of an evaluation split" in line for line in shown(copied))


def evaluation_row(home: Path, task: str = "qs_word_problems") -> dict[str, Any]:
    return max(read_jsonl(home / DATA / f"{task}_test.jsonl"), key=lambda row: len(row["question"]))


def training_row_of_its_own(home: Path) -> dict[str, Any]:
    return next(read_jsonl(home / DATA / "qs_word_problems_train.jsonl"))


# Mutants: a name, the law that is broken, words that name the damage, and the damage.

MUTANTS: dict[str, tuple[str, str, Callable[[Path], None]]] = {}


def mutant(law: str, words: str) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    def register(damage: Callable[[Path], None]) -> Callable[[Path], None]:
        MUTANTS[damage.__name__] = (law, words, damage)
        return damage

    return register


for lost_step, lost_words in (
    ("questions", "questions/shard-00001 is missing: seeds has it"),
    ("answers", "answers/shard-00001 is missing: questions has it"),
    ("verified", "verified/shard-00001 is missing: answers has it"),
    ("curated", "curated/shard-00001 is missing: verified has it"),
    ("seeds", "questions/shard-00001 comes from nothing in seeds"),
):

    def lose(home: Path, step: str = lost_step) -> None:
        forget(home, step, "shard-00001")

    MUTANTS[f"a shard of {lost_step} is lost"] = (FINISHED_STEPS, lost_words, lose)


@mutant(WHOLE, "answers/shard-00001.jsonl is missing")
def a_file_is_gone(home: Path) -> None:
    (home / "run/answers/shard-00001.jsonl.zst").unlink()


@mutant(WHOLE, "curated/shard-00000.jsonl has")
def a_shard_is_cut(home: Path) -> None:
    path = home / "run/curated/shard-00000.jsonl"
    path.write_bytes(path.read_bytes()[:-100])


@mutant(WHOLE, "verified/shard-00000.jsonl is not what was written: shard-00000.jsonl.zst is cut off")
def a_compressed_shard_is_cut(home: Path) -> None:
    path = home / "run/verified/shard-00000.jsonl.zst"
    path.write_bytes(path.read_bytes()[:-100])


@mutant(WHOLE, "verified/shard-00000.jsonl is not what was written: its SHA-256 differs")
def a_bit_of_a_compressed_shard_flips(home: Path) -> None:
    path = home / "run/verified/shard-00000.jsonl.zst"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@mutant(WHOLE, "verified/shard-00000.jsonl is there twice, plain and compressed")
def a_shard_stands_in_both_forms(home: Path) -> None:
    path = home / "run/verified/shard-00000.jsonl"
    with open_content(path) as content:
        path.write_bytes(content.read())


@mutant(WHOLE, "_text_document.bin is not what was written")
def a_bit_flips(home: Path) -> None:
    path = next((home / "run/packed").rglob("*.bin"))
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)


@mutant(WHOLE, "curated/shard-00099.jsonl has no receipt")
def a_shard_without_receipt(home: Path) -> None:
    (home / "run/curated/shard-00099.jsonl").write_bytes(b"")


@mutant(WHOLE, "is not a receipt")
def a_receipt_is_something_else(home: Path) -> None:
    (home / "run/verified/receipts/shard-00001.json").write_text('{"step": "verified"}')


@mutant(WHOLE, "was made from another answers/shard-00001.jsonl")
def a_shard_is_replaced_after_it_was_used(home: Path) -> None:
    path = home / "run/answers/receipts/shard-00001.json"
    shard = home / "run/answers/shard-00001.jsonl"
    write_records(shard, list(read_jsonl(shard))[:-1])
    receipt = read_json(path)
    facts = receipt["outputs"]["answers/shard-00001.jsonl"]
    facts.update(sha256=sha256_file(shard), bytes=content_size(shard))
    path.write_bytes(orjson.dumps(receipt))


@mutant(WHOLE, "seeds/evaluation/unreachable.json has 2 bytes")
def the_splits_that_were_not_read_are_emptied(home: Path) -> None:
    (home / "run/seeds/evaluation/unreachable.json").write_text("[]")


@mutant(WHOLE, "seeds/evaluation/unreachable.json is missing")
def the_splits_that_were_not_read_are_deleted(home: Path) -> None:
    (home / "run/seeds/evaluation/unreachable.json").unlink()


@mutant(WHOLE, "manifest.json is not a manifest")
def a_manifest_is_something_else(home: Path) -> None:
    (home / "run/manifest.json").write_text("{}")


@mutant(FINISHED_STEPS, "answers/receipts/shard-00001.json is of another run or configuration")
def a_receipt_of_another_run(home: Path) -> None:
    count(home, "answers/receipts/shard-00001.json", lambda receipt: receipt.update(fingerprint="0" * 32))


@mutant(FINISHED_STEPS, "verified/shard-00077 has a receipt, but is not in the ledger")
def a_shard_too_many(home: Path) -> None:
    for name in ("{}.jsonl.zst", "dropped/{}.jsonl.zst", "receipts/{}.json"):
        folder = home / "run/verified"
        shutil.copy(folder / name.format("shard-00001"), folder / name.format("shard-00077"))


@mutant(FINISHED_STEPS, "curated/filtered/shard-00000 is in the ledger, its receipt is missing")
def an_inner_receipt_is_lost(home: Path) -> None:
    (home / "run/curated/filtered/receipts/shard-00000.json").unlink()


@mutant(FINISHED_STEPS, "answers/ledger.json was changed")
def a_ledger_says_another_configuration(home: Path) -> None:
    count(home, "answers/ledger.json", lambda ledger: ledger["configuration"].update({"generate.votes": 5}))


@mutant(FINISHED_STEPS, "verified was made from another answers")
def a_step_of_another_answers(home: Path) -> None:
    count(home, "verified/ledger.json", lambda ledger: ledger.update(before={"answers": "0" * 32}))


@mutant(FINISHED_STEPS, "packed is not finished: it has no ledger.json")
def a_ledger_is_lost(home: Path) -> None:
    (home / "run/packed/ledger.json").unlink()


@mutant(FINISHED_STEPS, "seeds/ledger.json is not valid JSON")
def a_ledger_is_cut(home: Path) -> None:
    path = home / "run/seeds/ledger.json"
    path.write_bytes(path.read_bytes()[:-30])


@mutant(COUNTS, "answers/shard-00001, task")
def a_receipt_counts_one_more(home: Path) -> None:
    def change(receipt: dict[str, Any]) -> None:
        row = next(iter(receipt["counts"].values()))
        row["kept"], row["in"] = row["kept"] + 1, row["in"] + 1

    count(home, "answers/receipts/shard-00001.json", change)


@mutant(COUNTS, "in, but")
def a_receipt_does_not_add_up(home: Path) -> None:
    count(
        home,
        "seeds/receipts/shard-00000.json",
        lambda receipt: next(iter(receipt["counts"].values())).update({"in": 99}),
    )


@mutant(FOLLOW, "is not once in answers and once in verified or its drops")
def a_sample_vanishes(home: Path) -> None:
    rewrite(home, "verified/shard-00001.jsonl", lambda records: records.pop())


@mutant(FOLLOW, "is not once in verified and once in curated or its drops")
def a_sample_stands_twice(home: Path) -> None:
    rewrite(home, "curated/shard-00001.jsonl", lambda records: records.append(records[0]))


@mutant(FOLLOW, "records stand twice")
def a_seed_stands_twice(home: Path) -> None:
    first = next(read_jsonl(home / "run/seeds/shard-00000.jsonl"))
    rewrite(home, "seeds/shard-00001.jsonl", lambda records: records.append(first))


@mutant(FOLLOW, "the samples are not in the order of questions")
def a_shard_is_reordered(home: Path) -> None:
    rewrite(home, "answers/shard-00001.jsonl", lambda records: records.reverse())


@mutant(FOLLOW, "questions/shard-00001: the samples are not in the order of seeds")
def questions_are_reordered(home: Path) -> None:
    rewrite(home, "questions/shard-00001.jsonl", lambda records: records.reverse())


@mutant(FOLLOW, "is not once in questions and once in answers or its drops")
def two_shards_change_places(home: Path) -> None:
    one, other = (home / f"run/answers/shard-0000{number}.jsonl.zst" for number in (0, 1))
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)
    seal(home)


@mutant(FOLLOW, "has 0 attempts, 1 are asked for")
def a_seed_was_never_asked(home: Path) -> None:
    def change(records: list[dict[str, Any]]) -> None:
        records.remove(next(record for record in records if record["origin"] == "similar"))

    rewrite(home, "questions/shard-00001.jsonl", change)


@mutant(HAVE_SEEDS, "names a seed that does not exist")
def a_sample_of_no_seed(home: Path) -> None:
    rewrite(home, "curated/shard-00001.jsonl", lambda records: records[0].update(seed_ids=["f" * 32]))


@mutant(HAVE_SEEDS, "has language xx, its seed en")
def a_sample_left_its_language(home: Path) -> None:
    rewrite(home, "curated/shard-00001.jsonl", lambda records: records[0].update(language="xx"))


def of_kind(kind: str, change: Callable[[dict[str, Any]], Any]) -> Callable[[list[dict[str, Any]]], None]:
    """Changes the first record that is of a kind, or of an origin, or of a task."""

    def edit(records: list[dict[str, Any]]) -> None:
        change(next(record for record in records if kind in (record["kind"], record.get("origin"), record["task"])))

    return edit


NOT_AS_BEFORE = "is not as in"
for edited, edited_law, edited_words, edited_step, edited_kind, edit in (
    ("a setting of the axes", FOLLOW, NOT_AS_BEFORE, "answers", "similar", lambda r: r.update(axes={"setting": "x"})),
    ("a question", FOLLOW, NOT_AS_BEFORE, "answers", "similar", lambda r: r.update(question="Why?")),
    ("a passage", FOLLOW, NOT_AS_BEFORE, "verified", "qs_reading", lambda r: r.update(passage="No.")),
    ("an option", FOLLOW, NOT_AS_BEFORE, "answers", "multiple_choice", lambda r: r["choices"].append("x")),
    ("a gold answer", FOLLOW, NOT_AS_BEFORE, "answers", "seed", lambda r: r["answer"].update(text="x")),
    ("a writer", FOLLOW, NOT_AS_BEFORE, "answers", "similar", lambda r: r["generator"]["writer"].update(model="x")),
    ("a seed's licence", FOLLOW, NOT_AS_BEFORE, "answers", "seed", lambda r: r["license"].update(seeds=["x"])),
    ("an answer", FOLLOW, "that it names", "verified", "similar", lambda r: r["answer"].update(text="x")),
    ("a context", FOLLOW, "that it names", "verified", "similar", lambda r: r.update(context=r["context"] + " x")),
    ("a reasoning", FOLLOW, "that it names", "verified", "similar", lambda r: r.update(reasoning="x")),
    ("votes", FOLLOW, NOT_AS_BEFORE, "curated", "similar", lambda r: r["votes"].update(agree=9)),
    ("a grade", FOLLOW, NOT_AS_BEFORE, "curated", "similar", lambda r: r.update(grade={})),
    ("a field too many", FOLLOW, NOT_AS_BEFORE, "curated", "similar", lambda r: r.update(more=1)),
    ("a solver's licence", HAVE_SEEDS, "has models under", "curated", "seed", lambda r: r["license"].update(models=[])),
    ("a licence", HAVE_SEEDS, "which must be", "curated", "seed", lambda r: r["license"].update(effective="x")),
    ("an id", HAVE_SEEDS, "has not the id", "curated", "similar", lambda r: r.update(question="Why?")),
    ("a capability", HAVE_SEEDS, "has capability x", "curated", "seed", lambda r: r.update(capability="x")),
    (
        "a gold in all steps",
        HAVE_SEEDS,
        "asks something else",
        "curated",
        "seed",
        lambda r: r["answer"].update(text="x"),
    ),
    ("a seed's answer", ROWS, "has not the id", "seeds", "numeric", lambda r: r["answer"].update(text="x")),
    ("a seed's option", ROWS, "has not the id", "seeds", "multiple_choice", lambda r: r["choices"].append("x")),
    ("a seed's split", ROWS, "has not the id", "seeds", "numeric", lambda r: r["dataset"].update(split="x")),
):

    def edit_record(home: Path, step: str = edited_step, kind: str = edited_kind, edit: Any = edit) -> None:
        for path in stored_files(home / "run" / step, "shard-*.jsonl"):
            with contextlib.suppress(StopIteration):
                rewrite(home, str(path.relative_to(home / "run")), of_kind(kind, edit))
                return
        raise AssertionError(f"{step} has no record of {kind}")

    MUTANTS[f"{edited} of {edited_step} is edited"] = (edited_law, edited_words, edit_record)


def dropped_sample(home: Path) -> str:
    """A file of curated drops."""
    paths = stored_files(home / "run/curated/dropped", "shard-*.jsonl")
    return next(str(path.relative_to(home / "run")) for path in paths if list(read_jsonl(path)))


@mutant(FOLLOW, "is not as in verified")
def a_dropped_record_is_edited(home: Path) -> None:
    rewrite(home, dropped_sample(home), lambda drops: drops[0]["record"].update(context="Something else."))


@mutant(COUNTS, "says that it is one of verified")
def a_drop_of_another_step(home: Path) -> None:
    rewrite(home, dropped_sample(home), lambda drops: drops[0].update(step="verified"))


@mutant(SPLITS, "on which qs_science evaluates")
def seeds_of_a_test_file(home: Path) -> None:
    def change(records: list[dict[str, Any]]) -> None:
        records[0]["dataset"].update(path=f"{DATA}/qs_science_test.jsonl", split="test")

    rewrite(home, "seeds/shard-00001.jsonl", change)


@mutant(SPLITS, "took seeds from allenai/sciq/default/test, on which")
def seeds_of_a_test_split_of_the_hub(home: Path) -> None:
    def change(records: list[dict[str, Any]]) -> None:
        records[0]["dataset"].update(path="allenai/sciq", name=None, split="test")

    rewrite(home, "seeds/shard-00001.jsonl", change)


@mutant(SPLITS, "on which new_benchmark evaluates")
def a_task_evaluates_on_training_rows(home: Path) -> None:
    (home / "configs/quickstart_tasks/new.yaml").write_text(
        "task: new_benchmark\ndataset_path: json\ntest_split: test\n"
        "dataset_kwargs: {data_files: {test: data/qs_word_problems_train.jsonl}}\n"
    )


@mutant(EVALUATION, "holds a row of an evaluation split")
def an_evaluation_row_is_a_seed(home: Path) -> None:
    question = evaluation_row(home)["question"]
    rewrite(home, "seeds/shard-00000.jsonl", lambda records: records[0].update(question=question, passage=None))


@mutant(ROWS, "is not row")
def a_short_evaluation_row_is_a_seed(home: Path) -> None:
    rewrite(home, "seeds/shard-00000.jsonl", lambda records: records[0].update(question="Do whales sing lullabies?"))


@mutant(EVALUATION, "holds a row of an evaluation split")
def a_short_evaluation_row_with_its_options_is_a_seed(home: Path) -> None:
    row = next(read_jsonl(home / DATA / "qs_science_test.jsonl"))
    question, options = "  «" + row["question"].upper().rstrip("?") + " ?!»", row["choices"]["text"]
    given = {"question": question, "choices": options, "passage": None}
    rewrite(home, "seeds/shard-00000.jsonl", lambda records: records[0].update(given))


@mutant(EVALUATION, "holds a row of an evaluation split")
def a_short_evaluation_row_with_its_passage_is_a_seed(home: Path) -> None:
    row = next(read_jsonl(home / DATA / "qs_reading_test.jsonl"))
    given = {name: row[name] for name in ("question", "passage")}
    rewrite(home, "seeds/shard-00000.jsonl", lambda records: records[0].update(given))


@mutant(EVALUATION, "curated/shard-00001")
def an_evaluation_row_is_a_sample(home: Path) -> None:
    question = evaluation_row(home)["question"].upper()
    rewrite(home, "curated/shard-00001.jsonl", lambda records: records[0].update(question=question, passage=None))


PLANTED = "In the harbour of the old town lie twelve red boats and nine green ones; how many boats lie there in all?"


def plant_elsewhere(home: Path, files: str, write: Callable[[Path], None]) -> None:
    """A benchmark of the user's in another format and under other names of fields, a row of which is a sample."""
    folder = home / "configs/quickstart_tasks/other"
    folder.mkdir()
    write(folder)
    builder = "csv" if ".csv" in files else "parquet" if ".parquet" in files else "json"
    (folder / "own.yaml").write_text(
        f"task: own_benchmark\ndataset_path: {builder}\ntest_split: test\n"
        f"dataset_kwargs: {{data_files: {files}}}\ndoc_to_text: '{{{{prompt}}}}'\n"
    )
    rewrite(home, "curated/shard-00001.jsonl", lambda records: records[0].update(question=PLANTED, passage=None))


@mutant(EVALUATION, "curated/shard-00001")
def a_row_in_a_bare_file(home: Path) -> None:
    row = {"prompt": {"text": PLANTED}, "label": 21}
    plant_elsewhere(home, "{test: test.jsonl}", lambda folder: write_records(folder / "test.jsonl", [row]))


@mutant(EVALUATION, "curated/shard-00001")
def a_row_in_a_list_of_files(home: Path) -> None:
    def write(folder: Path) -> None:
        write_records(folder / "a.jsonl", [{"prompt": "nothing"}])
        write_records(folder / "b.jsonl", [{"prompt": PLANTED}])

    plant_elsewhere(home, "{test: [a.jsonl, b.jsonl]}", write)


@mutant(EVALUATION, "curated/shard-00001")
def a_row_in_a_json_array(home: Path) -> None:
    rows = [{"prompt": PLANTED}]
    plant_elsewhere(home, "{test: rows.json}", lambda folder: (folder / "rows.json").write_bytes(orjson.dumps(rows)))  # type: ignore[arg-type, return-value]


@mutant(EVALUATION, "curated/shard-00001")
def a_row_in_a_compressed_file(home: Path) -> None:
    def write(folder: Path) -> None:
        with gzip.open(folder / "rows.jsonl.gz", "wb") as handle:
            handle.write(orjson.dumps({"prompt": PLANTED}))

    plant_elsewhere(home, "{test: rows.jsonl.gz}", write)


@mutant(EVALUATION, "curated/shard-00001")
def a_row_in_parquet(home: Path) -> None:
    def write(folder: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as parquet

        parquet.write_table(pa.table({"prompt": [PLANTED]}), folder / "rows.parquet")

    plant_elsewhere(home, "{test: rows.parquet}", write)


@mutant(EVALUATION, "curated/shard-00001")
def a_row_in_csv(home: Path) -> None:
    plant_elsewhere(home, "{test: rows.csv}", lambda folder: (folder / "rows.csv").write_text(f'prompt\n"{PLANTED}"\n'))  # type: ignore[arg-type, return-value]


def packed_text(home: Path) -> Path:
    return next(path for path in sorted((home / "run/packed/context").rglob("*.text.parquet")) if "math" in path.parts)


@mutant(PACKED, "is not that of the curated sample")
def an_evaluation_row_is_in_a_packed_text(home: Path) -> None:
    import pyarrow.parquet as parquet

    table = parquet.read_table(packed_text(home))
    texts = table["text"].to_pylist()
    texts[0] = f"{texts[0]}\n\n{evaluation_row(home)['question']}"
    index = table.schema.get_field_index("text")
    parquet.write_table(table.set_column(index, "text", [texts]), packed_text(home))
    seal(home)


@mutant(PACKED, "the tokens of document 0 are not those of its text")
def other_tokens_are_in_the_bin(home: Path) -> None:
    path = packed_text(home)
    path = path.with_name(path.name.replace(".text.parquet", "_text_document.bin"))
    data = bytearray(path.read_bytes())
    data[0:4], data[4:8] = data[4:8], data[0:4]
    path.write_bytes(data)
    seal(home)


@mutant(PACKED, "hold other samples")
def packed_documents_are_reordered(home: Path) -> None:
    import pyarrow.parquet as parquet

    for text in sorted((home / "run/packed/context").rglob("*.text.parquet")):
        docs = text.with_name(text.name.replace(".text.", ".docs."))
        if len(set(parquet.read_table(docs)["num_tokens"].to_pylist())) > 1:
            for path in (text, docs):
                table = parquet.read_table(path)
                parquet.write_table(table.take(list(reversed(range(table.num_rows)))), path)
            break
    seal(home)


for column, column_file in (("license", "text"), ("models_used", "text"), ("task", "docs"), ("seed_ids", "docs")):

    def edit_column(home: Path, column: str = column, file: str = column_file) -> None:
        import pyarrow as pa
        import pyarrow.parquet as parquet

        path = packed_text(home).with_name(packed_text(home).name.replace(".text.", f".{file}."))
        table = parquet.read_table(path)
        rows = table.to_pylist()
        rows[-1][column] = ["0" * 32] if column == "seed_ids" else "x"
        parquet.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
        seal(home)

    MUTANTS[f"{column} of a packed document is edited"] = (PACKED, f".{column_file}.parquet: the columns", edit_column)


@mutant(PACKED, "does not say where the documents of its lengths begin")
def an_index_points_elsewhere(home: Path) -> None:
    path = next((home / "run/packed").rglob("*.idx"))
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(data)
    seal(home)


@mutant(WHOLE, "answers/traces/shard-00099.jsonl has no receipt")
def thinking_of_a_shard_too_many(home: Path) -> None:
    write_jsonl(home / "run/answers/traces/shard-00099.jsonl", [{}], compress=True)


@mutant(WHOLE, "shard-00099_text_document.bin has no receipt")
def a_packed_shard_too_many(home: Path) -> None:
    path = next((home / "run/packed/context").rglob("*.bin"))
    shutil.copy(path, path.with_name("shard-00099_text_document.bin"))


@mutant(PACKED, "is cut off")
def an_index_is_cut(home: Path) -> None:
    path = next((home / "run/packed").rglob("*.idx"))
    path.write_bytes(path.read_bytes()[:36])
    seal(home)


@mutant(PACKED, "leaves out")
def a_packed_shard_is_lost(home: Path) -> None:
    name = next(iter(sorted((home / "run/packed/receipts").glob("*-train-*.json")))).stem
    outputs = read_json(home / f"run/packed/receipts/{name}.json")["outputs"]
    (home / f"run/packed/receipts/{name}.json").unlink()
    for output in outputs:
        (home / "run" / output).unlink()
    for path in ("packed/ledger.json", "manifest.json"):
        value = read_json(home / "run" / path)
        value.get("receipts", {}).pop(name, None)
        for output in outputs:
            value.get("files", {}).pop(output, None)
        (home / "run" / path).write_bytes(orjson.dumps(value))
    blend = home / "run/blend/receipts/blend.json"
    value = read_json(blend)
    value["inputs"].pop(f"packed/receipts/{name}.json")
    blend.write_bytes(orjson.dumps(value))
    seal(home)


@mutant(PACKED, "stand in train and in valid")
def a_seed_is_in_train_and_valid(home: Path) -> None:
    import pyarrow.parquet as parquet

    valid = next((home / "run/packed/context").glob("*/valid/*.docs.parquet"))
    train = next((home / "run/packed/context").glob("*/train/*.docs.parquet"))
    table = parquet.read_table(valid)
    seeds = [parquet.read_table(train)["seed_ids"].to_pylist()[0], *table["seed_ids"].to_pylist()[1:]]
    parquet.write_table(table.set_column(table.schema.get_field_index("seed_ids"), "seed_ids", [seeds]), valid)
    seal(home)


@mutant(BLEND, "which is not planned")
def the_blend_names_another_corpus(home: Path) -> None:
    count(home, "blend/context.blend.json", lambda blend: blend["train"].__setitem__(1, "/elsewhere/corpus"))


@mutant(BLEND, "do not sum to 1")
def the_blend_weighs_otherwise(home: Path) -> None:
    count(home, "blend/context.blend.json", lambda blend: blend["train"].__setitem__(0, "0.9"))


@mutant(BLEND, "weighs packed/")
def the_blend_swaps_two_weights(home: Path) -> None:
    def swap(blend: dict[str, Any]) -> None:
        train = blend["train"]
        place = next(place for place in range(2, len(train), 2) if train[place] != train[0])
        train[0], train[place] = train[place], train[0]

    count(home, "blend/context.blend.json", swap)


@mutant(BLEND, "context.nemo.json is not what context.blend.json says")
def nemo_trains_on_another_corpus(home: Path) -> None:
    count(home, "blend/context.nemo.json", lambda blend: blend["train"].__setitem__(1, "/elsewhere/corpus"))


@mutant(BLEND, "context.data_args.txt is not what context.blend.json says")
def megatron_trains_on_another_corpus(home: Path) -> None:
    path = home / "run/blend/context.data_args.txt"
    path.write_text(path.read_text().replace("context/", "no_context/"))


@mutant(BLEND, "context.data_args.txt is not what context.blend.json says")
def megatron_has_nothing_to_train_on(home: Path) -> None:
    (home / "run/blend/context.data_args.txt").unlink()


@mutant(WHOLE, "answers/shard-00001.jsonl is missing")
def a_pipe_in_place_of_a_shard(home: Path) -> None:
    path = home / "run/answers/shard-00001.jsonl.zst"
    path.unlink()
    os.mkfifo(path)


@mutant(WHOLE, "must be a file, and is a folder")
def a_manifest_is_a_folder(home: Path) -> None:
    (home / "run/manifest.json").unlink()
    (home / "run/manifest.json").mkdir()


@mutant(BLEND, "context.data_blend.json is not what mixture.json says")
def nemotron_prepares_other_texts(home: Path) -> None:
    count(home, "blend/context.data_blend.json", lambda blend: blend["datasets"][0].update(path="/elsewhere/texts"))


@mutant(BLEND, "no_context.data_blend.json is not what mixture.json says")
def nemotron_weighs_texts_otherwise(home: Path) -> None:
    count(home, "blend/no_context.data_blend.json", lambda blend: blend["datasets"][-1].update(weight=0.9))


@mutant(BLEND, "its epochs ask for")
def the_mixture_weighs_otherwise(home: Path) -> None:
    weights: list[float] = []

    def plan(mixture: dict[str, Any]) -> None:
        rows = mixture["variants"]["context"]["train"]
        rows[0]["weight"], rows[-1]["weight"] = rows[0]["weight"] / 2, rows[-1]["weight"] + rows[0]["weight"] / 2
        weights.extend(row["weight"] for row in rows)

    count(home, "blend/mixture.json", plan)
    count(
        home, "blend/context.blend.json", lambda blend: blend["train"].__setitem__(slice(0, None, 2), map(str, weights))
    )


@mutant(BLEND, "has no weight for")
def a_corpus_is_left_out_of_the_blend(home: Path) -> None:
    def change(mixture: dict[str, Any]) -> None:
        mixture["variants"]["context"]["train"].pop()

    count(home, "blend/mixture.json", change)


@mutant(INPUTS, "tasks/qs_science.yaml of catalog has changed since")
def a_task_file_is_edited(home: Path) -> None:
    path = home / "configs/quickstart_tasks/qs_science.yaml"
    path.write_text(path.read_text().replace("Apache-2.0", "CC-BY-NC-4.0"))


@mutant(INPUTS, "qs_science_train.jsonl of seeds has changed since")
def a_training_row_is_edited(home: Path) -> None:
    path = home / DATA / "qs_science_train.jsonl"
    path.write_bytes(path.read_bytes().replace(b"a", b"e", 1))


@mutant(INPUTS, "templates/solve/numeric.jinja of answers has changed since")
def a_template_is_edited(home: Path) -> None:
    path = home / "prompts/solve/numeric.jinja"
    path.write_text(path.read_text() + " ")


@mutant(INPUTS, "of curated has changed since")
def a_filter_is_edited(home: Path) -> None:
    (home / "small_run_filter.py").write_text("def no_marker(sample):\n    return None\n")


@mutant(INPUTS, "evaluation_extra/0/own.jsonl of curated has changed since")
def own_evaluation_rows_are_edited(home: Path) -> None:
    (home / "extra/own.jsonl").write_text('{"question": "Something else that must not be there at all?"}\n')


@mutant(INPUTS, "packed/tokenizer is another tokenizer")
def another_tokenizer(home: Path) -> None:
    path = home / "run/packed/tokenizer/tokenizer.json"
    value = read_json(path)
    value["model"]["merges"] = value["model"]["merges"][:-1]
    path.write_bytes(orjson.dumps(value))


@mutant(FINISHED, "manifest.json speaks of another answers")
def a_manifest_of_another_run(home: Path) -> None:
    count(home, "manifest.json", lambda manifest: manifest["steps"]["answers"].update(identity="0" * 32))


@mutant(FINISHED, "another list of unreachable evaluation splits than seeds/evaluation/unreachable.json")
def the_splits_that_were_not_read_are_emptied_and_sealed(home: Path) -> None:
    count(home, "seeds/evaluation/unreachable.json", list.clear)


@mutant(FINISHED, "another list of unreachable evaluation splits than seeds/evaluation/unreachable.json")
def a_split_that_was_not_read_is_left_out_of_an_older_run(home: Path) -> None:
    path, lists = (
        home / "run/seeds/receipts/shard-00003.json",
        ("seeds/evaluation/unreachable.json", "seeds/unread.json"),
    )
    for name in (path, home / "run/manifest.json"):
        value = read_json(name)
        for output in lists:
            assert value.get("outputs", value.get("files")).pop(output)
        name.write_bytes(orjson.dumps(value))
    count(home, "seeds/evaluation/unreachable.json", list.pop)


@mutant(FINISHED, "another list of unread sources than seeds/ledger.json")
def a_manifest_tells_of_an_unread_source_too_many(home: Path) -> None:
    count(home, "manifest.json", lambda manifest: manifest["unread"].append({"source": "x", "why": "y"}))


@mutant(FINISHED, "has other counts of curated than its receipts")
def a_manifest_counts_one_more(home: Path) -> None:
    def change(manifest: dict[str, Any]) -> None:
        next(iter(manifest["steps"]["curated"]["counts"].values()))["kept"] += 1

    count(home, "manifest.json", change)


@mutant(FINISHED, "does not name curated/shard-00001.jsonl")
def a_manifest_leaves_out_a_file(home: Path) -> None:
    count(home, "manifest.json", lambda manifest: manifest["files"].pop("curated/shard-00001.jsonl"))


@mutant(FINISHED, "config.yaml has another generate.votes: 3 -> 4 than answers")
def the_configuration_is_edited(home: Path) -> None:
    path = home / "run/config.yaml"
    path.write_text(path.read_text().replace("votes: 3", "votes: 4"))


@mutant(FINISHED, "config.yaml has another roles.solver[0].context_length")
def the_engine_of_the_configuration_is_edited(home: Path) -> None:
    path = home / "run/config.yaml"
    path.write_text(path.read_text().replace("context_length: ", "context_length: 1"))


@mutant(FINISHED, "config.yaml has another model of the writer: fake -> better than questions")
def the_model_of_the_configuration_is_edited(home: Path) -> None:
    path = home / "run/config.yaml"
    path.write_text(path.read_text().replace("model: fake", "model: better"))


@pytest.mark.parametrize("name", MUTANTS)
def test_each_mutant_is_caught_and_named(home: Path, name: str) -> None:
    law, words, damage = MUTANTS[name]
    damage(home)
    (found,) = prove(home / "run", law)
    assert found.outcome == "VIOLATED"
    assert any(words in line for line in found.violations), found.violations


def test_the_docs_say_how_many_kinds_of_damage_there_are(root: Path) -> None:
    assert f"by {len(MUTANTS)} kinds of damage" in (root / "docs" / "guarantees.md").read_text()


@pytest.fixture
def unseen(home: Path) -> Callable[[str], list[str]]:
    def of(law: str) -> list[str]:
        (verdict,) = prove(home / "run", law)
        return verdict.unseen if verdict.outcome == "not seen" else []

    return of


def test_what_cannot_be_seen_is_named_and_not_proved(home: Path, unseen: Callable[[str], list[str]]) -> None:
    test_file, train_file = (home / DATA / f"qs_word_problems_{split}.jsonl" for split in ("test", "train"))
    test_file.write_bytes(test_file.read_bytes()[:-20])
    assert any("qs_word_problems_test.jsonl" in line and "cut off" in line for line in unseen(EVALUATION))
    test_file.unlink()
    assert any("qs_word_problems_test.jsonl" in line and "no longer there" in line for line in unseen(EVALUATION))
    train_file.rename(home / "gone.jsonl")
    assert any("qs_word_problems_train.jsonl" in line for line in unseen(ROWS))


def test_a_file_that_may_not_be_read_is_no_violation(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(shards, "open_content", refuse)
    with pytest.raises(PermissionError):
        prove(home / "run")


def test_a_lost_card_is_written_again_to_the_same_bytes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NUM_READ", "NUM_COMPARED"):  # the models take half a second for each text
        monkeypatch.setattr(quality, name, 2)
    (home / "run/report/README.md").unlink()
    assert "report/README.md is missing" in prove(home / "run", WHOLE)[0].violations
    make_report(home / "run")
    assert prove(home / "run", WHOLE)[0].outcome == "proved"


def interrupt(home: Path, step: str) -> None:
    """Leaves the run as a kill does in a step, one of whose shards is finished and another written."""
    run_dir = home / "run"
    (run_dir / "manifest.json").unlink()
    names = [name for name in STEPS if (run_dir / name).is_dir()]
    for later in names[names.index(step) + 1 :]:
        shutil.rmtree(run_dir / later)
    (run_dir / step / "ledger.json").unlink()
    shards = sorted((run_dir / step / "receipts").iterdir())
    for receipt in shards[1:]:
        receipt.unlink()
    for receipt in shards[2:]:
        for folder in ("", "dropped/", "traces/"):
            for path in run_dir.glob(f"{step}/{folder}{receipt.stem}.jsonl*"):
                path.unlink()


@pytest.mark.parametrize("step", ["seeds", "answers", "curated"])
def test_an_interrupted_run_is_not_finished_and_violates_nothing(
    home: Path, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    interrupt(home, step)
    found = verdicts(home)
    assert {verdict.outcome for verdict in found.values()} <= {"proved", "not yet"}
    assert found[FINISHED_STEPS].unfinished[0].startswith(f"{step} is not finished: 1")
    assert "packed, blend" in found[FINISHED_STEPS].unfinished[1]
    assert found[FINISHED].outcome == found[PACKED].outcome == "not yet"
    assert found[ROWS].outcome == ("not yet" if step == "seeds" else "proved")
    assert check(home / "run") == UNFINISHED
    assert "is not finished; what is there violates no law" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"\xff", b"seeds: 3\n", b"- seeds\n", b""])
def test_a_run_without_manifest_and_with_a_damaged_configuration_is_not_finished(home: Path, content: bytes) -> None:
    (home / "run/manifest.json").unlink()
    (home / "run/config.yaml").write_bytes(content)
    assert verdicts(home)[FINISHED].outcome == "not yet"


def test_what_laws_wait_for_is_known_by_their_names() -> None:
    assert set(NEEDED) < {law for law, _ in LAWS}
    assert {step for steps in NEEDED.values() for step in steps} <= set(STEPS)


def test_damage_to_an_unfinished_run_is_damage(home: Path) -> None:
    interrupt(home, "answers")
    (path,) = (home / "run/answers").glob("shard-00000.jsonl*")
    path.write_bytes(b"")
    seeds = home / "run/seeds/shard-00001.jsonl"
    seeds.write_bytes(seeds.read_bytes().replace(b"a", b"b", 1))
    lines = verdicts(home)[WHOLE].violations
    assert any("answers/shard-00000.jsonl" in line for line in lines)
    assert any("seeds/shard-00001.jsonl" in line for line in lines)
    assert check(home / "run") == 1


def test_a_step_that_is_redone_is_not_finished(home: Path) -> None:
    run_dir = home / "run"
    (run_dir / "manifest.json").unlink()
    (run_dir / "config.yaml").write_text((run_dir / "config.yaml").read_text().replace("votes: 3", "votes: 4"))
    (path,) = (run_dir / "answers").glob("shard-00000.jsonl*")
    path.write_bytes(b"")  # replaced, and its receipt is not yet
    found = verdicts(home)
    assert not any(verdict.violations for verdict in found.values())
    assert "answers, verified, curated, packed, blend to be redone" in found[FINISHED_STEPS].unfinished[0]


def test_a_run_at_work_is_not_damaged(home: Path) -> None:
    run_dir = home / "run"
    for receipt in (run_dir / "seeds/receipts").glob("*.json"):  # as where sources that could not be read are read
        receipt.unlink()
    assert check(run_dir) == 1
    with run_lock(run_dir, (0, 1), [], notify=print):
        found = verdicts(home)
        assert not any(verdict.violations for verdict in found.values())
        assert any(f"at work: pid {os.getpid()} on " in line for line in found[FINISHED_STEPS].unfinished)
        assert check(run_dir) == UNFINISHED
