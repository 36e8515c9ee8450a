"""The solution that is kept of several right ones."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nemo_sdg.records import Sample, Vote
from nemo_sdg.text.words import distinct_words
from nemo_sdg.verify import solutions
from nemo_sdg.verify.solutions import adds_knowledge, best_first, contradicts_letters, names_answer

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
    assert list(best_first([[worse, better]], SAMPLE)) == [better, worse]


CONTEXTS = ["", "6 legs are had by hens.", "Hens have legs.", "Poultry such as chickens stand upright.", "A) 6 is it."]
REASONINGS = ["", "It is 6.", "Two legs for each of three hens.", "B) 6 legs.", "so 6 6 6 6", "Each hen has 2, so 6."]
VOTES = st.lists(st.tuples(st.sampled_from(CONTEXTS), st.sampled_from(REASONINGS)), max_size=5)


@given(VOTES, VOTES, st.sampled_from(["numeric", "multiple_choice", "short_text", "free_text"]))
@settings(max_examples=80)
def test_solutions_come_in_the_order_of_all_that_is_looked_for(
    first: list[tuple[str, str]], second: list[tuple[str, str]], kind: str
) -> None:
    sample = dataclasses.replace(SAMPLE, kind=kind, choices=["6", "8", "7"] if kind == "multiple_choice" else None)
    tiers = [[solution(place, said, told) for place, (told, said) in enumerate(votes)] for votes in (first, second)]

    def rank(vote: Vote) -> tuple[object, ...]:
        num_words = len(distinct_words(vote.reasoning, "en"))
        return (*(fault(vote, sample) for fault in reversed(solutions.FAULTS)), -num_words, vote.index)

    wanted = [vote for votes in tiers for vote in sorted(votes, key=rank)]
    assert list(best_first(tiers, sample)) == wanted


def test_faults_of_solutions_that_nobody_asks_for_are_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(solutions, "FAULTS", [lambda vote, _: asked.append(vote.index)])
    votes = [solution(0, "It is 6."), solution(1, "Each hen has 2, so 3 hens have 6."), solution(2, "So it is 6.")]
    assert next(best_first([votes], SAMPLE)).index == 1
    assert asked == [1]


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
        ("Option B. iron rusts.", True),
        ("**B.** iron rusts.", True),
        ("Its cells carry antigen A or B.\n\niron rusts.", False),
        ("They belong to group A (or B)\niron rusts.", False),
        ("So the answer is B.", True),
    ],
)
def test_letters_that_name_other_options(reasoning: str, contradicts: bool) -> None:
    sample = dataclasses.replace(SAMPLE, kind="multiple_choice", choices=["iron", "gold"])
    vote = Vote(index=0, guidance="blind", answer="iron", reasoning=reasoning, context="Metals differ.")
    assert contradicts_letters(vote, sample) is contradicts


def test_an_option_that_is_a_letter_is_not_a_label() -> None:
    sample = dataclasses.replace(SAMPLE, kind="multiple_choice", choices=["B", "A"])
    vote = Vote(index=0, guidance="blind", answer="A", reasoning="Eyes need it. The answer is A.", context="Vitamins.")
    assert not contradicts_letters(vote, sample)
    assert contradicts_letters(vote, dataclasses.replace(sample, choices=["zinc", "A"])) is False
    assert contradicts_letters(
        dataclasses.replace(vote, answer="iron"), dataclasses.replace(sample, choices=["zinc", "iron"])
    )
