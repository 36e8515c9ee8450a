"""Rows that the pilot's guard dropped are not forecast as seeds."""

from pathlib import Path

import pytest

from nemo_sdg.config import load_config
from nemo_sdg.pipeline.forecast import make_forecast
from nemo_sdg.pipeline.rates import assumed
from nemo_sdg.pipeline.seed_rates import SeedRates, measured_seeds
from nemo_sdg.storage import write_json


def test_the_share_of_rows_that_become_seeds_is_the_pilots(root: Path, tmp_path: Path) -> None:
    leaked = {"in": 20, "kept": 15, "dropped": {"in_evaluation_split": 5}, "not_sampled": 80}
    for shard, kept in enumerate((20, 10)):
        counts = {"sciq": leaked, "gsm8k": {"in": 20, "kept": kept, "dropped": {"x": 20 - kept}, "not_sampled": 0}}
        write_json(tmp_path / f"seeds/receipts/shard-0000{shard}.json", {"counts": counts})
    found = measured_seeds(tmp_path)
    assert found == SeedRates(tasks={"sciq": 0.75, "gsm8k": 0.75}, others=0.75)
    config = load_config(root / "configs" / "quickstart.yaml", [])
    rows = {"science": {"sciq": 1000, "new": 200}, "math": {"gsm8k": 100}}
    without = make_forecast(config, assumed(config), rows, tokens_per_s=1.0, price=None)
    rates = assumed(config)
    rates.seeds = found
    forecast = make_forecast(config, rates, rows, tokens_per_s=1.0, price=None)
    assert (without["seeds"], without["rows_dropped"]) == (1300, 0)
    assert (forecast["seeds"], forecast["rows_dropped"]) == (975, 325)
    assert forecast["questions"]["requests"] == pytest.approx(0.75 * without["questions"]["requests"], rel=0.01)


def test_a_pilot_without_counts_drops_nothing(tmp_path: Path) -> None:
    assert measured_seeds(tmp_path).kept({"a": {"b": 7}}) == {"a": {"b": 7}}
