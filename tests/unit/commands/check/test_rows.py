"""The law that each seed is what stands in the row that it names, on a file of two rows."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from nemo_sdg.commands.check.rows import compare_rows

ROWS = ["I love this phone, the battery lasts for days.", "Why would anyone pay money for this?"]
FITS = "Which of the options fits the text?"


def wrong(folder: Path, *seeds: tuple[int, str, str | None], said: str = "") -> list[str]:
    """What is wrong with seeds (row, question, passage) of a task whose file says what to do, where all questions of
    the task have the words `said`.
    """
    data, task = folder / "rows.jsonl", folder / "task.yaml"
    data.write_bytes(b"".join(orjson.dumps({"text": text}) + b"\n" for text in ROWS))
    task.write_text('task: own\ndescription: "Say whether they are\n  pleased.\\n\\n"\n')
    records = [
        {"task": "own", "tasks": ["own"], "seed_id": "s", "question": question, "passage": passage}
        | {"dataset": {"split": "train", "row": row}}
        for row, question, passage in seeds
    ]
    run: Any = SimpleNamespace(
        ledgers={
            "seeds": SimpleNamespace(places={"training/own/train/rows.jsonl": str(data)}),
            "catalog": SimpleNamespace(places={"tasks/own/task.yaml": str(task)}),
        },
        kept=lambda step, shard: records,
    )
    found, unread = compare_rows(run, str(data), ["shard-00000"], {"own": set(said.casefold().split())})
    assert unread == []
    return found


@pytest.mark.parametrize("question", [FITS, "Say whether they are pleased."])
def test_a_sentence_of_the_tool_or_of_the_task_beside_a_row_s_text(tmp_path: Path, question: str) -> None:
    assert wrong(tmp_path, (0, question, ROWS[0]), (1, ROWS[1], None)) == []
    assert wrong(tmp_path, (0, question, ROWS[0]), said=question.strip("?.")) == []
    for said in ("", question.strip("?.")):
        (line,) = wrong(tmp_path, (0, question, "Tin is a metal that melts early."), said=said)
        assert "is not row 0" in line
        assert "Tin is a metal" in line


def test_another_question_beside_a_row_s_text_is_found(tmp_path: Path) -> None:
    (line,) = wrong(tmp_path, (0, "Do whales sing lullabies?", ROWS[0]))
    assert "'Do whales sing lullabies?'" in line
    assert len(wrong(tmp_path, (0, FITS, None), (7, FITS, ROWS[0]))) == 2
