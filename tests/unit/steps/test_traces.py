"""The traces of a shard: one file whose bytes depend only on the traces."""

import pytest

from nemo_sdg.errors import DataError
from nemo_sdg.generate.scheduling.work import Trace
from nemo_sdg.steps.traces import read_traces, traces_path, write_traces
from nemo_sdg.storage import StepDir, file_facts


def trace(number):
    return Trace(
        record_id=f"{number:032x}",
        tag=f"vote{number}",
        completion_tokens=40,
        thinking_tokens=30,
        text=f"So {number}. 思考",
    )


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "traces" / "shard-00000.jsonl.gz"
    facts = write_traces(path, map(trace, range(3)))
    assert list(read_traces(path)) == [trace(0), trace(1), trace(2)]
    assert facts == file_facts(path, rows=3)


def test_the_bytes_depend_on_the_traces_alone(tmp_path):
    paths = [tmp_path / name / "shard-00000.jsonl.gz" for name in ("a", "b")]
    for path in paths:
        write_traces(path, map(trace, range(3)))
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_shard_without_traces_has_no_file(tmp_path):
    path = tmp_path / "shard-00000.jsonl.gz"
    path.write_bytes(b"of an earlier configuration")
    assert write_traces(path, iter([])) is None
    assert not path.exists()
    assert list(read_traces(path)) == []


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "shard-00000.jsonl.gz"
    write_traces(path, map(trace, range(3)))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"shard-00000\.jsonl\.gz is damaged"):
        list(read_traces(path))


def test_a_lost_file_of_traces_makes_its_shard_unfinished(tmp_path):
    step = StepDir(run_dir=tmp_path, step="answers", fingerprint="f")
    path = traces_path(step, "shard-00000")
    facts = write_traces(path, map(trace, range(3)))
    with step.open_shard("shard-00000") as writer:
        writer.beside[step.relative(path)] = facts
    assert step.problem("shard-00000") is None
    path.unlink()
    assert "traces/shard-00000.jsonl.gz is missing" in step.problem("shard-00000")
