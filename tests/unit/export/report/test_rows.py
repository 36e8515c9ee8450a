"""Rows of a run's files: what can be read of them is shown, whatever they were left as."""

from pathlib import Path

import orjson

from nemo_sdg.export.report import write_report
from nemo_sdg.export.report.rows import Unreadable, fetch, read_drops
from nemo_sdg.records import Drop, json_line, to_dict
from nemo_sdg.storage import compress_file, compressed
from tests.fakes.synthetic_run import write_run


def test_what_is_left_of_a_compressed_file_that_was_cut_off_is_shown(tmp_path: Path) -> None:
    run_dir = write_run(tmp_path / "run", 50)
    path = next((run_dir / "curated" / "dropped").glob("*.jsonl"))
    lines = path.read_bytes().splitlines()
    compress_file(path)
    compressed(path).write_bytes(compressed(path).read_bytes()[:-1])
    unreadable = Unreadable()
    places = [place for place, *_ in read_drops([path], unreadable)]
    assert len(places) == len(lines) > 1
    assert [record["id"] for _, record in fetch(places, unreadable)] == [orjson.loads(line)["id"] for line in lines]
    assert b"1 lines of curated/dropped/shard-00000.jsonl could not be read" in write_report(run_dir).read_bytes()


def test_drops_are_read_by_their_head_or_in_full(tmp_path: Path) -> None:
    drops = [
        Drop(task='a"b', id="1", step="curated", reason="odd", detail="d"),
        Drop(task="a", id="2", step="curated", reason="even", record={"task": "x"}),
    ]
    path = tmp_path / "drops.jsonl"
    path.write_bytes(b"".join(json_line(to_dict(drop)) for drop in drops))
    assert [found[1:] for found in read_drops([path], Unreadable())] == [('a"b', "1", "odd"), ("a", "2", "even")]
