"""`nemo-sdg ablate CONFIG`: the pair of corpora is built or reused, three arms are trained from one base, scored and compared."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from nemo_sdg import pipeline
from nemo_sdg.config import ExportSection, fingerprint, identity, load_config
from nemo_sdg.errors import ConfigError
from nemo_sdg.progress import Progress
from nemo_sdg.records import Origin, Sample, seed_from_dict
from nemo_sdg.store import Counts, StepDir, read_json, read_jsonl, write_json
from nemo_sdg.train.ablation import ARMS, EvaluationSection, read_scores, write_comparison
from nemo_sdg.train.evaluate import evaluate_arm, read_lm_eval_logs
from nemo_sdg.train.proxy import CURVE, ProxySection, train_arm


@dataclass(kw_only=True)
class AblateConfig:
    """An ablation: which run, what proxy, which evaluations."""

    config: str = "configs/quickstart.yaml"
    """configuration of the run whose two corpora are compared"""
    overrides: list[str] = field(default_factory=list)
    proxy: ProxySection = field(default_factory=ProxySection)
    evaluation: EvaluationSection = field(default_factory=EvaluationSection)


def load_ablation(path: Path, overrides: list[str] | None) -> AblateConfig:
    """Reads configs/ablation.yaml. Raises ConfigError in one line."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    if not path.is_file():
        raise ConfigError(f"no configuration file at {path}")
    try:
        merged = OmegaConf.merge(OmegaConf.structured(AblateConfig), OmegaConf.load(path), OmegaConf.from_dotlist(list(overrides or [])))
        config = OmegaConf.to_object(merged)
    except (OmegaConfBaseException, YAMLError, TypeError, ConfigError) as exc:
        raise ConfigError(f"{' '.join(str(exc).split())} ({path})") from exc
    assert isinstance(config, AblateConfig)
    return config


def ablate(path: Path, overrides: list[str] | None, *, results: Path | None) -> Path:
    """Runs or resumes the ablation and returns its folder. With `results`, compares arms that lm-eval scored elsewhere."""
    from nemo_sdg.config import as_plain
    from nemo_sdg.reporting import make_report

    config = load_ablation(path, overrides)
    run_config = load_config(config.config, [*config.overrides, "export.budget=tokens"])
    run_dir = Path(run_config.run.dir)
    folder = run_dir / "ablation"
    progress = Progress(run_dir / "progress.jsonl", every=run_config.run.progress_every)
    if results is not None:
        scores = read_lm_eval_logs(results)
        arms: dict[str, dict[str, Any]] = {}
        curves: dict[str, list[dict[str, Any]]] = {}
    else:
        pipeline.run(run_config)
        claim(folder, {"run": identity(run_config), "proxy": as_plain(config.proxy), "evaluation": as_plain(config.evaluation)})
        arms, curves = train(run_dir, folder, run_config.export, config.proxy, progress)
        scores = {}
        for arm in ARMS:
            found = read_scores(folder, arm)
            if found is None:
                from nemo_sdg.export.tokenizers import load_tokenizer

                with progress.step(f"score {arm}", unit="tasks"):
                    found = evaluate_arm(
                        folder / "arms" / arm,
                        folder / "scores" / f"{arm}.json",
                        config.proxy,
                        config.evaluation,
                        tokenizer=load_tokenizer(str(run_dir / "packed" / "tokenizer")),
                        mirror=run_config.seeds.mirror,
                    )
            scores[arm] = found
    write_comparison(folder, scores, arms, curves, config.evaluation)
    if (run_dir / "config.yaml").is_file():
        make_report(run_dir)
    typer.echo((folder / "comparison.md").read_text())
    typer.echo(f"written to {folder}/comparison.{{json,md,png}}")
    return folder


def claim(folder: Path, what: dict[str, Any]) -> None:
    """An ablation's folder holds one configuration, as a run's does."""
    path, mark = folder / "ablation.json", fingerprint(what)
    if path.is_file():
        if read_json(path)["fingerprint"] != mark:
            raise ConfigError(f"{folder} holds an ablation of another configuration; delete it, or choose another run.dir")
    else:
        write_json(path, {"fingerprint": mark, **what})


def train(run_dir: Path, folder: Path, export: ExportSection, proxy: ProxySection, progress: Progress) -> tuple[dict[str, Any], dict[str, Any]]:
    """Trains the base on the seeds' own rows, then both arms from it on equally many tokens."""
    from nemo_sdg.export.tokenizers import load_tokenizer

    tokenizer = load_tokenizer(str(run_dir / "packed" / "tokenizer"))
    base_blend = pack_base(run_dir, folder / "base", export)
    plan = {"base": (base_blend, proxy.base_tokens, None)} | {
        arm: (run_dir / "blend" / f"{arm}.blend.json", proxy.tokens, folder / "arms" / "base") for arm in ("no_context", "context")
    }
    arms, curves = {}, {}
    for arm, (blend, tokens, start) in plan.items():
        with progress.step(f"train {arm}", unit="steps"):
            out = folder / "arms" / arm
            arms[arm] = train_arm(arm, blend, out, proxy, tokens=tokens, vocab_size=tokenizer.vocab_size, eod=tokenizer.eod, start=start)
            curves[arm] = list(read_jsonl(out / CURVE))
    return arms, curves


def pack_base(run_dir: Path, folder: Path, export: ExportSection) -> Path:
    """Packs the seeds' own questions and answers, without generated text, and returns their blend: what the base is trained on."""
    from dataclasses import replace

    from nemo_sdg.config import BlendSection
    from nemo_sdg.export.blend import write_blend
    from nemo_sdg.export.pack import pack_shards
    from nemo_sdg.steps.blend import packed_tokens

    mark = read_json(run_dir / "manifest.json")["fingerprint"]
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
        license={"seeds": [seed.license], "model": None, "effective": seed.license},
    )
