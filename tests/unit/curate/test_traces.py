"""Thinking of models as training text."""

import pytest

from nemo_sdg.curate.traces import clean_trace, is_written_in

THOUGHT = (
    "There are 3 shirts and 5 trousers. Each shirt goes with each pair of trousers. So we multiply: 3 · 5 = 15.\n\n"
    "Check: with 1 shirt it would be 5, which is right."
)


@pytest.mark.parametrize(
    "talk",
    [
        "The user wants three sections.",
        "Okay, the user asks for the number of outfits.",
        "I should write the context in 60 to 200 words.",
        "The required format is context, reasoning, answer.",
        "Let me now write the answer under the heading ## Answer.",
        "We must not mention the options by a letter.",
        "The instructions say to use LaTeX between dollar signs.",
        "Der Nutzer möchte eine Antwort.",
    ],
)
def test_talk_about_the_prompt_goes_and_the_thinking_stays(talk: str) -> None:
    assert clean_trace(f"{talk} {THOUGHT}", "en", 4000) == THOUGHT
    assert clean_trace(f"{THOUGHT}\n\n{talk}", "en", 4000) == THOUGHT


def test_numbers_with_points_and_lines_of_a_list_stay_whole() -> None:
    text = (
        "- speed: 3.5 m/s, since v = 7.0/2.\n- time: 2 s (given), e.g. from the table.\n\nSo the way is 7.0 m in all."
    )
    assert clean_trace(text, "en", 4000) == text


@pytest.mark.parametrize(
    ("trace", "language", "max_tokens"),
    [
        ("", "en", 100),
        ("The user wants JSON. The prompt asks for sections. I should write the context. So 15.", "en", 4000),
        (THOUGHT * 40, "en", 4000),
        (THOUGHT, "en", 10),
        (THOUGHT, "de", 4000),
        (THOUGHT, "zh", 4000),
        ("15.", "en", 4000),
    ],
)
def test_what_is_no_thinking_in_the_samples_language_and_length_is_none(
    trace: str, language: str, max_tokens: int
) -> None:
    assert clean_trace(trace, language, max_tokens) is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Drei Hemden und fünf Hosen, jedes Hemd passt zu jeder Hose, also sind es insgesamt fünfzehn.", "de"),
        ("三件衬衫和五条裤子，每件衬衫可以配每条裤子，所以一共有十五种不同的搭配方法。", "zh"),
        ("Три рубашки и пять брюк, каждая рубашка подходит к каждым брюкам, значит всего пятнадцать.", "ru"),
    ],
)
def test_the_language_is_the_samples(text: str, language: str) -> None:
    assert is_written_in(text, language)
    assert not is_written_in(text, "ar")
