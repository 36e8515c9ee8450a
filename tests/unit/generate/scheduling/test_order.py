"""Long outputs come first, and tasks stay together."""

from nemo_sdg.generate.scheduling.order import longest_first


def test_long_outputs_come_first_and_tasks_stay_together():
    kinds = ["multiple_choice", "numeric", "code", "numeric", "multiple_choice", "numeric"]
    tasks, reasonings = ["a", "b", "c", "d", "a", "b"], [None, "short", None, "x", None, "longer"]
    rows = [{"kind": k, "task": t, "reference_reasoning": r} for k, t, r in zip(kinds, tasks, reasonings, strict=True)]
    assert [index for index, _ in longest_first(iter(rows))] == [2, 5, 1, 3, 0, 4]
