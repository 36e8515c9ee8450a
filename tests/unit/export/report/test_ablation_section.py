"""The section of an ablation shows the figures of its comparison."""

from pathlib import Path

import orjson

from nemo_sdg.export.report.rows import Unreadable
from nemo_sdg.export.report.sections import charts
from nemo_sdg.records import json_line


def test_ablation_is_shown_as_its_comparison_says(tmp_path: Path) -> None:
    from nemo_sdg.export.report.sections.ablation import ablation
    from nemo_sdg.train.ablation import EvaluationSection, compare

    arms = ["base", "no_context", "context"]

    assert ablation(tmp_path, Unreadable()).missing.startswith("No ablation")
    tasks = ["arc_easy", "sciq"]
    scores = {
        arm: {task: {str(row): float((row + 2 * place) % 5 < 2 + place) for row in range(60)} for task in tasks}
        for place, arm in enumerate(arms)
    }
    training = {arm: {"tokens": 1000, "train_loss": 3.0, "valid_loss": 3.1} for arm in arms}
    table = compare(scores, {"science": tasks}, EvaluationSection(bootstrap_samples=200))
    (tmp_path / "ablation").mkdir()
    (tmp_path / "ablation" / "comparison.json").write_bytes(
        orjson.dumps({"label": "a proxy", "training": training, **table})
    )
    for arm in arms:
        (tmp_path / "ablation" / "arms" / arm).mkdir(parents=True)
        curve = [{"tokens": step * 100, "train_loss": 4 - step / 10, "valid_loss": None} for step in range(1, 11)]
        (tmp_path / "ablation" / "arms" / arm / "curve.jsonl").write_bytes(b"".join(map(json_line, curve)))
    section = ablation(tmp_path, Unreadable())
    assert section.notes[0] == "a proxy."
    tables = {part.caption: part for part in section.parts if not isinstance(part, charts.Drawing)}
    assert tables["Scores"].rows == [
        [task, *(f"{100 * table['arms'][arm][task]:.2f}" for arm in arms)] for task in tasks
    ]
    for pair, found in table["pairs"].items():
        assert [row[0] for row in tables[f"Differences, {pair}"].rows] == list(found)
    assert sum(isinstance(part, charts.Drawing) for part in section.parts) == 1 + len(table["pairs"]) + 1
