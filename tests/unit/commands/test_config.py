"""`nemo-sdg config`: every field is described, and the schema accepts what the loader accepts."""

from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.commands.ahead.config import schema, settings, show
from nemo_sdg.config import RunConfig, load_config
from nemo_sdg.errors import ConfigError

CONFIG = "generate:\n  votes: 4\n"


def test_set_fields_stand_first_with_their_source(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(CONFIG)
    lines = show(tmp_path / "c.yaml", ["run.seed=7"])
    head = lines[: lines.index("# defaults")]
    assert "generate.votes: 4" in head
    assert "run.seed: 7" in head
    assert "engine.model: null" in lines
    assert "curate.judge: true" in lines
    assert "from command line, default 0" in " ".join(map(str.strip, head[head.index("run.seed: 7") :]))
    assert all(len(line) <= 100 for line in lines if line.startswith("    "))


def test_the_schema_holds_every_field_and_nothing_else() -> None:
    def keys(node: dict[str, Any], prefix: str = "") -> set[str]:
        if "properties" not in node:
            return {prefix[:-1]}
        return set().union(*(keys(value, f"{prefix}{key}.") for key, value in node["properties"].items()))

    assert keys(schema()) == {setting.key for setting in settings(RunConfig())}
    assert schema()["properties"]["run"]["properties"]["executor"]["enum"] == ["local", "ray_data", "xenna"]


@pytest.mark.parametrize(
    ("text", "overrides", "message"),
    [
        (CONFIG, ["seeds.limit_pr_task=3"], "did you mean seeds.limit_per_task"),
        (CONFIG, ["sed.x=1"], "did you mean seeds"),
        (CONFIG, ["generate.votes=many"], "generate.votes must be a whole number, got 'many'"),
        (CONFIG, ["run.dir=${HOME}/x"], r"run\.dir names \$\{HOME\}, .*write \$\{oc\.env:HOME\}"),
        (CONFIG, ["roles.solver=foo"], r"roles\.solver must be a list of sections such as \[\{model"),
        ("seeds: {tasks: [a]}", ["seeds.tasks[0]=b"], "write the whole list"),
        (CONFIG, ["seeds.tasks=[a, b"], r"the value of seeds\.tasks is no YAML: \[a, b"),
        (CONFIG, ["engine.extra_body={a:1}"], r"engine\.extra_body has a field named 'a:1'.* a: 1"),
        (CONFIG, ["curate.filters.my:f.words=3"], r"write 'curate\.filters=\{my:f: \{words: 3\}\}'"),
        (CONFIG, ["curate.filters.my.mod:f=true"], r"write 'curate\.filters=\{my\.mod:f: true\}'"),
        ("- a\n", [], "a mapping of sections"),
        ("generate: [", [], "expected"),
        ("generate:\n  votes: 0\n", [], "generate.votes must be >= 1, got 0"),
    ],
)
def test_mistakes_are_one_line_that_names_field_and_file(
    tmp_path: Path, text: str, overrides: list[str], message: str
) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(tmp_path / "c.yaml", overrides)
    assert "\n" not in str(caught.value)
    assert "full_key" not in str(caught.value)
    assert "c.yaml" in str(caught.value)


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nemo-sdg init"):
        load_config(tmp_path)


def test_a_run_shows_its_record_and_names_its_own_folder(tmp_path: Path) -> None:
    """Its record has no servers, and a configuration that is read from it writes into it."""
    (tmp_path / "catalog").mkdir()
    (tmp_path / "config.yaml").write_text(
        "run: {seed: 3}\nengine: {kind: openai, model: m}\nroles: {judge: {model: j}}\n"
    )
    for path in (tmp_path, tmp_path / "config.yaml"):
        lines = show(path, [])
        assert "run.seed: 3" in lines
        assert "does not record where its servers are" in lines[1]
    urls = "engine.base_urls=[http://a/v1]"
    assert load_config(tmp_path, [urls]).run.dir == str(tmp_path)
    assert load_config(tmp_path, [urls, "run.dir=other"]).run.dir == "other"
    (tmp_path / "my.yaml").write_text("run: {seed: 3}\n")
    (tmp_path / "catalog").rmdir()
    assert load_config(tmp_path, [urls]).run.dir == RunConfig().run.dir, "no run: a configuration in a folder"


def test_the_home_folder_may_be_written_as_in_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell leaves the ~ in `key=~/x` as it is, and a folder named ~ would be made."""
    monkeypatch.setenv("HOME", "/home/me")
    (tmp_path / "c.yaml").write_text("seeds: {mirror: ~/mirror, include_path: [~/tasks, a~/b]}\n")
    config = load_config(tmp_path / "c.yaml", ["run.dir=~/runs/a"])
    assert config.run.dir == "/home/me/runs/a"
    assert config.seeds.mirror == "/home/me/mirror"
    assert config.seeds.include_path == ["/home/me/tasks", "a~/b"]
