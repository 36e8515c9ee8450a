"""The requirements of an ablation by recipe, and the commands of its jobs."""

from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.cluster.sites import ClusterConfig
from nemo_sdg.cluster.slurm import job_script
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.train.ablation import EvaluationSection
from nemo_sdg.train.cluster_arms import RecipeSection, launch_arms, plan_arms

ARMS = ["base", "no_context", "context"]
FIELDS: dict[str, Any] = {
    "script": "recipes/r.py", "base": "/base", "base_model": "org/base", "tokens": 1e9,
    "export": "convert {checkpoint} {model}",
    "evaluate": "lm_eval --model_args pretrained={model}",
}  # fmt: skip
EVALUATION = EvaluationSection(tasks=["piqa", "gsm8k"], limit=50, include_path=["my tasks"])


def test_all_arms_are_evaluated_alike_and_each_where_its_results_are_looked_for() -> None:
    jobs = {
        job.name: job
        for job in plan_arms(
            Path("/run"),
            RecipeSection(**FIELDS),
            EVALUATION,
            ClusterConfig(workdir="/site"),
            arms=ARMS,
            trained=ARMS[1:],
        )
    }
    assert list(jobs) == [
        "evaluate-base",
        "train-no_context",
        "evaluate-no_context",
        "train-context",
        "evaluate-context",
    ]
    wanted = (
        "--tasks piqa,gsm8k --log_samples --output_path /run/ablation/results/{} --seed 0 --limit 50 "
        "--include_path 'my tasks'"
    )
    assert jobs["evaluate-base"].command == f"lm_eval --model_args pretrained=org/base {wanted.format('base')}"
    assert (
        jobs["evaluate-context"].command
        == f"lm_eval --model_args pretrained=/run/ablation/models/context {wanted.format('context')}"
    )
    assert job_script(jobs["evaluate-context"], Path("/site")).splitlines()[1:3] == [
        "set -e",
        "convert /run/ablation/checkpoints/context /run/ablation/models/context",
    ]
    assert jobs["train-context"].command == (
        "/site/recipes/r.py --blend /run/blend/context.blend.json --base /base --dir "
        "/run/ablation/checkpoints/context --tokens 1000000000"
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"base": None}, "recipe.base is missing"),
        ({"base": "relative/base"}, "absolute path"),
        ({"tokens": 0}, "recipe.tokens must be > 0, got 0"),
        ({"export": "convert {checkpoint}"}, "recipe.export must name {model}"),
        ({"evaluate": "lm_eval"}, "recipe.evaluate must name {model}"),
    ],
)
def test_what_a_recipe_lacks_is_one_line(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as error:
        RecipeSection(**{**FIELDS, **change})
    assert words in str(error.value)


def test_run_without_a_blend_is_refused_before_anything_is_submitted(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no_context.blend.json is missing: the run must be finished"):
        launch_arms(
            tmp_path, RecipeSection(**FIELDS), EVALUATION, ClusterConfig(), arms=ARMS, trained=ARMS[1:], dry_run=False
        )
    assert not list(tmp_path.iterdir())


def test_a_base_blend_is_trained_as_an_arm_of_its_own() -> None:
    jobs = plan_arms(
        Path("/run"), RecipeSection(**FIELDS), EVALUATION, ClusterConfig(workdir="/site"), arms=ARMS, trained=ARMS
    )
    assert [job.name for job in jobs][:2] == ["train-base", "evaluate-base"]
    assert "/run/blend/base.blend.json" in jobs[0].command
