"""The files that `nemo-sdg init` writes, and how it reads a user's rows."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
import yaml

from nemo_sdg.commands.inputs.from_data import guess_task, read_rows, task_yaml, usable_rows
from nemo_sdg.commands.inputs.init import init
from nemo_sdg.config import load_config
from nemo_sdg.errors import ConfigError


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_example_loads_from_any_directory_and_its_golds_are_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "corpus"
    lines = init(folder)
    assert lines[-1] == f"next:  nemo-sdg run {folder}"
    monkeypatch.chdir("/")
    config = load_config(folder)
    assert config.run.dir == str(folder / "run")
    assert config.seeds.include_path == [str(folder / "tasks")]
    train, test = (rows_of(folder / "tasks" / f"my_questions_{split}.jsonl") for split in ("train", "test"))
    assert len(train) == 20
    assert all(row["answer"] in row["choices"] for row in train + test)
    assert not {row["question"] for row in train} & {row["question"] for row in test}


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    init(tmp_path)
    with pytest.raises(ConfigError, match="exists already"):
        init(tmp_path)


CASES = {
    "letters": ([{"Question": "Q?", "A": "x", "B": "y", "Answer": "B"}], "y"),
    "option columns": ([{"prompt": "Q?", "option_a": "x", "option_b": "y", "label": "a"}], "x"),
    "an empty option": ([{"question": "Q?", "A": "x", "B": None, "C": "y", "D": "z", "answer": "C"}], "y"),
    "a wide letter": ([{"question": "Q?", "A": "x", "B": "y", "answer": letter} for letter in ("Ｂ", "A")], "y"),
    "options that are numbers": ([{"question": "Q?", "A": 0, "B": 1, "answer": "A"}], "0"),
    "texts": ([{"question": "Q?", "choices": ["x1", "y1"], "answer": "y1"}], "y1"),
    "dict": ([{"question": "Q?", "choices": {"text": ["x", "yy"], "label": ["A", "B"]}, "answerKey": "B"}], "yy"),
    "a mapping": ([{"question": "Q?", "choices": {"A": "x", "B": "yy"}, "answer": "B"}], "yy"),
    "from 0": ([{"question": "Q?", "options": ["x", "y"], "answer": n} for n in (0, 1)], "x"),
    "from 1": ([{"question": "Q?", "options": ["x", "y"], "answer": n} for n in (1, 2)], "x"),
    "numbers as options": ([{"question": "Q?", "options": ["3", "1"], "answer": n} for n in ("1", "3")], "1"),
    "blood groups": ([{"question": "Q?", "options": ["B", "A"], "answer": "A"}], "A"),
    "number": ([{"problem": "Q?", "answer": "1,200"}], "1,200"),
    "text": ([{"query": "Q?", "answer": "Lima"}], "Lima"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_answer_is_read_as_the_rows_mean_it(name: str) -> None:
    rows, answer = CASES[name]
    guess = guess_task(rows, source=Path("rows.jsonl"))
    assert guess.answer(rows[0]) == answer
    assert len(usable_rows(rows, guess)) == len(rows)
    task = yaml.safe_load(task_yaml("r", guess))
    assert task["metadata"]["nemo_sdg"]["kind"] == guess.kind
    assert ("doc_to_choice" in task) == (guess.kind == "multiple_choice")


def test_labels_that_may_count_from_0_or_1_are_refused() -> None:
    rows = [{"question": "Q?", "options": ["x", "y", "z"], "answer": n} for n in (1, 2)]
    with pytest.raises(ConfigError, match="count from 0 or from 1 is not certain"):
        guess_task(rows, source=Path("rows.jsonl"))


@pytest.mark.parametrize("answers", ["ABBE", "0117", "1227"])
def test_one_label_out_of_range_leaves_out_its_row_alone(answers: str) -> None:
    rows = [{"question": "Q?", "options": ["x", "y"], "answer": answer} for answer in answers]
    guess = guess_task(rows, source=Path("rows.jsonl"))
    assert [guess.answer(row) for row in rows] == ["x", "y", "y", None]
    assert guess.why_left_out(rows[3]) == f"answer {answers[3]!r} is none of its 2 options"


def test_numbers_from_0_and_from_1_in_one_file_are_refused() -> None:
    rows = [{"question": "Q?", "options": ["x", "y"], "answer": n} for n in (0, 1, 2)]
    with pytest.raises(ConfigError, match="row 1 says 0 and row 3 the number of its options"):
        guess_task(rows, source=Path("rows.jsonl"))


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_header_of_a_csv_tells_its_separator(tmp_path: Path, mark: str) -> None:
    cells = [["question", "answer", "a", "b"], ['"One, or; two?"', "b", "1,5", "2;5"]]
    (tmp_path / "a.csv").write_text("\n".join(mark.join(f'"{c.strip(chr(34))}"' for c in row) for row in cells))
    assert list(read_rows(tmp_path / "a.csv")[0].values()) == ["One, or; two?", "b", "1,5", "2;5"]


@pytest.mark.parametrize(
    ("name", "told"),
    [("2024", "rows_2024"), ("Quiz (3)", "quiz_3"), ("a[1]", "a_1"), ("Größe", "größe"), ("on", "rows_on")],
)
def test_a_file_of_any_name_makes_a_task_that_runs(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / f"{name}.jsonl").write_text(json.dumps({"question": "Q?", "answer": "Lima"}))
    init(tmp_path / "out", data=tmp_path / f"{name}.jsonl")
    assert load_config(tmp_path / "out").seeds.tasks == [told]
    assert (tmp_path / "out" / "tasks" / f"{told}.yaml").is_file()


def test_rows_that_are_left_out_are_counted_and_a_failure_leaves_no_files(tmp_path: Path) -> None:
    good = {"question": "Which is a metal?", "options": ["tin", "tea"], "answer": "tin"}
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, [good, good | {"answer": "tar"}, good])))
    lines = init(tmp_path / "corpus", data=tmp_path / "rows.jsonl")
    assert lines[0].endswith("2 rows")
    assert lines[1] == "left out: 1 row: row 2 (answer 'tar' is none of its 2 options)"
    (tmp_path / "none.jsonl").write_text(json.dumps(good | {"answer": "tar"}))
    with pytest.raises(ConfigError, match="no row has both a question and an answer"):
        init(tmp_path / "other", data=tmp_path / "none.jsonl")
    assert not (tmp_path / "other").exists()


def test_files_of_every_form_give_the_same_rows(tmp_path: Path) -> None:
    rows = [{"question": "Wie heißt es?", "answer": "Lima"}, {"question": "Q2", "answer": "Rom"}]
    (tmp_path / "a.jsonl").write_text("\ufeff" + "\n".join(map(json.dumps, rows)))
    (tmp_path / "a.json").write_text(json.dumps(rows))
    (tmp_path / "a.csv").write_text("question,answer\nWie heißt es?,Lima\nQ2,Rom\n")
    (tmp_path / "a.tsv").write_text("question\tanswer\nWie heißt es?\tLima\nQ2\tRom\n")
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    for file in tmp_path.iterdir():
        assert read_rows(file) == rows, file.name


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [("", "a.jsonl", "at least one"), ("question,answer\nQ, why?,x\n", "a.csv", "row 1 has more cells"),
     ("{", "a.json", "cannot be read"), ("x", "a.xls", r"^--from \S+: .xls is not read"),
     ('{"question": "Q", "answer": 1}\n{', "a.jsonl", "line 2 is not JSON"),
     ('{"question": {"stem": "Q"}, "answer": 1}', "a.jsonl", "column question must hold texts, row 1 has a mapping"),
     ('{"foo": 1, "answer": 2}', "b.jsonl", "the columns are foo, answer")],
)  # fmt: skip
def test_what_cannot_be_read_is_one_line(tmp_path: Path, content: str, name: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ConfigError, match=message) as caught:
        init(tmp_path / "out", data=tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("row", [{"answer": "B"}, {"answer": float("nan")}, {"question": float("nan"), "answer": "A"}])
def test_an_empty_cell_is_no_option_no_answer_and_no_question(row: dict[str, Any]) -> None:
    whole = {"question": "Q?", "A": "x", "B": "", "C": "y", "answer": "C"}
    rows = [whole, whole, {**whole, **row}]
    guess = guess_task(rows, source=Path("rows.jsonl"))
    assert guess.why_left_out(rows[-1]) is not None
    assert len(usable_rows(rows, guess)) == 2
