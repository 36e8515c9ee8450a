"""The user's own code, which a configuration names as `package.module:name`: filters and Curator stages."""

import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nemo_sdg.config import CurateSection
from nemo_sdg.errors import ConfigError
from nemo_sdg.storage import home_of, imported_files


def import_named(name: str, field: str) -> Callable[..., Any]:
    """The function that a configuration names. The working directory is looked into as well. Raises ConfigError."""
    module_name, _, function_name = name.partition(":")
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        function = getattr(importlib.import_module(module_name), function_name)
    except (ImportError, SyntaxError, AttributeError, ValueError) as exc:
        raise ConfigError(
            f"{field}.{name} cannot be imported ({exc}); put the module in the working directory or on PYTHONPATH"
        ) from exc
    if not callable(function):
        raise ConfigError(f"{field}.{name} is not a function")
    return function  # type: ignore[no-any-return]


def sources_of(name: str, function: Callable[..., Any], field: str) -> dict[str, Path]:
    """The file that a function stands in, under `name`, and the files of its folder that it imports, under
    `name/path`: their content is part of the step's identity. Raises ConfigError.
    """
    source = inspect.getsourcefile(function)
    if source is None:
        raise ConfigError(
            f"{field}.{name} has no source file, so that a change in it would go unnoticed; write it in a Python module"
        )
    path = Path(source).resolve()
    home = home_of(path)
    return {name: path} | {f"{name}/{file.relative_to(home)}": file for file in imported_files(path, home)}


def load_stages(config: CurateSection) -> list[Any]:
    """The user's Curator stages, in the order of the configuration; a factory gives one or a list. Raises
    ConfigError.
    """
    stages = []
    for name in config.stages:
        made = _factory(name)()
        for stage in made if isinstance(made, list) else [made]:
            if not (hasattr(stage, "process") and hasattr(stage, "resources") and hasattr(stage, "name")):
                raise ConfigError(
                    f"curate.stages: {name} must return a nemo_curator ProcessingStage or a list of them, got "
                    f"{type(stage).__name__}"
                )
            stages.append(stage)
    return stages


def stage_sources(config: CurateSection) -> dict[str, Path]:
    """The source files of every factory of stages."""
    found: dict[str, Path] = {}
    for name in config.stages:
        found |= sources_of(name, _factory(name), "curate.stages")
    return found


def _factory(name: str) -> Callable[..., Any]:
    if ":" not in name:
        raise ConfigError(f"curate.stages must name functions as package.module:function, got {name!r}")
    return import_named(name, "curate.stages")
