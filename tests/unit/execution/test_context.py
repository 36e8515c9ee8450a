"""The files of a run that a step finds."""

from pathlib import Path

import pytest

from nemo_sdg.config import RunConfig
from nemo_sdg.execution import context as contexts
from nemo_sdg.execution.context import Context
from nemo_sdg.execution.progress import Progress
from nemo_sdg.storage import Counts, shards


def test_a_file_that_two_steps_know_is_read_once_in_a_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def start() -> Context:
        return Context(config=RunConfig(), run_dir=tmp_path, steps=["verified", "curated"], progress=Progress(None))

    made = start()
    for step, inputs in (("verified", []), ("curated", [made.step_dir("verified").shard_path("shard-00000")])):
        made.step_dir(step).write_shard("shard-00000", [], [], Counts(), inputs=inputs)
    read: list[Path] = []
    whole = shards.sha256_file
    monkeypatch.setattr(shards, "sha256_file", lambda path: read.append(path) or whole(path))
    for context in (start(), start()):
        verified, curated = context.step_dir("verified"), context.step_dir("curated")
        path = verified.shard_path("shard-00000")
        assert verified.problem("shard-00000", inputs=[]) is None
        assert curated.problem("shard-00000", inputs=[path]) is None
        assert read.count(path) == 1, "the next start reads it again"
        read.clear()
    path.write_bytes(b"{}\n")
    assert "bytes" in str(verified.problem("shard-00000"))
    assert "other inputs" in str(curated.problem("shard-00000", inputs=[path]))


@pytest.mark.parametrize(("workers", "records", "started"), [(2, 1_000, 1), (2, 900, 0), (1, 100_000, 0)])
def test_the_server_is_started_where_processes_will_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int, records: int, started: int
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(contexts, "start_server", asked.append)
    config = RunConfig()
    config.run.workers = workers
    context = Context(config=config, run_dir=tmp_path, steps=["verified"], progress=Progress(None))
    context.expect_processes(8, records, preload="wave")
    assert asked == ["wave"] * started
