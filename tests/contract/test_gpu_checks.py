"""The acceptance checks for machines with a GPU, as far as they go without one: their measuring runs here, on engines
that can be here.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.openai_server import serving


@pytest.fixture
def checks(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(root / "scripts"))
    import gpu_checks

    return gpu_checks


def fake_engine(url: str) -> list[str]:
    return ["engine.kind=openai", "engine.model=fake", f"engine.base_urls=[{url}]", "engine.max_in_flight=32"]


def test_generation_counts_readable_votes(checks, tmp_path: Path) -> None:
    with serving() as server:
        passed, said = checks.check_generation(tmp_path / "run", [*fake_engine(server.url), "seeds.limit_per_task=13"])
    assert passed, said
    assert said.startswith("openai, ")
    assert "100% of " in said


@pytest.mark.parametrize("guided", [True, False])
def test_guided_tells_json_that_follows_its_schema_from_prose(checks, guided: bool) -> None:
    with serving() as server:
        passed, said = checks.check_guided(
            [*fake_engine(server.url), f"engine.structured={'json_schema' if guided else 'none'}"], num=4
        )
    assert passed is guided, said


def test_dedup_finds_what_was_planted(checks, tmp_path: Path) -> None:
    passed, said = checks.check_dedup(tmp_path / "dedup", num=500, gpu=False)
    assert passed, said
    assert "of 100 planted" in said


@pytest.mark.skipif(
    any(map(importlib.util.find_spec, ("tensorrt_llm", "cudf"))), reason="a GPU's packages are installed here"
)
def test_what_is_not_installed_fails_in_one_line_each(root: Path) -> None:
    result = subprocess.run(
        [str(root / "scripts" / "gpu_acceptance.sh"), "generation", "guided", "dedup", "recipe"],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1, result.stderr
    lines = result.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == ["FAIL generation", "FAIL guided", "FAIL dedup", "FAIL recipe"]
    assert all("no package" in line for line in lines)
