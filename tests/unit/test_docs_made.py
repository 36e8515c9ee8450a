"""The pages and pictures that are made from the code are up to date."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


NAMES = (
    "docs/reference/configuration.md",
    "docs/reference/commands.md",
    "docs/images/way-light.svg",
    "docs/images/way-dark.svg",
)


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("docs_made", ROOT / "scripts" / "docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    files: dict[str, str] = module.files()
    return files


def test_every_made_file_is_looked_at(made: dict[str, str]) -> None:
    assert sorted(made) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_page_is_up_to_date(name: str, made: dict[str, str]) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == made[name], f"run python scripts/docs.py: {name} differs"
