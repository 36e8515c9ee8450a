"""The inputs of the step `seeds`: files of training and evaluation splits, and the hub."""

import contextlib
import dataclasses
import time
from pathlib import Path
from typing import Any

from nemo_sdg.config import RunConfig
from nemo_sdg.errors import DataError
from nemo_sdg.seeds.sources.rows import local_files, uses_hub
from nemo_sdg.storage import ContentHashes, Inputs

EVALUATION = "evaluation"
TRY_SECONDS = 60.0
"""maximum time that a start spends on trying unread sources on the network again"""


def inputs(config: RunConfig, hashes: ContentHashes) -> Inputs:
    """The files of all splits that give seeds or evaluation rows; for splits of the hub, only that the hub is read."""
    found = Inputs(content={"hub": str(uses_hub(config.seeds)).lower()})
    if config.seeds.lock is not None:
        found.add_file("seeds.lock", Path(config.seeds.lock), hashes)
    for role, sources in planned_sources(config):
        for source in sources:
            for number, path in enumerate(map(Path, local_files(source.split, config.seeds))):
                name = f"{role}/{source.tasks[0]}/{source.split.split}"
                found.add_file(f"{name}/{path.name}" if number == 0 else f"{name}/{number}/{path.name}", path, hashes)
    return found


def planned_sources(config: RunConfig) -> list[tuple[str, list[Any]]]:
    """The training splits of the selected tasks, and the evaluation splits that they are compared with."""
    from nemo_sdg.catalog.selection import compared, eligible, select
    from nemo_sdg.catalog.walk import build_catalog
    from nemo_sdg.seeds.sources.splits import evaluation_sources, plan_sources

    rows = build_catalog(config.seeds, config.guard)
    unlimited = dataclasses.replace(config.seeds, limit_per_task=None, limit_per_family=None)
    training = plan_sources(select(rows, config.seeds.wanted), unlimited)
    against = compared(rows, eligible(rows, config.seeds.wanted), config.guard)
    return [("training", training), (EVALUATION, evaluation_sources(against, config.seeds).reachable)]


def readable_again(config: RunConfig, unread: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The sources that still cannot be read, of those that could not be read before. Sources on the network are tried
    again; files are compared by content.
    """
    from nemo_sdg.seeds.sources.splits import open_source

    wanted = {row["source"] for row in unread}
    read, end = set(), time.monotonic() + TRY_SECONDS
    for role, sources in planned_sources(config) if wanted else []:
        for source in sources:
            name = source_name(role, source)
            if name not in wanted or local_files(source.split, config.seeds) or time.monotonic() > end:
                continue
            with contextlib.suppress(DataError):
                next(iter(open_source(source, config.seeds)), None)
                read.add(name)
    return [row for row in unread if row["source"] not in read]


def source_name(role: str, source: Any) -> str:
    return f"{role} split of {source.tasks[0]}: {source.split}"
