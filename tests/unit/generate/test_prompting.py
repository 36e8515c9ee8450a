import sys
from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.config import EngineSection, GenerateSection, RunConfig, Style
from nemo_sdg.errors import ConfigError
from nemo_sdg.generate.prompting import TEMPLATE_KINDS, TEMPLATES, Prompts, item_json, language_variables, request_seed
from nemo_sdg.generate.requests import Request
from nemo_sdg.records import seed_from_dict

sys.path.insert(0, str(Path(__file__).parent))
from flow_helpers import seed as make_seed

ASKED = {
    "question": 'Why <b> & "so"?',
    "passage": None,
    "family": "science",
    "shown": ["red", "blue"],
    "labels": "ABCD",
    "calls": ["f(1)"],
    "gold": "blue",
    "answer": "Because.",
    "item": '{"question": "Why?"}',
    "num_choices": 2,
    "label_set": "yes, no",
    "target": "yes",
}


def prompts(*, base_model: bool = False, folder: Path | None = None) -> Prompts:
    return Prompts(
        RunConfig(
            engine=EngineSection(base_model=base_model),
            generate=GenerateSection(prompts_dir=str(folder) if folder else None),
        )
    )


def build(made: Prompts, name: str, *, language: str = "en", **more: Any) -> Request:
    return made.request(
        name, {**ASKED, **language_variables(language), **more}, schema={"type": "object"}, purpose="answer", seed=7
    )


@pytest.mark.parametrize("name", TEMPLATES[Style.compact])
def test_every_template_asks_for_its_question_last(name: str) -> None:
    request = build(prompts(), name)
    assert request.messages is not None
    assert [message["role"] for message in request.messages][::2][0] == "system"
    assert request.messages[-1]["role"] == "user"
    assert "Why" in request.messages[-1]["content"]
    assert all(message["content"].strip() == message["content"] != "" for message in request.messages)
    assert sum(len(message["content"]) for message in request.messages) < 2000, (
        "a few hundred tokens: small models and small budgets"
    )
    assert (request.temperature, request.max_tokens, request.seed, request.prompt) == (0.7, 2048, 7, None)


def test_only_the_guided_prompt_shows_the_gold() -> None:
    for kind in TEMPLATE_KINDS:
        solve, guided = (
            build(prompts(), f"solve/{kind}", gold="GOLD-7"),
            build(prompts(), f"guided/{kind}", gold="GOLD-7"),
        )
        assert "GOLD-7" not in str(solve.messages)
        assert "GOLD-7" in guided.messages[-1]["content"]


def test_the_head_is_the_same_for_all_questions_of_a_task() -> None:
    made = prompts()
    first = build(made, "solve/multiple_choice", question="One?", shown=["a", "b"])
    second = build(made, "solve/multiple_choice", question="Two?", shown=["c", "d", "e"])
    assert first.messages[:-1] == second.messages[:-1]
    assert first.messages[-1] != second.messages[-1]


def test_options_stand_after_the_question_so_that_votes_share_it() -> None:
    one, two = (
        build(prompts(), "solve/multiple_choice", shown=shown).messages[-1]["content"]
        for shown in (["red", "blue"], ["blue", "red"])
    )
    assert one.endswith("\nA. red\nB. blue")
    assert two.endswith("\nA. blue\nB. red")
    assert one.split("\nA.")[0] == two.split("\nA.")[0]


def test_text_is_given_as_it_is_and_language_is_told() -> None:
    content = str(
        build(
            prompts(), "solve/short_text", question="<i>Größe</i> & {{ 7*7 }}?", language="de", passage="Es war"
        ).messages
    )
    assert "<i>Größe</i> & {{ 7*7 }}?" in content
    assert "Write in German." in content
    assert "Passage: Es war" in content
    assert "Write in" not in str(build(prompts(), "solve/short_text").messages)


def test_base_models_get_running_text_with_the_same_head() -> None:
    made = prompts(base_model=True)
    first, second = (build(made, "solve/numeric", question=question) for question in ("One?", "Two?"))
    assert first.messages is None
    assert first.prompt is not None
    assert first.prompt.endswith("One?\n### Reply\n")
    assert first.prompt.split("One?")[0] == second.prompt.split("Two?")[0]
    assert first.stop


def test_a_file_in_the_users_folder_takes_the_place_of_ours_and_changes_its_hash_alone(tmp_path: Path) -> None:
    (tmp_path / "solve").mkdir()
    (tmp_path / "solve" / "numeric.jinja").write_text(
        "{% block instruction %}Mine.{% endblock %}{% block ask %}{{ question }}{% endblock %}"
    )
    shipped, mine = prompts(), prompts(folder=tmp_path)
    assert build(mine, "solve/numeric").messages == [
        {"role": "system", "content": "Mine."},
        {"role": "user", "content": ASKED["question"]},
    ]
    assert [mine.hash(name) == shipped.hash(name) for name in ("solve/numeric", "solve/code", "guided/numeric")] == [
        False,
        True,
        True,
    ]
    assert build(mine, "solve/code").messages == build(shipped, "solve/code").messages


@pytest.mark.parametrize(
    ("source", "message"),
    [("{% block instruction %}", "line 1"), ("{% block instruction %}x{% endblock %}", "ask is missing")],
)
def test_a_broken_template_is_one_clear_line(tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "solve").mkdir()
    (tmp_path / "solve" / "numeric.jinja").write_text(source)
    with pytest.raises(ConfigError, match=message) as caught:
        prompts(folder=tmp_path)
    assert "numeric.jinja" in str(caught.value)


def test_worked_examples_stand_in_their_order_each_with_its_reply(tmp_path: Path) -> None:
    (tmp_path / "solve").mkdir()
    blocks = {
        "instruction": "I.",
        "ask": "{{ question }}",
        "example2": "e2",
        "reply2": "r2",
        "example": "e1",
        "reply": "r1",
    }
    source = "".join(f"{{% block {name} %}}{text}{{% endblock %}}" for name, text in blocks.items())
    (tmp_path / "solve" / "numeric.jinja").write_text(source)
    messages = build(prompts(folder=tmp_path), "solve/numeric").messages
    assert messages is not None
    assert [message["content"] for message in messages] == ["I.", "e1", "r1", "e2", "r2", ASKED["question"]]
    (tmp_path / "other" / "solve").mkdir(parents=True)
    (tmp_path / "other" / "solve" / "numeric.jinja").write_text(source.replace("block reply2", "block repl"))
    with pytest.raises(ConfigError, match="reply2 is missing"):
        prompts(folder=tmp_path / "other")


def test_a_head_cannot_depend_on_its_record(tmp_path: Path) -> None:
    (tmp_path / "solve").mkdir()
    (tmp_path / "solve" / "numeric.jinja").write_text(
        "{% block instruction %}{{ question }}{% endblock %}{% block ask %}{{ question }}{% endblock %}"
    )
    with pytest.raises(ConfigError, match="block instruction: 'question' is undefined"):
        build(prompts(folder=tmp_path), "solve/numeric")


def test_an_unknown_variable_names_its_template(tmp_path: Path) -> None:
    (tmp_path / "solve").mkdir()
    (tmp_path / "solve" / "numeric.jinja").write_text(
        "{% block instruction %}{{ nonsense }}{% endblock %}{% block ask %}x{% endblock %}"
    )
    with pytest.raises(ConfigError, match=r"numeric\.jinja.*nonsense"):
        build(prompts(folder=tmp_path), "solve/numeric")


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="prompts_dir"):
        prompts(folder=tmp_path / "none")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("solve/shortext.jinja", "solve/short_text.jinja"),
        ("solv/numeric.jinja", "solve/numeric.jinja"),
        ("full/judge/questions.jinja", "full/judge/question.jinja"),
        ("choices.jinja", "did you mean compact/choices.jinja|names are such as"),
    ],
)
def test_a_template_that_nothing_reads_is_refused(tmp_path: Path, name: str, hint: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("{% block instruction %}i{% endblock %}{% block ask %}a{% endblock %}")
    with pytest.raises(ConfigError, match=f"replaces no template.*({hint})"):
        prompts(folder=tmp_path)


def test_templates_that_others_include_are_read(tmp_path: Path) -> None:
    (tmp_path / "solve").mkdir()
    (tmp_path / "rules.jinja").write_text("Be brief.")
    (tmp_path / "solve" / "numeric.jinja").write_text(
        '{% block instruction %}Don\'t guess. {% include "rules.jinja" %}{% endblock %}{% block ask %}x{% endblock %}'
    )
    asked = build(prompts(folder=tmp_path), "solve/numeric")
    assert asked.messages is not None
    assert "Be brief." in asked.messages[0]["content"]


def test_seeds_of_requests_depend_on_run_record_and_purpose() -> None:
    seeds = {request_seed(run, record, purpose) for run in (0, 1) for record in "ab" for purpose in ("vote0", "vote1")}
    assert len(seeds) == 8
    assert request_seed(0, "a", "vote0") == request_seed(0, "a", "vote0")


def test_the_questioner_sees_a_seed_without_its_answer() -> None:
    seed = seed_from_dict(make_seed("Add.", "SECRET", kind="code", choices=None, tests=["assert f(1) == 2"] * 5))
    assert (
        item_json(seed, with_choices=True)
        == '{"question": "Add.", "tests": ["assert f(1) == 2", "assert f(1) == 2", "assert f(1) == 2"]}'
    )


@pytest.mark.parametrize(
    "attack",
    [
        "{{ cycler.__init__.__globals__.os.open(PATH, 65) }}",
        "{{ lipsum.__globals__['os'].open(PATH, 65) }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ '{0.__class__.__mro__}'.format(labels) }}",
        "{% set made = self.__init__.__globals__ %}{{ made }}",
    ],
)
def test_a_template_of_somebody_elses_run_does_not_reach_python(tmp_path: Path, attack: str) -> None:
    target = tmp_path / "written"
    attack = attack.replace("PATH", repr(str(target)))
    blocks = {"instruction": "Solve it.", "ask": "{{ question }} " + attack}
    text = "".join(f"{{% block {name} %}}{body}{{% endblock %}}" for name, body in blocks.items())
    (tmp_path / "solve").mkdir()
    (tmp_path / "solve" / "short_text.jinja").write_text(text)
    with pytest.raises(ConfigError, match=r"short_text\.jinja.*unsafe"):
        build(prompts(folder=tmp_path), "solve/short_text")
    assert not target.exists()
