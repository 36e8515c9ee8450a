"""seeds.files: a user's rows become an lm-eval task file."""

import ast
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from nemo_sdg.catalog.data_files import split_files
from nemo_sdg.catalog.own_rows import include_folders, task_of
from nemo_sdg.config import FileSeeds, Labels, SeedsSection
from nemo_sdg.errors import ConfigError


def rendered(rows: FileSeeds, row: dict[str, Any]) -> tuple[str, list[str] | None, str]:
    """Question, options and target of a row, by the templates as lm-eval renders them."""
    task, environment = task_of("t", rows), jinja2.Environment(undefined=jinja2.StrictUndefined)

    def render(key: str) -> str:
        return environment.from_string(task[key]).render(**row)

    choices = ast.literal_eval(render("doc_to_choice")) if "doc_to_choice" in task else None
    return render("doc_to_text"), choices, render("doc_to_target")


ROW = {"stem": "Which gas?", "a": "O2", "b": "CO2", "key": "b ", "right": "CO2", "number": "2", "text": "A story."}


@pytest.mark.parametrize(
    ("labels", "answer", "target"),
    [(Labels.letter, "key", 1), (Labels.text, "right", 1), (Labels.from_1, "number", 1), (Labels.from_0, "zero", 1)],
)
def test_answers_name_options_by_letter_text_or_number(labels: Labels, answer: str, target: int) -> None:
    rows = FileSeeds(data="x.csv", question="stem", answer=answer, choices=["a", "b"], labels=labels)
    question, choices, said = rendered(rows, {**ROW, "zero": 1})
    assert (question, choices, int(said)) == ("Question: Which gas?\nAnswer:", ["O2", "CO2"], target)


@pytest.mark.parametrize("key", ["B", "(b)", "[B]", "B.", "b) CO2", "B: carbon dioxide"])
def test_letters_may_have_marks_and_the_option_behind_them(key: str) -> None:
    rows = FileSeeds(data="x.csv", question="stem", answer="key", choices=["a", "b"], labels=Labels.letter)
    assert rendered(rows, ROW | {"key": key})[2] == "1"


@pytest.mark.parametrize("key", ["Answer", "Both", "CO2", "AB", "C", "", None])
def test_an_answer_that_is_not_a_letter_of_an_option_is_not_read_as_one(key: str | None) -> None:
    rows = FileSeeds(data="x.csv", question="stem", answer="key", choices=["a", "b"], labels=Labels.letter)
    with pytest.raises((ValueError, jinja2.UndefinedError)):
        rendered(rows, ROW | {"key": key})


def test_one_column_may_hold_all_options_and_columns_may_hold_fields() -> None:
    rows = FileSeeds(data="x.jsonl", question="q.text", answer="key", choices=["options.text"], labels=Labels.letter)
    row = {"q": {"text": "Which?"}, "options": {"text": ["x", "y", "z"]}, "key": "C"}
    assert rendered(rows, row) == ("Question: Which?\nAnswer:", ["x", "y", "z"], "2")


def test_rows_without_options_have_their_answer_as_target_and_may_have_a_passage() -> None:
    rows = FileSeeds(data="x.jsonl", question="stem", answer="number", passage="text", kind="numeric", family="math")
    assert rendered(rows, ROW) == ("A story.\nQuestion: Which gas?\nAnswer:", None, "2")
    task = task_of("t", rows)
    assert task["output_type"] == "generate_until"
    assert task["metadata"]["nemo_sdg"]["kind"] == "numeric"


def test_files_and_data_sets_of_the_hub_are_told_apart() -> None:
    files = task_of("t", FileSeeds(data="a/rows-*.jsonl.gz", test="a/test.jsonl"))
    assert files["dataset_path"] == "json"
    assert files["dataset_kwargs"] == {"data_files": {"train": "a/rows-*.jsonl.gz", "test": "a/test.jsonl"}}
    assert (files["training_split"], files["test_split"]) == ("train", "test")
    hub = task_of("t", FileSeeds(data="org/set", name="main", split="auxiliary", test="validation"))
    assert (hub["dataset_path"], hub["dataset_name"]) == ("org/set", "main")
    assert (hub["training_split"], hub["test_split"]) == ("auxiliary", "validation")
    assert "dataset_kwargs" not in hub


def test_a_folder_of_the_working_directory_is_not_taken_for_a_data_set_of_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "train.jsonl").write_text("{}\n")
    path = task_of("t", FileSeeds(data="rows"))["dataset_path"]
    files = split_files({"path": path, "name": None}, "train", folder=str(tmp_path / "cache"))
    assert files == [str(tmp_path / "rows" / "train.jsonl")]
    assert task_of("t", FileSeeds(data="org/set"))["dataset_path"] == "org/set"


@pytest.mark.parametrize(("data", "test"), [("org/set", "held_out.jsonl"), ("rows.jsonl", "validation")])
def test_test_rows_that_would_not_be_kept_out_are_refused(data: str, test: str) -> None:
    with pytest.raises(ConfigError, match=f"test must be (a file|one of its splits), got '{test}'"):
        task_of("t", FileSeeds(data=data, test=test))


def test_a_column_that_no_template_can_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="the column 'my question' cannot be named in a template; rename it"):
        task_of("t", FileSeeds(data="x.csv", question="my question"))


def test_a_name_that_no_task_can_have_is_refused() -> None:
    with pytest.raises(ConfigError, match="a task's name is letters"):
        SeedsSection(files={"../up": FileSeeds(data="x.csv")})


def test_task_files_are_written_once_and_named_by_their_content(tmp_path: Path) -> None:
    seeds = SeedsSection(include_path=["mine"], files={"t": FileSeeds(data="x.csv"), "u": FileSeeds(data="y.csv")})
    mine, own = include_folders(seeds, tmp_path)
    assert mine == "mine"
    assert sorted(path.name for path in Path(own).iterdir()) == ["t.yaml", "u.yaml"]
    assert yaml.safe_load((Path(own) / "t.yaml").read_text())["task"] == "t"
    assert include_folders(seeds, tmp_path) == [mine, own]
    seeds.files["t"].language = "de"
    assert include_folders(seeds, tmp_path)[1] != own
    assert include_folders(SeedsSection(), tmp_path) == []


def test_files_alone_are_the_seeds_and_join_the_tasks_asked_for() -> None:
    files = {"t": FileSeeds(data="x.csv")}
    assert SeedsSection(files=files).wanted == ["t"]
    assert SeedsSection(files=files, tasks=["sciq"]).wanted == ["sciq", "t"]
    assert SeedsSection().wanted == []


def test_columns_may_have_names_in_any_script() -> None:
    row = {"سؤال": "ما اللون؟", "क": "लाल", "ข้อ": "เขียว", "उत्तर": "b"}
    rows = FileSeeds(data="x.csv", question="سؤال", answer="उत्तर", choices=["क", "ข้อ"], labels=Labels.letter)
    assert rendered(rows, row) == ("Question: ما اللون؟\nAnswer:", ["लाल", "เขียว"], "1")
    for column in ("my answer", "1st", "a-b", "q.", "{{q}}"):
        with pytest.raises(ConfigError, match="cannot be named"):
            task_of("t", FileSeeds(data="x.csv", question="q", answer=column))


@pytest.mark.parametrize("number", [None, "", "x", "1.5", 1.5, -3])
@pytest.mark.parametrize("labels", [Labels.from_0, Labels.from_1])
def test_what_is_no_whole_number_names_no_option(labels: Labels, number: Any) -> None:
    rows = FileSeeds(data="x.csv", question="stem", answer="number", choices=["a", "b"], labels=labels)
    assert int(rendered(rows, ROW | {"number": number})[2]) < 0
    assert rendered(rows, ROW | {"number": "1.0"})[2] == ("1" if labels == Labels.from_0 else "0")


def test_texts_name_options_whatever_blanks_stand_around_them() -> None:
    rows = FileSeeds(data="x.csv", question="stem", answer="right", choices=["a", "b"], labels=Labels.text)
    assert rendered(rows, ROW | {"right": " CO2 "})[2] == "1"
    assert rendered(rows, ROW | {"a": 12, "b": 3, "right": 3})[2] == "1"
    assert rendered(rows, ROW | {"a": "None", "right": None})[2] == "None"


def test_a_list_that_a_cell_writes_out_gives_no_place_of_a_letter_in_it() -> None:
    rows = FileSeeds(data="x.csv", question="stem", answer="right", choices=["o"], labels=Labels.text)
    assert rendered(rows, ROW | {"o": "['CO2', 'O2']"})[2] == "CO2"
    assert rendered(rows, ROW | {"o": "[1, 3, 2]", "right": "2"})[2] == "None"
    assert rendered(rows, ROW | {"o": [1, 3, 2], "right": "2"})[2] == "2"
