"""Style full: sections instead of JSON, axes, earlier questions in the prompt, several questions per request."""

import functools
import itertools
import json
import random
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.config import EngineKind, EngineSection, PerSeed, Role, RunConfig, Style, VerifySection
from nemo_sdg.generate import answers, questions
from nemo_sdg.generate.axes import DIFFICULTY, FORMS, RELATIONS, SETTINGS, allowed_forms, draw_axes, num_options
from nemo_sdg.generate.options import shown_order, speaks_of_place
from nemo_sdg.generate.parsing.judgements import read_scores
from nemo_sdg.generate.parsing.questions import read_questions
from nemo_sdg.generate.planned import planned_attempts
from nemo_sdg.generate.prompting import TEMPLATES, Prompts, style_of
from nemo_sdg.generate.requests import Completion, Request
from nemo_sdg.records import Kind, json_line, seed_from_dict, to_dict
from nemo_sdg.verify import votes

sys.path.insert(0, str(Path(__file__).parent))
from flow_helpers import Script, config, engines, run, seed

DECIDED = functools.partial(votes.decided, config=VerifySection())
SERVER = EngineSection(kind=EngineKind.openai, model="m", base_urls=["http://h/v1"])


def full(**options: Any) -> RunConfig:
    made = config(**options)
    made.engine = SERVER
    return made


def block(question: str, options: list[str] | None = None) -> str:
    listed = "\n".join(f"- {option}" for option in options or [])
    return f"### Plan\nTests a fact.\n\n### Question\n{question}\n" + (f"\n### Options\n{listed}\n" if options else "")


def write(replies: Any, record: dict[str, Any] | None = None, **options: Any) -> tuple[Any, Script]:
    settings = full(**options)
    shots = [seed_from_dict(seed(f"Example {i} of the kind?")) for i in range(3)]
    script = Script(replies)
    return run(questions.make_flow(settings, engines(settings), {"t": shots}), record or seed(), script), script


def options_for(request: Request) -> list[str]:
    """As many options as the prompt asks for."""
    asked = request.messages[-1]["content"]
    num = int(asked.split(" options")[0].split()[-1])
    return [f"metal {asked[:0]}{i}" for i in range(num)]


def test_the_embedded_model_is_asked_in_compact_and_every_other_in_full() -> None:
    assert style_of(config(), EngineSection()) is Style.compact
    assert style_of(config(), SERVER) is Style.full
    assert style_of(config(style=Style.full), EngineSection()) is Style.full


@pytest.mark.parametrize("name", TEMPLATES[Style.full])
def test_templates_say_what_they_were_tried_on_and_ask_for_no_json(name: str) -> None:
    prompts = Prompts(full())
    source = prompts._source(f"full/{name}.jinja").decode()
    assert source.startswith("{#-")
    assert re.search(r"version \d+\.", source.splitlines()[0])
    assert "tried" in source.splitlines()[0]
    assert "JSON" not in source


def test_what_a_task_asks_for_is_said_in_the_words_of_its_field_and_kind() -> None:
    prompts = Prompts(full())
    shared = {"language": "en", "passage": None, "task": "t", "frame": "generation", "capability": "reasoning"}
    shared |= {"examples": (), "label_set": "Facts, Rule", "options": False, "lettered": False}

    def head(name: str, **fields: str) -> str:
        return prompts._head(name, {**shared, **fields})[0]

    for name in ("similar/short_text", "solve/short_text", "guided/short_text"):
        assert "person" not in head(name, family="math", kind="short_text").replace("people who want", "")
        assert "people, places" not in head(name, family="math", kind="short_text")
    assert "names the person" in head("similar/short_text", family="factual", kind="short_text")
    assert "Different programs" in head("judge/question", family="code", kind=Kind.code)
    assert "Different programs" not in head("judge/question", family="math", kind=Kind.numeric)
    assert "definitions of the labels" in head("similar/classification", family="legal", kind="multiple_choice")


def test_a_writer_sees_seed_task_axes_and_what_was_written_before() -> None:
    texts = ["Which metal melts in the hand?", "Who discovered radium?", "What rusts?"]
    outcome, script = write(lambda request, number: block(texts[number], options_for(request)), similar=3, share=0.0)
    assert [sample.question for sample in outcome.kept] == texts
    last = script.requests[-1].messages[-1]["content"]
    assert "What gas do plants take in?" in last
    assert "1. Which metal melts in the hand?\n2. Who discovered radium?" in last
    assert "Which metal" not in script.requests[0].messages[-1]["content"]
    assert all(request.schema is None for request in script.requests)
    assert len({request.messages[0]["content"] for request in script.requests}) == 1, "the shared prefix is one"
    assert "Example 1 of the kind?" in script.requests[0].messages[0]["content"]
    drawn = draw_axes(seed_from_dict(seed()), attempts=3, run_seed=0)
    assert [sample.axes for sample in outcome.kept] == drawn
    for request, axes in zip(script.requests, drawn, strict=True):
        assert RELATIONS[axes.relation] in request.messages[-1]["content"]
        assert DIFFICULTY[axes.difficulty] in request.messages[-1]["content"]
    json_line(outcome.kept[0])


def test_several_questions_of_a_request_are_several_attempts() -> None:
    def reply(request: Request, number: int) -> str:
        asked = request.messages[-1]["content"]
        nums = [int(part.split()[-1]) for part in asked.split(" options")[:-1]]
        names = itertools.count(10 * number)
        return "\n=====\n".join(
            block(f"What is the use of metal number {next(names)}?", [f"{i} {k}" for k in range(num)])
            for i, num in enumerate(nums[:2])
        )

    outcome, script = write(reply, similar=5, share=0.0, questions_per_request=3)
    assert len(script.requests) == 2
    assert len(outcome.kept) + len(outcome.dropped) == 5
    assert sorted(drop.record["attempt"] for drop in outcome.dropped if drop.reason == "no_question") == [2]
    assert sum(sample.usage.completion_tokens for sample in outcome.kept) == 20, "a request is paid for once"


def test_a_seed_whose_questions_stop_being_new_is_not_asked_for_more() -> None:
    outcome, script = write(
        lambda request, number: block("What gas do plants take in?", options_for(request)), similar=10, share=0.0
    )
    assert len(script.requests) == 3
    reasons = [drop.reason for drop in outcome.dropped]
    assert reasons == ["copy_of_seed"] * 3 + ["seed_exhausted"] * 7


def test_a_question_that_the_cut_went_through_is_none() -> None:
    cut = Completion(text=block("Which metal is liq"), finish_reason="length")
    outcome, _ = write(lambda request, number: cut, similar=1, share=0.0)
    assert [drop.reason for drop in outcome.dropped] == ["cut_at_max_tokens"]


def test_small_tasks_get_more_questions_a_seed() -> None:
    auto = full(similar=3, per_seed=PerSeed.auto)
    planned = [planned_attempts(auto.generate, "f", num) for num in (50, 1000, 4000, 100_000, 10**7)]
    assert planned == [35, 35, 18, 4, 3]
    assert planned_attempts(full(similar=3).generate, "f", 50) == 3


def test_axes_are_dealt_round_and_the_first_do_not_depend_on_how_many_follow() -> None:
    of = seed_from_dict(seed())
    drawn = draw_axes(of, attempts=14, run_seed=0)
    assert drawn[:5] == draw_axes(of, attempts=5, run_seed=0)
    assert drawn != draw_axes(of, attempts=14, run_seed=1)
    assert {axes.relation for axes in drawn[:7]} == set(RELATIONS)
    assert all(axes.difficulty in range(1, 6) and axes.setting in SETTINGS for axes in drawn)
    assert all(axes.form in FORMS or axes.form.startswith("options_") for axes in drawn)
    assert {num_options(axes, of) for axes in draw_axes(of, attempts=200, run_seed=0)} == {3, 4, 5, 6, 8, 10}


def test_a_task_keeps_the_form_that_it_fixes() -> None:
    pair = seed_from_dict(seed("Is it _ ?", "a", choices=["a", "b"]))
    labels = seed_from_dict(seed("It rains.", "yes", frame="classification", choices=["yes", "no", "maybe"]))
    two = seed_from_dict(seed("Which is right?", "a", choices=["a", "b"]))
    assert allowed_forms(pair) == allowed_forms(labels) == ["plain"]
    assert {num_options(axes, two) for axes in draw_axes(two, attempts=50, run_seed=0)} == {2}


@pytest.mark.parametrize(
    "option",
    [
        "All of the above",
        "None of these",
        "Both A and B",
        "A and C only",
        "both (B) and (C)",
        "以上都不是",
        "Alle der genannten",
        "جميع ما سبق",
        "ข้อ ก และ ข",
        "Cả A và B",
        "А и Б",
        "all the others",
        "Alle oben genannten",
    ],
)
def test_options_that_speak_of_their_place_are_never_permuted(option: str) -> None:
    options = ["iron", "gold", "lead", option]
    assert speaks_of_place(options)
    assert {tuple(shown_order(options, random.Random(i))) for i in range(20)} == {(0, 1, 2, 3)}


@pytest.mark.parametrize("option", ["both sides of the river", "iron and gold", "A vitamin and a mineral", "none", "B"])
def test_options_that_speak_for_themselves_are_permuted(option: str) -> None:
    assert not speaks_of_place(["iron", option])
    assert len({tuple(shown_order(["iron", "gold", option], random.Random(i))) for i in range(20)}) > 1


def solve(reply: Any, record: dict[str, Any], **options: Any) -> tuple[Any, Script]:
    settings, script = full(**options), Script(reply)
    flow = answers.make_flow(settings, engines(settings, solvers=2), DECIDED)
    return run(flow, record, script), script


def own(**fields: Any) -> dict[str, Any]:
    return to_dict(questions.own_question(seed_from_dict(seed(**fields))))


SOLVED = "## Context\nLeaves have pores.\n\n## Reasoning\nIt is built into sugar.\n\n## Answer\n{}"


def test_a_solver_of_options_sees_no_letters_and_writes_sections() -> None:
    outcome, script = solve(lambda request, number: SOLVED.format("carbon dioxide"), own(), votes=4)
    (kept,) = outcome.kept
    asked = script.requests[0].messages[-1]["content"]
    assert "- carbon dioxide" in asked
    assert "A. " not in asked
    assert (kept.solutions[0].context, kept.solutions[0].label) == ("Leaves have pores.", "B")
    assert all(request.schema is None for request in script.requests)


def test_options_that_speak_of_their_place_are_shown_with_letters_in_their_own_order() -> None:
    record = own(choices=["oxygen", "carbon dioxide", "both A and B"])
    outcome, script = solve(lambda request, number: SOLVED.format("B"), record, votes=4)
    for request in script.requests:
        assert "A. oxygen\nB. carbon dioxide\nC. both A and B" in request.messages[-1]["content"]
    assert {vote.answer for vote in outcome.kept[0].solutions} == {"carbon dioxide"}


def test_votes_are_dealt_over_the_solvers_and_each_says_who_wrote_it() -> None:
    outcome, script = solve(lambda request, number: SOLVED.format("carbon dioxide"), own(), votes=4)
    (kept,) = outcome.kept
    assert {request.number for request in script.requests} == {0, 1}
    assert [use.model for use in kept.generator.solvers] in (["m", "m1"], ["m1", "m"])
    for vote, request in zip(kept.solutions, script.requests, strict=True):
        assert kept.generator.solvers[vote.solver].model == ("m1" if request.number else "m")
    assert kept.license.models == ["MIT"]


@pytest.mark.parametrize("kind", ["multiple_choice", "numeric", "short_text"])
def test_a_flawed_question_is_a_reason_of_its_own(kind: str) -> None:
    record = own() if kind == "multiple_choice" else own(kind=kind, choices=None, frame="generation")
    outcome, _ = solve(lambda request, number: SOLVED.format("UNANSWERABLE"), record, votes=3, guided=False)
    assert [drop.reason for drop in outcome.dropped] == ["question_flawed"]


def test_written_questions_are_read_whatever_their_marks() -> None:
    text = (
        "<think>Which metal?</think>### Plan\nMercury.\n\n### Question\nWhich metal is liquid\nat room temperature?\n\n"
        "### Options\nA. iron\nB. **mercury** ✅\nC. gold\n\n=====\n\n"
        "**Question:** Which one rusts?\n\n**Options:**\n* iron\n* gold"
    )
    first, second = read_questions(text)
    assert first["question"] == "Which metal is liquid\nat room temperature?"
    assert first["options"] == ["iron", "mercury", "gold"]
    assert second == {"question": "Which one rusts?", "options": ["iron", "gold"]}
    (code,) = read_questions(
        "### Question\nWrite f.\n### Tests\n```python\nassert f(1) == 2\nassert f(\n    2\n) == 3\n```"
    )
    assert code["tests"] == ["assert f(1) == 2", "assert f(\n    2\n) == 3"]


def test_scores_are_read_with_their_reasons() -> None:
    names = ("stands_alone", "one_right_answer", "difficulty")
    text = (
        "## Review\nThe date is missing.\n\n## Scores\nstands_alone: 5 - nothing is missing\n"
        "- **One right answer**: 2/5 — two fit\n`difficulty`: 3"
    )
    assert read_scores(text, names) == (
        {"stands_alone": 5.0, "one_right_answer": 2.0, "difficulty": 3.0},
        {"review": "The date is missing.", "stands_alone": "nothing is missing", "one_right_answer": "two fit"},
    )
    assert read_scores(json.dumps({"stands_alone": 4, "difficulty": 2}), names)[0] == {
        "stands_alone": 4.0,
        "difficulty": 2.0,
    }
    assert read_scores("stands_alone: 7\ndifficulty: very", names)[0] == {}


def test_prompts_name_the_role_that_is_asked() -> None:
    _, script = write(lambda request, number: block("Why?", options_for(request)), similar=1)
    assert (script.requests[0].role, script.requests[0].tag) == (Role.writer, "question0")
