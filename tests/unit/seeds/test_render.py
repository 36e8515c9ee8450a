"""Rows become seeds with separate question, passage, options and gold, or drops with a reason."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nemo_sdg.records import LABELS, CatalogRow, DatasetRow, Seed, to_dict
from nemo_sdg.seeds.fields.cloze import cloze
from nemo_sdg.seeds.fields.options import listed_block, option_texts, remove_options
from nemo_sdg.seeds.fields.reading import CONTROL, Unrenderable, bare_labels, numbered_labels, position
from nemo_sdg.seeds.golds.targets import NumericGold, boxed, read_number
from nemo_sdg.seeds.prompts.documents import Processor
from nemo_sdg.seeds.prompts.parts import split_prompt, split_template
from nemo_sdg.seeds.render import Renderer, to_evaluation_row, to_seed

ROW = DatasetRow(path="made/up", name=None, split="train", revision="local", row=0)


def leaf(**fields: Any) -> CatalogRow:
    known = {
        "task": "made_up",
        "dataset": {"path": "made/up", "name": None, "splits": {"training": "train"}},
        "kind": "multiple_choice",
        "frame": "selection",
        "family": "science",
        "capability": "knowledge",
        "languages": ["en"],
        "license": {"id": "MIT"},
        "verdict": "eligible",
    }
    return CatalogRow(**{**known, **fields})


def render(config: dict[str, Any], row: dict[str, Any], run_seed: int = 0, **fields: Any) -> Seed:
    described = leaf(**fields)
    return to_seed(
        Renderer(described, config).read(row), described, [described.task], ROW, ordinal=0, run_seed=run_seed
    )


QUESTION = {"doc_to_text": "Question: {{question}}\nAnswer:"}


def test_column_options_and_position() -> None:
    seed = render(
        {**QUESTION, "doc_to_choice": "choices", "doc_to_target": "gold"},
        {"question": "Which is a gas?", "choices": ["salt", "steam"], "gold": 1},
    )
    assert (seed.question, seed.choices, seed.answer.text, seed.answer.label) == (
        "Which is a gas?",
        ["salt", "steam"],
        "steam",
        "B",
    )
    assert (seed.family, seed.license, seed.language, seed.tasks) == ("science", "MIT", "en", ["made_up"])


def test_text_target_finds_its_option_and_leading_blanks_are_the_delimiter() -> None:
    config = {**QUESTION, "doc_to_choice": [" no", " yes"], "doc_to_target": "{{answer}}"}
    seed = render(config, {"question": "Is ice cold?", "answer": "yes"}, frame="classification")
    assert (seed.choices, seed.answer.text, seed.answer.label) == (["no", "yes"], "yes", "B")


def test_listed_options_leave_the_question_and_labels_get_their_texts() -> None:
    config = {
        "doc_to_text": "Question: {{stem}}\nA. {{opa}}\nB. {{opb}}\nC. {{opc}}\nAnswer:",
        "doc_to_choice": ["A", "B", "C"],
        "doc_to_target": "key",
    }
    seed = render(config, {"stem": "Name a metal.", "opa": "tin", "opb": "tea", "opc": "tar", "key": "A"})
    assert (seed.question, seed.choices, seed.answer.text) == ("Name a metal.", ["tin", "tea", "tar"], "tin")


def test_labels_without_any_text_are_dropped() -> None:
    with pytest.raises(Unrenderable) as caught:
        render(
            {**QUESTION, "doc_to_choice": ["A", "B"], "doc_to_target": "key"},
            {"question": "Which one is shown?", "key": "A"},
        )
    assert caught.value.reason == "no_choices"


def test_numbers_in_sequence_stay_when_the_row_has_no_texts_for_them() -> None:
    config = {**QUESTION, "doc_to_choice": ["1", "2", "3"], "doc_to_target": "stars"}
    assert render(config, {"question": "How many?", "stars": "2"}).answer.text == "2"


def test_contexts_as_choices_become_a_blank() -> None:
    config = {"doc_to_text": "{{gold}}", "doc_to_target": "fell.", "doc_to_choice": "{{['The cup ', 'The cat ']}}"}
    seed = render(config, {"gold": 1})
    assert (seed.question, seed.choices, seed.answer.text) == ("The _ fell.", ["cup", "cat"], "cat")


def test_whole_sentences_as_choices_become_a_blank() -> None:
    config = {
        "doc_to_text": "",
        "doc_to_choice": "{{[a+', right? Yes, '+b, a+', right? No, '+b]}}",
        "doc_to_target": "label",
    }
    seed = render(config, {"a": "It rains", "b": "it is wet.", "label": 0}, frame="classification")
    assert (seed.question, seed.choices, seed.answer.text) == ("It rains, right? _, it is wet.", ["Yes", "No"], "Yes")


def test_fixed_gold_is_shuffled_by_id_and_stays_right() -> None:
    config = {**QUESTION, "doc_to_choice": "{{[w1, w2, w3, right]}}", "doc_to_target": 3}
    rows = [
        {"question": f"Question {n}?", "w1": "a1", "w2": "b1", "w3": "c1", "right": f"right {n}"} for n in range(40)
    ]
    seeds = [render(config, row) for row in rows]
    assert all(
        seed.choices and seed.choices[LABELS.index(seed.answer.label or "")] == f"right {n}"
        for n, seed in enumerate(seeds)
    )
    assert {seed.answer.label for seed in seeds} == {"A", "B", "C", "D"}
    assert [to_dict(render(config, row)) for row in rows] == [to_dict(seed) for seed in seeds]
    assert [seed.seed_id for seed in seeds] == [render(config, row, run_seed=1).seed_id for row in rows]


def test_literal_label_sets_are_not_shuffled() -> None:
    config = {**QUESTION, "doc_to_choice": ["no", "yes"], "doc_to_target": 1}
    assert {tuple(render(config, {"question": f"{n}?"}, frame="classification").choices or []) for n in range(9)} == {
        ("no", "yes")
    }


def test_several_golds_are_aliases() -> None:
    config = {**QUESTION, "doc_to_target": "{{answers}}"}
    seed = render(config, {"question": "Who?", "answers": ["Ann", "Anne", "Ann"]}, kind="short_text")
    assert (seed.answer.text, seed.answer.aliases, seed.answer.label) == ("Ann", ["Anne"], None)


def test_rationale_and_number_come_apart() -> None:
    seed = render(
        {**QUESTION, "doc_to_target": "answer"},
        {"question": "3 + 4?", "answer": "Three and four.\n#### 7"},
        kind="numeric",
    )
    assert (seed.answer.text, seed.reference_reasoning, seed.target_format) == ("7", "Three and four.", "#### 7")


def test_code_keeps_its_bytes_and_its_tests() -> None:
    row = {"text": "Add one.", "code": "def f(n):\r\n\treturn n + 1\n", "test_list": ["assert f(1) == 2"]}
    config = {
        "doc_to_text": "{{text}}\nIt must pass these tests:\n{{test_list | join('\n')}}\n",
        "doc_to_target": "code",
    }
    seed = render(config, row, kind="code")
    assert (seed.question, seed.answer.text, seed.tests) == ("Add one.", row["code"], row["test_list"])


def test_description_asks_where_the_row_is_only_a_text() -> None:
    config = {
        "description": "Does the clause end the lease?\n\n",
        "doc_to_text": "Clause: {{text}}\nLabel:",
        "doc_to_target": "label",
    }
    seed = render(config, {"text": "The lease ends in May.", "label": "Yes"}, kind="short_text", frame="classification")
    assert (seed.passage, seed.question, seed.answer.text) == (
        "Clause: The lease ends in May.",
        "Does the clause end the lease?",
        "Yes",
    )


def test_words_after_the_text_stay_when_they_alone_ask() -> None:
    seed = render(
        {"doc_to_text": "English: {{en}}\nFrench:", "doc_to_target": "fr"},
        {"en": "Hello", "fr": "Bonjour"},
        kind="free_text",
        frame="generation",
    )
    assert seed.question == "English: Hello\nFrench:"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"choices": ["a b", "c d"], "gold": 0}, "missing_column"),
        ({"question": " \n", "choices": ["a b", "c d"], "gold": 0}, "empty_question"),
        ({"question": None, "choices": ["a b", "c d"], "gold": 0}, "empty_question"),
        ({"question": "Q?", "choices": ["a b", "c d"], "gold": 2}, "no_gold"),
        ({"question": "Q?", "choices": ["a b", "c d"], "gold": None}, "no_gold"),
        ({"question": "Q?", "choices": ["a b"], "gold": 0}, "no_choices"),
        ({"question": "Q?", "choices": ["a b", " "], "gold": 0}, "empty_choice"),
        ({"question": "Q?", "choices": 5, "gold": 0}, "unreadable_row"),
        ({"question": "Q?", "choices": [f"text {n}" for n in range(27)], "gold": 0}, "too_many_choices"),
    ],
)
def test_rows_that_give_no_seed_have_a_reason(row: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unrenderable) as caught:
        render(
            {
                **QUESTION,
                "doc_to_choice": "{{choices}}" if "choices" in row else "choices",
                "doc_to_target": "{{gold}}",
            },
            row,
        )
    assert caught.value.reason == reason


def test_evaluation_row_without_gold_is_kept() -> None:
    described = leaf()
    reading = Renderer(described, {**QUESTION, "doc_to_choice": "choices", "doc_to_target": "gold"}).read(
        {"question": "Q?", "choices": ["a b", "c d"], "gold": -1}
    )
    row = to_evaluation_row(reading, described, ROW)
    assert (row.question, row.choices, row.answer) == ("Q?", ["a b", "c d"], None)


def filtering_process_docs(dataset: Any) -> Any:
    return dataset.filter(lambda row: row["keep"]).map(lambda row: {"question": row["question"].upper()})


def test_process_docs_keeps_each_rows_number() -> None:
    renderer = Renderer(leaf(), {**QUESTION, "doc_to_choice": "choices", "doc_to_target": "gold"})
    renderer.processor = Processor(filtering_process_docs, "0")
    rows = [(number, {"question": f"q{number}", "keep": number % 3 == 0}) for number in range(700)]
    found = [
        (number, [document["question"] for document in documents])
        for number, _, documents in renderer.documents(rows)
        if isinstance(documents, list)
    ]
    assert found == [(number, [f"Q{number}"] if number % 3 == 0 else []) for number in range(700)]


def unfolding_process_docs(dataset: Any) -> Any:
    import datasets

    return datasets.Dataset.from_dict({"question": [question for row in dataset for question in row["questions"]]})


def test_process_docs_may_unfold_a_row() -> None:
    renderer = Renderer(leaf(), {**QUESTION, "doc_to_choice": "choices", "doc_to_target": "gold"})
    renderer.processor = Processor(unfolding_process_docs, "0")
    found = list(renderer.documents([(4, {"questions": ["a", "b"]}), (5, {"questions": []}), (6, {"questions": [7]})]))
    assert [number for number, _, _ in found] == [4, 5, 6]
    assert found[0][2] == [{"question": "a"}, {"question": "b"}]
    assert found[1][2] == []


@pytest.mark.parametrize(
    ("template", "passage", "question"),
    [
        ("Question: {{question}}\nAnswer:", None, "{{question}}"),
        ("{{passage}}\nQuestion: {{question}}?\nAnswer:", "{{passage}}", "{{question}}?"),
        ("Context: {{context}}\n\nQuestion: {{question}}\n\nAnswer:", "{{context}}", "{{question}}"),
        ("Passage: {{passage}}Question: {{question}}\nAnswer:", "{{passage}}", "{{question}}"),
        ("السياق: {{context}}\n\nالسؤال: {{question}}\n\nالإجابة:", "{{context}}", "{{question}}"),
        (
            "{{premise}}\nStatement: {{hypothesis}}\nTrue or false?\nAnswer:",
            "{{premise}}",
            "Statement: {{hypothesis}}\nTrue or false?",
        ),
        (
            (
                "Choose the best answer.\nQuestion: {{question.strip()}}\nA. {{choices.text[0]}}\nB. "
                "{{choices.text[1]}}\nAnswer:"
            ),
            None,
            "{{question.strip()}}",
        ),
        ("Q: {{question}}\nA: Let's think step by step.", None, "{{question}}"),
        (
            "{{sentence}}\nQuestion: Does this sentence make sense?\nAnswer:",
            "{{sentence}}",
            "Does this sentence make sense?",
        ),
        ("{% for choice in choices %}- {{ choice }}\n{% endfor %}\n{{ question }}\nAnswer:", None, "{{ question }}"),
    ],
)
def test_split_template(template: str, passage: str | None, question: str) -> None:
    parts = split_template(template, has_choices=True, is_code=False)
    assert (parts.passage, parts.question) == (passage, question)


def test_rules_do_not_look_into_the_rows_text() -> None:
    row = {"question": "Question: why?\nAnswer: because\nA. one\nAnswer:", "answer": "x"}
    assert render({**QUESTION, "doc_to_target": "answer"}, row, kind="short_text").question == row["question"]


@given(st.text(min_size=1).filter(lambda text: text.strip() and not CONTROL.search(text)))
def test_a_columns_text_survives_byte_for_byte(text: str) -> None:
    row = {"passage": text, "question": text, "answer": "x"}
    seed = render(
        {"doc_to_text": "{{passage}}\nQuestion: {{question}}\nAnswer:", "doc_to_target": "answer"},
        row,
        kind="short_text",
    )
    assert (seed.passage, seed.question) == (text, text)


def test_rendered_prompts_are_split_by_the_same_rules() -> None:
    assert split_prompt("Abstract: It was measured.\nQuestion: What was?\nAnswer:") == ("It was measured.", "What was?")
    assert remove_options("Pick one.\nA. tin\nB. tea\nAnswer:", ["tin", "tea"]) == "Pick one.\nAnswer:"
    assert remove_options("Pick one.", ["tin", "tea"]) == "Pick one."


@given(
    st.lists(st.sampled_from(["cat", "dog", "a big cow", "Yes", "No"]), min_size=2, max_size=4, unique=True),
    st.text("ab ,.", max_size=9),
    st.text("ab ,.", max_size=9),
)
def test_cloze_loses_nothing(options: list[str], before: str, after: str) -> None:
    contexts = [f"{before} {option} {after}" for option in options]
    question, found = cloze(contexts)
    head, _, tail = question.partition("_")
    assert [f"{head}{option}{tail}" for option in found] == contexts
    assert all(option.strip() for option in found)


def test_answers_are_found_where_they_stand() -> None:
    assert boxed(r"First \boxed{\frac{1}{2}}. Then \boxed{\{1, 2\}}.") == r"\{1, 2\}"
    assert boxed(r"so $x = \boxed{3}$ or $x = \boxed{-3}$.") == "3, -3"
    assert boxed(r"the answer is $\boxed 7$.") == "7"
    assert boxed("nothing here") is None
    assert read_number(r"half: \boxed{\frac12}", "en") == NumericGold(
        answer=r"\frac12", reasoning=r"half: \boxed{\frac12}", target_format=r"\boxed{\frac12}"
    )
    assert read_number("42", "en") == NumericGold(answer="42")
    assert position("(b)", ["tin", "tea"]) == 1
    assert position("2", ["tin", "tea"], ["1", "2"]) == 1
    assert position(True, ["no", "yes"]) == 1
    assert position(5, ["no", "yes"]) is None


def test_labels_and_texts_are_told_apart() -> None:
    assert bare_labels(["A", "B", "C"])
    assert bare_labels(["(a)", "(b)"])
    assert not bare_labels(["A", "C"])
    assert not bare_labels(["2", "4"])
    assert numbered_labels(["0", "1", "2"])
    assert not numbered_labels(["5", "10"])
    assert option_texts({"options": ["A", "B"], "option1": "tin", "option2": "tea"}, 2) == ["tin", "tea"]
    assert listed_block("Pick.\n(A) tin\n(B) tea\n") == [("A", "tin"), ("B", "tea")]


def test_a_label_beyond_the_options_is_no_gold() -> None:
    config = {**QUESTION, "doc_to_choice": "{{options}}", "doc_to_target": "{{gold}}"}
    described = leaf(dataset={"path": "regisss/math_qa", "name": None, "splits": {"training": "train"}})
    row = {"Problem": "What is 2 + 2?", "options": "a ) 2 : 3', 'b ) 4', 'c ) 5']", "correct": "d", "Rationale": "r"}
    reading = Renderer(described, {**config, "doc_to_target": "{{correct}}"}).read(row)
    assert to_evaluation_row(reading, described, ROW).answer is None
