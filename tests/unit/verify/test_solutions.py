"""The solution that is kept of several right ones."""

import dataclasses

import pytest

from nemo_sdg.records import Sample, Vote
from nemo_sdg.verify.solutions import adds_knowledge, contradicts_letters, names_answer, rank

SAMPLE = Sample(
    sample_id="s",
    origin="similar",
    seed_ids=["a"],
    task="t",
    family="f",
    capability="c",
    kind="numeric",
    frame="generation",
    language="en",
    question="How many legs do 3 hens have?",
)


def solution(index: int, reasoning: str, context: str = "Hens are birds and walk upright on two feet.") -> Vote:
    return Vote(index=index, guidance="blind", answer="6", reasoning=reasoning, context=context)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (solution(1, "Each hen has 2, so 3 hens have 6."), solution(0, "Each hen has some legs, so it is clear.")),
        (solution(1, "It is 6."), solution(0, "")),
        (solution(1, "It is 6."), solution(0, "It is 6.", context="How many legs do hens have?")),
        (solution(1, "It is 6."), solution(0, "It is 6.", context="Birds walk upright, and 6 is what comes out.")),
        (solution(1, "Two legs for each of three hens give 6."), solution(0, "6 6 6 6 6 6 6 6 6 6 6 6")),
        (solution(0, "It is 6."), solution(1, "It is 6.")),
    ],
)
def test_the_better_solution_comes_first(better: Vote, worse: Vote) -> None:
    assert rank(better, SAMPLE) < rank(worse, SAMPLE)


def test_a_number_is_named_by_its_value() -> None:
    assert names_answer("so there are 6.0 legs", "6", SAMPLE)
    assert not names_answer("so there are 16 legs", "6", SAMPLE)


def test_a_context_of_the_questions_own_words_adds_nothing() -> None:
    assert not adds_knowledge("Hens have legs. How many legs?", SAMPLE)
    assert adds_knowledge("Poultry such as chickens stand upright.", SAMPLE)


@pytest.mark.parametrize(
    ("reasoning", "contradicts"),
    [
        ("A) iron rusts, B) gold does not.", False),
        ("B) iron rusts.", True),
        ("(B) iron rusts.", True),
        ("B: ironing rusts nothing.", False),
        ("NB) iron rusts.", False),
        ("A) B) gold shines.", False),
        ("A. B. iron rusts.", True),
        ("So the answer is B.", True),
    ],
)
def test_letters_that_name_other_options(reasoning: str, contradicts: bool) -> None:
    sample = dataclasses.replace(SAMPLE, kind="multiple_choice", choices=["iron", "gold"])
    vote = Vote(index=0, guidance="blind", answer="iron", reasoning=reasoning, context="Metals differ.")
    assert contradicts_letters(vote, sample) is contradicts
