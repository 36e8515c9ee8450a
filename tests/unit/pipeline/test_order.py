"""The declarations of the step modules."""

from pathlib import Path

import pytest

from nemo_sdg.config import Role, RoleSection, RolesSection, RunConfig, load_config, shaping
from nemo_sdg.errors import ConfigError
from nemo_sdg.pipeline.order import (
    STEPS,
    configuration_of,
    configured_steps,
    parse_worker,
    step_module,
    steps_between,
    why_skipped,
)
from nemo_sdg.pipeline.run import run
from nemo_sdg.steps.generation import generation_inputs
from nemo_sdg.storage import ContentHashes


def test_every_field_that_shapes_bytes_belongs_to_a_step() -> None:
    """A field that no step names would be changed without a step being redone: add it to the SHAPES (counts by its
    value) or the READS (counts by the content of what it names) of the step that it shapes, or to OPERATIONAL.
    """
    config = RunConfig()
    named = {leaf for step in STEPS for leaf in configuration_of(step, config)}
    named = {leaf for leaf in named if not leaf.startswith(("roles.", "engine."))}
    named |= {leaf for step in STEPS for leaf in getattr(step_module(step), "READS", [])}
    fields = {
        f"{section}.{name}"
        for section, values in shaping(config).items()
        if section not in ("engine", "roles")  # a step counts the engines of its ROLES as a whole
        for name in values
    }
    assert fields - named == set()
    assert named - fields == set(), "fields that do not exist"


@pytest.mark.parametrize(
    ("override", "first"),
    [
        ("seeds.tasks=[gsm8k]", "catalog"),
        ("seeds.limit_per_task=3", "seeds"),
        ("generate.origins.similar=1", "questions"),
        ("generate.votes=4", "answers"),
        ("generate.temperature_answer=0.1", "answers"),
        ("verify.code_timeout=1.0", "verified"),
        ("curate.filters={length: false}", "curated"),
        ("export.valid_share=0.2", "packed"),
        ("mixture.alpha=0.5", "blend"),
    ],
)
def test_a_change_concerns_the_step_that_it_shapes_first(tmp_path: Path, override: str, first: str) -> None:
    (tmp_path / "c.yaml").write_text("{}")
    old, new = load_config(tmp_path / "c.yaml"), load_config(tmp_path / "c.yaml", [override])
    changed = [step for step in configured_steps(old) if configuration_of(step, old) != configuration_of(step, new)]
    assert changed[0] == first


def test_templates_count_by_content_and_only_for_the_step_that_uses_them(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("{}")

    def key(folder: str, purposes: list[str]) -> dict[str, str]:
        config = load_config(tmp_path / "c.yaml", [f"generate.prompts_dir={tmp_path / folder}"])
        return generation_inputs(config, ContentHashes(), purposes, [Role.solver]).content

    for folder, text in (("a", "one"), ("b", "one"), ("c", "two")):
        (tmp_path / folder / "solve").mkdir(parents=True)
        (tmp_path / folder / "solve" / "code.jinja").write_text(text)
    assert key("a", ["solve"]) == key("b", ["solve"]) != key("c", ["solve"])
    assert key("a", ["similar"]) == key("c", ["similar"])
    (tmp_path / "c" / "rules.txt").write_text("Be brief.")  # what a template includes
    before = key("c", ["similar"])
    (tmp_path / "c" / "rules.txt").write_text("Be long.")
    assert key("c", ["similar"]) != before


def test_how_answers_are_graded_does_not_concern_how_questions_are(tmp_path: Path) -> None:
    config = RunConfig(roles=RolesSection(judge=RoleSection()))
    config.generate.prompts_dir = str(tmp_path)
    (tmp_path / "judge").mkdir()

    def changed(name: str) -> list[str]:
        steps = [step_module(step) for step in ("screened", "graded")]
        before = [step.inputs(config, ContentHashes()).content for step in steps]
        (tmp_path / "judge" / name).write_text("Other words.")
        after = [step.inputs(config, ContentHashes()).content for step in steps]
        return [
            step.__name__.rpartition(".")[2]
            for step, one, other in zip(steps, before, after, strict=True)
            if one != other
        ]

    assert changed("answer.jinja") == changed("agreement.jinja") == ["graded"]
    assert changed("question.jinja") == ["screened"]
    assert changed("rubric.jinja") == ["screened", "graded"]


def test_the_steps_to_run_are_those_asked_for() -> None:
    config = RunConfig()
    assert steps_between(config) == configured_steps(config)
    assert steps_between(config, only="packed") == ["packed"]
    assert steps_between(config, start="curated", until="packed") == ["curated", "packed"]
    with pytest.raises(ConfigError, match="--from blend comes after --until packed"):
        steps_between(config, start="blend", until="packed")
    with pytest.raises(ConfigError, match="--only names the one step"):
        steps_between(config, only="blend", start="packed")
    with pytest.raises(ConfigError, match="'pack' is not a step"):
        steps_between(config, start="pack")


@pytest.mark.parametrize("text", ["1", "2/2", "-1/2", "a/b"])
def test_a_worker_is_an_index_below_a_number(text: str) -> None:
    assert parse_worker("1/2") == (1, 2)
    with pytest.raises(ConfigError, match="--worker"):
        parse_worker(text)


@pytest.mark.parametrize("only", [None, "seeds", "curated"])
def test_workers_share_generation_steps_alone(tmp_path: Path, only: str | None) -> None:
    config = RunConfig()
    config.run.dir = str(tmp_path / "run")
    with pytest.raises(ConfigError, match="--worker shares questions, screened, answers and graded alone"):
        run(config, only=only, worker=(0, 2))
    assert not (tmp_path / "run").exists()


def test_grading_steps_run_where_their_roles_are_configured() -> None:
    plain, graded = RunConfig(), RunConfig(roles=RolesSection(judge=RoleSection()))
    student = RunConfig(roles=RolesSection(student=RoleSection()))
    assert not {"screened", "graded"} & set(configured_steps(plain))
    assert configured_steps(graded)[2:7] == ["questions", "screened", "answers", "graded", "verified"]
    assert configured_steps(student)[2:6] == ["questions", "answers", "graded", "verified"]
    assert "roles.judge" in str(why_skipped("screened", plain))
