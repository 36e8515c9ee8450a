"""`nemo-sdg ablate CONFIG`: the pair of corpora is built or reused, three arms are trained from one base, scored and
compared.

With the embedded proxy all of it happens here. With a recipe (`recipe.script`), trainings and evaluations are Slurm
jobs of the cluster
file, and `--results` compares what they leave.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import typer

from nemo_sdg.config import ExportSection, RunConfig, SeedsSection, as_plain, fingerprint, identity, load_config
from nemo_sdg.errors import ConfigError
from nemo_sdg.execution.progress import Progress
from nemo_sdg.pipeline import order as pipeline
from nemo_sdg.records import Origin, Sample, SampleLicense, seed_from_dict
from nemo_sdg.storage import Counts, StepDir, read_json, read_jsonl, write_json
from nemo_sdg.train.ablation import ARMS, EvaluationSection, Scores, write_comparison
from nemo_sdg.train.cluster_arms import RecipeSection
from nemo_sdg.train.evaluate import evaluate_arm, read_lm_eval_logs
from nemo_sdg.train.proxy import CURVE, ProxySection, train_arm

FOLDER = "ablation"


@dataclass(kw_only=True)
class AblateConfig:
    """An ablation: which run, how the arms are trained, which evaluations."""

    config: str = "configs/quickstart.yaml"
    """configuration of the run whose two corpora are compared"""
    overrides: list[str] = field(default_factory=list)
    """of that configuration"""
    proxy: ProxySection = field(default_factory=ProxySection)
    recipe: RecipeSection = field(default_factory=RecipeSection)
    """with a script, the arms are trained by it on a cluster, and not by the proxy"""
    evaluation: EvaluationSection = field(default_factory=EvaluationSection)

    def __post_init__(self) -> None:
        if not self.evaluation.tasks:
            raise ConfigError("evaluation.tasks is empty: name lm-eval tasks to score the arms on")


def load_ablation(path: Path, overrides: list[str] | None) -> AblateConfig:
    """Reads configs/ablation.yaml. Raises ConfigError in one line."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    if not path.is_file():
        raise ConfigError(f"no configuration file at {path}")
    try:
        merged = OmegaConf.merge(
            OmegaConf.structured(AblateConfig), OmegaConf.load(path), OmegaConf.from_dotlist(list(overrides or []))
        )
        config = OmegaConf.to_object(merged)
    except (OmegaConfBaseException, YAMLError, TypeError, ConfigError) as exc:
        raise ConfigError(f"{' '.join(str(exc).split())} ({path})") from exc
    assert isinstance(config, AblateConfig)
    return config


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
    or with
    `dry_run` prints their scripts. Raises ConfigError for what does not fit together.
    """
    config = load_ablation(path, overrides)
    run_config = load_config(config.config, config.overrides)
    run_dir = Path(run_config.run.dir)
    groups = capability_groups(config.evaluation)
    if results is not None:
        report(run_dir, read_lm_eval_logs(results), groups, {}, {}, config.evaluation)
    elif config.recipe.script is not None:
        launch_recipe(run_dir, config, cluster, dry_run=dry_run)
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
    from nemo_sdg.catalog.walk import build_catalog, select
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
    """Builds or reuses the pair, trains the three proxies, scores them and compares."""
    from nemo_sdg.export.packing.tokenizers import load_tokenizer

    folder = run_dir / FOLDER
    require_variants(run_config)
    pipeline.run(run_config)
    claim(
        folder,
        {"run": identity(run_config), "proxy": as_plain(config.proxy), "evaluation": as_plain(config.evaluation)},
    )
    progress = Progress(run_dir / "progress.jsonl", every=run_config.run.progress_every)
    arms, curves = train(run_dir, folder, run_config.export, config.proxy, progress)
    scores: dict[str, Scores] = {}
    mirror = config.evaluation.mirror or run_config.seeds.mirror
    for arm in ARMS:
        path = folder / "scores" / f"{arm}.json"
        if not path.is_file():
            with progress.step(f"score {arm}", unit="tasks"):
                tokenizer = load_tokenizer(str(run_dir / "packed" / "tokenizer"))
                evaluate_arm(
                    folder / "arms" / arm, path, config.proxy, config.evaluation, tokenizer=tokenizer, mirror=mirror
                )
        scores[arm] = read_json(path)
    report(run_dir, scores, groups, arms, curves, config.evaluation)


def report(
    run_dir: Path,
    scores: dict[str, Scores],
    groups: dict[str, list[str]],
    arms: dict[str, Any],
    curves: dict[str, Any],
    evaluation: EvaluationSection,
) -> None:
    """Writes the comparison, puts it into the run's page, and prints it."""
    from nemo_sdg.pipeline.report import make_report

    folder = run_dir / FOLDER
    write_comparison(folder, scores, groups, arms, curves, evaluation)
    if (run_dir / "config.yaml").is_file():
        make_report(run_dir)
    typer.echo((folder / "comparison.md").read_text())
    typer.echo(f"written to {folder}/comparison.{{json,md,png}}")


def launch_recipe(run_dir: Path, config: AblateConfig, cluster: Path | None, *, dry_run: bool) -> None:
    """Submits the trainings and evaluations of a finished run, or prints their scripts."""
    from nemo_sdg.cluster.sites import load_cluster
    from nemo_sdg.train.cluster_arms import launch_arms

    if cluster is None:
        raise ConfigError(
            "recipe.script is set, so that the arms are trained on a cluster: give --cluster FILE, or "
            "--results FOLDER to compare what is scored"
        )
    for name, value in launch_arms(
        run_dir, config.recipe, config.evaluation, load_cluster(cluster), dry_run=dry_run
    ).items():
        typer.echo(f"##### {name}\n{value}" if dry_run else f"{name:<20} job {value}")
    if not dry_run:
        typer.echo(f"when they have ended: nemo-sdg ablate CONFIG --results {run_dir / FOLDER / 'results'}")


def require_variants(run_config: RunConfig) -> None:
    missing = sorted(set(ARMS[1:]) - set(run_config.export.variants))
    if missing:
        raise ConfigError(
            f"an ablation needs both corpora: export.variants must hold {', '.join(missing)}, got "
            f"{run_config.export.variants}"
        )


def claim(folder: Path, what: dict[str, Any]) -> None:
    """An ablation's folder holds one configuration, as a run's does."""
    path, mark = folder / "ablation.json", fingerprint(what)
    if path.is_file():
        if read_json(path)["fingerprint"] != mark:
            raise ConfigError(
                f"{folder} holds an ablation of another configuration; delete that folder, or choose another run.dir"
            )
    else:
        write_json(path, {"fingerprint": mark, **what})


def train(
    run_dir: Path, folder: Path, export: ExportSection, proxy: ProxySection, progress: Progress
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Trains the base on the seeds' own rows, then both arms from it on equally many tokens."""
    from nemo_sdg.export.packing.tokenizers import load_tokenizer
    from nemo_sdg.steps.blend import packed_tokens

    tokenizer = load_tokenizer(str(run_dir / "packed" / "tokenizer"))
    mark = read_json(run_dir / "manifest.json")["fingerprint"]
    base_blend = pack_base(run_dir, folder / "base", export, mark)
    plan = {"base": (base_blend, proxy.base_tokens, None, folder / "base")} | {
        arm: (run_dir / "blend" / f"{arm}.blend.json", proxy.tokens, folder / "arms" / "base", run_dir)
        for arm in ARMS[1:]
    }
    arms, curves = {}, {}
    for arm, (blend, tokens, start, corpus) in plan.items():
        with progress.step(f"train {arm}", unit="steps") as state:

            def show(step: int, steps: int, state: Any = state) -> None:
                state.total = steps
                state.state(done=step, kept=0, dropped={})

            out = folder / "arms" / arm
            arms[arm] = train_arm(
                arm,
                blend,
                out,
                proxy,
                tokens=tokens,
                vocab_size=tokenizer.vocab_size,
                eod=tokenizer.eod,
                start=start,
                on_step=show,
            )
            curves[arm] = list(read_jsonl(out / CURVE))
        variant = "no_context" if arm == "base" else arm
        held = packed_tokens(StepDir(run_dir=corpus, step="packed", fingerprint=mark), variant)
        arms[arm]["epochs"] = round(
            arms[arm]["tokens"] / sum(num for tasks in held.values() for num in tasks.values()), 3
        )
    return arms, curves


def pack_base(run_dir: Path, folder: Path, export: ExportSection, mark: str) -> Path:
    """Packs the seeds' own questions and answers, without generated text, and returns their blend: what the base is
    trained on.
    """
    from nemo_sdg.config import BlendSection
    from nemo_sdg.export.blend import write_blend
    from nemo_sdg.export.packing.pack import pack_shards
    from nemo_sdg.steps.blend import packed_tokens

    source, packed = (StepDir(run_dir=folder, step=step, fingerprint=mark) for step in ("seeds", "packed"))
    paths = []
    for path in sorted((run_dir / "seeds").glob("shard-*.jsonl")):
        samples = [as_sample(record) for record in read_jsonl(path)]
        counts = Counts()
        for sample in samples:
            counts.keep(sample.task)
        if source.problem(path.stem) is not None:
            source.write_shard(path.stem, samples, [], counts)
        paths.append(source.shard_path(path.stem))
    plain = replace(export, variants=["no_context"], tokenizer=str(run_dir / "packed" / "tokenizer"))
    pack_shards(paths, packed, plain)
    weights = {family: float(sum(tasks.values())) for family, tasks in packed_tokens(packed, "no_context").items()}
    blend = StepDir(run_dir=folder, step="blend", fingerprint=mark)
    write_blend(blend, weights, plain, BlendSection(), packed=packed)
    return blend.path / "no_context.blend.json"


def as_sample(record: dict[str, Any]) -> Sample:
    """A seed as a sample without anything generated."""
    seed = seed_from_dict(record)
    return Sample(
        sample_id=seed.seed_id,
        origin=Origin.seed,
        seed_ids=[seed.seed_id],
        task=seed.task,
        family=seed.family,
        capability=seed.capability,
        kind=seed.kind,
        frame=seed.frame,
        language=seed.language,
        question=seed.question,
        passage=seed.passage,
        choices=seed.choices,
        answer=seed.answer,
        tests=seed.tests,
        reasoning=seed.reference_reasoning or "",
        license=SampleLicense(seeds=[seed.license], effective=seed.license),
    )
