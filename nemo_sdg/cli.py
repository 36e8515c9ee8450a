"""The command line: typer commands and nothing else."""

from pathlib import Path
from typing import Annotated

import typer

from nemo_sdg import __version__
from nemo_sdg.errors import SdgError

app = typer.Typer(
    name="nemo-sdg",
    help="Task-seeded synthetic data: from lm-evaluation-harness training splits to a Megatron blend.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

ConfigPath = Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML file, or a folder that holds config.yaml")]
Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[key=value ...]", help="overrides, such as seeds.limit_per_task=25")
]
RunDir = Annotated[Path, typer.Argument(metavar="RUN", help="a run's folder")]


def show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nemo-sdg {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="print the version and end")
    ] = False,
) -> None:
    """Task-seeded synthetic data: from lm-evaluation-harness training splits to a Megatron blend."""


@app.command()
def run(
    config: ConfigPath,
    overrides: Overrides = None,
    only: Annotated[str | None, typer.Option(help="run this step alone")] = None,
    start: Annotated[str | None, typer.Option("--from", help="first step to run")] = None,
    until: Annotated[str | None, typer.Option(help="last step to run")] = None,
    worker: Annotated[str, typer.Option(help="INDEX/NUMBER in a generation array")] = "0/1",
    redo: Annotated[bool, typer.Option("--redo", help="overwrite the finished steps that a change concerns")] = False,
    nodes: Annotated[
        bool, typer.Option("--nodes", help="spread over the nodes of this Slurm job; srun starts the command on each")
    ] = False,
) -> None:
    """Run the pipeline, or go on where it ended."""
    from nemo_sdg.config import load_config
    from nemo_sdg.pipeline import run as pipeline
    from nemo_sdg.pipeline.order import parse_worker

    settings = load_config(config, overrides)
    if not nodes:
        pipeline.run(settings, only=only, start=start, until=until, worker=parse_worker(worker), redo=redo)
        return
    from nemo_sdg.cluster.nodes import slurm_nodes

    with slurm_nodes(settings) as leads:
        if leads:
            pipeline.run(settings, only=only, start=start, until=until, redo=redo)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="folder to make")],
    data: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="rows of your own: jsonl, json, csv, tsv or parquet")
    ] = None,
    task: Annotated[str | None, typer.Option(help="with --from: the task's name; by default the file's")] = None,
) -> None:
    """Write a configuration and a small task to start from."""
    from nemo_sdg.commands.init import init as write

    typer.echo("\n".join(write(folder, data=data, task=task)))


@app.command()
def config(
    path: Annotated[
        Path | None, typer.Argument(metavar="CONFIG", help="YAML file, or a folder that holds config.yaml")
    ] = None,
    overrides: Overrides = None,
    schema: Annotated[bool, typer.Option("--schema", help="print a JSON schema of the YAML file, for editors")] = False,
) -> None:
    """Print every field with its value, its source and what it does."""
    import orjson

    from nemo_sdg.commands import config as configuration

    if schema:
        typer.echo(orjson.dumps(configuration.schema(), option=orjson.OPT_INDENT_2).decode())
    elif path is None:
        raise typer.BadParameter("give CONFIG or --schema")
    else:
        typer.echo("\n".join(configuration.show(path, overrides)))


@app.command()
def tasks(
    config: Annotated[Path | None, typer.Option(help="take seeds.* and guard.* from this YAML file")] = None,
    include_path: Annotated[list[str] | None, typer.Option(help="folder with lm-eval YAMLs of one's own")] = None,
    eligible: Annotated[bool, typer.Option("--eligible", help="only what can be seeds")] = False,
    refused: Annotated[bool, typer.Option("--refused", help="only what cannot, with the reasons")] = False,
    family: Annotated[str | None, typer.Option(help="only this family")] = None,
    kind: Annotated[str | None, typer.Option(help="only this kind of answer")] = None,
    match: Annotated[str | None, typer.Option(help="only tasks with this in their name or dataset")] = None,
    json_out: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """List every lm-eval task with the guard's verdict. Needs no network."""
    from nemo_sdg.commands.tasks import tasks_command
    from nemo_sdg.config import RunConfig, load_config

    settings = load_config(config) if config else RunConfig()
    settings.seeds.include_path += include_path or []
    tasks_command(
        settings.seeds,
        settings.guard,
        eligible=eligible,
        refused=refused,
        family=family,
        kind=kind,
        text=match,
        json_out=json_out,
    )


@app.command()
def preview(
    config: ConfigPath,
    overrides: Overrides = None,
    task: Annotated[str | None, typer.Option(help="only this task")] = None,
    num: Annotated[int, typer.Option("-n", help="seeds to show")] = 3,
) -> None:
    """Show prompts, answers and verdicts for a few seeds. Writes nothing."""
    from nemo_sdg.commands.preview import preview as show
    from nemo_sdg.config import load_config

    show(load_config(config, overrides), task=task, num=num)


@app.command()
def check(run: RunDir) -> None:
    """Prove the laws on a finished or broken run; exit 1 with the first violation otherwise."""
    from nemo_sdg.commands.check.laws import check as check_run

    raise typer.Exit(check_run(run))


guard_app = typer.Typer(no_args_is_help=True, help="Evaluation rows that the guard compares with, shared by all runs.")
app.add_typer(guard_app, name="guard")
CacheOption = Annotated[str | None, typer.Option("--cache", help="the folder, as guard.cache")]


@guard_app.command("build")
def guard_build(config: ConfigPath, overrides: Overrides = None) -> None:
    """Render the evaluation splits of guard.against that are not in the cache yet."""
    from nemo_sdg.commands.guard import build
    from nemo_sdg.config import load_config

    build(load_config(config, overrides))


@guard_app.command("list")
def guard_list(cache: CacheOption = None) -> None:
    """List the evaluation splits of the cache with their rows."""
    from nemo_sdg.commands.guard import list_splits
    from nemo_sdg.config import GuardSection

    list_splits(GuardSection(cache=cache))


@guard_app.command("export")
def guard_export(
    out: Annotated[Path, typer.Argument(metavar="FILE.tar.gz", help="where to write it")], cache: CacheOption = None
) -> None:
    """Write the cache as one file, for a machine without a network."""
    from nemo_sdg.commands.guard import export
    from nemo_sdg.config import GuardSection

    export(GuardSection(cache=cache), out)


@guard_app.command("import")
def guard_import(
    archive: Annotated[Path, typer.Argument(metavar="FILE.tar.gz", help="what `guard export` wrote")],
    cache: CacheOption = None,
) -> None:
    """Unpack an exported cache."""
    from nemo_sdg.commands.guard import import_file
    from nemo_sdg.config import GuardSection

    import_file(GuardSection(cache=cache), archive)


@app.command()
def trace(
    run: RunDir,
    prefix: Annotated[str, typer.Argument(help="a packed dataset's prefix, as in blend.json or relative to RUN")],
    document: Annotated[int, typer.Argument(help="document number from 0")],
) -> None:
    """Lead from a packed document back to its seed row, prompt and model."""
    import orjson

    from nemo_sdg.commands.trace import trace as trace_document

    typer.echo(orjson.dumps(trace_document(run, prefix, document), option=orjson.OPT_INDENT_2).decode())


@app.command()
def sample(
    run: RunDir,
    num: Annotated[int, typer.Option("-n", help="records to show")] = 5,
    task: Annotated[str | None, typer.Option(help="only this task")] = None,
    step: Annotated[str | None, typer.Option(help="the step to read; by default the latest there is")] = None,
    dropped: Annotated[bool, typer.Option("--dropped", help="show what was dropped")] = False,
    reason: Annotated[str | None, typer.Option(help="only drops with this reason")] = None,
    seed: Annotated[int, typer.Option(help="another number draws other records")] = 0,
) -> None:
    """Show some samples of a run, or some drops with their reasons."""
    from nemo_sdg.commands.samples import sample as draw

    for line in draw(run, num=num, task=task, step=step, dropped=dropped, reason=reason, seed=seed):
        typer.echo(line)


@app.command()
def cat(path: Annotated[Path, typer.Argument(metavar="FILE", help="such as RUN/answers/shard-00000")]) -> None:
    """Print the records of one shard as JSON Lines."""
    import sys

    from nemo_sdg.commands.samples import cat as read

    sys.stdout.buffer.writelines(read(path))


@app.command()
def diff(
    one: Annotated[Path, typer.Argument(metavar="A", help="a run's folder")],
    other: Annotated[Path, typer.Argument(metavar="B", help="another run's folder")],
) -> None:
    """Compare two runs: settings, yields, lengths."""
    from nemo_sdg.commands.diff import diff as compare

    for line in compare(one, other):
        typer.echo(line)


@app.command()
def report(
    run: RunDir,
    serve: Annotated[bool, typer.Option("--serve", help="serve the page on localhost until interrupted")] = False,
    port: Annotated[int, typer.Option(help="with --serve; 0 takes any that is free")] = 8400,
) -> None:
    """Write report/index.html, one page that shows what a run did and what came out of it, and the dataset card. Works
    on an unfinished run too.
    """
    from nemo_sdg.pipeline import report as reporting

    path = reporting.make_report(run)
    typer.echo(f"written to {path}")
    if serve:
        reporting.serve(path, port)


@app.command()
def lock(
    config: ConfigPath,
    overrides: Overrides = None,
    out: Annotated[Path, typer.Option(help="the file to write")] = Path("seeds.lock.yaml"),
) -> None:
    """Write down the data that the seeds come from: dataset, revision, split, rows, hash."""
    from nemo_sdg.commands.lock import write_lock_file
    from nemo_sdg.config import load_config

    write_lock_file(load_config(config, overrides), out)


@app.command()
def forecast(
    config: ConfigPath,
    overrides: Overrides = None,
    pilot: Annotated[
        Path | None, typer.Option(metavar="RUN", help="a finished run whose yields and lengths are taken")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="model with a published throughput; by default the configured one")
    ] = None,
    gpu: Annotated[str, typer.Option(help="H100 or H200")] = "H200",
    tokens_per_s: Annotated[
        float | None, typer.Option(help="output tokens/s per GPU, in place of the published")
    ] = None,
    probe: Annotated[
        bool, typer.Option("--probe", help="measure output tokens/s on the configured engine, some 20 seconds")
    ] = False,
    price: Annotated[float | None, typer.Option(help="price of a GPU-hour")] = None,
    json_out: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    save: Annotated[
        bool,
        typer.Option(
            "--save",
            help="keep it as report/forecast.json in the run's folder; the report compares it with what was spent",
        ),
    ] = False,
) -> None:
    """Requests, tokens, GPU-hours and accepted tokens, before launching."""
    import contextlib
    import os

    import orjson

    from nemo_sdg.commands.forecast import forecast as make
    from nemo_sdg.config import load_config
    from nemo_sdg.storage import write_json

    settings = load_config(config, overrides)
    with contextlib.redirect_stdout(open(os.devnull, "w")) if json_out else contextlib.nullcontext():
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
    overrides: Overrides = None,
    sequence_length: Annotated[int, typer.Option(help="of the training, for the column of sequences")] = 8192,
    json_out: Annotated[bool, typer.Option("--json", help="print the whole plan as JSON")] = False,
    grid: Annotated[int, typer.Option(help="write so many mixtures around this one as blends, for proxies")] = 0,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="with --grid: a new folder for them")] = None,
    seed: Annotated[int, typer.Option(help="with --grid: of the draws")] = 0,
) -> None:
    """Show a run's mixture, or try others: tokens, shares before and after caps, epochs, sequences. Writes nothing
    without --grid.
    """
    from nemo_sdg.commands.mix import mix as show_mixture

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
    public: Annotated[bool, typer.Option("--public", help="a new repository is private otherwise")] = False,
) -> None:
    """Write a finished run as a data set: parquet as NVIDIA releases it, chat, card, Croissant; push it to the hub."""
    from nemo_sdg.commands.publish import publish as publish_run

    publish_run(run, to, dry_run=dry_run, private=not public)


@app.command()
def ablate(
    config: ConfigPath,
    overrides: Overrides = None,
    cluster: Annotated[
        Path | None, typer.Option(help="cluster file: train and evaluate the arms there, by recipe.script")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="with --cluster: print the scripts; submit nothing")
    ] = False,
    results: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="compare arms scored elsewhere: FOLDER/<arm>/, as lm_eval --log_samples writes"
        ),
    ] = None,
) -> None:
    """Train, score and compare base, no_context and context on equal budgets."""
    from nemo_sdg.commands.ablate import ablate as run_ablation

    run_ablation(config, overrides, results=results, cluster=cluster, dry_run=dry_run)


@app.command()
def launch(
    config: Annotated[Path | None, typer.Argument(metavar="CONFIG", help="YAML file, see configs/")] = None,
    overrides: Overrides = None,
    cluster: Annotated[Path | None, typer.Option(help="cluster file, see configs/cluster/")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print the scripts; submit nothing")] = False,
    redo: Annotated[bool, typer.Option("--redo", help="overwrite the finished steps that a change concerns")] = False,
    status: Annotated[Path | None, typer.Option(metavar="RUN", help="show how far a run is")] = None,
) -> None:
    """Run all steps on Slurm, chained by dependencies."""
    from nemo_sdg.commands import launch as launching

    if status is not None:
        launching.show_status(status)
    elif config is None or cluster is None:
        raise typer.BadParameter("give CONFIG and --cluster FILE, or --status RUN")
    else:
        launching.launch_run(config, overrides, cluster, dry_run=dry_run, redo=redo)


def main() -> None:
    """Entry point: errors that a user can cause are one line, exit code 2; 75 while a run waits for files."""
    import sys

    try:
        app()
    except SdgError as exc:
        typer.echo(f"nemo-sdg: {exc}", err=True)
        sys.exit(exc.exit_code)
    except KeyboardInterrupt:
        typer.echo("nemo-sdg: interrupted; everything finished is kept, run the same command again to go on", err=True)
        sys.exit(130)
