"""Thinking and text are separated in every form that models use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nemo_sdg.generate.parsing.traces import answer_in_trace, separate, split_trace

PAIRS = [
    ("<think>", "</think>"),
    ("<thinking>\n", "\n</thinking>"),
    ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<longcat_think>", "</longcat_think>"),
    ("<mm:think>", "</mm:think>"),
    ('<think duration="3">', "</think>"),
    ("<｜begin▁of▁thinking｜>", "<｜end▁of▁thinking｜>"),
    ("<|think|>", "<|end|><|begin|>assistant<|content|>"),
    ('<details type="reasoning" done="true">\n', "\n</details>\n"),
    ("", "</think>"),
    ("<think>\n<think>\n", "</think>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ("<|start|>assistant<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
]


@pytest.mark.parametrize(("opening", "closing"), PAIRS)
def test_each_form_is_split(opening, closing):
    assert split_trace(f"{opening}Draft: answer 3. No, 4.{closing}\n\nAnswer: 4") == (
        "Answer: 4",
        "Draft: answer 3. No, 4.",
    )


def test_many_blocks_of_thinking_are_one_thinking():
    block = '<details type="reasoning">a</details>'
    assert split_trace(f"{block * 1500}Answer: 5") == ("Answer: 5", "\n\n".join("a" * 1500))


WORDS = st.text(alphabet="abc XYZ.,\n0123", max_size=80)


@given(pair=st.sampled_from(PAIRS), thought=WORDS, answer=WORDS)
def test_nothing_is_lost_and_nothing_is_mixed(pair, thought, answer):
    assert split_trace(f"{pair[0]}{thought}{pair[1]}{answer}") == (answer.strip(), thought.strip())


@given(WORDS)
def test_text_without_a_mark_is_text(text):
    assert split_trace(text) == (text.strip(), "")


def test_harmony_without_its_special_tokens():
    assert split_trace("analysisWe need JSON. So 4.assistantfinalAnswer: 4") == ("Answer: 4", "We need JSON. So 4.")
    assert split_trace('analysisWe need it.assistantfinal{"answer": "4"}') == ('{"answer": "4"}', "We need it.")
    assert split_trace("analysisWe need to look at") == ("", "We need to look at")
    assert split_trace("analysis of the data shows 4") == ("analysis of the data shows 4", "")


def test_a_tool_channel_and_a_final_one_that_is_constrained():
    text = (
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary<|message|>Plan.<|end|>"
        '<|start|>assistant<|channel|>final <|constrain|>json<|message|>{"answer": "4"}<|return|>'
    )
    assert split_trace(text) == ('{"answer": "4"}', "Hm.\n\nPlan.")


@pytest.mark.parametrize(
    "text",
    [
        '{"reasoning": "Use <think> wisely.", "answer": "4"}',
        "The tag `<think>` opens and `</think>` closes it.",
        'In HTML one would write "</think>" here.',
        "A list [1, 2] and a < b.",
    ],
)
def test_a_tag_that_is_spoken_of_is_text(text):
    assert split_trace(text) == (text, "")


def test_several_thoughts_leave_the_text_between_them():
    assert split_trace("<think>a</think>one <think>b</think>two") == ("one two", "a\n\nb")


def test_a_thought_that_never_ends_leaves_no_text():
    assert split_trace("<think>So 3, or 4, or") == ("", "So 3, or 4, or")
    assert separate("<think>So 3, or {}", finish_reason="length") == ("", "So 3, or {}")


def test_an_answer_at_the_end_of_a_thought_is_found_and_a_draft_is_not():
    json_ = '{"a": "x { y", "b": {"c": 1}}'
    assert answer_in_trace(f"I think.\n```json\n{json_}\n```") == (json_, "I think.")
    assert separate("", f"I think.\n{json_}") == (json_, "I think.")
    assert separate("", f'{json_} But no, "y" is better.') == ("", f'{json_} But no, "y" is better.')


def test_a_field_and_a_tag_are_one_trace():
    assert separate("<think>b</think>Answer: 4", "a") == ("Answer: 4", "a\n\nb")


SECTIONS = "## Context\nIce is cold.\n\n## Reasoning\nSo it melts.\n\n## Answer\nyes"
TAGS = "<context>\nIce is cold.\n</context>\n<reasoning>\nSo it melts.\n</reasoning>\n<answer>yes</answer>"


@pytest.mark.parametrize("final", [SECTIONS, TAGS, '{"answer": "yes"}', "**Reasoning:** So it melts.\n**Answer:** yes"])
def test_thinking_in_tags_of_reasoning_is_told_from_a_section_by_what_follows(final):
    """gpt-oss of Bedrock."""
    assert split_trace(f"<reasoning>Is it cold? I will write.</reasoning>{final}") == (
        final,
        "Is it cold? I will write.",
    )
    assert split_trace(final) == (final, "")


@pytest.mark.parametrize(
    "text", ["<reasoning>So.</reasoning>\n<answer>yes</answer>", "<reasoning>So.</reasoning>\nyes"]
)
def test_a_section_of_reasoning_that_comes_first_stays(text):
    assert split_trace(text) == (text, "")


def test_thousands_of_blocks_of_reasoning_are_read():
    text, thinking = split_trace("<reasoning>So.</reasoning>\n" * 3000 + "# Answer\nyes")
    assert (text, thinking.count("So.")) == ("# Answer\nyes", 3000)
