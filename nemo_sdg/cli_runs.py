"""Commands that read: a configuration, the catalog, what a run left, the cache that all runs share. A part of the
command line.
"""

from pathlib import Path
from typing import Annotated

import typer

from nemo_sdg.commands.look.damage import naming_damage

runs = typer.Typer(rich_markup_mode=None)

ConfigPath = Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML file, or a folder that holds config.yaml")]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="[key=value ...]", help="fields to override, such as seeds.limit_per_task=25"),
]
RunDir = Annotated[Path, typer.Argument(metavar="RUN", help="a run's folder")]
Redo = Annotated[
    bool,
    typer.Option(
        "--redo", help="overwrite finished steps where the configuration changed, and send lost requests again"
    ),
]


@runs.command()
def tasks(
    config: Annotated[Path | None, typer.Option(help="take seeds.* and guard.* from this YAML file")] = None,
    include_path: Annotated[list[str] | None, typer.Option(help="folder with your own lm-eval YAMLs")] = None,
    eligible: Annotated[bool, typer.Option("--eligible", help="only tasks that can give seeds")] = False,
    refused: Annotated[bool, typer.Option("--refused", help="only tasks that cannot, with the reasons")] = False,
    family: Annotated[str | None, typer.Option(help="only this family")] = None,
    kind: Annotated[str | None, typer.Option(help="only this kind of answer")] = None,
    match: Annotated[str | None, typer.Option(help="only tasks whose name or dataset contains this text")] = None,
    json_out: Annotated[bool, typer.Option("--json", help="print JSON, one task on each line")] = False,
) -> None:
    """List every lm-eval task with the guard's verdict. Needs no network."""
    from nemo_sdg.commands.inputs.tasks import tasks_command
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


@runs.command()
def config(
    path: Annotated[
        Path | None, typer.Argument(metavar="CONFIG", help="YAML file, or a folder that holds config.yaml")
    ] = None,
    overrides: Overrides = None,
    schema: Annotated[bool, typer.Option("--schema", help="print a JSON schema of the YAML file, for editors")] = False,
) -> None:
    """Print the fields of a configuration. Each has its value, where the value comes from, and its meaning."""
    import orjson

    from nemo_sdg.commands.ahead import config as configuration

    if schema:
        typer.echo(orjson.dumps(configuration.schema(), option=orjson.OPT_INDENT_2).decode())
    elif path is None:
        raise typer.BadParameter("give CONFIG or --schema")
    else:
        typer.echo("\n".join(configuration.show(path, overrides)))


@runs.command()
def check(run: RunDir) -> None:
    """Check a run's files against each law. A law is proved, violated, not seen, or waits for a step that is not
    finished. Exits with 1 if a law is violated, with 3 if the run is not finished.
    """
    from nemo_sdg.commands.check.laws import check as check_run

    raise typer.Exit(check_run(run))


guard_app = typer.Typer(no_args_is_help=True, help="Manage the cache of evaluation rows that all runs share.")
runs.add_typer(guard_app, name="guard")
CacheOption = Annotated[str | None, typer.Option("--cache", help="folder of the cache; default: the user's cache")]


@guard_app.command("build")
def guard_build(config: ConfigPath, overrides: Overrides = None) -> None:
    """Render the evaluation splits that guard.against selects and that are not in the cache yet."""
    from nemo_sdg.commands.inputs.guard import build
    from nemo_sdg.config import load_config

    build(load_config(config, overrides))


@guard_app.command("list")
def guard_list(cache: CacheOption = None) -> None:
    """List the evaluation splits in the cache, with their numbers of rows."""
    from nemo_sdg.commands.inputs.guard import list_splits
    from nemo_sdg.config import GuardSection

    list_splits(GuardSection(cache=cache))


@guard_app.command("export")
def guard_export(
    out: Annotated[Path, typer.Argument(metavar="FILE.tar.gz", help="file to write")], cache: CacheOption = None
) -> None:
    """Write the cache as one file, for a machine without a network."""
    from nemo_sdg.commands.inputs.guard import export
    from nemo_sdg.config import GuardSection

    export(GuardSection(cache=cache), out)


@guard_app.command("import")
def guard_import(
    archive: Annotated[Path, typer.Argument(metavar="FILE.tar.gz", help="file that `guard export` wrote")],
    cache: CacheOption = None,
) -> None:
    """Unpack an exported cache into the cache of this machine."""
    from nemo_sdg.commands.inputs.guard import import_file
    from nemo_sdg.config import GuardSection

    import_file(GuardSection(cache=cache), archive)


@runs.command()
def trace(
    run: RunDir,
    prefix: Annotated[
        str, typer.Argument(metavar="PREFIX", help="prefix of a packed dataset, as in blend.json or relative to RUN")
    ],
    document: Annotated[int, typer.Argument(metavar="DOCUMENT", help="number of the document, from 0")],
    text: Annotated[bool, typer.Option("--text", help="for reading, with prompts and raw outputs")] = False,
) -> None:
    """Show where a packed document comes from. It prints the seed row, the prompts and the models."""
    import orjson

    from nemo_sdg.commands.look.trace import as_text
    from nemo_sdg.commands.look.trace import trace as trace_document
    from nemo_sdg.records import visible, visible_json

    with naming_damage(run):
        traced = trace_document(run, prefix, document)
        lines = list(as_text(traced)) if text else []
    if text:
        for line in lines:
            typer.echo(visible(line))
    else:
        typer.echo(visible_json(orjson.dumps(traced, option=orjson.OPT_INDENT_2).decode()))


@runs.command()
def sample(
    run: RunDir,
    num: Annotated[int, typer.Option("-n", help="number of records to show")] = 5,
    task: Annotated[str | None, typer.Option(help="only this task")] = None,
    step: Annotated[str | None, typer.Option(help="step to read; default: the last one with records")] = None,
    dropped: Annotated[bool, typer.Option("--dropped", help="show dropped records")] = False,
    reason: Annotated[str | None, typer.Option(help="only records dropped for this reason")] = None,
    seed: Annotated[int, typer.Option(help="random seed of the choice")] = 0,
) -> None:
    """Show some samples of a run, or with --dropped some drops."""
    from nemo_sdg.commands.look.samples import sample as draw

    with naming_damage(run):
        for line in draw(run, num=num, task=task, step=step, dropped=dropped, reason=reason, seed=seed):
            typer.echo(line)


@runs.command()
def cat(path: Annotated[Path, typer.Argument(metavar="FILE", help="such as RUN/answers/shard-00000")]) -> None:
    """Print the records of one shard as JSON Lines, decompressed."""
    import sys

    from nemo_sdg.commands.look.samples import cat as read

    sys.stdout.buffer.writelines(read(path, for_terminal=sys.stdout.isatty()))


@runs.command()
def diff(
    one: Annotated[Path, typer.Argument(metavar="A", help="a run's folder")],
    other: Annotated[Path, typer.Argument(metavar="B", help="another run's folder")],
) -> None:
    """Compare two runs: settings, yields, lengths of texts."""
    from nemo_sdg.commands.look.diff import diff as compare
    from nemo_sdg.records import visible

    with naming_damage(one, other):
        for line in compare(one, other):
            typer.echo(visible(line))


@runs.command()
def report(
    run: RunDir,
    serve: Annotated[bool, typer.Option("--serve", help="serve the page on localhost until interrupted")] = False,
    port: Annotated[int, typer.Option(help="with --serve: port to use; 0 takes any free one")] = 8400,
    measure: Annotated[
        bool, typer.Option(help="measure fluency and diversity of some texts by two small models: about a core minute")
    ] = True,
    search: Annotated[bool, typer.Option("--search", help="write a search over all samples too")] = False,
    against: Annotated[
        Path | None, typer.Option(metavar="B", help="write a page that shows RUN and B side by side")
    ] = None,
) -> None:
    """Write the page report/index.html and the dataset card. Works on unfinished runs too."""
    from nemo_sdg.pipeline import report as reporting

    with naming_damage(run, *([against] if against is not None else [])):
        if against is not None:
            typer.echo(f"written to {reporting.compare(run, against, measure=measure)}")
            return
        if search:
            typer.echo(f"written to {reporting.make_search(run)}")
        path = reporting.make_report(run, measure=measure)
    typer.echo(f"written to {path}")
    if serve:
        from nemo_sdg.commands.look.serve import serve as serve_page

        serve_page(path, port)
