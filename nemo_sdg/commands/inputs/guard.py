"""`nemo-sdg guard build|list|export|import`: evaluation rows rendered once, for every run and for machines without a
network.
"""

import tarfile
from pathlib import Path

import orjson
import typer

from nemo_sdg.config import GuardSection, RunConfig
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.storage import atomic_file, read_json


def build(config: RunConfig) -> None:
    """Renders the evaluation splits of guard.against that are not in the cache yet; prints what was not seen."""
    from nemo_sdg.catalog.selection import compared, eligible
    from nemo_sdg.catalog.walk import build_catalog
    from nemo_sdg.seeds.evaluation_rows.cache import EvaluationCache
    from nemo_sdg.seeds.sources.splits import evaluation_sources

    rows = build_catalog(config.seeds, config.guard)
    chosen = eligible(rows, config.seeds.wanted)
    sources = evaluation_sources(compared(rows, chosen, config.guard), config.seeds)
    cache = EvaluationCache(config.guard)
    num, num_rows, unseen = 0, 0, [f"{split['dataset']} ({split['why']})" for split in sources.unreachable]
    for source in sources.reachable:
        try:
            rendered = cache.render(source, config.seeds)
        except DataError as exc:
            unseen.append(str(exc))
            continue
        if rendered is not None:
            num, num_rows = num + 1, num_rows + sum(rendered.rows.values())
    for line in unseen[:10]:
        typer.echo(f"not seen: {line}", err=True)
    if len(unseen) > 10:
        typer.echo(f"and {len(unseen) - 10} further splits were not seen", err=True)
    typer.echo(f"{num} evaluation splits with {num_rows:,} rows are in {cache.folder}")


def list_splits(guard: GuardSection) -> None:
    """One line a split of the cache: task, data set, configuration, split, rows."""
    from nemo_sdg.seeds.evaluation_rows.cache import EvaluationCache

    folder = EvaluationCache(guard).folder
    if not any(folder.glob("*.json")):
        typer.echo(f"{folder} holds no evaluation rows; nemo-sdg guard build CONFIG makes them", err=True)
    for about in sorted(folder.glob("*.json")):
        said = read_json(about)
        split = said["split"]
        parts = (split["task"], split["dataset"], split["name"] or "default", split["split"])
        typer.echo("\t".join([*parts, str(sum(said["rows"].values()))]))


def export(guard: GuardSection, out: Path) -> None:
    """Writes the whole cache as one file."""
    from nemo_sdg.seeds.evaluation_rows.cache import EvaluationCache

    folder = EvaluationCache(guard).folder
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".json", ".jsonl"))
    if not files:
        raise ConfigError(f"guard.cache={folder} holds no evaluation rows; run `nemo-sdg guard build CONFIG` first")
    with atomic_file(out) as handle, tarfile.open(fileobj=handle, mode="w:gz") as archive:
        for path in files:
            archive.add(path, arcname=str(path.relative_to(folder)))
    typer.echo(f"{sum(path.suffix == '.jsonl' for path in files)} evaluation splits written to {out}")


def import_file(guard: GuardSection, archive: Path) -> None:
    """Unpacks what `export` wrote into the cache. Raises DataError for any other file."""
    from nemo_sdg.seeds.evaluation_rows.cache import EvaluationCache

    folder = EvaluationCache(guard).folder
    num = 0
    try:
        with tarfile.open(archive) as opened:
            for member in opened:
                path = folder / member.name
                stream = opened.extractfile(member)
                is_ours = stream is not None and path.suffix in (".json", ".jsonl") and ".." not in path.parts
                if not is_ours or not path.is_relative_to(folder):
                    raise DataError(f"{archive} holds {member.name}, which `nemo-sdg guard export` does not write")
                assert stream is not None
                data = stream.read()
                if path.suffix == ".json":
                    orjson.loads(data)
                with atomic_file(path) as out:
                    out.write(data)
                num += path.suffix == ".jsonl"
    except (tarfile.TarError, OSError, EOFError, orjson.JSONDecodeError) as exc:
        why = (exc.strerror if isinstance(exc, OSError) else None) or str(exc).splitlines()[0].rstrip(":")
        raise DataError(f"{archive} cannot be read ({why}); name a file that `nemo-sdg guard export` wrote") from exc
    typer.echo(f"{num} evaluation splits are in {folder}")
