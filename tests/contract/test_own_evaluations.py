"""lm-eval's index of tasks for evaluations of one's own: lm-eval's 14,000 files are read only where they are wanted."""

from pathlib import Path

import pytest

from nemo_sdg.train.evaluate import task_manager


@pytest.mark.parametrize(
    ("names", "theirs_too"),
    [(("mine",), False), (("my_tag",), False), (("mine", "theirs"), True), (("mine_and_theirs",), True)],
)
def test_tasks_of_lm_eval_are_read_where_a_name_needs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], theirs_too: bool
) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    for folder, files in {
        mine: {"mine": "task: mine\ntag: my_tag", "group": "group: mine_and_theirs\ntask: [mine, theirs]"},
        theirs: {"theirs": "task: theirs"},
    }.items():
        folder.mkdir()
        for name, text in files.items():
            (folder / f"{name}.yaml").write_text(f"{text}\n")
    monkeypatch.setattr("lm_eval.tasks.manager.__file__", str(theirs / "manager.py"))  # lm-eval's own folder
    known = task_manager((str(mine),), names).all_tasks
    assert {"mine", "my_tag", "mine_and_theirs"} <= set(known)
    assert ("theirs" in known) is theirs_too
    assert task_manager((), ("theirs",)).all_tasks == ["theirs"]
    task_manager.cache_clear()
