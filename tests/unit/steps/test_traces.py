"""The traces of a shard: one file whose bytes depend only on the traces."""

import gzip

import pytest

from nemo_sdg.errors import DataError
from nemo_sdg.generate.scheduling.work import Trace
from nemo_sdg.steps.traces import kept_tag, make_attacher, read_traces, traces_path, write_traces
from nemo_sdg.storage import StepDir, compressed, file_facts, open_content


def trace(number):
    return Trace(
        record_id=f"{number:032x}",
        tag=f"vote{number}",
        completion_tokens=40,
        thinking_tokens=30,
        text=f"So {number}. 思考",
    )


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "traces" / "shard-00000.jsonl"
    facts = write_traces(path, map(trace, range(3)))
    assert list(read_traces(path)) == [trace(0), trace(1), trace(2)]
    assert facts == file_facts(path, rows=3)
    assert [file.name for file in path.parent.iterdir()] == ["shard-00000.jsonl.zst"]


def test_traces_of_an_earlier_version_are_read_and_go_when_the_shard_is_written_again(tmp_path):
    path = tmp_path / "shard-00000.jsonl"
    write_traces(path, map(trace, range(3)))
    earlier, now = tmp_path / "shard-00000.jsonl.gz", compressed(path)
    with open_content(path) as content, gzip.open(earlier, "wb") as packed:
        packed.write(content.read())
    now.unlink()
    assert list(read_traces(path)) == [trace(0), trace(1), trace(2)]
    write_traces(path, map(trace, range(2)))
    assert list(read_traces(path)) == [trace(0), trace(1)]
    assert list(tmp_path.iterdir()) == [now]


def test_the_bytes_depend_on_the_traces_alone(tmp_path):
    paths = [tmp_path / name / "shard-00000.jsonl" for name in ("a", "b")]
    for path in paths:
        write_traces(path, map(trace, range(3)))
    assert compressed(paths[0]).read_bytes() == compressed(paths[1]).read_bytes()


def test_a_shard_without_traces_has_no_file(tmp_path):
    path = tmp_path / "shard-00000.jsonl"
    for ending in ("", ".gz", ".zst"):
        path.with_name(path.name + ending).write_bytes(b"of an earlier configuration")
    assert write_traces(path, iter([])) is None
    assert list(tmp_path.iterdir()) == []
    assert list(read_traces(path)) == []


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "shard-00000.jsonl"
    write_traces(path, map(trace, range(3)))
    compressed(path).write_bytes(compressed(path).read_bytes()[:-9])
    with pytest.raises(DataError, match=r"shard-00000\.jsonl\.zst is cut off or damaged"):
        list(read_traces(path))


def test_a_lost_file_of_traces_makes_its_shard_unfinished(tmp_path):
    step = StepDir(run_dir=tmp_path, step="answers", fingerprint="f")
    path = traces_path(step, "shard-00000")
    facts = write_traces(path, map(trace, range(3)))
    with step.open_shard("shard-00000") as writer:
        writer.beside[step.relative(path)] = facts
    assert step.problem("shard-00000") is None
    compressed(path).unlink()
    assert "traces/shard-00000.jsonl is missing" in step.problem("shard-00000")


THOUGHT = "Three shirts go with each of five trousers, so there are fifteen outfits in all, as a table shows."


def solution_trace(sample_id, tag, text):
    return Trace(record_id=sample_id, tag=tag, completion_tokens=9, thinking_tokens=5, text=text)


def test_the_trace_of_the_kept_solution_is_cleaned_and_no_other_is_taken(tmp_path):
    answers = StepDir(run_dir=tmp_path, step="answers", fingerprint="f")
    traces = [
        solution_trace("a", "vote0", "Another thought."),
        solution_trace("a", "vote2", f"The user wants JSON. {THOUGHT}"),
        solution_trace("b", "guided0", "The user wants JSON."),
    ]
    write_traces(traces_path(answers, "shard-00000"), iter(traces))
    records = [
        {"sample_id": "a", "language": "en", "verification": {"detail": "solution blind2"}, "trace": None},
        {"sample_id": "b", "language": "en", "verification": {"detail": "solution guided0"}, "trace": None},
        {"sample_id": "c", "language": "en", "verification": {"detail": "solution blind0"}, "trace": None},
    ]
    attach = make_attacher(answers, 4000)
    assert [record["trace"] for record in attach("shard-00000", records)] == [THOUGHT, None, None]
    assert attach("shard-00001", records) == records, "a shard without traces stays as it is"


def test_a_sample_says_which_completion_it_came_from():
    assert kept_tag({"verification": {"detail": "solution blind3"}}) == "vote3"
    assert kept_tag({"verification": {"detail": "solution guided1"}}) == "guided1"
