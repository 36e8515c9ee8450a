"""The seed has the whole question: descriptions and cues are kept, labels and lists of options are not."""

import datetime
import decimal
from typing import Any

import numpy as np
import pytest

from nemo_sdg.errors import DataError
from nemo_sdg.records import Seed
from nemo_sdg.seeds.fields.reading import Reading, Unrenderable
from nemo_sdg.seeds.golds.numbering import GoldNumbers
from tests.unit.seeds.golds.test_targets import reason_of, seed_of

SHORT: dict[str, Any] = {"kind": "short_text", "frame": "generation"}


def parts(seed: Seed) -> tuple[str | None, str]:
    return seed.passage, seed.question


@pytest.mark.parametrize("kind", ["short_text", "numeric"])
def test_a_description_asks_where_the_row_does_not(kind: str) -> None:
    config = {"description": "Convert to Celsius.\n\n", "doc_to_text": "{{w}}", "doc_to_target": "a"}
    assert parts(seed_of(config, {"w": "212", "a": "100"}, kind=kind)) == ("212", "Convert to Celsius.")


def test_a_description_asks_for_options_too_and_may_be_a_template() -> None:
    config = {
        "description": "Choose the opposite in {{lang}}.",
        "doc_to_text": "{{w}}",
        "doc_to_choice": "c",
        "doc_to_target": "a",
    }
    row = {"w": "hot", "lang": "English", "c": ["cold", "red"], "a": 0}
    assert parts(seed_of(config, row)) == ("hot", "Choose the opposite in English.")


def test_a_description_that_announces_questions_is_left_out() -> None:
    config = {
        "description": "The following are multiple choice questions about law.\n\n",
        "doc_to_text": "{{q}}\nA. {{c[0]}}\nB. {{c[1]}}\nAnswer:",
        "doc_to_choice": ["A", "B"],
        "doc_to_target": "a",
    }
    seed = seed_of(config, {"q": "A lease ends by", "c": ["notice", "rain"], "a": "A"})
    assert (seed.passage, seed.question, seed.choices) == (None, "A lease ends by", ["notice", "rain"])


@pytest.mark.parametrize(
    ("template", "question"),
    [
        ("{{w}}\nAntonym:", "hot\nAntonym:"),
        ("English phrase: {{w}}\nFrench phrase:", "English phrase: hot\nFrench phrase:"),
        ("Article: {{w}}\nTitle:", "hot\nTitle:"),
        ("Give the antonym of: {{w}}\nAntonym:", "Give the antonym of: hot"),
        ("{{w}}\nThe antonym of this word is", "hot\nThe antonym of this word is"),
        ("Întrebare: {{w}}\nRăspuns:", "hot"),
        ("Kérdés: {{w}}\nVálasz:", "hot"),
        ("प्रश्न: {{w}}\nउत्तर:", "hot"),
        ("Problem: {{w}}\nStep-by-Step Answer:", "hot"),
        ("Pregunta: {{w}}\nRespuesta paso a paso:", "hot"),
        ("{{w}} 질문: {{w}} 답변: ", "hot"),
        ("User: {{w}}\nAssistant:", "hot"),
        ("### Instruction:\n{{w}}\n\n### Response:\n", "hot"),
    ],
)
def test_cues_that_ask_stay_and_labels_go(template: str, question: str) -> None:
    config = {"doc_to_text": template, "doc_to_target": "a"}
    assert seed_of(config, {"w": "hot", "a": "cold"}, **SHORT).question == question


def test_only_the_lines_that_the_template_lists_are_options() -> None:
    config = {"doc_to_text": "{{p}}\nQuestion: {{q}}\nAnswer:", "doc_to_choice": "c", "doc_to_target": "a"}
    row = {"p": "Steps:\n1. Boil.\n2. Salt.\n3. Drain.", "q": "How many?", "c": ["1", "2", "3"], "a": 1}
    seed = seed_of(config, row)
    assert (seed.choices, seed.answer.text) == (["1", "2", "3"], "2")
    assert seed.passage == row["p"]


@pytest.mark.parametrize(
    "template",
    [
        "{{q}}\n1. {{o[0]}}\n2. {{o[1]}}\nAnswer:",
        "{{q}} (1) {{o[0]}} (2) {{o[1]}}\nAnswer:",
        "{{q}}\nOptions: {{options | join(', ')}}\nAnswer:",
        "{{q}}\n{% for o in options %}{{loop.index}}) {{o}}\n{% endfor %}Answer:",
    ],
)
def test_listed_options_leave_the_question(template: str) -> None:
    config = {"doc_to_text": template, "doc_to_choice": ["1", "2"], "doc_to_target": "{{a}}"}
    seed = seed_of(config, {"q": "Which is a metal?", "o": ["oak", "tin"], "options": ["oak", "tin"], "a": 1})
    assert (seed.question, seed.choices, seed.answer.text) == ("Which is a metal?", ["oak", "tin"], "tin")


@pytest.mark.parametrize("listed", ["\nA. oak\nB. tin\nC. silk", " A. oak B. tin C. silk", " (A) oak (B) tin (C) silk"])
def test_options_within_the_rows_own_question_are_read(listed: str) -> None:
    config = {"doc_to_text": "{{q}}\nAnswer:", "doc_to_choice": ["A", "B", "C"], "doc_to_target": "a"}
    seed = seed_of(config, {"q": f"Which is a metal?{listed}", "a": "B"})
    assert (seed.question, seed.choices, seed.answer.text) == ("Which is a metal?", ["oak", "tin", "silk"], "tin")


@pytest.mark.parametrize(
    "config",
    [
        {"doc_to_text": "{premise}\nTrue or false?", "doc_to_choice": ["no", "yes"], "doc_to_target": "a"},
        {"doc_to_text": "Question: What is shown?", "doc_to_choice": ["no", "yes"], "doc_to_target": "a"},
        {"doc_to_text": "{{q}}", "doc_to_choice": ["{{a}}", "{{b}}"], "doc_to_target": "a"},
        {"doc_to_text": "{{q}}", "doc_to_target": "no column here!"},
    ],
)
def test_templates_that_show_nothing_of_a_row_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"^task made_up: doc_to_"):
        seed_of(config, {"premise": "p", "q": "q", "a": 1, "b": "b"})


def test_braces_that_jinja_does_not_see_are_a_drop() -> None:
    config = {"doc_to_text": "{{q}} {topic}", "doc_to_target": "a"}
    assert reason_of(config, {"q": "What?", "topic": "law", "a": "x"}, **SHORT) == "unrendered_template"


def test_a_method_is_no_text() -> None:
    config = {"doc_to_text": "{{table.values}}: {{q}}", "doc_to_target": "a"}
    assert reason_of(config, {"table": {"values": [1]}, "q": "Sum?", "a": "1"}, **SHORT) == "unreadable_row"


def test_digits_are_no_question() -> None:
    config = {"doc_to_text": "{{n}}", "doc_to_choice": ["even", "odd"], "doc_to_target": "a"}
    assert reason_of(config, {"n": "42", "a": 0}) == "digits_as_prompt"


@pytest.mark.parametrize(
    "row",
    [
        {"q": "<image>\nWhat is this?"},
        {"q": "![](a.png) How many bars?"},
        {"q": "What is this?", "image": {"bytes": b"\x89PNG", "path": "a.png"}},
        {"q": "What is this?", "image": "a.png"},
        {"q": "What is said?", "audio": {"array": [0.0], "sampling_rate": 8000}},
    ],
)
def test_rows_that_show_more_than_text_are_dropped(row: dict[str, Any]) -> None:
    config = {"doc_to_text": "Question: {{q}}\nAnswer:", "doc_to_target": "a"}
    assert reason_of(config, {**row, "a": "x"}, **SHORT) == "media"
    assert seed_of(config, {"q": "What is this?", "a": "x", "image": None}, **SHORT).question == "What is this?"


def test_null_is_empty_and_not_the_word_none() -> None:
    config = {"doc_to_text": "{{p}} {{q}}", "doc_to_target": "a"}
    assert seed_of(config, {"p": None, "q": "Who?", "a": "Ann"}, **SHORT).question == "Who?"


def reading(number: int, num: int = 4) -> Reading:
    return Reading(question="Q?", choices=["x"] * num, gold_number=number)


@pytest.mark.parametrize(
    ("numbers", "begins_at_one"),
    [([1, 2, 3, 4], True), ([4], True), ([0, 1, 4], False), ([1, 2, 3], False), ([3, 3], False)],
)
def test_numbers_that_begin_at_one_are_found_over_a_split(numbers: list[int], begins_at_one: bool) -> None:
    found = GoldNumbers()
    for number in numbers:
        found.add(reading(number))
    found.settle()
    assert found.begins_at_one is begins_at_one


def test_a_late_sign_that_numbers_begin_at_one_refuses_the_split() -> None:
    found = GoldNumbers()
    for _ in range(GoldNumbers.PROBE):
        found.add(reading(1))
    assert found.is_settled
    found.add(reading(4))
    with pytest.raises(DataError, match="begin at 1"):
        found.refuse_late("mine")


@pytest.mark.parametrize("target", ["a", "{{a}}", " {{a}}", "The answer is {{a}}."])
def test_null_is_no_answer(target: str) -> None:
    config = {"doc_to_text": "{{q}}", "doc_to_target": target}
    assert reason_of(config, {"q": "How many moons?", "a": None}, **SHORT) == "no_gold"
    assert seed_of(config, {"q": "How many moons?", "a": "None"}, **SHORT).answer.text.endswith(("None", "None."))


def test_a_gold_may_repeat_the_label_of_its_option() -> None:
    config = {"doc_to_text": "{{q}}", "doc_to_choice": "c", "doc_to_target": "a"}
    row = {"q": "Which is a metal?", "c": ["A. clay", "B. zinc"], "a": "B. zinc"}
    assert seed_of(config, row).answer.text == "zinc"


@pytest.mark.parametrize(
    ("value", "text"),
    [(decimal.Decimal("3.50"), "3.50"), (datetime.date(2021, 3, 4), "2021-03-04"), (datetime.time(9, 30), "09:30:00")],
)
def test_numbers_and_days_of_a_table_are_answers(value: Any, text: str) -> None:
    config = {"doc_to_text": "{{q}}", "doc_to_target": "a"}
    assert seed_of(config, {"q": "When?", "a": value}, **SHORT).answer.text == text


@pytest.mark.parametrize("written", ["['eel' 'wren']", "['eel'\n 'wren']", "[\"eel\" 'wren']", "['eel', 'wren']"])
def test_options_as_python_or_numpy_print_them(written: str) -> None:
    config = {"doc_to_text": "{{q}}", "doc_to_choice": "c", "doc_to_target": "a"}
    assert seed_of(config, {"q": "Which flies?", "c": written, "a": 1}).answer.text == "wren"


def test_a_passage_and_a_question_without_labels_are_told_apart() -> None:
    config = {"doc_to_text": "{{passage}}\n\n{{question}}\n\n", "doc_to_target": "a"}
    row = {"passage": "A wren sings.", "question": "What sings?", "a": "a wren"}
    assert parts(seed_of(config, row, **SHORT)) == ("A wren sings.", "What sings?")


@pytest.mark.parametrize(
    "row",
    [
        {"q": "Which sings?", "o": "Q: Which sings?\n  choice: eel\n  choice: wren\nA:"},
        {"q": "Which sings?", "o": "Question: Which sings?\n(A) eel\n(B) wren\nAnswer:"},
    ],
)
@pytest.mark.parametrize("template", ["{{o}}", "o"])
def test_a_row_that_is_a_whole_prompt_is_taken_apart(template: str, row: dict[str, Any]) -> None:
    config = {"doc_to_text": template, "doc_to_choice": "c", "doc_to_target": "a"}
    seed = seed_of(config, {**row, "c": ["eel", "wren"], "a": "wren"})
    assert (seed.question, sorted(seed.choices or [])) == ("Which sings?", ["eel", "wren"])


@pytest.mark.parametrize(
    ("template", "choices"),
    [
        ("{{q}} Choices: {{c | join(', ')}}\nAnswer:", "c"),
        ("{{q}} Choices: {{c}}\nAnswer:", "c"),
        ("{{q}}\nAnswer Choices: (A) {{c[0]}} (B) {{c[1]}}\nAnswer:", ["A", "B"]),
        ("{{q}}\nAnswer Choices: (A) eel (B) wren\nAnswer:", ["A", "B"]),
    ],
)
def test_options_in_one_line_go_with_their_label(template: str, choices: Any) -> None:
    config = {"doc_to_text": template, "doc_to_choice": choices, "doc_to_target": "a"}
    seed = seed_of(config, {"q": "Which sings?", "c": ["eel", "wren"], "a": 1})
    assert (seed.question, seed.answer.text) == ("Which sings?", "wren")


@pytest.mark.parametrize(
    "labels", ["A.", "A: ", "A - ", "（A）", "A、", "А) ", "أ) ", "①", "가. ", "I. ", "甲、", "क) ", "(1) "]
)
def test_labels_of_options_in_any_script_are_stripped(labels: str) -> None:
    second = {"A": "B", "А": "Б", "أ": "ب", "①": "②", "가": "나", "I": "II", "甲": "乙", "क": "ख", "1": "2"}
    first = next(label for label in second if label in labels)
    config = {"doc_to_text": "{{q}}", "doc_to_choice": "c", "doc_to_target": "a"}
    row = {
        "q": "Which sings?",
        "c": [f"{labels}eel", f"{labels.replace(first, second[first])}wren"],
        "a": second[first],
    }
    seed = seed_of(config, row)
    assert (seed.answer.text, sorted(seed.choices or [])) == ("wren", ["eel", "wren"])


@pytest.mark.parametrize("choices", [["1.5 m", "2.5 m"], ["1. tin", "2. tea", "3. both 1 and 2"], ["a.m.", "b.c."]])
def test_what_only_looks_like_labels_or_is_spoken_of_stays(choices: list[str]) -> None:
    config = {"doc_to_text": "{{q}}", "doc_to_choice": "c", "doc_to_target": "a"}
    assert sorted(seed_of(config, {"q": "Which?", "c": choices, "a": 0}).choices or []) == choices


@pytest.mark.parametrize(
    "prompt",
    [
        "{% macro ask(x) %}Question: {{x}}{% endmacro %}{{ ask(q) }}\nAnswer:",
        "Question: {{q}}{% if true %}\nAnswer:{% endif %}",
        "{% if q %}Question: {{q}}\nAnswer:{% endif %}",
    ],
)
def test_labels_within_control_structures_are_left_out(prompt: str) -> None:
    config = {"doc_to_text": prompt, "doc_to_target": "a"}
    assert parts(seed_of(config, {"q": "Who wrote Emma?", "a": "Austen"}, **SHORT)) == (None, "Who wrote Emma?")


def test_one_answer_for_all_rows_is_refused_in_a_list_too() -> None:
    with pytest.raises(DataError, match="gives every row the same answer"):
        seed_of({"doc_to_text": "Question: {{q}}", "doc_to_target": ["yes"]}, {"q": "Is it?"}, **SHORT)


def test_a_prompt_with_an_image_in_its_words_is_refused() -> None:
    config = {"doc_to_text": "<image>\nQuestion: {{q}}\nAnswer:", "doc_to_target": "a"}
    with pytest.raises(DataError, match="doc_to_text shows '<image>'"):
        seed_of(config, {"q": "What is it?", "a": "a cat"}, **SHORT)
    config["doc_to_text"] = lambda row: f"<image>\nQuestion: {row['q']}\nAnswer:"  # type: ignore[assignment]
    assert reason_of(config, {"q": "What is it?", "a": "a cat"}, **SHORT) == "media"


def test_functions_may_give_numpys_numbers_and_no_prompt_is_said_so() -> None:
    config: dict[str, Any] = {
        "doc_to_text": "{{q}}",
        "doc_to_choice": lambda row: np.array(row["c"]),
        "doc_to_target": lambda row: np.int64(row["a"]),
    }
    row = {"q": "Which is it?", "c": ["salt", "lime"], "a": 1}
    assert seed_of(config, row).answer.text == "lime"
    several = seed_of({"doc_to_text": "{{q}}", "doc_to_target": lambda row: {"lime", "salt", "a lime"}}, row, **SHORT)
    assert (several.answer.text, several.answer.aliases) == ("a lime", ["lime", "salt"]), "the same in every process"
    with pytest.raises(Unrenderable) as caught:
        seed_of({**config, "doc_to_text": lambda row: None}, row)
    assert caught.value.detail == "doc_to_text gives None, not a text"


@pytest.mark.parametrize("choices", ["c.text", "{{c.text|join('|')}}", "'{{c.text[0]}}'"])
def test_options_that_are_no_list_are_told(choices: str) -> None:
    config = {"doc_to_text": "{{q}}", "doc_to_choice": choices, "doc_to_target": "a"}
    with pytest.raises(Unrenderable, match="not a list"):
        seed_of(config, {"q": "Which is it?", "c": {"text": ["salt", "lime"]}, "a": 1})


def test_a_reason_holds_no_address() -> None:
    config = {"doc_to_text": "{{q}}", "doc_to_choice": lambda row: {}[object()], "doc_to_target": "a"}
    with pytest.raises(Unrenderable) as caught:
        seed_of(config, {"q": "Which is it?", "a": 1})
    assert caught.value.detail == "KeyError: <object object>"
