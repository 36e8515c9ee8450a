"""Comparison of arms from given scores: intervals, groups, decreases, and their description."""

import random
import statistics
from typing import Any

import pytest

from nemo_sdg.errors import ConfigError
from nemo_sdg.train.ablation import (
    EvaluationSection,
    Scores,
    arms_of,
    compare,
    markdown,
    paired_difference,
    pairs_of,
    row_scores,
    verdict_line,
)

ARMS = ["base", "no_context", "context"]
EVALUATION = EvaluationSection(tasks=["a", "b"], bootstrap_samples=400)


def scores(share: float, *, rows: int = 200, task: str = "a", seed: int = 0) -> Scores:
    draws = random.Random(f"{seed}:{share}")
    return {task: {str(number): float(draws.random() < share) for number in range(rows)}}


def test_real_difference_is_outside_the_interval_and_noise_is_not() -> None:
    higher = paired_difference(scores(0.7), scores(0.4), ["a"], EVALUATION, "x")
    assert higher["verdict"] == "higher"
    assert higher["low"] > 0
    assert higher["low"] <= higher["difference"] <= higher["high"]
    assert paired_difference(scores(0.4), scores(0.7), ["a"], EVALUATION, "x")["verdict"] == "lower"


def test_two_equal_models_are_called_different_about_as_rarely_as_the_confidence_says() -> None:
    verdicts = [
        paired_difference(scores(0.5, seed=2 * n), scores(0.5, seed=2 * n + 1), ["a"], EVALUATION, str(n))["verdict"]
        for n in range(60)
    ]
    assert sum(verdict != "within noise" for verdict in verdicts) <= 9


def test_interval_is_as_wide_as_the_spread_of_the_rows_says() -> None:
    first, second = scores(0.6, rows=900), scores(0.4, rows=900, seed=5)
    found = paired_difference(first, second, ["a"], EVALUATION, "x")
    spread = statistics.pstdev(first["a"][row] - second["a"][row] for row in first["a"])
    assert found["high"] - found["low"] == pytest.approx(2 * 1.96 * spread / 900**0.5, rel=0.15)


def test_pairing_finds_what_independent_intervals_would_not() -> None:
    base = scores(0.5, rows=400)
    better = {"a": {row: 1.0 if int(row) % 25 == 0 else score for row, score in base["a"].items()}}
    assert paired_difference(better, base, ["a"], EVALUATION, "x")["verdict"] == "higher"


def test_same_scores_give_the_same_interval() -> None:
    first, second = (paired_difference(scores(0.6), scores(0.5), ["a"], EVALUATION, "x") for _ in range(2))
    assert first == second


def test_rows_that_differ_are_refused() -> None:
    with pytest.raises(ConfigError, match="different rows"):
        paired_difference(scores(0.5), scores(0.5, rows=100), ["a"], EVALUATION, "x")


def arms(**per_arm: tuple[float, float]) -> dict[str, Scores]:
    """Scores of the tasks a and b in each arm; each arm has its own rows' luck, as trained models do."""
    return {arm: scores(per_arm[arm][0], task="a", seed=1) | scores(per_arm[arm][1], task="b", seed=2) for arm in ARMS}


def test_a_rise_that_a_group_pays_for_is_flagged() -> None:
    table = compare(
        arms(base=(0.5, 0.8), no_context=(0.5, 0.8), context=(0.99, 0.5)),
        {"rising": ["a"], "falling": ["b"], "absent": ["c"]},
        EVALUATION,
    )
    found = table["pairs"]["context - no_context"]
    assert (found["group rising"]["verdict"], found["group falling"]["verdict"]) == ("higher", "lower")
    assert "group absent" not in found
    assert "context - no_context: group falling" in table["falls"]
    assert "context - no_context: task b" in table["falls"]
    line = verdict_line("context - no_context", found)
    assert "task b, group falling" in line
    assert not line.startswith("**context - no_context: higher.**")
    assert "- context - no_context: group falling" in markdown({"label": None, **table}, {}, EVALUATION)


def test_noise_is_called_noise() -> None:
    table = compare(arms(base=(0.5, 0.5), no_context=(0.5, 0.5), context=(0.5, 0.5)), {}, EVALUATION)
    text = markdown({"label": None, **table}, {}, EVALUATION)
    assert text.count("within noise.** +0.00 points") == 3
    assert "Nothing falls beyond noise." in text


def test_groups_are_means_over_tasks_not_rows() -> None:
    rows: dict[str, Any] = {
        "a": dict.fromkeys(map(str, range(10)), 1.0),
        "b": dict.fromkeys(map(str, range(1000)), 0.0),
    }
    table = compare(dict.fromkeys(ARMS, rows), {}, EVALUATION)
    assert table["groups"]["context"]["all"] == 0.5


def test_arms_scored_on_other_tasks_are_refused() -> None:
    found = arms(base=(0.5, 0.5), no_context=(0.5, 0.5), context=(0.5, 0.5))
    del found["context"]["b"]
    with pytest.raises(ConfigError, match=r"same tasks \(b\)"):
        compare(found, {}, EVALUATION)


@pytest.mark.parametrize(
    ("row", "score"),
    [
        ({"acc": 0.0, "acc_norm": 1.0}, 1.0),
        ({"exact_match": 1.0}, 1.0),
        ({"exact_match": 0.0, "math_verify": 1}, 1.0),
        ({"pass@1": 1.0}, 1.0),
        ({"pass_at_1": 0.0}, 0.0),
        ({"f1": 0.25}, 0.25),
    ],
)
def test_metric_of_a_row(row: dict[str, Any], score: float) -> None:
    assert row_scores("t", [{"doc_id": 3, **row}]) == {"3": score}


def test_one_way_of_extracting_answers_counts() -> None:
    rows = [
        {"doc_id": 0, "filter": name, "exact_match": score}
        for name, score in (("strict-match", 0.0), ("flexible-extract", 1.0))
    ]
    assert row_scores("gsm8k", rows) == {"0": 1.0}


def test_task_without_a_known_metric_is_one_line() -> None:
    with pytest.raises(ConfigError, match="task t gives none of the metrics"):
        row_scores("t", [{"doc_id": 0, "perplexity": 3.0}])


def test_arms_go_from_the_least_to_the_most_and_every_two_are_compared() -> None:
    assert arms_of(["trace", "context", "answer_only", "no_context"]) == [
        "base", "answer_only", "no_context", "context", "trace"
    ]  # fmt: skip
    assert pairs_of(ARMS) == [("no_context", "base"), ("context", "base"), ("context", "no_context")]


def test_the_comparison_says_what_it_shows_and_what_not() -> None:
    scores = {
        "base": {"t": {str(row): float(row % 3 == 0) for row in range(60)}},
        "no_context": {"t": {str(row): float(row % 4 == 0) for row in range(60)}},
        "context": {"t": {str(row): float(row % 4 == 0) for row in range(60)}},
    }
    evaluation = EvaluationSection(tasks=["t"])
    table = {"label": None, **compare(scores, {}, evaluation)}
    text = markdown(table, {}, evaluation)
    found = [pair["group all"] for pair in table["pairs"].values()]
    widest = max(row["high"] - row["low"] for row in found) / 2
    assert widest > 0.02
    assert "on 60 rows of 1 tasks" in text
    assert f"less than about {100 * widest:.1f} points cannot be seen" in text
    assert "another seed of the training" in text
    assert "larger model" not in text
    assert "larger model" in markdown({**table, "label": "a small model"}, {}, evaluation)
    same = dict.fromkeys(scores, scores["context"])
    assert "All arms answer alike" in markdown({"label": None, **compare(same, {}, evaluation)}, {}, evaluation)
