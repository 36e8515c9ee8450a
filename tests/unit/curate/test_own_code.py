"""What is known of the user's own code: a change of a file that it imports is a change of it."""

import sys
from pathlib import Path

import pytest

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.filters.registry import filter_sources, filters_identity
from nemo_sdg.curate.own_code import stage_sources


def test_a_change_of_a_helper_in_a_subfolder_is_a_change_of_the_filter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "helpers").mkdir()
    (tmp_path / "helpers" / "limits.py").write_text("LIMIT = 3\n")
    (tmp_path / "house_filters.py").write_text(
        "from helpers.limits import LIMIT\n\n\ndef short(sample):\n    return None\n\n\ndef stages():\n    return []\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    config = CurateSection(filters={"house_filters:short": True}, stages=["house_filters:stages"])
    try:
        before = filters_identity(config)
        assert set(filter_sources(config)) == {"house_filters:short", "house_filters:short/helpers/limits.py"}
        assert set(stage_sources(config)) == {"house_filters:stages", "house_filters:stages/helpers/limits.py"}
        (tmp_path / "helpers" / "limits.py").write_text("LIMIT = 4\n")
        assert filters_identity(config) != before
    finally:
        for name in ("house_filters", "helpers.limits", "helpers"):
            sys.modules.pop(name, None)
