"""What a JSON file holds is compared with the types that describe it."""

from typing import Any

import pytest

from nemo_sdg.records.lines import ProgressRow, Receipt
from nemo_sdg.records.shapes import misfit
from nemo_sdg.storage import Ledger

COUNTS = {"in": 2, "kept": 1, "dropped": {"empty": 1}, "not_sampled": 0}
RECEIPT: dict[str, Any] = {
    "step": "seeds", "shard": "shard-00000", "fingerprint": "f", "inputs": {"a": "1"},
    "outputs": {"b": {"sha256": "2", "bytes": 3, "rows": None}}, "counts": {"sciq": COUNTS},
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, None),
        ({"made_by": "0.1.0", "num_shards": 4}, None),
        ({"counts": []}, "counts must be an object, got a list"),
        ({"counts": {"sciq": COUNTS | {"kept": "1"}}}, "counts.sciq.kept must be a whole number, got a text"),
        ({"counts": {"sciq": COUNTS | {"kept": True}}}, "counts.sciq.kept must be a whole number, got true or false"),
        ({"outputs": {"b": {"sha256": "2", "bytes": 3, "rows": "4"}}}, "outputs.b.rows must be a whole number"),
        ({"outputs": {"b": {"sha256": "2", "rows": 4}}}, "outputs.b.bytes is missing"),
        ({"step": None}, "step must be a text, got null"),
    ],
)
def test_the_field_that_does_not_fit_is_named(change: dict[str, Any], told: str | None) -> None:
    found = misfit(RECEIPT | change, Receipt)
    assert found == told or (told is not None and str(found).startswith(told))


def test_a_number_may_be_whole_and_fields_with_a_default_may_lack() -> None:
    assert misfit({"time": 1, "step": "seeds", "total": None}, ProgressRow) is None
    assert misfit([7], ProgressRow) == "it must be an object, got a list"
    assert misfit({"step": "seeds", "identity": "f"}, Ledger) == "before is missing"
    assert misfit([{"a": 1}, {"a": "b"}], list[dict[str, int]]) == "1.a must be a whole number, got a text"
