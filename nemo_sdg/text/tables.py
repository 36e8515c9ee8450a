"""Reads the package's own tables of words: YAML files beside the modules that use them."""

import functools
from pathlib import Path
from typing import Any

import yaml


@functools.cache
def read_table(path: Path, *, typed: bool = False) -> Any:
    """The content of a table, which its readers share and do not change. All scalars are strings, or with `typed` what
    YAML takes them for.
    """
    plain, of_types = (getattr(yaml, f"C{name}", getattr(yaml, name)) for name in ("BaseLoader", "SafeLoader"))
    return yaml.load(path.read_bytes(), Loader=of_types if typed else plain)
