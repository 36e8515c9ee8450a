"""Checks whether a folder is a run, and which shards it has."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from nemo_sdg.config import is_run
from nemo_sdg.errors import DataError


def require_run(folder: Path) -> None:
    """Raises DataError in one line if a folder is not a run. The message names a run directly in this folder."""
    if is_run(folder):
        return
    inside = find_run(folder)
    if inside is not None:
        raise DataError(f"{folder} is not a run directory, but holds one: give {inside}")
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}; give the run.dir of a run")
    missing = "step such as catalog/" if (folder / "config.yaml").is_file() else "config.yaml"
    raise DataError(f"{folder} is not a run directory: it has no {missing}; give the run.dir of a run")


def find_run(folder: Path) -> Path | None:
    """The run directly in a folder, if there is exactly one; else None."""
    try:
        found = [path for path in sorted(folder.iterdir()) if is_run(path)] if folder.is_dir() else []
    except OSError:
        return None
    return found[0] if len(found) == 1 else None


def finished_shards(run_dir: Path, step: str) -> list[str]:
    """Names of a step's shards that have a receipt, sorted; for callers that read a run without its configuration."""
    return sorted(path.stem for path in (run_dir / step / "receipts").glob("shard-*.json"))


def name_outside(names: Iterable[str]) -> str | None:
    """The first of the names, relative to a folder, that would lead out of it, or is none; else None."""
    for name in names:
        parts = PurePosixPath(name).parts
        if not parts or parts[0] == "/" or ".." in parts or "\0" in name:
            return name
    return None
