"""The command line: typer commands. The work is done in nemo_sdg/commands/ and nemo_sdg/pipeline/."""

from pathlib import Path
from typing import Annotated

import typer

from nemo_sdg import __version__
from nemo_sdg.cli_runs import ConfigPath, Overrides, Redo, RunDir, runs
from nemo_sdg.commands.look.damage import naming_damage
from nemo_sdg.errors import SdgError, code_of

app = typer.Typer(
    name="nemo-sdg",
    help="Task-seeded synthetic data: from lm-evaluation-harness training splits to a Megatron blend.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nemo-sdg {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="print the version and exit")
    ] = False,
) -> None:
    """Task-seeded synthetic data: from lm-evaluation-harness training splits to a Megatron blend."""


@app.command()
def run(
    config: ConfigPath,
    overrides: Overrides = None,
    only: Annotated[str | None, typer.Option(help="run only this step")] = None,
    start: Annotated[str | None, typer.Option("--from", help="first step to run")] = None,
    until: Annotated[str | None, typer.Option(help="last step to run")] = None,
    worker: Annotated[str, typer.Option(help="INDEX/NUMBER of this process among several that share a step")] = "0/1",
    redo: Redo = False,
    nodes: Annotated[
        bool, typer.Option("--nodes", help="use all nodes of this Slurm job; srun starts the command on each")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="show what would be done, requested, downloaded, overwritten; write nothing"),
    ] = False,
) -> None:
    """Run the pipeline, or resume a run.

    Steps: catalog, seeds, questions, screened, answers, graded, verified, curated, packed, blend.
    """
    from nemo_sdg.config import load_config
    from nemo_sdg.pipeline import run as pipeline
    from nemo_sdg.pipeline.order import parse_worker, steps_between

    settings = load_config(config, overrides)
    if dry_run:
        from nemo_sdg.commands.ahead.dry_run import dry_run as look

        for line in look(settings, steps_between(settings, only=only, start=start, until=until)):
            typer.echo(line)
        return
    if not nodes:
        pipeline.run(settings, only=only, start=start, until=until, worker=parse_worker(worker), redo=redo)
        return
    from nemo_sdg.cluster.nodes import slurm_nodes

    with slurm_nodes(settings) as leads:
        if leads:
            pipeline.run(settings, only=only, start=start, until=until, redo=redo)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="folder to create")],
    data: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="make the task from these rows: jsonl, json, csv, tsv or parquet"),
    ] = None,
    task: Annotated[str | None, typer.Option(help="with --from: name of the task; default: the file's name")] = None,
) -> None:
    """Write a configuration and a small task to start from."""
    from nemo_sdg.commands.inputs.init import init as write

    typer.echo("\n".join(write(folder, data=data, task=task)))


@app.command()
def preview(
    config: ConfigPath,
    overrides: Overrides = None,
    task: Annotated[str | None, typer.Option(help="only this task")] = None,
    num: Annotated[int, typer.Option("-n", help="number of seeds to show")] = 3,
) -> None:
    """Show prompts, answers and verdicts for a few seeds. Writes nothing."""
    from nemo_sdg.commands.ahead.preview import preview as show
    from nemo_sdg.config import load_config

    show(load_config(config, overrides), task=task, num=num)


@app.command()
def lock(
    config: ConfigPath,
    overrides: Overrides = None,
    out: Annotated[Path, typer.Option(help="file to write")] = Path("seeds.lock.yaml"),
) -> None:
    """Write a lock file of the seeds' data. It names dataset, revision, split, rows and hash."""
    from nemo_sdg.commands.inputs.lock import write_lock_file
    from nemo_sdg.config import load_config

    write_lock_file(load_config(config, overrides), out)


@app.command()
def forecast(
    config: ConfigPath,
    overrides: Overrides = None,
    pilot: Annotated[
        Path | None, typer.Option(metavar="RUN", help="finished run from which yields and lengths are measured")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="model with a published throughput; default: the configured one")
    ] = None,
    gpu: Annotated[str, typer.Option(help="H100 or H200")] = "H200",
    tokens_per_s: Annotated[
        float | None, typer.Option(help="output tokens/s per GPU, instead of the published figure")
    ] = None,
    probe: Annotated[
        bool, typer.Option("--probe", help="measure output tokens/s on the configured engine, for about 20 seconds")
    ] = False,
    price: Annotated[float | None, typer.Option(help="price of a GPU-hour")] = None,
    json_out: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    save: Annotated[
        bool,
        typer.Option(
            "--save",
            help="write it to report/forecast.json in the run's folder; the report compares it with what was spent",
        ),
    ] = False,
) -> None:
    """Estimate requests, tokens, GPU-hours, accepted tokens and cost."""
    import contextlib
    import os

    import orjson

    from nemo_sdg.commands.ahead.forecast import forecast as make
    from nemo_sdg.config import load_config
    from nemo_sdg.storage import write_json

    settings = load_config(config, overrides)
    with (
        contextlib.redirect_stdout(open(os.devnull, "w")) if json_out else contextlib.nullcontext(),
        naming_damage(*([] if pilot is None else [pilot])),
    ):
        result = make(
            settings, pilot=pilot, model=model, gpu=gpu, tokens_per_s=tokens_per_s, price=price, measure=probe
        )
    if json_out:
        typer.echo(orjson.dumps(result, option=orjson.OPT_INDENT_2).decode())
    if save:
        write_json(Path(settings.run.dir) / "report" / "forecast.json", result)


@app.command()
def mix(
    run: RunDir,
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[key=value ...]", help="mixture.* or export.budget to try")
    ] = None,
    sequence_length: Annotated[int, typer.Option(help="tokens of a training sequence")] = 8192,
    json_out: Annotated[bool, typer.Option("--json", help="print the whole plan as JSON")] = False,
    grid: Annotated[int, typer.Option(help="write this many mixtures near the present one, for proxy trainings")] = 0,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="with --grid: new folder for the mixtures")] = None,
    seed: Annotated[int, typer.Option(help="with --grid: random seed")] = 0,
) -> None:
    """Show a run's mixture, under its own or other settings. Without --grid it writes nothing."""
    from nemo_sdg.commands.mix import mix as show_mixture

    with naming_damage(run):
        show_mixture(run, overrides, sequence_length=sequence_length, json_out=json_out, grid=grid, out=out, seed=seed)


@app.command()
def publish(
    run: RunDir,
    to: Annotated[
        str, typer.Option("--to", metavar="FOLDER|hub:ORG/NAME", help="a folder, or a repository of the hub")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="list what would be written; write and send nothing")
    ] = False,
    public: Annotated[bool, typer.Option("--public", help="make a new repository public instead of private")] = False,
) -> None:
    """Write a finished run as a dataset to publish. It has parquet in NVIDIA's columns, chat messages and card."""
    from nemo_sdg.commands.publish import publish as publish_run

    with naming_damage(run):
        publish_run(run, to, dry_run=dry_run, private=not public)


@app.command()
def ablate(
    config: Annotated[Path, typer.Argument(metavar="ABLATION", help="YAML file of an ablation, see docs/ablation.md")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="[key=value ...]", help="fields of ABLATION to override, such as proxy.tokens=40000"),
    ] = None,
    cluster: Annotated[
        Path | None, typer.Option(help="cluster file: train by recipe.script and evaluate on that cluster")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="with --cluster: print the scripts; submit nothing")
    ] = False,
    results: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="compare arms scored elsewhere: FOLDER/<arm>/, written by lm_eval --log_samples"
        ),
    ] = None,
) -> None:
    """Train one checkpoint on each variant, and compare the scores. Each training has the same number of tokens."""
    from nemo_sdg.commands.ablate import ablate as run_ablation

    run_ablation(config, overrides, results=results, cluster=cluster, dry_run=dry_run)


@app.command()
def launch(
    config: Annotated[Path | None, typer.Argument(metavar="CONFIG", help="YAML file; not with --status")] = None,
    overrides: Overrides = None,
    cluster: Annotated[Path | None, typer.Option(help="cluster file, see configs/cluster/")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print the scripts; submit nothing")] = False,
    redo: Redo = False,
    status: Annotated[Path | None, typer.Option(metavar="RUN", help="show the progress of a run")] = None,
) -> None:
    """Run all steps on Slurm, as dependent jobs."""
    from nemo_sdg.commands import launch as launching

    if status is not None:
        with naming_damage(status):
            launching.show_status(status)
    elif config is None or cluster is None:
        raise typer.BadParameter("give CONFIG and --cluster FILE, or --status RUN")
    else:
        launching.launch_run(config, overrides, cluster, dry_run=dry_run, redo=redo)


app.add_typer(runs)

COLLECT_AFTER = 20_000, 5, 5
"""as in execution.processes, which `--help` does not import"""
INTERRUPTED = 130
"""exit code after Ctrl-C, also where typer has taken the KeyboardInterrupt"""


def main() -> None:
    """Entry point. An error that a user can fix is printed as one line, with exit code 2 (75 while a run waits for
    files).
    """
    import gc
    import sys
    import warnings

    gc.set_threshold(*COLLECT_AFTER)
    warnings.simplefilter("ignore", FutureWarning)  # of libraries that are imported, which a user cannot heed
    try:
        app()
    except SdgError as exc:
        from nemo_sdg.records import visible

        typer.echo(visible(f"nemo-sdg: {exc}"), err=True)
        sys.exit(code_of(exc))
    except OSError as exc:
        if exc.filename is None:  # not of a file: a fault of the program, whose traceback is wanted
            raise
        from nemo_sdg.records import visible

        name = str(exc.filename)
        shown = name if len(name) <= 80 else f"{name[:60]} ... ({len(name)} characters)"
        typer.echo(visible(f"nemo-sdg: {shown}: {exc.strerror or exc}"), err=True)
        sys.exit(SdgError.exit_code)
    except (KeyboardInterrupt, SystemExit) as exc:
        if isinstance(exc, SystemExit) and exc.code != INTERRUPTED:
            raise
        typer.echo("nemo-sdg: interrupted; everything finished is kept, run the same command again to go on", err=True)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
