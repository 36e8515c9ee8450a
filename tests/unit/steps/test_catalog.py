"""The files of a task that the step `catalog` hashes."""

from pathlib import Path

from nemo_sdg.steps.catalog import files_of_task


def test_functions_in_subfolders_and_what_they_import_belong_to_a_task(tmp_path: Path) -> None:
    (tmp_path / "code" / "deep").mkdir(parents=True)
    (tmp_path / "task.yaml").write_text(
        "task: t\ndoc_to_text: !function code.text.render\nprocess_docs: !function utils.prepare\n"
    )
    (tmp_path / "utils.py").write_text("from code.deep import numbers\n")
    (tmp_path / "code" / "text.py").write_text("from .words import a\n")
    for name in ("words.py", "deep/numbers.py", "other.py"):
        (tmp_path / "code" / name).touch()
    found = files_of_task(tmp_path / "task.yaml", installed=Path("/nowhere"))
    assert [str(path.relative_to(tmp_path)) for path in found] == [
        "code/deep/numbers.py",
        "code/text.py",
        "code/words.py",
        "task.yaml",
        "utils.py",
    ]
    own = files_of_task(tmp_path / "task.yaml", installed=tmp_path)
    assert {path.name for path in own} == {"text.py", "task.yaml", "utils.py"}
