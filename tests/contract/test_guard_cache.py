"""The evaluation rows of the guard: chosen by need, rendered once, and copied to another machine as one file."""

import socket
from pathlib import Path

import huggingface_hub.constants
import pytest
from typer.testing import CliRunner

from nemo_sdg.catalog.about.families import read_data
from nemo_sdg.catalog.selection import compared, select
from nemo_sdg.catalog.walk import build_catalog
from nemo_sdg.cli import app
from nemo_sdg.commands.inputs.guard import import_file
from nemo_sdg.config import GuardSection, SeedsSection
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.records import CatalogRow, to_dict
from nemo_sdg.seeds.evaluation_rows.cache import EvaluationCache
from nemo_sdg.seeds.evaluation_rows.render import render_evaluation
from nemo_sdg.seeds.sources import hub as hub_source
from nemo_sdg.seeds.sources.splits import EvaluationSource, evaluation_sources
from nemo_sdg.storage import read_jsonl


@pytest.fixture(scope="module")
def catalog() -> list[CatalogRow]:
    return build_catalog(SeedsSection(), GuardSection())


def names(catalog: list[CatalogRow], chosen: list[str], *against: str) -> set[str]:
    guard = GuardSection(against=list(against))
    return {row.task for row in compared(catalog, select(catalog, chosen), guard)}


def test_by_default_the_seeds_own_data_their_families_and_reported_benchmarks(catalog: list[CatalogRow]) -> None:
    default = {row.task for row in compared(catalog, select(catalog, ["sciq"]), GuardSection())}
    assert {"sciq", "mmlu_anatomy", "gsm8k", "humaneval", "ifeval", "gpqa_main_n_shot"} <= default
    assert len(default) < len(catalog)
    assert names(catalog, ["gsm8k"], "own") >= {"gsm8k", "gsm8k_cot"}
    assert "sciq" not in names(catalog, ["gsm8k"], "own")
    assert names(catalog, ["gsm8k"], "families") >= {row.task for row in catalog if row.family == "math"}
    assert names(catalog, ["gsm8k"], "own", "xcopa_*") >= {"gsm8k", "xcopa_zh"}
    assert names(catalog, ["gsm8k"], "all") == {row.task for row in catalog}
    with pytest.raises(ConfigError, match=r"guard\.against names gsm9k"):
        names(catalog, ["gsm8k"], "gsm9k")


def test_what_is_required_is_compared_with(catalog: list[CatalogRow]) -> None:
    guard = GuardSection(against=["own"], require=["xcopa_zh"])
    assert "xcopa_zh" in {row.task for row in compared(catalog, select(catalog, ["gsm8k"]), guard)}


def test_every_reported_benchmark_is_one_of_lm_eval(catalog: list[CatalogRow]) -> None:
    for name in read_data("splits.yaml")["reported"]:
        assert select(catalog, [name]), name


def one(mirror: Path) -> tuple[EvaluationSource, SeedsSection]:
    file = mirror / "openai/gsm8k/main/test.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('{"question": "How many legs do two cats have?", "answer": "2 * 4 = 8\\n#### 8"}\n')
    seeds = SeedsSection(mirror=str(mirror))
    (source,) = evaluation_sources(select(build_catalog(seeds, GuardSection()), ["gsm8k"]), seeds).reachable
    return source, seeds


def test_rows_are_rendered_once_and_again_when_the_data_change(tmp_path: Path) -> None:
    source, seeds = one(tmp_path / "mirror")
    cache = EvaluationCache(GuardSection(cache=str(tmp_path / "cache")))
    first = cache.render(source, seeds)
    assert first is not None
    assert list(read_jsonl(first.path)) == [to_dict(row) for row in render_evaluation(source, seeds)]
    assert cache.key(source, seeds) == first.path.stem
    (tmp_path / "mirror/openai/gsm8k/main/test.jsonl").write_text('{"question": "Other?", "answer": "#### 9"}\n')
    assert cache.get(cache.key(source, seeds) or "") is None
    first.path.write_text("cut")
    assert cache.get(first.path.stem) is None, "a file that is not what was written is not used"


def test_a_cache_travels_as_one_file(tmp_path: Path) -> None:
    source, seeds = one(tmp_path / "mirror")
    here, there = tmp_path / "here", tmp_path / "there"
    rendered = EvaluationCache(GuardSection(cache=str(here))).render(source, seeds)
    assert rendered is not None
    runner = CliRunner()
    archive = str(tmp_path / "guard.tar.gz")
    assert runner.invoke(app, ["guard", "export", archive, "--cache", str(here)]).exit_code == 0
    assert runner.invoke(app, ["guard", "import", archive, "--cache", str(there)]).exit_code == 0
    found = EvaluationCache(GuardSection(cache=str(there))).get(rendered.path.stem)
    assert found is not None
    assert found.path.read_bytes() == rendered.path.read_bytes()
    listed = runner.invoke(app, ["guard", "list", "--cache", str(there)]).output
    assert "openai/gsm8k\tmain\ttest\t1" in listed
    with pytest.raises(DataError, match="guard export` wrote") as caught:
        import_file(GuardSection(cache=str(there)), Path(__file__))
    assert "\n" not in str(caught.value)


def test_a_hub_that_cannot_be_reached_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    asked = []
    real = hub_source._sha

    def counted(path: str, revision: str | None) -> str:
        asked.append(path)
        return real(path, revision)

    monkeypatch.setattr(hub_source, "_sha", counted)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", endpoint)
        for number in range(50):
            split = hub_source.Split(path=f"made/up{number}", name=None, split="test")
            with pytest.raises(hub_source.HubUnreachable, match=r"cannot be read from the hub|was not tried"):
                hub_source.commit_of(split, None, "my_task")
    assert asked == ["made/up0"]
