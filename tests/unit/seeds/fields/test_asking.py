"""A seed asks something where its prompt alone does not: labels to choose from, a cue, a section of instructions."""

from typing import Any

import pytest

from tests.unit.seeds.fields.test_generic import SHORT, parts
from tests.unit.seeds.golds.test_targets import reason_of, seed_of

LABELS: dict[str, Any] = {"doc_to_choice": ["bad", "good"], "doc_to_target": "label"}
CLASSIFICATION: dict[str, Any] = {"kind": "multiple_choice", "frame": "classification"}
ALPACA = "### Instruction:\n{}\n\n### Input:\n{{{{article}}}}\n\n### Response:\n"


@pytest.mark.parametrize("prompt", ["text", "{{text}}", "{{text}}\nAnswer:"])
def test_a_text_with_labels_is_asked_which_of_them_fits(prompt: str) -> None:
    row = {"text": "I loved every minute.", "label": 1}
    config = {"doc_to_text": prompt, **LABELS}
    assert parts(seed_of(config, row, **CLASSIFICATION)) == (row["text"], "Which of the options fits the text?")
    assert seed_of(config, row, **CLASSIFICATION, languages=["fr"]).question.startswith("Laquelle des options")


@pytest.mark.parametrize(
    ("prompt", "question"),
    [
        ("{{text}}\nSentiment:", "I loved it.\nSentiment:"),
        ("Is this review positive? {{text}}", "Is this review positive? I loved it."),
        ("Good or bad: {{text}}", "Good or bad: I loved it."),
        ("Rate the tone of this: {{text}}", "Rate the tone of this: I loved it."),
    ],
)
def test_a_prompt_that_asks_stays_as_it_is(prompt: str, question: str) -> None:
    row = {"text": "I loved it.", "label": 1}
    assert parts(seed_of({"doc_to_text": prompt, **LABELS}, row, **CLASSIFICATION)) == (None, question)


@pytest.mark.parametrize(
    "text",
    ["Why would anyone pay for this?", "Why?\u200b", "Why? <b>", "Why ... ", "So: ", "Would I? Never.", "為什麼？"],
)
def test_the_template_and_not_the_row_decides_what_a_classification_asks(text: str) -> None:
    def function(doc: dict[str, Any]) -> str:
        return f"{doc['text'].strip()}\nAnswer:"

    for prompt in ("text", "{{text}}", "Text: {{text}}\nAnswer:", function):
        passage, question = parts(
            seed_of({"doc_to_text": prompt, **LABELS}, {"text": text, "label": 1}, **CLASSIFICATION)
        )
        assert question == "Which of the options fits the text?"
        assert passage is not None
        assert passage.strip() == text.strip()


def test_a_column_of_questions_and_one_of_whole_prompts_stay_as_they_are() -> None:
    row = {"text": "Q: Is it good\nA:", "question": "is it good", "passage": "It is.", "label": 1}
    for prompt, expected in (
        ("text", (None, "Is it good")),
        ("{{text}}", (None, "Is it good")),
        ("{{question}}", (None, "is it good")),
        ("{{passage}}\nQuestion: {{question}}?\nAnswer:", ("It is.", "is it good?")),
    ):
        assert parts(seed_of({"doc_to_text": prompt, **LABELS}, row, **CLASSIFICATION)) == expected


def test_a_word_alone_asks_nothing() -> None:
    config = {"doc_to_text": "{{w}}", "doc_to_target": "a"}
    assert reason_of(config, {"w": "hot", "a": "cold"}, **SHORT) == "asks_nothing"
    assert seed_of(config, {"w": "Opposite of hot", "a": "cold"}, **SHORT).question == "Opposite of hot"


def test_a_long_text_that_nothing_is_asked_of_is_dropped() -> None:
    row, free = {"article": "A storm sank boats. None were hurt.", "a": "A storm."}, {**SHORT, "kind": "free_text"}
    for prompt in ("article", "{{article}}", "Article: {{article}}\nAnswer:"):
        assert reason_of({"doc_to_text": prompt, "doc_to_target": "a"}, row, **free) == "asks_nothing"
    for prompt in ("{{article}}\n\nTL;DR:", "Summarise it in a few words.\n{{article}}"):
        assert seed_of({"doc_to_text": prompt, "doc_to_target": "a"}, row, **free).answer.text == "A storm."


def test_a_function_s_cue_is_kept_where_nothing_else_asks() -> None:
    def cue(doc: dict[str, Any]) -> str:
        return f"Sentence: {doc['text']} Polarity:"

    def question(doc: dict[str, Any]) -> str:
        return f"The following is a question about films.\n\nQuestion: {doc['text']}\nAnswer:"

    row = {"text": "I loved it.", "label": 1}
    config = {"doc_to_text": cue, **LABELS}
    assert parts(seed_of(config, row, **CLASSIFICATION)) == (None, "I loved it. Polarity:")
    assert parts(seed_of({**config, "doc_to_text": question}, row, **CLASSIFICATION)) == (None, "I loved it.")


def test_the_sections_of_an_instruction_are_question_and_passage() -> None:
    config = {
        "description": "Below is an instruction that describes a task, with an input. Write a response.\n\n",
        "doc_to_text": ALPACA.format("Summarise the news item."),
        "doc_to_target": "summary",
    }
    row = {"article": "A storm sank boats.", "summary": "A storm.", "task": "Name the capital."}
    free = {"kind": "free_text", "frame": "generation"}
    assert parts(seed_of(config, row, **free)) == ("A storm sank boats.", "Summarise the news item.")
    config["doc_to_text"] = "Below is an instruction.\n\n" + ALPACA.format("{{task}}")
    assert parts(seed_of(config, {**row, "article": ""}, **SHORT)) == (None, "Name the capital.")


def test_a_passage_after_the_question_or_in_a_block_is_parted_from_it() -> None:
    row = {"q": "Where is Lima?", "p": "Lima is in Peru.", "a": "Peru"}
    for prompt in (
        "Question: {{q}}\nContext: {{p}}\nAnswer:",
        "{% if p %}Passage: {{p}}\n{% endif %}Question: {{q}}\nAnswer:",
    ):
        seed = seed_of({"doc_to_text": prompt, "doc_to_target": "a"}, row, **SHORT)
        assert parts(seed) == ("Lima is in Peru.", "Where is Lima?")


@pytest.mark.parametrize("letters", ["АБВ", "أبج", "가나다", "甲乙丙"])
def test_letters_of_other_scripts_are_labels(letters: str) -> None:
    one, two, three = letters
    config = {
        "doc_to_text": f"{{{{q}}}}\n{one}. {{{{o[0]}}}}\n{two}. {{{{o[1]}}}}\n{three}. {{{{o[2]}}}}",
        "doc_to_choice": [one, two, three],
        "doc_to_target": "k",
    }
    seed = seed_of(config, {"q": "Which is a gas?", "o": ["salt", "steam", "wax"], "k": two})
    assert (seed.question, seed.answer.text, set(seed.choices or [])) == (
        "Which is a gas?",
        "steam",
        {"salt", "steam", "wax"},
    )


def test_the_keys_of_a_mapping_of_options_are_their_labels() -> None:
    config = {"doc_to_text": "{{q}}", "doc_to_choice": "{{o.values() | list}}", "doc_to_target": "{{k}}"}
    row = {"q": "Which vitamin is in lemons?", "o": {"A": "C", "B": "A", "C": "D"}, "k": "A"}
    assert seed_of(config, row).answer.text == "C"


def test_numbers_under_which_the_prompt_lists_the_row_s_options_are_labels() -> None:
    config = {
        "doc_to_text": "{{q}}\n{% for o in choices %}{{loop.index}}) {{o}}\n{% endfor %}Answer:",
        "doc_to_choice": "{{ range(1, (choices | length) + 1) | map('string') | list }}",
        "doc_to_target": "{{k}}",
    }
    seed = seed_of(config, {"q": "Which swims?", "choices": ["the hen", "the eel"], "k": 1})
    assert (seed.question, seed.answer.text) == ("Which swims?", "the eel")


def test_invisible_characters_at_the_ends_of_answers_say_nothing() -> None:
    config = {"doc_to_text": "Question: {{q}}\nAnswer:", "doc_to_target": "a"}
    assert seed_of(config, {"q": "Capital of Peru?", "a": "\ufeffLima \u200b"}, **SHORT).answer.text == "Lima"
    config = {"doc_to_text": "{{q}}", "doc_to_choice": "c", "doc_to_target": "a"}
    seed = seed_of(config, {"q": "Capital of Peru?", "c": ["Lima\u200b", "Quito"], "a": "\u200eLima"})
    assert (seed.answer.text, sorted(seed.choices or [])) == ("Lima", ["Lima", "Quito"])
    assert (
        reason_of({**config, "doc_to_text": "{{q}}"}, {"q": "Which?", "c": ["\u200b", "x"], "a": 1}) == "empty_choice"
    )


@pytest.mark.parametrize(("target", "answer"), [("B) lime", "lime"), ("(a) salt", "salt"), ("LIME", "lime")])
def test_a_target_may_write_the_label_with_the_text_or_other_letters(target: str, answer: str) -> None:
    config = {"doc_to_text": "{{q}}", "doc_to_choice": "c", "doc_to_target": "a"}
    assert seed_of(config, {"q": "Which is it?", "c": ["salt", "lime", "ham"], "a": target}).answer.text == answer


@pytest.mark.parametrize("target", ["B) salt", "(c) ham sandwich"])
def test_a_label_beside_another_text_is_no_gold(target: str) -> None:
    config = {"doc_to_text": "{{q}}", "doc_to_choice": "c", "doc_to_target": "a"}
    assert reason_of(config, {"q": "Which is it?", "c": ["salt", "lime", "ham"], "a": target}) == "no_gold"


@pytest.mark.parametrize("prompt", ["{{w}}", "Question: {{w}}\nAnswer:"])
@pytest.mark.parametrize("number", ["212", "-7", "3.50", "1,000", True])
def test_a_number_alone_asks_nothing(prompt: str, number: Any) -> None:
    config = {"doc_to_text": prompt, "doc_to_target": "a"}
    assert reason_of(config, {"w": number, "a": "x"}, **SHORT) == "asks_nothing"
    assert seed_of(config, {"w": "212 + 3", "a": "215"}, **SHORT).question == "212 + 3"


def test_not_a_number_is_no_answer() -> None:
    config = {"doc_to_text": "Question: {{q}}\nAnswer:", "doc_to_target": "a"}
    assert reason_of(config, {"q": "How many?", "a": float("nan")}, **SHORT) == "no_gold"
