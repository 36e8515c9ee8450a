"""Reading the questions that a writer wrote: the form of a reply's headings decides what is a part of a passage."""

import pytest

from nemo_sdg.generate.parsing.questions import read_questions, read_tests

OPTIONS = ["in the park", "at home"]


def written(passage: str, question: str = "Where was the dog?") -> str:
    return (
        f"### Plan\nIt tests a fact.\n\n### Passage\n{passage}\n\n### Question\n{question}\n\n### Options\n"
        + "\n".join(f"- {option}" for option in OPTIONS)
    )


@pytest.mark.parametrize(
    "passage",
    [
        "Question: Do you walk?\nAnswer: Every day.\nQuestion: Where?\nAnswer: In the park.",
        "A: Where is the dog?\nB: In the park.",
        "# Methods\nTwelve dogs were fed.\n\n## Analysis\nBy hand.\n\n**Results:** All slept.",
        "### Ingredients\nFlour.\n\n### Steps\nMix it.",
        "Rules\n=====\n\nDogs must be on a lead.",
        "The note said:\n\n> ### Question\n> Who was it?\n\nNobody knew.",
        "Options: a kennel or a friend.\n\nPlan: buy land.",
        "The moon is high;\n  he hears the mill.\n\nThen a bark.",
        "سؤال: أين القط؟\nجواب: في البيت.",
    ],
)
def test_a_passage_keeps_what_looks_like_a_heading_of_another_form(passage: str) -> None:
    assert read_questions(written(passage)) == [
        {"passage": passage, "question": "Where was the dog?", "options": OPTIONS}
    ]


@pytest.mark.parametrize(
    "question",
    [
        "Glaciers move.\nQuestion: Glaciers stand still. True, False or Neither?",
        "Is it true that iron rusts?\nAnswer:",
        "Context: The dog slept.\nWho slept?",
        "Text: The dog slept.\nQuestion: Who slept?",
        "Proof: 1 = 2, since 0 = 0.\n\nWhich step is wrong?",
        "What does this print?\n\n```python\n# Options\nprint(1)\n```",
    ],
)
def test_a_question_keeps_lines_of_its_own(question: str) -> None:
    assert read_questions(f"### Plan\nx\n\n### Question\n{question}\n") == [{"question": question}]


@pytest.mark.parametrize(
    "question", ["If you have 12 eggs and use 5, how many are left?", "Translate into German:\n\nI hope that it rains."]
)
@pytest.mark.parametrize(
    "chatter",
    [
        "",
        "\n\nLet me know if you need more questions!",
        "\n\nI hope this helps.",
        "\n\n---\n*Let me know if you want more.*",
    ],
)
def test_chatter_behind_a_question_is_left_out_and_the_question_is_not(question: str, chatter: str) -> None:
    assert read_questions(f"### Plan\nx\n\n### Question\n{question}{chatter}") == [{"question": question}]


def test_an_answer_that_is_given_away_is_no_part_of_the_question() -> None:
    for given in ("**Answer:** 12", "### Answer\n12", "**Solution:** It is 3 + 9 = 12."):
        assert read_questions(f"### Question\nHow many?\n\n{given}") == [{"question": "How many?"}]


FIRST = "### Plan\nx\n\n### Question\nWhich rusts?\n\n### Options\n- iron\n- gold\n"
SECOND = FIRST.replace("rusts", "shines")


@pytest.mark.parametrize(
    "between",
    [
        "",
        "---\n",
        "=====\n",
        "**=====**\n",
        "`=====`\n",
        "## Question 2\n\n=====\n",
        "**Question 2**\n\n",
        "=====\n---\n",
    ],
)
def test_two_questions_are_two_whatever_stands_between(between: str) -> None:
    first, second = read_questions(f"{FIRST}\n{between}\n{SECOND}")
    assert first == {"question": "Which rusts?", "options": ["iron", "gold"]}
    assert second == {"question": "Which shines?", "options": ["iron", "gold"]}


def test_headings_may_be_closed() -> None:
    text = "### Question ###\nWhich rusts?\n\n### Options ###\n- iron\n- gold\n"
    assert read_questions(text) == [{"question": "Which rusts?", "options": ["iron", "gold"]}]


def test_numbered_headings_are_headings() -> None:
    text = "### Question 1\nHow many?\n\n### Question 2\nHow long?\n"
    assert read_questions(text) == [{"question": "How many?"}, {"question": "How long?"}]
    text = text.replace("How", "Text: The dog slept.\nHow")
    assert [each["question"][:5] for each in read_questions(text)] == ["Text:", "Text:"]


def test_questions_in_a_numbered_list_keep_their_own_options() -> None:
    text = "".join(
        f"{number}. **Question:** {asked}?\n   **Options:**\n   - {options[0]}\n   - {options[1]}\n"
        for number, (asked, options) in enumerate([("Who", "ab"), ("Where", "cd")], 1)
    )
    assert read_questions(text) == [
        {"question": "Who?", "options": ["a", "b"]},
        {"question": "Where?", "options": ["c", "d"]},
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("Plan", "Frage", "Optionen"),
        ("计划", "问题", "选项"),
        ("الخطة", "السؤال", "الخيارات"),
        ("योजना", "प्रश्न", "विकल्प"),
    ],
)
def test_headings_in_the_language_of_the_question_are_headings(names: tuple[str, ...]) -> None:
    text = FIRST
    for english, name in zip(("Plan", "Question", "Options"), names, strict=True):
        text = text.replace(f"### {english}", f"### {name}")
    assert read_questions(text) == read_questions(FIRST)


def test_a_reply_in_a_fence_is_read_with_the_fence_of_its_tests() -> None:
    text = "### Question\nWrite f.\n\n### Tests\n```python\nassert f(1) == 2\n```\n"
    assert read_questions(f"Here it is:\n\n````markdown\n{text}````") == read_questions(text)


@pytest.mark.parametrize(
    "shown",
    [
        "assert f(1) == 2\nassert(f(2) == 3)",
        "- `assert f(1) == 2`\n- `assert(f(2) == 3)`",
        "```python\nassert f(1) == 2\n```\n\n```python\nassert(f(2) == 3)\n```",
        "```python\n# ordinary\nassert f(1) == 2\n\nassert(f(2) == 3)\n```",
        "   ```python\n   assert f(1) == 2\n   assert(f(2) == 3)\n   ```",
        "```python\ndef test_f():\n    assert f(1) == 2\n    assert(f(2) == 3)\n```",
    ],
)
def test_asserts_are_read_however_they_stand(shown: str) -> None:
    assert read_tests(shown) == ["assert f(1) == 2", "assert(f(2) == 3)"]


def test_strings_in_tests_hold_anything() -> None:
    tests = ['assert f("""# Title\n=====\n## Question\n- a""") == 2', 'assert f("## Answer") == "```"']
    text = "### Question\nWrite f.\n\n### Tests\n```python\n" + "\n".join(tests) + "\n```\n"
    assert read_questions(text) == [{"question": "Write f.", "tests": tests}]


def test_asserts_on_names_of_a_function_are_no_tests() -> None:
    assert read_tests("```python\ndef test_f():\n    x = 1\n    assert f(x) == 2\n```") == []


def test_tags_are_headings() -> None:
    text = (
        "<plan>x</plan>\n<passage>\nQuestion: Who?\n</passage>\n"
        "<question>\nWhich?\n</question>\n<options>\n- a\n- b\n</options>"
    )
    first, second = read_questions(f"{text}\n\n{text}")
    assert first == second == {"passage": "Question: Who?", "question": "Which?", "options": ["a", "b"]}


@pytest.mark.parametrize("mark", ["\u00a0", " \u200b", " \u200f"])
def test_spaces_and_marks_of_no_width_are_no_part_of_a_name(mark: str) -> None:
    text = f"###{mark}Question{mark}\nWhich?\n\n###{mark}Options\n- a\n- b"
    assert read_questions(text) == [{"question": "Which?", "options": ["a", "b"]}]
