"""`nemo-sdg ablate CONFIG`: one checkpoint is continued on each corpus of a run, and the arms are scored and compared.

Without a recipe, a small pretrained model is continued and scored here (train/proxy.py). With one (`recipe.script`),
trainings and evaluations are Slurm jobs of the cluster file, and `--results` compares what they leave.
"""

import os
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import typer

from nemo_sdg.config import RunConfig, SeedsSection, as_plain, fingerprint, load_config, read_config
from nemo_sdg.errors import ConfigError, SdgError
from nemo_sdg.execution.progress import Progress
from nemo_sdg.pipeline import run as pipeline
from nemo_sdg.storage import read_json, read_jsonl, write_json
from nemo_sdg.train.ablation import BASE, EvaluationSection, Scores, arms_of, write_comparison
from nemo_sdg.train.cluster_arms import RecipeSection
from nemo_sdg.train.evaluate import evaluate_arm, read_lm_eval_logs
from nemo_sdg.train.proxy import CURVE, ProxySection, train_arm

FOLDER = "ablation"


@dataclass(kw_only=True)
class AblateConfig:
    """An ablation: which run, how the arms are trained, which evaluations."""

    config: str = "configs/quickstart.yaml"
    """configuration of the run whose variants are compared"""
    overrides: list[str] = field(default_factory=list)
    """`key=value` overrides of that configuration"""
    proxy: ProxySection = field(default_factory=ProxySection)
    recipe: RecipeSection = field(default_factory=RecipeSection)
    """training on a cluster by a script, instead of the proxy"""
    evaluation: EvaluationSection = field(default_factory=EvaluationSection)

    def __post_init__(self) -> None:
        if not self.evaluation.tasks:
            raise ConfigError("evaluation.tasks is empty: name lm-eval tasks to score the arms on")


def load_ablation(path: Path, overrides: list[str] | None) -> AblateConfig:
    """Reads configs/ablation.yaml. Raises ConfigError in one line."""
    return read_config(AblateConfig, path, overrides)


def ablate(
    path: Path,
    overrides: list[str] | None,
    *,
    results: Path | None = None,
    cluster: Path | None = None,
    dry_run: bool = False,
) -> None:
    """Runs or resumes the ablation.

    `results`: compares arms that lm-eval scored elsewhere. `cluster`: submits trainings and evaluations by the recipe,
    or with `dry_run` prints their scripts. Raises ConfigError for what does not fit together.
    """
    config = load_ablation(path, overrides)
    # Before torch is loaded: beside other work, threads that wait for each other otherwise burn the cores. A step of
    # 2,048 tokens took 115 CPU seconds so, and 33 with threads that sleep. The numbers are the same.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    run_config = load_config(config.config, config.overrides)
    run_dir = Path(run_config.run.dir)
    groups = capability_groups(config.evaluation)
    if results is not None:
        scores = read_lm_eval_logs(results)
        report(run_dir, scores, groups, {}, {}, config.evaluation, measure=run_config.run.measure)
    elif config.recipe.script is not None:
        launch_recipe(run_dir, run_config, config, cluster, dry_run=dry_run)
    elif cluster is not None or dry_run:
        raise ConfigError(
            f"--cluster and --dry-run need recipe.script, which {path} does not set: the proxy trains here"
        )
    else:
        by_proxy(run_dir, run_config, config, groups)


def capability_groups(evaluation: EvaluationSection) -> dict[str, list[str]]:
    """Groups of leaf tasks: one a family and one a capability, as the catalog has them, and the configured ones, whose
    members may be groups.

    Raises ConfigError for a name that lm-eval does not know.
    """
    from nemo_sdg.catalog.selection import select
    from nemo_sdg.catalog.walk import build_catalog
    from nemo_sdg.config import GuardSection

    catalog = build_catalog(SeedsSection(include_path=list(evaluation.include_path)), GuardSection())
    groups: dict[str, list[str]] = {}
    for row in leaves(catalog, evaluation.tasks, select):
        for name in (f"family {row.family}", f"capability {row.capability}"):
            groups.setdefault(name, []).append(row.task)
    for name, members in evaluation.groups.items():
        groups[name] = [row.task for row in leaves(catalog, members, select)]
    return groups


def leaves(catalog: list[Any], names: list[str], select: Any) -> list[Any]:
    try:
        return list(select(catalog, list(names)))
    except ConfigError as exc:
        raise ConfigError(str(exc).replace("seeds.tasks", "evaluation")) from exc


def by_proxy(run_dir: Path, run_config: RunConfig, config: AblateConfig, groups: dict[str, list[str]]) -> None:
    """Makes or reuses the run, continues the proxy on each corpus, scores the arms and compares."""
    from nemo_sdg.export.packing.tokenizers import load_tokenizer
    from nemo_sdg.train.proxy import load_base

    folder = run_dir / FOLDER
    require_model(config.proxy.model)
    try:
        pipeline.run(run_config)
    except SdgError as exc:  # `ablate` itself has no --redo
        command = shlex.join(["nemo-sdg", "run", config.config, *config.overrides, "--redo"])
        raise type(exc)(str(exc).replace("say yes with --redo", f"say yes with `{command}`")) from exc
    run_identity = read_json(run_dir / "manifest.json")["fingerprint"]
    claim(folder, {"run": run_identity, "proxy": as_plain(config.proxy), "evaluation": as_plain(config.evaluation)})
    progress = Progress(run_dir / "progress.jsonl", every=run_config.run.progress_every)
    arms = arms_of(run_config.export.variants)
    training, curves = train(run_dir, folder, arms, config.proxy, progress)
    scores: dict[str, Scores] = {}
    mirror = config.evaluation.mirror or run_config.seeds.mirror
    tokenizer = load_tokenizer(str(run_dir / "packed" / "tokenizer"))
    for arm in arms:
        path = folder / "scores" / f"{arm}.json"
        if not path.is_file():
            model = str(folder / "arms" / arm) if arm in training else config.proxy.model
            with progress.step(f"score {arm}", unit="tasks"):
                loaded = load_base(replace(config.proxy, model=model))
                evaluate_arm(loaded, path, config.evaluation, tokenizer=tokenizer, mirror=mirror)
        scores[arm] = read_json(path)
    report(run_dir, scores, groups, training, curves, config.evaluation, measure=run_config.run.measure)


def report(
    run_dir: Path,
    scores: dict[str, Scores],
    groups: dict[str, list[str]],
    arms: dict[str, Any],
    curves: dict[str, Any],
    evaluation: EvaluationSection,
    *,
    measure: bool,
) -> None:
    """Writes the comparison, puts it into the run's page, and prints it. `measure` is run.measure: whether models score
    some texts for the page.
    """
    from nemo_sdg.pipeline.report import make_report

    folder = run_dir / FOLDER
    write_comparison(folder, scores, groups, arms, curves, evaluation)
    if (run_dir / "config.yaml").is_file():
        make_report(run_dir, measure=measure)
    typer.echo((folder / "comparison.md").read_text())
    typer.echo(f"written to {folder}/comparison.{{json,md,png}}")


def launch_recipe(
    run_dir: Path, run_config: RunConfig, config: AblateConfig, cluster: Path | None, *, dry_run: bool
) -> None:
    """Submits the trainings and evaluations of a finished run, or prints their scripts."""
    from nemo_sdg.cluster.sites import load_cluster
    from nemo_sdg.cluster.slurm import workdir_of
    from nemo_sdg.train.cluster_arms import launch_arms

    if cluster is None:
        raise ConfigError(
            "recipe.script is set, so that the arms are trained on a cluster: give --cluster FILE, or "
            "--results FOLDER to compare what is scored"
        )
    arms = arms_of(run_config.export.variants)
    trained = arms if run_config.blend.base else arms[1:]
    sizes = load_cluster(cluster)
    if config.recipe.torchrun and sizes.training.gpus_per_node is None:
        raise ConfigError(
            f"training.gpus_per_node is not set in {cluster}: torchrun starts as many processes on each node, and "
            "the jobs would ask for no GPU"
        )
    workdir = workdir_of(sizes)
    if workdir.is_dir() and not (workdir / str(config.recipe.script)).is_file():
        raise ConfigError(
            f"recipe.script={config.recipe.script} is not in {workdir}, where the jobs look for it: start there from "
            "a clone of the repository, or set workdir in the cluster file"
        )
    require_epochs(run_dir, trained, config.recipe.tokens, most=run_config.mixture.max_epochs)
    jobs = launch_arms(run_dir, config.recipe, config.evaluation, sizes, arms=arms, trained=trained, dry_run=dry_run)
    for name, value in jobs.items():
        typer.echo(f"##### {name}\n{value}" if dry_run else f"{name:<20} job {value}")
    if not dry_run:
        typer.echo(f"when they have ended: nemo-sdg ablate CONFIG --results {run_dir / FOLDER / 'results'}")


def require_epochs(run_dir: Path, arms: list[str], tokens: float, *, most: float) -> None:
    """Raises ConfigError where a training of so many tokens repeats the corpus of an arm more than `most` times. The
    mixture keeps to this limit for its own length, `mixture.train_tokens`, which may be another.
    """
    from nemo_sdg.export.packed_shards import packed_shards, train_tokens

    path = run_dir / "blend" / "mixture.json"
    if not path.is_file():
        return  # told for each blend that is missing
    planned = read_json(path)["arms"]
    for arm, tasks in train_tokens(packed_shards(run_dir), [arm for arm in arms if arm != BASE]).items():
        times = epochs(
            int(tokens), sum(num for of_family in tasks.values() for num in of_family.values()), planned[arm]
        )
        if times > most:
            raise ConfigError(
                f"recipe.tokens={tokens:,.0f} would repeat the corpus {arm} {times:,.0f} times, more than "
                f"mixture.max_epochs={most:g}: train on at most {tokens * most / times:,.0f} tokens, or make a larger "
                "corpus, or a smaller share of the blend (mixture.synthetic_share)"
            )


def require_model(model: str | None) -> None:
    """Raises ConfigError for a path of the proxy that is not there, before the run is made."""
    if (
        model is not None
        and (model.startswith((".", "/", "~")) or model.endswith(".gguf"))
        and not Path(model).exists()
    ):
        raise ConfigError(
            f"proxy.model={model} is not there: give a folder, a .gguf file, or a hub id such as org/model"
        )


def claim(folder: Path, what: dict[str, Any]) -> None:
    """Raises ConfigError if the folder holds an ablation of another configuration."""
    path, mark = folder / "ablation.json", fingerprint(what)
    if path.is_file():
        if read_json(path)["fingerprint"] != mark:
            raise ConfigError(
                f"{folder} holds an ablation of another configuration; delete that folder, or choose another run.dir"
            )
    else:
        write_json(path, {"fingerprint": mark, **what})


def train(
    run_dir: Path, folder: Path, arms: list[str], proxy: ProxySection, progress: Progress
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Continues the proxy once for each arm that has a blend; returns what arm.json says, and the training curves.

    Without a base blend there is no blend of the arm `base`: it is the checkpoint itself.
    """
    from nemo_sdg.export.packed_shards import packed_shards, train_tokens
    from nemo_sdg.export.packing.tokenizers import load_tokenizer

    tokenizer = load_tokenizer(str(run_dir / "packed" / "tokenizer"))
    planned = read_json(run_dir / "blend" / "mixture.json")["arms"]
    training, curves = {}, {}
    for arm in arms:
        blend = run_dir / "blend" / f"{arm}.blend.json"
        if arm == BASE and not blend.is_file():
            continue
        with progress.step(f"train {arm}", unit="steps") as state:

            def show(step: int, steps: int, state: Any = state) -> None:
                state.total = steps
                state.state(done=step, kept=0, dropped={})

            out = folder / "arms" / arm
            training[arm] = train_arm(
                arm, blend, out, proxy, eod=tokenizer.eod, vocab_size=tokenizer.vocab_size, on_step=show
            )
            curves[arm] = list(read_jsonl(out / CURVE))
        held = train_tokens(packed_shards(run_dir), [arm])[arm]
        num_held = sum(num for tasks in held.values() for num in tasks.values())
        training[arm]["epochs"] = epochs(training[arm]["tokens"], num_held, planned[arm])
    return training, curves


def epochs(tokens: int, num_held: int, planned: dict[str, Any]) -> float:
    """How often an arm that was trained on `tokens` saw each of the `num_held` tokens of its corpus: the part that the
    blend gives to the corpus (mixture.json, arms), over what the corpus holds.
    """
    share = planned["synthetic_tokens"] / planned["total_tokens"] if planned["total_tokens"] else 1.0
    return round(tokens * share / num_held, 3) if num_held else 0.0
