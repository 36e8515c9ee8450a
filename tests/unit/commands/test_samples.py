"""`nemo-sdg sample`, `cat` and `diff` on a small run."""

import gzip
from pathlib import Path

import orjson
import pytest
import yaml

from nemo_sdg.commands.look.damage import naming_damage
from nemo_sdg.commands.look.diff import diff
from nemo_sdg.commands.look.samples import cat, reservoir, sample
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.records import Drop
from nemo_sdg.storage import Counts, StepDir, compress_file


def make_run(run: Path, *, num: int, votes: int = 4, question: str = "Question {}?") -> Path:
    (run / "catalog").mkdir(parents=True)
    (run / "config.yaml").write_text(yaml.safe_dump({"generate": {"votes": votes}}))
    counts = Counts()
    counts.keep("sciq", num)
    counts.drop("sciq", "prompt_leak")
    rows = [
        {"sample_id": f"{n:04d}", "task": "sciq", "kind": "multiple_choice", "question": question.format(n),
         "choices": ["x", "y"], "answer": {"text": "y"}, "context": "Some words " * 40, "reasoning": "One.\nTwo."}
        for n in range(num)
    ]  # fmt: skip
    drop = Drop(task="sciq", id="9", step="curated", reason="prompt_leak", detail="`you are`", record=rows[0])
    StepDir(run_dir=run, step="curated", fingerprint="f").write_shard("shard-00000", rows, [drop], counts)
    return run


def test_samples_are_readable_and_the_same_each_time(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", num=20)
    lines = list(sample(run, num=2))
    assert lines == list(sample(run, num=2))
    assert sum(line.startswith("question: ") for line in lines) == 2
    assert "    * y" in lines
    assert "reasoning: One." in lines
    assert all(len(line) <= 100 for line in lines)
    assert lines != list(sample(run, num=2, seed=1))


def test_drops_show_their_reason(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", num=3)
    assert "dropped: curated, prompt_leak: `you are`" in list(sample(run, reason="prompt_leak"))
    with pytest.raises(ConfigError, match="with reason nothing_such"):
        list(sample(run, reason="nothing_such"))
    with pytest.raises(ConfigError, match="of task other"):
        list(sample(run, task="other"))
    with pytest.raises(DataError, match="there is no folder"):
        list(sample(tmp_path / "none"))
    with pytest.raises(DataError, match=f"holds one: give {run}"):
        list(sample(tmp_path))


def test_every_item_of_a_stream_has_the_same_chance() -> None:
    picked = [reservoir(iter([{"n": n} for n in range(10)]), 2, seed) for seed in range(3000)]
    shares = [sum({"n": n} in pair for pair in picked) / 3000 for n in range(10)]
    assert all(abs(share - 0.2) < 0.035 for share in shares)


def test_cat_takes_a_shard_without_its_ending(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", num=3)
    whole = (run / "curated" / "shard-00000.jsonl").read_bytes()
    assert b"".join(cat(run / "curated" / "shard-00000")) == whole
    with pytest.raises(ConfigError, match="is not a file of a run"):
        list(cat(run / "curated" / "shard-00007"))


def test_cat_prints_what_is_compressed_and_all_journals_of_a_shard(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", num=3)
    whole = (run / "curated" / "shard-00000.jsonl").read_bytes()
    compress_file(run / "curated" / "shard-00000.jsonl")
    for name in ("shard-00000", "shard-00000.jsonl", "shard-00000.jsonl.zst"):
        assert b"".join(cat(run / "curated" / name)) == whole
    assert sum(line.startswith("question: ") for line in sample(run, num=2)) == 2
    assert "dropped: curated, prompt_leak: `you are`" in list(sample(run, reason="prompt_leak"))
    journal = run / "answers" / "journal"
    journal.mkdir(parents=True)
    for number in range(3):
        (journal / f"shard-00000.{number:04d}.jsonl").write_bytes(b"%d\n" % number)
    compress_file(journal / "shard-00000.0001.jsonl")
    assert b"".join(cat(journal / "shard-00000")) == b"0\n1\n2\n"
    (journal / "earlier.jsonl.gz").write_bytes(gzip.compress(b"thought\n"))
    assert list(cat(journal / "earlier")) == [b"thought\n"]
    (journal / "earlier.jsonl.gz").write_bytes(gzip.compress(b"thought\n")[:-4])
    with pytest.raises(DataError, match=r"earlier\.jsonl\.gz is cut off or damaged"):
        list(cat(journal / "earlier"))


def test_diff_names_what_changed(tmp_path: Path) -> None:
    one, other = make_run(tmp_path / "a", num=4), make_run(tmp_path / "b", num=6, votes=8)
    text = "\n".join(diff(one, other))
    assert "generate.votes: 4 -> 8" in text
    assert "+50.0%" in text
    with pytest.raises(DataError, match="is not a run directory"):
        list(diff(one, tmp_path))


@pytest.mark.parametrize(
    ("file", "what"), [("receipts/shard-00000.json", "counts is missing"), ("shard-00000.jsonl", "3 bytes")]
)
def test_a_file_that_was_edited_is_named_in_one_line(tmp_path: Path, file: str, what: str) -> None:
    one, other = make_run(tmp_path / "a", num=4), make_run(tmp_path / "b", num=4)
    with pytest.raises(KeyError, match="a fault of the program"), naming_damage(one, other):
        raise KeyError("a fault of the program")
    with pytest.raises(ConfigError, match="has no record of task x"), naming_damage(other):
        list(sample(other, task="x"))
    (other / "curated" / file).write_bytes(b"{}\n")
    with pytest.raises(DataError, match=f"b[:/].*{what}"), naming_damage(one, other):
        list(diff(one, other))
        raise KeyError("sample_id")  # as where a record lacks its fields


def test_runs_of_one_name_are_told_apart(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / part / "run", num=3) for part in ("plain", "strict")]
    assert next(diff(*runs)).split() == ["plain/run", "->", "strict/run"]
    with pytest.raises(DataError, match="are the same folder"):
        list(diff(runs[0], runs[0]))


def test_a_terminal_is_not_steered_by_what_a_model_wrote(tmp_path: Path) -> None:
    hostile = "\x1b]0;owned\x07 \x9b2J\u202e"
    run = make_run(tmp_path / "a", num=1, question=hostile)
    assert not set("\x1b\x07\x9b\u202e") & set("".join(sample(run)))
    shard = run / "curated" / "shard-00000"
    assert b"".join(cat(shard)) == shard.with_suffix(".jsonl").read_bytes()
    shown = b"".join(cat(shard, for_terminal=True))
    assert not set("\x1b\x07\x9b\u202e") & set(shown.decode())
    assert orjson.loads(shown)["question"] == hostile


def test_a_task_that_the_last_step_does_not_have_is_not_denied_of_the_others(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", num=3)
    counts = Counts()
    counts.keep("arc", 1)
    StepDir(run_dir=run, step="verified", fingerprint="f").write_shard("shard-00000", [{"task": "arc"}], [], counts)
    with pytest.raises(ConfigError, match="no record of task arc in curated; see --dropped, or an earlier step"):
        list(sample(run, task="arc"))
    with pytest.raises(ConfigError, match=r"--step must be one of seeds, questions.*got cureated"):
        list(sample(run, step="cureated"))


def test_a_packed_file_is_not_printed(tmp_path: Path) -> None:
    (tmp_path / "shard-00000.docs.parquet").write_bytes(b"PAR1")
    with pytest.raises(ConfigError, match="not lines of text; `nemo-sdg trace`"):
        list(cat(tmp_path / "shard-00000.docs.parquet"))
