"""YAML and overrides; errors name the field; the fingerprint covers exactly the fields that affect the bytes."""

from pathlib import Path

import pytest
import yaml

from nemo_sdg.config import Labels, Role, fingerprint, load_config, load_recorded, select, shaping
from nemo_sdg.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "c.yaml"
    path.write_text("run: {dir: x}\ngenerate: {votes: 3}\n")
    return path


def test_overrides_win(file: Path) -> None:
    config = load_config(file, ["generate.votes=5", "seeds.tasks=[a,b]"])
    assert (config.generate.votes, config.seeds.tasks, config.run.dir) == (5, ["a", "b"], "x")


@pytest.mark.parametrize("number", [0, 1])
def test_numbers_may_name_the_options_of_rows_without_a_task_file(file: Path, number: int) -> None:
    config = load_config(file, [f"seeds.files={{t: {{data: a.csv, choices: [c], labels: {number}}}}}"])
    assert config.seeds.files["t"].labels is Labels(number)
    assert Labels(str(number)) is Labels(number)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("generate.votes=0", ["generate.votes", ">= 1", "got 0", "c.yaml"]),
        ("generate.vote=3", ["vote", "c.yaml"]),
        ("generate.votes=many", ["votes", "c.yaml"]),
        ("run.executor=spark", ["executor", "c.yaml"]),
        ("engine.kind=openai", ["base_urls"]),
        ("verify.min_agreement=1.5", ["verify.min_agreement"]),
        ("export.variants=[both]", ["export.variants"]),
        ("mixture.difficulty={hard: 2}", ["mixture.difficulty", "export.difficulty_bands=true"]),
        ("mixture.difficulty={harder: 2}", ["mixture.difficulty", "easy, medium, hard"]),
        ("seeds.license_policy=listed", ["seeds.licenses"]),
    ],
)
def test_error_names_field_rule_and_file(file: Path, override: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(file, [override])
    assert "\n" not in str(error.value)
    for word in words:
        assert word in str(error.value)


def test_credentials_in_a_url_are_refused_without_being_repeated(file: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(file, ["engine.kind=openai", "engine.model=m", "engine.base_urls=['http://user:hunter2@host/v1']"])
    assert "hunter2" not in str(error.value)


def test_what_shapes_a_run_leaves_out_how_it_is_carried_out(file: Path) -> None:
    def key(*overrides: str) -> str:
        return fingerprint(shaping(load_config(file, list(overrides))))

    assert (
        key("run.dir=y", "run.workers=7", "run.executor=ray_data", "engine.max_in_flight=9", "run.progress_every=1")
        == key()
    )
    assert key("generate.votes=4") != key()
    assert key("run.seed=1") != key()


@pytest.mark.parametrize("role", ["student: {OWN}", "solver: [{OWN}, {model: b}]", "judge: {OWN}"])
def test_a_run_keeps_a_configuration_that_loads_without_its_servers(tmp_path: Path, role: str) -> None:
    own = "kind: openai, model: a, base_urls: ['http://h/v1']"
    (tmp_path / "c.yaml").write_text(f"roles: {{{role.replace('OWN', own).replace('{model: b}', f'{{{own}}}')}}}")
    config = load_config(tmp_path / "c.yaml")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(shaping(config)))
    kept = load_recorded(tmp_path)
    for each in Role:
        assert [engine.model for engine in kept.engines(each)] == [engine.model for engine in config.engines(each)]


def test_fields_are_selected_by_name_and_by_section(file: Path) -> None:
    found = select(load_config(file), ["mixture", "generate.votes"], ["mixture.alpha"])
    assert found["generate.votes"] == 3
    assert "mixture.family_cap" in found
    assert "mixture.alpha" not in found
    with pytest.raises(AssertionError, match="no_such_field"):
        select(load_config(file), ["generate.no_such_field"], [])


def test_shipped_configurations_load(root: Path) -> None:
    paths = sorted(path for path in (root / "configs").glob("*.yaml") if not path.name.startswith("ablation"))
    assert paths
    for path in paths:
        load_config(path)


def test_shipped_ablation_loads(root: Path) -> None:
    from nemo_sdg.commands.ablate import load_ablation

    assert load_ablation(root / "configs" / "ablation.yaml", ["proxy.tokens=4096"]).proxy.tokens == 4096
