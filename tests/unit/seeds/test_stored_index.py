"""The stored index of evaluation rows, with files of killed processes and with concurrent processes."""

from pathlib import Path

from nemo_sdg.records import DatasetRow, EvaluationRow
from nemo_sdg.seeds.content.guard import ContentGuard
from nemo_sdg.seeds.content.index import META
from nemo_sdg.seeds.evaluation_rows.stored_index import stored_index
from nemo_sdg.storage import write_jsonl


def rows_file(folder: Path) -> Path:
    row = DatasetRow(path="own/quiz", name=None, split="test", revision="local", row=0)
    evaluation = EvaluationRow(task="quiz", dataset=row, kind="short_text", question="What gas do plants take in?")
    write_jsonl(folder / "rows.jsonl", [evaluation])
    return folder / "rows.jsonl"


def test_what_is_left_of_a_removal_that_was_cut_short_is_built_again(tmp_path: Path) -> None:
    rows = rows_file(tmp_path)
    folder = stored_index([rows], tmp_path)
    (folder / META).unlink()
    assert stored_index([rows], tmp_path) == folder
    assert ContentGuard.open(folder).num_rows == 1
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_an_entry_that_another_process_removes_meanwhile_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / ".gone").symlink_to(tmp_path / "nowhere")
    assert ContentGuard.open(stored_index([rows_file(tmp_path)], tmp_path)).num_rows == 1
