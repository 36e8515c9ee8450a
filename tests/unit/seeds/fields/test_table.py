"""The field table: every entry compiles, keeps types, and is found by dataset and task."""

import jinja2
import pytest

from nemo_sdg.seeds.fields.table import Entry, FieldReader, compile_fields, find_entry, table


def entry(**fields: str) -> Entry:
    return Entry(datasets=["made/up"], tasks=["*"], fields=fields, fixed_gold=False, raw=True)


def test_every_entry_compiles() -> None:
    assert len([FieldReader(item) for item in table()]) > 40


def test_datasets_are_found_by_path_config_and_task() -> None:
    def question(path: str, name: str | None, task: str = "any") -> str | None:
        found = find_entry(path, name, task)
        return found.fields["question"] if found else None

    assert question("openai/gsm8k", "main") == question("gsm8k", None) == "question"
    assert question("aps/super_glue", "wic") != question("aps/super_glue", "boolq")
    assert question("aps/super_glue", "unheard_of") is None
    assert question("no/such", None) is None
    bool_entry, free_entry = (
        find_entry("allenai/qasper", None, "qasper_bool"),
        find_entry("allenai/qasper", None, "qasper_freeform"),
    )
    assert bool_entry is not None
    assert free_entry is not None
    assert ("choices" in bool_entry.fields, "choices" in free_entry.fields) == (True, False)


def test_expressions_keep_their_type() -> None:
    row = {"a": ["x", "y"], "n": 3, "d": {"text": ["t"]}}
    sources = {"column": "a", "item": "d['text']", "sum": "a + [n | string]", "number": "n - 1", "none": "none"}
    found = {"column": ["x", "y"], "item": ["t"], "sum": ["x", "y", "3"], "number": 2, "none": None}
    assert compile_fields(sources)(row) == found


@pytest.mark.parametrize("source", ["missing", "missing['x']", "missing ~ 'x'", "a.b.c"])
def test_a_missing_column_raises(source: str) -> None:
    with pytest.raises((KeyError, jinja2.UndefinedError)):
        compile_fields({"result": source})({"a": {}})


def test_a_column_may_have_the_name_of_a_field() -> None:
    reading = FieldReader(entry(question="question ~ '?'", passage="answer ~ question", answer="answer | upper"))(
        {"question": "why", "answer": "so"}
    )
    assert (reading.question, reading.passage, reading.answer) == ("why?", "sowhy", "SO")


def test_labels_point_at_choices() -> None:
    reader = FieldReader(entry(question="q", choices="texts", labels="labels", gold="key"))
    assert reader({"q": "?", "texts": ["tin", "tea"], "labels": ["1", "2"], "key": "2"}).gold == 1
    assert reader({"q": "?", "texts": ["tin", "tea"], "labels": ["A", "B"], "key": "A"}).gold == 0
    several = reader({"q": "?", "texts": ["tin", "tea", "tar"], "labels": ["A", "B", "C"], "key": ["C", "A"]})
    assert (several.gold, several.aliases) == (2, ["tin"])
    assert reader({"q": "?", "texts": ["tin", "tea"], "labels": ["A", "B"], "key": "E"}).gold is None


def test_table_reads_what_the_sources_of_record_say() -> None:
    squad = find_entry("squad_v2", None, "squadv2")
    assert squad is not None
    row = {
        "context": "It is red.",
        "question": "Colour?",
        "answers": {"text": ["red", "red", "a red"], "answer_start": [6, 6, 6]},
    }
    reading = FieldReader(squad)(row)
    assert (reading.passage, reading.answer, reading.aliases) == ("It is red.", "red", ["a red"])
    assert FieldReader(squad)({**row, "answers": {"text": [], "answer_start": []}}).answer == "unanswerable"
    quality = find_entry("tau/scrolls", "quality", "scrolls_quality")
    assert quality is not None
    reading = FieldReader(quality)(
        {"input": "Who left?\n\n (A) Ann\n (B) Bob\n (C) Cy\n (D) Dee\n\n\nIt was late.\n\nBob left.", "output": "Bob"}
    )
    assert (reading.question, reading.choices, reading.gold, reading.passage) == (
        "Who left?",
        ["Ann", "Bob", "Cy", "Dee"],
        1,
        "It was late.\n\nBob left.",
    )


@pytest.mark.parametrize(
    "options",
    [
        "a ) 38 , b ) 27.675 , c ) rs . 1,200 , d ) it's unknown , e ) none of these",
        """['a ) 38', 'b ) 27.675', 'c ) rs . 1,200', "d ) it's unknown", 'e ) none of these']""",
    ],
)
def test_options_that_are_written_as_one_text_or_as_a_list_in_a_text(options):
    entry = find_entry("regisss/math_qa", None, "mathqa")
    assert entry is not None
    reading = FieldReader(entry)({"Problem": "How many?", "options": options, "correct": "b", "Rationale": "r"})
    assert reading.choices == ["38", "27.675", "rs . 1,200", "it's unknown", "none of these"]
    assert reading.gold == 1
