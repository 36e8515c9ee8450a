"""The arms of an ablation as Slurm jobs: trained by a recipe of recipes/, evaluated by lm-eval.

    train-no_context   > evaluate-no_context
    train-context      > evaluate-context
                         evaluate-base          (with a base blend: train-base > evaluate-base)

All arms start from one checkpoint and are trained on the same number of tokens. lm-eval's logs are in
RUN/ablation/results/<arm>/, where `nemo-sdg ablate CONFIG --results RUN/ablation/results` finds them. A requeued job
resumes from its last checkpoint.
"""

import shlex
from dataclasses import dataclass, field
from pathlib import Path

from nemo_sdg.cluster.sites import ClusterConfig
from nemo_sdg.cluster.slurm import Job, scripts, submit, workdir_of
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.storage import read_json
from nemo_sdg.train.ablation import EvaluationSection

FOLDER = "ablation"


@dataclass(kw_only=True)
class RecipeSection:
    """How the arms are trained and evaluated on a cluster. Paths are those in the jobs."""

    script: str | None = None
    """recipe, relative to the cluster file's workdir; it takes --blend, --base, --dir and --tokens. null = the
    embedded proxy
    """
    blend: str = "blend.json"
    """blend file that the recipe reads: RUN/blend/<variant>.<blend>; nemo.json for NeMo's recipe"""
    base: str | None = None
    """checkpoint that all arms continue from"""
    base_model: str | None = None
    """the same checkpoint for lm-eval: a Hugging Face id or folder"""
    tokens: float = 0.0
    """number of tokens that each arm is trained on"""
    arguments: list[str] = field(default_factory=list)
    """further arguments of the recipe"""
    torchrun: bool = True
    """start the recipe with NeMo-Run's torchrun, one process per GPU; false for a recipe that starts its processes
    itself
    """
    export: str | None = None
    """shell command that converts a checkpoint for lm-eval, with {checkpoint} and {model} (the folder to write)"""
    evaluate: str = "lm_eval --model vllm --model_args pretrained={model}"
    """shell command that evaluates {model}; tasks, logging and output path are appended"""

    def __post_init__(self) -> None:
        if self.script is None:
            return
        for name in ("base", "base_model", "export"):
            if not getattr(self, name):
                raise ConfigError(f"recipe.{name} is missing: recipe.script needs it")
        if not str(self.base).startswith("/"):
            raise ConfigError(f"recipe.base must be an absolute path in the jobs, got {self.base}")
        if self.tokens <= 0:
            raise ConfigError(f"recipe.tokens must be > 0, got {self.tokens:g}")
        for name, fields in {"export": ["{checkpoint}", "{model}"], "evaluate": ["{model}"]}.items():
            absent = [word for word in fields if word not in getattr(self, name)]
            if absent:
                raise ConfigError(f"recipe.{name} must name {' and '.join(absent)}, got {getattr(self, name)!r}")


def plan_arms(
    run_dir: Path,
    recipe: RecipeSection,
    evaluation: EvaluationSection,
    cluster: ClusterConfig,
    *,
    arms: list[str],
    trained: list[str],
) -> list[Job]:
    """The trainings of the arms in `trained`, and the evaluations of all `arms`; an untrained arm is the base model."""
    folder = run_dir / FOLDER
    image = cluster.training_image or cluster.container_image
    jobs = []
    for arm in arms:
        model, before, after = str(recipe.base_model), list[str](), list[str]()
        if arm in trained:
            checkpoint, model = str(folder / "checkpoints" / arm), str(folder / "models" / arm)
            jobs.append(
                Job(
                    name=f"train-{arm}",
                    command=train_command(run_dir, arm, checkpoint, recipe, workdir_of(cluster)),
                    size=cluster.training,
                    image=image,
                    torchrun=recipe.torchrun,
                )
            )
            before, after = [str(recipe.export).format(checkpoint=checkpoint, model=model)], [jobs[-1].name]
        command = " ".join(
            [recipe.evaluate.format(model=model), *evaluation_arguments(evaluation, folder / "results" / arm)]
        )
        jobs.append(
            Job(
                name=f"evaluate-{arm}",
                command=command,
                before=before,
                size=cluster.evaluation,
                image=image,
                after=after,
            )
        )
    return jobs


def train_command(run_dir: Path, arm: str, checkpoint: str, recipe: RecipeSection, workdir: Path) -> str:
    blend = run_dir / "blend" / f"{arm}.{recipe.blend}"
    arguments = [
        "--blend",
        str(blend),
        "--base",
        str(recipe.base),
        "--dir",
        checkpoint,
        "--tokens",
        f"{recipe.tokens:.0f}",
        *recipe.arguments,
    ]
    return shlex.join([str(workdir / str(recipe.script)), *arguments])


def evaluation_arguments(evaluation: EvaluationSection, out: Path) -> list[str]:
    """lm-eval's arguments, the same for every arm."""
    found = [
        "--tasks",
        ",".join(evaluation.tasks),
        "--log_samples",
        "--output_path",
        shlex.quote(str(out)),
        "--seed",
        str(evaluation.seed),
    ]
    for flag, value in {"--num_fewshot": evaluation.num_fewshot, "--limit": evaluation.limit}.items():
        found += [] if value is None else [flag, str(value)]
    return found + [part for folder in evaluation.include_path for part in ("--include_path", shlex.quote(folder))]


def launch_arms(
    run_dir: Path,
    recipe: RecipeSection,
    evaluation: EvaluationSection,
    cluster: ClusterConfig,
    *,
    arms: list[str],
    trained: list[str],
    dry_run: bool,
) -> dict[str, str]:
    """Submits the jobs and returns {name: Slurm id}, or with `dry_run` {name: script}. Raises DataError when the run
    has no blend.
    """
    run_dir = run_dir.resolve()
    jobs = plan_arms(run_dir, recipe, evaluation, cluster, arms=arms, trained=trained)
    if dry_run:
        return scripts(run_dir / FOLDER / "slurm", jobs, workdir_of(cluster), cluster)
    for arm in trained:
        path = run_dir / "blend" / f"{arm}.{recipe.blend}"
        if not path.is_file() or not read_json(path):
            raise DataError(f"{path} is missing: the run must be finished before its corpora are compared")
    return submit(run_dir / FOLDER / "slurm", jobs, workdir_of(cluster), cluster, files={})
