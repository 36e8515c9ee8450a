"""The metadata of a user's task is checked at the catalog, with one line that names the nearest valid value."""

from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.catalog.about.metadata import problems, require_valid
from nemo_sdg.catalog.selection import select
from nemo_sdg.catalog.walk import build_catalog
from nemo_sdg.config import GuardSection, SeedsSection
from nemo_sdg.errors import ConfigError
from tests.fakes.task_tree import instead_of_lm_eval

GOOD = {"family": "factual", "capability": "knowledge", "kind": "short_text", "frame": "generation", "language": "en"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "multiple-choice"}, "did you mean multiple_choice?"),
        ({"kind": "MCQ"}, "did you mean multiple_choice?"),
        ({"kind": 3}, "kind must be one of multiple_choice, numeric, short_text, free_text, code, got 3"),
        ({"frame": "question"}, "frame must be one of selection, classification, generation, explanation"),
        ({"capability": "both"}, "capability must be one of knowledge, reasoning, got 'both'"),
        ({"family": "Factual QA/x"}, "since it names files, got 'Factual QA/x'"),
        ({"language": ["en", "de"]}, "write languages: [en, de]"),
        ({"language": "English"}, "did you mean en?"),
        ({"license": ["MIT", "CC-BY-4.0"]}, "write license: MIT AND CC-BY-4.0"),
        ({"license": None}, "license must be one SPDX id"),
        ({"license": 1}, "license must be one SPDX id"),
        ({"licence": "MIT"}, "has no key 'licence'; did you mean license?"),
        ({"colour": "red"}, "has no key 'colour'; the keys are"),
        ({"commercial_use": "perhaps"}, "commercial_use must be one of yes, no, unknown"),
    ],
)
def test_each_wrong_value_is_one_line(change: dict[str, Any], said: str) -> None:
    (line,) = problems({**GOOD, **change})
    assert said in line
    assert "\n" not in line


@pytest.mark.parametrize("said", ["factual", ["factual"], 3])
def test_what_is_no_mapping_is_one_line(said: Any) -> None:
    (line,) = problems(said)
    assert line.startswith("must be a mapping")


def test_what_is_right_passes() -> None:
    assert problems(None) == []
    assert problems({**GOOD, "license": "CC0-1.0", "commercial_use": True, "share_alike": "no"}) == []
    assert problems({"languages": ["en", "de"]}) == []


def test_a_run_that_asks_for_such_a_task_stops_at_the_catalog(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    said = {"one": "{kind: multiple-choice}", "two": "factual", "three": "[factual]"}
    for name, metadata in said.items():
        (own / f"{name}.yaml").write_text(
            f"task: {name}\ndataset_path: json\ndataset_kwargs: {{data_files: {{train: t.jsonl}}}}\n"
            "training_split: train\ndoc_to_text: '{{q}}'\ndoc_to_target: a\noutput_type: generate_until\n"
            f"metric_list: [{{metric: exact_match}}]\nmetadata: {{nemo_sdg: {metadata}}}\n"
        )
    with instead_of_lm_eval(tmp_path / "others", {}):
        rows = build_catalog(SeedsSection(include_path=[str(own)]), GuardSection())
    for row in select(rows, list(said)):
        assert row.verdict == "refused"
        with pytest.raises(ConfigError, match=rf"^seeds.include_path: task {row.task}: metadata.nemo_sdg ") as caught:
            require_valid([row])
        assert "\n" not in str(caught.value)
