from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nemo_sdg.export import phrases as words
from nemo_sdg.export.documents import render_text, render_texts, render_turns
from nemo_sdg.export.phrases import phrases_of
from nemo_sdg.records import Answer, Frame, Kind, Sample, to_dict
from nemo_sdg.text.tables import read_table

LANGUAGES = sorted(read_table(Path(words.__file__).with_name("phrases.yaml")))
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=30)
PARAGRAPHS = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
MAYBE = st.one_of(st.just(""), PARAGRAPHS)


def make_sample(**fields: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "sample_id": "a1",
        "origin": "similar",
        "seed_ids": ["s1"],
        "task": "sciq",
        "family": "science",
        "capability": "knowledge",
        "kind": "short_text",
        "frame": "generation",
        "language": "en",
        "question": "Which gas do plants take in?",
        "answer": Answer(text="carbon dioxide"),
        "context": "Plants build sugar from a gas of the air.",
        "reasoning": "They take it in through their leaves.",
    }
    return to_dict(Sample(**{**plain, **fields}))


@st.composite
def samples(draw: st.DrawFn) -> dict[str, Any]:
    choices = draw(st.one_of(st.none(), st.lists(PARAGRAPHS, min_size=2, max_size=5, unique=True)))
    return make_sample(
        sample_id=draw(st.text(min_size=1, max_size=8)),
        kind=draw(st.sampled_from(list(Kind))),
        frame=draw(st.sampled_from(list(Frame))),
        language=draw(st.sampled_from([*LANGUAGES, "xx"])),
        question=draw(PARAGRAPHS),
        passage=draw(st.one_of(st.none(), PARAGRAPHS)),
        choices=choices,
        answer=Answer(text=draw(st.sampled_from(choices) if choices else PARAGRAPHS)),
        tests=draw(st.one_of(st.none(), st.lists(PARAGRAPHS, min_size=1, max_size=3))),
        context=draw(MAYBE),
        reasoning=draw(MAYBE),
    )


@given(samples())
def test_the_variants_differ_in_the_context_only(sample: dict[str, Any]) -> None:
    with_context, without = render_text(sample, "context"), render_text(sample, "no_context")
    if not sample["context"]:
        assert with_context == without
        return
    start = next((i for i, (a, b) in enumerate(zip(with_context, without, strict=False)) if a != b), len(without))
    length = len(with_context) - len(without)
    candidates = [
        i for i in range(start + 1) if with_context[:i] == without[:i] and with_context[i + length :] == without[i:]
    ]
    stretches = [with_context[i : i + length] for i in candidates]
    background = phrases_of(sample["language"]).background
    expected = {sample["context"], background + sample["context"]}
    assert any(stretch.strip() in {text.strip() for text in expected} for stretch in stretches)


@given(samples())
def test_every_text_of_a_sample_is_kept(sample: dict[str, Any]) -> None:
    for variant in ("context", "no_context"):
        text = render_text(sample, variant)
        parts = [
            sample["question"],
            sample["passage"],
            sample["reasoning"],
            sample["answer"]["text"],
            *(sample["choices"] or []),
        ]
        parts += (sample["tests"] or []) if sample["kind"] == "code" and not sample["choices"] else []
        parts += [sample["context"]] if variant == "context" else []
        assert [part for part in parts if part and part not in text] == []
        assert text == text.strip()


@given(samples())
def test_the_answer_ends_the_text_and_reasoning_stands_before_it(sample: dict[str, Any]) -> None:
    text = render_text(sample, "no_context").removesuffix("\n```")
    assert text.endswith(sample["answer"]["text"])
    assert sample["reasoning"] in text[: len(text) - len(sample["answer"]["text"])]


@pytest.mark.parametrize("kind", list(Kind))
def test_a_kind_has_several_templates(kind: str) -> None:
    choices = ["oxygen", "carbon dioxide"] if kind == Kind.multiple_choice else None
    texts = {
        render_text(make_sample(sample_id=f"sample {number}", kind=kind, choices=choices), "no_context")
        for number in range(50)
    }
    assert len(texts) >= 3


@pytest.mark.parametrize("variant", ["context", "no_context"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_lacks_a_phrase(language: str, variant: str) -> None:
    phrases = phrases_of(language)
    assert all(getattr(phrases, name).strip() for name in phrases.__slots__)
    assert any(
        phrases.question in render_text(make_sample(sample_id=str(number), language=language), variant)
        for number in range(9)
    )


def test_the_question_answer_form() -> None:
    texts = [
        render_text(make_sample(sample_id=str(number), reasoning="", context=""), "context") for number in range(9)
    ]
    assert "Question: Which gas do plants take in?\nAnswer: carbon dioxide" in texts


def test_the_label_never_stands_without_the_answer() -> None:
    choices = ["oxygen", "carbon dioxide"]
    texts = {
        render_text(make_sample(sample_id=str(number), kind="multiple_choice", choices=choices), "context")
        for number in range(30)
    }
    assert any(text.endswith("The answer is: B. carbon dioxide") for text in texts)
    assert all(text.endswith("carbon dioxide") for text in texts)


@pytest.mark.parametrize("frame", [Frame.selection, Frame.classification])
@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning": "Option A is food for us, so option B is right."},
        {"reasoning": "Sie atmen es ein, also (b)."},
        {"context": "选项B是植物需要的。"},
        {"trace": "Hmm, A or B? It must be B."},
        {"choices": ["oxygen", "carbon dioxide", "both A and B"]},
    ],
)
def test_where_texts_name_options_by_letter_the_options_show_their_letters(
    fields: dict[str, Any], frame: Frame
) -> None:
    """A list of dashes, or `oxygen / carbon dioxide`, leaves such a letter without a meaning."""
    choices = {"choices": ["oxygen", "carbon dioxide"], "answer": Answer(text="carbon dioxide"), **fields}
    for number in range(30):
        sample = make_sample(sample_id=str(number), kind="multiple_choice", frame=frame, **choices)
        shown = [*render_texts(sample, ["context", "no_context", "answer_only", "trace"]), render_turns(sample)[0]]
        for text in shown:
            assert ("A. oxygen\nB. carbon dioxide" in text) or ("(A) oxygen\n(B) carbon dioxide" in text), text
        assert render_turns(sample)[1].endswith("B. carbon dioxide")


def test_without_letters_in_the_texts_options_stand_in_lists_of_every_form() -> None:
    texts = [
        render_text(
            make_sample(sample_id=str(n), kind="multiple_choice", choices=["oxygen", "carbon dioxide"]), "context"
        )
        for n in range(30)
    ]
    for first in ("A. oxygen", "(A) oxygen", "- oxygen"):
        assert any(first in text for text in texts), first


def test_code_keeps_its_indentation_and_stands_in_a_fence() -> None:
    code = "    x = 1\n    return x"
    for number in range(9):
        text = render_text(
            make_sample(
                sample_id=str(number), kind="code", answer=Answer(text=f"\n{code}\n"), tests=["assert f() == 1"]
            ),
            "context",
        )
        assert f"```python\n{code}\n```" in text
        assert "The code should pass these tests:\n```python\nassert f() == 1\n```" in text


def test_a_language_without_phrases_gets_no_english_words() -> None:
    text = render_text(
        make_sample(language="yo", question="q", reasoning="r", context="c", answer=Answer(text="a")), "context"
    )
    assert set(text.split()) == {"q", "r", "c", "a"}


def test_more_options_than_letters_are_all_kept() -> None:
    choices = [f"option {number}" for number in range(30)]
    for number in range(9):
        text = render_text(
            make_sample(
                sample_id=str(number), kind="multiple_choice", choices=choices, answer=Answer(text="option 29")
            ),
            "context",
        )
        assert all(choice in text for choice in choices)


@pytest.mark.parametrize("fields", [{"question": " "}, {"answer": None}, {"answer": Answer(text="\n")}])
def test_without_question_or_answer_there_is_no_text(fields: dict[str, Any]) -> None:
    assert render_text(make_sample(**fields), "context") == ""


KINDS = ["multiple_choice", "numeric", "short_text", "free_text", "code"]


@pytest.mark.parametrize("kind", KINDS)
def test_answer_only_holds_question_options_and_answer_and_nothing_generated_besides(kind: str) -> None:
    choices = ["the first choice", "the second choice"] if kind == "multiple_choice" else None
    for number in range(20):
        sample = make_sample(
            sample_id=f"{number}", kind=kind, choices=choices, answer=Answer(text="the second choice"),
            reasoning="A chain of thought.", context="Some knowledge.",
        )  # fmt: skip
        context, no_context, answer_only = render_texts(sample, ("context", "no_context", "answer_only"))
        assert "A chain of thought." in no_context
        assert "chain" not in answer_only
        assert "knowledge" not in answer_only
        assert sample["question"] in answer_only
        assert "the second choice" in answer_only.splitlines()[-1] or kind == "code"
        assert render_texts(sample, ("answer_only", "context", "no_context")) == [answer_only, context, no_context]


@pytest.mark.parametrize("kind", KINDS)
def test_trace_puts_the_models_own_thinking_before_its_reasoning(kind: str) -> None:
    for number in range(20):
        sample = make_sample(
            sample_id=f"{number}", kind=kind, choices=["a", "b"] if kind == "multiple_choice" else None,
            answer=Answer(text="b"), reasoning="It is written out.", context="Some knowledge.",
        )  # fmt: skip
        assert render_text(sample, "trace") == render_text(sample, "no_context")
        sample["trace"] = "Hmm, let me see.\n\nWait."
        text = render_text(sample, "trace")
        assert "Hmm, let me see.\n\nWait.\n\nIt is written out." in text
        assert text.replace("Hmm, let me see.\n\nWait.\n\n", "") == render_text(sample, "no_context")
