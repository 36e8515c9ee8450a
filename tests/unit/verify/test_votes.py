import functools
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nemo_sdg.config import VerifySection
from nemo_sdg.records import LABELS, Answer, Drop, Generator, Judgement, ModelUse, Sample, Vote, VoteCounts, json_line
from nemo_sdg.text.answers import same_answer
from nemo_sdg.verify import votes

CHOICES = ["oxygen", "carbon dioxide", "helium"]


def sample(
    kind: str, *, origin: str = "similar", planned: int = 5, solutions: list[Vote] | None = None, **fields: Any
) -> Sample:
    record = Sample(
        sample_id="s",
        origin=origin,
        seed_ids=["a"],
        task="t",
        family="f",
        capability="c",
        kind=kind,
        frame="selection",
        language="en",
        question="Q?",
        **fields,
    )
    record.choices = CHOICES if kind == "multiple_choice" else None
    record.votes = VoteCounts(planned=planned)
    record.solutions = solutions
    record.generator = Generator(
        solvers=[ModelUse(engine="e", model=model, prompt=f"{model}/x") for model in ("solve", "guided")]
    )
    return record


def vote(
    index: int,
    answer: str | None,
    *,
    guidance: str = "blind",
    reasoning: str | None = None,
    context: str = "Plants breathe.",
    **more: Any,
) -> Vote:
    reasoning = reasoning if reasoning is not None else f"Step by step we see that it is {answer}."
    return Vote(
        index=index,
        guidance=guidance,
        context=context,
        reasoning=reasoning,
        answer=answer,
        error=None if answer else "schema",
        solver=guidance == "guided",
        **more,
    )


def blind(*answers: str | None) -> list[Vote]:
    return [vote(index, answer) for index, answer in enumerate(answers)]


def verdict(record: Sample, **config: Any) -> Sample | Drop:
    return votes.verify_sample(record, VerifySection(**config))


def test_the_majority_gives_answer_label_tally_and_difficulty() -> None:
    result = verdict(
        sample("multiple_choice", solutions=blind("helium", "carbon dioxide", "carbon dioxide", None, "carbon dioxide"))
    )
    assert isinstance(result, Sample)
    assert (result.answer.text, result.answer.label) == ("carbon dioxide", "B")
    assert result.votes == VoteCounts(planned=5, n=5, agree=3, tally={"carbon dioxide": 3, "helium": 1})
    assert result.difficulty == pytest.approx(0.4)
    assert result.verification.method == "majority_of_option_texts"
    assert result.solutions is None
    json_line(result)


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (["helium", "oxygen", "carbon dioxide", None, None], "no_majority"),
        (["helium", "helium", "oxygen", "oxygen", None], "no_majority"),
        (["helium", "helium", None, None, None], "no_majority"),
        ([None] * 5, "no_valid_vote"),
    ],
)
def test_too_little_agreement_is_dropped(answers: list[str | None], reason: str) -> None:
    result = verdict(sample("multiple_choice", solutions=blind(*answers)))
    assert isinstance(result, Drop)
    assert result.reason == reason


def test_a_tie_is_dropped_even_where_both_have_enough() -> None:
    result = verdict(
        sample("multiple_choice", planned=4, solutions=blind("helium", "oxygen", "helium", "oxygen")), min_agreement=0.5
    )
    assert isinstance(result, Drop)
    assert result.reason == "no_majority"


def test_too_much_agreement_can_be_left_out() -> None:
    result = verdict(
        sample("multiple_choice", planned=3, solutions=blind("helium", "helium", "helium")), max_agreement=0.9
    )
    assert isinstance(result, Drop)
    assert result.reason == "agreement_above_max"


def test_numbers_and_texts_agree_by_meaning() -> None:
    number = verdict(sample("numeric", planned=4, solutions=blind("0.5", "1/2", r"\frac{1}{2}", "2")))
    assert isinstance(number, Sample)
    assert number.votes.agree == 3
    words = verdict(sample("short_text", planned=3, solutions=blind("The Rhine.", "rhine", "Danube")))
    assert isinstance(words, Sample)
    assert words.votes.tally == {"The Rhine.": 2, "Danube": 1}


def test_the_kept_solution_ends_in_the_answer_and_is_chosen_the_same_way_always() -> None:
    wanders = vote(
        0,
        "helium",
        reasoning="helium is nice, though "
        + (
            "many other gases are known to everybody in the whole wide world, such as neon and argon, which "
            "are used in lamps, and also in welding, "
        )
        * 2,
    )
    loops = vote(1, "helium", reasoning="It is helium. " * 30)
    good = vote(2, "helium", reasoning="Balloons rise since their gas is lighter than air, so the answer is helium.")
    short = vote(3, "helium", reasoning="It is helium.")
    empty = vote(4, "helium", reasoning="")
    solutions = [wanders, loops, good, short, empty]
    result = verdict(sample("multiple_choice", solutions=solutions))
    assert isinstance(result, Sample)
    assert result.reasoning == good.reasoning
    for _ in range(5):
        random.Random(1).shuffle(solutions)
        assert verdict(sample("multiple_choice", solutions=solutions)).reasoning == good.reasoning


def test_a_solution_without_reasoning_is_a_vote_but_is_not_kept() -> None:
    result = verdict(
        sample("multiple_choice", planned=3, solutions=[vote(i, "helium", reasoning="") for i in range(3)])
    )
    assert isinstance(result, Drop)
    assert result.reason == "incomplete_solution"


def gold(kind: str, text: str, **fields: Any) -> Sample:
    answer = Answer(
        text=text, label=LABELS[CHOICES.index(text)] if text in CHOICES else None, aliases=fields.pop("aliases", [])
    )
    record = sample(kind, origin="seed", **fields)
    record.answer = answer
    return record


def test_seed_keeps_a_blind_solution_before_a_guided_one() -> None:
    solutions = [*blind("helium", "oxygen"), vote(0, "oxygen", guidance="guided")]
    result = verdict(gold("multiple_choice", "oxygen", planned=5, solutions=solutions))
    assert isinstance(result, Sample)
    assert (result.guidance, result.answer.text, result.answer.label, result.difficulty) == (
        "blind",
        "oxygen",
        "A",
        0.5,
    )
    assert result.generator.model == "solve"


def test_seed_takes_a_guided_solution_where_no_blind_one_reaches_the_gold() -> None:
    result = verdict(
        gold("numeric", "18", planned=3, solutions=[*blind("17", None, "16"), vote(0, "18.0", guidance="guided")])
    )
    assert isinstance(result, Sample)
    assert (result.guidance, result.answer.text, result.difficulty) == ("guided", "18", 1.0)
    assert result.generator.model == "guided"


@pytest.mark.parametrize(
    ("answer", "reasoning", "reason"),
    [
        ("17", "So 17.", "gold_not_reached"),
        ("18", "Nothing leads there.", "reasoning_misses_gold"),
        (None, "", "gold_not_reached"),
    ],
)
def test_seed_is_dropped_when_the_gold_is_not_reached(answer: str | None, reasoning: str, reason: str) -> None:
    result = verdict(
        gold(
            "numeric",
            "18",
            planned=1,
            solutions=[*blind("17"), vote(0, answer, guidance="guided", reasoning=reasoning)],
        )
    )
    assert isinstance(result, Drop)
    assert result.reason == reason


def test_aliases_reach_the_gold() -> None:
    assert isinstance(
        verdict(gold("short_text", "United States", aliases=["USA"], planned=1, solutions=blind("the USA"))), Sample
    )


def test_sentences_agree_by_shared_words_and_the_method_says_so() -> None:
    one = "Light travels much faster than sound, so we see the flash first."
    two = "We see the flash first because light is faster than sound."
    other = "Bananas are yellow when ripe."
    result = verdict(sample("free_text", planned=3, solutions=blind(one, two, other)), free_text_similarity=0.3)
    assert isinstance(result, Sample)
    assert (result.votes.agree, result.verification.method) == (2, "word_overlap_consensus")
    assert isinstance(verdict(sample("free_text", planned=3, solutions=blind(one, "Cows eat grass", other))), Drop)
    assert isinstance(verdict(sample("free_text", planned=3, solutions=blind(one, two, other))), Drop)


def test_a_judge_decides_which_sentences_agree() -> None:
    one, two = "Light travels much faster than sound.", "Sound is far slower than light."
    turned = "Sound travels much faster than light."
    cast = blind(one, turned, two)
    for solution, sense in zip(cast, (1, 2, 1), strict=True):
        solution.sense = sense
    result = verdict(sample("free_text", planned=3, solutions=cast))
    assert isinstance(result, Sample)
    assert (result.votes.agree, result.verification.method) == (2, "judged_consensus")
    assert result.gold.text in (one, two)
    for solution, sense in zip(cast, (1, 0, 1), strict=True):
        solution.sense = sense
    result = verdict(gold("free_text", "Sound is the faster one.", planned=3, solutions=cast))
    assert isinstance(result, Sample)
    assert (result.votes.agree, result.verification.method) == (1, "judged_sense_of_gold")


def test_sentences_that_no_judge_has_compared_agree_by_their_words() -> None:
    cast = blind("Light is faster", "Sound is slower.", "Nobody knows!")
    for solution, sense in zip(cast, (1, 2, None), strict=True):
        solution.sense = sense
    result = verdict(gold("free_text", "Light wins.", aliases=["Nobody knows."], planned=3, solutions=cast))
    assert isinstance(result, Sample)
    assert result.votes.agree == 1


def test_the_judge_can_refuse() -> None:
    def judged(score: int | None) -> Sample | Drop:
        return verdict(
            sample(
                "free_text", planned=1, solutions=[vote(0, "Light is faster than sound.", judge=Judgement(score=score))]
            )
        )

    assert isinstance(judged(4), Sample)
    assert judged(4).verification.method == "word_overlap_consensus+judge"
    assert judged(2).reason == "judge_rejected"
    assert isinstance(judged(None), Sample), "a judge who gave no score rejects nothing"


def standing(solutions: list[Vote], planned: int, record: Sample, **config: Any) -> votes.Standing:
    return votes.decided(solutions, planned, record, config=VerifySection(**config))


def test_the_fewest_votes_that_could_decide_are_asked_for() -> None:
    ask = functools.partial(standing, record=sample("multiple_choice"))
    assert ask([], 8).missing == 5
    assert ask(blind("oxygen", "oxygen", "helium", "oxygen", "oxygen"), 8).missing == 1
    assert ask(blind("oxygen", "oxygen", "oxygen", "oxygen", "oxygen"), 8).missing == 0
    assert ask(blind("oxygen", "helium", "carbon dioxide", None, None), 8).missing == 0, "5 of 8 is out of reach"
    assert ask(blind(*["oxygen"] * 8), 8).missing == 0
    assert standing([], 8, sample("free_text")).missing == 8


ANSWERS = {
    "multiple_choice": [*CHOICES, None],
    "numeric": ["1/2", "0.5", r"\frac{1}{2}", r"\frac{2}{4}", "60%", "60", None],
    "short_text": ["Rhine", "the Rhine", "Danube", None],
}


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(ANSWERS)).flatmap(
        lambda kind: st.tuples(st.just(kind), st.lists(st.sampled_from(ANSWERS[kind]), min_size=1, max_size=8))
    ),
    st.sampled_from([0.3, 0.5, 0.6, 0.75, 1.0]),
    st.sampled_from([0.75, 0.9, 1.0]),
)
def test_votes_decided_early_and_all_votes_give_the_same_verdict(
    cast: tuple[str, list[str | None]], least: float, most: float
) -> None:
    kind, answers = cast
    config = VerifySection(min_agreement=least, max_agreement=max(least, most))
    solutions = blind(*answers)
    stop = next(
        k
        for k in range(len(answers) + 1)
        if not votes.decided(solutions[:k], len(answers), sample(kind), config=config).missing
    )
    early = votes.verify_sample(sample(kind, planned=len(answers), solutions=solutions[:stop]), config)
    late = votes.verify_sample(sample(kind, planned=len(answers), solutions=solutions), config)
    assert isinstance(early, Drop) == isinstance(late, Drop)
    if isinstance(early, Sample) and isinstance(late, Sample):
        assert same_answer(early.answer.text, late.answer.text, kind=kind, question=sample(kind).question)


def test_reaches_gold_answers_without_running_anything() -> None:
    record = gold("numeric", r"\frac{1}{2}")
    assert standing(blind("1/2"), 1, record).reaches_gold
    assert not standing(blind("1/3", None), 2, record).reaches_gold
    assert not standing(blind("def f(): pass"), 1, gold("code", "def f(): pass")).reaches_gold


def test_the_options_are_laid_out_as_the_kept_solution_saw_them() -> None:
    seen = [2, 0, 1]  # helium, oxygen, carbon dioxide
    solutions = [
        vote(i, "helium", reasoning="B is given off, C is built into sugar, so the answer is A.", order=seen)
        for i in range(3)
    ]
    for record in (sample("multiple_choice", planned=3), gold("multiple_choice", "helium", planned=3)):
        record.solutions = solutions
        result = verdict(record)
        assert isinstance(result, Sample)
        assert (result.choices, result.answer.label) == (["helium", "oxygen", "carbon dioxide"], "A")


@pytest.mark.parametrize(
    "reasoning",
    [
        "Oxygen is given off. So the answer is B.",
        "We look at A) oxygen, which is given off, so it is helium in the end, as everybody knows.",
    ],
)
def test_letters_that_name_another_option_than_the_layout_are_not_packed(reasoning: str) -> None:
    wrong = [vote(i, "helium", reasoning=reasoning, order=[2, 0, 1]) for i in range(3)]
    assert verdict(sample("multiple_choice", planned=3, solutions=wrong)).reason == "letters_contradict"
    right = vote(3, "helium", reasoning="The others are not light, so it is helium.", order=[2, 0, 1])
    result = verdict(sample("multiple_choice", planned=4, solutions=[*wrong, right]))
    assert isinstance(result, Sample)
    assert result.reasoning == right.reasoning
