"""What a sample has passed is not asked again, and nothing else is left out."""

from pathlib import Path

import pytest

from nemo_sdg.config import CurateSection
from nemo_sdg.curate import passed
from nemo_sdg.curate.filters.registry import apply_filters
from nemo_sdg.curate.passed import FILE, RemainingFilters, note_filters, shipped_identity
from nemo_sdg.storage import StepDir, read_json, write_json
from tests.unit.curate.filters.test_registry import CHOICE

PASSED = {**CHOICE, "verification": {"method": "m", "verdict": "verified", "passed": True}}
DAMAGED = {**PASSED, "question": "What is [insert a question here]?"}
"""would not pass, but says that it has"""
WITHOUT_EMBEDDER = {"context_off_topic": False}


@pytest.fixture
def step(tmp_path: Path) -> StepDir:
    return StepDir(run_dir=tmp_path, step="verified", fingerprint="f")


def filters(step: StepDir, **settings: object) -> RemainingFilters:
    return RemainingFilters(CurateSection(filters={**WITHOUT_EMBEDDER, **settings}), step)


def test_what_has_passed_is_not_asked_again(step: StepDir) -> None:
    assert apply_filters(DAMAGED, CurateSection(filters=WITHOUT_EMBEDDER)) is not None
    note_filters(step, afresh=True)
    assert filters(step).find(DAMAGED) is None
    assert filters(step).others == []


def test_a_sample_that_does_not_say_so_is_asked(step: StepDir) -> None:
    note_filters(step, afresh=True)
    for said in ({**PASSED["verification"], "passed": False}, {"method": "m", "verdict": "verified"}, None):
        assert filters(step).find({**DAMAGED, "verification": said}) is not None


def test_other_thresholds_own_filters_and_the_embedder_are_asked(
    step: StepDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_of_passed.py").write_text("def short(sample):\n    return 'short'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    note_filters(step, afresh=True)
    settings = {"length": {"max_question": 10}, "own_of_passed:short": True}
    assert [name for name, _ in filters(step, **settings).others] == ["length", "own_of_passed:short"]
    assert filters(step, **settings).find(PASSED) == apply_filters(
        CHOICE, CurateSection(filters={**WITHOUT_EMBEDDER, **settings})
    )
    assert filters(step, length=False).others == []
    assert [name for name, _ in RemainingFilters(CurateSection(), step).others] == ["context_off_topic"]


def test_a_note_of_other_code_counts_for_nothing(step: StepDir, monkeypatch: pytest.MonkeyPatch) -> None:
    assert filters(step).find(DAMAGED) is not None  # no note: a step of an earlier version
    note_filters(step, afresh=False)
    assert filters(step).find(DAMAGED) is not None  # some shards are of that version still
    note_filters(step, afresh=True)
    assert filters(step).find(DAMAGED) is None
    monkeypatch.setattr(passed, "shipped_identity", lambda: "other")
    assert filters(step).find(DAMAGED) is not None
    note_filters(step, afresh=False)  # a resumed step
    monkeypatch.undo()
    assert filters(step).find(DAMAGED) is not None
    assert read_json(step.path / FILE) == [shipped_identity(), "other"]
    write_json(step.path / FILE, {"damaged": 1})
    assert filters(step).find(DAMAGED) is not None
