import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nemo_sdg.config import OriginShare
from nemo_sdg.generate import questions
from nemo_sdg.generate.requests import Completion, Request
from nemo_sdg.records import Generator, SampleLicense, Usage, json_line, seed_from_dict

sys.path.insert(0, str(Path(__file__).parent))
from flow_helpers import Script, config, engines, run, seed

NEW = {"question": "Which metal is liquid at room temperature?", "choices": ["iron", "mercury", "gold"]}


def ask_for(
    reply: Any, record: dict[str, Any] | None = None, *, few_shot: list[dict[str, Any]] | None = None, **options: Any
) -> tuple[Any, Script]:
    script = Script(reply if callable(reply) else lambda request, number: reply)
    settings, shots = config(**options), [seed_from_dict(shot) for shot in few_shot or []]
    return run(questions.make_flow(settings, engines(settings), {"t": shots}), record or seed(), script), script


def test_a_seed_gives_its_own_question_and_a_new_one() -> None:
    outcome, _ = ask_for(NEW)
    own, new = outcome.kept
    assert (own.origin, own.question, own.answer.text, own.answer.label, own.generator) == (
        "seed",
        "What gas do plants take in?",
        "carbon dioxide",
        "B",
        Generator(),
    )
    assert (new.origin, new.question, new.answer, new.seed_ids) == ("similar", NEW["question"], None, own.seed_ids)
    assert sorted(new.choices) == sorted(NEW["choices"])
    assert (new.kind, new.frame, new.language, new.family, new.task) == (
        "multiple_choice",
        "selection",
        "en",
        "science",
        "t",
    )
    assert new.generator.writer.prompt == "similar/multiple_choice"
    assert len(new.generator.writer.prompt_hash) == 16
    assert new.usage == Usage(prompt_tokens=100, completion_tokens=10)
    assert new.license == SampleLicense(seeds=["MIT"], models=["MIT"])
    assert not outcome.dropped
    json_line(new)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "empty_output"),
        ("no", "invalid_json"),
        ({"question": "Which?"}, "schema"),
        ({**NEW, "choices": ["iron", "gold"]}, "too_few_choices"),
        ({**NEW, "choices": ["iron", "gold", "lead", "tin"]}, "too_many_choices"),
        ({**NEW, "choices": ["iron", "Iron ", "gold"]}, "duplicate_choices"),
        ({**NEW, "choices": ["iron", "gold", "All of the above"]}, "composite_choice"),
        ({**NEW, "question": "What gas do plants take in?"}, "copy_of_seed"),
        ({**NEW, "question": "what GAS do plants take in ?"}, "copy_of_seed"),
        ({**NEW, "question": "Which of the planets is the largest?"}, "copy_of_example"),
        (Completion(text="", finish_reason="refused", detail="too long\x00"), "refused_by_engine"),
        (Completion(text='{"question": "Wh', finish_reason="length"), "cut_at_max_tokens"),
    ],
)
def test_an_attempt_that_gives_no_question_is_one_drop_with_its_reason(reply: Any, reason: str) -> None:
    outcome, _ = ask_for(reply, few_shot=[seed("Which of the planets is the largest?")])
    assert [sample.origin for sample in outcome.kept] == ["seed"]
    assert [(drop.reason, drop.step, drop.task, drop.record["attempt"]) for drop in outcome.dropped] == [
        (reason, "questions", "t", 0)
    ]
    json_line(outcome.dropped[0])


def test_a_passage_closed_at_its_bound_ends_with_its_last_sentence_and_a_question_there_is_dropped() -> None:
    record = seed_from_dict(
        seed("Is water wet?", "yes", frame="classification", choices=["yes", "no"], passage="Water is wet.")
    )
    flow = questions.Questions(config(max_tokens_question=60), engines(config()), {}).writer
    bounds = {name: field["maxLength"] for name, field in flow.schema(record)["properties"].items()}
    passage = ("Rivers run into the sea. They never" + " fill it" * 90)[: bounds["passage"]]
    value, reason, _ = flow.read(
        Completion(text=json.dumps({"passage": passage, "question": "Is it full?"}), finish_reason="stop"), record
    )
    assert reason is None
    assert value is not None
    assert value.passage == "Rivers run into the sea."
    for cut in (
        {"passage": "x" * bounds["passage"], "question": "Is it full?"},
        {"passage": passage, "question": "x" * bounds["question"]},
    ):
        assert flow.read(Completion(text=json.dumps(cut), finish_reason="stop"), record)[1] == "cut_at_max_tokens"


def test_a_long_copy_with_one_word_changed_is_a_copy_and_a_new_story_is_not() -> None:
    story = (
        "Tom has five boxes with four red apples in each of them and he gives three of the apples to his "
        "sister Ann. How many apples are left?"
    )
    other = (
        "A train leaves the station with 80 people. At the next stop 12 get off and 20 get on. How many people "
        "are now on the train?"
    )
    for text, reason in ((story.replace("Ann", "Eva"), "copy_of_seed"), (other, None)):
        outcome, _ = ask_for({"question": text}, seed(story, "17", kind="numeric", choices=None))
        assert [drop.reason for drop in outcome.dropped] == ([reason] if reason else [])


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", "rubbish"]), max_size=6), st.floats(0, 1))
def test_every_attempt_ends_as_exactly_one_sample_or_drop(replies: list[str], share: float) -> None:
    texts = {
        "a": NEW,
        "b": {**NEW, "question": "How far is the moon from us?"},
        "c": {**NEW, "question": "Who was the first to sail around Africa?"},
        "rubbish": "{",
    }
    outcome, script = ask_for(lambda request, number: texts[replies[number]], similar=len(replies), share=share)
    own = [sample for sample in outcome.kept if sample.origin == "seed"]
    assert len(own) in ((0, 1) if 0 < share < 1 else (int(share),))
    assert len(outcome.kept) + len(outcome.dropped) == len(replies) + len(own)
    assert len(script.requests) == len(replies)
    ids = [sample.sample_id for sample in outcome.kept] + [drop.id for drop in outcome.dropped]
    assert len(set(ids)) == len(ids)
    assert len(outcome.kept) - len(own) == len(set(replies) - {"rubbish"}), "a question written twice counts once"


def test_the_same_completions_give_the_same_outcome_in_whatever_order_they_come() -> None:
    replies = [
        {**NEW, "question": f"Question {word}?"}
        for word in ("one about rivers", "two on the history of tea", "three, how birds sleep")
    ]
    record = seed()
    results = []
    for delays in ([0, 0, 0], [9, 4, 0]):
        script = Script(lambda request, number: replies[number], delays=delays)
        results.append(run(questions.make_flow(config(similar=3), engines(config()), {}), record, script))
    assert [json_line(sample) for sample in results[0].kept] == [json_line(sample) for sample in results[1].kept]


def test_requests_of_a_task_share_their_head_and_never_show_an_answer() -> None:
    shots = [seed(f"Example {i} of the kind?", answer="helium") for i in range(3)]
    seen: list[Request] = []
    for text in ("First question?", "Second, longer question?"):
        seen += ask_for(NEW, seed(text, answer="SECRET", choices=["x", "y", "SECRET"]), few_shot=shots, similar=2)[
            1
        ].requests
    heads = {json.dumps(request.messages[:-1]) for request in seen}
    assert len(heads) == 1
    assert "Example 2 of the kind?" in heads.pop()
    assert len({request.seed for request in seen}) == 4
    assert '"answer"' not in json.dumps([request.messages for request in seen])
    assert all("answer" not in request.schema["properties"] for request in seen)


def test_a_seed_never_stands_in_its_own_head() -> None:
    shots = [seed(f"Example {i} of the kind?") for i in range(3)]
    _, script = ask_for(NEW, shots[0], few_shot=shots)
    assert "Example 0" not in json.dumps(script.requests[0].messages[:-1])


def test_classification_keeps_its_labels_and_aims_at_them_evenly() -> None:
    labels = ["entailment", "neutral", "contradiction"]
    targets = []
    for i in range(60):
        record = seed(f"It rains {i} times.", "neutral", frame="classification", choices=labels, passage="Clouds.")
        outcome, script = ask_for(
            {"passage": "The sun shines all day long in this place.", "question": "It is night."}, record
        )
        assert outcome.kept[1].choices == labels
        assert "choices" not in script.requests[0].schema["properties"]
        targets.append(script.requests[0].messages[-1]["content"].rsplit(": ", 1)[1])
    assert set(targets) == set(labels)
    assert min(targets.count(label) for label in labels) >= 10


def test_the_right_option_is_not_where_the_model_wrote_it() -> None:
    first = []
    for i in range(40):
        outcome, _ = ask_for({**NEW, "question": f"Which metal is liquid at {i} degrees, and which one is not?"})
        first.append(outcome.kept[1].choices[0])
    assert len(set(first)) == 3


def test_a_blank_stays_a_blank() -> None:
    record = seed("The cat chased Tom since _ was small.", "Tom", choices=["the cat", "Tom"])
    outcome, _ = ask_for({"question": "Who was small?", "choices": ["Ann", "Bob"]}, record)
    assert [drop.reason for drop in outcome.dropped] == ["blank_lost"]
    outcome, _ = ask_for(
        {"question": "Ann called Bob because _ was late for dinner.", "choices": ["Ann", "Bob"]}, record
    )
    assert not outcome.dropped


@pytest.mark.parametrize(
    ("tests", "kept"),
    [(["assert g(1) == 2"], True), (["assert g"], False), (["assert g(1) == 2", "assert h(1) == 2"], False)],
)
def test_code_needs_tests_that_call_one_function(tests: list[str], kept: bool) -> None:
    record = seed(
        "Write f.", "def f(x): return x", kind="code", frame="generation", choices=None, tests=["assert f(1) == 1"]
    )
    outcome, _ = ask_for({"question": "Write g that adds one to a number.", "tests": tests}, record)
    assert [sample.tests for sample in outcome.kept if sample.origin == "similar"] == ([tests] if kept else [])
    assert [drop.reason for drop in outcome.dropped] == ([] if kept else ["tests_unusable"])


def test_families_have_their_own_shares() -> None:
    made = config(similar=1)
    made.generate.origins_by_family["science"] = OriginShare(similar=3, seed=0.0)
    script = Script(
        lambda request, number: {
            **NEW,
            "question": ["How do birds sleep?", "Who sailed around Africa first?", "What is tea made of?"][number],
        }
    )
    outcome = run(questions.make_flow(made, engines(made), {}), seed(), script)
    assert [sample.origin for sample in outcome.kept] == ["similar"] * 3


def test_which_seeds_keep_their_question_is_decided_by_their_id() -> None:
    chosen = [questions.takes_own_question(str(i), 0.3, run_seed=0) for i in range(2000)]
    assert 0.25 < sum(chosen) / len(chosen) < 0.35
    assert chosen == [questions.takes_own_question(str(i), 0.3, run_seed=0) for i in range(2000)]
    assert chosen != [questions.takes_own_question(str(i), 0.3, run_seed=1) for i in range(2000)]
