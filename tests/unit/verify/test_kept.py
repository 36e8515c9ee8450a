"""The solution that a verified sample takes from several right ones."""

from nemo_sdg.config import VerifySection
from nemo_sdg.records import Answer, Drop, Sample, Vote, VoteCounts
from nemo_sdg.verify import candidates, votes
from nemo_sdg.verify.kept import shortened

CHOICES = ["oxygen", "carbon dioxide", "helium"]
KNOWLEDGE = "Flames need a gas of the air, and water takes it away from them. Bubbles show where it goes."


def vote(index: int, answer: str, *, guidance: str = "blind", context: str = KNOWLEDGE, reasoning: str = "") -> Vote:
    return Vote(
        index=index, guidance=guidance, context=context, answer=answer, reasoning=reasoning or f"We see: {answer}."
    )


def sample(solutions: list[Vote], *, origin: str = "similar") -> Sample:
    return Sample(
        sample_id="s",
        origin=origin,
        seed_ids=["a"],
        task="t",
        family="f",
        capability="c",
        kind="multiple_choice",
        frame="selection",
        language="en",
        question="Q?",
        choices=list(CHOICES),
        answer=Answer(text="helium", label="C") if origin == "seed" else None,
        votes=VoteCounts(planned=len(solutions)),
        solutions=solutions,
    )


def take(record: Sample, marked: str) -> Sample | Drop:
    """The verdict where a sample passes unless `marked` stands in its context."""
    return votes.verify_sample(record, VerifySection(), passes=lambda made: marked not in (made.context or ""))


def test_another_agreeing_vote_is_taken_where_the_best_does_not_pass() -> None:
    solutions = [
        vote(0, "helium", context=f"{KNOWLEDGE} BAD", reasoning="A long and good chain of steps that ends in helium."),
        vote(1, "helium", context=KNOWLEDGE),
        vote(2, "oxygen", context=KNOWLEDGE),
    ]
    record = sample(solutions)
    alone = votes.verify_sample(record, VerifySection())
    chosen = take(record, "BAD")
    assert isinstance(alone, Sample)
    assert alone.verification is not None
    assert isinstance(chosen, Sample)
    assert chosen.verification is not None
    assert chosen.answer is not None
    assert (alone.verification.detail, chosen.verification.detail) == ("solution blind0", "solution blind1")
    assert chosen.answer.text == "helium"
    assert chosen.votes == alone.votes


def test_a_vote_for_another_answer_is_never_taken() -> None:
    solutions = [vote(0, "helium", context="BAD"), vote(1, "helium", context="BAD"), vote(2, "oxygen")]
    result = take(sample(solutions), "BAD")
    assert isinstance(result, Sample)
    assert result.answer is not None
    assert (result.answer.text, result.context) == ("helium", "BAD")


def test_a_context_is_shortened_where_no_vote_passes() -> None:
    solutions = [vote(index, "helium", context=f"{KNOWLEDGE} So the BAD gas is what the") for index in range(3)]
    result = take(sample(solutions), "BAD")
    assert isinstance(result, Sample)
    assert result.verification is not None
    assert result.context == KNOWLEDGE
    assert result.verification.detail == "solution blind0, first 2 sentences of its context"


def test_a_guided_solution_stands_in_for_a_blind_one_that_does_not_pass() -> None:
    solutions = [
        vote(0, "helium", context="BAD"),
        vote(0, "helium", guidance="guided", context=KNOWLEDGE, reasoning="It rises, so the gas is helium."),
    ]
    record = sample(solutions, origin="seed")
    result = take(record, "BAD")
    assert isinstance(result, Sample)
    assert result.guidance == "guided"


def test_shortened_contexts_are_whole_sentences_that_bring_knowledge() -> None:
    record = sample([])
    text = f"{KNOWLEDGE} This was found by Dr. Priestley, who"
    assert [context for context, _ in shortened(text, record)] == [KNOWLEDGE, KNOWLEDGE.partition(" Bub")[0]]
    assert list(shortened("Gas rises. It is what", record)) == []
    chinese = "火焰需要空气中的一种气体，水可以把它隔开，气泡表明它的去向，这在实验中容易看到。" * 2 + "因此那种"
    assert [num for _, num in shortened(chinese, record)] == [2]


def test_a_shortened_context_ends_neither_in_the_number_of_an_item_nor_in_a_title() -> None:
    record = sample([])
    listed = f"1. {KNOWLEDGE}\n2. {KNOWLEDGE}\n3. It is what"
    assert next(context for context, _ in shortened(listed, record)) == f"1. {KNOWLEDGE}\n2. {KNOWLEDGE}"
    titled = f"{KNOWLEDGE} This was shown by Prof. Priestley, who"
    assert next(context for context, _ in shortened(titled, record)) == KNOWLEDGE


def test_further_solutions_explain_the_answer_and_are_no_votes() -> None:
    votes_cast = [vote(0, "helium", context="BAD"), vote(1, "helium", context="BAD"), vote(2, "oxygen")]
    further = [vote(3, "oxygen"), vote(4, "oxygen"), vote(5, "helium")]
    record = sample(votes_cast)
    alone = take(record, "BAD")
    record.solutions = votes_cast + further
    chosen = take(record, "BAD")
    assert isinstance(alone, Sample)
    assert isinstance(chosen, Sample)
    assert chosen.verification is not None
    assert chosen.answer is not None
    assert (chosen.answer.text, chosen.verification.detail) == ("helium", "solution blind5")
    assert chosen.votes == alone.votes == VoteCounts(planned=3, n=3, agree=2, tally={"helium": 2, "oxygen": 1})
    assert chosen.difficulty == alone.difficulty
    assert {solution.index for solution in candidates.candidates(record, VerifySection())} == {0, 1, 5}


def test_further_solutions_of_a_seed_do_not_change_its_difficulty() -> None:
    record = sample([vote(0, "helium", context="BAD"), vote(1, "oxygen"), vote(2, "oxygen")], origin="seed")
    record.solutions = [*(record.solutions or []), vote(3, "helium")]
    chosen = take(record, "BAD")
    assert isinstance(chosen, Sample)
    assert chosen.verification is not None
    assert (chosen.verification.detail, chosen.difficulty) == ("solution blind3", 0.666667)


def unexplained(solutions: list[Vote], **more: str) -> bool:
    record = sample(solutions, **more)
    return candidates.unexplained(record, VerifySection(), lambda made: "BAD" not in (made.context or ""))


def test_a_question_is_unexplained_where_its_answer_is_decided_and_no_right_solution_passes() -> None:
    bad = [vote(0, "helium", context="BAD"), vote(1, "helium", context="BAD")]
    assert unexplained([*bad, vote(2, "oxygen")])
    assert not unexplained([*bad, vote(2, "helium")])
    assert not unexplained([bad[0], vote(1, "oxygen"), vote(2, "carbon dioxide")]), "no majority"
    silent = vote(0, "helium", guidance="guided", reasoning="This is not easy to see.")
    assert unexplained([vote(0, "oxygen"), silent], origin="seed"), "the reasoning does not arrive at the gold"
    assert not unexplained([vote(0, "oxygen"), vote(0, "helium", guidance="guided")], origin="seed")
    assert not unexplained([vote(0, "oxygen")], origin="seed"), "nothing reaches the gold"
