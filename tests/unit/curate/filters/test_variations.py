"""Each general rule in languages and subjects other than those it was thought of for: what must fall, and what is like
it and must stay.

One row of variations.jsonl, written before the rules were tried on it:

    {"falls_for": "wrong_arithmetic", "kind": "numeric", "language": "sv", "question": "Vad är 6 gånger 13?", …}
"""

import json
from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.filters.registry import apply_filters
from tests.unit.curate.filters.test_relations import sample

CONFIG = CurateSection(filters={"context_off_topic": False})
ROWS = [
    json.loads(line)
    for name in ("variations.jsonl", "variations_further.jsonl")
    for line in Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
]


def finding(row: dict[str, Any]) -> tuple[str, str | None] | None:
    parts = (row[name] for name in ("kind", "language", "question", "answer", "reasoning"))
    more = {name: row[name] for name in ("choices", "context", "frame") if name in row}
    return apply_filters(sample(*parts, **more), CONFIG)


def named(row: dict[str, Any]) -> str:
    return f"{row.get('falls_for') or row['like']} {row['language']}"


@pytest.mark.parametrize("row", [row for row in ROWS if "falls_for" in row], ids=named)
def test_a_fault_of_the_kind_is_found(row: dict[str, Any]) -> None:
    found = finding(row)
    assert found is not None
    assert found[0] == row["falls_for"]


@pytest.mark.parametrize("row", [row for row in ROWS if "like" in row], ids=named)
def test_what_is_only_like_a_fault_is_kept(row: dict[str, Any]) -> None:
    assert finding(row) is None
