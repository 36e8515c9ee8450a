"""The fields that a judge and a student add to a sample, with scripted replies."""

import functools
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.config import EngineKind, EngineSection, Role, RoleSection, RolesSection, RunConfig, VerifySection
from nemo_sdg.generate import grading, questions
from nemo_sdg.generate.requests import Completion, Request
from nemo_sdg.records import Drop, Generator, ModelUse, Sample, Vote, VoteCounts, json_line, seed_from_dict, to_dict
from nemo_sdg.verify import candidates, votes

sys.path.insert(0, str(Path(__file__).parent))
from flow_helpers import Script, config, engines, run, seed


def full(**options: Any) -> RunConfig:
    made = config(**options)
    made.engine = EngineSection(kind=EngineKind.openai, model="m", base_urls=["http://h/v1"])
    made.roles = RolesSection(judge=RoleSection(), student=RoleSection())
    return made


def scores(**given: int) -> str:
    return "## Review\nLooked at.\n\n## Scores\n" + "\n".join(
        f"{name}: {score} - because {name}" for name, score in given.items()
    )


def good_question(**changed: int) -> str:
    return scores(**{**dict.fromkeys(grading.QUESTION_CRITERIA, 5), "difficulty": 2, **changed})


def good_answer(**changed: int) -> str:
    return scores(**{**dict.fromkeys(grading.ANSWER_CRITERIA, 5), **changed})


def new_question(**fields: Any) -> Sample:
    sample = questions.own_question(seed_from_dict(seed(**fields)))
    sample.origin, sample.answer = "similar", None
    sample.generator = Generator(writer=ModelUse(engine="e", model="w"))
    return sample


def screen(reply: Any, sample: Sample) -> tuple[Any, Script]:
    settings = full()
    script = Script(reply if callable(reply) else lambda request, number: reply)
    return run(grading.make_screening(settings, engines(settings)), to_dict(sample), script), script


def test_a_good_question_goes_on_with_its_scores_and_reasons() -> None:
    outcome, script = screen(good_question(), new_question())
    (kept,) = outcome.kept
    assert kept.grade.question.score == 5.0
    assert kept.grade.question.scores["difficulty"] == 2.0
    assert kept.grade.question.reasons["fits_task"] == "because fits_task"
    assert (kept.generator.judge.prompt, kept.generator.judge.model) == ("judge/question", "m")
    assert kept.usage.completion_tokens == 10
    asked = script.requests[0]
    assert (asked.role, asked.schema) == (Role.judge, None)
    assert "carbon dioxide" in asked.messages[-1]["content"]
    json_line(kept)


@pytest.mark.parametrize("criterion", grading.QUESTION_CRITERIA)
def test_a_question_with_a_flaw_is_a_drop_with_the_criterion_and_its_reason(criterion: str) -> None:
    outcome, _ = screen(good_question(**{criterion: 2}), new_question())
    (drop,) = outcome.dropped
    assert (drop.step, drop.reason, drop.detail) == ("screened", criterion, f"{criterion}: because {criterion}")
    json_line(drop)


def test_difficulty_is_no_flaw_and_a_training_row_is_graded_and_kept() -> None:
    assert screen(good_question(difficulty=1), new_question())[0].kept
    own = questions.own_question(seed_from_dict(seed()))
    (kept,) = screen(good_question(one_right_answer=1), own)[0].kept
    assert kept.grade.question.score == 1.0


def test_a_judge_without_readable_scores_is_asked_again_and_rejects_nothing() -> None:
    outcome, script = screen(lambda request, number: "Hm." if number == 0 else good_question(), new_question())
    assert outcome.kept[0].grade.question.score == 5.0
    assert script.requests[0].seed != script.requests[1].seed
    cut = Completion(text="## Review\nLet me", finish_reason="length")
    (kept,) = screen(lambda request, number: cut, new_question())[0].kept
    assert (kept.grade.question.score, kept.grade.question.error) == (None, "cut_at_max_tokens")


def solved(*answers: str, origin: str = "similar") -> Sample:
    sample = new_question() if origin == "similar" else questions.own_question(seed_from_dict(seed()))
    sample.votes = VoteCounts(planned=len(answers))
    sample.solutions = [
        Vote(
            index=index,
            guidance="blind",
            context="Leaves have pores, and air moves through them.",
            reasoning=f"Light and water are needed too, so it is {answer}." + " Indeed." * index,
            answer=answer,
            order=[0, 1, 2],
        )
        for index, answer in enumerate(answers)
    ]
    sample.generator = Generator(solvers=[ModelUse(engine="e", model="s")])
    return sample


def sentences(*answers: str, origin: str = "similar", kind: str = "free_text") -> Sample:
    sample = solved(*answers, origin=origin)
    sample.kind, sample.choices = kind, None
    for vote in sample.solutions or []:
        vote.order = None
    return sample


def test_a_judge_sorts_answers_in_sentences_and_both_orders_must_agree() -> None:
    def reply(request: Request, number: int) -> str:
        if "agreement" not in request.tag:
            return good_answer()
        if request.tag.endswith("turned"):  # 3: A, 2: A, 1: B seen from behind
            return "## Groups\n1: A\n2: A\n3: B"
        return "## Groups\n1: A\n2: B\n3: B"

    outcome, script = grade(reply, sentences("One.", "Two.", "Three."))
    assert [vote.sense for vote in outcome.kept[0].solutions] == [1, 2, 2]
    assert [request.tag for request in script.requests[:2]] == ["agreement", "agreement.turned"]

    def other(request: Request, number: int) -> str:
        return "1: A\n2: A\n3: A" if request.tag == "agreement" else "1: A\n2: B\n3: A"

    outcome, _ = grade(other, sentences("One.", "Two.", "Three."))
    assert [vote.sense for vote in outcome.kept[0].solutions] == [1, 2, 1]


def test_the_gold_is_the_sense_0_and_an_unreadable_judge_tells_nothing() -> None:
    def reply(request: Request, number: int) -> str:
        return "1: A\n2: A\n3: B" if request.tag == "agreement" else "1: A\n2: B\n3: B"

    outcome, _ = grade(reply, sentences("The same.", "Another.", origin="seed"))
    assert [vote.sense for vote in outcome.kept[0].solutions] == [0, 1]
    outcome, script = grade(lambda request, number: "Hm.", sentences("One.", "Two."))
    assert [vote.sense for vote in outcome.kept[0].solutions] == [None, None]
    assert [request.tag for request in script.requests if "agreement" in request.tag] == ["agreement", "agreement.1"]


def test_the_judge_tells_which_of_the_students_sentences_say_the_answer() -> None:
    def reply(request: Request, number: int) -> str:
        if request.role is Role.student:
            return f"It is so.\n\n## Answer\n{said[request.tag]}"
        if "agreement" not in request.tag:
            return good_answer()
        listed = re.findall(r'<answer number="(\d+)">\n(.*)\n</answer>', request.messages[-1]["content"])
        return "\n".join(f"{number}: {'B' if 'faster than light' in text else 'A'}" for number, text in listed)

    right = ["Light is faster than sound.", "Sound is slower than light.", "Sound is outrun by light."]
    said = {
        "student0": "Light outruns sound.",
        "student1": "Sound is faster than light.",
        "student2": "Sound lags behind light.",
        "student3": "Light outruns sound.",
    }
    outcome, _ = grade(reply, sentences(*right))
    assert outcome.kept[0].grade.student_pass_rate == 0.75
    outcome, _ = grade(reply, sentences(*right, origin="seed"))
    assert outcome.kept[0].grade.student_pass_rate == 0.75


def test_what_says_an_alias_of_the_gold_has_its_sense() -> None:
    def reply(request: Request, number: int) -> str:
        if "agreement" not in request.tag:
            return good_answer()
        return "1: A\n2: B\n3: B" if request.tag == "agreement" else "1: B\n2: B\n3: A"

    sample = sentences("Nobody can tell.", origin="seed")
    sample.gold.aliases = ["It is unknown."]
    outcome, _ = grade(reply, sample)
    assert [vote.sense for vote in outcome.kept[0].solutions] == [0]


def by_words(*alike: str) -> Any:
    """A judge who puts the answers with one of these words into the group of that word."""

    def reply(request: Request, number: int) -> str:
        if "agreement" not in request.tag:
            return good_answer() if request.role is Role.judge else "It is so.\n\n## Answer\nnone"
        listed = re.findall(r'<answer number="(\d+)">\n(.*)\n</answer>', request.messages[-1]["content"])
        group = {text: next((i for i, word in enumerate(alike) if word in text), len(alike)) for _, text in listed}
        return "\n".join(f"{number}: {'ABCDEFG'[group[text]]}" for number, text in listed)

    return reply


@pytest.mark.parametrize("kind", ["short_text", "numeric"])
def test_a_judge_sorts_short_answers_only_where_the_rules_find_no_majority(kind: str) -> None:
    decided = sentences("the iris of the eye", "the iris of the eye", "the pupil", kind=kind)
    outcome, script = grade(by_words("iris"), decided)
    assert not [request.tag for request in script.requests if "agreement" in request.tag]

    open_ = sentences("the coloured part, iris", "iris diaphragm muscle", "the pupil", kind=kind)
    settings = VerifySection()
    assert votes.verify_sample(open_, settings).reason == "no_majority"
    outcome, script = grade(by_words("iris"), open_)
    assert [request.tag for request in script.requests if "agreement" in request.tag] == [
        "agreement",
        "agreement.turned",
    ]
    verified = votes.verify_sample(outcome.kept[0], settings)
    assert "iris" in verified.answer.text
    assert (verified.votes.agree, verified.verification.method) == (2, "judged_consensus+judge")


def test_a_judge_finds_the_gold_answer_in_other_words() -> None:
    sample = sentences("the gas that breathing gives off", "oxygen", origin="seed", kind="short_text")
    gold = sample.gold.text
    outcome, _ = grade(by_words("gives off", gold), sample)
    assert votes.verify_sample(outcome.kept[0], VerifySection()).reason == "gold_not_reached"

    def reply(request: Request, number: int) -> str:
        return by_words("oxygen")(request, number)  # all others are one group, and the gold is in it

    outcome, _ = grade(reply, sample)
    verified = votes.verify_sample(outcome.kept[0], VerifySection())
    assert (verified.answer.text, verified.verification.method) == (gold, "judged_sense_of_gold+judge")


def test_a_solution_that_was_given_the_gold_answer_does_not_hide_votes_that_reach_it_in_other_words() -> None:
    sample = sentences("the gas that breathing gives off", "oxygen", origin="seed", kind="short_text")
    text = sample.gold.text
    given = Vote(index=0, guidance="guided", context="What is known.", reasoning=f"So it is {text}.", answer=text)
    sample.solutions.append(given)
    outcome, _ = grade(by_words("oxygen"), sample)
    verified = votes.verify_sample(outcome.kept[0], VerifySection())
    assert (verified.guidance, verified.votes.agree) == ("blind", 1)


def test_a_judge_does_not_sort_what_a_majority_has_decided() -> None:
    too_many = VerifySection(max_agreement=0.75)
    outcome, script = grade(by_words("iris"), sentences("iris", "the iris", "Iris", kind="short_text"), verify=too_many)
    assert votes.verify_sample(outcome.kept[0], too_many).reason == "agreement_above_max"
    assert script.requests == []
    unexplained = sentences("iris", "the iris", "the pupil", kind="short_text")
    for vote in unexplained.solutions:
        vote.context = ""
    outcome, script = grade(by_words("iris"), unexplained)
    assert votes.verify_sample(outcome.kept[0], VerifySection()).reason == "incomplete_solution"
    assert script.requests == []


@pytest.mark.parametrize("said", ["Iris diaphragm muscle.", "The coloured part"])
@pytest.mark.parametrize("origin", ["similar", "seed"])
def test_a_student_may_give_any_wording_of_the_answer_that_the_judge_has_sorted(said: str, origin: str) -> None:
    def reply(request: Request, number: int) -> str:
        if request.role is Role.student:
            return f"It is so.\n\n## Answer\n{said}"
        return by_words("the pupil")(request, number)  # all others are one group

    sample = sentences("the coloured part", "iris diaphragm muscle", "the pupil", kind="short_text", origin=origin)
    outcome, _ = grade(reply, sample)
    assert outcome.kept[0].grade.student_pass_rate == 1.0


def test_two_numbers_are_never_left_to_the_judge() -> None:
    settings = VerifySection()
    outcome, script = grade(by_words("1"), sentences("12", "13", "14", kind="numeric"))
    assert not [request.tag for request in script.requests if "agreement" in request.tag]
    outcome, script = grade(by_words("1"), sentences("12", "13", "1 more than x", kind="numeric"))
    assert len([request.tag for request in script.requests if "agreement" in request.tag]) == 2
    assert votes.verify_sample(outcome.kept[0], settings).reason == "no_majority"


def grade(reply: Any, sample: Sample, *, verify: VerifySection | None = None, **options: Any) -> tuple[Any, Script]:
    settings = full(**options)
    settings.verify = verify or VerifySection()
    flow = grading.make_grading(
        settings,
        engines(settings),
        functools.partial(candidates.candidates, config=settings.verify),
        functools.partial(candidates.undecided, config=settings.verify),
        functools.partial(candidates.pass_rate, config=settings.verify),
    )
    script = Script(reply)
    return run(flow, to_dict(sample), script), script


def judge_or_student(judged: Any, said: str = "carbon dioxide") -> Any:
    def reply(request: Request, number: int) -> str:
        if request.role is Role.judge:
            return str(judged(request) if callable(judged) else judged)
        return f"It is so.\n\n## Answer\n{said}"

    return reply


def test_the_best_solution_is_judged_and_the_next_one_only_where_it_fails() -> None:
    sample = solved("carbon dioxide", "carbon dioxide", "carbon dioxide")
    outcome, script = grade(judge_or_student(good_answer()), sample)
    assert sum(request.role is Role.judge for request in script.requests) == 1
    (kept,) = outcome.kept
    assert [vote.judge is not None for vote in kept.solutions].count(True) == 1

    seen: list[str] = []

    def judged(request: Request) -> str:
        seen.append(request.tag)
        return good_answer(reasoning_valid=1) if len(seen) == 1 else good_answer()

    outcome, _ = grade(judge_or_student(judged), sample)
    assert len(seen) == 2
    (graded,) = outcome.kept
    result = votes.verify_sample(graded, VerifySection())
    assert isinstance(result, Sample)
    assert result.verification.detail == f"solution {seen[1].removeprefix('grade.')}"
    assert result.grade.answer.score == 5.0


def test_a_sample_whose_solutions_the_judge_rejects_is_a_drop_with_his_reason() -> None:
    outcome, _ = grade(judge_or_student(good_answer(context_true=1)), solved(*["carbon dioxide"] * 3))
    result = votes.verify_sample(outcome.kept[0], VerifySection())
    assert isinstance(result, Drop)
    assert (result.reason, result.detail) == ("judge_rejected", "context_true 1: because context_true")


@pytest.mark.parametrize(("said", "rate"), [("carbon dioxide", 1.0), ("oxygen", 0.0), ("no idea", 0.0)])
def test_the_students_pass_rate_is_the_difficulty_and_a_band_can_be_kept(said: str, rate: float) -> None:
    for origin in ("similar", "seed"):
        outcome, script = grade(judge_or_student(good_answer(), said), solved(*["carbon dioxide"] * 3, origin=origin))
        (kept,) = outcome.kept
        assert kept.grade.student_pass_rate == rate
        assert sum(request.role is Role.student for request in script.requests) == 4
        result = votes.verify_sample(kept, VerifySection())
        assert isinstance(result, Sample)
        assert result.difficulty == 1.0 - rate
        banded = votes.verify_sample(kept, VerifySection(pass_rate=[0.1, 0.9]))
        assert isinstance(banded, Drop)
        assert banded.reason == "pass_rate_outside"


@pytest.mark.parametrize(("lost", "rate"), [(1, 1.0), (4, None)])
def test_a_lost_attempt_of_the_student_is_no_wrong_one(lost: int, rate: float | None) -> None:
    def reply(request: Request, number: int) -> str | Completion:
        if request.tag in [f"student{index}" for index in range(lost)]:
            return Completion(text="", finish_reason="lost", detail="500")
        return good_answer() if request.role is Role.judge else "It is so.\n\n## Answer\niris"

    outcome, _ = grade(reply, sentences("iris", "iris", kind="short_text"))
    assert outcome.kept[0].grade.student_pass_rate == rate


def test_nothing_is_asked_where_no_solution_could_be_kept() -> None:
    outcome, script = grade(judge_or_student(good_answer()), solved("oxygen", "helium", "carbon dioxide"))
    assert script.requests == []
    assert len(outcome.kept) == 1
