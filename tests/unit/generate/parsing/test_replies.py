import json

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nemo_sdg.generate.parsing import replies as parse
from nemo_sdg.generate.parsing.answers.programs import called
from nemo_sdg.generate.parsing.cleaning import clean
from nemo_sdg.generate.parsing.questions import read_questions
from nemo_sdg.generate.requests import Completion
from nemo_sdg.generate.schemas import mismatch, question_schema, solution_schema

OPTIONS = ["oxygen", "carbon dioxide", "helium"]
GOOD = {"context": "Plants breathe.", "reasoning": "So it is carbon dioxide.", "answer": "carbon dioxide"}


def completion(text: str, finish_reason: str = "stop", detail: str | None = None) -> Completion:
    return Completion(text=text, finish_reason=finish_reason, detail=detail)


def choose(text: str, finish_reason: str = "stop") -> tuple[dict[str, str] | None, str | None]:
    schema = solution_schema("multiple_choice", choices=OPTIONS, numeric=False, max_tokens=1000, like="What?")
    value, reason, _ = parse.read_vote(
        completion(text, finish_reason), kind="multiple_choice", options=OPTIONS, schema=schema
    )
    return without_trace(value), reason


def solve(text: str, kind: str = "numeric", finish_reason: str = "stop") -> tuple[dict[str, str] | None, str | None]:
    schema = solution_schema(kind, choices=None, numeric=False, max_tokens=1000, like="What?")
    value, reason, _ = parse.read_vote(completion(text, finish_reason), kind=kind, schema=schema)
    return without_trace(value), reason


def without_trace(value: dict[str, str] | None) -> dict[str, str] | None:
    return value and {name: text for name, text in value.items() if name != "trace"}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(GOOD),
        json.dumps(GOOD, indent=2),
        f"```json\n{json.dumps(GOOD)}\n```",
        f"Sure! Here is the answer:\n```\n{json.dumps(GOOD)}\n```\nI hope that helps {{smile}}.",
        f'<think>Maybe {{"answer": "helium"}}? No.</think>{json.dumps(GOOD)}',
        f"so it cannot be oxygen</think>\n{json.dumps(GOOD)}",
        json.dumps({**GOOD, "answer": "B"}),
        json.dumps({**GOOD, "answer": "(B)"}),
        json.dumps({**GOOD, "answer": "B. carbon dioxide"}),
        json.dumps({**GOOD, "answer": "(B) Carbon Dioxide."}),
        json.dumps({**GOOD, "answer": "The answer is (B)."}),
        json.dumps({**GOOD, "answer": "**carbon dioxide**"}),
        json.dumps({**GOOD, "answer": "\\boxed{B}"}),
        json.dumps({**GOOD, "answer": "ＣＡＲＢＯＮ ＤＩＯＸＩＤＥ"}),
        json.dumps({**GOOD, "confidence": 0.9}),
        json.dumps({name.title(): text for name, text in GOOD.items()}),
        json.dumps({**GOOD, "answer": "helium"}) + "\nWait, I correct myself.\n" + json.dumps(GOOD),
    ],
)
def test_what_models_do_around_an_answer_does_not_hide_it(text: str) -> None:
    assert choose(text) == (GOOD, None)


@pytest.mark.parametrize(
    ("text", "finish_reason", "reason"),
    [
        ("", "stop", "empty_output"),
        (" \n\t ", "stop", "empty_output"),
        ("", "length", "cut_at_max_tokens"),
        ("<think>I wonder", "length", "cut_at_max_tokens"),
        ("<think>I wonder", "stop", "empty_output"),
        ("I cannot help with that.", "stop", "refused_by_model"),
        ('{"context": "a", "reasoning": "b", "ans', "length", "cut_at_max_tokens"),
        ('{"context": "a", "reasoning": "b", "ans', "stop", "invalid_json"),
        ('{"context": "a", "reasoning": "b"}', "stop", "schema"),
        ('{"context": "a", "reasoning": "b", "answer": ""}', "stop", "schema"),
        ('[{"context": 1}]', "stop", "schema"),
        (json.dumps({**GOOD, "answer": "neon"}), "stop", "answer_not_an_option"),
        (json.dumps({**GOOD, "answer": "D"}), "stop", "answer_not_an_option"),
        (json.dumps({**GOOD, "answer": "A. helium"}), "stop", "answer_not_an_option"),
        (json.dumps({**GOOD, "answer": "A or B"}), "stop", "answer_not_an_option"),
        ('{"a":' * 5000, "stop", "invalid_json"),
        ('{"context": NaN}', "stop", "invalid_json"),
    ],
)
def test_every_failure_has_its_word(text: str, finish_reason: str, reason: str) -> None:
    assert choose(text, finish_reason) == (None, reason)


def test_a_refusal_of_the_engine_is_told() -> None:
    assert parse.read_vote(completion("", "refused", "prompt of 9000 tokens"), kind="numeric") == (
        None,
        "refused_by_engine",
        "prompt of 9000 tokens",
    )


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('{"context": "c", "reasoning": "r", "answer": 42}', "42"),
        ('{"context": "c", "reasoning": "r", "answer": 1.50}', "1.50"),
        ('{"context": "c", "reasoning": "r", "answer": "The answer is 42."}', "42"),
        ('{"context": "c", "reasoning": "r", "answer": "\\\\boxed{\\\\frac{1}{2}}"}', "\\frac{1}{2}"),
        ('{"context": "c", "reasoning": "r", "answer": "\\frac{1}{2}"}', "\\frac{1}{2}"),
        ('{"context": "c", "reasoning": "2 \\times 3 \\neq 5", "answer": "\\sqrt{2}"}', "\\sqrt{2}"),
        ("Context: sums.\nReasoning: 40 + 2 = 42.\nAnswer: 42", "42"),
        ("**Context:** sums.\n**Reasoning:** 40 + 2.\n**Final answer:** \\boxed{42}", "42"),
        ("First 40, then 2.\n#### 42", "42"),
        ("We add 40 and 2, so the answer is 42.", "42"),
        ("Es sind vierzig und zwei. \\boxed{42}", "42"),
        ("The answer is ４２。", "４２"),
        ("## Context\nSums.\n\n## Explanation\n40 + 2\n\n## Final Answer\n42\n", "42"),
        ("**Context**\nSums.\n**Reasoning**\n40 + 2\n**Answer**\n**42**", "42"),
        ("**Context:** Sums.\n**Reasoning:** 40 + 2\n**Answer:** **42**", "42"),
        ("Zuerst 40, dann 2. Die Antwort ist 42.", "42"),
        ("先に40、次に2。答えは42です。", "42"),
        ('{"context": "c", "reasoning": "r", "answer": "forty"}', "forty"),
        ('{"context": "c", "reasoning": "r", "answer": "½"}', "½"),
    ],
)
def test_numbers_are_found(text: str, answer: str) -> None:
    value, reason = solve(text)
    assert reason is None
    assert value is not None
    assert value["answer"] == answer


def test_latex_that_was_not_escaped_survives() -> None:
    value, _ = solve('{"context": "c", "reasoning": "2 \\times 3 \\neq \\frac{5}{1}\\nNext line", "answer": "6"}')
    assert value is not None
    assert value["reasoning"] == "2 \\times 3 \\neq \\frac{5}{1}\nNext line"


@pytest.mark.parametrize("answer", ["apples", "unknown", "yes"])
def test_words_are_no_number(answer: str) -> None:
    assert solve(json.dumps({**GOOD, "answer": answer})) == (None, "not_a_number")


def test_half_a_reply_in_plain_text_is_not_an_answer() -> None:
    assert solve("First I thought that the answer is 4, but then", finish_reason="length") == (
        None,
        "cut_at_max_tokens",
    )
    assert solve("The answer is \\boxed{4}. No, wait:", finish_reason="length") == (None, "cut_at_max_tokens")
    assert solve('{"context": "c", "reasoning": "so the answer is 4 or', finish_reason="length") == (
        None,
        "cut_at_max_tokens",
    )


def test_code_loses_its_fence_and_nothing_else() -> None:
    program = "def f(x):\n    # {}\n    return '''```'''\n"
    value, _ = solve(json.dumps({**GOOD, "answer": f"```python\n{program}```"}), kind="code")
    assert value is not None
    assert value["answer"] == program.rstrip("\n")


def test_newlines_of_a_program_are_never_latex() -> None:
    for program in ("u = 2\ne = 3\nnot_x = 4", "def f():\n\treturn 1\nto = f"):
        value, _ = solve(json.dumps({**GOOD, "answer": program}), kind="code")
        assert value is not None
        assert value["answer"] == program


def test_a_program_stands_under_its_heading() -> None:
    value, _ = solve(
        (
            "## Context\nIndexing.\n## Reasoning\nTake the first.\n## Answer\n```python\ndef f(x):\n    return "
            "x[0]\n```\nDone."
        ),
        kind="code",
    )
    assert value == {"context": "Indexing.", "reasoning": "Take the first.", "answer": "def f(x):\n    return x[0]"}


def test_a_text_closed_at_its_bound_ends_with_its_last_sentence() -> None:
    schema = solution_schema("multiple_choice", choices=OPTIONS, numeric=False, max_tokens=60, like="What?")
    bound = schema["properties"]["reasoning"]["maxLength"]
    reasoning = ("One. Two! " + "x" * bound)[:bound]
    value, _, _ = parse.read_vote(
        completion(json.dumps({**GOOD, "reasoning": reasoning})), kind="multiple_choice", options=OPTIONS, schema=schema
    )
    assert value is not None
    assert value["reasoning"] == "One. Two!"


def test_texts_are_cleaned_of_what_no_file_can_hold() -> None:
    value, _ = choose('{"context": "a\\u0000b \\ud800 c\\r\\nd", "reasoning": "\\u001b[31mred", "answer": "oxygen"}')
    assert value is not None
    assert value["context"] == "ab ? c\nd"
    assert value["reasoning"] == "[31mred"
    orjson.dumps(value)


@settings(deadline=None)
@given(
    st.one_of(
        st.text(),
        st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ).map(json.dumps),
    )
)
def test_no_text_breaks_the_parser_and_every_end_is_a_value_or_a_known_reason(text: str) -> None:
    for value, reason in (choose(text), solve(text), solve(text, "code"), solve(text, "free_text")):
        assert (value is None) != (reason is None)
        assert reason is None or reason in parse.REASONS
        if value is not None:
            orjson.dumps(value)
            assert value["answer"].strip()
    orjson.dumps(clean(text))


@settings(deadline=None)
@given(
    st.fixed_dictionaries({name: st.text(min_size=1) for name in ("context", "reasoning")}),
    st.sampled_from(OPTIONS),
    st.sampled_from(["{}", "```json\n{}\n```", "Sure:\n{}\nDone."]),
)
def test_a_well_formed_solution_is_read_back_whatever_its_texts_hold(
    texts: dict[str, str], answer: str, around: str
) -> None:
    value, reason = choose(around.format("%s") % json.dumps({**texts, "answer": answer}))
    cleaned = {name: clean(text) for name, text in texts.items()}
    if (
        all(cleaned.values())
        and "<think" not in json.dumps(texts)
        and "</think" not in json.dumps(texts)
        and "\\" not in str(texts.values())
    ):
        assert (value, reason) == ({**cleaned, "answer": answer}, None)


@settings(deadline=None)
@given(
    st.sampled_from(["multiple_choice", "numeric", "short_text", "code"]),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from(["stop", "length"]),
    st.booleans(),
)
def test_a_cut_reply_is_never_an_answer(kind: str, share: float, finish_reason: str, fenced: bool) -> None:
    reply = json.dumps(
        {**GOOD, "reasoning": "One line.\nSo the answer is carbon dioxide.\nThe answer is 4.\nAnswer: B"}
    ).replace("\\n", "\n")
    cut = ("```json\n" if fenced else "") + reply[: int(share * len(reply))]
    value, reason = choose(cut, finish_reason) if kind == "multiple_choice" else solve(cut, kind, finish_reason)
    assert value is None
    assert reason in ("cut_at_max_tokens", "invalid_json", "empty_output")


@settings(deadline=None)
@given(st.data())
def test_a_damaged_reply_gives_an_option_or_a_reason(data: st.DataObject) -> None:
    reply = list(json.dumps(GOOD))
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(reply) - 1))
        reply[place] = data.draw(
            st.sampled_from(["", "{", "}", '"', "\\", ",", ":", "\n", "x", "\ud800", "<think>", "```", "[", "\x00"])
        )
    value, reason = choose("".join(reply))
    assert (value is None) != (reason is None)
    assert value is None or value["answer"] in OPTIONS


def test_called_shows_calls_and_never_results() -> None:
    tests = [
        "assert f([1, 2], key='a') == 3",
        "assert abs(g(2) - 4.0) < 0.1",
        "f(",
        "assert not h(1)",
        "assert h(2)",
        "assert 7 == f(4)",
        "x = f(9)",
        "assert 1 == 1",
    ]
    assert called(tests) == ["f([1, 2], key='a')", "abs(g(2) - 4.0)", "h(1)", "h(2)", "f(4)"]


def test_schema_of_a_question_follows_its_seed() -> None:
    schema = question_schema("multiple_choice", passage=True, num_choices=4, max_tokens=200, like="What is it?")
    assert list(schema["properties"]) == ["passage", "question", "choices"]
    assert (schema["properties"]["choices"]["minItems"], schema["properties"]["choices"]["maxItems"]) == (4, 4)
    assert mismatch({"passage": "p", "question": "q", "choices": ["a"]}, schema) is None, (
        "the count has reasons of its own"
    )
    assert mismatch({"passage": "p", "question": " ", "choices": []}, schema) == "question: empty string"
    assert mismatch({"question": "q"}, schema) == "passage is missing"


@settings(deadline=None)
@given(st.integers(64, 600), st.sampled_from(["What is it?", "¿Qué país es más frío, Perú o Chile?", "これは何ですか"]))
def test_bounds_leave_room_for_the_whole_object(max_tokens: int, like: str) -> None:
    schema = solution_schema("numeric", choices=None, numeric=True, max_tokens=max_tokens, like=like)
    bounds = [schema["properties"][name]["maxLength"] for name in ("context", "reasoning")]
    assert sum(bounds) + 40 <= 4 * max_tokens
    assert min(bounds) >= 6


@pytest.mark.parametrize(
    "listed",
    [
        "- inheritance\n- knowledge\n- Answer\n- solution",
        "- Law: a rule that many observations follow\n- Theory: what explains them\n- hunch",
        "1. Proof\n2. Explanation\n3. Background",
        "wealth\nknowledge\ntheory",
        "* **Theory**\n* hunch",
    ],
)
def test_options_that_have_the_name_of_a_section_are_options(listed):
    (written,) = read_questions(f"### Question\nWhich of these can be shared?\n\n### Options\n{listed}")
    assert len(written["options"]) == listed.count("\n") + 1


@pytest.mark.parametrize(
    "reply",
    [
        "### Question\nWhich?\n### Options\n- a\n- b\n### Answer\nb",
        "### Question\nWhich?\n### Options\n- a\n- b\n\nAnswer: b",
        "### Question\nWhich?\n### Options\n- a\n- b\nExplanation\nb it is",
        "### Question\nWhich?\n### Options\n- a\n- b\n- **Answer:** b",
        "- Question: Which?\n- Options:\n  - a\n  - b\n- Explanation: b it is",
        "Question:\nWhich?\nOptions:\na\nb\n\nExplanation\nb it is",
    ],
)
def test_a_heading_after_the_options_ends_them(reply):
    (written,) = read_questions(reply)
    assert written["options"] == ["a", "b"]
