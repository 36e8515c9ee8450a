"""`nemo-sdg lock CONFIG`: writes a file that says which data the seeds come from, with hashes."""

from pathlib import Path

import typer

from nemo_sdg.config import RunConfig
from nemo_sdg.errors import ConfigError, DataError


def write_lock_file(config: RunConfig, path: Path) -> None:
    """Locks every training split of the selected eligible tasks. Splits that cannot be read are reported and left out.

    Raises ConfigError when none can be read.
    """
    from nemo_sdg.catalog.selection import eligible
    from nemo_sdg.catalog.walk import build_catalog
    from nemo_sdg.seeds.sources.lock import lock_entry, write_lock
    from nemo_sdg.seeds.sources.splits import open_source, plan_sources

    config.seeds.lock = None
    rows = eligible(build_catalog(config.seeds, config.guard), config.seeds.wanted)
    entries = []
    for source in plan_sources(rows, config.seeds):
        try:
            entries.append(lock_entry(source.split, open_source(source, config.seeds)))
        except DataError as exc:
            typer.echo(f"not locked: {exc}", err=True)
    if not entries:
        raise ConfigError(
            f"seeds.tasks={config.seeds.tasks}: no eligible task whose data can be read; nothing was locked"
        )
    write_lock(path, entries)
    typer.echo(
        f"{len(entries)} dataset splits, {sum(entry['rows'] for entry in entries):,} rows locked in {path}; "
        f"use it with seeds.lock={path}"
    )
