"""`nemo-sdg mix RUN`: the mixture of a finished run as a table, under its own or other settings. Writes nothing,
except a grid of mixtures where one is asked for.

    family    tokens   found   sampled   in blend   decided by    context   no_context   sequences
    math     812,004   20.1%     27.3%      27.3%   temperature      1.36         1.36         135
"""

import itertools
import textwrap
from dataclasses import asdict
from pathlib import Path

from nemo_sdg.config import RunConfig, load_recorded
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.export.blend.base_datasets import check_share, read_base
from nemo_sdg.export.blend.mixture import Mixture
from nemo_sdg.export.blend.write import plan_blend
from nemo_sdg.records import visible
from nemo_sdg.storage import StepDir, require_run

WIDTH = 100
SETTINGS = ("mixture.", "export.budget=", "blend.base=", "blend.base[")


def mix(
    run_dir: Path,
    overrides: list[str] | None = None,
    *,
    sequence_length: int = 8192,
    json_out: bool = False,
    grid: int = 0,
    out: Path | None = None,
    seed: int = 0,
) -> None:
    """Prints the mixture; raises ConfigError for settings of earlier steps, DataError for a run without packed
    shards.
    """
    import orjson
    import typer

    config = read_settings(run_dir, overrides)
    packed = packed_step(run_dir)
    if grid:
        if grid < 2 or out is None:
            raise ConfigError(f"--grid needs at least 2 mixtures and --out FOLDER, got --grid {grid} --out {out}")
        from nemo_sdg.export.blend.mixture_grid import write_grid

        write_grid(packed, config, grid, out, seed=seed)
        typer.echo(f"{grid} mixtures are in {out}: mixtures.csv lists them, mix-*/VARIANT.blend.json are their blends")
        typer.echo(
            "Proxies must see each family as often as the target will (epochs.* in mixtures.csv): train them on as "
            "many tokens, or on a corpus that is smaller by as much as their training is shorter."
        )
        typer.echo(f"then: python {out / 'fit_mixtures.py'} results.csv")
        return
    check_share(config.blend, config.mixture.synthetic_share)
    base = read_base(config.blend.base)
    mixture = plan_blend(packed, config.export, config.mixture)
    if json_out:
        content = asdict(mixture) | {"base": {name: [asdict(d) for d in sets] for name, sets in base.items()}}
        typer.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2, default=str).decode())
        return
    for line in describe(mixture, config, sequence_length):
        typer.echo(visible(line))


def read_settings(run_dir: Path, overrides: list[str] | None) -> RunConfig:
    """The run's configuration under other settings of the mixture."""
    require_run(run_dir)
    for override in overrides or []:
        if not override.startswith(SETTINGS):
            raise ConfigError(
                f"{override} does not change the mixture; `mix` takes mixture.*, export.budget and blend.base, other "
                "settings need `nemo-sdg run`"
            )
    return load_recorded(run_dir, overrides)


def packed_step(run_dir: Path) -> StepDir:
    """The packed shards of a run as they are. Raises DataError where there are none."""
    step = StepDir(run_dir=run_dir, step="packed", fingerprint="")
    if not step.shards():
        raise DataError(f"{run_dir} has no packed shard; `nemo-sdg run CONFIG --until packed` makes them")
    return step


def describe(mixture: Mixture, config: RunConfig, sequence_length: int) -> list[str]:
    """The table and what is to be said of it, a line each."""
    variants = mixture.variants
    sizes = {name: family.available for name, family in mixture.families.items()}
    found = sum(sizes.values())
    sampled = {name: size**config.mixture.alpha for name, size in sizes.items()}
    columns = ["tokens", "found", "sampled", "in blend", "decided by", *variants]
    rows = [["family or task", *columns, "sequences"]]
    for name, family in mixture.families.items():
        seen = [plan.families[name] for plan in variants.values()]
        share = sampled[name] / sum(sampled.values())
        rows.append(
            [
                name,
                *(f"{family.available:,}", f"{family.available / found:.1%}", f"{share:.1%}", f"{family.share:.2%}"),
                family.decided_by,
                *(f"{part.epochs:.3g}" for part in seen),
                f"{family.sampled // sequence_length:,}",
            ]
        )
        for task, part in family.tasks.items() if len(family.tasks) > 1 else ():
            rows.append(
                [
                    f"  {task}",
                    *(f"{part.available:,}", f"{part.available / found:.1%}", "", f"{part.share:.2%}"),
                    part.decided_by,
                    *(f"{own.tasks[task].epochs:.3g}" for own in seen),
                    f"{part.sampled // sequence_length:,}",
                ]
            )
    lines = [
        *textwrap.wrap(
            f"tokens, shares and sequences (of {sequence_length:,} tokens) are those of {mixture.reference}; a sample "
            f"is seen as often in every variant; under {', '.join(variants)}: epochs",
            WIDTH,
        ),
        *_aligned(rows),
    ]
    for name, plan in variants.items():
        lines.append(
            f"{name}: {plan.available:,} tokens, seen {plan.epochs:.3g} times on average, are "
            f"{plan.synthetic_share:.2%} of a training of {plan.total_tokens:,} tokens"
        )
    notes = (textwrap.wrap(f"note: {note}", WIDTH, subsequent_indent="      ") for note in mixture.notes)
    return [*lines, *itertools.chain.from_iterable(notes)]


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
