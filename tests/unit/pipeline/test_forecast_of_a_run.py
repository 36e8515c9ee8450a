"""The forecast from a pilot with a judge and a student, beside what their servers were really asked."""

import shutil
from pathlib import Path

import pytest

from nemo_sdg.pipeline.forecast import count_seeds, make_forecast
from nemo_sdg.pipeline.grade_rates import taken_by_kind
from nemo_sdg.pipeline.rates import measured
from nemo_sdg.pipeline.run import run as run_steps
from tests.fakes.openai_server import serving
from tests.fakes.small_run import at_home, make_inputs, small_config
from tests.fakes.task_tree import instead_of_lm_eval, reported_tasks


def test_a_judges_comparisons_are_in_the_forecast_of_the_pilot_itself(root: Path, tmp_path: Path) -> None:
    make_inputs(root, tmp_path)
    tasks = instead_of_lm_eval(tmp_path / "tasks", reported_tasks())
    with tasks, at_home(tmp_path), serving() as teacher, serving() as judge, serving() as student:
        config = small_config(
            teacher.url,
            "seeds.tasks=[qs_explain,qs_science,qs_facts]",
            f"roles.judge.base_urls=[{judge.url}]",
            f"roles.student.base_urls=[{student.url}]",
        )
        pilot = Path(config.run.dir)
        run_steps(config, until="graded")
        (pilot / "manifest.json").touch()
        seeds, _, in_sentences = count_seeds(config)
        rates = measured(pilot, config)
    forecast = make_forecast(config, rates, seeds, in_sentences, tokens_per_s=1.0, price=None)
    said = {row["role"]: row for row in forecast["roles"]}
    servers = {"judge": judge.stats, "student": student.stats}
    assert in_sentences == {"qs_explain"}
    for role, seen in servers.items():
        assert said[role]["requests"] == pytest.approx(seen["completions"], rel=0.02)
        for tokens in ("prompt_tokens", "completion_tokens"):
            assert said[role][tokens] == pytest.approx(seen[tokens], rel=0.03), role
    assert rates.settled > 0  # some short answers had no majority by the rules
    without = {row["role"]: row for row in make_forecast(config, rates, seeds, tokens_per_s=1.0, price=None)["roles"]}
    assert without["judge"]["requests"] < 0.8 * said["judge"]["requests"]
    # without journals the two of them together are still nearly right: comparisons of short answers count twice
    with at_home(tmp_path):
        shutil.rmtree(pilot / "graded" / "journal")
        assert taken_by_kind(pilot) == {}
        rates = measured(pilot, config)
    forecast = make_forecast(config, rates, seeds, in_sentences, tokens_per_s=1.0, price=None)
    said = {row["role"]: row for row in forecast["roles"]}
    for tokens in ("prompt_tokens", "completion_tokens"):
        both = sum(said[role][tokens] for role in servers)
        assert both == pytest.approx(sum(seen[tokens] for seen in servers.values()), rel=0.1)
