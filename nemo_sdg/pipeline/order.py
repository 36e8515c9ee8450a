"""The order of the steps. No other module knows it.

catalog > seeds > questions > screened > answers > graded > verified > curated > packed > blend

Then come the report and the manifest. `screened` and `graded` run only if their roles are configured.

A step is a module with these names. All but SHAPES and run are optional.

    SHAPES = ["verify", "engine.model_license"]       fields and sections whose values are part of its identity
    READS = ["generate.prompts_dir"]                  fields that name files; the files' content is part of it instead
    ROLES = [Role.solver]                             roles whose engines are part of it, without operational fields
    WITHOUT = ["guard.content"]                       fields of a section in SHAPES that are not part of it
    VERSION = 1                                       part of its identity: raise it to redo the step in existing runs
    inputs(config, hashes) -> Inputs                  what the step reads, besides the step before it
    run(context) -> list[str]                         does the unfinished work; returns the names of all its shards
    skipped(config) -> str | None                     why this configuration skips the step
    preflight(config) -> None                         raises errors that would otherwise come up during the step
    flow_maker(context) -> MakeFlow                   flow of a generation step, to count the requests it needs
    unread(context) -> list of {source, why}          sources that could not be read
    unread_of_shards(folder) -> list                  as unread, for a step without a ledger
    readable_again(config, unread) -> list            those of them that still cannot be read
"""

import importlib
from types import ModuleType
from typing import Any

from nemo_sdg.config import OPERATIONAL, EngineSection, RunConfig, as_plain, select
from nemo_sdg.errors import ConfigError

STEPS = [
    "catalog", "seeds", "questions", "screened", "answers", "graded", "verified", "curated", "packed", "blend",
]  # fmt: skip
WITH_ROLES = ["screened", "graded"]
"""steps that are skipped if their roles are not configured"""
BY_SHARD = ["questions", "screened", "answers", "graded", "verified", "curated"]
"""steps with one shard for each shard of the step before"""


def step_module(name: str) -> ModuleType:
    return importlib.import_module(f"nemo_sdg.steps.{name}")


def why_skipped(name: str, config: RunConfig) -> str | None:
    """Why this configuration skips a step; None if it runs the step."""
    reason: str | None = getattr(step_module(name), "skipped", lambda _: None)(config)
    return reason


def configured_steps(config: RunConfig) -> list[str]:
    """The steps that this configuration runs, in order."""
    return [name for name in STEPS if why_skipped(name, config) is None]


def configuration_of(name: str, config: RunConfig) -> dict[str, Any]:
    """The fields that shape a step, with their values."""
    module = step_module(name)
    found = select(config, module.SHAPES, [*getattr(module, "READS", []), *getattr(module, "WITHOUT", [])])
    for role in getattr(module, "ROLES", []):
        found[f"roles.{role.value}"] = [engine_shapes(section) for section in config.engines(role)]
    return found


def engine_shapes(section: EngineSection) -> dict[str, Any]:
    """The fields of an engine that shape its completions. The model itself is identified by its content, not here."""
    left_out = OPERATIONAL["engine"] | {"model"}
    return {name: value for name, value in as_plain(section).items() if name not in left_out}


def steps_between(
    config: RunConfig, *, only: str | None = None, start: str | None = None, until: str | None = None
) -> list[str]:
    """The steps to run, in order. Raises ConfigError for a name that is not a step, or that is skipped."""
    for name in (only, start, until):
        if name is not None and name not in STEPS:
            raise ConfigError(f"{name!r} is not a step; the steps are {', '.join(STEPS)}")
        if name is not None and (why := why_skipped(name, config)) is not None:
            raise ConfigError(f"the step {name} is skipped: {why}")
    steps = configured_steps(config)
    if only is not None:
        if start is not None or until is not None:
            raise ConfigError("--only names the one step to run: give it alone, or give --from and --until")
        return [only]
    found = steps[steps.index(start or steps[0]) : steps.index(until or steps[-1]) + 1]
    if not found:
        raise ConfigError(f"--from {start} comes after --until {until}; the steps are {', '.join(steps)}")
    return found


def parse_worker(text: str) -> tuple[int, int]:
    """`2/4` is the worker with index 2 of 4. Raises ConfigError."""
    parts: Any = text.split("/")
    if len(parts) != 2 or not all(part.isdigit() for part in parts) or not 0 <= int(parts[0]) < int(parts[1]):
        raise ConfigError(f"--worker must be INDEX/NUMBER with 0 <= INDEX < NUMBER, got {text!r}")
    return int(parts[0]), int(parts[1])
