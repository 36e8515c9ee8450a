"""Pairs of answers that people judged, compared in both orders."""

import json
from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.text.answers import same_answer


@pytest.fixture(scope="module")
def pairs(hub: Path) -> list[dict[str, Any]]:
    path = hub.parent / "cases" / "generate" / "equal.jsonl"
    if not path.is_file():
        pytest.skip(f"no judged pairs at {path}")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_pair_is_judged_rightly_in_both_orders(pairs: list[dict[str, Any]]) -> None:
    wrong = []
    for pair in pairs:
        how = {key: pair[key] for key in ("kind", "question", "language")}
        for one, other in ((pair["a"], pair["b"]), (pair["b"], pair["a"])):
            if same_answer(one, other, **how) != pair["equal"]:
                wrong.append((one, other, pair["equal"]))
    assert wrong == []
