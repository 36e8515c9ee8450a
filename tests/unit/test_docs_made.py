"""The pages and pictures that are made from the code are up to date."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def made() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("docs_made", ROOT / "scripts" / "docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    files: dict[str, str] = module.files()
    return files


@pytest.mark.parametrize(("name", "text"), made().items(), ids=list(made()))
def test_page_is_up_to_date(name: str, text: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == text, f"run python scripts/docs.py: {name} differs"
